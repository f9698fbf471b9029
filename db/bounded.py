"""Work that is left behind when it takes too long: a frozen server may hold up even the cancelling of what waits.

What is left behind is cancelled, so it takes no further step by itself: a transaction that had not begun to commit
never will, whatever the server still carries out of it once it thaws.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from db.errors import LinkDown

T = TypeVar("T")
PROMISE_S = 2.0
"""So long somebody waits for a promise, beside the second that the ledger itself waits for a frozen database."""
_LEFT: set[asyncio.Future[Any]] = set()


async def within(bound_s: float, work: Awaitable[T]) -> T:
    """Return what `work` returns. Raises what it raises, and LinkDown when it is not done after `bound_s`."""
    task = asyncio.ensure_future(work)
    _LEFT.add(task)
    task.add_done_callback(_forget)
    try:
        done, _ = await asyncio.wait({task}, timeout=bound_s)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise LinkDown("postgres", f"no answer within {bound_s:g} s")
    return task.result()


def _forget(task: "asyncio.Future[Any]") -> None:
    _LEFT.discard(task)
    if not task.cancelled():
        task.exception()
