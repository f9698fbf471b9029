"""What people change: one occurrence or all that follow, exceptions, snoozes, answers and timers."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from db.audit import acting_as
from db.audit import recent as audited
from db.database import Database, open_database
from db.holidays import calendar
from db.reminder_changes import add_time, cancel, change, complete, pause, resume, skip, snooze
from db.reminder_leases import claim_due, next_due, triggered
from db.reminder_search import of_kind, one, recent, upcoming
from db.reminder_steps import steps_of
from db.reminders import Due, create
from db.upgrade import downgrade, upgrade

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Sao_Paulo")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def only(db: Database) -> Due:
    [due] = await upcoming(db, NOW - DAY, NOW + 400 * DAY)
    return due


async def spoken_days(db: Database, days: int) -> list[str]:
    """Live so many days, each reminder spoken at its moment; return the moments on the household's clock."""
    found = []
    for _ in range(days):
        moment = (await next_due(db, NOW)).at
        if moment is None or moment > NOW + days * DAY:
            break
        for due in await claim_due(db, moment, 10, 60, "a", zone=ZONE):
            found.append(f"{due.scheduled_at.astimezone(ZONE):%d %H:%M} {due.title}")
            assert await triggered(db, due.id, moment, "a")
    return found


async def daily(db: Database, rule: str = "FREQ=DAILY") -> UUID:
    return await create(db, "remédio", NOW + HOUR, rrule=rule, zone=ZONE)


async def test_this_one_only(db: Database) -> None:
    pill = await daily(db)
    async with db.transaction() as connection:
        assert await change(
            connection, pill, NOW, ZONE, only_this=True, scheduled_at=NOW + 3 * HOUR, title="remédio atrasado"
        )
    assert await spoken_days(db, 3) == ["20 12:00 remédio atrasado", "21 10:00 remédio", "22 10:00 remédio"]


async def test_from_now_on(db: Database) -> None:
    pill = await daily(db)
    async with db.transaction() as connection:
        assert await change(connection, pill, NOW, ZONE, scheduled_at=NOW + 3 * HOUR, title="vitamina")
    assert await spoken_days(db, 3) == ["20 12:00 vitamina", "21 12:00 vitamina", "22 12:00 vitamina"]


async def test_a_series_that_counts_keeps_counting_when_its_hour_changes(db: Database) -> None:
    await daily(db, "FREQ=DAILY;COUNT=4")
    assert await spoken_days(db, 1) == ["20 10:00 remédio"]
    async with db.transaction() as connection:
        due = await only(db)
        assert await change(connection, due.id, NOW, ZONE, scheduled_at=due.scheduled_at + HOUR)
    assert (await only(db)).rrule == "FREQ=DAILY;COUNT=3"
    assert await spoken_days(db, 9) == ["21 11:00 remédio", "22 11:00 remédio", "23 11:00 remédio"]


async def test_another_rule_or_none_or_an_impossible_one(db: Database) -> None:
    pill = await daily(db)
    async with db.transaction() as connection:
        await change(connection, pill, NOW, ZONE, rrule="FREQ=WEEKLY")
        with pytest.raises(ValueError, match=r"[?.]$"):
            await change(connection, pill, NOW, ZONE, rrule="FREQ=NUNCA")
        await change(connection, pill, NOW, ZONE, area="quarto", addressee="A" * 300, except_dates=[date(2026, 11, 27)])
    due = await only(db)
    assert (due.rrule, due.area, len(due.addressee or ""), due.except_dates) == (
        "FREQ=WEEKLY", "quarto", 255, [date(2026, 11, 27)],
    )  # fmt: skip
    async with db.transaction() as connection:
        await change(connection, pill, NOW, ZONE, rrule=None)
        assert not await change(connection, UUID(int=1), NOW, ZONE, title="x")
    assert await spoken_days(db, 9) == ["20 10:00 remédio"]


async def test_not_tomorrow(db: Database) -> None:
    pill = await daily(db)
    async with db.transaction() as connection:
        assert await skip(connection, pill, [date(2026, 11, 21)], NOW, ZONE)
    assert await spoken_days(db, 3) == ["20 10:00 remédio", "22 10:00 remédio"]


async def test_not_today(db: Database) -> None:
    pill = await daily(db)
    async with db.transaction() as connection:
        assert await skip(connection, pill, [date(2026, 11, 20), date(2026, 11, 22)], NOW, ZONE)
        assert not await skip(connection, pill, [date(2026, 11, 20)], NOW, ZONE)
    assert await spoken_days(db, 4) == ["21 10:00 remédio", "23 10:00 remédio"]


async def test_holidays_and_lead_time(db: Database) -> None:
    """The rent is due on the fifth working day, and told a day before; the 2nd of November 2026 is no working day."""
    about = datetime(2026, 10, 7, 9, tzinfo=ZONE)
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5"
    days = calendar("SP", "", carnival=True)
    await create(db, "aluguel", about - DAY, rrule=rule, lead_s=86_400, zone=ZONE, calendar=days, kind="reminder")
    for _ in range(2):
        now = (await next_due(db, NOW)).at
        assert now is not None
        [due] = await claim_due(db, now, 10, 60, "a", zone=ZONE, calendar=days)
        await triggered(db, due.id, now, "a")
    [third] = await db.fetch("SELECT scheduled_at FROM reminders WHERE status = 'pending'")
    assert due.scheduled_at.astimezone(ZONE) == datetime(2026, 11, 8, 9, tzinfo=ZONE)
    assert third[0].astimezone(ZONE) == datetime(2026, 12, 6, 9, tzinfo=ZONE)


