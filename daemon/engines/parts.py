"""Files on their way: parts that can be gone on with, checksums, room on the disk, and their place at the end."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.errors import EngineFailed

CHUNK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20
"""Kept free on the disk: the database lives there too."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it: `size` in bytes; `digest` in hexadecimal, SHA-256 of the content or git's SHA-1."""

    path: str
    size: int
    digest: str
    is_sha256: bool

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def hasher(self) -> Any:
        """Return the hash that makes `digest`; git's begins with a header of its own."""
        if self.is_sha256:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


def prepare(into: Path, files: Sequence[HubFile]) -> list[HubFile]:
    """Make the folder, throw away what belongs to other versions, and return the files that are not there whole.

    Raises EngineFailed when there is no room for them.
    """
    into.mkdir(parents=True, exist_ok=True)
    _drop_strangers(into, files)
    lacking = sum(file.size for file in files) - sum(left.stat().st_size for left in into.iterdir())
    free = shutil.disk_usage(into).free
    if lacking + SPARE_BYTES > free:
        raise EngineFailed("download", _no_room(into, f"faltam {_size(lacking + SPARE_BYTES - free)}"))
    return [file for file in files if not (into / file.name).exists()]


def settle(part: Path, file: HubFile) -> bool:
    """Give a part that has come whole its name, for good; False (and it is gone) when its checksum is wrong."""
    if _digest(part, file) != file.digest:
        part.unlink()
        return False
    with part.open("rb") as content:
        os.fsync(content.fileno())
    part.replace(part.with_name(file.name))
    return True


@contextmanager
def alone_in(home: Path, name: str) -> Iterator[None]:
    """Hold `name` below `home` for this process alone; freed by the system if it dies. Raises EngineFailed."""
    with disk_full_said(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / f".{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineFailed("download", f"{name} já está sendo baixado por outro comando") from None
        yield
    finally:
        os.close(lock)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last over a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def part_name(file: HubFile) -> str:
    """Return the name of the file on its way; with its checksum, so that another version is never gone on with."""
    return f"{file.name}.{file.digest[:16]}.part"


def _drop_strangers(into: Path, files: Sequence[HubFile]) -> None:
    known = {name for file in files for name in (file.name, part_name(file))}
    for left in into.iterdir():
        if left.name not in known:
            left.unlink()
    for file in files:
        whole = into / file.name
        if whole.exists() and whole.stat().st_size != file.size:
            whole.unlink()
        if length(into / part_name(file)) > file.size:
            forget(into / part_name(file))


def _digest(part: Path, file: HubFile) -> str:
    hasher = file.hasher()
    with part.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            hasher.update(chunk)
    return str(hasher.hexdigest())


def forget(part: Path) -> None:
    """Throw the part away."""
    part.unlink(missing_ok=True)


def length(part: Path) -> int:
    """Return how many bytes of it are here."""
    return part.stat().st_size if part.exists() else 0


@contextmanager
def disk_full_said(where: Path) -> Iterator[None]:
    """Turn what the disk refuses into EngineFailed with a sentence."""
    try:
        yield
    except OSError as broken:
        if broken.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise EngineFailed("download", _no_room(where, "libere espaço e rode de novo")) from broken
        raise EngineFailed("download", f"não consegui gravar em {where}: {broken.strerror or broken}") from broken


def _no_room(where: Path, rest: str) -> str:
    return f"não há espaço no disco para baixar em {where}: {rest}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB".replace(".", ",") if count >= 1e9 else f"{count / 1e6:.0f} MB"
