"""Frames to Turn: hearing is pure, so it may start early and be thrown away; it has no effect on the house."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from daemon.audio.endpointer import Ended, Endpointer, NoSpeech, Paused, Resumed
from daemon.audio.frames import Frame, Utterance
from daemon.engines.protocols import Transcript, VoiceDetector
from daemon.language.plan import NOTHING, Plan
from daemon.people.person import Person
from daemon.people.said_code import Asked, Said
from daemon.people.voices.voiceprint import Heard, Room


@dataclass(frozen=True, slots=True)
class Understood:
    """What came out of hearing. `transcript` is None for a typed sentence; `steps` are durations in milliseconds.

    `speaker` is whose voice it is, None where it is nobody's that is known; `voice` how that was told. `code` is a
    spoken code that is still to be compared: `text` hides it. `words` are those that asked, where the text only
    answers.
    """

    text: str
    plan: Plan
    utterance: Utterance | None = None
    transcript: Transcript | None = None
    steps: dict[str, float] = field(default_factory=dict)
    speaker: Person | None = None
    voice: Heard | None = None
    code: Said | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class ActionDone:
    """An action of the turn and how it ended."""

    id: UUID
    name: str
    parameters: dict[str, Any]
    status: Literal["success", "failed"]
    result: dict[str, Any] | None = None
    error: str | None = None


@dataclass(slots=True)
class Turn:
    """The record of one exchange. `steps` are durations in milliseconds, in the order in which they were taken.

    `asked` is what was asked back, for the next sentence to answer; `rag_context` what the language model was
    reminded of (id, score); `user_id` is the row of who speaks. `latency_ms` runs from the confirmed end of
    speech to the first sound of the answer (None when nothing was said).
    """

    id: UUID
    conversation_id: UUID
    source: str
    area: str | None
    started_at: datetime
    began: float
    understood: Understood = field(default_factory=lambda: Understood("", NOTHING))
    actions: list[ActionDone] = field(default_factory=list)
    reply: list[str] = field(default_factory=list)
    steps: dict[str, float] = field(default_factory=dict)
    latency_ms: float | None = None
    outcome: str = "answered"
    asked: Plan | None = None
    notices: list[str] = field(default_factory=list)
    rag_context: list[dict[str, Any]] = field(default_factory=list)
    user_id: UUID | None = None


Understand = Callable[[Utterance], Awaitable[Understood]]


class Proofs(Protocol):
    """What knows the household's spoken codes."""

    def heard(self, text: str, asked: Asked | None, before: Plan | None) -> Said | None:
        """Return the digits of a sentence that is, or may be, a code; None where it is none. Compares nothing."""
        ...

    def hushed(self, text: str) -> str:
        """Return a sentence without the code that nobody asked for."""
        ...

    async def compared(self, understood: Understood, room: Room, /) -> Understood:
        """Return what was understood; of a code, the deed that it was asked for, or what is said instead."""
        ...


class NoCodes:
    """A house without codes."""

    def heard(self, text: str, asked: Asked | None, before: Plan | None) -> None:
        """Hear none."""

    def hushed(self, text: str) -> str:
        """Hush nothing."""
        return text

    async def compared(self, understood: Understood, _: Room) -> Understood:
        """Compare nothing."""
        return understood


def is_question(said: str) -> bool:
    """Tell whether what was said ends with a question."""
    return said.rstrip("” \"'").endswith("?")


async def hear(
    frames: AsyncIterator[Frame], detector: VoiceDetector, endpointer: Endpointer, understand: Understand
) -> Understood | None:
    """Take frames until the person has finished and return what was understood; None when nobody spoke.

    Understanding begins at the first short silence. If the person goes on, that work is dropped; if not, it is ready
    when the end is confirmed. Raises EngineFailed from the engines.
    """
    early: asyncio.Future[Understood] | None = None
    try:
        async for frame in frames:
            match endpointer.push(frame, await detector.speech(frame)):
                case Paused(utterance):
                    early = asyncio.ensure_future(understand(utterance))
                    early_for = utterance
                case Resumed():
                    await _drop(early)
                    early = None
                case Ended(utterance):
                    if early is not None and early_for is utterance:
                        return await early
                    return await understand(utterance)
                case NoSpeech():
                    return None
        return None
    finally:
        await _drop(early)


async def _drop(work: "asyncio.Future[Understood] | None") -> None:
    """Let go of work begun too early, whatever became of it."""
    if work is not None:
        work.cancel()
        await asyncio.wait({work})
        if not work.cancelled():
            work.exception()
