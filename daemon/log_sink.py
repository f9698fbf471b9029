"""The log's way into the database: a bounded backlog that anybody fills at once, and a service that empties it.

    log.info(…) ──▶ Backlog ──every second, or 500 lines──▶ LogSink ──COPY──▶ system_logs
                       └── full: the oldest line gives way, and is counted; the count is a line of its own, later

What the sink itself has to say goes to the console only, so that its troubles do not feed on themselves.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from daemon.errors import LinkDown
from db.system_logs import Level, Line, LogTable
from db.text import clipped, storable_json

log = structlog.get_logger(__name__)

MOST_LINES = 10_000
"""Lines kept while the database is away; some 5 MB of usual ones."""
MOST_CHARACTERS = 10_000_000
"""And characters, for unusual ones."""
BATCH_LINES = 500
MOST_BATCH = 2_000
FLUSH_S = 1.0
LAST_S = 1.0
"""How long the end of the daemon waits for the last lines."""
MOST_MESSAGE = 4_000
MOST_METADATA = 16_000
MOST_TRACE = 8_000
MOST_SOURCE = 100

LEVELS: Mapping[str, Level] = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "warn": "WARN"}
"""The seed's words; whatever is worse is ERROR."""
OUTSIDE = frozenset({"event", "level", "logger", "timestamp"})
"""What of an event has a column of its own."""

_of_the_sink: ContextVar[bool] = ContextVar("of_the_sink", default=False)


