"""Devices as the household arranges them: names, aliases, rooms, marks, and entities declared by hand.

What is set here wins over what devices announce, for ever. Each function takes a Database, a connection, or
`db.audit.Acting`, which writes down who did it; the running daemon is notified and follows within a second. Each
raises LinkDown, NoSuchEntity or BadName (their text is Portuguese, fit to be said or printed).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from db.database import Queries
from db.errors import MordomoError

MOST_NAME = 100
MOST_ALIASES = 20
MOST_LISTED = 20_000


class NoSuchEntity(MordomoError):  # noqa: N818 - a state, as the rest of the tree
    """No row of `entities` has this id."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(f"Não conheço nenhum aparelho {entity_id}. Veja os que há com: mordomo devices list")


class BadName(MordomoError):  # noqa: N818
    """A name that is empty, or too long."""

    def __init__(self, name: str) -> None:
        why = f"tem mais de {MOST_NAME} letras" if name.strip() else "está vazio"
        super().__init__(f"Esse nome não serve: {why}.")


class BadEntityId(MordomoError):  # noqa: N818
    """An id that is not `component.name`."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(
            f"“{entity_id[:80]}” não serve como identificador. Use tipo, ponto e um nome curto: light.varanda."
        )


class AlreadyAnnounced(MordomoError):  # noqa: N818
    """A device announces an entity of this id by itself."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(
            f"{entity_id} já se anuncia sozinho pelo broker, e não precisa ser declarado. Escolha outro identificador."
        )


@dataclass(frozen=True, slots=True)
class EntityRow:
    """An entity with its device and room. `name` is what it goes by, `announced` what it calls itself.

    `area` is the one set by hand, of the entity or else of its device; `suggested_area` what the device says.
    """

    entity_id: str
    component: str
    name: str | None
    announced: str | None
    device_class: str | None
    unit: str | None
    category: str | None
    given_name: str | None
    aliases: list[str]
    area: str | None
    suggested_area: str | None
    hidden: bool
    favourite: bool
    guarded: bool | None
    declared: dict[str, Any] | None
    fault: str | None
    state: str | None
    attributes: dict[str, Any]
    available: bool | None
    changed_at: datetime | None
    cause: str | None
    device: str | None
    device_identifier: str | None
    maker: str | None
    model: str | None
    origin: str | None
    source: str
    first_seen_at: datetime
    last_seen_at: datetime
    removed_at: datetime | None


LIST = """
SELECT e.entity_id, e.component, COALESCE(e.given_name, e.name, e.declared ->> 'name', d.name) AS name,
    e.name AS announced, e.device_class, e.unit, e.category, e.given_name, e.aliases,
    COALESCE(own.name, of_device.name) AS area, d.suggested_area, e.hidden, e.favourite, e.guarded, e.declared, e.fault,
    e.state, e.attributes, e.available, e.changed_at, e.cause, d.name AS device, d.identifier AS device_identifier,
    d.maker, d.model, d.origin, e.source, e.first_seen_at, e.last_seen_at, e.removed_at
FROM entities AS e LEFT JOIN devices AS d ON d.id = e.device_id
    LEFT JOIN areas AS own ON own.id = e.area_id LEFT JOIN areas AS of_device ON of_device.id = d.area_id
WHERE ($1::text IS NULL OR e.entity_id = $1) AND (e.removed_at IS NULL OR $2)
ORDER BY COALESCE(own.name, of_device.name, d.suggested_area) NULLS LAST, e.component, e.entity_id LIMIT $3
"""

OTHERS = "array(SELECT a FROM unnest(aliases) AS a WHERE lower(a) <> lower($2::text))"
# The room is made by the first move to it; one that goes by this name already keeps its spelling.
AREA = """
WITH known AS (
    SELECT id, name FROM areas
    WHERE lower(name) = lower($1) OR EXISTS (SELECT FROM unnest(aliases) AS alias WHERE lower(alias) = lower($1))
    ORDER BY lower(name) = lower($1) DESC LIMIT 1
), made AS (
    INSERT INTO areas (name) SELECT $1 WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (lower(name)) DO UPDATE SET name = areas.name RETURNING id, name
)
SELECT id, name FROM known UNION ALL SELECT id, name FROM made
"""


@dataclass(frozen=True, slots=True)
class MarkedEntity:
    """What was set by hand of one entity; `area` is a room's name."""

    entity_id: str
    given_name: str | None
    aliases: list[str]
    area: str | None
    hidden: bool
    favourite: bool
    guarded: bool | None
    declared: dict[str, Any] | None


async def marked(db: Queries) -> list[MarkedEntity]:
    """Return all entities of which something was set by hand. Raises LinkDown."""
    rows = await db.fetch(
        "SELECT entity_id, given_name, e.aliases, a.name AS area, hidden, favourite, guarded, declared"
        " FROM entities AS e LEFT JOIN areas AS a ON a.id = e.area_id"
        " WHERE declared IS NOT NULL OR given_name IS NOT NULL OR area_id IS NOT NULL OR hidden OR favourite"
        " OR guarded IS NOT NULL OR e.aliases <> '{}' ORDER BY e.first_seen_at, entity_id LIMIT $1",
        MOST_LISTED,
    )
    return [MarkedEntity(**dict(row)) for row in rows]


