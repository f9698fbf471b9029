"""`mordomo memory`: what the house was told, by command; and the store of vectors, mended and built again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async
from daemon.commands.desk import Desk, desk

if TYPE_CHECKING:
    from daemon.memory.parts import Memory
    from daemon.people.person import Person

memory = typer.Typer(help="O que a casa lembra.", no_args_is_help=True)

Whose = Annotated[str | None, typer.Option("--person", help="O que é desta pessoa, além do que é da casa.")]
DRIFTED = 1
"""Exit status of a check that found something to mend."""


@memory.command("list")
@run_async
async def list_memories(
    person: Whose = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Também o que se conversou, e de todas as pessoas.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Mostra o que contaram à casa, o mais novo primeiro."""
    from db.memories import listed  # noqa: PLC0415

    async with desk() as at:
        whose = await _person(at, person)
        rows = await listed(at.db, None if everything else "fact")
        names = {row["id"]: row["name"] for row in await at.db.fetch("SELECT id, name FROM users")}
    shown = [
        {
            "id": str(row.id),
            "text": row.text,
            "kind": row.kind,
            "person": names.get(row.user_id) if row.user_id else None,
            "area": row.area,
            "secret": row.secret,
            "at": row.created_at.isoformat(),
        }
        for row in rows
        if everything or row.user_id in (None, whose.id)
    ]
    _show(shown, json=json, empty="Ainda não contaram nada à casa. Comece com: mordomo memory add 'o wifi é …'")


@memory.command("search")
@run_async
async def search_memories(
    question: Annotated[list[str], typer.Argument(help="A pergunta, como em: onde está a chave do sítio.")],
    person: Whose = None,
    json: AsJson = False,
) -> None:
    """Acha o que foi contado, pelo sentido e pelas palavras."""
    async with desk() as at, _memory(at) as parts:
        whose = await _person(at, person)
        await parts.embedding.load()
        found = await parts.recall.recall(" ".join(question), whose, None, at.utc)
    shown: list[dict[str, Any]] = [
        {"id": str(one.id), "text": one.text, "kind": one.kind, "at": one.at.isoformat(), "score": round(one.score, 3)}
        for one in found
    ]
    _show(shown, json=json, empty="Não achei nada disso.")


@memory.command("add")
@run_async
async def add_memory(
    text: Annotated[list[str], typer.Argument(help="O que lembrar, como em: o wifi da visita é jabuticaba.")],
    person: Annotated[str | None, typer.Option("--person", help="Só desta pessoa, e não da casa.")] = None,
    json: AsJson = False,
) -> None:
    """Guarda um fato."""
    from daemon.memory.told import told  # noqa: PLC0415
    from db.memories import NewFact, add  # noqa: PLC0415

    fact = told(" ".join(text))
    if fact is None:
        fail("Guardar o quê? Escreva, por exemplo: mordomo memory add 'a Ana é alérgica a amendoim'")
    async with desk() as at:
        whose = await _person(at, person)
        new = NewFact(fact.text, whose.id, whose.id, importance=fact.importance, secret=fact.secret,
                       for_guests=fact.for_guests and whose.id is None)  # fmt: skip
        row = await add(at.acting, new, at.utc)
    if json:
        print_json({"id": str(row.id), "text": row.text})
    else:
        out.print(f"Guardado: {row.text}", markup=False)


