"""An entity: one thing of a device that has a state or takes commands."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, String, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import (
    Table,
    flag_column,
    id_column,
    link_column,
    moment_column,
    now_column,
    object_column,
    reference_column,
    texts_column,
)
from models.words import Cause


class Entity(Table, table=True):
    """One entity: what was announced, what the household set by hand, which wins for ever, and the last state.

    ::

        announced, or declared by hand ──▶ seen at every start ──▶ its announcement removed (removed_at)
               │                 ▲                                      │
               ▼                 └──────── announced again: what ───────┘
        `declared` cannot be         was set by hand is still there
        used: `fault` says why

    `entity_id` is what speech, MQTT and the ledger call it ("light.sala"). `source` is its discovery topic, or
    `hand:…`; `category` is NULL for what a person would name, else config or diagnostic. `guarded` says whether
    commands need a spoken yes; NULL lets its kind decide. `declared` is a discovery payload. `cause` and `action_id`
    are of the change at `changed_at`. Changes by hand notify `mordomo_devices`.
    """

    __tablename__ = "entities"
    __table_args__ = (
        CheckConstraint("entity_id ~ '^[^.]+[.][^.]+$'", name="entity_id"),
        CheckConstraint("btrim(given_name) <> ''", name="given_name"),
        CheckConstraint("jsonb_typeof(declared) = 'object'", name="declared"),
        CheckConstraint("cause IN ('mordomo', 'house', 'unknown')", name="cause"),
        Index("idx_entities_device", "device_id"),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    entity_id: str = Field(sa_column=Column(String(255), nullable=False, unique=True))
    source: str = Field(sa_column=Column(Text(), nullable=False, unique=True))
    device_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("devices.id"))
    component: str = Field(sa_column=Column(Text(), nullable=False))
    name: str | None = Field(default=None, sa_column=Column(Text()))
    device_class: str | None = Field(default=None, sa_column=Column(Text()))
    unit: str | None = Field(default=None, sa_column=Column(Text()))
    category: str | None = Field(default=None, sa_column=Column(Text()))
    given_name: str | None = Field(default=None, sa_column=Column(String(100)))
    aliases: list[str] = Field(sa_column=texts_column())
    area_id: uuid.UUID | None = Field(default=None, sa_column=link_column("areas.id"))
    hidden: bool = Field(sa_column=flag_column())
    favourite: bool = Field(sa_column=flag_column())
    guarded: bool | None = Field(default=None, sa_column=Column(Boolean()))
    declared: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    fault: str | None = Field(default=None, sa_column=Column(Text()))
    state: str | None = Field(default=None, sa_column=Column(Text()))
    attributes: dict[str, Any] = Field(sa_column=object_column())
    available: bool | None = Field(default=None, sa_column=Column(Boolean()))
    changed_at: datetime | None = Field(default=None, sa_column=moment_column())
    cause: Cause | None = Field(default=None, sa_column=Column(Text()))
    action_id: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid()))
    first_seen_at: datetime = Field(sa_column=now_column())
    last_seen_at: datetime = Field(sa_column=now_column())
    removed_at: datetime | None = Field(default=None, sa_column=moment_column())
