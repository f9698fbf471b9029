"""Logging as it was found: for what configures it, as the daemon and its commands do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_kept() -> Iterator[None]:
    """Put the root logger and structlog back at the end."""
    root = logging.getLogger()
    level, handlers, found = root.level, list(root.handlers), structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**found)
        root.handlers[:] = handlers
        root.setLevel(level)
