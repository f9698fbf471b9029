"""The engines' Protocols: one verb each. A vendor's SDK and its exceptions stop in its own file.

Every engine is built (and its weights are loaded) by its factory in `registry.py`, in a thread. A factory raises
EngineMissing when weights, a key or a library are not there, and EngineFailed for anything else. `name` says which
model speaks or listens, as stored in `messages.transcription_model`. `close()` gives memory back and is called once.
Blocking inference runs in the engine's own bounded pool of threads, never on the event loop.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from daemon.audio.frames import Frame, Pcm, Utterance


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `confidence` is 0 to 1; empty `text` means that nobody spoke."""

    text: str
    confidence: float
    language: str
    model: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat with a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Engine(Protocol):
    """What every engine has."""

    name: str

    def close(self) -> None:
        """Give back memory and threads."""
        ...


class WakeWord(Engine, Protocol):
    """Hears its name in a stream of frames."""

    async def detect(self, frame: Frame) -> bool:
        """Take the next frame; True once, when the wake word has just ended. Keeps its own state between calls."""
        ...


class VoiceDetector(Engine, Protocol):
    """Tells speech from other sound."""

    async def speech(self, frame: Frame) -> float:
        """Return the probability (0 to 1) that this frame of 512 samples holds speech. Keeps state between calls."""
        ...

    def reset(self) -> None:
        """Forget the frames so far: what is bad in one utterance does not poison the next."""
        ...


class SpeechToText(Engine, Protocol):
    """Writes down an utterance."""

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """Return the transcript in Portuguese; empty text for silence and invented phrases. Raises EngineFailed."""
        ...


class TextToSpeech(Engine, Protocol):
    """Speaks a sentence."""

    def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        """Yield the sentence's sound piece by piece, the first as soon as it exists. Raises EngineFailed."""
        ...


class Chat(Engine, Protocol):
    """A language model that answers in pieces of text."""

    def chat(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        """Yield the answer as it is written. Raises LinkDown (no server), EngineMissing (no model), EngineFailed."""
        ...

    async def check(self) -> None:
        """Return when the server is there and has the model. Raises LinkDown, EngineMissing or EngineFailed."""
        ...