@memory.command("forget")
@run_async
async def forget_memory(
    which: Annotated[str, typer.Argument(help="O fim do número da lembrança (mordomo memory list).")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Não pergunta antes.")] = False,
    json: AsJson = False,
) -> None:
    """Esquece uma lembrança, e a mensagem que a contou."""
    from db.memories import forget, listed  # noqa: PLC0415

    async with desk() as at:
        ending = which.replace("-", "").lower()
        meant = [row for row in await listed(at.db) if ending and row.id.hex.endswith(ending)]
        if len(meant) != 1:
            fail(f"Não há uma lembrança {which}." if not meant else f"Há {len(meant)} que terminam em {which}.")
        if not yes:
            typer.confirm(f"Esquecer “{meant[0].text}”?", abort=True)
        await forget(at.acting, [meant[0].id])
    if json:
        print_json({"id": str(meant[0].id), "text": meant[0].text})
    else:
        out.print(f"Esquecido: {meant[0].text}", markup=False)


@memory.command("reindex")
@run_async
async def reindex(json: AsJson = False) -> None:
    """Refaz os vetores de todas as lembranças (demora uns milissegundos por lembrança)."""
    async with desk() as at, _memory(at) as parts:
        await parts.vectors.check()
        waiting = await parts.indexing.rebuild()
        await parts.indexing.drain()
        drift, left = await parts.indexing.drift(), await _left(at)
    if json:
        print_json({"memories": waiting, "waiting": left, "lacking": drift.lacking, "orphaned": drift.orphaned})
    else:
        out.print(f"Vetores refeitos: {waiting - left}; esperando: {left}.", markup=False)
    if left:
        fail("Nem tudo foi refeito. Veja por quê com: mordomo memory check")


@memory.command("check")
@run_async
async def check(
    *,
    fix: Annotated[bool, typer.Option("--fix", help="Conserta o que diferir.")] = False,
    json: AsJson = False,
) -> None:
    """Compara as lembranças com os vetores; termina com 1 se diferem."""
    from db.memories import state  # noqa: PLC0415

    async with desk() as at, _memory(at) as parts:
        await parts.vectors.check()
        drift = await (parts.indexing.reconcile() if fix else parts.indexing.drift())
        if fix:
            await parts.indexing.drain()
        now = await state(at.db)
        if fix:
            drift = await parts.indexing.drift()
    told = {"memories": now.memories, "waiting": now.waiting, "fault": now.fault, "lacking": drift.lacking,
            "orphaned": drift.orphaned, "store": parts.vectors.name, "model": parts.model()}  # fmt: skip
    if json:
        print_json(told)
    else:
        out.print(
            f"{now.memories} lembranças, {now.waiting} a aprender; vetores que faltam: {drift.lacking}, "
            f"que sobram: {drift.orphaned}." + (f" Última falha: {now.fault}" if now.fault else ""),
            markup=False,
        )
    if not drift.none:
        raise typer.Exit(DRIFTED)


@asynccontextmanager
async def _memory(at: Desk) -> "AsyncIterator[Memory]":
    """Give the parts of memory on the desk's database."""
    from daemon.clock import SystemClock  # noqa: PLC0415
    from daemon.engines import registry  # noqa: PLC0415
    from daemon.engines.plug import Plug  # noqa: PLC0415
    from daemon.memory.parts import Memory  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    env = environment()
    preferences, _ = await load(at.db)
    patient = preferences.with_value("memory.recall_ms", 5000)
    plug = Plug("embedding", lambda: registry.embedding(env, lambda: patient))
    parts = Memory.of(env, at.db, plug, lambda: patient, SystemClock())
    try:
        yield parts
    finally:
        plug.close()
        await parts.close()


async def _person(at: Desk, name: str | None) -> "Person":
    """Return who that is, or the house. Ends the command where nobody, or more than one, is called so."""
    from daemon.people.person import HOUSE, Person  # noqa: PLC0415
    from db.search import people_named  # noqa: PLC0415

    if name is None:
        return HOUSE
    found: list[UUID] = await people_named(at.db, name)
    if len(found) != 1:
        fail(f"Não conheço ninguém chamado “{name}”." if not found else f"Há mais de uma pessoa chamada “{name}”.")
    return Person(found[0], name, "adult")


async def _left(at: Desk) -> int:
    from db.memories import state  # noqa: PLC0415

    return (await state(at.db)).waiting


def _show(rows: list[dict[str, Any]], *, json: bool, empty: str) -> None:
    if json:
        print_json(rows)
    elif not rows:
        out.print(empty, markup=False)
    else:
        shown = Table("número", "o quê", "de quem", "quando", box=None, header_style="dim", padding=(0, 2, 0, 0))
        for row in rows:
            whose = str(row.get("person") or "da casa")
            shown.add_row(row["id"][-6:], Text(str(row["text"])), Text(whose), str(row["at"])[:10])
        out.print(shown)
