"""A rule as a person says it: "a Ana pode abrir o portão", "criança não liga a TV depois das nove da noite"."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time

from daemon.language.plan import Intent, Plan
from daemon.language.words import fold
from daemon.people.person import Person
from daemon.people.rules import FINE, RISKY
from daemon.people.wanted import wanted
from daemon.people.words import Words
from daemon.skills.moments import said
from daemon.skills.skill import Context
from db.permissions import PermissionRow
from models.words import Effect

LEAD = re.compile(r"^(?:a partir de agora|de agora em diante|de hoje em diante)?\s*(?:(?:os|as|o|a)\s+)?")
MODALS: tuple[tuple[str, Effect], ...] = (
    (r"nao pode(?:m)?(?: mais)?", "deny"),
    (r"precisam? pedir(?: permissao| licenca)? (?:pra|para)", "ask"),
    (r"(?:ja |so )?podem?", "allow"),
    (r"nao", "deny"),
)
HOURS = (
    re.compile(r"\s+(?:entre|d[ae]s)\s+(?:as\s+)?(?P<begins>.+?)\s+(?:e|as|ate|ate as)\s+(?:as\s+)?(?P<ends>.+)$"),
    re.compile(r"\s+(?:depois|a partir)\s+d[aeo]s?\s+(?P<begins>.+)$"),
    re.compile(r"\s+antes\s+d[aeo]s?\s+(?P<ends>.+)$"),
)
MORNING, MIDNIGHT = time(6), time(0)
"""Until when "depois das nove" lasts, and since when "antes das oito"."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A rule; `words` tell it again, `now` what holds until then. `who` it is for, and the intents it was made of."""

    rule: PermissionRow
    who: str
    intents: tuple[Intent, ...]
    words: str = ""
    now: str = ""


def spoken_rule(
    text: str, context: Context, people: Sequence[Person], understand: Callable[[str, Context], Plan]
) -> Spoken | None:
    """Return the rule that a sentence tells, or None where it tells none that is whole."""
    plain = LEAD.sub("", re.sub(r"[.!]+$", "", fold(text)).strip())
    begins, ends, rest = _hours(plain, context)
    for modal, effect in MODALS:
        parted = re.match(rf"^(?P<who>.+?)\s+{modal}\s+(?P<what>.+)$", rest)
        if parted is None:
            continue
        whose = _whose(parted["who"], people)
        intents = understand(parted["what"], context)
        if whose is None or intents.route != "skill" or intents.question is not None or not intents.intents:
            return None
        domain, area = _about(intents.intents, context)
        rule = PermissionRow(effect, whose.role, whose.user_id, None, domain, area, from_time=begins, until_time=ends)
        return None if domain is None else Spoken(rule, _who(whose, people), intents.intents)
    return None


def _whose(who: str, people: Sequence[Person]) -> PermissionRow | None:
    role = Words.load("pt_br").role(who)
    if role is not None:
        return PermissionRow("deny", role)
    found = [one for one in people if one.name and who in {fold(one.name), fold(one.name).split()[0]}]
    return PermissionRow("deny", None, found[0].id) if len(found) == 1 else None


def _who(whose: PermissionRow, people: Sequence[Person]) -> str:
    """Return for whom a rule is, as it is told."""
    if whose.role is not None:
        return Words.load("pt_br").told[whose.role]
    return next(str(one.name) for one in people if one.id == whose.user_id)


def _about(intents: Sequence[Intent], context: Context) -> tuple[str | None, str | None]:
    """Return the domain that says most of what is meant, and the room where one was said; None for several things."""
    told = [one for intent in intents for one in wanted(intent, context)]
    domains = {max(one.domains - {RISKY} or {RISKY}, key=lambda domain: (domain in FINE, domain)) for one in told}
    areas = {intent.slots.get("area") for intent in intents}
    area = next(iter(areas)) if len(areas) == 1 else None
    return (domains.pop() if len(domains) == 1 else None), area if isinstance(area, str) else None


def _hours(plain: str, context: Context) -> tuple[time | None, time | None, str]:
    """Return when it begins and ends each day, and the sentence without that."""
    for form in HOURS:
        found = form.search(plain)
        if found is None:
            continue
        parts = found.groupdict()
        begins = _clock(parts["begins"], context) if parts.get("begins") else MIDNIGHT
        ends = _clock(parts["ends"], context) if parts.get("ends") else MORNING
        if begins is not None and ends is not None and begins != ends:
            return begins, ends, plain[: found.start()]
    return None, None, plain


def _clock(text: str, context: Context) -> time | None:
    """Return the hour of the day that words tell."""
    found = said(f"às {text}", context.now.replace(hour=0, minute=0, second=0))
    return None if found is None or not found.hour else found.at.time().replace(second=0, microsecond=0, tzinfo=None)
