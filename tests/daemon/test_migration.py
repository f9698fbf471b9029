"""What a new Mordomo does to an old house's tables: a proved copy first, and nothing where there can be none."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.daemon_process import DaemonProcess
from support.folders import short_folder
from support.kept_house import KeptHouse, kept_house

from config.environment import Environment
from daemon.migration import migrate
from daemon.servers import household_database
from db.backup.folder import BackupFailed, Folder
from db.backup.source import Source
from db.roles import APP
from db.server_account import server_account
from db.upgrade import REVISIONS, current, downgrade

OLD = REVISIONS[3]


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


async def test_a_proved_copy_comes_before_the_change(house: KeptHouse) -> None:
    await downgrade(house.url, OLD)
    await house.tell("acende a luz")
    await migrate(house.source, house.folder)
    (copy,) = house.folder.all()
    assert copy.is_good
    assert copy.contents.tables["public.alembic_version"].rows == 1
    assert "public.sentences" not in copy.contents.tables  # it is the old house
    assert await current(house.url) == REVISIONS[-1]
    assert await house.told() == {"acende a luz"}
    await migrate(house.source, house.folder)  # nothing changes, so nothing is copied
    assert len(house.folder.all()) == 1


async def test_without_a_copy_nothing_is_changed(house: KeptHouse, tmp_path: Path) -> None:
    await downgrade(house.url, OLD)
    (tmp_path / "file").write_text("not a folder")
    blocked = Folder(tmp_path / "file")
    with pytest.raises(BackupFailed, match=r"Não mudei as tabelas.*mordomo db upgrade --no-backup"):
        await migrate(house.source, blocked)
    assert await current(house.url) == OLD
    await migrate(house.source, blocked, backup=False)
    assert await current(house.url) == REVISIONS[-1]


@pytest.mark.debian
async def test_on_a_server_of_the_house_too(debian_postgres_url: str) -> None:
    url = debian_postgres_url
    await downgrade(url, OLD)
    with short_folder() as path:
        (path / "file").write_text("not a folder")
        with pytest.raises(BackupFailed, match=r"Não mudei as tabelas.*MORDOMO_BACKUP_DIR"):
            await migrate(Source(url, None), Folder(path / "file"))
        assert await current(url) == OLD
        folder = Folder(path / "backup")
        await migrate(Source(url, None), folder)
        (copy,) = folder.all()
        assert copy.is_good
        assert copy.revision == OLD
    assert await current(url) == REVISIONS[-1]


async def test_a_household_that_wants_no_backups_gets_none(house: KeptHouse) -> None:
    await house.ask("UPDATE config SET value = 'false' WHERE key = 'backup.enabled' RETURNING 1")
    await downgrade(house.url, OLD)
    await migrate(house.source, house.folder)
    assert await current(house.url) == REVISIONS[-1]
    assert house.folder.all() == []


async def test_the_daemon_refuses_a_newer_schema_in_one_sentence(house: KeptHouse) -> None:
    await house.ask("UPDATE alembic_version SET version_num = '9999' RETURNING 1")
    daemon = DaemonProcess(house.postgres.data_dir)
    said = await daemon.refused()
    last = "\n".join(said.splitlines()[-3:])
    assert "O banco de dados está na revisão 9999" in last.replace("\n", " ")
    assert "Traceback" not in said
    status, _, said = await daemon.command("db", "upgrade")
    assert (status, "Atualize o Mordomo" in said.replace("\n", " ")) == (1, True)


async def test_commands_work_as_the_daemons_role_on_a_server_left_running_by_an_older_mordomo(house: KeptHouse) -> None:
    account = await server_account(house.postgres.home)
    account.write(house.postgres.cluster / "pg_ident.conf", f'mordomo "{account.name}" mordomo\nmordomo root mordomo\n')
    await house.ask("SELECT pg_reload_conf()")
    env = Environment(data_dir=house.postgres.data_dir, backup_dir=house.folder.path)
    async with household_database(env) as db:
        assert await db.fetchval("SELECT current_user") == APP
        assert await db.fetchval("SELECT count(*) FROM config") > 10
