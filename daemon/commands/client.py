"""Talking to the running daemon over local HTTP."""

from typing import Any

import httpx

from config.environment import Environment
from daemon.commands.console import NO_DAEMON, fail
from daemon.data_folder import running

PATIENCE_S = 120.0


def call(env: Environment, method: str, path: str, **how: Any) -> Any:
    """Return the daemon's JSON answer. Ends the command with status 2 where none runs, 1 where it refuses."""
    there = running(env.data_dir)
    if there is None:
        fail(
            f"Não há nenhum Mordomo rodando com os dados de {env.data_dir}. Ligue-o com `make run` ou `mordomo run`.",
            NO_DAEMON,
        )
    try:
        with httpx.Client(base_url=there.url, timeout=PATIENCE_S, trust_env=False) as http:
            answer = http.request(method, path, **how)
    except httpx.TransportError as lost:
        fail(f"O Mordomo em {there.url} não respondeu ({type(lost).__name__}). Veja `mordomo doctor`.", NO_DAEMON)
    if answer.status_code >= 400:
        fail(_reason(answer))
    return answer.json()


def _reason(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"O Mordomo não conseguiu atender ({answer.status_code}). Veja o log dele."
    if isinstance(detail, str):
        return detail
    return "O Mordomo não aceitou o pedido: " + "; ".join(str(problem.get("msg", problem)) for problem in detail)
