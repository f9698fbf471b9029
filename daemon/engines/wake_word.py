"""What the wake word engines have in common: a thread, one answer for one saying, sensitivity, models given by path."""

import asyncio
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from daemon.audio.frames import RATE, SAMPLE_BYTES, Frame
from daemon.errors import EngineFailed, EngineMissing

Model = TypeVar("Model")

USUAL_SENSITIVITY = 0.7
"""The sensitivity at which an engine uses the cutoff that its makers ship."""
REFRACTORY_S = 1.0
"""After firing, this much sound passes before it fires again, and the word must have faded from the model meanwhile."""
_HIGHEST_CUTOFF = 0.99
"""Quantised models answer at most 255/256: a higher cutoff would make them deaf."""
_STEP_BYTES = RATE // 1000 * 80 * SAMPLE_BYTES
_TRIAL_S = 30
_SILENCE = bytes(2 * RATE * SAMPLE_BYTES)


def cutoff_for(shipped: float, sensitivity: float) -> float:
    """Return the probability above which the word counts as heard, for a `sensitivity` of 0 to 1.

    Piecewise linear: 0.99 (or the shipped cutoff, if higher) at 0, `shipped` at 0.7, half of it at 1.
    """
    bounded = min(1.0, max(0.0, sensitivity))
    if bounded <= USUAL_SENSITIVITY:
        strictest = max(shipped, _HIGHEST_CUTOFF)
        return strictest - (strictest - shipped) * bounded / USUAL_SENSITIVITY
    return shipped * (1 - 0.5 * (bounded - USUAL_SENSITIVITY) / (1 - USUAL_SENSITIVITY))


def is_path(phrase: str) -> bool:
    """Tell a model's file from the name of a phrase."""
    return "/" in phrase or phrase.lower().endswith((".tflite", ".json", ".ppn"))


def builtin_name(phrase: str) -> str:
    """Return how packages write a phrase: `Hey Jarvis` is `hey_jarvis`."""
    return "_".join(phrase.lower().replace("_", " ").split())


def loaded(
    engine: str, phrase: str, names: list[str], by_name: Callable[[str], Model], from_file: Callable[[Path], Model]
) -> Model:
    """Return the model of a phrase in the package, one of `names`, or the one at a path. Raises EngineMissing."""
    if not is_path(phrase):
        if (name := builtin_name(phrase)) not in names:
            raise unknown_phrase(engine, phrase, names)
        return by_name(name)
    path = Path(phrase).expanduser()
    if not path.is_file():
        raise missing_file(engine, path)
    try:
        return from_file(path)
    except (ValueError, KeyError, TypeError, OSError, RuntimeError) as error:
        raise EngineMissing(
            engine, f"o modelo {path} não abre: {error}", "confira o arquivo dado em wake_word.phrase"
        ) from error


def unknown_phrase(engine: str, phrase: str, available: list[str]) -> EngineMissing:
    """Return the error for a phrase that no model in the package hears."""
    return EngineMissing(
        engine,
        f'não conheço a palavra de ativação "{phrase}"; estas vêm no pacote: {", ".join(available)}',
        f"mordomo config set wake_word.phrase {available[0].replace(' ', '_')} (ou o caminho de um modelo seu)",
    )


def missing_file(engine: str, path: Path) -> EngineMissing:
    """Return the error for a model's file that is not there."""
    return EngineMissing(
        engine,
        f"não achei o modelo da palavra de ativação em {path}",
        "confira o caminho em wake_word.phrase ou volte ao padrão: mordomo config set wake_word.phrase hey_jarvis",
    )


def prove_loadable(engine: str, path: Path, module: str, *arguments: str) -> None:
    """Let the vendor's own command load the model at `path` and listen to 2 s of silence, in another process.

    TensorFlow Lite does not check the files it is given: a broken one ends the process that loads it, which had
    better not be the daemon. Takes about half a second. Raises EngineMissing.
    """
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, input=_SILENCE, capture_output=True, timeout=_TRIAL_S, check=False)
    except subprocess.TimeoutExpired:
        broken = True
    else:
        broken = done.returncode != 0
    if broken:
        raise EngineMissing(
            engine,
            f"o arquivo {path} não é um modelo que este motor consiga usar",
            "confira se o modelo é deste motor ou escolha outro: mordomo config set wake_word.phrase hey_jarvis",
        )


class ThreadedWakeWord(ABC):
    """A WakeWord whose blocking work runs in one thread of its own. Fires once for one saying.

    It fires when the model rises above its cutoff, and again only after the model has fallen below it and REFRACTORY_S
    of sound have passed. Time is counted in the sound that was given, so a pause of the frames does not matter, and the
    model is never reset: that reloads a file (microWakeWord) or replays 8 s (openWakeWord).
    """

    def __init__(self, name: str, cutoff: float) -> None:
        self.name = name
        self.cutoff = cutoff
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=type(self).__name__)
        self._odd_byte = b""
        self._above = False
        self._bytes_since_fired = round(REFRACTORY_S * RATE) * SAMPLE_BYTES
        self._closed = False

    async def detect(self, frame: Frame) -> bool:
        """Take the next frame, of any length; True once, when the wake word has just ended. Raises EngineFailed."""
        if self._closed:
            raise EngineFailed(self.name, "já foi fechado")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._listen, frame)

    def close(self) -> None:
        """Wait for the frame under way (a few milliseconds), then give back the model."""
        if not self._closed:
            self._closed = True
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._free()

    def _listen(self, frame: Frame) -> bool:
        whole = self._odd_byte + frame
        even = len(whole) // SAMPLE_BYTES * SAMPLE_BYTES
        self._odd_byte = whole[even:]
        try:
            steps = (whole[at : min(at + _STEP_BYTES, even)] for at in range(0, even, _STEP_BYTES))
            return sum(self._fires(step) for step in steps) > 0
        except Exception as error:
            raise EngineFailed(self.name, f"falhou ao ouvir: {error}") from error

    def _fires(self, samples: bytes) -> bool:
        self._bytes_since_fired += len(samples)
        fires = False
        for probability in self._probabilities(samples):
            was_above, self._above = self._above, probability > self.cutoff
            rested = self._bytes_since_fired >= REFRACTORY_S * RATE * SAMPLE_BYTES
            if self._above and not was_above and rested:
                self._bytes_since_fired = 0
                fires = True
        return fires

    @abstractmethod
    def _probabilities(self, samples: bytes) -> Iterable[float]:
        """Take at most 80 ms of samples and give the model's new answers, if it has any (0 to 1). Blocking."""

    @abstractmethod
    def _free(self) -> None:
        """Give back the model. Nothing is heard any more."""
