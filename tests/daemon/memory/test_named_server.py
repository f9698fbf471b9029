"""A Qdrant that is named later, named no longer, lost or away: voices stay known, and nothing forgotten comes back."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import numpy as np
import pytest
from support.qdrant_server import QdrantServer, qdrant_server

from daemon.errors import LinkDown
from daemon.memory.beside import BesidePostgres
from daemon.memory.postgres import PostgresVectors
from daemon.memory.qdrant import QdrantVectors
from daemon.memory.vectors import Point, Vector, unit
from db import voices
from db.database import Database

EAST, NORTH, WEST = (unit(np.array(numbers, dtype=np.float32)) for numbers in ((1, 0), (0, 1), (-1, 0)))


@pytest.fixture
async def server() -> AsyncIterator[QdrantServer]:
    async with qdrant_server() as served:
        yield served


@pytest.fixture
async def named(db: Database, server: QdrantServer) -> AsyncIterator[BesidePostgres]:
    store = BesidePostgres(db, QdrantVectors.at(server.url), PostgresVectors(db))
    yield store
    await store.close()


async def person(db: Database, name: str) -> UUID:
    row: UUID = await db.fetchval("INSERT INTO users (name, role) VALUES ($1, 'adult') RETURNING id", name)
    return row


async def taught(db: Database, name: str) -> tuple[UUID, UUID]:
    """Add somebody whose voice is known; return their id and their point's."""
    who, point = await person(db, name), uuid4()
    await voices.teach(db, who, point, {"model": "test"})
    return who, point


def held(server: QdrantServer, collection: str = "mordomo_voices") -> set[UUID]:
    return {UUID(each) for each in server.kept[collection].ids} if collection in server.kept else set()


def same(found: object, expected: dict[UUID, Vector]) -> bool:
    assert isinstance(found, dict)
    return found.keys() == expected.keys() and all(np.allclose(found[each], expected[each]) for each in expected)


async def test_voices_follow_to_a_server_that_is_named_and_are_there_when_it_is_no_longer(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    ana, point = await taught(db, "Ana")
    await PostgresVectors(db).put("voices", [Point(point, EAST, ana), Point(ana, NORTH, ana)])
    assert same(await named.get("voices", [point, ana]), {point: EAST, ana: NORTH})
    assert held(server) == {point, ana}
    assert [near.id for near in await named.near("voices", NORTH, 1, {ana})] == [ana]
    await named.put("voices", [Point(ana, WEST, ana)])  # the voice is followed while the server is named
    alone = PostgresVectors(db)
    assert same(await alone.get("voices", [point, ana]), {point: EAST, ana: WEST})


async def test_what_changed_while_no_server_was_named_is_brought_over(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    ana, point = await taught(db, "Ana")
    await named.put("voices", [Point(point, EAST, ana), Point(ana, EAST, ana)])
    await PostgresVectors(db).put("voices", [Point(ana, NORTH, ana)])
    again = BesidePostgres(db, QdrantVectors.at(server.url), PostgresVectors(db))
    assert same(await again.get("voices", [point, ana]), {point: EAST, ana: NORTH})
    await again.close()


async def test_a_voice_that_lies_in_the_server_alone_is_kept_and_a_forgotten_one_does_not_come_back(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    (ana, point), gone = await taught(db, "Ana"), uuid4()
    only = QdrantVectors.at(server.url)
    await only.put("voices", [Point(point, EAST, ana), Point(ana, NORTH, ana), Point(gone, WEST, gone)])
    assert set(await named.get("voices", [point, ana, gone])) == {point, ana}
    assert held(server) == {point, ana}
    assert same(await PostgresVectors(db).get("voices", [point, ana, gone]), {point: EAST, ana: NORTH})
    [kept] = [each for each in await PostgresVectors(db).points("voices") if each.id == point]
    assert kept.owner == ana
    await only.close()


async def test_a_server_that_lost_its_disk_gets_the_voices_again(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    ana, point = await taught(db, "Ana")
    await named.put("voices", [Point(point, EAST, ana)])
    server.kept.clear()
    again = BesidePostgres(db, QdrantVectors.at(server.url), PostgresVectors(db))
    assert set(await again.get("voices", [point])) == {point}
    assert held(server) == {point}
    await again.close()


async def test_another_length_in_the_server_gives_way_to_the_originals(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    ana, point = await taught(db, "Ana")
    only = QdrantVectors.at(server.url)
    await only.put("voices", [Point(uuid4(), unit(np.ones(3)), None)])
    await only.close()
    await PostgresVectors(db).put("voices", [Point(point, EAST, ana)])
    assert same(await named.get("voices", [point]), {point: EAST})
    assert held(server) == {point}


async def test_while_the_server_is_away_voices_are_known_but_none_is_taught_or_forgotten(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    ana, point = await taught(db, "Ana")
    await named.put("voices", [Point(point, EAST, ana)])
    server.silent = True
    assert same(await named.get("voices", [point]), {point: EAST})
    assert [near.id for near in await named.near("voices", EAST, 3)] == [point]
    with pytest.raises(LinkDown, match="lunch"):
        await named.remove("voices", [point])
    with pytest.raises(LinkDown, match="lunch"):
        await named.ids("voices")  # nobody may say of a voice that it is gone everywhere
    assert await PostgresVectors(db).ids("voices") == {point}
    server.silent = False
    await named.remove("voices", [point])
    assert await named.ids("voices") == set()
    assert (held(server), await PostgresVectors(db).ids("voices")) == (set(), set())


async def test_memories_lie_in_the_named_server_alone(
    db: Database, server: QdrantServer, named: BesidePostgres
) -> None:
    one = uuid4()
    await named.put("memories", [Point(one, EAST)])
    assert [near.id for near in await named.near("memories", EAST, 1)] == [one]
    assert held(server, "mordomo_memories") == {one}
    assert await PostgresVectors(db).count("memories") == 0
    server.silent = True
    with pytest.raises(LinkDown, match="lunch"):
        await named.near("memories", EAST, 1)
