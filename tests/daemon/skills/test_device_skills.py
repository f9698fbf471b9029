"""What is said and recorded of orders to devices, for each way in which they can go."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.house import HOUSE, Links

from daemon.errors import CannotDo, LinkDown, MordomoError, Refused
from daemon.language import book
from daemon.language.language import Language
from daemon.language.plan import NOTHING, Heard, Intent, Thing, Value
from daemon.language.replies import Replies
from daemon.skills.devices import device_skills
from daemon.skills.media import media_skills
from daemon.skills.orders import Orders, Silent
from daemon.skills.registry import House, skills
from daemon.skills.rooms import room_skills
from daemon.skills.skill import AsksBack, Carried, Context

FURNISHED = replace(HOUSE, things=(*HOUSE.things, *(
    Thing(id=entity, domain=entity.partition(".")[0], name=name, area="sala", state=state, attributes=attributes,
          device_class="garage" if entity.startswith("cover") else None)
    for entity, name, state, attributes in (
        ("climate.sala", "ar da sala", "cool", {"temperature": 22}),
        ("media_player.tv", "televisão", "playing", {"volume_pct": 30}),
        ("media_player.quarto", "caixa de som", "idle", {}),
        ("vacuum.robo", "aspirador", "docked", {}),
        ("scene.cinema", "modo cinema", None, {}),
        ("fan.sala", "ventilador", "on", {"percentage": 50}),
        ("fan.quieto", "exaustor", "on", {}),
        ("alarm_control_panel.casa", "alarme da casa", "disarmed", {}),
        ("button.campainha", "campainha", None, {}),
        ("switch.ferro", "ferro", "off", {"guarded": True}),
        ("cover.garagem_livre", "portão da bicicleta", "closed", {"guarded": False}),
    )
)))  # fmt: skip
CONTEXT = Context(datetime(2026, 11, 20, 12, tzinfo=UTC), FURNISHED, area="sala")
OTHERS: Any = object()
"""What the skills of other domains work with; here only their names matter."""
ALL = skills(House(Orders(Links(), Replies.load("pt_br")), OTHERS, Replies.load("pt_br"), lambda *_: NOTHING,
                   lambda _: None, requests=OTHERS, erasing=OTHERS, recall=OTHERS, voices=OTHERS))  # fmt: skip
REPLIES = Replies.load("pt_br")


async def carry_out(links: Links, name: str, *targets: str, **slots: Value) -> Carried:
    return await carry_out_as(CONTEXT, Orders(links, REPLIES), Intent(name, targets, slots))


async def carry_out_as(context: Context, orders: Orders, intent: Intent) -> Carried:
    skill = {**device_skills(orders), **media_skills(orders), **room_skills(orders)}[intent.name]
    actions = skill.actions(intent, context)
    carried = await skill.act(intent, actions, context)
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
    assert [(order.entity_id, order.verb) for order in links.orders] == [("light.sala", "turn_on")]


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
    assert [(one.entity_id, one.verb, one.value) for one in links.orders] == [("light.sala", "set_brightness", 50.0)]
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


async def test_a_target_that_left_the_house_is_not_found() -> None:
    with pytest.raises(CannotDo):
        await carry_out(Links(), "HassTurnOn", "light.gone")


@pytest.mark.parametrize(
    ("name", "target", "slots", "orders", "says"),
    [
        ("HassLightSet", "light.sala", {"color": "blue"}, [("set_color", (0, 0, 255))], "Deixei a luz da sala em azul."),
        ("HassLightSet", "light.sala", {"color_temperature": 2700}, [("set_color_temp", 2700.0)],
         "Deixei a luz da sala em branco quente."),
        ("HassLightSet", "light.sala", {"color": "red", "brightness": 30},
         [("set_color", (255, 0, 0)), ("set_brightness", 30.0)],
         "Deixei a luz da sala em vermelho. Coloquei a luz da sala em 30%."),
        ("ClimateSetMode", "climate.sala", {"hvac_mode": "fan_only"}, [("set_mode", "fan_only")],
         "Coloquei o ar da sala no modo ventilar."),
        ("HassSetVolume", "media_player.tv", {"volume_level": 20}, [("set_volume", 20.0)],
         "Coloquei o volume da televisão em 20%."),
        ("HassSetVolumeRelative", "media_player.tv", {"volume_step": "up"}, [("set_volume", 40.0)],
         "Coloquei o volume da televisão em 40%."),
        ("HassSetVolumeRelative", "media_player.tv", {"volume_step": -15}, [("set_volume", 15.0)],
         "Coloquei o volume da televisão em 15%."),
        ("HassMediaPause", "media_player.tv", {}, [("pause", None)], "Pausei a televisão."),
        ("HassMediaNext", "media_player.tv", {}, [("next_track", None)], "Passei para a próxima."),
        ("HassMediaPlayerMute", "media_player.tv", {}, [("mute", None)], "Tirei o som da televisão."),
        ("HassVacuumStart", "vacuum.robo", {}, [("start", None)], "Liguei o aspirador."),
        ("HassVacuumReturnToBase", "vacuum.robo", {}, [("return_home", None)], "Mandei o aspirador de volta para a base."),
        ("HassTurnOn", "scene.cinema", {}, [("press", None)], "Acionei o modo cinema."),
        ("PressButton", "button.campainha", {}, [("press", None)], "Acionei a campainha."),
        ("AlarmArm", "alarm_control_panel.casa", {"mode": "night"}, [("arm_night", None)],
         "Armei o alarme da casa para a noite."),
        ("HassFanSetSpeed", "fan.sala", {"percentage_step": "up"}, [("set_speed", 75.0)],
         "Coloquei o ventilador em 75%."),
    ],
)  # fmt: skip
async def test_what_a_furnished_house_can_do(
    name: str, target: str, slots: Mapping[str, Value], orders: list[tuple[str, object]], says: str
) -> None:
    links = Links()
    carried = await carry_out(links, name, target, **slots)
    assert [(order.verb, order.value) for order in links.orders] == orders
    assert carried.say == says


async def test_without_a_target_the_player_of_the_room_is_meant() -> None:
    links = Links()
    await carry_out(links, "HassMediaPause")
    assert [order.entity_id for order in links.orders] == ["media_player.tv"]


@pytest.mark.parametrize(
    ("name", "slots", "why"),
    [
        ("HassLightSet", {"brightness_step": "up"}, "Diga quanto você quer"),
        ("HassFanSetSpeed", {}, "Diga quanto você quer"),
        ("HassVacuumCleanArea", {"area": "sala"}, "limpar a casa toda"),
        ("HassMediaSearchAndPlay", {"search_query": "Djavan"}, "Procurar música"),
        ("HassGetWeather", {}, "Previsão do tempo eu não tenho"),
        ("HassLawnMowerDock", {}, "cortador de grama"),
    ],
)
async def test_what_cannot_be_done_is_said_honestly(name: str, slots: Mapping[str, Value], why: str) -> None:
    links = Links()
    with pytest.raises(CannotDo, match=why):
        await carry_out(
            links, name, *(["fan.quieto"] if "Fan" in name else ["light.cozinha"] if "Light" in name else []), **slots
        )
    assert links.orders == []


async def test_lamps_are_lit_and_other_things_are_switched_on_in_one_breath() -> None:
    carried = await carry_out(Links(), "HassTurnOn", "light.sala", "media_player.tv")
    assert carried.say == "Acendi a luz da sala. Liguei a televisão."


@pytest.mark.parametrize(
    ("name", "target", "slots"),
    [
        ("AlarmDisarm", "alarm_control_panel.casa", {}),
        ("HassTurnOff", "lock.porta", {}), ("HassTurnOn", "cover.portao", {}), ("HassSetPosition", "cover.portao", {"position": 40}),
        ("HassTurnOff", "lock.porta", {"confirmed": True}), ("HassTurnOn", "switch.ferro", {"confirmed": True}),
    ],
)  # fmt: skip
async def test_a_program_opens_nothing_whatever_it_says(name: str, target: str, slots: Mapping[str, Value]) -> None:
    links = Links()
    with pytest.raises(Refused):
        program = replace(CONTEXT, source="mqtt")
        await carry_out_as(program, Orders(links, REPLIES), Intent(name, (target,), slots))
    assert links.orders == []


async def test_what_the_household_guards_is_asked_about_and_what_it_frees_is_not() -> None:
    links = Links()
    with pytest.raises(AsksBack, match="Quer mesmo ligar o ferro"):
        await carry_out(links, "HassTurnOn", "switch.ferro")
    await carry_out(links, "HassTurnOn", "cover.garagem_livre")
    assert [order.entity_id for order in links.orders] == ["cover.garagem_livre"]


async def test_a_device_that_does_not_answer_is_remembered() -> None:
    silent: list[Silent] = []
    links = Links(light__sala="silent")
    orders = Orders(links, REPLIES, silent.append)
    carried = await carry_out_as(CONTEXT, orders, Intent("HassTurnOn", ("light.sala", "light.cozinha")))
    assert [one.action.parameters["entity_id"] for one in silent] == ["light.sala"]
    assert silent[0].action.id == links.orders[0].action_id
    assert carried.say == "Mandei, mas a luz da sala não respondeu. Acendi a luz da cozinha."


async def test_every_intent_of_the_language_has_a_skill() -> None:
    shipped = {entry.intent for entry in book.load("pt_br").entries}
    assert shipped - set(ALL) == set()


@pytest.mark.parametrize(
    ("text", "intent", "mode"),
    [
        ("arma o alarme da casa", "AlarmArm", "away"), ("ativa o alarme da casa", "AlarmArm", "away"),
        ("arma o alarme da casa pra noite", "AlarmArm", "night"), ("arma o alarme com gente em casa", "AlarmArm", "home"),
        ("desarma o alarme", "AlarmDisarm", None), ("aperta a campainha", "PressButton", None),
        ("aperta o botão da campainha", "PressButton", None),
    ],
)  # fmt: skip
def test_panels_and_buttons_are_understood(text: str, intent: str, mode: str | None) -> None:
    plan = Language().understand(Heard(text, CONTEXT.now, "sala"), FURNISHED)
    assert [(one.name, one.slots.get("mode")) for one in plan.intents] == [(intent, mode)]
