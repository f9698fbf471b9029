"""What is asked while the database is frozen: refused while one can still wait for it, and never stored afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from reminders_said import CONTEXT, TOMORROW_8
from support.wire import Wire

from daemon.errors import LinkDown
from daemon.language.plan import Intent, Value
from daemon.language.replies import Replies
from daemon.skills.keeping import keeping_skills
from daemon.skills.skill import Action, Carried, Context
from db.bounded import PROMISE_S, within
from db.database import Database

Act = Callable[[Intent, Sequence[Action], Context], Awaitable[Carried]]
REPLIES = Replies.load("pt_br")


@pytest.mark.parametrize(
    ("name", "slots", "table"),
    [
        ("CreateReminder", {"message": "tomar o remédio", "when": TOMORROW_8}, "reminders"),
        ("HassStartTimer", {"duration_s": 600}, "reminders"),
        ("HassShoppingListAddItem", {"item": "leite"}, "list_items"),
    ],
)
async def test_it_is_refused_soon_and_not_stored_twice(
    wire: Wire, wired: Database, db: Database, name: str, slots: dict[str, Value], table: str
) -> None:
    skill = keeping_skills(wired, REPLIES)[name]
    await wired.fetchval("SELECT 1")  # a connection that is open, as in a house that runs
    wire.freeze()
    began = asyncio.get_running_loop().time()
    with pytest.raises(LinkDown):
        await skill.act(Intent(name, (), slots), (), CONTEXT)
    assert asyncio.get_running_loop().time() - began < PROMISE_S + 1
    wire.thaw()
    await _again(skill.act, Intent(name, (), slots))
    assert await db.fetchval(f"SELECT count(*) FROM {table}") == 1


async def test_what_was_under_way_when_it_froze_is_not_committed_later(
    wire: Wire, wired: Database, db: Database
) -> None:
    frozen = asyncio.Event()

    async def work() -> None:
        async with wired.transaction() as connection:
            await connection.execute("INSERT INTO users (name) VALUES ('Ana')")
            wire.freeze()
            frozen.set()
            await connection.execute("INSERT INTO users (name) VALUES ('Bia')")

    with pytest.raises(LinkDown):
        await within(0.3, work())
    assert frozen.is_set()
    wire.thaw()
    await wired.execute("INSERT INTO users (name) VALUES ('Caio')")
    assert [row["name"] for row in await db.fetch("SELECT name FROM users")] == ["Caio"]


async def _again(act: Act, intent: Intent) -> None:
    """Ask until it is promised: connections that froze are found dead one by one."""
    async with asyncio.timeout(20):
        while True:
            try:
                await act(intent, (), CONTEXT)
            except LinkDown:
                continue
            return
