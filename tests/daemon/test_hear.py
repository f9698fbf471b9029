"""Hearing: what begins early, what is thrown away, what counts."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from daemon.audio.endpointer import Endpointer, EndpointRules
from daemon.audio.frames import FRAME_BYTES, Frame, Utterance
from daemon.errors import EngineFailed
from daemon.language.plan import Plan
from daemon.turn import Understood, hear

LOUD, QUIET = b"\x01\x10" * (FRAME_BYTES // 2), bytes(FRAME_BYTES)
RULES = EndpointRules(min_speech_ms=64, silence_ms=640, provisional_ms=160, wait_s=2, preroll_ms=64)


class ByLoudness:
    """A voice detector that calls loud frames speech."""

    name = "by loudness"

    async def speech(self, frame: Frame) -> float:
        return 1.0 if any(frame) else 0.0

    def reset(self) -> None: ...

    def close(self) -> None: ...


async def frames(*runs: tuple[Frame, int], pause: asyncio.Event | None = None) -> AsyncGenerator[Frame, None]:
    for frame, count in runs:
        for _ in range(count):
            await asyncio.sleep(0)
            yield frame
    if pause is not None:
        await pause.wait()


class Understanding:
    """Notes each utterance; takes until `gate` is open."""

    def __init__(self, *, failure: EngineFailed | None = None) -> None:
        self.begun: list[Utterance] = []
        self.dropped = 0
        self.gate = asyncio.Event()
        self.failure = failure

    async def __call__(self, utterance: Utterance) -> Understood:
        self.begun.append(utterance)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        if self.failure is not None:
            raise self.failure
        return Understood(f"fala {len(self.begun)}", Plan("llm"), utterance)


def understood(runs: Sequence[tuple[Frame, int]], understand: Understanding) -> "asyncio.Task[Understood | None]":
    return asyncio.create_task(hear(frames(*runs), ByLoudness(), Endpointer(RULES), understand))


async def test_understanding_begins_at_the_first_pause_and_is_used_when_nothing_more_is_said() -> None:
    understand = Understanding()
    understand.gate.set()
    heard = await understood([(LOUD, 10), (QUIET, 40)], understand)
    assert heard is not None
    assert len(understand.begun) == 1
    assert heard.utterance is understand.begun[0]


async def test_work_begun_too_early_is_thrown_away_when_the_person_goes_on() -> None:
    understand = Understanding()
    task = understood([(LOUD, 10), (QUIET, 8), (LOUD, 10), (QUIET, 40)], understand)
    while len(understand.begun) < 2:
        await asyncio.sleep(0)
    understand.gate.set()
    heard = await task
    assert heard is not None
    assert (len(understand.begun), understand.dropped) == (2, 1)
    assert heard.utterance is understand.begun[1]
    assert len(understand.begun[1].pcm) > len(understand.begun[0].pcm)


async def test_nobody_speaks() -> None:
    understand = Understanding()
    assert await understood([(QUIET, 200)], understand) is None
    assert understand.begun == []


async def test_a_source_that_ends_in_the_middle_of_speech_gives_nothing() -> None:
    assert await understood([(LOUD, 10), (QUIET, 2)], Understanding()) is None


async def test_an_engine_that_fails_early_but_is_not_needed_costs_nothing() -> None:
    class FailsOnce(Understanding):
        async def __call__(self, utterance: Utterance) -> Understood:
            if not self.begun:
                self.begun.append(utterance)
                raise EngineFailed("stt", "caiu")
            return await super().__call__(utterance)

    understand = FailsOnce()
    understand.gate.set()
    heard = await understood([(LOUD, 10), (QUIET, 8), (LOUD, 10), (QUIET, 40)], understand)
    assert heard is not None


async def test_an_engine_that_fails_on_the_whole_utterance_fails_the_turn() -> None:
    understand = Understanding(failure=EngineFailed("stt", "caiu"))
    understand.gate.set()
    with pytest.raises(EngineFailed, match="caiu"):
        await understood([(LOUD, 10), (QUIET, 40)], understand)


async def test_cancelling_leaves_no_work_behind() -> None:
    understand = Understanding()
    never = asyncio.Event()
    task = asyncio.create_task(
        hear(frames((LOUD, 10), (QUIET, 8), pause=never), ByLoudness(), Endpointer(RULES), understand)
    )
    while not understand.begun:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert understand.dropped == 1
