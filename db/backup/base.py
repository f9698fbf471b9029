"""Weekly copies of the whole server ("base backups"), from which its archived log of changes is replayed.

    continuous/NUMBER/              one server's, by PostgreSQL's system identifier
    ├── wal/NAME.gz                 its log, segment by segment
    ├── base-STAMP/                 base.tar.gz, pg_wal.tar.gz, backup_manifest, mordomo.json
    └── timelines.json              since when it lives on which timeline

A base backup counts once a server has risen from it and every row of it could be read.
"""

import asyncio
import json
import os
import shutil
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import structlog

from db.backup import wal
from db.backup.cluster import SCRATCH, Cluster, scratch_cluster
from db.backup.folder import BackupBad, BackupFailed, disk_trouble, sha256, stamp, sync_folder
from db.backup.programs import Programs
from db.backup.source import own_programs, patient
from db.backup.verification import contents_of
from db.embedded import EmbeddedPostgres
from db.server_account import Account

log = structlog.get_logger(__name__)

MARGIN_BYTES = 64 << 20
"""Room that is left on a disk beyond what a copy of the server needs there."""


@dataclass(frozen=True, slots=True)
class Base:
    """One base backup. From `ended_at` on any moment can be recovered from it; `data_bytes` is the server's size.

    `first_segment` is the number of the first segment of the log that it needs, on `timeline`.
    """

    folder: Path
    taken_at: datetime
    ended_at: datetime
    timeline: int
    first_segment: int
    segment_bytes: int
    data_bytes: int
    sha256: str
    verified_at: datetime | None = None
    problem: str = ""

    @property
    def own(self) -> Path:
        """The archive of its server."""
        return self.folder.parent

    @property
    def is_good(self) -> bool:
        """Tell whether a server has risen from it."""
        return self.verified_at is not None and not self.problem

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return wal.size(path for path in self.folder.iterdir() if path.is_file())


def bases(own: Path) -> list[Base]:
    """Return the base backups of one server's archive, the newest first."""
    found = (_read(folder) for folder in own.glob("base-*Z"))
    return sorted((each for each in found if each is not None), key=lambda each: each.ended_at, reverse=True)


def all_bases(continuous: Path) -> list[Base]:
    """Return the base backups of every server that was ever archived here, the newest first."""
    found = [each for own in continuous.glob("[0-9]*") for each in bases(own)]
    return sorted(found, key=lambda each: each.ended_at, reverse=True)


async def take_base(postgres: EmbeddedPostgres, url: str, own: Path, now: datetime) -> Base:
    """Copy the running server into its archive and prove the copy. Raises BackupFailed, LinkDown, CannotStart."""
    programs = await own_programs(postgres)
    part = own / f"base-{stamp(now)}.part"
    try:
        await asyncio.to_thread(_sweep, own)
        wal.make_archive(programs.account, own)
        await programs.run(
            "pg_basebackup", "--pgdata", part, "--format=tar", "--compress=client-gzip:1", "--wal-method=stream",
            "--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password", "--label=mordomo", f"--dbname={url}",
        )  # fmt: skip
        async with patient(url) as connection:
            ended_at: datetime = await connection.fetchval("SELECT clock_timestamp()")
            await connection.execute("SELECT pg_switch_wal()")
        base = await asyncio.to_thread(_described, part, wal.segment_bytes(postgres.cluster), now, ended_at)
        await prove(base, postgres.home, programs)
        base = replace(base, folder=own / f"base-{stamp(now)}", verified_at=now)
        _write(programs.account, part, base)
        part.rename(base.folder)
        sync_folder(own)
    except OSError as broken:
        raise BackupFailed(disk_trouble(own, broken)) from broken
    finally:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
    (postgres.home / wal.GAP).unlink(missing_ok=True)
    log.info("base_backup_taken", folder=str(base.folder), bytes=base.size)
    return base


async def prove(base: Base, beside: Path, programs: Programs) -> None:
    """Have a scratch server rise from a base backup, and read every row. Raises BackupFailed."""
    async with scratch_cluster(beside, programs) as cluster:
        await unpack(base, cluster)
        await cluster.start({**SCRATCH, "wal_level": "replica"})
        async with patient(cluster.url("postgres")) as connection:
            names = await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
        for (name,) in names:
            async with patient(cluster.url(name)) as connection:
                await contents_of(connection)


async def unpack(base: Base, cluster: Cluster) -> None:
    """Unpack a base backup into `cluster.data`, which must not exist. Raises BackupFailed."""
    free = shutil.disk_usage(cluster.home).free
    if free < base.data_bytes + MARGIN_BYTES:
        needed = (base.data_bytes + MARGIN_BYTES) >> 20
        raise BackupFailed(f"Preciso de {needed} MB livres em {cluster.home}, e há {free >> 20}. Libere espaço.")
    try:
        await asyncio.to_thread(_unpack, base, cluster.data, cluster.programs.account)
    except OSError as broken:
        raise BackupFailed(disk_trouble(cluster.data, broken)) from broken


