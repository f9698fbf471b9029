from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.house import HOUSE

from daemon.errors import CannotDo
from daemon.language.plan import Intent, Thing, Value
from daemon.language.replies import Replies
from daemon.skills.clock import clock_skills
from daemon.skills.skill import Action, Carried, Context, Done
from daemon.skills.states import state_skills

CONTEXT = Context(datetime(2026, 11, 20, 14, 5, tzinfo=UTC), HOUSE, area="sala")
REPLIES = Replies.load("pt_br")


async def cause(intent: Intent, _: Sequence[Action], __: Context) -> Carried:
    return Carried(f"{intent.slots['asked']}?", (Done(ok=True, result={}),))


SKILLS = {**state_skills(REPLIES, cause), **clock_skills(REPLIES)}


async def said(name: str, *targets: str, **slots: Value) -> str:
    intent = Intent(name, targets, slots)
    actions = SKILLS[name].actions(intent, CONTEXT)
    carried = await SKILLS[name].act(intent, actions, CONTEXT)
    assert len(carried.outcomes) == len(actions) == 1
    return carried.say


async def test_a_lamp_that_is_on_or_off() -> None:
    assert await said("HassGetState", "light.cozinha", state="on") == "Sim, a luz da cozinha está acesa."
    assert await said("HassGetState", "light.sala", state="on") == "Não, a luz da sala está apagada."
    assert await said("HassGetState", "lock.porta") == "A porta da frente está trancada."


async def test_any_of_them() -> None:
    assert await said("HassGetState", state="on", domain="light") == "Uma: a luz da cozinha."


async def test_none_of_them() -> None:
    assert (await said("HassGetState", "light.sala", "light.cozinha", state="unavailable")).startswith("Não")


async def test_nothing_of_that_name() -> None:
    with pytest.raises(CannotDo):
        await said("HassGetState", "light.gone", state="on")


async def test_what_is_asked_beyond_the_state_is_told_by_the_ledger() -> None:
    assert await said("HassGetState", "light.sala", asked="who", to="on") == "who?"
    assert await said("HassGetState", asked="what") == "what?"


async def test_temperature_of_the_room_one_speaks_in() -> None:
    assert "23,4 graus" in await said("HassClimateGetTemperature")
    with pytest.raises(CannotDo):
        await said("HassClimateGetTemperature", "light.sala")


async def test_the_clock_and_the_calendar() -> None:
    assert await said("HassGetCurrentTime") == "São duas e cinco da tarde."
    assert "vinte de novembro" in await said("HassGetCurrentDate")


async def test_what_is_on_counts_what_cools_and_what_plays() -> None:
    cooling = Thing("climate.sala", "climate", "ar da sala", area="sala", state="cool")
    playing = Thing("media_player.tv", "media_player", "TV", area="sala", state="playing")
    asleep = Thing("media_player.som", "media_player", "Som", area="sala", state="standby")
    house = replace(HOUSE, things=(cooling, playing, asleep))
    intent = Intent("HassGetState", tuple(thing.id for thing in house.things), {"state": "on"})
    context = replace(CONTEXT, household=house)
    carried = await SKILLS["HassGetState"].act(intent, SKILLS["HassGetState"].actions(intent, context), context)
    assert carried.say == "Dois: o ar da sala e a TV."


async def test_lamps_are_counted_as_the_lights_that_were_asked_for() -> None:
    lamps = tuple(Thing(f"light.{n}", "light", name, state="on") for n, name in enumerate(("abajur", "luz da sala")))
    intent = Intent("HassGetState", tuple(thing.id for thing in lamps), {"state": "on"})
    context = replace(CONTEXT, household=replace(HOUSE, things=lamps))
    carried = await SKILLS["HassGetState"].act(intent, SKILLS["HassGetState"].actions(intent, context), context)
    assert carried.say == "Duas: o abajur e a luz da sala."
