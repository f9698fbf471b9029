"""`mordomo people export|erase|consent` as they are typed."""

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.command import Ended, mordomo
from support.somebody import MARK, Somebody, files_with, somebody

from daemon.memory.postgres import PostgresVectors
from db.consents import allows
from db.database import Database, open_database
from db.erasures import tables_with
from db.spool import Spool


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


async def people(db: Database, data_dir: Path, *arguments: str) -> Ended:
    return await mordomo(db.url, "people", *arguments, data_dir=data_dir)


async def ana_in(db: Database, data_dir: Path) -> Somebody:
    return await somebody(db, PostgresVectors(db), data_dir)


async def test_erasing_tells_what_it_did_and_the_receipt_can_be_checked(db: Database, tmp_path: Path) -> None:
    ana = await ana_in(db, tmp_path)
    done = await people(db, tmp_path, "erase", "ana", "--yes")
    assert done.status == 0, done.err
    assert "1 ficha" in done.out
    assert "1 gravações" in done.out
    assert "não sobrou nada" in done.out
    assert "Não alcanço" in done.out
    assert await tables_with(db, MARK) == {}
    assert files_with(tmp_path, MARK) == []
    assert files_with(tmp_path, str(ana.id)) == []

    (receipt,) = json.loads((await people(db, tmp_path, "erase", "--list", "--json")).out)
    assert "Ana" not in json.dumps(receipt)
    checked = await people(db, tmp_path, "erase", "--verify", receipt["id"][-8:], "--search", MARK)
    assert (checked.status, "nada do que foi apagado" in checked.out) == (0, True)

    await db.execute("INSERT INTO users (id, name) VALUES ($1, $2)", ana.id, MARK)
    again = await people(db, tmp_path, "erase", "--verify", receipt["id"], "--search", MARK, "--json")
    assert again.status == 1
    left = json.loads(again.out)["left_over"]
    assert left["users"] == 1
    assert left[f"users ({MARK})"] == 1


async def test_only_what_was_said_since(db: Database, tmp_path: Path) -> None:
    ana = await ana_in(db, tmp_path)
    await db.execute("UPDATE messages SET timestamp = now() - interval '3 days'")
    await db.execute(
        "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'de hoje' FROM conversations"
    )
    done = await people(db, tmp_path, "erase", "Ana", "--since", "1d", "--yes", "--json")
    assert done.status == 0, done.err
    receipt = json.loads(done.out)
    assert (receipt["scope"], receipt["counts"]["messages"]) == ("since", 1)
    assert await db.fetchval("SELECT name FROM users WHERE id = $1", ana.id) == "Ana"


async def test_it_asks_before_and_knows_whom_it_knows(db: Database, tmp_path: Path) -> None:
    await ana_in(db, tmp_path)
    refused = await people(db, tmp_path, "erase", "Ana")
    assert refused.status == 1
    assert await tables_with(db, MARK) != {}
    nobody = await people(db, tmp_path, "erase", "Zé", "--yes")
    assert (nobody.status, "Conheço: Ana" in nobody.err) == (1, True)
    neither = await people(db, tmp_path, "erase")
    assert (neither.status, "Diga o nome" in neither.err) == (1, True)
    unknown = await people(db, tmp_path, "erase", "--verify", "abc")
    assert (unknown.status, "Não há recibo" in unknown.err) == (1, True)


async def test_records_of_a_running_daemon_are_waited_for(db: Database, tmp_path: Path) -> None:
    await ana_in(db, tmp_path)
    spool = Spool(tmp_path / "spool")
    try:
        spool.append({"kind": "ended", "conversation_id": "x", "at": "y"})
        held = await people(db, tmp_path, "erase", "Ana", "--yes")
    finally:
        spool.close()
    assert (held.status, "registros a gravar" in held.err) == (1, True)
    assert await tables_with(db, MARK) != {}


async def test_exporting(db: Database, tmp_path: Path) -> None:
    ana = await ana_in(db, tmp_path)
    out = tmp_path / "ana.zip"
    done = await people(db, tmp_path, "export", "ANA", "--out", str(out), "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["rows"]["messages"], told["clips"], told["vectors"]) == (1, 1, 2)
    with zipfile.ZipFile(out) as zipped:
        assert MARK in zipped.read("dados/messages.json").decode()
        assert f"audio/{ana.clips[0].name}" in zipped.namelist()
    assert "Já existe" in (await people(db, tmp_path, "export", "Ana", "--out", str(out))).err
    nowhere = await people(db, tmp_path, "export", "Ana", "--out", str(tmp_path / "x" / "a.zip"))
    assert (nowhere.status, "Não consegui gravar" in nowhere.err) == (1, True)


async def test_consents(db: Database, tmp_path: Path) -> None:
    ana = await ana_in(db, tmp_path)
    shown = await people(db, tmp_path, "consent", "Ana")
    assert "voiceprint  a impressão da voz: nunca foi perguntado" in shown.out
    assert "audio       o som do que diz: sim, em" in shown.out
    given = await people(db, tmp_path, "consent", "Ana", "voiceprint", "sim", "--json")
    assert json.loads(given.out)["voiceprint"]["how"] == "cli"
    assert await allows(db, ana.id, "voiceprint")
    taken = await people(db, tmp_path, "consent", "Ana", "audio", "no", "--yes")
    assert taken.status == 0, taken.err
    assert "1 gravações" in taken.out
    assert not ana.clips[0].exists()
    assert not await allows(db, ana.id, "audio")
    wrong = await people(db, tmp_path, "consent", "Ana", "tudo", "talvez")
    assert (wrong.status, "voiceprint, audio, memory" in wrong.err) == (1, True)
