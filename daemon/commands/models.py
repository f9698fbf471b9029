"""`mordomo models`: the weights of the engines."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, fail, out, print_json, run_async

app = typer.Typer(help="Os modelos de transcrição e de voz.", no_args_is_help=True)


@app.command("list")
@run_async
async def list_models(json: AsJson = False) -> None:
    """Mostra os modelos que as preferências pedem e os que estão baixados."""
    from daemon.engines.registry import needed_weights  # noqa: PLC0415
    from daemon.engines.weights import installed  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    env = environment()
    async with household_database(env) as db:
        prefs, _ = await load(db)
    needed = needed_weights(env, lambda: prefs)
    wanted = {(kind, name) for kind, name, _ in needed}
    found = [
        {
            "kind": model.kind,
            "name": model.name,
            "path": str(model.path),
            "bytes": model.bytes,
            "complete": model.complete,
            "wanted": (model.kind, model.name) in wanted,
        }
        for model in installed(env.models_dir)
    ]
    listed = {(model["kind"], model["name"]) for model in found}
    for kind, name, path in needed:
        if (kind, name) not in listed:
            elsewhere = {"path": str(path) if path else None, "bytes": None, "complete": path is not None}
            found.append({"kind": kind, "name": name, "wanted": True, **elsewhere})
    if json:
        print_json(found)
        return
    table = Table("tipo", "modelo", "tamanho", "estado", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for model in found:
        size = f"{model['bytes'] / 1e6:.0f} MB" if isinstance(model["bytes"], int) else ""
        table.add_row(str(model["kind"]), str(model["name"]), size, _state(complete=bool(model["complete"])))
    out.print(table)
    if not all(model["complete"] for model in found):
        out.print("Para baixar o que falta: mordomo models pull")


def _state(*, complete: bool) -> str:
    return "[green]pronto[/]" if complete else "[red]falta[/]"


@app.command("pull")
@run_async
async def pull_models(
    kind: Annotated[str | None, typer.Argument(help="whisper ou piper; sem nada, o que as preferências pedem.")] = None,
    name: Annotated[str | None, typer.Argument(help="O nome do modelo, como small ou pt_BR-faber-medium.")] = None,
    json: AsJson = False,
) -> None:
    """Baixa os modelos; o que parou no meio continua de onde parou."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    from daemon.engines.weights import pull  # noqa: PLC0415

    env = environment()
    if kind is not None and (kind not in {"whisper", "piper"} or name is None):
        fail("Diga o tipo e o nome, por exemplo: mordomo models pull whisper small")
    wanted = [(kind, name)] if kind and name else await _missing()
    if not wanted and not json:
        out.print("Tudo o que as preferências pedem já está aqui.")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    pulled: list[dict[str, str]] = []
    with Progress(*columns, console=out, disable=json or not wanted) as progress:
        for one_kind, one_name in wanted:
            bars: dict[str, int] = {}

            def show(file: str, done: int, total: int | None, bars: dict[str, int] = bars) -> None:
                if file not in bars:
                    bars[file] = progress.add_task(file, total=total)
                progress.update(bars[file], completed=done, total=total)  # type: ignore[arg-type]

            model: Literal["whisper", "piper"] = "whisper" if one_kind == "whisper" else "piper"
            path = await pull(model, one_name, env.models_dir, show)
            pulled.append({"kind": one_kind, "name": one_name, "path": str(path)})
            if not json:
                progress.console.print(f"{one_name} está em {path}")
    if json:
        print_json(pulled)


async def _missing() -> list[tuple[str, str]]:
    """Return the (kind, name) of what the preferences name and is not here."""
    from daemon.engines.registry import needed_weights  # noqa: PLC0415
    from daemon.servers import household_database  # noqa: PLC0415
    from db.preferences import load  # noqa: PLC0415

    env = environment()
    async with household_database(env) as db:
        prefs, _ = await load(db)
    return [(kind, name) for kind, name, path in needed_weights(env, lambda: prefs) if path is None]
