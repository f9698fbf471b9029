"""NOTIFY, as a stream: a hint to look again, never the truth itself."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from db.database import OwnConnection, connect, translated
from db.errors import LinkDown

PING_TIMEOUT_S = 5.0
CLOSE_S = 1.0
BACKLOG = 1000
"""Notifications kept for a slow reader; when more come, they melt into one "look now"."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What arrived. With an empty `channel`: anything may have changed, look at everything now."""

    channel: str
    payload: str


LOOK_NOW = Notification("", "")


async def notifications(
    url: str, channels: Sequence[str], ping_s: float = 15.0, ping_timeout_s: float = PING_TIMEOUT_S
) -> AsyncGenerator[Notification, None]:
    """Yield what is notified on `channels`, on a connection of its own; first of all LOOK_NOW, once it listens.

    A link that died in silence is found after `ping_s` and `ping_timeout_s` seconds at most; one that closed, at once.
    Raises LinkDown when the link is lost or cannot be had. Use `contextlib.aclosing` where the loop may be left early.
    """
    connection = await connect(url, command_timeout=ping_timeout_s, json_codec=False)
    arrived: asyncio.Queue[Notification | None] = asyncio.Queue(BACKLOG)
    try:
        connection.add_termination_listener(lambda _: _put(arrived, None))
        with translated():
            for channel in channels:
                await connection.add_listener(
                    channel, lambda _c, _p, name, payload: _put(arrived, Notification(name, str(payload)))
                )
        yield LOOK_NOW
        while True:
            yield await _next(connection, arrived, ping_s)
    finally:
        with suppress(Exception):
            await connection.close(timeout=CLOSE_S)


async def _next(
    connection: OwnConnection, arrived: "asyncio.Queue[Notification | None]", ping_s: float
) -> Notification:
    while True:
        try:
            # Not `wait_for`: Python 3.11's loses a cancellation that meets its result.
            async with asyncio.timeout(ping_s):
                item = await arrived.get()
        except TimeoutError:
            with translated():
                await connection.execute("SELECT 1")
        else:
            if item is None:
                raise LinkDown("postgres", "the server closed the connection that listens")
            return item


def _put(arrived: "asyncio.Queue[Notification | None]", item: Notification | None) -> None:
    """Add what arrived; where the reader is too slow, forget the details and have it look at everything."""
    if arrived.full():
        while not arrived.empty():
            arrived.get_nowait()
        arrived.put_nowait(LOOK_NOW)
    arrived.put_nowait(item)
