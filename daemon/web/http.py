"""HTTP for this machine: ask, listen, health. Bound to 127.0.0.1 unless told; no page of another site may use it."""

import base64
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from daemon.checkup import Report
from daemon.errors import CannotDo, EngineFailed, LinkDown, Refused
from daemon.health import Part, as_json, is_ready
from daemon.language.plan import Household
from daemon.language.wire import household_as_json
from daemon.turn import Turn
from daemon.web.approvals import Requests, add_approvals
from daemon.web.wire import turn_as_json

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of the largest WAV that is taken over HTTP."""
HOME_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Question(BaseModel):
    """The body of POST /ask. `area` is the room it is asked in; `speak` plays the answer in the house."""

    text: str = Field(min_length=1, max_length=10_000)
    area: str | None = Field(None, max_length=255)
    speak: bool = False
    audio: bool = False


class House(Protocol):
    """What the HTTP interface needs of the daemon. `reply_to` is where the answer is written as WAV, None: spoken."""

    async def ask(self, text: str, area: str | None, *, speak: bool, reply_to: Path | None) -> Turn:
        """Take a turn on a typed sentence."""
        ...

    async def listen_to(self, wav: Path, area: str | None, *, reply_to: Path | None) -> Turn | None:
        """Take a turn on a recording; None when nobody speaks in it. Raises CannotDo for what is no recording."""
        ...

    async def health(self) -> list[Part]:
        """Return the state of each part."""
        ...

    def household(self) -> Household:
        """Return what may be named in a sentence now."""
        ...

    async def check_device(self, entity_id: str) -> Report:
        """Turn a device to the other side and back. Raises CannotDo, LinkDown."""
        ...

    @property
    def people(self) -> Requests:
        """Who lives here, and what they ask leave for."""
        ...


def create_app(house: House, *, extra_hosts: frozenset[str] = frozenset()) -> FastAPI:
    """Return the application. `extra_hosts` are names besides the loopback's under which it may be called."""
    app = FastAPI(title="Mordomo", docs_url=None, redoc_url=None, openapi_url=None)
    add_approvals(app, house.people)
    _only_from_home(app, HOME_NAMES | extra_hosts)
    _explain_errors(app)

    @app.post("/ask")
    async def ask(question: Question) -> dict[str, Any]:
        with _reply_file(wanted=question.audio) as reply_to:
            turn = await house.ask(question.text, question.area, speak=question.speak, reply_to=reply_to)
            return _answer(turn, reply_to)

    @app.post("/listen")
    async def listen(
        request: Request, area: Annotated[str | None, Query(max_length=255)] = None, *, audio: bool = False
    ) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="mordomo-") as folder, _reply_file(wanted=audio) as reply_to:
            wav = Path(folder) / "fala.wav"
            await _save_body(request, wav)
            turn = await house.listen_to(wav, area, reply_to=reply_to)
            if turn is None:
                return {"outcome": "silence", "transcript": None, "reply": [], "actions": [], "steps": {}}
            return _answer(turn, reply_to)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return as_json(await house.health())

    @app.get("/household")
    async def household() -> dict[str, Any]:
        return household_as_json(house.household())

    @app.post("/devices/{entity_id}/test")
    async def check_device(entity_id: str) -> dict[str, Any]:
        return asdict(await house.check_device(entity_id))

    @app.get("/ready")
    async def ready(response: Response) -> dict[str, bool]:
        able = is_ready(await house.health())
        response.status_code = 200 if able else 503
        return {"ready": able}

    return app


def _only_from_home(app: FastAPI, hosts: frozenset[str]) -> None:
    @app.middleware("http")
    async def only_from_home(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        """Refuse other sites' pages and names that were pointed here (DNS rebinding)."""
        host = request.headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        origin = request.headers.get("origin")
        foreign = origin is not None and origin.split("//", 1)[-1] != host
        if name not in hosts or foreign:
            return JSONResponse({"detail": "Pedido de outra origem recusado."}, status_code=403)
        return await call(request)


def _explain_errors(app: FastAPI) -> None:
    @app.exception_handler(LinkDown)
    async def away(_: Request, down: Exception) -> Response:
        return JSONResponse(
            {"detail": f"Uma parte do Mordomo está fora do ar ({down}). Tente de novo."}, status_code=503
        )

    @app.exception_handler(EngineFailed)
    async def failed(_: Request, engine: Exception) -> Response:
        mend = getattr(engine, "mend", "")
        detail = f"{engine}" + (f". Para resolver: {mend}" if mend else "")
        return JSONResponse({"detail": detail}, status_code=503)

    @app.exception_handler(Refused)
    async def refused(_: Request, problem: Exception) -> Response:
        return JSONResponse({"detail": str(problem)}, status_code=403)

    @app.exception_handler(CannotDo)
    async def cannot(_: Request, problem: Exception) -> Response:
        return JSONResponse({"detail": str(problem)}, status_code=422)


async def _save_body(request: Request, path: Path) -> None:
    """Write the body to `path` piece by piece. Raises 413 beyond LARGEST_BODY."""
    size = 0
    with path.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > LARGEST_BODY:
                raise HTTPException(
                    413, f"A gravação passa de {LARGEST_BODY // 1024 // 1024} MB; mande um trecho menor."
                )
            file.write(piece)


@contextmanager
def _reply_file(*, wanted: bool) -> Iterator[Path | None]:
    """Lend a place for the reply's WAV, when one is wanted; it is gone afterwards."""
    if not wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="mordomo-") as folder:
        yield Path(folder) / "resposta.wav"


def _answer(turn: Turn, reply_to: Path | None) -> dict[str, Any]:
    answer = turn_as_json(turn)
    if reply_to is not None and reply_to.exists():
        answer["reply_wav"] = base64.b64encode(reply_to.read_bytes()).decode()
    return answer
