"""What every table shares: one catalogue of tables, the names PostgreSQL itself would give, and columns that recur."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import SQLModel

# The names that PostgreSQL makes up when the DDL gives none, so that models and hand-written SQL agree.
POSTGRES_NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class Table(SQLModel):
    """Base of every table. `Table.metadata` holds them all once the package `models` is imported."""

    metadata = MetaData(naming_convention=POSTGRES_NAMES)


def id_column() -> Column[uuid.UUID]:
    """Return a primary key that the database draws at random."""
    return Column(Uuid(), primary_key=True, server_default=text("gen_random_uuid()"))


def reference_column(target: str, *, nullable: bool = True) -> Column[uuid.UUID]:
    """Return a reference to `table.column`; the row goes when its target goes."""
    return Column(Uuid(), ForeignKey(target, ondelete="CASCADE"), nullable=nullable)


def link_column(target: str) -> Column[uuid.UUID]:
    """Return a reference to `table.column` that becomes NULL when its target goes."""
    return Column(Uuid(), ForeignKey(target, ondelete="SET NULL"))


def now_column(*, primary_key: bool = False) -> Column[datetime]:
    """Return a moment that is the transaction's start unless given."""
    return Column(
        DateTime(timezone=True), nullable=False, server_default=text("CURRENT_TIMESTAMP"), primary_key=primary_key
    )


def moment_column(*, nullable: bool = True) -> Column[datetime]:
    """Return a moment without a default; NULL says that it has not come."""
    return Column(DateTime(timezone=True), nullable=nullable)


def metadata_column() -> Column[dict[str, Any]]:
    """Return the free-form column `metadata`: a JSON object, empty unless given."""
    return Column("metadata", JSONB(), nullable=False, server_default=text("'{}'::jsonb"))


def object_column() -> Column[dict[str, Any]]:
    """Return a JSON object, empty unless given."""
    return Column(JSONB(), nullable=False, server_default=text("'{}'::jsonb"))


def texts_column() -> Column[list[str]]:
    """Return a list of texts, empty unless given."""
    return Column(ARRAY(Text()), nullable=False, server_default=text("'{}'::text[]"))


def flag_column() -> Column[bool]:
    """Return a yes or no, no unless given."""
    return Column(Boolean(), nullable=False, server_default=text("false"))
