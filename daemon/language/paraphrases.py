"""Other ways of putting what was said, for sentences that no pattern of the book fits as they stand.

Nothing that can turn a meaning around is ever left out: a paraphrase drops courtesy, doubled words, reasons and what is
known anyhow, or puts a thing that was named first after its verb. Negations, conditions and unknown words stay, and
with them the sentence stays unread.
"""

from collections.abc import Iterator
from functools import lru_cache

from daemon.language.clauses import is_reason
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.words import Word

Words = tuple[Word, ...]

_LONGEST = 40
"""Words: what is longer is no command that another way of putting it would make plain."""
_MOST = 8
"""So many paraphrases of one sentence are tried at the most."""


def paraphrases(said: Words, lexicon: Lexicon) -> Iterator[Words]:
    """Yield other ways of putting the words, the nearest first, each once."""
    if len(said) > _LONGEST:
        return
    seen = {_key(said)}
    for count, way in enumerate(_ways(said, lexicon)):
        if count > _MOST * 2 or len(seen) > _MOST:
            return
        if way and _key(way) not in seen:
            seen.add(_key(way))
            yield way


def _key(words: Words) -> tuple[tuple[int, str], ...]:
    return tuple((word.start, word.plain) for word in words)


def _ways(said: Words, lexicon: Lexicon) -> Iterator[Words]:
    calm = without_filling(_asked_plainly(_every(_rejoined(said, lexicon))), lexicon)
    yield calm
    for base in dict.fromkeys((without_false_starts(calm), calm)):
        yield base
        plainer = without_known(base, lexicon)
        yield plainer
        yield from _without_reasons(plainer, lexicon)
        for start in dict.fromkeys((plainer, base)):
            yield from _verb_first(start, lexicon)
        yield _at_once(plainer, lexicon)
        yield _exception_first(plainer, lexicon)
        yield _without_remark(plainer, lexicon)


def without_stutter(said: Words, lexicon: Lexicon) -> Words:
    """Leave out a verb or little word said twice: "liga, liga a luz da, da cozinha", "para o portão, para"."""
    kept: list[Word] = []
    for word in _fluent(said, lexicon):
        doubled = kept and word.plain == kept[-1].plain
        if doubled and (word.plain in lexicon.verb_forms or word.plain in lexicon.little):
            kept[-1] = word
        else:
            kept.append(word)
    if len(kept) > 2 and kept[-1].plain == kept[0].plain and kept[-2].mark and kept[0].plain in lexicon.verb_forms:
        kept.pop()
    return tuple(kept)


def _fluent(said: Words, lexicon: Lexicon) -> Words:
    """Leave out what only looks for a word, between pauses: "a luz do, como é que chama, do escritório"."""
    for at in range(1, len(said)):
        size = _longest(said, at, lexicon.hesitations) if said[at - 1].mark else 0
        if size and said[at + size - 1].mark and at + size < len(said):
            return _fluent((*said[: at - 1], _marked(said[at - 1], ""), *said[at + size :]), lexicon)
    return said


_TORN = frozenset({"a", "de", "des", "re", "le", "en", "as", "dimi", "au"})
"""Beginnings of verbs that a recogniser writes as words of their own: "a cende", "des liga"."""


def _rejoined(said: Words, lexicon: Lexicon) -> Words:
    for at in range(len(said) - 1):
        whole = said[at].plain + said[at + 1].plain
        if said[at].plain in _TORN and whole in lexicon.verb_forms and not said[at].mark:
            torn = Word(whole, said[at].start, said[at + 1].end, False, said[at + 1].mark)
            alone = said[at].plain != "a" or said[at + 1].plain not in lexicon.verb_forms
            return (*said[:at], torn, *said[at + 2 :]) if alone else said
    return said


def _every(said: Words) -> Words:
    """Put "todas" for "tudo que é" ("fecha tudo que é cortina"), and "tudo" for "tudo que estiver ligado"."""
    for at in range(len(said) - 3):
        if [word.plain for word in said[at : at + 2]] == ["tudo", "que"] and said[at + 2].plain in _BEING:
            rest = said[at + 4 :]
            return (*said[: at + 1], *rest) if said[at + 3].plain in _ON else said
    for at in range(len(said) - 3):
        if tuple(word.plain for word in said[at : at + 3]) in {("tudo", "que", "e"), ("tudo", "quanto", "e")}:
            every = Word("todas", said[at].start, said[at].end)
            return (*said[:at], every, *said[at + 3 :])
    return said


