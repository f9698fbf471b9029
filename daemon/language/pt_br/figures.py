"""Hours, dates, money, measures and bare numbers inside a text, put into words by `speakable`.

What is written (and how it is said) is in `speakable.yaml`; every pattern works on text of bounded length.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from daemon.language.pt_br.number_words import cardinal, decimal, digits, ordinal

_NUMBER = r"(?P<number>-?\d{1,3}(?:\.\d{3})+(?:,\d+)?|-?\d+(?:[,.]\d+)?)"
_FREE = r"(?<![\w.,/:-])"  # a figure that is not the tail of another
_HOUR = re.compile(
    r"(?<![\w.,:/])(?P<h>[01]?\d|2[0-4]) ?(?:h\.? ?(?P<m>[0-5]\d)|:(?P<m2>[0-5]\d)h?)(?::[0-5]\d)?(?![\w:/]|[,.]\d)"
)
_SPAN = re.compile(r"(?<![\w.,:/])(?P<h>\d{1,3}) ?h ?(?:e )?(?P<m>\d{1,2}) ?min\b\.?")
_DATE = re.compile(
    r"(?<![\w./-])(?P<d>0?[1-9]|[12]\d|3[01])(?P<sep>[/.-])(?P<m>0?[1-9]|1[0-2])(?P=sep)(?P<y>\d{4}|\d{2})(?![\w/-]|\.\d)"
)
_ISO = re.compile(r"(?<![\w./-])(?P<y>\d{4})-(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12]\d|3[01])(?![\w/-])")
_DAY = re.compile(
    r"(?<![\w./,-])(?P<before>\b(?:dia|em|até|de|desde|para|no dia) )?"
    r"(?P<d>0?[1-9]|[12]\d|3[01])/(?P<m>0?[1-9]|1[0-2])(?![\w/]|[,.]\d)"
    r"(?=(?:\s+(?P<word>[^\W\d_]+))?)",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\b(?:1º|1°|1o|1) de (?=janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|nov|dez)"
)
_ORDINAL = re.compile(r"(?<![\w.,])(?P<n>\d{1,3})\.?(?P<g>[ºª°])(?!\s?[CF]\b)(?=\W|$)")
_PHONE = re.compile(r"(?<![\w.,-])(?:\+?55 ?)?(?:\(?0?(?P<area>\d{2})\)? ?)?(?P<a>9?\d{4})-(?P<b>\d{4})(?![\w-])")
_RANGE = re.compile(r"(?<=\d)(?:-| ?[–—] ?)(?=\d)")
_LESS = re.compile(r"(?<=\d) [-−] (?=\d)")
_DOTTED = re.compile(r"(?<![\w,])\d+(?:\.\d+){2,}(?![\w,])")
_AT = re.compile(
    r"\b(?P<before>[àÀ]s|[Dd]as|[Aa]té as|[Pp]elas|[Uu]mas|[Aa]s|à) "
    r"(?P<n>1?\d|2[0-4])(?![\w/:]|[,.]\d| ?(?:h|%|min|°|º|ª|de )|-\d)"
)
_GROUPED = re.compile(r"-?\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_MINUS = re.compile(r"(?<![\w.,)])[-−](?=\d)")


@dataclass(frozen=True, slots=True)
class Written:
    """`speakable.yaml`, as read."""

    months: list[str]
    abbreviations: dict[str, str]
    units: dict[str, list[str]]
    currencies: dict[str, list[str]]
    symbols: dict[str, str]
    fractions: dict[str, str]
    masculine: frozenset[str]
    feminine: frozenset[str]


@cache
def written() -> Written:
    """Return the tables of `speakable.yaml`."""
    raw = yaml.safe_load((files("daemon.language.pt_br") / "speakable.yaml").read_text(encoding="utf-8"))
    return Written(**{**raw, "masculine": frozenset(raw["masculine"]), "feminine": frozenset(raw["feminine"])})


def say_figures(text: str) -> str:
    """Return `text` with every figure in words; no ASCII digit is left."""
    text = _PHONE.sub(_phone, text)
    text = _ISO.sub(_date, text)
    text = _DATE.sub(_date, text)
    text = _SPAN.sub(
        lambda m: f"{_counted(int(m['h']), 'hora', 'horas', True)} e {_counted(int(m['m']), 'minuto', 'minutos')}", text
    )
    text = _HOUR.sub(lambda m: _hour(int(m["h"]), int(m["m"] or m["m2"])), text)
    text = _DAY.sub(_day, text)
    text = _FIRST.sub("primeiro de ", text)
    text = _ORDINAL.sub(lambda m: ordinal(int(m["n"]), feminine=m["g"] == "ª"), text)
    text = _money_pattern().sub(_money, text)
    text = _RANGE.sub(" a ", text)
    text = _LESS.sub(" menos " if "=" in text else " a ", text)
    text = _MINUS.sub("-", text)
    text = _measure_pattern().sub(_measure, text)
    text = _DOTTED.sub(lambda m: " ponto ".join(_plain(part, "") for part in m[0].split(".")), text)
    text = _AT.sub(lambda m: f"{m['before']} {cardinal(int(m['n']), feminine=True)}", text)
    return _bare_pattern().sub(_bare, text)


def _hour(hour: int, minute: int) -> str:
    if minute == 0:
        return _counted(hour, "hora", "horas", feminine=True)
    said = "zero hora" if hour == 0 else cardinal(hour, feminine=True)
    return said + (" e meia" if minute == 30 and 1 <= hour <= 11 else f" e {cardinal(minute)}")


def _date(match: re.Match[str]) -> str:
    year = int(match["y"]) if len(match["y"]) == 4 else 2000 + int(match["y"])
    return f"{_day_of(int(match['d']), int(match['m']))} de {cardinal(year)}"


def _day(match: re.Match[str]) -> str:
    figure = match["d"] + "/" + match["m"]
    before = match["before"] or ""
    if not before and len(figure) == 3:  # "1/2 xícara" is no date
        if figure == "1/2":
            return "meia" if _is_feminine((match["word"] or "").casefold(), plural=False) else "meio"
        return written().fractions.get(figure) or f"{cardinal(int(match['d']))} barra {cardinal(int(match['m']))}"
    return before + _day_of(int(match["d"]), int(match["m"]))


def _day_of(day: int, month: int) -> str:
    return f"{'primeiro' if day == 1 else cardinal(day)} de {written().months[month - 1]}"


def _phone(match: re.Match[str]) -> str:
    groups = [match["area"], match["a"], match["b"]]
    return ", ".join(digits(group, telephone=True) for group in groups if group)


def _money(match: re.Match[str]) -> str:
    one, many, cent, cents = written().currencies[match["symbol"]]
    whole, _, fraction = _split(match["number"])
    if match["scale"]:
        return f"{_spoken(match['number'])} {match['scale']} de {many}"
    units, hundredths = int(whole), int((fraction + "0")[:2]) if fraction else 0
    parts: list[str] = []
    if units or not hundredths:
        of = "de " if units and units % 1_000_000 == 0 else ""
        parts.append(f"{cardinal(units, feminine=one == 'libra')} {of}{one if abs(units) == 1 else many}")
    if hundredths:
        parts.append(_counted(hundredths, cent, cents))
    return " e ".join(parts)


def _measure(match: re.Match[str]) -> str:
    one, many, *gender = written().units[" ".join(match["unit"].split())]
    single = match["number"].lstrip("-") in {"1", "0"} if many == "horas" else match["number"].lstrip("-") == "1"
    return f"{_spoken(match['number'], feminine=bool(gender))} {one if single else many}"


def _bare(match: re.Match[str]) -> str:
    word = (match["word"] or "").casefold()
    said = _plain(match["number"], word)
    glue_before = " " if match["head"] else ""
    glue_after = " " if match["tail"] else ""
    return f"{match['head']}{glue_before}{said}{glue_after}{match['tail']}"


def _plain(number: str, next_word: str) -> str:
    bare = number.lstrip("-")
    if (bare.startswith("0") and len(bare) > 1 and bare.isdecimal()) or (bare.isdecimal() and len(bare) > 12):
        return digits(bare)
    return _spoken(number, feminine=_is_feminine(next_word, plural=bare != "1"))


def _is_feminine(word: str, *, plural: bool) -> bool:
    if word in written().feminine:
        return True
    if word in written().masculine or len(word) < 3:
        return False
    endings = ("as", "ções", "sões", "dades", "gens", "ãs") if plural else ("a", "ção", "são", "dade", "gem", "ã")
    return word.endswith(endings)


def _spoken(number: str, *, feminine: bool = False) -> str:
    whole, mark, fraction = _split(number)
    if not mark:
        return cardinal(int(whole), feminine=feminine)
    return decimal(whole, fraction, point="vírgula" if mark == "," else "ponto", feminine=feminine)


def _split(number: str) -> tuple[str, str, str]:
    """Return whole, mark and fraction; "1.234,5" is grouped by dots, "3.5" is a decimal as machines write it."""
    if _GROUPED.fullmatch(number):
        number = number.replace(".", "")
    mark = "," if "," in number else "."
    return number.partition(mark)


def _counted(number: int, one: str, many: str, feminine: bool = False) -> str:
    return f"{cardinal(number, feminine=feminine)} {one if number == 1 or (number == 0 and feminine) else many}"


@cache
def _money_pattern() -> re.Pattern[str]:
    symbols = "|".join(re.escape(s) for s in sorted(written().currencies, key=len, reverse=True))
    return re.compile(rf"(?<![\w$])(?P<symbol>{symbols})\s?{_NUMBER}(?:\s(?P<scale>milh(?:ão|ões)|bilh(?:ão|ões)))?")


@cache
def _measure_pattern() -> re.Pattern[str]:
    units = "|".join(re.escape(u).replace(r"\ ", r"\s") for u in sorted(written().units, key=len, reverse=True))
    return re.compile(rf"{_FREE}{_NUMBER}\s?(?P<unit>{units})(?!\w|/\w)")


@cache
def _bare_pattern() -> re.Pattern[str]:
    # Digits inside a word ("MP3", "B12") are set apart from its letters.
    return re.compile(
        rf"(?P<head>[^\W\d_]?)(?:(?<![\w])(?=-\d))?{_NUMBER}(?P<tail>[^\W\d_]?)(?=(?:\s+(?P<word>[^\W\d_]+))?)"
    )
