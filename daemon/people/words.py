"""What a household calls the parts of a permission: roles, domains, days; from words to them, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import cast

from daemon.language.lexicon import load_yaml
from daemon.language.words import fold
from daemon.people.person import Role
from daemon.people.wanted import TOPICS
from models.words import Effect

EVERYTHING = frozenset({"tudo", "*", "everything"})


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language, folded, and the first of each as it is told."""

    roles: Mapping[str, Role]
    domains: Mapping[str, str]
    days: Mapping[str, int]
    told: Mapping[str, str]
    effects: Mapping[Effect, str]

    @staticmethod
    @lru_cache(maxsize=4)
    def load(language: str) -> "Words":
        """Read the language's `permissions.yaml`."""
        rows = load_yaml(language, "permissions.yaml")
        roles = {fold(word): cast("Role", role) for role, words in rows["roles"].items() for word in (role, *words)}
        domains = {fold(word): domain for domain, words in rows["domains"].items() for word in (domain, *words)}
        days = {fold(word)[:3]: int(day) for word, day in rows["weekdays"].items()}
        told = {name: words[0] for part in ("roles", "domains") for name, words in rows[part].items()}
        return Words(roles, domains, days, told, rows["effects"])

    def role(self, text: str) -> Role | None:
        """Return the role that is meant, or None."""
        return self.roles.get(fold(text))

    def subject(self, text: str) -> tuple[str | None, str | None]:
        """Return (intent, domain) that is meant; both None for everything. Raises ValueError for neither."""
        plain = fold(text)
        if plain in EVERYTHING:
            return None, None
        if text in TOPICS:
            return text, None
        domain = self.domains.get(plain) or next((topic for topic in TOPICS.values() if topic == plain), None)
        if domain is None:
            raise ValueError(f"não sei o que é “{text}”; por exemplo: luz, tv, portão, lembretes, tudo")
        return None, domain

    def weekdays(self, text: str) -> tuple[int, ...]:
        """Return the days that are meant (1 is Monday): `seg,qua`, `seg-sex`. Raises ValueError."""
        days: set[int] = set()
        for part in text.replace(" ", "").split(","):
            ends = [self.days.get(fold(one)[:3]) for one in part.split("-")]
            if None in ends or not 1 <= len(ends) <= 2:
                raise ValueError(f"não sei que dias são “{text}”; por exemplo: seg-sex, ou sab,dom")
            first, last = cast("int", ends[0]), cast("int", ends[-1])
            days |= set(range(first, last + 1)) if first <= last else {*range(first, 8), *range(1, last + 1)}
        return tuple(sorted(days))


def clock(text: str) -> time:
    """Return an hour of the day: `21:00`, `21h`, `21h30`. Raises ValueError."""
    hour, _, minute = fold(text).replace("h", ":").partition(":")
    try:
        return time(int(hour) % 24, int(minute or 0))
    except ValueError as wrong:
        raise ValueError(f"“{text}” não é uma hora; por exemplo: 21:00") from wrong
