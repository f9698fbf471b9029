"""Recovery to any minute for docker-compose.yml's server: its own files on Debian's PostgreSQL, written to and killed."""

import asyncio
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.background import Background
from support.composed import ZONE, Composed, composed, made_cluster
from support.folders import short_folder
from support.postgres import DEBIAN

from db.backup.keeper import keeper_trouble, kept

pytestmark = [pytest.mark.debian, pytest.mark.skipif(not DEBIAN, reason="Debian's postgresql is not installed")]
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["debian", "busybox"])
def tools(request: pytest.FixtureRequest) -> Iterator[Path | None]:
    """The shell and its programs: Debian's own, or those of Alpine, which the image is made of."""
    if request.param == "debian":
        yield None
        return
    if (busybox := shutil.which("busybox")) is None:
        pytest.skip("busybox is not installed")
    with short_folder() as folder:
        subprocess.run([busybox, "--install", "-s", folder], check=True)
        if not (folder / "flock").exists():  # Debian's busybox is built without it, Alpine's is not
            (folder / "flock").symlink_to(shutil.which("flock") or "/usr/bin/flock")
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def cluster(background: Background) -> Iterator[Path]:
    with made_cluster(background) as made:
        yield made


@pytest.fixture
async def house(tools: Path | None, cluster: Path) -> AsyncIterator[Composed]:
    async with composed(tools, cluster) as house:
        yield house


def moment(at: datetime) -> str:
    return at.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S")


async def written(house: Composed, until: datetime) -> list[tuple[int, datetime, datetime]]:
    """Write without pause until a moment has passed: each row's number, when it began and when it was acknowledged."""
    rows: list[tuple[int, datetime, datetime]] = []
    async with house.connected() as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS diary (id serial PRIMARY KEY, text text)")
        while not rows or rows[-1][2] <= until:
            began = datetime.now(UTC)
            number = await connection.fetchval("INSERT INTO diary (text) VALUES (repeat('a', 100)) RETURNING id")
            rows.append((number, began, datetime.now(UTC)))
    return rows


async def there(house: Composed) -> set[int]:
    async with house.connected() as connection:
        return {row[0] for row in await connection.fetch("SELECT id FROM diary")}


def next_second() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + SECOND


async def copied(house: Composed) -> datetime:
    """Have the keeper copy the server; return since when one can go back."""
    assert await house.keeper("now") == (0, "")
    state = kept(house.archive)
    assert state is not None
    assert state.base_at is not None
    assert state.failed_at is None
    return state.base_at


async def test_back_to_a_second_and_forth_again_and_from_the_archive_alone(house: Composed) -> None:
    since = await copied(house)
    rows = await written(house, since)
    at = max(next_second(), since)
    later = at + SECOND
    rows += await written(house, later)
    house.kill()
    status, said = await house.keeper("restore", moment(at))
    assert (status, "Pronto" in said) == (0, True), said
    await house.start()
    found = await there(house)
    assert {number for number, _, done in rows if done <= at} <= found
    assert not {number for number, began, _ in rows if began > at} & found
    # What had happened after that moment is not lost: it was lived on another timeline, and is in the archive.
    await house.stop()
    status, said = await house.keeper("restore", moment(later))
    assert status == 0, said
    await house.start()
    found = await there(house)
    assert {number for number, _, done in rows if done <= later} <= found
    assert not {number for number, began, _ in rows if began > later} & found

    # The server goes on from there, and archives; then its disk is lost.
    last = next_second()
    more = await written(house, last)
    await house.stop()
    lose_the_disk(house)
    status, said = await house.keeper("restore", moment(last))
    assert status == 0, said
    await house.start()
    assert {number for number, _, done in more if done <= last} <= await there(house)
    assert "restaurada e lida por inteiro" in (await house.keeper("list"))[1]


async def test_a_log_that_ends_too_early_is_said(house: Composed) -> None:
    since = await copied(house)
    early = await written(house, since)
    async with house.connected() as connection:
        await connection.execute("SELECT pg_switch_wal()")
    at = next_second()
    await written(house, at)
    await house.stop()
    lose_the_disk(house)
    max((house.archive / "wal").glob("0*.gz")).unlink()
    status, said = await house.keeper("restore", moment(at))
    assert (status, "O registro de mudanças termina antes desse momento" in said) == (0, True), said
    await house.start()
    assert {number for number, _, _ in early} <= await there(house)


