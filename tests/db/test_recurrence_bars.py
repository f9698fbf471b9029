"""Thousands of rules against python-dateutil and icalendar, in zones with daylight saving; and a year of São Paulo.

Two thousand among the tests; ten thousand with `make test-long`.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from icalendar import vRecur

from db.holidays import calendar
from db.recurrence import Days, next_occurrence

FOLLOWED = 4
ZONES = [
    ZoneInfo(name)
    for name in ("America/New_York", "Europe/Lisbon", "America/Santiago", "Australia/Lord_Howe", "America/Sao_Paulo")
]
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
YEAR = datetime.fromisoformat("2026-01-01")
EIGHT = YEAR.replace(hour=8)
FIFTH = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5"


def some(chance: random.Random, of: range, most: int) -> str:
    return ",".join(map(str, sorted(chance.sample(of, chance.randint(1, most)))))


def made(chance: random.Random) -> str:
    """Return a rule such as people have: of every frequency, with each part that a family's calendar uses."""
    frequency = chance.choice(("DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY", "HOURLY"))
    parts = [f"FREQ={frequency}"]
    if chance.random() < 0.4:
        parts.append(f"INTERVAL={chance.randint(2, 6)}")
    days = chance.sample(WEEKDAYS, chance.randint(1, 4))
    if frequency == "MONTHLY" and chance.random() < 0.4:
        parts.append("BYDAY=" + chance.choice(("1", "2", "3", "4", "-1")) + days[0])
    elif frequency == "MONTHLY" and chance.random() < 0.5:
        parts.append("BYDAY=" + ",".join(days) + f";BYSETPOS={chance.choice((1, 2, -1))}")
    elif frequency == "MONTHLY":
        parts.append("BYMONTHDAY=" + chance.choice((some(chance, range(1, 29), 3), "31", "-1")))
    elif frequency == "YEARLY" and chance.random() < 0.6:
        parts.append(f"BYMONTH={some(chance, range(1, 13), 2)};BYMONTHDAY={some(chance, range(1, 29), 2)}")
    elif chance.random() < 0.5:
        parts.append("BYDAY=" + ",".join(days))
    if frequency in ("DAILY", "WEEKLY") and chance.random() < 0.2:
        parts.append(f"BYHOUR={some(chance, range(24), 2)}")
    end = chance.random()
    if end < 0.2:
        parts.append(f"COUNT={chance.randint(2, 20)}")
    elif end < 0.4:
        parts.append(f"UNTIL={date(2026, 1, 1) + timedelta(days=chance.randint(60, 900)):%Y%m%d}T030000Z")
    return ";".join(parts)


