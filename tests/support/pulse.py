"""A sound card made by PulseAudio, in a folder of its own: no hardware, no other sound server is touched."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.folders import short_folder

TESTS = Path(__file__).parents[1]
SERVER = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-native-protocol-unix"]


def environment(**changed: str) -> dict[str, str]:
    """Return this process's environment, with the tests and the project importable."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), **changed}


@contextmanager
def sound_cards(*sinks: str, sink: str, source: str) -> Iterator[dict[str, str]]:
    """Give the environment of a machine with null sinks `NAME rate=… channels=…`, one of them its speaker.

    `source` is its microphone: `NAME.monitor` hears what is played on NAME. Skips where PulseAudio is not installed.
    """
    if shutil.which("pulseaudio") is None or shutil.which("pacat") is None:
        pytest.skip("pulseaudio is not installed")
    modules = [word for one in sinks for word in ("-L", f"module-null-sink sink_name={one}")]
    with short_folder() as folder, ExitStack() as stack:
        folder.chmod(0o700)
        home = environment(XDG_RUNTIME_DIR=str(folder), HOME=str(folder), PULSE_SINK=sink, PULSE_SOURCE=source)
        stack.enter_context(running([*SERVER, *modules], home))
        wait_for(folder / "pulse" / "native")
        for one in sinks:
            # A null sink sleeps for up to 2 s at a time unless something with a short latency plays on it.
            zeros = ["--rate=48000", "--channels=2", "--format=s16le", "--latency-msec=20", "/dev/zero"]
            stack.enter_context(running(["pacat", "-d", one.split()[0], *zeros], home))
        yield home


@contextmanager
def running(command: Sequence[str], env: dict[str, str]) -> Iterator[None]:
    """Run a program until the block ends."""
    program = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        program.terminate()
        program.wait(10)


def wait_for(path: Path, within_s: float = 10) -> None:
    """Wait until a file is there."""
    until_s = time.monotonic() + within_s
    while not path.exists():
        assert time.monotonic() < until_s, f"{path} did not appear"
        time.sleep(0.02)
