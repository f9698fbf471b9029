"""Silence: the voice is hushed at once, and a muted microphone is not even opened."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from support.house import home
from support.speech_engines import ScriptedTextToSpeech

from config.preferences import MICROPHONE_MUTED
from daemon.announcer import Announcer
from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import Frame, Pcm
from daemon.butler import Place
from daemon.clock import SystemClock
from daemon.engines.plug import Plug
from daemon.engines.protocols import TextToSpeech, VoiceDetector, WakeWord
from daemon.language.replies import Replies
from daemon.listening import MUTED, Listening
from daemon.live_preferences import LivePreferences
from daemon.presence.hands import BrokerHands
from daemon.presence.messages import Ask, Say
from daemon.voice import Voice


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


class Endless:
    """A speaker that never comes to the end of what it plays."""

    def __init__(self) -> None:
        self.playing = asyncio.Event()
        self.stopped = asyncio.Event()

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        async for _ in speech:
            self.playing.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.stopped.set()


async def once(text: str) -> AsyncGenerator[str, None]:
    yield text


def voice_on(speaker: Endless) -> Voice:
    def build() -> TextToSpeech:
        return ScriptedTextToSpeech()

    return Voice(Plug("tts", build), speaker)


async def test_the_voice_is_hushed_and_speaks_again() -> None:
    speaker = Endless()
    voice = voice_on(speaker)
    voice.hush()  # nothing is being said: nothing happens
    speaking = asyncio.create_task(voice.speak(once("Era uma vez.")))
    await speaker.playing.wait()
    voice.hush()
    async with asyncio.timeout(5):
        await speaking  # ends as if it had been heard out
    assert speaker.stopped.is_set()
    speaker.playing.clear()
    again = asyncio.create_task(voice.speak(once("De novo.")))
    await speaker.playing.wait()
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    assert again.cancelled()


class Microphone:
    """A source that notes that it was opened, and hears nothing."""

    name = "microphone"

    def __init__(self, opened: list[str]) -> None:
        self._opened = opened

    async def frames(self) -> AsyncGenerator[Frame, None]:
        self._opened.append("open")
        await asyncio.Event().wait()
        yield Frame(b"\0\0" * 160)


@asynccontextmanager
async def listening_to(
    opened: list[str], muted: Callable[[], bool], folder: Path, url: str
) -> AsyncIterator[Listening]:
    class Deaf:
        name = "deaf"

        async def detect(self, frame: Frame) -> bool:
            return False

        def close(self) -> None: ...

    def no_detector() -> VoiceDetector:
        raise AssertionError("nobody called")

    def deaf() -> WakeWord:
        return Deaf()

    async with home(url, folder) as house:
        listening = Listening(
            source=lambda: Microphone(opened),
            place=lambda: Place("microphone", "sala", None),
            butler=house.butler,
            wake_word=Plug("wake_word", deaf),
            detector=Plug("detector", no_detector),
            rules=EndpointRules,
            clock=SystemClock(),
            muted=muted,
        )
        task = asyncio.create_task(listening.run())
        try:
            yield listening
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_muted_microphone_is_not_opened(database_url: str, tmp_path: Path) -> None:
    opened, muted = list[str](), [True]
    async with listening_to(opened, lambda: muted[0], tmp_path, database_url) as listening:
        await until(lambda: listening.state == MUTED)
        assert opened == []
        muted[0] = False
        await listening.restart()
        await until(lambda: bool(opened))
        muted[0] = True
        await listening.restart()
        await until(lambda: listening.state == MUTED)
        assert opened == ["open"]


async def test_what_the_broker_may_do(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        live = LivePreferences(house.db, database_url, lambda _: None)
        shown = list[str]()
        hands = BrokerHands(house.butler, Announcer(house.voice, [shown.append]), live, house.db, Replies.load("pt_br"))
        await hands.mute(muted=True)
        assert live.now()[MICROPHONE_MUTED] is True
        await hands.mute(muted=False)
        assert live.now()[MICROPHONE_MUTED] is False
        row = await house.db.fetchrow(
            "SELECT actor, channel FROM audit_log WHERE table_name = 'config' ORDER BY id DESC LIMIT 1"
        )
        assert row is not None
        assert (row["actor"], row["channel"]) == ("MQTT", "mqtt")
        turn = await hands.asked(Ask(text="acende a luz da sala", speak=True))
        assert (turn.source, turn.reply) == ("mqtt", ["Acendi a luz da sala."])
        assert house.ear.heard
        await hands.say(Say(text="O jantar está pronto", area="Sala"))
        assert shown == ["O jantar está pronto"]
        await hands.hush()
        for text in ("abre o portão", "sim", "destranca a porta da frente", "sim"):
            await hands.asked(Ask(text=text))
        assert [order.entity_id for order in house.links.orders] == ["light.sala"]
