"""What a sentence may point at, and what was found."""

from dataclasses import dataclass

from daemon.language.plan import Thing, Value


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sentence may point at.

    `to` is the state asked for, `head` the noun left out of `a da cozinha`, `area_is` the domain meant by naming a room
    only, `everything` the domains of `tudo`; `device_class` narrows sensors, `whole_name` allows no part of a name,
    `every` asks about all of a kind wherever they are.
    """

    domains: frozenset[str]
    to: str | None = None
    head: str | None = None
    area_is: str | None = None
    everything: frozenset[str] = frozenset()
    device_class: str | None = None
    whole_name: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the things, the slots that tell it, how sure (0 to 1), what was taken for granted.

    `choices` holds the candidates where nothing but asking can decide; then `things` is empty. `head` is the noun, for
    the sentence that goes on with "e a da cozinha".
    """

    things: tuple[Thing, ...]
    slots: tuple[tuple[str, Value], ...] = ()
    score: float = 1.0
    head: str | None = None
    area: str | None = None
    choices: tuple[Thing, ...] = ()
    assumed: str | None = None


def naming(things: tuple[Thing, ...], area: str | None) -> tuple[tuple[str, Value], ...]:
    """Return the slots that tell the things: the name of one, or what several share."""
    if len(things) == 1:
        return (("name", things[0].name),)
    classes = {thing.device_class for thing in things}
    slots = grouping(things, area)
    return (*slots, ("device_class", next(iter(classes)))) if len(classes) == 1 and None not in classes else slots


def grouping(things: tuple[Thing, ...], area: str | None) -> tuple[tuple[str, Value], ...]:
    """Return the slots of a group: its domain where it has one, its room where one was meant."""
    domains = {thing.domain for thing in things}
    slots: tuple[tuple[str, Value], ...] = (("domain", next(iter(domains))),) if len(domains) == 1 else ()
    return (*slots, ("area", area)) if area else slots
