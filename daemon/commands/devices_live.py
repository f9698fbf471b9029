"""`mordomo devices watch` and `test`: the house as it moves, and whether a device does what it is told."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, err, out, print_json, run_async
from daemon.commands.devices import Which, found, house
from daemon.commands.devices_tables import as_json as row_as_json
from daemon.commands.devices_tables import device_table, name, plain, state

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from db.devices import EntityRow

EVERY_S = 1.0
OUTCOMES = {
    "confirmed": "obedeceu em {ms:.0f} ms",
    "silent": "recebeu a ordem e não disse que obedeceu",
    "sent": "recebeu a ordem; é dos que não contam como estão",
    "unavailable": "diz que está fora do ar",
    "already": "já estava assim",
    "cannot": "não aceita esta ordem",
}


def check_device(which: Which, *, json: AsJson = False) -> None:
    """Liga e desliga (ou o contrário) um aparelho pelo Mordomo que está rodando, e diz se ele obedeceu."""
    import asyncio  # noqa: PLC0415

    from daemon.commands.client import call  # noqa: PLC0415

    async def entity_id() -> str:
        async with house() as (db, _):
            return (await found(db, which)).entity_id

    told = call(environment(), "POST", f"/devices/{asyncio.run(entity_id())}/test")
    if json:
        print_json(told)
    for step in () if json else told["steps"]:
        out.print(f"{step['verb']}: {OUTCOMES[step['outcome']].format(**step)}", markup=False)
    if not json:
        out.print(told["verdict"], markup=False)
    if not told["ok"]:
        raise typer.Exit(1)


@run_async
async def watch_devices(
    area: Annotated[str | None, typer.Option("--area", help="Só os deste cômodo.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Acompanha os aparelhos enquanto mudam, até Ctrl-C; com --json, uma linha por mudança."""
    import asyncio  # noqa: PLC0415

    from rich.live import Live  # noqa: PLC0415

    from daemon.devices.naming import slug  # noqa: PLC0415
    from db.devices import listed  # noqa: PLC0415

    async with house() as (db, zone):

        async def rows() -> "list[EntityRow]":
            return [
                row
                for row in await listed(db)
                if not row.hidden and (area is None or slug(row.area or row.suggested_area or "") == slug(area))
            ]

        before = await rows()
        if not json:
            err.print("Ctrl-C para terminar.", style="dim")
        if json or not out.is_terminal:
            while True:
                await asyncio.sleep(EVERY_S)
                after = await rows()
                _tell_changes(before, after, zone, as_json=json)
                before = after
        with Live(device_table(before, zone), console=out, auto_refresh=False, vertical_overflow="visible") as live:
            while True:
                live.update(device_table(await rows(), zone), refresh=True)
                await asyncio.sleep(EVERY_S)


def _tell_changes(before: "list[EntityRow]", after: "list[EntityRow]", zone: "ZoneInfo", *, as_json: bool) -> None:
    known = {row.entity_id: _how(row) for row in before}
    for row in after:
        if known.get(row.entity_id) == _how(row):
            continue
        if as_json:
            print_json(row_as_json(row, zone))
        else:
            out.print(plain(row.entity_id), name(row), state(row), soft_wrap=True)
    sys.stdout.flush()


def _how(row: "EntityRow") -> tuple[object, ...]:
    return row.state, row.attributes, row.available, row.name, row.area, row.removed_at
