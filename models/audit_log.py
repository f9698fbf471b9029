"""An audit log entry: who changed what."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, now_column
from models.words import AuditAction, Channel


class AuditLog(Table, table=True):
    """One change of one row: of a preference, a person, a reminder. Written by triggers only, partitioned by `at`.

    ::

        written ──▶ dropped after retention.audit_days, with its partition; never changed

    `old` and `new` hold the row without its bookkeeping; of an UPDATE, only the columns that changed. `row_id` is the
    row's key as text, `*` for TRUNCATE. `actor` is a person, `mordomo`, or the server's user for a plain SQL client
    (channel `sql`); channel `daemon` is Mordomo by itself.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint("action IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')", name="action"),
        CheckConstraint("channel IN ('voice', 'web', 'mqtt', 'cli', 'daemon', 'sql')", name="channel"),
        Index("idx_audit_at", text("at DESC")),
        Index("idx_audit_row", "table_name", "row_id", text("at DESC")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: int = Field(sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    at: datetime = Field(sa_column=now_column(primary_key=True))
    table_name: str = Field(sa_column=Column(Text(), nullable=False))
    row_id: str = Field(sa_column=Column(Text(), nullable=False))
    action: AuditAction = Field(sa_column=Column(Text(), nullable=False))
    old: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB()))
    new: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB()))
    actor: str = Field(sa_column=Column(Text(), nullable=False))
    channel: Channel = Field(sa_column=Column(Text(), nullable=False))
