"""Devices over a real broker: found, commanded, confirmed, and what happens when the link is not there."""

import asyncio
import gc
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mqtt_gadget import Gadget, gadget, running
from support.folders import short_folder

from daemon.clock import SystemClock
from daemon.devices.address import Address
from daemon.devices.broker import EmbeddedBroker, mosquitto_program
from daemon.devices.link import ConfirmedLate, Devices, Order
from daemon.errors import CannotDo, LinkDown


def obeying(name: str = "lamp") -> Callable[[str, bytes], list[tuple[str, str]]]:
    return lambda topic, payload: [(f"{name}/state", payload.decode())] if topic == f"{name}/set" else []


async def announce_lamp(device: Gadget, prefix: str, name: str = "lamp", **more: object) -> None:
    config = {"~": f"{device.base}/{name}", "name": "luz", "obj_id": name, "cmd_t": "~/set", "stat_t": "~/state"}
    await device.say(f"{prefix}/light/{name}/config", {**config, **more})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def devices_at(url: str, prefix: str, confirm_ms: int = 2000, events: list[object] | None = None) -> Devices:
    return Devices(url, SystemClock(), lambda: confirm_ms, prefix, None if events is None else events.append)


@pytest.fixture
def prefix(mqtt_prefix: str) -> str:
    return f"{mqtt_prefix}/ha"


async def test_a_lamp_is_found_and_turned_on_and_off(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", "OFF")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert devices.house.condition("light.lamp").state == "off"
            on = await devices.carry_out(Order("light.lamp", "turn_on"))
            again = await devices.carry_out(Order("light.lamp", "turn_on"))
            off = await devices.carry_out(Order("light.lamp", "toggle"))
        assert (on.kind, on.state, on.previous) == ("confirmed", "on", {"state": "off"})
        assert (again.kind, again.state) == ("already", "on")
        assert (off.kind, off.state) == ("confirmed", "off")
        assert device.got == [("lamp/set", b"ON"), ("lamp/set", b"OFF")]


async def test_what_is_announced_while_connected_is_found_too_and_removal_forgets_it(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device, running(devices_at(broker_url, prefix)) as devices:
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", "ON")
        await until(lambda: devices.house.condition("light.lamp").state == "on")
        await device.say(f"{prefix}/light/lamp/config", "")
        await until(lambda: len(devices.house) == 0)
        with pytest.raises(CannotDo, match="Não encontrei"):
            await devices.carry_out(Order("light.lamp", "turn_on"))


async def test_a_device_without_state_is_only_said_to_be_sent(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await device.say(f"{prefix}/switch/bomb/config", {"cmd_t": f"{mqtt_prefix}/bomb/set", "obj_id": "bomb"})
        async with running(devices_at(broker_url, prefix)) as devices:
            first = await devices.carry_out(Order("switch.bomb", "turn_on"))
            second = await devices.carry_out(Order("switch.bomb", "turn_on"))
        await device.told(2)
        assert [first.kind, second.kind] == ["sent", "sent"]
        assert devices.house.condition("switch.bomb").assumed


async def test_a_silent_device_is_not_said_to_have_obeyed_and_a_late_one_is_reported(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    events: list[object] = []
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix, 80, events)) as devices:
            order = Order("light.lamp", "turn_on")
            outcome = await devices.carry_out(order)
            assert (outcome.kind, outcome.state) == ("silent", None)
            assert 75 <= outcome.ms < 1000
            await device.told()
            await device.say(f"{mqtt_prefix}/lamp/state", "ON")
            await until(lambda: bool(events))
    assert isinstance(events[0], ConfirmedLate)
    assert (events[0].order, events[0].state, len(events)) == (order, "on", 1)


async def test_a_lying_device_is_silent_and_its_own_word_is_kept(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = lambda _topic, _payload: [("lamp/state", "OFF")]
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix, 150)) as devices:
            outcome = await devices.carry_out(Order("light.lamp", "turn_on"))
            assert (outcome.kind, outcome.state) == ("silent", "off")


async def test_an_unavailable_device_is_told_nothing(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix, avty_t=f"{mqtt_prefix}/lamp/here")
        await device.say(f"{mqtt_prefix}/lamp/here", "offline")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "unavailable"
            device.answer = obeying()
            await device.say(f"{mqtt_prefix}/lamp/here", "online")
            await until(lambda: devices.house.condition("light.lamp").available is True)
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"
        assert device.got == [("lamp/set", b"ON")]


async def test_two_orders_to_one_lamp_are_served_one_after_the_other(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix)) as devices:
            orders = [Order("light.lamp", "turn_on" if i % 2 == 0 else "turn_off") for i in range(10)]
            outcomes = await asyncio.gather(*map(devices.carry_out, orders))
        assert [outcome.kind for outcome in outcomes] == ["confirmed"] * 10
        assert [payload for _, payload in device.got] == [b"ON", b"OFF"] * 5


