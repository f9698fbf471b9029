"""A small server that speaks Ollama's protocol byte by byte over real sockets, and misbehaves on request.

Source: Ollama's API reference (/api/chat, /api/tags, /api/version; newline-delimited JSON; errors as {"error": …}).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from daemon.engines.ollama import OllamaChat, Settings
from support.served import served

Behaviour = Literal[
    "normal", "hang", "hang_all", "stall", "endless", "endless_line", "endless_thinking", "endless_calls", "garbage",
    "half_line", "wrong_arguments", "error_line", "500", "no_memory", "busy", "no_tools", "cut", "reset", "goes",
]  # fmt: skip
Said = str | dict[str, Any]
"""A piece of text, or a call of a tool: `{"name": …, "arguments": {…}}`."""
REFUSALS: dict[str, tuple[int, str]] = {
    "500": (500, "llama runner process has terminated"),
    "no_memory": (500, "model requires more system memory (5.6 GiB) than is available (3.1 GiB)"),
    "busy": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "no_tools": (400, "registry.ollama.ai/library/qwen2.5:3b does not support tools"),
}

WHOLE = frozenset({"normal", *REFUSALS})
"""After these the connection may be used again; after a normal answer it "goes"."""


@dataclass
class OllamaServer:
    """What it has, what it answers, and what it was asked. `behaviour` may be changed between requests."""

    models: list[str] = field(default_factory=lambda: ["qwen2.5:3b"])
    pieces: list[str] = field(default_factory=lambda: ["Olá", "! Tudo", " bem?"])
    behaviour: Behaviour = "normal"
    thinking: str = ""
    script: Callable[[dict[str, Any]], Sequence[Said]] | None = None
    """What is answered to a request, instead of `pieces`."""
    delay_s: float = 0.0
    """How long the model takes for each piece; it keeps to that on the whole, whatever sending takes."""
    written: list[float] = field(default_factory=list)
    """When each piece of text went out, on the event loop's clock."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    """How many were opened."""
    open: int = 0
    """How many are open now."""
    url: str = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has hung up in the middle of an answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections, self.open = self.connections + 1, self.open + 1
        try:
            while begun := await reader.read(1):  # the connection serves one request after the other
                request = (begun + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, _ = request.split("\r\n", 1)[0].split(" ", 2)
                length = next(
                    (int(v.split(":")[1]) for v in request.split("\r\n") if v.lower().startswith("content-length:")), 0
                )
                body = json.loads(await reader.readexactly(length)) if length else {}
                behaviour = self.behaviour
                await self._answer(method, path, body, reader, writer)
                if behaviour not in WHOLE:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            self.open -= 1
            writer.close()

    async def _answer(
        self, method: str, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self.behaviour == "hang_all":
            await reader.read()
            self.gone.set()
        elif (method, path) == ("GET", "/api/version"):
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
        refusal = REFUSALS.get(self.behaviour)
        if refusal is not None and (self.behaviour != "no_tools" or body.get("tools")):
            await _whole(writer, refusal[0], {"error": refusal[1]})
            return
        if body["model"] not in self.models:
            await _whole(writer, 404, {"error": f"model '{body['model']}' not found"})
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        await _WAYS.get(self.behaviour, OllamaServer._normal)(self, body, reader, writer)

    async def _normal(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        model, said = body["model"], self.script(body) if self.script else self.pieces
        if self.thinking:
            await _chunk(writer, self._line(model, "", thinking=self.thinking))
        now = asyncio.get_running_loop().time
        began = now()
        for number, piece in enumerate(said):
            if self.delay_s:
                await asyncio.sleep(max(0.0, began + (number + 1) * self.delay_s - now()))
            self.written.append(now())
            await _chunk(
                writer, self._line(model, piece) if isinstance(piece, str) else self._call(model, piece, number)
            )
        counts: dict[str, Any] = {"total_duration": 2_000_000, "load_duration": 1_000_000, "prompt_eval_count": 26,
                  "prompt_eval_duration": 500_000, "eval_count": len(said), "eval_duration": 500_000}  # fmt: skip
        await _chunk(writer, self._line(model, "", done=True, done_reason="stop", **counts))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _stall(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(body["model"], self.pieces[0]))
        await reader.read()
        self.gone.set()

    async def _endless(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _chunk(writer, self._line(body["model"], "e mais "))

    async def _endless_line(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _chunk(writer, b'{"message": {"content": "')
        while True:
            await _chunk(writer, b"a" * 65536)

    async def _endless_thinking(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await asyncio.sleep(0.005)
            await _chunk(writer, self._line(body["model"], "", thinking="hmm "))

    async def _endless_calls(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for number in range(10_000):
            await _chunk(writer, self._call(body["model"], {"name": "ver_rotinas", "arguments": {}}, number))

    async def _wrong_arguments(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _chunk(writer, self._call(body["model"], {"name": "ligar", "arguments": "{nomes: [luz"}, 0))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _garbage(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, b'<html>{"model"]]\n[1, 2]\n')
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _half_line(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _chunk(writer, self._line(body["model"], self.pieces[0]) + self._line(body["model"], self.pieces[1])[:25])
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _error_line(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _chunk(
            writer,
            self._line(body["model"], self.pieces[0])
            + b'{"error":"an error was encountered while running the model"}\n',
        )
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _cut(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(body["model"], self.pieces[0]))
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _reset(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _chunk(writer, self._line(body["model"], self.pieces[0]))

    def _line(self, model: str, content: str, *, done: bool = False, thinking: str = "", **more: object) -> bytes:
        message = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
        return self._dumped(model, message, done=done, **more)

    def _call(self, model: str, call: dict[str, Any], number: int) -> bytes:
        function = {"index": number, "name": call["name"], "arguments": call["arguments"]}
        message = {"role": "assistant", "content": "", "tool_calls": [{"id": f"call_{number}", "function": function}]}
        return self._dumped(model, message, done=False)

    def _dumped(self, model: str, message: dict[str, Any], *, done: bool, **more: object) -> bytes:
        line = {"model": model, "created_at": "2026-11-20T12:00:00.000000Z", "message": message, "done": done, **more}
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"


_Way = Callable[[OllamaServer, dict[str, Any], asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_WAYS: dict[str, _Way] = {
    "stall": OllamaServer._stall,
    "endless": OllamaServer._endless,
    "endless_line": OllamaServer._endless_line,
    "endless_thinking": OllamaServer._endless_thinking,
    "endless_calls": OllamaServer._endless_calls,
    "wrong_arguments": OllamaServer._wrong_arguments,
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


def ollama_at(url: str, *, first_s: float = 5, whole_s: float = 10, **settings: Any) -> OllamaChat:
    """Return the real client, on a server at `url`."""
    given = {"model": "qwen2.5:3b", "temperature": 0.25, "first_token_s": first_s, "whole_s": whole_s, **settings}
    return OllamaChat(url, lambda: Settings(**given))
