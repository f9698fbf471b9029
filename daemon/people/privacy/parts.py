"""The parts of this folder put together for the running daemon."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.preferences import Preferences
from daemon.clock import Clock
from daemon.memory.vectors import Vectors
from daemon.people.privacy.backups import HeldBackups
from daemon.people.privacy.clips import Clips
from daemon.people.privacy.erasing import Erasing
from daemon.people.privacy.upkeep import Upkeep
from daemon.supervise import Service
from db.database import Database
from db.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Privacy:
    """What erases, what keeps sound for those who allow it, and what looks after both."""

    erasing: Erasing
    clips: Clips
    upkeep: Upkeep

    @staticmethod
    def of(
        db: Database,
        ledger: Ledger,
        backups: HeldBackups,
        clock: Clock,
        *,
        data_dir: Path,
        prefs: Callable[[], Preferences],
        vectors: Vectors | None = None,
    ) -> "Privacy":
        """Build them. `vectors` is the household's store where it is another server; tables are reached anyway."""
        erasing = Erasing(db, vectors, data_dir, clock, ledger.drain)
        clips = Clips(db, erasing.clips)
        return Privacy(erasing, clips, Upkeep(erasing, backups, clips, prefs, clock))

    def services(self) -> tuple[Service, ...]:
        """Return what runs once there are tables."""
        return self.clips, self.upkeep
