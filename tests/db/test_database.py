"""The pool against a real server that goes away in all the ways it can."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from support.until import until
from support.wire import Wire

from db.database import BadDatabaseUrl, Database, Unstorable, connect, open_database, storable
from db.errors import LinkDown


async def _terminate_others(db: Database) -> None:
    await db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_the_four_ways_to_ask(db: Database) -> None:
    assert [row["i"] for row in await db.fetch("SELECT generate_series(1, $1::int) AS i", 3)] == [1, 2, 3]
    row = await db.fetchrow("SELECT 1 AS one, 'dois' AS two")
    assert row is not None
    assert dict(row) == {"one": 1, "two": "dois"}
    assert await db.fetchrow("SELECT 1 WHERE false") is None
    assert await db.fetchval("SELECT $1::text", "açaí") == "açaí"
    assert await db.execute("UPDATE config SET description = NULL WHERE key = $1", "tts.speed") == "UPDATE 1"
    assert await db.execute("SELECT 1; SELECT 2") == "SELECT 1"
    assert await db.fetchval("SELECT current_setting('application_name')") == "mordomo"


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, "é 🎉 \\ ' \" %s $1", [], {"a": [1, {"b": None}]}, "x" * 10_000, "\u202e\u200f"]
)
async def test_json_comes_back_as_it_went(db: Database, value: object) -> None:
    assert await db.fetchval("SELECT $1::jsonb", value) == value
    assert await db.fetchval("SELECT $1::json", value) == value


@pytest.mark.parametrize("kind", ["text", "jsonb"])
@pytest.mark.parametrize("value", ["a\0b", "\ud83d", "x\udc00y"])
async def test_text_that_cannot_be_stored_is_refused_and_the_pool_lives(db: Database, kind: str, value: str) -> None:
    with pytest.raises(Unstorable, match="o banco não guarda"):
        await db.fetchval(f"SELECT $1::{kind}", value)
    with pytest.raises(Unstorable):
        async with db.transaction() as connection:
            await connection.execute(f"SELECT $1::{kind}", value)
    assert await db.fetchval(f"SELECT $1::{kind}", storable(value)) == storable(value)
    assert "\ufffd" in storable(value)


async def test_not_a_number_is_no_json(db: Database) -> None:
    with pytest.raises(Unstorable):
        await db.execute("SELECT $1::jsonb", {"confidence": float("nan")})


@pytest.mark.parametrize("text", ["", "açaí 🎉", "\ufffd", "\u202e", "a\\u0000"])
def test_storable_leaves_good_text_alone(text: str) -> None:
    assert storable(text) == text


async def test_mistakes_are_not_called_a_lost_link(db: Database) -> None:
    for sql, args in (("SELECT $1::int", ("um",)), ("SELECT $1::int", ()), ("SELECT 1/0", ()), ("SELEC 1", ())):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await db.fetch(sql, *args)
    with pytest.raises(asyncpg.InterfaceError, match="another operation"):
        async with db.transaction() as connection:
            await asyncio.gather(*(connection.fetchval("SELECT 1 FROM pg_sleep(0.05)") for _ in range(2)))
    assert await db.fetchval("SELECT 1") == 1


async def test_a_transaction_is_whole_or_nothing(db: Database) -> None:
    async def broken() -> None:
        async with db.transaction() as connection:
            await connection.execute("INSERT INTO users (name) VALUES ('Ana')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()
    assert await db.fetchval("SELECT count(*) FROM users") == 0
    async with db.transaction() as connection:
        await connection.execute("INSERT INTO users (name) VALUES ('Ana')")
    assert await db.fetchval("SELECT count(*) FROM users") == 1


# A server that is away.


async def test_opening_succeeds_while_nobody_is_there(tmp_path: Path) -> None:
    async with open_database(f"postgresql://mordomo@/casa?host={tmp_path}") as db:
        for _ in range(3):
            with pytest.raises(LinkDown) as down:
                await db.fetchval("SELECT 1")
            assert down.value.what == "postgres"
            assert down.value.why
        with pytest.raises(LinkDown):
            async with db.transaction():
                pytest.fail("there is no transaction")


async def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = time.monotonic()
        async with open_database(f"postgresql://mordomo@127.0.0.1:{port}/casa") as db:
            with pytest.raises(LinkDown, match="Timeout"):
                await db.fetchval("SELECT 1")
        assert time.monotonic() - started < 4


async def test_a_server_that_is_not_postgres_is_a_link_that_is_down() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, open_database(f"postgresql://a@127.0.0.1:{server.sockets[0].getsockname()[1]}/b") as db:
        with pytest.raises(LinkDown):
            await db.fetchval("SELECT 1")


@pytest.mark.parametrize(
    "url", ["http://casa", "postgresql://a:segredo@casa:porta/b", "nada", "postgresql://a@b:99999/c"]
)
async def test_a_bad_address_is_told_without_its_password(url: str) -> None:
    with pytest.raises((BadDatabaseUrl, LinkDown)) as bad:
        await connect(url)
    assert "segredo" not in str(bad.value)
    async with open_database(url) as db:
        assert "segredo" not in repr(db)


async def test_a_database_that_is_not_there_is_a_link_that_is_down(database_url: str) -> None:
    missing = database_url.replace("/test_", "/nenhum_")
    with pytest.raises(LinkDown, match="nenhum_"):
        await connect(missing)


async def test_connections_that_the_server_closed_cost_no_call(db: Database, database_url: str) -> None:
    await asyncio.gather(*(db.fetchval("SELECT pg_sleep(0.05)") for _ in range(5)))
    async with open_database(database_url) as admin:
        await _terminate_others(admin)
    assert await asyncio.gather(*(db.fetchval("SELECT 1") for _ in range(5))) == [1] * 5
    async with db.transaction() as connection:
        assert await connection.fetchval("SELECT 1") == 1


@asynccontextmanager
async def users_held(url: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Hold the table users, and yield a wait until somebody is waiting for it."""
    holder = await asyncpg.connect(url)

    async def waited_for() -> None:
        await until(holder, "EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass)")

    async with holder.transaction():
        await holder.execute("LOCK TABLE users")
        yield waited_for
    await holder.close()


