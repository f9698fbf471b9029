"""The model is kept in its server's memory, with the beginning of every conversation read."""

import asyncio
from pathlib import Path

import pytest
from support.house import HOUSE, home
from support.ollama_server import ollama_at, ollama_server
from support.speech_engines import ScriptedChat

from config.preferences import Preferences
from daemon.brain.warm import AWAY_S, LONGEST_S
from daemon.errors import EngineFailed, EngineMissing, LinkDown, MordomoError


async def test_what_is_warmed_is_how_the_next_question_begins(database_url: str, tmp_path: Path) -> None:
    async with ollama_server() as server, home(database_url, tmp_path, brain=ollama_at(server.url)) as house:
        assert await house.mind.warm.warm() == 30 * 60 * 0.8
        await house.butler.ask("que dia lindo, né?", house.written)
        warmed, asked = server.asked
        assert warmed["messages"] == asked["messages"][:1]
        assert warmed["tools"] == asked["tools"]
        assert warmed["model"] == asked["model"]


@pytest.mark.parametrize(("kept_min", "pause_s"), [(-1, LONGEST_S), (0, LONGEST_S), (10, 480.0), (1440, LONGEST_S)])
async def test_it_is_warmed_before_it_would_be_forgotten(
    database_url: str, tmp_path: Path, kept_min: int, pause_s: float
) -> None:
    prefs = Preferences({"brain.keep_alive_min": kept_min})
    async with home(database_url, tmp_path, brain=ScriptedChat(), prefs=lambda: prefs) as house:
        assert await house.mind.warm.warm() == pause_s


@pytest.mark.parametrize(
    "failure", [LinkDown("ollama"), EngineMissing("ollama", "não há", "pull"), EngineFailed("ollama", "cheio", "full")]
)
async def test_a_server_that_cannot_is_left_alone_for_a_while(
    database_url: str, tmp_path: Path, failure: MordomoError
) -> None:
    async with home(database_url, tmp_path, brain=ScriptedChat(failure=failure)) as house:
        assert await house.mind.warm.warm() == AWAY_S
        turn = await house.butler.ask("acende a luz da sala", house.written)
        assert turn.reply == ["Acendi a luz da sala."]


async def test_as_a_service_it_warms_at_the_start(database_url: str, tmp_path: Path) -> None:
    warmed = asyncio.Event()

    class Warmed(ScriptedChat):
        async def warm(self, messages, tools=()):  # type: ignore[no-untyped-def]
            assert list(messages) == house.mind.brain.static(HOUSE)[0]
            warmed.set()

    async with home(database_url, tmp_path, brain=Warmed()) as house:
        running = asyncio.create_task(house.mind.warm.run())
        try:
            await asyncio.wait_for(warmed.wait(), 5)
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_it_leaves_the_server_alone_where_the_household_wants_it_so(database_url: str, tmp_path: Path) -> None:
    brain, prefs = ScriptedChat(), Preferences({"brain.keep_warm": False})
    async with home(database_url, tmp_path, brain=brain, prefs=lambda: prefs) as house:
        running = asyncio.create_task(house.mind.warm.run())
        for _ in range(20):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running})
        assert brain.warmed == 0
