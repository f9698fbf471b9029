"""Commands read by their parts, and other ways of putting them: what is let through, and above all what is not."""

from datetime import datetime

import pytest
from blind import HARMLESS, HERE, household
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.language import lexicon, words
from daemon.language.language import Language
from daemon.language.paraphrases import paraphrases
from daemon.language.plan import Heard

NOW = datetime.fromisoformat("2026-11-20T10:00:00-03:00")
HOUSE, LANGUAGE, LEXICON = household(), Language(), lexicon.load("pt_br")


def done(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """What would be done."""
    plan = LANGUAGE.understand(Heard(text, NOW, "sala"), HOUSE)
    return [(intent.name, intent.targets) for intent in plan.intents]


@pytest.mark.parametrize(
    ("text", "intent", "target"),
    [
        ("abre bem aberta a cortina das crianças", "HassTurnOn", "cover.cortina_criancas"),
        ("diminui pela metade a luz da cozinha", "HassLightSet", "light.cozinha"),
        ("deixa uns vinte por cento aberta a janela do quarto", "HassSetPosition", "cover.janela_quarto"),
        ("bota mais fraquinho o abajur do quarto", "HassLightSet", "light.abajur_quarto"),
    ],
)
def test_parts_in_any_order(text: str, intent: str, target: str) -> None:
    assert done(text) == [(intent, (target,))]


@pytest.mark.parametrize(
    "text",
    [
        "abre bem aberta a cortina da vizinha", "diminui pela metade o preço da luz", "liga o carro", "acende o cigarro da sala",
        "não abre a cortina da sala", "ninguém apaga a luz da sala", "se der sol abre a cortina da sala", "apaga a luz do carro",
        "liga a luz da sala na tomada do vizinho", "fecha a porta da geladeira", "o menino apaga a luz da sala toda hora",
        "ele disse: apaga a luz da sala", "quando eu sair apaga a luz da sala", "a luz da sala apaga sozinha?",
        "eu apago a luz da sala depois", "mãe, apaga a luz da sala",
    ],
)  # fmt: skip
def test_what_is_no_order_moves_nothing(text: str) -> None:
    assert done(text) == []


def test_talk_of_the_house_moves_nothing() -> None:
    """A hundred things that people say at home with the words of orders."""
    said = (HERE / "talk.txt").read_text("utf-8").splitlines()
    moved = {text: done(text) for text in said if [name for name, _ in done(text) if not name.startswith(HARMLESS)]}
    assert moved == {}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from("não se quando ele disse apaga liga a luz da sala por favor que tá menos".split()), max_size=9
    )
)
def test_no_paraphrase_loses_what_turns_a_meaning_around(said: list[str]) -> None:
    sentence = words.read(" ".join(said)).words
    for way in paraphrases(sentence, LEXICON):
        left = {word.plain for word in way}
        assert {"nao", "se", "quando", "disse", "menos"} & {word.plain for word in sentence} <= left


def test_why_tells_the_sentence_its_file_and_its_parts() -> None:
    ways = LANGUAGE.why(Heard("põe o ar do quarto em 22", NOW, "sala"), HOUSE)
    assert [(way.file, way.intent) for way in ways] == [("climate.yaml", "HassClimateSetTemperature")]
    assert ways[0].parts == (("alvo", "o ar do quarto"), ("temperatura", "22"))
