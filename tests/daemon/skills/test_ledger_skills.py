"""Who did it, why, when, and taking it back: from the rows that real turns leave."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.clock import FakeClock
from support.house import Home, Links, home

from daemon.butler import Place
from daemon.language.plan import Intent, Plan, Thing
from daemon.people.person import Person
from daemon.skills.undoing import opposite
from daemon.turn import Understood
from db.causes import Deed
from db.database import Database

ON = ("acende a luz da sala", "Acendi a luz da sala.")


async def change(db: Database, entity_id: str, state: str, cause: str, seconds: int = 0) -> None:
    await db.execute(
        "INSERT INTO entity_states (at, entity_id, state, cause)"
        " VALUES (now() + make_interval(secs => $4), $1, $2, $3)",
        entity_id,
        state,
        cause,
        float(seconds),
    )


async def test_who_and_why_and_when(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask(ON[0], house.aloud)
        for question in (
            "quem acendeu a luz da sala?",
            "por que a luz da sala acendeu?",
            "quando a luz da sala acendeu?",
        ):
            said = " ".join((await house.butler.ask(question, house.written)).reply)
            assert said.startswith("Fui eu, hoje ")
            assert said.endswith("Alguém na sala me pediu: acende a luz da sala.")
        never = await house.butler.ask("quem apagou a luz da sala?", house.written)
        assert never.reply == ["Não tenho notícia de nada disso com a luz da sala nos últimos trinta dias."]


async def test_somebody_at_the_switch_was_not_us(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask(ON[0], house.aloud)
        await change(house.db, "light.sala", "on", "mordomo")
        await change(house.db, "light.sala", "off", "house", 60)
        await change(house.db, "light.sala", "on", "house", 120)
        said = await house.butler.ask("quem acendeu a luz da sala?", house.written)
        assert said.reply[0].startswith("Não fui eu. A luz da sala mudou ")
        await change(house.db, "light.cozinha", "on", "house", -60)
        unheard = await house.butler.ask("quem acendeu a luz da cozinha?", house.written)
        assert "Não tenho notícia" in unheard.reply[0]  # how it was when it was first heard of is no change
        await change(house.db, "light.cozinha", "off", "unknown")
        said = await house.butler.ask("por que a luz da cozinha apagou?", house.written)
        assert "não sei quem foi" in said.reply[0]


async def test_a_yes_is_not_what_opened_the_gate(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask("abre o portão", house.aloud)
        await house.butler.ask("sim", house.aloud)
        said = await house.butler.ask("quem abriu o portão?", house.written)
        assert said.reply[0].endswith("Alguém na sala me pediu: abre o portão.")


async def test_what_was_done_today(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        assert (await house.butler.ask("o que você fez hoje?", house.written)).reply == [
            "Hoje ainda não mexi em nenhum aparelho."
        ]
        await house.butler.ask(ON[0], house.written)
        await house.butler.ask("apaga a luz da cozinha", house.written)
        said = " ".join((await house.butler.ask("o que você fez hoje?", house.written)).reply)
        assert said.index("apaguei a luz da cozinha") < said.index("acendi a luz da sala")
        assert said.startswith("Hoje, do mais novo para o mais antigo: ")


async def test_undoing_goes_back_turn_by_turn(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask("acende a luz da sala e a luz da cozinha", house.written)
        await house.butler.ask("acende a luz da cozinha", house.written)
        first = await house.butler.ask("desfaz", house.written)
        assert first.reply == ["Apaguei a luz da cozinha."]
        second = await house.butler.ask("desfaz", house.written)
        assert second.reply == ["Apaguei a luz da cozinha e a luz da sala."]
        third = await house.butler.ask("desfaz", house.written)
        assert third.reply[0] in {
            "Não mudei nada por aqui na última hora.",
            "Na última hora não mexi em nada por aqui.",
        }
        assert [order.verb for order in house.links.orders[-3:]] == ["turn_off"] * 3


@pytest.mark.parametrize("outcome", ["already", "silent", "unavailable"])
async def test_what_changed_nothing_is_not_undone(database_url: str, tmp_path: Path, outcome: str) -> None:
    async with home(database_url, tmp_path, links=Links(light__sala=outcome)) as house:
        await house.butler.ask(ON[0], house.written)
        await house.butler.ask("desfaz", house.written)
        assert [order.verb for order in house.links.orders] == ["turn_on"]


async def test_another_room_and_another_hour_are_not_undone(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path, clock=clock) as house:
        await house.butler.ask(ON[0], house.written)
        other = type(house.written)("text", "cozinha", None)
        await house.butler.ask("desfaz", other)
        clock.advance(timedelta(hours=2).total_seconds())
        await house.butler.ask("desfaz", house.written)
        assert [order.verb for order in house.links.orders] == ["turn_on"]


async def test_undoing_a_lock_asks_before_it_opens(database_url: str, tmp_path: Path) -> None:
    class Unlocked(Links):
        async def carry_out(self, order):  # type: ignore[no-untyped-def]
            done = await super().carry_out(order)
            return type(done)(done.kind, done.state, {"state": "unlocked"}, done.ms)

    async with home(database_url, tmp_path, links=Unlocked()) as house:
        await house.butler.ask("tranca a porta da frente", house.written)
        asked = await house.butler.ask("desfaz", house.written)
        assert asked.reply == ["Quer mesmo destrancar a porta da frente? Diga sim ou não."]
        await house.butler.ask("sim", house.written)
        assert [order.verb for order in house.links.orders] == ["lock", "unlock"]


def deed(verb: str, **previous: object) -> Deed:
    at = FakeClock().now()
    return Deed(uuid4(), verb, {}, {"previous": previous}, "success", at, at, uuid4(), None, None, None)


@pytest.mark.parametrize(
    ("domain", "verb", "previous", "expected"),
    [
        ("light", "turn_on", {"state": "off"}, ("HassTurnOff", {})),
        ("light", "turn_off", {"state": "on", "brightness_pct": 40}, ("HassTurnOn", {})),
        ("light", "set_brightness", {"state": "on", "brightness_pct": 40}, ("HassLightSet", {"brightness": 40})),
        ("light", "set_brightness", {"state": "off", "brightness_pct": 40}, ("HassTurnOff", {})),
        ("light", "set_color", {"state": "on", "color": [0, 0, 255]}, ("HassLightSet", {"rgb": ("0", "0", "255")})),
        ("light", "set_color", {"state": "on", "color_temp_kelvin": 2700}, ("HassLightSet", {"color_temperature": 2700})),
        ("light", "set_color", {"state": "on"}, None),
        ("cover", "open", {"state": "open", "current_position": 30}, ("HassSetPosition", {"position": 30})),
        ("cover", "open", {"state": "closed", "current_position": 0}, ("HassTurnOff", {})),
        ("climate", "set_temperature", {"state": "cool", "temperature": 21.5},
         ("HassClimateSetTemperature", {"temperature": 21.5})),
        ("climate", "set_mode", {"state": "cool"}, ("ClimateSetMode", {"hvac_mode": "cool"})),
        ("media_player", "pause", {"state": "playing"}, ("HassMediaUnpause", {})),
        ("media_player", "mute", {"state": "playing"}, ("HassMediaPlayerUnmute", {})),
        ("media_player", "set_volume", {"state": "playing", "volume_pct": 20}, ("HassSetVolume", {"volume_level": 20})),
        ("lock", "lock", {"state": "unlocked"}, ("HassTurnOff", {})),
        ("lock", "unlock", {"state": "locked"}, ("HassTurnOn", {})),
        ("scene", "press", {"state": None}, None),
        ("switch", "turn_on", {}, None),
        ("switch", "turn_on", {"state": None}, None),
    ],
)  # fmt: skip
def test_opposites(
    domain: str, verb: str, previous: dict[str, object], expected: tuple[str, dict[str, object]] | None
) -> None:
    made = opposite(Thing(f"{domain}.x", domain, "x"), deed(verb, **previous))
    assert (made and (made.name, dict(made.slots))) == expected


async def test_who_it_was_by_name_and_never_what_else_they_asked(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        ana, bia = await _resident(house, "Ana"), await _resident(house, "Bia")
        await house.butler.ask("acende a luz da sala", ana)
        asked = "quem acendeu a luz da sala?"
        to_bia = " ".join((await house.butler.ask(asked, bia)).reply)
        assert to_bia.endswith("Ana na sala me pediu: acende a luz da sala.")
        assert " ".join((await house.butler.ask(asked, ana)).reply).endswith(
            "Você na sala me pediu: acende a luz da sala."
        )
        await house.butler.ask("apaga a luz da sala e me lembra do presente da Bia amanhã às dez", ana)
        asked = "quem apagou a luz da sala?"
        assert " ".join((await house.butler.ask(asked, bia)).reply).endswith("Ana na sala me pediu.")
        assert "presente" in " ".join((await house.butler.ask(asked, ana)).reply)


async def test_what_was_promised_for_later_is_told_as_that(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        ana = await _resident(house, "Ana")
        assert ana.person is not None
        due = type(ana)("schedule", "sala", None, ana.person)
        plan = Plan("skill", (Intent("HassTurnOn", ("light.sala",), {}),), 1.0)
        await house.butler.answer(Understood("acender a luz da sala", plan), due)
        said = " ".join((await house.butler.ask("por que a luz da sala acendeu?", house.written)).reply)
        assert said.endswith("Estava marcado, e quem marcou foi Ana: acender a luz da sala.")


async def _resident(house: Home, name: str) -> Place:
    key: UUID = await house.db.fetchval("INSERT INTO users (name) VALUES ($1) RETURNING id", name)
    await house.people.living.refresh()
    return Place("microphone", "sala", None, Person(key, name, "adult", 0.9))
