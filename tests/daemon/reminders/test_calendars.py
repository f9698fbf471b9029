"""Calendars both ways: what `icalendar` reads of ours is what we meant, and what others write is what they meant."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rruleset, rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from daemon.reminders.calendars import read, written
from db.database import open_database
from db.recurrence import Days, next_occurrence
from db.reminders import Due

ZONE = ZoneInfo("America/Sao_Paulo")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZONE)
ID = UUID("01a1fec2-42bf-7996-87ee-fbb87f8b5626")


def wall(day: int, hour: int) -> datetime:
    """Return a moment of November 2026 on the household's clock."""
    return datetime(2026, 11, day, hour, tzinfo=ZONE).replace(tzinfo=None)


def due(**more: Any) -> Due:
    at = more.pop("scheduled_at", datetime(2026, 11, 21, 8, 0, tzinfo=ZONE))
    return Due(
        ID,
        more.pop("title", "tomar o remédio"),
        at,
        more.pop("description", None),
        None,
        more.pop("metadata", {}),
        **more,
    )


def event(calendar: bytes) -> Any:
    (only,) = Calendar.from_ical(calendar).walk("VEVENT")
    return only


def others_occurrences(calendar: bytes, count: int) -> list[datetime]:
    """Return the occurrences as another program finds them: with dateutil, on DTSTART's own zone."""
    part = event(calendar)
    start = part["DTSTART"].dt
    rules = rruleset()
    rule = part["RRULE"].to_ical().decode().replace("Z", "") if "RRULE" in part else "FREQ=DAILY;COUNT=1"
    until = part["RRULE"].get("UNTIL") if "RRULE" in part else None
    if until:
        last = until[0].astimezone(start.tzinfo).strftime("%Y%m%dT%H%M%S")
        rule = ";".join(f"UNTIL={last}" if each.startswith("UNTIL") else each for each in rule.split(";"))
    rules.rrule(cast("Any", rrulestr(rule, dtstart=start.replace(tzinfo=None))))
    exdates = part.get("EXDATE", [])
    for dates in exdates if isinstance(exdates, list) else [exdates]:
        for each in dates.dts:
            rules.exdate(each.dt.replace(tzinfo=None))
    return [at.replace(tzinfo=start.tzinfo) for at in islice(rules, count)]


def test_a_single_one() -> None:
    part = event(written([due(description="com água", lead_s=600)], ZONE, NOW))
    assert (str(part["SUMMARY"]), str(part["DESCRIPTION"])) == ("tomar o remédio", "com água")
    assert part["DTSTART"].dt == datetime(2026, 11, 21, 8, 10, tzinfo=ZONE)
    assert str(part["DTSTART"].params["TZID"]) == "America/Sao_Paulo"
    (alarm,) = part.walk("VALARM")
    assert alarm["TRIGGER"].dt == timedelta(minutes=-10)


def test_a_title_of_any_kind_is_only_text() -> None:
    title = "a; b, c\\ \nBEGIN:VALARM 🙃 " + "x" * 200
    calendar = written([due(title=title)], ZONE, NOW)
    assert str(event(calendar)["SUMMARY"]) == title
    (entry,), _ = read(calendar, ZONE, NOW)
    assert entry.title == " ".join(title.split())


def test_the_hour_is_told_by_the_beginning_and_the_end_in_utc() -> None:
    rule = "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261231T235959;BYHOUR=8;BYMINUTE=0"
    part = event(written([due(rrule=rule, dtstart=wall(24, 8))], ZONE, NOW))
    assert "BYHOUR" not in part["RRULE"]
    assert part["RRULE"]["UNTIL"] == [datetime(2027, 1, 1, 2, 59, 59, tzinfo=UTC)]


def test_days_left_out_and_what_mordomo_alone_knows_come_back() -> None:
    series = due(
        rrule="FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0", dtstart=wall(21, 8), lead_s=300,
        scheduled_at=datetime(2026, 11, 21, 7, 55, tzinfo=ZONE), except_dates=[date(2026, 11, 22)], kind="alarm",
        on_holiday="skip", addressee="Ana",
    )  # fmt: skip
    calendar = written([series], ZONE, NOW)
    assert [at.day for at in others_occurrences(calendar, 4)] == [21, 21, 23, 23]
    (entry,), over = read(calendar, ZONE, NOW)
    assert over == 0
    assert (entry.kind, entry.on_holiday, entry.addressee, entry.lead_s) == ("alarm", "skip", "Ana", 300)
    assert entry.except_dates == (date(2026, 11, 22),)
    assert entry.scheduled_at == series.scheduled_at


