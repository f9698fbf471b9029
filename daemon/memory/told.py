"""What somebody tells the house to keep in mind: the fact in a sentence, whose it is, how much it matters.

The fact is taken from the words as they were said or typed, never from their plain form: a password keeps its capitals.
"""

import re
from dataclasses import dataclass

from daemon.language.words import fold

_CALLED = r"^\s*(?:(?:ei|ô|oi|olá|ok|hey)\s+)?(?:mordomo|jarvis)\s*[,:!.]?\s*"
_VERBS = (
    "lembr[ae][mr]?|record[ae]r?|esque[çc]a|esquece|anot[ae]r?|guard[ae]r?|grav[ae]r?|memoriz[ae]r?|registr[ae]r?|decor[ae]|"
    "aprend[ae]|tom[ae] nota|fi(?:ca|que) sabendo|fi(?:ca|que) ciente|saiba|saber|informação"
)
_LEAD = re.compile(
    rf"^.{{0,60}}?\b(?:{_VERBS})\b(?:\s+(?:aí|isso|bem|sempre|também|mais|nunca|de cabeça|uma coisa|em segredo|"
    r"(?:só )?(?:pra|para) mim|(?:só )?(?:pra|para) (?:a )?gente))*"
    r"\s*(?:[:,]\s*(?:de\s+)?(?:que\s+)?|\s(?:de\s+)?que\s+|\s+(?=[oa]s?\s))(?P<fact>.+)$",
    re.IGNORECASE | re.DOTALL,
)
# A word that may well end a password is courtesy after a comma only.
_TAIL = re.compile(
    r"(?:[,;]\s*(?:viu|tá|ok|hein|certo|obrigad[oa])|[,;]?\s*\b(?:por favor|por gentileza|tá bom|é (?:um )?segredo|"
    r"não conta (?:pra|para) ninguém))\s*[.!?]*\s*$",
    re.IGNORECASE,
)
_PRIVATE = re.compile(
    r"\b(?:so (?:pra|para) mim|em segredo|e (?:um )?segredo|nao conta (?:pra|para) ninguem|so entre nos)\b"
)
_MINE = re.compile(
    r"^(?:que )?(?:(?:o|a|os|as) )?(?:meu|minha|meus|minhas)\b|^eu\b|\b(?:meu|minha)s? (?:senha|conta|diario)\b"
)
_I_SAY = re.compile(r"^(?:sou|gosto|nao gosto|tomo|moro|calco|uso|prefiro|odeio|adoro|tenho|nasci|estou|to|durmo)\b")
_SECRET = re.compile(r"\b(?:senhas?|codigos?|pin|combinacao|segredo|cofre|alarme|cpf|cartao)\b")
# "O wifi da visita" is theirs; "a visita da tia" is none, and "não é para as visitas" says it.
_FOR_GUESTS = re.compile(
    r"\b(?:d(?:a|as|e|o|os)|pras?|pros?|para(?: [ao]s?)?) (?:visitas?|visitantes?|convidad[oa]s?|hospedes?)\b"
    r"(?! d[aeo]s?\b)"
)
_NOT_FOR_THEM = re.compile(r"\b(?:nao|nunca|sem|menos|escond\w+|longe|segredo|surpresa)\b")
_GRAVE = re.compile(
    r"\b(?:alergi\w+|intoleran\w+|celiac\w+|remedios?|diabet\w+|asma|epilep\w+|emergencia|sangu\w+|incendio|marcapasso|"
    r"senhas?|codigos?|nao pode|perigos\w+|veneno|cuidado|convenio|plano de saude)\b"
)
_DAYS = re.compile(
    r"\b(?:hoje|ontem|anteontem|amanha|agora|(?:semana|mes|ano) (?:que vem|passad[ao])|daqui a|proxim[ao]|"
    r"(?:nest[ae]|ess[ae]|est[ae]) (?:semana|mes|ano))\b"
)
_HERE = re.compile(r"\b(?:aqui n[oa]|daqui|aqui nest[ea]|nest[ea] (?:quarto|comodo|sala|cozinha|banheiro))\b")

GRAVE, USUAL = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class Told:
    """A fact as it is kept: `private` to the teller, `secret` to children, true `here` alone, or `for_guests` too."""

    text: str
    private: bool
    secret: bool
    here: bool
    importance: float
    for_guests: bool = False


def told(said: str) -> Told | None:
    """Return the fact that a sentence tells to keep, or None where it tells none."""
    text = _fact(said)
    if not text:
        return None
    plain, whole = fold(text), fold(said)
    private = _PRIVATE.search(whole) is not None
    for_guests = _for_guests(plain) and not private
    mine = _MINE.search(plain) or _I_SAY.search(plain)
    return Told(
        text,
        private=private or (mine is not None and not for_guests),
        secret=_SECRET.search(plain) is not None and not for_guests,
        here=_HERE.search(plain) is not None,
        importance=GRAVE if _GRAVE.search(plain) else USUAL,
        for_guests=for_guests,
    )


def asks_for_secrecy(said: str) -> bool:
    """Tell whether it is meant for the teller alone by their own words."""
    return _PRIVATE.search(fold(said)) is not None


def counts_days(text: str) -> bool:
    """Tell whether a text speaks of days that were near when it was told: without its date it would come to mislead."""
    return _DAYS.search(fold(text)) is not None


def is_secret(text: str) -> bool:
    """Tell whether a text is not for everybody who lives here."""
    plain = fold(text)
    return _SECRET.search(plain) is not None and not _for_guests(plain)


def _for_guests(plain: str) -> bool:
    return _FOR_GUESTS.search(plain) is not None and _NOT_FOR_THEM.search(plain) is None


def _fact(said: str) -> str:
    text = re.sub(_CALLED, "", said, flags=re.IGNORECASE).strip()
    lead = _LEAD.match(text)
    fact = (lead["fact"] if lead else text).strip()
    while (shorter := _TAIL.sub("", fact)) != fact:
        fact = shorter
    # A password may end with "!" or "?"; no other fact does.
    return " ".join(fact.rstrip(" .,;" if _SECRET.search(fold(fact)) or "wifi" in fold(fact) else " .,;!?").split())
