"""The service that looks after what only grows: partitions ahead of time, and what is old let go."""

from collections.abc import Awaitable
from datetime import timedelta

import asyncpg
import structlog

from config.preference import InvalidPreference, Preference
from config.preferences import (
    RETENTION_AUDIT_DAYS,
    RETENTION_MESSAGES_DAYS,
    RETENTION_STATES_DAYS,
    RETENTION_SYSTEM_LOGS_DAYS,
)
from daemon.clock import Clock
from daemon.health import Part
from db.database import Database
from db.device_rows import forget_removed
from db.partitions import (
    AUDIT_LOG,
    ENTITY_STATES,
    SYSTEM_LOGS,
    Partitioned,
    TableHeld,
    create_ahead,
    delete_older,
    drop_older,
    forget_conversations,
)
from db.preferences import load

log = structlog.get_logger(__name__)

EVERY_S = 3600.0
"""Looking costs a few queries; often is for a clock that is set right only after the start."""
SOON_S = 60.0
"""When it is tried again, after somebody held a table."""
TABLES: tuple[tuple[Partitioned, Preference[int]], ...] = (
    (SYSTEM_LOGS, RETENTION_SYSTEM_LOGS_DAYS),
    (AUDIT_LOG, RETENTION_AUDIT_DAYS),
    (ENTITY_STATES, RETENTION_STATES_DAYS),
)


class Housekeeping:
    """Makes partitions and applies retention, at the start and every hour."""

    name = "housekeeping"

    def __init__(self, db: Database, clock: Clock) -> None:
        self.problem: str | None = None
        self._looked = False
        self._db = db
        self._clock = clock

    async def run(self) -> None:
        """Look after the tables until cancelled. Raises LinkDown.

        What does not work is told once, in the log and in `problem`, and tried again: a house speaks without it.
        """
        while True:
            await self._clock.sleep(EVERY_S if await self.look() else SOON_S)

    def part(self) -> Part:
        """Return how it stands, for health."""
        name, title = self.name, "limpeza do banco"
        if self.problem is not None:
            detail = f"não consegui apagar o que é velho ou preparar os próximos dias: {self.problem}"
            return Part(name, title, "failed", detail, "tento de novo a cada minuto; o registro do sistema diz mais")
        if not self._looked:
            return Part(name, title, "starting", "espera as tabelas")
        return Part(name, title, "ok", "os próximos dias estão preparados, o que é velho foi apagado")

    async def look(self) -> bool:
        """Do what there is to do; tell whether all of it was done. Raises LinkDown."""
        problems = []
        for work in (self._partitions, self._old_rows, self._old_conversations, self._old_entities):
            try:
                await work()
            except (TableHeld, InvalidPreference, asyncpg.PostgresError) as error:
                held = "outra transação segura a tabela; " if isinstance(error, TableHeld) else ""
                problems.append(f"{held}{type(error).__name__}: {error}")
        self._looked = True
        problem = "; ".join(problems) or None
        if problem != self.problem:
            self.problem = problem
            if problem is None:
                log.info("housekeeping_works_again")
            else:
                log.warning("housekeeping_failed", why=problem, retry_in_s=SOON_S)
        return problem is None

    async def _partitions(self) -> None:
        now = self._clock.now()
        for table, _ in TABLES:
            if made := await create_ahead(self._db, table, now):
                log.info("partitions_made", table=table.table, count=made)

    async def _old_rows(self) -> None:
        for table, days in TABLES:
            before = self._clock.now() - timedelta(days=await self._days(days))
            await _told("partitions_dropped", table.table, drop_older(self._db, table, before))
            await _told("old_rows_deleted", table.table, delete_older(self._db, table, before))

    async def _old_conversations(self) -> None:
        if days := await self._days(RETENTION_MESSAGES_DAYS):
            before = self._clock.now() - timedelta(days=days)
            await _told("old_rows_deleted", "conversations", forget_conversations(self._db, before))

    async def _old_entities(self) -> None:
        before = self._clock.now() - timedelta(days=await self._days(RETENTION_STATES_DAYS))
        await _told("old_rows_deleted", "entities", forget_removed(self._db, before))

    async def _days(self, preference: Preference[int]) -> int:
        """Return a preference as the table has it now: nothing is deleted by a default that stands in for it."""
        preferences, faults = await load(self._db)
        for fault in faults:
            if fault.startswith(preference.key):
                raise InvalidPreference(fault)
        return preferences[preference]


async def _told(event: str, table: str, work: Awaitable[int]) -> None:
    if count := await work:
        log.info(event, table=table, count=count)
