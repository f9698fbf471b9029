"""Claims of a language model against what was done."""

from uuid import uuid4

import pytest
from support.house import HOUSE

from daemon.brain.claims import Claims
from daemon.turn import ActionDone

CLAIMS = Claims.load()


def did(name: str, entity_id: str = "light.sala", *, ok: bool = True) -> ActionDone:
    return ActionDone(uuid4(), name, {"entity_id": entity_id}, "success" if ok else "failed")


@pytest.mark.parametrize(
    ("sentence", "deed"),
    [
        ("Acendi a luz da sala.", did("turn_on")),
        ("Deixei a luz em 30%.", did("set_brightness")),
        ("Prontinho!", did("turn_off")),
        ("Apaguei a luz da sala, está tudo escuro agora.", did("turn_off")),
        ("O portão foi aberto.", did("open", "cover.portao")),
        ("Marquei seu lembrete para as nove.", did("create_reminder")),
        ("Já adicionei o leite na lista.", did("list_add")),
        ("Timer iniciado.", did("start_timer")),
        ("Vou acender a luz da sala às sete.", did("schedule_command")),
    ],
)
def test_true_with_the_deed_and_false_without(sentence: str, deed: ActionDone) -> None:
    assert CLAIMS.verdict(sentence, [deed], HOUSE) == "true"
    assert CLAIMS.verdict(sentence, [], HOUSE) == "false"
    failed = ActionDone(deed.id, deed.name, deed.parameters, "failed")
    assert CLAIMS.verdict(sentence, [failed], HOUSE) == "false"


@pytest.mark.parametrize(
    "sentence",
    [
        "Apaguei a luz da sala.",
        "Acendi a luz da cozinha.",
        "Acendi tudo na cozinha.",
        "Acendi a luz da sala e tranquei a porta da frente.",
        "Abri o portão.",
        "Anotei o lembrete.",
    ],
)
def test_another_deed_does_not_make_it_true(sentence: str) -> None:
    assert CLAIMS.verdict(sentence, [did("turn_on")], HOUSE) == "false"


@pytest.mark.parametrize(
    "sentence",
    [
        "Eu não acendi a luz.",
        "Ainda não consegui apagar a luz.",
        "Você quer que eu abra o portão?",
        "Acendi a luz certa?",
        "Vou te contar uma história.",
        "A capital da França é Paris.",
        "Estou bem, obrigado.",
        "Ele respondeu: “Apaguei a luz”.",
        "Para acender a luz, diga acende a luz.",
    ],
)
def test_no_claim(sentence: str) -> None:
    assert CLAIMS.verdict(sentence, [], HOUSE) == "none"


@pytest.mark.parametrize(
    ("sentence", "only"),
    [
        ("Pronto, acendi a luz da sala.", True),
        ("Claro! Acendi a luz.", True),
        ("Acendi a luz da sala e a temperatura lá é de 23 graus.", False),
        ("Acendi a luz da sala, mas lembre que a conta está alta.", False),
    ],
)
def test_what_only_says_again_what_the_house_said(sentence: str, *, only: bool) -> None:
    assert CLAIMS.says_no_more(sentence) is only
