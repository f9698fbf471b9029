"""What was granted, carried out by the same skills and into the same ledger as what somebody says."""

from collections.abc import Callable, Sequence

from daemon.butler import Butler, Place
from daemon.errors import CannotDo
from daemon.language.plan import Intent, Plan
from daemon.people.person import Person
from daemon.turn import Understood
from daemon.voice import Voice
from db.approvals import ApprovalRow

SOURCE = "approval"
WRITTEN = frozenset({"text", "mqtt"})
"""Sources that are answered in writing."""


class GrantedCommands:
    """The Hands of the approvals. `voice` answers who asked aloud; who asked in writing is told with `tell`."""

    def __init__(self, butler: Butler, voice: Voice, tell: Callable[[str], None]) -> None:
        self._butler = butler
        self._voice = voice
        self._tell = tell

    async def carry_out(self, approval: ApprovalRow, intents: Sequence[Intent], asker: Person, approver: Person) -> str:
        """Take a turn on the intents, as who asked, by leave of who granted. Raises CannotDo where it went wrong."""
        voice = None if approval.source in WRITTEN else self._voice
        place = Place(SOURCE, approval.area, voice, asker, approver)
        turn = await self._butler.answer(Understood(approval.words, Plan("skill", tuple(intents), 1.0)), place)
        said = " ".join(turn.reply)
        if voice is None:
            self._tell(said)
        went_well = turn.outcome in {"answered", "interrupted", "unspoken"} and turn.asked is None
        if not went_well or not turn.actions or any(action.status != "success" for action in turn.actions):
            raise CannotDo(said)
        return said
