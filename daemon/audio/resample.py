"""Change of rate on the way in and out, piece by piece, by soxr."""

import numpy as np
import soxr

from daemon.audio.frames import SAMPLE_BYTES, Pcm


class Resampler:
    """Mono s16le pieces of any rate in, samples at `rate` Hz out. A piece's last milliseconds come with the next."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._from = rate
        self._stream: soxr.ResampleStream | None = None

    def take(self, piece: Pcm) -> bytes:
        """Return what can be given of the sound so far."""
        ended = self.rest() if piece.rate != self._from else b""
        if piece.rate == self.rate:
            return ended + piece.samples[: len(piece.samples) // SAMPLE_BYTES * SAMPLE_BYTES]
        if self._stream is None:
            self._from = piece.rate
            self._stream = soxr.ResampleStream(piece.rate, self.rate, 1, dtype="int16")
        return ended + self._run(piece.samples, last=False)

    def rest(self) -> bytes:
        """Return the last samples; what is taken afterwards is another sound."""
        rest = self._run(b"", last=True)
        self._stream = None
        self._from = self.rate
        return rest

    def _run(self, samples: bytes, *, last: bool) -> bytes:
        if self._stream is None:
            return b""
        array = np.frombuffer(samples, "<i2", len(samples) // SAMPLE_BYTES)
        return bytes(self._stream.resample_chunk(array, last=last).tobytes())
