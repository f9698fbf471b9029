"""`mordomo ask` and `mordomo listen`: a turn with the running daemon, typed or from a recording."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from daemon.commands.client import call
from daemon.commands.console import environment, fail, out, print_json

Area = Annotated[str | None, typer.Option("--area", help="Cômodo em que se fala.")]
Out = Annotated[Path | None, typer.Option("--out", help="Grava a resposta falada neste WAV em vez de tocá-la.")]
AsJson = Annotated[bool, typer.Option("--json", help="Escreve JSON, para programas.")]


def ask(
    text: Annotated[str, typer.Argument(help="O que dizer ao Mordomo.")],
    area: Area = None,
    speak: Annotated[bool, typer.Option("--speak", help="Fala a resposta na casa.")] = False,
    out_wav: Out = None,
    json: AsJson = False,
) -> None:
    """Pergunta ou pede algo por escrito ao Mordomo que está rodando."""
    if not text.strip():
        fail("O texto está vazio. Escreva o pedido, por exemplo: mordomo ask 'acende a luz da sala'")
    question = {"text": text, "area": area, "speak": speak, "audio": out_wav is not None}
    _show(call(environment(), "POST", "/ask", json=question), out_wav, as_json=json)


def listen(
    file: Annotated[Path, typer.Argument(help="Uma gravação WAV, com ou sem a palavra de ativação.")],
    area: Area = None,
    out_wav: Out = None,
    json: AsJson = False,
) -> None:
    """Faz o Mordomo que está rodando ouvir uma gravação."""
    import asyncio  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    from daemon.recording import LONGEST_S, shortened  # noqa: PLC0415

    env = environment()
    with tempfile.TemporaryDirectory(prefix="mordomo-") as folder:
        short = Path(folder) / "fala.wav"
        asyncio.run(shortened(file, short))
        params: dict[str, Any] = {"audio": out_wav is not None} | ({"area": area} if area else {})
        answer = call(env, "POST", "/listen", params=params, content=short.read_bytes())
    if answer["outcome"] == "silence" and not json:
        fail(f"Não ouvi ninguém falar em {file.name} (olhei até {LONGEST_S} s). Confira a gravação e tente de novo.")
    _show(answer, out_wav, as_json=json)


def _show(answer: dict[str, Any], out_wav: Path | None, *, as_json: bool) -> None:
    sound = answer.pop("reply_wav", None)
    if out_wav is not None and sound is not None:
        out_wav.write_bytes(base64.b64decode(sound))
    if as_json:
        print_json(answer)
        return
    print_turn(answer)
    if out_wav is not None:
        out.print(
            f"resposta gravada em {out_wav}" if sound else "Não houve o que falar: nada foi gravado.", style="dim"
        )


def print_turn(answer: dict[str, Any]) -> None:
    """Print a turn for people: what was heard, the plan, the actions, the reply, and where the time went."""
    heard = answer.get("transcript")
    if heard:
        out.print(
            f"[dim]ouvi[/]     {_plain(heard['text']) or '(nada)'}  [dim]{heard['model']}, {heard['confidence']:.0%}[/]"
        )
    for intent in answer.get("intents", []):
        where = ", ".join(intent["targets"])
        slots = ", ".join(f"{name}={value}" for name, value in intent["slots"].items())
        out.print(f"[dim]entendi[/]  {intent['intent']} {_plain(where)} [dim]{_plain(slots)}[/]")
    if not answer.get("intents") and answer.get("route"):
        what = {"llm": "conversa, para o modelo de linguagem", "none": "nada para mim", "skill": "preciso perguntar"}
        out.print(f"[dim]entendi[/]  {what[answer['route']]}")
    for action in answer["actions"]:
        mark = "[green]feito[/]" if action["status"] == "success" else "[red]falhou[/]"
        about = action["parameters"].get("entity_id") or action["parameters"].get("title") or ""
        out.print(f"[dim]ação[/]     {action['name']} {_plain(str(about))} {mark}")
    out.print(f"[bold]mordomo[/]  {_plain(' '.join(answer['reply'])) or '(fico quieto)'}")
    for notice in answer.get("notices", []):
        out.print(f"[yellow]aviso[/]    {_plain(notice)}")
    if answer.get("steps"):
        out.print(timeline(answer["steps"]))


STEPS = {
    "transcribe": "transcrever",
    "understand": "entender",
    "store": "guardar",
    "act": "agir",
    "first_sentence": "primeira frase do modelo",
    "first_audio": "até o primeiro som",
    "total": "total",
}


def timeline(steps: dict[str, float]) -> Table:
    """Return the milliseconds of each step as a table of one row."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in steps:
        table.add_column(STEPS.get(name, name), justify="right")
    table.add_row(*(f"{ms:.0f} ms" for ms in steps.values()))
    return table


def _plain(text: str) -> str:
    from rich.markup import escape  # noqa: PLC0415

    return escape(text)
