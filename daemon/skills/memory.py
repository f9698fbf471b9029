"""Memory skills: keep what is told, tell it again, forget it. "Anotado" is said only once the row is committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from daemon.errors import CannotDo, LinkDown
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.pt_br.spoken_time import spoken_date
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.memory.recall import Recall, Remembered, listening
from daemon.memory.told import asks_for_secrecy, counts_days, told
from daemon.skills.saying import listed
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import memories
from db.audit import Acting
from db.database import Database
from db.memories import MemoryRow, NewFact

TOLD_AGAIN = 3
"""So many of what is remembered are told at once."""
LOOKED_AT = 12
JUST_NOW = timedelta(minutes=10)
"""So long "esquece isso" means what was told last."""
WITHIN_MS = 2500
"""Whoever asks for what they told waits for it; within an answer of the language model it must not take so long."""
CLEARLY = 0.6
"""From this share of the first one's score on, another is told, too."""


@dataclass(frozen=True, slots=True)
class MemorySkills:
    """The memory skills over one database."""

    db: Database
    replies: Replies
    recall: Recall

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "RememberFact": Skill(_told, self.keep, whole=True),
            "RecallFact": Skill(asking("recall_fact"), self.tell),
            "ForgetFact": Skill(asking("forget_fact", "household"), self.forget),
        }

    async def keep(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Commit a fact, then say so. Raises CannotDo where it cannot be kept as it is meant."""
        said = str(intent.slots.get("text") or context.text)
        fact = told(said)
        if fact is None:
            raise AsksBack(self.replies.say("memory.what"), intent, "text")
        # The language model leaves out of the fact whom it is for; the words that asked for it say so.
        hushed = asks_for_secrecy(said) or asks_for_secrecy(str(intent.slots.get("words") or context.text))
        if hushed and context.user_id is None:
            raise CannotDo(self.replies.say("memory.whose"))
        own = (fact.private or hushed) and context.user_id is not None
        new = NewFact(
            fact.text,
            user_id=context.user_id if own else None,
            told_by=context.user_id,
            area=context.area if fact.here else None,
            importance=fact.importance,
            secret=fact.secret,
            for_guests=fact.for_guests and not own,
            told_in=context.message_id,
        )
        try:
            kept = await memories.add(Acting(self.db, context.who, context.channel), new, context.now.astimezone(UTC))
        except LinkDown as down:
            raise CannotDo(self.replies.say("memory.not_promised")) from down
        key = "memory.kept_own" if own else "memory.kept"
        say = self.replies.say(key, seed=context.seed, fact=kept.text)
        return Carried(say, (Done(ok=True, result={"memory_id": str(kept.id), "own": own}),))

    async def tell(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Tell what fits the question, word for word as it was told, the best first."""
        found = await self._found(str(intent.slots.get("about") or context.text), context)
        if not found:
            return Carried(self.replies.say("memory.none", seed=context.seed), (Done(ok=True, result={"found": 0}),))
        first, *others = found
        if not first.sure:
            say = self.replies.say("memory.maybe", fact=self._dated(first, context))
            return Carried(say, (Done(ok=True, result={"memories": [str(first.id)], "sure": False}),))
        more = [other for other in others if other.score >= CLEARLY * first.score][: TOLD_AGAIN - 1]
        say = self.replies.say("memory.told", fact=_begun(self._dated(first, context)))
        if more:
            facts = listed([self._dated(other, context) for other in more])
            say += " " + self.replies.say("memory.told_more", facts=facts)
        return Carried(say, (Done(ok=True, result={"memories": [str(one.id) for one in (first, *more)]}),))

    async def forget(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Forget what was told last, or what is named; the latter only after a yes."""
        meant = await self._meant(intent, context)
        if meant is None:
            say = self.replies.say("memory.nothing_to_forget")
            return Carried(say, (Done(ok=False, result={}, error=say),))
        memory_id, text = meant
        if not {CONFIRMED, "memory"} <= intent.slots.keys() and "latest" not in intent.slots:
            # A yes to forgetting something is none to forgetting this.
            slots = {name: value for name, value in intent.slots.items() if name != CONFIRMED}
            sure = Intent(intent.name, (), {**slots, "memory": str(memory_id)})
            raise AsksBack(self.replies.say("memory.forget_sure", fact=text), sure, CONFIRMED)
        await memories.forget(Acting(self.db, context.who, context.channel), [memory_id])
        say = self.replies.say("memory.forgotten", seed=context.seed, fact=text)
        return Carried(say, (Done(ok=True, result={"memory_id": str(memory_id)}),))

    def _dated(self, one: Remembered, context: Context) -> str:
        """Return the fact, with its day where it speaks of days and was told on another."""
        day = one.at.astimezone(context.zone).date()
        if day == context.now.date() or not counts_days(one.text):
            return one.text
        return self.replies.say("memory.dated", day=spoken_date(day), fact=one.text)

    async def _meant(self, intent: Intent, context: Context) -> tuple[UUID, str] | None:
        listener = listening(context.speaker, context.area)
        if "memory" in intent.slots:
            rows = await memories.seen(self.db, [UUID(str(intent.slots["memory"]))], "", listener)
            return (rows[0].id, rows[0].text) if rows else None
        if "latest" in intent.slots:
            row = await self._latest(context)
            return None if row is None else (row.id, row.text)
        query = str(intent.slots.get("query") or context.text)
        # Of "esquece a senha do wifi" all is what is meant, not "wifi" alone.
        said = context.text if fold(query) in fold(context.text) else query
        found = await self._found(said, context)
        return (found[0].id, found[0].text) if found else None

    async def _latest(self, context: Context) -> MemoryRow | None:
        since: datetime = context.now.astimezone(UTC) - JUST_NOW
        return await memories.latest(self.db, context.user_id, since)

    async def _found(self, text: str, context: Context) -> list[Remembered]:
        """Return the facts that are surely meant, for whoever asks; where there is none, those that may be."""
        now = context.now.astimezone(UTC)
        found = await self.recall.recall(text, context.speaker, context.area, now, LOOKED_AT, within_ms=WITHIN_MS)
        told = [one for one in found if one.kind == "fact"]
        return [one for one in told if one.sure] or [one for one in told if one.likely]


def _told(intent: Intent, context: Context) -> tuple[Action, ...]:
    """Return the action of keeping a fact: the sentence as it is, and nothing that was read in it."""
    return (Action("household", "remember_fact", {"text": str(intent.slots.get("text") or context.text)}),)


def _begun(fact: str) -> str:
    """Return the fact as a sentence begins."""
    return fact[:1].upper() + fact[1:]
