"""Gender, number and little words of names: `a luz da sala`, `do ventilador`, `as persianas`, `acesa`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from daemon.language.words import fold

_FEMININE = frozenset(
    "luz tv chave arvore torre fonte grade ponte lente parede helice airfryer foz voz rede base estante sirene alexa"
    " jukebox mae bike webcam foto moto lan nuvem ventoinha".split()
)
_MASCULINE = frozenset(
    "sofa sistema problema mapa aroma pijama cinema clima dia programa telefonema tema drama diagrama planeta karaoke"
    " guarda-roupa pisca-pisca".split()
)
_SINGULAR = frozenset("gas onibus lapis tenis oasis virus atlas pires plus gps".split())
_FEMININE_PAIRS = frozenset({"air fryer", "smart tv", "apple tv", "fire tv"})
_FEMININE_ENDINGS = ("cao", "sao", "gem", "dade", "tude", "ice", "a")


@dataclass(frozen=True, slots=True)
class Form:
    """Gender and number of a name."""

    feminine: bool
    plural: bool

    @property
    def article(self) -> str:
        """Return `o`, `a`, `os` or `as`."""
        return ("a" if self.feminine else "o") + ("s" if self.plural else "")


@lru_cache(maxsize=4096)
def form(name: str) -> Form:
    """Guess gender and number of a name by its first word: `luz da sala` is feminine, `persianas` plural too."""
    words = fold(name).replace("-", " ").split()
    if not words:
        return Form(feminine=False, plural=False)
    if " ".join(words[:2]) in _FEMININE_PAIRS:
        return Form(feminine=True, plural=False)
    head = fold(name).split()[0]
    head = head if head in _MASCULINE else words[0]
    plural = len(head) > 2 and head.endswith("s") and head not in _SINGULAR and not head.endswith("ss")
    stem = _singular(head) if plural else head
    return Form(stem in _FEMININE or (stem not in _MASCULINE and _ends_feminine(stem, name)), plural)


def _singular(head: str) -> str:
    for ending, instead in (("oes", "ao"), ("aes", "ao"), ("zes", "z"), ("res", "r"), ("ns", "m"), ("is", "l")):
        if head.endswith(ending):
            return head.removesuffix(ending) + instead
    return head.removesuffix("s")


def _ends_feminine(stem: str, name: str) -> bool:
    if stem.endswith(("ao", "a")) and name.split(maxsplit=1)[0].casefold().endswith(("á", "ás")):
        return False
    return stem.endswith(_FEMININE_ENDINGS)


def the(name: str) -> str:
    """Return the name with its article: `a luz da sala`."""
    return f"{form(name).article} {name}"


def of(name: str) -> str:
    """Return the name with `de` and its article in one: `da luz da sala`, `do ventilador`."""
    return f"d{form(name).article} {name}"


def at(name: str) -> str:
    """Return the name with `em` and its article in one: `na sala`, `no quarto`."""
    return f"n{form(name).article} {name}"


def agree(adjective: str, name: str) -> str:
    """Return a masculine singular adjective in `-o` bent to the name: `aceso` of a lamp is `acesa`."""
    return bend(adjective, form(name))


def bend(adjective: str, shape: Form) -> str:
    """Return a masculine singular adjective in `-o` (others only take a plural) in the given form."""
    if shape.feminine and adjective.endswith("o"):
        adjective = adjective.removesuffix("o") + "a"
    return adjective + ("s" if shape.plural else "")


def together(names: Sequence[str]) -> Form:
    """Return the form of several names as one subject: feminine only if all are."""
    forms = [form(name) for name in names]
    return Form(all(f.feminine for f in forms), len(forms) > 1 or any(f.plural for f in forms))


def joined(names: Sequence[str], word: str = "e") -> str:
    """Return the names with articles, joined: `a luz da sala, o abajur e o ventilador`."""
    said = [the(name) for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} {word} {said[-1]}" if said else ""


def which(names: Sequence[str]) -> str:
    """Return the question that parts the names: `A da sala ou a da cozinha?`; whole names where heads differ."""
    heads = {name.split(maxsplit=1)[0] for name in names}
    rests = [name.split(maxsplit=1)[-1] for name in names]
    short = len(heads) == 1 and all(rest.split()[0] in {"da", "do", "de", "das", "dos"} for rest in rests)
    said = [f"{form(name).article} {rest}" for name, rest in zip(names, rests, strict=True)]
    if not short:
        said = [the(name) for name in names]
    listed = f"{', '.join(said[:-1])} ou {said[-1]}" if len(said) > 1 else said[0]
    return listed[0].upper() + listed[1:] + "?"
