"""Rules by voice: what a sentence makes, who may say it, and what asks for a yes."""

from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest
from support.family import family
from support.house import HOUSE, Home, home

from daemon.language.plan import Thing
from daemon.people.person import HOUSE as HERE
from daemon.people.person import Person
from db.permissions import PermissionRow, every

TV = Thing("media_player.tv", "media_player", "TV", area="sala", device_class="tv", state="off")
LIVED_IN = replace(HOUSE, things=(*HOUSE.things, TV), people=("Marcos", "Bia", "Ana"))


async def made(house: Home, before: set[object]) -> list[PermissionRow]:
    return [row for row in await every(house.db) if row.id not in before]


@pytest.mark.parametrize(
    ("text", "asked", "wanted"),
    [
        ("a Ana pode abrir o portão", "Ana pode abrir o portão", ("allow", None, "gate", None, None)),
        ("a partir de agora a Ana não pode mais ligar a TV", "Ana não pode ligar a TV", ("deny", None, "tv", None, None)),
        ("criança não liga a TV depois das 21h", "criança não pode ligar a TV entre nove da noite e seis da manhã",
         ("deny", "child", "tv", time(21), time(6))),
        ("as crianças não podem ligar a TV entre as nove da noite e as sete da manhã", None,
         ("deny", "child", "tv", time(21), time(7))),
        ("visita pode acender a luz da cozinha", None, ("allow", "guest", "light", None, None)),
        ("a Bia precisa pedir permissão para abrir o portão", None, ("ask", None, "gate", None, None)),
    ],
)  # fmt: skip
async def test_a_rule_is_said_confirmed_and_kept(
    database_url: str, tmp_path: Path, text: str, asked: str | None, wanted: tuple[object, ...]
) -> None:
    async with home(database_url, tmp_path, household=LIVED_IN) as house:
        await family(house)
        before: set[object] = {row.id for row in await every(house.db)}
        turn = await house.butler.ask(text, house.written)
        assert turn.asked is not None
        assert turn.reply[0].startswith("De agora em diante, ")
        if asked is not None:
            assert turn.reply == [f"De agora em diante, {asked}. É isso? Diga sim ou não."]
        assert await made(house, before) == []
        await house.butler.ask("sim", house.written)
        rows = await made(house, before)
        if not rows:  # one that was there already says something else now
            rows = [row for row in await every(house.db) if row.effect == wanted[0] and row.domain == wanted[2]]
        assert wanted in {(row.effect, row.role, row.domain, row.from_time, row.until_time) for row in rows}
        assert house.links.orders == []


async def test_it_holds_at_once(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, household=LIVED_IN) as house:
        they = await family(house)
        await house.butler.ask("a Ana pode abrir o portão", house.written)
        await house.butler.ask("sim", house.written)
        await house.people.living.refresh()
        turn = await house.butler.ask("abre o portão", they.says(they.ana))
        assert turn.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]


@pytest.mark.parametrize("role", ["adult", "teenager", "child", "guest", "device"])
async def test_only_administrators(database_url: str, tmp_path: Path, role: str) -> None:
    async with home(database_url, tmp_path, household=LIVED_IN) as house:
        they = await family(house)
        person = {"adult": they.marcos, "teenager": they.bia, "child": they.ana}.get(role, they.guest)
        before: set[object] = {row.id for row in await every(house.db)}
        place = house.over_mqtt if role == "device" else they.says(person)
        turn = await house.butler.ask("a Ana pode abrir o portão", place)
        assert turn.asked is None
        await house.butler.ask("sim", place)
        assert await made(house, before) == []


@pytest.mark.parametrize(
    "text",
    ["a Ana pode vir amanhã", "criança não pode comer doce", "a Ana pode abrir um presente", "o Zeca pode abrir o portão",
     "criança pode mexer em tudo", "você pode abrir o portão", "alguém pode acender a luz da sala"],
)  # fmt: skip
async def test_what_is_no_rule_makes_none(database_url: str, tmp_path: Path, text: str) -> None:
    async with home(database_url, tmp_path, household=LIVED_IN) as house:
        await family(house)
        before: set[object] = {row.id for row in await every(house.db)}
        place = replace(house.aloud, person=Person(None, None, HERE.role))
        await house.butler.ask(text, place)
        await house.butler.ask("não", place)
        assert await made(house, before) == []


async def test_a_question_only_tells(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, household=LIVED_IN) as house:
        await family(house)
        before: set[object] = {row.id for row in await every(house.db)}
        turn = await house.butler.ask("a Ana pode abrir o portão?", house.written)
        assert turn.reply == ["Hoje, Ana pede permissão para abrir o portão."]
        await house.butler.ask("sim", house.written)
        assert await made(house, before) == []
