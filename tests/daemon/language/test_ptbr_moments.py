"""Moments in time: hours, days, waits, recurrences, read from words and said in words."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.language.pt_br import moments
from daemon.language.pt_br.moments import When
from daemon.language.pt_br.spoken_time import (
    at_clock,
    is_clock,
    spoken_clock,
    spoken_date,
    spoken_day,
    spoken_moment,
    spoken_rule,
)
from daemon.language.words import read

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 3, 11, 14, 20, tzinfo=ZONE)  # a Wednesday


def when(text: str, now: datetime = NOW, *, waking: bool = False) -> When:
    found = moments.find(read(text).words, now, waking=waking)
    assert found is not None, text
    return found[0]


def left(text: str) -> str:
    found = moments.find(read(text).words, NOW)
    assert found is not None, text
    return " ".join(word.plain for word in found[1])


def at(hour: int, minute: int = 0, day: int = 11, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "start"),
    [("às 7 da manhã", at(7, day=12)), ("às sete da noite", at(19)), ("às 20h30", at(20, 30)), ("às 20:30", at(20, 30)),
     ("às vinte e duas", at(22)), ("às vinte e três e quinze", at(23, 15)), ("às vinte e cinco", at(20, 5)),
     ("ao meio-dia", at(12, day=12)), ("meio-dia e meia", at(12, 30, day=12)), ("à meia-noite", at(0, day=12)),
     ("quinze pras três", at(14, 45)), ("às dez pra uma", at(12, 50, day=12)), ("quinze pro meio-dia", at(11, 45, day=12)),
     ("às 3 e meia", at(15, 30)), ("às oito", at(20)), ("às duas", at(2 + 12, day=12)), ("à uma da tarde", at(13, day=12)),
     ("às 5 em ponto", at(17)), ("lá pelas seis da tarde", at(18)), ("por volta das 9 da noite", at(21)),
     ("amanhã às oito e meia", at(8, 30, day=12)), ("amanhã às 3", at(15, day=12)), ("amanhã 6 e 15", at(6, 15, day=12)),
     ("na sexta às 19h", at(19, day=13)), ("sexta-feira às dez", at(10, day=13)), ("depois de amanhã ao meio-dia", at(12, day=13)),
     ("dia 20 às 15h", at(15, day=20)), ("dia 5 às 9 da manhã", at(9, day=5, month=4)), ("10/12 às 8h", at(8, day=10, month=12)),
     ("hoje às 9", at(21)), ("hoje à noite", at(20)), ("amanhã cedo", at(8, day=12)), ("amanhã à tarde", at(15, day=12)),
     ("daqui a dez minutos", at(14, 30)), ("daqui a uma hora e meia", at(15, 50)), ("em 40 minutos", at(15)),
     ("dentro de meia hora", at(14, 50)), ("daqui a pouco", at(14, 35)), ("daqui 2 horas", at(16, 20)),
     ("sábado de manhã", at(8, day=14)), ("domingo às onze da manhã", at(11, day=15)), ("às 12 da noite", at(0, day=12)),
     ("às 2 da madrugada", at(2, day=12)), ("às oito menos dez da noite", at(19, 50)), ("antes das oito da noite", at(19)),
     ("quando for cinco horas", at(17)), ("às cinco e quarenta pra sair", at(17, 40)), ("hoje mais tarde", at(17, 20))],
)  # fmt: skip
def test_instants(text: str, start: datetime) -> None:
    assert when(text).start == start


@pytest.mark.parametrize(
    ("text", "day"),
    [("amanhã", date(2026, 3, 12)), ("no sábado", date(2026, 3, 14)), ("na quarta", date(2026, 3, 18)),
     ("semana que vem", date(2026, 3, 16)), ("mês que vem", date(2026, 4, 1)), ("no fim do mês", date(2026, 3, 31)),
     ("dia 31", date(2026, 3, 31)), ("dia 30 de fevereiro de 2027", None), ("dia 10", date(2026, 4, 10)),
     ("10 de maio", date(2026, 5, 10)), ("dia primeiro", date(2026, 4, 1)), ("1º de maio", date(2026, 5, 1)),
     ("no Natal", date(2026, 12, 25)), ("na véspera de Natal", date(2026, 12, 24)), ("daqui a três dias", date(2026, 3, 14)),
     ("no fim de semana", date(2026, 3, 14)), ("dia 29 de fevereiro", date(2028, 2, 29)),
     ("um dia antes do Natal", date(2026, 12, 24)), ("dois dias depois do dia 20", date(2026, 3, 22)),
     ("antes do dia 15", date(2026, 3, 14))],
)  # fmt: skip
def test_days(text: str, day: date | None) -> None:
    found = moments.find(read(text).words, NOW)
    assert (found[0].day if found else None) == day


@pytest.mark.parametrize(
    ("text", "rule", "start"),
    [("todo dia às sete da manhã", "FREQ=DAILY;BYHOUR=7;BYMINUTE=0", at(7, day=12)),
     ("todos os dias às 20h", "FREQ=DAILY;BYHOUR=20;BYMINUTE=0", at(20)),
     ("toda segunda e quarta às 19h", "FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=19;BYMINUTE=0", at(19)),
     ("de segunda a sexta às seis", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=0", at(6, day=12)),
     ("de 8 em 8 horas", "FREQ=HOURLY;INTERVAL=8", at(22, 20)), ("de hora em hora", "FREQ=HOURLY", at(15, 20)),
     ("a cada 30 minutos", "FREQ=MINUTELY;INTERVAL=30", at(14, 50)),
     ("toda noite", "FREQ=DAILY;BYHOUR=20;BYMINUTE=0", at(20)),
     ("dia sim dia não às 8 da manhã", "FREQ=DAILY;INTERVAL=2;BYHOUR=8;BYMINUTE=0", at(8, day=12)),
     ("um dia sim e outro não às 8 da manhã", "FREQ=DAILY;INTERVAL=2;BYHOUR=8;BYMINUTE=0", at(8, day=12)),
     ("quinta sim, quinta não às 9 da manhã", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH;BYHOUR=9;BYMINUTE=0", at(9, day=12)),
     ("todo dia às 7 e às 19", "FREQ=DAILY;BYHOUR=7,19;BYMINUTE=0", at(19)),
     ("toda terça às 8, às 14 e às 20", "FREQ=WEEKLY;BYDAY=TU;BYHOUR=8,14,20;BYMINUTE=0", at(8, day=17)),
     ("terça e quinta às 18h", "FREQ=WEEKLY;BYDAY=TU,TH;BYHOUR=18;BYMINUTE=0", at(18, day=12))],
)  # fmt: skip
def test_recurrences(text: str, rule: str, start: datetime) -> None:
    found = when(text)
    assert (found.rrule, found.start) == (rule, start)


def test_an_alarm_takes_the_morning() -> None:
    assert when("às 7", waking=True).start == at(7, day=12)
    assert when("às 7").start == at(19)


def test_what_is_guessed_is_told() -> None:
    assert when("às 8").assumed == "hoje às oito da noite"
    assert when("às 20h").assumed is None


def test_an_hour_of_today_that_is_over() -> None:
    assert when("hoje às 9 da manhã").past
    assert not when("às 9 da manhã").past


def test_how_long() -> None:
    assert when("por dez minutos").lasting_s == 600


@pytest.mark.parametrize(
    "text",
    ["apaga as duas luzes", "liga a luz da sala", "põe em 50", "a segunda gaveta", "o quarto da Bia", "em 22 graus",
     "as 3 luzes", "uma luz", "a noite é uma criança"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert moments.find(read(text).words, NOW) is None


def test_what_is_left_is_the_rest() -> None:
    assert left("me lembra amanhã de ligar pro João às nove") == "me lembra de ligar pro joao"
    assert left("tirar o lixo na sexta às 19h") == "tirar o lixo"


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 1440))
def test_an_hour_that_is_said_is_read_back(hour: int, minute: int, shift: int) -> None:
    now = NOW + timedelta(minutes=shift)
    said = datetime(2026, 3, 12, hour, minute, tzinfo=ZONE)
    found = when(at_clock(said), now)
    assert found.start is not None
    assert (found.start.hour, found.start.minute) == (hour, minute)
    assert now < found.start <= now + timedelta(days=1)


@given(st.integers(1, 500), st.times())
def test_a_moment_that_is_said_is_read_back(days: int, clock: time) -> None:
    said = datetime.combine(NOW.date() + timedelta(days), clock.replace(second=0, microsecond=0), ZONE)
    assert when(spoken_moment(said, NOW)).start == said


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.text(max_size=60))  # noqa: DTZ001 - made aware below
def test_any_text_at_any_time(now: datetime, text: str) -> None:
    moments.find(read(text).words, now.replace(tzinfo=ZONE))


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [(10, 30, "dez e meia"), (12, 0, "meio-dia"), (0, 0, "meia-noite"), (21, 5, "vinte e uma e cinco"), (1, 0, "uma")],
)
def test_clock_in_words(hour: int, minute: int, said: str) -> None:
    assert spoken_clock(at(hour, minute)) == said


def test_said_to_people() -> None:
    assert is_clock(at(13, 5)) == "é uma e cinco da tarde"
    assert is_clock(at(10)) == "são dez da manhã"
    assert is_clock(at(0, 10)) == "é meia-noite e dez"
    assert spoken_moment(NOW + timedelta(minutes=1), NOW) == "daqui a um minuto"
    assert spoken_moment(NOW + timedelta(seconds=59), NOW) == "daqui a um minuto"  # the answer took the rest
    assert spoken_moment(at(7, day=12), NOW) == "amanhã às sete da manhã"
    assert spoken_moment(at(0, day=12), NOW) == "hoje à meia-noite"
    assert spoken_moment(at(12, day=12), NOW) == "amanhã ao meio-dia"
    assert spoken_day(date(2026, 3, 14), NOW.date()) == "no sábado"
    assert spoken_day(date(2027, 1, 1), NOW.date()) == "no dia primeiro de janeiro de dois mil e vinte e sete"
    assert spoken_date(NOW.date()) == "quarta-feira, onze de março de dois mil e vinte e seis"
    assert spoken_rule("FREQ=WEEKLY;BYDAY=TU,TH;BYHOUR=19;BYMINUTE=0", at(19)) == "toda terça e quinta às sete da noite"
    assert spoken_rule("FREQ=HOURLY;INTERVAL=8") == "a cada oito horas"
    assert spoken_rule("RRULE:FREQ=DAILY") == "todo dia"
    assert spoken_rule("FREQ=DAILY;BYHOUR=7,19;BYMINUTE=0", at(19)) == "todo dia às sete da manhã e às sete da noite"
    assert spoken_rule("FREQ=MONTHLY;BYMONTHDAY=5,20") == "todo dia cinco e vinte do mês"
    assert spoken_rule("FREQ=MONTHLY;BYMONTHDAY=-1") == "todo último dia do mês"
    assert spoken_rule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5") == "todo quinto dia útil do mês"
    assert spoken_rule("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1") == "toda última segunda do mês"
    assert spoken_rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH") == "toda quinta, semana sim, semana não"
    assert spoken_rule("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25") == "todo ano, no dia vinte e cinco de dezembro"
