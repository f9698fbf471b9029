"""What the daemon itself keeps of devices: announcements, last states, and what it reads back at the start.

Written in batches, one statement each; nothing here touches what people set by hand, nor notifies anybody.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.database import Database, Queries, storable
from db.text import storable_json

PAGE = 1000
MOST_REMOVED = 20_000
"""Entities that are announced no more and bear no mark: beyond these, those gone longest are forgotten early."""


@dataclass(frozen=True, slots=True)
class DeviceAnnounced:
    """What one device told of itself."""

    identifier: str
    name: str | None
    maker: str | None
    model: str | None
    origin: str | None
    suggested_area: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntityAnnounced:
    """What one entity was announced as."""

    entity_id: str
    source: str
    component: str
    name: str | None
    device_class: str | None
    unit: str | None
    category: str | None
    identifier: str | None


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """How the table has an entity."""

    entity_id: str
    source: str
    state: str | None
    changed_at: datetime | None
    cause: str | None
    action_id: UUID | None
    is_removed: bool


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state to be written, as last value or as a line of history."""

    entity_id: str
    at: datetime
    state: str | None
    attributes: Mapping[str, Any]
    available: bool | None
    cause: str
    action_id: UUID | None
    changed_at: datetime | None


# A source that goes by another id now leaves the row that had it.
LEAVE = """
UPDATE entities AS e SET source = 'before:' || e.id
FROM jsonb_to_recordset($1::jsonb) AS r(entity_id text, source text)
WHERE e.source = r.source AND e.entity_id <> r.entity_id
"""
UPSERT = """
WITH told AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(
        identifier text, name text, maker text, model text, origin text, suggested_area text, metadata jsonb)
), known AS (
    INSERT INTO devices (identifier, name, maker, model, origin, suggested_area, metadata, first_seen_at, last_seen_at)
    SELECT identifier, name, maker, model, origin, suggested_area, metadata, $3, $3 FROM told
    ON CONFLICT (identifier) DO UPDATE SET name = EXCLUDED.name, maker = EXCLUDED.maker, model = EXCLUDED.model,
        origin = EXCLUDED.origin, suggested_area = EXCLUDED.suggested_area, metadata = EXCLUDED.metadata,
        last_seen_at = EXCLUDED.last_seen_at, removed_at = NULL
    RETURNING id, identifier
)
INSERT INTO entities (entity_id, source, component, name, device_class, unit, category, device_id, first_seen_at,
    last_seen_at)
SELECT r.entity_id, r.source, r.component, r.name, r.device_class, r.unit, r.category, known.id, $3, $3
FROM jsonb_to_recordset($2::jsonb) AS r(entity_id text, source text, component text, name text, device_class text,
        unit text, category text, identifier text)
    LEFT JOIN known USING (identifier)
ON CONFLICT (entity_id) DO UPDATE SET source = EXCLUDED.source, component = EXCLUDED.component, name = EXCLUDED.name,
    device_class = EXCLUDED.device_class, unit = EXCLUDED.unit, category = EXCLUDED.category,
    device_id = EXCLUDED.device_id, last_seen_at = EXCLUDED.last_seen_at, removed_at = NULL, fault = NULL
"""
REMOVED = """
WITH gone AS (
    UPDATE entities SET removed_at = $2
    WHERE entity_id = ANY ($1::text[]) AND removed_at IS NULL AND declared IS NULL RETURNING device_id, id
)
UPDATE devices SET removed_at = $2
WHERE id IN (SELECT device_id FROM gone) AND removed_at IS NULL AND NOT EXISTS (
    SELECT FROM entities AS e
    WHERE e.device_id = devices.id AND e.removed_at IS NULL AND e.id NOT IN (SELECT id FROM gone))
"""
ROWS = (
    "jsonb_to_recordset({}::jsonb) AS r(entity_id text, at timestamptz, state text, attributes jsonb,"
    " available boolean, cause text, action_id uuid, changed_at timestamptz)"
)
WRITE = f"""
WITH latest AS (
    UPDATE entities AS e SET state = r.state, attributes = r.attributes, available = r.available,
        changed_at = r.changed_at, cause = r.cause, action_id = r.action_id
    FROM {ROWS.format("$1")} WHERE e.entity_id = r.entity_id
)
INSERT INTO entity_states (at, entity_id, state, attributes, cause, action_id)
SELECT at, entity_id, state, attributes, cause, action_id FROM {ROWS.format("$2")}
"""  # noqa: S608 - constants of this file
UNMARKED = (
    "declared IS NULL AND given_name IS NULL AND area_id IS NULL AND NOT hidden AND NOT favourite AND guarded IS NULL"
    " AND aliases = '{}'"
)
FORGET = f"""
DELETE FROM entities WHERE id IN (
    SELECT id FROM (
        SELECT id, removed_at, row_number() OVER (ORDER BY removed_at DESC) AS place
        FROM entities WHERE removed_at IS NOT NULL AND {UNMARKED}
    ) AS gone WHERE removed_at < $1 OR place > {MOST_REMOVED})
"""  # noqa: S608 - constants of this file
FORGET_DEVICES = """
DELETE FROM devices AS d WHERE removed_at < $1 AND area_id IS NULL
AND NOT EXISTS (SELECT FROM entities WHERE device_id = d.id)
"""


