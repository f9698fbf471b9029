"""The embedded broker against what happens to it: killed, joined, orphaned, its port taken, flooded."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import aiomqtt
import psutil
import pytest
from support.folders import short_folder

from daemon.clock import SystemClock
from daemon.devices.broker import PORTS, EmbeddedBroker, mosquitto_program
from daemon.errors import LinkDown
from daemon.supervise import supervise
from db.server_account import CannotStart, claim_folder

INSTALLED = mosquitto_program() is not None
KINDS = [
    pytest.param("mosquitto", marks=pytest.mark.skipif(not INSTALLED, reason="mosquitto is not installed")),
    "amqtt",
]
Kind = Literal["mosquitto", "amqtt"]
COMMAND = """
import asyncio, os, signal, sys
from pathlib import Path
from daemon.devices.broker import EmbeddedBroker
async def main():
    async with EmbeddedBroker(Path(sys.argv[1]), kind=sys.argv[2]) as broker:
        print(broker.pid, broker.url, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    value: Kind = request.param
    return value


@pytest.fixture
async def broker(folder: Path, kind: Kind) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(folder / "data", kind=kind) as broker:
        yield broker


def client(broker: EmbeddedBroker) -> aiomqtt.Client:
    address = urlsplit(broker.url)
    return aiomqtt.Client(str(address.hostname), int(address.port or 0), timeout=5)


async def said(broker: EmbeddedBroker, topic: str) -> bytes:
    """Return the message that is retained on `topic`."""
    async with client(broker) as reader, asyncio.timeout(5):
        await reader.subscribe(topic)
        async for message in reader.messages:
            assert isinstance(message.payload, bytes)
            return message.payload
    raise AssertionError


async def killed_command(folder: Path, kind: Kind) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", COMMAND, folder, kind, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    pid, url = output.decode().splitlines()[-1].split()
    return int(pid), url


async def test_it_carries_messages_on_loopback_only(broker: EmbeddedBroker, kind: Kind) -> None:
    async with client(broker) as writer:
        await writer.publish("casa/sala/luz", "ligada", qos=1, retain=True)
    assert await said(broker, "casa/+/luz") == b"ligada"
    assert broker.kind == kind
    listening = [c.laddr.ip for c in psutil.Process(broker.pid).net_connections("inet") if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


async def test_only_the_one_for_trials_has_a_notice(broker: EmbeddedBroker, kind: Kind) -> None:
    assert (broker.notice is None) == (kind == "mosquitto")
    if broker.notice is not None:
        assert "sudo apt install mosquitto" in broker.notice


async def test_it_ends_when_left(folder: Path, kind: Kind) -> None:
    async with EmbeddedBroker(folder / "data", kind=kind) as broker:
        process = psutil.Process(broker.pid)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_the_next_port_is_taken_where_1883_is_not_free(folder: Path, kind: Kind) -> None:
    with ExitStack() as taken:
        first = PORTS[0]
        for port in PORTS[:2]:
            other = taken.enter_context(socket.socket())
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody else's broker; taken is taken
            other.listen()
        async with EmbeddedBroker(folder / "data", kind=kind) as broker:
            assert int(broker.url.rsplit(":", 1)[1]) >= first + 2


async def test_a_second_command_joins_and_the_last_one_ends_it(broker: EmbeddedBroker, folder: Path) -> None:
    async with EmbeddedBroker(folder / "data") as second:
        assert (second.pid, second.url, second.kind) == (broker.pid, broker.url, broker.kind)
    async with client(broker) as writer:
        await writer.publish("casa/sala/luz", "ligada", qos=1)


async def test_an_orphan_of_a_killed_command_is_found_and_ended(folder: Path, kind: Kind) -> None:
    pid, url = await killed_command(folder / "data", kind)
    assert os.getsid(pid) != os.getsid(0), "Ctrl-C in the terminal would reach it"
    orphan = psutil.Process(pid)
    async with EmbeddedBroker(folder / "data") as broker:
        assert (broker.pid, broker.url, broker.kind) == (pid, url, kind)
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE


async def test_a_state_file_that_lies_is_not_believed(folder: Path, kind: Kind) -> None:
    account = await claim_folder(folder / "data" / "broker")
    sleeper = await asyncio.create_subprocess_exec("sleep", "60")
    lie = f'{{"kind": "{kind}", "pid": {sleeper.pid}, "port": 1999}}'
    for text in (lie, "[]", '{"pid": "x"}', "{", ""):
        account.write(folder / "data/broker/state.json", text)
        async with EmbeddedBroker(folder / "data", kind=kind) as broker:
            assert broker.pid != sleeper.pid
    assert sleeper.returncode is None, "a stranger was ended"
    sleeper.kill()
    await sleeper.wait()


async def test_a_broker_that_dies_comes_back_on_the_same_port(broker: EmbeddedBroker) -> None:
    url, pid = broker.url, broker.pid
    async with asyncio.TaskGroup() as group:
        service = group.create_task(supervise(broker, SystemClock()))
        psutil.Process(pid).kill()
        async with asyncio.timeout(20):
            while broker.pid == pid:
                await asyncio.sleep(0.05)
        service.cancel()
    assert broker.url == url
    async with client(broker) as writer:
        await writer.publish("casa/sala/luz", "ligada", qos=1)


async def killed_while_watched(broker: EmbeddedBroker) -> None:
    watching = asyncio.create_task(broker.run())
    await asyncio.sleep(0)  # it watches now
    psutil.Process(broker.pid).kill()
    await asyncio.wait_for(watching, 10)


async def test_its_death_is_told_as_a_link_that_is_down(broker: EmbeddedBroker) -> None:
    with pytest.raises(LinkDown, match=f"broker: {broker.kind} terminou"):
        await killed_while_watched(broker)


async def taken(other: socket.socket, port: int) -> None:
    """Take a port, as soon as the kernel has it back from a process that just died."""
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    async with asyncio.timeout(5):
        while True:
            try:
                other.bind(("127.0.0.1", port))
            except OSError:
                await asyncio.sleep(0.01)
            else:
                other.listen()
                return


async def test_its_port_taken_meanwhile_is_told_as_a_link_that_is_down(broker: EmbeddedBroker) -> None:
    port = int(broker.url.rsplit(":", 1)[1])
    with pytest.raises(LinkDown, match="terminou"):
        await killed_while_watched(broker)
    with socket.socket() as other:
        await taken(other, port)
        with pytest.raises(LinkDown, match=f"porta {port} .* ocupada"):
            await asyncio.wait_for(broker.run(), 10)


@pytest.mark.skipif(not INSTALLED, reason="mosquitto is not installed")
async def test_what_is_retained_outlives_a_stop(folder: Path) -> None:
    data_dir = folder / "casa da Conceição"
    for turn in range(2):
        async with EmbeddedBroker(data_dir, kind="mosquitto") as broker:
            if turn == 0:
                async with client(broker) as writer:
                    await writer.publish("casa/sala/luz", "ligada", qos=1, retain=True)
            else:
                assert await said(broker, "casa/sala/luz") == b"ligada"


async def test_a_payload_of_32_mb_ends_its_connection_and_costs_no_memory(broker: EmbeddedBroker) -> None:
    before = psutil.Process(broker.pid).memory_info().rss
    topic = b"casa/foto"
    size = 32 * 1024 * 1024
    host, port = broker.url.removeprefix("mqtt://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04joao")
    assert (await reader.readexactly(4))[3] == 0
    writer.write(b"\x30" + remaining(size + len(topic) + 2) + len(topic).to_bytes(2, "big") + topic)
    async with asyncio.timeout(10):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            for _ in range(size // 65536):
                writer.write(bytes(65536))
                await writer.drain()
            await reader.readexactly(1)
    writer.transport.abort()
    assert psutil.Process(broker.pid).memory_info().rss - before < 8 * 1024 * 1024


def remaining(length: int) -> bytes:
    """Return MQTT's encoding of a packet's length: 7 bits a byte, least first (MQTT 3.1.1, 2.2.3)."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


async def test_a_broker_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "mosquitto"
    program.write_text("#!/bin/sh\necho Error: Unknown configuration variable; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(CannotStart, match="Unknown configuration variable"):
        async with EmbeddedBroker(folder / "data", kind="mosquitto"):
            pass
