"""What the commands share: the environment, the ways of printing, and how a failure is told to a person."""

import json
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from config.environment import Environment

P = ParamSpec("P")
T = TypeVar("T")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

NO_DAEMON = 2
"""Exit status when a command needs the running daemon and none answers."""


def environment() -> Environment:
    """Return the environment; a bad variable ends the command with its name and rule. Only trouble is logged."""
    from pydantic import ValidationError  # noqa: PLC0415

    from daemon import logs  # noqa: PLC0415

    try:
        env = Environment()
    except ValidationError as invalid:
        fields = [str(error["loc"][0]) for error in invalid.errors() if error["loc"]]
        wanted = "; ".join(f"MORDOMO_{name.upper()} precisa ser {_rule(name)}" for name in fields)
        fail(
            f"O ambiente tem um valor que não serve. {wanted}. Corrija a variável (ou o arquivo .env) e tente de novo."
        )
    logs.configure(env.log_format, "WARNING" if env.log_level == "INFO" else env.log_level)
    return env


def _rule(field: str) -> str:
    known = Environment.model_fields.get(field)
    return known.description or "outro valor" if known is not None else "outro valor"


def fail(message: str, status: int = 1) -> NoReturn:
    """Say in Portuguese what went wrong and what to do, and end with `status`."""
    err.print(message, style="red", markup=False)
    raise typer.Exit(status)


def print_json(value: object) -> None:
    """Print one JSON value on one line, for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def run_async(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Let typer call a coroutine function."""
    import asyncio  # noqa: PLC0415

    @wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(work(*args, **kwargs))

    return run


def guarded(app: Callable[[], Any]) -> int:
    """Run the command; whatever it raises becomes a sentence. The whole story goes to a file, never to the screen."""
    from daemon.errors import LinkDown, MordomoError  # noqa: PLC0415

    try:
        app()
    except LinkDown as down:
        what = {"postgres": "o banco de dados", "broker": "o broker MQTT"}.get(down.what, down.what)
        err.print(
            f"Não consegui falar com {what}: {down.why}. Veja mais com: mordomo doctor", style="red", markup=False
        )
        return 1
    except MordomoError as known:
        err.print(str(known), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as bug:
        if isinstance(bug, ExceptionGroup) and (known_ones := bug.subgroup(MordomoError)) is not None:
            err.print(str(_first(known_ones)), style="red", markup=False)
            return 1
        err.print(f"Algo deu errado por dentro do Mordomo. Os detalhes estão em {_write_down()}.", style="red")
        return 70
    return 0


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    one = group.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


def _write_down() -> Path:
    """Write the present exception to a file of mode 600 and return it."""
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    with tempfile.NamedTemporaryFile("w", prefix="mordomo-erro-", suffix=".log", delete=False) as file:
        file.write(traceback.format_exc())
    return Path(file.name)
