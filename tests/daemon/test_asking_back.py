"""Questions that Mordomo asks back: a yes moves the gate, a no, silence or a late yes do not."""

from pathlib import Path

import pytest
from support.clock import FakeClock
from support.house import home

from daemon.language import lexicon
from daemon.language.consent import consent

WORDS = lexicon.load("pt_br")


@pytest.mark.parametrize(
    "text", ["sim", "pode", "pode sim", "isso mesmo", "sim por favor", "claro que sim mordomo", "ta bom", "uhum sim"]
)
def test_yes(text: str) -> None:
    assert consent(text.split(), WORDS) is True


@pytest.mark.parametrize(
    "text", ["nao", "sim nao deixa", "deixa pra la", "pode deixar", "melhor nao", "ah nao precisa", "nao sim"]
)
def test_no(text: str) -> None:
    assert consent(text.split(), WORDS) is False


@pytest.mark.parametrize("text", ["", "mordomo", "apaga a luz", "que horas sao", "sim apaga a luz"])
def test_neither(text: str) -> None:
    assert consent(text.split(), WORDS) is None


@pytest.mark.parametrize(
    ("answer", "moved"),
    [("sim", True), ("pode, por favor", True), ("não", False), ("deixa pra lá", False), ("que horas são", False)],
)
async def test_the_gate_moves_on_a_yes_only(database_url: str, tmp_path: Path, answer: str, moved: bool) -> None:
    async with home(database_url, tmp_path) as house:
        asked = await house.butler.ask("abre o portão", house.written)
        assert asked.reply == ["Quer mesmo abrir o portão? Diga sim ou não."]
        assert not asked.actions
        assert house.links.orders == []
        await house.butler.ask(answer, house.written)
        assert [order.verb for order in house.links.orders] == (["open"] if moved else [])
        await house.butler.ask("sim", house.written)
        assert len(house.links.orders) == moved  # the question was over with the first answer


async def test_a_yes_comes_too_late(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    async with home(database_url, tmp_path, clock=clock) as house:
        await house.butler.ask("abre o portão", house.written)
        clock.advance(31)
        await house.butler.ask("sim", house.written)
        assert house.links.orders == []


async def test_what_is_risky_holds_up_what_was_said_in_the_same_breath(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await house.butler.ask("acende a luz da sala e abre o portão", house.written)
        assert house.links.orders == []
        await house.butler.ask("sim", house.written)
        assert [order.entity_id for order in house.links.orders] == ["light.sala", "cover.portao"]
