"""What the store of vectors has yet to learn of a memory."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Text, Uuid, text
from sqlmodel import Field

from models.table import Table, moment_column, now_column
from models.words import Errand


class MemoryOutbox(Table, table=True):
    """One errand a memory, filled by triggers; done errands are deleted.

    ::

        due ──claimed: leased_by, lease_until──▶ done: the row goes
         ▲                     └── fails: tries + 1, fault, due later
         └── the memory changes meanwhile: the lease is void, and it is done again

    `memory_id` refers to no row, since a removal outlives what it removes.
    """

    __tablename__ = "memory_outbox"
    __table_args__ = (
        CheckConstraint("what IN ('put', 'remove')", name="what"),
        Index("idx_memory_outbox_due", "due_at"),
    )

    memory_id: uuid.UUID = Field(sa_column=Column(Uuid(), primary_key=True))
    what: Errand = Field(sa_column=Column(String(10), nullable=False))
    due_at: datetime = Field(sa_column=now_column())
    lease_until: datetime | None = Field(default=None, sa_column=moment_column())
    leased_by: str | None = Field(default=None, sa_column=Column(Text()))
    tries: int = Field(default=0, sa_column=Column(Integer(), nullable=False, server_default=text("0")))
    fault: str | None = Field(default=None, sa_column=Column(Text()))