def _asked_plainly(said: Words) -> Words:
    """Leave out the "que" of questions: "qual que é", "onde é que está"."""
    kept: list[Word] = []
    for at, word in enumerate(said):
        before = kept[-1].plain if kept else ""
        after = said[at + 1].plain if at + 1 < len(said) else ""
        if word.plain == "que" and before in _QUESTIONS and after not in {"horas", "hora", "dia"}:
            continue
        if word.plain == "e" and word.accented and before in _QUESTIONS and after == "que":
            continue
        kept.append(word)
    return tuple(kept)


_BEING = frozenset({"estiver", "tiver", "esta", "ta", "estiverem", "tiverem", "ficou", "for"})
_ON = frozenset({"ligado", "ligada", "aceso", "acesa", "aberto", "aberta", "ligados", "acesas", "abertos"})
_QUESTIONS = frozenset({"qual", "quais", "onde", "quando", "quanto", "quantos", "quantas", "como", "quem", "cade"})


def _at_once(said: Words, lexicon: Lexicon) -> Words:
    """Put the infinitive for "ir apagando"."""
    for at in range(len(said) - 1):
        verb = said[at + 1]
        infinitive = verb.plain.removesuffix("ndo") + "r"
        if (
            said[at].plain in {"ir", "vai", "va", "vem"}
            and verb.plain.endswith("ndo")
            and infinitive in lexicon.verb_forms
        ):
            return (*said[:at], Word(infinitive, verb.start, verb.end, verb.accented, verb.mark), *said[at + 2 :])
    return said


def _exception_first(said: Words, lexicon: Lexicon) -> Words:
    """Put an exception beside what it is taken from: "deixa tudo apagado menos a da varanda"."""
    for at in range(2, len(said) - 1):
        if any(tuple(w.plain for w in said[at : at + len(but)]) == but for but in lexicon.but):
            state = said[at - 1]
            return (*said[: at - 1], *said[at:], state) if (state.plain,) in lexicon.states else said
    return said


def _without_remark(said: Words, lexicon: Lexicon) -> Words:
    """Leave out a remark before a command: "essa música é chata, passa pra outra"."""
    for at in range(1, min(len(said), 12)):
        if said[at - 1].mark in {",", ".", "!", ";", "…"}:
            remark = {word.plain for word in said[:at]}
            if remark <= lexicon.talk:
                continue
            calm = not remark & (lexicon.not_in_reasons | {"que", "se"}) and bool(remark & lexicon.copulas)
            return said[at:] if calm and not remark & _COMMANDING else said
    return said


_COMMANDING = frozenset({"mandando", "pedindo", "dizendo", "falando", "escrito", "falou", "mandou"})


def without_filling(said: Words, lexicon: Lexicon) -> Words:
    """Leave out favours ("pra mim") and little words of talk, wherever they stand; never all of the sentence."""
    kept: list[Word] = []
    at = 0
    firsts = _firsts(lexicon)
    while at < len(said):
        size = _longest(said, at, lexicon.filling) if said[at].plain in firsts else 0
        if size and said[at].plain in {"pra", "para"} and _infinitive(said[at + size : at + size + 1]):
            size = 0  # "pra eu cortar a cebola" is a purpose
        if not size:
            kept.append(said[at])
        elif kept and said[at + size - 1].mark and not kept[-1].mark:
            kept[-1] = _marked(kept[-1], said[at + size - 1].mark)
        at += max(size, 1)
    if kept and kept[0].plain == "me" and len(kept) > 1 and kept[1].plain in lexicon.for_me:
        kept.pop(0)  # "me acende a luz"
    return tuple(kept) or said


def _infinitive(said: Words) -> bool:
    return any(len(word.plain) > 2 and word.plain[-2:] in {"ar", "er", "ir"} for word in said)


def without_false_starts(said: Words) -> Words:
    """Leave out what was said twice or broken off: "acende acende", "da co... da cozinha"."""
    kept: list[Word] = []
    for word in said:
        if kept and word.plain == kept[-1].plain and not word.plain[0].isdigit():
            kept[-1] = word
            continue
        broken = len(kept) > 1 and kept[-1].mark in {"…", "-"}
        if broken and word.plain == kept[-2].plain:
            del kept[-2:]
        elif kept and kept[-1].mark == "…" and word.plain.startswith(kept[-1].plain) and len(word.plain) > 2:
            kept.pop()
        kept.append(word)
    return tuple(kept)


