"""The household's own sentences, followed while the family edits them in the table `sentences`."""

import asyncio

import structlog

from daemon.language.language import Language
from daemon.language.own import OwnSentence
from db.database import Database
from db.listen import notifications
from db.sentences import enabled, set_fault

log = structlog.get_logger(__name__)

CHANNEL = "mordomo_sentences"


class OwnSentences:
    """Teaches the language what the table holds; as a service it follows the table."""

    name = "sentences"

    def __init__(self, db: Database, listen_url: str, language: Language) -> None:
        self._db = db
        self._listen_url = listen_url
        self._language = language

    async def run(self) -> None:
        """Make the language ready, then follow the table. Raises LinkDown; what was learnt last stays."""
        await asyncio.to_thread(self._language.prepare)
        async for _ in notifications(self._listen_url, [CHANNEL]):
            await self.refresh()

    async def refresh(self) -> None:
        """Read the table and learn it; a sentence that cannot be used gets its reason beside it. Raises LinkDown."""
        rows = await enabled(self._db)
        own = [OwnSentence(str(row.id), row.pattern, row.intent, row.slots) for row in rows]
        faults = self._language.learn(own)
        for row in rows:
            fault = faults.get(str(row.id))
            if fault != row.fault:
                await set_fault(self._db, row.id, fault)
            if fault and fault != row.fault:
                log.warning("sentence_refused", sentence=row.pattern, why=fault)
        log.info("sentences_learnt", sentences=len(rows) - len(faults), refused=len(faults))
