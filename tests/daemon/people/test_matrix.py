"""Every role × every intent: what a house may that changed nothing. `make matrix` writes the table anew, for review."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.house import home

from daemon.errors import Refused
from daemon.language import book
from daemon.language.plan import Intent
from daemon.people.matrix import as_text, circumstances, matrix, somebody
from daemon.people.person import ROLES, Person, Role
from daemon.people.rules import FINE, RISKY
from daemon.people.wanted import TOPICS, UNKNOWN_TOPIC
from daemon.people.words import Words
from daemon.skills.skill import Context
from db.database import Database
from db.permissions import Resident, every

GOLDEN = Path(__file__).with_name("matrix.txt")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_the_matrix_is_the_reviewed_one(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        known = {*house.butler.answers.acting.skills, *(entry.intent for entry in book.load("pt_br").entries)}
        assert not known - TOPICS.keys()  # an intent without a topic: decide who may, in daemon/people/wanted.py
        table = as_text(matrix(house.people.permissions, sorted(known), NOON))
    if os.environ.get("MORDOMO_WRITE_MATRIX"):
        GOLDEN.write_text(table, "utf-8")
    assert table == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_checked_is_what_the_table_says(database_url: str, tmp_path: Path, role: Role) -> None:
    """Every cell once more, by what a turn asks; and every refusal can be said."""
    asked: list[str] = []

    async def ask(_: Sequence[Intent], __: Context, doing: str) -> str:
        asked.append(doing)
        return f"Vou perguntar se posso {doing}."

    async with home(database_url, tmp_path) as house:
        person = somebody(role)
        house.people.permissions.ask = ask
        if person.id is not None:
            house.people.living.residents = {person.id: Resident(person.id, str(person.name), role, True)}
        for case in matrix(house.people.permissions, list(TOPICS), NOON):
            context = replace(circumstances(NOON), speaker=person)
            cell = case.cells[ROLES.index(role)].removesuffix(" here")
            asked.clear()
            found, said = "allow", "."
            try:
                await house.people.permissions.check([case.intent], context)
            except Refused as refused:
                found, said = "ask" if asked else "deny", refused.say
            assert said.endswith(".")
            assert not {"{", "}"} & set(said)
            assert "fazer isso" not in said
            assert (case.told, found) == (case.told, cell)


@pytest.mark.parametrize("role", [role for role in ROLES if role not in {"administrator", "adult"}])
async def test_an_intent_that_nobody_thought_of_is_for_adults(database_url: str, tmp_path: Path, role: Role) -> None:
    async with home(database_url, tmp_path) as house:
        context = Context(NOON, house.butler.household(), "sala")
        effect = house.people.permissions.effect([Intent("LaunchRocket")], Person(None, None, role), context)
    assert TOPICS.get("LaunchRocket", UNKNOWN_TOPIC) == UNKNOWN_TOPIC
    assert effect == ("allow" if role == "teenager" else "deny")


async def test_a_household_has_words_for_all_of_it(db: Database) -> None:
    words = Words.load("pt_br")
    domains = {*TOPICS.values(), *FINE, RISKY, *(row.domain for row in await every(db) if row.domain)}
    assert domains <= words.told.keys()
    assert set(ROLES) <= words.told.keys()
    for domain in domains:
        assert words.subject(words.told[domain]) == (None, domain)
    assert [words.role(words.told[role]) for role in ROLES] == list(ROLES)
