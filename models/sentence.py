"""A way of saying things that only this household knows."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, id_column, now_column


class Sentence(Table, table=True):
    """One sentence of the household's own, in the words of `daemon/language/pt_br/sentences/README.md`.

    ::

        inserted (enabled) ──▶ in force, or refused with `fault` ──▶ disabled or deleted: forgotten at once

    Every change but that of `fault` notifies `mordomo_sentences`.
    """

    __tablename__ = "sentences"
    __table_args__ = (
        CheckConstraint("btrim(pattern) <> ''", name="pattern"),
        CheckConstraint("btrim(intent) <> ''", name="intent"),
        CheckConstraint("jsonb_typeof(slots) = 'object'", name="slots"),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    pattern: str = Field(sa_column=Column(String(300), nullable=False))
    intent: str = Field(sa_column=Column(String(100), nullable=False))
    slots: dict[str, Any] = Field(sa_column=Column(JSONB(), nullable=False, server_default=text("'{}'::jsonb")))
    enabled: bool = Field(default=True, sa_column=Column(Boolean(), nullable=False, server_default=text("TRUE")))
    fault: str | None = Field(default=None, sa_column=Column(Text()))
    created_at: datetime = Field(sa_column=now_column())
    updated_by: str | None = Field(default=None, sa_column=Column(String(100), server_default=text("CURRENT_USER")))
