"""An erasure: the receipt of what was erased, by which anybody can check that it is gone."""

import uuid
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Column, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, id_column, moment_column, now_column, object_column
from models.words import ConsentWay, ErasureScope


class Erasure(Table, table=True):
    """A receipt. It holds nothing of the person: no name, no word, no id, but digests of the ids of what is gone.

    ::

        rows erased (`pending`: vectors and files to go) ──▶ finished_at ──▶ verified_at, again at every check
                                                                  └── backups: pending ──▶ replaced, or marked

    `counts` and `digests` are by table, `vectors.COLLECTION` or `audio`; a digest is the SHA-256 of the receipt's id
    and a row's. `holds_from` is since when backups may hold what was erased. `left_over` is what the last check found.
    Once finished, what it says of the erasure stays.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("scope IN ('person', 'since', 'voiceprint', 'audio', 'memory')", name="scope"),
        CheckConstraint("how IN ('voice', 'cli', 'web')", name="how"),
        CheckConstraint("asked_by IN ('self', 'other')", name="asked_by"),
        Index("idx_erasures_asked", text("asked_at DESC")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    asked_at: datetime = Field(sa_column=now_column())
    asked_by: Literal["self", "other"] = Field(sa_column=Column(String(10), nullable=False))
    how: ConsentWay = Field(sa_column=Column(String(10), nullable=False))
    scope: ErasureScope = Field(sa_column=Column(String(20), nullable=False))
    since: datetime | None = Field(default=None, sa_column=moment_column())
    holds_from: datetime | None = Field(default=None, sa_column=moment_column())
    counts: dict[str, Any] = Field(sa_column=object_column())
    digests: dict[str, Any] = Field(sa_column=object_column())
    pending: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    finished_at: datetime | None = Field(default=None, sa_column=moment_column())
    verified_at: datetime | None = Field(default=None, sa_column=moment_column())
    left_over: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    backups: dict[str, Any] = Field(sa_column=object_column())
