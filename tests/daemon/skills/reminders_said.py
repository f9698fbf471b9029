"""Reminder skills as the answer calls them, on a Friday morning."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from daemon.language.plan import Household, Intent, Value
from daemon.language.replies import Replies
from daemon.skills.reminders import ReminderSkills
from daemon.skills.skill import Carried, Context
from db.database import Database

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
CONTEXT = Context(NOW, Household(), area="sala")
TOMORROW_8 = "2026-11-21T08:00:00-03:00"


async def do(db: Database, what: str, **slots: Value) -> Carried:
    """Carry an intent out."""
    skill = ReminderSkills(db, Replies.load("pt_br")).by_intent()[what]
    intent = Intent(what, (), slots)
    return await skill.act(intent, skill.actions(intent, CONTEXT), CONTEXT)


async def titles(db: Database, status: str = "pending") -> list[str]:
    """Return what reminders of that status are called, the soonest first."""
    rows = await db.fetch("SELECT title FROM reminders WHERE status = $1 ORDER BY scheduled_at", status)
    return [row["title"] for row in rows]


async def spoken(db: Database, title: str, minutes_ago: int) -> None:
    """Store one that was spoken so long ago."""
    await db.execute(
        "INSERT INTO reminders (title, scheduled_at, triggered_at, status, times_spoken) VALUES ($1, $2, $2, 'triggered', 1)",
        title, NOW - timedelta(minutes=minutes_ago),
    )  # fmt: skip
