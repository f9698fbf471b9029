"""The model reads while what was heard goes to the disk; nothing is said or done before it is there."""

import asyncio
from pathlib import Path

import pytest
from support.house import Home, home
from support.speech_engines import ScriptedChat

from daemon.engines.protocols import Piece, ToolCall
from daemon.errors import LinkDown

LAMP_ON = ToolCall("ligar", {"nomes": ["luz da sala"]})
WISH = "eu queria que você fosse gentil de acender a luz da sala, Mordomo, se não for pedir muito"


class Disk:
    """The ledger's way of keeping what was heard: a record waits for `ready`, then fails with `failure` if any."""

    def __init__(self, house: Home, failure: LinkDown | None = None) -> None:
        self.ready, self.failure, self._real = asyncio.Event(), failure, house.ledger.heard
        house.ledger.heard = self.heard  # type: ignore[method-assign, assignment]

    async def heard(self, message: object) -> object:
        await self.ready.wait()
        if self.failure is not None:
            raise self.failure
        return await self._real(message)  # type: ignore[arg-type]


class Told(ScriptedChat):
    """Tells when everything of its first answer was read."""

    def __init__(self, *given: list[Piece]) -> None:
        super().__init__(rounds=given)
        self.read = asyncio.Event()

    async def chat(self, messages, tools=()):  # type: ignore[no-untyped-def]
        async for piece in super().chat(messages, tools):
            yield piece
        self.read.set()


@pytest.mark.parametrize("answer", [[LAMP_ON], ["É azul. ", "Por isso."]])
async def test_a_model_that_is_quicker_than_the_disk_waits_for_it(
    database_url: str, tmp_path: Path, answer: list[Piece]
) -> None:
    brain = Told(answer, ["Boa noite."])
    async with home(database_url, tmp_path, brain=brain) as house:
        disk = Disk(house)
        asking = asyncio.create_task(house.butler.ask(WISH, house.aloud))
        await asyncio.wait_for(brain.read.wait(), 5)
        assert (house.links.orders, house.ear.heard, len(brain.asked)) == ([], [], 1)
        disk.ready.set()
        turn = await asyncio.wait_for(asking, 5)
        assert turn.outcome == "answered"
        assert len(house.links.orders) == (answer == [LAMP_ON])
        assert house.ear.heard
        assert await house.db.fetchval("SELECT count(*) FROM messages WHERE id = $1", turn.id) == 1


async def test_where_it_is_kept_nowhere_nothing_is_said_of_it_or_done(database_url: str, tmp_path: Path) -> None:
    brain = Told([LAMP_ON, "Acendi."])
    async with home(database_url, tmp_path, brain=brain) as house:
        disk = Disk(house, LinkDown("spool", "disco cheio"))
        asking = asyncio.create_task(house.butler.ask(WISH, house.written))
        await asyncio.wait_for(brain.read.wait(), 5)
        disk.ready.set()
        turn = await asyncio.wait_for(asking, 5)
        assert (turn.outcome, house.links.orders, turn.actions) == ("failed", [], [])
        assert len(turn.reply) == 1
        assert "não fiz o que você pediu" in turn.reply[0]


async def test_who_cuts_in_before_it_is_kept_leaves_nothing_under_way(database_url: str, tmp_path: Path) -> None:
    brain = Told([LAMP_ON])
    async with home(database_url, tmp_path, brain=brain) as house:
        Disk(house)
        asking = asyncio.create_task(house.butler.ask(WISH, house.aloud))
        await asyncio.wait_for(brain.read.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert house.links.orders == []
        await house.mind.records.settle()
        assert asyncio.all_tasks() == {asyncio.current_task()}
