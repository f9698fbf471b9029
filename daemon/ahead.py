"""Reading ahead: the producer goes on while the consumer is busy speaking."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(source: AsyncIterator[T], depth: int = 256) -> AsyncGenerator[T, None]:
    """Yield what `source` yields, read by a task of its own up to `depth` ahead; its error comes after its items."""
    items: asyncio.Queue[T] = asyncio.Queue(depth)

    async def read() -> None:
        async for item in source:
            await items.put(item)

    reader = asyncio.create_task(read())
    try:
        while not (reader.done() and items.empty()):
            getting = asyncio.ensure_future(items.get())
            try:
                await asyncio.wait({getting, reader}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not getting.done():
                    getting.cancel()
            if getting.done() and not getting.cancelled():
                yield getting.result()
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
