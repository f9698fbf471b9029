"""A household's day through the sound card: spoken to, heard, killed, started again, nothing lost."""

import asyncio
import signal
from pathlib import Path

import numpy as np
import pytest
from support.daemon_process import DaemonProcess, daemon_process
from support.folders import short_folder
from support.pulse import sound_cards

from daemon.audio.frames import FRAME_BYTES
from daemon.demo.show import SCENES
from daemon.engines.silero import Silero

pytestmark = pytest.mark.timeout(400)


class Room:
    """The air of a room: speech goes to the daemon's microphone, and what its speaker plays is recorded."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self._env = env
        self._heard = folder / "heard.raw"

    async def __aenter__(self) -> "Room":
        self._file = self._heard.open("wb")
        self._recorder = await asyncio.create_subprocess_exec(
            "parec", "-d", "spk.monitor", "--rate=16000", "--channels=1", "--format=s16le", "--latency-msec=20",
            stdout=self._file, env=self._env,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        self._recorder.terminate()
        await self._recorder.wait()
        self._file.close()

    async def say(self, wav: Path) -> None:
        """Play a recording into the microphone."""
        playing = await asyncio.create_subprocess_exec("paplay", "-d", "mic", str(wav), env=self._env)
        assert await playing.wait() == 0

    async def speech_after(self, at_byte: int, within_s: float) -> float:
        """Wait for speech from the speaker after a mark; return how many seconds of it were heard."""
        detector = Silero.load()
        try:
            async with asyncio.timeout(within_s):
                while True:
                    sound = self._heard.read_bytes()[at_byte:]
                    if (voiced := await _voiced_s(detector, sound)) > 0.6 and _quiet_tail(sound):
                        return voiced
                    await asyncio.sleep(0.3)
        finally:
            detector.close()

    @property
    def mark(self) -> int:
        """How much has been heard so far, in bytes."""
        return self._heard.stat().st_size // FRAME_BYTES * FRAME_BYTES


async def _voiced_s(detector: Silero, sound: bytes) -> float:
    detector.reset()
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound) - FRAME_BYTES, FRAME_BYTES)]
    return sum([await detector.speech(frame) > 0.5 for frame in frames]) * 0.032


def _quiet_tail(sound: bytes) -> bool:
    tail = np.frombuffer(sound[-16_000:], np.int16)
    return tail.size > 0 and int(np.abs(tail.astype(np.int32)).max()) < 50


async def turns(daemon: DaemonProcess) -> list[str]:
    """What people said, as it was stored."""
    return [row["content"] for row in await daemon.rows("SELECT content FROM messages WHERE role = 'user'")]


async def test_spoken_to_killed_and_started_again(made_data: Path) -> None:
    cards = sound_cards("spk rate=48000 channels=2", "mic rate=16000 channels=1", sink="spk", source="mic.monitor")
    with cards as env, short_folder() as folder:
        sound = {name: env[name] for name in ("XDG_RUNTIME_DIR", "HOME", "PULSE_SINK", "PULSE_SOURCE")}
        async with Room(env, folder) as room, daemon_process(made_data, extra=sound) as mordomo:
            parts = (await mordomo.get("/health")).json()["parts"]
            if parts["speaker"]["condition"] == "missing":
                pytest.skip(parts["speaker"]["detail"])
            await _listening(mordomo)

            mark = room.mark
            await room.say(SCENES / "acende-sala.wav")
            assert await room.speech_after(mark, within_s=20) > 0.6
            lamp = (await mordomo.get("/household")).json()["devices"]
            assert next(one["state"] for one in lamp if one["name"] == "luz da sala") == "on"

            mark = room.mark
            await room.say(SCENES / "lembrete-remedio.wav")
            await room.speech_after(mark, within_s=20)
            # The minute is shortened by SQL, as anyone who minds the house may do.
            await mordomo.rows("UPDATE reminders SET scheduled_at = now() + interval '2 seconds'")
            await mordomo.end(signal.SIGKILL)
            mark = room.mark
            await mordomo.start()
            assert await room.speech_after(mark, within_s=40) > 0.6
            async with asyncio.timeout(20):
                while not await mordomo.rows("SELECT 1 FROM reminders WHERE status = 'triggered'"):
                    await asyncio.sleep(0.1)
            assert len(await turns(mordomo)) == 2


async def _listening(daemon: DaemonProcess) -> None:
    async with asyncio.timeout(120):
        while True:
            parts = (await daemon.get("/health")).json()["parts"]
            if parts["microphone"]["condition"] == "ok" and parts["stt"]["condition"] == "trial":
                return
            await asyncio.sleep(0.2)
