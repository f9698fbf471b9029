"""Prompts as rows: changed while the daemon runs, tried out beside one another, their answers measured."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from support.house import Home, home
from support.speech_engines import ScriptedChat

from daemon.brain.comparison import compared
from daemon.brain.prompt import factory
from daemon.brain.prompts import Prompts
from daemon.engines.protocols import Piece, ToolCall
from daemon.errors import EngineFailed
from db import prompts
from db.database import Database

WISH = "eu queria que você fosse gentil de acender a luz da sala, Mordomo, se não for pedir muito"
CHAT = "que dia lindo, né?"
LAMP_ON = ToolCall("ligar", {"nomes": ["luz da sala"]})


async def add(db: Database, content: str, status: str) -> int:
    version = await prompts.add(db, content, None, "Ana")
    assert await prompts.set_status(db, version, status)  # type: ignore[arg-type]
    return version


async def inferences(house: Home) -> list[dict[str, Any]]:
    return [dict(row) for row in await house.db.fetch("SELECT * FROM inferences ORDER BY shadow, at")]


class TestVersions:
    async def test_the_text_we_come_with_is_the_first_and_in_force(self, db: Database) -> None:
        for _ in range(2):
            await prompts.seed(db, factory())
        (only,) = await prompts.versions(db)
        assert (only.version, only.status, only.content) == (1, "active", factory())
        assert only.digest == Prompts(db, db.url).active.digest

    async def test_a_newer_text_of_ours_takes_over_only_from_one_of_ours(self, db: Database) -> None:
        await prompts.seed(db, "um")
        await prompts.seed(db, "dois")
        assert [(row.version, row.status) for row in await prompts.versions(db)] == [(2, "active"), (1, "retired")]
        await add(db, "da casa", "active")
        await prompts.seed(db, "três")
        active, shadow = await prompts.in_force(db)
        assert active is not None
        assert (active.content, shadow) == ("da casa", None)

    async def test_one_is_active_and_one_the_shadow(self, db: Database) -> None:
        for number, status in enumerate(("active", "shadow", "shadow", "active"), 1):
            await add(db, f"texto {number}", status)
        assert [(row.version, row.status) for row in await prompts.versions(db)] == [
            (4, "active"), (3, "shadow"), (2, "draft"), (1, "retired"),
        ]  # fmt: skip
        assert not await prompts.set_status(db, 4, "retired")
        assert not await prompts.set_status(db, 9, "active")
        with pytest.raises(asyncpg.UniqueViolationError):
            await db.execute("UPDATE prompt_templates SET status = 'active' WHERE version = 1")

    @pytest.mark.parametrize("text", ["", "  \n", "x" * 20_001])
    async def test_a_text_of_no_use_is_refused(self, db: Database, text: str) -> None:
        with pytest.raises(ValueError, match="letras"):
            await prompts.add(db, text, None, "Ana")


class TestLive:
    async def test_a_change_counts_from_the_next_answer(self, database_url: str, tmp_path: Path) -> None:
        brain = ScriptedChat(["Oi."])
        async with home(database_url, tmp_path, brain=brain) as house:
            await prompts.seed(house.db, factory())
            seen, changed = asyncio.Event(), house.mind.prompts.changed

            def note() -> None:
                changed()
                seen.set()

            house.mind.prompts.changed = note
            following = asyncio.create_task(house.mind.prompts.run())
            try:
                await house.butler.ask(CHAT, house.written)
                assert brain.asked[0][0].content.startswith(factory()[:40])
                version = await add(house.db, "Você é a Joana.", "active")
                await asyncio.wait_for(seen.wait(), 5)
                await house.butler.ask(CHAT, house.written)
                assert brain.asked[1][0].content.startswith("Você é a Joana.\n\n<casa>")
                seen.clear()
                await house.db.execute("UPDATE prompt_templates SET content = 'Bia.' WHERE version = $1", version)
                await asyncio.wait_for(seen.wait(), 5)
                await house.butler.ask(CHAT, house.written)
                assert brain.asked[2][0].content.startswith("Bia.")
            finally:
                following.cancel()
                await asyncio.wait({following})
            await house.mind.records.settle()
            assert len({row["digest"] for row in await inferences(house)}) == 3


class TestRecords:
    async def test_what_an_answer_took_is_a_row(self, database_url: str, tmp_path: Path) -> None:
        brain = ScriptedChat(rounds=[[ToolCall("explodir", {})], [LAMP_ON], ["Boa noite."]])
        async with home(database_url, tmp_path, brain=brain) as house:
            await prompts.seed(house.db, factory())
            await house.mind.prompts.refresh()
            turn = await house.butler.ask(WISH, house.written)
            await house.mind.records.settle()
            (row,) = await inferences(house)
            assert (row["message_id"], row["shadow"], row["rounds"], row["error"]) == (turn.id, False, 3, None)
            assert row["model"] == "scripted-chat"
            assert row["content"] == "Boa noite."
            assert 0 <= row["first_token_ms"] <= row["first_sentence_ms"] <= row["total_ms"]
            assert [(call["tool"], call["outcome"]) for call in row["calls"]] == [
                ("explodir", "invalid"),
                ("ligar", "done"),
            ]
            assert row["prompt_id"] == house.mind.prompts.active.id

    async def test_a_failure_is_in_the_row(self, database_url: str, tmp_path: Path) -> None:
        brain = ScriptedChat([], failure=EngineFailed("ollama", "caiu"))
        async with home(database_url, tmp_path, brain=brain) as house:
            await house.butler.ask(CHAT, house.written)
            await house.mind.records.settle()
            (row,) = await inferences(house)
            assert row["error"] == "ollama: caiu"

    async def test_it_goes_with_its_message(self, database_url: str, tmp_path: Path) -> None:
        async with home(database_url, tmp_path, brain=ScriptedChat(["Oi."])) as house:
            await house.butler.ask(CHAT, house.written)
            await house.mind.records.settle()
            await house.db.execute("DELETE FROM messages")
            assert await inferences(house) == []


class ByPrompt(ScriptedChat):
    """Answers as its instructions say: the shadow's call for the kitchen and the gate."""

    def __init__(self, shadow: list[Piece]) -> None:
        super().__init__()
        self.shadow, self.begun, self.gate = shadow, asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def chat(self, messages, tools=()):  # type: ignore[no-untyped-def]
        self.asked.append(list(messages))
        if not messages[0].content.startswith("SOMBRA"):
            if messages[-1].role == "user":
                yield LAMP_ON
            else:
                yield "Boa noite."
            return
        self.begun.set()
        await self.gate.wait()
        for piece in self.shadow:
            yield piece


