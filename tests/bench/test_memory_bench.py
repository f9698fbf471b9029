"""The bench of memory in its short form: that it fills every store and measures what it says."""

from support.postgres import own_server_only

from bench import memory
from db.database import open_database


@own_server_only
async def test_recall_is_measured_on_every_store(database_url: str) -> None:
    async with open_database(database_url) as db:
        found = await memory.speed(db, 120, 5)
    assert {name: len(taken) for name, taken in found.items()} == dict.fromkeys(("pgvector", "qdrant", "plain"), 5)
    assert all(0 < each < 5000 for taken in found.values() for each in taken)
    assert {figure.bar for figure in memory.figures_of_speed(found, 120)} == {"p95 20 ms", ""}


async def test_quality_is_told_with_its_bar() -> None:
    figures = memory.figures_of_quality(
        {(memory.LAST, True): memory.Quality.of([0, 1, 9]), (memory.FAR, False): memory.Quality.of([0, 0])}
    )
    assert [figure.good for figure in figures] == [False, None]
    assert "hit@3 66.7%" in figures[0].measured
