"""The server's log of changes, kept segment by segment so that any minute can be recovered.

PostgreSQL calls `archive_command` for each finished segment, and at least every minute in which something changed
("Continuous Archiving and Point-in-Time Recovery"). The command is a script of ours, config/archive-segment.sh: it
compresses into a file of another name, has the disk take it, and renames; it never overwrites. It runs without the
daemon, whose Python the server's user may not be able to reach.

An archive that cannot be written (its disk is not there) makes the server keep its segments; past MOST_WAITING_BYTES
they are let go and a note of the gap is left, because a house with a full disk has no assistant at all.
"""

import re
import shlex
import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path

import structlog

from db.server_account import Account, CannotStart

log = structlog.get_logger(__name__)

ARCHIVE_TIMEOUT_S = 60
SEGMENT_BYTES = 1 << 20
"""Of a new cluster. With a segment a minute, PostgreSQL's own 16 MB would write 23 GB a day to a memory card."""
MOST_WAITING_BYTES = 1 << 30
OFF, GAP = "archive-off", "archive-gap"
"""Files in the server's folder: the first says that no archive is wanted, the second since when one has a gap."""
SEGMENT = re.compile(r"[0-9A-F]{24}")
FATAL = 200
"""Exit status by which a restore_command ends the recovery; a lesser one means that there is no such segment."""


def archiving(account: Account, home: Path, cluster: Path, archive: Path) -> dict[str, str]:
    """Return the settings that archive `cluster` into `archive`, once its script is written into `home`.

    `archive` is the folder of all servers' archives; a disk that is not there costs a warning, never the start.
    Raises CannotStart where the cluster has lost its own description.
    """
    script = home / "archive.sh"
    account.write(script, script_text("archive-segment.sh"))
    try:
        own = archive / system_identifier(cluster)
    except OSError as broken:
        raise CannotStart(
            f"Os dados em {cluster} estão danificados ({broken.strerror}). "
            "Recupere-os com `mordomo backup restore --at`, para um momento de pouco antes."
        ) from broken
    try:
        make_archive(account, own)
    except OSError as broken:
        log.warning("archive_folder_missing", folder=str(own), error=broken.strerror)
    command = f"/bin/sh {_shell(script)} %p %f {_shell(own / 'wal')} {MOST_WAITING_BYTES}"
    return {
        "wal_level": "replica",
        "archive_mode": "on",
        "archive_command": command,
        "archive_timeout": f"{ARCHIVE_TIMEOUT_S}s",
    }


def fetching(account: Account, home: Path, own: Path, rest: Path) -> dict[str, str]:
    """Return the settings by which a recovery in `home` reads the archive `own`, and then what `rest` still holds."""
    script = home / "fetch.sh"
    account.write(script, script_text("fetch-segment.sh"))
    return {"restore_command": f"/bin/sh {_shell(script)} %f %p {_shell(own / 'wal')} {_shell(rest)}"}


def script_text(name: str) -> str:
    """Return a script of `config/`, which docker-compose.yml gives its own server as well."""
    return (resources.files("config") / name).read_text(encoding="utf-8")


def make_archive(account: Account, own: Path) -> None:
    """Make one server's archive, a folder of its user's alone. Raises OSError."""
    backup = own.parents[1]
    if not backup.exists():
        backup.mkdir(parents=True)
        backup.chmod(0o711 if account.switch else 0o700)
    for folder in (own.parent, own, own / "wal"):
        if not folder.exists():
            folder.mkdir(mode=0o700)
            account.own(folder)


def system_identifier(cluster: Path) -> str:
    """Return the number that PostgreSQL gave a cluster when it was made; it names the cluster's archive.

    It is the first field of ControlFileData (src/include/catalog/pg_control.h). Raises OSError.
    """
    with (cluster / "global" / "pg_control").open("rb") as file:
        (number,) = struct.unpack("=Q", file.read(8))
    return str(number)


def segment_bytes(cluster: Path) -> int:
    """Return how long a segment of a cluster's log is, by looking at one; SEGMENT_BYTES where there is none."""
    sizes = [path.stat().st_size for path in (cluster / "pg_wal").glob("*") if SEGMENT.fullmatch(path.name)]
    return sizes[0] if sizes else SEGMENT_BYTES


def segments(own: Path) -> list[str]:
    """Return the names of the archived segments, in order of timeline and place."""
    names = (path.name.removesuffix(".gz") for path in (own / "wal").glob("*.gz"))
    return sorted(name for name in names if SEGMENT.fullmatch(name))


def place(name: str, bytes_each: int) -> tuple[int, int]:
    """Return a segment's timeline and number (XLogFromFileName, src/include/access/xlog_internal.h)."""
    timeline, high, low = (int(name[at : at + 8], 16) for at in (0, 8, 16))
    return timeline, high * ((1 << 32) // bytes_each) + low


def gaps(names: Sequence[str], bytes_each: int) -> list[str]:
    """Return the segments after which the next one of the same timeline is missing."""
    places = [place(name, bytes_each) for name in names]
    return [
        name
        for name, here, after in zip(names, places, places[1:], strict=False)
        if here[0] == after[0] and after[1] != here[1] + 1
    ]


def prune(own: Path, oldest: int, bytes_each: int) -> int:
    """Remove what is archived of segments before the number `oldest`, of every timeline; return how many files.

    The histories of timelines stay. Raises OSError.
    """
    known = (path for path in (own / "wal").glob("*.gz") if SEGMENT.match(path.name))
    unneeded = [path for path in known if place(path.name, bytes_each)[1] < oldest]
    for path in unneeded:
        path.unlink()
    return len(unneeded)


def newest(own: Path) -> datetime | None:
    """Return when the last segment was archived, or None."""
    times = [path.stat().st_mtime for path in (own / "wal").glob("*.gz")]
    return datetime.fromtimestamp(max(times)).astimezone() if times else None


def size(paths: Iterable[Path]) -> int:
    """Return how many bytes files take together."""
    return sum(path.stat().st_size for path in paths)


def _shell(path: Path) -> str:
    """Quote a path for the shell, and for PostgreSQL, which reads % as the start of a placeholder."""
    return shlex.quote(str(path)).replace("%", "%%")
