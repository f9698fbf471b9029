"""An inference: what one answer of the language model took, and what it would do."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, Column, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from models.table import Table, flag_column, id_column, link_column, now_column, reference_column


class Inference(Table, table=True):
    """One answer to one message; written once, gone with the message.

    ::

        message ──▶ inference of the active prompt (spoken, carried out)
           └──────▶ inference of the shadow (neither: its calls are only judged)

    Times in milliseconds from the question; None where it did not come to that. `calls` are `{tool, arguments,
    outcome}`, `content` the text as the model wrote it, `digest` that of the prompt's text.
    """

    __tablename__ = "inferences"
    __table_args__ = (
        CheckConstraint("jsonb_typeof(calls) = 'array'", name="calls"),
        Index("idx_inferences_message", "message_id"),
        Index("idx_inferences_prompt", "prompt_id", text("at DESC")),
    )

    id: uuid.UUID = Field(sa_column=id_column())
    message_id: uuid.UUID = Field(sa_column=reference_column("messages.id", nullable=False))
    prompt_id: uuid.UUID | None = Field(default=None, sa_column=link_column("prompt_templates.id"))
    digest: str = Field(sa_column=Column(String(32), nullable=False))
    shadow: bool = Field(default=False, sa_column=flag_column())
    model: str = Field(sa_column=Column(String(100), nullable=False))
    at: datetime = Field(sa_column=now_column())
    first_token_ms: float | None = Field(default=None, sa_column=Column(REAL()))
    first_sentence_ms: float | None = Field(default=None, sa_column=Column(REAL()))
    total_ms: float = Field(sa_column=Column(REAL(), nullable=False))
    rounds: int = Field(default=1, sa_column=Column(SmallInteger(), nullable=False, server_default=text("1")))
    prompt_tokens: int | None = Field(default=None, sa_column=Column(Integer()))
    tokens: int | None = Field(default=None, sa_column=Column(Integer()))
    content: str = Field(default="", sa_column=Column(Text(), nullable=False, server_default=text("''")))
    calls: list[Any] = Field(sa_column=Column(JSONB(), nullable=False, server_default=text("'[]'::jsonb")))
    error: str | None = Field(default=None, sa_column=Column(Text()))
