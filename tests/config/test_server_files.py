"""The servers' configuration files against Debian's servers, which read the same language as the images'."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import aiomqtt
import asyncpg
import pytest
from aiomqtt import MqttError, ProtocolVersion
from support.background import Background
from support.folders import short_folder
from support.postgres import DEBIAN, Databases, debian

from config.passwords import mosquitto_line
from daemon.devices.broker import mosquitto_program
from db.server_account import Account, server_account

CONFIG = Path(str(resources.files("config")))
ROOT = CONFIG.parent
needs_mosquitto = pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed")


@pytest.fixture(scope="module")
def shipped_postgres(background: Background) -> Iterator[Databases]:
    """Debian's server with config/postgresql.conf, as the image starts it: `-c config_file`."""
    if not DEBIAN:
        pytest.skip("Debian's postgresql is not installed")
    with short_folder() as folder:
        settings = folder / "postgresql.conf"
        shutil.copy(CONFIG / "postgresql.conf", settings)
        settings.chmod(0o644)
        with debian(background, settings) as databases:
            yield databases


def assignments() -> dict[str, str]:
    lines = (CONFIG / "postgresql.conf").read_text().splitlines()
    stripped = [line.split("#")[0].strip() for line in lines]
    return {name.strip(): value.strip().strip("'") for name, value in (line.split("=") for line in stripped if line)}


@pytest.mark.debian
async def test_debians_postgres_accepts_every_line(shipped_postgres: Databases) -> None:
    connection = await asyncpg.connect(shipped_postgres.url)
    rows = await connection.fetch("SELECT name, error FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.conf'")
    held = {row["name"].lower(): await connection.fetchval("SELECT current_setting($1)", row["name"]) for row in rows}
    await connection.close()
    by_the_tests = {"listen_addresses", "fsync", "synchronous_commit"}  # on their command line, which wins
    assert [row["name"] for row in rows if row["error"] is not None and row["name"] not in by_the_tests] == []
    wanted = {name.lower(): value for name, value in assignments().items() if name not in by_the_tests}
    assert len(wanted) > 25
    assert {name: canonical(held[name]) for name in wanted} == {name: canonical(v) for name, v in wanted.items()}


def canonical(value: str) -> str:
    """Return a size or a duration in its smallest usual unit: 1GB and 1024MB are the same."""
    for unit, factor in {"GB": 1024 * 1024, "MB": 1024, "kB": 1, "min": 60_000, "ms": 1, "s": 1000}.items():
        number = value.removesuffix(unit)
        if number != value and number.isdigit():
            return str(int(number) * factor)
    return value


@dataclass(frozen=True, slots=True)
class Broker:
    port: int
    log: Path

    def client(self, user: str | None, password: str | None) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1", self.port, username=user, password=password, protocol=ProtocolVersion.V5, timeout=5
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Broker]:
    """The shipped mosquitto.conf, ACL and password file, with only the image's folders and the port put elsewhere."""
    program = mosquitto_program()
    assert program is not None
    with short_folder() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        (folder / "home").mkdir(mode=0o700)
        account = await lesser_user(folder / "home")
        text = (CONFIG / "mosquitto.conf").read_text()
        text = text.replace("/mosquitto/config/", f"{folder}/home/").replace("/mosquitto/data/", f"{folder}/home/")
        account.write(folder / "home/mosquitto.conf", text.replace("listener 1883", f"listener {port} 127.0.0.1"))
        account.write(folder / "home/mosquitto.acl", (CONFIG / "mosquitto.acl.example").read_text())
        people = {"mordomo": "segredo", "esp-sala": "sala", "zigbee2mqtt": "zigbee"}
        account.write(folder / "home/mosquitto.passwords", "".join(mosquitto_line(*pair) for pair in people.items()))
        account.write(folder / "home/log", "")
        with (folder / "home/log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                program,
                "-c",
                folder / "home/mosquitto.conf",
                stdout=log,
                stderr=log,
                user=account.uid,
                group=account.gid,
            )
        try:
            await until_listening(port)
            yield Broker(port, folder / "home/log")
        finally:
            process.terminate()
            await process.wait()


