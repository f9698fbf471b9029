"""Sentence files: what they may say, and that mistakes are told."""

import pytest

from daemon.language import book, lexicon
from daemon.language.patterns import BadPattern, compile_pattern

PIECES = {"ligar": "(liga|ligue)", "em": "(em|na)"}


@pytest.mark.parametrize(
    ("text", "slots"),
    [("liga a luz em cinco ", {"alvo": "a luz ", "brilho": "cinco "}), ("ligue bem a luz da sala na metade ", {"alvo": "a luz da sala "}),
     ("apaga a luz em cinco ", None), ("liga em cinco ", None)],
)  # fmt: skip
def test_matching(text: str, slots: dict[str, str] | None) -> None:
    pattern = compile_pattern("<ligar> [bem] {alvo} <em> {brilho}", PIECES, {})
    match = pattern.regex.fullmatch(text)
    assert (match is not None) == (slots is not None)
    if match and slots:
        assert slots.items() <= match.groupdict().items()


def test_a_pattern_knows_words_that_it_needs() -> None:
    pattern = compile_pattern("[me] <ligar> (a luz|o abajur) {alvo}", PIECES, {})
    assert pattern.anchors == {"liga", "ligue"}
    assert not compile_pattern("[liga] {alvo}", PIECES, {}).anchors


@pytest.mark.parametrize("source", ["(liga", "liga]", "<nada> {alvo}", "{alvo} {alvo}", "liga; {alvo}", "[liga)"])
def test_mistakes_are_told_with_the_sentence(source: str) -> None:
    with pytest.raises(BadPattern) as told:
        compile_pattern(source, PIECES, {})
    assert source in str(told.value)


def test_every_sentence_of_the_book_is_reached() -> None:
    """Each sentence matches a text built from it: no word in it can never be heard."""
    pieces = lexicon.load("pt_br").pieces
    shelf = book.load("pt_br")
    entries = {id(entry): entry for _, entry in enumerate(e for found in shelf.by_anchor.values() for e, _ in found)}
    assert len(entries) > 60
    assert all(pattern.literals or pattern.slots for entry in entries.values() for pattern in entry.patterns)
    assert all(compile_pattern(f"<{name}>", pieces, {}) for name in pieces)
