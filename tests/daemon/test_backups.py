"""Backups as the household meets them: by night, in health, aloud, and by command."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.clock import FakeClock
from support.command import mordomo
from support.folders import short_folder
from support.kept_house import KeptHouse, kept_house

from config.preferences import Preferences
from daemon.backups import DECENT, LOOK_S, SETTLE_S, Backups, last_hour, part_of_backups
from daemon.data_folder import DataFolder
from daemon.errors import EngineFailed
from daemon.language.replies import Replies
from db.backup.base import bases
from db.backup.contents import Contents
from db.backup.folder import Folder, Manifest
from db.backup.routine import remember, standing
from db.backup.source import Source
from db.backup.wal import GAP, OFF
from db.database import open_database
from db.embedded import EmbeddedPostgres

AREA = "SELECT value FROM config WHERE key = 'house.area'"
AWAY = "postgresql://nobody@/none?host=/nonexistent"
ZONE = ZoneInfo("America/Sao_Paulo")
MORNING = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # 9:00 in the house


class Ears:
    """What the household heard, and whether the voice works."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.broken = False

    async def __call__(self, text: str) -> None:
        if self.broken:
            raise EngineFailed("piper", "sem voz")
        self.heard.append(text)


@asynccontextmanager
async def backups(
    source: Source, folder: Folder, clock: FakeClock, ears: Ears, **values: object
) -> AsyncIterator[Backups]:
    prefs = Preferences({key.replace("__", "."): value for key, value in values.items()})
    async with open_database(source.url) as db:
        yield Backups(source, folder, db, lambda: prefs, clock, ears, Replies.load("pt_br"))


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


def good(folder: Folder, at: datetime) -> None:
    """Write down a good backup of that moment."""
    folder.make()
    made = Manifest(f"mordomo-{at:%Y%m%dT%H%M%SZ}", at, 1, "", None, "18", Contents({}, {}, ()), verified_at=at)
    folder.dump(made.name).touch()
    folder.write(made)


@pytest.mark.parametrize(
    ("now", "zone", "last"),
    [
        ("2026-11-20T01:59:59-03:00", "America/Sao_Paulo", "2026-11-19T02:00:00-03:00"),
        ("2026-11-20T02:00:00-03:00", "America/Sao_Paulo", "2026-11-20T02:00:00-03:00"),
        ("2026-03-08T04:00:00-04:00", "America/New_York", "2026-03-08T03:00:00-04:00"),  # 2 to 3 was left out
        ("2026-11-01T12:00:00-05:00", "America/New_York", "2026-11-01T02:00:00-05:00"),
        ("2026-11-20T00:30:00+00:00", "UTC", "2026-11-19T02:00:00+00:00"),
    ],
)
def test_the_hour_of_the_night(now: str, zone: str, last: str) -> None:
    assert (
        last_hour(datetime.fromisoformat(now), 2, ZoneInfo(zone)).timestamp()
        == datetime.fromisoformat(last).timestamp()
    )


async def test_a_night_is_kept_and_the_next_is_not_forgotten(house: KeptHouse) -> None:
    now = datetime.now(UTC)
    clock, ears = FakeClock(now), Ears()
    async with backups(house.source, house.folder, clock, ears) as service:
        assert (await service.part()).condition == "starting"
        await service.look()
        assert [each.is_good for each in house.folder.all()] == [True]
        assert (await service.part()).condition == "ok"
        await service.look()
        assert len(house.folder.all()) == 1
        clock.jump(86_400)
        await service.look()
        assert len(house.folder.all()) == 2
    assert ears.heard == []


async def test_what_was_missed_while_the_machine_was_off_is_made_up_for(house: KeptHouse) -> None:
    clock = FakeClock(datetime.now(UTC))
    good(house.folder, clock.now() - timedelta(days=9))
    async with backups(house.source, house.folder, clock, Ears()) as service:
        running = asyncio.create_task(service.run())
        await clock.asleep(SETTLE_S)
        assert len(house.folder.all()) == 1
        clock.advance(SETTLE_S)
        await clock.asleep(LOOK_S, within_s=30)
        running.cancel()
    assert house.folder.all()[0].taken_at == clock.now()


async def test_switched_off_nothing_is_copied_and_switched_on_again_the_gap_is_known(house: KeptHouse) -> None:
    clock, ears = FakeClock(MORNING), Ears()
    async with backups(house.source, house.folder, clock, ears, backup__enabled=False) as service:
        await service.look()
        assert (await service.part()).condition == "off"
    assert house.folder.all() == []
    assert (house.postgres.home / OFF).exists()
    async with backups(house.source, house.folder, FakeClock(datetime.now(UTC)), ears) as service:
        await service.look()
    assert not (house.postgres.home / OFF).exists()
    assert not (house.postgres.home / GAP).exists()  # a new copy of the whole server was made


async def test_after_a_good_dump_only_what_is_missing_is_tried_again(house: KeptHouse) -> None:
    clock = FakeClock(datetime.now(UTC))
    (own,) = house.continuous.glob("[0-9]*")
    (own / "base-in-the-way.part").touch()
    async with backups(house.source, house.folder, clock, Ears()) as service:
        await service.look()
        assert (await service.part()).condition == "failed"
        (own / "base-in-the-way.part").unlink()
        clock.jump(1801)
        await service.look()
        assert (await service.part()).condition == "ok"
    assert len(house.folder.all()) == 1
    assert len(bases(own)) == 1


