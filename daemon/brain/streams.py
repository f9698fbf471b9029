"""A model's pieces on their way to the voice: how long to wait in silence, and calls that were written as text."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import TypeVar

from daemon.engines.protocols import Piece, ToolCall

T = TypeVar("T")

_TAGS = re.compile(r"</?tool_call>|```(?:json)?", re.IGNORECASE)
_WRITTEN = ("{", "[{", "<tool_call", "```")


async def patiently(pieces: AsyncIterator[Piece], patience_s: float) -> AsyncGenerator[Piece | None, None]:
    """Yield the pieces, and None before the first of them where that keeps us waiting for `patience_s`."""
    first = asyncio.ensure_future(_next(pieces))
    try:
        done, _ = await asyncio.wait({first}, timeout=patience_s)
        if not done:
            yield None
        began = await first
    finally:
        first.cancel()
        await asyncio.wait({first})
        if not first.cancelled():
            first.exception()  # whoever leaves early need not be told of it
    if began is not None:
        yield began
        async for piece in pieces:
            yield piece


async def after(kept: "asyncio.Future[None]", pieces: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield the pieces once `kept` has come. Raises as that."""
    async with aclosing(pieces):
        async for piece in pieces:
            await kept
            yield piece


async def _next(pieces: AsyncIterator[Piece]) -> Piece | None:
    return await anext(pieces, None)


def is_written_call(text: str) -> bool:
    """Tell whether a text begins as a call or another thing for programs, which nobody wants read aloud."""
    begun = text.lstrip()
    return begun.startswith(_WRITTEN) or (bool(begun) and "<tool_call".startswith(begun))


def written_call(text: str) -> ToolCall | None:
    """Return the call that a small model wrote as text instead of calling, or None."""
    try:
        told = json.loads(_TAGS.sub(" ", text).strip())
    except ValueError:
        return None
    told = told[0] if isinstance(told, list) and told else told
    if not isinstance(told, dict):
        return None
    inner = told.get("function", told)
    inner = inner if isinstance(inner, dict) else told
    name, arguments = inner.get("name"), inner.get("arguments", inner.get("parameters"))
    return ToolCall(name, arguments) if isinstance(name, str) and isinstance(arguments, dict) else None
