"""Who uses a server that several commands share: two lock files, given up by the kernel when a process dies.

`lock` is held by the one command that starts or stops the server; `users` is shared by all that use it.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from db.errors import LinkDown
from db.server_account import Account


class SharedUse:
    """The locks in one server's folder, as one command sees them. See flock(2)."""

    def __init__(self, folder: Path, what: str) -> None:
        """Take the server's own folder, and its name as errors shall say it."""
        self.folder = folder
        self.what = what
        self._users: int | None = None

    @asynccontextmanager
    async def exclusively(self, account: Account, wait_s: float) -> AsyncIterator[None]:
        """Keep every other command from starting or stopping the server. Raises LinkDown after `wait_s`."""
        deadline = monotonic() + wait_s
        descriptor = self._open(account, "lock")
        try:
            while not _flock(descriptor, fcntl.LOCK_EX):
                if monotonic() > deadline:
                    raise LinkDown(self.what, "outro comando do Mordomo está começando ou parando este servidor")
                await asyncio.sleep(0.05)
            yield
        finally:
            os.close(descriptor)

    def join(self, account: Account) -> None:
        """Be one of the users, until `leave` or the end of the process. Call it with the server held exclusively."""
        if self._users is None:
            self._users = self._open(account, "users")
            _flock(self._users, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Be no user any more."""
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def others(self, account: Account) -> bool:
        """Tell whether anyone uses the server. Leave first."""
        descriptor = self._open(account, "users")
        try:
            return not _flock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    def _open(self, account: Account, name: str) -> int:
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if account.switch:
            os.fchown(descriptor, account.uid, account.gid)
        return descriptor


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
