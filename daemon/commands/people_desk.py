"""What the commands about people's data share: the database, and everything an erasure reaches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from config.environment import Environment
from daemon.commands.console import environment, fail

if TYPE_CHECKING:
    from config.preferences import Preferences
    from daemon.people.privacy.erasing import Erasing
    from daemon.people.privacy.upkeep import Upkeep
    from db.database import Database


@dataclass(frozen=True, slots=True)
class Desk:
    """What these commands work with; `now` is on the household's clock."""

    db: "Database"
    prefs: "Preferences"
    erasing: "Erasing"
    upkeep: "Upkeep"
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The household's time zone."""
        from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415

        return ZoneInfo(self.prefs[HOUSE_TIMEZONE])


@asynccontextmanager
async def people_desk() -> AsyncIterator[Desk]:
    """Open the household's database and everything an erasure reaches, whether the daemon runs or not."""
    from config.preferences import HOUSE_TIMEZONE  # noqa: PLC0415
    from daemon.clock import SystemClock  # noqa: PLC0415
    from daemon.memory.parts import store  # noqa: PLC0415
    from daemon.migration import migrate  # noqa: PLC0415
    from daemon.people.privacy.backups import HeldBackups  # noqa: PLC0415
    from daemon.people.privacy.clips import Clips  # noqa: PLC0415
    from daemon.people.privacy.erasing import Erasing  # noqa: PLC0415
    from daemon.people.privacy.upkeep import Upkeep  # noqa: PLC0415
    from daemon.servers import addresses, source  # noqa: PLC0415
    from db.backup.folder import Folder  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    env, clock = environment(), SystemClock()
    async with addresses(env) as database:
        kept, folder = source(env, database), Folder(env.backups)
        await migrate(kept, folder)
        async with database.open(size=2) as db:
            prefs, _ = await load(db)
            vectors = store(env, db)
            erasing = Erasing(db, vectors, env.data_dir, clock, lambda: _drain(db, env))
            clips = Clips(db, erasing.clips)
            backups = HeldBackups(kept, folder, lambda: prefs, env.archive_dir)
            upkeep = Upkeep(erasing, backups, clips, lambda: prefs, clock)
            try:
                yield Desk(db, prefs, erasing, upkeep, clock.now().astimezone(ZoneInfo(prefs[HOUSE_TIMEZONE])))
            finally:
                await vectors.close()


async def _drain(db: "Database", env: Environment) -> None:
    """Bring what waits on the disk into the database first; a running daemon does so by itself."""
    from daemon.errors import LinkDown  # noqa: PLC0415
    from db.ledger import open_ledger  # noqa: PLC0415

    try:
        async with open_ledger(db, env.data_dir) as ledger:
            await ledger.drain()
    except LinkDown as down:
        if down.what != "spool":
            raise
        waiting = env.data_dir / "spool" / "records.jsonl"
        if waiting.exists() and waiting.stat().st_size:
            fail("O Mordomo que está rodando ainda tem registros a gravar. Tente de novo daqui a um minuto.")


async def person_of(db: "Database", name: str) -> tuple[UUID, str]:
    """Return the person of that name. Ends the command where there is none."""
    from db.export import named_person  # noqa: PLC0415
    from db.users import all_names  # noqa: PLC0415

    found = await named_person(db, name)
    if found is None:
        known = ", ".join(await all_names(db))
        fail(f"Não conheço ninguém chamado “{name}”. {f'Conheço: {known}.' if known else 'Ainda não conheço ninguém.'}")
    return found
