"""Conversations: turns of one person in one room belong together until it has been quiet there for a while.

What was said last is known to the next sentence only where the same person goes on. Another one begins with nothing:
neither the plan before, nor what the language model is told of the conversation, nor what is looked up in memory, is
ever of somebody else. One thing passes on: a question that waits for a yes or a no, where one of the two has a voice
that could not be told (a "sim" is too short for that). Whoever answers it is asked for their own permissions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from daemon.clock import Clock
from daemon.language.consent import CONFIRMED, DECLINED
from daemon.language.plan import Plan
from daemon.people.person import CODE, Person
from daemon.people.said_code import Asked
from daemon.satisfaction import Exchange, satisfaction
from daemon.skills.talk import REPEATS
from daemon.turn import Turn
from db.ledger import Ledger

LOOK_EVERY_S = 5.0
YES_WITHIN = timedelta(seconds=30)
"""How long a yes may open a gate after it was asked about."""
OWN = frozenset({"ForgetToday", "GiveConsent", "WithdrawConsent"})
"""What nobody but who was asked may say yes to."""
MOST_EXCHANGES = 200
"""So many of a conversation's exchanges tell how it went; further ones change little."""

Room = tuple[str, str | None]
ALOUD = "voice"
"""The source of all that is heard in rooms, by whichever microphone."""


@dataclass(slots=True)
class Conversation:
    """What one person talks about in one room. `busy` counts the turns under way; it cannot end meanwhile.

    `said` is the last answer, as far as it was given: what "repete" means.
    """

    id: UUID
    last_at: datetime
    speaker: UUID | None = None
    previous: Plan | None = None
    previous_at: datetime | None = None
    busy: int = 0
    said: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)

    def before(self, now: datetime) -> Plan | None:
        """Return the plan before this sentence; one that awaits a yes only while the question is fresh."""
        if self.previous is None or self.previous_at is None:
            return None
        stale = self.previous.awaits in {CONFIRMED, CODE} and now - self.previous_at > YES_WITHIN
        return None if stale else self.previous

    def over(self, turn: Turn, now: datetime) -> None:
        """Take in a turn that is over; what was lost or cut short leaves the plan before as it was.

        So does what was only said again: a question that is repeated waits for its answer anew.
        """
        self.last_at = now
        again = any(intent.name == REPEATS for intent in turn.understood.plan.intents)
        if not again and turn.reply:
            self.said = tuple(turn.reply)
        before = self.previous
        if again and before is not None and before.question and before.question in " ".join(self.said):
            turn.asked = before
        nothing_done = turn.outcome == "model_failed" and not turn.actions and (before is None or not before.question)
        if turn.outcome not in {"failed", "interrupted"} and not nothing_done:
            self.previous, self.previous_at = turn.asked or (before if again else turn.understood.plan), now
        if len(self.exchanges) < MOST_EXCHANGES:
            self.exchanges.append(Exchange.of(turn))

    def open_question(self, now: datetime) -> Plan | None:
        """Return the question that waits for a yes or a no, while it is fresh."""
        before = self.before(now)
        return before if before is not None and before.awaits == CONFIRMED else None

    def passes_on(self, now: datetime) -> bool:
        """Tell whether such a question waits that somebody else may answer."""
        asked = self.open_question(now)
        return asked is not None and all(intent.name not in OWN for intent in asked.intents)


