"""What is told, asked for and forgotten by voice; and what sounds like it and is something else."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from daemon.language.language import Language
from daemon.language.plan import Heard, Household, Intent, Plan

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
LANGUAGE = Language()


def names(text: str, previous: str | None = None) -> list[str]:
    before = Plan("skill", (Intent(previous),), 1.0) if previous else None
    plan = LANGUAGE.understand(Heard(text, NOW, "sala", None, before), Household())
    return [intent.name for intent in plan.intents] or [plan.route]


@pytest.mark.parametrize(
    "text",
    [
        "lembra que a Ana é alérgica a amendoim",
        "Mordomo, lembra que o Pedro gosta do ovo mole, por favor",
        "anota que a chave reserva está com a dona Marta",
        "anota aí que o encanador se chama Roberto",
        "guarda que o tipo sanguíneo do João é O negativo",
        "não esquece que o Léo dorme cedo",
        "lembra que eu sou alérgico a dipirona",
        "fica sabendo que o Bruno não come glúten",
        "o wifi da visita é jabuticaba2024",
        "a senha do wifi da visita é Jaboticaba-24",
        "a senha do cofre mudou para 24 8 19",
        "anota a senha do portal é xy9",
        "anota aí o telefone da tia Regina é 98765 4321",
        "lembra que o cofre fica no quarto",
        "lembra que o remédio da Bia é às oito",
        "lembra aí que o encanador chama Zé",
        "lembra pra mim que a placa do carro é ABC1D23",
        "lembra que a luz da sala está com defeito",
        "lembra que eu gosto da luz da sala em trinta por cento",
        "lembra que o timer da piscina é de duas horas",
        "lembra que o alarme da casa dispara com o vento",
        "lembra que a pia do banheiro vaza",
        "anota que o volume bom da TV é 20",
    ],
)
def test_facts_are_told(text: str) -> None:
    assert names(text) == ["RememberFact"]


@pytest.mark.parametrize(
    "text",
    [
        "o que eu te falei sobre a Ana",
        "o que a gente te contou sobre o encanador",
        "o que você lembra da viagem",
        "qual é a senha do wifi da visita",
        "me diz a senha do cofre",
        "onde eu guardei o passaporte",
        "onde foi que eu deixei a chave do sítio",
        "a que a Beatriz é alérgica",
        "quem é alérgico a amendoim",
        "quando é o aniversário da Ana",
        "você lembra da chave do sítio?",
        "você ainda lembra da senha do cofre?",
        "lembra da placa do carro?",
        "você lembra onde eu guardei o passaporte?",
        "onde fica o cofre?",
        "onde fica a toalha das visitas?",
        "onde estão as pilhas?",
        "cadê a chave de fenda?",
        "qual é o wifi?",
        "qual é a placa do carro?",
        "qual é a minha senha do banco",
        "a Ana é alérgica a quê?",
    ],
)
def test_facts_are_asked_for(text: str) -> None:
    assert names(text) == ["RecallFact"]


@pytest.mark.parametrize(
    ("text", "previous"),
    [
        ("esquece que a Ana é alérgica", None),
        ("esquece o que eu te falei sobre o wifi", None),
        ("esquece o que eu acabei de dizer", None),
        ("esquece isso", "RememberFact"),
        ("apaga isso", "RecallFact"),
        ("esquece a senha do wifi", None),
        ("esquece o wifi da visita", None),
        ("pode esquecer a senha do cofre", None),
        ("esquece a minha senha do banco", None),
        ("apaga essa lembrança", None),
    ],
)
def test_facts_are_forgotten(text: str, previous: str | None) -> None:
    assert names(text, previous) == ["ForgetFact"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me lembra de comprar leite amanhã às nove", "CreateReminder"),
        ("me lembra que a Ana tem consulta amanhã às nove", "CreateReminder"),
        ("lembra que eu tenho consulta amanhã às nove", "CreateReminder"),
        ("anota que eu tenho reunião amanhã às dez", "CreateReminder"),
        ("anota aí que dia 18 tem prova de matemática", "CreateReminder"),
        ("anota aí na lista papel higiênico", "HassShoppingListAddItem"),
        ("esquece isso", "HassNevermind"),
        ("esquece", "HassNevermind"),
        ("esquece o que eu disse hoje", "ForgetToday"),
        ("o que você sabe sobre dinossauros", "llm"),
        ("qual é a capital da França", "llm"),
        ("onde fica o Japão?", "llm"),
        ("onde está a Ana?", "llm"),
        ("cadê a luz da sala", "llm"),
        ("qual é a velocidade da luz?", "llm"),
        ("esquece a luz da sala", "llm"),
        ("lembra de comprar pão?", "CreateReminder"),
        ("lembra do aniversário da vovó amanhã", "CreateReminder"),
        ("lembra que a Bia tem dentista amanhã às dez", "CreateReminder"),
        ("a luz da sala é bonita", "llm"),
        ("minha mãe disse que a senha é difícil", "llm"),
        ("se eu te contar que a senha é 123 você guarda", "llm"),
    ],
)
def test_what_sounds_alike_is_something_else(text: str, expected: str) -> None:
    assert names(text) == [expected]
