"""What Mordomo asks by itself of what may be kept of somebody: once, after an answer, of who may say it of themselves.

Nothing of the kind is kept before the yes, and who says nothing has said no. A child is not asked: what is kept of
children takes an adult's leave (LGPD, art. 14), who gives it by command or is asked where the child asks for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from config.memory import MEMORY_MESSAGES
from config.preferences import Preferences
from config.privacy import PRIVACY_ASK_AUDIO
from daemon.errors import LinkDown
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Plan
from daemon.language.replies import Replies
from daemon.people.permissions import Permissions
from daemon.skills.skill import Context
from daemon.turn import Turn, is_question
from db import consents
from db.database import Database
from models.words import ConsentKind

log = structlog.get_logger(__name__)

AGAIN_AFTER = timedelta(days=365)
"""Who did not answer is asked again no sooner."""
TOLD_WORDS = 4
"""What is shorter tells nothing that would be remembered; see `remember_message` in the database."""


@dataclass(frozen=True, slots=True)
class AsksConsent:
    """Asks the people of one house. `_settled` has whom there is nothing to ask until when, by kind."""

    db: Database
    replies: Replies
    permissions: Permissions
    prefs: Callable[[], Preferences]
    _settled: dict[tuple[UUID, ConsentKind], datetime] = field(default_factory=dict)

    async def after(self, turn: Turn, context: Context) -> Plan | None:
        """Return what is asked after this answer, None for nothing; what is returned counts as asked.

        While the database is away nothing is asked.
        """
        whose = context.user_id
        if whose is None or not context.speaker.trusted or context.approver is not None or not _at_rest(turn):
            return None
        for kind in self._of_interest(turn, context):
            intent = Intent("GiveConsent", slots={"kind": kind})
            if self.permissions.effect([intent], context.speaker, context) == "allow" and await self._first(
                whose, kind, context.now.astimezone(UTC)
            ):
                question = self.replies.say(f"consent.ask_{kind}")
                return Plan("skill", (intent,), 1.0, question=question, awaits=CONFIRMED)
        return None

    def _of_interest(self, turn: Turn, context: Context) -> list[ConsentKind]:
        """Return what this turn would have kept, had it been allowed, where the household wants that."""
        prefs, kinds = self.prefs(), list[ConsentKind]()
        if prefs[MEMORY_MESSAGES] and (_told_of_themselves(turn) or _tells(turn)):
            kinds.append("memory")
        if prefs[PRIVACY_ASK_AUDIO] and context.utterance is not None:
            kinds.append("audio")
        return kinds

    async def _first(self, whose: UUID, kind: ConsentKind, now: datetime) -> bool:
        """Tell whether they are to be asked now; then that is written down first, so that nobody asks again."""
        if now < self._settled.get((whose, kind), now):
            return False
        try:
            first = await consents.ask(self.db, whose, kind, now, now - AGAIN_AFTER)
        except LinkDown as down:
            log.warning("consent_not_asked", kind=kind, why=down.why)
            return False
        self._settled[whose, kind] = now + AGAIN_AFTER
        return first


def _at_rest(turn: Turn) -> bool:
    """Tell whether the answer is whole and nothing else was asked: then it is a good moment."""
    asked = turn.asked is not None or turn.understood.plan.question is not None
    return turn.outcome == "answered" and bool(turn.reply) and not asked and not is_question(turn.reply[-1])


def _told_of_themselves(turn: Turn) -> bool:
    did = [action for action in turn.actions if action.name == "remember_fact" and action.status == "success"]
    return any((action.result or {}).get("own") for action in did)


def _tells(turn: Turn) -> bool:
    """Tell whether it is talk for the language model that would be remembered: no question, and of some words."""
    said = turn.understood.text
    return turn.understood.plan.route == "llm" and len(said.split()) >= TOLD_WORDS and not is_question(said)
