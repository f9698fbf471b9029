"""The link to PostgreSQL: a pool of connections that opens on use, and one word, LinkDown, for a server that is away.

Every connection of Mordomo is opened here, from a libpq URL: `postgresql://user:password@host:port/database`, or with
`?host=/socket/folder` for a Unix socket. jsonb and json come and go as Python objects.

What a caller can rely on:

- Nothing hangs: connecting takes CONNECT_S at most, waiting for a free connection ACQUIRE_S, a statement STATEMENT_S
  unless told otherwise.
- After a restart of the server, at most one call fails for connections that had gone stale unnoticed; a read is tried
  again by itself and does not fail at all.
- A LinkDown says that nothing is known: a statement or a COMMIT in flight when the link broke may have been done.
- Text that PostgreSQL cannot hold (NUL, half of a surrogate pair) is refused with Unstorable before anything is done;
  `storable` is for text from outside that must be kept all the same.

Settings of a session must be `SET LOCAL`, and advisory locks of a transaction: connections are not reset between uses.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from db.errors import LinkDown, MordomoError

CONNECT_S = CLOSE_S = 3.0
ACQUIRE_S = 5.0
STATEMENT_S = 10.0
SIZE = 5
"""The most connections of a pool, by measurement: docs/decisions/pool-size.md."""
STATEMENTS = 100
"""Prepared statements that a connection keeps."""
IDLE_S = 120.0
"""A connection that nobody used for so long is closed, so that a forgotten one cannot go stale."""

if TYPE_CHECKING:  # asyncpg's classes are generic to the type checker only
    Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]
    OwnConnection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    Connection, OwnConnection = PoolConnectionProxy, asyncpg.Connection

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a farewell that came between two calls turns into
    ConnectionError,
)
"""How asyncpg says that the connection in hand is of no more use."""

AWAY = (
    *LOST,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled, the database dropped
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.PostgresSystemError,  # the server's own disk failed it
    asyncpg.ReadOnlySQLTransactionError,  # a standby answered
    asyncpg.IdleInTransactionSessionTimeoutError,
    TimeoutError,
)
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)


class Unstorable(MordomoError, ValueError):  # noqa: N818 - it names the value
    """A value holds what PostgreSQL cannot: NUL, half of a surrogate pair, or a number JSON has no word for."""

    def __init__(self) -> None:
        super().__init__(
            "o banco não guarda este valor: há nele um caractere NUL, meio caractere, ou um número impossível"
        )


class BadDatabaseUrl(MordomoError):  # noqa: N818
    """MORDOMO_DATABASE_URL is not the address of a PostgreSQL database; it is not shown, since it holds a password."""

    def __init__(self) -> None:
        super().__init__(
            "MORDOMO_DATABASE_URL não é o endereço de um banco PostgreSQL "
            "(postgresql://usuario:senha@servidor:5432/banco). Corrija e inicie de novo."
        )


class Queries(Protocol):
    """What both a Database and the connection of a transaction offer; `timeout` in seconds."""

    async def fetch(self, sql: str, /, *args: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        """Return every row."""
        ...

    async def fetchrow(self, sql: str, /, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        """Return the first row, or None."""
        ...

    async def fetchval(self, sql: str, /, *args: Any, timeout: float | None = None) -> Any:
        """Return the first value of the first row, or None."""
        ...

    async def execute(self, sql: str, /, *args: Any, timeout: float | None = None) -> str:
        """Return the command's tag, like "UPDATE 1"."""
        ...


class Database:
    """A pool of connections to one database. Every method raises LinkDown while the server is away, and Unstorable."""

    def __init__(
        self, url: str, pool: "asyncpg.Pool[asyncpg.Record]", direct_url: str | None = None, *, pooled: bool = False
    ) -> None:
        self.url = url
        self.direct_url = direct_url or url
        self._pool = pool
        self._pooled = pooled

    def __repr__(self) -> str:
        return "Database(…)"  # the URL holds a password

    async def fetch(self, sql: str, /, *args: Any, timeout: float | None = None) -> list[asyncpg.Record]:
        """Return every row."""
        return cast("list[asyncpg.Record]", await self._call("fetch", sql, args, timeout))

    async def fetchrow(self, sql: str, /, *args: Any, timeout: float | None = None) -> asyncpg.Record | None:
        """Return the first row, or None."""
        return cast("asyncpg.Record | None", await self._call("fetchrow", sql, args, timeout))

    async def fetchval(self, sql: str, /, *args: Any, timeout: float | None = None) -> Any:
        """Return the first value of the first row, or None."""
        return await self._call("fetchval", sql, args, timeout)

    async def execute(self, sql: str, /, *args: Any, timeout: float | None = None) -> str:
        """Return the command's tag, like "UPDATE 1". Without `args`, several statements may stand in `sql`."""
        return cast("str", await self._call("execute", sql, args, timeout))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield a connection within a transaction: committed at the end, rolled back by an exception.

        Await nothing but its own statements inside.
        """
        async with self._watched(), self._pool.acquire(timeout=ACQUIRE_S) as connection, connection.transaction():
            yield connection

    async def _call(self, method: str, sql: str, args: Sequence[Any], timeout: float | None) -> object:
        try:
            return await self._call_once(method, sql, args, timeout)
        except LinkDown as down:
            if not (_reads(sql) and isinstance(down.__cause__, LOST)):
                raise
        return await self._call_once(method, sql, args, timeout)

    async def _call_once(self, method: str, sql: str, args: Sequence[Any], timeout: float | None) -> object:
        async with self._watched(), self._pool.acquire(timeout=ACQUIRE_S) as connection, self._kept(connection):
            return await getattr(connection, method)(sql, *args, timeout=timeout)

    def _kept(self, connection: Connection) -> AbstractAsyncContextManager[object]:
        """Have a pooler keep the session from a statement's preparation to its end; asyncpg does them apart."""
        return connection.transaction() if self._pooled else nullcontext()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """Translate what goes wrong; a link that broke once makes every open connection suspect."""
        try:
            with translated():
                yield
        except LinkDown:
            await self._pool.expire_connections()
            raise


