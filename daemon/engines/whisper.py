"""Speech to text with faster-whisper: Whisper models converted for CTranslate2, on the processor, in Portuguese.

Source of the decoding rules: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), §4.5.
"""

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil, exp
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from daemon.audio.frames import RATE, SAMPLE_BYTES, Utterance
from daemon.engines.invented import Heard, heard_text
from daemon.engines.protocols import Transcript
from daemon.engines.weights import missing_from_whisper
from daemon.errors import EngineFailed, EngineMissing

log = structlog.get_logger(__name__)

LANGUAGE = "pt"
TEMPERATURES = (0.0, 0.4)
"""Greedy (or beam) first; one sampled attempt when that came out repetitive or improbable, and no more."""
LEAST_SAMPLES = RATE // 10
LEAST_PEAK = 16
"""Below this (of 32,768; -66 dBFS) there is only converter noise, from which Whisper invents sentences."""
TOKENS_A_SECOND, TOKENS_AT_LEAST, TOKENS_AT_MOST = 12, 24, 440
"""Fast speech has some 8 tokens a second: more is a loop, and every token costs time."""
FRAMES_A_SECOND = 100
MOST_THREADS = 8

Samples = NDArray[np.float32]
N = TypeVar("N", int, float)


class Segment(Protocol):
    """What faster-whisper tells of a stretch of at most 30 s."""

    text: str
    tokens: list[int]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


class Model(Protocol):
    """The one method of `faster_whisper.WhisperModel` that is used here."""

    def transcribe(self, audio: Samples, **options: Any) -> tuple[Iterable[Segment], object]:
        """Return the segments, made as they are iterated over, and facts about the whole."""
        ...


class Whisper:
    """SpeechToText. One transcription at a time, in a thread of its own; the language is always Portuguese."""

    def __init__(
        self,
        model: Model,
        *,
        name: str,
        beam_size: Callable[[], int] | int = 1,
        min_logprob: Callable[[], float] | float = -1.0,
    ) -> None:
        """Take a loaded model; `load` makes one from a folder. `beam_size` and `min_logprob` are asked every time."""
        self.name = name
        self._model: Model | None = model
        self._beam_size = beam_size
        self._min_logprob = min_logprob
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="whisper")

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        name: str,
        threads: int = 0,
        beam_size: Callable[[], int] | int = 1,
        min_logprob: Callable[[], float] | float = -1.0,
        window_s: int = 30,
    ) -> "Whisper":
        """Load a folder in CTranslate2's form; takes seconds and never touches the network.

        `threads` 0 takes every core allowed, up to 8. `window_s` (5 to 30) is how much silence short speech is padded
        to: Whisper is trained on 30; less costs less, and how well it still hears must be measured model by model.
        Raises EngineMissing when files lack, EngineFailed when they cannot be loaded.
        """
        lacking = missing_from_whisper(path)
        if lacking:
            raise EngineMissing("whisper", f"falta {', '.join(lacking)} em {path}", "mordomo models pull")
        cores = threads or min(len(os.sched_getaffinity(0)), MOST_THREADS)
        try:
            model = _load_model(path, cores, window_s)
        except Exception as broken:  # CTranslate2 raises RuntimeError, ValueError, MemoryError, tokenizers its own
            raise EngineFailed("whisper", f"não consegui carregar {path}: {broken}") from broken
        return cls(model, name=name, beam_size=beam_size, min_logprob=min_logprob)

    async def transcribe(self, utterance: Utterance) -> Transcript:
        """Return what was said; empty text for silence and for what Whisper makes up. Raises EngineFailed.

        When the awaiting task is cancelled it returns at once; the thread finishes what it began, and that is dropped.
        """
        samples = _floats(utterance.pcm)
        if samples.size < LEAST_SAMPLES or float(np.abs(samples).max()) * 32768 < LEAST_PEAK:
            return Transcript("", 0.0, LANGUAGE, self.name)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._write_down, samples)
        except RuntimeError as closed:  # the pool's own: no work after close
            raise EngineFailed("whisper", "já foi desligado") from closed

    def close(self) -> None:
        """Let the model go; a transcription under way is finished by its thread."""
        self._model = None
        self._pool.shutdown(wait=False)

    def _write_down(self, samples: Samples) -> Transcript:
        model = self._model
        if model is None:
            raise EngineFailed("whisper", "já foi desligado")
        seconds = samples.size / RATE
        min_logprob = _now(self._min_logprob)
        try:
            segments, _ = model.transcribe(samples, **self._options(seconds, min_logprob))
            heard = [
                Heard(s.text, s.avg_logprob, s.no_speech_prob, s.compression_ratio, len(s.tokens)) for s in segments
            ]
        except Exception as broken:  # whatever breaks inside CTranslate2 costs this turn, not the daemon
            raise EngineFailed("whisper", f"falhou ao transcrever: {broken}") from broken
        return self._transcript(heard, seconds, min_logprob)

    def _options(self, seconds: float, min_logprob: float) -> dict[str, Any]:
        return {
            "language": LANGUAGE,
            "task": "transcribe",
            "beam_size": _now(self._beam_size),
            "best_of": 2,
            "temperature": list(TEMPERATURES),
            "log_prob_threshold": min_logprob,
            "condition_on_previous_text": False,
            "without_timestamps": True,
            "max_new_tokens": min(TOKENS_AT_MOST, TOKENS_AT_LEAST + ceil(TOKENS_A_SECOND * min(seconds, 30))),
        }

    def _transcript(self, heard: list[Heard], seconds: float, min_logprob: float) -> Transcript:
        believed: list[str] = []
        tokens = 0
        logprob = 0.0
        for segment in heard:
            text, why = heard_text(segment, seconds=seconds, min_logprob=min_logprob)
            if why:
                log.info("transcript_dropped", why=why, model=self.name, logprob=round(segment.logprob, 2))
            if text:
                believed.append(text)
                tokens += max(1, segment.tokens)
                logprob += segment.logprob * max(1, segment.tokens)
        confidence = min(1.0, exp(logprob / tokens)) if tokens else 0.0
        return Transcript(" ".join(believed), confidence, LANGUAGE, self.name)


def _load_model(path: Path, threads: int, window_s: int) -> Model:
    # Read when huggingface_hub is first imported: a house does not report home, and a folder needs no hub.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from faster_whisper import WhisperModel  # noqa: PLC0415 - 0.3 s and 60 MB, only where it is used

    frames = window_s * FRAMES_A_SECOND

    class ShortWindow(WhisperModel):  # type: ignore[misc, unused-ignore]
        """Encodes only as many frames as the speech needs: the padding to 30 s is most of a short command's cost."""

        def encode(self, features: NDArray[np.float32]) -> Any:
            spoken = int(np.flatnonzero(features.any(axis=0)).max(initial=0)) + 1
            return super().encode(features[:, : max(frames, 2 * ceil(spoken / 2))])

    kind = ShortWindow if frames < 30 * FRAMES_A_SECOND else WhisperModel
    model: Model = kind(str(path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
    return model


def _floats(pcm: bytes) -> Samples:
    whole = len(pcm) - len(pcm) % SAMPLE_BYTES
    return np.frombuffer(pcm[:whole], dtype="<i2").astype(np.float32) / np.float32(32768)


def _now(value: Callable[[], N] | N) -> N:
    return value() if callable(value) else value
