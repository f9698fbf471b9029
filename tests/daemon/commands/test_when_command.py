"""`mordomo when`: exact moments of sentences, and what holds for any of them."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.easter import easter
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from daemon.__main__ import app
from daemon.commands.when import told
from daemon.language.pt_br import holidays
from daemon.language.pt_br.number_words import cardinal

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZONE)  # a Friday, and a holiday
DAY = "T00:00:00-03:00"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("depois de amanhã às sete e meia da manhã", "2026-11-22T07:30:00-03:00"),
        ("daqui a pouco menos de duas horas", "2026-11-20T11:50:00-03:00"),
        ("daqui a 24 horas", "2026-11-21T10:00:00-03:00"), ("daqui a dois dias", "2026-11-22" + DAY),
        ("daqui a dois meses", "2027-01-20" + DAY), ("quinze pras três", "2026-11-20T14:45:00-03:00"),
        ("quinze pro meio-dia", "2026-11-20T11:45:00-03:00"), ("meia-noite", "2026-11-21T00:00:00-03:00"),
        ("sexta que vem", "2026-11-27" + DAY), ("sábado que vem", "2026-11-28" + DAY), ("amanhã", "2026-11-21" + DAY),
        ("quarta da semana que vem", "2026-11-25" + DAY), ("no quinto dia útil", "2026-12-07" + DAY),
        ("no próximo dia útil", "2026-11-23" + DAY),
        ("no último dia do mês", "2026-11-30" + DAY), ("na última sexta de dezembro", "2026-12-25" + DAY),
        ("na véspera de Natal", "2026-12-24" + DAY), ("no Carnaval", "2027-02-09" + DAY),
        ("na quarta-feira de cinzas", "2027-02-10" + DAY), ("Corpus Christi", "2027-05-27" + DAY),
        ("no dia das mães", "2027-05-09" + DAY), ("no próximo feriado", "2026-12-25" + DAY),
        ("dia 25 de dezembro, e se for feriado no próximo dia útil", "2026-12-28" + DAY),
        ("dia 6/12, e se cair no fim de semana, no dia útil anterior", "2026-12-04" + DAY),
        ("no dia 10, e se for feriado no próximo dia útil", "2026-12-10" + DAY),
        ("sexta, 12 de setembro de 2027", "2027-09-12" + DAY), ("1-3-2027", "2027-03-01" + DAY), ("5 maio", "2027-05-05" + DAY),
        ("hoje no fim da tarde", "2026-11-20T17:00:00-03:00"), ("agora", "2026-11-20T10:00:00-03:00"),
    ],
)  # fmt: skip
def test_start(text: str, start: str) -> None:
    assert told(text, NOW)["start"] == start


@pytest.mark.parametrize(
    ("text", "start", "end", "grain"),
    [
        ("das duas às quatro da tarde", "2026-11-20T14:00:00-03:00", "2026-11-20T16:00:00-03:00", "hour"),
        ("das 22 às 6", "2026-11-20T22:00:00-03:00", "2026-11-21T06:00:00-03:00", "hour"),
        ("entre 3 e 5 da tarde amanhã", "2026-11-21T15:00:00-03:00", "2026-11-21T17:00:00-03:00", "hour"),
        ("semana que vem", "2026-11-23" + DAY, "2026-11-30" + DAY, "week"),
        ("hoje à noite", "2026-11-20T18:00:00-03:00", "2026-11-21" + DAY, "hour"),
        ("em março", "2027-03-01" + DAY, "2027-04-01" + DAY, "month"),
        ("de 13 a 15 de julho", "2027-07-13" + DAY, "2027-07-16" + DAY, "day"),
    ],
)
def test_span(text: str, start: str, end: str, grain: str) -> None:
    answer = told(text, NOW)
    assert (answer["start"], answer["end"], answer["grain"]) == (start, end, grain)


@pytest.mark.parametrize(
    ("text", "rrule"),
    [
        ("de 8 em 8 horas", "FREQ=HOURLY;INTERVAL=8"), ("dia sim, dia não", "FREQ=DAILY;INTERVAL=2"),
        ("toda segunda e quarta às 19h", "FREQ=WEEKLY;BYDAY=MO,WE;BYHOUR=19;BYMINUTE=0"),
        ("todo quinto dia útil", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5"),
        ("toda primeira segunda do mês", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"),
        ("todo último dia do mês", "FREQ=MONTHLY;BYMONTHDAY=-1"), ("todo dia 5 e 20", "FREQ=MONTHLY;BYMONTHDAY=5,20"),
        ("aos domingos às dez da manhã", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=10;BYMINUTE=0"),
        ("de quinze em quinze dias", "FREQ=DAILY;INTERVAL=15"), ("uma vez por semana", "FREQ=WEEKLY"),
    ],
)  # fmt: skip
def test_recurrence(text: str, rrule: str) -> None:
    assert told(text, NOW)["rrule"] == rrule


@pytest.mark.parametrize(("text", "seconds"), [("uma hora e meia", 5400), ("hora e meia", 5400), ("dez minutos", 600)])
def test_duration(text: str, seconds: int) -> None:
    assert told(text, NOW)["duration_s"] == seconds


@pytest.mark.parametrize("text", ["", "um", "liga a luz", "no 987", "a" * 10_000])
def test_what_tells_no_time(text: str) -> None:
    assert set(told(text, NOW).values()) == {None}


moments_of_years = st.integers(1_704_078_000, 2_082_769_200).map(lambda at: datetime.fromtimestamp(at, tz=ZONE))


@given(moments_of_years, st.integers(1, 23), st.integers(0, 59))
def test_an_hour_and_a_day_said_are_that_hour_and_day(now: datetime, hour: int, minute: int) -> None:
    said = told(f"amanhã às {hour}h{minute:02d}" if minute else f"amanhã às {hour}h da noite", now)["start"]
    at = datetime.fromisoformat(said)
    assert at.date() - now.date() in {timedelta(1), timedelta(2)}
    assert at.minute == minute


@given(moments_of_years, st.integers(1, 180))
def test_a_wait_is_as_long_as_said(now: datetime, minutes: int) -> None:
    said = datetime.fromisoformat(told(f"daqui a {cardinal(minutes)} minutos", now)["start"])
    assert said.timestamp() == int(now.timestamp()) + 60 * minutes


@given(moments_of_years, st.integers(1, 15))
def test_a_working_day_works_and_is_the_nth(now: datetime, nth: int) -> None:
    found = date.fromisoformat(told(f"no {nth}º dia útil do mês que vem", now)["start"][:10])
    month = (now.date().replace(day=1) + timedelta(32)).replace(day=1)
    before = [month + timedelta(i) for i in range((found - month).days + 1)]
    assert sum(map(holidays.works, before)) == nth
    assert holidays.works(found)


@given(moments_of_years)
def test_carnival_is_47_days_before_easter_and_never_past(now: datetime) -> None:
    found = date.fromisoformat(told("no Carnaval", now)["start"][:10])
    assert found == easter(found.year) - timedelta(47)
    assert found >= now.date()


@settings(max_examples=150)
@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    answer = told(text, NOW)
    assert answer["end"] is None or answer["start"] is None or answer["start"] < answer["end"]


def test_lines_in_lines_out_in_order() -> None:
    lines = '{"text": "amanhã", "now": "2026-11-20T10:00:00-03:00"}\ndez minutos\n{"text": 3}\n{broken\n'
    done = CliRunner().invoke(app, ["when"], input=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [answer["start"] for answer in answers] == ["2026-11-21T00:00:00-03:00", None, None, None]
    assert answers[1]["duration_s"] == 600
    assert all(set(answer) == {"start", "end", "grain", "rrule", "duration_s", "assumed"} for answer in answers)


def test_a_bad_now_and_a_bad_zone_are_told() -> None:
    bad = CliRunner().invoke(app, ["when"], input='{"text": "amanhã", "now": "ontem"}\n')
    assert bad.exit_code == 1
    assert CliRunner().invoke(app, ["when", "--zone", "Marte/Olimpo", "amanhã"]).exit_code == 1


def test_an_aware_now_of_another_zone_keeps_its_offset() -> None:
    line = json.dumps({"text": "amanhã às 8h", "now": datetime(2026, 1, 1, 12, tzinfo=UTC).isoformat()})
    done = CliRunner().invoke(app, ["when"], input=line)
    assert json.loads(done.stdout)["start"] == "2026-01-02T08:00:00+00:00"
