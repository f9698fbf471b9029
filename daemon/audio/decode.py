"""Sound files of people to frames' samples, a little at a time.

PyAV (FFmpeg) reads them rather than the standard library's `wave`, which knows neither floats nor the extensible header
nor wrong lengths. It comes with faster-whisper. FFmpeg would also open playlists and scripts that lead to other files:
only containers of sound are allowed, and it is handed an open file, never a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

import av
import numpy as np
import soxr
import structlog
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Stream
from numpy.typing import NDArray

from daemon.audio.frames import RATE
from daemon.errors import CannotDo

log = structlog.get_logger(__name__)

Floats = NDArray[np.float32]

_CONTAINERS = "wav,w64,aiff,au,caf,flac,mp3,ogg,mov,matroska"
_LOWEST_RATE, _HIGHEST_RATE = 4_000, 400_000
_FULL_SCALE = {"u1": (2.0**7, 2.0**7), "i2": (0.0, 2.0**15), "i4": (0.0, 2.0**31), "i8": (0.0, 2.0**63)}
"""What is zero and what is one, for each kind of whole number; floats are already from -1 to 1."""
_INT16_SCALE = 32_768


def speech_pieces(path: Path) -> Iterator[bytes]:
    """Yield the file's sound as 16 kHz mono s16le, piece by piece; memory does not grow with the file. Blocking.

    Channels are averaged. Samples that are not numbers become 0, those beyond full scale are clipped. Where the file
    breaks off or turns to garbage, the sound ends. Raises CannotDo when there is no sound to read.
    """
    with _opened(path) as file, _container(file, path) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise CannotDo(f"O arquivo {path.name} não tem som. Escolha uma gravação de voz, de preferência WAV.")
        yield from _converted(_frames(container, stream, path), path)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        mode = path.stat().st_mode
        if not S_ISREG(mode):
            raise CannotDo(f"{path.name} não é um arquivo de som. Diga o caminho de um arquivo WAV.")
        if path.stat().st_size == 0:
            raise CannotDo(f"O arquivo {path.name} está vazio. Grave de novo e tente outra vez.")
        file = path.open("rb")
    except FileNotFoundError:
        raise CannotDo(f"Não achei o arquivo {path.name}. Confira o nome e a pasta.") from None
    except OSError as error:
        raise CannotDo(
            f"Não consegui abrir o arquivo {path.name}. Confira se você tem permissão para ler o arquivo."
        ) from error
    with file:
        yield file


@contextmanager
def _container(file: BinaryIO, path: Path) -> Iterator[InputContainer]:
    try:
        container = av.open(file, mode="r", options={"format_whitelist": _CONTAINERS}, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(path) from error
    with container:
        yield container


def _frames(container: InputContainer, stream: Stream, path: Path) -> Iterator[AudioFrame]:
    read = 0
    try:
        for frame in container.decode(stream):
            if isinstance(frame, AudioFrame):
                read += 1
                yield frame
    except (av.FFmpegError, ValueError) as error:
        if read == 0:
            raise _unreadable(path) from error
        log.warning("sound_file_breaks_off", file=path.name, error=str(error))


def _converted(frames: Iterator[AudioFrame], path: Path) -> Iterator[bytes]:
    resampler: soxr.ResampleStream | None = None
    rate, heard = RATE, False
    for frame in frames:
        if not _LOWEST_RATE <= frame.sample_rate <= _HIGHEST_RATE:
            raise CannotDo(f"O arquivo {path.name} tem uma taxa de {frame.sample_rate} Hz. Salve com 16000 Hz.")
        if resampler is None or rate != frame.sample_rate:
            rate = frame.sample_rate
            resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
        mono = _mono(frame)
        heard = heard or len(mono) > 0
        yield _s16(mono if rate == RATE else resampler.resample_chunk(mono))
    if not heard:
        raise CannotDo(f"O arquivo {path.name} não tem nenhum som gravado. Grave de novo e tente outra vez.")
    if resampler is not None and rate != RATE:
        yield _s16(resampler.resample_chunk(np.zeros(0, np.float32), last=True))


def _mono(frame: AudioFrame) -> Floats:
    """Return the mean of the channels, from -1 to 1."""
    samples = frame.to_ndarray()
    by_channel = samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T
    offset, scale = _FULL_SCALE.get(samples.dtype.str[1:], (0.0, 1.0))
    floats = (by_channel.astype(np.float64) - offset) / scale
    clean = np.clip(np.where(np.isfinite(floats), floats, 0.0), -1.0, 1.0)
    return np.ascontiguousarray(clean.mean(axis=0), dtype=np.float32)


def _s16(mono: Floats) -> bytes:
    scaled = np.rint(mono.astype(np.float64) * _INT16_SCALE)
    return np.clip(scaled, -_INT16_SCALE, _INT16_SCALE - 1).astype("<i2").tobytes()


def _unreadable(path: Path) -> CannotDo:
    return CannotDo(f"O arquivo {path.name} não é uma gravação que eu saiba ler. Salve o som como WAV e tente de novo.")
