"""Gender, number, and questions between names."""

import pytest

from daemon.language.pt_br import grammar, sounds


@pytest.mark.parametrize(
    ("name", "article"),
    [("luz da sala", "a"), ("luzes do jardim", "as"), ("ventilador", "o"), ("ventiladores", "os"), ("persianas", "as"),
     ("abajur", "o"), ("TV da sala", "a"), ("televisão", "a"), ("portão", "o"), ("portões", "os"), ("irrigação", "a"),
     ("ar-condicionado do quarto", "o"), ("lâmpada", "a"), ("luminária da mesa", "a"), ("cortina", "a"), ("toldo", "o"),
     ("caixa de som", "a"), ("fita de LED", "a"), ("pisca-pisca", "o"), ("airfryer", "a"), ("cafeteira", "a"),
     ("aquecedor do banheiro", "o"), ("sofá elétrico", "o"), ("chave geral", "a"), ("refletor", "o"), ("garagem", "a"),
     ("tomada do ferro", "a"), ("gás", "o"), ("bomba da piscina", "a"), ("quarto das crianças", "o"), ("lixeira", "a"),
     ("modo cinema", "o"), ("janela", "a"), ("coifa", "a"), ("robô aspirador", "o"), ("árvore de Natal", "a"), ("", "o")],
)  # fmt: skip
def test_article(name: str, article: str) -> None:
    assert grammar.form(name).article == article


def test_bending_and_joining() -> None:
    assert grammar.agree("aceso", "luz da sala") == "acesa"
    assert grammar.agree("fechado", "persianas") == "fechadas"
    assert grammar.agree("ligado", "ventilador") == "ligado"
    assert grammar.of("luz da sala") == "da luz da sala"
    assert grammar.at("quarto") == "no quarto"
    assert grammar.joined(["luz da sala", "abajur", "persianas"]) == "a luz da sala, o abajur e as persianas"
    assert grammar.together(["luz da sala", "abajur"]) == grammar.Form(feminine=False, plural=True)


def test_which() -> None:
    assert grammar.which(["luz da sala", "luz da cozinha"]) == "A da sala ou a da cozinha?"
    assert grammar.which(["luz da sala", "abajur"]) == "A luz da sala ou o abajur?"
    assert grammar.which(["ventilador de teto", "ventilador do quarto"]) == "O de teto ou o do quarto?"


@pytest.mark.parametrize(
    ("many", "one"),
    [("luzes", "luz"), ("ventiladores", "ventilador"), ("cortinas", "cortina"), ("portoes", "portao"), ("sons", "som"),
     ("paineis", "painel"), ("tv", "tv"), ("luz", "luz"), ("abajures", "abajur")],
)  # fmt: skip
def test_singular(many: str, one: str) -> None:
    assert sounds.singular(many) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cosinha", "cozinha"),
        ("lus", "luz"),
        ("ventilado", "ventilador"),
        ("xuveiro", "chuveiro"),
        ("coredor", "corredor"),
    ],
)
def test_words_that_sound_alike(one: str, other: str) -> None:
    assert sounds.sound(one) == sounds.sound(other)


def test_words_that_do_not() -> None:
    assert sounds.sound("sala") != sounds.sound("vala")
