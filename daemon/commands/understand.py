"""`mordomo understand`: how sentences are read, without doing anything."""

import json as json_module
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from daemon.commands.console import environment, fail, out, print_json
from daemon.commands.questions import moment, questions

if TYPE_CHECKING:
    from daemon.language.language import Way


def understand(
    text: Annotated[
        str | None, typer.Argument(help="Uma frase; sem ela, uma por linha na entrada (texto ou JSON).")
    ] = None,
    household: Annotated[Path | None, typer.Option("--household", help="Uma casa em JSON, em vez da que roda.")] = None,
    area: Annotated[str | None, typer.Option("--area", help="Cômodo em que se fala.")] = None,
    why: Annotated[bool, typer.Option("--why", help="Mostra a leitura para pessoas.")] = False,
) -> None:
    """Lê frases e mostra o que entendeu: uma linha JSON para cada, na mesma ordem. Nada é feito."""
    from daemon.language.language import Language  # noqa: PLC0415
    from daemon.language.plan import Heard  # noqa: PLC0415
    from daemon.language.wire import as_json, household_from_json  # noqa: PLC0415

    try:
        house = household_from_json(_household(household))
        zone = ZoneInfo(house.timezone)
    except (KeyError, TypeError, AttributeError, ValueError):
        fail(f"{household} não descreve uma casa: era preciso areas e devices, cada um com os seus campos.")
    language = Language()
    language.prepare(house)
    for question in questions(text):
        now = moment(question.get("now"), zone).astimezone(zone)
        heard = Heard(str(question.get("text", "")), now, question.get("area") or area)
        began = time.perf_counter()
        plan = language.understand(heard, house)
        answer = as_json(heard.text, plan, (time.perf_counter() - began) * 1000)
        if why:
            _explain(answer, language.why(heard, house))
        else:
            print_json(answer)


def _household(path: Path | None) -> dict[str, Any]:
    if path is None:
        from daemon.commands.client import call  # noqa: PLC0415

        live: dict[str, Any] = call(environment(), "GET", "/household")
        return live
    try:
        loaded = json_module.loads(path.read_text(encoding="utf-8"))
    except OSError as unreadable:
        fail(f"Não consegui ler {path}: {unreadable.strerror}. Confira o caminho.")
    except ValueError as broken:
        fail(f"{path} não é JSON: {broken}. Confira o arquivo.")
    if not isinstance(loaded, dict):
        fail(f"{path} não descreve uma casa: era preciso um objeto JSON com areas e devices.")
    return loaded


def _explain(answer: dict[str, Any], ways: "tuple[Way, ...]") -> None:
    routes = {"skill": "um pedido para mim", "llm": "conversa, para o modelo de linguagem", "none": "nada para mim"}
    out.print(
        f"“{answer['text']}”: {routes[answer['route']]}, certeza {answer['confidence']:.0%}",
        markup=False,
        soft_wrap=True,
    )
    for way in ways:
        out.print(
            f"  pela frase {way.sentence!r}, de {way.file}, que quer dizer {way.intent}", markup=False, soft_wrap=True
        )
        for part, said in way.parts:
            out.print(f"    {{{part}}} foi “{said}”", markup=False, soft_wrap=True)
    for action in answer["actions"]:
        out.print(
            f"  {action['intent']} {', '.join(action['targets'])} {action['slots'] or ''}", markup=False, soft_wrap=True
        )
    if answer.get("question"):
        out.print(f"  pergunto: {answer['question']}", markup=False, soft_wrap=True)
    for assumed in answer.get("assumed", []):
        out.print(f"  supus: {assumed}", markup=False, soft_wrap=True)
