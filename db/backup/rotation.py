"""Which backups are kept: the newest of each of the last days, weeks and months that have one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from db.backup.folder import Manifest

RECENT = timedelta(hours=48)
"""What is younger is always kept: one made before something risky shall not go because another followed."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How many of each are kept; `bases` counts weekly copies of the whole server."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    bases: int = 2


def unneeded(manifests: Sequence[Manifest], keep: Keep, zone: tzinfo, now: datetime) -> list[Manifest]:
    """Return what may be removed. Days, weeks (ISO's) and months are those of `zone`.

    Periods count only where a good backup lies in them: a month away from home costs nothing that was kept. A bad one
    is kept for as long as it is recent, to be looked at, and where no good one is newer.
    """
    good = sorted((each for each in manifests if each.is_good), key=lambda each: each.taken_at, reverse=True)
    kept = {
        *_newest_of_each(good, keep.daily, lambda at: (at.year, at.month, at.day), zone),
        *_newest_of_each(good, keep.weekly, lambda at: at.isocalendar()[:2], zone),
        *_newest_of_each(good, keep.monthly, lambda at: (at.year, at.month), zone),
        *(each.name for each in manifests if now - each.taken_at < RECENT),
    }
    newest = good[0].taken_at if good else None
    kept.update(each.name for each in manifests if not each.is_good and (newest is None or each.taken_at > newest))
    return [each for each in manifests if each.name not in kept]


def _newest_of_each(
    good: Sequence[Manifest], count: int, period: Callable[[datetime], tuple[int, ...]], zone: tzinfo
) -> list[str]:
    """Return the names of the newest backup of each of the last `count` periods; `good` begins with the newest."""
    newest: dict[tuple[int, ...], str] = {}
    for each in good:
        newest.setdefault(period(each.taken_at.astimezone(zone)), each.name)
    return list(newest.values())[:count]
