"""The declarations by themselves: every one is whole, and reads what it says it reads."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.brain import BRAIN_MAX_TOKENS
from config.preference import InvalidPreference, Preference, timezones
from config.preferences import (
    DECLARED,
    HOUSE_TIMEZONE,
    STT_BEAM_SIZE,
    TTS_SPEED,
    Preferences,
)

EVERY = list(DECLARED.values())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("preference", EVERY, ids=lambda p: p.key)
def test_each_is_whole(preference: Preference[Any]) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", preference.key)
    assert len(preference.description) > 10
    value = preference.read(preference.default)
    assert value == preference.default
    assert type(value) is preference.kind
    if preference.kind in (int, float):
        assert preference.minimum is not None
        assert preference.maximum is not None
        assert preference.minimum <= preference.default <= preference.maximum
        assert preference.read(preference.minimum) == preference.minimum
        assert preference.read(preference.maximum) == preference.maximum
    else:
        assert preference.minimum is None
        assert preference.maximum is None
    assert sum((bool(preference.choices), preference.is_timezone, preference.pattern is not None)) <= 1
    assert "%" not in preference.rule


@given(st.sampled_from(EVERY), ANYTHING)
def test_whatever_comes_is_read_or_refused_with_a_sentence(preference: Preference[Any], value: object) -> None:
    said, read = None, None
    try:
        read = preference.read(value)
    except InvalidPreference as refused:
        said = str(refused)
    if said is None:
        assert type(read) is preference.kind
        assert preference.read(read) == read
    else:
        assert said.encode().decode().startswith(f"{preference.key}: precisa ser {preference.rule}; recebeu ")


@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), pytest.param(10**5000, id="huge"), float("nan"), float("inf"), True, False, "1", None, 1.5],
)
def test_what_is_no_small_whole_number(value: object) -> None:
    with pytest.raises(InvalidPreference, match=r"^stt[.]beam_size: "):
        STT_BEAM_SIZE.read(value)


def test_whole_numbers_may_come_as_json_writes_them() -> None:
    assert BRAIN_MAX_TOKENS.read(300.0) == 300
    assert type(BRAIN_MAX_TOKENS.read(300.0)) is int
    assert type(TTS_SPEED.read(1)) is float


@pytest.mark.parametrize("value", ["\0", "a\nb", "\x1b[2J", "\ud800", "x" * 501])
@pytest.mark.parametrize("key", ["audio.input_device", "stt.model", "house.area"])
def test_text_that_no_setting_needs(key: str, value: str) -> None:
    with pytest.raises(InvalidPreference) as refused:
        DECLARED[key].read(value)
    assert str(refused.value).isprintable()


def test_the_sentence_names_key_rule_and_value() -> None:
    with pytest.raises(InvalidPreference) as refused:
        TTS_SPEED.read(9)
    assert str(refused.value) == "tts.speed: precisa ser número de 0.5 a 2; recebeu 9"
    with pytest.raises(InvalidPreference) as refused:
        HOUSE_TIMEZONE.read("Lua")
    assert str(refused.value) == 'house.timezone: precisa ser um fuso horário, como "America/Sao_Paulo"; recebeu "Lua"'


def test_brazil_s_time_zones_are_known() -> None:
    assert {"America/Sao_Paulo", "America/Manaus", "America/Rio_Branco", "America/Noronha", "UTC"} <= timezones()


def test_a_set_of_preferences_is_whole_and_never_changes() -> None:
    first = Preferences({"tts.speed": 1.5, "unknown": 1})
    second = first.with_value("stt.beam_size", 3)
    assert (first[TTS_SPEED], first[STT_BEAM_SIZE], second[TTS_SPEED], second[STT_BEAM_SIZE]) == (1.5, 1, 1.5, 3)
    assert set(first.as_dict()) == set(DECLARED)
    with pytest.raises(InvalidPreference):
        first.with_value("stt.beam_size", 99)
    with pytest.raises(KeyError):
        first.with_value("unknown", 1)
    with pytest.raises(InvalidPreference):
        Preferences({"tts.speed": "rápido"})
