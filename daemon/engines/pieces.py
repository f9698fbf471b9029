"""From a thread that makes sound to a loop that plays it: in order, a bounded number ahead, stopped on request."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor

from daemon.audio.frames import Pcm

Put = Callable[[Pcm], bool]
"""Hands a piece over, waiting while the consumer is too far behind; False means that nobody listens any more."""


async def pieces(pool: Executor, produce: Callable[[Put], None], *, ahead: int) -> AsyncGenerator[Pcm, None]:
    """Run `produce` in `pool` and yield what it puts, at most `ahead` pieces before they are taken.

    Closing the generator (or cancelling whoever awaits it) returns at once; `produce` is told at its next `put`, and is
    not started at all if it had not begun. What `produce` raises is raised here, after its pieces.
    """
    loop = asyncio.get_running_loop()
    made: asyncio.Queue[Pcm | None] = asyncio.Queue()
    room = threading.Semaphore(ahead)
    abandoned = threading.Event()

    def put(piece: Pcm) -> bool:
        room.acquire()
        if abandoned.is_set():
            return False
        try:
            loop.call_soon_threadsafe(made.put_nowait, piece)
        except RuntimeError:  # the loop was closed meanwhile
            return False
        return True

    job = loop.run_in_executor(pool, produce, put)
    # The callback is scheduled after the last piece and comes even if the pool drops the job, so `get` always returns.
    job.add_done_callback(lambda _: made.put_nowait(None))
    try:
        while (piece := await made.get()) is not None:
            room.release()
            yield piece
        await job
    finally:
        abandoned.set()
        room.release()
        job.cancel()
