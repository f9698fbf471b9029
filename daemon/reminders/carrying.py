"""Scheduled commands, carried out by the same skills and into the same ledger as what somebody says."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

import structlog

from daemon.butler import Butler, Place
from daemon.language.plan import Plan
from daemon.people.person import HOUSE, ROLES, Person, Role
from daemon.skills.later import AUTHORITY, PUTS_BACK, as_intent
from daemon.turn import Understood
from db.reminders import Due

log = structlog.get_logger(__name__)

SOURCE = "schedule"


class ScheduledCommands:
    """The Hands of the due loop. What went well is not talked about; anything else is told with `tell`."""

    def __init__(self, butler: Butler, tell: Callable[[str], None]) -> None:
        self._butler = butler
        self._tell = tell

    async def carry_out(self, due: Due) -> None:
        """Take a turn on the intents that were stored."""
        intents = tuple(as_intent(each) for each in due.plan or ())
        if not intents:
            log.error("command_without_plan", reminder=str(due.id))
            return
        plan = Plan("skill", intents, 1.0)
        place = Place(SOURCE, due.area, None, _asker(due), _authority(due))
        turn = await self._butler.answer(Understood(due.title, plan), place)
        went_well = turn.outcome == "answered" and turn.asked is None
        if not went_well or any(action.status != "success" for action in turn.actions) or not turn.actions:
            self._tell(" ".join(turn.reply))


def _asker(due: Due) -> Person:
    return Person(due.user_id, due.created_by, _authority(due).role)


def _authority(due: Due) -> Person:
    """Return by whose leave it is done: that of who asked then, as what they are today; the house's own to put back."""
    told = due.metadata.get(AUTHORITY)
    if PUTS_BACK in due.metadata or not isinstance(told, dict) or told.get("role") not in ROLES:
        return HOUSE
    user_id = told.get("user_id")
    whose = UUID(user_id) if isinstance(user_id, str) else None
    return Person(whose, None, cast("Role", told["role"]), trusted=told.get("trusted", True) is True)
