"""Reminder skills: create, list and cancel by voice. "Anotado" is said only once the row is committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from daemon.errors import CannotDo, LinkDown
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, Carried, Context, Done, Skill, asking
from db import reminders
from db.audit import Acting
from db.database import Database
from db.recurrence import next_occurrence
from db.reminders import Due

MORNING = time(9)
"""When a reminder for a day without an hour is spoken."""
AHEAD = timedelta(days=366)
LISTED = 8


@dataclass(frozen=True, slots=True)
class ReminderSkills:
    """The reminder skills over one database."""

    db: Database
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "CreateReminder": Skill(asking("create_reminder", "reminder"), self.create),
            "ListReminders": Skill(asking("list_reminders"), self.read_out),
            "CancelReminder": Skill(asking("cancel_reminder", "reminder"), self.cancel),
        }

    async def create(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Store a reminder; asks for the time where it lacks. Raises CannotDo where nothing can be promised."""
        title = str(intent.slots.get("message") or "").strip()
        when = _moment(intent.slots.get("when"), context)
        if when is None:
            raise CannotDo(self.replies.say("reminder.when", title=title))
        rule = intent.slots.get("rrule")
        if rule and when <= context.now:
            when = _next(str(rule), when, context)
        if when is None or when <= context.now:
            raise CannotDo(
                self.replies.say("reminder.past", moment=self.replies.moment(when or context.now, context.now))
            )
        metadata: dict[str, Any] = {"area": context.area} | ({"rrule": rule} if rule else {})
        try:
            created = await reminders.create(
                self._acting(context),
                title,
                when.astimezone(UTC),
                context.user_id,
                metadata=metadata,
                zone=context.zone,
            )
        except ValueError as wrong:
            raise CannotDo(str(wrong)) from wrong
        except LinkDown as down:
            raise CannotDo(self.replies.say("reminder.not_promised")) from down
        said = self.replies.reminder_created(title, when, context.now, str(rule) if rule else None, seed=context.seed)
        return Carried(said, (Done(ok=True, result={"reminder_id": str(created), "scheduled_at": when.isoformat()}),))

    async def read_out(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Read out what is pending, for a day or for the time to come."""
        day = intent.slots.get("date")
        if isinstance(day, str):
            start = datetime.combine(date.fromisoformat(day[:10]), time(), context.zone)
            until = start + timedelta(days=1)
            start = max(start, context.now)
        else:
            start, until = context.now, context.now + AHEAD
        try:
            found = await reminders.upcoming(self.db, start.astimezone(UTC), until.astimezone(UTC), limit=100)
        except LinkDown as down:
            raise CannotDo(self.replies.say("away.postgres")) from down
        moments = [(due.title, due.scheduled_at.astimezone(context.zone)) for due in found]
        said = self.replies.reminders_listed(moments[:LISTED], len(moments), context.now, seed=context.seed)
        return Carried(said, (Done(ok=True, result={"count": len(found)}),))

    async def cancel(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Cancel one by its words, or all; where the words fit several, asks which."""
        query = str(intent.slots.get("query") or "").strip()
        try:
            found = await self._meant(query, context)
            if not found:
                key = "reminder.none_matching" if query else "reminder.none"
                raise CannotDo(self.replies.say(key, query=query))
            if len(found) > 1 and not intent.slots.get("all"):
                moments = [(due.title, due.scheduled_at.astimezone(context.zone)) for due in found[:LISTED]]
                raise CannotDo(self.replies.which_reminder(moments, context.now))
            count = await reminders.cancel(self._acting(context), [due.id for due in found])
        except LinkDown as down:
            raise CannotDo(self.replies.say("away.postgres")) from down
        said = self.replies.reminders_cancelled([due.title for due in found], seed=context.seed)
        return Carried(said, (Done(ok=True, result={"cancelled": count, "ids": [str(due.id) for due in found]}),))

    def _acting(self, context: Context) -> Acting:
        return Acting(self.db, context.who, context.channel)

    async def _meant(self, query: str, context: Context) -> list[Due]:
        if query:
            return await reminders.matching(self.db, query.split())
        now = context.now.astimezone(UTC)
        return await reminders.upcoming(self.db, now, now + AHEAD, limit=1000)


def _next(rule: str, first: datetime, context: Context) -> datetime | None:
    """Return the first occurrence yet to come, in the household's zone. Raises CannotDo for a rule that makes none."""
    try:
        moment = next_occurrence(rule, first.replace(tzinfo=None), context.now, context.zone)
    except ValueError as wrong:
        raise CannotDo(str(wrong)) from wrong
    return None if moment is None else moment.astimezone(context.zone)


def _moment(when: object, context: Context) -> datetime | None:
    """Return the slot's moment, in the household's zone; a day alone means that day's MORNING."""
    if not isinstance(when, str):
        return None
    if len(when) == len("2026-11-20"):
        return datetime.combine(date.fromisoformat(when), MORNING, context.zone)
    return datetime.fromisoformat(when).astimezone(context.zone)
