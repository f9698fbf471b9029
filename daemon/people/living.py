"""Who lives here and by which rules, as the tables say at this moment; and so who it is that asks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import structlog

from config.preferences import PEOPLE_LOCAL_ROLE, PEOPLE_UNKNOWN_ROLE, Preferences
from daemon.health import Part
from daemon.people.person import GUEST, HOUSE, UNKNOWN, Person, Role, by_source
from daemon.people.rules import Rule
from db import codes, permissions
from db.database import Database
from db.listen import notifications
from db.permissions import PermissionRow, Resident, make_administrator, next_administrator

log = structlog.get_logger(__name__)


class Living:
    """Holds the last rules and residents that could be read; as a service it follows their tables.

    `rules` is None until they were read once; `names` are those of `residents`.
    """

    name = "people"

    def __init__(self, db: Database, prefs: Callable[[], Preferences]) -> None:
        self.rules: tuple[Rule, ...] | None = None
        self.residents: Mapping[UUID, Resident] = {}
        self.names: tuple[str, ...] = ()
        self._locked: list[tuple[str, datetime]] = []
        self._db = db
        self._prefs = prefs

    async def run(self) -> None:
        """Follow the tables until cancelled. Raises LinkDown when the database goes away; what was read last stays."""
        async for _ in notifications(self._db.direct_url, [permissions.CHANNEL]):
            await self.refresh()

    async def refresh(self) -> None:
        """Read the tables. Raises LinkDown."""
        rules = tuple(_rule(row) for row in await permissions.enabled(self._db))
        self.residents = {one.id: one for one in await permissions.residents(self._db)}
        self.names = tuple(one.name for one in self.residents.values())
        self.rules = rules
        self._locked = await codes.locked(self._db, datetime.now(UTC))
        log.info("permissions_read", rules=len(rules), residents=len(self.residents))

    def part(self) -> Part:
        """Return how it stands, for health."""
        name, title = "permissions", "permissões"
        if self.rules is None:
            return Part(name, title, "starting", "ainda não li as regras: por ora nada que abra a casa é feito")
        people = "1 pessoa" if len(self.names) == 1 else f"{len(self.names)} pessoas"
        told = f"{len(self.rules)} regras, {people}"
        for who, until in (one for one in self._locked if one[1] > datetime.now(UTC)):
            told += f"; o código de {who} está bloqueado até {until.astimezone():%H:%M}, por três erros"
        could = next_administrator(list(self.residents.values()))
        if could is None:
            return Part(name, title, "ok", told)
        return Part(name, title, "ok", f"{told}; ninguém administra a casa", make_administrator(could))

    def who(self, heard: Person | None, known: Person | None, source: str) -> Person:
        """Return who asks, as what they live here today; see `person.Who`."""
        person = by_source(heard, known, source)
        if person == UNKNOWN:
            return self.unknown()
        if person == HOUSE and source == "text":
            return replace(person, role=cast("Role", self._prefs()[PEOPLE_LOCAL_ROLE]))
        return self.today(person)

    def today(self, person: Person) -> Person:
        """Return the person with the role of today; who lives here no more is a guest."""
        if person.id is None:
            return person
        found = self.residents.get(person.id)
        if found is None:
            return person if self.rules is None else replace(person, role="guest")
        return replace(person, name=found.name, role=cast("Role", found.role))

    def people(self) -> list[Person]:
        """Return who lives here, in the order they were added."""
        return [Person(one.id, one.name, cast("Role", one.role)) for one in self.residents.values()]

    def has_code(self, person: Person) -> bool:
        """Tell whether somebody has a spoken code."""
        found = None if person.id is None else self.residents.get(person.id)
        return found is not None and found.has_code

    @property
    def knows_voices(self) -> bool:
        """Tell whether anybody has taught the house their voice."""
        return any(one.has_voice for one in self.residents.values())

    def unknown(self) -> Person:
        """Return as what somebody counts whose voice nobody knows."""
        role = self._prefs()[PEOPLE_UNKNOWN_ROLE]
        if role == "auto":
            return GUEST if self.knows_voices else UNKNOWN
        return replace(UNKNOWN, role=cast("Role", role))


def _rule(row: PermissionRow) -> Rule:
    days = None if row.weekdays is None else frozenset(row.weekdays)
    return Rule(
        row.effect, cast("Role | None", row.role), row.user_id, row.intent, row.domain, row.area, row.here,
        row.from_time, row.until_time, days,
    )  # fmt: skip
