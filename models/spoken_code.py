"""A code that a person says where their voice is only likely theirs; kept as its scrypt hash alone."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Uuid, text
from sqlmodel import Field

from models.table import Table, moment_column, now_column


class SpokenCode(Table, table=True):
    """The code of one person, salted and hashed with scrypt's parameters `n`, `r` and `p`.

    ::

        set ──▶ wrong 1, 2 ──▶ 3: locked_until ──▶ (past) wrong 1 …
                     └── right: 0

    A try is counted before it is compared, so that one who is cut off in between has used it.
    """

    __tablename__ = "spoken_codes"
    __table_args__ = (CheckConstraint("wrong >= 0", name="wrong"),)

    user_id: uuid.UUID = Field(sa_column=Column(Uuid(), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True))
    salt: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    n: int = Field(sa_column=Column(Integer(), nullable=False))
    r: int = Field(sa_column=Column(Integer(), nullable=False))
    p: int = Field(sa_column=Column(Integer(), nullable=False))
    set_at: datetime = Field(sa_column=now_column())
    wrong: int = Field(sa_column=Column(Integer(), nullable=False, server_default=text("0")))
    locked_until: datetime | None = Field(default=None, sa_column=moment_column())
