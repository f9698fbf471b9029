"""Rules and what they make of what is wanted: pure, so that every case can be tested.

Of the rules that fit, one for the person comes before one for the role; then the one that says more: which intent,
which domain, where, when; among equals the stricter. Who has no rule may not, but for administrators, whom nobody locks
out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from daemon.people.person import Person, Role
from models.words import Effect

STRICTNESS: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}
Needs = Literal["likely", "house", "sure"]
RISKY = "risky"
"""The domain of whatever lets somebody in, or is guarded by the household."""
FINE = frozenset({"gate", "lock", "alarm_control_panel", "tv", "extremes", "others"})
"""Domains that say more than RISKY, which says more than any other: a rule about gates is meant for just these."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of `permissions`; what is None does not matter. See `models/permission.py` for hours and weekdays."""

    effect: Effect
    role: Role | None = None
    user_id: UUID | None = None
    intent: str | None = None
    domain: str | None = None
    area: str | None = None
    here: bool = False
    from_time: time | None = None
    until_time: time | None = None
    weekdays: frozenset[int] | None = None

    @property
    def has_hours(self) -> bool:
        """Tell whether it holds at some moments only."""
        return self.from_time is not None or self.weekdays is not None

    @property
    def weight(self) -> tuple[bool, int, bool, bool, int]:
        """Return what ranks it among the rules that fit; the greatest wins."""
        named = 4 * (self.intent is not None) + _telling(self.domain)
        placed = self.area is not None or self.here
        return self.user_id is not None, named, placed, self.has_hours, STRICTNESS[self.effect]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that somebody wants done: with which intent, to what (every domain it counts as), where and when.

    `rests` tells that it only puts something to rest (off, closed, locked); `at` is on the household's clock. `needs`
    tells how sure the house has to be of the voice that asks (see `needs.py`).
    """

    intent: str
    domains: frozenset[str]
    area: str | None
    here: str | None
    at: datetime
    rests: bool = False
    needs: Needs = "house"


def _telling(domain: str | None) -> int:
    return 0 if domain is None else 3 if domain in FINE else 2 if domain == RISKY else 1


def decide(rules: Iterable[Rule], person: Person, wanted: Wanted) -> Effect:
    """Return what the rules make of it."""
    fitting = [rule for rule in rules if fits(rule, person, wanted)]
    if not fitting:
        return "allow" if person.role == "administrator" else "deny"
    return max(fitting, key=lambda rule: rule.weight).effect


def strictest(effects: Iterable[Effect]) -> Effect:
    """Return the strictest of several effects; of none, that it is allowed."""
    return max(effects, key=STRICTNESS.__getitem__, default="allow")


def fits(rule: Rule, person: Person, wanted: Wanted) -> bool:
    """Tell whether a rule is about this person and this."""
    return (
        (rule.domain is None or rule.domain in wanted.domains)  # first what most rules fail at
        and rule.user_id in (None, person.id)
        and rule.role in (None, person.role)
        and rule.intent in (None, wanted.intent)
        and _placed(rule, wanted)
        and not _spares(rule, wanted)
        and within(rule, wanted.at)
    )


def _spares(rule: Rule, wanted: Wanted) -> bool:
    """Tell whether a rule leaves this alone: who may not turn the television on after nine may still turn it off."""
    return wanted.rests and rule.has_hours and rule.intent is None and rule.effect != "allow"


def _placed(rule: Rule, wanted: Wanted) -> bool:
    if rule.here:
        return wanted.area is not None and wanted.area == wanted.here
    return rule.area is None or (wanted.area is not None and rule.area.casefold() == wanted.area.casefold())


def within(rule: Rule, at: datetime) -> bool:
    """Tell whether a moment is within a rule's hours, on a day on which they begin."""
    clock = at.time().replace(tzinfo=None)
    began = at.isoweekday()
    if rule.from_time is not None and rule.until_time is not None:
        if rule.from_time <= rule.until_time:
            if not rule.from_time <= clock < rule.until_time:
                return False
        elif clock < rule.until_time:
            began = (at.date() - timedelta(days=1)).isoweekday()
        elif clock < rule.from_time:
            return False
    return rule.weekdays is None or began in rule.weekdays


def of_interest(rules: Sequence[Rule], person: Person) -> list[Rule]:
    """Return the rules that can fit a person at all."""
    return [rule for rule in rules if rule.user_id == person.id or (rule.user_id is None and rule.role == person.role)]
