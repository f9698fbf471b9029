"""What a database holds, so that two can be compared.

Of each table that is the number of rows and a checksum, whatever their order; of each sequence where it stands; and the
names of all that hangs on the tables.

The checksum is the sum of PostgreSQL's own 64-bit hash of each row's text: a row lost, doubled or changed alters it.
It is a check against damage and mistakes, not against somebody who means harm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from db.database import OwnConnection

SAME_TEXT = (
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL timezone = 'UTC'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL search_path = pg_catalog",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
)
"""Settings of a transaction in which a row's text depends on its values alone, and which may take its time."""

_OWN = """
    n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""
_RELATIONS = f"""
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = $1 AND {_OWN} ORDER BY 1
"""  # noqa: S608 - no value from outside
_SHAPE = f"""
    WITH own AS (SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OWN})
    SELECT 'relation ' || relkind::text || ' ' || name FROM own
    UNION ALL
    SELECT format('column %s.%s %s %s', name, attname, format_type(atttypid, atttypmod), attnotnull)
    FROM own JOIN pg_attribute ON attrelid = own.oid AND attnum > 0 AND NOT attisdropped
    WHERE relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT format('constraint %s on %s', conname, name) FROM own JOIN pg_constraint ON conrelid = own.oid
    WHERE contype <> 'n'
    UNION ALL
    SELECT format('trigger %s on %s', tgname, name) FROM own JOIN pg_trigger ON tgrelid = own.oid AND NOT tgisinternal
    UNION ALL
    SELECT format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    ORDER BY 1
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class TableContents:
    """One table: how many rows, and the sum of their hashes as decimal text."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A database at one snapshot; names are qualified and quoted as SQL needs them."""

    tables: Mapping[str, TableContents]
    sequences: Mapping[str, str]
    shape: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows all tables hold together."""
        return sum(table.rows for table in self.tables.values())

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return what a manifest holds. Raises KeyError, TypeError."""
        tables = {name: TableContents(**table) for name, table in raw["tables"].items()}
        return cls(tables, dict(raw["sequences"]), tuple(raw["shape"]))

    def differences(self, other: "Contents") -> Iterator[str]:
        """Tell in Portuguese each way in which `other`, the restored one, is not the same."""
        for name in sorted(self.tables.keys() | other.tables.keys()):
            mine, theirs = self.tables.get(name), other.tables.get(name)
            if mine is None or theirs is None:
                yield f"a tabela {name} {'sobra' if mine is None else 'falta'}"
            elif mine.rows != theirs.rows:
                yield f"a tabela {name} tinha {mine.rows} linhas e voltou com {theirs.rows}"
            elif mine.checksum != theirs.checksum:
                yield f"a tabela {name} voltou com linhas diferentes"
        for name in sorted(self.sequences.keys() | other.sequences.keys()):
            if self.sequences.get(name) != other.sequences.get(name):
                yield f"a sequência {name} voltou em outro ponto"
        for name in sorted(set(self.shape) - set(other.shape)):
            yield f"falta {name}"


async def own_tables(connection: OwnConnection) -> list[str]:
    """Return the tables that hold rows of the database's own, qualified and quoted."""
    return [name for (name,) in await connection.fetch(_RELATIONS, b"r")]


async def read_contents(connection: OwnConnection) -> Contents:
    """Read what the database holds, in the transaction that `connection` is in (see SAME_TEXT).

    Every row is read once: about 1 s for each million short rows. Raises asyncpg's errors.
    """
    for setting in SAME_TEXT:
        await connection.execute(setting)
    tables = {}
    for name in await own_tables(connection):
        row = await connection.fetchrow(
            f"SELECT count(*), coalesce(sum(hashtextextended((r.*)::text, 0)::numeric), 0)::text FROM ONLY {name} AS r"  # noqa: S608
        )
        assert row is not None  # noqa: S101 - an aggregate always has a row
        tables[name] = TableContents(row[0], row[1])
    sequences = {}
    for (name,) in await connection.fetch(_RELATIONS, b"S"):
        sequences[name] = await connection.fetchval(f"SELECT last_value || ' ' || is_called FROM {name}")  # noqa: S608
    shape = tuple(row[0] for row in await connection.fetch(_SHAPE))
    return Contents(tables, sequences, shape)
