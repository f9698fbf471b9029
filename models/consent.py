"""A consent: what a person allowed Mordomo to keep of them, or no longer allows."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Identity, Index, String, Uuid, text
from sqlmodel import Field

from models.table import Table, now_column, reference_column
from models.words import ConsentKind, ConsentWay


class Consent(Table, table=True):
    """One word of one person about one kind of data. Rows are only ever added; the newest of a kind counts.

    ::

        (never asked: no) ──▶ given ──▶ withdrawn, and what it allowed is erased ──▶ given …
                                 └── all of them go with the person's row, and only so

    `message_id` is the message in which it was said, as evidence; it refers to no row, since what a consent allowed may
    be erased while the consent stays.
    """

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint("kind IN ('voiceprint', 'audio', 'memory')", name="kind"),
        CheckConstraint("how IN ('voice', 'cli', 'web')", name="how"),
        Index("idx_consents_newest", "user_id", "kind", text("id DESC")),
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger(), Identity(always=True), primary_key=True))
    user_id: uuid.UUID = Field(sa_column=reference_column("users.id", nullable=False))
    kind: ConsentKind = Field(sa_column=Column(String(20), nullable=False))
    given: bool = Field(sa_column=Column(Boolean(), nullable=False))
    at: datetime = Field(sa_column=now_column())
    how: ConsentWay = Field(sa_column=Column(String(10), nullable=False))
    message_id: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid()))
