"""All that is somebody's, in one ZIP: rows as JSON, sound as WAV, vectors as numbers, and a page that explains it."""

import asyncio
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np

from daemon.memory.vectors import COLLECTIONS, Vectors
from daemon.people.privacy.clips import Clip, clips_of
from db.database import Database
from db.export import Rows, exported

README = """Os dados de {name} neste Mordomo
{line}

Feito em {at}. Aqui está tudo o que esta casa guarda de {name}:

dados/TABELA.json   as linhas de cada tabela do banco (messages: o que disse e ouviu; reminders: os lembretes;
                    memories: o que pediu para lembrar; consents: o que deixou guardar, e quando; e assim por diante)
vetores.json        a impressão da voz e os vetores das memórias, em números
audio/*.wav         o som do que disse, se deixou que fosse guardado; o nome traz o momento (UTC) e a mensagem

Estão também as linhas da auditoria e do registro do sistema que falam de {name}. O que outras pessoas disseram a
respeito de {name} é delas, e não está aqui. De um código falado está que há um, e desde quando: os algarismos a casa
não tem, e o que guarda para os comparar não sai dela. As cópias de segurança têm os mesmos dados, nos dias em que
foram feitas.
"""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows by table, and how many clips."""

    path: Path
    rows: Mapping[str, int]
    clips: int
    vectors: int


@dataclass(frozen=True, slots=True)
class Exporting:
    """Exports from a database, a store of vectors (None: there is none), and the folder of everybody's clips."""

    db: Database
    vectors: Vectors | None
    clips: Path

    async def write(self, user_id: UUID, name: str, out: Path, now: datetime) -> Exported:
        """Write a person's data to `out`, whole or not at all, mode 600. Raises LinkDown, OSError."""
        async with self.db.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows = await exported(connection, user_id, name)
        points = await _points(self.vectors, rows, user_id)
        sound = clips_of(self.clips, str(user_id))
        title = f"Os dados de {name} neste Mordomo"
        page = README.format(name=name, line="=" * len(title), at=f"{now:%d/%m/%Y %H:%M}")
        await asyncio.to_thread(_write, out, page, rows, points, sound)
        counts = {table: len(each) for table, each in rows.items()}
        return Exported(out, counts, len(sound), sum(map(len, points.values())))


async def _points(
    vectors: Vectors | None, rows: Mapping[str, Rows], user_id: UUID
) -> dict[str, dict[str, list[float]]]:
    """Return the vectors of their memories and of their voice, by collection and id."""
    if vectors is None:
        return {}
    ids = {UUID(row["id"]) for row in rows.get("memories", ())} | {user_id}
    for row in rows["users"]:
        for voice in (row.get("speaker_embedding_id"), (row.get("metadata") or {}).get("voice", {}).get("far")):
            ids |= _uuid(voice) if voice else set()
    found = {collection: await vectors.get(collection, ids) for collection in COLLECTIONS}
    return {
        collection: {str(key): np.asarray(vector).round(6).tolist() for key, vector in each.items()}
        for collection, each in found.items()
    }


def _uuid(text: str) -> set[UUID]:
    try:
        return {UUID(text)}
    except ValueError:
        return set()


def _write(out: Path, page: str, rows: Mapping[str, Rows], points: Mapping[str, object], sound: list[Clip]) -> None:
    beside = out.with_name(f".{out.name}.part")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("LEIA-ME.txt", page)
            for table, each in rows.items():
                zipped.writestr(f"dados/{table}.json", _json(list(each)))
            zipped.writestr("vetores.json", _json(points))
            for clip in sound:
                zipped.write(clip.path, f"audio/{clip.path.name}")
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def _json(value: object) -> str:
    text = io.StringIO()
    json.dump(value, text, ensure_ascii=False, indent=1, default=str)
    return text.getvalue()
