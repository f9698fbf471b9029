"""List skills: put on, tick, take off, read and clear. What is said to be on a list is committed."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from uuid import UUID

from daemon.errors import CannotDo
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.language.words import plain_words
from daemon.skills.quantities import spoken, wanted
from daemon.skills.saying import counted, listed
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import lists
from db.audit import Acting, acting_as
from db.database import Database
from db.lists import Item, Listed, Wanted

SHOPPING, TASKS = "compras", "tarefas"
ALSO_CALLED = {
    "compra": SHOPPING, "mercado": SHOPPING, "supermercado": SHOPPING, "feira": SHOPPING, "": SHOPPING,
    "afazeres": TASKS, "pendencias": TASKS, "tarefa": TASKS,
}  # fmt: skip
READ_OUT = 12
"""So many items are read out; of more, only how many."""
CLEARED_UNASKED = 3
"""A list of more items is cleared after a yes only: it is a quarter of an hour's work to write again."""

Act = Callable[[Intent, Sequence[Action], Context], Awaitable[Carried]]


@dataclass(frozen=True, slots=True)
class ListSkills:
    """The list skills over one database."""

    db: Database
    replies: Replies

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""

        def changing(name: str, act: Act) -> Skill:
            return Skill(asking(name, "reminder"), act)

        add, tick, remove = (changing(f"list_{name}", act) for name, act in
                             (("add", self.add), ("tick", self.tick), ("remove", self.remove)))  # fmt: skip
        read, clear = Skill(asking("list_read"), self.read), changing("list_clear", self.clear)
        return {
            "HassShoppingListAddItem": add,
            "HassListAddItem": add,
            "HassShoppingListCompleteItem": tick,
            "HassListCompleteItem": tick,
            "HassListRemoveItem": remove,
            "ShoppingListGetItems": read,
            "ListGetItems": read,
            "ShoppingListClear": clear,
            "ListClear": clear,
            "ListCreate": changing("list_create", self.create),
            "ListDelete": changing("list_delete", self.delete),
            "ListNames": Skill(asking("list_names"), self.names),
        }

    async def add(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Put one thing or several on a list, which it makes where there is none of that name."""
        things = [wanted(each) for each in _items(intent)]
        if not things:
            raise AsksBack(self.replies.say("list.what", name=_name(intent)), intent, "item")
        async with acting_as(self.db, context.who, context.channel) as connection:
            theirs = await lists.create(connection, _name(intent), _whose(intent, context))
            added = await lists.add(connection, theirs.id, things, context.person, context.now.astimezone(UTC))
        said = []
        if added.new:
            said.append(self._say("added", context, theirs.name, items=_spoken(added.new)))
        if added.changed:
            said.append(self._say("changed", context, theirs.name, items=_spoken(added.changed)))
        if added.already:
            many = len(added.already) > 1
            said.append(self._say("already_several" if many else "already", context, theirs.name,
                                  items=_spoken(added.already)))  # fmt: skip
        return _carried(" ".join(said), list=theirs.name, added=[each.text for each in added.new])

    async def tick(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Mark things as bought or done."""
        return await self._each("ticked", intent, context)

    async def remove(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Take things off a list."""
        return await self._each("removed", intent, context)

    async def read(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Read out what waits on a list."""
        theirs = await self._list(intent, context)
        waiting = [item for item in await lists.items(self.db, theirs.id) if item.ticked_at is None]
        told = _spoken([Wanted(item.text, item.quantity) for item in waiting[:READ_OUT]])
        said = counted(self.replies, "list.read", len(waiting), feminine=True, name=theirs.name, items=told)
        if len(waiting) > READ_OUT:
            said += " " + counted(self.replies, "list.more", len(waiting) - READ_OUT, feminine=True)
        return _carried(said, list=theirs.name, items=[item.text for item in waiting])

    async def clear(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Take everything off a list; asks first where that is much."""
        theirs = await self._list(intent, context)
        self._sure("clear_sure", intent, theirs)
        there = await lists.items(self.db, theirs.id)
        await lists.remove(self._acting(context), [item.id for item in there], context.now.astimezone(UTC))
        said = self._say("cleared" if there else "read.none", context, theirs.name)
        return _carried(said, list=theirs.name, removed=len(there))

    async def create(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Make an empty list."""
        there = await lists.find(self.db, _name(intent), _whose(intent, context))
        if there is not None:
            return _carried(self._say("exists", context, there.name), list=there.name)
        made = await lists.create(self._acting(context), _name(intent), _whose(intent, context))
        return _carried(self._say("created", context, made.name), list=made.name)

    async def delete(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Delete a list with all that is on it; asks first where that is much."""
        theirs = await self._list(intent, context)
        self._sure("delete_sure", intent, theirs)
        await lists.delete(self._acting(context), theirs.id)
        return _carried(self._say("deleted", context, theirs.name), list=theirs.name)

    async def names(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Tell which lists there are."""
        found = [each.name for each in await lists.all_lists(self.db, context.user_id)]
        said = counted(self.replies, "list.names", len(found), feminine=True, names=listed(found))
        return _carried(said, lists=found)

    async def _each(self, done: str, intent: Intent, context: Context) -> Carried:
        """Tick or remove the things named; what is not there is told, and of several that fit it asks which."""
        theirs = await self._list(intent, context)
        waiting = await lists.items(self.db, theirs.id)
        if done == "ticked":
            waiting = [item for item in waiting if item.ticked_at is None]
        meant, missing = self._meant(intent, waiting, theirs)
        ids, at = [item.id for item in meant], context.now.astimezone(UTC)
        if done == "ticked":
            await lists.tick(self._acting(context), ids, at)
        else:
            await lists.remove(self._acting(context), ids, at)
        said = []
        if meant:
            said.append(self._say(done, context, theirs.name, items=listed([item.text for item in meant])))
        if missing:
            said.append(self._say("not_there", context, theirs.name, items=listed(missing, "nem")))
        done_so = Done(ok=bool(meant), result={"list": theirs.name, "items": [item.text for item in meant]},
                       error=None if meant else said[0])  # fmt: skip
        return Carried(" ".join(said), (done_so,))

    def _meant(self, intent: Intent, waiting: Sequence[Item], theirs: Listed) -> tuple[list[Item], list[str]]:
        meant: list[Item] = []
        missing: list[str] = []
        named = [wanted(each).text for each in _items(intent)]
        if not named:
            raise AsksBack(self.replies.say("list.what", name=theirs.name), intent, "item")
        for name in named:
            found = lists.matching(waiting, name)
            if len(found) > 1 and len(named) == 1:
                which = listed([item.text for item in found[:4]], "ou")
                alone = replace(intent, slots={**intent.slots, "items": None})
                raise AsksBack(self.replies.say("list.which", items=which), alone, "item")
            meant += found[:1]
            missing += [] if found else [name]
        return meant, missing

    async def _list(self, intent: Intent, context: Context) -> Listed:
        """Return the list that is meant. Raises CannotDo where there is none; the groceries are never missing."""
        name = _name(intent)
        found = await lists.find(self.db, name, context.user_id)
        if found is not None:
            return found
        if name == SHOPPING:
            return await lists.create(self._acting(context), SHOPPING)
        raise CannotDo(self.replies.say("list.unknown", name=name))

    def _sure(self, key: str, intent: Intent, theirs: Listed) -> None:
        if theirs.waiting > CLEARED_UNASKED and CONFIRMED not in intent.slots:
            asked = counted(self.replies, f"list.{key}", theirs.waiting, feminine=True, name=theirs.name)
            raise AsksBack(asked, intent, CONFIRMED)

    def _say(self, key: str, context: Context, name: str, **slots: object) -> str:
        return self.replies.say(f"list.{key}", seed=context.seed, name=name, **slots)

    def _acting(self, context: Context) -> Acting:
        return Acting(self.db, context.who, context.channel)


def _items(intent: Intent) -> list[str]:
    several = intent.slots.get("items")
    if isinstance(several, Sequence) and not isinstance(several, str) and several:
        return [each.strip() for each in several if each.strip()]
    # Said in answer to "o que?", several come in one piece.
    return [
        each.strip() for each in re.split(r",\s*(?:e\s)?|\se\s", str(intent.slots.get("item") or "")) if each.strip()
    ]


def _name(intent: Intent) -> str:
    """Return the list's name without "lista de"; unnamed, and by the market's names, it is the groceries."""
    said = str(intent.slots.get("name") or "")
    plain = list(plain_words(said))
    drop = 1 if plain[:1] and plain[0] in {"lista", "listinha"} else 0
    drop += plain[drop : drop + 1] != [] and plain[drop] in {"de", "do", "da", "dos", "das", "pra", "para", "chamada"}
    named = " ".join(said.split()[drop:])
    return ALSO_CALLED.get(" ".join(plain[drop:]), named)


def _whose(intent: Intent, context: Context) -> UUID | None:
    return context.user_id if intent.slots.get("mine") else None


def _spoken(things: Sequence[Wanted]) -> str:
    return listed([spoken(thing) for thing in things])


def _carried(say: str, **result: Any) -> Carried:
    return Carried(say, (Done(ok=True, result=result),))
