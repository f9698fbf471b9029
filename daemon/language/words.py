"""A sentence as words: what was written and a plain form (small letters, no accents) to compare by."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

LONGEST_SENTENCE = 600
"""Characters. Nobody asks a house for something in more: longer text goes to the language model unread."""

_PIECE = re.compile(r"\d{1,2}-\d{1,2}-\d{4}(?!\w)|\d{4}-\d\d-\d\d(?!\w)|\d+(?:[.,:/hH]\d+)*|[^\W\d_]+|[%°]|[^\w\s]")
_QUOTATION = re.compile(r"\"[^\"]+\"|“[^”]+”|«[^»]+»|‘[^’]+’")
_NUMBERED = re.compile(r"\d")
_BREAKS = frozenset(",.;:?!…")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its plain form, its place in the sentence (characters), and the mark (`,` `.` `?`…) after it.

    `quoted` tells that it stands between quotation marks that open after the sentence's first word.
    """

    plain: str
    start: int
    end: int
    accented: bool = False
    mark: str = ""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """What was heard, cut into words. Slices of it keep the writing of the person."""

    text: str
    words: tuple[Word, ...]

    def said(self, words: Sequence[Word]) -> str:
        """Return the original writing of `words`, joined where some between them were taken out."""
        pieces: list[str] = []
        at = -2
        for word in words:
            between = self.text[at : word.start] if at >= 0 else ""
            together = at >= 0 and not any(c.isalnum() for c in between) and len(between) < 4
            pieces.append((between if together else " " if pieces else "") + self.text[word.start : word.end])
            at = word.end
        return "".join(pieces).strip()


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Return `text` in small letters without accents."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def plain_words(text: str) -> tuple[str, ...]:
    """Return the plain forms of the words of `text`."""
    return tuple(word.plain for word in read(text).words)


def read(text: str) -> Sentence:
    """Cut `text` into words: hyphens part them, `50%` and `10min` are two, `20h30` and `14:30` are one."""
    words: list[Word] = []
    for piece in _PIECE.finditer(text):
        written = piece.group()
        if not (written[0].isalnum() or written in "%°"):
            if words and (written in _BREAKS or (written == "-" and text[piece.end() : piece.end() + 1].isspace())):
                cut_off = written == "…" or text.startswith("...", piece.start())
                words[-1] = _marked(words[-1], "…" if cut_off else written)
            continue
        plain = fold(written)
        glued = bool(words) and words[-1].end == piece.start() and bool(_NUMBERED.match(words[-1].plain))
        if glued and plain in {"h", "hs"}:
            words[-1] = Word(words[-1].plain + "h", words[-1].start, piece.end())
        elif glued and plain == "min" and "h" in words[-1].plain:
            words[-1] = Word(words[-1].plain, words[-1].start, piece.end())
        elif plain == "°":
            words.append(Word("graus", piece.start(), piece.end()))
        elif not (glued and plain in {"c", "o"} and words[-1].plain == "graus"):
            words.append(Word(plain, piece.start(), piece.end(), plain != written.casefold()))
    return Sentence(text, _quoted(text, words))


def _marked(word: Word, mark: str) -> Word:
    return word if word.mark else replace(word, mark=mark)


def _quoted(text: str, words: Sequence[Word]) -> tuple[Word, ...]:
    """Mark the words of quotations within the sentence: what somebody else wrote is no order of who speaks."""
    spans = [found.span() for found in _QUOTATION.finditer(text) if words and found.start() > words[0].start]
    if not spans:
        return tuple(words)
    return tuple(
        replace(word, quoted=True) if any(start < word.start < end for start, end in spans) else word for word in words
    )
