"""Reminder skills: create and list by voice. "Anotado" is said only once the row is committed."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from daemon.errors import CannotDo, LinkDown
from daemon.language.plan import Intent, Value
from daemon.skills.agenda import AHEAD, Sought, about, day_of, named, narrowed, occurrences, pending, sought
from daemon.skills.moments import Meant, first_of, meant
from daemon.skills.reminder_changes import ReminderChanges
from daemon.skills.saying import at_clock, counted, listed, spoken_duration, spoken_rule
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import reminders
from db.audit import Acting
from db.recurrence import Days
from db.reminder_search import recent
from db.reminders import Due
from models.words import Kind

LISTED = 8
_LEADING = re.compile(r"^(?:de|que|pra|para)\s+", re.IGNORECASE)
"""What somebody begins with who answers "lembrar de quê?"."""
VISIBLE = timedelta(days=3)
"""So long what was spoken, or done, can still be asked for."""


class ReminderSkills(ReminderChanges):
    """All reminder skills: those that change what is there, and here those that create and read out."""

    __slots__ = ()

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "CreateReminder": Skill(asking("create_reminder", "reminder"), self.create),
            "ListReminders": Skill(asking("list_reminders"), self.read_out),
            **ReminderChanges.by_intent(self),
        }

    async def create(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Store a reminder or an alarm; asks for the time where it lacks. Raises CannotDo where it cannot promise."""
        title = _LEADING.sub("", str(intent.slots.get("message") or "").strip())
        kind: Kind = "alarm" if intent.slots.get("kind") == "alarm" else "reminder"
        if not title and kind == "reminder" and await self.just_spoken(context):
            return await self.snooze(intent, actions, context)
        if not title and kind == "reminder":
            raise AsksBack(self.replies.say("reminder.what"), intent, "message")
        when = self._when(intent, context, waking=kind == "alarm")
        at, lead_s = when.at, _lead_s(intent)
        if lead_s is not None and when.at - timedelta(seconds=lead_s) <= context.now:
            lead_s = None  # there is no such time left: it is told at the moment itself
        person = str(intent.slots["person"]) if intent.slots.get("person") else None
        try:
            created = await reminders.create(
                Acting(self.db, context.who, context.channel),
                title or "alarme",
                (at - timedelta(seconds=lead_s or 0)).astimezone(UTC),
                context.user_id,
                zone=context.zone,
                calendar=self.calendar(),
                kind=kind,
                rrule=when.rrule,
                area=context.area,
                created_by=context.person,
                addressee=person,
                lead_s=lead_s,
                on_holiday="skip" if intent.slots.get("on_holiday") == "skip" else None,
            )
        except ValueError as wrong:
            raise CannotDo(str(wrong)) from wrong
        except LinkDown as down:
            raise CannotDo(self.replies.say("reminder.not_promised")) from down
        said = self._created(kind, title, intent, when, context)
        if lead_s is not None:
            said += " " + self.replies.say("reminder.lead", ahead=spoken_duration(lead_s))
        return Carried(said, (Done(ok=True, result={"reminder_id": str(created), "scheduled_at": at.isoformat()}),))

    def _when(self, intent: Intent, context: Context, *, waking: bool) -> Meant:
        """Return the moment to come. Raises AsksBack where none is told, or one that is over, or a day without hour."""
        slots = intent.slots
        when = meant(slots, context.now, waking=waking)
        if when is None:
            key = "reminder.when_again" if slots.get("when") else "reminder.when"
            raise AsksBack(self.replies.say(key), _without_when(intent), "when")
        skips = slots.get("on_holiday") == "skip"
        if when.rrule and (skips or when.at <= context.now):
            when = replace(when, at=self._first(when, context, skips=skips))
        if when.at > context.now:
            return when
        if not when.hour and when.at.date() == context.now.date():
            asked = _without_when(intent, day=when.at.date().isoformat())
            raise AsksBack(self.replies.say("reminder.hour"), asked, "when")
        past = self.replies.say("reminder.past", moment=self.replies.moment(when.at, context.now))
        raise AsksBack(past, _without_when(intent), "when")

    def _first(self, when: Meant, context: Context, *, skips: bool) -> datetime:
        """Return the first occurrence yet to come. Raises CannotDo for a rule that makes none."""
        moment = first_of(when, context, Days(self.calendar(), "skip" if skips else None))
        if moment is None:
            raise CannotDo(self.replies.say("reminder.never"))
        return moment

    def _created(self, kind: Kind, title: str, intent: Intent, when: Meant, context: Context) -> str:
        moment = self.replies.moment(when.at, context.now)
        if when.rrule:
            moment = spoken_rule(when.rrule, when.at, skips=intent.slots.get("on_holiday") == "skip")
        said = self.replies.say(f"{kind}.created", seed=context.seed, title=title, moment=moment)
        key = "reminder.for_unknown" if intent.slots.get("unknown") else "reminder.for"
        person = str(intent.slots.get("person") or "")
        key = "reminder.for_them" if person[:1].islower() else key  # "as crianças", and no name
        return f"{said} {self.replies.say(key, name=person)}" if person else said

    async def read_out(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Read out what is to come: all of it, of a day, a span of days, a person, or what some words mean."""
        wanted = sought(intent, context)
        if "kind" not in intent.slots:
            wanted = replace(wanted, kinds=("reminder", "alarm"))
        start, until = _span(intent, wanted, context)
        if intent.slots.get("done"):
            return self._told(await self._over(wanted, context.now - VISIBLE, context), "reminder.over", context)
        looked_for = replace(wanted, day=None)
        found = await pending(self.db, looked_for, context, self.calendar())
        if intent.slots.get("who"):
            return self._who(found, context)
        coming = sorted(
            ((due, at) for due in found for at in self._within(due, start, until, context)), key=lambda each: each[1]
        )
        key = "alarm" if wanted.kinds == ("alarm",) else "command" if wanted.kinds == ("command",) else "reminder"
        carried = self._told([(due.title, at) for due, at in coming], key, context, asked=wanted, query=named(intent))
        if wanted.day == context.now.date():
            over = await self._over(looked_for, start.replace(hour=0, minute=0, second=0, microsecond=0), context)
            if over:
                told = listed([title for title, _ in over[:LISTED]])
                return replace(carried, say=f"{carried.say} {self.replies.say('reminder.today_over', listed=told)}")
        return carried

    def _within(self, due: Due, start: datetime, until: datetime | None, context: Context) -> list[datetime]:
        """Return when it comes: within the span every time, without one only the next."""
        if until is None:
            return [about(due, context.zone)]
        return occurrences(due, start, until, context.zone, self.calendar())

    async def _over(self, wanted: Sought, since: datetime, context: Context) -> list[tuple[str, datetime]]:
        found = await recent(self.db, since.astimezone(UTC), context.now.astimezone(UTC))
        kept = narrowed([due for due in found if due.status == "triggered"], wanted, context.zone, self.calendar())
        return [(due.title, about(due, context.zone)) for due in kept]

    def _told(
        self,
        coming: Sequence[tuple[str, datetime]],
        key: str,
        context: Context,
        asked: Sought | None = None,
        query: str = "",
    ) -> Carried:
        told = Done(ok=True, result={"count": len(coming)})
        if not coming and asked is not None and asked.person and asked.person[:1].isupper():
            return Carried(self.replies.say("reminder.none_for", name=asked.person), (told,))
        if not coming and query:
            return Carried(self.replies.say("reminder.none_matching", query=query), (told,))
        one_day = asked is not None and asked.day is not None and len({at.date() for _, at in coming}) == 1
        # Asked about one day, the day is told once.
        moments = [
            (title, at_clock(at) if one_day and place else self.replies.moment(at, context.now))
            for place, (title, at) in enumerate(coming[:LISTED])
        ]
        said = counted(
            self.replies,
            f"{key}.listed",
            len(coming),
            listed="; ".join(at if key == "alarm" else f"{title}, {at}" for title, at in moments),
        )
        if len(coming) > LISTED:
            said += " " + counted(self.replies, "reminder.more", len(coming) - LISTED)
        return Carried(said, (told,))

    def _who(self, found: Sequence[Due], context: Context) -> Carried:
        if not found:
            raise CannotDo(self.replies.say("reminder.none"))
        due = found[0]
        by = due.created_by or self.replies.say("reminder.somebody")
        said = self.replies.say("reminder.who", title=due.title, by=by,
                                moment=self.replies.moment(about(due, context.zone), context.now))  # fmt: skip
        return Carried(said, (Done(ok=True, result={"created_by": due.created_by}),))


def _lead_s(intent: Intent) -> int | None:
    told = intent.slots.get("lead_s")
    return round(told) if isinstance(told, int | float) and told > 0 else None


def _without_when(intent: Intent, **slots: Value) -> Intent:
    kept = {name: value for name, value in intent.slots.items() if name not in {"when", "delay_s"}}
    return replace(intent, slots={**kept, **slots})


def _span(intent: Intent, wanted: Sought, context: Context) -> tuple[datetime, datetime | None]:
    """Return from when to when is asked about; no end where it is about all that is to come."""
    if wanted.day is None:
        return context.now, None
    start, end = day_of(wanted.day, context.zone)
    if isinstance(until := intent.slots.get("until"), str):
        end = datetime.combine(datetime.fromisoformat(until).date(), time(), context.zone)
    return max(start, context.now), min(end, context.now + AHEAD)
