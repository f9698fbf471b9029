"""What Mordomo says by itself: announcements when the voice is free, and that a silent lamp obeyed after all, once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from support.house import Ear, Home, Links, home
from support.speech_engines import ScriptedTextToSpeech

from daemon.announcer import WAITING, Announcer, LateNews
from daemon.devices.order import ConfirmedLate, Order
from daemon.engines.protocols import TextToSpeech
from daemon.errors import EngineFailed
from daemon.events import DeviceLate, Event
from daemon.language.replies import Replies
from daemon.skills.orders import Silent

REPLIES = Replies.load("pt_br")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(*services: Announcer | LateNews) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(service.run()) for service in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def silent_lamp() -> tuple[Links, list[Silent]]:
    return Links(light__sala="silent", light__cozinha="silent"), []


async def late_house(house: Home, shown: list[str], events: list[Event]) -> tuple[Announcer, LateNews]:
    announcer = Announcer(house.voice, [shown.append])
    return announcer, LateNews(announcer, REPLIES, house.ledger, events.append)


def obeys(order: Order) -> ConfirmedLate:
    return ConfirmedLate(order, "on", 4000.0)


async def test_a_lamp_that_obeys_late_is_told_once_and_its_row_corrected(database_url: str, tmp_path: Path) -> None:
    links, silent = silent_lamp()
    shown, events = list[str](), list[Event]()
    async with home(database_url, tmp_path, links=links, silent=silent.append) as house:
        announcer, late = await late_house(house, shown, events)
        turn = await house.butler.ask("acende a luz da sala", house.aloud)
        assert turn.reply == ["Mandei, mas a luz da sala não respondeu."]
        late.silent(silent[0])
        async with running(announcer, late):
            late.confirmed(obeys(links.orders[0]))
            late.confirmed(obeys(links.orders[0]))
            await until(lambda: bool(shown))
        assert shown == ["Agora sim: a luz da sala respondeu e está acesa."]
        assert [type(event) for event in events] == [DeviceLate, DeviceLate]
        row = await house.db.fetchrow("SELECT status, result FROM actions")
        assert row is not None
        assert row["status"] == "success"
        assert (row["result"]["outcome"], row["result"]["previous"]) == ("confirmed", {"state": "off"})


async def test_two_that_obey_late_together_are_one_sentence(database_url: str, tmp_path: Path) -> None:
    links, silent = silent_lamp()
    shown = list[str]()
    async with home(database_url, tmp_path, links=links, silent=silent.append) as house:
        announcer, late = await late_house(house, shown, [])
        await house.butler.ask("acende a luz da sala e a luz da cozinha", house.aloud)
        for one in silent:
            late.silent(one)
        for order in links.orders:
            late.confirmed(obeys(order))
        async with running(announcer, late):
            await until(lambda: bool(shown))
        assert shown == ["Agora sim: a luz da sala e a luz da cozinha responderam e estão acesas."]


async def test_who_asked_in_writing_is_not_answered_aloud(database_url: str, tmp_path: Path) -> None:
    links, silent = silent_lamp()
    shown, ear = list[str](), Ear()
    async with home(database_url, tmp_path, links=links, silent=silent.append, ear=ear) as house:
        announcer, late = await late_house(house, shown, [])
        await house.butler.ask("acende a luz da sala", house.written)
        late.silent(silent[0])
        late.confirmed(obeys(links.orders[0]))
        async with running(announcer, late):
            await until(lambda: bool(shown))
        assert ear.heard == []


async def test_what_nobody_was_told_to_lack_is_no_news(database_url: str, tmp_path: Path) -> None:
    links, silent = silent_lamp()
    shown = list[str]()
    async with home(database_url, tmp_path, links=links, silent=silent.append) as house:
        _, late = await late_house(house, shown, [])
        await house.butler.ask("acende a luz da sala", house.aloud)
        late.confirmed(obeys(links.orders[0]))  # nobody was told
        late.silent(silent[0])
        late.confirmed(obeys(Order("light.sala", "turn_on")))  # another order than the one that was silent
        late.confirmed("something else")
        assert late._late.empty()


async def test_announcements_wait_for_the_voice_and_are_bounded(database_url: str, tmp_path: Path) -> None:
    shown, ear = list[str](), Ear()
    async with home(database_url, tmp_path, ear=ear) as house:
        announcer = Announcer(house.voice, [shown.append])
        for number in range(WAITING + 3):
            announcer.put(f"Aviso {number}.")
        async with running(announcer):
            await until(lambda: len(shown) == WAITING)
        assert shown[0] == "Aviso 3."


async def test_a_broken_voice_costs_the_announcement_only(database_url: str, tmp_path: Path) -> None:
    shown, ear = list[str](), Ear(failure=EngineFailed("alto-falante", "sumiu"))
    voices: list[TextToSpeech] = [ScriptedTextToSpeech()]
    async with home(database_url, tmp_path, ear=ear, tts=voices) as house:
        announcer = Announcer(house.voice, [shown.append])
        announcer.put("Um.")
        announcer.put("Dois.")
        async with running(announcer):
            await until(lambda: len(shown) == 2)


async def test_the_whole_house_is_told(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        aloud = await house.butler.ask("avisa todo mundo que o jantar está pronto", house.aloud)
        assert aloud.reply == ["Atenção, todos: o jantar está pronto."]
        assert house.announced == []
        written = await house.butler.ask("avisa todo mundo que o jantar está pronto", house.written)
        assert written.reply == ["Vou avisar pela caixa de som."]
        assert house.announced == ["Atenção, todos: o jantar está pronto."]
