"""`mordomo demo`: five recorded scenes through everything, with nothing to download."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.ask import STEPS, AsJson
from daemon.commands.console import environment, out, print_json, run_async

if TYPE_CHECKING:
    from daemon.demo.show import Shown


@run_async
async def demo(
    out_dir: Annotated[Path | None, typer.Option("--out", help="Pasta para as respostas em WAV.")] = None,
    play: Annotated[bool, typer.Option("--play", help="Toca as respostas no alto-falante.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="Não espera o tempo real das gravações.")] = False,
    json: AsJson = False,
) -> None:
    """Mostra o Mordomo inteiro funcionando, da palavra de ativação à resposta falada, numa casa de mentira."""
    import tempfile  # noqa: PLC0415

    from daemon.audio.soundcard import SoundCard  # noqa: PLC0415
    from daemon.demo.models import WHAT_THEY_ARE  # noqa: PLC0415
    from daemon.demo.show import demo_mordomo, make_folder, scenes, show  # noqa: PLC0415

    env = environment()
    folder = out_dir or Path(tempfile.mkdtemp(prefix="mordomo-respostas-"))
    make_folder(folder)
    if not json:
        out.print(WHAT_THEY_ARE, style="yellow")
        out.print("Preparando banco de dados, broker, casa de demonstração e modelos…", style="dim")
    async with demo_mordomo(env) as mordomo:
        speaker = SoundCard() if play else None
        shown = []
        for scene in scenes():
            one = await show(mordomo, scene, speaker, folder, realtime=not fast)
            shown.append(one)
            if not json:
                _tell(one)
    if json:
        print_json([_as_json(one) for one in shown])
    else:
        _timelines(shown)
        if not play:
            out.print(f"As respostas faladas estão em {folder}")
    if any(one.turn is None or one.turn.outcome != "answered" for one in shown):
        raise typer.Exit(1)


def _tell(shown: "Shown") -> None:
    out.print(f"\n[bold]“{shown.scene.text}”[/] [dim]({shown.scene.area}; {shown.scene.expects})[/]")
    if shown.turn is None:
        out.print("  não ouvi a palavra de ativação, ou ninguém falou depois dela", style="red")
        return
    out.print(f"  ouvi: {shown.turn.understood.text}", markup=False)
    for action in shown.turn.actions:
        state = (action.result or {}).get("state")
        about = action.parameters.get("name", "")
        said = f" → {state}" if state else ""
        out.print(f"  {action.name} {about}{said}: {'feito' if action.status == 'success' else 'falhou'}", markup=False)
    out.print(f"  mordomo: {' '.join(shown.turn.reply)}", markup=False)


def _timelines(shown: "list[Shown]") -> None:
    from rich.table import Table  # noqa: PLC0415

    names = list(dict.fromkeys(name for one in shown if one.turn for name in one.turn.steps))
    table = Table(title="Onde foi o tempo, em milissegundos, do fim confirmado da fala em diante", title_justify="left")
    table.add_column("cena")
    for name in names:
        table.add_column(STEPS.get(name, name), justify="right")
    for one in shown:
        steps = one.turn.steps if one.turn else {}
        table.add_row(one.scene.text, *(f"{steps[name]:.1f}" if name in steps else "" for name in names))
    out.print()
    out.print(table)


def _as_json(shown: "Shown") -> dict[str, Any]:
    from daemon.web.wire import turn_as_json  # noqa: PLC0415

    return {
        "scene": shown.scene.text,
        "wav": shown.scene.wav.name,
        "turn": turn_as_json(shown.turn) if shown.turn else None,
        "reply_wav": str(shown.reply_wav) if shown.reply_wav.exists() else None,
    }
