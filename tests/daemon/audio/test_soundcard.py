"""The sound card: a real one made by PulseAudio where it is installed, and the named states where there is none."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pulse import environment, sound_cards

TRY_BOTH = """
import asyncio
from daemon.audio.earcons import awake
from daemon.audio.microphone import Microphone
from daemon.audio.soundcard import SoundCard
from daemon.errors import EngineMissing

async def once():
    yield awake()

async def main():
    for trial in (anext(Microphone().frames()), SoundCard().play(once())):
        try:
            await trial
        except EngineMissing as missing:
            print(missing.engine, missing.why, missing.mend, sep="|")

asyncio.run(main())
"""


@pytest.fixture
def room() -> Iterator[dict[str, str]]:
    """An environment in which what the speaker plays is what the microphone hears."""
    with sound_cards("room rate=48000 channels=2", sink="room", source="room.monitor") as home:
        yield home


def test_what_is_played_is_heard_and_stops_when_cancelled(room: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "support.loopback"], env=room, capture_output=True, text=True, timeout=60, check=False
    )
    if "falta a biblioteca" in done.stderr or "não achei nenhum" in done.stderr:
        pytest.skip("libportaudio2 or libasound2-plugins is not installed")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])

    assert result["likeness"] > 0.7
    assert 0 <= result["delay_ms"] < 300
    assert 0.95 < result["play_took_s"] < 1.6
    assert result["loud_after_cancel_ms"] < 200


def states(env: dict[str, str]) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", TRY_BOTH], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def test_without_portaudio_the_command_that_mends_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')", encoding="utf-8")
    env = environment()
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), env["PYTHONPATH"]])

    microphone, speaker = states(env)
    assert (microphone[0], speaker[0]) == ("microfone", "alto-falante")
    assert "sudo apt install libportaudio2" in microphone[2]
    assert "sudo apt install libportaudio2" in speaker[2]


def test_without_a_sound_card_each_is_a_named_state(tmp_path: Path) -> None:
    cards = Path("/proc/asound/cards")
    if cards.is_file() and "no soundcards" not in cards.read_text(encoding="utf-8"):
        pytest.skip("this machine has a sound card")
    microphone, speaker = states(environment(HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), PULSE_SERVER="none"))
    assert (microphone[0], speaker[0]) == ("microfone", "alto-falante")
    assert all(state[1] and state[2] for state in (microphone, speaker))
