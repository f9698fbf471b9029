"""A plug holds one engine: built on first use, rebuilt on demand, never taken away from whoever is using it.

empty ──use/reload──▶ loading ──▶ ready ──reload──▶ loading (the old one still serves) ──▶ ready
                         └──▶ missing | failed ──use/reload──▶ loading
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import structlog

from daemon.engines.protocols import Engine
from daemon.errors import EngineFailed, EngineMissing

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Engine)
Condition = Literal["empty", "loading", "ready", "missing", "failed"]


@dataclass(frozen=True, slots=True)
class PlugState:
    """How an engine is. `detail` is its name or what is wrong; `mend` says what mends it, in Portuguese."""

    condition: Condition
    detail: str = ""
    mend: str = ""


@dataclass(slots=True)
class _Seated(Generic[E]):
    engine: E
    users: int = 0
    outdated: bool = False


class Plug(Generic[E]):
    """One kind of engine at its place. `build` runs in a thread and may take seconds."""

    def __init__(self, kind: str, build: Callable[[], E]) -> None:
        self.kind = kind
        self.state = PlugState("empty")
        self._build = build
        self._seated: _Seated[E] | None = None
        self._building = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[E]:
        """Lend the engine. Raises EngineMissing or EngineFailed. One that fails meanwhile is built anew next time."""
        seated = await self._ready()
        seated.users += 1
        try:
            yield seated.engine
        except EngineMissing:
            raise
        except EngineFailed as failed:
            log.warning("engine_failed", kind=self.kind, engine=failed.engine, why=failed.why)
            if self._seated is seated:
                self._seated = None
                self.state = PlugState("failed", failed.why)
            seated.outdated = True
            raise
        finally:
            seated.users -= 1
            self._retire(seated)

    async def reload(self) -> None:
        """Build anew and swap; turns under way keep the old one. When building fails, the old one goes on serving."""
        async with self._building:
            old = self._seated
            try:
                await self._seat()
            except EngineFailed:
                if old is None:
                    return
                kept = f"continuo com {old.engine.name}: {self.state.detail}"
                self.state = PlugState("ready", kept, self.state.mend)
                return
            if old is not None:
                old.outdated = True
                self._retire(old)

    def replaced(self, engine: E) -> bool:
        """Tell whether `engine` is no longer the one to use; who uses it for long looks now and then."""
        return self._seated is None or self._seated.engine is not engine

    async def load(self) -> None:
        """Build it now if it is not there; how that went is in `state`."""
        try:
            await self._ready()
        except EngineFailed:
            return

    def close(self) -> None:
        """Close the engine; those still in use close when they come back."""
        seated, self._seated = self._seated, None
        if seated is not None:
            seated.outdated = True
            self._retire(seated)

    async def _ready(self) -> _Seated[E]:
        async with self._building:
            if self._seated is None:
                await self._seat()
            assert self._seated is not None  # noqa: S101 - _seat raises otherwise
            return self._seated

    async def _seat(self) -> None:
        self.state = PlugState("loading")
        try:
            engine = await asyncio.to_thread(self._build)
        except EngineMissing as missing:
            self.state = PlugState("missing", missing.why, missing.mend)
            raise
        except EngineFailed as failed:
            self.state = PlugState("failed", failed.why)
            raise
        self._seated = _Seated(engine)
        self.state = PlugState("ready", engine.name)

    def _retire(self, seated: _Seated[E]) -> None:
        if seated.outdated and seated.users == 0:
            seated.outdated = False
            seated.engine.close()
