"""What the commands about reminders and lists share: the database, the clock, who acts, and what is meant by words."""

import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from daemon.commands.console import environment, fail

if TYPE_CHECKING:
    from db.audit import Acting
    from db.database import Connection, Database
    from db.recurrence import WorkingDays
    from db.reminders import Due
    from models.words import Kind

SAID = "amanhã às nove, daqui a dez minutos, toda terça às sete, 2026-12-01 10:00"
MOST = 1000
KINDS: "tuple[Kind, ...]" = ("reminder", "alarm", "timer", "command")
VISIBLE = timedelta(days=3)
"""So long what was spoken, or done, is still shown."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The database, the household's clock and working days, and who changes things."""

    db: "Database"
    zone: ZoneInfo
    now: datetime
    calendar: "WorkingDays | None"
    by: str

    @property
    def acting(self) -> "Acting":
        """For single statements."""
        from db.audit import Acting  # noqa: PLC0415

        return Acting(self.db, self.by, "cli")

    @asynccontextmanager
    async def changing(self) -> "AsyncIterator[Connection]":
        """Give a transaction in this person's name."""
        from db.audit import acting_as  # noqa: PLC0415

        async with acting_as(self.db, self.by, "cli") as connection:
            yield connection

    @property
    def utc(self) -> datetime:
        """Now, for the database."""
        return self.now.astimezone(UTC)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Open the household's database, whether the daemon runs or not."""
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.clock import SystemClock  # noqa: PLC0415
    from daemon.reminders.wiring import calendar_of  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    async with household_database(environment()) as db:
        preferences, _ = await load(db)
        zone = ZoneInfo(preferences[HOUSE_TIMEZONE])
        by = f"linha de comando ({getpass.getuser()})"
        yield Desk(db, zone, SystemClock().now().astimezone(zone), calendar_of(preferences), by)


async def pending(at: Desk, kinds: "Sequence[Kind]" = KINDS) -> "list[Due]":
    """Return all that is marked, of these kinds."""
    from db.reminder_search import of_kind  # noqa: PLC0415

    return [due for kind in kinds for due in await of_kind(at.db, kind, MOST)]


async def the_one(at: Desk, which: str) -> "Due":
    """Return the reminder whose id ends so. Ends the command where there is none, or several."""
    from db.reminder_search import recent  # noqa: PLC0415

    wanted = which.replace("-", "").lower()
    among = [*await pending(at), *await recent(at.db, at.utc - VISIBLE, at.utc, MOST)]
    found = {due.id: due for due in among if due.id.hex.endswith(wanted)} if wanted else {}
    if len(found) != 1:
        fail(
            f"Não há um lembrete {which}." if not found else f"Há {len(found)} que terminam em {which}. Diga mais dele."
        )
    return next(iter(found.values()))


def moment_of(text: str, at: Desk, repeat: str | None) -> tuple[datetime, str | None]:
    """Return the moment and the rule that are meant. Ends the command where none is."""
    from daemon.skills.moments import meant, said  # noqa: PLC0415

    when = meant({"when": text}, at.now)
    if when is None:
        fail(f"Não entendi quando é “{text}”. Diga, por exemplo: {SAID}.")
    if repeat is None:
        return when.at, when.rrule
    if "FREQ=" in repeat.upper():
        return when.at, repeat.upper().removeprefix("RRULE:")
    rule = said(repeat, at.now)
    if rule is None or rule.rrule is None:
        fail(f"Não entendi a repetição “{repeat}”. Diga, por exemplo: todo dia, toda terça, FREQ=WEEKLY;BYDAY=MO.")
    parts = [part for part in rule.rrule.split(";") if not part.startswith(("BYHOUR", "BYMINUTE"))]
    return when.at, ";".join(parts)


def length_of(text: str) -> int | None:
    """Return how many seconds the words say, or None."""
    from daemon.language.pt_br.durations import whole  # noqa: PLC0415
    from daemon.language.words import plain_words  # noqa: PLC0415

    return whole(plain_words(text))


def seconds_of(text: str) -> int:
    """Return how many seconds the words say. Ends the command where they say none."""
    seconds = length_of(text)
    if not seconds:
        fail(f"Não entendi quanto tempo é “{text}”. Diga, por exemplo: dez minutos, uma hora e meia.")
    return seconds
