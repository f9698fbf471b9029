"""A person of the household."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, String, text
from sqlmodel import Field

from models.permission import ROLES
from models.table import Table, id_column, metadata_column, moment_column, now_column


class User(Table, table=True):
    """A person who speaks to the house. Deleting the row erases everything of theirs, by cascade.

    ::

        named ──▶ is_active ──▶ voice_enrolled (speaker_embedding_id tells whose voice it is)
                      └──▶ not is_active: has left the house, their history stays ──▶ deleted, and all of it

    `role` is what permissions go by; every change of it, and of who lives here, notifies `mordomo_people`.
    `updated_at` is kept by a trigger; `last_interaction_at` is NULL until they first speak.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"role IN ({ROLES}) AND role <> 'device'", name="role"),
        Index("idx_users_email", "email"),
        Index("idx_users_voice", "voice_enrolled", postgresql_where=text("voice_enrolled = true")),
        Index("idx_users_metadata", "metadata", postgresql_using="gin"),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    name: str = Field(sa_column=Column(String(255), nullable=False))
    email: str | None = Field(default=None, sa_column=Column(String(255), unique=True))
    voice_enrolled: bool = Field(sa_column=Column(Boolean(), nullable=False, server_default=text("false")))
    speaker_embedding_id: str | None = Field(default=None, sa_column=Column(String(255)))
    created_at: datetime = Field(sa_column=now_column())
    updated_at: datetime = Field(sa_column=now_column())
    last_interaction_at: datetime | None = Field(default=None, sa_column=moment_column())
    is_active: bool = Field(sa_column=Column(Boolean(), nullable=False, server_default=text("true")))
    extra: dict[str, Any] = Field(sa_column=metadata_column())
    role: str = Field(default="adult", sa_column=Column(String(20), nullable=False, server_default=text("'adult'")))
