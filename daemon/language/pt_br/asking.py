"""The questions that a plan asks back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from daemon.language.plan import Thing
from daemon.language.pt_br import grammar
from daemon.language.pt_br.spoken_time import spoken_moment

FOR_WHEN = "Para quando?"
_MOST_NAMED = 4


def which_one(choices: Sequence[Thing]) -> str:
    """Ask which of several things was meant: `A da sala ou a da cozinha?`."""
    called = Counter(thing.name.casefold() for thing in choices)
    names = list(dict.fromkeys(_told_apart(thing, called) for thing in choices))
    if len(names) > _MOST_NAMED:
        return "De qual cômodo?"
    return grammar.which(names)


def _told_apart(thing: Thing, called: Mapping[str, int]) -> str:
    same = called[thing.name.casefold()]
    return f"{thing.name} {grammar.of(thing.area)}" if same > 1 and thing.area else thing.name


def already_past(start: datetime | None, now: datetime) -> str:
    """Say that the moment is over and ask for another."""
    said = spoken_moment(start, now) if start else "Essa hora"
    return f"{said[0].upper()}{said[1:]} já passou. Para quando seria?"
