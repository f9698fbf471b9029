"""A streamed answer becomes sentences as soon as each is certain."""

from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.errors import EngineFailed
from daemon.sentences import LONGEST, MOST, Cutter


async def sentences(
    pieces: AsyncIterator[str], *, longest: int = LONGEST, most: int = MOST
) -> AsyncGenerator[str, None]:
    """Yield the sentences as a Cutter gives them, reading no further once it is full."""
    cutter = Cutter(longest=longest, most=most)
    async for piece in pieces:
        for sentence in cutter.push(piece):
            yield sentence
        if cutter.full:
            return
    for sentence in cutter.rest():
        yield sentence


async def streamed(text: str, size: int) -> AsyncIterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def cut(text: str, size: int = 1, *, longest: int = LONGEST, most: int = 10_000) -> list[str]:
    return [sentence async for sentence in sentences(streamed(text, size), longest=longest, most=most)]


CUTS = {
    "Olá! Tudo bem? São 14h.30 agora.": ["Olá!", "Tudo bem?", "São 14h.30 agora."],
    "O Sr. João e a Dra. Ana chegaram. Abra a porta.": ["O Sr. João e a Dra. Ana chegaram.", "Abra a porta."],
    "São 3.5 graus. Ou 3,5.": ["São 3.5 graus.", "Ou 3,5."],
    "Maçãs, peras, etc. e tal. Fim": ["Maçãs, peras, etc. e tal.", "Fim"],
    "Maçãs, peras, etc. Depois pão.": ["Maçãs, peras, etc.", "Depois pão."],
    "É… pode ser. Talvez… Não sei?! Sei.": ["É… pode ser.", "Talvez…", "Não sei?!", "Sei."],
    "Lista:\n1. Leite\n2. Pão.\n- Ovos\nFim": ["Lista:", "1. Leite", "2. Pão.", "- Ovos", "Fim"],
    "J. K. Rowling escreveu. Sim.": ["J. K. Rowling escreveu.", "Sim."],
    'Ele disse "Sim." Depois saiu.': ['Ele disse "Sim."', "Depois saiu."],
    "**Pronto.** Mais nada": ["**Pronto.**", "Mais nada"],
    "Fim.\n\n\nNovo": ["Fim.", "Novo"],
    "Veja www.exemplo.com.br agora. Sim": ["Veja www.exemplo.com.br agora.", "Sim"],
    "Veja:\n```python\nprint('Oi. Tudo')\n```\nPronto. Acabou": ["Veja:", "Pronto.", "Acabou"],
    "Veja: ```sem fim. Ai": ["Veja:"],
    "😀 Oi! 😀": ["😀 Oi!"],
    "": [],
    " \n ": [],
    "...": [],
}


@pytest.mark.parametrize(("text", "expected"), CUTS.items())
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_cuts(text: str, expected: list[str], size: int) -> None:
    assert await cut(text, size) == expected


async def test_the_first_sentence_leaves_before_the_second_is_written() -> None:
    written: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        for piece in ("Ace", "ndi", " a luz", ".", " Q", "uer", " mais", "?", " Diga"):
            written.append(piece)
            yield piece

    coming = sentences(pieces())
    assert await anext(coming) == "Acendi a luz."
    assert written[-1] == " Q"
    assert await anext(coming) == "Quer mais?"
    assert written[-1] == " Diga"
    await coming.aclose()


async def test_a_run_on_is_cut_at_a_clause() -> None:
    text = "primeiro eu abro a janela da sala, " * 12
    found = await cut(text)
    assert all(len(s) <= LONGEST for s in found)
    assert all(s.endswith(",") for s in found)
    assert " ".join(found) == text.strip()


async def test_a_word_without_end_is_cut_too() -> None:
    assert [len(s) for s in await cut("x" * 500)] == [200, 200, 100]


async def test_an_answer_without_end_is_cut_and_its_source_left_alone() -> None:
    read = 0

    async def endless() -> AsyncIterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "E mais uma coisa. "

    found = [sentence async for sentence in sentences(endless(), most=180)]
    assert found == ["E mais uma coisa."] * 9
    assert read == 10


async def test_what_was_whole_is_said_before_an_error() -> None:
    async def breaking() -> AsyncIterator[str]:
        yield "Acendi a luz. Mas"
        raise EngineFailed("ollama", "caiu")

    coming = sentences(breaking())
    assert await anext(coming) == "Acendi a luz."
    with pytest.raises(EngineFailed):
        await anext(coming)


PROSE = st.lists(
    st.sampled_from(["Oi", "luz", " ", ". ", "! ", "Sr. ", "3.5 ", "\n", "… ", "?!", ", ", "```", "a" * 90, "É"]),
    max_size=30,
).map("".join)


@settings(deadline=None)
@given(PROSE, st.integers(1, 9))
async def test_the_cut_of_the_stream_does_not_matter(text: str, size: int) -> None:
    assert await cut(text, size) == await cut(text, 10_000)


@settings(deadline=None)
@given(st.text(max_size=400), st.integers(20, 100))
async def test_nothing_is_lost_or_made_up(text: str, longest: int) -> None:
    if "```" in text:
        return
    found = await cut(text, 7, longest=longest)
    assert all(s == s.strip() and any(c.isalnum() for c in s) for s in found)
    assert [c for s in found for c in s if c.isalnum()] == [c for c in text if c.isalnum()]


class TestEager:
    """The first sentence may leave before the next word is written; the others wait as ever."""

    @pytest.mark.parametrize(
        ("pieces", "at"),
        [
            (["Foi", " Pedro", " Álvares", " Cabral", ".", " Ele"], 4),
            (["O", " mar", " cobre", " quase", " tudo", "!", " São"], 5),
            (["Sim", "?", " Não"], 1),
            (["Chegou ontem. ", "Ele"], 0),
            (["São", " 3", ".", "5", " graus", " agora", ".", " E"], 6),
            (["Fica", " na", " av", ".", " Paulista", ".", " Sim"], 5),
            (["Custa", " máx", ".", " dez", " reais", ".", " E"], 5),
            (["Em", " 1500", ".", " Ele"], 3),
        ],
    )
    def test_it_leaves_with_the_piece_that_ends_it(self, pieces: list[str], at: int) -> None:
        cutter = Cutter(eager=True)
        given = [bool(cutter.push(piece)) for piece in pieces]
        assert given.index(True) == at

    @settings(deadline=None)
    @given(PROSE, st.integers(1, 9))
    def test_the_same_words_come_out(self, text: str, size: int) -> None:
        def told(*, eager: bool) -> str:
            cutter = Cutter(eager=eager, most=10_000)
            found = [s for at in range(0, len(text), size) for s in cutter.push(text[at : at + size])]
            return "".join("".join([*found, *cutter.rest()]).split())

        def letters(said: str) -> str:
            return "".join(c for c in said if c.isalnum())

        assert letters(told(eager=True)) == letters(told(eager=False))
