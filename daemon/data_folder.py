"""The data directory belongs to one running daemon; where it answers is written there for the other commands."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from daemon.errors import MordomoError


class AlreadyRunning(MordomoError):  # noqa: N818 - a state
    """Another daemon holds this data directory."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running daemon answers HTTP."""

    pid: int
    url: str


class DataFolder:
    """Context manager over the folder: made with mode 700 (root's: 711, for the database's user), locked while held.

    Raises AlreadyRunning with a sentence in Portuguese.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None

    def __enter__(self) -> Self:
        made = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        if made:
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        lock = os.open(self.path / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            there = running(self.path)
            where = f" (processo {there.pid}, {there.url})" if there else ""
            raise AlreadyRunning(
                f"Já há um Mordomo rodando com os dados de {self.path}{where}. "
                "Use-o com `mordomo ask`, ou rode outro com MORDOMO_DATA_DIR diferente."
            ) from None
        self._lock = lock
        return self

    def announce(self, url: str) -> None:
        """Write down where this daemon answers. Only the same user may read it."""
        fresh = self.path / "daemon.json.new"
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(Address(os.getpid(), url))))
        fresh.replace(self.path / "daemon.json")

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            (self.path / "daemon.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def running(data_dir: Path) -> Address | None:
    """Return where the daemon of this data directory answers, or None where none holds it."""
    folder = data_dir.expanduser().absolute()
    try:
        lock = os.open(folder / "daemon.lock", os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return Address(**json.loads((folder / "daemon.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
    finally:
        os.close(lock)
    return None
