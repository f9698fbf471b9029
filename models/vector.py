"""A vector, kept as plain bytes on servers without pgvector."""

import uuid

from sqlalchemy import BigInteger, Column, Identity, Index, LargeBinary, String, Uuid
from sqlmodel import Field

from models.table import Table


class Vector(Table, table=True):
    """One point of a collection: little-endian float32 numbers of a unit vector; `owner` is whose private it is.

    ::

        put ──put again: another vector, the same id──▶ put ──removed, with what it stands for──▶ gone

    `version` grows with every change, so that a reader fetches only what is new. Where the server has pgvector,
    `vectors_indexed` is used instead.
    """

    __tablename__ = "vectors"
    __table_args__ = (Index("idx_vectors_version", "collection", "version"),)

    collection: str = Field(sa_column=Column(String(20), primary_key=True))
    id: uuid.UUID = Field(sa_column=Column(Uuid(), primary_key=True))
    owner: uuid.UUID | None = Field(default=None, sa_column=Column(Uuid()))
    embedding: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    version: int = Field(sa_column=Column(BigInteger(), Identity(always=True), nullable=False))
