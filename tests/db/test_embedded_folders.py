"""The embedded PostgreSQL and the folders, users and programs that it finds."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from support.folders import short_folder

from db.embedded import CannotStart, EmbeddedPostgres
from db.server_account import claim_folder, packaged_programs, server_account, usable_programs

ROOT = os.geteuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_path_too_long_for_a_socket_or_with_odd_characters(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("casa da Conceição, " + "x" * 90) / "data")
    url = await server.start()
    try:
        assert await ask(url, "SELECT 1") == 1
        socket_dir = url.split("host=")[1]
        assert stat.S_IMODE(os.stat(socket_dir).st_mode) == 0o700  # noqa: PTH116 - nothing waits here
    finally:
        await server.stop(only_if_unused=False)
    assert not os.path.exists(socket_dir)  # noqa: PTH110


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
async def test_a_closed_folder_on_the_way_is_named_and_left_closed() -> None:
    with TemporaryDirectory(dir=Path.home()) as name:
        closed = Path.home() if not Path.home().stat().st_mode & stat.S_IXOTH else Path(name)
        before = stat.S_IMODE(closed.stat().st_mode)
        with pytest.raises(CannotStart, match=rf"A pasta {closed} não deixa passar .*MORDOMO_DATA_DIR"):
            await EmbeddedPostgres(Path(name) / "data").start()
        assert stat.S_IMODE(closed.stat().st_mode) == before


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
async def test_roots_own_temporary_folders_let_the_server_pass_but_not_look(folder: Path) -> None:
    closed = folder / "pytest"
    closed.mkdir(mode=0o700)
    (closed / "data").mkdir(mode=0o700)
    await claim_folder(closed / "data" / "postgres")
    for passed in (closed, closed / "data"):
        assert stat.S_IMODE(passed.stat().st_mode) == 0o701
    assert stat.S_IMODE((closed / "data" / "postgres").stat().st_mode) == 0o700


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
async def test_programs_below_a_closed_folder_are_copied_once(folder: Path) -> None:
    account = await claim_folder(folder / "data" / "postgres")
    wheel = packaged_programs().parents[1]
    closed = folder / "root"
    closed.mkdir(mode=0o700)
    (closed / wheel.name).symlink_to(wheel)
    (closed / f"{wheel.name}.libs").symlink_to(wheel.with_name(f"{wheel.name}.libs"))
    hidden = closed / wheel.name / "pginstall18" / "bin"
    programs = await usable_programs(account, folder / "data", hidden)
    assert programs.is_relative_to(folder / "data")
    made = programs.stat().st_mtime_ns
    status, _ = await account.run(
        programs / "initdb", "-D", folder / "data/postgres/x", "-A", "peer", cwd=folder / "data"
    )
    assert status == 0
    assert (await usable_programs(account, folder / "data", hidden)).stat().st_mtime_ns == made
    assert await usable_programs(account, folder / "data", packaged_programs()) == packaged_programs()


@pytest.mark.skipif(not ROOT, reason="only root may plant a file for another user")
async def test_a_link_planted_in_the_servers_folder_is_not_followed(folder: Path) -> None:
    account = await claim_folder(folder / "data" / "postgres")
    victim = folder / "shadow"
    victim.write_text("root")
    for name in ("file", "file.new"):
        (folder / "data/postgres" / name).symlink_to(victim)
    account.write(folder / "data/postgres/file", "text")
    assert victim.read_text() == "root"
    assert (folder / "data/postgres/file").read_text() == "text"


@pytest.mark.skipif(ROOT, reason="root may use any folder")
async def test_a_folder_of_another_user_is_refused() -> None:
    with pytest.raises(CannotStart, match="de outro usuário"):
        await server_account(Path("/usr"))
