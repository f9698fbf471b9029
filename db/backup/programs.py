"""PostgreSQL's own programs: which copy of them fits which server, how a password reaches them, what they say.

A password never stands on a command line, where any user of the machine could read it: it goes by way of PGPASSFILE
(libpq, "The Password File").
"""

import asyncio
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import psutil

from db.backup.folder import BackupFailed
from db.server_account import Account, CannotStart, packaged_programs

NICE = 10
"""Speech goes first: a backup's own programs get what it leaves."""
FULL = ("No space left on device", "File too large", "Disk quota exceeded")
DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder of programs, and the user of the operating system who runs them."""

    folder: Path
    account: Account
    env: Mapping[str, str] = field(default_factory=dict)

    async def run(
        self,
        program: str,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.DEVNULL,
    ) -> None:
        """Run one to its end; it is killed with us if we are cancelled. Raises BackupFailed with what it said."""
        process = await self.start(program, *arguments, env=env, stdin=stdin, stdout=stdout)
        await self.finish(program, process)

    async def start(
        self,
        program: str,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.DEVNULL,
    ) -> asyncio.subprocess.Process:
        """Start one. Raises BackupFailed where it is not installed or may not run."""
        switch = self.account.switch
        try:
            process = await asyncio.create_subprocess_exec(
                self.folder / program,
                *arguments,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), **self.env, **(env or {}), "LC_ALL": "C"},
                stdin=stdin,
                stdout=stdout,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                user=self.account.uid if switch else None,
                group=self.account.gid if switch else None,
                extra_groups=[] if switch else None,
            )
        except OSError as broken:
            raise BackupFailed(
                f"Não consegui executar {self.folder / program} ({broken.strerror}). "
                "Reinstale o Mordomo (make install), ou instale o postgresql-client."
            ) from broken
        with suppress(psutil.Error):  # it may have ended already
            psutil.Process(process.pid).nice(NICE)
        return process

    async def finish(self, program: str, process: asyncio.subprocess.Process) -> None:
        """Wait for one that was started. Raises BackupFailed with what it said."""
        try:
            assert process.stderr is not None  # noqa: S101 - asked for above
            said = (await process.stderr.read()).decode(errors="replace").strip()
            status = await process.wait()
        except asyncio.CancelledError:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if status:
            raise BackupFailed(trouble(program, status, said))


def trouble(program: str, status: int, said: str) -> str:
    """Return in Portuguese why a program failed."""
    if status == -signal.SIGXFSZ or any(sign in said for sign in FULL):
        return f"O disco encheu enquanto o {program} gravava. Libere espaço e tente de novo. {said[-200:]}".strip()
    if status < 0:
        return f"O {program} foi interrompido no meio (sinal {-status}). Tente de novo."
    if "server version mismatch" in said or "unsupported version" in said:
        return f"O {program} instalado é de outra versão do PostgreSQL. {said[-300:]}"
    return f"O {program} falhou: {said[-400:] or f'terminou com {status}'}"


@contextmanager
def connection_to(url: str, account: Account) -> Iterator[tuple[str, dict[str, str]]]:
    """Give what stands on the command line for `url`, without its password, and the environment that tells the rest."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    userinfo, at, host = parts.netloc.rpartition("@")
    user, colon, password = userinfo.partition(":")
    secret = unquote(password) if colon else next((value for key, value in query if key == "password"), None)
    kept = urlencode([(key, value) for key, value in query if key != "password"], quote_via=quote)
    plain = urlunsplit((parts.scheme, user + at + host, parts.path, kept, ""))
    if secret is None:
        yield plain, {}
        return
    with tempfile.TemporaryDirectory(prefix="mordomo-") as folder:
        path = Path(folder) / "pgpass"
        path.touch(mode=0o600)
        escaped = secret.replace("\\", "\\\\").replace(":", "\\:")
        path.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
        account.own(path)
        account.own(Path(folder))
        yield plain, {"PGPASSFILE": str(path)}


def needs_tls(url: str) -> bool:
    """Tell whether the connection must be encrypted: the programs that Mordomo brings along are built without TLS."""
    mode = dict(parse_qsl(urlsplit(url).query)).get("sslmode") or os.environ.get("PGSSLMODE", "")
    return mode in {"require", "verify-ca", "verify-full"}


def ourselves() -> Account:
    """Return this process's own user."""
    return Account("", os.geteuid(), os.getegid(), switch=False)


async def programs_for(url: str, server_major: int, places: Sequence[Path] | None = None) -> Programs:
    """Return programs that can dump a server of `server_major` at `url`: those of a newer major, or of the same.

    `places` are the folders looked into, by default those of the wheel, of PATH and of Debian. Raises BackupFailed.
    """
    candidates = list(_places(tls=needs_tls(url))) if places is None else places
    newest = 0
    for folder in candidates:
        major = await _major(folder)
        if major >= server_major:
            return Programs(folder, ourselves(), _libpq_environment())
        newest = max(newest, major)
    if newest:
        raise BackupFailed(
            f"O servidor é o PostgreSQL {server_major}, e o pg_dump mais novo daqui é o {newest}, que não o lê. "
            f"Instale o postgresql-client-{server_major}."
        )
    raise BackupFailed(
        f"Não há pg_dump que sirva. Instale o postgresql-client-{server_major}, ou reinstale o Mordomo (make install)."
    )


def _places(*, tls: bool) -> Iterator[Path]:
    if not tls:
        with suppress(CannotStart):  # the others may serve
            yield packaged_programs()
    # Where a system has the real programs in folders by version, that in PATH is a wrapper which picks one itself.
    by_version = sorted(DEBIAN.glob("*/bin/pg_dump"), key=lambda path: path.parts[4].zfill(4), reverse=True)
    yield from (path.parent for path in by_version)
    if (found := shutil.which("pg_dump")) is not None:
        yield Path(found).parent


async def _major(folder: Path) -> int:
    """Return the major version of the programs in `folder`; 0 where there are none that run."""
    try:
        status, said = await ourselves().run(folder / "pg_dump", "--version", cwd=Path("/"))
    except CannotStart:
        return 0
    found = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", said)
    return int(found[1]) if status == 0 and found else 0


def _libpq_environment() -> dict[str, str]:
    """Return what the operator told libpq of certificates and the like, as asyncpg heeds it too."""
    return {name: value for name, value in os.environ.items() if name.startswith("PG") or name == "HOME"}


async def pumped(source: asyncio.subprocess.Process, sink: asyncio.subprocess.Process, unwanted: bytes) -> None:
    """Copy what `source` prints into `sink`, but for the first line that is `unwanted`."""
    assert source.stdout is not None and sink.stdin is not None  # noqa: S101, PT018 - the caller asked for pipes
    try:
        async for line in _lines_until(source.stdout, unwanted):
            sink.stdin.write(line)
        while chunk := await source.stdout.read(1 << 16):
            sink.stdin.write(chunk)
            await sink.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the sink's own error says why
    finally:
        sink.stdin.close()


async def _lines_until(stream: asyncio.StreamReader, unwanted: bytes) -> AsyncIterator[bytes]:
    """Yield the lines before the first that is `unwanted`; it stands among the first 30 if anywhere."""
    for _ in range(30):
        line = await stream.readline()
        if line.strip() == unwanted:
            return
        yield line
