"""Whether a server of a cluster lives, as its `postmaster.pid` tells and the system confirms."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LivingServer:
    """A server that lives now."""

    pid: int
    socket_dir: Path


def living_server(cluster: Path) -> LivingServer | None:
    """Return the server of the cluster, whoever started it; None where none lives."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid, socket_dir = int(lines[0]), Path(lines[4])
    except (OSError, ValueError, IndexError):
        return None
    return LivingServer(pid, socket_dir) if _works_in(cluster, pid) else None


def clear_reused_pid(cluster: Path) -> None:
    """Remove a dead server's pid file where another process now has its pid: PostgreSQL would refuse to start."""
    path = cluster / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        lines = path.read_text().splitlines()
        pid = int(lines[0])
        if psutil.pid_exists(pid) and not any(_works_in(cluster, other) for other in psutil.pids()):
            log.warning("postgres_stale_pid_removed", pid=pid)
            (Path(lines[4]) / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
            path.unlink()


def _works_in(cluster: Path, pid: int) -> bool:
    # A pid alone proves nothing, it may have been given to another process since; every process of a server works in
    # its cluster's folder. One that we may not ask is another user's, so not ours.
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == cluster.resolve()
    except psutil.Error:
        return False
