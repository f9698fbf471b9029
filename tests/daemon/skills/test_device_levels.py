"""Levels that depend on the device: speeds of a fan, whites of a lamp, steps of a curtain, warmer and cooler."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.house import Links

from daemon.errors import CannotDo
from daemon.language.plan import Household, Intent, Thing
from daemon.language.replies import Replies
from daemon.skills.devices import device_skills
from daemon.skills.orders import Orders
from daemon.skills.skill import Carried, Context

REPLIES = Replies.load("pt_br")


async def carry_out_as(context: Context, orders: Orders, intent: Intent) -> Carried:
    skill = device_skills(orders)[intent.name]
    return await skill.act(intent, skill.actions(intent, context), context)


def room_with(thing: Thing) -> Context:
    return Context(datetime(2026, 11, 20, 12, tzinfo=UTC), Household((thing,)), area="sala")


@pytest.mark.parametrize(
    ("asked", "value", "says"),
    [
        (2, 200 / 3, "Coloquei o ventilador de teto na velocidade 2."),
        (3, 100, "Coloquei o ventilador de teto na velocidade 3."),
        (50, 50, "Coloquei o ventilador de teto em 50%."),
    ],
)
async def test_a_small_number_is_a_speed_of_a_fan_that_has_few(asked: int, value: float, says: str) -> None:
    fan = Thing("fan.teto", "fan", "ventilador de teto", attributes={"percentage": 33, "percentage_step": 33.3})
    links = Links()
    intent = Intent("HassFanSetSpeed", ("fan.teto",), {"percentage": asked})
    carried = await carry_out_as(room_with(fan), Orders(links, REPLIES), intent)
    assert carried.say == says
    assert links.orders[0].verb == "set_speed"
    assert links.orders[0].value == pytest.approx(value)


@pytest.mark.parametrize(
    ("asked", "preset"), [(2, "médio"), (100, "forte"), (1, "fraco"), (30, "fraco"), (50, "médio")]
)
async def test_a_fan_of_presets_takes_the_one_that_is_meant(asked: int, preset: str) -> None:
    fan = Thing("fan.teto", "fan", "ventilador de teto", attributes={"preset_modes": ("fraco", "médio", "forte")})
    links = Links()
    intent = Intent("HassFanSetSpeed", ("fan.teto",), {"percentage": asked})
    await carry_out_as(room_with(fan), Orders(links, REPLIES), intent)
    assert (links.orders[0].verb, links.orders[0].value) == ("set_preset", preset)


@pytest.mark.parametrize(
    ("now", "step", "kelvin"), [(4000, "up", 4800), (4000, "down", 3200), (2500, "down", 2200), (None, "up", 5150)]
)
async def test_a_white_a_step_warmer_or_colder(now: int | None, step: str, kelvin: float) -> None:
    bounds = {"min_color_temp_kelvin": 2200, "max_color_temp_kelvin": 6500, "color_temp_kelvin": now}
    lamp = Thing("light.sala", "light", "luz da sala", attributes=bounds)
    links = Links()
    intent = Intent("HassLightSet", ("light.sala",), {"color_temp_step": step})
    carried = await carry_out_as(room_with(lamp), Orders(links, REPLIES), intent)
    assert (links.orders[0].verb, links.orders[0].value) == ("set_color_temp", kelvin)
    assert "um branco mais" in carried.say


@pytest.mark.parametrize("attributes", [{}, {"min_color_temp_kelvin": 2200, "max_color_temp_kelvin": 6500,
                                             "color_temp_kelvin": 6500}])  # fmt: skip
async def test_a_white_that_there_is_not_is_said(attributes: Mapping[str, object]) -> None:
    lamp = Thing("light.sala", "light", "luz da sala", attributes=attributes)
    intent = Intent("HassLightSet", ("light.sala",), {"color_temp_step": "up"})
    with pytest.raises(CannotDo):
        await carry_out_as(room_with(lamp), Orders(Links(), REPLIES), intent)


async def test_warmer_and_cooler_where_the_air_conditioner_is_off() -> None:
    off = Thing("climate.sala", "climate", "ar da sala", state="off", attributes={"temperature": 22})
    links = Links()
    cooler = Intent("HassClimateSetTemperature", ("climate.sala",), {"temperature_step": "1", "step_direction": "down"})
    await carry_out_as(room_with(off), Orders(links, REPLIES), cooler)
    assert [order.verb for order in links.orders] == ["turn_on"]
    warmer = replace(cooler, slots={**cooler.slots, "step_direction": "up"})
    with pytest.raises(CannotDo, match="está desligado"):
        await carry_out_as(room_with(off), Orders(links, REPLIES), warmer)


@pytest.mark.parametrize(("now", "step", "goal"), [(50, "up", 70), (50, "down", 30), (90, "up", 100), (10, "down", 0)])
async def test_a_little_more_of_a_curtain_goes_from_where_it_is(now: int, step: str, goal: float) -> None:
    curtain = Thing("cover.sala", "cover", "cortina", state="open", attributes={"current_position": now})
    links = Links()
    intent = Intent("HassSetPosition", ("cover.sala",), {"position_step": step})
    await carry_out_as(room_with(curtain), Orders(links, REPLIES), intent)
    assert (links.orders[0].verb, links.orders[0].value) == ("set_position", goal)
    unknown = replace(curtain, attributes={})
    with pytest.raises(CannotDo, match="Não sei como está a cortina"):
        await carry_out_as(room_with(unknown), Orders(Links(), REPLIES), intent)
