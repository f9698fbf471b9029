"""Names and rooms by voice: "chama essa lâmpada de abajur". What a person sets wins over what devices announce."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from daemon.errors import CannotDo, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent, Thing
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.skills.orders import targets
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill
from db import devices
from db.audit import Acting
from db.database import Database
from db.devices import BadName, NoSuchEntity

Change = Callable[[Acting, Thing, Intent, Context], Awaitable[str]]
"""Changes what is set of a thing, and returns what to say. Raises CannotDo, AsksBack, LinkDown."""


@dataclass(frozen=True, slots=True)
class NamingSkills:
    """The naming skills over one database; the running house follows its rows within a second."""

    db: Database
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            "RenameDevice": self._skill("rename", self.rename),
            "AliasDevice": self._skill("alias", self.alias),
            "MoveDevice": self._skill("move", self.move, self._ask_for_room),
            "HideDevice": self._skill("hide", self.hide),
            "FavouriteDevice": self._skill("favourite", self.favourite),
            "GuardDevice": self._skill("guard", self.guard, self._ask_to_unguard),
        }

    def _skill(self, name: str, change: Change, ask: Callable[[Thing, Intent, Context], None] | None = None) -> Skill:
        def actions(intent: Intent, context: Context) -> tuple[Action, ...]:
            thing = self._thing(intent, context)
            if ask is not None and CONFIRMED not in intent.slots:
                ask(thing, intent, context)
            return (Action("household", name, {"entity_id": thing.id, **intent.slots}),)

        async def act(intent: Intent, _: Sequence[Action], context: Context) -> Carried:
            thing = self._thing(intent, context)
            try:
                said = await change(Acting(self.db, context.who, context.channel), thing, intent, context)
            except (BadName, NoSuchEntity) as wrong:
                raise CannotDo(str(wrong)) from wrong
            return Carried(said, (Done(ok=True, result={"entity_id": thing.id}),))

        return Skill(actions, act)

    def _thing(self, intent: Intent, context: Context) -> Thing:
        """Return the one thing that is meant. Raises CannotDo, and Refused for what is no person."""
        if not context.trusted:
            raise Refused(self.replies.say("routine.not_over_mqtt", seed=context.seed))
        things = targets(intent, context)
        if not things:
            raise CannotDo(self.replies.say("devices.none_found", seed=context.seed))
        if len(things) > 1:
            raise CannotDo(self.replies.say("naming.one_only"))
        return things[0]

    async def rename(self, acting: Acting, thing: Thing, intent: Intent, context: Context) -> str:
        """Give a thing another name; one that another thing of its room bears is refused."""
        name = self._name(intent)
        self._refuse_taken(name, thing, context)
        await devices.rename(acting, thing.id, name)
        return self.replies.say("naming.renamed", name=thing.name, new=name)

    async def alias(self, acting: Acting, thing: Thing, intent: Intent, context: Context) -> str:
        """Give a thing one more name."""
        name = self._name(intent)
        self._refuse_taken(name, thing, context)
        await devices.alias(acting, thing.id, name)
        return self.replies.say("naming.aliased", name=thing.name, new=name)

    async def move(self, acting: Acting, thing: Thing, intent: Intent, context: Context) -> str:
        """Put a thing into another room; one that nobody knows is made after a yes."""
        wanted = self._name(intent)
        room = _room(wanted, context)
        if room is not None and room == thing.area:
            return self.replies.say("naming.there_already", name=thing.name, room=self.replies.at(room))
        room = await devices.move(acting, thing.id, room or wanted) or wanted
        return self.replies.say("naming.moved", name=thing.name, room=self.replies.at(room))

    async def hide(self, acting: Acting, thing: Thing, _: Intent, __: Context) -> str:
        """Hide a thing; only the command line can show it again, since nobody can name it then."""
        await devices.hide(acting, thing.id)
        return self.replies.say("naming.hidden", name=thing.name, entity=thing.id)

    async def favourite(self, acting: Acting, thing: Thing, intent: Intent, _: Context) -> str:
        """Mark a thing as a favourite, or not."""
        on = intent.slots.get("favourite") is True
        await devices.favourite(acting, thing.id, on=on)
        return self.replies.say("naming.favourite" if on else "naming.no_favourite", name=thing.name)

    async def guard(self, acting: Acting, thing: Thing, intent: Intent, _: Context) -> str:
        """Have a thing need a spoken yes; to take that away needs one itself."""
        on = intent.slots.get("guarded") is True
        await devices.guard(acting, thing.id, guarded=on)
        return self.replies.say("naming.guarded" if on else "naming.unguarded", name=thing.name)

    def _ask_for_room(self, _: Thing, intent: Intent, context: Context) -> None:
        wanted = str(intent.slots.get("name") or "")
        if _room(wanted, context) is None:
            raise AsksBack(self.replies.say("naming.new_room", room=wanted), intent, CONFIRMED)

    def _ask_to_unguard(self, thing: Thing, intent: Intent, _: Context) -> None:
        if intent.slots.get("guarded") is not True:
            raise AsksBack(self.replies.say("naming.unguard", name=thing.name), intent, CONFIRMED)

    def _name(self, intent: Intent) -> str:
        return devices.good_name(str(intent.slots.get("name") or "").strip(" .,;:!?\"'“”"))

    def _refuse_taken(self, name: str, thing: Thing, context: Context) -> None:
        """Raise CannotDo where two things of one room would be called alike: nobody could tell them apart."""
        for other in context.household.things:
            taken = fold(name) in {fold(word) for word in (other.name, *other.aliases)}
            if other.id != thing.id and other.area == thing.area and taken:
                raise CannotDo(self.replies.say("naming.taken", name=other.name))


def _room(said: str, context: Context) -> str | None:
    """Return the room of the house that is called so, or None."""
    called = {fold(word): area.name for area in context.household.areas for word in (*area.aliases, area.name)}
    return called.get(fold(said))
