"""openWakeWord: wake words on Google's speech embedding, by TensorFlow Lite.

https://github.com/dscripka/openWakeWord
"""

from collections.abc import Iterator
from pathlib import Path

import pyopen_wakeword

from daemon.engines.wake_word import (
    ThreadedWakeWord,
    builtin_name,
    cutoff_for,
    is_path,
    missing_file,
    prove_loadable,
    unknown_phrase,
)
from daemon.errors import EngineMissing

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
        if is_path(phrase):
            return cls(_from_file(Path(phrase).expanduser()), sensitivity)
        names = [model.value for model in pyopen_wakeword.Model]
        name = builtin_name(phrase)
        if name not in names:
            raise unknown_phrase(ENGINE, phrase, names)
        return cls(pyopen_wakeword.OpenWakeWord.from_builtin(pyopen_wakeword.Model(name)), sensitivity)

    def _probabilities(self, samples: bytes) -> Iterator[float]:
        for embeddings in self._features.process_streaming(samples):
            yield from self._model.process_streaming(embeddings)

    def _free(self) -> None:
        self._model.close()
        self._features.close()


def _from_file(path: Path) -> pyopen_wakeword.OpenWakeWord:
    if not path.is_file():
        raise missing_file(ENGINE, path)
    prove_loadable(ENGINE, path, "pyopen_wakeword", "--model", str(path))
    try:
        return pyopen_wakeword.OpenWakeWord.from_model(path)
    except (ValueError, OSError, RuntimeError) as error:
        raise EngineMissing(
            ENGINE, f"o modelo {path} não abre: {error}", "confira o arquivo dado em wake_word.phrase"
        ) from error
