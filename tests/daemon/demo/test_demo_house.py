"""The demonstration house as its own process on a real broker, and Mordomo commanding it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.hurried import hurried

from daemon.clock import SystemClock
from daemon.demo.toy import toys
from daemon.devices.broker import EmbeddedBroker
from daemon.devices.link import Devices, Order


@asynccontextmanager
async def demo_house(url: str, prefix: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The house's process, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon.demo.house", "--url", url, "--prefix", f"{prefix}/ha", "--root", f"{prefix}/demo",
        *options, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def connected(url: str, prefix: str, confirm_ms: int = 5000) -> AsyncIterator[Devices]:
    """Devices that run."""
    devices = Devices(url, SystemClock(), lambda: confirm_ms, f"{prefix}/ha")
    async with hurried(devices):
        yield devices


async def until(condition: Callable[[], Any], limit_s: float = 15) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)


def is_here(devices: Devices, entity_id: str) -> Callable[[], bool]:
    return lambda: devices.house.condition(entity_id).available is True


async def test_every_device_is_found_and_the_usual_orders_are_confirmed(broker_url: str, mqtt_prefix: str) -> None:
    async with demo_house(broker_url, mqtt_prefix) as process, connected(broker_url, mqtt_prefix) as devices:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        assert line.startswith("Casa de demonstração: ")
        assert "em 9 cômodos" in line
        await until(is_here(devices, "scene.dormir"))
        await until(is_here(devices, "light.corredor"))
        await until(lambda: devices.house.condition("light.quarto_casal").state is not None)
        assert sorted(entity.id for entity in devices.house.entities) == sorted(toy.id for toy in toys("x"))
        assert devices.house.only_demo
        household = devices.house.household(("Ana",))
        assert len(household.areas) == 9
        (bedroom,) = [thing for thing in household.things if thing.name == "luz do quarto"]
        assert (bedroom.id, bedroom.area, bedroom.state) == ("light.quarto_casal", "quarto do casal", "off")
        assert bedroom.attributes["brightness"] is True

        expected: list[tuple[Order, str, dict[str, object]]] = [
            (Order("light.sala", "turn_on"), "on", {}),
            (Order("light.quarto_casal", "set_brightness", 50), "on", {"brightness_pct": 50}),
            (Order("light.abajur_sala", "set_brightness", 25), "on", {"brightness_pct": 25}),
            (Order("light.sala", "set_color", (0, 0, 255)), "on", {"color": (4, 0, 255), "color_temp_kelvin": None}),
            (Order("light.sala", "set_color_temp", 2700), "on", {"color": None, "color_temp_kelvin": 2702}),
            (Order("light.quarto_casal", "set_color", (255, 0, 0)), "on", {"brightness_pct": 50}),
            (Order("light.cozinha", "turn_off"), "off", {}),
            (Order("switch.cafeteira", "toggle"), "on", {}),
            (Order("fan.ventilador_sala", "set_speed", 66), "on", {"percentage": 67}),
            (Order("lock.porta_fundos", "lock"), "locked", {}),
            (Order("climate.ar_sala", "turn_on"), "cool", {}),
            (Order("climate.ar_sala", "set_temperature", 21), "cool", {"temperature": 21.0}),
            (Order("cover.cortina_sala", "close"), "closing", {}),
            (Order("cover.cortina_sala", "stop"), "open", {}),
            (Order("cover.persiana_quarto", "set_position", 10), "opening", {}),
        ]
        for order, state, reading in expected:
            outcome = await devices.carry_out(order)
            assert (order, outcome.kind, outcome.state) == (order, "confirmed", state)
            attributes = devices.house.condition(order.entity_id).attributes
            assert {key: attributes.get(key) for key in reading} == reading
        assert (await devices.carry_out(Order("light.sala", "turn_on"))).kind == "already"
        assert (await devices.carry_out(Order("scene.cinema", "press"))).kind == "sent"
        await until(lambda: devices.house.condition("light.fita_led").state == "on")
        await until(lambda: devices.house.condition("cover.persiana_quarto").attributes["current_position"] == 10)

        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0
        await until(lambda: devices.house.condition("light.sala").available is False)
        assert len(devices.house) == len(toys("x"))
        assert (await devices.carry_out(Order("light.sala", "turn_off"))).kind == "unavailable"


async def test_devices_that_misbehave_on_purpose(broker_url: str, mqtt_prefix: str) -> None:
    options = ["--slow", "light.sala:250", "--dead", "light.varanda", "--lying", "light.garagem"]
    async with (
        demo_house(broker_url, mqtt_prefix, *options, "--offline", "switch.tv_sala"),
        connected(broker_url, mqtt_prefix, 2500) as devices,
    ):
        await until(is_here(devices, "scene.dormir"))
        await until(lambda: devices.house.condition("switch.tv_sala").available is False)
        slow, dead, lying, offline = await asyncio.gather(
            devices.carry_out(Order("light.sala", "turn_on")),
            devices.carry_out(Order("light.varanda", "turn_off")),
            devices.carry_out(Order("light.garagem", "turn_on")),
            devices.carry_out(Order("switch.tv_sala", "turn_on")),
        )
    assert slow.kind == "confirmed"
    assert slow.ms >= 250
    assert (dead.kind, dead.state) == ("silent", "on")
    assert (lying.kind, lying.state) == ("silent", "off")
    assert offline.kind == "unavailable"


async def test_it_comes_back_when_the_broker_does(fresh_broker: EmbeddedBroker, mqtt_prefix: str) -> None:
    url = fresh_broker.url
    async with demo_house(url, mqtt_prefix), connected(url, mqtt_prefix) as devices:
        await until(is_here(devices, "scene.dormir"))
        killed = fresh_broker.pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda: not devices.is_connected)
        watching = asyncio.create_task(fresh_broker.run())
        await until(lambda: fresh_broker.pid != killed)
        await until(lambda: devices.settled.is_set() and devices.house.condition("light.corredor").fresh)
        assert (await devices.carry_out(Order("light.sala", "turn_on"))).kind == "confirmed"
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_killed_house_is_shown_offline_by_its_will(broker_url: str, mqtt_prefix: str) -> None:
    async with demo_house(broker_url, mqtt_prefix) as process, connected(broker_url, mqtt_prefix) as devices:
        await until(is_here(devices, "scene.dormir"))
        process.kill()
        await until(lambda: devices.house.condition("light.sala").available is False)


async def test_it_does_not_outlive_the_daemon(broker_url: str, mqtt_prefix: str) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    async with demo_house(broker_url, mqtt_prefix, "--parent-pid", str(parent.pid)) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        assert process.returncode is None
        await parent.communicate(b"\n")
        assert await asyncio.wait_for(process.wait(), 10) == 0


@pytest.mark.parametrize("wrong", [["--url", "http://x"], ["--url", "mqtt://x", "--slow", "light.nada:1"]])
async def test_wrong_options_are_explained(wrong: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon.demo.house", *wrong, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert "endereço do broker" in said.decode() or "não há nesta casa" in said.decode()


async def test_with_every_there_is_one_of_each_component_and_it_obeys(broker_url: str, mqtt_prefix: str) -> None:
    orders: list[tuple[Order, str | None]] = [
        (Order("valve.jardim", "open"), "open"),
        (Order("siren.quintal", "turn_on"), "on"),
        (Order("vacuum.aspirador", "start"), "cleaning"),
        (Order("lawn_mower.cortador", "start"), "mowing"),
        (Order("humidifier.quarto", "turn_on"), "on"),
        (Order("humidifier.quarto", "set_humidity", 60), "on"),
        (Order("water_heater.boiler", "set_temperature", 50), "eco"),
        (Order("alarm_control_panel.casa", "arm_away"), "armed_away"),
        (Order("select.turno", "select_option", "noite"), "noite"),
        (Order("number.irrigacao", "set_value", 30), None),
        (Order("media_player.som", "play"), "playing"),
        (Order("media_player.som", "set_volume", 50), "playing"),
    ]
    async with demo_house(broker_url, mqtt_prefix, "--every"), connected(broker_url, mqtt_prefix) as devices:
        await until(is_here(devices, "media_player.som"))
        known = {entity.component for entity in devices.house.entities}
        assert known >= {order.entity_id.partition(".")[0] for order, _ in orders} | {"button", "event", "text"}
        for order, state in orders:
            outcome = await devices.carry_out(order)
            assert (order, outcome.kind) == (order, "confirmed")
            assert state is None or outcome.state == state
        assert (await devices.carry_out(Order("button.campainha", "press"))).kind == "sent"
        assert not devices.house.refused
