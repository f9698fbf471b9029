"""The fact in a sentence: word for word as it was said, and whose it is."""

import pytest

from daemon.memory.told import GRAVE, asks_for_secrecy, counts_days, is_secret, told


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("lembra que a Ana é alérgica a amendoim", "a Ana é alérgica a amendoim"),
        ("Mordomo, lembra que o Rafael não pode comer camarão, por favor.", "o Rafael não pode comer camarão"),
        ("anota aí que o encanador se chama Roberto", "o encanador se chama Roberto"),
        ("anota aí: a senha do cofre é 24-8-19", "a senha do cofre é 24-8-19"),
        ("anota a senha do portal é xY9", "a senha do portal é xY9"),
        ("o wifi da visita é Jabuticaba-2024!", "o wifi da visita é Jabuticaba-2024!"),
        ("A senha da Netflix é tudo ok", "A senha da Netflix é tudo ok"),
        ("não esquece que o Léo dorme cedo, tá bom?", "o Léo dorme cedo"),
        ("guarda só pra mim que o presente está no armário", "o presente está no armário"),
        ("lembra que a chave está com o vizinho, é segredo", "a chave está com o vizinho"),
        ("você pode lembrar que a Bia odeia cebola?", "a Bia odeia cebola"),
        ("Guarda isso: a placa do carro é RST4B21", "a placa do carro é RST4B21"),
        ("lembra que eu acho que a porta é de ferro", "eu acho que a porta é de ferro"),
    ],
)
def test_the_fact_is_taken_as_it_was_said(said: str, fact: str) -> None:
    found = told(said)
    assert found is not None
    assert found.text == fact


@pytest.mark.parametrize("said", ["", "   ", "anota que", "Mordomo,"])
def test_no_fact_is_none_or_what_little_there_is(said: str) -> None:
    found = told(said)
    assert found is None or found.text.strip()


@pytest.mark.parametrize(
    ("said", "private"),
    [
        ("lembra que eu sou alérgico a dipirona", True),
        ("anota que minha senha do banco é 1234", True),
        ("lembra que meu passaporte está na mala", True),
        ("guarda só pra mim que a festa é surpresa", True),
        ("lembra que a Ana é alérgica a amendoim", False),
        ("o wifi da visita é jabuticaba", False),
        ("anota pra mim que o encanador se chama Roberto", False),
    ],
)
def test_what_is_said_of_oneself_or_as_a_secret_is_private(said: str, private: bool) -> None:
    found = told(said)
    assert found is not None
    assert found.private is private


def test_secrets_are_not_for_guests_but_the_guests_own_are() -> None:
    assert is_secret("a senha do cofre é 24-8-19")
    assert is_secret("o código do alarme é 4851")
    assert not is_secret("a senha do wifi da visita é jabuticaba")
    assert not is_secret("a Ana gosta de nhoque")


def test_what_may_hurt_somebody_matters_more() -> None:
    grave, usual = told("lembra que o Bruno é celíaco"), told("lembra que o Bruno gosta de azul")
    assert grave is not None
    assert usual is not None
    assert grave.importance == GRAVE > usual.importance


def test_what_holds_here_alone_and_what_counts_days_is_known() -> None:
    here = told("lembra que aqui na cozinha o disjuntor é o cinco")
    assert here is not None
    assert here.here
    assert counts_days("a reunião é amanhã às dez")
    assert not counts_days("a faxina é na terça")
    assert asks_for_secrecy("guarda em segredo que o bolo é de limão")
    assert not asks_for_secrecy("lembra que o bolo é de limão")
