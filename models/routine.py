"""A routine: a name and phrases for several things done at once."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, String, func, literal_column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, flag_column, id_column, now_column, texts_column


class Routine(Table, table=True):
    """What "boa noite" does: `steps` is a list of intents, as a Plan's are written.

    ::

        made (enabled) ──said──▶ asked back where `guarded`, or where a step is risky ──▶ each step carried out
              └──▶ disabled or deleted: its phrases mean nothing

    Every change notifies `mordomo_devices`.
    """

    __tablename__ = "routines"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("jsonb_typeof(steps) = 'array'", name="steps"),
        Index("idx_routines_name", func.lower(literal_column("name")), unique=True),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    name: str = Field(sa_column=Column(String(100), nullable=False))
    phrases: list[str] = Field(sa_column=texts_column())
    steps: list[Any] = Field(sa_column=Column(JSONB(), nullable=False))
    guarded: bool = Field(sa_column=flag_column())
    enabled: bool = Field(default=True, sa_column=Column(Boolean(), nullable=False, server_default=text("true")))
    created_by: str | None = Field(default=None, sa_column=Column(String(100)))
    created_at: datetime = Field(sa_column=now_column())
    updated_at: datetime = Field(sa_column=now_column())
