"""The household's language model, through an Ollama server.

Source of the protocol: Ollama's API reference, "Generate a chat completion": newline-delimited JSON, errors as
`{"error": …}` with a status, or as a line of their own once the answer has begun.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar, cast

import httpx
import structlog
from ollama import AsyncClient, ChatResponse, ResponseError
from pydantic import ValidationError

from daemon.engines.protocols import ChatMessage
from daemon.engines.thoughts import Thoughts
from daemon.errors import EngineFailed, EngineMissing, LinkDown

log = structlog.get_logger(__name__)

CONNECT_S = 2.0
KEEP_ALIVE = "30m"
"""How long the server keeps the model in memory after an answer: loading it again takes longer than a person waits."""
MOST_BYTES = 8 << 20
"""Bytes of one answer from the server; 4,096 tokens are one megabyte of JSON."""


MOST_TO_LIST_S = 4.0

T = TypeVar("T")


class OllamaChat:
    """Chat. Every setting is asked at the beginning of each answer, so that a changed preference counts at once."""

    def __init__(
        self,
        url: str,
        *,
        model: Callable[[], str],
        temperature: Callable[[], float],
        max_tokens: Callable[[], int],
        first_token_s: Callable[[], float],
        whole_s: Callable[[], float],
    ) -> None:
        """Prepare to talk to the server at `url`; nothing is sent yet.

        `first_token_s` bounds the wait for the first text to speak, `whole_s` all the waiting for one answer (the time
        that the consumer takes between pieces does not count).
        """
        self.name = model()
        self._url = url
        self._model = model
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._first_token_s = first_token_s
        self._whole_s = whole_s
        # No connection is kept: one to the house's own server costs less than a millisecond, and nothing is left to
        # close. A proxy from the environment is for the Internet, not for the house.
        self._client = AsyncClient(
            host=url,
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            trust_env=False,
            transport=_Bounded(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False),
        )

    async def chat(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[str, None]:
        """Yield the answer as it is written, without what the model only thinks.

        Raises LinkDown (no server there), EngineMissing (model not pulled), EngineFailed (too slow, broken, empty).
        An answer that goes beyond the tokens asked for is cut there.
        """
        self.name = self._model()
        limit = self._max_tokens()
        budget = _Budget(self._first_token_s(), self._whole_s())
        thoughts = Thoughts()
        count, done = 0, False
        async with aclosing(await self._ask(messages, limit)) as lines:
            while not done and count < limit:
                line = await self._guarded(anext(lines, None), budget)
                if line is None:
                    raise EngineFailed("ollama", "a resposta foi cortada no meio")
                count, done = count + 1, bool(line.done)
                text = thoughts.take(line.message.content or "") + (thoughts.rest() if done else "")
                if text:
                    budget.begun = budget.begun or bool(text.strip())
                    yield text
        if not done:
            log.warning("answer_cut", model=self.name, tokens=count)
        if not budget.begun:
            raise EngineFailed("ollama", f"{self.name} não respondeu nada")

    async def check(self) -> None:
        """Return when the server is there and has the model. Raises LinkDown, EngineMissing or EngineFailed."""
        model = self._model()
        have = await self._guarded(self._client.list(), _Budget(MOST_TO_LIST_S, MOST_TO_LIST_S))
        if not {model, f"{model}:latest"} & {known.model for known in have.models}:
            raise _not_pulled(model)

    def close(self) -> None:
        """Nothing is held between answers."""

    async def _ask(self, messages: Sequence[ChatMessage], limit: int) -> AsyncGenerator[ChatResponse, None]:
        """Return the answer's lines; the request is sent when the first is asked for."""
        lines = await self._client.chat(
            model=self.name,
            messages=[{"role": message.role, "content": message.content} for message in messages],
            stream=True,
            think=False,
            keep_alive=KEEP_ALIVE,
            options={"temperature": self._temperature(), "num_predict": limit},
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
            raise EngineFailed("ollama", budget.complaint()) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as away:
            raise LinkDown("ollama", f"não respondeu em {self._url}") from away
        except ResponseError as refused:
            if refused.status_code == httpx.codes.NOT_FOUND:
                raise _not_pulled(self.name) from refused
            raise EngineFailed("ollama", f"erro do servidor: {str(refused)[:200]}") from refused
        except httpx.HTTPError as cut:
            raise EngineFailed("ollama", f"a resposta foi cortada no meio ({type(cut).__name__})") from cut
        except (ValueError, ValidationError, AttributeError, TypeError) as garbage:
            raise EngineFailed("ollama", "o servidor respondeu algo que não é do Ollama") from garbage
        finally:
            budget.spent_s += loop.time() - started


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


class _Bounded(httpx.AsyncHTTPTransport):
    """Ends a response that never ends: a line without an end would fill the memory."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.stream = _BoundedStream(cast("httpx.AsyncByteStream", response.stream))
        return response


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > MOST_BYTES:
                raise httpx.ReadError(f"more than {MOST_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _not_pulled(model: str) -> EngineMissing:
    return EngineMissing("ollama", f"o modelo {model} não está instalado", f"ollama pull {model}")
