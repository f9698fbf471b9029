"""Dumps on the real embedded server: proved by restoring, and what goes wrong on the way to one."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from support.kept_house import ZONE, KeptHouse, child_named, kept_house

from db.backup.cluster import sweep_scratch
from db.backup.contents import Contents, TableContents, read_contents
from db.backup.dumps import take
from db.backup.folder import BackupBad, BackupFailed, Folder, Manifest
from db.backup.programs import connection_to, ourselves, programs_for
from db.backup.rotation import Keep
from db.backup.routine import back_up, prove, standing, trouble
from db.backup.source import patient, snapshot
from db.backup.verification import contents_of, verify
from db.server_account import packaged_programs

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
CRAMPED = """
import asyncio, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from support.kept_house import KeptHouse
house = KeptHouse(Path(sys.argv[1]), sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    asyncio.run(house.back_up())
except Exception as failed:
    print(type(failed).__name__, failed)
"""


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


async def kept(house: KeptHouse, now: datetime = NOW) -> Manifest:
    """Make a dump without a copy of the whole server, which another file tries."""
    with house.folder.held():
        return await verify(house.source, house.folder, await take(house.source, house.folder, now), now)


async def test_a_dump_counts_once_it_was_restored_and_compared(house: KeptHouse) -> None:
    await house.tell("olá", "não esqueça o remédio", "'; DROP TABLE messages; --")
    with house.folder.held():
        taken = await take(house.source, house.folder, NOW)
        assert not taken.is_good
        assert not house.folder.all()[0].is_good
        good = await verify(house.source, house.folder, taken, NOW)
    assert good.is_good
    assert house.folder.all() == [good]
    assert good.contents.tables["public.messages"].rows == 3
    assert good.revision
    assert {"index", "constraint", "trigger", "function"} <= {
        "index" if entry.startswith("relation i") else entry.split()[0] for entry in good.contents.shape
    }
    assert house.left_over() == []


async def test_only_its_owner_may_read_a_backup(house: KeptHouse) -> None:
    made = await house.dump(NOW)
    for path in (house.folder.dump(made.name), house.folder.path / f"{made.name}.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(house.folder.path.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


async def test_it_holds_one_moment_while_people_go_on_talking(house: KeptHouse) -> None:
    talking = True

    async def talk() -> None:
        while talking:
            await house.tell("e mais uma coisa")

    async with asyncio.TaskGroup() as group:
        group.create_task(talk())
        made = await kept(house)
        talking = False
    assert made.is_good


async def test_two_databases_are_the_same_whatever_the_order_of_their_rows(house: KeptHouse) -> None:
    await house.tell("um", "dois", "três")
    async with patient(house.url) as connection:
        before = await contents_of(connection)
        await connection.execute("ALTER TABLE messages DISABLE TRIGGER USER")
        await connection.execute("CREATE TEMP TABLE aside AS SELECT * FROM messages ORDER BY content DESC")
        await connection.execute("CREATE TEMP TABLE columns AS SELECT string_agg(quote_ident(attname), ',') AS all_of "
                                 "FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attnum > 0 "
                                 "AND attgenerated = '' AND NOT attisdropped")  # fmt: skip
        names = await connection.fetchval("SELECT all_of FROM columns")
        await connection.execute("DELETE FROM messages")
        await connection.execute(f"INSERT INTO messages ({names}) SELECT {names} FROM aside")
        after = await contents_of(connection)
        assert before.tables["public.messages"] == after.tables["public.messages"]
        await connection.execute("UPDATE messages SET content = 'quatro' WHERE content = 'dois'")
        changed = await contents_of(connection)
    assert list(before.differences(changed)) == ["a tabela public.messages voltou com linhas diferentes"]


async def test_a_restore_that_lost_rows_is_found_out(house: KeptHouse) -> None:
    await house.tell("olá")
    made = await house.dump(NOW)
    tables = {**made.contents.tables, "public.messages": TableContents(2, "7"), "public.gone": TableContents(0, "0")}
    pretended = replace(made, contents=Contents(tables, made.contents.sequences, made.contents.shape))
    with house.folder.held(), pytest.raises(BackupBad, match=r"public\.gone falta; .*tinha 2 linhas e voltou com 1"):
        await verify(house.source, house.folder, pretended, NOW)
    assert "Não conte com ela" in house.folder.all()[0].problem


async def test_one_flipped_bit_is_found_and_the_backup_counts_no_more(house: KeptHouse) -> None:
    older = await house.dump(NOW - timedelta(days=1))
    made = await house.dump(NOW)
    dump = house.folder.dump(made.name)
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 0x10
    dump.write_bytes(content)
    with pytest.raises(BackupBad, match="corrompida"):
        await prove(house.source, house.folder, made, NOW)
    assert [(each.name, each.is_good) for each in house.folder.all()] == [(made.name, False), (older.name, True)]
    dump.write_bytes(bytes(byte ^ 0x10 if at == len(content) // 2 else byte for at, byte in enumerate(content)))
    assert (await prove(house.source, house.folder, house.folder.find(made.name), NOW)).is_good


async def test_a_killed_pg_dump_leaves_nothing_and_the_older_backup_as_it_was(house: KeptHouse) -> None:
    older = await house.dump(NOW - timedelta(days=1))
    untouched = house.folder.dump(older.name).read_bytes()
    await house.ask("INSERT INTO users (name) SELECT repeat('Ana', 80) FROM generate_series(1, 20000) RETURNING 1")
    backup = asyncio.create_task(house.back_up())
    (await child_named("pg_dump")).kill()
    with pytest.raises(BackupFailed, match=r"pg_dump foi interrompido no meio \(sinal 9\)"):
        await backup
    assert house.folder.all() == [older]
    assert house.folder.dump(older.name).read_bytes() == untouched
    assert house.left_over() == []
    assert "interrompido" in standing(house.folder).why


@pytest.mark.parametrize("program", ["pg_dump", "initdb", "pg_restore", "pg_basebackup"])
async def test_a_cancelled_backup_ends_its_programs_within_five_seconds(house: KeptHouse, program: str) -> None:
    async with house.database() as db:
        await db.execute("INSERT INTO users (name) SELECT repeat('Ana', 80) FROM generate_series(1, 5000)")
    backup = asyncio.create_task(house.back_up())
    running = await child_named(program)
    async with asyncio.timeout(5):
        backup.cancel()
        with pytest.raises(asyncio.CancelledError):
            await backup
    assert not running.is_running()
    assert house.left_over() == []
    assert [each.is_good for each in house.folder.all()].count(True) == (program == "pg_basebackup")


@pytest.mark.parametrize("bytes_left", [4_000, 60_000])
async def test_a_full_disk_is_said_and_older_backups_stay(house: KeptHouse, bytes_left: int) -> None:
    older = await house.dump(NOW - timedelta(days=1))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRAMPED, house.path, house.url, str(bytes_left),
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": "tests:."},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert "BackupFailed O disco encheu enquanto o pg_dump gravava." in said.decode()
    assert house.folder.all() == [older]
    assert house.left_over() == []


async def test_what_a_killed_backup_left_is_swept(house: KeptHouse) -> None:
    house.folder.make()
    (house.folder.path / "mordomo-20261119T050000Z.dump.part").write_text("half")
    (house.folder.path / "mordomo-20261119T050000Z.dump").write_text("no manifest")
    (house.postgres.home / "scratch-left" / "data").mkdir(parents=True)
    assert house.folder.all() == []
    made = await house.back_up(NOW)
    assert {path.name for path in house.folder.path.glob("mordomo-*")} == {f"{made.name}.dump", f"{made.name}.json"}
    assert house.left_over() == []


async def test_a_partition_dropped_meanwhile_waits_for_the_backup(house: KeptHouse) -> None:
    async with patient(house.url) as connection, snapshot(connection), house.database() as db:
        assert await db.fetchval("SELECT count(*) FROM system_logs_default") == 0
        with pytest.raises(asyncpg.LockNotAvailableError):
            await db.execute("BEGIN; SET LOCAL lock_timeout = '50ms'; DROP TABLE system_logs_default; COMMIT")
        assert "public.system_logs_default" in (await read_contents(connection)).tables


def test_what_the_servers_user_wrote_is_not_removed_by_us(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    left = tmp_path / "scratch-left"
    left.mkdir()
    (left / "socket-folder").write_text(str(precious))
    sweep_scratch(tmp_path)
    assert precious.exists()
    assert not left.exists()


async def test_only_one_at_a_time(house: KeptHouse) -> None:
    with house.folder.held(), pytest.raises(BackupFailed, match="em curso"):
        await house.back_up()


async def test_a_folder_that_cannot_be_made_is_named(house: KeptHouse, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFailed, match="MORDOMO_BACKUP_DIR"):
        await back_up(house.source, Folder(tmp_path / "file" / "backup"), Keep(), ZONE, NOW)


async def test_an_older_pg_dump_is_not_tried_on_a_newer_server() -> None:
    with pytest.raises(BackupFailed, match="PostgreSQL 99, e o pg_dump mais novo daqui é o 18"):
        await programs_for("postgresql:///x", 99, [packaged_programs()])


async def test_no_pg_dump_at_all_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=r"Não há pg_dump.*postgresql-client-16"):
        await programs_for("postgresql:///x", 16, [tmp_path])


def test_a_password_never_stands_on_the_command_line() -> None:
    for url in (
        "postgresql://ana:s%3Ae%5Cgredo@casa:5432/mordomo?sslmode=disable",
        "postgresql://ana@casa/mordomo?password=s%3Ae%5Cgredo&sslmode=disable",
    ):
        with connection_to(url, ourselves()) as (plain, env):
            assert "gredo" not in plain
            assert plain.endswith("/mordomo?sslmode=disable")
            path = Path(env["PGPASSFILE"])
            assert path.read_text() == "*:*:*:*:s\\:e\\\\gredo\n"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()


def test_a_stale_folder_is_trouble(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    assert trouble(folder, NOW) == ""  # a new house has a day's grace
    made = Manifest("mordomo-x", NOW, 1, "", None, "18", Contents({}, {}, ()), verified_at=NOW)
    folder.dump(made.name).touch()
    folder.write(made)
    assert trouble(folder, NOW + timedelta(hours=26)) == ""
    assert "última cópia boa" in trouble(folder, NOW + timedelta(hours=27))
    folder.write(made.bad("não"))
    assert folder.all()[0].problem == "não"
