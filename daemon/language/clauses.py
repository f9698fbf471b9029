"""What stands around and between commands: names called, courtesy, remarks, corrections, "e depois…", and noise."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from daemon.language import lexicon as lexicons
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.patterns import Pattern, compile_pattern
from daemon.language.pt_br import durations, moments, numbers
from daemon.language.words import Word

Words = tuple[Word, ...]

_JOINTS = frozenset({"e", "depois", "dai", "ai", "mas", "entao", "tambem", "em", "seguida", "agora", "ja"})
_PARTING = frozenset({",", ".", ";", "!", "?", ":", "…", "-"})
_MOST_CUTS = 5
_TIES = frozenset({"de", "do", "da", "dos", "das", "no", "na", "nos", "nas", "pro", "pra", "e"})
_BECAUSE = frozenset({"que", "porque", "pois", "por", "pra", "para"})
_TIMERS = frozenset({"timer", "timers", "temporizador", "temporizadores", "cronometro"})
_UNITS = frozenset({"segundo", "segundos", "minuto", "minutos", "min", "hora", "horas"})
_ANOTHER = frozenset({"de", "outro", "um", "mais", *_TIMERS})
_NO_COMMAND = frozenset({"para", "pare", "conta", "marca", "passa", "lista"})
"""Forms that are more often something else, and begin a command only after a mark."""


@lru_cache(maxsize=4)
def _remarks(language: str) -> tuple[Pattern, ...]:
    lexicon = lexicons.load(language)
    return tuple(compile_pattern(remark, lexicon.pieces, {}) for remark in lexicon.remarks)


@lru_cache(maxsize=4)
def _reasons(language: str) -> tuple[Pattern, ...]:
    lexicon = lexicons.load(language)
    return tuple(compile_pattern(reason, lexicon.pieces, {}) for reason in lexicon.reasons)


def prepare(language: str) -> None:
    """Make the patterns of remarks and reasons ready, which else happens when they are first used."""
    for pattern in (*_remarks(language), *_reasons(language)):
        _ = pattern.regex


def is_silence(words: Words, text: str, lexicon: Lexicon) -> bool:
    """Tell whether this is nothing: noise, a lone filler, or a phrase that recognisers invent from silence."""
    plain = tuple(word.plain for word in words)
    joined = " ".join(plain)
    if not plain or plain in lexicon.silence_whole or any(part in joined for part in lexicon.silence_parts):
        return True
    singles = {phrase[0] for phrase in lexicon.silence_whole if len(phrase) == 1}
    if all(word in singles for word in plain) or (len(plain) > 3 and len(set(plain)) == 1):
        return True
    stripped = text.strip()
    return (stripped[0], stripped[-1]) in {("[", "]"), ("(", ")"), ("*", "*"), ("♪", "♪")}


def is_quotation(text: str) -> bool:
    """Tell whether somebody tells what another said: `"apaga a luz", disse ele`."""
    stripped = text.strip()
    closing = _QUOTES.get(stripped[:1])
    end = stripped.find(closing, 1) if closing else -1
    return end > 0 and any(c.isalpha() for c in stripped[end:])


_QUOTES = {'"': '"', "“": "”", "«": "»", "'": "'", "‘": "’"}


def bare(words: Words, lexicon: Lexicon, language: str) -> Iterator[Words]:
    """Yield the command inside its courtesy, the likeliest first: stripped at the end, ever more at the beginning."""
    front = [words]
    while len(front) < 8:
        shorter = _without_front(front[-1], lexicon, language)
        if shorter is None:
            break
        front.append(shorter)
    seen: set[tuple[int, int]] = set()
    unreasoned = (_without_reason(start, lexicon, language) for start in front)
    for cut in (*(_without_back(start, lexicon) for start in front), *front, *filter(None, unreasoned)):
        key = (cut[0].start, cut[-1].end)
        if key not in seen:
            seen.add(key)
            yield cut


def _without_front(words: Words, lexicon: Lexicon, language: str) -> Words | None:
    plain = tuple(word.plain for word in words)
    text = " ".join(plain) + " "
    for remark in _remarks(language):
        found = remark.regex.match(text)
        if found and found.group():
            end = found.group().count(" ")
            if end < len(words) and (words[end - 1].mark or plain[end] in _JOINTS):
                return words[end:]
    article = plain[0] == "o" and not (words[0].accented or words[0].mark)  # and no "ô": "o lembrete das nove já tocou"
    for phrase in (*lexicon.called, *lexicon.before):
        if len(phrase) < len(plain) and plain[: len(phrase)] == phrase and not (article and phrase == ("o",)):
            return words[len(phrase) :]
    called = (plain[0] in lexicon.talk and not article) or (plain[0] in lexicon.vocatives and bool(words[0].mark))
    return words[1:] if len(words) > 1 and called else None


def _without_reason(words: Words, lexicon: Lexicon, language: str) -> Words | None:
    """Return the words before a reason at the end: "apaga a luz que eu vou dormir"; None where there is none."""
    for at in range(2, len(words) - 1):
        if words[at].plain in _BECAUSE:
            text = "".join(f"{word.plain} " for word in words[at:])
            if is_reason(words[at + 1 :], lexicon) and any(r.regex.match(text) for r in _reasons(language)):
                return words[:at]
    return None


def is_reason(rest: Sequence[Word], lexicon: Lexicon) -> bool:
    """Tell whether words after "que" or "porque" can be a reason: no condition, no quotation, no "não" at the end."""
    plain = [word.plain for word in rest]
    own = {at + 1 for at, word in enumerate(plain[:-2]) if word in {"eu", "gente", "nos", "ja"}}  # "eu não consigo"
    own |= {at for at, word in enumerate(plain[1:]) if word[-2:] in {"ar", "er", "ir"}}  # "pra não gastar"
    return not any(word in lexicon.not_in_reasons for at, word in enumerate(plain) if at not in own or word != "nao")


def _without_back(words: Words, lexicon: Lexicon) -> Words:
    again = True
    while again:
        again = False
        plain = tuple(word.plain for word in words)
        for phrase in (*lexicon.called, *lexicon.after):
            tied = phrase == ("la",) and plain[-2:-1] == ("de",)  # "o ventilador de lá"
            if len(phrase) < len(plain) and plain[-len(phrase) :] == phrase and not tied:
                words, again = words[: -len(phrase)], True
                break
        if not again and len(plain) > 2 and plain[-1] in lexicon.vocatives and words[-2].mark:
            words, again = words[:-1], True
        if not again and len(plain) > 2 and plain[-1] in lexicon.talk and plain[-2] not in _TIES:
            words, again = words[:-1], True
    return words


def cuts(words: Words, lexicon: Lexicon, now: datetime, *, infinitives: bool) -> list[list[Words]]:
    """Return the ways of cutting a sentence into commands, most pieces first; empty when it is one."""
    places = [at for at in range(1, len(words)) if _begins(words, at, lexicon, now, infinitives)]
    if not places:
        return []
    ways = [places[:_MOST_CUTS]]
    if len(places) > 1:
        ways.extend([place] for place in places[:_MOST_CUTS])
    return [pieces for way in ways if (pieces := _pieces(words, way))]


def _begins(words: Words, at: int, lexicon: Lexicon, now: datetime, infinitives: bool) -> bool:
    """Tell whether a new command begins at word `at`: after a mark or a joint, with a verb, or a time and a verb."""
    marked = words[at - 1].mark in _PARTING
    joint = words[at].plain in _JOINTS
    if not (marked or joint):
        return False
    start = at
    while start < len(words) and words[start].plain in _JOINTS:
        start += 1
    if _one_more_timer(words, at, start):
        return True
    if start < len(words) and words[start].plain == "me":
        start += 1
    for verb_at in range(start, min(start + 8, len(words))):
        if _is_verb(words[verb_at].plain, lexicon, marked=marked, infinitives=infinitives):
            between = tuple(words[start:verb_at])
            if not between:
                return True
            timed = moments.find(between, now)
            return timed is not None and all(w.plain in _JOINTS or w.plain == "me" for w in timed[1])
    return False


def begins_with_time(words: Words, lexicon: Lexicon, now: datetime) -> bool:
    """Tell whether a time comes before the verb, and so is that of all that follows: "às sete liga… e abre…"."""
    verb_at = next((at for at, word in enumerate(words[:12]) if word.plain in lexicon.verb_forms), 0)
    timed = moments.find(words[:verb_at], now) if verb_at else None
    return timed is not None and all(word.plain in _JOINTS or word.plain == "me" for word in timed[1])


def _one_more_timer(words: Words, at: int, start: int) -> bool:
    """Tell whether "e outro de dez minutos pro arroz" follows a timer that was asked for."""
    if not any(word.plain in _TIMERS for word in words[:at]):
        return False
    while start < len(words) and words[start].plain in _ANOTHER:
        start += 1
    said = plain_of(words)
    return said[start - 1] in _ANOTHER and (durations.read(said, start) or numbers.read(said, start)) is not None


def _is_verb(word: str, lexicon: Lexicon, *, marked: bool, infinitives: bool) -> bool:
    if word not in lexicon.verb_forms or (word in _NO_COMMAND and not marked):
        return False
    return infinitives or not word.endswith("r") or word == "por"


def _pieces(words: Words, places: Sequence[int]) -> list[Words]:
    edges = [0, *places, len(words)]
    pieces = []
    for start, end in pairwise(edges):
        piece = words[start:end]
        while piece and piece[0].plain in _JOINTS and len(piece) > 1:
            piece = piece[1:]
        while len(piece) > 1 and piece[-1].plain == "e":
            piece = piece[:-1]
        if start and piece and piece[0].plain in _ANOTHER:
            timers = [word for word in words[:start] if word.plain in _TIMERS]
            rest = tuple(word for word in piece if word.plain not in {*_TIMERS, "outro", "mais", "um"})
            piece = (*timers[-1:], *_with_unit(rest, words[:start]))
        pieces.append(piece)
    return pieces if all(pieces) else []


def _with_unit(piece: Words, before: Words) -> Words:
    """Return "de 10 pro arroz" with the unit of the timer before, where it names none."""
    said = plain_of(piece)
    at = next((at for at in range(len(said)) if numbers.read(said, at) is not None), len(said))
    unit = [word for word in before if word.plain in _UNITS]
    number = numbers.read(said, at) if at < len(said) else None
    if number is None or not unit or durations.read(said, at) is not None:
        return piece
    end = number[1]
    return (*piece[:end], unit[-1], *piece[end:])


def plain_of(words: Sequence[Word]) -> Phrase:
    """Return the plain forms of words."""
    return tuple(word.plain for word in words)
