"""The backup folder: for each dump a file and a manifest beside it. Files have mode 600, and are whole or absent."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from db.backup.contents import Contents
from db.errors import MordomoError

STAMP = "%Y%m%dT%H%M%SZ"
CHUNK_BYTES = 1 << 20
FORMAT = 1


class BackupFailed(MordomoError):  # noqa: N818 - it says what happened, like the others of the tree
    """A backup, its proof or its restoring failed. The message, in Portuguese, says why and what mends it."""


class BackupBad(BackupFailed):
    """A backup's file is damaged, or did not give back what it should hold."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of one dump. `size` in bytes; `verified_at` is when it was restored and compared last.

    `problem` says, in Portuguese, why it does not count.
    """

    name: str
    taken_at: datetime
    size: int
    sha256: str
    revision: str | None
    server_version: str
    contents: Contents
    extensions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    verified_at: datetime | None = None
    problem: str = ""
    format: int = field(default=FORMAT)

    @property
    def is_good(self) -> bool:
        """Tell whether it was restored once and held what it should."""
        return self.verified_at is not None and not self.problem

    def good(self, at: datetime) -> "Manifest":
        """Return it as proved at `at`."""
        return replace(self, verified_at=at, problem="")

    def bad(self, problem: str) -> "Manifest":
        """Return it as not to be relied on."""
        return replace(self, problem=problem)


@dataclass(frozen=True, slots=True)
class Folder:
    """A backup folder; it need not exist yet."""

    path: Path

    def make(self) -> None:
        """Make the folder, closed to others but for root's database user, who must pass. Raises BackupFailed."""
        try:
            if not self.path.is_dir():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as broken:
            raise BackupFailed(
                f"Não consigo usar a pasta de cópias {self.path}: {broken.strerror}. "
                "Confira o disco e MORDOMO_BACKUP_DIR."
            ) from broken

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands of Mordomo from backing up or restoring meanwhile. Raises BackupFailed."""
        self.make()
        with self.translated():
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise BackupFailed("Outra cópia ou restauração está em curso. Espere que termine.") from None
        try:
            yield
        finally:
            os.close(lock)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what the disk says as BackupFailed."""
        try:
            yield
        except OSError as broken:
            raise BackupFailed(disk_trouble(self.path, broken)) from broken

    def dump(self, name: str) -> Path:
        """Return where the dump `name` lies."""
        return self.path / f"{name}.dump"

    def all(self) -> list[Manifest]:
        """Return every dump that has a readable manifest, the newest first."""
        found = [self._read(path) for path in self.path.glob("mordomo-*.json")]
        return sorted((each for each in found if each is not None), key=lambda each: each.taken_at, reverse=True)

    def find(self, name: str) -> Manifest:
        """Return the dump of that name (with or without its ending). Raises BackupFailed."""
        wanted = Path(name).name.removesuffix(".dump").removesuffix(".json")
        for each in self.all():
            if each.name == wanted:
                return each
        raise BackupFailed(f"Não há cópia {wanted} em {self.path}. Veja as que há com `mordomo backup list`.")

    def write(self, manifest: Manifest) -> None:
        """Write the manifest down, whole or not at all. Raises BackupFailed."""
        with self.translated():
            text = json.dumps(asdict(manifest), default=str, ensure_ascii=False, indent=1)
            write_whole(self.path / f"{manifest.name}.json", text)

    def remove(self, manifest: Manifest) -> None:
        """Remove a dump; its manifest last, so that no file is ever left that nothing tells of."""
        with self.translated():
            self.dump(manifest.name).unlink(missing_ok=True)
            (self.path / f"{manifest.name}.json").unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed backup left half done. Hold the folder."""
        for left in self.path.glob("mordomo-*.part"):
            left.unlink()
        for dump in self.path.glob("mordomo-*.dump"):
            if not dump.with_suffix(".json").exists():
                dump.unlink()

    def _read(self, path: Path) -> Manifest | None:
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            raw["contents"] = Contents.of_json(raw["contents"])
            for moment in ("taken_at", "verified_at"):
                raw[moment] = datetime.fromisoformat(raw[moment]) if raw[moment] else None
            raw["extensions"], raw["roles"] = tuple(raw["extensions"]), tuple(raw["roles"])
            manifest = Manifest(**raw)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return manifest if manifest.name == path.stem and (self.path / f"{path.stem}.dump").exists() else None


def stamp(at: datetime) -> str:
    """Return a moment as names hold it: UTC, sorted by time."""
    return at.astimezone(UTC).strftime(STAMP)


def write_whole(path: Path, text: str) -> None:
    """Replace a file of mode 600 by `text`; a power cut leaves the old one or the new one. Raises OSError."""
    fresh = path.with_name(path.name + ".part")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        move_into_place(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def move_into_place(fresh: Path, path: Path) -> None:
    """Rename, and have the disk know of it."""
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the disk know which files lie in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def disk_trouble(path: Path, broken: OSError) -> str:
    """Return in Portuguese what a disk's refusal means for whoever keeps it."""
    return f"Não consegui gravar em {path}: {broken.strerror}. Confira o espaço livre e as permissões do disco."
