"""A memory: a fact that somebody told, or a message worth finding again."""

import uuid
from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Column, Computed, ForeignKey, Index, String, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import REAL, TSVECTOR
from sqlmodel import Field

from models.table import Table, id_column, link_column, now_column, reference_column
from models.words import Remembers


class Memory(Table, table=True):
    """What is remembered: `user_id` is whose private it is, NULL for the house's; it goes with the person.

    ::

        told, or said to the language model ──▶ in memory_outbox ──embedded──▶ embedded_by (which store and model)
                                                     ▲                              │
                                                     └── its text changes, or the model is another

    A message's goes with the message (`message_id`); a fact stays when the message that told it (`told_in`) is dropped.
    `area` is set where it holds in that room alone. `for_guests` are for visitors too, and nothing else is; `secret`
    ones are not for children either. `importance` is 0 to 1.
    """

    __tablename__ = "memories"
    __table_args__ = (
        CheckConstraint("kind IN ('fact', 'message')", name="kind"),
        CheckConstraint("btrim(text) <> ''", name="text"),
        CheckConstraint("importance BETWEEN 0 AND 1", name="importance"),
        CheckConstraint("(kind = 'message') = (message_id IS NOT NULL)", name="message"),
        Index("idx_memories_search", "search", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("idx_memories_user", "user_id"),
        Index("idx_memories_told_by", "told_by", postgresql_where=sql("told_by IS NOT NULL")),
        Index("idx_memories_created", sql("created_at DESC")),
        Index("idx_memories_told_in", "told_in", postgresql_where=sql("told_in IS NOT NULL")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    kind: Remembers = Field(sa_column=Column(String(20), nullable=False))
    text: str = Field(sa_column=Column(Text(), nullable=False))
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    told_by: uuid.UUID | None = Field(default=None, sa_column=link_column("users.id"))
    area: str | None = Field(default=None, sa_column=Column(String(100)))
    importance: float = Field(sa_column=Column(REAL(), nullable=False, server_default=sql("0.5")))
    secret: bool = Field(default=False, sa_column=Column(Boolean(), nullable=False, server_default=sql("FALSE")))
    message_id: uuid.UUID | None = Field(
        default=None, sa_column=Column(Uuid(), ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    )
    told_in: uuid.UUID | None = Field(default=None, sa_column=link_column("messages.id"))
    created_at: datetime = Field(sa_column=now_column())
    embedded_by: str | None = Field(default=None, sa_column=Column(String(200)))
    search: str | None = Field(
        default=None,
        sa_column=Column(
            TSVECTOR(),
            Computed("to_tsvector('portuguese'::regconfig, search_form(left(text, 100000)))", persisted=True),
            nullable=False,
        ),
    )
    for_guests: bool = Field(default=False, sa_column=Column(Boolean(), nullable=False, server_default=sql("FALSE")))
