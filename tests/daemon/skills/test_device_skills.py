"""What is said and recorded of orders to devices, for each way in which they can go."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from support.house import HOUSE, Links

from daemon.devices.order import Order
from daemon.errors import CannotDo, LinkDown, MordomoError
from daemon.language.plan import Intent, Value
from daemon.language.replies import Replies
from daemon.skills.devices import device_skills
from daemon.skills.skill import AsksBack, Carried, Context

CONTEXT = Context(datetime(2026, 11, 20, 12, tzinfo=UTC), HOUSE, area="sala")
REPLIES = Replies.load("pt_br")


async def carry_out(links: Links, name: str, *targets: str, **slots: Value) -> Carried:
    skill = device_skills(links, REPLIES)[name]
    intent = Intent(name, targets, slots)
    actions = skill.actions(intent, CONTEXT)
    carried = await skill.act(intent, actions, CONTEXT)
    assert len(carried.outcomes) == len(actions)
    return carried


@pytest.mark.parametrize(
    ("outcome", "says", "ok"),
    [
        ("confirmed", "Acendi a luz da sala.", True),
        ("already", "A luz da sala já está acesa.", True),
        ("sent", "Mandei acender a luz da sala.", True),
        ("silent", "Mandei, mas a luz da sala não respondeu.", False),
        ("unavailable", "A luz da sala está fora do ar.", False),
        (CannotDo("Essa lâmpada não faz isso."), "Essa lâmpada não faz isso.", False),
    ],
)
async def test_one_lamp(outcome: str | MordomoError, says: str, ok: bool) -> None:
    links = Links(light__sala=outcome)
    carried = await carry_out(links, "HassTurnOn", "light.sala")
    assert carried.say.startswith(says)
    assert [done.ok for done in carried.outcomes] == [ok]
    assert all(done.ok or done.error for done in carried.outcomes)
    assert links.orders == [Order("light.sala", "turn_on")]


async def test_a_partial_failure_names_who_failed() -> None:
    links = Links(light__cozinha="silent")
    carried = await carry_out(links, "HassTurnOff", "light.sala", "light.cozinha")
    assert carried.say == "Apaguei a luz da sala. Mandei, mas a luz da cozinha não respondeu."
    assert [done.ok for done in carried.outcomes] == [True, False]


async def test_two_lamps_in_one_sentence() -> None:
    carried = await carry_out(Links(), "HassTurnOn", "light.sala", "light.cozinha")
    assert carried.say == "Acendi a luz da sala e a luz da cozinha."


async def test_what_was_right_already_is_not_named_beside_what_was_done() -> None:
    links = Links(light__cozinha="already")
    carried = await carry_out(links, "HassTurnOn", "light.sala", "light.cozinha")
    assert carried.say == "Acendi a luz da sala."
    assert [done.ok for done in carried.outcomes] == [True, True]


async def test_a_link_that_is_down_for_all_is_the_callers_to_tell() -> None:
    with pytest.raises(LinkDown):
        await carry_out(Links(light__sala=LinkDown("broker", "caiu")), "HassTurnOn", "light.sala")


async def test_a_link_lost_in_the_middle_is_not_called_done() -> None:
    links = Links(light__cozinha=LinkDown("broker", "caiu"))
    carried = await carry_out(links, "HassTurnOff", "light.sala", "light.cozinha")
    assert "não sei se a luz da cozinha obedeceu" in carried.say
    assert carried.outcomes[1].result == {"outcome": "unknown"}


async def test_brightness_goes_out_as_it_was_asked() -> None:
    links = Links()
    carried = await carry_out(links, "HassLightSet", "light.sala", brightness=50)
    assert links.orders == [Order("light.sala", "set_brightness", 50.0)]
    assert carried.say == "Coloquei a luz da sala em 50%."


@pytest.mark.parametrize(
    ("name", "target"), [("HassTurnOff", "lock.porta"), ("HassTurnOn", "cover.portao"), ("HassToggle", "cover.portao")]
)
async def test_nobody_is_let_in_on_a_voice_alone(name: str, target: str) -> None:
    links = Links()
    with pytest.raises(AsksBack, match="Quer mesmo") as asked:
        await carry_out(links, name, target)
    assert links.orders == []
    assert asked.value.plan.awaits == "confirmed"
    await carry_out(links, name, target, confirmed=True)
    assert [order.entity_id for order in links.orders] == [target]


async def test_locking_and_closing_are_not_risky() -> None:
    links = Links()
    await carry_out(links, "HassTurnOn", "lock.porta")
    await carry_out(links, "HassTurnOff", "cover.portao")
    assert [order.verb for order in links.orders] == ["lock", "close"]


@pytest.mark.parametrize(
    "slots", [{"delay_s": 600}, {"when": "2026-11-20T20:00:00-03:00"}, {"for_s": 60}, {"rrule": "FREQ=DAILY"}]
)
async def test_what_is_not_for_now_is_not_done_now(slots: Mapping[str, Value]) -> None:
    links = Links()
    with pytest.raises(CannotDo):
        await carry_out(links, "HassTurnOn", "light.sala", **slots)
    assert links.orders == []


async def test_a_target_that_left_the_house_is_not_found() -> None:
    with pytest.raises(CannotDo):
        await carry_out(Links(), "HassTurnOn", "light.gone")
