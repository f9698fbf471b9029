"""The embedded PostgreSQL against what happens to it in a house: killed, started twice, moved, grown old."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from support.background import Background
from support.folders import short_folder

from db.embedded import MAX_LOG_BYTES, CannotStart, EmbeddedPostgres
from db.server_account import Account, claim_folder, server_account

ROOT = os.geteuid() == 0
COMMAND = """
import asyncio, os, signal, sys
from pathlib import Path
from db.embedded import EmbeddedPostgres
print(asyncio.run(EmbeddedPostgres(Path(sys.argv[1])).start()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def made(background: Background) -> Iterator[Path]:
    """A data directory whose cluster is made: to be copied, because making one is slow where disks are."""
    with short_folder() as path:
        server = EmbeddedPostgres(path / "data")
        background.run(server.start())
        background.run(server.stop(only_if_unused=False))
        yield server.data_dir


@pytest.fixture
async def server(made: Path, folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server whose cluster is made, and which does not wait for the disk."""
    copying = await asyncio.create_subprocess_exec("cp", "-a", made, folder / "data")
    assert await copying.wait() == 0
    server = EmbeddedPostgres(folder / "data")
    (await server_account(server.home)).write(server.cluster / "custom.conf", "fsync = off\n")
    yield server
    if server.running():
        await server.stop(only_if_unused=False)


@pytest.fixture
async def new_server(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server of a data directory that does not exist yet."""
    server = EmbeddedPostgres(folder / "data")
    yield server
    if server.running():
        await server.stop(only_if_unused=False)


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    return psutil.Process(int((server.cluster / "postmaster.pid").read_text().splitlines()[0]))


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@contextmanager
def another_process(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process of the server's user that is no server."""
    who = account.uid if account.switch else None
    with subprocess.Popen(["sleep", "60"], cwd="/", user=who) as sleeper:
        yield sleeper
        sleeper.kill()


async def killed_command(folder: Path) -> str:
    """Start the server from a process that then dies by SIGKILL; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, folder, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    return output.decode().splitlines()[-1]


async def test_its_url_is_understood_by_both_drivers(server: EmbeddedPostgres) -> None:
    url = await server.start()
    assert url.startswith("postgresql://")
    assert await ask(url, "SELECT current_database() || ' ' || upper('ação')") == "mordomo AÇÃO"
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SHOW server_version_num"))).scalar_one() >= "180000"
    await engine.dispose()


async def test_what_is_committed_is_on_disk_and_no_port_is_open(server: EmbeddedPostgres) -> None:
    (server.cluster / "custom.conf").unlink()
    url = await server.start()
    for name, value in {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "data_checksums": "on",
    }.items():
        assert await ask(url, f"SHOW {name}") == value
    assert await ask(url, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == 0
    assert not [c for c in postmaster(server).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    socket_dir = server.home / "socket"
    assert stat.S_IMODE(socket_dir.stat().st_mode) == stat.S_IMODE(server.home.stat().st_mode) == 0o700


async def test_only_the_kernels_word_lets_a_user_in(server: EmbeddedPostgres) -> None:
    url = await server.start()
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await ask(url.replace("mordomo@", "postgres@"), "SELECT 1")


async def test_it_stays_up_while_another_command_uses_it(server: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(server.data_dir)
    assert await server.start() == await other.start()
    assert not await server.stop()
    assert other.running()
    assert await other.stop()
    assert not server.running()
    assert await server.stop()


async def test_it_stays_up_while_a_client_is_connected(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(await server.start())
    assert not await server.stop()
    await connection.close()
    assert await server.stop()


async def test_a_killed_command_leaves_it_running_and_the_next_attaches(server: EmbeddedPostgres) -> None:
    url = await killed_command(server.data_dir)
    left = postmaster(server)
    assert os.getsid(left.pid) != os.getsid(0), "Ctrl-C in the terminal would reach it"
    assert await server.start() == url
    assert postmaster(server) == left
    assert await server.stop()
    assert not server.running()


async def test_two_commands_at_once_make_one_server(new_server: EmbeddedPostgres) -> None:
    urls = await asyncio.gather(*(killed_command(new_server.data_dir) for _ in range(3)))
    assert len(set(urls)) == 1
    assert await new_server.start() == urls[0]


async def test_a_committed_row_outlives_a_killed_server(server: EmbeddedPostgres) -> None:
    url = await server.start()
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE said (what text)")
    await connection.execute("INSERT INTO said VALUES ('lembrar do remédio')")
    killed = postmaster(server)
    killed.kill()
    connection.terminate()
    assert await server.start() == url
    assert postmaster(server) != killed
    assert await ask(url, "SELECT what FROM said") == "lembrar do remédio"


async def test_a_server_that_is_going_down_is_waited_for_and_started_again(server: EmbeddedPostgres) -> None:
    url = await server.start()
    going = postmaster(server)
    going.send_signal(signal.SIGINT)
    assert await server.start() == url
    assert postmaster(server) != going
    assert await ask(url, "SELECT 1") == 1


async def test_a_pid_that_another_process_has_now_does_not_stop_the_start(server: EmbeddedPostgres) -> None:
    await server.start()
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    killed = postmaster(server)
    orphans = killed.children()
    killed.kill()
    psutil.wait_procs([killed, *orphans], timeout=10)
    account = await server_account(server.home)
    with another_process(account) as sleeper:
        account.write(pid_file, "\n".join([str(sleeper.pid), *lines[1:], ""]))
        account.write(server.home / "socket" / ".s.PGSQL.5432.lock", f"{sleeper.pid}\n")
        assert not server.running()
        url = await server.start()
        assert await ask(url, "SELECT 1") == 1
        assert sleeper.poll() is None


async def test_data_of_another_major_version_is_refused(new_server: EmbeddedPostgres) -> None:
    account = await claim_folder(new_server.home)
    new_server.cluster.mkdir()
    account.write(new_server.cluster / "PG_VERSION", "16\n")
    with pytest.raises(CannotStart, match=r"são do PostgreSQL 16, e este Mordomo traz o 18"):
        await new_server.start()


async def test_a_folder_that_holds_something_else_is_left_alone(new_server: EmbeddedPostgres) -> None:
    await claim_folder(new_server.home)
    new_server.cluster.mkdir()
    (new_server.cluster / "fotos.zip").touch()
    with pytest.raises(CannotStart, match="não é do PostgreSQL"):
        await new_server.start()
    assert [path.name for path in new_server.cluster.iterdir()] == ["fotos.zip"]


async def test_a_power_cut_while_the_cluster_was_made_leaves_nothing_behind(new_server: EmbeddedPostgres) -> None:
    await claim_folder(new_server.home)
    half = new_server.home / "new-abc" / "data"
    half.mkdir(parents=True)
    await new_server.start()
    assert not half.parent.exists()


async def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    await server.start()
    await server.stop()
    account = await server_account(server.home)
    account.write(server.cluster / "custom.conf", "shared_buffers = 'muito'\n")
    with pytest.raises(CannotStart, match=r'shared_buffers.*"muito"'):
        await server.start()
    account.write(server.cluster / "custom.conf", "work_mem = '5MB'\n")
    assert await ask(await server.start(), "SHOW work_mem") == "5MB"


async def test_an_endless_log_is_emptied(server: EmbeddedPostgres) -> None:
    await server.start()
    long, short = server.logs / "server-Mon.log", server.logs / "start.log"
    with long.open("wb") as file:
        file.truncate(MAX_LOG_BYTES + 1)
    kept = short.stat().st_size
    server.trim_logs()
    assert (long.stat().st_size, short.stat().st_size) == (0, kept)
