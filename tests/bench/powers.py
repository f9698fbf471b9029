"""Who is given what a person's role may: strangers, who never should be, and members, at the first sentence or a later one.

Every person is tried against every other's voiceprint as in a house of one, which is the easiest to be taken for: nobody
else of the house raises the threshold. People are parted into two halves by chance. From one of them the least
`voices.trust` is read at which no stranger of it would have been given powers, in any condition; what it and the
preference let pass in the other half is counted, and the other way round. Attempts are three sentences one after the other, and a stranger's
sentence right after two of the member's own. Of 0 among N the true rate is below 3/N with 95 % (rule of three), were the
attempts independent; they are of few people, so it is rather a bound for voices like these.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from config.preferences import Preferences
from config.voices import VOICES_THRESHOLD, VOICES_TRUST
from daemon.people.voices.trust import enough
from daemon.people.voices.voiceprint import LEAST_S, Vector, Voiceprint, alike, calibrated, needed

Said = Mapping[str, Mapping[str, Sequence[Vector]]]
"""The vectors of trials by condition and person."""
SAME = ({"asterisk_en_US_f_Allison", "asterisk_es_MX_f_Allison"},)
"""One person in two folders."""
AT_MOST, STEP = 0.6, 0.01


@dataclass(frozen=True)
class Attempt:
    """Three sentences, whose, against whose print; `before` are the member's own. `spare` as in `Heard`, None: not known."""

    way: str
    who: str
    print: str
    spare: tuple[float | None, ...]
    before: tuple[float | None, ...] = ()

    def passes(self, above: float) -> int | None:
        """Return at which sentence this is given powers; None for never."""
        weak = [one for one in self.before if one is not None and one < above]
        for number, one in enumerate(self.spare):
            if one is None:
                weak = []
                continue
            if enough([one, *reversed(weak)], above):
                return number
            weak.append(one)
        return None


def powers(said: Said, seconds: Mapping[str, float], prints: Mapping[str, Voiceprint]) -> list[str]:
    """Return what came out, as lines."""
    attempts = list(_attempts(said, seconds, prints))
    same = {(a.person.name, b.person.name) for a, b in alike(list(prints.values()))}
    strangers = [one for one in attempts if one.who != one.print]
    apart = [one for one in strangers if not {(one.who, one.print), (one.print, one.who)} & same]
    members = [one for one in attempts if one.who == one.print]
    above = Preferences()[VOICES_TRUST]
    names = [str(name) for name in np.random.default_rng(12).permutation(sorted(prints))]
    halves = [{name for name in names if names.index(_first(name, names)) % 2 == half} for half in (0, 1)]
    lines = [f"  poderes, voices.trust {above}; {len(same)} pares de vozes que a casa chama de quase iguais:"]
    lines += [f"    {title}: {_told(group, above)}" for title, group in (("todos", strangers), ("sem esses", apart))]
    for chosen, other in (halves, halves[::-1]):
        level = least(_within(apart, chosen))
        rest = _within(apart, other)
        lines.append(f"    numa metade bastaria {level:.2f}; com isso, na outra: {_told(rest, level)}")
        lines.append(f"      e com {above}: {_told(rest, above)}")
    for way in said:
        own = [one.passes(above) for one in members if one.way == way]
        at = [sum(each is not None and each <= number for each in own) / max(1, len(own)) for number in range(3)]
        lines.append(
            f"    {way:<16} de quem mora: na hora {at[0]:.0%}, até a 2ª frase {at[1]:.0%}, até a 3ª {at[2]:.0%}"
        )
    return lines


def least(strangers: Iterable[Attempt]) -> float:
    """Return the least level, in steps of 0.01, at which none of these is given powers."""
    tried = list(strangers)
    levels = np.arange(0, AT_MOST, STEP)
    return float(next((level for level in levels if all(one.passes(level) is None for one in tried)), AT_MOST))


def _attempts(said: Said, seconds: Mapping[str, float], prints: Mapping[str, Voiceprint]) -> Iterator[Attempt]:
    least_likeness = Preferences()[VOICES_THRESHOLD]
    for name, one in prints.items():
        [known] = calibrated([one], least_likeness)
        for way, people in said.items():
            length = max(seconds[way], LEAST_S)
            limit, from_ = needed(known.threshold, length), needed(known.sure_from, length)
            spare = {
                who: [score - from_ if (score := known.likeness(vector)) >= limit else None for vector in vectors]
                for who, vectors in people.items()
            }
            own = spare[name]
            for who, theirs in spare.items():
                if {who, name} in SAME:
                    continue
                for at in range(len(theirs)):
                    three = tuple(theirs[(at + step) % len(theirs)] for step in range(min(3, len(theirs))))
                    yield Attempt(way, who, name, three)
                    if who != name and len(own) > 1:
                        both = own[at % len(own)], own[(at + 1) % len(own)]
                        yield Attempt(way, who, name, three[:1], both)


def _within(attempts: Iterable[Attempt], people: set[str]) -> list[Attempt]:
    return [one for one in attempts if {one.who, one.print} <= people]


def _told(attempts: Sequence[Attempt], above: float) -> str:
    passed = [one for one in attempts if one.passes(above) is not None]
    bound = f" (< {3 / max(1, len(attempts)):.2%})" if not passed else ""
    who = ", ".join(sorted({f"{one.who} por {one.print}" for one in passed})[:6])
    first = sum(one.passes(above) == 0 and not one.before for one in passed)
    return f"{len(passed)} de {len(attempts)} tentativas de estranhos{bound}" + (
        f", {first} na primeira frase, {len({(one.who, one.print) for one in passed})} pares: {who}" if passed else ""
    )


def _first(name: str, names: Sequence[str]) -> str:
    """Return the name under which a person of several folders is counted."""
    return next((other for pair in SAME if name in pair for other in names if other in pair), name)
