"""What Whisper makes up: sentences from silence, credits of subtitles, loops. The phrases are in `invented.txt`."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NO_SPEECH = 0.6
"""Whisper's own probability of "nobody spoke" above which an improbable text is not believed (its paper's value)."""
UNSURE_LOGPROB = -0.5
"""Below this the model itself hesitates: between its paper's -1.0 and the -0.3 of ordinary clear speech."""
LOOP_RATIO = 2.4
"""Compression ratio above which a text only repeats itself (the paper's value)."""
LOOP_TIMES = 6
"""Nobody says the same thing this many times in a row to a butler; "não, não, não" must pass."""
CHARACTERS_A_SECOND = 40
"""Twice the fastest speech. Noises of half a second become whole sentences."""
CREDIT_WORDS = 5
"""A wildcard of `invented.txt` stands for at most so many words: a name, not a sentence that happens to begin alike."""

_LOOP = re.compile(r"\b(\S.{0,59}?)(?:[\s,.;!?…]+\1\b){%d,}" % (LOOP_TIMES - 1))  # noqa: UP031 - braces
_NOISE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫🎵🎶]+")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment as Whisper gives it: natural log-probability a token, probabilities 0 to 1, length in tokens."""

    text: str
    logprob: float
    no_speech: float
    compression: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of `invented.txt`, folded: never believed, believed only when sure, and what is real though alike."""

    never: frozenset[str]
    if_sure: frozenset[str]
    credits: tuple[str, ...]
    real: tuple[str, ...]


def heard_text(heard: Heard, *, seconds: float, min_logprob: float) -> tuple[str, str]:
    """Return what of `heard` is believed (maybe empty), and why the rest was not ("" when all is).

    `seconds` is the length of the whole utterance.
    """
    text = _NOISE.sub(" ", heard.text).strip()
    if not fold(text):
        return "", "empty" if heard.text.strip() else ""
    if heard.logprob < min_logprob:
        return "", "improbable"
    unsure = heard.no_speech > NO_SPEECH or heard.logprob < UNSURE_LOGPROB
    if heard.no_speech > NO_SPEECH and heard.logprob < UNSURE_LOGPROB:
        return "", "no_speech"
    if heard.compression > LOOP_RATIO or _LOOP.search(fold(text)):
        return "", "loop"
    if len(text) > CHARACTERS_A_SECOND * max(seconds, 0.5):
        return "", "too_long"
    sentences = _SENTENCE.split(text)
    believed = [s for s in sentences if not is_invented(s, unsure=unsure)]
    return " ".join(believed), "" if len(believed) == len(sentences) else "invented"


def is_invented(sentence: str, *, unsure: bool) -> bool:
    """Tell whether the whole sentence is a phrase that Whisper is known to make up. `unsure`: the model hesitated."""
    folded = fold(sentence)
    phrases = _phrases()
    if any(folded == real or folded.startswith(real + " ") for real in phrases.real):
        return False
    if folded in phrases.never or (unsure and folded in phrases.if_sure):
        return True
    return any(
        folded.startswith(credit + " ") and len(folded[len(credit) :].split()) <= CREDIT_WORDS
        for credit in phrases.credits
    )


def fold(text: str) -> str:
    """Return lower case without accents, marks and repeated spaces."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(re.sub(r"[^\w\s]|_", " ", "".join(c for c in plain if not unicodedata.combining(c))).split())


@cache
def _phrases() -> Phrases:
    lines = (files("daemon.engines") / "invented.txt").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return Phrases(
        never=frozenset(fold(r) for r in rules if r[0] not in "?!" and not r.endswith("*")),
        if_sure=frozenset(fold(r) for r in rules if r[0] == "?"),
        credits=tuple(fold(r) for r in rules if r[0] not in "?!" and r.endswith("*")),
        real=tuple(fold(r) for r in rules if r[0] == "!"),
    )
