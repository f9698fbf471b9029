"""Mordomo behind Debian's PgBouncer, set up as `config/pgbouncer.ini` says: sessions lent for a transaction only."""

import asyncio
import os
import pwd
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from configparser import ConfigParser
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from bench.ledger import through_ledger
from support.folders import short_folder
from support.postgres import Databases

from config.environment import Environment
from config.preferences import TTS_SPEED
from daemon.clock import SystemClock
from daemon.reminders.due import DueReminders
from daemon.reminders.outage import Outage
from daemon.servers import Addresses, household_database
from db.database import Database, open_database
from db.errors import LinkDown
from db.ledger import open_ledger
from db.listen import LOOK_NOW, Notification, notifications
from db.preferences import load, set_value
from db.reminders import Due, create
from db.roles import APP, as_role
from db.server_account import Account

EXAMPLE = Path(__file__).parents[2] / "config/pgbouncer.ini"
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
PASSWORD = "segredo-da-casa"
SESSIONS = 2
"""Server sessions that all share: far fewer than those who talk at once."""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Debian's pgbouncer is not installed")


def ini(folder: Path, database: str, server: str, port: int) -> str:
    """The example, with what this machine's tests have elsewhere."""
    config = ConfigParser(interpolation=None)
    config.read(EXAMPLE)
    config["databases"] = {database: f"host={server} dbname={database}"}
    config["pgbouncer"].update(
        {
            "listen_port": str(port),
            "auth_file": f"{folder}/userlist.txt",
            "default_pool_size": str(SESSIONS),
            "min_pool_size": "0",
            "reserve_pool_size": "0",
            "logfile": f"{folder}/log",
            "pidfile": f"{folder}/pid",
        }
    )
    text = StringIO()
    config.write(text)
    return text.getvalue()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def pgbouncer(direct_url: str) -> AsyncIterator[str]:
    """Run it before a server that listens on a unix socket; give the app's URL through it."""
    assert PROGRAM is not None
    user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    account = Account(user.pw_name, user.pw_uid, user.pw_gid, switch=os.geteuid() == 0)
    parts = urlsplit(direct_url)
    database, port = parts.path[1:], free_port()
    with short_folder() as base:
        folder = base / "pgbouncer"
        folder.mkdir(mode=0o700)
        account.own(folder)
        account.write(folder / "pgbouncer.ini", ini(folder, database, parse_qs(parts.query)["host"][0], port))
        account.write(folder / "userlist.txt", f'"{APP}" "{PASSWORD}"\n')
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "--quiet", str(folder / "pgbouncer.ini"),
            cwd=folder, start_new_session=True, stderr=asyncio.subprocess.DEVNULL,
            user=account.uid if account.switch else None, group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
        )  # fmt: skip
        try:
            await _answers(port, process, folder / "log")
            yield f"postgresql://{APP}:{PASSWORD}@127.0.0.1:{port}/{database}"
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            assert process.returncode is None, log.read_text() if log.exists() else "pgbouncer did not begin"
            await asyncio.sleep(0.02)


@pytest.fixture
async def ways(debian_postgres_url: str) -> AsyncIterator[Addresses]:
    """The three ways to one database: through PgBouncer, past it, and as its owner."""
    direct = as_role(debian_postgres_url, APP)
    async with pgbouncer(debian_postgres_url) as pooled:
        yield Addresses(pooled, direct, debian_postgres_url, pooled=True)


@pytest.fixture
async def db(ways: Addresses) -> AsyncIterator[Database]:
    """Eight connections to PgBouncer, which has two to the server."""
    async with ways.open(size=8) as database:
        yield database


