"""Timer skills: several at once, with names or without; started, paused, lengthened, asked about, stopped."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

from daemon.errors import CannotDo
from daemon.language.plan import Intent
from daemon.language.pt_br import durations, grammar
from daemon.language.replies import Replies
from daemon.language.words import plain_words, read
from daemon.skills.saying import counted, listed, spoken_duration
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import reminder_changes, reminders
from db.audit import Acting, acting_as
from db.database import Database
from db.reminder_search import of_kind
from db.reminders import Due
from db.words import holds, stems

UNNAMED = "timer"
LONGEST_S = 7 * 86400
ASKED_ABOUT = 4

Act = Callable[[Intent, Context, Due], Awaitable[Carried]]


@dataclass(frozen=True, slots=True)
class TimerSkills:
    """The timer skills over one database."""

    db: Database
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""

        def one(name: str, act: Act) -> Skill:
            async def on_one(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
                return await act(intent, context, await self._meant(intent))

            return Skill(asking(name, "reminder"), on_one)

        return {
            "HassStartTimer": Skill(asking("start_timer", "reminder"), self.start),
            "HassTimerStatus": Skill(asking("timer_status"), self.status),
            "HassCancelTimer": one("cancel_timer", self.stop),
            "HassCancelAllTimers": Skill(asking("cancel_timers", "reminder"), self.stop_all),
            "HassPauseTimer": one("pause_timer", self.pause),
            "HassUnpauseTimer": one("resume_timer", self.resume),
            "HassIncreaseTimer": one("lengthen_timer", self.lengthen),
            "HassDecreaseTimer": one("shorten_timer", self.shorten),
        }

    async def start(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Start a timer, which runs from the moment that it was asked for. Asks how long where it is not told."""
        seconds = _seconds(intent)
        if seconds is None or not 0 < seconds <= LONGEST_S:
            raise AsksBack(self.replies.say("timer.how_long"), _without_length(intent), "duration_s")
        name = str(intent.slots.get("name") or "").strip()
        ends = context.now + timedelta(seconds=seconds)
        created = await reminders.create(
            Acting(self.db, context.who, context.channel), name or UNNAMED, ends.astimezone(UTC), context.user_id,
            kind="timer", duration_s=round(seconds), area=context.area, created_by=context.person,
        )  # fmt: skip
        said = self.replies.say("timer.started", seed=context.seed, what=_what(name), length=spoken_duration(seconds))
        return _carried(said, reminder_id=str(created), ends=ends.isoformat())

    async def status(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Tell how long the timer has left, or each of them where several run."""
        found = await self._found(intent)
        left = {due.title: _left_s(due, context) for due in found}
        if len(found) == 1:
            return _carried(self._left(found[0], context), left_s=left)
        told = "; ".join(
            f"{_told(due)}, {_lacks(_left_s(due, context))} {_length(_left_s(due, context))}" for due in found
        )
        return _carried(counted(self.replies, "timer", len(found), listed=told), left_s=left)

    async def stop(self, _: Intent, context: Context, due: Due) -> Carried:
        """Cancel one."""
        async with acting_as(self.db, context.who, context.channel) as connection:
            await reminder_changes.cancel(connection, [due.id])
        return _carried(self.replies.say("timer.stopped", what=_what(_name(due))), cancelled=1)

    async def stop_all(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Cancel all; those of one room where one is named."""
        area = intent.slots.get("area")
        found = [due for due in await of_kind(self.db, "timer") if area is None or due.area == area]
        if not found:
            raise CannotDo(self.replies.say("timer.none"))
        async with acting_as(self.db, context.who, context.channel) as connection:
            count = await reminder_changes.cancel(connection, [due.id for due in found])
        if count == 1:
            return _carried(self.replies.say("timer.stopped", what=_what(_name(found[0]))), cancelled=1)
        return _carried(counted(self.replies, "timer.stopped", count), cancelled=count)

    async def pause(self, _: Intent, context: Context, due: Due) -> Carried:
        """Stop one for a while."""
        async with acting_as(self.db, context.who, context.channel) as connection:
            left_s = await reminder_changes.pause(connection, due.id, context.now.astimezone(UTC))
        if left_s is None:
            return _carried(self.replies.say("timer.paused_already", what=_what(_name(due))))
        said = self.replies.say("timer.paused", what=_what(_name(due)), length=_length(left_s))
        return _carried(said, left_s=left_s)

    async def resume(self, _: Intent, context: Context, due: Due) -> Carried:
        """Let a paused one run on."""
        async with acting_as(self.db, context.who, context.channel) as connection:
            ends = await reminder_changes.resume(connection, due.id, context.now.astimezone(UTC))
        if ends is None:
            return _carried(self.replies.say("timer.running", what=_what(_name(due))))
        length = _length((ends - context.now).total_seconds())
        return _carried(self.replies.say("timer.resumed", what=_what(_name(due)), length=length), ends=ends.isoformat())

    async def lengthen(self, intent: Intent, context: Context, due: Due) -> Carried:
        """Add to one."""
        return await self._add(intent, context, due, 1)

    async def shorten(self, intent: Intent, context: Context, due: Due) -> Carried:
        """Take from one; what would be less than nothing ends now."""
        return await self._add(intent, context, due, -1)

    async def _add(self, intent: Intent, context: Context, due: Due, sign: int) -> Carried:
        seconds = _seconds(intent)
        if seconds is None or not 0 < seconds <= LONGEST_S:
            asked = replace(
                _without_length(intent), slots={**_without_length(intent).slots, "reminder_id": str(due.id)}
            )
            raise AsksBack(self.replies.say("timer.how_long"), asked, "duration_s")
        async with acting_as(self.db, context.who, context.channel) as connection:
            changed = await reminder_changes.add_time(
                connection, due.id, round(sign * seconds), context.now.astimezone(UTC)
            )
        left_s = _left_s(due, context) + sign * seconds
        if not changed or left_s <= 0:
            return _carried(self.replies.say("timer.gone", what=_what(_name(due))))
        said = self.replies.say("timer.longer", what=_what(_name(due)), falta=_lacks(left_s),
                                length=_length(left_s))  # fmt: skip
        return _carried(said, left_s=left_s)

    async def _meant(self, intent: Intent) -> Due:
        """Return the timer that is meant. Raises CannotDo where there is none, AsksBack where it may be several."""
        found = await self._found(intent)
        if len(found) == 1:
            return found[0]
        told = listed([f"o {_told(due)}"
                       for due in found[:ASKED_ABOUT]], "ou")  # fmt: skip
        raise AsksBack(self.replies.say("timer.which", listed=told), intent, "name")

    async def _found(self, intent: Intent) -> list[Due]:
        """Return the timers that the slots fit: by name, or by how long they were. Raises CannotDo for none."""
        running = await of_kind(self.db, "timer")
        if intent.slots.get("reminder_id"):
            return [due for due in running if str(due.id) == intent.slots["reminder_id"]] or running
        name = str(intent.slots.get("name") or "")
        found = [due for due in running if not name or _called(due, name)]
        whole_s = _seconds(intent)
        if whole_s is not None and intent.name in {"HassTimerStatus", "HassCancelTimer"}:
            found = [due for due in found if due.duration_s == round(whole_s)]
        if not running:
            raise CannotDo(self.replies.say("timer.none"))
        if not found:
            of = grammar.of(name) if name else f"de {spoken_duration(whole_s or 0)}"
            raise CannotDo(self.replies.say("timer.none_named", of=of))
        return found

    def _left(self, due: Due, context: Context) -> str:
        left_s = _left_s(due, context)
        if due.paused_left_s is not None:
            return self.replies.say("timer.left_paused", what=_what(_name(due)), length=_length(left_s))
        name = _name(due)
        if left_s <= 0:
            return self.replies.say("timer.gone", what=_what(name))
        of = f" no {_what(name)}" if name else ""
        return self.replies.say("timer.left", falta=_lacks(left_s), length=_length(left_s), of=of)


def _seconds(intent: Intent) -> float | None:
    """Return the length that was said, in seconds: as a number, or in words in answer to a question."""
    told = intent.slots.get("duration_s")
    if isinstance(told, str):
        plain = [word.plain for word in read(told).words[:20]]
        return next((float(found[0]) for at in range(len(plain)) if (found := durations.read(plain, at))), None)
    return float(told) if isinstance(told, int | float) else None


def _without_length(intent: Intent) -> Intent:
    return replace(intent, slots={name: value for name, value in intent.slots.items() if name != "duration_s"})


def _called(due: Due, name: str) -> bool:
    """Tell whether a timer is meant by a name, or by an answer: "o do bolo", "o de dez minutos"."""
    telling = [word for word in plain_words(name) if word not in {"o", "a", "do", "da", "de", "timer"}]
    length = durations.whole(tuple(telling))
    return holds(due.title, stems(" ".join(telling))) or (length is not None and due.duration_s == round(length))


def _name(due: Due) -> str:
    return "" if due.title == UNNAMED else due.title


def _what(name: str) -> str:
    return f"{UNNAMED} {grammar.of(name)}" if name else UNNAMED


def _left_s(due: Due, context: Context) -> float:
    if due.paused_left_s is not None:
        return due.paused_left_s
    return max(0.0, (due.scheduled_at - context.now).total_seconds())


def _length(seconds: float) -> str:
    """Return how long it is, as exactly as one says it: seconds only of the last minutes."""
    step = 60 if seconds >= 600 else 5 if seconds >= 60 else 1
    return spoken_duration(round(seconds / step) * step)


def _told(due: Due) -> str:
    """Return how to tell it from the others: by its name, or by how long it was."""
    return (
        _what(_name(due)) if _name(due) or due.duration_s is None else f"{UNNAMED} de {spoken_duration(due.duration_s)}"
    )


def _lacks(seconds: float) -> str:
    """Return the verb for what is left: "falta um minuto", "faltam dois"."""
    said = _length(seconds)
    return "falta" if said.split()[0] in {"um", "uma", "meia", "zero"} else "faltam"


def _carried(say: str, **result: Any) -> Carried:
    return Carried(say, (Done(ok=True, result=result),))