def without_known(said: Words, lexicon: Lexicon) -> Words:
    """Leave out what is said of a thing that is named well enough: "a luz da garagem que ficou acesa"."""
    plain = [word.plain for word in said]
    for at, word in enumerate(plain):
        if word != "que" or not {"da", "do", "das", "dos"} & set(plain[:at]):
            continue
        for end in range(at + 2, min(at + 7, len(plain))):
            if (plain[end],) in lexicon.states and set(plain[at + 1 : end]) <= lexicon.left_so:
                return said[:at] + said[end + 1 :]
    return said


def _without_reasons(said: Words, lexicon: Lexicon) -> Iterator[Words]:
    """Yield the words before a reason or a purpose: "que vai chover", "pra entrar um solzinho"."""
    plain = tuple(word.plain for word in said)
    for at in range(2, len(plain)):
        because, rest = plain[at], plain[at + 1 :]
        if said[at - 1].mark and because in lexicon.afterthoughts and not lexicon.not_in_reasons & set(rest):
            yield said[:at]  # "liga o ar, tá um calor danado"
        if not rest or because not in lexicon.because or len(rest) > 12 or not is_reason(said[at + 1 :], lexicon):
            continue
        purpose = because in {"pra", "para", "pro"} and any(w.endswith("r") and len(w) > 2 for w in rest[:3])
        named = rest[0] in {"ta", "esta"} and (
            bool({"da", "do", "das", "dos"} & set(plain[:at])) or _tells_no_place(rest[1:], lexicon)
        )
        reason = because not in {"pra", "para", "pro"} and (rest[0] in lexicon.reason_starts or named)
        relative = rest[0] != "ja" and any(w.endswith("ei") and w != "cheguei" for w in rest[:2])
        if (purpose or reason) and not relative:
            yield said[:at]


def _tells_no_place(rest: Phrase, lexicon: Lexicon) -> bool:
    """Tell whether "que tá…" says why ("que tá sol") and not which one ("que tá acesa", "que tá na sala")."""
    return bool(rest) and (rest[0],) not in lexicon.states and rest[0] not in _PLACING


_PLACING = frozenset("no na nos nas em la ali ai aqui com mais perto do da atras em ainda".split())


def _verb_first(said: Words, lexicon: Lexicon) -> Iterator[Words]:
    """Yield the verb before the thing that was named first: "as luzes da sala, apaga todas"."""
    if said and said[-1].mark == "?" and not lexicon.askers & {word.plain for word in said}:
        return  # "a luz da sala acende?" asks
    plain = tuple(word.plain for word in said[:2])
    if plain in {("por", "que"), ("o", "que")} or (plain and plain[0] in _QUESTIONS | {"porque"}):
        return
    for at in range(1, min(len(said), 14)):
        if said[at].plain not in lexicon.verb_forms or said[at].plain in {"para", "conta", "lista", "marca", "passa"}:
            continue
        before = [word for word in said[:at] if word.plain not in lexicon.asking_words]
        pause = said[at - 1].mark not in {"", ":"} or any(word.plain in lexicon.askers for word in said[:at])
        named = _named(tuple(before), lexicon)
        if not named or not pause:
            continue
        rest = tuple(word for word in said[at + 1 :] if word.plain not in lexicon.it | lexicon.all)
        named_calmly = tuple(_marked(word, "") for word in named)
        yield (said[at], *named_calmly, *rest)
        return


def _named(before: Words, lexicon: Lexicon) -> Words:
    """Return the thing that the words before a verb name: all of them, or those before "tá muito forte"."""
    while before and before[0].plain in lexicon.noticed | lexicon.talk:
        before = before[1:]
    if len(before) > 1 and (before[-1].plain,) in lexicon.states and before[-1].mark:
        before = before[:-1]
    for at, word in enumerate(before):
        if word.plain in lexicon.copulas and not (word.plain == "e" and not word.accented):
            return before[:at] if at and before[-1].mark else ()
        if word.plain in lexicon.verb_forms or word.plain in lexicon.not_in_reasons:
            return ()
    return before


@lru_cache(maxsize=4)
def _firsts(lexicon: Lexicon) -> frozenset[str]:
    return frozenset(phrase[0] for phrase in lexicon.filling)


def _longest(said: Words, at: int, phrases: tuple[Phrase, ...]) -> int:
    for phrase in phrases:
        if said[at].plain == phrase[0] and tuple(w.plain for w in said[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _marked(word: Word, mark: str) -> Word:
    return Word(word.plain, word.start, word.end, word.accented, mark)
