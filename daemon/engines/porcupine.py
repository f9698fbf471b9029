"""Porcupine: Picovoice's wake words. Needs a key, which it checks online every few days.

https://picovoice.ai/docs/porcupine/ — its errors quote the key, so none of their text is passed on.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daemon.engines.wake_word import (
    USUAL_SENSITIVITY,
    ThreadedWakeWord,
    builtin_name,
    is_path,
    missing_file,
    unknown_phrase,
)
from daemon.errors import EngineMissing

ENGINE = "Porcupine"
KEY_NAME = "MORDOMO_PORCUPINE_ACCESS_KEY"
_SHIPPED_SENSITIVITY = 0.5
_ONE_THREAD = "cpu:1"
_HEARD, _NOT_HEARD = 1.0, 0.0


def own_sensitivity(sensitivity: float) -> float:
    """Return Porcupine's sensitivity (0 to 1) for ours: piecewise linear, its default of 0.5 at 0.7."""
    bounded = min(1.0, max(0.0, sensitivity))
    if bounded <= USUAL_SENSITIVITY:
        return bounded / USUAL_SENSITIVITY * _SHIPPED_SENSITIVITY
    above = (bounded - USUAL_SENSITIVITY) / (1 - USUAL_SENSITIVITY)
    return _SHIPPED_SENSITIVITY + above * (1 - _SHIPPED_SENSITIVITY)


class Porcupine(ThreadedWakeWord):
    """A WakeWord over a `pvporcupine.Porcupine`, which it owns."""

    def __init__(self, vendor: Any, name: str) -> None:
        super().__init__(f"{ENGINE} {name}", cutoff=0.5)
        self._vendor = vendor
        self._waiting = array("h")

    @classmethod
    def load(cls, phrase: str, sensitivity: float = 0.7, access_key: str | None = None) -> "Porcupine":
        """Load a phrase of the package or a `.ppn` by its path. Raises EngineMissing.

        `hey_jarvis` is heard as `jarvis`, which is what the package has. A `.ppn` of another language than English
        needs that language's `porcupine_params_….pv` beside it.
        """
        if not access_key or not access_key.strip():
            raise _without_key("falta a chave da Picovoice")
        try:
            import pvporcupine  # noqa: PLC0415 - on a processor that it does not know, the import itself fails
        except (ImportError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
            raise EngineMissing(
                ENGINE,
                f"não funciona neste computador: {error}",
                "mordomo config set wake_word.engine microwakeword",
            ) from error
        keyword = _keyword_file(phrase, pvporcupine.KEYWORD_PATHS)
        parameters = sorted(keyword.parent.glob("porcupine_params*.pv"))
        try:
            vendor = pvporcupine.create(
                access_key=access_key.strip(),
                keyword_paths=[str(keyword)],
                sensitivities=[own_sensitivity(sensitivity)],
                model_path=str(parameters[0]) if parameters else None,
                device=_ONE_THREAD,
            )
        except (pvporcupine.PorcupineError, ValueError, OSError) as error:
            raise _refused(type(error).__name__, keyword) from None
        return cls(vendor, keyword.stem)

    def _probabilities(self, samples: bytes) -> Iterator[float]:
        self._waiting.frombytes(samples)
        length = self._vendor.frame_length
        while len(self._waiting) >= length:
            frame, self._waiting = self._waiting[:length], self._waiting[length:]
            yield _HEARD if self._vendor.process(frame) >= 0 else _NOT_HEARD

    def _free(self) -> None:
        self._vendor.delete()


def _keyword_file(phrase: str, built_in: dict[str, str]) -> Path:
    if is_path(phrase):
        path = Path(phrase).expanduser()
        if not path.is_file():
            raise missing_file(ENGINE, path)
        return path
    name = builtin_name(phrase).replace("_", " ")
    for candidate in (name, name.removeprefix("hey "), name.removeprefix("okay "), name.removeprefix("ok ")):
        if candidate in built_in:
            return Path(built_in[candidate])
    raise unknown_phrase(ENGINE, phrase, sorted(built_in))


def _without_key(why: str) -> EngineMissing:
    return EngineMissing(
        ENGINE,
        why,
        f"pegue uma chave em https://console.picovoice.ai e ponha em {KEY_NAME}, "
        "ou use outro motor: mordomo config set wake_word.engine microwakeword",
    )


def _refused(error: str, keyword: Path) -> EngineMissing:
    """Say in Portuguese what Porcupine's error `error` (a class name) means."""
    if error.startswith("PorcupineActivation") or error == "PorcupineKeyError":
        return _without_key(f"a Picovoice não aceitou a chave ({error})")
    if error in {"PorcupineIOError", "OSError"}:
        return _without_key(f"não consegui abrir {keyword.name} nem confirmar a chave pela internet ({error})")
    return _without_key(f"a chave da Picovoice é inválida, ou {keyword.name} não serve neste computador ({error})")
