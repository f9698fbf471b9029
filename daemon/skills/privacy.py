"""Privacy by voice: "esquece o que eu disse hoje", what may be kept, and what is kept."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from uuid import UUID

from daemon.errors import CannotDo, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.people.privacy.erasing import Erasing
from daemon.skills.saying import counted, listed
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import consents
from db.consents import KINDS
from db.erasure import Wish
from db.permissions import Resident, residents
from models.words import ConsentKind, ConsentWay

TOLD = {"messages": True, "reminders": False, "memories": True, "audio": True}
"""What is counted aloud, and whether its word is feminine."""
GROWN_UP = frozenset({"administrator", "adult"})
"""Who allows what is kept of a child."""
ENROLLED = "SELECT EXISTS (SELECT FROM users WHERE voice_enrolled)"
EVIDENCE = "SELECT message_id FROM actions WHERE id = $1"

Act = Callable[[Intent, Sequence[Action], Context], Awaitable[Carried]]


@dataclass(frozen=True, slots=True)
class PrivacySkills:
    """The skills over one person's data: always those of the person who speaks."""

    erasing: Erasing
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "ForgetToday": Skill(asking("forget_today", "household"), self.forget_today, self._sure),
            "GiveConsent": Skill(self._consenting("give_consent", ask=False), self.give),
            "WithdrawConsent": Skill(self._consenting("withdraw_consent", ask=True), self.withdraw),
            "TellConsents": Skill(asking("tell_consents"), self.tell),
        }

    async def _sure(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Ask, with what would go; a yes counts only from who was asked (`OWN` in daemon/conversation.py)."""
        if CONFIRMED in intent.slots:
            return (intent,)
        wish = await self._wish(context)
        counts = await self.erasing.counted(wish)
        if not counts:
            raise CannotDo(self.replies.say("privacy.nothing_today"))
        raise AsksBack(self.replies.say("privacy.forget_sure", what=self._what(counts)), intent, CONFIRMED)

    async def forget_today(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Erase what this person said since midnight, with a receipt."""
        receipt = await self.erasing.erase(await self._wish(context))
        key = "privacy.forgotten" if receipt.finished_at is not None else "privacy.forgotten_later"
        said = self.replies.say(key, what=self._what(receipt.counts), code=str(receipt.id)[-4:])
        return Carried(said, (Done(ok=True, result={"receipt": str(receipt.id)}),))

    async def give(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Record that this person allows something to be kept; or, to Mordomo's question, that they do not.

        What is kept of a child an adult allows, whether the child asked for it or not.
        """
        kind, given = _kind(intent), intent.slots.get(CONFIRMED) is not False
        if (name := intent.slots.get("person")) is not None:
            child = await self._child(str(name), context)
            await self._record(kind, actions, context, given=given, of=child.id)
            said = self.replies.say(f"consent.given_for_{kind}", name=child.name)
            return Carried(said, (Done(ok=True, result={"kind": kind, "given": given, "of": str(child.id)}),))
        await self._record(kind, actions, context, given=given)
        said = self.replies.say(f"consent.given_{kind}" if given else f"consent.refused_{kind}")
        return Carried(said, (Done(ok=True, result={"kind": kind, "given": given}),))

    async def withdraw(self, intent: Intent, actions: Sequence[Action], context: Context) -> Carried:
        """Record that this person no longer allows it, and erase what it allowed."""
        kind = _kind(intent)
        whose = await self._record(kind, actions, context, given=False)
        receipt = await self.erasing.erase(Wish(whose, context.person, kind, _way(context)))
        said = self.replies.say(f"consent.withdrawn_{kind}")
        return Carried(said, (Done(ok=True, result={"kind": kind, "receipt": str(receipt.id)}),))

    async def tell(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Say what is kept of this person, and what they allowed."""
        whose = self._known(context)
        counts = await self.erasing.counted(Wish(whose, context.person, "person", _way(context)))
        standing = await consents.standing(self.erasing.db, whose)
        allowed = [
            self.replies.say(f"consent.name_{kind}") for kind in KINDS if (one := standing.get(kind)) and one.given
        ]
        kept = self.replies.say("privacy.kept", what=self._what(counts)) if counts else ""
        may = self.replies.say("consent.standing" if allowed else "consent.none", what=listed(allowed))
        return Carried(f"{kept} {may}".strip(), (Done(ok=True, result={"counts": dict(counts)}),))

    async def _wish(self, context: Context) -> Wish:
        """Return what "what I said today" is of whoever asks. Raises CannotDo where nobody could tell whose it is."""
        midnight = datetime.combine(context.now.date(), time(), context.zone).astimezone(UTC)
        if context.user_id is None and (not context.trusted or await self.erasing.db.fetchval(ENROLLED)):
            raise CannotDo(self.replies.say("privacy.unknown"))
        return Wish(context.user_id, context.person, "since", _way(context), since=midnight)

    def _consenting(self, name: str, *, ask: bool) -> Callable[[Intent, Context], tuple[Action, ...]]:
        def actions(intent: Intent, context: Context) -> tuple[Action, ...]:
            self._known(context)
            if ask and CONFIRMED not in intent.slots:
                raise AsksBack(self.replies.say(f"consent.sure_{_kind(intent)}"), intent, CONFIRMED)
            return (Action("household", name, {**intent.slots, "kind": _kind(intent)}),)

        return actions

    async def _child(self, name: str, context: Context) -> Resident:
        """Return the child of that name. Raises CannotDo for anybody else: they say it of themselves."""
        people = await residents(self.erasing.db)
        found = next((one for one in people if fold(one.name) == fold(name) and one.role == "child"), None)
        if found is None or context.speaker.role not in GROWN_UP:
            raise CannotDo(self.replies.say("consent.only_own"))
        return found

    async def _record(
        self, kind: ConsentKind, actions: Sequence[Action], context: Context, *, given: bool, of: UUID | None = None
    ) -> UUID:
        whose, db = of or self._known(context), self.erasing.db
        evidence = await db.fetchval(EVIDENCE, actions[0].id)
        at = context.now.astimezone(UTC)
        await consents.record(db, whose, kind, given=given, how=_way(context), at=at, message_id=evidence)
        return whose

    def _known(self, context: Context) -> UUID:
        """Return whose data are meant. Raises Refused for a program, CannotDo for a voice that nobody knows."""
        if not context.trusted:
            raise Refused(self.replies.say("routine.not_over_mqtt", seed=context.seed))
        if context.user_id is None:
            raise CannotDo(self.replies.say("privacy.unknown"))
        return context.user_id

    def _what(self, counts: Mapping[str, int]) -> str:
        parts = [
            counted(self.replies, f"privacy.{table}", count, feminine=feminine)
            for table, feminine in TOLD.items()
            if (count := counts.get(table, 0))
        ]
        return listed(parts) or self.replies.say("privacy.little")


def _kind(intent: Intent) -> ConsentKind:
    return next((kind for kind in KINDS if kind == intent.slots.get("kind")), "memory")


def _way(context: Context) -> ConsentWay:
    return "voice" if context.channel == "voice" else "web"
