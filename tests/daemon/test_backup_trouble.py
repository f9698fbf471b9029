"""A household whose backups fail hears of it: in sound, once a day, by day, and never into somebody's sentence."""

import asyncio
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.clock import FakeClock
from support.speech_engines import ScriptedTextToSpeech

from config.preferences import Preferences
from daemon.announcer import Announcer
from daemon.audio.wav import WavSpeaker
from daemon.backups import LOOK_S, SETTLE_S, Backups
from daemon.engines.plug import Plug
from daemon.engines.protocols import TextToSpeech
from daemon.language.replies import Replies
from daemon.voice import Voice
from db.backup.folder import Folder
from db.backup.routine import begun, standing
from db.backup.source import Source
from db.database import open_database

AWAY = "postgresql://nobody@/none?host=/nonexistent"
MORNING = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # 9:00 in the house


async def looks(clock: FakeClock, times: int) -> None:
    """Let the service look so many times, a minute each."""
    for _ in range(times):
        await clock.asleep(LOOK_S)
        clock.advance(LOOK_S)
    await clock.asleep(LOOK_S)


async def test_the_service_speaks_once_a_day_through_the_houses_own_voice(tmp_path: Path) -> None:
    tts = ScriptedTextToSpeech()

    def build() -> TextToSpeech:
        return tts

    voice = Voice(Plug("tts", build), WavSpeaker(tmp_path / "spoken.wav"))
    shown: list[str] = []
    folder, clock = Folder(tmp_path / "backup"), FakeClock(MORNING)
    begun(folder, MORNING - timedelta(days=3))
    async with open_database(AWAY) as db:
        service = Backups(
            Source(AWAY, None), folder, db, Preferences, clock, Announcer(voice, [shown.append]).now,
            Replies.load("pt_br"),
        )  # fmt: skip
        speaking, done = asyncio.Event(), asyncio.Event()

        async def conversation() -> AsyncIterator[str]:
            speaking.set()
            yield "Bom dia."
            await done.wait()
            yield "São nove horas."

        async with asyncio.TaskGroup() as group:
            talk = group.create_task(voice.speak(conversation()))
            await speaking.wait()
            running = group.create_task(service.run())
            await clock.asleep(SETTLE_S)
            clock.advance(SETTLE_S)
            while standing(folder).failed_at is None:
                await asyncio.sleep(0)
            done.set()  # the backup failed while somebody was being answered
            await talk
            await looks(clock, 5)
            assert tts.said[:2] == ["Bom dia.", "São nove horas."]
            assert len(tts.said) == 3
            assert "cópia" in tts.said[2]
            clock.jump(86_400)
            await looks(clock, 3)
            assert len(tts.said) == 4
            running.cancel()
    with wave.open(str(tmp_path / "spoken.wav")) as spoken:
        assert spoken.getnframes() > 4 * 2 * 320  # four sentences of two pieces, and the tone before two of them
