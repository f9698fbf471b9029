"""Duckling's Portuguese corpora: `python -m tests.bench.duckling CHECKOUT`. Exits 1 below 95 %.

CHECKOUT is a copy of facebook/duckling (BSD), read and never copied from. Of its moments those count that a household
can be reminded at: a day or finer, and not before the corpus's present (12 February 2013, 4:30, two hours behind UTC).
A moment is right to the corpus's own grain. Durations and numbers are told beside it, without a bar: the corpora of
both hold things that nobody says to a house ("3000K", "negativo 1,2M").
"""

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from daemon.commands.when import told
from daemon.language.pt_br import durations, numbers
from daemon.language.words import plain_words

BAR = 95.0
NOW = datetime(2013, 2, 12, 4, 30, tzinfo=timezone(timedelta(hours=-2)))
_EXAMPLES = re.compile(r"examples \((.*?)\)\s*\[(.*?)\n\s*\]", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_MOMENT = re.compile(r"datetime \((\d+), (\d+), (\d+), (\d+), (\d+), (\d+)\)? (Day|Hour|Minute|Second)")
_DURATION = re.compile(r"DurationData (\d+) (\w+)")
_NUMBER = re.compile(r"NumeralValue \(?(-?[\d.]+)")
_GRAINS = {"Day": 3, "Hour": 4, "Minute": 5, "Second": 6}
_UNITS = {"Second": 1, "Minute": 60, "Hour": 3600, "Day": 86400, "Week": 604_800}


class Example(NamedTuple):
    """What the corpus says of a text, as it is written there."""

    text: str
    value: str


def examples(checkout: Path, dimension: str) -> Iterator[Example]:
    """Return all texts of a corpus with what they mean."""
    source = (checkout / "Duckling" / dimension / "PT" / "Corpus.hs").read_text("utf-8")
    source = source[source.index("allExamples = ") :]
    for value, texts in _EXAMPLES.findall(source):
        for text in _TEXT.findall(texts):
            yield Example(text, " ".join(value.split()))


def moments(checkout: Path) -> tuple[int, list[str]]:
    """Return how many future moments there are, and which are told wrongly."""
    total, wrong = 0, []
    for text, value in examples(checkout, "Time"):
        found = _MOMENT.match(value)
        wanted = tuple(map(int, found.groups()[:6])) if found else ()
        fine = _GRAINS[found[7]] if found else 0
        if found is None or wanted[:fine] < NOW.timetuple()[:fine]:
            continue
        total += 1
        said = told(text, NOW)["start"]
        got = datetime.fromisoformat(said).timetuple()[:6] if said else ()
        if got[:fine] != wanted[:fine]:
            wrong.append(f"{text!r}: {value}, not {said}")
    return total, wrong


def lengths(checkout: Path) -> tuple[int, list[str]]:
    """Return how many durations there are, and which are told wrongly."""
    total, wrong = 0, []
    for text, value in examples(checkout, "Duration"):
        found = _DURATION.search(value)
        if found:
            total += 1
            got = durations.whole(plain_words(text))
            wrong += [] if got == int(found[1]) * _UNITS[found[2]] else [f"{text!r}: {value}, not {got}"]
    return total, wrong


def figures(checkout: Path) -> tuple[int, list[str]]:
    """Return how many numbers there are, and which are told wrongly."""
    total, wrong = 0, []
    for text, value in examples(checkout, "Numeral"):
        found = _NUMBER.search(value)
        if found:
            total += 1
            got = numbers.whole(plain_words(text))
            good = got is not None and abs(got - float(found[1])) < 1e-6
            wrong += [] if good else [f"{text!r}: {value}, not {got}"]
    return total, wrong


def main() -> int:
    """Measure all three, print what is wrong and the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    checkout = parser.parse_args().checkout
    share = 0.0
    for name, measure in (("numbers", figures), ("durations", lengths), ("moments", moments)):
        total, wrong = measure(checkout)
        print(*(f"  {line}" for line in wrong), sep="\n")
        share = 100 * (total - len(wrong)) / max(1, total)
        print(f"{name}: {total - len(wrong)}/{total} ({share:.1f} %)")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