RULES = st.builds(
    lambda base, interval, end: f"{base};INTERVAL={interval}{end}",
    st.sampled_from(
        ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR", "FREQ=WEEKLY;BYDAY=SU", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=MONTHLY;BYDAY=-1FR",
         "FREQ=YEARLY", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5", "FREQ=HOURLY"]
    ),
    st.integers(1, 4),
    st.sampled_from(["", ";COUNT=5", ";UNTIL=20280301T120000Z"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(rule=RULES, day=st.integers(0, 400), hour=st.integers(3, 22), zone=st.sampled_from([ZONE, NEW_YORK]))
def test_others_find_the_occurrences_that_we_find(rule: str, day: int, hour: int, zone: ZoneInfo) -> None:
    if rule.startswith("FREQ=HOURLY") and zone is NEW_YORK:
        return  # by the wall clock or by the hour that passed: calendars do not agree where the clock jumps
    start = wall(21, hour) + timedelta(days=day)
    first = next_occurrence(rule, start, start.replace(tzinfo=zone) - timedelta(seconds=1), zone)
    if first is None:
        return
    begin = first.astimezone(zone).replace(tzinfo=None)
    calendar = written([due(rrule=rule, dtstart=begin, scheduled_at=first)], zone, NOW)
    ours: list[datetime] = []
    after = first - timedelta(seconds=1)
    while len(ours) < 5 and (moment := next_occurrence(rule, begin, after, zone, Days())) is not None:
        ours.append(moment)
        after = moment
    assert [at.astimezone(UTC) for at in others_occurrences(calendar, len(ours))] == ours
    (entry,), _ = read(calendar, zone, first.astimezone(zone) - timedelta(minutes=1))
    assert entry.scheduled_at == first


FOREIGN = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example Corp//Calendar//EN
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:STANDARD
DTSTART:20261101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:weekly@example
DTSTAMP:20260101T000000Z
DTSTART;TZID=America/Sao_Paulo:20260901T190000
RRULE:FREQ=WEEKLY;COUNT=15
EXDATE;TZID=America/Sao_Paulo:20261201T190000
SUMMARY:Pilates
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:x
TRIGGER:-PT30M
END:VALARM
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-P1D
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:weekly@example
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=America/Sao_Paulo:20261124T190000
DTSTART;TZID=America/Sao_Paulo:20261125T200000
SUMMARY:Pilates (outro dia)
END:VEVENT
BEGIN:VEVENT
UID:allday@example
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261225
SUMMARY:Natal na casa da vó
END:VEVENT
BEGIN:VEVENT
UID:away@example
DTSTAMP:20260101T000000Z
DTSTART;TZID=America/New_York:20261210T090000
SUMMARY:Reunião
END:VEVENT
BEGIN:VEVENT
UID:past@example
DTSTAMP:20260101T000000Z
DTSTART:20200101T090000Z
SUMMARY:Velho
END:VEVENT
BEGIN:VEVENT
UID:off@example
DTSTAMP:20260101T000000Z
DTSTART:20271010T090000Z
STATUS:CANCELLED
SUMMARY:Desmarcado
END:VEVENT
BEGIN:VTODO
UID:todo@example
DTSTAMP:20260101T000000Z
DUE:20261130T120000
SUMMARY:Pagar o IPVA
END:VTODO
END:VCALENDAR
""".replace("\n", "\r\n").encode()


def test_what_others_write() -> None:
    entries, over = read(FOREIGN, ZONE, NOW)
    told = {entry.uid: entry for entry in entries}
    assert over == 1
    half_hour, day_before = told["weekly@example"], told["weekly@example#-86400"]
    assert (half_hour.lead_s, day_before.lead_s) == (1800, 86400)
    # 24/11 was moved, 1/12 left out: the 15th comes on 8/12, after twelve that are over.
    assert half_hour.about == datetime(2026, 12, 8, 19, 0, tzinfo=ZONE)
    assert half_hour.rrule == "FREQ=WEEKLY;COUNT=1"
    assert told["weekly@example#20261125"].title == "Pilates (outro dia)"
    assert told["allday@example"].about == datetime(2026, 12, 25, 9, 0, tzinfo=ZONE)
    assert told["away@example"].about == datetime(2026, 12, 10, 11, 0, tzinfo=ZONE)
    assert told["todo@example"].about == datetime(2026, 11, 30, 12, 0, tzinfo=ZONE)
    assert not {"past@example", "off@example"} & told.keys()


@pytest.mark.parametrize(
    "text", [b"nada", b"\xff\xfe", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:ontem\r\nEND:VEVENT\r\nEND:VCALENDAR"]
)
def test_what_is_no_calendar_is_said_so(text: bytes) -> None:
    with pytest.raises(ValueError, match="calendário"):
        read(text, ZONE, NOW)


async def test_the_same_calendar_comes_in_once(database_url: str) -> None:
    from daemon.reminders.importing import bring_in

    entries, _ = read(FOREIGN, ZONE, NOW)
    async with open_database(database_url) as db:
        async with db.transaction() as connection:
            assert (await bring_in(connection, entries, ZONE)).added == len(entries)
        async with db.transaction() as connection:
            again = await bring_in(connection, entries, ZONE)
        assert (again.added, again.already, again.refused) == (0, len(entries), ())
        kept = await db.fetch("SELECT title, rrule, lead_s FROM reminders WHERE rrule IS NOT NULL ORDER BY lead_s")
        assert [tuple(row) for row in kept] == [
            ("Pilates", "FREQ=WEEKLY;COUNT=1", 1800),
            ("Pilates", "FREQ=WEEKLY;COUNT=1", 86400),
        ]
