"""Words in a row: cutting at a joint, finding and taking out phrases."""

from collections.abc import Sequence

from daemon.language.lexicon import Phrase


def split(words: Phrase, joint: str) -> list[Phrase]:
    """Cut words at a joint, empty pieces left out."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == joint:
            parts.append([])
        else:
            parts[-1].append(word)
    return [tuple(part) for part in parts if part]


def find(words: Phrase, wanted: Sequence[Phrase]) -> tuple[int, int] | None:
    """Return where the first of the wanted phrases (longest first) stands: its begin and end."""
    for phrase in wanted:
        if phrase[0] in words:
            for at in range(len(words) - len(phrase) + 1):
                if words[at : at + len(phrase)] == phrase:
                    return at, at + len(phrase)
    return None


def without(words: Phrase, unwanted: Sequence[Phrase]) -> tuple[bool, Phrase]:
    """Take the first of the unwanted phrases out; tell whether there was one."""
    found = find(words, unwanted)
    return (True, words[: found[0]] + words[found[1] :]) if found else (False, words)
