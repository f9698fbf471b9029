"""The ledger, by voice: who did it, why, when, what Mordomo did today, and taking back what the last turn changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from daemon.errors import CannotDo
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.orders import targets
from daemon.skills.skill import Action, Carried, Context, Done, Skill, joined, standing_for
from daemon.skills.undoing import first_of, opposite
from db import causes
from db.causes import Change, Deed
from db.database import Database

TOLD = 6
"""So many of the day's deeds are told; the rest are counted."""
RECENT = timedelta(hours=1)
"""How long ago a turn may be that "desfaz" means."""
SAME = timedelta(seconds=10)
"""A change so soon after our own order is that order's, also where nobody wrote down why."""
PLAIN = ("HassTurn", "HassToggle", "HassLight", "HassSet", "HassFan", "HassClimateSet", "ClimateSet", "Cover", "Alarm",
         "Press", "HassMedia", "HassVacuum", "HassLawn", "RunRoutine", "Undo")  # fmt: skip
"""How the intents begin whose words anybody of the house may be told."""
STATES: Mapping[str, list[str]] = {
    "on": ["on", "cool", "heat", "auto", "dry", "fan_only", "heat_cool", "playing", "idle", "paused", "cleaning"],
    "off": ["off", "standby", "docked"],
    "open": ["open", "opening", "unlocked", "unlocking"],
    "closed": ["closed", "closing", "locked", "locking"],
}
VERBS: Mapping[str, list[str]] = {
    "on": ["turn_on", "toggle", "set_brightness", "set_color", "set_color_temp", "set_effect", "set_mode", "set_speed",
           "play", "start", "press"],
    "off": ["turn_off", "toggle", "return_home", "set_brightness", "set_mode"],
    "open": ["open", "unlock", "unlatch", "toggle", "set_position", "turn_on"],
    "closed": ["close", "lock", "toggle", "set_position", "turn_off"],
}  # fmt: skip
"""States and verbs that "ligou", "apagou", "abriu" and "fechou" may speak of."""


