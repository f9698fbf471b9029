"""Scheduled commands, carried out by the same skills and into the same ledger as what somebody says."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from daemon.butler import Butler, Place
from daemon.language.plan import Intent, Plan
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
        intents = tuple(_intent(each) for each in due.plan or ())
        if not intents:
            log.error("command_without_plan", reminder=str(due.id))
            return
        plan = Plan("skill", intents, 1.0)
        turn = await self._butler.answer(Understood(due.title, plan), Place(SOURCE, due.area, None))
        went_well = turn.outcome == "answered" and turn.asked is None
        if not went_well or any(action.status != "success" for action in turn.actions) or not turn.actions:
            self._tell(" ".join(turn.reply))


def _intent(wire: Mapping[str, Any]) -> Intent:
    return Intent(str(wire["intent"]), tuple(wire.get("targets") or ()), dict(wire.get("slots") or {}))
