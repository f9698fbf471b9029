"""`mordomo devices areas` and `area`: the rooms of the house, and what they are called."""

from typing import Annotated

import typer
from rich.table import Table

from daemon.commands.ask import AsJson
from daemon.commands.console import fail, out, print_json, run_async
from daemon.commands.devices import acting, house, tell
from daemon.commands.devices_tables import plain


@run_async
async def list_areas(*, json: AsJson = False) -> None:
    """Mostra os cômodos: os da casa e os que só os aparelhos sugerem."""
    from daemon.devices.naming import slug  # noqa: PLC0415
    from db.areas import areas  # noqa: PLC0415
    from db.devices import listed  # noqa: PLC0415

    async with house() as (db, _):
        ours = await areas(db)
        entities = [row for row in await listed(db) if not row.hidden]
    words = {slug(word): area.name for area in ours for word in (*area.aliases, area.name)}
    count: dict[str, int] = {area.name: 0 for area in ours}
    for row in entities:
        place = row.area or row.suggested_area
        if place is not None:
            name = words.get(slug(place), place)
            count[name] = count.get(name, 0) + 1
    known = {area.name: area for area in ours}
    rows = [
        {
            "name": name,
            "aliases": known[name].aliases if name in known else [],
            "floor": known[name].floor if name in known else None,
            "devices": devices,
        }
        for name, devices in sorted(count.items(), key=_by_name)
    ]
    if json:
        print_json(rows)
        return
    if not rows:
        out.print("Ainda não há cômodos. Eles se criam ao mover um aparelho: mordomo devices move APARELHO CÔMODO")
        return
    table = Table("cômodo", "também chamado", "andar", "aparelhos", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name, devices in sorted(count.items(), key=_by_name):
        area = known.get(name)
        table.add_row(
            plain(name),
            plain(", ".join(area.aliases) if area else ""),
            plain((area and area.floor) or ""),
            str(devices),
        )
    out.print(table)


@run_async
async def change_area(
    name: Annotated[str, typer.Argument(metavar="CÔMODO", help="O cômodo, pelo nome.")],
    *,
    rename: Annotated[str | None, typer.Option("--rename", help="O nome novo; o velho continua valendo.")] = None,
    alias: Annotated[str | None, typer.Option("--alias", help="Mais um nome por que se chama.")] = None,
    floor: Annotated[str | None, typer.Option("--floor", help="O andar em que fica.")] = None,
    json: AsJson = False,
) -> None:
    """Muda o nome de um cômodo, põe-lhe um apelido, ou diz em que andar fica."""
    from db.areas import alias_area, put_on_floor, rename_area  # noqa: PLC0415

    if rename is None and alias is None and floor is None:
        fail("Diga o que mudar: --rename, --alias ou --floor.")
    async with house() as (db, _):
        by = acting(db)
        if alias is not None:
            await alias_area(by, name, alias)
        if floor is not None:
            await put_on_floor(by, name, floor)
        if rename is not None:
            await rename_area(by, name, rename)
    tell(
        {"name": rename or name, "alias": alias, "floor": floor},
        f"“{rename or name}” está como você pediu.",
        as_json=json,
    )


def _by_name(counted: tuple[str, int]) -> str:
    return counted[0].casefold()
