"""Whether Mordomo was away: a file says when it was last alive, and the machine for how long it slept."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

BEAT = timedelta(seconds=20)
"""The file is not written more often."""
LEAST = timedelta(minutes=5)
"""A shorter absence is not worth a word."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Mordomo was away; `power` says that the machine was off, `asleep` that it slept (suspend)."""

    since: datetime
    until: datetime
    power: bool
    asleep: bool = False


def slept_s() -> float:
    """Return for how many seconds this machine has slept since it started: one of its clocks counts that, one not."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC))


class Pulse:
    """The sign of life. Without a file (None) nothing is remembered from one process to the next."""

    def __init__(
        self, file: Path | None = None, *, booted: datetime | None = None, slept: Callable[[], float] = lambda: 0.0
    ) -> None:
        """`booted` is when the machine started, or None where that is not known; `slept` is `slept_s`."""
        self._file = file
        self._booted = booted
        self._slept = slept
        self._slept_s = slept()
        self._last = self._read()

    def outage(self, now: datetime) -> Outage | None:
        """Return the absence that ends with this start, or None where there was none to speak of."""
        last = self._last
        if last is None or now - last < LEAST:
            return None
        return Outage(last, now, power=self._booted is not None and self._booted > last)

    def woke(self, now: datetime) -> Outage | None:
        """Return the sleep of the machine that is just over, or None where it did not sleep long.

        A wall clock that jumps is no sleep: the machine counts how long it slept.
        """
        before, self._slept_s = self._slept_s, self._slept()
        if self._last is None or self._slept_s - before < LEAST.total_seconds():
            return None
        return Outage(self._last, now, power=False, asleep=True)

    def beat(self, now: datetime) -> None:
        """Note that we live."""
        if self._last is None or not timedelta(0) <= now - self._last < BEAT:
            self._last = now
            self._write(now)

    def _read(self) -> datetime | None:
        if self._file is None:
            return None
        try:
            told = datetime.fromisoformat(self._file.read_text().strip())
        except (OSError, ValueError):
            return None
        return told if told.tzinfo is not None else None

    def _write(self, now: datetime) -> None:
        if self._file is None:
            return
        beside = self._file.with_name(self._file.name + ".new")
        # A disk that is full costs a sentence about the outage, no reminder.
        with suppress(OSError):
            beside.write_text(now.isoformat())
            os.replace(beside, self._file)  # noqa: PTH105
