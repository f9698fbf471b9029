"""A system log entry: what a part of the house reported about itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Text, text
from sqlmodel import Field

from models.table import Table, metadata_column, now_column
from models.words import LogLevel


class SystemLog(Table, table=True):
    """One line of the house's log, partitioned by `timestamp`; what no partition claims goes to the default one.

    ::

        written ──▶ dropped after retention.system_logs_days, with its day's partition

    The key includes `timestamp` because PostgreSQL wants the partition key in every unique index.
    """

    __tablename__ = "system_logs"
    __table_args__ = (
        CheckConstraint("level IN ('DEBUG', 'INFO', 'WARN', 'ERROR')", name="level"),
        Index("idx_logs_timestamp", text("timestamp DESC")),
        Index("idx_logs_level", "level"),
        Index("idx_logs_source", "source"),
        {"postgresql_partition_by": "RANGE (timestamp)"},
    )

    id: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=True))
    timestamp: datetime = Field(sa_column=now_column(primary_key=True))
    level: LogLevel = Field(sa_column=Column(String(10), nullable=False))
    source: str = Field(sa_column=Column(String(100), nullable=False))
    message: str = Field(sa_column=Column(Text(), nullable=False))
    extra: dict[str, Any] = Field(sa_column=metadata_column())
