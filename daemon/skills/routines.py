"""Routines by voice: "quando eu disser boa noite, apaga tudo e tranca a porta", then "boa noite"."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from daemon.errors import CannotDo, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Plan, Value
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.skills.saying import listed
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking, standing_for
from db import routines
from db.audit import Acting
from db.database import Database
from db.routines import NameTaken, RoutineRow

MOST_STEPS = 20
LONGEST_PHRASE = 60
NO_STEP = frozenset(
    "CreateRoutine DeleteRoutine RunRoutine ListRoutines Undo RenameDevice AliasDevice MoveDevice"
    " HideDevice FavouriteDevice GuardDevice HassNevermind HassRespond RepeatReply"
    " TellAboutMe".split()
)
"""Intents that a routine cannot hold: it never calls a routine, so none calls itself."""
TAKEN = frozenset({"HassNevermind", "CreateRoutine", "DeleteRoutine"})
"""Phrases that mean this stay what they are: nobody may teach another meaning to "não" or "para"."""
SURE = 0.8
Understand = Callable[[str, Context], Plan]


@dataclass(frozen=True, slots=True)
class Taught:
    """What a person taught: the phrase, and the intents that it shall stand for."""

    phrase: str
    steps: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class RoutineSkills:
    """The routine skills over one database; `understand` reads the commands inside the sentence that teaches."""

    db: Database
    replies: Replies
    understand: Understand

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "CreateRoutine": Skill(asking("create_routine", "household"), self.create, self.may_create, whole=True),
            "DeleteRoutine": Skill(asking("delete_routine", "household"), self.delete, self.may_delete),
            "ListRoutines": Skill(asking("list_routines"), self.read_out),
            "RunRoutine": standing_for(self.run),
        }

    async def run(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the steps of a routine, which each asks for itself where it is risky."""
        row = await self._meant(intent)
        if row.guarded and not context.trusted:
            raise Refused(self.replies.say("routine.not_over_mqtt", seed=context.seed))
        if row.guarded and CONFIRMED not in intent.slots:
            raise AsksBack(self.replies.say("routine.sure", name=row.name), intent, CONFIRMED)
        marks: dict[str, Value] = {"routine": row.name}
        if CONFIRMED in intent.slots:
            marks[CONFIRMED] = intent.slots[CONFIRMED]
        steps = [_intent(step, marks) for step in row.steps[:MOST_STEPS]]
        if not steps or None in steps:
            raise CannotDo(self.replies.say("routine.broken", name=row.name))
        return tuple(step for step in steps if step is not None)

    async def may_create(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the intent itself; one that replaces a routine needs a yes. Raises CannotDo for what is no routine."""
        self._only_people(context)
        taught = self.taught(_lesson(intent), context)
        before = await routines.by_name(self.db, taught.phrase)
        if before is not None and CONFIRMED not in intent.slots:
            raise AsksBack(self.replies.say("routine.replace", name=taught.phrase), intent, CONFIRMED)
        return (intent,)

    async def may_delete(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Return the intent itself, after a yes."""
        self._only_people(context)
        row = await self._meant(intent)
        if CONFIRMED not in intent.slots:
            raise AsksBack(self.replies.say("routine.delete", name=row.name), intent, CONFIRMED)
        return (intent,)

    async def create(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Store a routine, and say what it will do; one of that name is replaced."""
        taught = self.taught(_lesson(intent), context)
        steps = [_wire(step) for step in taught.steps]
        acting = Acting(self.db, context.who, context.channel)
        before = await routines.by_name(self.db, taught.phrase)
        if before is not None:
            await routines.replace_steps(acting, before.id, [taught.phrase], steps)
            made = before.id
        else:
            try:
                made = await routines.create(acting, taught.phrase, [taught.phrase], steps)
            except NameTaken as taken:
                raise CannotDo(self.replies.say("routine.disabled", name=taught.phrase)) from taken
        said = self.replies.say("routine.created", name=taught.phrase, listed=self._in_words(taught.steps, context))
        return Carried(said, (Done(ok=True, result={"routine_id": str(made), "steps": len(steps)}),))

    async def delete(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Delete a routine by its name."""
        row = await self._meant(intent)
        await routines.delete(Acting(self.db, context.who, context.channel), row.id)
        return Carried(self.replies.say("routine.deleted", name=row.name), (Done(ok=True, result={"id": str(row.id)}),))

    async def read_out(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Name the routines."""
        names = [row.name for row in await routines.enabled(self.db)]
        done = (Done(ok=True, result={"count": len(names)}),)
        if not names:
            return Carried(self.replies.say("routine.none", seed=context.seed), done)
        key = "routine.one" if len(names) == 1 else "routine.several"
        return Carried(self.replies.say(key, listed=listed(names[:12])), done)

    def taught(self, said: str, context: Context) -> Taught:
        """Part what was taught into the phrase and the commands. Raises CannotDo where there are no such two."""
        words = said.split()
        plans = {start: self._steps(" ".join(words[start:]), context) for start in range(1, len(words))}
        marked = [start for start, steps in plans.items() if steps and words[start - 1][-1:] in ",:;."]
        able = marked or [start for start, steps in plans.items() if steps]
        if not able:
            raise CannotDo(self.replies.say("routine.how", seed=context.seed))
        first = able[0]
        # What means the same with a word less in front has that word in the phrase: "cheguei em casa, acende a luz".
        start = first if marked else max(at for at in able if plans[at] == plans[first])
        phrase = _phrase(words[:start])
        self._refuse_unfit(phrase, plans[first], context)
        return Taught(phrase, plans[first])

    def _steps(self, command: str, context: Context) -> tuple[Intent, ...]:
        """Return what a command means; nothing where it is not surely one that a routine may hold."""
        plan = self.understand(command, context)
        fit = plan.route == "skill" and plan.question is None and plan.confidence >= SURE
        return plan.intents if fit and not any(intent.name in NO_STEP for intent in plan.intents) else ()

    def _refuse_unfit(self, phrase: str, steps: Sequence[Intent], context: Context) -> None:
        means = {intent.name for intent in self.understand(phrase, context).intents}
        if not 2 <= len(phrase) <= LONGEST_PHRASE or means & TAKEN:
            raise CannotDo(self.replies.say("routine.phrase", phrase=phrase[:LONGEST_PHRASE]))
        if len(steps) > MOST_STEPS:
            raise CannotDo(self.replies.say("routine.too_long"))
        if any("when" in step.slots or "rrule" in step.slots for step in steps):
            raise CannotDo(self.replies.say("routine.no_clock"))

    def _only_people(self, context: Context) -> None:
        if not context.trusted:
            raise Refused(self.replies.say("routine.not_over_mqtt", seed=context.seed))

    async def _meant(self, intent: Intent) -> RoutineRow:
        """Return the routine that is meant, by its id or by what it is called. Raises CannotDo, LinkDown."""
        by_id, name = intent.slots.get("routine"), str(intent.slots.get("name") or "")
        if isinstance(by_id, str):
            row = await routines.by_id(self.db, UUID(by_id))
        else:
            called = fold(name)
            rows = await routines.enabled(self.db)
            row = next((one for one in rows if called in {fold(word) for word in (one.name, *one.phrases)}), None)
        if row is None:
            raise CannotDo(self.replies.say("routine.unknown", name=name or "essa"))
        return row

    def _in_words(self, steps: Sequence[Intent], context: Context) -> str:
        names = {thing.id: thing.name for thing in context.household.things}
        told = [
            self.replies.intended(step.name, [names[one] for one in step.targets if one in names], step.slots)
            for step in steps
        ]
        return listed(told)


def _lesson(intent: Intent) -> str:
    """Return all that was said after "quando eu disser"."""
    said, message = str(intent.slots.get("text") or ""), str(intent.slots.get("message") or "")
    at = said.find(message)
    return said[at:] if at >= 0 else message


def _phrase(words: Sequence[str]) -> str:
    """Return what is said, in small letters and without the marks and the "você" that lead to the command."""
    phrase = " ".join(words).strip(" ,.;:!?…\"'“”").lower()
    for ending in (" você", " quero que você", " é pra", " é para"):
        phrase = phrase.removesuffix(ending)
    return phrase.strip(" ,.;:!?…")


def _wire(step: Intent) -> Mapping[str, Any]:
    slots = {slot: list(value) if isinstance(value, tuple) else value for slot, value in step.slots.items()}
    slots.pop(CONFIRMED, None)
    return {"intent": step.name, "targets": list(step.targets), "slots": slots}


def _intent(step: object, marks: Mapping[str, Value]) -> Intent | None:
    """Return a stored step as an intent; None where it is none, or a routine inside a routine."""
    if not isinstance(step, dict) or not isinstance(step.get("intent"), str) or step["intent"] in NO_STEP:
        return None
    targets, slots = step.get("targets") or [], step.get("slots") or {}
    if not isinstance(targets, list) or not isinstance(slots, dict):
        return None
    kept = {str(slot): tuple(value) if isinstance(value, list) else value for slot, value in slots.items()}
    kept.pop(CONFIRMED, None)
    return Intent(step["intent"], tuple(str(target) for target in targets), {**kept, **marks})
