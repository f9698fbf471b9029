"""What a search shows of a message: the words found are marked, and nothing can be forged."""

from support.talks import marked, said

from db.database import Database
from db.search import MOST_EXCERPT, search


async def test_the_words_found_are_marked_in_the_text_as_it_was_said(db: Database) -> None:
    await said(db, "Comprei os REMÉDIOS e o remédio da avó.")
    (found,) = await search(db, "remedio avos")
    assert marked(found) == "Comprei os [REMÉDIOS] e o [remédio] da [avó]."


async def test_what_is_marked_cannot_be_forged_or_harm_a_terminal(db: Database) -> None:
    hostile = "[bold]luz[/] <b>luz</b> \x1b[2J\u202eluz\n\n[[luz]] {luz}"
    await said(db, hostile)
    (found,) = await search(db, "luz")
    assert found.content == hostile
    shown = "".join(piece.text for piece in found.excerpt)
    assert shown.isprintable()
    assert [piece.text for piece in found.excerpt if piece.found] == ["luz"] * 5


async def test_of_a_long_text_the_part_around_the_first_word_is_shown(db: Database) -> None:
    await said(db, "palavra " * 500 + "o dentista chegou " + "sílaba " * 500)
    (found,) = await search(db, "dentistas")
    shown = marked(found)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "[dentista]" in shown
    assert len(shown) <= MOST_EXCERPT + 4


async def test_an_excerpt_is_never_empty_and_never_long(db: Database) -> None:
    long = "ab" * 150
    await said(db, "x" * 900 + " luz", "luz " + "y" * 900, "palavra " * 20 + long, "luz, " * 200, "luz")
    found = [*await search(db, "luz"), *await search(db, long)]
    assert len(found) == 5
    for each in found:
        shown = "".join(piece.text for piece in each.excerpt)
        assert 3 <= len(shown.strip("…")) <= MOST_EXCERPT
