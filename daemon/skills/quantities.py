"""How much of a thing: "dois quilos de arroz" is arroz, two kilos of it."""

from daemon.language.pt_br import numbers
from daemon.language.words import Word, read
from db.lists import Wanted

UNITS = frozenset(
    "kg quilo quilos grama gramas g litro litros l ml mililitros duzia duzias pacote pacotes pacotinho caixa caixas"
    " caixinha caixinhas lata latas latinha latinhas garrafa garrafas saco sacos saquinho saquinhos pote potes vidro"
    " vidros maco macos cacho cachos cabeca cabecas bandeja bandejas fatia fatias pedaco pedacos rolo rolos tubo tubos"
    " barra barras copo copos unidade unidades fardo fardos engradado galao galoes sache saches".split()
)
HALVES = frozenset({"meio", "meia"})
HALF_MORE = (["e", "meio"], ["e", "meia"])


def wanted(said: str) -> Wanted:
    """Return the thing and how much of it, in the person's own words; the quantity is None where none is told."""
    sentence = read(said)
    plain = [word.plain for word in sentence.words]
    after = _number(plain)
    if after == 0 or _hyphened(said, sentence.words, after):
        return Wanted(_bare(said, sentence.words))
    if after < len(plain) and plain[after] in UNITS:
        after += 1
        after += 2 * (plain[after : after + 2] in HALF_MORE)
        if after < len(plain) and plain[after] == "de":
            rest = sentence.words[after + 1 :]
            if rest:
                return Wanted(said[rest[0].start :].strip(), said[: sentence.words[after - 1].end].strip())
        return Wanted(said.strip())
    rest = sentence.words[after:]
    return Wanted(said[rest[0].start :].strip(), said[: rest[0].start].strip()) if rest else Wanted(said.strip())


def _number(plain: list[str]) -> int:
    """Return how many of the first words tell a number."""
    if plain and plain[0] in HALVES:
        return 1
    found = numbers.read(plain, 0)
    if found is None:
        return 0
    after = found[1]
    return after + 2 * (plain[after : after + 2] in HALF_MORE)


def _hyphened(said: str, words: tuple[Word, ...], after: int) -> bool:
    """Tell whether the number is only the beginning of a word: "mil-folhas"."""
    return after < len(words) and said[words[after - 1].end : words[after].start] == "-"


def _bare(said: str, words: tuple[Word, ...]) -> str:
    """Return a thing without its article: "o leite" is leite."""
    start = words[1].start if len(words) > 1 and words[0].plain in {"o", "a", "os", "as"} else 0
    return said[start:].strip()


def spoken(thing: Wanted) -> str:
    """Return the thing as said: "dois quilos de arroz", "seis ovos", "leite"."""
    if thing.quantity is None:
        return thing.text
    last = read(thing.quantity).words[-1:]
    of = " de" if last and last[0].plain in UNITS else ""
    return f"{thing.quantity}{of} {thing.text}"
