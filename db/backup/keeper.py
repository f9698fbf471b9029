"""How recovery to any minute stands for docker-compose.yml's server, as its keeper (config/archive-keeper.sh) notes it.

The keeper is another container and another user; a small file, `state`, is all that the daemon sees of its archive.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SILENT = timedelta(hours=6)
"""It looks every ten minutes, but for the time that a copy of the server takes."""
STALE = timedelta(days=9)
"""It copies the server once a week."""


@dataclass(frozen=True, slots=True)
class Kept:
    """When it last looked, the newest proved copy of the server, and why the last attempt failed, if it did."""

    looked_at: datetime
    base_at: datetime | None
    failed_at: datetime | None
    why: str


def kept(archive: Path) -> Kept | None:
    """Return what the keeper of `archive` noted; None where it noted nothing that can be read."""
    with suppress(OSError, ValueError, OverflowError, KeyError):
        text = (archive / "state").read_text(encoding="utf-8", errors="replace")
        values = dict(line.split("=", 1) for line in text.splitlines())
        looked = _moment(values["looked"])
        if looked is not None:
            return Kept(looked, _moment(values["base"]), _moment(values["failed"]), values["why"].strip())
    return None


def keeper_trouble(archive: Path, now: datetime) -> str:
    """Return in Portuguese why not every minute can be recovered from `archive`; empty where it can."""
    state = kept(archive)
    if state is None:
        return f"o serviço archive do docker compose não anotou nada em {archive}"
    if now - state.looked_at > SILENT:
        return f"o serviço archive do docker compose está parado há {_long(now - state.looked_at)}"
    if state.failed_at is not None:
        return state.why or "a cópia do servidor inteiro falhou"
    if state.base_at is None:
        return "ainda não há cópia do servidor inteiro"
    if now - state.base_at > STALE:
        return f"a última cópia do servidor inteiro é de {_long(now - state.base_at)} atrás"
    return ""


def _moment(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def _long(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return f"{hours // 24} dias" if hours >= 48 else f"{hours} horas"
