"""What becomes of what is late: each by its own rule."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db.reminders import Due

LATE = timedelta(minutes=5)
"""What is less late than this is on time."""


@dataclass(slots=True)
class Sorted:
    """Late ones by what is to become of them: spoken all the same, told in a briefing only, or dropped in silence."""

    speak: list[Due] = field(default_factory=list)
    mention: list[Due] = field(default_factory=list)
    drop: list[Due] = field(default_factory=list)


def sort(dues: Iterable[Due], now: datetime) -> Sorted:
    """Sort by the rule of each: `late` within `late_within_s`; beyond that it is only mentioned."""
    found = Sorted()
    for due in dues:
        late_by = now - due.scheduled_at
        within = LATE if due.late != "speak" else None
        if due.late_within_s is not None:
            within = timedelta(seconds=due.late_within_s)
        if within is None or late_by <= within:
            found.speak.append(due)
        elif due.late == "drop":
            found.drop.append(due)
        else:
            found.mention.append(due)
    return found
