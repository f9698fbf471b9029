"""A family with voices: Marcos (adult), Bia (teenager), Ana (child), and who is not of it."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from daemon.butler import Place
from daemon.people.person import GUEST, Person, Role
from db.database import Database
from db.permissions import set_role
from db.users import named
from support.house import Home


@dataclass(frozen=True)
class Family:
    """Everybody, and where each of them speaks."""

    home: Home
    marcos: Person
    bia: Person
    ana: Person
    guest: Person = GUEST

    def says(self, person: Person, area: str = "sala") -> Place:
        """The place of a person who speaks, as one whom a voice told."""
        return replace(self.home.aloud, area=area, person=person)


async def somebody(db: Database, name: str, role: Role, *, voice: bool = True) -> Person:
    """Add a person."""
    user_id: UUID = await named(db, name)
    await set_role(db, user_id, role)
    await db.execute("UPDATE users SET voice_enrolled = $2 WHERE id = $1", user_id, voice)
    return Person(user_id, name, role)


async def family(home: Home) -> Family:
    """Let them move in."""
    marcos = await somebody(home.db, "Marcos", "adult")
    bia = await somebody(home.db, "Bia", "teenager")
    ana = await somebody(home.db, "Ana", "child")
    await home.people.living.refresh()
    return Family(home, marcos, bia, ana)


async def row(house: Home, column: str = "status") -> Any:
    """Return a column of the newest request for leave."""
    return await house.db.fetchval(f"SELECT {column} FROM approvals ORDER BY asked_at DESC LIMIT 1")


async def settled(house: Home) -> None:
    """Do what there is to do, to the end."""
    await house.people.approvals.look()
    await house.people.approvals.settle()
