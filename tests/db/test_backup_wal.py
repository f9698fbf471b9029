"""The archive of the server's log: the scripts by themselves, and the weekly copies that it starts from."""

import gzip
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.kept_house import KeptHouse, kept_house

from db.backup import wal
from db.backup.base import Base, _extract, bases, prove, timeline_at, unneeded_bases
from db.backup.folder import BackupBad, BackupFailed
from db.backup.recovery import base_for, recover
from db.backup.source import own_programs, patient
from db.backup.wal import gaps, place, prune, script_text, segments

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAME = "000000010000000000000007"


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    """A server's folder as the scripts see it, with a segment, below a path that wants quoting."""
    data = tmp_path / "o 'banco' $HOME" / "data"
    (data / "pg_wal" / "archive_status").mkdir(parents=True)
    (data / "pg_wal" / NAME).write_bytes(b"changes" * 1000)
    (data / ".." / "arquivo; rm -rf" / "wal").mkdir(parents=True)
    return data


def run(script: str, data: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a script as the server runs its command: by the shell, in the folder of its data."""
    (data.parent / "script.sh").write_text(script_text(script))
    command = shlex.join(["/bin/sh", str(data.parent / "script.sh"), *(str(each) for each in arguments)])
    return subprocess.run(command, shell=True, cwd=data, capture_output=True, text=True, check=False)


def archive(data: Path, most: int = 10) -> "subprocess.CompletedProcess[str]":
    """Archive the segment; `most` segments of its length may wait."""
    most_bytes = str(most * (data / "pg_wal" / NAME).stat().st_size)
    return run("archive-segment.sh", data, f"pg_wal/{NAME}", NAME, kept(data), most_bytes)


def kept(data: Path) -> Path:
    return data.parent / "arquivo; rm -rf" / "wal"


def test_a_segment_is_archived_whole_and_may_be_archived_again(cluster: Path) -> None:
    (kept(cluster) / f".{NAME}.part").write_text("left by a power cut")
    for _ in range(2):
        done = archive(cluster)
        assert (done.returncode, done.stderr) == (0, "")
        assert [path.name for path in kept(cluster).iterdir()] == [f"{NAME}.gz"]
        assert gzip.decompress((kept(cluster) / f"{NAME}.gz").read_bytes()) == b"changes" * 1000
        assert (kept(cluster) / f"{NAME}.gz").stat().st_mode & 0o077 == 0


def test_another_segment_of_that_name_is_never_overwritten(cluster: Path) -> None:
    archive(cluster)
    (cluster / "pg_wal" / NAME).write_bytes(b"other" * 1000)
    refused = archive(cluster)
    assert refused.returncode == 1
    assert "another segment is archived" in refused.stderr
    assert gzip.decompress((kept(cluster) / f"{NAME}.gz").read_bytes()) == b"changes" * 1000


def test_an_archive_that_is_not_there_makes_the_server_wait_until_too_much_does(cluster: Path) -> None:
    shutil.rmtree(kept(cluster))
    for number in range(3):
        (cluster / "pg_wal" / "archive_status" / f"{number}.ready").touch()
    assert archive(cluster, most=3).returncode == 1
    assert not (cluster.parent / wal.GAP).exists()
    assert archive(cluster, most=2).returncode == 0
    assert (cluster.parent / wal.GAP).read_text().startswith("20")


def test_where_no_archive_is_wanted_nothing_is_written(cluster: Path) -> None:
    (cluster.parent / wal.OFF).touch()
    assert archive(cluster).returncode == 0
    assert not any(kept(cluster).iterdir())


def test_what_a_recovery_fetches(cluster: Path) -> None:
    archive(cluster)
    rest, target = cluster / "pg_wal", cluster / "fetched"
    other = "000000010000000000000008"
    (rest / other).write_bytes(b"not archived yet")
    assert run("fetch-segment.sh", cluster, NAME, target, kept(cluster), rest).returncode == 0
    assert target.read_bytes() == b"changes" * 1000
    assert run("fetch-segment.sh", cluster, other, target, kept(cluster), rest).returncode == 0
    assert target.read_bytes() == b"not archived yet"
    assert run("fetch-segment.sh", cluster, "000000010000000000000009", target, kept(cluster), rest).returncode == 1
    damaged = kept(cluster) / f"{NAME}.gz"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert run("fetch-segment.sh", cluster, NAME, target, kept(cluster), rest).returncode == 0, (
        "the old server still has it"
    )
    (rest / NAME).unlink()
    # A damaged segment is no end of the log: a recovery that took it for one would lose what follows in silence.
    assert run("fetch-segment.sh", cluster, NAME, target, kept(cluster), rest).returncode == wal.FATAL


def test_names_and_gaps() -> None:
    assert place("0000000200000001000000FF", 16 << 20) == (2, 0x1FF)
    assert place("000000010000000100000FFF", 1 << 20) == (1, 0x1FFF)
    row = [f"00000001000000000000000{number}" for number in "12356"]
    assert gaps(row, 1 << 20) == [row[2]]
    assert gaps(["0000000100000000000000FF", "000000010000000100000000"], 16 << 20) == []
    assert gaps(["000000010000000000000002", "000000020000000000000007"], 1 << 20) == []


def test_pruning_keeps_what_a_base_needs(tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    for name in ("000000010000000000000001", "000000010000000000000002", "000000020000000000000001",
                 "000000010000000000000001.00000028.backup", "00000002.history"):  # fmt: skip
        (tmp_path / "wal" / f"{name}.gz").touch()
    assert prune(tmp_path, 2, 1 << 20) == 3
    assert segments(tmp_path) == ["000000010000000000000002"]
    assert (tmp_path / "wal" / "00000002.history.gz").exists()


def a_base(folder: Path, at: datetime, *, good: bool = True) -> Base:
    return Base(folder, at, at, 1, 1, 1 << 20, 1, "", verified_at=at if good else None)


def test_as_many_good_bases_stay_as_are_wanted(tmp_path: Path) -> None:
    weeks = [a_base(tmp_path, NOW - timedelta(weeks=back), good=back != 1) for back in range(5)]
    assert unneeded_bases(weeks, 2) == weeks[3:]  # a bad one between two good ones is not counted
    assert unneeded_bases(weeks, 9) == []


def test_a_moment_is_looked_for_on_the_timeline_that_was_lived_then(tmp_path: Path) -> None:
    base = a_base(tmp_path / "base", NOW)
    (tmp_path / "timelines.json").write_text(
        f'[["{(NOW + timedelta(hours=1)).isoformat()}", 2], ["{(NOW + timedelta(hours=3)).isoformat()}", 3]]'
    )
    assert [timeline_at(base, NOW + timedelta(hours=hours)) for hours in (0.5, 1, 2, 4)] == [1, 2, 2, 3]


async def test_the_server_archives_by_itself_with_settings_that_need_no_restart(house: KeptHouse) -> None:
    async with patient(house.url) as connection:
        assert await connection.fetchval("SHOW archive_mode") == "on"
        assert await connection.fetchval("SHOW archive_timeout") == "1min"
        assert await connection.fetchval("SHOW wal_segment_size") == "1MB"
    await house.back_up()
    (own,) = house.continuous.glob("[0-9]*")
    assert own.name == wal.system_identifier(house.postgres.cluster)
    (base,) = bases(own)
    assert base.is_good
    assert base.first_segment <= place(segments(own)[0], base.segment_bytes)[1]
    assert gaps(segments(own), base.segment_bytes) == []
    assert [each.stat().st_mode & 0o077 for each in base.folder.iterdir()] == [0] * 4
    await house.back_up(datetime.now(UTC) + timedelta(days=6))
    assert bases(own) == [base], "the whole server is copied once a week"
    await house.back_up(datetime.now(UTC) + timedelta(days=7))
    assert len(bases(own)) == 2


async def test_a_damaged_base_is_found_and_an_older_moment_is_refused(house: KeptHouse) -> None:
    with pytest.raises(BackupFailed, match="mordomo backup now"):
        base_for(house.continuous, datetime.now(UTC))
    await house.copy_server()
    (own,) = house.continuous.glob("[0-9]*")
    (base,) = bases(own)
    with pytest.raises(BackupFailed, match="Só consigo voltar a momentos depois de"):
        base_for(house.continuous, base.ended_at - timedelta(seconds=1))
    with pytest.raises(BackupFailed, match="ainda não chegou"):
        await recover(house.postgres, house.continuous, datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC))
    assert house.postgres.running()
    archive = base.folder / "base.tar.gz"
    content = bytearray(archive.read_bytes())
    content[1000] ^= 1
    archive.write_bytes(content)
    with pytest.raises(BackupBad, match="corrompida"):
        await prove(base, house.postgres.home, await own_programs(house.postgres))
    at = datetime.now(UTC)
    await house.tell("fica")
    with pytest.raises(BackupBad, match="corrompida"):
        await recover(house.postgres, house.continuous, at, datetime.now(UTC))
    await house.start()
    assert await house.told() == {"fica"}
    assert house.left_over() == []


@pytest.mark.parametrize("kind", ["name", "absolute", "link"])
def test_an_archive_from_elsewhere_cannot_write_outside(tmp_path: Path, kind: str) -> None:
    member = tarfile.TarInfo({"name": "../out", "absolute": "/tmp/out", "link": "link"}[kind])
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "base.tar.gz", "w:gz") as tar:
        tar.addfile(member)
    (tmp_path / "data").mkdir()
    with pytest.raises(tarfile.TarError, match=r"um nome que sai|outro tipo"):
        _extract(tmp_path / "base.tar.gz", tmp_path / "data")
    assert {path.name for path in tmp_path.iterdir()} == {"base.tar.gz", "data"}


async def test_one_may_go_back_and_forth(house: KeptHouse) -> None:
    await house.copy_server()
    moments = []
    for text in ("um", "dois", "três"):
        await house.tell(text)
        moments.append(datetime.now(UTC))
    told = {1: {"um", "dois"}, 0: {"um"}, 2: {"um", "dois", "três"}}
    for which in (1, 0, 2):
        done = await recover(house.postgres, house.continuous, moments[which], datetime.now(UTC))
        assert done.whole
        await house.start()
        assert await house.told() == told[which]
    after = datetime.now(UTC)
    await house.tell("quatro")
    await recover(house.postgres, house.continuous, after, datetime.now(UTC))
    await house.start()
    assert await house.told() == told[2]


async def test_a_log_that_ends_too_early_is_said(house: KeptHouse) -> None:
    await house.copy_server()
    await house.tell("antes")
    async with patient(house.url) as connection:
        await connection.execute("SELECT pg_switch_wal()")
    await house.postgres.stop(only_if_unused=False)
    shutil.rmtree(house.postgres.cluster)
    done = await recover(house.postgres, house.continuous, datetime.now(UTC), datetime.now(UTC))
    assert not done.whole
    assert done.copy is None
    await house.start()
    assert await house.told() == {"antes"}