async def test_sessions_really_are_shared(db: Database) -> None:
    """Else the tests below would show nothing."""
    pids = await asyncio.gather(*(db.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.02)") for _ in range(24)))
    assert len(set(pids)) == SESSIONS


async def test_every_statement_gets_its_own_answer(db: Database) -> None:
    async def ask(number: int) -> bool:
        if number % 3 == 0:
            return bool(await db.fetchval(f"SELECT {number} + $1::int", 1) == number + 1)
        if number % 3 == 1:
            return bool(await db.fetchval("SELECT $1::jsonb", {"n": number}) == {"n": number})
        row = await db.fetchrow(f"SELECT $1::text AS a, now() AS b, {number} AS c", "á")
        return row is not None and (row["a"], row["c"]) == ("á", number)

    assert all(await asyncio.gather(*(ask(number) for number in range(400))))


async def test_without_being_told_of_a_pooler_statements_are_mixed_up(ways: Addresses) -> None:
    """What MORDOMO_DATABASE_POOLED is for."""
    mixed_up = 0
    async with open_database(ways.work, size=8) as db:
        for _ in range(20):
            answers = await asyncio.gather(
                *(db.fetchval(f"SELECT {number} + $1::int", 1) for number in range(16)), return_exceptions=True
            )
            mixed_up += sum(answer != number + 1 for number, answer in enumerate(answers))
            if mixed_up:
                break
    assert mixed_up


async def test_turns_are_stored_whole(db: Database, ways: Addresses, tmp_path: Path) -> None:
    async with open_ledger(db, tmp_path) as ledger:
        await asyncio.gather(*(through_ledger(ledger, datetime.now(UTC)) for _ in range(20)))
        assert ledger.waiting == 0
    owner = await asyncpg.connect(ways.owner)
    counts = await owner.fetchrow(
        "SELECT (SELECT count(*) FROM conversations WHERE message_count = 2 AND ended_at IS NOT NULL),"
        " (SELECT count(*) FROM messages), (SELECT count(*) FROM actions WHERE status = 'success')"
    )
    await owner.close()
    assert counts is not None
    assert tuple(counts) == (20, 40, 20)


class Heard:
    """Hears reminders."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.spoke = asyncio.Event()

    async def speak(self, due: Due) -> None:
        self.titles.append(due.title)
        self.spoke.set()

    async def brief(self, dues: Sequence[Due], outage: Outage | None = None) -> None:
        raise AssertionError(f"{len(dues)} are late by minutes")

    async def ring(self, due: Due) -> None:
        raise AssertionError("nothing rings here")

    def quiet_until(self, due: Due, now: datetime) -> datetime | None:
        return None

    async def tone(self) -> None:
        raise AssertionError("a delivery failed")


async def test_a_reminder_wakes_the_daemon_past_the_pooler(db: Database) -> None:
    heard = Heard()
    service = DueReminders(db, heard, SystemClock(), lambda: 60.0, zone=lambda: ZoneInfo("America/Sao_Paulo"))
    task = asyncio.create_task(service.run())
    try:
        await _listening(db)
        await create(db, "remédio", datetime.now(UTC) + timedelta(milliseconds=50))
        # Far less than the 30 s after which it would look by itself.
        await asyncio.wait_for(heard.spoke.wait(), 5)
        while not await db.fetchval("SELECT count(*) FROM reminders WHERE status = 'triggered'"):
            await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert heard.titles == ["remédio"]


async def _listening(db: Database) -> None:
    async with asyncio.timeout(5):
        while not await db.fetchval("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"):
            await asyncio.sleep(0.02)


async def test_listening_goes_past_the_pooler(db: Database, ways: Addresses) -> None:
    assert (db.url, db.direct_url) == (ways.work, ways.direct)
    async with aclosing(notifications(db.direct_url, ["mordomo_config"])) as stream:
        assert await anext(stream) == LOOK_NOW
        await set_value(db, "tts.speed", 1.5, "Ana")
        assert await asyncio.wait_for(anext(stream), 5) == Notification("mordomo_config", "tts.speed")


async def test_a_command_of_the_house_uses_all_three_ways(
    ways: Addresses, debian_postgres: Databases, tmp_path: Path
) -> None:
    env = Environment(
        data_dir=tmp_path, database_url=ways.work, database_direct_url=ways.direct, database_owner_url=ways.owner,
        database_pooled=True,
    )  # fmt: skip
    connection = await asyncpg.connect(ways.owner)
    await connection.execute("DELETE FROM config WHERE key = 'tts.speed'")
    async with household_database(env) as db:  # which seeds it again, as the owner
        assert db.url == ways.work
        assert (await load(db))[0][TTS_SPEED] == 1.0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute("DROP TABLE config")
    assert await connection.fetchval("SELECT updated_by FROM config WHERE key = 'tts.speed'") == "mordomo"
    await connection.close()


async def test_a_wrong_password_is_refused_by_the_pooler(ways: Addresses) -> None:
    async with open_database(ways.work.replace(PASSWORD, "outra"), pooled=True) as db:
        with pytest.raises(LinkDown):
            await db.fetchval("SELECT 1")
