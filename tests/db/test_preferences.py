"""The config table: seeded, loaded, set, signed, notified."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from config.brain import BRAIN_TEMPERATURE
from config.preferences import DECLARED, STT_MODEL, TTS_SPEED, Preferences
from db.database import Database
from db.listen import Notification, notifications
from db.preferences import load, rows, set_value
from db.upgrade import upgrade

FROM_THE_SEED = {
    "wake_word.sensitivity": 0.7,
    "tts.voice": "pt_BR-faber-medium",
    "brain.model": "qwen2.5:3b",
    "brain.temperature": 0.7,
    "brain.max_tokens": 200,
}


@asynccontextmanager
async def unchecked(db: Database) -> AsyncIterator[None]:
    await db.execute("ALTER TABLE config DISABLE TRIGGER config_check")
    yield
    await db.execute("ALTER TABLE config ENABLE TRIGGER config_check")


async def test_every_key_is_seeded_and_loads_as_its_default(db: Database) -> None:
    preferences, faults = await load(db)
    assert faults == []
    assert preferences.as_dict() == {key: p.default for key, p in DECLARED.items()}
    assert FROM_THE_SEED.items() <= preferences.as_dict().items()
    listed = await rows(db)
    assert [row.key for row in listed] == list(DECLARED)
    assert all(row.description and row.updated_by == "mordomo" and row.updated_at for row in listed)


async def test_values_are_set_signed_and_loaded(db: Database) -> None:
    await set_value(db, "brain.temperature", 1, "Ana")
    await set_value(db, "stt.model", '/modelos/d\'água \\ "x" 🎉', "voz")
    preferences, faults = await load(db)
    assert (preferences[BRAIN_TEMPERATURE], preferences[STT_MODEL], faults) == (1.0, '/modelos/d\'água \\ "x" 🎉', [])
    row = next(row for row in await rows(db) if row.key == "brain.temperature")
    assert (row.value, row.default, row.updated_by) == (1, 0.7, "Ana")


async def test_an_editor_who_does_not_sign_is_signed_by_the_server(database_url: str, db: Database) -> None:
    await set_value(db, "tts.speed", 1.5, "Ana")
    client = await asyncpg.connect(database_url)
    await client.execute("UPDATE config SET value = '0.8' WHERE key = 'tts.speed'")
    user = await client.fetchval("SELECT session_user")
    await client.close()
    row = next(row for row in await rows(db) if row.key == "tts.speed")
    assert (row.value, row.updated_by) == (0.8, user)


async def test_updated_at_moves_with_the_value_only(db: Database) -> None:
    async def touched() -> object:
        return await db.fetchval("SELECT updated_at FROM config WHERE key = 'tts.speed'")

    first = await touched()
    await db.execute("UPDATE config SET description = 'outra' WHERE key = 'tts.speed'")
    await db.execute("UPDATE config SET value = value WHERE key = 'tts.speed'")
    assert await touched() == first
    await set_value(db, "tts.speed", 1.1, "Ana")
    assert await touched() > first  # type: ignore[operator]


async def test_a_start_keeps_values_renews_descriptions_and_seeds_what_is_missing(
    database_url: str, db: Database
) -> None:
    await set_value(db, "tts.speed", 1.25, "Ana")
    await db.execute("DELETE FROM config WHERE key = 'stt.model'")
    await db.execute("UPDATE config SET description = 'velha' WHERE key = 'brain.model'")
    assert (await load(db))[0][STT_MODEL] == "small"
    assert next(row for row in await rows(db) if row.key == "stt.model").updated_at is None
    await upgrade(database_url)
    listed = {row.key: row for row in await rows(db)}
    assert listed["tts.speed"].value == 1.25
    assert listed["stt.model"].updated_at is not None
    description = await db.fetchval("SELECT description FROM config WHERE key = 'brain.model'")
    assert description == DECLARED["brain.model"].description


async def test_bad_rows_keep_the_last_good_value_and_are_reported(database_url: str, db: Database) -> None:
    last = Preferences({"brain.temperature": 0.2})
    async with unchecked(db):
        await db.execute("UPDATE config SET value = '99' WHERE key = 'brain.temperature'")
        await db.execute("UPDATE config SET value = ('1' || repeat('0', 5000))::jsonb WHERE key = 'tts.speed'")
        deep = "[" * 3000 + "]" * 3000
        await db.execute("UPDATE config SET value = $1::text::jsonb WHERE key = 'stt.model'", deep)
        await db.execute("INSERT INTO config (key, value) VALUES ('som.cor', '1')")
    preferences, faults = await load(db)
    assert preferences.as_dict() == Preferences().as_dict()
    assert (await load(db, last))[0][BRAIN_TEMPERATURE] == 0.2
    assert [fault.partition(":")[0] for fault in faults] == ["brain.temperature", "som.cor", "stt.model", "tts.speed"]
    await upgrade(database_url)  # descriptions are renewed beside bad values
    assert (await load(db))[0][TTS_SPEED] == 1.0


async def test_every_change_is_notified_once_by_key(database_url: str, db: Database) -> None:
    stream = notifications(database_url, ["mordomo_config"])
    assert await anext(stream) == Notification("", "")
    await set_value(db, "tts.speed", 1.5, "Ana")
    await set_value(db, "tts.speed", 1.5, "Ana")  # the same again is no change
    await db.execute("UPDATE config SET description = 'outra'")
    await db.execute("DELETE FROM config WHERE key = 'stt.model'")
    await set_value(db, "stt.model", "base", "Ana")
    await db.execute("TRUNCATE config")
    assert [(await anext(stream)).payload for _ in range(4)] == ["tts.speed", "stt.model", "stt.model", ""]
    await stream.aclose()
