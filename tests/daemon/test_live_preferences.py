"""Preferences that change while Mordomo runs."""

import asyncio
from contextlib import suppress

from config.brain import BRAIN_TEMPERATURE
from config.preferences import STT_MODEL, TTS_VOICE, WAKE_WORD_SENSITIVITY
from daemon.events import Event, PreferenceChanged
from daemon.live_preferences import LivePreferences
from db.database import Database
from db.preferences import set_value


async def test_a_change_is_applied_and_rebuilds_its_part_only(db: Database, database_url: str) -> None:
    events: list[Event] = []
    rebuilt: list[str] = []
    changed = asyncio.Event()

    def observe(event: Event) -> None:
        events.append(event)
        changed.set()

    live = LivePreferences(db, database_url, observe)

    async def rebuild_tts() -> None:
        rebuilt.append("tts")

    async def rebuild_stt() -> None:
        rebuilt.append("stt")

    live.rebuild |= {"tts": rebuild_tts, "stt": rebuild_stt}
    await live.refresh()
    assert live.now()[TTS_VOICE] == "pt_BR-faber-medium"
    following = asyncio.create_task(live.run())
    await set_value(db, "tts.voice", "espeak", by="teste")
    async with asyncio.timeout(5):
        await changed.wait()
    assert live.now()[TTS_VOICE] == "espeak"
    assert rebuilt == ["tts"]
    assert events == [PreferenceChanged("tts.voice")]
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_a_bad_value_that_got_past_the_database_keeps_the_last_good_one(db: Database, database_url: str) -> None:
    events: list[Event] = []
    live = LivePreferences(db, database_url, events.append)
    await set_value(db, "wake_word.sensitivity", 0.4, by="teste")
    await live.refresh()
    await db.execute("ALTER TABLE config DISABLE TRIGGER ALL")
    await db.execute("UPDATE config SET value = '9' WHERE key = 'wake_word.sensitivity'")
    await db.execute("UPDATE config SET value = '1.5' WHERE key = 'brain.temperature'")
    await live.refresh()
    assert live.now()[WAKE_WORD_SENSITIVITY] == 0.4
    assert live.now()[BRAIN_TEMPERATURE] == 1.5
    assert any(isinstance(event, PreferenceChanged) and event.problem for event in events)


async def test_a_row_that_is_deleted_goes_back_to_its_default(db: Database, database_url: str) -> None:
    live = LivePreferences(db, database_url, lambda _: None)
    await set_value(db, "stt.model", "base", by="teste")
    await live.refresh()
    assert live.now()[STT_MODEL] == "base"
    await db.execute("DELETE FROM config WHERE key = 'stt.model'")
    await live.refresh()
    assert live.now()[STT_MODEL] == "small"
