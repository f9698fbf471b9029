"""An entity's state at a moment: the history of the house."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, String, Text, Uuid, text
from sqlmodel import Field

from models.table import Table, now_column, object_column
from models.words import Cause


class EntityState(Table, table=True):
    """One change of an entity's state or readings, partitioned by `at`.

    ::

        heard ──▶ written, in batches ──▶ dropped after retention.states_days, with its day's partition

    `action_id` is the action that caused it, where `cause` is `mordomo`. It refers to no row, because history outlives
    conversations that were forgotten, and states that of the devices they were heard of.
    """

    __tablename__ = "entity_states"
    __table_args__ = (
        CheckConstraint("cause IN ('mordomo', 'house', 'unknown')", name="cause"),
        Index("idx_states_entity", "entity_id", text("at DESC")),
        Index("idx_states_at", text("at DESC")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: int = Field(sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    at: datetime = Field(sa_column=now_column(primary_key=True))
    entity_id: str = Field(sa_column=Column(String(255), nullable=False))
    state: str | None = Field(default=None, sa_column=Column(Text()))
    attributes: dict[str, Any] = Field(sa_column=object_column())
    cause: Cause = Field(sa_column=Column(Text(), nullable=False))
    action_id: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid()))
