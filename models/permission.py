"""A permission: what a role, or one person, may do, may ask leave for, or may not do."""

import uuid
from datetime import datetime, time

from sqlalchemy import Boolean, CheckConstraint, Column, Index, SmallInteger, String, Text, Time, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from models.table import Table, flag_column, id_column, now_column, reference_column
from models.words import Effect

ROLES = "'administrator', 'adult', 'teenager', 'child', 'guest', 'device'"
"""As SQL writes them."""


class Permission(Table, table=True):
    """One rule. What is NULL does not matter to it: every intent, every domain, everywhere, always, every day.

    ::

        seeded, or made by somebody ──▶ enabled ⇄ put aside ──▶ deleted

    `here` is the room where they speak. Hours run from `from_time` to before `until_time`, over midnight where that is
    the earlier; `weekdays` (Monday is 1) are the days on which they begin. Every change notifies `mordomo_people`.
    """

    __tablename__ = "permissions"
    __table_args__ = (
        CheckConstraint(f"role IN ({ROLES})", name="role"),
        CheckConstraint("btrim(intent) <> ''", name="intent"),
        CheckConstraint("btrim(domain) <> ''", name="domain"),
        CheckConstraint("btrim(area) <> ''", name="area"),
        CheckConstraint(
            "cardinality(weekdays) > 0 AND weekdays <@ '{1,2,3,4,5,6,7}'::smallint[]",
            name="weekdays",
        ),
        CheckConstraint("effect IN ('allow', 'ask', 'deny')", name="effect"),
        CheckConstraint("num_nonnulls(role, user_id) = 1", name="whose"),
        CheckConstraint("NOT (here AND area IS NOT NULL)", name="place"),
        CheckConstraint(
            "num_nonnulls(from_time, until_time) <> 1 AND from_time IS DISTINCT FROM coalesce(until_time, '24:00')"
            " AND greatest(from_time, until_time) < '24:00'",
            name="hours",
        ),
        Index("idx_permissions_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    role: str | None = Field(default=None, sa_column=Column(String(20)))
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    intent: str | None = Field(default=None, sa_column=Column(String(100)))
    domain: str | None = Field(default=None, sa_column=Column(String(50)))
    area: str | None = Field(default=None, sa_column=Column(String(100)))
    here: bool = Field(sa_column=flag_column())
    from_time: time | None = Field(default=None, sa_column=Column(Time()))
    until_time: time | None = Field(default=None, sa_column=Column(Time()))
    weekdays: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger())))
    effect: Effect = Field(sa_column=Column(String(10), nullable=False))
    enabled: bool = Field(default=True, sa_column=Column(Boolean(), nullable=False, server_default=text("true")))
    note: str | None = Field(default=None, sa_column=Column(Text()))
    created_by: str | None = Field(default=None, sa_column=Column(String(100), server_default=text("CURRENT_USER")))
    created_at: datetime = Field(sa_column=now_column())
    updated_at: datetime = Field(sa_column=now_column())
