"""An approval: what one person asked another's leave for."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.permission import ROLES
from models.table import Table, id_column, link_column, moment_column, now_column, reference_column
from models.words import ApprovalStatus


class Approval(Table, table=True):
    """One request. What was asked is in `intents`, as a Plan's are written, and in `doing` as words ("abrir o portão").

    ::

        pending ──granted by one who may──▶ granted ──claimed, before anything is done──▶ executing ──▶ done | failed
           ├──refused──▶ refused               └──too long ago when the daemon is back──▶ expired
           └──nobody answers until expires_at──▶ expired

    A request found `executing` after a crash may have been carried out or not: it becomes `failed`, never repeated.
    Every step is told by the audit; every change of `status` notifies `mordomo_approvals`.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint(f"role IN ({ROLES})", name="role"),
        CheckConstraint(f"decided_role IN ({ROLES})", name="decided_role"),
        CheckConstraint("decided_via IN ('voice', 'web', 'mqtt', 'cli')", name="decided_via"),
        CheckConstraint("jsonb_typeof(intents) = 'array'", name="intents"),
        CheckConstraint(
            "status IN ('pending', 'granted', 'executing', 'done', 'failed', 'refused', 'expired')", name="status"
        ),
        CheckConstraint(
            "(status IN ('pending', 'expired')) OR num_nulls(decided_by, decided_via, decided_role, decided_at) = 0",
            name="decided",
        ),
        Index(
            "idx_approvals_open",
            "expires_at",
            postgresql_where=text("status IN ('pending', 'granted', 'executing')"),
        ),
        Index("idx_approvals_asked", text("asked_at DESC")),
        Index("idx_approvals_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
        Index("idx_approvals_decided_user", "decided_user", postgresql_where=text("decided_user IS NOT NULL")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    user_id: uuid.UUID | None = Field(default=None, sa_column=reference_column("users.id"))
    asked_by: str = Field(sa_column=Column(String(100), nullable=False))
    role: str = Field(sa_column=Column(String(20), nullable=False))
    source: str = Field(sa_column=Column(String(50), nullable=False))
    area: str | None = Field(default=None, sa_column=Column(String(100)))
    words: str = Field(sa_column=Column(Text(), nullable=False))
    doing: str = Field(sa_column=Column(Text(), nullable=False))
    intents: list[Any] = Field(sa_column=Column(JSONB(), nullable=False))
    status: ApprovalStatus = Field(sa_column=Column(String(20), nullable=False, server_default=text("'pending'")))
    asked_at: datetime = Field(sa_column=now_column())
    expires_at: datetime = Field(sa_column=moment_column(nullable=False))
    announced_at: datetime | None = Field(default=None, sa_column=moment_column())
    decided_by: str | None = Field(default=None, sa_column=Column(String(100)))
    decided_user: uuid.UUID | None = Field(default=None, sa_column=link_column("users.id"))
    decided_role: str | None = Field(default=None, sa_column=Column(String(20)))
    decided_via: str | None = Field(default=None, sa_column=Column(String(10)))
    decided_at: datetime | None = Field(default=None, sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column())
    outcome: str | None = Field(default=None, sa_column=Column(Text()))
