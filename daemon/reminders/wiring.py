"""The parts of the reminders put together, with the household's preferences asked each time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from config.preferences import (
    HOUSE_CARNIVAL,
    HOUSE_HOLIDAYS,
    HOUSE_OWN_HOLIDAYS,
    HOUSE_TIMEZONE,
    REMINDERS_LEASE_S,
    REMINDERS_PUSH_KIND,
    REMINDERS_PUSH_URL,
    REMINDERS_QUIET_HOURS,
    Preferences,
)
from daemon.clock import Clock
from daemon.reminders.delivery import Delivery, Hands
from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Pulse, slept_s
from daemon.reminders.push import Push
from db.database import Database
from db.holidays import calendar
from db.recurrence import WorkingDays
from db.reminders import Due
from db.rooms import last_heard_in

ALIVE = "alive"
"""The file of the data folder that says when Mordomo lived last."""
HEARD_WITHIN = timedelta(hours=12)


def calendar_of(prefs: Preferences) -> WorkingDays:
    """Return the household's days off."""
    return calendar(prefs[HOUSE_HOLIDAYS], prefs[HOUSE_OWN_HOLIDAYS], carnival=prefs[HOUSE_CARNIVAL])


def push_of(db: Database, clock: Clock, prefs: Callable[[], Preferences]) -> Push:
    """Return what pushes to the address of the preferences."""
    return Push(db, clock, lambda: prefs()[REMINDERS_PUSH_URL], lambda: prefs()[REMINDERS_PUSH_KIND] == "ntfy")


def zone_of(prefs: Callable[[], Preferences]) -> Callable[[], ZoneInfo]:
    """Return what tells the household's zone."""
    return lambda: ZoneInfo(prefs()[HOUSE_TIMEZONE])


def quiet_hours_of(prefs: Callable[[], Preferences]) -> Callable[[], str]:
    """Return what tells the household's quiet hours."""
    return lambda: prefs()[REMINDERS_QUIET_HOURS]


def due_reminders(
    db: Database,
    delivery: Delivery,
    clock: Clock,
    prefs: Callable[[], Preferences],
    *,
    hands: Hands,
    data_dir: Path,
) -> DueReminders:
    """Return the service."""
    booted = datetime.fromtimestamp(psutil.boot_time(), UTC)
    return DueReminders(
        db,
        delivery,
        clock,
        lambda: prefs()[REMINDERS_LEASE_S],
        zone=zone_of(prefs),
        calendar=lambda: calendar_of(prefs()),
        hands=hands,
        pulse=Pulse(data_dir / ALIVE, booted=booted, slept=slept_s),
    )


async def room_of(db: Database, due: Due, now: datetime) -> str | None:
    """Return the room where the person whom a reminder is for was heard last; None for one of the whole house."""
    if due.user_id is None and due.addressee is None:
        return None
    of = None if due.addressee is not None else due.user_id
    return await last_heard_in(db, of, due.addressee, now - HEARD_WITHIN)
