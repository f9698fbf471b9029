"""The spool: records that wait for the database, in a file that survives a crash.

    DIRECTORY/records.jsonl   one JSON object a line, appended and fsynced before `append` returns; mode 600
    DIRECTORY/refused.jsonl   lines that could not be read, and records that the database refused for good
    DIRECTORY/instance        the name of this data folder (a UUID)
    DIRECTORY/lock            held by the one process that uses the spool; the kernel lets go when it dies

How far the file was drained is kept in memory only: after a crash all of it is replayed, which the records allow
(each changes nothing the second time). When the last record is drained the file is emptied.
Every method blocks on the disk for milliseconds; call them in a thread. They may be called from several at once.
"""

import fcntl
import json
import os
import re
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import structlog

from db.errors import LinkDown
from db.records import Record

log = structlog.get_logger(__name__)

MOST_RECORDS = 20_000
MOST_BYTES = 32 * 1024 * 1024
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record in the spool; `end` is the offset of the byte after it, in bytes from the file's start."""

    record: Record
    end: int


class Spool:
    """An append-only queue on disk, bounded and in order. Raises LinkDown("spool") where it cannot keep a record."""

    def __init__(self, directory: Path, most_records: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        """Open the spool in `directory`, made if absent. Raises LinkDown where another process has it, or no disk."""
        self._directory = directory
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._mutex = threading.Lock()
        self._drained = 0
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_fd = _locked(directory / "lock")
        except OSError as error:
            raise LinkDown("spool", str(error)) from error
        try:
            self._fd = _opened(directory / "records.jsonl")
            self.instance = _instance(directory / "instance")
            _sync_directory(directory)
            self._end = self._mend_tail()
            self._lines = self._count()
        except OSError as error:
            os.close(self._lock_fd)
            raise LinkDown("spool", str(error)) from error

    @property
    def waiting(self) -> int:
        """How many lines wait to be drained."""
        return self._lines

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        return self._end

    def close(self) -> None:
        """Let go of the files; what waits stays on the disk."""
        with self._mutex:
            os.close(self._fd)
            os.close(self._lock_fd)

    def append(self, record: Record) -> None:
        """Keep `record` behind the others; it is on the disk when this returns. Raises LinkDown: full, or no disk."""
        line = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        with self._mutex:
            if self._lines >= self._most_records or self._end + len(line) > self._most_bytes:
                raise LinkDown("spool", f"full: {self._lines} records, {self._end} bytes")
            try:
                _write(self._fd, line, self._end)
            except OSError as error:
                self._undo()
                raise LinkDown("spool", str(error)) from error
            self._end += len(line)
            self._lines += 1

    def peek(self, limit: int) -> list[Waiting]:
        """Return the first `limit` waiting records, in order. Lines that cannot be read are set aside for good."""
        found: list[Waiting] = []
        with self._mutex:
            offset = self._drained
            while len(found) < limit and offset < self._end:
                line = self._line_at(offset)
                offset += len(line)
                record = _parsed(line)
                if record is not None:
                    found.append(Waiting(record, offset))
                elif found:
                    break
                else:
                    self._set_aside(line, "unreadable")
                    self._advance(offset, 1)
        return found

    def done(self, upto: Waiting, records: int) -> None:
        """Forget the first `records` waiting records, of which `upto` is the last."""
        with self._mutex:
            try:
                self._advance(upto.end, records)
            except OSError as error:
                raise LinkDown("spool", str(error)) from error

    def refuse(self, record: Record, why: str) -> None:
        """Write `record` to the file of the refused. Raises LinkDown when the disk does not take it."""
        with self._mutex:
            self._set_aside(json.dumps({"why": why, "record": record}, ensure_ascii=False).encode() + b"\n", why)

    def _advance(self, end: int, records: int) -> None:
        self._drained = end
        self._lines -= records
        if end >= self._end:
            os.ftruncate(self._fd, 0)
            self._drained = self._end = self._lines = 0

    def _undo(self) -> None:
        """Take back a half-written line, so that it is not read as one later."""
        try:
            os.ftruncate(self._fd, self._end)
        except OSError:
            log.exception("spool_undo_failed", file=str(self._directory))

    def _set_aside(self, line: bytes, why: str) -> None:
        try:
            fd = _opened(self._directory / "refused.jsonl")
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)  # `forget_refused` may be taking lines out
                size = os.fstat(fd).st_size
                if size + len(line) <= self._most_bytes:
                    _write(fd, line, size)
            finally:
                os.close(fd)
        except OSError as error:
            raise LinkDown("spool", str(error)) from error
        log.error("spool_record_refused", why=why, bytes=len(line), file=str(self._directory / "refused.jsonl"))

    def _line_at(self, offset: int) -> bytes:
        line = b""
        while True:
            piece = os.pread(self._fd, 64 * 1024, offset + len(line))
            newline = piece.find(b"\n")
            if newline >= 0:
                return line + piece[: newline + 1]
            line += piece
            if not piece:
                return line

    def _mend_tail(self) -> int:
        """Return the file's size; a last line without its end (power cut) is closed, to be set aside when drained."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            _write(self._fd, b"\n", size)
            size += 1
        return size

    def _count(self) -> int:
        lines = offset = 0
        while piece := os.pread(self._fd, 1024 * 1024, offset):
            lines += piece.count(b"\n")
            offset += len(piece)
        return lines


def forget_refused(directory: Path, ids: Collection[str], user_id: str | None, since: datetime | None) -> int:
    """Take out of the refused what names one of `ids`, or is of that person since a moment; return how many lines.

    Also a line that cannot be read goes then: nobody could tell whose it is. Raises OSError.
    """
    path = directory / "refused.jsonl"
    if not path.exists():
        return 0
    fd = _opened(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        lines = os.pread(fd, os.fstat(fd).st_size, 0).splitlines(keepends=True)
        records = [_parsed(line) for line in lines]
        theirs = {str(_inner(each).get("conversation_id")) for each in records if _is_of(each, user_id, since)}
        kept = [
            line
            for line, record in zip(lines, records, strict=True)
            if record is not None
            and not _is_of(record, user_id, since)
            and not ({*ids, *theirs} & set(UUIDS.findall(line.decode("utf-8", "replace"))))
        ]
        if len(kept) < len(lines):
            os.ftruncate(fd, 0)
            _write(fd, b"".join(kept), 0)
    finally:
        os.close(fd)
    return len(lines) - len(kept)


def _inner(refused: Record | None) -> Record:
    record = (refused or {}).get("record")
    return record if isinstance(record, dict) else {}


def _is_of(refused: Record | None, user_id: str | None, since: datetime | None) -> bool:
    record = _inner(refused)
    if user_id is None or record.get("user_id") != user_id:
        return False
    return since is None or datetime.fromisoformat(str(record.get("at"))) >= since


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(path: Path) -> int:
    fd = _opened(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise LinkDown("spool", f"another Mordomo uses {path.parent}") from error
    return fd


def _write(fd: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(fd, data, offset)
        data, offset = data[written:], offset + written
    os.fsync(fd)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _instance(path: Path) -> str:
    fd = _opened(path)
    try:
        name = os.pread(fd, 36, 0).decode("ascii", "replace")
        if not _is_uuid(name):
            name = str(uuid4())
            os.ftruncate(fd, 0)
            _write(fd, name.encode(), 0)
    finally:
        os.close(fd)
    return name


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _parsed(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
