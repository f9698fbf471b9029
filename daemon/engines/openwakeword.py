"""openWakeWord: wake words on Google's speech embedding, by TensorFlow Lite.

https://github.com/dscripka/openWakeWord
"""

from collections.abc import Iterator
from pathlib import Path

import pyopen_wakeword

from daemon.engines.wake_word import ThreadedWakeWord, cutoff_for, loaded, prove_loadable

ENGINE = "openWakeWord"
SHIPPED_CUTOFF = 0.5
"""The project's recommended threshold, the same for all its models."""
_SILENCE = bytes(1280 * 2)


class OpenWakeWord(ThreadedWakeWord):
    """A WakeWord over openWakeWord. About ten times the cost of microWakeWord, with more models made by others."""

    def __init__(self, model: pyopen_wakeword.OpenWakeWord, sensitivity: float) -> None:
        super().__init__(f"{ENGINE} {model.id}", cutoff_for(SHIPPED_CUTOFF, sensitivity))
        self._model = model
        self._features = pyopen_wakeword.OpenWakeWordFeatures.from_builtin()
        # The first call works through 8 s of silence at once: better now, in the loading thread, than on a frame.
        list(self._probabilities(_SILENCE))

    @classmethod
    def load(cls, phrase: str, sensitivity: float = 0.7) -> "OpenWakeWord":
        """Load a phrase of the package (`hey_jarvis`…) or a `.tflite` by its path. Raises EngineMissing."""
        names = [model.value for model in pyopen_wakeword.Model]
        return cls(loaded(ENGINE, phrase, names, _by_name, _from_file), sensitivity)

    def _probabilities(self, samples: bytes) -> Iterator[float]:
        for embeddings in self._features.process_streaming(samples):
            yield from self._model.process_streaming(embeddings)

    def _free(self) -> None:
        self._model.close()
        self._features.close()


def _by_name(name: str) -> pyopen_wakeword.OpenWakeWord:
    return pyopen_wakeword.OpenWakeWord.from_builtin(pyopen_wakeword.Model(name))


def _from_file(path: Path) -> pyopen_wakeword.OpenWakeWord:
    prove_loadable(ENGINE, path, "pyopen_wakeword", "--model", str(path))
    return pyopen_wakeword.OpenWakeWord.from_model(path)
