"""The closed grammar of the small Whisper: commands of a household and the assistant's replies, in Portuguese.

Rules are read from `commands.yaml` and `replies.yaml`; numbers and times are spelled out here, as the model writes
them. No rule contains itself, so the grammar is finite and `accepts` can say of any text whether it belongs to it.
"""

import random
import re
from functools import cache
from pathlib import Path

import yaml

_UNITS = (
    "zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze", "treze",
    "quatorze", "quinze", "dezesseis", "dezessete", "dezoito", "dezenove",
)  # fmt: skip
_FEMININE_UNITS = ("zero", "uma", "duas", *_UNITS[3:])
_TENS = ("", "", "vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa")
_REFERENCE = re.compile(r"<(\w+)>")
_WEIGHT = re.compile(r" \*(\d+)$")
_PLEASE = ", por favor"
_PLEASE_SHARE = 0.12

Rules = dict[str, tuple[tuple[str, int], ...]]
"""Each rule's alternatives with their weights."""


def spelled(number: int, *, feminine: bool = False) -> str:
    """Return a number from 0 to 100 in words. Raises IndexError beyond."""
    if number == 100:
        return "cem"
    units = _FEMININE_UNITS if feminine else _UNITS
    if number < 20:
        return units[number]
    return _TENS[number // 10] + (f" e {units[number % 10]}" if number % 10 else "")


def _counted(number: int, noun: str, *, feminine: bool = False) -> str:
    return f"{spelled(number, feminine=feminine)} {noun}{'' if number == 1 else 's'}"


def _clock_rules() -> dict[str, list[str]]:
    """Return times of day as people ask for them ("às oito e meia da noite") and as the assistant tells them."""
    fives = "cinco dez quinze vinte vinte|e|cinco trinta|e|cinco quarenta quarenta|e|cinco cinquenta cinquenta|e|cinco"
    rules: dict[str, list[str]] = {"minutos_redondos": [words.replace("|", " ") for words in fives.split()]}
    rules["minuto"] = [spelled(minute) for minute in range(1, 60)]
    early = ["à uma"] + [f"às {spelled(hour, feminine=True)}" for hour in range(2, 7)]
    rules["hora_cedo"] = early
    rules["hora_tarde"] = [f"às {spelled(hour, feminine=True)}" for hour in range(7, 13)]
    rules["e_minutos"] = [" *5", " e meia *3", " e <minutos_redondos> *2"]
    rules["hora"] = [
        "<hora_cedo><e_minutos><turno_cedo>",
        "<hora_tarde><e_minutos><turno_tarde>",
    ]
    rules["turno_cedo"] = [" *2", " da manhã *3", " da tarde *3"]
    rules["turno_tarde"] = [" *2", " da manhã *3", " da noite *3"]
    rules["uma"] = ["uma", "meio-dia", "meia-noite", "zero hora"]
    rules["duas"] = [spelled(hour, feminine=True) for hour in range(2, 24)]
    rules["que_horas"] = [
        "é <uma><e_agora> *3",
        "são <duas><e_agora> *16",
        "são <onze><e_agora> <turno> *16",
        "é uma<e_agora> <turno> *2",
        "são <duas> horas *2",
        "é uma hora *1",
        "são <duas> horas e <minuto> minutos *1",
    ]
    rules["onze"] = [spelled(hour, feminine=True) for hour in range(2, 13)]
    rules["turno"] = ["da madrugada", "da manhã", "da tarde", "da noite"]
    rules["as_onze"] = [
        "às <onze><e_agora> <turno> *8",
        "à uma<e_agora> <turno> *1",
        "ao meio-dia<e_agora> *1",
        "à meia-noite<e_agora> *1",
    ]
    rules["e_agora"] = [" *2", " e meia *2", " e <minuto> *12", " em ponto *1"]
    return rules


def _calendar_rules() -> dict[str, list[str]]:
    """Return moments of reminders, lengths of time and dates."""
    minutes = (1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 45, 50)
    lengths = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 30, 40, 45, 50, 60)
    return {
        "quando": [
            "<hora> *45",
            "amanhã <hora> *15",
            "daqui a <minutos> *8",
            "em <minutos> *7",
            "daqui a <horas> *8",
            "todo dia <hora> *9",
            "na <dia_util> <hora> *6",
            "no <fim_de_semana> <hora> *2",
        ],
        "momento": [
            "daqui a <espera> *8",
            "<dia_falado> <as_onze> *20",
            "no dia <dia_do_mes> de <mes> <as_onze> *3",
        ],
        "dia_falado": ["hoje *3", "amanhã *3", "na <dia_util> *2", "no <fim_de_semana> *1"],
        "espera": [_counted(number, "minuto") for number in range(1, 60)]
        + ["<horas> *20", "<horas> e meia *10", "meia hora *5"],
        "decimo": [spelled(number) for number in range(1, 10)],
        "minutos": [_counted(number, "minuto") for number in minutes],
        "horas": [_counted(number, "hora", feminine=True) for number in range(1, 7)],
        "dia_util": ["segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira"],
        "fim_de_semana": ["sábado", "domingo"],
        "duracao": [_counted(number, "minuto") + " *2" for number in lengths]
        + [_counted(number, "segundo") for number in lengths],
        "dia_do_mes": ["primeiro"] + [spelled(day) for day in range(2, 32)],
        "ano": [f"dois mil e {spelled(year)}" for year in range(25, 32)],
        "cinco_em_cinco": [spelled(number) for number in range(5, 101, 5)],
        "dez_em_dez": [spelled(number) for number in range(10, 101, 10)],
        "graus": [spelled(number) for number in range(16, 31)],
    }


