"""Numbers and durations in words and figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.language.pt_br import durations, numbers
from daemon.language.pt_br.number_words import cardinal
from daemon.language.pt_br.spoken_time import spoken_duration
from daemon.language.words import plain_words


@given(st.integers(0, 1_000_000), st.booleans())
def test_a_number_in_words_is_read_back(number: int, feminine: bool) -> None:
    assert numbers.whole(plain_words(cardinal(number, feminine=feminine))) == number


@given(st.integers(0, 999_999_999))
def test_figures_are_read(number: int) -> None:
    assert numbers.whole((str(number),)) == number
    assert numbers.whole(plain_words(f"{number:,}".replace(",", "."))) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("cem", 100), ("cento e um", 101), ("mil", 1000), ("dois mil e vinte e seis", 2026), ("mil e duzentos", 1200),
     ("um milhão", 1_000_000), ("catorze", 14), ("vinte cinco", 25), ("2,5", 2.5), ("1.500", 1500), ("15 mil", 15_000)],
)  # fmt: skip
def test_ways_of_saying_a_number(text: str, number: float) -> None:
    assert numbers.whole(plain_words(text)) == number


@pytest.mark.parametrize("text", ["", "e", "casa", "oito e trinta", "um um", "e dois", "cem cem"])
def test_what_is_no_number(text: str) -> None:
    assert numbers.whole(plain_words(text)) is None


@given(st.lists(st.sampled_from(sorted(numbers.WORDS)), max_size=12))
def test_any_heap_of_number_words_is_read_or_left(words: list[str]) -> None:
    found = numbers.read(tuple(words), 0)
    assert found is None or (found[0] >= 0 and 0 < found[1] <= len(words))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("dez minutos", 600), ("um minuto", 60), ("meia hora", 1800), ("meia horinha", 1800), ("uma hora e meia", 5400),
     ("duas horas e quinze", 8100), ("1h30", 5400), ("1h", 3600), ("10min", 600), ("30s", 30), ("dois minutos e meio", 150),
     ("uma hora e vinte minutos", 4800), ("uma hora, dez minutos e cinco segundos", 4205), ("um quarto de hora", 900),
     ("três quartos de hora", 2700), ("uns dez minutinhos", 600), ("três dias", 259_200), ("uma semana", 604_800),
     ("hora e meia", 5400), ("um minuto e trinta segundos", 90), ("minutos", None), ("dez", None), ("1,5 hora", 5400)],
)  # fmt: skip
def test_durations(text: str, seconds: int | None) -> None:
    assert durations.whole(plain_words(text)) == seconds


@given(st.integers(1, 23), st.integers(0, 59))
def test_hours_and_minutes_said_are_read_back(hours: int, minutes: int) -> None:
    seconds = hours * 3600 + minutes * 60
    assert durations.whole(plain_words(spoken_duration(seconds))) == seconds


@given(st.integers(1, 3599))
def test_minutes_and_seconds_said_are_read_back(seconds: int) -> None:
    assert durations.whole(plain_words(spoken_duration(seconds))) == seconds
