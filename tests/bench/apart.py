"""A bench's server in a process of its own, as real servers are: what it costs to serve is not ours.

Both processes read one clock (CLOCK_MONOTONIC), so moments that the server tells can be compared with our own.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

Tell = Callable[[Any], None]
Serves = Callable[..., AbstractAsyncContextManager[str]]
"""Takes a Tell and what it was given, serves until its end, and yields the address."""
READY_S = 30
TOLD_S = 10


@dataclass(frozen=True, slots=True)
class Apart:
    """A server at `url`."""

    url: str
    _line: Connection

    def told(self) -> Any:
        """Return the next thing that the server told. Raises TimeoutError where it tells nothing."""
        if not self._line.poll(TOLD_S):
            raise TimeoutError("the server told nothing")
        return self._line.recv()


@asynccontextmanager
async def apart(serves: Serves, *given: object) -> AsyncIterator[Apart]:
    """Run `serves`, a function of a module, in another process until the end."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_run, args=(theirs, serves, given), daemon=True)
    process.start()
    theirs.close()
    try:
        if not await asyncio.to_thread(ours.poll, READY_S):
            raise TimeoutError("the server did not begin")
        yield Apart(ours.recv(), ours)
    finally:
        ours.close()
        await asyncio.to_thread(process.join)
        process.close()


def _run(line: Connection, serves: Serves, given: tuple[object, ...]) -> None:
    asyncio.run(_serve(line, serves, given))


async def _serve(line: Connection, serves: Serves, given: tuple[object, ...]) -> None:
    async with serves(line.send, *given) as url:
        line.send(url)
        hung_up = asyncio.Event()
        asyncio.get_running_loop().add_reader(line.fileno(), hung_up.set)
        await hung_up.wait()
