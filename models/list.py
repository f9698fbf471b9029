"""A list: shopping, tasks, or of any name."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, String, text
from sqlmodel import Field

from models.table import Table, id_column, now_column, reference_column


class List(Table, table=True):
    """A list of the house (`user_id` NULL) or of one person; its name is one of a kind for each, whatever its case.

    ::

        named for the first time ──▶ there, with its items (list_items) ──deleted──▶ gone with them
    """

    __tablename__ = "lists"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name"),
        Index("idx_lists_name", text("lower(name)"), "user_id", unique=True, postgresql_nulls_not_distinct=True),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    name: str = Field(sa_column=Column(String(100), nullable=False))
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    created_at: datetime = Field(sa_column=now_column())