class Conversations:
    """The open conversations, by room and person; as a service it ends those that fell quiet."""

    name = "conversations"

    def __init__(self, ledger: Ledger, clock: Clock, quiet_s: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._quiet_s = quiet_s
        self._open: dict[Room, dict[object, Conversation]] = {}
        self._over: list[Conversation] = []

    def at(self, source: str, area: str | None, speaker: Person | None = None) -> Conversation:
        """Return this person's conversation in this room, or a new one."""
        now = self._clock.now()
        room = self._open.setdefault(_room(source, area), {})
        current = room.get(_voice(speaker))
        if current is None or (current.busy == 0 and now - current.last_at > self._quiet()):
            if current is not None:
                self._over.append(current)
            current = room[_voice(speaker)] = Conversation(uuid4(), now, speaker.id if speaker else None)
        current.last_at = now
        return current

    def before(self, source: str, area: str | None, speaker: Person | None = None) -> Plan | None:
        """Return what the next sentence of this person here follows on. Changes nothing."""
        now, room = self._clock.now(), self._open.get(_room(source, area), {})
        own = room.get(_voice(speaker))
        if own is not None and now - own.last_at <= self._quiet() and (before := own.before(now)) is not None:
            return before
        asked = [one for one in self._near(room, own, speaker) if one.passes_on(now)]
        newest = max(asked, key=lambda one: one.last_at, default=None)
        return newest.previous if newest is not None else None

    def asked(self, source: str, area: str | None) -> UUID | None:
        """Return who was asked last in this room, where the question still waits for an answer."""
        now = self._clock.now()
        asked = [one for one in self._open.get(_room(source, area), {}).values() if one.open_question(now) is not None]
        newest = max(asked, key=lambda one: one.last_at, default=None)
        code = self.code_asked(source, area)
        return newest.speaker if newest is not None else code.whose if code is not None else None

    def code_asked(self, source: str, area: str | None) -> Asked | None:
        """Return the newest question for a spoken code that waits in this room."""
        now, room = self._clock.now(), self._open.get(_room(source, area), {})
        found = [one for one in room.values() if (before := one.before(now)) is not None and before.awaits == CODE]
        newest = max(found, key=lambda one: one.last_at, default=None)
        if newest is None or newest.previous is None or newest.speaker is None:
            return None
        return Asked(newest.previous, newest.speaker)

    def over(self, conversation: Conversation, turn: Turn, speaker: Person | None = None) -> None:
        """Take in a turn that is over; a question that it answered waits no longer, whoever was asked."""
        now = self._clock.now()
        conversation.over(turn, now)
        if any(CONFIRMED in intent.slots or intent == DECLINED for intent in turn.understood.plan.intents):
            room = self._open.get(_room(turn.source, turn.area), {})
            for other in self._near(room, conversation, speaker):
                if other.passes_on(now):
                    other.previous = None

    def asked_otherwise(self) -> None:
        """Let go of what was asked in the rooms: the house has asked something since, and a yes is for that."""
        for (source, _), room in self._open.items():
            for one in room.values() if source == ALOUD else ():
                if one.previous is not None and one.previous.awaits == CONFIRMED:
                    one.previous = None

    async def run(self) -> None:
        """End conversations that fell quiet, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self.end_quiet()

    async def end_quiet(self) -> None:
        """End those whose last turn is longer ago than the preference says, with how well they went."""
        limit = self._clock.now() - self._quiet()
        for place, room in list(self._open.items()):
            for voice, conversation in list(room.items()):
                if conversation.busy == 0 and conversation.last_at <= limit:
                    del room[voice]
                    self._over.append(conversation)
            if not room:
                del self._open[place]
        await self._end()

    async def end_all(self) -> None:
        """End every open one: the daemon stops, and what it knows of them goes with it."""
        self._over += [one for room in self._open.values() for one in room.values()]
        self._open.clear()
        await self._end()

    async def _end(self) -> None:
        while self._over:
            ended = self._over.pop(0)
            how = satisfaction(ended.exchanges)
            score, told = how if how is not None else (None, None)
            await self._ledger.ended(ended.id, ended.last_at, satisfaction=score, explained=told)

    def _near(
        self, room: dict[object, Conversation], own: Conversation | None, speaker: Person | None
    ) -> list[Conversation]:
        """Return the room's conversations whose open question this person may answer."""
        unknown = speaker is None or speaker.id is None
        return [one for one in room.values() if one is not own and (unknown or one.speaker is None)]

    def _quiet(self) -> timedelta:
        return timedelta(seconds=self._quiet_s())


def _room(source: str, area: str | None) -> Room:
    """Return where it is said: what is heard in a room is one, by whichever microphone; what is written is another."""
    return (ALOUD if source.startswith(("microphone", "satellite")) else source, area)


def _voice(speaker: Person | None) -> object:
    """Return by what a person is told from others: a voice that nobody knows is any of them."""
    return None if speaker is None else speaker.id or speaker.role
