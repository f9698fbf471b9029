"""The example of rules for the broker: Mordomo reaches every device, and a device reaches only its own branch."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest
from mqtt_gadget import gadget, running
from support.folders import short_folder

from daemon.clock import SystemClock
from daemon.devices.link import Devices
from daemon.devices.order import Order

EXAMPLE = Path(__file__).parents[3] / "config" / "mosquitto.acl.example"
PEOPLE = ("mordomo", "zigbee2mqtt", "bomba", "intruso")


@asynccontextmanager
async def ruled_broker(folder: Path) -> AsyncIterator[int]:
    """A mosquitto with the example's rules, where each of PEOPLE enters with their own name as password; its port."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto or mosquitto_passwd is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for number, name in enumerate(PEOPLE):
        make = ("-c",) if number == 0 else ()
        process = await asyncio.create_subprocess_exec(
            "mosquitto_passwd", *make, "-b", f"{folder}/users", name, name, stderr=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0
    shutil.copy(EXAMPLE, folder / "acl")
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\nacl_file {folder}/acl\n"
    )
    for name in ("users", "acl", "conf"):
        (folder / name).chmod(0o644)  # where the tests run as root, mosquitto reads them as a user of its own
    folder.chmod(0o755)
    server = await asyncio.create_subprocess_exec(program, "-c", f"{folder}/conf", stderr=asyncio.subprocess.PIPE)
    try:
        assert server.stderr is not None
        while b"running" not in await server.stderr.readline():
            assert server.returncode is None
        yield port
    finally:
        server.terminate()
        await server.communicate()


async def test_mordomo_reaches_devices_and_a_device_only_its_own_branch() -> None:
    with short_folder() as folder:
        async with (
            ruled_broker(folder) as port,
            gadget(f"mqtt://bomba:bomba@127.0.0.1:{port}", "casa/bomba") as pump,
            aiomqtt.Client("127.0.0.1", port, username="intruso", password="intruso") as intruder,
        ):
            pump.answer = lambda topic, payload: [(topic.replace("/set", "/state"), payload.decode())]
            announced = {"cmd_t": "casa/bomba/agua/set", "stat_t": "casa/bomba/agua/state", "obj_id": "bomba"}
            await pump.say("homeassistant/switch/bomba/agua/config", announced)
            async with running(
                Devices(f"mqtt://mordomo:mordomo@127.0.0.1:{port}", SystemClock(), lambda: 3000)
            ) as devices:
                assert (await devices.carry_out(Order("switch.bomba", "turn_on"))).kind == "confirmed"
                for topic in ("casa/bomba/agua/set", "casa/bomba/agua/state", "homeassistant/switch/bomba/agua/config"):
                    await intruder.publish(topic, "OFF", qos=1)
                assert (await devices.carry_out(Order("switch.bomba", "turn_off"))).kind == "confirmed"
                assert [payload for _, payload in pump.got] == [b"ON", b"OFF"]
                assert devices.house.refused.total() == 0
