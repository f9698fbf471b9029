"""A source of scripted frames, and a service that listens to it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import Frame
from daemon.clock import SystemClock
from daemon.engines.plug import Plug
from daemon.errors import MordomoError
from daemon.listening import Listening
from daemon.turn import Turn
from support.engines import QUIET, TALKING, WAKE, ScriptedVoiceDetector, ScriptedWakeWord
from support.house import Home

RULES = EndpointRules(min_speech_ms=64, silence_ms=320, provisional_ms=128, wait_s=1, preroll_ms=96)
CALL = [QUIET] * 5 + [WAKE]
SENTENCE = [*CALL, *[TALKING] * 10, *[QUIET] * 20]


class Frames:
    """A source that gives frames, waits for `gates` (by frame number), and may end with an error."""

    def __init__(self, frames: Sequence[Frame], *, gates: dict[int, asyncio.Event] | None = None) -> None:
        self.name = "frames"
        self.frames_left = list(frames)
        self.gates = gates or {}
        self.failure: MordomoError | None = None

    async def frames(self) -> AsyncGenerator[Frame, None]:
        for number, frame in enumerate(self.frames_left):
            if number in self.gates:
                await self.gates[number].wait()
            await asyncio.sleep(0)
            yield frame
        if self.failure is not None:
            raise self.failure


def listening(house: Home, source: Frames, turns: list[Turn], **more: object) -> Listening:
    return Listening(
        source=lambda: source,
        place=lambda: house.aloud,
        butler=house.butler,
        wake_word=Plug("wake_word", ScriptedWakeWord),
        detector=Plug("detector", ScriptedVoiceDetector),
        rules=lambda: RULES,
        clock=more.get("clock", SystemClock()),  # type: ignore[arg-type]
        observe=house.events.append,
        answered=turns.append,
    )
