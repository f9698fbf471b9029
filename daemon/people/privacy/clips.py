"""The sound of what was said: kept only for a person who allows it, as `audio/USER/MOMENT-MESSAGE.wav`, mode 600.

A clip is the sound of a stored message, no more: where the message is not in the database, or is not of somebody who
allows it, there is no clip. So whatever erases messages needs to know nothing of sound that is still on its way.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog

from daemon.audio.frames import RATE
from daemon.audio.wav import write_wav
from daemon.errors import EngineFailed, LinkDown
from daemon.turn import Turn
from db.database import Database

log = structlog.get_logger(__name__)

STAMP = "%Y%m%dT%H%M%SZ"
WAITING = 8
"""Clips on their way to the disk, of some hundred kB each; further ones are not kept."""

# Whose message it is, if they allow that their voice is kept.
OF_MESSAGE = """
SELECT c.user_id FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id
WHERE m.id = $1 AND (
    SELECT given FROM consents WHERE user_id = c.user_id AND kind = 'audio' ORDER BY id DESC LIMIT 1)
"""
ALLOWED = """
SELECT u.id FROM users AS u WHERE (
    SELECT given FROM consents WHERE user_id = u.id AND kind = 'audio' ORDER BY id DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip: its file, and the message whose sound it is."""

    path: Path
    at: datetime
    message_id: str


@dataclass(slots=True)
class Clips:
    """Keeps the sound of turns, as a service: `put` may be called with every turn, and never waits."""

    db: Database
    folder: Path
    name: str = "clips"
    _waiting: asyncio.Queue[Turn] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def put(self, turn: Turn) -> None:
        """Keep the sound of this turn, if it is to be kept."""
        if turn.understood.utterance is None or turn.outcome == "ignored":
            return
        if turn.understood.speaker is not None and not turn.understood.speaker.trusted:
            return  # only likely theirs, and so perhaps somebody's who allowed nothing
        try:
            self._waiting.put_nowait(turn)
        except asyncio.QueueFull:
            log.warning("clip_not_kept", turn=str(turn.id), why="o disco não acompanha")

    async def run(self) -> None:
        """Write clips until cancelled. Without a database nobody can be asked: then no clip is kept."""
        while True:
            turn = await self._waiting.get()
            try:
                await self.keep(turn)
            except (LinkDown, EngineFailed, OSError) as failed:
                log.warning("clip_not_kept", turn=str(turn.id), why=str(failed))

    async def keep(self, turn: Turn) -> Path | None:
        """Write the clip where its speaker allows it; return its file. Raises LinkDown, EngineFailed, OSError."""
        whose: UUID | None = await self.db.fetchval(OF_MESSAGE, turn.id)
        if whose is None or turn.understood.utterance is None:
            return None
        path = self.folder / str(whose) / f"{turn.started_at.astimezone(UTC):{STAMP}}-{turn.id}.wav"
        await asyncio.to_thread(_write, path, turn.understood.utterance.pcm)
        if await self.db.fetchval(OF_MESSAGE, turn.id) != whose:  # erased, or withdrawn, meanwhile
            await asyncio.to_thread(path.unlink, missing_ok=True)
            return None
        return path

    async def let_go(self, before: datetime) -> int:
        """Remove clips from before that moment, those of erased messages, and of who allows none; return how many."""
        allowed = {str(row[0]) for row in await self.db.fetch(ALLOWED)}
        there = await asyncio.to_thread(all_clips, self.folder)
        sql = "SELECT id::text FROM messages WHERE id::text = ANY ($1)"
        known = {row[0] for row in await self.db.fetch(sql, [clip.message_id for clip in there])}
        old = [
            clip
            for clip in there
            if clip.at < before or clip.message_id not in known or clip.path.parent.name not in allowed
        ]
        await asyncio.to_thread(remove, old)
        return len(old)


def all_clips(folder: Path) -> list[Clip]:
    """Return everybody's clips."""
    return [clip for path in sorted(folder.glob("*/*.wav")) if (clip := _read(path)) is not None]


def clips_of(folder: Path, user_id: str, since: datetime | None = None) -> list[Clip]:
    """Return a person's clips, the oldest first, from a moment on."""
    found = (_read(path) for path in sorted((folder / str(UUID(user_id))).glob("*.wav")))
    return [clip for clip in found if clip is not None and (since is None or clip.at >= since.replace(microsecond=0))]


def remove(clips: Sequence[Clip]) -> None:
    """Remove clips, and folders that are empty then. Raises OSError."""
    for clip in clips:
        clip.path.unlink(missing_ok=True)
    for folder in {clip.path.parent for clip in clips}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _write(path: Path, pcm: bytes) -> None:
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_wav(path, pcm, RATE)
    path.chmod(0o600)


def _read(path: Path) -> Clip | None:
    stamp, _, message = path.stem.partition("-")
    try:
        return Clip(path, datetime.strptime(stamp, STAMP).replace(tzinfo=UTC), str(UUID(message)))
    except ValueError:
        return None