def by_dateutil(rule: str, first: datetime, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the occurrences as dateutil counts them from the very first, on the household's clock."""
    head, _, until = rule.partition(";UNTIL=")
    if until:
        moment = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        head = f"{head};UNTIL={moment.astimezone(zone):%Y%m%dT%H%M%S}"
    last = after
    for wall in rrulestr(head, dtstart=first):
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def by_us(rule: str, first: datetime, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    last = after
    while (moment := next_occurrence(rule, first, last, zone)) is not None:
        yield moment
        last = moment


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rules", [2_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_no_difference_on_thousands_of_rules(rules: int) -> None:
    chance = random.Random(5545)
    compared = ended = 0
    for number in range(rules):
        zone, rule = ZONES[number % len(ZONES)], made(chance)
        # Near a change of the clocks, at hours that it takes away or repeats.
        begin = YEAR.replace(month=chance.choice((2, 3, 4, 9, 10, 11)), day=chance.randint(1, 28))
        first = begin + timedelta(hours=chance.choice((0, 1, 1.5, 2, 2.5, 3, 8, 23.5)))
        after = (first + timedelta(days=chance.choice((-1, 0, 20, 150)))).replace(tzinfo=zone).astimezone(UTC)
        theirs = list(islice(by_dateutil(rule, first, after, zone), FOLLOWED))
        ours = list(islice(by_us(rule, first, after, zone), FOLLOWED))
        assert ours == theirs, (rule, first, after, zone)
        written = vRecur.from_ical(rule).to_ical().decode()
        assert next_occurrence(written, first, after, zone) == next(iter(theirs), None), (rule, written)
        compared += len(theirs)
        ended += len(theirs) < FOLLOWED
    assert compared > 3 * rules
    assert ended > rules / 20, "some series end"


def test_a_year_of_fifth_working_days_in_sao_paulo() -> None:
    """As the banks of the city had them in 2026: Good Friday moved April's, the 1st of January January's, and so on."""
    official = [(1, 8), (2, 6), (3, 6), (4, 8), (5, 8), (6, 8), (7, 7), (8, 7), (9, 8), (10, 7), (11, 9), (12, 7)]
    zone = ZoneInfo("America/Sao_Paulo")
    days = Days(calendar("SP-Capital", "", carnival=True))
    first = YEAR.replace(hour=9)
    found, after = [], datetime(2025, 12, 31, tzinfo=UTC)
    for _ in official:
        moment = next_occurrence(FIFTH, first, after, zone, days)
        assert moment is not None
        found.append((moment.astimezone(zone).month, moment.astimezone(zone).day))
        after = moment
    assert found == official


def occurrences(rule: str, days: Days, count: int, first: datetime = EIGHT) -> list[str]:
    zone, after, found = ZoneInfo("America/Sao_Paulo"), datetime(2025, 12, 31, tzinfo=UTC), []
    for _ in range(count):
        moment = next_occurrence(rule, first, after, zone, days)
        if moment is None:
            break
        found.append(f"{moment.astimezone(zone):%d/%m}")
        after = moment
    return found


SP = calendar("SP-Capital", "", carnival=True)


def test_holidays_are_skipped_or_moved() -> None:
    fifteenth = "FREQ=MONTHLY;BYMONTHDAY=15"
    assert occurrences(fifteenth, Days(SP), 3) == ["15/01", "15/02", "15/03"]
    assert occurrences(fifteenth, Days(SP, "next"), 3) == ["15/01", "18/02", "16/03"], "a Sunday before Carnaval"
    assert occurrences(fifteenth, Days(SP, "previous"), 3) == ["15/01", "13/02", "13/03"]
    weekday = "FREQ=WEEKLY;BYDAY=TH"
    spring = YEAR.replace(month=5, day=28, hour=8)
    assert occurrences(weekday, Days(SP, "skip"), 3, spring) == ["28/05", "11/06", "18/06"], "Corpus Christi"
    no_carnival = calendar("SP", "", carnival=False)
    assert occurrences(weekday, Days(no_carnival, "skip"), 3, spring) == ["28/05", "04/06", "11/06"]


def test_a_weekend_that_the_rule_names_is_kept() -> None:
    saturdays = occurrences("FREQ=WEEKLY;BYDAY=SA", Days(SP, "next"), 3)
    assert saturdays == ["03/01", "10/01", "17/01"]


def test_the_household_names_days_of_its_own_and_leaves_days_out() -> None:
    own = calendar("", "08/01, 40/99", carnival=True)
    assert occurrences("FREQ=DAILY", Days(own, "skip"), 4, YEAR.replace(day=6, hour=8)) == [
        "06/01",
        "07/01",
        "09/01",
        "10/01",
    ]
    left_out = Days(left_out=frozenset({date(2026, 1, 2), date(2026, 1, 3)}))
    assert occurrences("FREQ=DAILY", left_out, 3) == ["01/01", "04/01", "05/01"]


def test_a_rule_that_is_always_left_out_ends() -> None:
    christmas = "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25;UNTIL=20600101"
    assert occurrences(christmas, Days(SP, "skip"), 1) == []


@pytest.mark.parametrize(("place", "day", "name"), [
    ("", date(2026, 9, 7), "Independência do Brasil"),
    ("SP", date(2026, 7, 9), "Revolução Constitucionalista"),
    ("SP-Capital", date(2026, 1, 25), "Aniversário da Cidade de São Paulo"),
    ("RJ", date(2026, 4, 23), "São Jorge"),
    ("", date(2026, 2, 17), "Carnaval"),
])  # fmt: skip
def test_what_a_holiday_is_called(place: str, day: date, name: str) -> None:
    known = calendar(place, "", carnival=True)
    assert known.holiday(day)
    assert not known.works(day)
    assert known.name(day) == name


def test_working_days_with_an_end_and_a_count() -> None:
    assert occurrences(FIFTH + ";COUNT=2", Days(SP), 9) == ["08/01", "06/02"]
    assert occurrences(FIFTH + ";UNTIL=20260401", Days(SP), 9) == ["08/01", "06/02", "06/03"]
    assert occurrences("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;INTERVAL=2", Days(SP), 2) == ["30/01", "31/03"]
