"""Lists of the household and of each person: groceries, tasks, what goes into the suitcase.

A name or an item is the same without regard to accents, case and plural. What is removed stays in the table, with its
moment; what is ticked stays on the list until it is cleared or wanted again. Every function raises LinkDown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from db.database import Queries
from db.text import clipped
from db.words import holds, stems

MOST_NAME = 100
MOST_TEXT = 255
MOST_QUANTITY = 50
MOST_ITEMS = 1000
"""So many of one list are looked at: nobody shops for more."""

LISTS = """
SELECT l.id, l.name, l.user_id, count(i.id) FILTER (WHERE i.ticked_at IS NULL) AS waiting
FROM lists l LEFT JOIN list_items i ON i.list_id = l.id AND i.removed_at IS NULL
WHERE l.user_id IS NULL OR l.user_id = $1 OR $2
GROUP BY l.id ORDER BY l.created_at, l.id
"""
CREATE = "INSERT INTO lists (name, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id"
DELETE = "DELETE FROM lists WHERE id = $1"
# Whoever adds to a list, or takes from it, holds its row meanwhile: of two who add the milk one finds it there.
HOLD = "SELECT id FROM lists WHERE id = $1 FOR UPDATE"
ITEMS = """
SELECT id, text, quantity, added_by, added_at, ticked_at FROM list_items
WHERE list_id = $1 AND removed_at IS NULL ORDER BY ticked_at DESC NULLS FIRST, added_at, id LIMIT $2
"""
ADD = "INSERT INTO list_items (list_id, text, quantity, added_by, added_at) VALUES ($1, $2, $3, $4, $5)"
CHANGE = "UPDATE list_items SET quantity = $2 WHERE id = $1"
TICK = "UPDATE list_items SET ticked_at = $2 WHERE id = ANY ($1) AND removed_at IS NULL"
REMOVE = "UPDATE list_items SET removed_at = $2 WHERE id = ANY ($1) AND removed_at IS NULL"


@dataclass(frozen=True, slots=True)
class Listed:
    """One list; `waiting` counts its items that are not ticked. `user_id` is None for the whole house's."""

    id: UUID
    name: str
    user_id: UUID | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thing to put on a list: `arroz`, and how much of it in the person's own words (`dois quilos`), if said."""

    text: str
    quantity: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A thing on a list. `added_by` is the name of who put it there. Its fields stand as ITEMS returns them."""

    id: UUID
    text: str
    quantity: str | None
    added_by: str | None
    added_at: datetime
    ticked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of things put on a list: new on it, there with another quantity now, or there already."""

    new: tuple[Wanted, ...]
    changed: tuple[Wanted, ...]
    already: tuple[Wanted, ...]


async def all_lists(db: Queries, user_id: UUID | None = None, *, everybodys: bool = False) -> list[Listed]:
    """Return the house's lists and the person's, the oldest first; with `everybodys`, other people's too."""
    return [_listed(row) for row in await db.fetch(LISTS, user_id, everybodys)]


async def find(db: Queries, name: str, user_id: UUID | None = None) -> Listed | None:
    """Return the list of that name: the person's own before the house's."""
    wanted = stems(name)
    found = [each for each in await all_lists(db, user_id) if stems(each.name) == wanted]
    return min(found, key=lambda each: each.user_id is None) if found else None


async def create(db: Queries, name: str, user_id: UUID | None = None) -> Listed:
    """Return the list of that name, whose it is (None: the house's), made if there is none. ValueError: no name."""
    spelt = clipped(" ".join(name.split()), MOST_NAME)
    if not stems(spelt):
        raise ValueError("Como se chama a lista?")
    if (there := _of(await all_lists(db, user_id), spelt, user_id)) is not None:
        return there
    created = await db.fetchval(CREATE, spelt, user_id)
    if created is not None:
        return Listed(created, spelt, user_id, 0)
    # Somebody else made it just now.
    made = _of(await all_lists(db, user_id), spelt, user_id)
    assert made is not None  # noqa: S101 - the name is unique, and was taken
    return made


async def delete(db: Queries, list_id: UUID) -> None:
    """Delete a list and all that is on it."""
    await db.execute(DELETE, list_id)


async def items(db: Queries, list_id: UUID) -> list[Item]:
    """Return what is on a list: what waits in the order it was added, then what is ticked."""
    return [Item(*row) for row in await db.fetch(ITEMS, list_id, MOST_ITEMS)]


async def add(db: Queries, list_id: UUID, wanted: Iterable[Wanted], by: str | None, at: datetime) -> Added:
    """Put things on a list, once each; call it in a transaction. What waits there already only takes a new quantity."""
    await db.fetchval(HOLD, list_id)
    waiting = {stems(item.text): item for item in await items(db, list_id) if item.ticked_at is None}
    new: dict[tuple[str, ...], Wanted] = {}
    changed, already = [], []
    for each in wanted:
        text = clipped(" ".join(each.text.split()), MOST_TEXT)
        thing = Wanted(text, each.quantity and clipped(each.quantity, MOST_QUANTITY))
        there = waiting.get(stems(text))
        if not stems(text):
            continue
        if there is None:
            before = new.get(stems(text), thing)
            new[stems(text)] = Wanted(before.text, thing.quantity or before.quantity)
        elif thing.quantity is not None and thing.quantity != there.quantity:
            await db.execute(CHANGE, there.id, thing.quantity)
            changed.append(Wanted(there.text, thing.quantity))
        else:
            already.append(Wanted(there.text, there.quantity))
    adder = None if by is None else clipped(by, MOST_NAME)
    for place, thing in enumerate(new.values()):
        # In the order they were said.
        await db.execute(ADD, list_id, thing.text, thing.quantity, adder, at + timedelta(microseconds=place))
    return Added(tuple(new.values()), tuple(changed), tuple(already))


async def tick(db: Queries, ids: Sequence[UUID], at: datetime | None) -> None:
    """Mark items as bought or done; with `at` None they wait again."""
    await db.execute(TICK, ids, at)


async def remove(db: Queries, ids: Sequence[UUID], at: datetime) -> None:
    """Take items off their list."""
    await db.execute(REMOVE, ids, at)


def matching(among: Sequence[Item], words: str) -> list[Item]:
    """Return the items that `words` mean: that one thing, else all whose texts hold the words."""
    wanted = stems(words)
    exact = [item for item in among if stems(item.text) == wanted]
    return exact or [item for item in among if wanted and holds(item.text, wanted)]


def _listed(row: asyncpg.Record) -> Listed:
    return Listed(*row)


def _of(among: Iterable[Listed], name: str, user_id: UUID | None) -> Listed | None:
    wanted = stems(name)
    return next((each for each in among if stems(each.name) == wanted and each.user_id == user_id), None)
