"""One contract for every store of vectors: pgvector, plain rows, and Qdrant over gRPC and in memory."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient
from support.qdrant_server import QdrantServer, qdrant_server

from daemon.errors import LinkDown
from daemon.memory.beside import BesidePostgres
from daemon.memory.pgvector import PgVectors
from daemon.memory.plain import PlainVectors
from daemon.memory.postgres import PostgresVectors
from daemon.memory.qdrant import QdrantVectors
from daemon.memory.vectors import Near, OtherLength, Point, Vector, Vectors, unit
from db.database import Database
from db.vectors import has_pgvector


@pytest.fixture
async def server() -> AsyncIterator[QdrantServer]:
    async with qdrant_server() as served:
        yield served


IN_MEMORY = pytest.param("qdrant-local", marks=pytest.mark.filterwarnings("ignore:Payload indexes have no effect"))


@pytest.fixture(params=["pgvector", "plain", "qdrant", "named", IN_MEMORY])
async def store(request: pytest.FixtureRequest, db: Database) -> AsyncIterator[Vectors]:
    made: Vectors
    if request.param == "pgvector":
        if not await has_pgvector(db):
            pytest.skip("this server has no pgvector")
        made = PgVectors(db)
    elif request.param == "plain":
        made = PlainVectors(db)
    elif request.param in {"qdrant", "named"}:
        async with qdrant_server() as served:
            made = QdrantVectors.at(served.url)
            made = made if request.param == "qdrant" else BesidePostgres(db, made, PostgresVectors(db))
            yield made
            await made.close()
        return
    else:
        made = QdrantVectors(AsyncQdrantClient(":memory:"))
    yield made
    await made.close()


def _vector(*numbers: float) -> Vector:
    return unit(np.array(numbers, dtype=np.float32))


def _ids(found: list[Near]) -> list[UUID]:
    return [near.id for near in found]


EAST, NORTHEAST, NORTH, WEST = _vector(1, 0), _vector(1, 1), _vector(0, 1), _vector(-1, 0)


async def test_the_nearest_come_first_with_their_cosine(store: Vectors) -> None:
    east, northeast, west = uuid4(), uuid4(), uuid4()
    await store.put("memories", [Point(west, WEST), Point(northeast, NORTHEAST), Point(east, EAST)])
    found = await store.near("memories", EAST, 2)
    assert _ids(found) == [east, northeast]
    assert [near.score for near in found] == pytest.approx([1.0, 0.7071], abs=1e-4)
    assert _ids(await store.near("memories", EAST, 10)) == [east, northeast, west]


async def test_only_the_owners_asked_for_are_found(store: Vectors) -> None:
    ana, bruno = uuid4(), uuid4()
    hers, his, houses = uuid4(), uuid4(), uuid4()
    await store.put("memories", [Point(hers, EAST, ana), Point(his, NORTHEAST, bruno), Point(houses, NORTH)])
    assert _ids(await store.near("memories", EAST, 9, {None})) == [houses]
    assert _ids(await store.near("memories", EAST, 9, {None, ana})) == [hers, houses]
    assert _ids(await store.near("memories", EAST, 9, [bruno])) == [his]
    assert await store.near("memories", EAST, 9, [uuid4()]) == []


async def test_a_point_put_again_takes_the_place_of_the_former(store: Vectors) -> None:
    one, ana = uuid4(), uuid4()
    await store.put("memories", [Point(one, EAST)])
    assert _ids(await store.near("memories", EAST, 1)) == [one]
    await store.put("memories", [Point(one, WEST, ana)])
    assert await store.count("memories") == 1
    assert await store.near("memories", WEST, 1, {None}) == []
    assert (await store.near("memories", WEST, 1, {ana}))[0].score == pytest.approx(1.0, abs=1e-4)


async def test_collections_are_apart(store: Vectors) -> None:
    one = uuid4()
    await store.put("memories", [Point(one, EAST)])
    await store.put("voices", [Point(one, _vector(1, 2, 3))])
    assert await store.ids("voices") == {one}
    await store.clear("memories")
    assert (await store.count("memories"), await store.count("voices")) == (0, 1)


async def test_vectors_are_given_back_as_they_were_put(store: Vectors) -> None:
    one, other, vector = uuid4(), uuid4(), unit(np.random.default_rng(1).normal(size=192))
    await store.put("voices", [Point(one, vector)])
    found = await store.get("voices", [one, other])
    assert set(found) == {one}
    assert found[one].dtype == np.float32
    np.testing.assert_allclose(found[one], vector, atol=1e-6)
    assert await store.get("memories", [one]) == {}


async def test_every_point_is_given_back_with_its_owner(store: Vectors) -> None:
    hers, houses, ana = uuid4(), uuid4(), uuid4()
    await store.put("voices", [Point(hers, EAST, ana), Point(houses, NORTH)])
    points = {point.id: point for point in await store.points("voices")}
    assert {each: point.owner for each, point in points.items()} == {hers: ana, houses: None}
    np.testing.assert_allclose(points[hers].vector, EAST, atol=1e-6)
    assert await store.points("memories") == []


async def test_what_is_removed_is_gone_and_may_be_removed_again(store: Vectors) -> None:
    one, other = uuid4(), uuid4()
    await store.put("memories", [Point(one, EAST), Point(other, NORTH)])
    await store.near("memories", EAST, 1)
    await store.remove("memories", [one, uuid4()])
    await store.remove("memories", [one])
    assert await store.ids("memories") == {other}
    assert _ids(await store.near("memories", EAST, 9)) == [other]
    assert await store.get("memories", [one]) == {}


async def test_an_empty_collection_has_nothing_and_is_no_error(store: Vectors) -> None:
    assert await store.near("memories", EAST, 3) == []
    assert await store.ids("memories") == set()
    assert await store.count("memories") == 0
    await store.put("memories", [])
    await store.remove("memories", [uuid4()])
    await store.clear("memories")
    await store.check()


async def test_vectors_of_another_length_are_refused_until_it_is_cleared(store: Vectors) -> None:
    await store.put("memories", [Point(uuid4(), EAST)])
    with pytest.raises(OtherLength, match="mordomo memory reindex"):
        await store.put("memories", [Point(uuid4(), _vector(1, 2, 3))])
    assert await store.near("memories", _vector(1, 2, 3), 5) == []
    await store.clear("memories")
    await store.put("memories", [Point(uuid4(), _vector(1, 2, 3))])
    assert len(await store.near("memories", _vector(1, 2, 3), 5)) == 1


async def test_many_points_of_an_indexed_length_are_found_as_numpy_finds_them(store: Vectors) -> None:
    chance = np.random.default_rng(7)
    points = [Point(uuid4(), unit(chance.normal(size=256))) for _ in range(500)]
    await store.put("memories", points)
    asked = unit(chance.normal(size=256))
    exact = sorted(points, key=lambda point: -float(point.vector @ asked))[:5]
    found = _ids(await store.near("memories", asked, 5))
    assert found[0] == exact[0].id
    assert len(set(found) & {point.id for point in exact}) >= 4
    assert len(await store.ids("memories")) == 500


async def test_a_server_that_is_away_is_a_link_that_is_down(server: QdrantServer) -> None:
    store = QdrantVectors.at(server.url)
    await store.put("memories", [Point(uuid4(), EAST)])
    server.silent = True
    for call in (store.check(), store.near("memories", EAST, 1), store.put("memories", [Point(uuid4(), EAST)])):
        with pytest.raises(LinkDown, match="lunch"):
            await call
    server.silent = False
    assert await store.count("memories") == 1
    await store.close()


async def test_a_collection_that_another_process_dropped_is_made_again(server: QdrantServer) -> None:
    store = QdrantVectors.at(server.url)
    await store.put("memories", [Point(uuid4(), EAST)])
    server.kept.clear()
    with pytest.raises(LinkDown):
        await store.put("memories", [Point(uuid4(), EAST)])
    await store.put("memories", [Point(uuid4(), EAST)])
    assert await store.count("memories") == 1
    await store.close()


async def test_two_processes_on_plain_rows_see_each_others_changes(db: Database) -> None:
    mine, theirs = PlainVectors(db), PlainVectors(db)
    one, other = uuid4(), uuid4()
    await mine.put("memories", [Point(one, EAST)])
    assert _ids(await mine.near("memories", EAST, 9)) == [one]
    await theirs.put("memories", [Point(other, NORTH)])
    assert _ids(await mine.near("memories", EAST, 9)) == [one, other]
    await theirs.remove("memories", [one])
    assert _ids(await mine.near("memories", EAST, 9)) == [other]


async def test_a_server_that_comes_by_pgvector_keeps_what_was_in_plain_rows(db: Database) -> None:
    if not await has_pgvector(db):
        pytest.skip("this server has no pgvector")
    ana = uuid4()
    await PlainVectors(db).put("voices", [Point(ana, EAST, ana)])
    store = PostgresVectors(db)
    assert _ids(await store.near("voices", EAST, 5, {ana})) == [ana]
    assert await PlainVectors(db).count("voices") == 0
    assert isinstance(await store.chosen(), PgVectors)


@pytest.mark.parametrize("bad", [np.zeros(3), np.array([np.nan, 1.0]), np.ones((2, 2))])
def test_what_has_no_direction_is_no_vector(bad: Vector) -> None:
    with pytest.raises(ValueError, match="length"):
        unit(bad)