@dataclass(frozen=True, slots=True)
class LedgerSkills:
    """The skills over the ledger and the history of states."""

    db: Database
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {"Undo": standing_for(self.undo)}

    async def tell(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Tell who, why or when, of a thing; without one, what was done today or yesterday."""
        if intent.slots.get("asked") == "what":
            return await self._day(intent, context)
        things = targets(intent, context)
        if not things:
            raise CannotDo(self.replies.say("devices.none_found", seed=context.seed))
        to = str(intent.slots.get("to") or "")
        found = [(thing, *await self._cause(thing, to, context)) for thing in things]
        known = [(thing, change, deed) for thing, change, deed in found if change or deed]
        if not known:
            raise CannotDo(self.replies.say("ledger.nothing", name=things[0].name))
        thing, change, deed = max(known, key=lambda one: _moment(one[1], one[2]))
        said = self._told(thing, change, deed, context)
        return Carried(said, (Done(ok=True, result={"action_id": str(deed.id) if deed else None}),))

    async def undo(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the intents that put back what the last turn here changed. Raises CannotDo where nothing can be."""
        since = context.now.astimezone(UTC) - RECENT
        deeds = await causes.last_turn(self.db, since, context.area)
        if not deeds:
            raise CannotDo(self.replies.say("undo.nothing", seed=context.seed))
        known = {thing.id: thing for thing in context.household.things}
        backwards = [
            made
            for deed in first_of(deeds)
            if (thing := known.get(str(deed.parameters.get("entity_id")))) is not None
            and (made := opposite(thing, deed)) is not None
        ]
        if not backwards:
            raise CannotDo(self.replies.say("undo.cannot", name=str(deeds[0].parameters.get("name"))))
        marks: dict[str, Any] = {"undoes": str(deeds[0].message_id)}
        if CONFIRMED in intent.slots:
            marks[CONFIRMED] = intent.slots[CONFIRMED]
        return tuple(Intent(one.name, one.targets, {**one.slots, **marks}) for one in joined(backwards))

    async def _cause(self, thing: Thing, to: str, context: Context) -> tuple[Change | None, Deed | None]:
        """Return the last change to that state, and the deed of ours that brought it about, if one did."""
        now = context.now.astimezone(UTC)
        change = await causes.last_change(self.db, thing.id, now, STATES.get(to))
        deed = await causes.last_deed(self.db, thing.id, now, VERBS.get(to))
        if change is None or (deed is not None and deed.at > change.at):
            return None, deed  # the history of states is written a little after the fact
        if change.action_id is not None:
            return change, await causes.deed(self.db, change.action_id, now)
        return change, deed if deed is not None and change.at <= deed.at + SAME else None

    def _told(self, thing: Thing, change: Change | None, deed: Deed | None, context: Context) -> str:
        moment = self.replies.moment(_moment(change, deed).astimezone(context.zone), context.now)
        if deed is None:
            key = "ledger.house" if change is not None and change.cause == "house" else "ledger.unknown"
            return self.replies.say(key, name=thing.name, moment=moment)
        if deed.message_id is None or not deed.words:
            return self.replies.say("ledger.mine_planned", moment=moment)
        if deed.source == "schedule":
            who = self._who(deed, context)
            return self.replies.say("ledger.mine_scheduled", moment=moment, who=who, words=deed.words)
        if by := deed.parameters.get("approved_by"):
            asked = str(deed.parameters.get("asked_by"))
            return self.replies.say("ledger.mine_allowed", moment=moment, words=deed.words, asked=asked, by=by)
        if deed.source == "mqtt":
            return self.replies.say("ledger.mine_mqtt", moment=moment, words=deed.words)
        who = self._who(deed, context)
        key = "ledger.mine_written" if deed.source == "text" or not deed.area else "ledger.mine"
        said = self.replies.say(key, moment=moment, who=who, name=deed.area or "")
        return f"{said}: {deed.words}." if _may_hear(deed, context) else f"{said}."

    def _who(self, deed: Deed, context: Context) -> str:
        if deed.user_id is not None and deed.user_id == context.user_id:
            return self.replies.say("ledger.you")
        return deed.person or self.replies.say("ledger.somebody")

    async def _day(self, intent: Intent, context: Context) -> Carried:
        yesterday = intent.slots.get("day") == "yesterday"
        day = context.now.date() - timedelta(days=yesterday)
        since = datetime.combine(day, time(), context.zone)
        deeds = await causes.done_between(self.db, since.astimezone(UTC), (since + timedelta(days=1)).astimezone(UTC))
        told = self._sentences(deeds, context)
        done = (Done(ok=True, result={"count": len(deeds)}),)
        if not told:
            return Carried(self.replies.say("ledger.idle_yesterday" if yesterday else "ledger.idle"), done)
        said = self.replies.deeds(told[:TOLD], len(told), yesterday=yesterday)
        return Carried(said, done)

    def _sentences(self, deeds: Sequence[Deed], context: Context) -> list[tuple[str, datetime]]:
        """Return what was done as (sentence, moment), the newest first; what one turn did with one verb is one."""
        groups: dict[tuple[object, str, object], list[Deed]] = {}
        for deed in deeds:
            if (deed.result or {}).get("outcome") in {"confirmed", "sent"}:
                value = deed.parameters.get("said", deed.parameters.get("value"))
                groups.setdefault((deed.message_id or deed.id, deed.verb, str(value)), []).append(deed)
        told = []
        for (_, verb, _), several in groups.items():
            names = list(dict.fromkeys(str(deed.parameters.get("name")) for deed in several))
            value = several[0].parameters.get("said", several[0].parameters.get("value"))
            told.append((self.replies.devices("confirmed", verb, names, value=value),
                         several[0].created_at.astimezone(context.zone)))  # fmt: skip
        return told


def _may_hear(deed: Deed, context: Context) -> bool:
    """Tell whether this person may be told the words: their own, or such as only moved devices.

    What else was said in the same breath ("e me lembra do presente da Bia") is nobody else's.
    """
    if deed.user_id is not None and deed.user_id == context.user_id:
        return True
    said = deed.parameters.get("words") is not None or deed.intent is None
    return said or all(name.startswith(PLAIN) for name in (deed.intent or "").split("+"))


def _moment(change: Change | None, deed: Deed | None) -> datetime:
    if change is not None:
        return change.at
    assert deed is not None  # noqa: S101 - one of them is known
    return deed.at
