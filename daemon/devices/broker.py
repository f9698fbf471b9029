"""The MQTT broker that Mordomo brings along, on 127.0.0.1 only: mosquitto where installed, else amqtt, to try it.

The broker runs in a process of its own, which is nobody's child. It ends with the last command that uses it; where a
daemon was killed, the next one finds the orphan through a state file, proves that it is a broker of this data
directory, and goes on with it: devices do not notice.
"""

import asyncio
import json
import os
import shutil
import socket
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Literal, Self

import psutil
import structlog

from daemon.errors import LinkDown
from db.server_account import Account, CannotStart, claim_folder
from db.shared_use import SharedUse

__all__ = ["CannotStart", "EmbeddedBroker"]

log = structlog.get_logger(__name__)

Kind = Literal["mosquitto", "amqtt"]
HOST = "127.0.0.1"
PORTS = range(1883, 1983)
START_S = 15.0
STOP_S = 4.0
WATCH_S = 0.5
MAX_LOG_BYTES = 4 * 1024 * 1024
AMQTT_CHILD = Path(__file__).with_name("amqtt_child.py")
NOT_OURS = {"listener", "allow_anonymous", "password_file", "acl_file", "persistence_location", "log_dest"}
"""Settings of config/mosquitto.conf that a broker on loopback, in a folder of its own, has differently."""
NOTICE = (
    "O broker MQTT que vem junto (amqtt) serve para experimentar o Mordomo, não para morar com ele: esquece tudo ao "
    "parar e não avisa quando um aparelho some. Instale o mosquitto: sudo apt install mosquitto"
)


@dataclass(frozen=True, slots=True)
class _Broker:
    """A broker's process, as the state file tells it. `mark` is an argument that only our brokers have."""

    kind: Kind
    pid: int
    port: int
    mark: str

    def alive(self) -> bool:
        # A pid alone proves nothing: it may have been given to another process since.
        try:
            return self.mark in psutil.Process(self.pid).cmdline()
        except psutil.Error:
            return False

    def listening(self) -> bool:
        """Tell whether this very process, and no other, takes connections on its port."""
        try:
            sockets = psutil.Process(self.pid).net_connections("tcp4")
            mine = any(s.status == psutil.CONN_LISTEN and s.laddr == (HOST, self.port) for s in sockets)
            return mine and _answers(self.port)
        except psutil.Error:
            return False


