"""The last answer once more: of this person in this room only, slower where that is asked; else said honestly."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from support.house import Home, home

from config.preferences import TTS_SPEED
from daemon.butler import Place
from daemon.language.plan import Household, Intent
from daemon.language.replies import Replies
from daemon.live_preferences import LivePreferences
from daemon.people.person import Person
from daemon.skills.skill import Context
from daemon.skills.talk import talk_skills
from db.database import Database, open_database

NOTHING = "Pode perguntar de novo?"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(database_url, tmp_path) as built:
        yield built


@pytest.fixture
async def live(database_url: str) -> AsyncIterator[LivePreferences]:
    async with open_database(database_url, size=1) as db:
        yield LivePreferences(db, database_url, lambda _: None)


async def resident(house: Home, name: str) -> Person:
    key: UUID = await house.db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", name)
    await house.people.living.refresh()
    return Person(key, name, "adult", 0.9)


async def said(house: Home, text: str, person: Person | None = None, area: str = "sala") -> str:
    turn = await house.butler.ask(text, Place("microphone", area, None, person))
    return " ".join(turn.reply)


async def test_the_last_answer_again_as_often_as_asked(house: Home) -> None:
    assert NOTHING in await said(house, "o que você disse?")
    answered = await said(house, "acende a luz da sala")
    assert await said(house, "repete") == answered
    assert await said(house, "não entendi, fala de novo") == answered
    assert [order.verb for order in house.links.orders] == ["turn_on"]


async def test_what_was_said_to_another_or_elsewhere_is_not_repeated(house: Home) -> None:
    ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
    answered = await said(house, "me lembra do presente da Bia amanhã às dez", ana)
    assert "presente" in answered
    assert NOTHING in await said(house, "o que você disse?", bia)
    assert NOTHING in await said(house, "o que você disse?", ana, "cozinha")
    assert NOTHING in await said(house, "o que você disse?")
    assert await said(house, "o que você disse?", ana) == answered


async def test_a_question_that_is_repeated_still_waits_for_its_answer(house: Home) -> None:
    asked = await said(house, "abre o portão")
    again = await house.butler.ask("não entendi", Place("microphone", "sala", None))
    assert " ".join(again.reply) == asked
    assert again.asked is not None
    await said(house, "sim")
    assert [(order.entity_id, order.verb) for order in house.links.orders] == [("cover.portao", "open")]


async def test_what_was_talked_about_outlasts_the_repetition(house: Home) -> None:
    await said(house, "acende a luz da cozinha")
    await said(house, "repete")
    await said(house, "apaga ela")
    assert [(order.entity_id, order.verb) for order in house.links.orders][-1] == ("light.cozinha", "turn_off")


async def test_a_reminder_that_was_just_spoken_is_what_nobody_heard(house: Home) -> None:
    ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
    await house.db.execute(
        "INSERT INTO reminders (title, scheduled_at, user_id, status, triggered_at)"
        " VALUES ('tomar o remédio', now() - interval '1 minute', $1, 'triggered', now() - interval '1 minute')",
        ana.id,
    )
    assert await said(house, "o que você disse?", ana) == "Lembrete: tomar o remédio."
    assert NOTHING in await said(house, "o que você disse?", bia)
    answered = await said(house, "acende a luz da sala", ana)
    assert await said(house, "repete", ana) == answered


def context(*before: str, source: str = "microphone") -> Context:
    return Context(datetime(2026, 11, 20, 12, tzinfo=UTC), Household(), said=before, source=source)


@pytest.mark.parametrize(
    ("pace", "from_", "to", "say"),
    [
        ("slower", 1.0, 0.85, "Certo, mais devagar. São dez horas."),
        ("slower", 0.5, 0.5, "Mais do que isso eu não consigo mudar. São dez horas."),
        ("faster", 1.0, 1.15, "Certo, mais rápido. São dez horas."),
        ("normal", 0.7, 1.0, "Certo, falo na velocidade normal. São dez horas."),
    ],
)
async def test_slower_and_faster(
    live: LivePreferences, database_url: str, pace: str, from_: float, to: float, say: str
) -> None:
    await live.set(TTS_SPEED, from_, "Ana", "voice")
    repeat = talk_skills(Replies.load("pt_br"), live)["RepeatReply"]
    carried = await repeat.act(Intent("RepeatReply", (), {"pace": pace}), (), context("São dez horas."))
    assert carried.say == say
    assert live.now()[TTS_SPEED] == to
    async with open_database(database_url, size=1) as db:
        assert await _stored(db) == to


async def test_a_program_on_the_broker_does_not_change_how_fast_is_spoken(live: LivePreferences) -> None:
    repeat = talk_skills(Replies.load("pt_br"), live)["RepeatReply"]
    carried = await repeat.act(Intent("RepeatReply", (), {"pace": "slower"}), (), context(source="mqtt"))
    assert carried.say == "A velocidade da fala eu não consegui mudar agora."
    assert live.now()[TTS_SPEED] == 1.0


async def _stored(db: Database) -> object:
    return await db.fetchval("SELECT value FROM config WHERE key = 'tts.speed'")
