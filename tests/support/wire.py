"""A TCP wire to a server on a unix socket, that a test can freeze (half-open), cut, or take down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Wire:
    """Forwards every connection on a port of 127.0.0.1; `url` is the server's as reached through it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parse_qs(parts.query).get('port', ['5432'])[0]}"
        self._user = parts.netloc.partition("@")[0]
        self._database = parts.path
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0

    async def start(self, port: int = 0) -> None:
        """Listen, on any free port unless told."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://{self._user}@127.0.0.1:{self.port}{self._database}"

    def freeze(self) -> None:
        """Forward nothing more in either direction, and keep every connection open."""
        self._flows.clear()

    def thaw(self) -> None:
        """Forward again, beginning with what was held back."""
        self._flows.set()

    def cut(self) -> None:
        """Close every connection that is open now, without a word."""
        for writer in self._open:
            writer.transport.abort()

    async def down(self) -> None:
        """Cut, and accept nothing more until the next start."""
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        self._open |= {writer, there_writer}
        try:
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))
        finally:
            self._open -= {writer, there_writer}

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._flows.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    """Yield a wire to the server at `url`, which must name a unix socket's folder."""
    wire = Wire(url)
    await wire.start()
    try:
        yield wire
    finally:
        wire.thaw()
        await wire.down()
