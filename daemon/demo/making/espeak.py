"""espeak-ng in this process, with the time of every phoneme it speaks.

Library and data come from the `espeakng-loader` wheel, so no system package is needed, and every machine speaks with
the same release. The C interface is `speak_lib.h`:
https://github.com/espeak-ng/espeak-ng/blob/master/src/include/espeak-ng/speak_lib.h
espeak-ng keeps global state: one thread at a time.
"""

import ctypes
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

_SYNCHRONOUS = 2
_PHONEME_EVENTS, _DONT_EXIT = 1, 1 << 15
_RATE, _PITCH, _RANGE = 1, 3, 4
_END_OF_LIST, _PHONEME = 0, 7
_BY_CHARACTER, _UTF8 = 1, 1
_NOTE_SILENCE = 0.001
"""Share of full scale under which a sample counts as silence at the ends."""


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)  # t_espeak_callback


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak: espeak's voice and variant ("pt-br+f2"), words a minute, pitch and its range (0 to 99)."""

    voice: str = "pt-br"
    words_a_minute: int = 160
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken sound without silence at its ends: float32 samples from -1 to 1 at `rate` Hz.

    `phonemes` holds (seconds from the first sample, espeak's name of the phoneme), in order of time.
    """

    samples: NDArray[np.float32]
    rate: int
    phonemes: tuple[tuple[float, str], ...]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Load espeak-ng, once a process, and return it with its samples a second. Raises RuntimeError if it won't start.

    To start it a second time leaves it with pointers into memory that it has freed. So it is a copy: whoever else loads
    the library in this process (Mordomo's own voice does) has another, with a state of its own.
    """
    with TemporaryDirectory() as folder:
        library = ctypes.CDLL(shutil.copy(espeakng_loader.get_library_path(), folder))
    data = espeakng_loader.get_data_path()
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 60, data.encode(), _DONT_EXIT | _PHONEME_EVENTS))
    if rate <= 0:
        raise RuntimeError(f"espeak-ng did not start with the data in {data}")
    # By itself it takes the time of day for a seed; with ours, fresh processes say the same things in the same way.
    library.espeak_ng_SetRandSeed(1)
    library.espeak_Synth.argtypes = [
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
        ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    return library, rate


class Espeak:
    """The process's espeak-ng."""

    def __init__(self) -> None:
        """Start it, if it is not started. Raises RuntimeError if it won't."""
        self._library, self.rate = _library()
        self._pieces: list[NDArray[np.int16]] = []
        self._phonemes: list[tuple[float, str]] = []
        self._callback = _CALLBACK(self._take)

    def _take(self, wav: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        """Keep a piece of sound and the phonemes in it; 0 asks for more."""
        if count > 0:
            self._pieces.append(np.ctypeslib.as_array(wav, (count,)).copy())
        index = 0
        while events[index].type != _END_OF_LIST:
            event = events[index]
            if event.type == _PHONEME:
                name = bytes(event.id.string).split(b"\0")[0].decode("utf-8", "replace")
                self._phonemes.append((event.audio_position / 1000, name))
            index += 1
        return 0

    def say(self, text: str, manner: Manner = Manner()) -> Speech:
        """Speak `text`. Raises ValueError for a voice that espeak-ng does not have or a text without sound."""
        # Another Espeak of this process may have set its own.
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(manner.voice.encode()):
            raise ValueError(f"espeak-ng has no voice {manner.voice!r}")
        settings = ((_RATE, manner.words_a_minute), (_PITCH, manner.pitch), (_RANGE, manner.pitch_range))
        for parameter, value in settings:
            self._library.espeak_SetParameter(parameter, value, 0)
        self._pieces, self._phonemes = [], []
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, _BY_CHARACTER, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return self._trimmed(text)

    def _trimmed(self, text: str) -> Speech:
        whole = np.concatenate([np.zeros(0, np.int16), *self._pieces])
        samples = np.asarray(whole / 32768, np.float32)
        loud = np.flatnonzero(np.abs(samples) > _NOTE_SILENCE)
        if not len(loud):
            raise ValueError(f"espeak-ng made no sound for {text!r}")
        start_s = float(loud[0] / self.rate)
        phonemes = tuple((at_s - start_s, name) for at_s, name in self._phonemes)
        return Speech(samples[loud[0] : loud[-1] + 1], self.rate, phonemes)


def variants() -> frozenset[str]:
    """Names of the voice variants ("f2", "Alicia") that the wheel carries."""
    return frozenset(path.name for path in Path(espeakng_loader.get_data_path(), "voices", "!v").iterdir())
