"""The receipt of an erasure, verified once more: every table's text and every file is searched for what was planted."""

import json
import stat
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from support.clock import FakeClock
from support.somebody import MARK, NOW, Somebody, files_with, somebody

from daemon.errors import CannotDo, LinkDown
from daemon.memory.plain import PlainVectors
from daemon.memory.vectors import Point
from daemon.people.privacy.clips import all_clips, clips_of
from daemon.people.privacy.erasing import Erasing
from daemon.people.privacy.exporting import Exporting
from daemon.people.privacy.receipts import KeptReceipts
from db.belongings import catalogue, owned, rows_of
from db.database import Database, open_database
from db.erasure import Wish
from db.erasures import tables_with

OTHER = "jacutinga"
RESTORED = ("users", "conversations", "reminders", "lists")


@dataclass
class House:
    db: Database
    vectors: PlainVectors
    data_dir: Path
    erasing: Erasing

    def wish(self, ana: Somebody, **changes: Any) -> Wish:
        return replace(Wish(ana.id, ana.name, "person", "cli", "other"), **changes)


WORDLESS = {"consents", "spoken_codes"}
"""Tables of a person's that hold no free text."""


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_database(database_url) as db:
        vectors = PlainVectors(db)
        yield House(db, vectors, tmp_path, Erasing(db, vectors, tmp_path, FakeClock(NOW)))


async def test_nothing_of_the_person_is_left_anywhere_and_all_of_another_is(house: House) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    planted = await tables_with(house.db, MARK)
    reached = set((await catalogue(house.db)).reached())
    assert reached - WORDLESS <= set(planted), "the mark is in every table that leads to a person"
    assert {"audit_log", "system_logs"} <= set(planted)
    bia = await somebody(house.db, house.vectors, house.data_dir, "Bia", OTHER)
    others = await tables_with(house.db, OTHER)
    receipt = await house.erasing.erase(house.wish(ana))
    assert receipt.finished_at is not None
    assert receipt.counts["vectors.memories"] == receipt.counts["vectors.voices"] == receipt.counts["audio"] == 1
    assert await tables_with(house.db, MARK) == {}
    assert await tables_with(house.db, str(ana.id)) == {}
    assert files_with(house.data_dir, MARK) == []
    assert files_with(house.data_dir, str(ana.id)) == []
    assert files_with(house.data_dir / "spool", "de outra pessoa")
    checked = await house.erasing.verify(receipt.id)
    assert checked.gone
    assert checked.receipt.verified_at == NOW
    assert await tables_with(house.db, OTHER) == others
    assert await house.vectors.ids("voices") == {bia.id}
    assert bia.clips[0].exists()


async def test_a_table_alone_and_all_of_them_tell_the_same(house: House) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    await somebody(house.db, house.vectors, house.data_dir, "Bia", OTHER)
    of = await catalogue(house.db)
    everything = await rows_of(house.db, of, ana.id, "Ana")
    for table in of.reached()[1:]:
        assert await owned(house.db, of, table, (ana.id, "Ana")) == everything[table], table


async def test_what_comes_back_is_found_and_the_receipt_is_not_verified(house: House) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    vector = (await house.vectors.get("voices", [ana.id]))[ana.id]
    clip = ana.clips[0].read_bytes()
    receipt = await house.erasing.erase(house.wish(ana))
    await house.db.execute("INSERT INTO users (id, name) VALUES ($1, 'de volta')", ana.id)
    await house.vectors.put("voices", [Point(ana.id, vector, ana.id)])
    ana.clips[0].parent.mkdir()
    ana.clips[0].write_bytes(clip)
    checked = await house.erasing.verify(receipt.id)
    assert checked.left_over == {"users": 1, "vectors.voices": 1, "audio": 1}
    assert checked.receipt.verified_at is None
    with pytest.raises(CannotDo, match="Não há recibo"):
        await house.erasing.verify(uuid4())


async def test_a_vector_store_that_is_away_is_made_up_for(house: House) -> None:
    class Away(PlainVectors):
        async def ids(self, collection: str) -> set[UUID]:
            raise LinkDown("qdrant", "caiu")

    ana = await somebody(house.db, house.vectors, house.data_dir)
    broken = replace(house.erasing, vectors=Away(house.db))
    receipt = await broken.erase(house.wish(ana))
    assert receipt.finished_at is None
    assert (await house.erasing.verify(receipt.id)).left_over["unfinished"] == 1
    assert await house.erasing.finish_all() == 1
    assert await house.erasing.finish_all() == 0
    assert (await house.erasing.verify(receipt.id)).gone
    assert await tables_with(house.db, str(ana.id)) == {}


