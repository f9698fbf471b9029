"""Embeddings by a model of the household's Ollama server.

Source of the protocol: Ollama's API reference, "Generate embeddings" (`POST /api/embed`), through its own client.
"""

from collections.abc import Callable, Sequence

import httpx
import numpy as np
from ollama import AsyncClient, ResponseError

from daemon.engines.protocols import Numbers
from daemon.errors import EngineFailed, EngineMissing, LinkDown

CONNECT_S = 2.0
WHOLE_S = 60.0
"""Longest wait for one answer, in seconds: the model may have to be read from the disk first."""
KEEP_ALIVE = "30m"
ALIKE, SURE = 0.3, 0.6
"""For the usual models (bge-m3, nomic-embed-text, embeddinggemma), whose cosines are higher than the local one's."""


class OllamaEmbedding:
    """The model that `memory.model` names. It is asked for by every call, and kept loaded for a while by the server."""

    alike = ALIKE
    sure = SURE

    def __init__(self, url: str, model: Callable[[], str]) -> None:
        self.name = model()
        self._url = url
        self._client = AsyncClient(
            host=url, timeout=httpx.Timeout(WHOLE_S, connect=CONNECT_S), trust_env=False, follow_redirects=False
        )

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        """Return a unit vector for each text. Raises LinkDown (no server), EngineMissing (no model), EngineFailed."""
        if not texts:
            return []
        try:
            answer = await self._client.embed(self.name, list(texts), keep_alive=KEEP_ALIVE)
        except ResponseError as error:
            raise self._wrong(error) from error
        except (httpx.HTTPError, ConnectionError, OSError) as error:
            raise LinkDown("ollama", f"{self._url}: {type(error).__name__}") from error
        except ValueError as error:
            raise EngineFailed(self.name, "o Ollama respondeu algo que não se entende") from error
        rows = [np.asarray(row, dtype=np.float32) for row in answer.embeddings]
        if len(rows) != len(texts) or len({row.shape for row in rows}) != 1:
            raise EngineFailed(self.name, f"vieram {len(rows)} vetores para {len(texts)} textos")
        return [self._unit(row) for row in rows]

    async def check(self) -> None:
        """Return when the server is there and has the model. Raises LinkDown, EngineMissing or EngineFailed."""
        try:
            await self._client.show(self.name)
        except ResponseError as error:
            raise self._wrong(error) from error
        except (httpx.HTTPError, ConnectionError, OSError) as error:
            raise LinkDown("ollama", f"{self._url}: {type(error).__name__}") from error

    def close(self) -> None:
        """Nothing to give back: connections end with their answers."""

    def _unit(self, row: Numbers) -> Numbers:
        length = np.linalg.norm(row)
        if not np.isfinite(length) or not length:
            raise EngineFailed(self.name, "veio um vetor sem direção")
        return np.asarray(row / length, dtype=np.float32)

    def _wrong(self, error: ResponseError) -> EngineFailed:
        if error.status_code == httpx.codes.NOT_FOUND:
            return EngineMissing(self.name, f"o Ollama não tem o modelo {self.name}", f"ollama pull {self.name}")
        return EngineFailed(self.name, error.error or f"o Ollama respondeu {error.status_code}")
