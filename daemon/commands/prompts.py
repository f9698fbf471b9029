"""`mordomo prompts`: what the language model is told, by version; one may answer beside another, unheard."""

import getpass
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.desk import Desk, desk

if TYPE_CHECKING:
    from daemon.brain.comparison import Compared
    from db.prompts import PromptRow
    from models.words import PromptStatus

prompts = typer.Typer(help="O que se diz ao modelo de linguagem antes de cada conversa.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="O número da versão, como em: mordomo prompts list.")]
STATES = {"draft": "rascunho", "active": "em uso", "shadow": "em teste, à sombra", "retired": "guardada"}


@prompts.command("list")
@run_async
async def list_prompts(json: AsJson = False) -> None:
    """Mostra as versões, a mais nova primeiro."""
    async with desk() as at:
        found = await _versions(at)
        zone = at.zone
    if json:
        print_json([{**asdict(row), "id": str(row.id)} for row in found])
        return
    shown = Table("versão", "estado", "de quando", "de quem", "o que mudou", box=None, header_style="dim",
                  padding=(0, 2, 0, 0))  # fmt: skip
    for row in found:
        when = f"{row.created_at.astimezone(zone):%d/%m/%Y %H:%M}"
        shown.add_row(str(row.version), STATES[row.status], when, Text(row.created_by or ""), Text(row.note or ""))
    out.print(shown)


@prompts.command("show")
@run_async
async def show_prompt(version: Annotated[int | None, typer.Argument(help="Sem número, a em uso.")] = None) -> None:
    """Mostra o texto de uma versão."""
    async with desk() as at:
        found = await _versions(at)
    row = next((row for row in found if row.version == version or (version is None and row.status == "active")), None)
    if row is None:
        fail(f"Não há a versão {version}. As que há: mordomo prompts list")
    out.print(row.content, markup=False, soft_wrap=True)


@prompts.command("add")
@run_async
async def add_prompt(
    file: Annotated[Path, typer.Argument(help="O arquivo com o texto; - lê da entrada.")],
    note: Annotated[str | None, typer.Option("--note", help="O que mudou.")] = None,
) -> None:
    """Guarda um texto como versão nova, ainda sem uso."""
    from db.prompts import add  # noqa: PLC0415

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as unread:
        fail(f"Não consegui ler {file}: {unread}. Confira o nome e se é um texto em UTF-8.")
    async with desk() as at:
        await _versions(at)
        try:
            version = await add(at.db, text, note, getpass.getuser())
        except ValueError as wrong:
            fail(f"Não guardei: {wrong}.")
    out.print(f"Guardada como versão {version}. Para testar: mordomo prompts shadow {version}")


@prompts.command("activate")
@run_async
async def activate_prompt(version: Number) -> None:
    """Põe uma versão em uso, a partir da próxima resposta."""
    await _set(version, "active")
    out.print(f"A versão {version} está em uso.")


@prompts.command("shadow")
@run_async
async def shadow_prompt(
    version: Annotated[int | None, typer.Argument(help="O número da versão.")] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="Termina o teste.")] = False,
) -> None:
    """Faz uma versão responder à sombra: as mesmas perguntas, sem que ninguém ouça e sem mexer em nada."""
    if off == (version is not None):
        fail("Diga o número de uma versão, ou --off para terminar o teste.")
    if version is not None:
        await _set(version, "shadow")
        out.print(f"A versão {version} responde à sombra. Para comparar: mordomo prompts compare")
        return
    from db.prompts import set_status  # noqa: PLC0415

    async with desk() as at:
        for row in await _versions(at):
            if row.status == "shadow":
                await set_status(at.db, row.version, "draft")
    out.print("Nenhuma versão responde à sombra.")


@prompts.command("compare")
@run_async
async def compare_prompts(
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="De quantos dias.")] = 30, json: AsJson = False
) -> None:
    """Compara as versões lado a lado: demora, tamanho, acerto com as ferramentas."""
    from daemon.brain.comparison import compared  # noqa: PLC0415
    from db.prompts import inferences  # noqa: PLC0415

    async with desk() as at:
        found = await _versions(at)
        rows = await inferences(at.db, [row.id for row in found], at.utc - timedelta(days=days))
    told = compared(found, rows)
    if json:
        print_json([asdict(each) for each in told])
    else:
        out.print(_side_by_side(told))


def _side_by_side(told: "list[Compared]") -> Table:
    shown = Table("", *(f"versão {each.version}" for each in told), box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title, cell in _LINES:
        shown.add_row(Text(title, "dim"), *(cell(each) for each in told))
    return shown


def _ms(spread: tuple[float, float] | None) -> str:
    return "–" if spread is None else f"{spread[0]:.0f} / {spread[1]:.0f} ms"


def _share(share: float | None, of: int) -> str:
    return "–" if share is None else f"{share * 100:.0f}% de {of}"


def _size(each: "Compared") -> str:
    return "–" if each.characters is None else f"{each.characters:.0f} letras, {each.tokens or 0:.0f} tokens"


_LINES: "tuple[tuple[str, Callable[[Compared], str]], ...]" = (
    ("estado", lambda each: STATES[each.status]),
    ("respostas", lambda each: f"{each.answers}" + (f" ({each.failed} falharam)" if each.failed else "")),
    ("primeira palavra (metade / 95%)", lambda each: _ms(each.first_token_ms)),
    ("primeira frase", lambda each: _ms(each.first_sentence_ms)),
    ("resposta inteira", lambda each: _ms(each.total_ms)),
    ("tamanho", _size),
    ("ferramentas bem chamadas", lambda each: _share(each.usable, each.calls)),
    ("mesmas ferramentas que a em uso", lambda each: _share(each.agrees, each.both)),
)


async def _versions(at: Desk) -> "list[PromptRow]":
    """Return all versions; the one that Mordomo comes with is there, whether or not the daemon ever ran."""
    from daemon.brain.prompt import factory  # noqa: PLC0415
    from db.prompts import seed, versions  # noqa: PLC0415

    await seed(at.db, factory())
    return await versions(at.db)


async def _set(version: int, status: "PromptStatus") -> None:
    from db.prompts import set_status  # noqa: PLC0415

    async with desk() as at:
        found = {row.version: row for row in await _versions(at)}
        if version not in found:
            fail(f"Não há a versão {version}. As que há: mordomo prompts list")
        if not await set_status(at.db, version, status):
            fail(f"A versão {version} está em uso. Ponha outra em uso antes: mordomo prompts activate NÚMERO")
