"""Where logs go: standard error, for people or as JSON. `system_logs` in the database is fed by a sink of its own."""

import logging
import sys
from typing import Any

import structlog


def configure(form: str, level: str) -> None:
    """Set the log's form (`console` or `json`) and least level, for structlog and for libraries' own logging."""
    number = logging.getLevelNamesMapping()[level]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=form == "json"),
    ]
    last: list[Any]
    if form == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    # Clients log what our own supervisor tells better, once.
    for noisy in ("aiomqtt", "mqtt", "httpx", "httpcore", "uvicorn.error", "faster_whisper", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
