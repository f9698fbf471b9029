"""The people of the household, by name."""

import asyncio

import pytest

from db.database import Database, Unstorable
from db.users import all_names, named


async def test_a_name_is_one_person_however_it_is_written(db: Database) -> None:
    joao = await named(db, "João Pedro")
    assert [await named(db, name) for name in ("joão pedro", "  JOÃO   PEDRO ", "joa\u0303o pedro")] == [joao] * 3
    assert await named(db, "Joana") != joao
    assert await all_names(db) == ["João Pedro", "Joana"]


async def test_rooms_that_hear_a_new_name_at_once_add_one_person(db: Database) -> None:
    assert len(set(await asyncio.gather(*(named(db, "Ana") for _ in range(10))))) == 1
    assert await all_names(db) == ["Ana"]


@pytest.mark.parametrize("name", ["d'Ávila; DROP TABLE users; --", "🎉", "\u202eanA", "x" * 255])
async def test_strange_names_are_names(db: Database, name: str) -> None:
    assert await named(db, name) == await named(db, name)
    assert await all_names(db) == [name]


@pytest.mark.parametrize("name", ["", "  \n", "x" * 256])
async def test_what_is_no_name_is_refused(db: Database, name: str) -> None:
    with pytest.raises(ValueError, match="de 1 a 255 letras"):
        await named(db, name)
    with pytest.raises(Unstorable):
        await named(db, "a\0b")
    assert await all_names(db) == []


async def test_who_left_is_not_listed_but_keeps_their_name(db: Database) -> None:
    gone = await named(db, "Bia")
    await db.execute("UPDATE users SET is_active = false WHERE id = $1", gone)
    assert await all_names(db) == []
    assert await named(db, "bia") == gone
