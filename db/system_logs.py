"""The system's log as rows: written in batches over COPY, on a connection that does nothing else."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import asyncpg

from db.database import OwnConnection, connect, translated

Level = Literal["DEBUG", "INFO", "WARN", "ERROR"]

WRITE_S = 10.0
"""Longest a batch may take."""
CLOSE_S = 1.0
AT_ONCE = 50
"""Lines written down before others get their turn: a fraction of a millisecond."""
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError, ValueError)
"""What no retry helps: the line itself is bad."""


class Line(NamedTuple):
    """One line. `timestamp` is aware; `source` has 100 characters at most; `metadata` is a JSON object, as text.

    No text holds what PostgreSQL cannot (`db.database.storable`).
    """

    timestamp: datetime
    level: Level
    source: str
    message: str
    metadata: str


class LogTable:
    """The table `system_logs`, to append to, on a connection of its own."""

    def __init__(self, connection: OwnConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str) -> "LogTable":
        """Connect. Raises LinkDown."""
        return cls(await connect(url, command_timeout=WRITE_S, json_codec=False))

    async def append(self, lines: Sequence[Line]) -> int:
        """Store the lines in one transaction; return how many the database refused, which are left out.

        Raises LinkDown: then none was stored, or (when the link broke at the very end) all.
        """
        try:
            await self._copy(lines)
        except REFUSED:
            if len(lines) == 1:
                return 1
            half = len(lines) // 2
            return await self.append(lines[:half]) + await self.append(lines[half:])
        return 0

    async def close(self) -> None:
        """Close the connection, within CLOSE_S."""
        try:
            await self._connection.close(timeout=CLOSE_S)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()

    async def _copy(self, lines: Sequence[Line]) -> None:
        with translated():
            async with self._connection.transaction():
                # Nobody waits for a log to reach the disk, and the disk has turns to keep.
                await self._connection.execute("SET LOCAL synchronous_commit = off")
                await self._connection.copy_records_to_table(
                    "system_logs", records=_paced(lines), columns=Line._fields, timeout=WRITE_S
                )


async def _paced(lines: Sequence[Line]) -> AsyncGenerator[Line, None]:
    for number, line in enumerate(lines, 1):
        yield line
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
