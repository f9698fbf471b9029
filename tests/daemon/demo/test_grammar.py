"""The small Whisper's grammar: the same sentences each time, none outside it, and all that the scenes and replies need."""

import random
import re

import pytest

from daemon.demo.making.grammar import accepts, command, corpus, expand, fixed, reply, rules, spelled, words
from daemon.demo.making.scenes import scenes


def test_same_seed_gives_the_same_sentences_and_another_seed_gives_others() -> None:
    assert corpus(300, 200, seed=1) == corpus(300, 200, seed=1)
    assert corpus(300, 200, seed=1) != corpus(300, 200, seed=2)


def test_corpus_holds_as_many_as_asked_and_no_sentence_twice() -> None:
    drawn = corpus(2000, 1000, seed=3)
    assert len(drawn) == len(set(drawn)) == 3000


def test_closed_whatever_is_drawn_is_accepted_and_has_only_known_words() -> None:
    for text in corpus(3000, 1500, seed=4):
        assert accepts(text), text
        assert set(re.findall(r"[\w-]+", text.lower())) <= words(), text


def test_every_sentence_begins_with_a_capital_and_ends_with_a_mark() -> None:
    for text in corpus(1000, 500, seed=5):
        assert text[0].isupper(), text
        assert text[-1] in ".?", text
        assert "  " not in text
        assert "<" not in text
        assert "*" not in text


def test_every_rule_can_be_expanded() -> None:
    rng = random.Random(0)
    for name in rules():
        for _ in range(20):
            assert "<" not in expand(rng, name)


def test_every_rule_is_reached_from_a_command_or_a_reply() -> None:
    reached: set[str] = set()
    waiting = ["command", "reply"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [found for text, _ in rules()[name] for found in re.findall(r"<(\w+)>", text)]
    assert reached == set(rules())


@pytest.mark.parametrize(
    "text",
    [
        "Acende a luz da sala.",
        "Apaga a luz da lavanderia, por favor.",
        "Coloque a luz do quarto do casal em cinquenta por cento.",
        "Feche a cortina do quarto das crianças.",
        "Ligue a tomada do quintal.",
        "Me lembra de tomar o remédio daqui a um minuto.",
        "Que horas são?",
        "que horas são",
        "Que dia é hoje?",
        "Sim.",
        "Não.",
        "Para.",
        "Cancela.",
        "Acendi a luz da sala.",
        "Apaguei a luz da cozinha.",
        "Desliguei o ventilador do quarto.",
        "A luz da sala já está acesa.",
        "A luz do quarto está em cinquenta por cento.",
        "São dez e meia.",
        "São quatorze e trinta e cinco.",
        "É uma hora.",
        "É meia-noite e um.",
        "Hoje é sexta-feira, vinte de novembro.",
        "Anotado: tomar o remédio, daqui a um minuto.",
        "Lembrete: tomar o remédio.",
        "Não entendi.",
        "Não consegui falar com a luz da sala.",
    ],
)
def test_accepts_what_a_house_says_and_hears(text: str) -> None:
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Acende a luz",
        "acende o luz da sala",
        "São vinte e cinco horas.",
        "Toque samba.",
        "Acende a luz da sala!",
        "hey",
    ],
)
def test_refuses_what_it_cannot_write(text: str) -> None:
    assert not accepts(text)


def test_every_minute_of_a_day_can_be_told() -> None:
    for hour in range(2, 24):
        for minute in range(1, 60):
            assert accepts(f"São {spelled(hour, feminine=True)} e {spelled(minute)}."), (hour, minute)


def test_every_day_of_a_year_can_be_told() -> None:
    months = [text for text, _ in rules()["mes"]]
    assert len(months) == 12
    for month in months:
        for day in range(2, 32):
            assert accepts(f"Hoje é domingo, {spelled(day)} de {month}.")
        assert accepts(f"Hoje é domingo, primeiro de {month}.")


@pytest.mark.parametrize(
    ("number", "masculine", "feminine"),
    [(0, "zero", "zero"), (1, "um", "uma"), (2, "dois", "duas"), (14, "quatorze", "quatorze"), (20, "vinte", "vinte"),
     (21, "vinte e um", "vinte e uma"), (32, "trinta e dois", "trinta e duas"), (99, "noventa e nove", "noventa e nove"),
     (100, "cem", "cem")],
)  # fmt: skip
def test_numbers_are_spelled(number: int, masculine: str, feminine: str) -> None:
    assert (spelled(number), spelled(number, feminine=True)) == (masculine, feminine)


def test_numbers_beyond_a_hundred_are_refused() -> None:
    with pytest.raises(IndexError):
        spelled(101)


def test_scenes_are_within_the_grammar() -> None:
    assert [scene.text for scene in scenes() if not accepts(scene.text)] == []


def test_fixed_phrases_hold_no_rule() -> None:
    assert "Que horas são?" in fixed("perguntas")
    assert "Sim." in fixed("curtas")
    assert not any("<" in text for text in fixed("perguntas"))


def test_commands_ask_politely_now_and_then_and_replies_never() -> None:
    rng = random.Random(1)
    commands = [command(rng) for _ in range(1000)]
    polite = sum(text.endswith(", por favor.") for text in commands)
    assert 50 < polite < 150
    assert not any("por favor" in reply(rng) for _ in range(300))
