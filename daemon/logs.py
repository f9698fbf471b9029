"""Where logs go: standard error, for people or as JSON, and, where a backlog is given, the table `system_logs`.

Everything passes the same way, libraries' own logging as well: secrets are masked first, then the database's copy is
taken, then the console's least level is applied.
"""

import logging
import sys
from typing import Any

import structlog

from daemon.log_masks import mask
from daemon.log_sink import Backlog, Feed

STORED_LEVEL = "INFO"
"""Least level that is stored even where the console shows less."""
LIBRARIES_LEVEL = logging.WARNING
LEVEL_OF = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error", "critical")}


def configure(form: str, level: str, backlog: Backlog | None = None) -> None:
    """Set the log's form (`console` or `json`) and the console's least level, for structlog and libraries' logging.

    With `backlog`, events of STORED_LEVEL at least are stored as well, whatever the console shows.
    """
    shown = logging.getLevelNamesMapping()[level]
    least = shown if backlog is None else min(shown, logging.getLevelNamesMapping()[STORED_LEVEL])
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_logger,
        structlog.processors.TimeStamper(fmt="iso", utc=form == "json"),
        structlog.processors.format_exc_info,
        mask,
    ]
    kept = [] if backlog is None else [Feed(backlog)]
    structlog.configure(
        processors=[*shared, *kept, Shown(shown), *_rendered(form)],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=NamedLogger,
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=LIBRARIES_LEVEL, handlers=[Relay()], force=True)
    # Clients log what our own supervisor tells better, once.
    for noisy in ("aiomqtt", "mqtt", "httpx", "httpcore", "uvicorn.error", "faster_whisper", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


class NamedLogger(structlog.PrintLogger):
    """Prints to standard error; knows the name of whoever speaks."""

    def __init__(self, name: str = "mordomo", *_: object) -> None:
        super().__init__(sys.stderr)
        self.name = name


class Shown:
    """A structlog processor that ends the way of what is below the console's least level."""

    def __init__(self, least: int) -> None:
        self._least = least

    def __call__(self, _logger: Any, method: str, event: Any) -> Any:
        """Pass the event on. Raises DropEvent for one that is not to be shown."""
        if LEVEL_OF.get(method, logging.ERROR) < self._least:
            raise structlog.DropEvent
        return event


class Relay(logging.Handler):
    """Has what libraries log through `logging` go the way of everything else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's sentence under its logger's name."""
        try:
            level = max((known for known in LEVEL_OF.values() if record.levelno >= known), default=logging.DEBUG)
            told: dict[str, Any] = {"exc_info": record.exc_info} if record.exc_info else {}
            structlog.get_logger(record.name).log(level, record.getMessage(), **told)
        except Exception:  # logging's own contract: emit never raises
            self.handleError(record)


def add_logger(logger: Any, _method: str, event: Any) -> Any:
    """Add the name of whoever speaks, as a structlog processor."""
    event.setdefault("logger", logger.name)
    return event


def _rendered(form: str) -> list[Any]:
    if form == "json":
        return [structlog.processors.JSONRenderer(ensure_ascii=False)]
    # The other formatter shows local variables, and with them whatever secret they hold.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
