"""Embedding engines for tests: one whose meaning is the words themselves, and an Ollama that embeds."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from daemon.engines.plug import Plug
from daemon.engines.protocols import Embedding, Numbers
from daemon.errors import MordomoError
from daemon.language.words import plain_words
from support.served import served

LENGTH = 64


class WordEmbedding:
    """Texts are alike as far as they share words. `failing` is raised for texts that hold its key."""

    alike, sure = 0.1, 0.5

    def __init__(self, name: str = "words", length: int = LENGTH) -> None:
        self.name = name
        self.length = length
        self.embedded: list[str] = []
        self.failing: dict[str, MordomoError] = {}
        self.closed = False

    async def embed(self, texts: Sequence[str]) -> list[Numbers]:
        for text in texts:
            for word, error in self.failing.items():
                if word in text:
                    raise error
        self.embedded += texts
        return [self._vector(text) for text in texts]

    async def check(self) -> None:
        """Always there."""

    def close(self) -> None:
        self.closed = True

    def _vector(self, text: str) -> Numbers:
        numbers = np.full(self.length, 1e-3, dtype=np.float32)
        for word in plain_words(text):
            if len(word) > 2:
                numbers[zlib.crc32(word.encode()) % self.length] += 1
        return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)


def plugged(engine: Embedding) -> Plug[Embedding]:
    """Return a plug with this engine."""
    return Plug("embedding", lambda: engine)


@dataclass
class OllamaEmbeds:
    """An Ollama that embeds (`/api/embed`, `/api/show`); `answer` replaces what it says, `asked` is what it heard."""

    models: list[str] = field(default_factory=lambda: ["bge-m3"])
    answer: tuple[int, Any] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
        )
        body = json.loads(await reader.readexactly(length))
        self.asked.append(body)
        status, said = self.answer or self._said(head.split(" ")[1], body)
        raw = said if isinstance(said, bytes) else json.dumps(said).encode()
        line = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
        writer.write(line.encode() + raw)
        await writer.drain()
        writer.close()

    def _said(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if body["model"] not in self.models:
            return 404, {"error": f"model {body['model']!r} not found, try pulling it first"}
        if path == "/api/show":
            return 200, {"details": {}, "model_info": {}}
        return 200, {"model": body["model"], "embeddings": [[len(text), 1.0, 0.0] for text in body["input"]]}


@asynccontextmanager
async def ollama_embeds() -> AsyncIterator[OllamaEmbeds]:
    """Serve on a port of loopback until the end."""
    server = OllamaEmbeds()
    async with served(server.serve) as server.url:
        yield server
