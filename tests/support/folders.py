"""Folders for servers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOMY_BYTES = 2**31
MEMORY = Path("/dev/shm")


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder that a server's own user can pass, with a path short enough for a unix socket.

    In memory where there is room: a database server waits for its disk, and tests shall not wait for somebody else's.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOMY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="mordomo-", dir=MEMORY if roomy else "/tmp"))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        shutil.rmtree(folder)