async def test_what_was_said_today_in_sound_too(house: House) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    old = ana.clips[0].with_name(f"20261119T100000Z-{uuid4()}.wav")
    old.write_bytes(ana.clips[0].read_bytes())
    wish = house.wish(ana, scope="since", since=NOW - timedelta(hours=1), how="voice", asked_by="self")
    before = await house.erasing.counted(wish)
    assert before["audio"] == 1
    receipt = await house.erasing.erase(wish)
    assert before.items() <= receipt.counts.items(), "what was told before it was done is what was done"
    assert [clip.path for clip in clips_of(house.data_dir / "audio", str(ana.id))] == [old]
    assert ana.id in await house.vectors.ids("voices"), "a voice was not said today"
    assert await house.db.fetchval("SELECT name FROM users WHERE id = $1", ana.id) == "Ana"
    assert (await house.erasing.verify(receipt.id)).gone


@pytest.mark.parametrize("kind", ["voiceprint", "audio", "memory"])
async def test_a_consent_withdrawn_takes_what_it_allowed(house: House, kind: str) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    receipt = await house.erasing.erase(house.wish(ana, scope=kind))
    left = {
        "voiceprint": bool(await house.vectors.ids("voices")),
        "audio": bool(all_clips(house.data_dir / "audio")),
        "memory": bool(await house.vectors.ids("memories"))
        or bool(await house.db.fetchval("SELECT count(*) FROM memories")),
    }
    assert left == {each: each != kind for each in left}
    enrolled = await house.db.fetchval("SELECT voice_enrolled FROM users WHERE id = $1", ana.id)
    assert enrolled == (kind != "voiceprint")
    assert (await house.erasing.verify(receipt.id)).gone


async def test_records_that_wait_come_first(house: House) -> None:
    """A record that reached the database after the erasure would bring back what it erased."""
    ana = await somebody(house.db, house.vectors, house.data_dir)

    async def drain() -> None:
        await house.db.execute(
            "INSERT INTO conversations (user_id, metadata) VALUES ($1, $2)", ana.id, {"atrasado": MARK}
        )

    receipt = await replace(house.erasing, drain=drain).erase(house.wish(ana))
    assert receipt.counts["conversations"] == 2
    assert await tables_with(house.db, MARK) == {}


async def test_a_database_that_was_restored_loses_it_again(house: House, database_url: str) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    bia = await somebody(house.db, house.vectors, house.data_dir, "Bia", OTHER)
    others = await tables_with(house.db, OTHER)
    held = {table: await house.db.fetch(f"SELECT to_jsonb(t) AS row FROM {table} AS t") for table in RESTORED}
    receipts = KeptReceipts(house.erasing, house.data_dir / "backup" / "erasures")
    receipt = await house.erasing.erase(house.wish(ana))
    assert await receipts.reconcile() == 0
    (file,) = receipts.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert MARK not in file.read_text()

    # The database of before comes back: with her rows, and without the receipt.
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE erasures DISABLE TRIGGER USER; DELETE FROM erasures")
    await connection.execute("ALTER TABLE erasures ENABLE TRIGGER USER")
    for table, rows in held.items():
        for row in rows:
            await connection.execute(
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1) ON CONFLICT DO NOTHING",
                json.dumps(row["row"]),
            )
    await connection.close()
    assert await tables_with(house.db, MARK) != {}
    assert await receipts.reconcile() == 1
    assert await tables_with(house.db, MARK) == {}
    again = await house.erasing.verify(receipt.id)
    assert again.gone
    assert again.receipt.backups == {"state": "pending"}
    assert await tables_with(house.db, OTHER) == others
    assert bia.clips[0].exists()
    assert await receipts.reconcile() == 0
    (receipts.folder / f"{uuid4()}.json").write_text("nada")
    assert await receipts.reconcile() == 0, "one that cannot be read is told of, and stops nothing"


async def test_an_export_has_every_table_every_vector_and_every_clip(house: House) -> None:
    ana = await somebody(house.db, house.vectors, house.data_dir)
    await somebody(house.db, house.vectors, house.data_dir, "Bia", OTHER)
    out = house.data_dir / "ana.zip"
    done = await Exporting(house.db, house.vectors, house.data_dir / "audio").write(ana.id, "Ana", out, NOW)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as zipped:
        assert zipped.testzip() is None
        names = set(zipped.namelist())
        page = zipped.read("LEIA-ME.txt").decode()
        tables = {name: json.loads(zipped.read(f"dados/{name}.json")) for name in done.rows}
        points = json.loads(zipped.read("vetores.json"))
        assert zipped.read(f"audio/{ana.clips[0].name}") == ana.clips[0].read_bytes()
    reached = set((await catalogue(house.db)).reached())
    assert {f"dados/{table}.json" for table in reached | {"audit_log", "system_logs"}} <= names
    assert all(tables[table] for table in reached), "every table that leads to a person has something of hers"
    assert "Os dados de Ana" in page
    assert points["voices"].keys() == {str(ana.id)}
    assert len(points["memories"]) == 1
    everything = json.dumps(tables, ensure_ascii=False)
    assert "Bia" not in everything
    for table in reached - WORDLESS:
        assert MARK in json.dumps(tables[table], ensure_ascii=False), table
