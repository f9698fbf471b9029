"""Backups that hold what was erased: replaced by one that was made after it and proved, or marked, and said so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from support.clock import FakeClock
from support.folders import short_folder
from support.kept_house import kept_house
from support.somebody import MARK, files_with

from config.preferences import Preferences
from daemon.errors import LinkDown
from daemon.memory.plain import PlainVectors
from daemon.people.privacy.backups import HeldBackups
from daemon.people.privacy.clips import Clips
from daemon.people.privacy.erasing import Erasing
from daemon.people.privacy.upkeep import LOOK_S, Upkeep
from db import erasures
from db.backup.base import bases
from db.backup.dumps import take
from db.backup.folder import Folder
from db.backup.source import Source
from db.database import Database, open_database
from db.erasure import Wish
from db.users import named

NOW = datetime.now(UTC)


@asynccontextmanager
async def looked_after(
    db: Database, source: Source, folder: Folder, data_dir: Path, archive: Path | None = None, **values: object
) -> AsyncIterator[Upkeep]:
    prefs = Preferences({key.replace("__", "."): value for key, value in values.items()})
    clock = FakeClock(NOW)
    held = HeldBackups(source, folder, lambda: prefs, archive)
    yield Upkeep(Erasing(db, None, data_dir, clock), held, Clips(db, data_dir / "audio"), lambda: prefs, clock)


async def test_a_new_one_is_made_and_proved_and_the_old_ones_go(made: Path, tmp_path: Path) -> None:
    async with kept_house(made) as house, house.database() as db:
        ana = await named(db, "Ana")
        await db.execute("UPDATE users SET created_at = $1", NOW - timedelta(days=9))
        before = await house.dump(NOW - timedelta(days=30))  # from before Ana was here
        holding = await house.dump(NOW - timedelta(days=1))
        base = await house.copy_server()
        async with looked_after(db, house.source, house.folder, tmp_path) as upkeep:
            await db.execute("INSERT INTO reminders (user_id, title, scheduled_at) VALUES ($1, $2, now())", ana, MARK)
            await db.execute("CHECKPOINT")
            assert files_with(house.postgres.cluster / "base", MARK)
            receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            assert receipt.backups == {"state": "pending"}
            await upkeep.look()
            assert files_with(house.postgres.cluster / "base", MARK) == [], "not even in pages that were let go"
            done = await erasures.receipt(db, receipt.id)
            assert done is not None
            made_new = house.folder.find(done.backups["by"])
            assert done.backups["state"] == "replaced"
            assert set(done.backups["removed"]) == {holding.name, base.folder.name}
            assert made_new.is_good
            assert [each.name for each in house.folder.all()] == [made_new.name, before.name]
            own = bases(base.own)
            assert [each.is_good for each in own] == [True]
            assert own[0].folder != base.folder
            assert upkeep.backups.holding([done]) == []
            assert await upkeep.replace_backups() == "", "once is enough"


async def test_they_are_marked_where_the_household_keeps_them(database_url: str, tmp_path: Path) -> None:
    async with open_database(database_url) as db:
        ana, folder = await named(db, "Ana"), Folder(tmp_path / "cópias")
        await db.execute("UPDATE users SET created_at = $1", NOW - timedelta(days=9))
        await _dump(database_url, folder)
        archive = tmp_path / "archive"
        async with looked_after(
            db, Source(database_url, None), folder, tmp_path, archive, privacy__replace_backups=False
        ) as upkeep:
            receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            await upkeep.look()
            done = await erasures.receipt(db, receipt.id)
            assert done is not None
            assert done.backups["state"] == "marked"
            assert done.backups["holding"] == [each.name for each in folder.all()] != []
            assert any("docker compose" in each for each in done.backups["beyond"])


async def test_a_backup_that_fails_leaves_the_old_ones_and_is_tried_again(database_url: str, tmp_path: Path) -> None:
    async with open_database(database_url) as db:
        ana, folder = await named(db, "Ana"), Folder(tmp_path / "cópias")
        await db.execute("UPDATE users SET created_at = $1", NOW - timedelta(days=9))
        await _dump(database_url, folder)
        async with looked_after(db, Source(database_url, None), folder, tmp_path) as upkeep:
            receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            with folder.held():
                assert "em curso" in await upkeep.replace_backups()
            assert len(folder.all()) == 1
            done = await erasures.receipt(db, receipt.id)
            assert done is not None
            assert done.backups == {"state": "pending"}
            assert upkeep.backups.holding([done])


async def test_the_service_looks_every_minute_and_health_tells_of_trouble(database_url: str, tmp_path: Path) -> None:
    with short_folder() as beside:
        async with open_database(database_url) as db:
            await _looks_every_minute(db, database_url, Folder(beside / "cópias"), tmp_path)


async def _looks_every_minute(db: Database, database_url: str, folder: Folder, tmp_path: Path) -> None:
    ana = await named(db, "Ana")
    await db.execute("UPDATE users SET created_at = $1", NOW - timedelta(days=9))
    await _dump(database_url, folder)
    async with looked_after(db, Source(database_url, None), folder, tmp_path) as upkeep:
        clock = upkeep.clock
        assert isinstance(clock, FakeClock)
        receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
        again = await upkeep.erasing.finish(receipt)
        assert again == receipt, "whoever comes second changes nothing"
        with folder.held():
            running = asyncio.create_task(upkeep.run())
            await clock.asleep(LOOK_S)
        assert upkeep.part().condition == "failed"
        assert "cópias de segurança" in upkeep.part().detail
        clock.advance(LOOK_S)
        await clock.asleep(LOOK_S, within_s=60)
        running.cancel()
        assert upkeep.part().condition == "ok"
        assert len(folder.all()) == 1
        assert upkeep.backups.holding([receipt]) == []


async def test_a_vector_store_that_is_away_is_told_and_stops_nothing_else(database_url: str, tmp_path: Path) -> None:
    class Away(PlainVectors):
        async def ids(self, collection: str) -> set[UUID]:
            raise LinkDown("qdrant", "caiu")

    async with open_database(database_url) as db:
        ana = await named(db, "Ana")
        async with looked_after(db, Source(database_url, None), Folder(tmp_path / "cópias"), tmp_path) as upkeep:
            upkeep.erasing = replace(upkeep.erasing, vectors=Away(db))
            await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            await upkeep.look()
            assert "espera para terminar" in upkeep.part().detail


async def test_a_table_in_use_is_left_and_said_so(database_url: str, tmp_path: Path) -> None:
    async with open_database(database_url) as db:
        ana = await named(db, "Ana")
        folder = Folder(tmp_path / "cópias")
        async with looked_after(db, Source(database_url, None), folder, tmp_path) as upkeep:
            upkeep.backups = replace(upkeep.backups, rewrite_lock_ms=50)
            receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            async with db.transaction() as reading:
                await reading.fetchval("SELECT count(*) FROM users")
                assert await upkeep.replace_backups() == ""
            done = await erasures.receipt(db, receipt.id)
            assert done is not None
            assert done.backups["beyond"] == ["páginas soltas da tabela users, que estava em uso"]


async def test_without_any_backup_there_is_nothing_to_replace(database_url: str, tmp_path: Path) -> None:
    async with open_database(database_url) as db:
        ana = await named(db, "Ana")
        folder = Folder(tmp_path / "cópias")
        async with looked_after(db, Source(database_url, None), folder, tmp_path) as upkeep:
            receipt = await upkeep.erasing.erase(Wish(ana, "Ana", "person", "cli", "other"))
            assert await upkeep.replace_backups() == ""
            done = await erasures.receipt(db, receipt.id)
            assert done is not None
            assert (done.backups["state"], folder.all()) == ("replaced", [])


async def _dump(url: str, folder: Folder) -> None:
    """Make a dump that counts, of this moment, unproved."""
    with folder.held():
        at = NOW - timedelta(seconds=1)
        folder.write((await take(Source(url, None), folder, at)).good(at))
