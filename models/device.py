"""A device: a thing with a maker and a model, that has one entity or more."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, String, Text
from sqlmodel import Field

from models.table import Table, id_column, link_column, metadata_column, moment_column, now_column


class Device(Table, table=True):
    """What was announced of one device, and the area that it was moved to by hand (NULL: where it suggests).

    ::

        announced ──▶ last_seen_at moves at every start ──▶ nothing of it announced any more (removed_at)
            ▲                                                    │
            └──────────── announced again ───────────────────────┘

    `identifier` is the first that the device tells of itself. `metadata` has versions and the like, as announced.
    """

    __tablename__ = "devices"

    id: uuid.UUID = Field(sa_column=id_column())
    identifier: str = Field(sa_column=Column(String(512), nullable=False, unique=True))
    name: str | None = Field(default=None, sa_column=Column(Text()))
    maker: str | None = Field(default=None, sa_column=Column(Text()))
    model: str | None = Field(default=None, sa_column=Column(Text()))
    origin: str | None = Field(default=None, sa_column=Column(Text()))
    suggested_area: str | None = Field(default=None, sa_column=Column(Text()))
    area_id: uuid.UUID | None = Field(default=None, sa_column=link_column("areas.id"))
    first_seen_at: datetime = Field(sa_column=now_column())
    last_seen_at: datetime = Field(sa_column=now_column())
    removed_at: datetime | None = Field(default=None, sa_column=moment_column())
    extra: dict[str, Any] = Field(sa_column=metadata_column())