def _unpack(base: Base, data: Path, account: Account) -> None:
    archive = base.folder / "base.tar.gz"
    try:
        if sha256(archive) != base.sha256:
            raise BackupBad(f"A cópia do servidor em {base.folder} está corrompida. Use outra, e confira o disco.")
        data.mkdir(mode=0o700)
        _extract(archive, data)
        _extract(base.folder / "pg_wal.tar.gz", data / "pg_wal")
    except (tarfile.TarError, EOFError) as broken:
        raise BackupBad(f"A cópia do servidor em {base.folder} está corrompida: {broken}.") from broken
    _compare(base, data)
    for path in (data, *data.rglob("*")):
        account.own(path)


def _extract(archive: Path, folder: Path) -> None:
    """Unpack what pg_basebackup wrote: folders and plain files below `folder`, and nothing else.

    By hand, because the archive may come from elsewhere, we may be root, and tarfile's filters are newer than Python
    3.11.2, which Debian 12 has. Raises tarfile.TarError for a name or a kind that no server's files have.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts:
                raise tarfile.TarError(f"um nome que sai da pasta: {member.name!r}")
            if member.isdir():
                (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            elif member.isreg() and (content := tar.extractfile(member)) is not None:
                descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
            else:
                raise tarfile.TarError(f"um arquivo de outro tipo: {member.name!r}")


def _compare(base: Base, data: Path) -> None:
    """Compare each file with what the server said of it ("Backup Manifest Format"). Raises BackupBad.

    As pg_verifybackup does, which in the packaged programs breaks off before it reads anything.
    """
    for told in json.loads((base.folder / "backup_manifest").read_text())["Files"]:
        path = data / told["Path"]
        if not path.is_file() or path.stat().st_size != told["Size"] or sha256(path) != told["Checksum"]:
            raise BackupBad(f"Na cópia do servidor em {base.folder} o arquivo {told['Path']} não voltou igual.")


def unneeded_bases(found: Sequence[Base], keep: int) -> list[Base]:
    """Return the base backups of one server that may go: all but the newest `keep` good ones, and younger ones."""
    good = [each for each in found if each.is_good]
    if len(good) <= keep:
        return []
    oldest = good[keep - 1]
    return [each for each in found if each.ended_at < oldest.ended_at]


def prune_bases(own: Path, keep: int) -> None:
    """Remove base backups beyond `keep`, and the log that only they needed. Raises OSError."""
    found = bases(own)
    for each in unneeded_bases(found, keep):
        (each.folder / "mordomo.json").unlink()  # from now on it is none
        shutil.rmtree(each.folder)
    if kept := [each for each in bases(own) if each.is_good]:
        oldest = kept[-1]
        removed = wal.prune(own, oldest.first_segment, oldest.segment_bytes)
        log.info("archive_pruned", segments=removed, since=str(oldest.ended_at))


def _sweep(own: Path) -> None:
    for left in own.glob("base-*.part"):
        shutil.rmtree(left)
    for folder in own.glob("base-*Z"):
        if not (folder / "mordomo.json").exists():
            shutil.rmtree(folder)


def _described(part: Path, segment_bytes: int, now: datetime, ended_at: datetime) -> Base:
    manifest = json.loads((part / "backup_manifest").read_text())
    first = min(manifest["WAL-Ranges"], key=lambda each: each["Timeline"])
    high, low = (int(half, 16) for half in first["Start-LSN"].split("/"))
    return Base(
        folder=part,
        taken_at=now,
        ended_at=ended_at,
        timeline=max(each["Timeline"] for each in manifest["WAL-Ranges"]),
        first_segment=((high << 32) + low) // segment_bytes,
        segment_bytes=segment_bytes,
        data_bytes=sum(each["Size"] for each in manifest["Files"]),
        sha256=sha256(part / "base.tar.gz"),
    )


def _write(account: Account, part: Path, base: Base) -> None:
    values = {key: value for key, value in asdict(base).items() if key != "folder"}
    account.write(part / "mordomo.json", json.dumps(values, default=str, indent=1))


def _read(folder: Path) -> Base | None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        raw = json.loads((folder / "mordomo.json").read_text(encoding="utf-8"))
        for moment in ("taken_at", "ended_at", "verified_at"):
            raw[moment] = datetime.fromisoformat(raw[moment]) if raw[moment] else None
        return Base(folder=folder, **raw)
    return None


def timeline_at(base: Base, at: datetime) -> int:
    """Return on which timeline the server lived at a moment: each recovery begins a new one."""
    living = base.timeline
    for since, timeline in _timelines(base.own):
        if base.ended_at < since <= at:
            living = timeline
    return living


def begin_timeline(account: Account, own: Path, timeline: int, now: datetime) -> None:
    """Write down that the server lives on another timeline from `now` on. Raises OSError."""
    known = [*_timelines(own), (now.astimezone(UTC), timeline)]
    account.write(own / "timelines.json", json.dumps([[since.isoformat(), number] for since, number in known]))


def _timelines(own: Path) -> list[tuple[datetime, int]]:
    with suppress(OSError, ValueError, TypeError):
        raw = json.loads((own / "timelines.json").read_text(encoding="utf-8"))
        return sorted((datetime.fromisoformat(since), int(number)) for since, number in raw)
    return []
