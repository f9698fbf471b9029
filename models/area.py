"""An area: a room of the house, or another place that people name."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, String, func, literal_column
from sqlmodel import Field

from models.table import Table, id_column, now_column, texts_column


class Area(Table, table=True):
    """A room, and what else it is called. Rooms that only devices suggest need no row.

    ::

        made by hand, or by the first move to it ──▶ renamed (the old name becomes an alias) ──▶ deleted: what was
                                                     moved to it is again where its maker says

    A suggestion that is this row's name or one of its aliases means this room. Every change notifies `mordomo_devices`.
    """

    __tablename__ = "areas"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name"),
        Index("idx_areas_name", func.lower(literal_column("name")), unique=True),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    name: str = Field(sa_column=Column(String(100), nullable=False))
    aliases: list[str] = Field(sa_column=texts_column())
    floor: str | None = Field(default=None, sa_column=Column(String(100)))
    created_at: datetime = Field(sa_column=now_column())
    updated_at: datetime = Field(sa_column=now_column())
