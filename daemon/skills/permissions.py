"""Permissions by voice: "a Ana pode abrir o portão", for an administrator, and after a yes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.errors import CannotDo
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill
from db import permissions
from db.audit import Acting
from db.database import Database
from db.permissions import PermissionRow


class Told(Protocol):
    """A rule as it was said, and in words."""

    @property
    def rule(self) -> PermissionRow:
        """The rule."""
        ...

    @property
    def words(self) -> str:
        """The rule as a sentence: `Ana pode abrir o portão`."""
        ...

    @property
    def now(self) -> str:
        """What holds at this moment, as a sentence."""
        ...


Read = Callable[[str, Context], Told | None]
"""Reads a rule from a sentence; None where it tells none."""


@dataclass(frozen=True, slots=True)
class PermissionSkills:
    """The skill that changes who may do what. It takes the whole sentence: no part of it is to be done now."""

    db: Database
    replies: Replies
    read: Read

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {"SetPermission": Skill(self.actions, self.act, whole=True)}

    def actions(self, intent: Intent, context: Context) -> tuple[Action, ...]:
        """Return the one action, after a yes. Raises CannotDo for what tells no rule, or only asks; AsksBack."""
        told = self._told(intent, context)
        if context.text.rstrip().endswith("?"):
            raise CannotDo(self.replies.say("permission.now", rule=told.now))
        if CONFIRMED not in intent.slots:
            raise AsksBack(self.replies.say("permission.sure", rule=told.words), intent, CONFIRMED)
        return (Action("household", "set_permission", {"rule": told.words}),)

    async def act(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Store the rule."""
        told = self._told(intent, context)
        stored = await permissions.put(Acting(self.db, context.who, context.channel), told.rule, context.who)
        return Carried(
            self.replies.say("permission.set", rule=told.words), (Done(ok=True, result={"id": str(stored)}),)
        )

    def _told(self, intent: Intent, context: Context) -> Told:
        told = self.read(str(intent.slots.get("text") or context.text), context)
        if told is None:
            raise CannotDo(self.replies.say("permission.how"))
        return told
