"""LISTEN on a real server, over a wire that freezes, breaks and goes down."""

import asyncio
import time
from contextlib import aclosing

import pytest
from support.until import until
from support.wire import Wire

from db.database import Database
from db.errors import LinkDown
from db.listen import BACKLOG, LOOK_NOW, Notification, notifications

LISTENING = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%')"


async def test_it_says_when_it_listens_and_then_what_comes(db: Database) -> None:
    async with aclosing(notifications(db.url, ["um", "dois"])) as stream:
        assert await anext(stream) == LOOK_NOW
        await db.execute("SELECT pg_notify('dois', 'açaí'), pg_notify('um', ''), pg_notify('tres', 'x')")
        assert await anext(stream) == Notification("dois", "açaí")
        assert await anext(stream) == Notification("um", "")


async def test_reminders_notify_when_their_time_or_state_may_have_changed(db: Database) -> None:
    async with aclosing(notifications(db.url, ["mordomo_reminders"])) as stream:
        await anext(stream)
        await db.execute(
            "INSERT INTO reminders (title, scheduled_at) SELECT 'remédio', now() FROM generate_series(1, 10)"
        )
        assert await anext(stream) == Notification("mordomo_reminders", "")
        await db.execute("UPDATE reminders SET lease_until = now(), leased_by = 'eu'")  # nobody's business
        await db.execute("UPDATE reminders SET status = 'cancelled'")
        assert await anext(stream) == Notification("mordomo_reminders", "")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.1)


async def test_pings_keep_a_quiet_link(db: Database) -> None:
    async with aclosing(notifications(db.url, ["um"], ping_s=0.02)) as stream:
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await until(
            db,
            "EXISTS (SELECT FROM pg_stat_activity WHERE query = 'SELECT 1'"
            " AND datname = current_database() AND pid <> pg_backend_pid())",
        )
        assert not waiting.done()
        await db.execute("SELECT pg_notify('um', 'x')")
        assert await waiting == Notification("um", "x")


async def test_a_link_that_died_in_silence_is_found(wire: Wire) -> None:
    async with aclosing(notifications(wire.url, ["um"], ping_s=0.1, ping_timeout_s=0.2)) as stream:
        await anext(stream)
        wire.freeze()
        started = time.monotonic()
        with pytest.raises(LinkDown):
            await anext(stream)
        assert time.monotonic() - started < 2.5


async def test_without_a_ping_nobody_would_notice(wire: Wire) -> None:
    """The wire is really half-open: this is what the ping is for."""
    stream = notifications(wire.url, ["um"], ping_s=60)
    await anext(stream)
    wire.freeze()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.5)
    await stream.aclose()


async def test_a_link_that_breaks_is_found_at_once(wire: Wire) -> None:
    async with aclosing(notifications(wire.url, ["um"])) as stream:
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        wire.cut()
        with pytest.raises(LinkDown):
            await asyncio.wait_for(waiting, 1)


async def test_a_session_that_the_server_ends_is_found_at_once(db: Database) -> None:
    async with aclosing(notifications(db.url, ["um"])) as stream:
        await anext(stream)
        await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        with pytest.raises(LinkDown):
            await asyncio.wait_for(anext(stream), 1)


async def test_after_a_loss_a_new_stream_says_look_now(wire: Wire) -> None:
    for _ in range(3):
        async with aclosing(notifications(wire.url, ["um"])) as stream:
            assert await anext(stream) == LOOK_NOW
            wire.cut()
            with pytest.raises(LinkDown):
                await anext(stream)


async def test_a_server_that_is_away(wire: Wire) -> None:
    await wire.down()
    with pytest.raises(LinkDown):
        await anext(notifications(wire.url, ["um"]))
    await wire.start(wire.port)


async def test_a_cancelled_reader_leaves_no_session_behind(db: Database) -> None:
    async def read() -> None:
        async for _ in notifications(db.url, ["um"]):
            pass

    reader = asyncio.create_task(read())
    await until(db, LISTENING)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await until(db, f"NOT {LISTENING}")


async def test_a_slow_reader_is_told_to_look_at_everything(db: Database) -> None:
    async with aclosing(notifications(db.url, ["um"])) as stream:
        await anext(stream)
        await db.execute(f"SELECT pg_notify('um', i::text) FROM generate_series(1, {BACKLOG * 3}) AS i")
        await db.execute("SELECT pg_notify('um', 'fim')")
        seen = [await anext(stream)]
        while seen[-1].payload != "fim":
            seen.append(await anext(stream))
        assert LOOK_NOW in seen
        assert len(seen) <= BACKLOG + 1


async def test_a_channel_with_a_strange_name(db: Database) -> None:
    name = 'a"; DROP TABLE users; --'
    async with aclosing(notifications(db.url, [name])) as stream:
        await anext(stream)
        await db.execute("SELECT pg_notify($1, 'x')", name)
        assert await anext(stream) == Notification(name, "x")
    assert await db.fetchval("SELECT count(*) FROM users") == 0