async def stored(db: Queries) -> AsyncIterator[list[StoredEntity]]:
    """Yield what the table has, a page at a time, so that nobody waits for all of it. Raises LinkDown."""
    after = ""
    while True:
        rows = await db.fetch(
            "SELECT entity_id, source, state, changed_at, cause, action_id, removed_at IS NOT NULL AS is_removed"
            " FROM entities WHERE entity_id > $1 ORDER BY entity_id LIMIT $2",
            after,
            PAGE,
        )
        if not rows:
            return
        yield [StoredEntity(**dict(row)) for row in rows]
        after = rows[-1]["entity_id"]


async def announce(
    db: Database, devices: Iterable[DeviceAnnounced], entities: Sequence[EntityAnnounced], now: datetime
) -> None:
    """Store announcements; ids and identifiers must not come twice. What was set by hand stays. Raises LinkDown."""
    rows = [asdict(entity) for entity in entities]
    async with db.transaction() as connection:
        await connection.execute(LEAVE, rows)
        await connection.execute(UPSERT, [storable_json(asdict(device)) for device in devices], rows, now)


async def removed(db: Queries, entity_ids: Sequence[str], now: datetime) -> None:
    """Note that these are announced no more, and the devices of which nothing is left. Raises LinkDown."""
    await db.execute(REMOVED, entity_ids, now)


async def missing(db: Queries, entity_ids: Sequence[str]) -> set[str]:
    """Return those of the ids that have no row. Raises LinkDown."""
    rows = await db.fetch(
        "SELECT known FROM unnest($1::text[]) AS known WHERE NOT EXISTS (SELECT FROM entities WHERE entity_id = known)",
        entity_ids,
    )
    return {row[0] for row in rows}


async def write_states(db: Queries, latest: Iterable[StateRow], history: Iterable[StateRow]) -> None:
    """Store last values, each id at most once, and lines of history, in one statement. Raises LinkDown."""
    await db.execute(WRITE, [_written(row) for row in latest], [_written(row) for row in history])


async def set_fault(db: Queries, entity_id: str, fault: str | None) -> None:
    """Write beside a declared entity why it cannot be used (None: it can). Notifies nobody. Raises LinkDown."""
    await db.execute(
        "UPDATE entities SET fault = $2 WHERE entity_id = $1 AND fault IS DISTINCT FROM $2", entity_id, fault
    )


async def forget_removed(db: Queries, before: datetime) -> int:
    """Delete entities that were removed before `before` and bear no mark of a person's; return how many."""
    tag = await db.execute(FORGET, before)
    await db.execute(FORGET_DEVICES, before)
    return int(tag.split()[-1])


def _written(row: StateRow) -> dict[str, Any]:
    return {
        "entity_id": row.entity_id,
        "at": row.at.isoformat(),
        "state": None if row.state is None else storable(row.state),
        "attributes": storable_json(row.attributes),
        "available": row.available,
        "cause": row.cause,
        "action_id": row.action_id and str(row.action_id),
        "changed_at": row.changed_at and row.changed_at.isoformat(),
    }
