"""What belongs to a person, by the catalogue: foreign keys that lead from any table to `users`, and columns of names.

Nothing here lists tables, so that one which a later revision adds is exported and erased like the others; the test
of this file fails for a table that nobody can reach and nobody declared to be the house's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from db.database import Queries

EDGES = """
SELECT child.relname AS child, column_.attname AS child_column,
    parent.relname AS parent, target.attname AS parent_column
FROM pg_constraint AS c
JOIN pg_class AS child ON child.oid = c.conrelid JOIN pg_class AS parent ON parent.oid = c.confrelid
JOIN pg_attribute AS column_ ON column_.attrelid = c.conrelid AND column_.attnum = c.conkey[1]
JOIN pg_attribute AS target ON target.attrelid = c.confrelid AND target.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.confdeltype = 'c' AND cardinality(c.conkey) = 1 AND c.conparentid = 0
    AND c.connamespace = 'public'::regnamespace
ORDER BY 1, 2
"""
COLUMNS = """
SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type,
    EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS key
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

ROOT = "users"
NAMES = frozenset({"created_by", "added_by", "updated_by", "escalate_to", "decided_by", "asked_by"})
"""Columns that may hold a person's name where there is no reference to their row."""
ALSO = {"reminders": "lower(t.addressee) = lower($2)", "memories": "t.told_by = $1"}
"""Rows that are a person's ($1 their id, $2 their name) though nothing cascades: said to them, told for the house."""
MOMENTS = ("timestamp", "created_at", "added_at", "told_at", "at", "asked_at", "started_at", "given_at")


@dataclass(frozen=True, slots=True)
class Edge:
    """A foreign key by which rows of `child` go when the row of `parent` goes."""

    child: str
    child_column: str
    parent: str
    parent_column: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tables as they are: their columns with types, their keys, and the references that cascade."""

    edges: Sequence[Edge]
    columns: Mapping[str, Mapping[str, str]]
    keys: Mapping[str, Sequence[str]]

    def key(self, table: str) -> str:
        """Return the SQL that makes a table's key one text."""
        return " || ',' || ".join(f't."{column}"::text' for column in self.keys[table])

    def moment(self, table: str) -> str | None:
        """Return the column that tells when a row came to be, or None."""
        return next((each for each in MOMENTS if each in self.columns[table]), None)

    def reached(self, roots: Iterable[str] = (ROOT,)) -> list[str]:
        """Return the tables whose rows go along with rows of the roots, these among them, parents first."""
        found = list(dict.fromkeys(roots))
        for table in found:
            found += [edge.child for edge in self.edges if edge.parent == table and edge.child not in found]
        return found

    def theirs(self, table: str, alias: str = "t") -> str:
        """Return the condition by which a row is of the person $1, called $2: by any way that leads to `users`."""
        ways = [ALSO[table].replace("t.", f"{alias}.")] if table in ALSO else []
        for edge in (each for each in self.edges if each.child == table and each.parent in self.reached()):
            if edge.parent == ROOT:
                ways.append(f'{alias}."{edge.child_column}" = $1')
            elif edge.parent != table:
                inner = f"{alias}_{edge.parent}"
                ways.append(
                    f'{alias}."{edge.child_column}" IN (SELECT {inner}."{edge.parent_column}" FROM "{edge.parent}" '  # noqa: S608
                    f"AS {inner} WHERE {self.theirs(edge.parent, inner)})"
                )
        return f"({' OR '.join(ways) or 'FALSE'})"

    def named(self) -> list[tuple[str, str]]:
        """Return the (table, column) that may hold a person's name without a reference."""
        return [
            (table, column)
            for table, columns in self.columns.items()
            for column, kind in columns.items()
            if column in NAMES
            and kind.startswith(("character varying", "text"))
            and table not in {"audit_log", "erasures"}
        ]


async def catalogue(db: Queries) -> Catalogue:
    """Read the catalogue. Raises LinkDown."""
    edges = [Edge(**dict(row)) for row in await db.fetch(EDGES)]
    columns: dict[str, dict[str, str]] = defaultdict(dict)
    keys: dict[str, list[str]] = defaultdict(list)
    for row in await db.fetch(COLUMNS):
        columns[row["table"]][row["column"]] = row["type"]
        if row["key"]:
            keys[row["table"]].append(row["column"])
    return Catalogue(edges, columns, keys)


async def with_theirs(db: Queries, of: Catalogue, roots: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the keys of these rows and of all that go with them, by table, parents first. Raises LinkDown."""
    found: dict[str, set[str]] = {table: set(keys) for table, keys in roots.items()}
    waiting = list(roots)
    while waiting:
        parent = waiting.pop(0)
        for edge in (each for each in of.edges if each.parent == parent and found.get(parent)):
            # The names come from the catalogue, quoted; only the values are given.
            sql = f'SELECT {of.key(edge.child)} FROM "{edge.child}" AS t WHERE t."{edge.child_column}"::text = ANY ($1)'  # noqa: S608
            new = {row[0] for row in await db.fetch(sql, list(found[parent]), timeout=60)}
            new -= found.get(edge.child, set())
            if new:
                found.setdefault(edge.child, set()).update(new)
                waiting.append(edge.child)
    return found


async def owned(db: Queries, of: Catalogue, table: str, whose: tuple[UUID, str], since: str = "") -> set[str]:
    """Return the keys of a person's rows of one table, by id and name; `since` is a further condition on `t`.

    Unlike `rows_of` it reads that table's part only. Raises LinkDown.
    """
    sql = (
        f'SELECT {of.key(table)} FROM "{table}" AS t '  # noqa: S608 - names of the catalogue
        f"WHERE ($1::uuid, $2::text) IS NOT NULL AND {of.theirs(table)} {since}"
    )
    return {row[0] for row in await db.fetch(sql, *whose, timeout=60)}


async def rows_of(db: Queries, of: Catalogue, user_id: UUID, name: str) -> dict[str, set[str]]:
    """Return the keys of every row that is a person's, by table: by reference, or addressed to them by name."""
    roots = {ROOT: {str(user_id)}}
    for table, theirs in ALSO.items():
        sql = f'SELECT {of.key(table)} FROM "{table}" AS t WHERE ($1::uuid, $2::text) IS NOT NULL AND {theirs}'  # noqa: S608
        if found := {row[0] for row in await db.fetch(sql, user_id, name)}:
            roots[table] = found
    return await with_theirs(db, of, roots)