def line_of(event: Mapping[str, Any], at: datetime) -> Line:
    """Return an event as a line: bounded, immutable, with nothing in it that the database would refuse."""
    rest = {name: value for name, value in event.items() if name not in OUTSIDE}
    if isinstance(trace := rest.get("exception"), str) and len(trace) > MOST_TRACE:
        rest["exception"] = "…" + trace[-MOST_TRACE:]  # its end says what happened
    metadata = _written(rest)
    if len(metadata) > MOST_METADATA:
        metadata = json.dumps({"cut": clipped(metadata, MOST_METADATA // 2)}, ensure_ascii=False)
    return Line(
        at,
        LEVELS.get(str(event.get("level", "info")), "ERROR"),
        clipped(str(event.get("logger") or "mordomo"), MOST_SOURCE),
        clipped(str(event.get("event", "")), MOST_MESSAGE),
        metadata,
    )


def _written(rest: Mapping[str, Any]) -> str:
    """Return a JSON object that the database can hold; most are plain, and need no mending."""
    with suppress(TypeError, ValueError, RecursionError):
        plain = json.dumps(rest, ensure_ascii=False, allow_nan=False)
        if plain.isascii() and "\\u0000" not in plain:
            return plain
    return json.dumps(storable_json(rest), ensure_ascii=False)


class Backlog:
    """Lines on their way to the database: `put` from any thread, at once; when full, the oldest give way."""

    def __init__(
        self, most: int = MOST_LINES, enough: int = BATCH_LINES, most_characters: int = MOST_CHARACTERS
    ) -> None:
        self.enough_lines = enough
        self._lines: deque[Line] = deque()
        self._most = most
        self._most_characters = most_characters
        self._characters = 0
        self._lost = 0
        self._lock = threading.Lock()
        self._wake: Callable[[int], None] = lambda _: None

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def lost(self) -> int:
        """Lines that gave way and are not yet told of in the table."""
        return self._lost

    def put(self, line: Line) -> None:
        """Add a line. Never waits, never fails."""
        with self._lock:
            self._lines.append(line)
            self._characters += _characters(line)
            self._make_room()
            count = len(self._lines)
        if count in {1, self.enough_lines}:
            self._wake(count)

    def take(self, most: int) -> tuple[list[Line], int]:
        """Take the oldest lines out, and the count of those that were lost."""
        with self._lock:
            lines = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
            self._characters -= sum(map(_characters, lines))
            lost, self._lost = self._lost, 0
        return lines, lost

    def put_back(self, lines: Sequence[Line], lost: int) -> None:
        """Return what was taken, as far as there is room: newer lines are worth more."""
        with self._lock:
            self._lines.extendleft(reversed(lines))
            self._characters += sum(map(_characters, lines))
            self._lost += lost
            self._make_room()

    def _make_room(self) -> None:
        while len(self._lines) > self._most or self._characters > self._most_characters:
            self._characters -= _characters(self._lines.popleft())
            self._lost += 1

    def call_when_filling(self, wake: Callable[[int], None]) -> None:
        """Have `wake(count)` called, in whatever thread, with the first line and again when there are enough."""
        self._wake = wake


def _characters(line: Line) -> int:
    return len(line.message) + len(line.metadata)


class LogSink:
    """Empties the backlog into system_logs, over a connection of its own: no turn ever waits for it."""

    name = "log_sink"

    def __init__(
        self, backlog: Backlog, url: str, *, flush_s: float = FLUSH_S, now: Callable[[], datetime] | None = None
    ) -> None:
        self.written = 0
        self.dropped = 0
        self._backlog = backlog
        self._url = url
        self._flush_s = flush_s
        self._now = now or (lambda: datetime.now(UTC))
        self._some = asyncio.Event()
        self._enough = asyncio.Event()

    async def run(self) -> None:
        """Write until cancelled, then once more. Raises LinkDown; what was not written waits for the next run."""
        token = _of_the_sink.set(True)
        try:
            table = await LogTable.open(self._url)
            try:
                await self._empty_for_ever(table)
            finally:
                await table.close()
        finally:
            _of_the_sink.reset(token)

    async def _empty_for_ever(self, table: LogTable) -> None:
        loop = asyncio.get_running_loop()

        def wake(count: int) -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody is left to wake
                loop.call_soon_threadsafe((self._some if count == 1 else self._enough).set)

        self._backlog.call_when_filling(wake)
        try:
            while True:
                self._look()
                await self._some.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._flush_s):
                        await self._enough.wait()
                self._some.clear()
                self._enough.clear()
                await self._flush(table)
        except asyncio.CancelledError:
            with suppress(LinkDown, TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while self._backlog:
                        await self._flush(table)
            raise

    def _look(self) -> None:
        """Set the signals for what is there already."""
        if self._backlog or self._backlog.lost:
            self._some.set()
        if len(self._backlog) >= self._backlog.enough_lines:
            self._enough.set()

    async def _flush(self, table: LogTable) -> None:
        lines, lost = self._backlog.take(MOST_BATCH)
        told = [self._loss(lost)] if lost else []
        if not lines and not told:
            return
        try:
            refused = await table.append([*lines, *told])
        except asyncpg.PostgresError as error:
            # No such table, no right to it: somebody works on the database. It must not end the daemon.
            self._backlog.put_back(lines, lost)
            raise LinkDown("system_logs", f"{type(error).__name__}: {error}") from error
        except BaseException:
            self._backlog.put_back(lines, lost)
            raise
        self.written += len(lines) + len(told) - refused
        self.dropped += lost + refused
        if lost or refused:
            log.warning("log_lines_dropped", lines=lost, refused=refused)

    def _loss(self, lost: int) -> Line:
        return Line(self._now(), "WARN", __name__, "log_lines_dropped", json.dumps({"lines": lost}))


class Feed:
    """A structlog processor that puts each event into the backlog and passes it on."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def __call__(self, _logger: Any, _method: str, event: Any) -> Any:
        """Keep the event, unless the sink itself speaks. Whatever it holds, logging does not fail."""
        if not _of_the_sink.get():
            try:
                line = line_of(event, datetime.now(UTC))
            except Exception as error:  # a value whose str() fails may fail in any way
                line = Line(
                    datetime.now(UTC),
                    "ERROR",
                    __name__,
                    "log_line_unreadable",
                    json.dumps({"why": type(error).__name__}),
                )
            self._backlog.put(line)
        return event