async def test_an_archive_that_fails_is_seen(house: KeptHouse) -> None:
    clock = FakeClock(datetime.now(UTC))
    async with backups(house.source, house.folder, clock, Ears()) as service:
        await service.look()
        (own,) = house.continuous.glob("[0-9]*")
        (own / "wal").rename(own / "unplugged")
        await house.tell("há o que copiar")
        async with house.database() as db:
            await db.execute("SELECT pg_switch_wal()")
            async with asyncio.timeout(20):
                while not await db.fetchval("SELECT failed_count FROM pg_stat_archiver, pg_sleep(0.1)"):
                    pass
        await service.look()
        part = await service.part()
        assert part.condition == "failed"
        assert "registro contínuo" in part.detail
        (own / "unplugged").rename(own / "wal")


async def test_a_failure_is_remembered_tried_again_and_said_once_a_day_by_day(tmp_path: Path) -> None:
    folder, ears = Folder(tmp_path), Ears()
    clock = FakeClock(MORNING - timedelta(hours=7))  # 2 in the night
    good(folder, clock.now() - timedelta(days=3))
    async with backups(Source(AWAY, None), folder, clock, ears) as service:
        await service.look()
        first = standing(folder).failed_at
        assert first == clock.now()
        part = await service.part()
        assert part.condition == "failed"
        assert "não respondeu" in part.detail
        assert part.mend == "mordomo backup now"
        clock.jump(60)
        await service.look()
        assert standing(folder).failed_at == first
        clock.jump(1800)
        await service.look()
        assert standing(folder).failed_at == clock.now()
        assert ears.heard == []  # people sleep
        ears.broken = True
        clock.jump(7 * 3600)
        await service.look()
        ears.broken = False
        for _ in range(3):
            clock.jump(120)
            await service.look()
        assert len(ears.heard) == 1
        assert "três dias" in ears.heard[0]
        clock.jump(86_400)
        await service.look()
        assert len(ears.heard) == 2
    assert len(folder.all()) == 1


def test_nobody_is_told_by_night() -> None:
    assert 8 not in DECENT
    assert 9 in DECENT
    assert 21 not in DECENT


def test_health_tells_a_stale_backup_from_files_alone(tmp_path: Path) -> None:
    folder, prefs = Folder(tmp_path), Preferences()
    assert part_of_backups(folder, prefs, MORNING).condition == "starting"
    good(folder, MORNING)
    assert part_of_backups(folder, prefs, MORNING + timedelta(hours=25)).condition == "ok"
    assert part_of_backups(folder, prefs, MORNING + timedelta(hours=27)).condition == "failed"
    remember(folder, replace(standing(folder), failed_at=MORNING + timedelta(hours=1), why="o disco encheu"))
    assert part_of_backups(folder, prefs, MORNING + timedelta(hours=2)).detail == "o disco encheu"
    # A backup made while the clock was a year ahead does not hide that none was made since.
    good(folder, MORNING + timedelta(days=365))
    assert part_of_backups(folder, prefs, MORNING + timedelta(hours=27)).condition == "failed"


async def told(data_dir: Path, *arguments: str) -> tuple[int, str]:
    """Run the command; return its status and what it said."""
    ended = await mordomo(None, "backup", *arguments, data_dir=data_dir, columns=400)
    return ended.status, ended.out + ended.err


async def in_json(data_dir: Path, *arguments: str) -> Any:
    status, said = await told(data_dir, *arguments, "--json")
    assert status == 0, said
    return json.loads(said.splitlines()[-1])


async def in_database(data_dir: Path, query: str) -> object:
    """Ask the stopped house's database, or tell it something."""
    postgres = EmbeddedPostgres(data_dir, data_dir / "backup" / "continuous")
    async with open_database(await postgres.start()) as db:
        answer = await db.fetchval(query)
    await postgres.stop()
    return answer


async def test_by_command_a_backup_is_made_listed_verified_and_restored() -> None:
    with short_folder() as path:
        data = path / "data"
        assert "Ainda não há cópias" in (await told(data, "list"))[1]
        assert (await mordomo(None, "config", "set", "house.area", "varanda", data_dir=data)).status == 0
        made = await in_json(data, "now")
        assert made["good"]
        assert made["rows"] > 10
        listed = await in_json(data, "list")
        assert [each["name"] for each in listed["backups"]] == [made["name"]]
        assert len(listed["bases"]) == 1
        before = datetime.now(ZONE)
        await in_database(data, "UPDATE config SET value = '\"porão\"' WHERE key = 'house.area'")

        with DataFolder(data):
            status, said = await told(data, "restore", made["name"], "--yes")
        assert status == 1
        assert "Já há um Mordomo rodando" in said
        assert (await told(data, "restore"))[0] == 1
        assert "Não entendi o momento" in (await told(data, "restore", "--at", "ontem", "--yes"))[1]
        assert (await told(data, "restore", made["name"]))[0] == 1  # nobody answered the question

        done = await in_json(data, "restore", "--at", f"{before:%Y-%m-%d %H:%M:%S.%f}", "--yes")
        assert done["whole"]
        assert (await in_json(data, "list"))["replaced"] == [done["copy"]]
        assert await in_database(data, AREA) == "varanda"
        await in_database(data, "UPDATE config SET value = '\"sótão\"' WHERE key = 'house.area'")
        done = await in_json(data, "restore", made["name"], "--yes")
        assert done["copy"].startswith("mordomo_before_")
        assert await in_database(data, AREA) == "varanda"
        dump = data / "backup" / f"{made['name']}.dump"
        dump.write_bytes(dump.read_bytes()[:-1])
        status, said = await told(data, "verify")
        assert status == 1
        assert "corrompida" in said
        assert "não conte com ela" in (await told(data, "list"))[1]
