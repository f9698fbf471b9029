"""The HTTP server as a service of the daemon: its socket is bound before anyone is told of it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

log = structlog.get_logger(__name__)

TRIES = 50
CLOSE_S = 1.5


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to `port`, or to the next free one above it; port 0 takes any. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + TRIES, 65536)) if port else [0]:
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
        except OSError:
            bound.close()
            continue
        return bound
    raise OSError(f"nenhuma porta livre em {host} a partir de {port}")


class _Quiet(uvicorn.Server):
    """A server that leaves signals to the daemon."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: SIGTERM stops the whole daemon, in its own order."""
        yield


class Http:
    """Serves the application on one socket until cancelled."""

    name = "http"

    def __init__(self, app: FastAPI, bound: socket.socket) -> None:
        self._bound = bound
        self._server = _Quiet(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=1,
                limit_concurrency=64,
            )
        )

    @property
    def url(self) -> str:
        """Return the address under which it answers."""
        host, port = self._bound.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def run(self) -> None:
        """Serve; when cancelled, finish what is being answered, for CLOSE_S at most."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._bound]))
        try:
            await asyncio.shield(serving)
        finally:
            self._server.should_exit = True
            _, late = await asyncio.wait({serving}, timeout=CLOSE_S)
            for task in late:
                task.cancel()
