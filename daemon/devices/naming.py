"""Names that come from devices, made fit to be spoken, shown and used in identifiers. Whatever they say is data."""

import re
import unicodedata

MAX_NAME = 80
MAX_SLUG = 64


def clean_name(text: object) -> str | None:
    """Return a name on one line, without control and direction marks, MAX_NAME characters at most; None when empty."""
    if not isinstance(text, str):
        return None
    if text.isascii() and text.isprintable():  # most of what devices say
        return " ".join(text[: 4 * MAX_NAME].split())[:MAX_NAME].strip() or None
    printable = (" " if unicodedata.category(mark) in {"Cc", "Zl", "Zp"} else mark for mark in text[: 4 * MAX_NAME])
    kept = "".join(mark for mark in printable if unicodedata.category(mark) not in {"Cf", "Cs", "Co", "Cn"})
    return " ".join(kept.split())[:MAX_NAME].strip() or None


def slug(text: str) -> str:
    """Return `text` in a-z, 0-9 and _, without accents, MAX_SLUG characters at most; may be empty."""
    plain = unicodedata.normalize("NFKD", text[: 4 * MAX_SLUG]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:MAX_SLUG].strip("_")
