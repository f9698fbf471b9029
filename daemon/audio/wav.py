"""WAV files as a way in and a way out.

The format is RIFF's, with the plain PCM header of 44 bytes: http://soundfile.sapp.org/doc/WaveFormat/
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from daemon.audio.decode import speech_pieces
from daemon.audio.frames import FRAME_BYTES, FRAME_MS, RATE, SAMPLE_BYTES, Frame, Pcm
from daemon.audio.resample import Resampler
from daemon.clock import Clock, SystemClock
from daemon.errors import CannotDo, EngineFailed, EngineMissing

LONGEST_S = 600
"""Longest sound that `read_speech` takes into memory, in seconds (19 MB)."""
LARGEST_BYTES = 200_000_000
_HEADER_BYTES = 44
_LARGEST_DATA = 2**31 - 1 - _HEADER_BYTES
_BLOCK_PIECES = 32


def read_speech(path: Path) -> bytes:
    """Return a sound file as 16 kHz mono s16le. Blocking: call it in a thread.

    Raises CannotDo for what is not sound, is larger than LARGEST_BYTES, or is longer than LONGEST_S seconds.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise CannotDo(f"O arquivo {path.name} é grande demais. Mande uma gravação de até dez minutos.")
    whole = bytearray()
    for piece in speech_pieces(path):
        whole += piece
        if len(whole) > LONGEST_S * RATE * SAMPLE_BYTES:
            raise CannotDo(f"A gravação {path.name} é longa demais. Mande uma de até dez minutos.")
    return bytes(whole)


class WavSource:
    """A sound file as a Source. It is read as its frames are taken, so that its length costs no memory."""

    def __init__(
        self,
        path: Path,
        *,
        realtime: bool = False,
        tail_s: float = 1.5,
        clock: Clock | None = None,
    ) -> None:
        """Take a file in any form that `decode.py` reads; `realtime` gives the frames at the pace of speech.

        `tail_s` seconds of silence follow the sound, for the endpointer to find its end.
        """
        self.name = path.name
        self._path = path
        self._realtime = realtime
        self._tail_bytes = round(tail_s * RATE) * SAMPLE_BYTES
        self._clock = clock or SystemClock()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield whole frames; the last one is filled up with silence. Raises CannotDo for what is not sound."""
        began_s = self._clock.monotonic()
        count = 0
        async with aclosing(self._cut()) as cut:
            async for frame in cut:
                if self._realtime:
                    await self._clock.sleep(began_s + count * FRAME_MS / 1000 - self._clock.monotonic())
                yield frame
                count += 1

    async def _cut(self) -> AsyncGenerator[Frame, None]:
        rest = b""
        async with aclosing(self._blocks()) as blocks:
            async for block in blocks:
                sound = rest + block
                whole = len(sound) // FRAME_BYTES * FRAME_BYTES
                for at in range(0, whole, FRAME_BYTES):
                    yield sound[at : at + FRAME_BYTES]
                rest = sound[whole:]
        rest += bytes(self._tail_bytes)
        rest += bytes(-len(rest) % FRAME_BYTES)
        for at in range(0, len(rest), FRAME_BYTES):
            yield rest[at : at + FRAME_BYTES]

    async def _blocks(self) -> AsyncGenerator[bytes, None]:
        """Decode in a thread, some seconds at a time."""
        pieces = speech_pieces(self._path)
        # One thread of its own: what closes the file waits its turn behind a decoding that was cancelled midway.
        thread = ThreadPoolExecutor(1, thread_name_prefix="WavSource")
        loop = asyncio.get_running_loop()
        try:
            while block := await loop.run_in_executor(thread, _join, pieces):
                yield block
        finally:
            thread.submit(_close, pieces)
            thread.shutdown(wait=False)


def _join(pieces: Iterator[bytes]) -> bytes:
    """Return the next pieces in one; empty only at the end."""
    for piece in pieces:
        if block := piece + b"".join(islice(pieces, _BLOCK_PIECES)):
            return block
    return b""


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


class WavSpeaker:
    """A WAV file as a Speaker: everything played through it, one after the other, at the rate of the first piece.

    An older file of that name is replaced by the first sound. At every moment the file on disk is whole: the first
    sound is written beside it and renamed, later ones are appended before the header counts them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._resampler: Resampler | None = None
        self._data_bytes = 0

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        """Write the pieces as they come. What came before a cancellation is kept.

        Raises EngineMissing when the file cannot be made, EngineFailed when it cannot be written (a full disk).
        """
        file: BinaryIO | None = None
        try:
            async for piece in speech:
                if file is None:
                    file = self._open()
                resampler = self._resampler = self._resampler or Resampler(piece.rate)
                with _writing(self._path):
                    file.write(resampler.take(piece))
        finally:
            if file is not None:
                self._finish(file)

    def _open(self) -> BinaryIO:
        if self._resampler is not None and self._data_bytes < _LARGEST_DATA // 2:
            try:
                file = self._path.open("r+b")
            except OSError:
                pass
            else:
                file.seek(_HEADER_BYTES + self._data_bytes)
                return file
        self._resampler, self._data_bytes = None, 0
        return _create(self._path)

    def _finish(self, file: BinaryIO) -> None:
        with _writing(self._path), file:
            assert self._resampler is not None  # noqa: S101 - the file was opened for a first piece
            file.write(self._resampler.rest())
            file.flush()
            self._data_bytes = min(file.tell() - _HEADER_BYTES, _LARGEST_DATA)
            file.seek(0)
            file.write(_header(self._data_bytes, self._resampler.rate))
        if Path(file.name) != self._path:
            Path(file.name).replace(self._path)


def write_wav(path: Path, pcm: bytes, rate: int) -> None:
    """Write mono s16le samples; the file appears whole or not at all. Blocking. Raises EngineMissing, EngineFailed."""
    file = _create(path)
    with _writing(path), file:
        file.seek(0)
        file.write(_header(len(pcm), rate) + pcm)
    Path(file.name).replace(path)


def _create(path: Path) -> BinaryIO:
    """Open the file beside `path` that will become it."""
    beside = path.with_name(f".{path.name}.part")
    try:
        file = beside.open("wb")
    except OSError as error:
        raise EngineMissing(
            "alto-falante",
            f"não consigo gravar em {path}: {error.strerror}",
            "escolha outra pasta para o arquivo de som",
        ) from error
    file.write(_header(0, RATE))
    return file


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineFailed("alto-falante", f"não consegui gravar {path}: {error.strerror}") from error


def _header(data_bytes: int, rate: int) -> bytes:
    """Return the 44 bytes before `data_bytes` of mono s16le samples."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, SAMPLE_BYTES * 8)
    return (
        struct.pack("<4sI4s", b"RIFF", data_bytes + _HEADER_BYTES - 8, b"WAVE")
        + form
        + struct.pack("<4sI", b"data", data_bytes)
    )