async def test_a_read_cut_in_flight_is_read_again(wire: Wire, database_url: str) -> None:
    async with open_database(wire.url) as db:
        async with users_held(database_url) as waited_for:
            slow = asyncio.create_task(db.fetchval("SELECT count(*) FROM users"))
            await waited_for()
            wire.cut()
        assert await slow == 0
        assert wire.accepted == 2


async def test_a_write_cut_in_flight_is_not_written_again(wire: Wire, database_url: str) -> None:
    async with open_database(wire.url) as db:
        async with users_held(database_url) as waited_for:
            slow = asyncio.create_task(db.execute("INSERT INTO users (name) VALUES ('Ana')"))
            await waited_for()
            wire.cut()
            with pytest.raises(LinkDown):
                await slow
        assert wire.accepted == 1
        assert await db.fetchval("SELECT count(*) FROM users") <= 1


async def test_a_transaction_cut_in_the_middle_is_a_lost_link(wire: Wire) -> None:
    async with open_database(wire.url) as db:

        async def broken() -> None:
            async with db.transaction() as connection:
                await connection.execute("INSERT INTO users (name) VALUES ('Ana')")
                wire.cut()
                await connection.execute("INSERT INTO users (name) VALUES ('Bia')")

        with pytest.raises(LinkDown):
            await broken()
        assert await db.fetchval("SELECT count(*) FROM users") == 0


async def test_after_an_outage_the_same_pool_goes_on(wire: Wire) -> None:
    async with open_database(wire.url) as db:
        await asyncio.gather(*(db.fetchval("SELECT pg_sleep(0.02)") for _ in range(5)))
        await wire.down()
        for _ in range(3):
            with pytest.raises(LinkDown):
                await db.fetchval("SELECT 1")
        await wire.start(wire.port)
        assert await asyncio.gather(*(db.fetchval("SELECT 1") for _ in range(5))) == [1] * 5


async def test_connections_that_died_in_silence_cost_one_call(wire: Wire) -> None:
    async with open_database(wire.url, statement_s=0.3) as db:
        await asyncio.gather(*(db.fetchval("SELECT pg_sleep(0.02)") for _ in range(5)))
        wire.freeze()
        started = time.monotonic()
        with pytest.raises(LinkDown, match="Timeout"):
            await db.fetchval("SELECT 1")
        assert time.monotonic() - started < 7
        opened = wire.accepted
        wire.thaw()
        assert await asyncio.gather(*(db.fetchval("SELECT 1") for _ in range(5))) == [1] * 5
        assert wire.accepted > opened


async def test_statements_have_a_time_limit_and_the_pool_lives(db: Database) -> None:
    started = time.monotonic()
    with pytest.raises(LinkDown, match="Timeout"):
        await db.execute("SELECT pg_sleep(30)", timeout=0.2)
    assert time.monotonic() - started < 2
    assert await db.fetchval("SELECT 1") == 1


async def test_cancelled_callers_leave_the_pool_whole(database_url: str) -> None:
    async with open_database(database_url, size=2) as db, users_held(database_url) as waited_for:
        for _ in range(5):
            caller = asyncio.create_task(db.execute("DELETE FROM users"))
            await waited_for()
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
        assert await asyncio.gather(*(db.fetchval("SELECT 1") for _ in range(4))) == [1] * 4


async def test_a_pool_that_is_all_in_use_is_waited_for(database_url: str) -> None:
    async with open_database(database_url, size=1) as db:
        busy = asyncio.create_task(db.fetchval("SELECT pg_sleep(0.2)"))
        assert await db.fetchval("SELECT 1") == 1
        await busy


async def test_closing_does_not_wait_for_ever(database_url: str) -> None:
    async with users_held(database_url) as waited_for:
        async with open_database(database_url) as db:
            forgotten = asyncio.create_task(db.execute("DELETE FROM users", timeout=60))
            await waited_for()
            started = time.monotonic()
        assert time.monotonic() - started < 5
    with pytest.raises(LinkDown):
        await forgotten
    with pytest.raises(LinkDown):
        await db.fetchval("SELECT 1")


async def test_too_many_connections_and_a_full_disk_are_links_that_are_down(db: Database) -> None:
    for state in ("53300", "53100", "57P03", "57P01", "25006", "58030"):
        with pytest.raises(LinkDown):
            await db.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(asyncpg.RaiseError):
        await db.execute("DO $$ BEGIN RAISE EXCEPTION 'x'; END $$")


async def test_a_connection_without_prepared_statements(database_url: str) -> None:
    async with open_database(database_url, pooled=True) as db:
        await asyncio.gather(*(db.fetchval("SELECT $1::jsonb", {"a": i}) for i in range(20)))
        assert await db.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
