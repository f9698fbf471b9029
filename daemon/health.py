"""The state of each part, as the banner, `mordomo doctor` and GET /health tell it: one list for all three."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from daemon.engines.plug import PlugState

Condition = Literal["ok", "starting", "trial", "missing", "away", "failed", "off"]

READY = frozenset({"ok", "starting", "trial", "off"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of Mordomo. `trial` works, but only to try it out; `mend` is the command or act that mends it.

    `needed` parts must work before turns can be taken at all.
    """

    name: str
    title: str
    condition: Condition
    detail: str = ""
    mend: str = ""
    needed: bool = False


_FROM_PLUG: dict[str, Condition] = {
    "empty": "starting",
    "loading": "starting",
    "ready": "ok",
    "missing": "missing",
    "failed": "failed",
}


def part_of_plug(name: str, title: str, state: PlugState, *, trial: bool = False) -> Part:
    """Return the part that an engine's plug stands for; `trial` marks a stand-in engine."""
    condition = _FROM_PLUG[state.condition]
    if trial and condition == "ok":
        condition = "trial"
    return Part(name, title, condition, state.detail, state.mend)


def as_json(parts: Sequence[Part]) -> dict[str, Any]:
    """Return {"status": "ok" | "degraded" | "down", "ready": bool, "parts": {name: {...}}}."""
    ready = is_ready(parts)
    whole = all(part.condition in READY for part in parts)
    status = "ok" if ready and whole else "degraded" if ready else "down"
    return {"status": status, "ready": ready, "parts": {part.name: asdict(part) for part in parts}}


def is_ready(parts: Sequence[Part]) -> bool:
    """Tell whether turns can be taken."""
    return all(part.condition in {"ok", "trial"} for part in parts if part.needed)
