"""Folders for servers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder below /tmp that a server's own user can pass, with a path short enough for a unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="mordomo-", dir="/tmp"))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        shutil.rmtree(folder)
