"""What the slots of a sentence hold: levels, temperatures, colours, durations, free text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.plan import Value
from daemon.language.pt_br import durations, numbers
from daemon.language.words import Sentence, Word, fold

PERCENT = {"brilho": "brightness", "posicao": "position", "volume": "volume_level", "velocidade": "percentage",
           "passo": "brightness_step_pct"}  # fmt: skip
LENGTHS = {"duracao": "duration_s", "comeco": "start_s", "antecedencia": "lead_s"}
TEXTS = {"mensagem": "message", "busca": "search_query", "item": "item", "nome": "name", "assunto": "query"}
_BEFORE_BARE = frozenset("em no na para pra pro a ate ao com por num volume velocidade".split())
_TRIM = frozenset({"o", "a", "os", "as"})
_DAYS = frozenset("hoje amanha ontem depois de da do essa dessa desta esta esse desse semana mes que vem".split())
_TELLING = frozenset({"e", "sao", "sera", "seria", "comeca"})
_BEFORE_PERSON = frozenset("o a os as pro pra minha meu minhas meus nossa nosso".split())
_CONDITIONS = frozenset({"se", "quando", "caso"})
_LONGEST_NAME = 8
"""Words."""


@dataclass(frozen=True, slots=True)
class Captured:
    """The words of one slot, where the sentence wrote them, and the word before."""

    name: str
    words: Sequence[Word]
    sentence: Sentence
    before: str = ""

    @property
    def plain(self) -> Phrase:
        """Return the plain forms."""
        return tuple(word.plain for word in self.words)


def value(slot: Captured, lexicon: Lexicon) -> Mapping[str, Value] | None:
    """Return the slots that the words mean, or None where they mean nothing there."""
    name, plain = slot.name, slot.plain
    if name in PERCENT:
        level = percent(plain, lexicon, bare=slot.before in _BEFORE_BARE or name in {"passo", "volume"})
        return None if level is None else {PERCENT[name]: level}
    if name in {"mais", "menos"}:
        level = percent(plain, lexicon)
        return None if level is None else {"volume_step": level if name == "mais" else -level}
    if name in {"temperatura", "graus"}:
        degrees = numbers.whole(plain)
        key = "temperature" if name == "temperatura" else "temperature_step"
        return None if degrees is None or not -20 <= degrees <= 100 else {key: _tidy(degrees)}
    if name in LENGTHS:
        seconds = durations.whole(plain)
        striking = slot.before in {"der", "derem"} and plain[-1] in {"hora", "horas"}  # "quando der oito horas"
        return {LENGTHS[name]: seconds} if seconds and not striking else None
    if name in TEXTS:
        return _text(slot, lexicon)
    return _chosen(name, plain, lexicon)


def _chosen(name: str, plain: Phrase, lexicon: Lexicon) -> Mapping[str, Value] | None:
    if name == "passado":
        return None if plain[0] in lexicon.no_deeds else {}
    if name == "tom":
        kelvin = lexicon.temperatures.get(plain)
        if kelvin is None and plain[-1:] in {("kelvin",), ("k",), ("kelvins",)}:
            kelvin = int(numbers.whole(plain[:-1]) or 0)
        return {"color_temperature": kelvin} if kelvin and 1000 <= kelvin <= 10_000 else None
    meant = {
        "cor": ("color", lexicon.colors),
        "estado": ("state", lexicon.states),
        "modo": ("hvac_mode", lexicon.modes),
        "tipo": ("media_class", lexicon.media_classes),
        "genero": ("search_query", lexicon.genres),
    }
    key, meanings = meant[name]
    meaning = meanings.get(plain)
    return None if meaning is None else {key: meaning}


def percent(plain: Phrase, lexicon: Lexicon, *, bare: bool = True) -> int | float | None:
    """Return a level (0 to 100) said as a number or a word; a number alone counts only where `bare`."""
    known = lexicon.levels.get(plain)
    if known is not None:
        return known
    if plain[-1:] == ("porcento",):
        plain = (*plain[:-1], "%")
    signed = plain[-1:] == ("%",) or plain[-2:] == ("por", "cento")
    number = numbers.whole(plain[: -1 if plain[-1:] == ("%",) else -2] if signed else plain)
    return _tidy(number) if number is not None and 0 <= number <= 100 and (signed or bare) else None


def _text(slot: Captured, lexicon: Lexicon) -> Mapping[str, Value] | None:
    words = list(slot.words)
    if not _is_text(slot, lexicon):
        return None
    while len(words) > 1 and (size := _trimmed(words, lexicon)):
        del words[:size]
    said = slot.sentence.said(words).strip(" ,.;:!?…\"'“”")
    if not said or not any(c.isalnum() for c in said):
        return None
    if slot.name == "busca" and said.count(",") == 1 and slot.before in {"do", "da", "de"}:
        artist, song = said.split(",")  # "aquela música do Djavan, Oceano"
        return {"search_query": f"{song.strip()} {slot.before} {artist.strip()}"}
    if slot.name != "item":
        return {TEXTS[slot.name]: said}
    items = _items(words, slot.sentence)
    return {"item": said, "items": items} if len(items) > 1 else {"item": said}


def _is_text(slot: Captured, lexicon: Lexicon) -> bool:
    """Tell whether words may be free text: names, and what a sentence begins with, hold no sentence of their own.

    "me lembra de pagar a luz não" and "por que você…" (which is no "pôr") hold none at all.
    """
    plain, first = slot.plain, not slot.before
    if slot.name == "mensagem" and plain[-1] in _TELLING:
        return False  # "que a reunião é às oito": the hour belongs to the text
    if plain[-1] == "nao" or (slot.before == "por" and plain[0] == "que"):
        return False
    if slot.name == "assunto":
        return not _CONDITIONS & set(plain) and not set(plain) <= _DAYS
    if slot.name != "nome" and not first:
        return True
    verbs = lexicon.verb_forms if first else frozenset()
    return len(plain) <= _LONGEST_NAME and not set(plain) & (lexicon.not_in_commands | verbs)


def _trimmed(words: Sequence[Word], lexicon: Lexicon) -> int:
    """Return how many words at the beginning are no part of the text: an article, "pra mim"."""
    if words[0].plain in _TRIM:
        return 1
    plain = tuple(word.plain for word in words)
    return next((len(p) for p in lexicon.filling if len(p) > 1 and len(p) < len(plain) and plain[: len(p)] == p), 0)


def _items(words: Sequence[Word], sentence: Sentence) -> tuple[str, ...]:
    """Cut a list at commas and `e`: `ovo, pão e leite`."""
    items: list[list[Word]] = [[]]
    for word in words:
        if word.plain in {"e", "mais"}:
            items.append([])
            continue
        items[-1].append(word)
        if word.mark == ",":
            items.append([])
    return tuple(sentence.said(item).strip(" ,.") for item in items if item)


def _tidy(number: float) -> int | float:
    return int(number) if number == int(number) else number


def person(words: Phrase, people: Sequence[str], lexicon: Lexicon) -> str | None:
    """Return the person of the house that the words name, or those of it ("as crianças"), or None."""
    said = " ".join(word for word in words if word not in _BEFORE_PERSON)
    named = next((name for name in people if fold(name) == said or fold(name).split()[0] == said), None)
    return named or lexicon.people.get(said)


_NOT_CALLED = frozenset(
    "hora horas dia dias data prazo momento horario vez jeito forma maneira mim gente eu nos voce todo todos mundo"
    " dele dela isso algo nada tudo alguem ninguem agenda lista".split()
)
"""Words after which an infinitive tells what they are, not what somebody is to do: "lembra a hora de sair"."""


def stranger(slot: Captured, people: Sequence[str], lexicon: Lexicon) -> str | None:
    """Return the name of somebody whom the house does not know ("lembra a Ana de tomar…"), or None for no name.

    A name is one word, written large; or written small, where the next ones are "de" and an infinitive.
    """
    if len(slot.words) != 1 or slot.plain[0] in _NOT_CALLED or person(slot.plain, people, lexicon) is not None:
        return None
    word = slot.words[0]
    said = slot.sentence.text[word.start : word.end]
    after = [each for each in slot.sentence.words if each.start > word.start][1:2]
    does = bool(after) and _is_infinitive(after[0].plain) and not _is_infinitive(slot.plain[0])
    large = said[:1].isupper() and not said.isupper() and word.start > 0
    return said[:1].upper() + said[1:] if said.isalpha() and len(said) > 2 and (large or does) else None


def _is_infinitive(plain: str) -> bool:
    return len(plain) > 2 and plain[-2:] in {"ar", "er", "ir"}


STEP_PCT, LITTLE_STEP_PCT, STEP_DEGREES = 20, 10, 1


def stepped(slots: Mapping[str, Value], attributes: Mapping[str, object], *, little: bool) -> Mapping[str, Value]:
    """Return the level that "more" and "less" lead to from the one that is known, or nothing where none is known.

    Brightness in percent (`brightness_pct`, or a numeric `brightness`), set temperature in degrees.
    """
    up = "up" in {slots.get("brightness_step"), slots.get("step_direction")}
    if "brightness_step" in slots:
        known = _number(attributes.get("brightness_pct")) or _number(attributes.get("brightness"))
        asked = _number(slots.get("brightness_step_pct")) or (LITTLE_STEP_PCT if little else STEP_PCT)
        return {} if known is None else {"brightness": _tidy(min(100, max(1, known + (asked if up else -asked))))}
    if "step_direction" in slots:
        known = _number(attributes.get("temperature"))
        degrees = _number(slots.get("temperature_step")) or STEP_DEGREES
        return {} if known is None else {"temperature": _tidy(known + (degrees if up else -degrees))}
    return {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
