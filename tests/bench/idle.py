"""What an idle Mordomo costs: memory and processor of the daemon and its servers, with one microphone listening.

    python -m tests.bench.idle [--seconds 30] [--json]

The microphone is a null sink of PulseAudio in a folder of its own, playing silence with a little noise; where PulseAudio
or PortAudio is not installed the daemon idles without one, and the table says so. Memory is the proportional set size:
pages that several processes share are counted once.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.daemon_process import daemon_process
from support.folders import short_folder
from support.pulse import sound_cards

SETTLE_S = 12.0
"""Engines load in the background after the start."""


async def measure(seconds: float) -> dict[str, Any]:
    """Return {"microphone": bool, "parts": {name: {"pss_mb", "cpu_percent"}}}."""
    with ExitStack() as stack:
        extra: dict[str, str] = {}
        try:
            env = stack.enter_context(
                sound_cards("spk rate=48000 channels=2", "mic rate=16000 channels=1", sink="spk", source="mic.monitor")
            )
            extra = {name: env[name] for name in ("XDG_RUNTIME_DIR", "HOME", "PULSE_SINK", "PULSE_SOURCE")}
        except BaseException as skipped:  # pytest's Skipped is no Exception
            if type(skipped).__name__ != "Skipped":
                raise
        folder = stack.enter_context(short_folder())
        async with daemon_process(folder / "data", extra=extra) as mordomo:
            await asyncio.sleep(SETTLE_S)
            parts = _processes(mordomo.process.pid if mordomo.process else 0, folder)
            before = {name: _cpu_s(processes) for name, processes in parts.items()}
            await asyncio.sleep(seconds)
            microphone = (await mordomo.get("/health")).json()["parts"]["microphone"]["condition"] == "ok"
            return {
                "microphone": microphone,
                "parts": {
                    name: {
                        "pss_mb": round(sum(map(_pss, processes)) / 1e6, 1),
                        "cpu_percent": round((_cpu_s(processes) - before[name]) / seconds * 100, 2),
                    }
                    for name, processes in parts.items()
                },
            }


def _processes(daemon: int, folder: Path) -> dict[str, list[psutil.Process]]:
    """Return the processes that belong to the daemon on this data directory, by what they are."""
    found: dict[str, list[psutil.Process]] = {"daemon": [psutil.Process(daemon)]}
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            where = process.cwd()
        except psutil.Error:
            continue
        if str(folder) in words + where and process.name().startswith("postgres"):
            found.setdefault("PostgreSQL", []).append(process)
        elif str(folder) in words and process.name() == "mosquitto":
            found.setdefault("mosquitto", []).append(process)
        elif "daemon.demo.house" in words and f"--parent-pid {daemon}" in words:
            found.setdefault("demonstration house", []).append(process)
    return found


def _pss(process: psutil.Process) -> int:
    """Return the bytes that a process has for its share; none where it has just ended, as a server's workers do."""
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().pss)
    return 0


def _cpu_s(processes: list[psutil.Process]) -> float:
    spent = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a server's worker that has just ended
            spent += sum(process.cpu_times()[:2])
    return spent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(measure(options.seconds))
    if options.json:
        print(json.dumps(result))
        return
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"idle for {options.seconds:g} s ({machine}), microphone listening: {result['microphone']}")
    for name, figures in result["parts"].items():
        print(f"  {name}: {figures['pss_mb']} MB, {figures['cpu_percent']} % of one core")


if __name__ == "__main__":
    main()
