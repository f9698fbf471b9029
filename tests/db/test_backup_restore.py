"""A dump back in the place of the database, and databases on servers that are not ours."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from support.folders import short_folder
from support.kept_house import ZONE, KeptHouse, kept_house
from support.postgres import DEBIAN, Databases

from db.backup.folder import BackupBad, BackupFailed, Folder
from db.backup.programs import programs_for
from db.backup.restoring import restore
from db.backup.rotation import Keep
from db.backup.routine import back_up
from db.backup.source import Source, patient

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def house(made: Path) -> AsyncIterator[KeptHouse]:
    async with kept_house(made) as house:
        yield house


@pytest.fixture
def roomy() -> Iterator[Path]:
    """A folder that a server's own user can pass."""
    with short_folder() as path:
        yield path


async def databases(house: KeptHouse) -> str:
    query = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate"
    return str(await house.ask(query))


async def test_the_database_is_what_it_was_and_what_it_is_now_is_kept(house: KeptHouse) -> None:
    await house.tell("antes")
    made = await house.dump(NOW)
    await house.tell("depois")
    async with house.database() as forgotten:
        await forgotten.fetchval("SELECT 1")  # a psql that somebody left open
        done = await restore(house.source, house.folder, made, LATER)
    assert await house.told() == {"antes"}
    assert done.copy in await databases(house)
    async with patient(house.source.named(done.copy)) as connection:
        assert await connection.fetchval("SELECT count(*) FROM messages") == 2


async def test_a_damaged_one_is_not_restored(house: KeptHouse) -> None:
    made = await house.dump(NOW)
    await house.tell("fica")
    with house.folder.dump(made.name).open("ab") as file:
        file.write(b"!")
    with pytest.raises(BackupBad, match="corrompida"):
        await restore(house.source, house.folder, made, LATER)
    with pytest.raises(BackupFailed, match="Mordomo mais novo"):
        await restore(house.source, house.folder, replace(made, revision="9999"), LATER)
    assert await house.told() == {"fica"}
    assert await databases(house) == "mordomo postgres"


async def test_a_half_restored_database_is_dropped(house: KeptHouse) -> None:
    made = await house.dump(NOW)
    pretended = replace(made, contents=replace(made.contents, sequences={"public.none": "1 t"}))
    with pytest.raises(BackupBad, match=r"sequência public\.none"):
        await restore(house.source, house.folder, pretended, LATER)
    assert await databases(house) == "mordomo postgres"


async def test_roles_that_a_new_machine_lacks_are_named(house: KeptHouse) -> None:
    role = f"painel_{uuid4().hex[:6]}"
    async with patient(house.url) as connection:
        await connection.execute(f"CREATE ROLE {role}; GRANT SELECT ON messages TO {role}")
        made = await house.dump(NOW)
        assert role in made.roles
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    done = await restore(house.source, house.folder, made, LATER)
    assert done.without == (role,)


async def test_a_server_of_the_house_older_than_our_programs(debian_postgres_url: str, roomy: Path) -> None:
    source, folder = Source(debian_postgres_url, None), Folder(roomy / "backup")
    async with patient(debian_postgres_url) as connection:
        await connection.execute("INSERT INTO users (name) VALUES ('Ana')")
    made = await back_up(source, folder, Keep(), ZONE, NOW)
    assert made.is_good
    assert made.server_version.startswith(DEBIAN[-1].parts[4])
    async with patient(debian_postgres_url) as connection:
        await connection.execute("UPDATE users SET name = 'Bia'")
    done = await restore(source, folder, made, LATER)
    async with patient(debian_postgres_url) as connection:
        assert await connection.fetchval("SELECT name FROM users") == "Ana"
        await connection.execute(f'DROP DATABASE "{done.copy}"')


async def test_extensions_that_only_their_server_has_are_proved_there(debian_postgres_url: str, roomy: Path) -> None:
    source, folder = Source(debian_postgres_url, None), Folder(roomy / "backup")
    async with patient(debian_postgres_url) as connection:
        if not await connection.fetchval("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
            pytest.skip("Debian's server has no pg_trgm")
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    made = await back_up(source, folder, Keep(), ZONE, NOW)
    assert made.is_good
    async with patient(debian_postgres_url) as connection:
        left = await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname LIKE 'mordomo_prova%'")
    assert left == 0


async def test_a_role_that_may_not_make_databases_is_told_what_it_needs(
    debian_postgres_url: str, debian_postgres: Databases, roomy: Path
) -> None:
    role = f"casa_{uuid4().hex[:6]}"
    async with patient(debian_postgres_url) as connection:
        if not await connection.fetchval("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"):
            pytest.skip("Debian's server has no pg_trgm")
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 's:e\\gredo'; GRANT pg_read_all_data TO {role}")
    parts = urlsplit(debian_postgres_url)
    url = debian_postgres_url.replace(parts.netloc, f"{role}:s%3Ae%5Cgredo@", 1)
    folder = Folder(roomy / "backup")
    with pytest.raises(BackupFailed, match="CREATEDB"):
        await back_up(Source(url, None), folder, Keep(), ZONE, NOW)
    (unproved,) = folder.all()
    assert not unproved.is_good
    with pytest.raises(BackupFailed, match="Nada foi mudado"):
        await restore(Source(url, None), folder, unproved, LATER)
    async with patient(debian_postgres_url) as connection:
        await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_debians_own_pg_dump_is_too_old_for_our_server(house: KeptHouse) -> None:
    if not DEBIAN or int(DEBIAN[-1].parts[4]) >= 18:
        pytest.skip("Debian's PostgreSQL is as new as ours")
    with pytest.raises(BackupFailed, match=r"que não o lê\. Instale o postgresql-client-18"):
        await programs_for(house.url, 18, [DEBIAN[-1].parent])
