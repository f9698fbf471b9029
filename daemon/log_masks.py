"""What a log must not tell: values under telling names, and passwords within addresses and texts, are masked."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "***"
DEEPEST = 8

SECRET_WORDS = frozenset(
    "password passwd passphrase pwd senha secret segredo token authorization auth cookie credential bearer".split()
)
OURS = frozenset({"timestamp", "level", "logger"})
"""What the log itself adds."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_KEY = re.compile(r"(?i)(?:^|[_.\-])(?:api|access|private|secret|signing|encryption)[_.\-]?key$")

_IN_ADDRESS = re.compile(r"([A-Za-z][\w+.\-]*://[^\s/:@]*):[^\s/]*@")
_TELLING = re.compile(r"(?i)pass|senha|secret|segredo|token|key")
_IN_TEXT = re.compile(
    r"(?i)\b([\w.\-]*(?:password|passwd|passphrase|senha|secret|segredo|token|api[_\-]?key|access[_\-]?key))"
    r"(\s*[=:]\s*)(?!\d{1,6}\b)(\"[^\"]*\"|'[^']*'|[^\s&;,'\"]+)"
)
_IN_HEADER = re.compile(
    r"(?i)\b(authorization\s*[:=]\s*|bearer\s+|basic\s+(?=[\w+/=]{12}))(?:bearer\s+|basic\s+)?[^\s,;'\"]+"
)


def mask(_logger: Any, _method: str, event: Any) -> Any:
    """Mask the values of an event, as a structlog processor. Numbers stay: they count tokens, they are none."""
    for name, value in event.items():
        if name in OURS:
            continue
        if isinstance(value, str):
            event[name] = MASK if is_secret(name) and value else masked_text(value)
        elif not isinstance(value, int | float | None):
            event[name] = masked(name, value)
    return event


def masked(name: str, value: object, depth: int = 0) -> object:
    """Return `value`, which stands under `name`, without its secrets."""
    if value is None or isinstance(value, int | float):
        return value
    if is_secret(name):
        return MASK
    if isinstance(value, str):
        return masked_text(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {inner: masked(str(inner), each, depth + 1) for inner, each in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [masked("", each, depth + 1) for each in value]
    return masked_text(str(value))


def masked_text(text: str) -> str:
    """Return `text` without the password of any address in it, and without what follows `password=` and its like."""
    if "://" in text and "@" in text:
        text = _IN_ADDRESS.sub(rf"\1:{MASK}@", text)
    if ("=" in text or ":" in text) and _TELLING.search(text):
        text = _IN_TEXT.sub(rf"\1\2{MASK}", text)
    if "earer" in text or "uthorization" in text or "asic " in text:
        text = _IN_HEADER.sub(rf"\1{MASK}", text)
    return text


@lru_cache(maxsize=1000)
def is_secret(name: str) -> bool:
    """Tell whether what goes by this name is a secret: `password`, `api_key`, `accessToken` and so on."""
    return _KEY.search(name) is not None or any(
        word.lower().removesuffix("s") in SECRET_WORDS for word in _WORDS.findall(name)
    )
