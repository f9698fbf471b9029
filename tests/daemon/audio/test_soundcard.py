"""The sound card: a real one made by PulseAudio where it is installed, and the named states where there is none."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.folders import short_folder

TESTS = Path(__file__).parents[2]
PULSE = [
    "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
    "-L", "module-native-protocol-unix",
    "-L", "module-null-sink sink_name=room rate=48000 channels=2",
]  # fmt: skip
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


def environment(**changed: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), **changed}


@pytest.fixture
def room() -> Iterator[dict[str, str]]:
    """An environment in which what the speaker plays is what the microphone hears."""
    if shutil.which("pulseaudio") is None or shutil.which("pacat") is None:
        pytest.skip("pulseaudio is not installed")
    with short_folder() as folder:
        folder.chmod(0o700)
        home = environment(
            XDG_RUNTIME_DIR=str(folder), HOME=str(folder), PULSE_SINK="room", PULSE_SOURCE="room.monitor"
        )
        # A null sink sleeps for up to 2 s at a time unless something with a short latency plays on it.
        awake = [
            "pacat",
            "-d",
            "room",
            "--rate=48000",
            "--channels=2",
            "--format=s16le",
            "--latency-msec=20",
            "/dev/zero",
        ]
        with running(PULSE, home):
            wait_for(folder / "pulse" / "native")
            with running(awake, home):
                yield home


class running:  # noqa: N801 - reads as a word
    """A program that runs until the block ends."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._program = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._program.terminate()
        self._program.wait(10)


def wait_for(path: Path, within_s: float = 10) -> None:
    until_s = time.monotonic() + within_s
    while not path.exists():
        assert time.monotonic() < until_s, f"{path} did not appear"
        time.sleep(0.02)


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
