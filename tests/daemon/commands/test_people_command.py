"""`mordomo people add|enroll|list|test|forget` as they are typed, on the real encoder."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.command import Ended, mordomo
from support.espeak import noisy, silence, spoken

from daemon.audio.frames import RATE
from daemon.audio.wav import write_wav
from daemon.demo.making.espeak import Manner
from daemon.memory.postgres import PostgresVectors
from daemon.people.voices.enrolment import SENTENCES
from daemon.people.voices.voiceprint import COLLECTION
from db.consents import allows
from db.database import Database, open_database

ANA, BIA = Manner("pt-br+f2", 150, 60), Manner("pt-br+m3", 145, 35)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


def recording(folder: Path, name: str, who: Manner, *sentences: str) -> str:
    path = folder / f"{name}.wav"
    write_wav(path, noisy(silence(0.3).join(spoken((one, who)) for one in sentences) + silence(0.5)), RATE)
    return str(path)


async def test_from_moving_in_to_being_forgotten(db: Database, tmp_path: Path) -> None:
    async def people(*arguments: str) -> Ended:
        return await mordomo(db.url, "people", *arguments, data_dir=tmp_path)

    added = await people("add", "Ana", "--role", "administrator")
    assert added.status == 0, added.err
    assert 'mordomo people enroll "Ana"' in added.out

    taught = [recording(tmp_path, f"ana{number}", ANA, one) for number, one in enumerate(SENTENCES)]
    little = await people("enroll", "Ana", taught[0], "--yes")
    assert little.status == 1
    assert "de fala no total" in little.err
    enrolled = await people("enroll", "ana", *taught, "--yes")
    assert enrolled.status == 0, enrolled.err
    assert "não é senha" in enrolled.out

    (row,) = json.loads((await people("list", "--json")).out)
    assert (row["name"], row["role"], row["voice_enrolled"], row["voice"]["model"]) == (
        "Ana", "administrator", True, "ge2e")  # fmt: skip
    assert await allows(db, await db.fetchval("SELECT id FROM users"), "voiceprint")
    hers = recording(tmp_path, "dela", ANA, "que horas são agora na cozinha", "acende a luz da sala")
    found = json.loads((await people("test", hers, "--json")).out)
    assert found["name"] == "Ana"
    assert found["scores"][0]["score"] > found["scores"][0]["needed"]
    others = recording(tmp_path, "dele", BIA, "que horas são agora na cozinha", "acende a luz da sala")
    assert "Não é a voz de ninguém" in (await people("test", others)).out

    forgotten = await people("forget", "Ana", "--yes")
    assert forgotten.status == 0, forgotten.err
    assert await db.fetchval("SELECT voice_enrolled FROM users") is False
    assert await PostgresVectors(db).count(COLLECTION) == 0
    assert "não conhece" in (await people("list")).out


async def test_who_is_not_there_and_what_is_no_role(db: Database, tmp_path: Path) -> None:
    ended = await mordomo(db.url, "people", "enroll", "Zé", "--yes", data_dir=tmp_path)
    assert (ended.status, "Não conheço ninguém chamado “Zé”" in ended.err) == (1, True)
    ended = await mordomo(db.url, "people", "add", "Zé", "--role", "rei", data_dir=tmp_path)
    assert (ended.status, "Não há o papel rei" in ended.err) == (1, True)
    ended = await mordomo(db.url, "people", "list", data_dir=tmp_path)
    assert "mordomo people add" in ended.out


async def test_a_house_without_an_administrator_is_told_until_it_has_one(db: Database, tmp_path: Path) -> None:
    async def people(*arguments: str) -> Ended:
        return await mordomo(db.url, "people", *arguments, data_dir=tmp_path)

    child = await people("add", "Duda", "--role", "criança")
    assert "administra" not in child.out, "a child does not administer a house"
    added = await people("add", "Ana")
    hint = 'mordomo people add "Ana" --role administrador'
    assert hint in added.out.replace("\n", " ")
    assert hint in (await people("list")).out.replace("\n", " ")
    made = await people("add", "Ana", "--role", "administrador")
    assert "administra esta casa" not in made.out
    assert "administra esta casa" not in (await people("list")).out
