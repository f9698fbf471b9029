"""Leave that one person asks of another: asked aloud, answered by whoever may, carried out once.

    asked (a row) ──told where those are who may──▶ answered ──claimed (a row)──▶ carried out ──▶ how it went (a row)

Every step is committed before it is told or done. What a daemon leaves behind that is killed in between: a question is
not asked again but still waits; what was granted is carried out as long as it is fresh; what was being carried out is
told as unsure, and never done twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from daemon.clock import Clock
from daemon.errors import CannotDo, LinkDown, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Household, Intent, Plan, Value
from daemon.language.replies import Replies
from daemon.people.permissions import Permissions
from daemon.people.person import Person, Role
from daemon.reminders.leases import ended
from daemon.skills.approvals import Answer
from daemon.skills.later import as_intent, wire
from daemon.skills.skill import Context
from db import approvals
from db.approvals import ApprovalRow, Asked, TooMany
from db.audit import Acting
from db.database import Database
from db.rooms import last_heard_in

log = structlog.get_logger(__name__)

GRANT = "GrantApproval"
WHO = "who"
"""The slot of an answer whose voice could not be told: how often it was asked for in a sentence."""
MOST_ASKED = 3
TELLS_S = 1.5
"""Speech that is shorter may be anybody's: of 1 s, one in four of the house's own voices is not told."""
LOOK_AGAIN_S = 30.0
HEARD_WITHIN = timedelta(hours=12)
AT_WORK = timedelta(minutes=2)
"""What was granted longer ago and is still being carried out, nobody carries out any more."""
Tell = Callable[[str, str | None], None]
"""Says something in a room, None: everywhere; as soon as the voice is free."""


class Hands(Protocol):
    """What carries out what was granted."""

    async def carry_out(self, approval: ApprovalRow, intents: Sequence[Intent], asker: Person, approver: Person) -> str:
        """Do it and return what was said. Raises CannotDo where it could not be done."""
        ...


@dataclass(slots=True)
class Approvals:
    """The requests of one house; as a service it asks, tells, carries out and lets expire."""

    db: Database
    clock: Clock
    replies: Replies
    permissions: Permissions
    household: Callable[[], Household]
    within_s: Callable[[], int]
    tell: Tell
    listen: Callable[[], AsyncIterator[object]]
    hands: Hands | None = None
    name: str = "approvals"
    _open: list[ApprovalRow] = field(default_factory=list)
    _heard: set[UUID] = field(default_factory=set)
    """Refusals that the asker heard themselves."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _acting: set[asyncio.Task[None]] = field(default_factory=set)

    async def ask(self, intents: Sequence[Intent], context: Context, doing: str) -> str:
        """Store a request and return what to say to who asks. Raises LinkDown: then nothing was asked."""
        now = self.clock.now()
        asked = Asked(
            context.user_id, context.who, context.speaker.role, context.source, context.area, context.text, doing,
            [wire(intent) for intent in intents], now, now + timedelta(seconds=self.within_s()),
            context.channel,
        )  # fmt: skip
        try:
            row, is_new = await approvals.ask(self.db, asked)
        except TooMany:
            return self.replies.say("approval.too_many")
        if not is_new:
            return self.replies.say("approval.asked_already")
        self._open.insert(0, row)
        self._wake.set()
        those = self.permissions.who_may(intents, context)
        if not those:
            return self.replies.say("approval.asking_anybody")
        return self.replies.say("approval.asking", who=self.permissions.names(those))

    def question(self) -> Plan | None:
        """Return the newest question that waits for a yes or a no, as what was asked before; None where none waits."""
        now = self.clock.now()
        for row in self._open:
            if row.expires_at > now:
                intent = Intent(GRANT, slots={"approval": str(row.id), "name": row.asked_by})
                return Plan("skill", (intent,), 1.0, question=self.question_of(row), awaits=CONFIRMED)
        return None

    def doubted(self, plan: Plan, speaker: Person, speech_s: float) -> Plan:
        """Return the plan; where it would answer a request and it is not sure whose voice it is, ask for a sentence.

        A "sim" of half a second is anybody's: a child's must not pass for the one who may, nor theirs for a guest's. A
        voice that is likely of one who may says it again, since what several sentences show adds up.
        """
        intent = next((one for one in plan.intents if one.name == GRANT and CONFIRMED in one.slots), None)
        asked = None if intent is None else intent.slots.get("approval")
        row = next((one for one in self._open if str(one.id) == asked), None)
        if intent is None or row is None or not self.permissions.living.knows_voices:
            return plan
        times, likely, asked_in = int(str(intent.slots.get(WHO, 0))), speaker.id is not None, self._asked_in(row)
        if times >= (MOST_ASKED if likely else 1) or (speech_s >= TELLS_S and not likely):
            return plan
        might = self.permissions.may_approve(_intents(row), replace(speaker, trusted=True), asked_in)
        if not (might and not speaker.trusted if likely else not might) or self.permissions.living.has_code(speaker):
            return plan  # who surely may, or may not whoever they are; who has a code is asked for that
        key = f"approval.who_{'grants' if intent.slots[CONFIRMED] is True else 'refuses'}{'_again' if times else ''}"
        slots = {slot: value for slot, value in intent.slots.items() if slot != CONFIRMED}
        again = Intent(GRANT, slots={**slots, WHO: times + 1})
        return Plan("skill", (again,), 1.0, question=self.replies.say(key, doing=row.doing), awaits=CONFIRMED)

    async def answer(self, approval: UUID | None, answer: Answer) -> str:
        """Record an answer to a request (None: the newest), and return what to say to who gave it.

        Raises CannotDo where none waits any more, Refused where they may not answer it, LinkDown.
        """
        row = await self.check_answer(approval, answer.person, granted=answer.granted)
        decided = await approvals.decide(
            Acting(self.db, answer.by, answer.via), row.id, granted=answer.granted, by=answer.by,
            user_id=answer.person.id, role=answer.person.role, via=answer.via, at=self.clock.now(),
        )  # fmt: skip
        self._open = [one for one in self._open if one.id != row.id]
        if decided is None:
            raise CannotDo(self.replies.say("approval.over"))
        if answer.area is not None and answer.area == row.area:
            self._heard.add(row.id)
        self._wake.set()
        return self.replies.say("approval.granted" if answer.granted else "approval.refused", doing=row.doing)

    async def check_answer(self, approval: UUID | None, person: Person, *, granted: bool) -> ApprovalRow:
        """Return the request that is meant, where this person may answer it. Raises as `answer`."""
        row = await self._meant(approval)
        context, intents = self._asked_in(row), _intents(row)
        takes_back = not granted and row.user_id is not None and person.id == row.user_id
        if not takes_back and not self.permissions.may_approve(intents, person, context):
            raise Refused(self.replies.say("approval.may_not", who=self.permissions.those(intents, context)))
        return row

    async def waiting(self) -> list[tuple[str, str]]:
        """Return what waits for an answer, as (who asked, for what), the newest first. Raises LinkDown."""
        return [(row.asked_by, row.doing) for row in await approvals.pending(self.db, self.clock.now())]

    async def run(self) -> None:
        """Ask, tell, carry out and let expire until cancelled. Raises LinkDown while the database is away."""
        listener = asyncio.create_task(self._heed())
        try:
            while True:
                self._wake.clear()
                await self.look()
                await self._rest(listener)
        except asyncio.CancelledError:
            if self._acting:
                await asyncio.wait(self._acting, timeout=1.0)
            raise
        finally:
            await ended(listener)

    async def look(self) -> None:
        """Do what there is to do now. Raises LinkDown."""
        now = self.clock.now()
        for row in await approvals.expire(self.db, now):
            self._tell_asker(row, "approval.expired")
        for row in await approvals.left_executing(self.db, now - AT_WORK, "interrompido", now):
            self._tell_asker(row, "approval.unsure")
        self._open = await approvals.pending(self.db, now)
        for row in reversed(self._open):
            if row.announced_at is None and await approvals.announced(self.db, row.id, now):
                await self._ask_aloud(row, now)
        for row in await approvals.untold_refusals(self.db):
            if row.id not in self._heard:
                self._tell_asker(row, "approval.told_refused")
        for row in await approvals.claim(self.db, now, now - timedelta(seconds=self.within_s())):
            if row.status == "executing":
                self._acting.add(act := asyncio.create_task(self._carry_out(row)))
                act.add_done_callback(self._acting.discard)
            else:
                self._tell_asker(row, "approval.expired")

    def question_of(self, row: ApprovalRow) -> str:
        """Return the question: `A Ana quer abrir o portão. Posso?`."""
        if row.user_id is not None:
            return self.replies.say("approval.question", name=row.asked_by, doing=row.doing)
        if row.area is not None:
            return self.replies.say("approval.question_room", name=row.area, doing=row.doing)
        return self.replies.say("approval.question_somebody", doing=row.doing)

    async def settle(self) -> None:
        """Return when nothing is being carried out."""
        while self._acting:
            await asyncio.wait(set(self._acting))

    async def _ask_aloud(self, row: ApprovalRow, now: datetime) -> None:
        """Ask in the rooms where those were heard who may answer; everywhere, where nobody knows."""
        those = self.permissions.who_may(_intents(row), self._asked_in(row))
        rooms = {await last_heard_in(self.db, one.id, None, now - HEARD_WITHIN) for one in those}
        known = sorted(room for room in rooms if room is not None)
        for room in known:
            self.tell(self.question_of(row), room)
        if not known:
            self.tell(self.question_of(row), None)
        log.info("approval_asked", approval=str(row.id), doing=row.doing, rooms=known or "all")

    async def _carry_out(self, row: ApprovalRow) -> None:
        """Do what was granted, and record how it went."""
        asker = Person(row.user_id, row.asked_by if row.user_id else None, cast("Role", row.role))
        approver = Person(row.decided_user, row.decided_by, cast("Role", row.decided_role))
        marks: dict[str, Value] = {
            CONFIRMED: True,
            "words": row.words,
            "asked_by": row.asked_by,
            "approved_by": str(row.decided_by),
        }
        intents = [replace(one, slots={**one.slots, **marks}) for one in _intents(row)]
        ok = False
        try:
            if self.hands is None:
                raise CannotDo("ninguém para cumprir o que foi permitido")  # noqa: TRY301 - one way to end
            outcome = await self.hands.carry_out(row, intents, asker, approver)
            ok = True
        except (CannotDo, LinkDown) as wrong:
            outcome = str(wrong)
        log.info("approval_carried_out", approval=str(row.id), ok=ok, outcome=outcome)
        try:
            await approvals.ended(self.db, row.id, ok=ok, outcome=outcome, at=self.clock.now())
        except LinkDown as down:
            log.warning("approval_end_unrecorded", approval=str(row.id), why=str(down))

    async def _meant(self, approval: UUID | None) -> ApprovalRow:
        now = self.clock.now()
        if approval is None:
            found = await approvals.pending(self.db, now)
            row = found[0] if found else None
        else:
            row = await approvals.by_id(self.db, approval)
        if row is None:
            raise CannotDo(self.replies.say("approval.none"))
        if row.status != "pending" or row.expires_at <= now:
            raise CannotDo(self.replies.say("approval.over"))
        return row

    def _asked_in(self, row: ApprovalRow) -> Context:
        """Return the circumstances in which it was asked, but for the moment, which is now."""
        household = self.household()
        asker = Person(row.user_id, row.asked_by if row.user_id else None, cast("Role", row.role))
        return Context(
            self.clock.now().astimezone(ZoneInfo(household.timezone)), household, row.area, asker.name, row.user_id,
            source=row.source, text=row.words, speaker=asker,
        )  # fmt: skip

    def _tell_asker(self, row: ApprovalRow, key: str) -> None:
        """Tell who asked, in the room where they did."""
        said = self.replies.say(key, vocative=f"{row.asked_by}, " if row.user_id else "", doing=row.doing)
        self.tell(said[:1].upper() + said[1:], row.area)

    async def _heed(self) -> None:
        async for _ in self.listen():
            self._wake.set()
        raise LinkDown("postgres", "the notifications ended")

    async def _rest(self, listener: "asyncio.Task[None]") -> None:
        """Sleep until something changed or expires."""
        left = [(row.expires_at - self.clock.now()).total_seconds() for row in self._open]
        sleeping = asyncio.create_task(self.clock.sleep(min([LOOK_AGAIN_S, *(max(0.0, one) for one in left)])))
        woken = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({listener, sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended(sleeping, woken)
        if listener.done():
            listener.result()


def _intents(row: ApprovalRow) -> list[Intent]:
    return [as_intent(each) for each in row.intents]
