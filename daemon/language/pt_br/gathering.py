"""The pieces of time of one sentence, gathered from wherever they stand, one of a kind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from daemon.language.pt_br import pieces
from daemon.language.pt_br.clocks import Clock
from daemon.language.pt_br.month_days import WEEKDAYS
from daemon.language.words import Word

_BETWEEN = frozenset({"e", "la", "pra", "para", "de", "no", "na", "mais", "por"})


@dataclass(slots=True)
class Gathered:
    """The pieces found so far, one of a kind (`also` holds further hours), and the places that they took."""

    parts: dict[str, object] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def take(self, kind: str, value: object, span: tuple[int, int], words: Sequence[Word]) -> bool:
        """Keep a piece unless there is one of its kind; tell whether it was kept."""
        if kind == "clock" and self._again(value, span[0], words):
            self.spans.append(span)
            return True
        same_day = kind == "day" and bool(self.spans) and self.spans[-1][1] == span[0]  # "na quinta, dia 19"
        if kind in self.parts and not same_day:
            return False
        if not (same_day and kind in self.parts and words[span[0]].plain in WEEKDAYS):  # "dia 12, sexta" tells no more
            self.parts[kind] = value
        self.spans.append(span)
        return True

    def _again(self, value: object, at: int, words: Sequence[Word]) -> bool:
        """Keep a further hour of a recurrence ("todo dia às 7 e às 19"); tell whether it is one."""
        first, last = self.parts.get("clock"), self.spans[-1][1] if self.spans else at
        listed = (last == at and at > 0 and words[at - 1].mark == ",") or (last == at - 1 and words[last].plain == "e")
        if not (listed and words[at].plain == "as" and "rule" in self.parts):
            return False
        if not isinstance(first, Clock) or not isinstance(value, Clock) or value.minute != first.minute:
            return False
        self.parts["also"] = (*further(self.parts), value)
        return True


def further(parts: dict[str, object]) -> tuple[object, ...]:
    """Return the hours of a recurrence besides the first."""
    also = parts.get("also", ())
    return also if isinstance(also, tuple) else ()


def gather(words: Sequence[Word], today: date, *, waking: bool) -> Gathered:
    """Return the pieces of time in `words`; `waking` takes a number alone for an hour."""
    plain = tuple(word.plain for word in words)
    said = Gathered()
    at = 0
    while at < len(plain):
        may_begin = plain[at] in pieces.STARTS or plain[at][0].isdigit()
        expected = waking or (bool(said.spans) and said.spans[-1][1] == at and "day" in said.parts)
        expected = expected or _when_it_is(plain, at)
        piece = pieces.read(words, plain, at, today, expected=expected) if may_begin else None
        at = piece.end if piece and said.take(piece.kind, piece.value, (at, piece.end), words) else at + 1
    return said


def _when_it_is(plain: Sequence[str], at: int) -> bool:
    """Tell whether an hour follows `quando for`."""
    return at > 1 and plain[at - 2] == "quando" and plain[at - 1] in {"for", "forem", "der", "derem", "bater"}


def gone(spans: Sequence[tuple[int, int]], words: Sequence[Word]) -> set[int]:
    """Return the places taken by time, little words between two pieces of it included."""
    plain = tuple(word.plain for word in words)
    taken = {i for start, end in spans for i in range(start, end)}
    for (_, end), (start, _) in pairwise(spans):
        if 0 < start - end <= 2 and all(plain[i] in _BETWEEN for i in range(end, start)):
            taken.update(range(end, start))
    first = spans[0][0]
    if first and plain[first - 1] in {"pra", "para", "pro", "ja", "agora"} and first - 1 not in taken:
        taken.add(first - 1)
    return taken | ({first - 1, first - 2} if _when_it_is(plain, first) else set())
