"""Numbers as Brazilians say them: "vinte e uma", "mil e duzentos", "segundo", "três vírgula cinco"."""


def _words(text: str) -> list[str]:
    return text.split()


_UNITS = _words(
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze dezesseis dezessete "
    "dezoito dezenove"
)
_TENS = _words("- - vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
_HUNDREDS = _words("- cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos")
_SCALES = (("mil", "mil"), ("milhão", "milhões"), ("bilhão", "bilhões"), ("trilhão", "trilhões"))
_ORDINAL_UNITS = _words("- primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono")
_ORDINAL_TENS = _words(
    "- décimo vigésimo trigésimo quadragésimo quinquagésimo sexagésimo septuagésimo octogésimo nonagésimo"
)

LARGEST = 10**15 - 1
"""Largest number said in words; beyond it digits are said one by one."""


def cardinal(number: int, *, feminine: bool = False) -> str:
    """Return the number in words: 21 is "vinte e um", feminine "vinte e uma". Beyond LARGEST, digit by digit."""
    if number < 0:
        return "menos " + cardinal(-number, feminine=feminine)
    if number > LARGEST:
        return digits(str(number))
    if number == 0:
        return "zero"
    groups: list[tuple[int, str]] = []
    scale = 0
    while number:
        number, group = divmod(number, 1000)
        if group:
            # "duas mil", "duzentas mil", but "dois milhões": only thousands take the gender of what is counted.
            groups.append((group, _scaled(group, scale, feminine=feminine and scale < 2)))
        scale += 1
    groups.reverse()
    words = groups[0][1]
    for position, (group, said) in enumerate(groups[1:], 1):
        last = position == len(groups) - 1
        words += (" e " if last and (group < 100 or group % 100 == 0) else " ") + said
    return words


def _scaled(group: int, scale: int, *, feminine: bool) -> str:
    if scale == 0:
        return _below_1000(group, feminine=feminine)
    one, many = _SCALES[scale - 1]
    if scale == 1 and group == 1:
        return one
    return f"{_below_1000(group, feminine=feminine)} {one if group == 1 else many}"


def _below_1000(number: int, *, feminine: bool) -> str:
    hundreds, rest = divmod(number, 100)
    words: list[str] = []
    if number == 100:
        return "cem"
    if hundreds:
        hundred = _HUNDREDS[hundreds]
        words.append(hundred[:-2] + "as" if feminine and hundreds > 1 else hundred)
    if rest >= 20:
        words.append(_TENS[rest // 10])
        rest %= 10
    if rest:
        words.append({1: "uma", 2: "duas"}.get(rest, _UNITS[rest]) if feminine else _UNITS[rest])
    return " e ".join(words)


def ordinal(number: int, *, feminine: bool = False) -> str:
    """Return "primeiro", "vigésima quinta"…; 1 to 99, and the cardinal beyond, as people do."""
    if not 1 <= number <= 99:
        return cardinal(number, feminine=feminine)
    tens, units = divmod(number, 10)
    words = [w for w in (_ORDINAL_TENS[tens], _ORDINAL_UNITS[units]) if w != "-"]
    return " ".join(w[:-1] + "a" if feminine else w for w in words)


def digits(text: str, *, telephone: bool = False) -> str:
    """Return the digits of `text` one by one; on the telephone six is "meia", which cannot be heard as "três"."""
    return " ".join("meia" if telephone and c == "6" else _UNITS[int(c)] for c in text if c in "0123456789")


def decimal(whole: str, fraction: str, *, point: str = "vírgula", feminine: bool = False) -> str:
    """Return "três vírgula cinco", "dois vírgula zero cinco"; both arguments are ASCII digits, `whole` maybe signed."""
    sign = "menos " if whole.startswith("-") else ""
    zeros = len(fraction) - len(fraction.lstrip("0"))
    rest = fraction.lstrip("0")
    after = " ".join(["zero"] * zeros + ([cardinal(int(rest)) if len(rest) <= 2 else digits(rest)] if rest else []))
    return f"{sign}{cardinal(int(whole.lstrip('-') or '0'), feminine=feminine)} {point} {after}"