async def test_a_device_that_cannot_says_so_in_portuguese(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await announce_lamp(device, prefix)
        async with running(devices_at(broker_url, prefix)) as devices:
            with pytest.raises(CannotDo, match="luz, não tem ajuste de brilho"):
                await devices.carry_out(Order("light.lamp", "set_brightness", 50))
        assert device.got == []


async def test_mordomo_tells_the_broker_whether_it_is_there(fresh_broker: EmbeddedBroker) -> None:
    async with gadget(fresh_broker.url, "t") as watcher:
        await watcher.client.subscribe("mordomo/status", qos=1)
        async with running(devices_at(fresh_broker.url, "homeassistant")):
            await watcher.told(1)
        await watcher.told(2)
        assert [payload for _, payload in watcher.got] == [b"online", b"offline"]


async def test_without_a_broker_orders_are_refused_at_once() -> None:
    devices = devices_at("mqtt://127.0.0.1:9", "homeassistant")
    with pytest.raises(LinkDown, match="broker"):
        await devices.run()
    with pytest.raises(LinkDown, match="broker"):
        await devices.carry_out(Order("light.lamp", "turn_on"))
    assert not devices.is_connected


async def test_a_killed_broker_comes_back_and_nothing_is_sent_twice(fresh_broker: EmbeddedBroker) -> None:
    url = fresh_broker.url
    devices = devices_at(url, "homeassistant", 300)
    async with gadget(url, "t") as device:
        await announce_lamp(device, "homeassistant")
        async with running(devices):
            first = await devices.carry_out(Order("light.lamp", "turn_on"))
            killed = fresh_broker.pid
            os.kill(killed, signal.SIGKILL)
            await until(lambda: not devices.is_connected)
            with pytest.raises(LinkDown):
                await devices.carry_out(Order("light.lamp", "turn_off"))
            watching = asyncio.create_task(fresh_broker.run())
            await until(lambda: fresh_broker.pid != killed)
            async with asyncio.timeout(10):
                await devices.settled.wait()
            assert not devices.house.condition("light.lamp").fresh
            async with gadget(url, "t") as back:
                back.answer = obeying()
                await announce_lamp(back, "homeassistant", name="lamp")
                second = await devices.carry_out(Order("light.lamp", "turn_on"))
                assert back.got == [("lamp/set", b"ON")]
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    assert (first.kind, second.kind) == ("silent", "confirmed")
    assert device.got == [("lamp/set", b"ON")]


async def test_an_order_that_the_broker_never_acknowledges_ends_in_a_lost_link(
    fresh_broker: EmbeddedBroker,
) -> None:
    devices = devices_at(fresh_broker.url, "homeassistant", 300)
    async with gadget(fresh_broker.url, "t") as device:
        await announce_lamp(device, "homeassistant")
        async with running(devices):
            os.kill(fresh_broker.pid, signal.SIGSTOP)
            try:
                order = asyncio.create_task(devices.carry_out(Order("light.lamp", "turn_on")))
                for _ in range(5):  # the order's own steps up to publishing; nobody answers
                    await asyncio.sleep(0)
            finally:
                os.kill(fresh_broker.pid, signal.SIGKILL)
            with pytest.raises(LinkDown):
                await order
            assert not devices.is_connected


async def test_states_come_back_from_what_the_broker_kept(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        for number in range(50):
            await announce_lamp(device, prefix, f"lamp{number}")
            await device.say(f"{mqtt_prefix}/lamp{number}/state", "ON" if number % 2 else "OFF")
    async with running(devices_at(broker_url, prefix)) as devices:
        states = [devices.house.condition(f"light.lamp{number}").state for number in range(50)]
    assert states == ["off", "on"] * 25


async def test_retained_garbage_is_counted_and_the_rest_goes_on(broker_url: str, mqtt_prefix: str, prefix: str) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        await device.say(f"{prefix}/light/a/config", b"\xff\x00")
        await device.say(f"{prefix}/light/b/config", "[" * 100_000)
        await device.say(f"{prefix}/light/c/config", "[]")
        await device.say(f"{prefix}/device/d/config", {"cmps": {"x": 3}})
        await device.say(f"{prefix}/light/e/config", '{"name": NaN}')
        await announce_lamp(device, prefix)
        await device.say(f"{mqtt_prefix}/lamp/state", b"\xff\xfe")
        async with running(devices_at(broker_url, prefix)) as devices:
            assert [entity.id for entity in devices.house.entities] == ["light.lamp"]
            await until(lambda: devices.house.refused.total() == 6)
            device.answer = obeying()
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"


async def test_a_flood_of_states_leaves_the_loop_free_and_the_last_word_counts(
    broker_url: str, mqtt_prefix: str, prefix: str
) -> None:
    async with gadget(broker_url, mqtt_prefix) as device:
        device.answer = obeying()
        await announce_lamp(device, prefix)
        await announce_lamp(device, prefix, "busy")
        async with running(devices_at(broker_url, prefix, 5000)) as devices:
            for number in range(2001):
                payload = "ON" if number % 2 == 0 else "OFF"
                await device.client.publish(f"{mqtt_prefix}/busy/state", payload, qos=0)
            outcome = await devices.carry_out(Order("light.lamp", "turn_on"))
            await until(lambda: devices.house.condition("light.busy").state == "on")
    assert outcome.kind == "confirmed"


def test_an_address_is_read_and_its_password_stays_hidden() -> None:
    address = Address.parse("mqtts://casa:s%40nha@broker.local?ca=/etc/ca.pem")
    assert (address.host, address.port, address.user, address.password) == ("broker.local", 8883, "casa", "s@nha")
    assert address.tls
    assert address.ca == "/etc/ca.pem"
    assert "nha" not in repr(address)
    assert str(Address.parse("mqtt://h")) == "h:1883"
    for wrong in ("http://x", "mqtt://", "mqtt://h:x:y", "mqtt://u:segredo@h:99999"):
        with pytest.raises(ValueError, match="endereço do broker") as caught:
            Address.parse(wrong)
        assert "segredo" not in str(caught.value)


@pytest.fixture
def tried_broker_folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


async def test_the_broker_for_trials_serves_too(tried_broker_folder: Path) -> None:
    async with (
        EmbeddedBroker(tried_broker_folder / "data", kind="amqtt") as broker,
        gadget(broker.url, "t") as device,
    ):
        device.answer = obeying()
        await announce_lamp(device, "homeassistant")
        await device.say("t/lamp/state", "OFF")
        async with running(devices_at(broker.url, "homeassistant")) as devices:
            assert devices.house.condition("light.lamp").state == "off"
            assert (await devices.carry_out(Order("light.lamp", "turn_on"))).kind == "confirmed"


@asynccontextmanager
async def guarded_broker(folder: Path) -> AsyncIterator[int]:
    """A mosquitto that wants TLS, a name and a password; gives its port. Its certificate is its own authority."""
    program = mosquitto_program()
    if program is None or shutil.which("openssl") is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto, mosquitto_passwd or openssl is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    await run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
              "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
              "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.pem")  # fmt: skip
    await run("mosquitto_passwd", "-b", "-c", f"{folder}/users", "casa", "s@nha")
    (folder / "conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/users\ncertfile {folder}/ca.pem\n"
        f"keyfile {folder}/key.pem\n"
    )
    for name in ("key.pem", "ca.pem", "users", "conf"):
        (folder / name).chmod(0o644)  # where the tests run as root, mosquitto reads them as a user of its own
    folder.chmod(0o755)
    process = await asyncio.create_subprocess_exec(program, "-c", f"{folder}/conf", stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        while b"running" not in await process.stderr.readline():
            assert process.returncode is None
        yield port
    finally:
        process.terminate()
        await process.communicate()


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, command


async def test_tls_with_a_name_and_a_password(tried_broker_folder: Path) -> None:
    async with guarded_broker(tried_broker_folder) as port:
        ca = f"?ca={tried_broker_folder}/ca.pem"
        async with running(devices_at(f"mqtts://casa:s%40nha@127.0.0.1:{port}{ca}", "homeassistant")) as devices:
            assert devices.is_connected
        for url in (f"mqtts://casa:wrong@127.0.0.1:{port}{ca}", f"mqtts://127.0.0.1:{port}{ca}"):
            with pytest.raises(LinkDown, match="Not authorized"):
                await devices_at(url, "homeassistant").run()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves that socket to the collector
async def test_a_broker_that_cannot_prove_itself_gets_no_password(tried_broker_folder: Path) -> None:
    async with guarded_broker(tried_broker_folder) as port:
        with pytest.raises(LinkDown, match="CERTIFICATE_VERIFY_FAILED") as refused:
            await devices_at(f"mqtts://casa:s%40nha@127.0.0.1:{port}", "homeassistant").run()
        assert "nha" not in str(refused.value)
    del refused
    gc.collect()
