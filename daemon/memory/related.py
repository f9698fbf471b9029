"""Words that say the same, or bring each other to mind: what a question asks for may have been told in other words.

`related.txt` holds a group a line, written by hand: words, and expressions of two or three, of Brazilian homes.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from math import log

import Stemmer

from daemon.language.words import fold, plain_words
from db.memory_words import AskedWord

QUESTION_WORDS = frozenset(
    "onde quanto quanta quantos quantas qual quais quem quando como que por porque cade sabe lembra lembrar falei falou"
    " disse contei contou sobre mesmo aqui gente coisa fica ficou esta estao ta tem ter pra pro pras pros vai vou mim"
    " hein eh ne aquele aquela hora horas dia dias".split()
)
"""Words that ask, and name nothing that could be found."""
EMPTY_WORDS = QUESTION_WORDS | frozenset(
    "a o as os um uma uns umas de do da dos das em no na nos nas pelo pela com sem e ou se eu tu ele ela eles elas me"
    " te lhe meu minha meus minhas seu sua seus suas nosso nossa esse essa isso este isto ao aos foi era ser sao tinha"
    " ja nao sim mais muito mas para".split()
)
WEIGHT = 0.7
"""What a related word counts beside the one that was asked for."""
CROWD = 4
"""In a group of more words than this, each tells less."""
BESIDE_MEANING, ALONE = 160, 400
"""So many related words are looked for, those that tell most: fewer where the meaning finds, too.

Each costs a look at the index.
"""
LONGEST = 3
"""Words of an expression."""

Stems = tuple[str, ...]
Group = tuple[tuple[str, ...], ...]
"""Expressions that go together, each as its words."""


@dataclass(frozen=True, slots=True)
class Relations:
    """The groups, in which of them an expression stands, by its stems, and how many hold a word."""

    groups: Sequence[Group]
    places: Mapping[Stems, Sequence[int]]
    holding: Mapping[str, int]

    def rarity(self, word: str) -> float:
        """Return how much a word tells: little where many groups hold it."""
        return log(1 + len(self.groups) / self.holding[word])

    def of(self, stems: Stems) -> Iterator[tuple[str, float]]:
        """Yield the words of what is related to an expression, with what each of them counts."""
        for number in self.places.get(stems, ()):
            group = self.groups[number]
            for words in group:
                for word in words:
                    yield word, WEIGHT * min(1.0, CROWD / len(group)) / len(words)


def asked_words(text: str, most_related: int = ALONE) -> list[AskedWord]:
    """Return the words to look for: those of the text that do not merely ask, and what is related to them."""
    words = [word for word in plain_words(text) if word not in EMPTY_WORDS]
    stems, relations = _stems(words), relations_of_homes()
    related: dict[tuple[int, str], float] = {}
    for place in range(len(words)):
        for length in range(1, min(LONGEST, len(words) - place) + 1):
            for word, weight in relations.of(stems[place : place + length]):
                if related.get((place, word), 0.0) < weight:
                    related[place, word] = weight
    most = sorted(related.items(), key=lambda one: -one[1] * relations.rarity(one[0][1]))[:most_related]
    return [
        *(AskedWord(place, word, 1.0) for place, word in enumerate(words)),
        *(AskedWord(place, word, weight) for (place, word), weight in most),
    ]


@cache
def relations_of_homes() -> Relations:
    """Return what the file holds; read once, a third of a second."""
    groups: list[Group] = []
    places: dict[Stems, list[int]] = {}
    for line in files(__package__).joinpath("related.txt").read_text(encoding="utf-8").splitlines():
        expressions = [tuple(_telling(one)) for one in fold(line).split(",")]
        group = tuple(words for words in expressions if words)
        for stems in {_stems(words) for words in group}:
            places.setdefault(stems, []).append(len(groups))
        groups.append(group)
    return Relations(groups, places, Counter(word for group in groups for word in set(chain.from_iterable(group))))


def _telling(expression: str) -> Iterator[str]:
    return (sys.intern(word) for word in expression.split() if word not in EMPTY_WORDS)


def _stems(words: Sequence[str]) -> Stems:
    return tuple(_stemmer().stemWords(list(words)))


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("portuguese")
