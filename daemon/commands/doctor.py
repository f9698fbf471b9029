"""`mordomo doctor`: what works, what does not, and the command that mends it."""

from typing import Any

from daemon.commands.ask import AsJson
from daemon.commands.console import environment, out, print_json


def doctor(json: AsJson = False) -> None:
    """Examina cada parte do Mordomo e diz o que fazer com o que falta."""
    from daemon.banner import table_of  # noqa: PLC0415
    from daemon.commands.client import call  # noqa: PLC0415
    from daemon.data_folder import running  # noqa: PLC0415
    from daemon.health import Part, as_json  # noqa: PLC0415

    env = environment()
    there = running(env.data_dir)
    if there is not None:
        seen: dict[str, Any] = call(env, "GET", "/health")
        parts = [Part(**part) for part in seen["parts"].values()]
        headline = f"O Mordomo está rodando em {there.url} (processo {there.pid})."
    else:
        from daemon.examination import examine  # noqa: PLC0415

        parts = examine(env)
        seen = as_json(parts)
        headline = "O Mordomo não está rodando. Ligue-o com: make run (ou mordomo run). Examinei o que dá sem ele:"
    if json:
        print_json({"running": there is not None, **seen})
        return
    out.print(headline)
    out.print(table_of(parts))