def lose_the_disk(house: Composed) -> None:
    shutil.rmtree(house.home / "volume")
    (house.home / "volume").mkdir(mode=0o700)
    house.account.own(house.home / "volume")


async def test_what_is_refused_changes_nothing(house: Composed) -> None:
    await written(house, datetime.now(UTC))
    assert "Ainda não há cópia" in (await house.keeper("list"))[1]
    since = await copied(house)
    assert "O servidor está ligado" in (await house.keeper("restore", moment(since)))[1]
    (base,) = house.archive.glob("base-*")
    before = await there(house)
    await house.stop()
    refused = {
        "ontem à tarde": "Não entendi o momento",
        moment(since + timedelta(days=1)): "ainda não chegou",
        moment(since - SECOND): "Só consigo voltar a momentos depois de",
    }
    for text, why in refused.items():
        status, said = await house.keeper("restore", text)
        assert (status, why in said) == (1, True), said
    archive = base / "base.tar.gz"
    whole = archive.read_bytes()
    archive.write_bytes(bytes(byte ^ (at == len(whole) // 2) for at, byte in enumerate(whole)))
    now = max(datetime.now(UTC), since)
    status, said = await house.keeper("restore", moment(now))
    assert (status, "está corrompida" in said, "Nada foi mudado" in said) == (1, True, True), said
    archive.write_bytes(whole)
    segments = sorted((house.archive / "wal").glob("0*.gz"))
    segments[-1].write_bytes(segments[-1].read_bytes()[:-9])
    shutil.rmtree(house.data / "pg_wal", ignore_errors=True)
    status, said = await house.keeper("restore", moment(now))
    assert (status, "Não consegui voltar a esse momento" in said) == (1, True), said
    assert {path.name for path in house.data.parent.iterdir()} - {"keeper.log"} == {"pgdata"}
    assert before


async def test_old_copies_go_and_a_failure_leaves_the_others(house: Composed) -> None:
    await written(house, datetime.now(UTC))
    first = await copied(house)
    for _ in range(2):
        await written(house, next_second())  # each copy has a second of its own
        await copied(house)
    bases = sorted(house.archive.glob("base-*"))
    assert len(bases) == 2
    oldest = (bases[0] / "first").read_text().strip()
    kept_segments = {path.name.removesuffix(".gz")[8:] for path in (house.archive / "wal").glob("00000001*.gz")}
    assert min(kept_segments)[:16] >= oldest[8:]
    assert "momentos depois de" in await after_stop(house, first)

    status, said = await house.keeper("now")  # the server is off
    assert (status, "não consegui copiar o servidor" in said) == (1, True), said
    assert sorted(house.archive.glob("base-*")) == bases
    assert not (house.archive / "base.part").exists()
    now = datetime.now(UTC)
    assert "não consegui copiar o servidor" in keeper_trouble(house.archive, now)


async def after_stop(house: Composed, at: datetime) -> str:
    await house.stop()
    return (await house.keeper("restore", moment(at)))[1]


async def test_the_service_makes_the_first_copy_by_itself_and_is_healthy(house: Composed) -> None:
    await written(house, datetime.now(UTC))
    async with house.service() as keeper:
        async with asyncio.timeout(60):
            while (state := kept(house.archive)) is None:
                assert keeper.returncode is None
                await asyncio.sleep(0.1)
        assert state.base_at is not None
        assert (await house.keeper("health"))[0] == 0
        assert keeper_trouble(house.archive, datetime.now(UTC)) == ""
        keeper.terminate()
        async with asyncio.timeout(10):
            assert await keeper.wait() == 0
    # Another user reads the notes, and nothing else.
    assert stat.S_IMODE(house.archive.stat().st_mode) == 0o711
    assert stat.S_IMODE((house.archive / "state").stat().st_mode) == 0o644
    assert stat.S_IMODE((house.archive / "wal").stat().st_mode) == 0o700
    assert keeper_trouble(house.archive, datetime.now(UTC) + timedelta(hours=7)).startswith("o serviço archive")
