"""Database servers for tests: each gives databases of its own, cloned from a migrated template."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from db.embedded import EmbeddedPostgres
from db.server_account import Account
from db.upgrade import upgrade
from support.background import Background
from support.folders import short_folder

TEMPLATE = "mordomo_template"
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
own_server_only = pytest.mark.skipif(
    os.environ.get("MORDOMO_TEST_POSTGRES") == "debian", reason="Debian's server has no pgvector"
)
# Tests kill servers, never the machine: what the disk has not yet does not matter, and they run much faster.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Databases:
    """One server, and the databases that tests make on it."""

    def __init__(self, url: str, background: Background) -> None:
        """Take the URL of a database to which a superuser may connect."""
        self.url = url
        self._background = background
        self._migrated = False

    def create(self, *, migrated: bool) -> str:
        """Return the URL of a new database: with the schema of Mordomo, or empty."""
        if migrated and not self._migrated:
            self._create(TEMPLATE, "template0")
            self._background.run(upgrade(self.named(TEMPLATE)))
            self._migrated = True
        name = f"test_{uuid4().hex[:12]}"
        self._create(name, TEMPLATE if migrated else "template0")
        return self.named(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')

    def named(self, database: str) -> str:
        """Return the URL of another database of this server."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/{database}?{parts.query}"

    def execute(self, *statements: str) -> None:
        """Run statements, each by itself, as superuser."""
        self._background.run(_execute(self.url, statements))

    def _create(self, name: str, template: str) -> None:
        # Copying the template's files takes a sixth of the time that writing them to the log again does, the usual way.
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY file_copy')


async def _execute(url: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def embedded(background: Background) -> Iterator[Databases]:
    """Run the embedded server in a folder of its own."""
    with short_folder() as folder:
        server = EmbeddedPostgres(folder / "data")
        url = background.run(server.start(), timeout_s=130)
        try:
            databases = Databases(url, background)
            databases.execute(*(f"ALTER SYSTEM SET {name} = {value}" for name, value in QUICK.items()))
            databases.execute("SELECT pg_reload_conf()")
            yield databases
        finally:
            background.run(server.stop(only_if_unused=False))


@contextmanager
def debian(background: Background, settings: Path | None = None) -> Iterator[Databases]:
    """Run the newest of Debian's servers in a cluster of our own, as the user `postgres` where we are root.

    With `settings`, that file is its configuration.
    """
    programs = DEBIAN[-1].parent
    user = pwd.getpwnam("postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    account = Account(user.pw_name, user.pw_uid, user.pw_gid, switch=os.geteuid() == 0)
    with short_folder() as folder:
        (folder / "home").mkdir(mode=0o700)
        home = folder / "home"
        account.own(home)

        def must(*command: str | Path) -> None:
            status, output = background.run(account.run(*command, cwd=home))
            assert status == 0, output

        must(
            programs / "initdb", "-D", home / "data", "-U", "mordomo", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"
        )
        quick = " ".join(f"-c {name}={value}" for name, value in QUICK.items())
        own = f"-c config_file={settings}" if settings else ""
        options = f"-c listen_addresses= -c unix_socket_directories={home} {quick} {own}"
        must(programs / "pg_ctl", "start", "-D", home / "data", "-w", "-l", home / "log", "-o", options)
        try:
            yield Databases(f"postgresql://mordomo@/postgres?host={home}", background)
        finally:
            must(programs / "pg_ctl", "stop", "-D", home / "data", "-m", "fast", "-w")
