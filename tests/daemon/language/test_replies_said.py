"""What Mordomo says: every key that the program uses is there, and the sentences are Portuguese."""

import re
import string
from datetime import datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.devices.order import Outcome, Verb
from daemon.language import replies as module
from daemon.language.pt_br.speakable import speakable
from daemon.language.replies import Replies

REPLIES = Replies.load("pt_br")
NOW = datetime(2026, 3, 11, 14, 20, tzinfo=ZoneInfo("America/Sao_Paulo"))
DAEMON = Path(module.__file__).parents[1]


def test_every_key_that_the_program_says_exists() -> None:
    used = {
        key for file in DAEMON.rglob("*.py") for key in re.findall(r'\.say\(\s*"([a-z_.]+)"', file.read_text("utf-8"))
    }
    assert len(used) > 8
    assert not used - REPLIES.said.keys()


@pytest.mark.parametrize("what", ["broker", "postgres", "spool", "ollama", "demo_house", "anything"])
def test_whatever_is_away_has_a_sentence(what: str) -> None:
    assert REPLIES.say(f"away.{what}")


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        REPLIES.say("lights.eaten")


@pytest.mark.parametrize("verb", get_args(Verb))
@pytest.mark.parametrize("kind", [*get_args(Outcome.__annotations__["kind"]), "cannot", "unknown"])
@pytest.mark.parametrize(
    "names", [["luz da sala"], ["persianas"], ["luz da sala", "ventilador"], [f"luz {i}" for i in range(7)]]
)
def test_every_outcome_of_every_order_is_one_speakable_sentence(kind: str, verb: str, names: list[str]) -> None:
    value = 50 if verb.startswith("set_") else None
    said = REPLIES.devices(kind, verb, names, value=value)
    assert said[0].isupper()
    assert said.endswith(".")
    assert "{" not in said
    assert speakable(said)


def test_devices() -> None:
    assert REPLIES.say("lights.turned_on", name="luz da sala", article="a") == "Acendi a luz da sala."
    assert REPLIES.devices("confirmed", "turn_on", ["luz da sala"]) == "Acendi a luz da sala."
    assert REPLIES.devices("confirmed", "turn_on", ["ventilador"]) == "Liguei o ventilador."
    assert REPLIES.devices("confirmed", "close", ["persianas"]) == "Fechei as persianas."
    assert REPLIES.devices("confirmed", "set_brightness", ["abajur"], value=50.0) == "Coloquei o abajur em 50%."
    assert REPLIES.devices("confirmed", "turn_off", ["luz da sala", "abajur"]) == "Apaguei a luz da sala e o abajur."
    assert (
        REPLIES.devices("confirmed", "turn_off", [f"luz {i}" for i in range(8)], area="sala")
        == "Apaguei as oito luzes da sala."
    )
    assert REPLIES.devices("already", "turn_on", ["luz da sala"]) == "A luz da sala já está acesa."
    assert REPLIES.devices("already", "close", ["persianas"]) == "As persianas já estão fechadas."
    assert REPLIES.devices("silent", "turn_on", ["luz da sala"]) == "Mandei, mas a luz da sala não respondeu."
    assert REPLIES.devices("silent", "open", ["persianas"]) == "Mandei, mas as persianas não responderam."
    assert REPLIES.devices("sent", "turn_off", ["abajur"]) == "Mandei apagar o abajur."


def test_states() -> None:
    assert REPLIES.state("luz da sala", "on") == "A luz da sala está acesa."
    assert REPLIES.state("portão", "open", asked="open") == "Sim, o portão está aberto."
    assert REPLIES.state("portão", "closed", asked="open") == "Não, o portão está fechado."
    assert REPLIES.state("ventilador", None).startswith("Não sei como está o ventilador")
    assert REPLIES.state("TV", "playing") == "A TV está tocando."


def test_clock_and_calendar() -> None:
    assert REPLIES.time(NOW) == "São duas e vinte da tarde."
    assert REPLIES.date(NOW) == "Hoje é quarta-feira, onze de março de dois mil e vinte e seis."


def test_reminders() -> None:
    assert REPLIES.reminders_cancelled(["pão"]) == "Cancelei o lembrete: pão."
    assert REPLIES.reminders_cancelled(["pão", "café"]) == "Cancelei dois lembretes."
    assert REPLIES.briefing(["pão"]) == "Ficou um lembrete para trás: pão."
    assert REPLIES.say("reminder.due", title="tomar o remédio") == "Lembrete: tomar o remédio."


def test_variants_take_turns() -> None:
    assert len({REPLIES.say("talk.thanks", seed=seed) for seed in range(4)}) == 4
    assert REPLIES.say("talk.thanks", seed=10**30) == REPLIES.say("talk.thanks", seed=10**30)


@given(st.text(max_size=80))
def test_what_people_and_devices_write_is_only_filled_in(text: str) -> None:
    assert text in REPLIES.say("reminder.due", title=text)
    REPLIES.devices("confirmed", "turn_on", [text or "x"])
    REPLIES.state(text, text)


def test_placeholders_are_filled_by_somebody() -> None:
    code = "".join(path.read_text() for path in DAEMON.rglob("*.py"))
    filled = set(re.findall(r"\b(\w+)=", code)) | set(re.findall(r"\"(\w+)\":", code))
    fields = {
        field.split(":")[0]
        for texts in REPLIES.said.values()
        for text in texts
        for _, field, _, _ in string.Formatter().parse(text)
        if field
    }
    assert {field[0].lower() + field[1:] for field in fields} <= {each[0].lower() + each[1:] for each in filled if each}
