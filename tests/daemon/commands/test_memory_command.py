"""`mordomo memory`, as processes, with no daemon running."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support.command import mordomo

from daemon.memory.postgres import PostgresVectors
from daemon.memory.vectors import Point, unit
from db.database import open_database
from db.users import named


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def told(database_url: str, data_dir: Path, *arguments: str, status: int = 0) -> Any:
    ended = await mordomo(database_url, "memory", *arguments, "--json", data_dir=data_dir)
    assert ended.status == status, ended.err
    return json.loads(ended.out)


async def test_told_found_checked_mended_and_forgotten(database_url: str, data_dir: Path) -> None:
    made = await told(database_url, data_dir, "add", "o mecânico do carro é o Zé da oficina do viaduto")
    await told(database_url, data_dir, "add", "a Ana gosta de nhoque com molho branco")
    assert made["text"] == "o mecânico do carro é o Zé da oficina do viaduto"
    before = await told(database_url, data_dir, "check")
    assert (before["memories"], before["waiting"], before["store"], before["model"]) == (2, 2, "postgres", "local")
    rebuilt = await told(database_url, data_dir, "reindex")
    assert rebuilt == {"memories": 2, "waiting": 0, "lacking": 0, "orphaned": 0}
    found = await told(database_url, data_dir, "search", "quem conserta o nosso automóvel")
    assert found[0]["id"] == made["id"]
    async with open_database(database_url) as db:
        store = PostgresVectors(db)
        await store.remove("memories", list(await store.ids("memories")))
        await store.put("memories", [Point(uuid4(), unit([1.0] * 512))])
    drifted = await told(database_url, data_dir, "check", status=1)
    assert (drifted["lacking"], drifted["orphaned"]) == (2, 1)
    mended = await told(database_url, data_dir, "check", "--fix")
    assert (mended["lacking"], mended["orphaned"], mended["waiting"]) == (0, 0, 0)
    gone = await told(database_url, data_dir, "forget", made["id"][-6:], "--yes")
    assert gone["id"] == made["id"]
    assert [row["text"] for row in await told(database_url, data_dir, "list")] == [
        "a Ana gosta de nhoque com molho branco"
    ]


async def test_what_is_a_persons_is_shown_for_that_person(database_url: str, data_dir: Path) -> None:
    async with open_database(database_url) as db:
        await named(db, "Ana")
    await told(database_url, data_dir, "add", "o diário está na gaveta", "--person", "ana")
    assert await told(database_url, data_dir, "list") == []
    [row] = await told(database_url, data_dir, "list", "--person", "Ana")
    assert (row["person"], row["text"]) == ("Ana", "o diário está na gaveta")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", " "), "Guardar o quê"),
        (("add", "x", "--person", "Ninguém"), "Não conheço ninguém"),
        (("forget", "abc123", "--yes"), "Não há uma lembrança abc123"),
    ],
)
async def test_what_cannot_be_is_said(database_url: str, data_dir: Path, arguments: tuple[str, ...], why: str) -> None:
    ended = await mordomo(database_url, "memory", *arguments, data_dir=data_dir)
    assert ended.status == 1
    assert why in ended.err
