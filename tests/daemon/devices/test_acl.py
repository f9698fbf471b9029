"""The example of rules for the broker: Mordomo reaches every device, and a device reaches only its own branch."""

import shutil
from pathlib import Path

import aiomqtt
from guarded_mosquitto import guarded_mosquitto
from mqtt_gadget import gadget, running
from support.folders import short_folder

from daemon.clock import SystemClock
from daemon.devices.link import Devices
from daemon.devices.order import Order

EXAMPLE = Path(__file__).parents[3] / "config" / "mosquitto.acl.example"
PEOPLE = ("mordomo", "zigbee2mqtt", "bomba", "intruso")
"""Each enters with their own name as password."""


async def test_mordomo_reaches_devices_and_a_device_only_its_own_branch() -> None:
    with short_folder() as folder:
        shutil.copy(EXAMPLE, folder / "acl")
        async with (
            guarded_mosquitto(folder, {name: name for name in PEOPLE}, f"acl_file {folder}/acl") as port,
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
