"""The `mordomo` command as a process of its own, as a person types it."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


async def mordomo(database_url: str, *arguments: str, data_dir: Path, columns: int = 120) -> Ended:
    """Run `mordomo ARGUMENTS` on a database and wait until it ends; nothing of this machine's settings reaches it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MORDOMO_")}
    own = {"MORDOMO_DATABASE_URL": database_url, "MORDOMO_DATA_DIR": str(data_dir), "COLUMNS": str(columns)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**kept, **own},
    )  # fmt: skip
    out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())
