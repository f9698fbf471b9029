"""What is written, made into what is said."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.language.pt_br.number_words import LARGEST, cardinal, decimal, digits, ordinal
from daemon.language.pt_br.speakable import LONGEST, speakable

SAID = {
    # hours
    "O remédio é às 8h30.": "O remédio é às oito e meia.",
    "São 14:05.": "São quatorze e cinco.",
    "Reunião às 14:00.": "Reunião às quatorze horas.",
    "às 13:30": "às treze e trinta",
    "às 0h": "às zero hora",
    "à 1h": "à uma hora",
    "às 21h": "às vinte e uma horas",
    "às 2 da tarde": "às duas da tarde",
    "das 8 às 10": "das oito às dez",
    "dura 1h30min": "dura uma hora e trinta minutos",
    "14h.30": "quatorze e trinta",
    "20:15:30": "vinte e quinze",
    "placar 25:99": "placar vinte e cinco:noventa e nove",
    # dates
    "20/11": "vinte de novembro",
    "em 20/11/2026": "em vinte de novembro de dois mil e vinte e seis",
    "2026-11-20": "vinte de novembro de dois mil e vinte e seis",
    "dia 1/5": "dia primeiro de maio",
    "1 de maio": "primeiro de maio",
    "1º de maio": "primeiro de maio",
    "1/2 xícara": "meia xícara",
    "1/2 quilo": "meio quilo",
    "3/4 de litro": "três quartos de litro",
    # measures
    "23,5 °C": "vinte e três vírgula cinco graus",
    "-3 °C": "menos três graus",
    "umidade de 50%": "umidade de cinquenta por cento",
    "1 kg": "um quilo",
    "100 km/h": "cem quilômetros por hora",
    "3 kWh": "três quilowatts-hora",
    "1.500 W": "mil e quinhentos watts",
    "2 m²": "dois metros quadrados",
    "0,5 L": "zero vírgula cinco litros",
    "5 min": "cinco minutos",
    "2 h": "duas horas",
    "3x": "três vezes",
    "2x": "duas vezes",
    # money
    "R$ 5,50": "cinco reais e cinquenta centavos",
    "R$ 1": "um real",
    "R$ 0,01": "um centavo",
    "R$ 1.234,56": "mil duzentos e trinta e quatro reais e cinquenta e seis centavos",
    "R$ 1.000.000": "um milhão de reais",
    "R$ 2 milhões": "dois milhões de reais",
    "R$ 2,5 milhões": "dois vírgula cinco milhões de reais",
    # numbers
    "21 pessoas": "vinte e uma pessoas",
    "2 luzes": "duas luzes",
    "1 lâmpada": "uma lâmpada",
    "200 pessoas": "duzentas pessoas",
    "2 dias": "dois dias",
    "2 mas": "dois mas",
    "1ª vez": "primeira vez",
    "o 2º andar": "o segundo andar",
    "10-15 minutos": "dez a quinze minutos",
    "20 - 5 = 15": "vinte menos cinco igual a quinze",
    "versão 3.11.2": "versão três ponto onze ponto dois",
    "007": "zero zero sete",
    "MP3 e H2O": "MP três e H dois O",
    "(11) 98765-4321": "um um, nove oito sete meia cinco, quatro três dois um",
    "٣ luzes": "três luzes",
    # words
    "Sr. João e Dra. Ana": "Senhor João e doutora Ana",
    "Av. Paulista, 1578": "Avenida Paulista, mil quinhentos e setenta e oito",
    "maçãs, etc. e tal": "maçãs, etcétera e tal",
    "maçãs, etc.": "maçãs, etcétera.",
    "e/ou": "e ou",
    "CPF, TV e IPTU": "CPF, TV e IPTU",
    "ana@exemplo.com.br": "ana arroba exemplo ponto com ponto br",
    "Veja https://www.exemplo.com.br/x?y=1.": "Veja exemplo ponto com ponto br",
    # what language models write
    "**Olá**! 😀 Tudo `bem`?": "Olá! Tudo bem?",
    "# Título\n- item um\n- item dois": "Título. item um. item dois",
    "1. Leite\n2. Pão": "um, Leite. dois, Pão",
    "Assim:\n```python\nprint(1)\n```\nPronto": "Assim: Pronto",
    "[a casa](http://x.y) e _tal_": "a casa e tal",
    "| a | b |\n|---|---|\n| c | d |": "a, b, c, d",
    "<b>oi</b>": "oi",
    "Sim!!! Claro??": "Sim! Claro?",
    "": "",
    "😀": "",
    "...": "",
    "\0\u202e": "",
}


@pytest.mark.parametrize(("written", "said"), SAID.items())
def test_said(written: str, said: str) -> None:
    assert speakable(written) == said


MARKS = st.sampled_from(
    [
        "R$ ",
        "8h30",
        "14:05",
        "20/11",
        " °C",
        "%",
        "**",
        "`",
        "```",
        "\n",
        "- ",
        "1. ",
        "[x](y)",
        "@",
        "http://a.b",
        ".",
        ",",
        "-",
        "/",
        "º",
        "Sr.",
        "😀",
        "👨‍👩‍👧",
        "\0",
        "<b>",
        "½",
        "²",
        "١",
    ]
)
TEXTS = st.lists(
    st.one_of(st.text(max_size=20), MARKS, st.integers(-(10**18), 10**18).map(str), st.floats(allow_nan=False).map(str))
).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_whatever_is_written_can_be_said(text: str) -> None:
    said = speakable(text)
    assert len(said) <= LONGEST
    assert not re.search(r"[\d*`#_|<>\[\]{}\\\x00-\x1f]", said)
    assert said == said.strip()
    assert said == "" or any(c.isalpha() for c in said)


@settings(deadline=None)
@given(TEXTS)
def test_what_can_be_said_stays_as_it_is(text: str) -> None:
    said = speakable(text)
    assert speakable(said) == said


@settings(deadline=None)
@given(st.text(alphabet="abcdeãç ", min_size=1, max_size=50).filter(str.strip))
def test_plain_words_pass(text: str) -> None:
    assert speakable(text) == " ".join(text.split())


@pytest.mark.parametrize(
    "evil",
    [
        "1" * 100_000,
        "1." * 50_000,
        "a/" * 50_000,
        "[" * 100_000,
        "<" * 100_000,
        "9-" * 50_000,
        "R$ " * 30_000,
        "`" * 99_999,
        "a@" * 50_000,
        "\n- " * 30_000,
    ],
)
def test_long_and_hostile_text_is_done_soon(evil: str) -> None:
    started = time.perf_counter()
    assert len(speakable(evil)) <= LONGEST
    assert time.perf_counter() - started < 0.5


def test_a_long_text_is_cut_at_a_word() -> None:
    said = speakable("palavra " * 200)
    assert said.endswith("palavra.")
    assert LONGEST - 20 < len(said) <= LONGEST


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (0, "zero"), (16, "dezesseis"), (100, "cem"), (101, "cento e um"), (1000, "mil"), (1001, "mil e um"), (1100, "mil e cem"),
            (1234, "mil duzentos e trinta e quatro"), (2000, "dois mil"), (100_000, "cem mil"), (1_000_001, "um milhão e um"),
            (2_500_000, "dois milhões e quinhentos mil"), (-7, "menos sete"), (10**9, "um bilhão"),
        ],
    )  # fmt: skip
    def test_cardinals(self, number: int, words: str) -> None:
        assert cardinal(number) == words

    @settings(deadline=None)
    @given(st.integers(-LARGEST, LARGEST))
    def test_every_number_has_words_of_its_own(self, number: int) -> None:
        assert _value(cardinal(number)) == number
        assert _value(cardinal(number, feminine=True)) == number

    @settings(deadline=None)
    @given(st.integers(LARGEST + 1))
    def test_beyond_the_largest_digit_by_digit(self, number: int) -> None:
        assert len(cardinal(number).split()) == len(str(number))

    @settings(deadline=None)
    @given(st.integers(-(10**6), 10**6), st.integers(0, 10**6).map(str))
    def test_decimals_keep_their_zeros(self, whole: int, fraction: str) -> None:
        said = decimal(str(whole), "0" + fraction)
        assert said.split(" vírgula ")[1].startswith("zero")

    @pytest.mark.parametrize(
        ("number", "words"), [(1, "primeira"), (22, "vigésima segunda"), (100, "cem"), (0, "zero")]
    )
    def test_ordinals(self, number: int, words: str) -> None:
        assert ordinal(number, feminine=True) == words

    def test_digits(self) -> None:
        assert digits("16-0", telephone=True) == "um meia zero"


UNITS = (
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
    "dezoito dezenove"
)
TENS = "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa"
HUNDREDS = "duzent trezent quatrocent quinhent seiscent setecent oitocent novecent"
SCALES = {
    "mil": 10**3, "milhão": 10**6, "milhões": 10**6, "bilhão": 10**9, "bilhões": 10**9, "trilhão": 10**12, "trilhões": 10**12,
}  # fmt: skip


def _value(words: str) -> int:
    """Read words back: an independent check of every number at once."""
    names = {"uma": 1, "duas": 2, "cem": 100, "cento": 100}
    names |= {word: n for n, word in enumerate(UNITS.split())}
    names |= {word: 10 * n for n, word in enumerate(TENS.split(), 2)}
    for n, stem in enumerate(HUNDREDS.split(), 2):
        names |= {stem + "os": 100 * n, stem + "as": 100 * n}
    total = group = 0
    for word in words.removeprefix("menos ").split():
        if word in SCALES:
            total += max(group, 1) * SCALES[word]
            group = 0
        elif word != "e":
            group += names[word]
    return (total + group) * (-1 if words.startswith("menos") else 1)
