"""Text to speech with espeak-ng, in this process, from the `espeakng_loader` wheel: plain, but always there.

Source of the calls, the constants and the event record: `speak_lib.h` of espeak-ng 1.52.
"""

import ctypes
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import cache

from daemon.audio.frames import Pcm
from daemon.engines.pieces import Put, pieces
from daemon.errors import EngineFailed, EngineMissing
from daemon.language.pt_br.speakable import speakable

VOICE = "pt-br"
WORDS_A_MINUTE = 165
PIECE_MS = 60
AHEAD = 2048
"""Pieces that may wait to be played: two minutes, more than any sentence. espeak-ng speaks a sentence in 3 ms and only
one at a time in the whole process, so it is never held back by a slow listener."""

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: sound comes to the callback, on the calling thread
_DONT_EXIT = 1 << 15  # espeakINITIALIZE_DONT_EXIT: an error returns instead of ending the process
_RATE = 1  # espeakRATE, in words a minute
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_OK = 0
_GO_ON, _STOP = 0, 1

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Library:
    """libespeak-ng, initialised once a process; its state is global, hence the lock."""

    def __init__(self, library: str, data: str) -> None:
        self._lib = ctypes.CDLL(library)
        self._lib.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._lib.espeak_SetSynthCallback.argtypes = [_Callback]
        self._lib.espeak_SetSynthCallback.restype = None
        self._busy = threading.Lock()
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, PIECE_MS, data.encode(), _DONT_EXIT)
        if self.rate <= 0:
            raise EngineFailed("espeak", f"não iniciou (código {self.rate})")

    def speak(self, text: str, words_a_minute: int, put: Put) -> None:
        """Synthesise `text` into `put` until that returns False. Raises EngineFailed."""
        rate = self.rate

        def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
            if count <= 0:
                return _GO_ON
            sound = ctypes.string_at(samples, count * ctypes.sizeof(ctypes.c_short))
            return _GO_ON if put(Pcm(sound, rate)) else _STOP

        callback = _Callback(take)
        utf8 = text.encode()
        with self._busy:
            self._lib.espeak_SetSynthCallback(callback)
            if self._lib.espeak_SetVoiceByName(VOICE.encode()) != _OK:
                raise EngineFailed("espeak", f"não tem a voz {VOICE}")
            self._lib.espeak_SetParameter(_RATE, words_a_minute, 0)
            code = self._lib.espeak_Synth(utf8, len(utf8) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        if code != _OK:
            raise EngineFailed("espeak", f"falhou ao falar (código {code})")


class Espeak:
    """TextToSpeech. 22,050 Hz, in pieces of 60 ms, the first within a millisecond."""

    name = "espeak"

    def __init__(self, library: _Library, *, speed: Callable[[], float] | float = 1.0) -> None:
        """Take the loaded library; `load` finds it. `speed` (0.5 to 2) is asked every time."""
        self._library = library
        self._speed = speed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="espeak")
        self._closed = False

    @classmethod
    def load(cls, *, speed: Callable[[], float] | float = 1.0) -> "Espeak":
        """Load the library that comes in the package. Raises EngineMissing or EngineFailed."""
        return cls(_library(), speed=speed)

    async def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
        """Yield the sound piece by piece; nothing for a text with nothing to say. Raises EngineFailed."""
        if self._closed:
            raise EngineFailed("espeak", "já foi desligado")
        text = speakable(sentence)
        if not text:
            return
        speed = self._speed() if callable(self._speed) else self._speed
        words_a_minute = max(80, min(450, round(WORDS_A_MINUTE * speed)))

        def produce(put: Put) -> None:
            self._library.speak(text, words_a_minute, put)

        async with aclosing(pieces(self._pool, produce, ahead=AHEAD)) as made:
            async for piece in made:
                yield piece

    def close(self) -> None:
        """Give the thread back; the library stays, for the process has but one."""
        self._closed = True
        self._pool.shutdown(wait=False)


_loading = threading.Lock()


def _library() -> _Library:
    with _loading:  # initialising twice at once would spoil the library's global state
        return _loaded()


@cache
def _loaded() -> _Library:
    try:
        import espeakng_loader  # noqa: PLC0415 - looks for its files when imported

        return _Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as lacking:
        raise EngineMissing("espeak", f"não achei o espeak-ng: {lacking}", "make install") from lacking
