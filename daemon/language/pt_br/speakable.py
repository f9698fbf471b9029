"""Text as it is written, made into text as it is said: for voices that read "8h30" as "oito agá trinta".

Language models write markdown, emoji and figures; people write abbreviations. None of that can be spoken as it stands.
"""

import re
import unicodedata
from functools import cache

from daemon.language.pt_br.figures import say_figures, written

LONGEST = 600
"""Characters of one sentence that are spoken, some 40 s; the rest is left out."""
_LONGEST_WRITTEN = 4000

_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\n]{0,500}\)")
_TAG = re.compile(r"</?[A-Za-z!][^<>\n]{0,200}>")
_LINE_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+•–—][ \t]+|(?P<item>\d{1,2})[.)][ \t]+(?=\D))", re.MULTILINE
)
_RULE = re.compile(r"^[ \t]*(?:[-*_=|: \t]){3,}$", re.MULTILINE)
_EMAIL = re.compile(r"\b([\w.+-]{1,64})@((?:[\w-]+\.)+[A-Za-z]{2,})\b")
_URL = re.compile(r"(?:https?://|\bwww\.)(?:www\.)?((?:[\w-]+\.)*[\w-]+)(?::\d+)?(?:[/?#][^\s)\]>]*)?", re.IGNORECASE)
_SLASH = re.compile(r"(?<=[^\W\d_])/(?=[^\W\d_])")
_BREAK = re.compile(r"[ \t]*[\r\n\u2028\u2029]+[ \t]*")
_ENDED = re.compile(r"([.!?…:;,])\s*\Z")
_REPEATED = re.compile(r"([!?.,;:])(?:\s*[.,;:])+|([!?]){2,}")
_LINE_ENDS = "\t\r\n\u2028\u2029"
_KEPT = frozenset(" .,;:!?…'’\"“”()-–—%")
_EDGE = " \t,;:-–—/\"'’“”("


def speakable(text: str) -> str:
    """Return `text` as one line that a voice can read, at most LONGEST characters; "" when nothing in it can be said.

    No digit, emoji, markup or control character is left. What is speakable already comes back as it is.
    """
    text = _without_markup(unicodedata.normalize("NFC", text[:_LONGEST_WRITTEN]))
    text = _EMAIL.sub(lambda m: f"{_dotted(m[1])} arroba {_dotted(m[2])}", text)
    text = _URL.sub(lambda m: " " + _dotted(m[1]), text)
    text = re.sub(r"https?:/+", " ", text, flags=re.IGNORECASE)
    text = _one_line(_plain(text))
    text = _abbreviation_pattern().sub(_abbreviation, text)
    text = say_figures(text)
    text = _SLASH.sub(" ou ", text.replace("e/ou", "e ou"))
    return _capped(_tidy(_letters_only(text)))


def _without_markup(text: str) -> str:
    text = _FENCE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    text = _RULE.sub("", text)
    text = _LINE_MARK.sub(lambda m: f"{m['item']}, " if m["item"] else "", text)
    text = re.sub(r"[*`<>\[\]{}\\^]+|~~|(?<!\w)_+|_+(?!\w)", "", text)
    return text.replace("_", " ").replace("|", ", ")


def _one_line(text: str) -> str:
    lines = [line for line in (part.strip() for part in _BREAK.split(text)) if line]
    return " ".join(line if _ENDED.search(line) or n == len(lines) else line + "." for n, line in enumerate(lines, 1))


def _plain(text: str) -> str:
    return "".join(c if c in _LINE_ENDS or "~" >= c >= " " else _plain_character(c) for c in text)


def _plain_character(c: str) -> str:
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category.startswith("C"):
        return ""
    # What becomes a word or a gap later is set apart now, or it would hide the beginning of what follows it.
    return f" {c} " if category in {"No", "So"} and c not in "°²³" else c


def _dotted(name: str) -> str:
    return re.sub(r"[-_]+", " ", name).replace("+", " mais ").replace(".", " ponto ")


def _abbreviation(match: re.Match[str]) -> str:
    found = match[0].casefold()
    said = written().abbreviations[re.sub(r"\s+", " ", found)]
    if match[0][0].isupper() and match.start() == 0:
        said = said[0].upper() + said[1:]
    at_end = not match.string[match.end() :].strip()
    return said + ("." if at_end and found.endswith(".") else "")


@cache
def _abbreviation_pattern() -> re.Pattern[str]:
    keys = sorted(written().abbreviations, key=len, reverse=True)
    known = "|".join(re.escape(k).replace(r"\ ", r"\s?") for k in keys)
    return re.compile(rf"(?<![^\W\d²³])(?:{known})(?![^\W²³])", re.IGNORECASE)


def _letters_only(text: str) -> str:
    symbols = written().symbols
    said: list[str] = []
    for c in text:
        if c.isalpha() or c in _KEPT:
            said.append(c)
        elif c in symbols:
            said.append(f" {symbols[c]} ")
        elif unicodedata.combining(c):
            said.append(c)
        elif unicodedata.category(c) not in {"Cf", "Mn"}:
            said.append(" ")
    return "".join(said)


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+(?=[.,;:!?…)])", "", text)
    text = re.sub(r"\(\s*\)|(?<=\()\s+", "", text)
    text = _REPEATED.sub(lambda m: m[1] or m[2], text)
    text = text.strip().lstrip(_EDGE + ".…!?)").rstrip(_EDGE)
    return text if any(c.isalpha() for c in text) else ""


def _capped(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    return cut[: max(cut.rfind(" "), LONGEST // 2)].rstrip(_EDGE + ".…!?") + "."
