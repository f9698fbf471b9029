"""How much of a turn is our own: from the true end of speech to the first sound of the answer, less engines and silence.

    python -m tests.bench.turn [--turns 200] [--command] [--json]

A source gives frames in real time: wake word, 0.2 s of speech, silence. Scripted engines take fixed times, everything
else is real: endpointer, language, ledger in PostgreSQL (the embedded server, with its durable settings), skill, voice. The sentence
is a question ("que horas são"), or with --command a lamp whose device takes DEVICE_S to confirm.
The overhead is what remains of the time from the last frame of speech to the first piece of sound that reaches the
speaker, once the silence waited for and the time that the engines took are taken away. Understanding early is off for the
first figures, so that nothing hides behind the silence; the second figures have it on, as a household has.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

from daemon.acting import Acting
from daemon.answer import Answers
from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import FRAME_BYTES, FRAME_MS, Frame, Pcm, Utterance
from daemon.butler import Butler, Place
from daemon.clock import SystemClock
from daemon.conversation import Conversations
from daemon.devices.order import Order, Outcome
from daemon.engines.plug import Plug
from daemon.engines.protocols import Transcript
from daemon.language.language import Language
from daemon.language.plan import Area, Household, Thing
from daemon.language.replies import Replies
from daemon.listening import Listening
from daemon.skills.clock import clock_skills
from daemon.skills.devices import device_skills
from daemon.skills.orders import Orders
from daemon.voice import Voice
from db.database import open_database
from db.ledger import open_ledger

from .figures import scratch
from .ledger import server

STT_S, TTS_S, DEVICE_S = 0.100, 0.050, 0.020
WARMING = 3
"""So many turns come first and do not count: they open connections."""
SILENCE_FRAMES = 10
SPEECH_FRAMES = 6
CALL, LOUD, QUIET = b"\x02\x20" * (FRAME_BYTES // 2), b"\x01\x10" * (FRAME_BYTES // 2), bytes(FRAME_BYTES)
RULES = EndpointRules(min_speech_ms=64, silence_ms=round(SILENCE_FRAMES * FRAME_MS), preroll_ms=64)


HOUSE = Household((Thing("light.sala", "light", "luz da sala", area="sala", state="off"),), (Area("sala"),))


class Scripted:
    """Wake word, voice detector, speech to text and text to speech, with fixed delays."""

    name = "scripted"
    spent: ClassVar[dict[str, float]] = {}
    """Seconds that each engine really took in this turn: a timer wakes up to a millisecond after its time."""

    def __init__(self, sentence: str = "") -> None:
        self.sentence = sentence

    async def _take(self, what: str, seconds: float) -> None:
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        self.spent[what] = time.perf_counter() - began

    async def carry_out(self, order: Order) -> Outcome:
        """Take DEVICE_S to obey."""
        await self._take("device", DEVICE_S)
        return Outcome("confirmed", "on", {}, DEVICE_S * 1000)

    async def detect(self, frame: Frame) -> bool:
        """Hear the call."""
        return frame == CALL

    async def speech(self, frame: Frame) -> float:
        """Call loud frames speech."""
        return 1.0 if frame == LOUD else 0.0

    def reset(self) -> None:
        """Nothing is kept."""

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """Take STT_S."""
        await self._take("stt", STT_S)
        return Transcript(self.sentence, 0.9, "pt", self.name)

    async def synthesise(self, _: str) -> AsyncGenerator[Pcm, None]:
        """Take TTS_S."""
        await self._take("tts", TTS_S)
        yield Pcm(LOUD, 16_000)

    def close(self) -> None:
        """Nothing to give back."""


class Source:
    """One call, one sentence, in real time; notes when speech truly ended."""

    name = "bench"

    def __init__(self) -> None:
        self.speech_ended = 0.0

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Give each frame when its last sample has been spoken."""
        began = time.perf_counter()
        frames = [CALL] + [LOUD] * SPEECH_FRAMES + [QUIET] * (SILENCE_FRAMES + 20)
        for number, frame in enumerate(frames, 1):
            due = began + number * FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if frame is LOUD:
                self.speech_ended = due
            yield frame


class FirstSound:
    """A speaker that notes when the first sound reaches it."""

    def __init__(self) -> None:
        self.at = 0.0

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        """Take all pieces at once."""
        self.at = 0.0
        async for _ in speech:
            self.at = self.at or time.perf_counter()


async def overheads(
    url: str, turns: int, *, early: bool, command: bool, folder: Path, warming: int = WARMING
) -> list[float]:
    """Return the overhead of each turn in milliseconds, after `warming` turns that do not count."""
    rules = RULES if early else EndpointRules(**{**_fields(RULES), "provisional_ms": RULES.silence_ms})
    engines = {"tts", "device"} | (set() if early else {"stt"})
    sentence = "acende a luz da sala" if command else "que horas são"
    clock, replies, results = SystemClock(), Replies.load("pt_br"), []
    async with open_database(url) as db, open_ledger(db, folder) as ledger:
        conversations = Conversations(ledger, clock, lambda: 60)
        skills = {**clock_skills(replies), **device_skills(Orders(Scripted(), replies))}
        answers = Answers(Acting(skills, ledger, replies, clock))
        butler = Butler(
            Plug("stt", lambda: Scripted(sentence)),
            Language(),
            lambda: HOUSE,
            answers,
            replies,
            ledger,
            conversations,
            clock,
        )
        speaker = FirstSound()
        voice = Voice(Plug("tts", Scripted), speaker)
        for turn in range(warming + turns):
            source = Source()
            listening = Listening(
                source=lambda source=source: source,  # type: ignore[misc]
                place=lambda: Place("bench", None, voice),
                butler=butler,
                wake_word=Plug("wake_word", Scripted),
                detector=Plug("detector", Scripted),
                rules=lambda: rules,
                clock=clock,
            )
            await listening.run()
            waited_s = SILENCE_FRAMES * FRAME_MS / 1000
            if turn >= warming:
                engines_s = sum(Scripted.spent.get(engine, 0.0) for engine in engines)
                results.append((speaker.at - source.speech_ended - waited_s - engines_s) * 1000)
    return results


def _fields(rules: EndpointRules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in EndpointRules.__slots__}


def _quantiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))], 2),
        "max_ms": round(ordered[-1], 2),
        "turns": len(ordered),
    }


async def measured(turns: int, *, command: bool) -> dict[str, dict[str, float]]:
    """Return the quantiles of both ways of understanding, on a server of our own."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="mordomo-bench-") as folder:
        async with server(None) as url, scratch(url, "turn") as own:
            for name, early in (("understanding after the end", False), ("understanding early", True)):
                values = await overheads(own, turns, early=early, command=command, folder=Path(folder))
                results[name] = _quantiles(values)
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--command", action="store_true", help="a lamp command instead of a question")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = asyncio.run(measured(options.turns, command=options.command))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    if options.json:
        print(json.dumps({"machine": machine, "overhead": results}))
        return
    print(f"own overhead of a turn ({machine}); bars: p50 <= 5 ms, p99 <= 20 ms")
    for name, figures in results.items():
        print(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
