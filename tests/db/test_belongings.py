"""What is somebody's, by the catalogue: no table may be forgotten by export or erasure."""

from collections.abc import AsyncIterator

import pytest

from db.belongings import ALSO, ROOT, catalogue
from db.database import Database, open_database
from db.erasure import OF_KIND, SAID

OF_THE_HOUSE = {
    "alembic_version": "the schema's revision",
    "areas": "rooms",
    "audit_log": "cleaned by erase_traces",
    "config": "preferences of all; who set one is a column of names",
    "devices": "devices",
    "entities": "devices",
    "entity_states": "devices",
    "erasures": "receipts, which hold nothing of anybody",
    "memory_outbox": "ids of memories, on their way to or from the store of vectors",
    "prompt_templates": "prompts of the house",
    "routines": "routines of the house",
    "sentences": "sentences of the house; who added one is a column of names",
    "system_logs": "cleaned by erase_traces",
    "vectors": "a store of vectors, emptied by daemon/people/privacy/erasing.py",
    "vectors_indexed": "the same, with an index",
}
"""Tables that no reference joins to a person, and why none is needed."""
STAYS_TODAY = {
    "users", "conversations", "consents", "permissions", "spoken_codes", "lists", "list_items", "reminder_steps",
}  # fmt: skip
"""What "what I said today" does not reach by itself: it goes with its parent, or was not said."""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url) as database:
        yield database


async def test_every_table_is_somebodys_or_the_houses(db: Database) -> None:
    of = await catalogue(db)
    reached = set(of.reached())
    assert {"conversations", "messages", "actions", "reminders", "reminder_steps", "lists", "consents"} <= reached
    forgotten = set(of.columns) - reached - set(OF_THE_HOUSE)
    assert not forgotten, f"neither reached from {ROOT} nor declared the house's: {sorted(forgotten)}"
    assert not reached & set(OF_THE_HOUSE)


async def test_every_table_of_somebody_is_said_or_stays(db: Database) -> None:
    of = await catalogue(db)
    undecided = set(of.reached()) - set(SAID) - STAYS_TODAY - set(of.reached(["memories", "messages"]))
    assert not undecided, f"does 'what I said today' reach {sorted(undecided)}?"
    for table, moment in SAID.items():
        if table in of.columns:
            assert of.columns[table][moment] == "timestamp with time zone"


async def test_the_tables_that_are_named_are_there(db: Database) -> None:
    of = await catalogue(db)
    assert {*ALSO} <= set(of.columns)
    for tables in OF_KIND.values():
        assert set(tables) <= set(of.reached())


async def test_every_table_of_somebody_has_a_key_and_a_way_to_tell_its_rows(db: Database) -> None:
    of = await catalogue(db)
    assert all(of.keys[table] for table in of.reached())


async def test_columns_that_look_like_names_are_known(db: Database) -> None:
    of = await catalogue(db)
    named = {f"{table}.{column}" for table, column in of.named()}
    assert {"reminders.created_by", "reminders.escalate_to", "list_items.added_by", "config.updated_by"} <= named
    suspicious = {
        f"{table}.{column}"
        for table, columns in of.columns.items()
        for column, kind in columns.items()
        if column.endswith(("_by", "_to", "_for")) and kind.startswith(("character varying", "text"))
    }
    assert suspicious <= named | {
        "reminders.leased_by",
        "memory_outbox.leased_by",
        "memories.embedded_by",
        "erasures.asked_by",
    }
