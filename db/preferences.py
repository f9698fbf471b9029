"""The household's preferences in the config table: read whole, listed, set."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import asyncpg

from config.preference import InvalidPreference
from config.preferences import DECLARED, Preferences
from db.database import Queries, Unstorable, open_database
from db.preference_check import KEY_CONSTRAINT, literal

EDITOR_LENGTH = 100
"""Longest `updated_by`, in characters."""


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """One declared key as the household sees it. `updated_at` and `updated_by` are None for a row that is not there."""

    key: str
    value: object
    default: object
    rule: str
    description: str
    updated_at: datetime | None
    updated_by: str | None


class Runs(Protocol):
    """The part of a connection that seeding needs."""

    async def execute(self, sql: str, /) -> str:
        """Run one statement."""
        ...


async def load(db: Queries, last: Preferences | None = None) -> tuple[Preferences, list[str]]:
    """Return the preferences in force, and a sentence in Portuguese for every row that is not.

    A row that breaks its rule (written while the check was off, or by an older version) leaves its key at its value in
    `last`, else at its default. Raises LinkDown.
    """
    values: dict[str, object] = {}
    faults: list[str] = []
    for row in await db.fetch("SELECT key, value::text AS value FROM config ORDER BY key"):
        try:
            values[row["key"]] = _read(row["key"], row["value"])
        except InvalidPreference as fault:
            faults.append(str(fault))
            if last is not None and row["key"] in DECLARED:
                values[row["key"]] = last.as_dict()[row["key"]]
    return Preferences(values), faults


async def load_from(url: str) -> Preferences:
    """Return the preferences that a database holds, the defaults where it has no tables yet. Raises LinkDown."""
    async with open_database(url, size=1) as db:
        try:
            prefs, _ = await load(db)
        except asyncpg.UndefinedTableError:
            return Preferences()
    return prefs


async def rows(db: Queries) -> list[PreferenceRow]:
    """Return every declared preference in the order of its declaration, with its stored value. Raises LinkDown."""
    stored = {row["key"]: row for row in await db.fetch("SELECT key, value, updated_at, updated_by FROM config")}
    return [
        PreferenceRow(
            key,
            stored[key]["value"] if key in stored else preference.default,
            preference.default,
            preference.rule,
            preference.description,
            stored[key]["updated_at"] if key in stored else None,
            stored[key]["updated_by"] if key in stored else None,
        )
        for key, preference in DECLARED.items()
    ]


async def set_value(db: Queries, key: str, value: object, by: str) -> None:
    """Store `value` (as JSON) for `key`, signed by whoever sets it. The database judges it.

    Raises InvalidPreference with the database's sentence, LinkDown.
    """
    description = DECLARED[key].description if key in DECLARED else None
    try:
        await db.execute(
            "INSERT INTO config (key, value, description, updated_by) VALUES ($1, $2, $3, $4) ON CONFLICT (key)"
            " DO UPDATE SET value = EXCLUDED.value, updated_by = EXCLUDED.updated_by",
            key,
            value,
            description,
            by[:EDITOR_LENGTH],
        )
    except asyncpg.CheckViolationError as refused:
        hint = f". {refused.hint}" if refused.constraint_name == KEY_CONSTRAINT else ""
        raise InvalidPreference(f"{refused.message}{hint}") from refused
    except ValueError as refused:
        raise InvalidPreference(f"{key[:80]}: {Unstorable()}") from refused


def seed_preferences_sql() -> str:
    """Return the statement that adds missing rows and renews descriptions; values that are there stay."""
    seeds = ",\n    ".join(
        f"({literal(key)}, {literal(json.dumps(p.default, ensure_ascii=False))}, {literal(p.description)}, 'mordomo')"
        for key, p in DECLARED.items()
    )
    return (
        f"INSERT INTO config (key, value, description, updated_by) VALUES\n    {seeds}\n"
        "ON CONFLICT (key) DO UPDATE SET description = EXCLUDED.description"
        " WHERE config.description IS DISTINCT FROM EXCLUDED.description;"
    )


async def seed_preferences(connection: Runs) -> None:
    """Add the rows that are missing, with default and description; never change a value of the household's."""
    await connection.execute(seed_preferences_sql())


def _read(key: str, text: str) -> object:
    if key not in DECLARED:
        raise InvalidPreference(f"{key}: esta preferência não existe nesta versão do Mordomo, e não faz nada")
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        decoded = text[:80]
        if DECLARED[key].kind is str:
            decoded = None
    return DECLARED[key].read(decoded)
