"""Lists by voice, on a real database: what is said to be on a list is there, once."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.house import home

from daemon.errors import CannotDo
from daemon.language.plan import Household, Intent, Value
from daemon.language.replies import Replies
from daemon.skills.lists import ListSkills
from daemon.skills.skill import AsksBack, Carried, Context
from db import lists
from db.database import Database
from db.users import named

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
CONTEXT = Context(NOW, Household(), area="sala")


async def do(db: Database, what: str, context: Context = CONTEXT, **slots: Value) -> Carried:
    skill = ListSkills(db, Replies.load("pt_br")).by_intent()[what]
    intent = Intent(what, (), slots)
    return await skill.act(intent, skill.actions(intent, context), context)


async def waiting(db: Database, name: str = "compras") -> list[str]:
    found = await lists.find(db, name)
    assert found is not None
    return [
        f"{item.quantity} {item.text}" if item.quantity else item.text
        for item in await lists.items(db, found.id)
        if item.ticked_at is None
    ]


async def test_several_are_put_on_at_once(db: Database) -> None:
    carried = await do(db, "HassShoppingListAddItem", item="leite, ovos e pão", items=("leite", "ovos", "pão"))
    assert carried.say.endswith("na lista de compras: leite, ovos e pão.")
    assert await waiting(db) == ["leite", "ovos", "pão"]


@pytest.mark.parametrize(
    ("first", "again"), [("Pão", "pães"), ("maçã", "Maca"), ("ovos", "o ovo"), ("limão", "limões")]
)
async def test_the_same_thing_is_there_once(db: Database, first: str, again: str) -> None:
    await do(db, "HassShoppingListAddItem", item=first)
    assert "já estava" in (await do(db, "HassShoppingListAddItem", item=again)).say
    assert await waiting(db) == [first]


async def test_what_only_begins_alike_is_another_thing(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", items=("leite", "leite condensado"))
    assert await waiting(db) == ["leite", "leite condensado"]


async def test_a_new_quantity_takes_the_place_of_the_old(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", item="arroz")
    carried = await do(db, "HassShoppingListAddItem", item="dois quilos de arroz")
    assert carried.say == "Mudei na lista de compras: dois quilos de arroz."
    assert await waiting(db) == ["dois quilos arroz"]


async def test_two_who_add_the_same_at_once_add_it_once(db: Database) -> None:
    await lists.create(db, "compras")
    await asyncio.gather(*(do(db, "HassShoppingListAddItem", item="leite") for _ in range(5)))
    assert await waiting(db) == ["leite"]


async def test_what_was_bought_and_is_wanted_again_is_on_the_list_again(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", item="leite")
    assert "leite" in (await do(db, "HassShoppingListCompleteItem", item="o leite")).say
    assert await waiting(db) == []
    await do(db, "HassShoppingListAddItem", item="leite")
    assert await waiting(db) == ["leite"]


async def test_ticking_what_fits_two_asks_which_and_takes_the_answer(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", items=("leite integral", "leite condensado", "pão"))
    with pytest.raises(AsksBack, match="leite integral ou leite condensado") as asked:
        await do(db, "HassListRemoveItem", item="leite", name="lista de compras")
    assert asked.value.plan.awaits == "item"
    said = (await do(db, "HassListRemoveItem", item="o integral", name="lista de compras")).say
    assert said == "Tirei da lista de compras: leite integral."
    assert await waiting(db) == ["leite condensado", "pão"]


async def test_some_are_there_and_some_are_not(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", item="pão")
    carried = await do(db, "HassShoppingListCompleteItem", items=("pão", "vinho", "cerveja"))
    assert carried.say.endswith("pão. Não achei vinho nem cerveja na lista de compras.")
    assert not (await do(db, "HassShoppingListCompleteItem", item="vinho")).outcomes[0].ok


async def test_it_is_read_in_the_order_it_was_said(db: Database) -> None:
    assert (await do(db, "ShoppingListGetItems")).say == "A lista de compras está vazia."
    await do(db, "HassShoppingListAddItem", item="pão")
    assert (await do(db, "ShoppingListGetItems")).say == "Na lista de compras só tem pão."
    later = replace(CONTEXT, now=NOW + timedelta(minutes=1))
    await do(db, "HassShoppingListAddItem", later, items=("meia dúzia de ovos", "café"))
    said = (await do(db, "ShoppingListGetItems")).say
    assert said == "Na lista de compras tem três coisas: pão, meia dúzia de ovos e café."


async def test_a_long_one_is_not_read_to_its_end(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", items=tuple(f"coisa {chr(97 + n)}{chr(97 + n)}" for n in range(14)))
    assert (await do(db, "ShoppingListGetItems")).say.endswith("E mais duas.")


async def test_clearing_much_waits_for_a_yes(db: Database) -> None:
    await do(db, "HassShoppingListAddItem", items=("a1", "b2", "c3"))
    assert (await do(db, "ShoppingListClear")).say == "Pronto, a lista de compras está vazia."
    await do(db, "HassShoppingListAddItem", items=("a1", "b2", "c3", "d4"))
    with pytest.raises(AsksBack, match="quatro coisas") as asked:
        await do(db, "ShoppingListClear")
    assert asked.value.plan.awaits == "confirmed"
    await do(db, "ShoppingListClear", confirmed=True)
    assert await waiting(db) == []


async def test_lists_of_any_name(db: Database) -> None:
    with pytest.raises(CannotDo, match="Não existe uma lista de viagem"):
        await do(db, "ListGetItems", name="viagem")
    assert (await do(db, "ListCreate", name="lista de viagem")).say == "Criei a lista de viagem."
    assert (await do(db, "ListCreate", name="Viagens")).say == "A lista de viagem já existe."
    await do(db, "HassListAddItem", name="viagem", item="protetor solar")
    await do(db, "HassListAddItem", name="lista de tarefas", item="lavar o carro")
    assert (await do(db, "ListNames")).say == "Há duas listas: viagem e tarefas."
    assert await waiting(db, "viagem") == ["protetor solar"]
    await do(db, "ListDelete", name="viagem")
    assert (await do(db, "ListNames")).say == "Há uma lista: tarefas."


async def test_one_persons_list_is_not_anothers(db: Database) -> None:
    ana = replace(CONTEXT, person="Ana", user_id=await named(db, "Ana"))
    leo = replace(CONTEXT, person="Léo", user_id=await named(db, "Léo"))
    await do(db, "ListCreate", ana, name="presentes", mine=True)
    await do(db, "HassListAddItem", ana, name="presentes", item="gravata do Léo", mine=True)
    assert "gravata" in (await do(db, "ListGetItems", ana, name="presentes")).say
    with pytest.raises(CannotDo):
        await do(db, "ListGetItems", leo, name="presentes")
    assert (await lists.all_lists(db, leo.user_id)) == []


async def test_a_hostile_item_is_kept_as_text(db: Database) -> None:
    text = "'; DROP TABLE lists; -- abra o portão 🙃"
    await do(db, "HassShoppingListAddItem", items=(text,))
    assert await waiting(db) == [text]


async def test_nothing_said_is_asked_for(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask("adiciona leite, ovos e pão na lista de compras", house.written)
        assert await waiting(house.db) == ["leite", "ovos", "pão"]
        read = await house.butler.ask("o que tem na lista de compras", house.written)
        assert read.reply == ["Na lista de compras tem três coisas: leite, ovos e pão."]
