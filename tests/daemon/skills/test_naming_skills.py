"""Names, rooms and marks by voice: rows that the house follows, written down as whose they are."""

from pathlib import Path

import pytest
from support.house import HOUSE, Home, home

from db import devices


async def announced(house: Home) -> None:
    for thing in HOUSE.things:
        await house.db.execute(
            "INSERT INTO entities (entity_id, source, component, name) VALUES ($1, $2, $3, $4)",
            thing.id, f"homeassistant/{thing.id}/config", thing.domain, thing.name,
        )  # fmt: skip


async def say(house: Home, text: str) -> str:
    return " ".join((await house.butler.ask(text, house.written)).reply)


@pytest.mark.parametrize(
    ("text", "said", "entity", "column", "value"),
    [
        ("chama a luz da cozinha de luz da bancada", "Certo: a luz da cozinha agora se chama luz da bancada.",
         "light.cozinha", "given_name", "luz da bancada"),
        ("a luz da cozinha também se chama luz do fogão", "Certo: a luz da cozinha também se chama luz do fogão.",
         "light.cozinha", "aliases", ["luz do fogão"]),
        ("move a luz da sala para a cozinha", "Certo: a luz da sala agora fica na cozinha.",
         "light.sala", "area", "cozinha"),
        ("esconde a luz da cozinha da lista",
         "Escondi a luz da cozinha. Para voltar a falar da luz da cozinha, use o comando mordomo devices.",
         "light.cozinha", "hidden", True),
        ("coloca a luz da sala nos favoritos", "Certo, a luz da sala é um dos favoritos.",
         "light.sala", "favourite", True),
        ("sempre pergunta antes de ligar a luz da sala", "Certo, sempre vou perguntar antes de mexer com a luz da sala.",
         "light.sala", "guarded", True),
    ],
)  # fmt: skip
async def test_what_is_set_by_voice(
    database_url: str, tmp_path: Path, text: str, said: str, entity: str, column: str, value: object
) -> None:
    async with home(database_url, tmp_path) as house:
        await announced(house)
        assert await say(house, text) == said
        assert getattr(await devices.one(house.db, entity), column) == value
        changes = await house.db.fetch("SELECT actor, channel FROM audit_log WHERE table_name = 'entities'")
        assert ("alguém em sala", "web") in {(row["actor"], row["channel"]) for row in changes}


async def test_an_unknown_room_is_made_after_a_yes(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await announced(house)
        asked = await say(house, "move a luz da sala para a lavanderia")
        assert asked == "Ainda não conheço o cômodo lavanderia. Crio esse cômodo? Diga sim ou não."
        assert (await devices.one(house.db, "light.sala")).area is None
        assert await say(house, "sim") == "Certo: a luz da sala agora fica na lavanderia."
        assert (await devices.one(house.db, "light.sala")).area == "lavanderia"


async def test_a_guard_is_taken_away_after_a_yes_only(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await announced(house)
        await say(house, "não precisa perguntar antes de abrir o portão")
        await say(house, "não")
        assert (await devices.one(house.db, "cover.portao")).guarded is None
        await say(house, "não precisa perguntar antes de abrir o portão")
        await say(house, "sim")
        assert (await devices.one(house.db, "cover.portao")).guarded is False


async def test_two_things_of_a_room_are_not_called_alike(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await announced(house)
        said = await say(house, "chama a luz da sala de porta da frente")
        assert said == "Já chamo a porta da frente assim nesse cômodo. Escolha outro nome."
        assert (await devices.one(house.db, "light.sala")).given_name is None


async def test_what_cannot_be_named(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        assert "Não conheço nenhum aparelho" in await say(house, "chama a luz da sala de farol")
        await announced(house)
        assert "mais de 100 letras" in await say(
            house, "chama a luz da sala de " + " ".join(f"paralelepipedo{letter}" for letter in "abcdefgh")
        )
        refused = await house.butler.ask("chama a luz da sala de farol", house.over_mqtt)
        assert refused.reply == ["Isso só faço quando alguém da casa pede de viva voz."]
        assert (await devices.one(house.db, "light.sala")).given_name is None
