"""The `mordomo` command as a person types it: its arguments and environment, what it prints, its exit status."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from daemon.__main__ import app
from daemon.commands.console import guarded
from support.logging_kept import logging_kept


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


async def mordomo(
    database_url: str | None, *arguments: str, data_dir: Path, columns: int = 120, typed: str = ""
) -> Ended:
    """Run `mordomo ARGUMENTS` on a database (None: its own, below `data_dir`) until it ends; nobody answers questions: `typed` is piped in.

    Nothing of this machine's settings reaches it. It runs in a thread of this process, one at a time: a process of its
    own would read the whole program anew for each command.
    """
    nobodys = {name: None for name in os.environ if name.startswith("MORDOMO_")}
    own = {"MORDOMO_DATABASE_URL": database_url, "MORDOMO_DATA_DIR": str(data_dir), "COLUMNS": str(columns)}
    return await asyncio.to_thread(_run, arguments, {**nobodys, **own}, typed)


def _run(arguments: tuple[str, ...], environment: dict[str, str | None], typed: str) -> Ended:
    with logging_kept(), CliRunner().isolation(typed, env=environment) as (out, err, _):
        try:
            status = guarded(lambda: app(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        sys.stdout.flush()
        return Ended(status, out.getvalue().decode(), err.getvalue().decode())
