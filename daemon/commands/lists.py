"""`mordomo lists`: the lists of the house and of each person, by command."""

import getpass
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.desk import Desk, desk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from db.audit import Acting
    from db.lists import Item, Listed

lists = typer.Typer(help="As listas da casa e de cada um.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A lista, como em: compras.")]
Things = Annotated[list[str], typer.Argument(help="Uma ou mais coisas, como em: leite 'dois quilos de arroz'.")]
Person = Annotated[str | None, typer.Option("--person", help="A lista desta pessoa, e não a da casa.")]


@lists.command("list")
@run_async
async def list_lists(json: AsJson = False) -> None:
    """Mostra as listas que há."""
    from db.lists import all_lists  # noqa: PLC0415

    async with desk() as at:
        found = await all_lists(at.db, everybodys=True)
        names = {row["id"]: row["name"] for row in await at.db.fetch("SELECT id, name FROM users")}
    told = [
        {"name": each.name, "person": names.get(each.user_id) if each.user_id else None, "waiting": each.waiting}
        for each in found
    ]
    if json:
        print_json(told)
    elif not told:
        out.print("Ainda não há nenhuma lista. Comece uma com: mordomo lists add compras leite")
    else:
        shown = Table("lista", "de quem", "coisas", box=None, header_style="dim", padding=(0, 2, 0, 0))
        for each in told:
            shown.add_row(Text(str(each["name"])), Text(str(each["person"] or "da casa")), str(each["waiting"]))
        out.print(shown)


@lists.command("show")
@run_async
async def show_list(name: Name = "compras", person: Person = None, json: AsJson = False) -> None:
    """Mostra o que há numa lista."""
    async with desk() as at:
        _, there = await _items(at, name, person)
    if json:
        print_json([_as_json(item) for item in there])
    elif not there:
        out.print("A lista está vazia.")
    for item in () if json else there:
        text = f"{item.quantity}, {item.text}" if item.quantity else item.text
        out.print(Text(f"✓ {text}" if item.ticked_at else f"  {text}", "dim" if item.ticked_at else ""))


@lists.command("add")
@run_async
async def add_to_list(name: Name, things: Things, person: Person = None, json: AsJson = False) -> None:
    """Põe coisas numa lista, que é criada se não houver; o que já está lá não se repete."""
    from daemon.skills.quantities import spoken, wanted  # noqa: PLC0415
    from db.lists import add, create  # noqa: PLC0415

    async with desk() as at:
        whose = await _whose(at, person)
        try:
            async with at.changing() as connection:
                theirs = await create(connection, name, whose)
                added = await add(connection, theirs.id, [wanted(each) for each in things], getpass.getuser(), at.utc)
        except ValueError as wrong:
            fail(str(wrong))
    put = [spoken(each) for each in (*added.new, *added.changed)]
    if json:
        print_json({"added": put, "already": [spoken(each) for each in added.already]})
    else:
        out.print(f"Na lista de {theirs.name}: {', '.join(put)}." if put else "Já estava tudo lá.", markup=False)


@lists.command("tick")
@run_async
async def tick_things(name: Name, things: Things, person: Person = None, json: AsJson = False) -> None:
    """Marca coisas como compradas ou feitas."""
    from db.lists import tick  # noqa: PLC0415

    await _do(tick, "Marcado", name, things, person, json=json)


@lists.command("remove")
@run_async
async def remove_things(name: Name, things: Things, person: Person = None, json: AsJson = False) -> None:
    """Tira coisas de uma lista."""
    from db.lists import remove  # noqa: PLC0415

    await _do(remove, "Tirado", name, things, person, json=json)


@lists.command("clear")
@run_async
async def clear_list(
    name: Name,
    person: Person = None,
    *,
    ticked: Annotated[bool, typer.Option("--ticked", help="Só o que já foi marcado.")] = False,
    whole: Annotated[bool, typer.Option("--delete", help="Apaga também a lista.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Esvazia uma lista."""
    from db.lists import delete, remove  # noqa: PLC0415

    async with desk() as at:
        theirs, there = await _items(at, name, person)
        gone = [item for item in there if item.ticked_at or not ticked]
        if not yes and not ticked and gone:
            typer.confirm(f"Tirar {len(gone)} coisas da lista de {theirs.name}?", abort=True)
        if whole:
            await delete(at.acting, theirs.id)
        else:
            await remove(at.acting, [item.id for item in gone], at.utc)
    _tell("Tirado", gone, json=json)


async def _do(
    act: "Callable[[Acting, Sequence[UUID], datetime], Awaitable[object]]",
    how: str,
    name: str,
    things: list[str],
    person: str | None,
    *,
    json: bool,
) -> None:
    """Do it with the items that are meant, and tell `how`."""
    async with desk() as at:
        meant = await _meant(at, name, things, person)
        await act(at.acting, [item.id for item in meant], at.utc)
    _tell(how, meant, json=json)


async def _whose(at: Desk, person: str | None) -> UUID | None:
    if person is None:
        return None
    from db.search import people_named  # noqa: PLC0415

    found = await people_named(at.db, person)
    if len(found) != 1:
        fail(f"Não conheço ninguém chamado “{person}”." if not found else f"Há mais de uma pessoa chamada “{person}”.")
    return found[0]


async def _items(at: Desk, name: str, person: str | None) -> "tuple[Listed, list[Item]]":
    from db.lists import find, items  # noqa: PLC0415

    whose = await _whose(at, person)
    theirs = await find(at.db, name, whose)
    if theirs is None or (person is not None and theirs.user_id != whose):
        fail(f"Não existe a lista “{name}”. Veja as que existem com: mordomo lists list")
    return theirs, await items(at.db, theirs.id)


async def _meant(at: Desk, name: str, things: list[str], person: str | None) -> "list[Item]":
    """Return the items that are meant. Ends the command where one is not there, or may be several."""
    from db.lists import matching  # noqa: PLC0415

    theirs, there = await _items(at, name, person)
    meant = []
    for thing in things:
        found = matching(there, thing)
        if len(found) != 1:
            several = ", ".join(item.text for item in found)
            fail(f"Qual deles: {several}?" if found else f"Não achei “{thing}” na lista de {theirs.name}.")
        meant += found
    return meant


def _tell(how: str, things: "list[Item]", *, json: bool) -> None:
    if json:
        print_json([_as_json(item) for item in things])
    else:
        out.print(f"{how}: {', '.join(item.text for item in things) or 'nada'}.", markup=False)


def _as_json(item: "Item") -> dict[str, str | None]:
    return {
        "text": item.text,
        "quantity": item.quantity,
        "added_by": item.added_by,
        "added_at": item.added_at.isoformat(),
        "ticked_at": item.ticked_at.isoformat() if item.ticked_at else None,
    }
