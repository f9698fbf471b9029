"""The words of a command as they are matched: all of them, or all but those of time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from daemon.language.patterns import Pattern
from daemon.language.pt_br.moments import When
from daemon.language.words import Sentence, Word

_LONGEST_NAME = 6
"""Words. What is longer is a story, and no name of a thing."""
_NAMES = frozenset("o a os as meu minha meus minhas nosso nossa esse essa aquele aquela um uma".split())
"""A thing that is not known begins with one of these: "abre a janela", and not "liga pra minha mãe"."""
_CONTRACTED = {"da": "a", "do": "o", "na": "a", "no": "o", "das": "as", "dos": "os", "nas": "as", "nos": "os"}
_OF_THINGS = frozenset({"volume", "brilho", "som", "cor", "temperatura", "velocidade", "intensidade"})
_TELLS = frozenset({"que", "quem", "se", "porque", "quando", "como"})


@dataclass(frozen=True)
class View:
    """The words to match, and the moment that was taken out of them; `until` it, where "até" stood before."""

    words: Sequence[Word]
    when: When | None
    until: bool = False

    @cached_property
    def text(self) -> str:
        """The plain words, each with a space after it."""
        return "".join(f"{word.plain} " for word in self.words)

    @cached_property
    def at(self) -> dict[int, int]:
        """Which word begins at a place of `text` (the end included)."""
        places, here = {}, 0
        for i, word in enumerate(self.words):
            places[here] = i
            here += len(word.plain) + 1
        places[here] = len(self.words)
        return places

    def pointed(
        self,
        acts: bool,
        pattern: Pattern,
        match: re.Match[str],
        sentence: Sentence,
    ) -> list[tuple[int, str]]:
        """Return how much of the sentence and what it was that a command pointed at, if that may be a thing's name."""
        if not acts or "alvo" not in pattern.slots or match["alvo"] is None or not pattern.literals:
            return []
        begin = self.at[match.start("alvo")]
        words = self.words[begin : self.at[match.end("alvo")]]
        plain = [word.plain for word in words]
        article = _CONTRACTED.get(self.words[begin - 1].plain, "") if begin else ""
        if not words or not (article or plain[0] in _NAMES) or (plain[1:2] and plain[1] in _OF_THINGS):
            return []
        if not 2 <= len(words) + bool(article) <= _LONGEST_NAME or not _TELLS.isdisjoint(plain):
            return []
        said = sentence.said(words).rstrip(".,;:!?…")
        return [(len(words), f"{article} {said}".strip())]