def _weighed(alternative: str) -> tuple[str, int]:
    found = _WEIGHT.search(alternative)
    return (alternative[: found.start()], int(found[1])) if found else (alternative, 1)


@cache
def rules() -> Rules:
    """Return every rule of the grammar by name."""
    here = Path(__file__).parent
    raw: dict[str, list[str]] = {**_clock_rules(), **_calendar_rules()}
    for name in ("commands.yaml", "replies.yaml"):
        raw |= yaml.safe_load((here / name).read_text(encoding="utf-8"))
    return {name: tuple(_weighed(alternative) for alternative in found) for name, found in raw.items()}


def expand(rng: random.Random, rule: str) -> str:
    """Return one text of a rule, drawn by the alternatives' weights. Raises KeyError for an unknown rule."""
    texts, weights = zip(*rules()[rule], strict=True)
    (text,) = rng.choices(texts, weights)
    return _REFERENCE.sub(lambda found: expand(rng, found[1]), text)


def _finished(text: str) -> str:
    """Capital letter first, and a full stop where no other mark ends it."""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?" else ".")


def command(rng: random.Random) -> str:
    """Return something said to the assistant, written as the model writes it."""
    text = expand(rng, "command")
    polite = not text.endswith("?") and " " in text and "favor" not in text and rng.random() < _PLEASE_SHARE
    return _finished(text + _PLEASE if polite else text)


def reply(rng: random.Random) -> str:
    """Return something that the assistant answers, in one sentence."""
    return _finished(expand(rng, "reply"))


def corpus(commands: int, replies: int, seed: int) -> list[str]:
    """Return that many different commands, then replies; fewer of a kind if 40 draws for each do not find them."""
    rng = random.Random(seed)  # noqa: S311 - reproducible data, no secret
    texts: dict[str, None] = {}
    for draw, wanted in ((command, commands), (reply, replies)):
        enough = len(texts) + wanted
        for _ in range(wanted * 40):
            if len(texts) == enough:
                break
            texts.setdefault(draw(rng))
    return list(texts)


def fixed(rule: str) -> list[str]:
    """Return the alternatives of a rule that stand for nothing but themselves, as sentences."""
    return [_finished(text) for text, _ in rules()[rule] if text and "<" not in text]


@cache
def _pattern(rule: str) -> str:
    """Return the rule as a regular expression."""
    alternatives = []
    for text, _ in rules()[rule]:
        pieces = _REFERENCE.split(text)  # plain text and names of rules, in turn
        alternatives.append("".join(_pattern(piece) if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)))
    return f"(?:{'|'.join(alternatives)})"


@cache
def _whole() -> re.Pattern[str]:
    return re.compile(rf"{_pattern('command')}(?:{re.escape(_PLEASE)})?[.?]?|{_pattern('reply')}", re.IGNORECASE)


def accepts(text: str) -> bool:
    """Return whether the grammar can produce `text`, whatever its capitals and with or without its last mark."""
    return any(_whole().fullmatch(text.strip() + mark) for mark in ("", ".", "?"))


@cache
def words() -> frozenset[str]:
    """Return every word the model can be asked to write, in lower case."""
    texts = " ".join(_REFERENCE.sub(" ", text) for found in rules().values() for text, _ in found)
    return frozenset(re.findall(r"[\w-]+", (texts + _PLEASE).lower()))
