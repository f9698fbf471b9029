"""The roles on a server that is not ours, and on that of docker-compose.yml."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import structlog
from support.background import Background
from support.postgres import DEBIAN, Databases, debian

from db.database import open_database
from db.roles import APP, READER, as_role
from db.upgrade import downgrade, upgrade

SCRIPT = Path(__file__).parents[2] / "config/postgresql-roles.sh"


@pytest.fixture
def managed_server(background: Background) -> Iterator[tuple[Databases, str]]:
    """A server that has not our roles, and a database on it whose owner may not make any."""
    if not DEBIAN:
        pytest.skip("Debian's postgresql is not installed")
    with debian(background) as server:
        url = server.create(migrated=False)
        server.execute("CREATE ROLE dona LOGIN", f'ALTER DATABASE "{urlsplit(url).path[1:]}" OWNER TO dona')
        yield server, as_role(url, "dona")


async def test_an_owner_that_may_make_no_roles_works_without_them(managed_server: tuple[Databases, str]) -> None:
    server, url = managed_server
    with structlog.testing.capture_logs() as logged:
        await upgrade(url)
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == ["roles_not_made"]
    async with open_database(url) as db:
        assert await db.fetch("SELECT * FROM config")
    server.execute(*(f"CREATE ROLE {role} LOGIN" for role in (APP, READER)))
    await upgrade(url)
    async with open_database(as_role(url, APP)) as app:
        assert await app.fetch("SELECT * FROM config")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("DROP TABLE config")
    await downgrade(url, "base")


async def test_composes_script_makes_the_roles_with_their_passwords(managed_server: tuple[Databases, str]) -> None:
    server, url = managed_server
    folder = parse_qs(urlsplit(url).query)["host"][0]
    secrets = {"MORDOMO_APP_PASSWORD": "com 'aspas' e \\", "MORDOMO_READER_PASSWORD": "outra"}
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            "sh", str(SCRIPT), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "PGHOST": folder, "POSTGRES_DB": "postgres", **secrets},
        )  # fmt: skip
        said, _ = await process.communicate()
        assert (process.returncode, said) == (0, b"")
    connection = await asyncpg.connect(server.url)
    rows = await connection.fetch("SELECT rolname, rolpassword, rolsuper FROM pg_authid WHERE rolpassword IS NOT NULL")
    await connection.close()
    assert {row["rolname"] for row in rows} == {APP, READER}
    assert all(row["rolpassword"].startswith("SCRAM-SHA-256$") and not row["rolsuper"] for row in rows)
    await upgrade(url)
    async with open_database(as_role(url, APP)) as app:
        assert await app.fetch("SELECT * FROM config")
    await downgrade(url, "base")


def test_another_role_on_the_same_way() -> None:
    assert as_role("postgresql://mordomo:segredo@h:5432/d?host=/a%2Fb", "x") == "postgresql://x@h:5432/d?host=/a%2Fb"
    assert as_role("postgresql://mordomo@/d?host=/s", "x y") == "postgresql://x%20y@/d?host=/s"
