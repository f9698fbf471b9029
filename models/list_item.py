"""One thing on a list."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, String, text
from sqlmodel import Field

from models.table import Table, id_column, moment_column, now_column, reference_column


class ListItem(Table, table=True):
    """One thing on a list, in the words it was asked in.

    ::

        added ──▶ ticked (ticked_at) ──▶ removed (removed_at)
          └───────────────────────────────▲
    """

    __tablename__ = "list_items"
    __table_args__ = (
        CheckConstraint("btrim(text) <> ''", name="text"),
        Index("idx_list_items_list", "list_id", postgresql_where=text("removed_at IS NULL")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    list_id: uuid.UUID = Field(sa_column=reference_column("lists.id", nullable=False))
    text: str = Field(sa_column=Column(String(255), nullable=False))
    quantity: str | None = Field(default=None, sa_column=Column(String(50)))
    added_by: str | None = Field(default=None, sa_column=Column(String(100)))
    added_at: datetime = Field(sa_column=now_column())
    ticked_at: datetime | None = Field(default=None, sa_column=moment_column())
    removed_at: datetime | None = Field(default=None, sa_column=moment_column())
