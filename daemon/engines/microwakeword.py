"""microWakeWord: wake words for little machines, by TensorFlow Lite.

https://github.com/kahrendt/microWakeWord
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pymicro_wakeword

from daemon.engines.wake_word import ThreadedWakeWord, cutoff_for, loaded, prove_loadable

ENGINE = "microWakeWord"
_PLAIN_CUTOFF = 0.97
_PLAIN_WINDOW = 5
"""For a `.tflite` without its `.json`: the values that the project's own models ship with most."""


class MicroWakeWord(ThreadedWakeWord):
    """A WakeWord over microWakeWord. About 1 % of one core; `sensitivity` moves the cutoff that the model ships."""

    def __init__(self, model: pymicro_wakeword.MicroWakeWord, sensitivity: float) -> None:
        super().__init__(f"{ENGINE} {model.id}", cutoff_for(model.probability_cutoff, sensitivity))
        self._model = model
        self._features = pymicro_wakeword.MicroWakeWordFeatures()
        self._windows = 0

    @classmethod
    def load(cls, phrase: str, sensitivity: float = 0.7) -> "MicroWakeWord":
        """Load a phrase of the package (`hey_jarvis`…) or a model by its path: a `.json`, or a `.tflite`.

        A `.tflite` is read with the `.json` of the same name beside it where there is one. Raises EngineMissing.
        """
        names = [model.value for model in pymicro_wakeword.Model]
        return cls(loaded(ENGINE, phrase, names, _by_name, _from_file), sensitivity)

    def _probabilities(self, samples: bytes) -> Iterator[float]:
        for features in self._features.process_streaming(samples):
            probability = self._model.process_streaming_prob(features)
            self._windows = (self._windows + 1) % self._model.stride
            # The model takes `stride` windows of 10 ms at a time; for those in between it says 0, which is no answer.
            if self._windows == 0 and probability is not None:
                yield probability

    def _free(self) -> None:
        self._model.close()


def _by_name(name: str) -> pymicro_wakeword.MicroWakeWord:
    return pymicro_wakeword.MicroWakeWord.from_builtin(pymicro_wakeword.Model(name))


def _from_file(path: Path) -> pymicro_wakeword.MicroWakeWord:
    described = path.with_suffix(".json")
    with tempfile.TemporaryDirectory() as folder:
        if not described.is_file():
            described = Path(folder, path.name).with_suffix(".json")
            described.write_text(json.dumps(_plain_description(path)), encoding="utf-8")
        prove_loadable(ENGINE, path, "pymicro_wakeword", "--config", str(described))
        return pymicro_wakeword.MicroWakeWord.from_config(described)


def _plain_description(path: Path) -> dict[str, object]:
    return {
        "wake_word": path.stem,
        "model": str(path.resolve()),
        "micro": {"probability_cutoff": _PLAIN_CUTOFF, "sliding_window_size": _PLAIN_WINDOW},
    }