class TestShadow:
    async def test_it_answers_the_same_question_and_nobody_hears_or_obeys_it(
        self, database_url: str, tmp_path: Path
    ) -> None:
        calls = [LAMP_ON, ToolCall("ligar", {"nomes": ["portão"]}), ToolCall("desligar", {"nomes": ["luz de Marte"]})]
        brain = ByPrompt(["Abri tudo. ", *calls])
        async with home(database_url, tmp_path, brain=brain) as house:
            await prompts.seed(house.db, factory())
            await add(house.db, "SOMBRA: abra tudo.", "shadow")
            await house.mind.prompts.refresh()
            turn = await house.butler.ask(WISH, house.written)
            await house.mind.records.settle()
            assert turn.reply == ["Acendi a luz da sala.", "Boa noite."]
            assert len(house.links.orders) == 1
            assert await house.db.fetchval("SELECT count(*) FROM actions") == 1
            *_, first, last = brain.asked[0], brain.asked[-1]
            assert last[1:] == first[1:]
            active, shadow = await inferences(house)
            assert (active["shadow"], shadow["shadow"]) == (False, True)
            assert shadow["message_id"] == turn.id
            assert shadow["content"] == "Abri tudo. "
            assert [call["outcome"] for call in shadow["calls"]] == ["done", "asked", "invalid"]

    async def test_who_asks_next_does_not_wait_for_it(self, database_url: str, tmp_path: Path) -> None:
        brain = ByPrompt(["Oi."])
        brain.gate.clear()
        async with home(database_url, tmp_path, brain=brain) as house:
            await add(house.db, "SOMBRA: nada.", "shadow")
            await house.mind.prompts.refresh()
            await house.butler.ask(WISH, house.written)
            await asyncio.wait_for(brain.begun.wait(), 5)
            turn = await house.butler.ask(WISH, house.written)
            assert turn.reply[-1] == "Boa noite."

    async def test_versions_are_compared_on_the_same_turns(self, database_url: str, tmp_path: Path) -> None:
        brain = ByPrompt([LAMP_ON])
        async with home(database_url, tmp_path, brain=brain) as house:
            await prompts.seed(house.db, factory())
            await add(house.db, "SOMBRA: igual.", "shadow")
            await house.mind.prompts.refresh()
            for shadow in ([LAMP_ON], [ToolCall("explodir", {})]):
                brain.shadow = list(shadow)
                await house.butler.ask(WISH, house.written)
                await house.mind.records.settle()
            versions = await prompts.versions(house.db)
            since = await house.db.fetchval("SELECT now() - interval '1 hour'")
            rows = await prompts.inferences(house.db, [row.id for row in versions], since)
            shadow_told, active_told = compared(versions, rows)
            assert (shadow_told.status, shadow_told.answers, shadow_told.calls) == ("shadow", 2, 2)
            assert (shadow_told.usable, shadow_told.agrees, shadow_told.both) == (0.5, 0.5, 2)
            assert (active_told.status, active_told.usable, active_told.agrees) == ("active", 1.0, None)
            assert active_told.characters == len("Boa noite.")
