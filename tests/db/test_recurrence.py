"""When a rule comes next, on a household's clock; against dateutil itself where time is plain."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from db.recurrence import InvalidRecurrence, check_recurrence, following, next_occurrence

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
LISBON = ZoneInfo("Europe/Lisbon")


def plain(text: str) -> datetime:
    """Return a wall clock's time, without a zone."""
    return datetime.fromisoformat(text)


def wall(text: str, zone: ZoneInfo = SAO_PAULO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("rule", "first", "after", "expected"),
    [
        ("FREQ=DAILY", "2026-11-20T08:00", "2026-11-20T08:00", "2026-11-21T08:00"),
        ("RRULE:FREQ=DAILY", "2026-11-20T08:00", "2026-11-20T07:00", "2026-11-20T08:00"),
        ("freq=weekly;byday=mo,we,fr", "2026-11-20T08:00", "2026-11-20T08:00", "2026-11-23T08:00"),
        ("FREQ=WEEKLY;INTERVAL=2", "2026-11-20T08:00", "2026-11-25T08:00", "2026-12-04T08:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-10-31T09:30", "2026-10-31T09:30", "2026-12-31T09:30"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27T18:00", "2026-11-28T00:00", "2026-12-25T18:00"),
        ("FREQ=YEARLY", "2024-02-29T07:00", "2026-01-01T00:00", "2028-02-29T07:00"),
        ("FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10,12", "2026-11-20T08:00", "2026-11-20T12:00", "2026-11-21T08:00"),
        ("FREQ=MINUTELY;INTERVAL=20", "2020-01-01T00:00", "2026-11-20T08:05", "2026-11-20T08:20"),
        ("FREQ=DAILY;COUNT=3", "2026-11-20T08:00", "2026-11-21T08:00", "2026-11-22T08:00"),
        ("FREQ=DAILY;COUNT=3", "2026-11-20T08:00", "2026-11-22T08:00", None),
        ("FREQ=DAILY;UNTIL=20261121", "2026-11-20T08:00", "2026-11-20T08:00", "2026-11-21T08:00"),
        ("FREQ=DAILY;UNTIL=20261121T110000Z", "2026-11-20T08:00", "2026-11-20T08:00", "2026-11-21T08:00"),
        ("FREQ=DAILY;UNTIL=20261121T105959Z", "2026-11-20T08:00", "2026-11-20T08:00", None),
    ],
)
def test_the_next_occurrence(rule: str, first: str, after: str, expected: str | None) -> None:
    found = next_occurrence(rule, datetime.fromisoformat(first), wall(after), SAO_PAULO)
    assert found == (None if expected is None else wall(expected))


def test_eight_in_the_morning_stays_eight_when_the_offset_changes() -> None:
    moment: datetime | None = wall("2026-03-28T08:00", LISBON)
    for expected in ("2026-03-29T07:00", "2026-03-30T07:00"):
        assert moment is not None
        moment = next_occurrence("FREQ=DAILY", plain("2026-03-28T08:00"), moment, LISBON)
        assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_that_daylight_saving_takes_away_comes_an_hour_later_once() -> None:
    first = plain("2026-03-28T01:30")
    gap = next_occurrence("FREQ=DAILY", first, wall("2026-03-28T01:30", LISBON), LISBON)
    assert gap == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "01:30 at the old offset, 02:30 on the new clock"
    assert next_occurrence("FREQ=DAILY", first, gap, LISBON) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_time_that_comes_twice_counts_once() -> None:
    first = plain("2026-10-24T01:30")
    once = next_occurrence("FREQ=DAILY", first, wall("2026-10-24T01:30", LISBON), LISBON)
    assert once == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_occurrence("FREQ=DAILY", first, once, LISBON) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_day_that_a_zone_skipped() -> None:
    apia = ZoneInfo("Pacific/Apia")  # 30 December 2011 never was
    moment = next_occurrence("FREQ=DAILY", plain("2011-12-28T08:00"), wall("2011-12-29T08:00", apia), apia)
    assert moment is not None
    assert moment.astimezone(apia).isoformat() == "2011-12-31T08:00:00+14:00"


@pytest.mark.parametrize(
    "rule",
    [
        "", "todo dia", "FREQ=", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=99999", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYHOUR=25", "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20200101", "FREQ=DAILY;UNTIL=20209999T000000Z",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=HOURLY;INTERVAL=24;BYHOUR=9", "FREQ=MINUTELY;INTERVAL=10080;BYDAY=MO",
        "FREQ=DAILY\nRRULE:FREQ=WEEKLY", "FREQ=DAILY;X=1", "RDATE:20261120T080000", "FREQ=DAILY;BYHOUR=" + "1," * 400 + "1",
        "FREQ=DAILY;COUNT=²",
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_followed_is_refused_in_time(rule: str) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidRecurrence, match=r"\?|sei limitar"):
        check_recurrence(rule, wall("2026-11-20T08:00"), SAO_PAULO)
    assert time.monotonic() - began < 10


def test_a_rule_by_the_minute_is_found_quickly_after_ten_years_off() -> None:
    began = time.monotonic()
    rule = "FREQ=MINUTELY;INTERVAL=5;BYHOUR=8,9"
    assert next_occurrence(rule, plain("2016-01-01T08:00"), wall("2026-11-20T08:01"), SAO_PAULO) == wall(
        "2026-11-20T08:05"
    )
    assert time.monotonic() - began < 2


RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 40)),
    st.builds("FREQ=WEEKLY;INTERVAL={};BYDAY={}".format, st.integers(1, 5), st.sampled_from(["MO", "TU,TH", "SA,SU"])),
    st.builds("FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={}".format, st.integers(1, 7), st.sampled_from([1, 15, 28, 31, -1])),
    st.builds("FREQ=MONTHLY;BYDAY={}{}".format, st.sampled_from(["1", "3", "-1"]), st.sampled_from(["MO", "FR"])),
    st.builds("FREQ=YEARLY;INTERVAL={}".format, st.integers(1, 3)),
    st.builds("FREQ=HOURLY;INTERVAL={}".format, st.integers(1, 50)),
    st.builds("FREQ=MINUTELY;INTERVAL={}".format, st.integers(1, 500)),
)
MOMENTS = st.datetimes(plain("2026-01-01T00:00"), plain("2027-01-01T00:00")).map(
    lambda m: m.replace(second=0, microsecond=0)
)


@settings(max_examples=80, deadline=None)
@given(rule=RULES, first=MOMENTS, shift=st.timedeltas(timedelta(0), timedelta(days=300)))
def test_it_agrees_with_dateutil_and_moving_the_beginning_keeps_the_rhythm(
    rule: str, first: datetime, shift: timedelta
) -> None:
    after = first + shift
    expected = rrulestr(rule, dtstart=first).after(after)
    found = next_occurrence(rule, first, after.replace(tzinfo=UTC), ZoneInfo("UTC"))
    assert found is not None
    assert found.replace(tzinfo=None) == expected
    moved = following(rule, first, found, ZoneInfo("UTC"))
    second = rrulestr(rule, dtstart=first).after(found.replace(tzinfo=None))
    assert second is not None
    assert next_occurrence(rule, moved, found, ZoneInfo("UTC")) == second.replace(tzinfo=UTC)
