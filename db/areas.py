"""The rooms of the house, as the household calls them."""

from dataclasses import dataclass

import asyncpg

from db.database import Queries
from db.devices import good_name
from db.errors import MordomoError

MOST_AREAS = 1000


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A room, what else it is called, and its floor."""

    name: str
    aliases: list[str]
    floor: str | None


class NoSuchArea(MordomoError):  # noqa: N818 - a state, as the rest of the tree
    """No room goes by this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Não há nenhum cômodo “{name[:80]}”. Ele se cria ao mover um aparelho para lá.")


class AreaTaken(MordomoError):  # noqa: N818
    """Another room goes by this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Já há um cômodo “{name[:80]}”. Escolha outro nome.")


async def areas(db: Queries) -> list[AreaRow]:
    """Return the rooms that were made by hand, by name. Raises LinkDown."""
    rows = await db.fetch("SELECT name, aliases, floor FROM areas ORDER BY name LIMIT $1", MOST_AREAS)
    return [AreaRow(**dict(row)) for row in rows]


async def device_areas(db: Queries) -> dict[str, str]:
    """Return the rooms of devices that were moved as a whole, by the device's identifier. Raises LinkDown."""
    rows = await db.fetch("SELECT identifier, areas.name FROM devices JOIN areas ON areas.id = area_id")
    return {row[0]: row[1] for row in rows}


async def rename_area(db: Queries, name: str, new: str) -> None:
    """Call a room otherwise; its old name goes on being understood. Raises NoSuchArea, AreaTaken, BadName, LinkDown."""
    await _set(db, name, "name = $2::text", good_name(new), taken=new)


async def alias_area(db: Queries, name: str, alias: str) -> None:
    """Add a name that a room is called by as well. Raises NoSuchArea, BadName, LinkDown."""
    others = "array(SELECT a FROM unnest(aliases) AS a WHERE lower(a) <> lower($2::text))"
    await _set(db, name, f"aliases = ({others}) || $2::text", good_name(alias))


async def put_on_floor(db: Queries, name: str, floor: str | None) -> None:
    """Say on which floor a room is; None where there is but one. Raises NoSuchArea, BadName, LinkDown."""
    await _set(db, name, "floor = $2::text", None if floor is None else good_name(floor))


async def _set(db: Queries, name: str, assignment: str, value: object, *, taken: str = "") -> None:
    """Run an assignment of this file's own on a room; one that only devices suggest becomes the household's by it."""
    update = f"UPDATE areas SET {assignment} WHERE lower(name) = lower($1)"  # noqa: S608
    try:
        if await db.execute(update, name, value) != "UPDATE 0":
            return
        suggested = await db.execute(
            "INSERT INTO areas (name) SELECT suggested_area FROM devices"
            " WHERE lower(suggested_area) = lower($1) AND removed_at IS NULL LIMIT 1",
            name,
        )
        if suggested == "INSERT 0 0":
            raise NoSuchArea(name)
        await db.execute(update, name, value)
    except asyncpg.UniqueViolationError:
        raise AreaTaken(taken) from None
