"""Which instructions the language model gets, followed while the household changes them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from daemon.brain.prompt import factory
from db import prompts
from db.database import Database
from db.listen import notifications
from db.prompts import PromptRow

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_prompts"


@dataclass(frozen=True, slots=True)
class Version:
    """One text of instructions. `id` is its row, None for the text that Mordomo comes with while there is no database.

    `digest` tells texts apart, as the database does.
    """

    content: str
    digest: str
    id: UUID | None = None
    number: int = 0

    @classmethod
    def of(cls, row: PromptRow) -> "Version":
        """Return a row's version."""
        return cls(row.content, row.digest, row.id, row.version)


class Prompts:
    """The active version and the shadow; as a service it follows their table."""

    name = "prompts"

    def __init__(self, db: Database, listen_url: str, changed: Callable[[], None] = lambda: None) -> None:
        """Begin with the text that Mordomo comes with. `changed` is told of another active one."""
        self.changed = changed
        self._db = db
        self._listen_url = listen_url
        text = factory()
        self.active = Version(text, hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())
        self.shadow: Version | None = None

    async def run(self) -> None:
        """Have our own text in the table, then follow it. Raises LinkDown; what was read last stays."""
        await prompts.seed(self._db, factory())
        async for _ in notifications(self._listen_url, (CHANNEL,)):
            await self.refresh()

    async def refresh(self) -> None:
        """Read which versions are in force. Raises LinkDown."""
        active, shadow = await prompts.in_force(self._db)
        self.shadow = None if shadow is None else Version.of(shadow)
        before = self.active.digest
        if active is not None:
            self.active = Version.of(active)
        if self.active.digest != before:
            log.info("prompt_in_force", version=self.active.number)
            self.changed()
