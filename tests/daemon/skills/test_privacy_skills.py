""" "Esquece o que eu disse hoje", consents and their withdrawal, spoken: whose they are, and what is left of them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from support.clock import FakeClock
from support.house import Home, home
from support.speech_engines import ScriptedChat

from daemon.butler import Place
from daemon.people.person import UNKNOWN, Person
from daemon.turn import Turn
from db import consents
from db.erasures import receipts, tables_with

MARK = "zabelê"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    brain = ScriptedChat(["Está bem."] * 20)
    async with home(database_url, tmp_path, clock=FakeClock(), brain=brain) as built:
        yield built


async def resident(house: Home, name: str, role: str = "adult", *, enrolled: bool = False) -> Person:
    sql = "INSERT INTO users (name, role, voice_enrolled) VALUES ($1, $2, $3) RETURNING id"
    key: UUID = await house.db.fetchval(sql, name, role, enrolled)
    await house.people.living.refresh()
    return Person(key, name, role, 0.9)  # type: ignore[arg-type]


async def ask(house: Home, person: Person | None, text: str) -> Turn:
    assert isinstance(house.butler.clock, FakeClock)
    house.butler.clock.advance(3)
    return await house.butler.ask(text, Place("microphone", "sala", None, person))


class TestForgetToday:
    async def test_it_asks_with_what_would_go_and_then_it_is_gone(self, house: Home) -> None:
        ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
        await ask(house, ana, f"me lembra de comprar {MARK} amanhã às nove")
        await ask(house, bia, "me lembra de pagar a luz amanhã às dez")
        asked = await ask(house, ana, "esquece o que eu disse hoje")
        assert asked.reply == ["Apago o que você disse hoje: duas mensagens e um lembrete. Isso não tem volta. Posso?"]
        assert await tables_with(house.db, MARK) != {}
        done = await ask(house, ana, "sim")
        assert "apaguei" in done.reply[0]
        assert await tables_with(house.db, MARK) == {}
        assert await house.db.fetchval("SELECT title FROM reminders") == "pagar a luz"
        (receipt,) = await receipts(house.db)
        assert (receipt.how, receipt.asked_by, receipt.scope) == ("voice", "self", "since")
        assert receipt.id.hex[-4:] in done.reply[0]

    async def test_a_no_leaves_everything(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, f"me lembra de comprar {MARK} amanhã às nove")
        await ask(house, ana, "esquece o que eu disse hoje")
        await ask(house, ana, "não")
        assert await receipts(house.db) == []
        assert await house.db.fetchval("SELECT count(*) FROM reminders") == 1

    async def test_yesterday_stays(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "que horas são")
        await house.db.execute("UPDATE messages SET timestamp = timestamp - interval '1 day'")
        await house.db.execute("UPDATE actions SET created_at = created_at - interval '1 day'")
        assert "Hoje eu ainda não guardei nada" in (await ask(house, ana, "esquece o que eu disse hoje")).reply[0]

    async def test_a_yes_of_another_erases_nothing(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "que horas são")
        await ask(house, ana, "esquece o que eu disse hoje")
        await ask(house, UNKNOWN, "sim")
        await ask(house, await resident(house, "Bia"), "sim")
        assert await receipts(house.db) == []

    async def test_in_a_house_that_knows_no_voice_it_is_what_unknown_voices_said(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "que horas são")
        await ask(house, UNKNOWN, f"me lembra de comprar {MARK} amanhã às nove")
        await ask(house, UNKNOWN, "esquece o que eu disse hoje")
        await ask(house, UNKNOWN, "sim")
        sql = (
            "SELECT count(*) FROM messages AS m JOIN conversations AS c ON c.id = conversation_id WHERE c.user_id = $1"
        )
        assert await house.db.fetchval(sql, ana.id) == 2
        assert await house.db.fetchval("SELECT count(*) FROM messages WHERE content LIKE $1", f"%{MARK}%") == 0

    async def test_a_voice_that_could_be_anybodys_is_told_so(self, house: Home) -> None:
        await resident(house, "Ana", enrolled=True)
        await house.people.living.refresh()
        turn = await ask(house, None, "esquece o que eu disse hoje")
        assert await receipts(house.db) == []
        assert "quem está falando" in turn.reply[0]

    async def test_a_program_on_the_broker_erases_nothing(self, house: Home) -> None:
        await house.butler.ask("esquece o que eu disse hoje", house.over_mqtt)
        await house.butler.ask("sim", house.over_mqtt)
        assert await receipts(house.db) == []


class TestConsents:
    async def test_what_is_given_aloud_is_a_row_with_its_evidence(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        assert ana.id is not None
        turn = await ask(house, ana, "pode guardar o som do que eu falo")
        said = (await consents.standing(house.db, ana.id))["audio"]
        assert (said.given, said.how, said.message_id) == (True, "voice", turn.id)
        evidence = await house.db.fetchval("SELECT content FROM messages WHERE id = $1", said.message_id)
        assert evidence == "pode guardar o som do que eu falo"

    async def test_what_is_withdrawn_is_erased_after_a_yes(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        assert ana.id is not None
        await consents.record(house.db, ana.id, "memory", given=True, how="cli", at=house.butler.clock.now())
        await house.db.execute("INSERT INTO memories (kind, text, user_id) VALUES ('fact', $1, $2)", MARK, ana.id)
        asked = await ask(house, ana, "não quero mais que você guarde o que eu falo")
        assert asked.reply[0].endswith("Posso?")
        assert await consents.allows(house.db, ana.id, "memory")
        await ask(house, ana, "pode")
        assert not await consents.allows(house.db, ana.id, "memory")
        assert await house.db.fetchval("SELECT count(*) FROM memories") == 0
        (receipt,) = await receipts(house.db)
        assert (receipt.scope, receipt.counts["memories"]) == ("memory", 1)

    async def test_a_child_may_not_give_it_alone(self, house: Home) -> None:
        child = await resident(house, "Duda", "child")
        assert child.id is not None
        await ask(house, child, "pode guardar o som do que eu falo")
        assert not await consents.allows(house.db, child.id, "audio")

    async def test_what_is_kept_is_told(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        assert "não me deixou" in (await ask(house, ana, "o que você guarda de mim?")).reply[0]
        await ask(house, ana, "pode guardar o som do que eu falo")
        told = (await ask(house, ana, "o que você guarda de mim?")).reply[0]
        assert "cinco mensagens" in told
        assert "o som do que você diz" in told

    async def test_nobody_known_is_asked_who_they_are(self, house: Home) -> None:
        await ask(house, UNKNOWN, "pode guardar o som do que eu falo")
        assert await house.db.fetchval("SELECT count(*) FROM consents") == 0


async def test_what_was_said_in_passing_is_remembered_only_with_consent(house: Home) -> None:
    ana = await resident(house, "Ana")
    assert ana.id is not None
    await ask(house, ana, "ontem o meu exame de sangue deu certo")
    assert await house.db.fetchval("SELECT count(*) FROM memories") == 0
    at = house.butler.clock.now() + timedelta(seconds=1)
    await consents.record(house.db, ana.id, "memory", given=True, how="cli", at=at)
    await ask(house, ana, "ontem a minha prova de inglês foi boa")
    assert await house.db.fetchval("SELECT count(*) FROM memories WHERE user_id = $1", ana.id) == 1
