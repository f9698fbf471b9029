"""What is said after a question: an hour, a wait, a no, or a command of its own."""

from dataclasses import replace
from datetime import datetime

import pytest
from golden import household

from daemon.language.consent import CONFIRMED, DECLINED
from daemon.language.language import Language
from daemon.language.plan import Heard, Intent, Plan

HOUSE = household()
LANGUAGE = Language(HOUSE)
NOW = datetime.fromisoformat("2026-03-11T14:20:00-03:00")
WHICH = Plan("skill", (Intent("CancelReminder", slots={"query": "remédio"}),), question="Qual deles?", awaits="query")
SURE = replace(WHICH, awaits=CONFIRMED)


def heard(text: str, previous: Plan | None) -> Plan:
    return LANGUAGE.understand(Heard(text, NOW, "sala", previous=previous), HOUSE)


@pytest.mark.parametrize(
    ("answer", "when"),
    [
        ("nove", "2026-03-11T21:00:00-03:00"),
        ("nove e meia", "2026-03-11T21:30:00-03:00"),
        ("às nove", "2026-03-11T21:00:00-03:00"),
        ("às 9 da manhã", "2026-03-12T09:00:00-03:00"),
        ("dez minutos", "2026-03-11T14:30:00-03:00"),
        ("amanhã", "2026-03-12"),
    ],
)
def test_the_time_that_a_reminder_lacked(answer: str, when: str) -> None:
    plan = heard(answer, heard("me lembra de regar as plantas", None))
    assert [(i.name, i.slots["message"], i.slots["when"]) for i in plan.intents] == [
        ("CreateReminder", "regar as plantas", when)
    ]


@pytest.mark.parametrize("answer", ["nove pessoas vieram jantar", "que calor", "apaga a luz", "cancela"])
def test_what_tells_no_time_makes_no_reminder(answer: str) -> None:
    plan = heard(answer, heard("me lembra de regar as plantas", None))
    assert "CreateReminder" not in {intent.name for intent in plan.intents}


@pytest.mark.parametrize("asked", [WHICH, SURE])
@pytest.mark.parametrize(
    ("answer", "intent"),
    [("cancela o timer de dez minutos", "HassCancelTimer"), ("deixa a luz da sala acesa", "HassTurnOn")],
)
def test_a_command_that_begins_like_a_no_is_a_command(asked: Plan, answer: str, intent: str) -> None:
    plan = heard(answer, asked)
    assert [found.name for found in plan.intents] == [intent]
    assert CONFIRMED not in plan.intents[0].slots


@pytest.mark.parametrize("asked", [WHICH, SURE])
@pytest.mark.parametrize(
    "answer", ["não", "cancela", "deixa pra lá", "não, abre o portão", "para, para", "esquece isso"]
)
def test_a_no_stays_a_no(asked: Plan, answer: str) -> None:
    assert heard(answer, asked).intents == (DECLINED,)


def test_other_words_fill_what_lacked() -> None:
    assert heard("o das nove", WHICH).intents == (Intent("CancelReminder", slots={"query": "o das nove"}),)
    assert heard("sim", SURE).intents[0].slots[CONFIRMED] is True
