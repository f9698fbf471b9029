"""Reminder skills that change what is there: cancel, move, put off, done. Asks back where several may be meant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from daemon.errors import CannotDo
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.language.words import plain_words
from daemon.skills.agenda import about, named, names_a_day, narrowed, pending, sought
from daemon.skills.moments import meant
from daemon.skills.saying import cardinal, spoken_rule
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import reminder_changes
from db.audit import acting_as
from db.database import Database
from db.recurrence import WEEKDAYS, WorkingDays
from db.reminder_search import recent, upcoming
from db.reminders import Due

ASKED_ABOUT = 4
"""So many are named when asking which."""
JUST = timedelta(minutes=30)
"""So long after it was spoken "me lembra em dez minutos" is about it."""
LATELY = timedelta(hours=24)
"""So long after it was spoken it can be said to be done."""
TOGETHER = timedelta(minutes=15)
SNOOZE_S = 600.0
ALL = frozenset("todos todas tudo ambos ambas dois duas tres quatro".split())
PLACES = {"primeiro": 0, "primeira": 0, "segundo": 1, "segunda": 1, "terceiro": 2, "terceira": 2,
          "ultimo": -1, "ultima": -1}  # fmt: skip
THIS = frozenset("so somente apenas esse este hoje amanha vez desse dessa essa esta".split())
EVERY = frozenset("todos todas sempre tudo frente diante seguintes serie".split())


@dataclass(frozen=True, slots=True)
class ReminderChanges:
    """The skills that change reminders. `calendar` are the household's working days; `hush` stops what rings."""

    db: Database
    replies: Replies
    calendar: Callable[[], WorkingDays | None] = lambda: None
    hush: Callable[[], bool] = lambda: False

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "CancelReminder": Skill(asking("cancel_reminder", "reminder"), self.cancel),
            "UpdateReminder": Skill(asking("update_reminder", "reminder"), self.update),
            "SnoozeReminder": Skill(asking("snooze_reminder", "reminder"), self.snooze),
            "CompleteReminder": Skill(asking("complete_reminder", "reminder"), self.complete),
        }

    async def cancel(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Cancel one by its words, its hour or its day, or all; where several fit, asks which.

        "Desliga o alarme" while one rings stops that, and leaves those of other days alone.
        """
        if intent.slots.keys() == {"kind"} and intent.slots["kind"] == "alarm" and self.hush():
            return _carried(self.replies.say("reminder.hushed", seed=context.seed), hushed=True)
        found = await self._found(intent, context)
        meant_ones = found if intent.slots.get("all") else self._chosen(found, intent, context)
        if intent.slots.get("all") and len(found) > 1 and CONFIRMED not in intent.slots:
            raise AsksBack(self._all_sure(found, context), intent, CONFIRMED)
        day = sought(intent, context).day
        if len(meant_ones) == 1 and meant_ones[0].rrule is not None and not intent.slots.get("all"):
            due = meant_ones[0]
            if day is not None or self._only_this(due, f"{due.kind}.cancel_scope", intent, context):
                return await self._skip(due, day or about(due, context.zone).date(), context)
        async with acting_as(self.db, context.who, context.channel) as connection:
            count = await reminder_changes.cancel(connection, [due.id for due in meant_ones])
        if len(meant_ones) == 1:
            kind = meant_ones[0].kind
            said = self.replies.say(
                f"{kind}.cancelled", title=meant_ones[0].title, moment=self._moment(meant_ones[0], context)
            )
        else:
            said = self.replies.reminders_cancelled([due.title for due in meant_ones], seed=context.seed)
        return _carried(said, cancelled=count, ids=[str(due.id) for due in meant_ones])

    async def update(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Move one to another moment; of a series it asks whether only this one. The hour alone keeps the day."""
        found = self._of_that_day(await self._found(intent, context), intent, context)
        due = self._chosen(found, intent, context)[0]
        at = self._new_moment(due, intent, context)
        if at <= context.now:
            past = self.replies.say("reminder.past", moment=self.replies.moment(at, context.now))
            raise AsksBack(past, _fixed(intent, due), "when")
        only = due.rrule is not None and self._only_this(due, f"{due.kind}.change_scope", _fixed(intent, due), context)
        more: dict[str, Any] = {} if only or due.rrule is None else {"rrule": moved(due.rrule, at)}
        spoken_at = at - timedelta(seconds=due.lead_s or 0)
        try:
            async with acting_as(self.db, context.who, context.channel) as connection:
                await reminder_changes.change(
                    connection, due.id, context.now.astimezone(UTC), context.zone, only_this=only,
                    scheduled_at=spoken_at.astimezone(UTC), calendar=self.calendar(), **more,
                )  # fmt: skip
        except ValueError as wrong:
            raise CannotDo(str(wrong)) from wrong
        moment = spoken_rule(more["rrule"], at) if more else self.replies.moment(at, context.now)
        said = self.replies.say(f"{due.kind}.changed", seed=context.seed, title=due.title, moment=moment)
        return _carried(said, reminder_id=str(due.id), scheduled_at=at.isoformat())

    def _of_that_day(self, found: Sequence[Due], intent: Intent, context: Context) -> Sequence[Due]:
        """Return those of the day that was said, where there are any: "muda o alarme de amanhã para as sete"."""
        when = meant(intent.slots, context.now) if len(found) > 1 and names_a_day(context.text, context.now) else None
        if when is None:
            return found
        that_day = replace(sought(intent, context), day=when.at.date())
        return narrowed(found, that_day, context.zone, self.calendar()) or found

    async def snooze(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Have what was just spoken said again in a while; without any, it moves the one that the words mean."""
        spoken = await self._spoken(intent, context, JUST)
        if not spoken:
            if intent.slots.get("query") and intent.slots.keys() & {"when", "duration_s"}:
                return await self.update(intent, actions, context)
            raise CannotDo(self.replies.say("reminder.nothing_spoken"))
        due = self._chosen(spoken, intent, context)[0] if intent.slots.get("query") else spoken[0]
        when = meant(intent.slots, context.now)
        until = when.at if when and when.at > context.now else context.now + timedelta(seconds=SNOOZE_S)
        async with acting_as(self.db, context.who, context.channel) as connection:
            await reminder_changes.snooze(connection, due.id, until.astimezone(UTC), context.now.astimezone(UTC))
        said = self.replies.say("reminder.snoozed", title=due.title, moment=self.replies.moment(until, context.now))
        return _carried(said, reminder_id=str(due.id), scheduled_at=until.isoformat())

    async def complete(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Note that something is done: what was spoken lately, or what is still to come today, by its words."""
        spoken = await self._spoken(intent, context, LATELY)
        if not spoken and intent.slots.get("query"):
            today = replace(sought(intent, context), day=context.now.date(), kinds=("reminder",))
            spoken = await pending(self.db, today, context, self.calendar())
        if not spoken:
            query = named(intent)
            raise CannotDo(
                self.replies.say("reminder.none_matching" if query else "reminder.nothing_spoken", query=query)
            )
        latest = spoken[0].triggered_at or spoken[0].scheduled_at
        rivals = [due for due in spoken if latest - (due.triggered_at or due.scheduled_at) < TOGETHER]
        due = self._chosen(rivals, intent, context)[0]
        async with acting_as(self.db, context.who, context.channel) as connection:
            await reminder_changes.complete(
                connection, due.id, context.now.astimezone(UTC), context.zone, by=context.person,
                calendar=self.calendar(),
            )  # fmt: skip
        return _carried(
            self.replies.say("reminder.completed", seed=context.seed, title=due.title), reminder_id=str(due.id)
        )

    def _all_sure(self, found: Sequence[Due], context: Context) -> str:
        told = [f"{due.title}, {self._moment(due, context)}" for due in found]
        few = len(found) <= ASKED_ABOUT
        key = "reminder.all_sure" if few else "reminder.all_sure_more"
        return self.replies.say(key, count=cardinal(len(found)), listed="; ".join(told if few else told[:1]))

    def _new_moment(self, due: Due, intent: Intent, context: Context) -> datetime:
        """Return to when it is moved: a wait is from its own hour, and a day alone keeps that hour."""
        was = about(due, context.zone)
        if isinstance(later_s := intent.slots.get("duration_s"), int | float):
            return was + timedelta(seconds=-later_s if intent.slots.get("earlier") else later_s)
        when = meant(intent.slots, context.now, waking=due.kind == "alarm")
        if when is None:
            raise AsksBack(self.replies.say("reminder.when"), _fixed(intent, due), "when")
        tomorrow = context.now + timedelta(days=1)
        if when.hour and when.at <= tomorrow and was.date() > when.at.date():
            # "Muda o dentista para as cinco": the next five o'clock is not meant, but that of its own day.
            return datetime.combine(was.date(), when.at.time(), context.zone)
        return when.at if when.hour else datetime.combine(when.at.date(), was.time(), context.zone)

    async def just_spoken(self, context: Context) -> bool:
        """Tell whether something was spoken so lately that "me lembra em dez minutos" is about it."""
        return bool(await self._spoken(Intent("SnoozeReminder"), context, JUST))

    async def _spoken(self, intent: Intent, context: Context, within: timedelta) -> list[Due]:
        """Return what rings or is being said, then what was spoken within a while and is not done, the latest first."""
        now = context.now.astimezone(UTC)
        saying = await upcoming(self.db, now - within, now, kinds=("alarm", "reminder"))
        found = [*saying, *(due for due in await recent(self.db, now - within, now) if due.done_at is None)]
        spoken = list({due.id: due for due in found if due.kind in {"reminder", "alarm"}}.values())
        wanted = sought(intent, context)
        return narrowed(spoken, replace(wanted, day=None, clock=None), context.zone, self.calendar())

    async def _found(self, intent: Intent, context: Context) -> list[Due]:
        """Return the pending ones that are meant. Raises CannotDo where there are none."""
        wanted = sought(intent, context)
        if _picks(intent):
            wanted = sought(replace(intent, slots={**intent.slots, "query": None}), context)
        if wanted.anything and wanted.kinds != ("command",):
            wanted = replace(wanted, kinds=tuple(kind for kind in wanted.kinds if kind != "command"))
        found = await pending(self.db, wanted, context, self.calendar())
        if found:
            return found
        query = named(intent)
        kind = "alarm" if wanted.kinds == ("alarm",) else "reminder"
        raise CannotDo(self.replies.say(f"{kind}.none_matching" if query else f"{kind}.none", query=query))

    def _chosen(self, found: Sequence[Due], intent: Intent, context: Context) -> list[Due]:
        """Return the one that is meant, or all where the answer said so. Raises AsksBack where it is not told."""
        said = _picks(intent)
        if said and ALL & set(said):
            return list(found)
        place = next((PLACES[word] for word in said if word in PLACES), None)
        if place is not None and -len(found) <= place < len(found):
            return [found[place]]
        if len(found) == 1:
            return list(found)
        told = "; ou ".join(f"{due.title}, {self._moment(due, context)}" for due in found[:ASKED_ABOUT])
        among = " ".join(str(intent.slots[each]) for each in ("among", "query") if intent.slots.get(each) and not said)
        asked = replace(intent, slots={**intent.slots, "among": among or intent.slots.get("among"), "query": None})
        key = "reminder.which" if len(found) <= ASKED_ABOUT else "reminder.which_of_many"
        raise AsksBack(self.replies.say(key, count=cardinal(len(found)), listed=told), asked, "query")

    def _only_this(self, due: Due, key: str, intent: Intent, context: Context) -> bool:
        """Tell whether only this occurrence is meant. Raises AsksBack where it is not told."""
        words = set(plain_words(str(intent.slots.get("scope") or "")))
        if EVERY & words:
            return False
        if THIS & words or "this" in words:
            return True
        rule = spoken_rule(str(due.rrule), about(due, context.zone))
        fixed = _fixed(intent, due)
        raise AsksBack(
            self.replies.say(key, title=due.title, rule=rule, moment=self._moment(due, context)), fixed, "scope"
        )

    async def _skip(self, due: Due, day: Any, context: Context) -> Carried:
        async with acting_as(self.db, context.who, context.channel) as connection:
            await reminder_changes.skip(
                connection, due.id, [day], context.now.astimezone(UTC), context.zone, calendar=self.calendar()
            )
        said = self.replies.say("reminder.skipped", title=due.title, day=self.replies.moment(day, context.now))
        return _carried(said, skipped=day.isoformat(), ids=[str(due.id)])

    def _moment(self, due: Due, context: Context) -> str:
        at = about(due, context.zone)
        return spoken_rule(due.rrule, at) if due.rrule else self.replies.moment(at, context.now)


def _picks(intent: Intent) -> list[str]:
    """Return the words of an answer that picks among those named: "o segundo", "todos", "os dois"."""
    said = list(plain_words(str(intent.slots.get("query") or "")))
    picking = [word for word in said if word in ALL or word in PLACES]
    return picking if picking and len(said) <= 3 and "among" in intent.slots else []


def _fixed(intent: Intent, due: Due) -> Intent:
    """Return the intent about this one, whatever is answered."""
    return replace(intent, slots={**intent.slots, "among": None, "query": None, "reminder_id": str(due.id)})


def moved(rule: str, at: datetime) -> str:
    """Return a rule that comes at another hour, and where it names one weekday, on another weekday."""
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    if "BYHOUR" in parts:
        parts |= {"BYHOUR": str(at.hour), "BYMINUTE": str(at.minute)}
    if parts.get("BYDAY") in WEEKDAYS:
        parts["BYDAY"] = WEEKDAYS[at.weekday()]
    if parts.get("BYMONTHDAY", "").isdecimal():
        parts["BYMONTHDAY"] = str(at.day)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _carried(say: str, **result: Any) -> Carried:
    return Carried(say, (Done(ok=True, result=result),))
