"""The engines' Protocols: one verb each. A vendor's SDK and its exceptions stop in its own file.

Every engine is built (and its weights are loaded) by its factory in `registry.py`, in a thread. A factory raises
EngineMissing when weights, a key or a library are not there, and EngineFailed for anything else. `name` says which
model speaks or listens, as stored in `messages.transcription_model`. `close()` gives memory back and is called once.
Blocking inference runs in the engine's own bounded pool of threads, never on the event loop.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from daemon.audio.frames import Frame, Pcm, Utterance


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `confidence` is 0 to 1; empty `text` means that nobody spoke."""

    text: str
    confidence: float
    language: str
    model: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a language model asks to have done: a tool's name and its arguments, neither of them checked."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tool:
    """What a language model may ask to have done. `parameters` is a JSON schema of the type `object`."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat with a language model.

    `calls` are what an assistant's message asked for; a message of the role `tool` tells what became of one of them.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer cost: tokens read and written, and milliseconds to load the model, to read and to write."""

    prompt_tokens: int = 0
    tokens: int = 0
    load_ms: float = 0.0
    prompt_ms: float = 0.0
    write_ms: float = 0.0


Piece = str | ToolCall | Spent
"""What an answer comes in: text as it is written, calls each as it is whole, and at last what it cost."""


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
    """A language model that answers in pieces."""

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it is written. Raises LinkDown (no server), EngineMissing (no model), EngineFailed."""
        ...

    async def warm(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> None:
        """Have the model in memory, with the beginning of what it will be asked read already. Raises as `chat`."""
        ...

    async def check(self) -> None:
        """Return when the server is there and has the model. Raises LinkDown, EngineMissing or EngineFailed."""
        ...

    async def hang_up(self) -> None:
        """Close what an answer that calls tools left open for the next one, once no next one follows."""
        ...


Numbers = npt.NDArray[np.float32]
"""Shape (n,), length 1 by the Euclidean norm; n is the same for all texts of one model."""


class SpeakerEncoder(Engine, Protocol):
    """Turns a voice into a vector that lies near those of the same person's voice, whatever they say."""

    async def embed(self, utterance: Utterance) -> Numbers | None:
        """Return a float32 vector of length 1, shape (n,), n the engine's own; None for too little speech.

        Raises EngineFailed. Less than 1 s of speech tells little; 3 s tell nearly all.
        """
        ...


class Embedding(Engine, Protocol):
    """Turns texts into vectors that lie the nearer the more alike the texts' meanings are.

    Below the cosine `alike` two texts have nothing to do with each other by this model; from `sure` on they speak of
    the same thing. Between the two nobody knows.
    """

    alike: float
    sure: float

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        """Return a vector for each text. Raises LinkDown (no server), EngineMissing (no model), EngineFailed."""
        ...

    async def check(self) -> None:
        """Return when it could embed now. Raises LinkDown, EngineMissing or EngineFailed."""
        ...
