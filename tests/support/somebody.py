"""A person of whom a house holds something everywhere it can: in every table, in the vectors, in files."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from daemon.audio.frames import RATE
from daemon.audio.wav import write_wav
from daemon.memory.vectors import Point, Vectors, unit
from daemon.people.privacy.clips import STAMP
from db.belongings import ROOT, Catalogue, catalogue
from db.database import Database

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
MARK = "zabelê"
"""A word that nothing else holds."""

# What a generated row needs to be one: values that the tables' own checks ask for.
GIVEN: dict[tuple[str, str], object] = {
    ("messages", "role"): "user",
    ("actions", "action_type"): "reminder",
    ("reminder_steps", "step"): "spoken",
    ("consents", "kind"): "audio",
    ("consents", "how"): "cli",
    ("consents", "given"): True,
    ("permissions", "effect"): "allow",
    ("permissions", "weekdays"): [1],
    ("approvals", "role"): "child",
    ("approvals", "intents"): [],
    ("memories", "kind"): "fact",
    ("inferences", "calls"): [{"name": "HassTurnOn"}],
}
CHECKED = frozenset({"status", "kind", "ack", "late", "on_holiday", "decided_role", "decided_via", "role", "effect",
                     "step", "how", "updated_by", "from_time", "until_time", "domain", "intent", "area", "here",
                     "escalate_to"})  # fmt: skip
"""Columns whose words are not free, or that must be empty together: left to their defaults, unless GIVEN."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Ana, and where her things are."""

    id: UUID
    name: str
    messages: tuple[UUID, ...]
    clips: tuple[Path, ...]


async def somebody(db: Database, vectors: Vectors, data_dir: Path, name: str = "Ana", mark: str = MARK) -> Somebody:
    """Fill every table that leads to a person, with the mark in every free text; and vectors, clips, spool, log."""
    of = await catalogue(db)
    user: UUID = await db.fetchval(
        "INSERT INTO users (name, email, metadata, voice_enrolled) VALUES ($1, $2, $3, TRUE) RETURNING id",
        name, f"{mark}@casa.br", {"apelido": mark},
    )  # fmt: skip
    await db.execute("INSERT INTO consents (user_id, kind, given, how) VALUES ($1, 'memory', TRUE, 'cli')", user)
    rows: dict[str, list[str]] = {ROOT: [str(user)]}
    for table in of.reached()[1:]:
        rows[table] = [await _row(db, of, table, rows, mark)]
    messages = tuple(UUID(row) for row in rows["messages"])
    points = [Point(UUID(rows["memories"][0]), unit(np.ones(8)), user)]
    await vectors.put("memories", points)
    await vectors.put("voices", [Point(user, unit(np.arange(8) + 1.0), user)])
    await db.execute("UPDATE users SET speaker_embedding_id = $2 WHERE id = $1", user, str(user))
    clips = tuple(_clip(data_dir, user, message, NOW - timedelta(minutes=5)) for message in messages)
    logged = "INSERT INTO system_logs (timestamp, level, source, message, metadata) VALUES ($1, 'INFO', 'x', $2, $3)"
    await db.execute(logged, NOW, f"voz de {name}: {mark}", {})
    await db.execute(logged, NOW, f"turno {mark}", {"turn": rows["messages"][0]})
    _refused(data_dir / "spool", user, mark)
    return Somebody(user, name, messages, clips)


async def _row(db: Database, of: Catalogue, table: str, rows: dict[str, list[str]], mark: str) -> str:
    """Insert one row that leads to the person by every reference it can, with the mark in every free text."""
    parents = {
        edge.child_column: rows[edge.parent][0] for edge in of.edges if edge.child == table and edge.parent in rows
    }
    values: dict[str, object] = {}
    for column, kind in of.columns[table].items():
        if (table, column) in GIVEN:
            values[column] = GIVEN[table, column]
        elif column in parents and (table, column) not in {("memories", "message_id"), ("approvals", "decided_user")}:
            values[column] = UUID(parents[column])
        elif column in CHECKED or column in of.keys[table]:
            continue
        elif kind == "bytea":
            values[column] = b"kept"
        elif kind in {"text", "character varying"}:
            values[column] = f"{mark} {column}"[:50]
        elif kind in {"integer", "smallint", "real", "double precision"}:
            values[column] = 1
        elif kind == "jsonb":
            values[column] = {"dito": mark}
        elif kind == "timestamp with time zone" and column in {"timestamp", "created_at", "at", "asked_at", "expires_at",
                                                               "scheduled_at", "started_at", "added_at"}:  # fmt: skip
            values[column] = NOW - timedelta(minutes=5)
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join(f"${n + 1}" for n in range(len(values)))
    sql = f'INSERT INTO "{table}" AS t ({names}) VALUES ({marks}) RETURNING {of.key(table)}'
    key: str = await db.fetchval(sql, *values.values())
    return key


def _clip(data_dir: Path, user: UUID, message: UUID, at: datetime) -> Path:
    path = data_dir / "audio" / str(user) / f"{at:{STAMP}}-{message}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, b"\1\0" * 1600, RATE)
    path.chmod(0o600)
    return path


def _refused(spool: Path, user: UUID, words: str) -> None:
    """Put what she said, what was answered, and what another said into the records that the database refused."""
    talk = str(uuid4())
    lines: list[dict[str, Any]] = [
        {"why": "x", "record": {"kind": "heard", "user_id": str(user), "conversation_id": talk, "text": words,
                                "at": NOW.isoformat()}},
        {"why": "x", "record": {"kind": "said", "conversation_id": talk, "text": words, "at": NOW.isoformat()}},
        {"why": "x", "record": {"kind": "heard", "user_id": str(uuid4()), "conversation_id": str(uuid4()),
                                "text": "de outra pessoa", "at": NOW.isoformat()}},
    ]  # fmt: skip
    spool.mkdir(parents=True, exist_ok=True)
    with (spool / "refused.jsonl").open("a") as file:
        file.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def files_with(folder: Path, words: str) -> list[Path]:
    """Return every file below a folder that holds these words, or has them in its name."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (words in str(path) or words.encode() in path.read_bytes()):
            found.append(path)
    return found