async def listed(db: Queries, *, removed: bool = False) -> list[EntityRow]:
    """Return every entity, by room; with `removed`, those too that are announced no more. Raises LinkDown."""
    return [EntityRow(**dict(row)) for row in await db.fetch(LIST, None, removed, MOST_LISTED)]


async def one(db: Queries, entity_id: str) -> EntityRow:
    """Return an entity, one that was removed too."""
    row = await db.fetchrow(LIST, entity_id, True, 1)
    if row is None:
        raise NoSuchEntity(entity_id)
    return EntityRow(**dict(row))


async def rename(db: Queries, entity_id: str, name: str | None) -> str | None:
    """Give an entity a name, or with None its announced one again; return the given name that it had."""
    before = await db.fetchrow(
        "WITH before AS (SELECT id, given_name FROM entities WHERE entity_id = $1 FOR UPDATE)"
        " UPDATE entities AS e SET given_name = $2 FROM before WHERE e.id = before.id RETURNING before.given_name",
        entity_id,
        None if name is None else good_name(name),
    )
    if before is None:
        raise NoSuchEntity(entity_id)
    given: str | None = before[0]
    return given


async def alias(db: Queries, entity_id: str, name: str) -> None:
    """Add a name that an entity is called by as well. The oldest of MOST_ALIASES gives way."""
    await _set(
        db,
        entity_id,
        f"aliases = ({OTHERS} || $2::text)[greatest(1, cardinality({OTHERS}) + 2 - {MOST_ALIASES}):]",
        good_name(name),
    )


async def unalias(db: Queries, entity_id: str, name: str) -> None:
    """Take a name away that was added; it is no error if it has none such."""
    await _set(
        db,
        entity_id,
        f"aliases = {OTHERS}",
        good_name(name),
    )


async def move(db: Queries, entity_id: str, area: str | None, *, whole_device: bool = False) -> str | None:
    """Put an entity, or the `whole_device` that it is of, into a room, which is made where it is none yet.

    Returns the room's name as it is spelt. None puts it back where it says itself.
    """
    room = None if area is None else await db.fetchrow(AREA, good_name(area))
    where = room["id"] if room else None
    if whole_device:
        changed = await db.execute(
            "UPDATE devices SET area_id = $2 WHERE id = (SELECT device_id FROM entities WHERE entity_id = $1)",
            entity_id,
            where,
        )
        if changed == "UPDATE 0":
            raise NoSuchEntity(entity_id)
        # Its parts go along, those too that had been put elsewhere by themselves.
        await db.execute(
            "UPDATE entities SET area_id = NULL WHERE area_id IS NOT NULL"
            " AND device_id = (SELECT device_id FROM entities WHERE entity_id = $1)",
            entity_id,
        )
    else:
        await _set(db, entity_id, "area_id = $2::uuid", where)
    return room["name"] if room else None


async def hide(db: Queries, entity_id: str, *, hidden: bool = True) -> None:
    """Have nobody name an entity, nor "all the lights" mean it; or have it back."""
    await _set(db, entity_id, "hidden = $2::boolean", hidden)


async def favourite(db: Queries, entity_id: str, *, on: bool = True) -> None:
    """Mark an entity as a favourite, or not."""
    await _set(db, entity_id, "favourite = $2::boolean", on)


async def guard(db: Queries, entity_id: str, *, guarded: bool | None) -> None:
    """Have commands to an entity need a spoken yes, or not; None lets its kind decide."""
    await _set(db, entity_id, "guarded = $2::boolean", guarded)


async def declare(db: Queries, entity_id: str, payload: Mapping[str, Any]) -> None:
    """Make an entity known that announces nothing: `payload` is what its discovery would say (topics, payloads).

    One that was declared before is replaced. Raises BadName for an id that is not `component.name`, and
    AlreadyAnnounced where a device has it.
    """
    if entity_id.count(".") != 1 or not all(entity_id.split(".")):
        raise BadEntityId(entity_id)
    try:
        tag = await db.execute(
            "INSERT INTO entities (entity_id, declared, source) VALUES ($1::text, $2, 'hand:' || $1::text)"
            " ON CONFLICT (entity_id) DO UPDATE SET declared = EXCLUDED.declared, removed_at = NULL, fault = NULL"
            " WHERE entities.declared IS NOT NULL OR entities.removed_at IS NOT NULL",
            entity_id,
            dict(payload),
        )
    except asyncpg.StringDataRightTruncationError:
        raise BadEntityId(entity_id) from None
    if tag.endswith(" 0"):
        raise AlreadyAnnounced(entity_id)


async def remove(db: Queries, entity_id: str) -> None:
    """Forget an entity and all that was set of it. One that is still announced comes back as new."""
    if await db.execute("DELETE FROM entities WHERE entity_id = $1", entity_id) == "DELETE 0":
        raise NoSuchEntity(entity_id)


def good_name(name: str) -> str:
    """Return a name on one line. Raises BadName."""
    tidy = " ".join(name.split())
    if not 0 < len(tidy) <= MOST_NAME:
        raise BadName(name)
    return tidy


async def _set(db: Queries, entity_id: str, assignment: str, value: object) -> None:
    """Run an assignment of this file's own, with `value` as $2, on one entity."""
    tag = await db.execute(f"UPDATE entities SET {assignment} WHERE entity_id = $1", entity_id, value)  # noqa: S608
    if tag == "UPDATE 0":
        raise NoSuchEntity(entity_id)
