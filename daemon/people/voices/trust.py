"""How sure is sure enough for what a person's role may, which needs more than making things theirs.

One sentence far enough above what a voice needs is enough. Else it is what two have shown together: sentences of
the same voice, one after the other in one room, within the time in which they are one conversation. A sentence that was
enough by itself is no part of that: it tells nothing of who speaks next, and must not carry somebody who sounds alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from daemon.clock import Clock
from daemon.people.voices.voiceprint import Heard, Room

JUST_BELOW = 0.03
"""Two sentences that were so nearly enough are, together: chance lifts one of a stranger's, seldom the next as well."""
ANSWER_WITHIN = timedelta(seconds=30)
"""A word in answer to a question counts as surely theirs as the sentence that led to it, for so long."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sentence has shown: whose voice, how far above what it needs, and whether they were trusted in it."""

    person: UUID | None
    spare: float
    trusted: bool
    at: datetime


def enough(spare: Sequence[float], above: float) -> bool:
    """Tell whether sentences, the newest first, show that it is them; `above` is what one alone has to."""
    return spare[0] >= above or (len(spare) > 1 and min(spare[:2]) >= above - JUST_BELOW)


class Trust:
    """What was shown lately, by room. `above` and `quiet_s` are asked at every sentence."""

    def __init__(self, clock: Clock, above: Callable[[], float], quiet_s: Callable[[], int]) -> None:
        self._clock = clock
        self._above = above
        self._quiet_s = quiet_s
        self._shown: dict[Room, list[Shown]] = {}
        self._vouched: dict[Room, tuple[UUID, datetime]] = {}

    def vouch(self, room: Room, person: UUID) -> None:
        """Let somebody's likely voice be enough in this room for as long as a conversation lasts: they proved it."""
        self._vouched[room] = person, self._clock.now()

    def vouched(self, room: Room, person: UUID | None) -> bool:
        """Tell whether they proved it there a moment ago."""
        whose, at = self._vouched.get(room, (None, None))
        fresh = at is not None and self._clock.now() - at <= timedelta(seconds=self._quiet_s())
        return fresh and person is not None and whose == person

    def trusts(self, room: Room, heard: Heard) -> bool:
        """Tell whether this is sure enough. Changes nothing."""
        before = self._before(room, heard.person.id)
        if heard.answer:
            asked = before[-1] if before else None
            return asked is not None and asked.trusted and self._clock.now() - asked.at <= ANSWER_WITHIN
        above = self._above()
        weak = [one.spare for one in reversed(before) if one.spare < above]
        return enough([heard.spare, *weak], above)

    def note(self, room: Room, heard: Heard | None) -> None:
        """Take in a sentence that was answered; None is a voice that nobody knows, after which all begins anew."""
        if heard is None:
            self._shown.pop(room, None)
        elif not heard.answer:
            before = self._before(room, heard.person.id)
            shown = Shown(heard.person.id, heard.spare, heard.person.trusted, self._clock.now())
            self._shown[room] = [*before, shown][-2:]

    def _before(self, room: Room, person: UUID | None) -> list[Shown]:
        """Return what the same voice has shown there, without another's or a long silence in between."""
        since, shown = self._clock.now() - timedelta(seconds=self._quiet_s()), self._shown.get(room, [])
        return shown if all(one.person == person and one.at >= since for one in shown) else []
