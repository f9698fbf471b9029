"""Commands that are not for now: at an hour, after a while, again and again, or for a while and then back.

What is to be done later is a row of the kind `command`, committed before it is promised; its plan are intents, which
these same skills carry out when it is due. "Por dez minutos" stores what puts it back first, and acts then: whatever
dies in between, the lamp goes out again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from daemon.errors import CannotDo, LinkDown, Spoken
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.moments import first_of, meant
from daemon.skills.saying import listed, spoken_duration, spoken_rule
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill
from daemon.skills.undoing import opposite
from db import reminder_changes, reminders
from db.audit import Acting
from db.bounded import PROMISE_S, within
from db.causes import Deed
from db.database import Database
from db.recurrence import Days, WorkingDays
from db.reminder_search import of_kind
from db.reminders import Due

START = frozenset({"delay_s", "when", "rrule", "on_holiday"})
LATER = START | {"for_s"}
"""Slots of a command that is not, or not only, for now."""
TURNED: Mapping[str, str] = {"HassTurnOn": "HassTurnOff", "HassTurnOff": "HassTurnOn"}
PERCENT = frozenset({"set_brightness", "set_position", "set_speed", "set_tilt", "set_volume", "set_humidity"})
PUTS_BACK = "puts_back"
"""The key of `metadata` under which a command tells which things it puts back."""
AUTHORITY = "authority"
"""The key of `metadata` under which a command tells by whose leave it will be done: `role`, `user_id`."""
SECOND = timedelta(seconds=1)


def postponable(
    skills: Mapping[str, Skill], db: Database, replies: Replies, calendar: Callable[[], WorkingDays | None]
) -> dict[str, Skill]:
    """Return the skills so that they obey LATER too, on this calendar."""
    return {
        name: replace(skill, actions=later.actions, act=later.act)
        for name, skill in skills.items()
        for later in [Later(skill, skills, db, replies, calendar)]
    }


def wire(intent: Intent) -> dict[str, Any]:
    """Return an intent as a plan holds it."""
    slots = {slot: list(value) if isinstance(value, tuple) else value for slot, value in intent.slots.items()}
    return {"intent": intent.name, "targets": list(intent.targets), "slots": slots}


@dataclass(frozen=True, slots=True)
class Later:
    """One skill that moves devices, now or later. `others` are all of them: one puts back what another did."""

    skill: Skill
    others: Mapping[str, Skill]
    db: Database
    replies: Replies
    calendar: Callable[[], WorkingDays | None]

    def actions(self, intent: Intent, context: Context) -> tuple[Action, ...]:
        """Return what is done now; of what is for later, that it is stored. Raises as the skill itself."""
        now = self.skill.actions(_without(intent, LATER), context)
        if not LATER & intent.slots.keys() or not now:
            return now
        stored = Action("reminder", "schedule_command", {"targets": list(intent.targets), **intent.slots})
        return (stored,) if START & intent.slots.keys() else (*now, stored)

    async def act(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Do it now, or store it, or both."""
        if not LATER & intent.slots.keys() or not actions:
            return await self.skill.act(_without(intent, LATER), actions, context)
        if START & intent.slots.keys():
            return await self._promise(intent, context)
        return await self._for_a_while(intent, actions, context)

    async def _promise(self, intent: Intent, context: Context) -> Carried:
        """Store it for its moment and say it back. Raises AsksBack for one that is over."""
        when = meant(intent.slots, context.now)
        if when is None:
            raise AsksBack(self.replies.say("reminder.when"), _without(intent, START), "when")
        skips = intent.slots.get("on_holiday") == "skip"
        at = first_of(when, context, Days(self.calendar(), "skip")) if when.rrule and skips else when.at
        if at is None:
            raise CannotDo(self.replies.say("reminder.never"))
        if at <= context.now and not when.rrule:
            past = self.replies.say("later.past", moment=self.replies.moment(at, context.now))
            raise AsksBack(past, _without(intent, START), "when")
        doing = self._doing(self.skill.actions(_without(intent, LATER), context))
        stored = await self._store(doing, at, [_without(intent, START)], context, rrule=when.rrule,
                                   calendar=self.calendar(), on_holiday="skip" if skips else None)  # fmt: skip
        moment = spoken_rule(when.rrule, at, skips=skips) if when.rrule else self.replies.moment(at, context.now)
        key = "later.promised" if doing else "later.unheard"
        said = self.replies.say(key, doing=_i(doing), moment=moment)
        if isinstance(for_s := intent.slots.get("for_s"), int | float):
            said = self.replies.say("later.for", promised=said.rstrip("."), length=spoken_duration(for_s))
        return Carried(said, (Done(ok=True, result={"reminder_id": str(stored), "scheduled_at": at.isoformat()}),))

    async def _for_a_while(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Store what puts it back, then do it; where nothing obeyed there is nothing to put back."""
        now, moved = _without(intent, LATER), [action for action in actions if action.name != "schedule_command"]
        back, undone = self._back(now, moved, context)
        things = sorted({str(action.parameters.get("entity_id")) for action in moved})
        before = await self._waiting_for(things)
        if before is not None:
            # How it was before that is how it is to be again, not how it is meanwhile.
            back = [as_intent(step) for step in before.plan or ()]
            undone = [before.title]
        at = context.now + timedelta(seconds=float(str(intent.slots["for_s"])))
        if not back or at <= context.now + SECOND:
            raise CannotDo(self.replies.say("later.cannot_undo"))
        stored = await self._store(undone, at, back, context, late="speak", metadata={PUTS_BACK: things})
        done = await self.skill.act(now, moved, context)
        if not any(outcome.ok for outcome in done.outcomes):
            await self._cancel(stored, context)
            return replace(done, outcomes=(*done.outcomes, Done(ok=False, result={}, error=done.say)))
        if before is not None:
            await self._cancel(before.id, context)
        moment = self.replies.moment(at, context.now)
        said = f"{done.say} {self.replies.say('later.back', doing=_i(undone), moment=moment)}" if undone else done.say
        result = {"reminder_id": str(stored), "scheduled_at": at.isoformat()}
        return replace(done, say=said, outcomes=(*done.outcomes, Done(ok=True, result=result)))

    async def _waiting_for(self, things: Sequence[str]) -> Due | None:
        """Return what waits already to put just these things back."""
        return next((due for due in await of_kind(self.db, "command") if due.metadata.get(PUTS_BACK) == things), None)

    async def _cancel(self, reminder_id: UUID, context: Context) -> None:
        await reminder_changes.cancel(Acting(self.db, context.who, context.channel), [reminder_id])

    def _back(self, intent: Intent, actions: Sequence[Action], context: Context) -> tuple[list[Intent], list[str]]:
        """Return what puts everything back as it is now, and that in words; nothing where something cannot be.

        What would let somebody in is not put back: nobody will be there to say yes.
        """
        if intent.name in TURNED and not {"brightness", "color"} & intent.slots.keys():
            back = [Intent(TURNED[intent.name], intent.targets, {"name": intent.slots.get("name")})]
        else:
            known = {thing.id: thing for thing in context.household.things}
            found = [_opposite(known.get(str(action.parameters.get("entity_id"))), action) for action in actions]
            back = [each for each in found if each is not None] if None not in found else []
        try:
            made = [action for each in back for action in self.others[each.name].actions(each, context)]
        except (Spoken, KeyError):
            return [], []
        return back if made else [], self._doing(made)

    async def _store(
        self, doing: Sequence[str], at: datetime, plan: Iterable[Intent], context: Context,
        metadata: Mapping[str, Any] = MappingProxyType({}), **more: Any,
    ) -> UUID:  # fmt: skip
        by = context.approver or context.speaker
        authority: dict[str, Any] = {"role": by.role, "user_id": str(by.id) if by.id else None}
        if not by.trusted:
            authority["trusted"] = False
        try:
            return await within(PROMISE_S, reminders.create(
                Acting(self.db, context.who, context.channel), listed(doing) or "o que foi pedido",
                at.astimezone(UTC), context.user_id, zone=context.zone, kind="command", area=context.area,
                created_by=context.person, plan=[wire(each) for each in plan],
                metadata={**metadata, AUTHORITY: authority}, **more,
            ))  # fmt: skip
        except ValueError as wrong:
            raise CannotDo(str(wrong)) from wrong
        except LinkDown as down:
            raise CannotDo(self.replies.say("later.not_promised")) from down

    def _doing(self, actions: Sequence[Action]) -> list[str]:
        """Return what actions do, as infinitives: `apagar a luz da sala`, each verb once with all its things."""
        groups: dict[tuple[str, Any], list[str]] = {}
        for action in actions:
            if (name := action.parameters.get("name")) is not None:
                value = action.parameters.get("said", action.parameters.get("value"))
                groups.setdefault((action.name, value), []).append(str(name))
        return [
            self.replies.devices("promised" if value is None else "promised_at", verb, names, value=_told(verb, value))
            for (verb, value), names in groups.items()
        ]


def _without(intent: Intent, slots: frozenset[str]) -> Intent:
    return replace(intent, slots={name: value for name, value in intent.slots.items() if name not in slots})


def as_intent(step: Mapping[str, Any]) -> Intent:
    """Return an intent that a plan holds."""
    return Intent(str(step["intent"]), tuple(step.get("targets") or ()), dict(step.get("slots") or {}))


def _opposite(thing: Thing | None, action: Action) -> Intent | None:
    if thing is None:
        return None
    now = {"previous": {**thing.attributes, "state": thing.state}}
    moment = datetime.min.replace(tzinfo=UTC)
    return opposite(
        thing, Deed(action.id, action.name, action.parameters, now, "success", moment, moment, None, None, None, None)
    )


def _told(verb: str, value: object) -> object:
    """Return a level with its unit."""
    if not isinstance(value, int | float):
        return value
    if verb.startswith("set_temperature"):
        return f"{value:g} graus"
    return f"{value:g}%" if verb in PERCENT else f"{value:g}"


def _i(doing: Sequence[str]) -> str:
    """Return what I do, from the infinitives: `apagar a luz` is `apago a luz`. All verbs of devices are regular."""
    return listed([f"{verb[:-2]}o {rest}" for verb, _, rest in (each.partition(" ") for each in doing)])
