"""A streamed answer cut into sentences, each handed on once it is certainly whole, so that speech starts early."""

import re

LONGEST = 200
"""Characters without a full stop after which a run-on is cut, at a clause if it has one."""
MOST = 2400
"""Characters of one answer that are spoken: some three minutes. What follows is not read from the source."""

_ABBREVIATED = (
    "sr sra srs sras srta dr dra drs dras prof profa profs eng av rod apto tel cel pág págs obs máx mín aprox ex vol "
    "núm ltda cia jr séc i.e e.g p.ex v.g"
)
ABBREVIATIONS = frozenset(_ABBREVIATED.split())
"""What stands before a name or a figure: their dot never ends a sentence within a line."""

_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s)|\n")
_CLOSING = "\"'”’)]*_"
_CLAUSE = re.compile(r"[,;:–—)](?=\s)|\s-(?=\s)")
_LIST_NUMBER = re.compile(r"(?:^|\n)\s*\d{1,2}\Z")
_LAST_WORD = re.compile(r"\s([^\W\d_]{4,})\.\s?\Z|\w([!?])\s?\Z")
_FENCE = "```"


class Cutter:
    """Takes a text piece by piece and gives back its sentences, each as soon as it is whole. One for each answer.

    A full stop is certain once the next word begins and is not in lower case ("Sr.", "3.5" and "etc." inside a
    sentence are none); "!", "?" and a new line at once. A run-on of `longest` characters is cut at its last clause, or
    else at a space. After `most` characters the answer ends with its last whole sentence: then it is `full`. Code
    blocks are left out: nobody wants them read aloud. With `eager` the first sentence is given out at its last mark, a
    full stop where it follows a whole word: whoever waits for the first sound need not wait for the next word too.
    """

    def __init__(self, *, longest: int = LONGEST, most: int = MOST, eager: bool = False) -> None:
        self._longest = longest
        self._most = most
        self._eager = eager
        self._waiting = ""
        self._taken = 0

    @property
    def full(self) -> bool:
        """Whether what follows is not spoken."""
        return self._taken >= self._most

    def push(self, piece: str) -> list[str]:
        """Take the next piece; return the sentences that are whole now, stripped."""
        self._waiting = _without_code(self._waiting + piece[: max(0, self._most - self._taken)])
        self._taken += len(piece)
        found, self._waiting = _whole(self._waiting, self._longest)
        if self._eager and not found and _ends_at_once(self._waiting):
            found, self._waiting = [self._waiting.strip()], ""
        self._eager = self._eager and not found
        return found

    def rest(self) -> list[str]:
        """Return what is left when the text has ended; nothing of one that was cut off because it was `full`."""
        text, self._waiting = self._waiting, ""
        return [] if self.full else _whole(text.partition(_FENCE)[0] + "\n", self._longest)[0]


def _ends_at_once(text: str) -> bool:
    """Tell whether a text surely is one whole sentence, though nobody knows how it goes on."""
    word = _LAST_WORD.search(text)
    return word is not None and _FENCE not in text and (word[1] or "").casefold() not in ABBREVIATIONS


def _whole(text: str, longest: int) -> tuple[list[str], str]:
    """Return the whole sentences at the beginning of `text`, and what remains."""
    head, fence, code = text.partition(_FENCE)
    if fence:
        head += "\n"
    found: list[str] = []
    while (end := _end_of_first(head, longest)) is not None:
        sentence, head = head[:end].strip(), head[end:].lstrip(" \t")
        if any(c.isalnum() for c in sentence):
            found.append(sentence)
    return found, head + fence + code


def _end_of_first(text: str, longest: int) -> int | None:
    """Return where the first whole sentence of `text` ends, None while there may be more of it."""
    start = len(text) - len(text.lstrip())
    for match in _END.finditer(text, start):
        if _certain_at(text, match) - start > longest:
            break  # a stream would have been cut before this was known
        if match[0] == "\n" or _is_end(text, match):
            return match.end()
    if len(text) - start <= longest:
        return start or None
    window = text[start : start + longest]
    clauses = [m.end() for m in _CLAUSE.finditer(window) if m.end() > longest // 3]
    return start + (clauses[-1] if clauses else max(window.rfind(" "), 0) or longest)


def _certain_at(text: str, match: re.Match[str]) -> int:
    """Return how far one must have read to know whether these marks end a sentence."""
    if match[0] == "\n":
        return match.start()
    if match[0].rstrip(_CLOSING)[-1] in "!?" or text[match.end()] == "\n":
        return match.end()
    return len(text) - len(text[match.end() :].lstrip())


def _is_end(text: str, match: re.Match[str]) -> bool:
    """Tell whether these marks certainly end a sentence."""
    marks = match[0].rstrip(_CLOSING)
    if marks[-1] in "!?" or text[match.end()] == "\n":
        return not (marks == "." and _LIST_NUMBER.search(text[: match.start()]))
    following = text[match.end() :].lstrip()
    if not following or following[0].islower():
        return False
    if marks != ".":
        return True
    before = text[: match.start()]
    word = before.split()[-1].lstrip("(\"'“‘*_").casefold() if before.strip() else ""
    is_initial = len(word) == 1 and word.isalpha() and word not in "aeoé"
    return not (word in ABBREVIATIONS or is_initial or _LIST_NUMBER.search(before))


def _without_code(text: str) -> str:
    """Drop the code blocks that have ended; an open one stays, unspoken, until its end comes."""
    while (start := text.find(_FENCE)) >= 0 and (end := text.find(_FENCE, start + len(_FENCE))) >= 0:
        text = text[:start] + "\n" + text[end + len(_FENCE) :]
    return text
