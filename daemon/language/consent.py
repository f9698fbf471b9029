"""What is said to a question that Mordomo asked back: yes, no, or the words that were missing."""

from collections.abc import Sequence
from dataclasses import replace

from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.plan import Intent, Plan
from daemon.language.words import fold, plain_words

CONFIRMED = "confirmed"
"""The slot that a yes fills with true."""
DECLINED = Intent("HassNevermind", slots={"declined": True})
LEAVE = "GrantApproval"
"""Leave that somebody asked for: only few words answer it."""
WITH_A_NO = frozenset({LEAVE, "GiveConsent"})
"""Intents that a no answers as well as a yes: what was refused is written down, too."""
GIVEN = frozenset({"pode", "podem", "sim", "autorizo", "autorizado", "permito", "permitido", "libero", "liberado"})
NOT_GIVEN = frozenset({"nao", "negativo", "nunca", "jamais"})
AFTER_LEAVE = frozenset("pode sim abrir entrar fazer ir ela ele eles elas deixar que o a os as pra por favor".split())
"""Words that may follow, beside those of the question: leave is not given by whatever a conversation is full of."""


def consent(plain: Sequence[str], lexicon: Lexicon) -> bool | None:
    """Return whether these folded words are a plain yes or a plain no; None where they are anything else.

    A no wins over a yes beside it, and whatever follows a no: "sim, não, deixa" moves nothing.
    """
    words = tuple(plain)
    said_yes = False
    while words:
        if _first(words, lexicon.no):
            return False
        taken = _first(words, lexicon.yes)
        said_yes = said_yes or bool(taken)
        taken = taken or _first(words, lexicon.called) or (words[:1] if words[0] in lexicon.talk else ())
        if not taken:
            return None
        words = words[len(taken) :]
    return True if said_yes else None


def goes_on(plain: Sequence[str], lexicon: Lexicon) -> bool:
    """Tell whether a no is also the verb of more words, so that all may be a command: "cancela o timer"."""
    said = _first(tuple(plain), lexicon.no)
    return bool(said) and said[0] in lexicon.verb_forms and consent(plain[len(said) :], lexicon) is None


def leave(plain: Sequence[str], asked: Plan, lexicon: Lexicon) -> bool | None:
    """Return whether these folded words give the leave that was asked for, or refuse it; None where they do neither."""
    name = {word for one in asked.intents for word in fold(str(one.slots.get("name") or "")).split()}
    asked_for = frozenset(plain_words(asked.question or "")) - NOT_GIVEN
    words = [word for word in plain if (word,) not in lexicon.called and word not in lexicon.talk and word not in name]
    words = words[1:] if words[:1] in (["o"], ["a"]) else words  # "a Ana pode"
    if words[:1] and words[0] in NOT_GIVEN:
        return False
    if not words or words[0] not in GIVEN or not (AFTER_LEAVE | asked_for).issuperset(words[1:]):
        return None
    return True


def consented(asked: Plan, *, yes: bool) -> Plan:
    """Return the plan that was asked about with the yes in it, or one that lets it be."""
    if not yes and any(intent.name in WITH_A_NO for intent in asked.intents):
        return Plan("skill", tuple(replace(one, slots={**one.slots, CONFIRMED: False}) for one in asked.intents), 1.0)
    if not yes:
        return Plan("skill", (DECLINED,), 1.0)
    intents = tuple(replace(intent, slots={**intent.slots, CONFIRMED: True}) for intent in asked.intents)
    return Plan("skill", intents, 1.0)


def filled(asked: Plan, slot: str, text: str) -> Plan:
    """Return the plan that was asked about with the words that were missing."""
    intents = tuple(replace(intent, slots={**intent.slots, slot: text}) for intent in asked.intents)
    return Plan("skill", intents, 0.9)


def _first(words: Phrase, phrases: Sequence[Phrase]) -> Phrase:
    return next((phrase for phrase in phrases if words[: len(phrase)] == phrase), ())
