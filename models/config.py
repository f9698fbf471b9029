"""A preference of the household, as stored; `config/preferences.py` declares which there are."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, now_column


class Config(Table, table=True):
    """One preference. Any SQL client may change `value`; the database refuses what breaks the key's rule.

    ::

        seeded with the default ──▶ set (updated_at, updated_by) ──▶ deleted: back to the default, seeded again at start

    Triggers keep `updated_at` and `updated_by`, check `value`, and notify `mordomo_config` of the key.
    """

    __tablename__ = "config"

    key: str = Field(sa_column=Column(String(255), primary_key=True))
    value: Any = Field(sa_column=Column(JSONB(), nullable=False))
    description: str | None = Field(default=None, sa_column=Column(Text()))
    updated_at: datetime = Field(sa_column=now_column())
    updated_by: str | None = Field(default=None, sa_column=Column(String(100)))
