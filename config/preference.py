"""What a preference is: a key, a default, and the rule that its values keep, in Python and in the database alike.

`reloads` names the part of the daemon that is rebuilt when the value changes.
"""

import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import available_timezones

T = TypeVar("T", bool, int, float, str)
Part = Literal["wake_word", "stt", "tts", "brain", "embedding", "voices", "microphone", "speaker", "nothing"]


class InvalidPreference(ValueError):  # noqa: N818 - it names the value, which is what is invalid
    """A value breaks its rule; the message names the key, the rule and the value, in Portuguese."""


@dataclass(frozen=True, slots=True)
class Preference(Generic[T]):
    """One key of the config table. Bounds are inclusive, and every number has both.

    `pattern` is a regular expression for the whole text, in the words that Python (with re.ASCII) and PostgreSQL read
    alike: classes, repetition, alternatives; `shape` says it in Portuguese. Text holds no control characters.
    """

    key: str
    default: T
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    shape: str = ""
    is_timezone: bool = False
    reloads: Part = "nothing"

    @property
    def kind(self) -> type[T]:
        """The Python type of the value: bool, int, float or str."""
        return type(self.default)

    @property
    def rule(self) -> str:
        """The rule in Portuguese, as the database and the command line say it."""
        if isinstance(self.default, bool):
            return "true ou false"
        if isinstance(self.default, int):
            return f"número inteiro de {self.minimum:g} a {self.maximum:g}"
        if isinstance(self.default, float):
            return f"número de {self.minimum:g} a {self.maximum:g}"
        if self.is_timezone:
            return 'um fuso horário, como "America/Sao_Paulo"'
        if self.choices:
            return "um destes textos: " + ", ".join(self.choices)
        shape = self.shape or f"de até {MAX_TEXT} letras, em uma linha só"
        return f"um texto {shape}" + (f', como "{self.default}"' if self.default else "")

    def read(self, value: object) -> T:
        """Return `value` (decoded JSON) as this preference's type. Raises InvalidPreference."""
        accepted = self._accepted(value)
        if accepted is None:
            raise InvalidPreference(f"{self.key}: precisa ser {self.rule}; recebeu {_shown(value)}")
        return accepted

    def _accepted(self, value: object) -> T | None:
        kind = self.kind
        if kind is bool or isinstance(value, bool):  # to Python, false is an int as well
            return kind(value) if kind is bool and isinstance(value, bool) else None
        if kind is str:
            return kind(value) if isinstance(value, str) and self._text_fits(value) else None
        # A whole number beyond every float cannot be compared by way of one; infinity and NaN fail the comparison.
        if not isinstance(value, int | float) or not -sys.float_info.max <= value <= sys.float_info.max:
            return None
        if kind is int and value != int(value):
            return None
        low, high = self.minimum, self.maximum
        return kind(value) if (low is None or value >= low) and (high is None or value <= high) else None

    def _text_fits(self, value: str) -> bool:
        if self.choices:
            return value in self.choices
        if self.is_timezone:
            return value in timezones()
        if self.pattern is not None and re.fullmatch(self.pattern, value, re.ASCII) is None:
            return False
        return len(value) <= MAX_TEXT and UNFIT_TEXT.search(value) is None


def _shown(value: object) -> str:
    """Return the start of a refused value, as JSON, in characters that any terminal and log can write."""
    try:
        shown = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        shown = type(value).__name__
    return shown[:80].encode("utf-8", "backslashreplace").decode()


@cache
def timezones() -> frozenset[str]:
    """Return the names of the time zones that this machine knows."""
    return frozenset(available_timezones())


UNFIT_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, which have no place in a setting, and halves of surrogate pairs, which UTF-8 cannot write."""
MAX_TEXT = 500
"""Longest text of a preference, in characters."""

DECLARED: dict[str, Preference[Any]] = {}
"""Every preference by its key."""


def declare(preference: Preference[T]) -> Preference[T]:
    """Enter a preference into DECLARED, and return it."""
    assert preference.key not in DECLARED  # noqa: S101 - a mistake in one of the files that declare
    DECLARED[preference.key] = preference
    return preference
