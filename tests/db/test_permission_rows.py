"""Permissions and roles as rows: what a house begins with, what the tables refuse, who is told of a change."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import time

import asyncpg
import pytest

from db.audit import Acting, recent
from db.database import Database, open_database
from db.listen import LOOK_NOW, notifications
from db.permissions import (
    CHANNEL,
    NoSuchPerson,
    PermissionRow,
    enabled,
    every,
    person_named,
    put,
    remove,
    residents,
    set_role,
    switch,
)
from db.upgrade import downgrade, upgrade
from db.users import named

NIGHT = PermissionRow("deny", "child", domain="tv", from_time=time(21), until_time=time(6), weekdays=(1, 2, 3, 4, 7))


async def test_a_house_begins_with_rules_for_every_role(db: Database) -> None:
    rows = await every(db)
    assert {row.role for row in rows} == {"administrator", "adult", "teenager", "child", "guest", "device"}
    (example,) = [row for row in rows if not row.enabled]
    assert (example.role, example.domain, example.effect) == ("child", "tv", "deny")
    assert example not in await enabled(db)
    assert all(row.note for row in rows)
    assert await recent(db, "permissions") == []  # what was seeded is nobody's change


async def test_a_rule_that_says_the_same_is_changed_not_doubled(db: Database) -> None:
    ana = await named(db, "Ana")
    first = await put(db, replace(NIGHT, note="escola"), "Marcos")
    again = await put(db, replace(NIGHT, effect="ask"), "Marcos")
    assert first == again
    theirs = await put(db, PermissionRow("allow", None, ana, domain="gate"), "Marcos")
    rows = {row.id: row for row in await every(db)}
    assert (rows[first].effect, rows[first].note, rows[first].weekdays) == ("ask", "escola", (1, 2, 3, 4, 7))
    assert await switch(db, theirs, on=False)
    assert theirs not in {row.id for row in await enabled(db)}
    assert await put(db, PermissionRow("allow", None, ana, domain="gate"), "Marcos") == theirs
    assert theirs in {row.id for row in await enabled(db)}
    assert await remove(db, first)
    assert not await remove(db, first)
    assert not await switch(db, first, on=True)


@pytest.mark.parametrize(
    "bad",
    [
        replace(NIGHT, role="king"), replace(NIGHT, role=None), replace(NIGHT, until_time=None),
        replace(NIGHT, until_time=time(21)), replace(NIGHT, weekdays=(0,)), replace(NIGHT, weekdays=(8,)),
        replace(NIGHT, weekdays=()), replace(NIGHT, domain=" "), replace(NIGHT, area="sala", here=True),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(db: Database, bad: PermissionRow) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await put(db, bad, "Marcos")


async def test_midnight_is_the_hour_zero(db: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError):  # Python knows no 24:00, and a rule must be read by all
        await db.execute(
            "INSERT INTO permissions (role, effect, from_time, until_time) VALUES ('child', 'deny', '21:00', '24:00')"
        )
    await put(db, replace(NIGHT, until_time=time(0)), "Marcos")


async def test_an_effect_that_there_is_not(db: Database) -> None:
    with pytest.raises(ValueError, match="allow, ask ou deny"):
        await put(db, replace(NIGHT, effect="perhaps"), "Marcos")  # type: ignore[arg-type]


async def test_who_lives_here(db: Database) -> None:
    ana = await named(db, "Ana")
    assert [(one.name, one.role, one.has_voice) for one in await residents(db)] == [("Ana", "adult", False)]
    await set_role(Acting(db, "Marcos", "cli"), ana, "child")
    assert (await person_named(db, "  ANA ")).role == "child"
    (change,) = [change for change in await recent(db, "users") if change.action == "UPDATE"]
    assert (change.old, change.new, change.actor) == ({"role": "adult"}, {"role": "child"}, "Marcos")
    for role in ("device", "king"):
        with pytest.raises(asyncpg.CheckViolationError):
            await set_role(db, ana, role)
    await db.execute("UPDATE users SET is_active = FALSE")
    assert await residents(db) == []
    with pytest.raises(NoSuchPerson, match="Zeca"):
        await person_named(db, "Zeca")


async def test_the_rules_of_a_person_go_with_them(db: Database) -> None:
    ana = await named(db, "Ana")
    rule = await put(db, PermissionRow("allow", None, ana, domain="gate"), "Marcos")
    await db.execute("DELETE FROM users WHERE id = $1", ana)
    assert rule not in {row.id for row in await every(db)}


async def test_every_change_is_told(db: Database, database_url: str) -> None:
    ana = await named(db, "Ana")
    async with aclosing(notifications(database_url, [CHANNEL])) as heard:
        assert await anext(heard) == LOOK_NOW
        rule = await put(db, NIGHT, "Marcos")
        for change in (
            switch(db, rule, on=False),
            remove(db, rule),
            set_role(db, ana, "child"),
            db.execute("DELETE FROM users"),
        ):
            async with asyncio.timeout(5):
                assert (await anext(heard)).channel == CHANNEL
            await change


async def test_down_and_up_on_a_house_that_is_lived_in(db: Database, database_url: str) -> None:
    ana = await named(db, "Ana")
    await set_role(db, ana, "child")
    await put(db, PermissionRow("allow", None, ana, domain="gate"), "Marcos")
    before = len(await every(db))
    await downgrade(database_url, "0010")
    async with open_database(database_url) as old:
        assert await old.fetchval("SELECT name FROM users") == "Ana"
    await upgrade(database_url)
    async with open_database(database_url) as new:
        assert [(one.name, one.role) for one in await residents(new)] == [("Ana", "adult")]
        assert len(await every(new)) == before - 1