async def lesser_user(home: Path) -> Account:
    """Return who runs the broker: the system user where we are root, who also gets `home`."""
    account = await server_account(home)
    account.own(home)
    return account


async def until_listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


@needs_mosquitto
@pytest.mark.debian
@pytest.mark.parametrize(
    ("user", "password"), [("mordomo", "errada"), (None, None), ("ninguem", "segredo"), ("mordomo", "")]
)
async def test_nobody_enters_without_the_right_password(house: Broker, user: str | None, password: str | None) -> None:
    with pytest.raises(MqttError, match=r"Not authorized|not authorised|Bad user name or password|135"):
        async with house.client(user, password):
            pass


@needs_mosquitto
@pytest.mark.debian
async def test_only_ones_own_topics_may_be_written(house: Broker) -> None:
    async with house.client("mordomo", "segredo") as mordomo, house.client("esp-sala", "sala") as device:
        await mordomo.subscribe("#", qos=1)
        for topic in (
            "mordomo/pergunta",
            "casa/cozinha/luz",
            "zigbee2mqtt/lampada/set",
            "homeassistant/light/outro/config",
        ):
            await device.publish(topic, "abre o portão", qos=1)
        await device.publish("homeassistant/light/esp-sala/config", "{}", qos=1)
        await device.publish("casa/esp-sala/luz", "ligada", qos=1)
        heard = []
        async with asyncio.timeout(5):
            async for message in mordomo.messages:
                heard.append(message.topic.value)
                if message.topic.value == "casa/esp-sala/luz":
                    break
    assert heard == ["homeassistant/light/esp-sala/config", "casa/esp-sala/luz"]


@needs_mosquitto
@pytest.mark.debian
async def test_only_ones_own_topics_are_heard(house: Broker) -> None:
    async with house.client("mordomo", "segredo") as mordomo, house.client("esp-sala", "sala") as device:
        await device.subscribe("#", qos=1)
        await mordomo.publish("zigbee2mqtt/porta/set", "abre", qos=1)
        await mordomo.publish("casa/esp-sala/luz/set", "liga", qos=1)
        async with asyncio.timeout(5):
            async for message in device.messages:
                assert message.topic.value == "casa/esp-sala/luz/set"
                break


@needs_mosquitto
@pytest.mark.debian
async def test_a_message_above_the_limit_is_refused(house: Broker) -> None:
    async with house.client("mordomo", "segredo") as mordomo:
        await mordomo.publish("casa/foto", bytes(256 * 1024), qos=1)
    with pytest.raises(MqttError):
        async with house.client("mordomo", "segredo") as mordomo:
            await mordomo.publish("casa/foto", bytes(400 * 1024), qos=1, timeout=1)
    assert "rror: Unknown" not in house.log.read_text()


@needs_mosquitto
@pytest.mark.debian
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_our_password_lines_are_mosquittos_own(tmp_path: Path) -> None:
    theirs = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", theirs, "mordomo", "segredo"], check=True, capture_output=True)
    shape = [
        [len(part) for part in line.split("$")] for line in (theirs.read_text(), mosquitto_line("mordomo", "segredo"))
    ]
    assert shape[0] == shape[1]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_what_systemd_understands(tmp_path: Path) -> None:
    unit = tmp_path / "mordomo.service"
    text = (CONFIG / "systemd/mordomo.service").read_text()
    unit.write_text(text.replace("/opt/mordomo/.venv/bin/mordomo", "/bin/true"))
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], check=False, capture_output=True, text=True)
    ours = [line for line in (found.stdout + found.stderr).splitlines() if "mordomo.service" in line]
    assert (found.returncode, ours) == (0, [])
    for line in ("Restart=always", "KillSignal=SIGTERM", "NoNewPrivileges=yes", "ProtectSystem=strict"):
        assert line in text.splitlines()


def test_the_packaged_files_are_found_from_anywhere() -> None:
    code = (
        "from importlib import resources as r; assert 'listener' in (r.files('config') / 'mosquitto.conf').read_text()"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run([shutil.which("python3") or "python3", "-c", code], check=True, cwd="/", env=env)
