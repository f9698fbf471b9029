"""`mordomo approvals`: what people ask leave for, and the answer to it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from daemon.commands.ask import AsJson
from daemon.commands.client import call
from daemon.commands.console import environment, fail, out, print_json, run_async
from daemon.commands.desk import desk

if TYPE_CHECKING:
    from db.approvals import ApprovalRow

approvals = typer.Typer(help="Pedidos de permissão.", no_args_is_help=True)

Which = Annotated[str | None, typer.Argument(help="O fim do identificador; sem ele, o pedido que espera.")]
By = Annotated[str | None, typer.Option("--as", help="Quem responde, pelo nome.")]
STATUS = {
    "pending": "espera resposta", "granted": "permitido", "executing": "sendo feito", "done": "feito",
    "failed": "permitido, mas não deu certo", "refused": "negado", "expired": "sem resposta a tempo",
}  # fmt: skip


@approvals.command("list")
@run_async
async def list_approvals(json: AsJson = False) -> None:
    """Mostra os pedidos mais novos, e o que houve com cada um."""
    from daemon.web.approvals import approval_as_json  # noqa: PLC0415
    from db.approvals import recent  # noqa: PLC0415

    async with desk() as at:
        rows = await recent(at.db)
        zone = at.zone
    if json:
        print_json([approval_as_json(row) for row in rows])
    elif not rows:
        out.print("Ninguém pediu permissão para nada ainda.")
    else:
        shown = Table("pedido", "quando", "quem", "o quê", "", "por quem", box=None, header_style="dim",
                      padding=(0, 2, 0, 0))  # fmt: skip
        for row in rows:
            at_clock = f"{row.asked_at.astimezone(zone):%d/%m %H:%M}"
            cells = (row.id.hex[-6:], at_clock, row.asked_by, row.doing, STATUS[row.status], row.decided_by or "")
            shown.add_row(*(Text(cell) for cell in cells))
        out.print(shown)


@approvals.command("grant")
def grant(which: Which = None, by: By = None) -> None:
    """Permite o que foi pedido; o Mordomo faz, uma vez só."""
    _decide(which, by, granted=True)


@approvals.command("refuse")
def refuse(which: Which = None, by: By = None) -> None:
    """Nega o que foi pedido."""
    _decide(which, by, granted=False)


def _decide(which: str | None, by: str | None, *, granted: bool) -> None:
    row = _the_one(which)
    told = call(environment(), "POST", f"/approvals/{row.id}", json={"granted": granted, "person": by})
    out.print(told["reply"], markup=False)


@run_async
async def _the_one(which: str | None) -> "ApprovalRow":
    from db.approvals import pending, recent  # noqa: PLC0415

    wanted = (which or "").replace("-", "").lower()
    async with desk() as at:
        rows = await recent(at.db) if wanted else await pending(at.db, at.utc)
    found = [row for row in rows if row.id.hex.endswith(wanted)]
    if not found:
        fail(f"Não há um pedido {which}." if which else "Nenhum pedido espera resposta.")
    if len(found) > 1:
        fail(f"Há {len(found)} pedidos. Diga qual: " + ", ".join(row.id.hex[-6:] for row in found))
    return found[0]
