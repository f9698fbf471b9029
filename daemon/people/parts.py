"""The parts of this folder put together: who lives here, what they may, and the leave they ask of each other."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from config.preferences import PEOPLE_APPROVAL_S, Preferences
from daemon.butler import Butler
from daemon.clock import Clock
from daemon.errors import CannotDo
from daemon.language.plan import Household, Plan
from daemon.language.replies import Replies
from daemon.people.approvals import Approvals
from daemon.people.carrying import GrantedCommands
from daemon.people.living import Living
from daemon.people.permissions import Permissions
from daemon.people.person import HOUSE
from daemon.people.privacy.asking import AsksConsent
from daemon.skills.approvals import Answer
from daemon.skills.skill import Context
from daemon.supervise import Service
from daemon.voice import Voice
from db import approvals as rows
from db.approvals import ApprovalRow
from db.database import Database
from db.listen import notifications

HERE = "esta máquina"


@dataclass(frozen=True, slots=True)
class People:
    """Who lives here, the permissions, the approvals, and what is asked of people by itself."""

    living: Living
    permissions: Permissions
    approvals: Approvals
    consents: AsksConsent
    db: Database

    @staticmethod
    def of(
        db: Database,
        clock: Clock,
        replies: Replies,
        *,
        prefs: Callable[[], Preferences],
        household: Callable[[], Household],
        announce: Callable[[str], None],
        understand: Callable[[str, Context], Plan],
    ) -> "People":
        """Build them; `use` gives hands once there is a butler. `announce` speaks into the house."""

        def listen() -> AsyncIterator[object]:
            return notifications(db.direct_url, [rows.CHANNEL])

        living = Living(db, prefs)
        permissions = Permissions(living, replies, understand)
        approvals = Approvals(
            db, clock, replies, permissions, household, lambda: prefs()[PEOPLE_APPROVAL_S],
            lambda said, _room: announce(said), listen,
        )  # fmt: skip
        permissions.ask = approvals.ask
        return People(living, permissions, approvals, AsksConsent(db, replies, permissions, prefs), db)

    def use(self, butler: Butler, voice: Voice, announce: Callable[[str], None]) -> None:
        """Take what carries out what is granted."""
        self.approvals.hands = GrantedCommands(butler, voice, announce)

    def services(self) -> tuple[Service, ...]:
        """Return what follows the tables."""
        return (self.living, self.approvals)

    async def requests(self, limit: int = 50) -> list[ApprovalRow]:
        """Return the newest requests, the newest first. Raises LinkDown."""
        return await rows.recent(self.db, limit)

    async def answer_here(self, approval: UUID, name: str | None, *, granted: bool) -> str:
        """Record an answer given at this machine, by somebody who lives here (None: nobody says who).

        Whoever sits here may what `people.local_role` may; a name is written down, and must be of one who may as well.
        Raises CannotDo, Refused, LinkDown.
        """
        here = self.living.who(None, HOUSE, "text")
        found = next((one for one in self.living.people() if name and _same(str(one.name), name)), None)
        if name and found is None:
            raise CannotDo(f"Não conheço ninguém chamado {name.strip()} nesta casa.")
        by = str(found.name) if found else HERE
        person = here if found is None else replace(found, role=here.role)
        if found is not None:
            await self.approvals.check_answer(approval, found, granted=granted)
        return await self.approvals.answer(approval, Answer(granted, person, by, "web"))


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
