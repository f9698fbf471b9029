"""A version of what the language model is told before every conversation."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Computed, Index, Integer, String, Text, UniqueConstraint, text
from sqlmodel import Field

from models.table import Table, id_column, now_column
from models.words import PromptStatus


class PromptTemplate(Table, table=True):
    """One version of a prompt; of each name one is active, and one at most is the shadow.

    ::

        draft ──▶ shadow (answers beside the active one, unheard) ──▶ active ──▶ retired ──▶ active again
          └───────────────────────────────────────────────────────────▲

    A text may be changed in place: it counts from the next answer, under another `digest`. Every change notifies
    `mordomo_prompts`.
    """

    __tablename__ = "prompt_templates"
    __table_args__ = (
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("btrim(content) <> '' AND length(content) <= 20000", name="content"),
        CheckConstraint("status IN ('draft', 'active', 'shadow', 'retired')", name="status"),
        UniqueConstraint("name", "version", name="prompt_templates_name_key"),
        Index("idx_prompt_templates_active", "name", unique=True, postgresql_where=text("status = 'active'")),
        Index("idx_prompt_templates_shadow", "name", unique=True, postgresql_where=text("status = 'shadow'")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    name: str = Field(default="casa", sa_column=Column(String(50), nullable=False, server_default=text("'casa'")))
    version: int = Field(sa_column=Column(Integer(), nullable=False))
    content: str = Field(sa_column=Column(Text(), nullable=False))
    digest: str | None = Field(default=None, sa_column=Column(String(32), Computed("md5(content)", persisted=True)))
    status: PromptStatus = Field(
        default="draft", sa_column=Column(String(20), nullable=False, server_default=text("'draft'"))
    )
    note: str | None = Field(default=None, sa_column=Column(Text()))
    created_at: datetime = Field(sa_column=now_column())
    created_by: str | None = Field(default=None, sa_column=Column(String(100), server_default=text("CURRENT_USER")))
