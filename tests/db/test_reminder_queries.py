"""The reminders' queries on a real server: claims, leases, series, and the index each was made for."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from db import reminder_leases
from db.database import Database, open_database
from db.reminder_changes import cancel
from db.reminder_leases import Look, claim_due, extend, next_due, release, triggered
from db.reminder_search import holding, upcoming
from db.reminders import Due, create

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Sao_Paulo")
MINUTE = timedelta(minutes=1)


async def claim(
    db: Database, now: datetime = NOW, limit: int = 10, worker: str = "a", lease_s: float = 60
) -> list[Due]:
    return await claim_due(db, now, limit, lease_s, worker, zone=ZONE)


async def status(db: Database, reminder_id: UUID) -> str:
    return str(await db.fetchval("SELECT status FROM reminders WHERE id = $1", reminder_id))


async def test_what_is_due_is_claimed_oldest_first_and_once(db: Database) -> None:
    later = await create(db, "regar", NOW)
    first = await create(db, "remédio", NOW - MINUTE, description="com água", metadata={"origem": "teste"})
    await create(db, "amanhã", NOW + MINUTE)
    claimed = await claim(db)
    assert [due.id for due in claimed] == [first, later]
    assert claimed[0] == Due(first, "remédio", NOW - MINUTE, "com água", None, {"origem": "teste"})
    assert await claim(db, worker="b") == []
    assert await triggered(db, first, NOW, "a")
    assert not await triggered(db, first, NOW, "a"), "only once"
    row = await db.fetchrow("SELECT status, triggered_at, lease_until, leased_by FROM reminders WHERE id = $1", first)
    assert row is not None
    assert tuple(row) == ("triggered", NOW, None, None)


async def test_a_lease_that_ran_out_is_claimed_again_under_the_same_id(db: Database) -> None:
    only = await create(db, "remédio", NOW)
    await claim(db)
    assert await claim(db, NOW + timedelta(seconds=59), worker="b") == []
    assert [due.id for due in await claim(db, NOW + timedelta(seconds=60), worker="b")] == [only]
    assert not await triggered(db, only, NOW, "a"), "who was taken over records nothing"
    assert await triggered(db, only, NOW, "b")


async def test_a_lease_is_prolonged_and_given_back_only_by_its_owner(db: Database) -> None:
    only = await create(db, "remédio", NOW)
    await claim(db)
    await extend(db, [only], NOW + timedelta(minutes=10), "b")
    await extend(db, [only], NOW + timedelta(minutes=5), "a")
    await release(db, [only], "b")
    assert await claim(db, NOW + timedelta(minutes=4), worker="b") == []
    await release(db, [only], "a", NOW + timedelta(minutes=7))
    assert await claim(db, NOW + timedelta(minutes=6), worker="b") == []
    assert (await next_due(db, NOW + timedelta(minutes=6))).at == NOW + timedelta(minutes=7)
    assert len(await claim(db, NOW + timedelta(minutes=7), worker="b")) == 1


async def test_a_lease_from_before_the_clock_was_put_back_no_longer_counts(db: Database) -> None:
    only = await create(db, "remédio", NOW)
    await claim(db, NOW + timedelta(hours=1))
    assert await next_due(db, NOW) == Look(None, {only: NOW + timedelta(hours=1, minutes=1)})
    assert len(await claim(db, NOW, worker="b")) == 1


async def test_a_lease_that_is_over_is_told_apart_and_taken_only_where_that_is_allowed(db: Database) -> None:
    mine = await create(db, "remédio", NOW)
    await claim(db)
    put_off = await create(db, "regar", NOW)
    later = NOW + timedelta(hours=2)
    await claim(db, worker="b")
    await release(db, [put_off], "b", NOW + MINUTE)
    assert await next_due(db, later) == Look(NOW, {mine: NOW + MINUTE}), "nobody has what was put off"
    assert [due.id for due in await claim_due(db, later, 9, 60, "c", zone=ZONE, from_the_dead=[])] == [put_off]
    assert [due.id for due in await claim_due(db, later, 9, 60, "c", zone=ZONE, from_the_dead=[mine])] == [mine]


async def test_the_next_moment_to_look(db: Database) -> None:
    assert (await next_due(db, NOW)).at is None
    await create(db, "b", NOW + timedelta(hours=2))
    assert (await next_due(db, NOW)).at == NOW + timedelta(hours=2)
    due = await create(db, "a", NOW - MINUTE)
    assert (await next_due(db, NOW)).at == NOW - MINUTE
    await claim(db)
    assert (await next_due(db, NOW)).at == NOW + MINUTE, "when the lease ends"
    await triggered(db, due, NOW, "a")
    assert (await next_due(db, NOW)).at == NOW + timedelta(hours=2)


async def test_many_claim_at_once_and_each_is_claimed_once(db: Database, database_url: str) -> None:
    ids = {await create(db, f"número {n}", NOW - n * MINUTE) for n in range(60)}

    async def work(worker: str) -> list[UUID]:
        mine: list[UUID] = []
        async with open_database(database_url, size=1) as own:
            while some := await claim(own, limit=3, worker=worker):
                mine += [due.id for due in some]
        return mine

    shares = await asyncio.gather(*(work(name) for name in "abcd"))
    claimed = [each for share in shares for each in share]
    assert len(claimed) == len(ids)
    assert set(claimed) == ids


async def test_a_series_has_its_next_occurrence_before_this_one_is_spoken(db: Database) -> None:
    first = await create(db, "remédio", NOW, rrule="FREQ=DAILY", area="sala", zone=ZONE)
    [due] = await claim(db)
    assert due.id == first
    assert (await next_due(db, NOW)).at == NOW + MINUTE
    [following] = await upcoming(db, NOW + MINUTE, NOW + timedelta(days=3))
    assert (following.title, following.scheduled_at) == ("remédio", NOW + timedelta(days=1))
    assert (following.rrule, following.area, following.series_id) == ("FREQ=DAILY", "sala", first)
    assert following.dtstart == datetime.fromisoformat("2026-11-21T09:00")
    # The daemon died: claimed again, it makes no second one.
    await claim(db, NOW + timedelta(minutes=2), worker="b")
    assert await db.fetchval("SELECT count(*) FROM reminders") == 2


async def test_a_series_goes_on_after_days_off_without_making_up_for_them(db: Database) -> None:
    await create(db, "remédio", NOW, rrule="FREQ=DAILY", zone=ZONE)
    days = timedelta(days=1)
    spoken = []
    for day in (0, 1, 5, 6):
        now = NOW + day * days + MINUTE
        [due] = await claim(db, now)
        spoken.append((due.scheduled_at - NOW) // days)
        assert await triggered(db, due.id, now, "a")
        assert await claim(db, now) == []
    assert spoken == [0, 1, 2, 6]
    assert await db.fetchval("SELECT count(DISTINCT series_id) FROM reminders") == 1


async def test_a_series_ends(db: Database) -> None:
    await create(db, "antibiótico", NOW, rrule="FREQ=DAILY;COUNT=3", zone=ZONE)
    spoken = 0
    for day in range(6):
        for due in await claim(db, NOW + timedelta(days=day)):
            spoken += await triggered(db, due.id, NOW, "a")
    assert spoken == 3


async def test_a_cancelled_occurrence_ends_its_series_even_if_claimed_again(db: Database) -> None:
    await create(db, "remédio", NOW, rrule="FREQ=DAILY", zone=ZONE)
    await claim(db)
    [following] = await upcoming(db, NOW + MINUTE, NOW + timedelta(days=2))
    assert await cancel(db, [following.id]) == 1
    await claim(db, NOW + timedelta(minutes=5), worker="b")
    assert await upcoming(db, NOW + MINUTE, NOW + timedelta(days=9)) == []


async def test_a_rule_broken_in_sql_is_spoken_this_once(db: Database) -> None:
    only = await create(db, "remédio", NOW)
    await db.execute("UPDATE reminders SET rrule = 'FREQ=NEVER'")
    assert [due.id for due in await claim(db)] == [only]


async def test_a_rule_that_cannot_be_followed_is_refused_with_a_sentence(db: Database) -> None:
    for rule in ("todo dia", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "7"):
        with pytest.raises(ValueError, match=r"[?.]$"):
            await create(db, "remédio", NOW, rrule=rule, zone=ZONE)
    assert await db.fetchval("SELECT count(*) FROM reminders") == 0


@pytest.mark.parametrize("title", ["", "   ", "\n"])
async def test_a_reminder_of_nothing_is_refused(db: Database, title: str) -> None:
    with pytest.raises(ValueError, match="Lembrar de quê"):
        await create(db, title, NOW)


@pytest.mark.parametrize("title", ["a\0b", "\ud83d", "'; DROP TABLE reminders; --", "🙂 \u202eabc", "longo " * 2000])
async def test_any_title_is_kept(db: Database, title: str) -> None:
    await create(db, title, NOW, metadata={title: title})
    [due] = await claim(db)
    assert 0 < len(due.title) <= 255
    assert due.description is None or due.description.startswith("longo longo")


async def test_cancelling_and_asking_what_is_to_come(db: Database) -> None:
    ana = await db.fetchval("INSERT INTO users (name) VALUES ('Ana') RETURNING id")
    rui = await db.fetchval("INSERT INTO users (name) VALUES ('Rui') RETURNING id")
    hers = await create(db, "dentista", NOW + MINUTE, ana)
    his = await create(db, "futebol", NOW + 2 * MINUTE, rui)
    ours = await create(db, "lixo", NOW + 3 * MINUTE)
    hour = NOW + timedelta(hours=1)
    assert [due.id for due in await upcoming(db, NOW, hour)] == [hers, his, ours]
    assert [due.id for due in await upcoming(db, NOW, hour, ana)] == [hers, ours]
    assert await cancel(db, [hers, ours, hers]) == 2
    assert await cancel(db, [hers]) == 0
    assert [due.id for due in await upcoming(db, NOW, hour)] == [his]
    assert (await status(db, hers), await status(db, his)) == ("cancelled", "pending")


async def test_words_find_titles_and_forgive_accents_case_and_plurals(db: Database) -> None:
    medicine = await create(db, "Tomar os remédios da pressão", NOW)
    await create(db, "Levar o Rex ao veterinário", NOW)

    async def found(*words: str) -> list[UUID]:
        return [due.id for due in holding(await upcoming(db, NOW - MINUTE, NOW + MINUTE), words)]

    assert await found("remedio") == [medicine]
    assert await found("REMÉDIOS", "da", "pressao") == [medicine]
    assert await found("remédio", "rex") == []
    assert await found("o", "remédio") == [medicine]
    assert await found() == []
    assert await found("%", "'") == []


async def test_creating_and_releasing_wakes_who_listens(db: Database, database_url: str) -> None:
    heard = asyncio.Queue[str]()
    connection = await asyncpg.connect(database_url)
    await connection.add_listener("mordomo_reminders", lambda *args: heard.put_nowait(str(args[2])))
    only = await create(db, "remédio", NOW)
    assert await asyncio.wait_for(heard.get(), 5) == "mordomo_reminders"
    await claim(db)
    await release(db, [only], "a")
    assert await asyncio.wait_for(heard.get(), 5) == "mordomo_reminders"
    await connection.close()


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan] + [node for inner in plan.get("Plans", []) for node in nodes(inner)]


async def plan_of(db: Database, sql: str, *args: object) -> list[dict[str, Any]]:
    async with db.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE asked AS {sql}")
        literal = ", ".join("NULL" if arg is None else "'" + str(arg) + "'" for arg in args)
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({literal})")
        await connection.execute("DEALLOCATE asked")
    return nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


async def test_the_due_queries_use_their_index(db: Database) -> None:
    """The generic plan too, which a prepared statement ends up with: the server then knows none of the moments."""
    await db.execute(
        """INSERT INTO reminders (title, scheduled_at, status)
           SELECT 'r' || n, $1::timestamptz + (n - 30000) * interval '1 minute',
                  CASE WHEN n % 3 = 0 THEN 'pending' WHEN n % 3 = 1 THEN 'triggered' ELSE 'cancelled' END
           FROM generate_series(1, 40000) AS n""",
        NOW,
    )
    await db.execute("ANALYZE reminders")
    until = NOW + reminder_leases.LONGEST_LEASE
    for sql, args in (
        (reminder_leases.CLAIM_DUE, (NOW, NOW, until, 1, NOW, "a", None)),
        (reminder_leases.NEXT_DUE, (NOW, until)),
    ):
        plan = await plan_of(db, sql, *args)
        assert "idx_reminders_scheduled" in {node.get("Index Name") for node in plan}
        assert not [node for node in plan if node["Node Type"] in ("Seq Scan", "Sort", "Hash Join")]