async def test_snoozed_before_and_after_it_was_spoken(db: Database) -> None:
    pill = await daily(db)
    await claim_due(db, NOW + HOUR, 1, 60, "a", zone=ZONE)
    later = NOW + HOUR + timedelta(minutes=10)
    async with db.transaction() as connection:
        assert await snooze(connection, pill, later, NOW + HOUR)
    assert not await triggered(db, pill, NOW + HOUR, "a"), "what was put off while spoken stays put off"
    assert await spoken_days(db, 2) == ["20 10:10 remédio", "21 10:00 remédio"]
    async with db.transaction() as connection:
        assert await snooze(connection, pill, later + HOUR, later)
        assert not await snooze(connection, UUID(int=1), later, later)
    due = await one(db, pill)
    assert due is not None
    assert (due.status, due.scheduled_at, due.asked_for) == ("pending", later + HOUR, NOW + HOUR)
    assert [each.step for each in await steps_of(db, pill)] == ["snoozed", "spoken", "snoozed"]
    await cancel(db, [pill])
    async with db.transaction() as connection:
        assert not await snooze(connection, pill, later, later)


async def test_done_before_its_time_the_series_goes_on(db: Database) -> None:
    pill = await daily(db)
    async with acting_as(db, "Ana", "voice") as connection:
        assert await complete(connection, pill, NOW, ZONE, by="Ana")
        assert not await complete(connection, pill, NOW, ZONE)
    due = await one(db, pill)
    assert due is not None
    assert (due.status, due.done_at, due.triggered_at) == ("triggered", NOW, NOW)
    assert (await only(db)).scheduled_at == NOW + HOUR + DAY
    assert next(each.actor for each in await audited(db, "reminders", row_id=pill)) == "Ana"
    assert [(each.step, each.detail) for each in await steps_of(db, pill)] == [("done", {"by": "Ana"})]


async def test_what_was_spoken_lately(db: Database) -> None:
    old = await create(db, "velho", NOW - 5 * DAY)
    new = await create(db, "novo", NOW - HOUR)
    await claim_due(db, NOW, 9, 60, "a", zone=ZONE)
    await triggered(db, old, NOW - 4 * DAY, "a")
    await db.execute("UPDATE reminders SET triggered_at = $2 WHERE id = $1", old, NOW - 4 * DAY)
    await triggered(db, new, NOW - HOUR, "a")
    assert [due.id for due in await recent(db, NOW - 3 * DAY, NOW)] == [new]


async def test_a_timer_is_paused_lengthened_and_goes_on(db: Database) -> None:
    timer = await create(db, "timer do macarrão", NOW + timedelta(minutes=10), kind="timer", duration_s=600)
    async with db.transaction() as connection:
        assert await pause(connection, timer, NOW + timedelta(minutes=4)) == 360
        assert await pause(connection, timer, NOW) is None
    assert (await next_due(db, NOW)).at is None
    assert await claim_due(db, NOW + DAY, 9, 60, "a", zone=ZONE) == []
    [due] = await of_kind(db, "timer")
    assert (due.paused_left_s, due.scheduled_at.year) == (360, 9999)
    async with db.transaction() as connection:
        assert await add_time(connection, timer, -60, NOW)
        assert await resume(connection, timer, NOW + HOUR) == NOW + HOUR + timedelta(minutes=5)
        assert await resume(connection, timer, NOW) is None
        assert await add_time(connection, timer, 120, NOW)
    [due] = await of_kind(db, "timer")
    assert (due.scheduled_at, due.duration_s) == (NOW + HOUR + timedelta(minutes=7), 660)
    async with db.transaction() as connection:
        assert await add_time(connection, timer, -9999, NOW + HOUR)
        assert not await add_time(connection, UUID(int=1), 1, NOW)
    assert (await next_due(db, NOW)).at == NOW + HOUR


async def test_what_was_in_metadata_moves_into_columns_and_back(database_url: str, db: Database) -> None:
    await downgrade(database_url, "0008")
    async with open_database(database_url) as old:
        told = {"rrule": "FREQ=DAILY", "dtstart": "2026-11-20T09:00:00", "series": str(UUID(int=5)), "area": "sala",
                "mais": 1}  # fmt: skip
        for title, metadata in (("série", told), ("lixo", {**told, "dtstart": "ontem"}), ("sala", {"area": "x" * 200})):
            await old.execute(
                "INSERT INTO reminders (title, scheduled_at, metadata) VALUES ($1, $2, $3)", title, NOW, metadata
            )
        before = await old.fetchval("SELECT count(*) FROM audit_log")
    await upgrade(database_url)
    async with open_database(database_url) as new:
        rows = {row["title"]: row for row in await new.fetch("SELECT * FROM reminders")}
        assert rows["série"]["metadata"] == {"mais": 1}
        assert rows["série"]["dtstart"] == datetime.fromisoformat("2026-11-20T09:00:00")
        assert (rows["série"]["rrule"], rows["série"]["series_id"], rows["série"]["area"]) == (
            "FREQ=DAILY", UUID(int=5), "sala",
        )  # fmt: skip
        assert (rows["lixo"]["rrule"], rows["lixo"]["dtstart"]) == ("FREQ=DAILY", None)
        assert rows["sala"]["area"] == "x" * 100
        assert await new.fetchval("SELECT count(*) FROM audit_log") == before
        paused = await create(new, "timer", NOW, kind="timer")
        async with new.transaction() as connection:
            await pause(connection, paused, NOW)
    await downgrade(database_url, "0008")
    async with open_database(database_url) as old:
        rows = {row["title"]: row for row in await old.fetch("SELECT * FROM reminders")}
        assert rows["série"]["metadata"] == told
        assert rows["timer"]["status"] == "cancelled"
    await upgrade(database_url)
