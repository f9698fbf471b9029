"""`mordomo people code`: the digits that somebody says where their voice is only likely theirs."""

import asyncio
import sys
from typing import Annotated

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.people import Name
from daemon.commands.people_desk import people_desk, person_of


@run_async
async def set_code(
    name: Name,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Tira o código.")] = False,
    json: AsJson = False,
) -> None:
    """Dá a alguém um código de 4 a 8 algarismos, que Mordomo pede quando não tem certeza da voz.

    Pergunta duas vezes, sem mostrar; num script, lê o código da entrada padrão.
    """
    from daemon.people.codes import hashed, unfit  # noqa: PLC0415
    from db import codes  # noqa: PLC0415
    from db.audit import acting_as  # noqa: PLC0415

    async with people_desk() as at:
        user, spelt = await person_of(at.db, name)
        code = "" if remove else await asyncio.to_thread(_asked, spelt)
        if not remove and (why := unfit(code)) is not None:
            fail(why)
        kept = None if remove else await asyncio.to_thread(hashed, code)
        async with acting_as(at.db, "linha de comando", "cli") as connection:
            if kept is not None:
                await codes.put(connection, user, kept, at.now)
            elif not await codes.remove(connection, user):
                fail(f"{spelt} não tem código.")
    if json:
        print_json({"name": spelt, "code": not remove})
    elif remove:
        out.print(f"{spelt} não tem mais código.", markup=False)
    else:
        out.print(
            f"{spelt} tem um código. Quando a voz só parecer a de {spelt}, Mordomo pede o código para o que abre a "
            "casa, o que é segredo e o que não tem volta. Quem ouvir dizer o código fica sabendo dele.",
            markup=False,
        )


def _asked(name: str) -> str:
    """Return the code as typed twice, unseen; or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    code: str = typer.prompt(f"Código de {name}", hide_input=True)
    if typer.prompt("O mesmo código outra vez", hide_input=True) != code:
        fail("Os dois códigos não são iguais. Nada mudou.")
    return code.strip()
