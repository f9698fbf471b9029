"""Conversations: turns at one place belong together until it has been quiet there for a while."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from daemon.clock import Clock
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Plan
from db.ledger import Ledger

LOOK_EVERY_S = 5.0
YES_WITHIN = timedelta(seconds=30)
"""How long a yes may open a gate after it was asked about."""


@dataclass(slots=True)
class Conversation:
    """What is being talked about at one place. `busy` counts the turns under way; it cannot end meanwhile."""

    id: UUID
    last_at: datetime
    previous: Plan | None = None
    previous_at: datetime | None = None
    busy: int = 0

    def asked(self, plan: Plan, now: datetime) -> None:
        """Keep the plan of the turn that just ended, or what was asked back."""
        self.previous, self.previous_at = plan, now

    def before(self, now: datetime) -> Plan | None:
        """Return the plan before this sentence; one that awaits a yes only while the question is fresh."""
        if self.previous is None or self.previous_at is None:
            return None
        stale = self.previous.awaits == CONFIRMED and now - self.previous_at > YES_WITHIN
        return None if stale else self.previous


class Conversations:
    """The open conversations, one a place (`source`, `area`); as a service it ends those that fell quiet."""

    name = "conversations"

    def __init__(self, ledger: Ledger, clock: Clock, quiet_s: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._quiet_s = quiet_s
        self._open: dict[tuple[str, str | None], Conversation] = {}

    def at(self, source: str, area: str | None) -> Conversation:
        """Return the conversation going on at this place, or a new one."""
        now = self._clock.now()
        current = self._open.get((source, area))
        if current is None or (current.busy == 0 and now - current.last_at > timedelta(seconds=self._quiet_s())):
            current = Conversation(uuid4(), now)
            self._open[(source, area)] = current
        current.last_at = now
        return current

    async def run(self) -> None:
        """End conversations that fell quiet, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            await self.end_quiet()

    async def end_quiet(self) -> None:
        """End those whose last turn is longer ago than the preference says."""
        limit = self._clock.now() - timedelta(seconds=self._quiet_s())
        for place, conversation in list(self._open.items()):
            if conversation.busy == 0 and conversation.last_at <= limit:
                del self._open[place]
                await self._ledger.ended(conversation.id, conversation.last_at)