@asynccontextmanager
async def open_database(
    url: str,
    *,
    size: int = SIZE,
    direct_url: str | None = None,
    pooled: bool = False,
    statement_s: float = STATEMENT_S,
) -> AsyncIterator[Database]:
    """Yield the database at `url`; the server need not be there yet, since connections open on use.

    `size` is the most connections at once. `pooled` says that a pooler answers at `url` which hands each transaction
    another session (PgBouncer's `pool_mode = transaction`): no statement is kept prepared, and each is a transaction.
    `direct_url` is then the way past it, for LISTEN. Closing waits CLOSE_S for calls still running.
    """

    async def opened(*_: object, **kwargs: Any) -> OwnConnection:
        return await connect(url, command_timeout=statement_s, pooled=pooled, **kwargs)

    pool = await asyncpg.create_pool(
        min_size=0, max_size=size, max_inactive_connection_lifetime=IDLE_S, connect=opened, reset=_no_reset
    )
    try:
        yield Database(url, pool, direct_url, pooled=pooled)
    finally:
        await _close(pool)


async def connect(
    url: str,
    *,
    command_timeout: float = STATEMENT_S,
    pooled: bool = False,
    json_codec: bool = True,
    **kwargs: Any,
) -> OwnConnection:
    """Open one connection, within CONNECT_S seconds. Raises LinkDown, BadDatabaseUrl."""
    try:
        connection: OwnConnection = await asyncpg.connect(
            url,
            timeout=CONNECT_S,
            command_timeout=command_timeout,
            statement_cache_size=0 if pooled else STATEMENTS,
            server_settings={"application_name": "mordomo"},
            **kwargs,
        )
    except (ValueError, asyncpg.ClientConfigurationError):
        raise BadDatabaseUrl from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise LinkDown("postgres", _why(error)) from error
    if json_codec:
        try:
            # Its questions to the catalogue are statements too, which a pooler must not tear apart.
            async with connection.transaction() if pooled else nullcontext():
                await _set_json_codec(connection)
        except BaseException:
            connection.terminate()
            raise
    return connection


@contextmanager
def translated() -> Iterator[None]:
    """Raise asyncpg's many words for a server that is away as LinkDown, and for text it cannot hold as Unstorable."""
    try:
        yield
    except asyncpg.DataError as error:
        # asyncpg also says DataError when it cannot write an argument down, because of what the codec raised.
        if isinstance(error, UNSTORABLE) or isinstance(error.__cause__, UnicodeError | Unstorable):
            raise Unstorable from error
        raise
    except AWAY as error:
        if _is_mistake(error):
            raise
        raise LinkDown("postgres", _why(error)) from error


def storable(text: str) -> str:
    """Return `text` with U+FFFD for what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_mistake(error: BaseException) -> bool:
    """Tell asyncpg's words for a caller's mistake (a wrong argument, two statements at once) from a lost link."""
    if not isinstance(error, asyncpg.InterfaceError):
        return False
    return isinstance(error, ValueError) or "another operation" in str(error) or "argument" in str(error)


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _reads(sql: str) -> bool:
    """Tell whether a statement only reads, so that running it twice does no harm."""
    words = sql.upper().split()
    return words[:1] == ["SELECT"] and "UPDATE" not in words and not any(word.startswith("PG_") for word in words)


def _encode_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise Unstorable from error


def _decode_json(text: str) -> Any:
    return {} if text == "{}" else json.loads(text)  # empty metadata mostly: the parser costs more than such a row


async def _set_json_codec(connection: OwnConnection) -> None:
    with translated():
        for name in ("jsonb", "json"):
            await connection.set_type_codec(
                name, encoder=_encode_json, decoder=_decode_json, schema="pg_catalog", format="text"
            )


async def _no_reset(_connection: object) -> None:
    """Save the round trip that asyncpg would spend on undoing session settings we never make."""


async def _close(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await pool.close()
    except AWAY:
        pool.terminate()
