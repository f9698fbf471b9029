"""A small server that speaks Ollama's protocol byte by byte over real sockets, and misbehaves on request.

Source: Ollama's API reference (/api/chat, /api/tags, /api/version; newline-delimited JSON; errors as {"error": …}).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from daemon.engines.ollama import OllamaChat
from support.served import served

Behaviour = Literal[
    "normal", "hang", "stall", "endless", "endless_line", "garbage", "half_line", "error_line", "500", "cut", "reset"
]


@dataclass
class OllamaServer:
    """What it has, what it answers, and what it was asked. `behaviour` may be changed between requests."""

    models: list[str] = field(default_factory=lambda: ["qwen2.5:3b"])
    pieces: list[str] = field(default_factory=lambda: ["Olá", "! Tudo", " bem?"])
    behaviour: Behaviour = "normal"
    thinking: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has hung up in the middle of an answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = request.split("\r\n", 1)[0].split(" ", 2)
            length = next(
                (int(v.split(":")[1]) for v in request.split("\r\n") if v.lower().startswith("content-length:")), 0
            )
            body = json.loads(await reader.readexactly(length)) if length else {}
            await self._answer(method, path, body, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()

    async def _answer(
        self, method: str, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if (method, path) == ("GET", "/api/version"):
            await _whole(writer, 200, {"version": "0.12.6"})
        elif (method, path) == ("GET", "/api/tags"):
            await _whole(
                writer, 200, {"models": [{"name": m, "model": m, "size": 1, "digest": "0" * 64} for m in self.models]}
            )
        elif (method, path) == ("POST", "/api/chat"):
            self.asked.append(body)
            await self._chat(body, reader, writer)
        else:
            await _whole(writer, 404, {"error": "not found"})

    async def _chat(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.behaviour == "hang":
            await reader.read()
            self.gone.set()
            return
        if self.behaviour == "500":
            await _whole(writer, 500, {"error": "llama runner process has terminated"})
            return
        if body["model"] not in self.models:
            await _whole(writer, 404, {"error": f"model '{body['model']}' not found"})
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        await _WAYS.get(self.behaviour, OllamaServer._normal)(self, body["model"], reader, writer)

    async def _normal(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.thinking:
            await _chunk(writer, self._line(model, "", thinking=self.thinking))
        for piece in self.pieces:
            await _chunk(writer, self._line(model, piece))
        await _chunk(
            writer, self._line(model, "", done=True, done_reason="stop", total_duration=1, eval_count=len(self.pieces))
        )
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _stall(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(model, self.pieces[0]))
        await reader.read()
        self.gone.set()

    async def _endless(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _chunk(writer, self._line(model, "e mais "))

    async def _endless_line(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, b'{"message": {"content": "')
        while True:
            await _chunk(writer, b"a" * 65536)

    async def _garbage(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, b'<html>{"model"]]\n[1, 2]\n')
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _half_line(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(model, self.pieces[0]) + self._line(model, self.pieces[1])[:25])
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _error_line(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(
            writer,
            self._line(model, self.pieces[0]) + b'{"error":"an error was encountered while running the model"}\n',
        )
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _cut(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(model, self.pieces[0]))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _reset(self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(model, self.pieces[0]))

    def _line(self, model: str, content: str, *, done: bool = False, thinking: str = "", **more: object) -> bytes:
        message = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
        line = {"model": model, "created_at": "2026-11-20T12:00:00.000000Z", "message": message, "done": done, **more}
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"


_Way = Callable[[OllamaServer, str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_WAYS: dict[str, _Way] = {
    "stall": OllamaServer._stall,
    "endless": OllamaServer._endless,
    "endless_line": OllamaServer._endless_line,
    "garbage": OllamaServer._garbage,
    "half_line": OllamaServer._half_line,
    "error_line": OllamaServer._error_line,
    "cut": OllamaServer._cut,
    "reset": OllamaServer._reset,
}


async def _whole(writer: asyncio.StreamWriter, status: int, body: dict[str, Any]) -> None:
    payload = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(payload)}\r\n\r\n"
    writer.write(head.encode() + payload)
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


@asynccontextmanager
async def ollama_server(**settings: Any) -> AsyncIterator[OllamaServer]:
    """Run the server on a free port of 127.0.0.1."""
    ollama = OllamaServer(**settings)
    async with served(ollama.serve) as ollama.url:
        yield ollama


def ollama_at(
    url: str, *, model: str = "qwen2.5:3b", max_tokens: int = 200, first_s: float = 5, whole_s: float = 10
) -> OllamaChat:
    """Return the real client, on a server at `url`."""
    return OllamaChat(
        url,
        model=lambda: model,
        temperature=lambda: 0.25,
        max_tokens=lambda: max_tokens,
        first_token_s=lambda: first_s,
        whole_s=lambda: whole_s,
    )
