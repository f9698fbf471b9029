"""Which backups stay, over years."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from db.backup.contents import Contents
from db.backup.folder import Manifest
from db.backup.rotation import RECENT, Keep, unneeded

ZONE = ZoneInfo("America/Sao_Paulo")
FIRST = datetime(2026, 1, 1, 5, 0, tzinfo=UTC)


def dump(at: datetime, *, good: bool = True) -> Manifest:
    name = f"mordomo-{at:%Y%m%dT%H%M%SZ}"
    return Manifest(name, at, 1, "", None, "18", Contents({}, {}, ()), verified_at=at if good else None)


def lived(days: int, keep: Keep = Keep()) -> list[Manifest]:  # noqa: B008 - frozen
    """Make a backup each night and let the old ones go."""
    there: list[Manifest] = []
    for day in range(days):
        now = FIRST + timedelta(days=day)
        there.append(dump(now))
        gone = {each.name for each in unneeded(there, keep, ZONE, now)}
        there = [each for each in there if each.name not in gone]
    return there


def test_seven_days_four_weeks_and_six_months_are_kept_after_a_year() -> None:
    there = lived(400)
    days = [each.taken_at.astimezone(ZONE).date() for each in there]
    last = days[-1]
    assert days[-7:] == [last - timedelta(days=back) for back in range(6, -1, -1)]
    assert len({day.isocalendar()[:2] for day in days if day > last - timedelta(weeks=4)}) >= 4
    assert len({(day.year, day.month) for day in days}) == 6
    assert len(days) <= 7 + 4 + 6


def test_the_newest_of_a_day_stays_and_what_is_recent_stays_whatever_the_day() -> None:
    morning, evening = dump(FIRST), dump(FIRST + timedelta(hours=9))
    both = [morning, evening]
    assert unneeded(both, Keep(), ZONE, FIRST + timedelta(hours=10)) == []
    assert unneeded(both, Keep(), ZONE, FIRST + timedelta(days=4)) == [morning]


def test_days_are_the_households() -> None:
    late, early = dump(datetime(2026, 3, 2, 2, 30, tzinfo=UTC)), dump(datetime(2026, 3, 2, 3, 30, tzinfo=UTC))
    later = datetime(2026, 3, 9, tzinfo=UTC)
    assert (
        unneeded([late, early], Keep(daily=2, weekly=0, monthly=0), ZONE, later) == []
    )  # 23:30 and 00:30 in São Paulo
    assert unneeded([late, early], Keep(daily=2, weekly=0, monthly=0), UTC, later) == [late]


def test_bad_ones_count_for_nothing_and_go_once_a_good_one_is_newer() -> None:
    good = [dump(FIRST + timedelta(days=day)) for day in range(3)]
    bad = [dump(FIRST + timedelta(days=day), good=False) for day in range(3, 30)]
    now = FIRST + timedelta(days=60)
    assert unneeded([*good, *bad], Keep(daily=3, weekly=0, monthly=0), ZONE, now) == []
    newer = dump(now - timedelta(days=20))
    assert unneeded([*good, *bad, newer], Keep(), ZONE, now) == bad


def test_a_month_away_costs_nothing() -> None:
    there = lived(30)
    back = FIRST + timedelta(days=400)
    assert unneeded(there, Keep(), ZONE, back) == []


@given(
    st.lists(st.integers(0, 3_000_000), max_size=60, unique=True),
    st.integers(1, 10), st.integers(0, 6), st.integers(0, 12),
)  # fmt: skip
def test_the_newest_good_one_is_never_let_go_and_rotation_is_settled(
    minutes: list[int], daily: int, weekly: int, monthly: int
) -> None:
    there = [dump(FIRST + timedelta(minutes=minute)) for minute in minutes]
    keep, now = Keep(daily, weekly, monthly), FIRST + timedelta(days=2500)
    gone = {each.name for each in unneeded(there, keep, ZONE, now)}
    left = [each for each in there if each.name not in gone]
    assert unneeded(left, keep, ZONE, now) == []
    assert len([each for each in left if now - each.taken_at >= RECENT]) <= daily + weekly + monthly
    if there:
        assert max(there, key=lambda each: each.taken_at) in left
