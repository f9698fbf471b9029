"""The household's language model, through an Ollama server.

Source of the protocol: Ollama's API reference, "Generate a chat completion": newline-delimited JSON, errors as
`{"error": …}` with a status, or as a line of their own once the answer has begun. A call of a tool comes whole, in a
line whose `message` has `tool_calls`; what became of it goes back as a message of the role `tool`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import httpx
import structlog
from ollama import AsyncClient, ChatResponse, ResponseError
from pydantic import ValidationError

from daemon.engines.bounded_http import Bounded
from daemon.engines.protocols import ChatMessage, Piece, Spent, Tool, ToolCall
from daemon.engines.thoughts import Thoughts
from daemon.errors import EngineFailed, EngineMissing, LinkDown

log = structlog.get_logger(__name__)

if find_spec("sniffio") is None:
    # httpcore would look for it along the whole path at every lock, which cost an answer some 2 ms.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

CONNECT_S = 2.0
MOST_CALLS = 8
"""Calls of tools in one answer; a model that goes on has lost its way."""
END_S = 0.1
MOST_TO_LIST_S = 4.0
MOST_TO_LOAD_S = 300.0
"""Longest wait for a model to be read from the disk."""
FULL = ("system memory", "out of memory", "server busy", "insufficient memory")
"""What Ollama says where it has no memory for the model, or too many ask at once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to ask. `keep_alive_min` is how long the model stays in memory after an answer, -1 for ever.

    `first_token_s` bounds the wait for the first text to speak (or call), `whole_s` all the waiting for one answer (the
    time that the consumer takes between pieces does not count). `context` is in tokens.
    """

    model: str
    temperature: float = 0.7
    max_tokens: int = 200
    context: int = 8192
    keep_alive_min: int = 30
    think: bool = False
    first_token_s: float = 10.0
    whole_s: float = 45.0


class OllamaChat:
    """Chat. The settings are asked at the beginning of each answer, so that a changed preference counts at once."""

    def __init__(self, url: str, settings: Callable[[], Settings]) -> None:
        """Prepare to talk to the server at `url`; nothing is sent yet."""
        self.name = settings().model
        self._url = url
        self._settings = settings
        self._without_tools: set[str] = set()
        self._answering = 0
        # A connection is kept from round to round of one conversation, and no longer: between conversations nothing is
        # left to close. A proxy from the environment is for the Internet, not for the house.
        self._transport = Bounded(trust_env=False)
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        self._client = AsyncClient(host=url, timeout=timeout, trust_env=False, transport=self._transport)

    async def chat(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """Yield the answer as it is written, without what the model only thinks; then what it cost.

        Raises LinkDown (no server there), EngineMissing (model not pulled), EngineFailed (too slow, broken, empty).
        An answer that goes beyond the tokens asked for is cut there. A model that knows no tools is asked without.
        """
        asked = self._settings()
        self.name = asked.model
        budget = _Budget(asked.first_token_s, asked.whole_s)
        thoughts = Thoughts()
        lines, calls, done = 0, 0, False
        async with self._line(lambda: calls > 0), aclosing(self._lines(messages, tools, asked, budget)) as answer:
            async for line in answer:
                lines, done = lines + 1, bool(line.done)
                called = _calls(line)[: MOST_CALLS - calls]
                calls += len(called)
                text = thoughts.take(line.message.content or "") + (thoughts.rest() if done else "")
                budget.begun = budget.begun or bool(text.strip() or called)
                if text:
                    yield text
                for call in called:
                    yield call
                if done:
                    yield _spent(line)
                if done or lines >= asked.max_tokens or calls >= MOST_CALLS:
                    break
            if done and calls:
                await _ended(answer)
        if not lines or (not done and lines < asked.max_tokens and calls < MOST_CALLS):
            raise EngineFailed("ollama", "a resposta foi cortada no meio")
        if not done:
            log.warning("answer_cut", model=self.name, lines=lines)
        if not budget.begun:
            raise EngineFailed("ollama", f"{self.name} não respondeu nada")

    async def warm(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> None:
        """Have the model read these messages and write nothing: it stays in memory, and they in its cache."""
        asked = self._settings()
        self.name = asked.model
        budget = _Budget(MOST_TO_LOAD_S, MOST_TO_LOAD_S)
        async with self._line(), aclosing(self._lines(messages, tools, asked, budget, most=1)) as answer:
            async for _ in answer:
                pass

    async def check(self) -> None:
        """Return when the server is there and has the model. Raises LinkDown, EngineMissing or EngineFailed."""
        model = self._settings().model
        async with self._line():
            have = await self._guarded(self._client.list(), _Budget(MOST_TO_LIST_S, MOST_TO_LIST_S))
        if not {model, f"{model}:latest"} & {known.model for known in have.models}:
            raise _not_pulled(model)

    async def hang_up(self) -> None:
        """Close every connection, unless somebody else's answer is on one."""
        if not self._answering:
            await self._transport.aclose()

    def close(self) -> None:
        """Nothing is held between conversations."""

    @asynccontextmanager
    async def _line(self, goes_on: Callable[[], bool] = lambda: False) -> AsyncIterator[None]:
        """Have a connection; it is kept where the conversation goes on."""
        self._answering += 1
        try:
            yield
        finally:
            self._answering -= 1
            if not goes_on():
                await self.hang_up()

    async def _lines(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[Tool],
        asked: Settings,
        budget: "_Budget",
        most: int | None = None,
    ) -> AsyncGenerator[ChatResponse, None]:
        """Yield the answer's lines within the budget; ask again without tools where the model knows none."""
        offered = () if asked.model in self._without_tools else tools
        lines = await self._ask(messages, offered, asked, most)
        try:
            async with aclosing(lines):
                while (line := await self._guarded(anext(lines, None), budget)) is not None:
                    yield line
        except _NoTools:
            self._without_tools.add(asked.model)
            log.warning("model_without_tools", model=asked.model)
            again = await self._ask(messages, (), asked, most)
            async with aclosing(again):
                while (line := await self._guarded(anext(again, None), budget)) is not None:
                    yield line

    async def _ask(
        self, messages: Sequence[ChatMessage], tools: Sequence[Tool], asked: Settings, most: int | None
    ) -> AsyncGenerator[ChatResponse, None]:
        """Return the answer's lines; the request is sent when the first is asked for."""
        lines = await self._client.chat(
            model=asked.model,
            messages=[_message(message) for message in messages],
            tools=[_tool(tool) for tool in tools] or None,
            stream=True,
            think=asked.think,
            keep_alive=-1 if asked.keep_alive_min < 0 else f"{asked.keep_alive_min}m",
            options={
                "temperature": asked.temperature,
                "num_predict": most or asked.max_tokens,
                "num_ctx": asked.context,
            },
        )
        return cast("AsyncGenerator[ChatResponse, None]", lines)

    async def _guarded(self, work: Awaitable[T], budget: "_Budget") -> T:
        """Await `work` within the budget, and turn whatever comes of the wire into our own errors."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(budget.left_s()):
                return await work
        except TimeoutError:
            raise EngineFailed("ollama", budget.complaint(), "slow") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as away:
            raise LinkDown("ollama", f"não respondeu em {self._url}") from away
        except ResponseError as refused:
            raise self._refusal(refused) from refused
        except httpx.HTTPError as cut:
            raise EngineFailed("ollama", f"a resposta foi cortada no meio ({type(cut).__name__})") from cut
        except (ValueError, ValidationError, AttributeError, TypeError) as garbage:
            raise EngineFailed("ollama", "o servidor respondeu algo que não é do Ollama") from garbage
        finally:
            budget.spent_s += loop.time() - started

    def _refusal(self, refused: ResponseError) -> Exception:
        """Return our own error for what the server refused."""
        why = str(refused)[:200]
        if "does not support tools" in why:
            return _NoTools()
        if "does not support thinking" in why:
            return EngineMissing("ollama", f"o modelo {self.name} não sabe pensar antes de responder",
                                 "mordomo config set brain.think false")  # fmt: skip
        if refused.status_code == httpx.codes.NOT_FOUND:
            return _not_pulled(self.name)
        full = refused.status_code == httpx.codes.SERVICE_UNAVAILABLE or any(sign in why.lower() for sign in FULL)
        return EngineFailed("ollama", f"erro do servidor: {why}", "full" if full else "broken")


class _NoTools(Exception):  # noqa: N818 - never leaves this file
    """The model knows no tools."""


class _Budget:
    """How long one answer may still keep us waiting, in seconds."""

    def __init__(self, first_s: float, whole_s: float) -> None:
        self.begun = False
        self.spent_s = 0.0
        self._first_s = min(first_s, whole_s)
        self._whole_s = whole_s

    def left_s(self) -> float:
        return max(0.0, (self._whole_s if self.begun else self._first_s) - self.spent_s)

    def complaint(self) -> str:
        if self.begun:
            return f"não terminou de responder em {self._whole_s:g} s"
        return f"não começou a responder em {self._first_s:g} s"


async def _ended(answer: AsyncGenerator[ChatResponse, None]) -> None:
    """Read on behind the last line, where nothing is: only a connection that was read to its end can be used again."""
    with suppress(TimeoutError, EngineFailed, LinkDown):
        async with asyncio.timeout(END_S):
            async for _ in answer:
                pass


def _message(message: ChatMessage) -> dict[str, Any]:
    sent: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        sent["tool_calls"] = [
            {"function": {"name": call.name, "arguments": dict(call.arguments)}} for call in message.calls
        ]
    return sent | ({"tool_name": message.tool} if message.tool else {})


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _calls(line: ChatResponse) -> list[ToolCall]:
    """Return the calls of a line. Small models write a list or an object as a string; that is mended here."""
    return [
        ToolCall(call.function.name, {name: _mended(value) for name, value in call.function.arguments.items()})
        for call in line.message.tool_calls or ()
    ]


def _mended(value: object) -> object:
    if isinstance(value, str) and value[:1] + value[-1:] in {"[]", "{}"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _spent(line: ChatResponse) -> Spent:
    ms = 1_000_000
    return Spent(
        line.prompt_eval_count or 0, line.eval_count or 0, (line.load_duration or 0) / ms,
        (line.prompt_eval_duration or 0) / ms, (line.eval_duration or 0) / ms,
    )  # fmt: skip


def _not_pulled(model: str) -> EngineMissing:
    return EngineMissing("ollama", f"o modelo {model} não está instalado", f"ollama pull {model}")
