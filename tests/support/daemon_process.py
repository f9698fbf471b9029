"""The whole daemon as a process of its own, as a household runs it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from daemon.devices.broker import EmbeddedBroker
from db.embedded import EmbeddedPostgres
from support.command import mordomo

READY_S = 60.0


@dataclass
class DaemonProcess:
    """`mordomo run` on a data directory. What it prints is kept in `log`."""

    data_dir: Path
    extra: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--no-prompt",)
    process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What its commands run in: nothing of this machine's own settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MORDOMO_")}
        return {**kept, "MORDOMO_DATA_DIR": str(self.data_dir), "MORDOMO_HTTP_PORT": "0", **self.extra}

    @property
    def log(self) -> str:
        """All that it has printed."""
        path = self.data_dir.with_suffix(".log")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def url(self) -> str:
        """Where it answers HTTP."""
        return str(json.loads((self.data_dir / "daemon.json").read_text())["url"])

    async def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self.data_dir.with_suffix(".log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "daemon", "run", *self.arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
            )  # fmt: skip

    async def start(self) -> None:
        """Start it and wait until it takes turns."""
        await self.launch()
        assert self.process is not None
        async with asyncio.timeout(READY_S):
            while not await self._ready():
                if self.process.returncode is not None:
                    raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log}")
                await asyncio.sleep(0.1)

    async def _ready(self) -> bool:
        with suppress(OSError, ValueError, httpx.HTTPError):
            return (await self.get("/ready")).status_code == 200
        return False

    async def get(self, path: str) -> httpx.Response:
        """GET from its HTTP interface."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=30) as http:
            return await http.get(path)

    async def ask(self, text: str, **more: object) -> dict[str, Any]:
        """Take a typed turn over HTTP."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=60) as http:
            answer = await http.post("/ask", json={"text": text, **more})
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

    async def refused(self) -> str:
        """Start it and wait until it has ended with 1; return what it printed."""
        before = len(self.log)
        await self.launch()
        assert self.process is not None
        assert await self.process.wait() == 1, self.log
        return self.log[before:]

    async def command(self, *words: str) -> tuple[int, str, str]:
        """Run another `mordomo` command on the same data; return its status, output and errors."""
        ended = await mordomo(None, *words, data_dir=self.data_dir)
        return ended.status, ended.out, ended.err

    async def rows(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Query its own database, as any SQL client may."""
        server = EmbeddedPostgres(self.data_dir)
        connection = await asyncpg.connect(await server.start())
        try:
            return list(await connection.fetch(sql, *args))
        finally:
            await connection.close()
            await server.stop()

    async def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 10.0) -> int:
        """Send a signal and return the exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(within_s):
            return await self.process.wait()


async def until(condition: Any, within_s: float = 15.0) -> None:
    """Wait until `await condition()` is true."""
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def daemon_process(data_dir: Path, *, started: bool = True, **how: Any) -> AsyncIterator[DaemonProcess]:
    """Give a daemon, running unless told otherwise; it is ended, with its servers, however the test ends."""
    daemon = DaemonProcess(data_dir, **how)
    try:
        if started:
            await daemon.start()
        yield daemon
    finally:
        if daemon.process is not None and daemon.process.returncode is None:
            await daemon.end()
        await _stop_servers(daemon)


async def _stop_servers(daemon: DaemonProcess) -> None:
    """Stop what a killed daemon left running, the way the next daemon would."""
    postgres = EmbeddedPostgres(daemon.data_dir)
    if postgres.running():
        await postgres.stop(only_if_unused=False)
    ended_well = daemon.process is not None and daemon.process.returncode == 0
    if not ended_well and (daemon.data_dir / "broker" / "state.json").exists():
        async with EmbeddedBroker(daemon.data_dir):
            pass
