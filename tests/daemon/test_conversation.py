"""Conversations: whose they are, in which room, what passes on to whom, and how they end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.clock import FakeClock
from support.house import Home, home
from support.speech_engines import ScriptedChat

from daemon.butler import Place
from daemon.people.person import GUEST, UNKNOWN, Person
from daemon.turn import Turn
from db.conversations import ENDED

ROOM = "microphone"


@pytest.fixture
def brain() -> ScriptedChat:
    return ScriptedChat(["Está bem."])


@pytest.fixture
async def house(database_url: str, tmp_path: Path, brain: ScriptedChat) -> AsyncIterator[Home]:
    async with home(database_url, tmp_path, clock=FakeClock(), brain=brain) as built:
        yield built


async def resident(house: Home, name: str) -> Person:
    key: UUID = await house.db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", name)
    await house.people.living.refresh()
    return Person(key, name, "adult", 0.9)


def clock(house: Home) -> FakeClock:
    assert isinstance(house.butler.clock, FakeClock)
    return house.butler.clock


async def ask(house: Home, person: Person | None, text: str, *, area: str = "sala", source: str = ROOM) -> Turn:
    return await house.butler.ask(text, Place(source, area, None, person))


async def test_the_same_person_in_the_same_room_goes_on(house: Home) -> None:
    ana = await resident(house, "Ana")
    first = await ask(house, ana, "acende a luz da cozinha")
    second = await ask(house, ana, "apaga ela")
    assert first.conversation_id == second.conversation_id
    assert [(order.entity_id, order.verb) for order in house.links.orders] == [
        ("light.cozinha", "turn_on"),
        ("light.cozinha", "turn_off"),
    ]


async def test_another_person_begins_with_nothing_of_the_former(house: Home) -> None:
    ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
    first = await ask(house, ana, "acende a luz da cozinha")
    second = await ask(house, bia, "apaga ela")
    assert first.conversation_id != second.conversation_id
    assert [order.verb for order in house.links.orders] == ["turn_on"], "'ela' was Ana's lamp"
    sql = "SELECT count(*) FROM messages WHERE conversation_id = $1"
    assert await house.db.fetchval(sql, second.conversation_id) == 2
    third = await ask(house, ana, "apaga ela")
    assert third.conversation_id == first.conversation_id, "Ana's own goes on after Bia's"
    assert [order.verb for order in house.links.orders] == ["turn_on", "turn_off"]


async def test_the_model_is_told_nothing_of_what_another_said(house: Home, brain: ScriptedChat) -> None:
    ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
    await ask(house, ana, "o que você acha do meu exame de zabelê")
    await ask(house, bia, "o que você acha do tempo de amanhã")
    assert "zabelê" in str(brain.asked[0])
    assert "zabelê" not in str(brain.asked[1])
    await ask(house, UNKNOWN, "o que você acha do que falei antes")
    assert "zabelê" not in str(brain.asked[2])
    await ask(house, ana, "e o que mais você acha dele")
    assert "zabelê" in str(brain.asked[3]), "her own goes on"


async def test_another_room_begins_anew(house: Home) -> None:
    ana = await resident(house, "Ana")
    first = await ask(house, ana, "acende a luz da cozinha")
    second = await ask(house, ana, "apaga ela", area="cozinha")
    assert first.conversation_id != second.conversation_id


async def test_two_microphones_of_a_room_are_one_place_and_the_broker_is_another(house: Home) -> None:
    ana = await resident(house, "Ana")
    talks = house.conversations
    assert talks.at("microphone", "sala", ana) is talks.at("satellite.tv", "sala", ana)
    assert talks.at("microphone", "sala", ana) is not talks.at("mqtt", "sala", ana)
    assert talks.at("microphone", "sala", ana) is not talks.at("text", "sala", ana)


class TestAQuestion:
    async def test_is_not_answered_by_another_known_person(self, house: Home) -> None:
        ana, bia = await resident(house, "Ana"), await resident(house, "Bia")
        await ask(house, ana, "abre o portão")
        await ask(house, bia, "sim")
        assert house.links.orders == []
        await ask(house, ana, "sim")
        assert [order.entity_id for order in house.links.orders] == ["cover.portao"]

    async def test_may_be_answered_by_a_voice_too_short_to_tell_but_once(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "abre o portão")
        await ask(house, UNKNOWN, "sim")
        assert len(house.links.orders) == 1
        await ask(house, ana, "sim")
        assert len(house.links.orders) == 1

    async def test_waits_half_a_minute(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "abre o portão")
        clock(house).advance(31)
        await ask(house, UNKNOWN, "sim")
        assert house.links.orders == []

    async def test_for_words_is_nobody_elses(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "cria um lembrete")
        plan = house.conversations.before(ROOM, "sala", GUEST)
        assert plan is None


class TestTheEnd:
    async def test_tells_how_well_it_went_in_the_statement_that_ends_it(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        first = await ask(house, ana, "acende a luz da sala")
        clock(house).advance(5)
        await ask(house, ana, "acende a luz da sala")
        clock(house).advance(121)
        await house.conversations.end_quiet()
        row = await house.db.fetchrow("SELECT * FROM conversations WHERE id = $1", first.conversation_id)
        assert row is not None
        assert row["satisfaction_score"] == 0.65
        assert row["ended_at"] is not None
        assert row["metadata"]["satisfaction"] == {
            "version": 1, "exchanges": 2, "signals": {"repeated": 1}, "abandoned": False, "thanked": False,
        }  # fmt: skip

    async def test_comes_to_all_of_them_when_the_daemon_stops(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        await ask(house, ana, "acende a luz da sala")
        await ask(house, UNKNOWN, "que horas são")
        await house.conversations.end_all()
        ended = await house.db.fetch("SELECT satisfaction_score FROM conversations WHERE ended_at IS NOT NULL")
        assert [row[0] for row in ended] == [1.0, 1.0]
        await house.conversations.end_all()

    async def test_is_told_from_the_rows_after_a_crash_as_it_would_have_been_without(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        for text in ("acende a luz da sala", "acende a luz da sala", "aumenta a luz da sala", "aumenta a luz da sala",
                     "abre o portão", "não", "destranca a porta da frente", "desfaz", "obrigada"):  # fmt: skip
            await ask(house, ana, text)
            clock(house).advance(5)
        await house.ledger.end_quiet(clock(house).now() + timedelta(hours=1), 120)
        sql = "SELECT satisfaction_score, metadata, ended_at FROM conversations"
        crashed = await house.db.fetchrow(sql)
        assert crashed is not None
        await house.db.execute("UPDATE conversations SET ended_at = NULL, satisfaction_score = NULL, metadata = '{}'")
        await house.conversations.end_all()
        stopped = await house.db.fetchrow(sql)
        assert stopped is not None
        assert crashed["satisfaction_score"] == stopped["satisfaction_score"] is not None
        assert crashed["metadata"] == stopped["metadata"]
        assert crashed["metadata"]["satisfaction"]["signals"].keys() >= {"repeated", "asked_back"}

    async def test_of_a_turn_that_a_crash_cut_off_is_that_it_was_lost(self, house: Home) -> None:
        await ask(house, await resident(house, "Ana"), "que horas são")
        await house.db.execute("DELETE FROM messages WHERE role = 'assistant'")
        await house.ledger.end_quiet(clock(house).now() + timedelta(hours=1), 120)
        assert await house.db.fetchval("SELECT satisfaction_score FROM conversations") == 0.0

    async def test_of_rows_that_tell_nothing_has_no_score(self, house: Home) -> None:
        await ask(house, await resident(house, "Ana"), "que horas são")
        await house.db.execute("UPDATE messages SET metadata = '{}' WHERE role = 'assistant'")
        assert await house.ledger.end_quiet(clock(house).now() + timedelta(hours=1), 120) == 1
        row = await house.db.fetchrow("SELECT satisfaction_score, ended_at FROM conversations")
        assert row is not None
        assert (row["satisfaction_score"], row["ended_at"] is not None) == (None, True)

    async def test_comes_also_to_one_that_was_followed_by_another_first(self, house: Home) -> None:
        ana = await resident(house, "Ana")
        first = await ask(house, ana, "que horas são")
        clock(house).advance(121)
        second = await ask(house, ana, "que horas são")
        await house.conversations.end_quiet()
        ended = await house.db.fetch("SELECT id FROM conversations WHERE ended_at IS NOT NULL")
        assert [row["id"] for row in ended] == [first.conversation_id]
        assert second.conversation_id != first.conversation_id

    async def test_is_kept_while_the_database_is_away_and_old_records_still_end(self, house: Home) -> None:
        key = uuid4()
        await house.db.execute("INSERT INTO conversations (id, metadata) VALUES ($1, $2)", key, {"a": 1})
        at = clock(house).now()
        await house.db.execute(ENDED, {"kind": "ended", "conversation_id": str(key), "at": at.isoformat()})
        row = await house.db.fetchrow(
            "SELECT satisfaction_score, metadata, ended_at FROM conversations WHERE id = $1", key
        )
        assert row is not None
        assert (row["satisfaction_score"], row["metadata"], row["ended_at"]) == (None, {"a": 1}, at)


async def test_what_the_model_could_not_answer_leaves_what_was_talked_about(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, clock=FakeClock()) as house:  # no model answers here
        await ask(house, None, "acende a luz da cozinha")
        assert (await ask(house, None, "que barulho é esse?")).outcome == "model_failed"
        await ask(house, None, "apaga ela")
        assert [order.verb for order in house.links.orders] == ["turn_on", "turn_off"]
        await ask(house, None, "abre o portão")
        await ask(house, None, "que barulho é esse?")
        await ask(house, None, "sim")  # to nothing: the question is over
        assert [order.verb for order in house.links.orders] == ["turn_on", "turn_off"]