class EmbeddedBroker:
    """The broker of one Mordomo data directory, in `data_dir/broker`; also the Service that restarts it.

    Entering starts it, or joins the one that runs; leaving ends it unless another command uses it.
    """

    name = "broker"

    def __init__(self, data_dir: Path, *, kind: Kind | None = None) -> None:
        """Take the data directory. `kind` asks for one of the two brokers; without it, mosquitto where installed."""
        self.home = data_dir.expanduser().absolute() / "broker"
        self._log = self.home / "broker.log"
        self._state = self.home / "state.json"
        self._program = mosquitto_program() if kind != "amqtt" else None
        if kind == "mosquitto" and self._program is None:
            raise CannotStart("O mosquitto não está instalado. Rode: sudo apt install mosquitto")
        self._use = SharedUse(self.home, "broker")
        self._broker: _Broker | None = None

    async def __aenter__(self) -> Self:
        """Raise CannotStart for what only the operator can mend, LinkDown where trying again may help."""
        account = await claim_folder(self.home)
        async with self._use.exclusively(account, START_S):
            self._broker = await self._found() or await self._started(account, self._ports())
            self._use.join(account)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End the broker, unless another command uses it."""
        self._use.leave()
        account = await claim_folder(self.home)
        async with self._use.exclusively(account, START_S):
            if self._use.others(account):
                log.info("broker_left_running", reason="in use")
            else:
                await _end(self._running)

    @property
    def _running(self) -> _Broker:
        if self._broker is None:
            message = "the broker was not entered"
            raise RuntimeError(message)
        return self._broker

    @property
    def url(self) -> str:
        """The broker's address, `mqtt://127.0.0.1:PORT`."""
        return f"mqtt://{HOST}:{self._running.port}"

    @property
    def kind(self) -> Kind:
        """Which of the two brokers runs."""
        return self._running.kind

    @property
    def pid(self) -> int:
        """The broker's process."""
        return self._running.pid

    @property
    def notice(self) -> str | None:
        """What the household should know of this broker, and what mends it; None where there is nothing to mend."""
        return NOTICE if self.kind == "amqtt" else None

    async def run(self) -> None:
        """Watch the broker until cancelled; where it is gone, start it again on the same port first.

        Raises LinkDown when it ends, for `supervise` to call again.
        """
        if not self._running.alive():
            account = await claim_folder(self.home)
            async with self._use.exclusively(account, START_S):
                self._broker = await self._found() or await self._again(account)
        while self._running.alive():
            await asyncio.sleep(WATCH_S)
            self._trim_log()
        raise LinkDown("broker", f"{self.kind} terminou")

    async def _found(self) -> _Broker | None:
        """Return the broker that a former command left, once it answers."""
        left = self._left()
        if left is None or not left.alive():
            return None
        if await _until_listening(left):
            log.info("broker_joined", kind=left.kind, port=left.port)
            return left
        await _end(left)
        return None

    def _left(self) -> _Broker | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            state = json.loads(self._state.read_text(encoding="utf-8"))
            kind: Kind = "amqtt" if state["kind"] == "amqtt" else "mosquitto"
            return _Broker(kind, int(state["pid"]), int(state["port"]), self._mark(kind))
        return None

    def _ports(self) -> list[int]:
        """Return the ports to try: first the last one used, which devices may have been given."""
        left = self._left()
        return ([left.port] if left else []) + list(PORTS)

    async def _again(self, account: Account) -> _Broker:
        port = self._running.port
        await _until_free(port)
        return await self._started(account, [port])

    async def _started(self, account: Account, ports: list[int]) -> _Broker:
        for port in ports:
            if _free(port) and (broker := await self._start(account, port)) is not None:
                log.info("broker_started", kind=broker.kind, port=port, pid=broker.pid)
                return broker
        raise LinkDown("broker", f"porta {ports[0]} de {HOST} ocupada por outro programa")

    async def _start(self, account: Account, port: int) -> _Broker | None:
        """Start a broker on `port`; return None where another process was quicker to take it."""
        kind: Kind = "mosquitto" if self._program else "amqtt"
        account.write(self._log, "")
        if self._program:
            account.write(Path(self._mark(kind)), self._settings(port))
            command = [self._program, "-c", self._mark(kind)]
        else:
            # Python's own environment may lie where only we can read it, so this one runs as we do.
            account = Account("", os.geteuid(), os.getegid(), switch=False)
            paths = "PYTHONPATH=" + os.pathsep.join(path for path in sys.path if path)
            command = ["env", paths, sys.executable, "-P", str(AMQTT_CHILD), self._mark(kind), "--port", str(port)]
        script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
        _, output = await account.run("/bin/sh", "-c", script, "sh", self._log, *command, cwd=self.home)
        broker = _Broker(kind, int(output), port, self._mark(kind))
        if await _until_listening(broker):
            (await claim_folder(self.home)).write(self._state, json.dumps(asdict(broker)))
            return broker
        if not _free(port):
            return None
        await _end(broker)
        reason = self._log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
        raise CannotStart(f"O broker MQTT ({kind}) não começou. O que ele disse: {reason}")

    def _mark(self, kind: Kind) -> str:
        return str(self.home / "mosquitto.conf") if kind == "mosquitto" else f"--home={self.home}"

    def _settings(self, port: int) -> str:
        shipped = (resources.files("config") / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
        kept = [line for line in shipped if line and not line.startswith("#") and line.split()[0] not in NOT_OURS]
        own = [
            f"listener {port} {HOST}",
            "allow_anonymous true",
            f"persistence_location {self.home}/",
            "log_dest stdout",
        ]
        return "\n".join(["# Written by Mordomo at each start, from config/mosquitto.conf.", *own, *kept, ""])

    def _trim_log(self) -> None:
        with suppress(OSError):
            if self._log.stat().st_size > MAX_LOG_BYTES:
                os.truncate(self._log, 0)  # the broker appends to it


def mosquitto_program() -> str | None:
    """Return the path of mosquitto, also where only root's PATH has it; None where it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    return shutil.which("mosquitto", path=path)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


async def _until_free(port: int) -> None:
    """Wait a little for the kernel to take a dead process's port back."""
    for _ in range(100):
        if _free(port):
            return
        await asyncio.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _gone(pid: int) -> bool:
    # Not by the arguments: a process that is becoming another program, or ending, has none for a moment.
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _until_listening(broker: _Broker) -> bool:
    deadline = monotonic() + START_S
    while not _gone(broker.pid) and monotonic() < deadline:
        if broker.listening():
            return True
        await asyncio.sleep(0.02)
    return False


async def _end(broker: _Broker) -> None:
    """Ask the broker to end, which lets it save its retained messages; after STOP_S make it."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(broker.pid)
        if not broker.alive():
            return
        process.terminate()
        deadline = monotonic() + STOP_S
        # Until its port is free, too: `alive` tells a moment too early.
        while process.is_running() and not _gone(broker.pid):
            if monotonic() > deadline:
                process.kill()
                log.warning("broker_killed", kind=broker.kind)
            await asyncio.sleep(0.02)
