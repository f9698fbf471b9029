"""Service: finishes interrupted erasures, has backups replaced that hold what was erased, and lets old sound go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from config.preferences import PRIVACY_AUDIO_DAYS, Preferences
from daemon.clock import Clock
from daemon.errors import LinkDown
from daemon.health import Part
from daemon.people.privacy.backups import FAILURES, HeldBackups
from daemon.people.privacy.clips import Clips
from daemon.people.privacy.erasing import Erasing
from daemon.people.privacy.receipts import KeptReceipts
from db import erasures

log = structlog.get_logger(__name__)

LOOK_S = 60.0
"""A household that asked to be forgotten is not kept waiting for the night."""
CLIPS_EVERY = timedelta(hours=1)


@dataclass(slots=True)
class Upkeep:
    """Looks every minute. A backup takes seconds to minutes, so it is made here and not while somebody waits."""

    erasing: Erasing
    backups: HeldBackups
    clips: Clips
    prefs: Callable[[], Preferences]
    clock: Clock
    name: str = "privacy"
    problem: str = ""

    @property
    def receipts(self) -> KeptReceipts:
        """The receipts beside the backups."""
        return KeptReceipts(self.erasing, self.backups.folder.path / "erasures")

    async def run(self) -> None:
        """Look until cancelled. Raises LinkDown."""
        due = self.clock.now()
        while True:
            await self.look()
            if self.clock.now() >= due:
                await self.let_go()
                due = self.clock.now() + CLIPS_EVERY
            await self.clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Finish what is unfinished, erase what a restoration brought back, replace backups. Raises LinkDown.

        Whatever else goes wrong is logged, and tried again at the next look.
        """
        self.problem = ""
        try:
            await self.erasing.finish_all()
            await self.receipts.reconcile()
        except (OSError, LinkDown) as broken:
            if isinstance(broken, LinkDown) and broken.what == "postgres":
                raise
            self.problem = f"uma exclusão espera para terminar: {broken}"
            log.warning("erasure_unfinished", why=str(broken))
        if why := await self.replace_backups():
            self.problem = self.problem or f"cópias de segurança ainda têm o que foi apagado: {why}"

    def part(self) -> Part:
        """Return how it stands, for health."""
        if self.problem:
            return Part(self.name, "privacidade", "failed", self.problem, "tento de novo a cada minuto")
        return Part(self.name, "privacidade", "ok", "nada espera para ser apagado")

    async def replace_backups(self) -> str:
        """Replace what holds erased rows; return in Portuguese why that failed, or nothing. Raises LinkDown."""
        waiting = await erasures.receipts(self.erasing.db, "backups")
        if not waiting:
            return ""
        try:
            state = await self.backups.replace(waiting, self.clock.now())
        except FAILURES as failed:
            log.warning("backups_not_replaced", why=str(failed))
            return str(failed)
        for each in waiting:
            await erasures.note_backups(self.erasing.db, each.id, state)
        return ""

    async def let_go(self) -> None:
        """Remove clips that are old, or that nobody allows any more. Raises LinkDown."""
        before = self.clock.now() - timedelta(days=self.prefs()[PRIVACY_AUDIO_DAYS])
        try:
            if count := await self.clips.let_go(before):
                log.info("clips_removed", count=count)
        except OSError as broken:
            log.warning("clips_not_removed", why=str(broken))
