"""The household's own sentences and the phrases of its routines, followed while the family edits their tables."""

import asyncio
import re
from collections.abc import Iterator, Sequence

import structlog

from daemon.language.language import Language
from daemon.language.own import OwnSentence
from db import routines
from db.database import Database
from db.listen import notifications
from db.routines import RoutineRow
from db.sentences import enabled, set_fault

log = structlog.get_logger(__name__)

CHANNELS = ("mordomo_sentences", "mordomo_devices")
RUN = "RunRoutine"


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
        async for _ in notifications(self._listen_url, CHANNELS):
            await self.refresh()

    async def refresh(self) -> None:
        """Read the table and learn it; a sentence that cannot be used gets its reason beside it. Raises LinkDown."""
        rows = await enabled(self._db)
        own = [OwnSentence(str(row.id), row.pattern, row.intent, row.slots) for row in rows]
        phrases = list(_phrases(await routines.enabled(self._db)))
        faults = self._language.learn([*own, *phrases])
        for row in rows:
            fault = faults.get(str(row.id))
            if fault != row.fault:
                await set_fault(self._db, row.id, fault)
            if fault and fault != row.fault:
                log.warning("sentence_refused", sentence=row.pattern, why=fault)
        for phrase in phrases:
            if phrase.key in faults:
                log.warning("routine_phrase_refused", phrase=phrase.pattern, why=faults[phrase.key])
        log.info("sentences_learnt", sentences=len(rows) + len(phrases) - len(faults), refused=len(faults))


def _phrases(rows: Sequence[RoutineRow]) -> Iterator[OwnSentence]:
    """Yield what calls each routine, word for word: whatever marks a phrase holds, it is no pattern."""
    for row in rows:
        for number, phrase in enumerate(row.phrases):
            words = " ".join(re.findall(r"\w+", phrase))
            if words:
                yield OwnSentence(f"{row.id}/{number}", words, RUN, {"routine": str(row.id)})
