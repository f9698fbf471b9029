"""The words of a language, read once from its `words.yaml`, in plain form."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from daemon.language.words import fold, plain_words

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """What `words.yaml` says, folded. `kinds` gives (domain, device class or None) of a noun."""

    called: tuple[Phrase, ...]
    before: tuple[Phrase, ...]
    after: tuple[Phrase, ...]
    remarks: tuple[str, ...]
    reasons: tuple[str, ...]
    repairs: tuple[Phrase, ...]
    silence_whole: frozenset[Phrase]
    silence_parts: tuple[str, ...]
    pieces: Mapping[str, str]
    verb_forms: frozenset[str]
    forms: Mapping[str, frozenset[str]]
    comparatives: Mapping[str, str]
    not_in_commands: frozenset[str]
    kinds: Mapping[str, tuple[tuple[str, str | None], ...]]
    same_as: Mapping[str, str]
    handles: frozenset[str]
    vocatives: frozenset[str]
    hesitations: tuple[Phrase, ...]
    afterthoughts: frozenset[str]
    little: frozenset[str]
    loose: frozenset[str]
    plurals: frozenset[str]
    all: frozenset[str]
    everything: tuple[Phrase, ...]
    house: tuple[Phrase, ...]
    here: tuple[Phrase, ...]
    but: tuple[Phrase, ...]
    it: frozenset[str]
    slightly: frozenset[str]
    states: Mapping[Phrase, str]
    modes: Mapping[Phrase, str]
    media_classes: Mapping[Phrase, str]
    colors: Mapping[Phrase, str]
    temperatures: Mapping[Phrase, int]
    levels: Mapping[Phrase, int]
    genres: Mapping[Phrase, str]
    noticed: frozenset[str]
    filling: tuple[Phrase, ...]
    talk: frozenset[str]
    because: frozenset[str]
    reason_starts: frozenset[str]
    not_in_reasons: frozenset[str]
    asking_words: frozenset[str]
    askers: frozenset[str]
    copulas: frozenset[str]
    left_so: frozenset[str]
    for_me: frozenset[str]
    people: Mapping[str, str]
    no_deeds: frozenset[str]
    yes: tuple[Phrase, ...]
    no: tuple[Phrase, ...]


def load_yaml(language: str, name: str) -> Any:
    """Return a YAML file of the language's folder, every scalar as text (so that `no` and `on` are words)."""
    text = resources.files(f"daemon.language.{language}").joinpath(name).read_text("utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - makes only text


@lru_cache(maxsize=4)
def load(language: str) -> Lexicon:
    """Read the language's `words.yaml`. Raises KeyError where a section is missing."""
    said = load_yaml(language, "words.yaml")
    verbs = {name: conjugated(forms.split()) for name, forms in said["verbs"].items()}
    pieces = {name: "(" + "|".join(forms) + ")" for name, forms in verbs.items()} | dict(said["pieces"])
    return Lexicon(
        called=_phrases(said["called"]),
        before=_phrases(said["before"]),
        after=_phrases(said["after"]),
        remarks=tuple(said["remarks"]),
        reasons=tuple(said["reasons"]),
        repairs=_phrases(said["repairs"]),
        silence_whole=frozenset(_phrases(said["silence"]["whole"])),
        silence_parts=tuple(" ".join(plain_words(part)) for part in said["silence"]["parts"]),
        pieces=pieces,
        verb_forms=frozenset(fold(form) for forms in verbs.values() for form in forms),
        forms={name: frozenset(fold(form) for form in forms) for name, forms in verbs.items()},
        comparatives={fold(word): way for way, said_so in said["comparatives"].items() for word in said_so},
        not_in_commands=_words(said["not_in_commands"]),
        kinds={fold(noun): _kinds(kinds) for noun, kinds in said["kinds"].items()},
        same_as={fold(word): fold(other) for word, other in said["same_as"].items()},
        handles=_words(said["handles"]),
        vocatives=_words(said["vocatives"]),
        hesitations=_phrases(said["hesitations"]),
        afterthoughts=_words(said["afterthoughts"]),
        little=_words(said["little"]),
        loose=_words(said["loose"]),
        plurals=_words(said["plurals"]),
        all=_words(said["all"]),
        everything=_phrases(said["everything"]),
        house=_phrases(said["house"]),
        here=_phrases(said["here"]),
        but=_phrases(said["but"]),
        it=_words(said["it"]),
        slightly=_words(said["slightly"]),
        states=_values(said["states"]),
        modes=_values(said["modes"]),
        media_classes=_values(said["media_classes"]),
        colors=_values(said["colors"]),
        temperatures={phrase: int(value) for phrase, value in _values(said["temperatures"]).items()},
        levels={phrase: int(value) for phrase, value in _values(said["levels"]).items()},
        genres={plain_words(genre): genre for genre in said["genres"]},
        noticed=_words(said["noticed"]),
        filling=_phrases(said["filling"]),
        talk=_words(said["talk"]),
        because=_words(said["because"]),
        reason_starts=_words(said["reason_starts"]),
        not_in_reasons=_words(said["not_in_reasons"]),
        asking_words=_words(said["asking_words"]),
        askers=_words(said["askers"]),
        copulas=_words(said["copulas"]),
        left_so=_words(said["left_so"]),
        for_me=frozenset(fold(form) for name in said["for_me"] for form in verbs[name]),
        people={fold(name): name for name in said["people"]},
        no_deeds=_words(said["no_deeds"]),
        yes=_phrases(said["yes"]),
        no=_phrases(said["no"]),
    )


def conjugated(forms: list[str]) -> list[str]:
    """Return the forms of a verb with those that follow from its infinitives: `apagasse`, `apagaria`."""
    made = [
        stem + ending
        for form in forms
        if (stem := form.removesuffix("r")) != form and form[-2:] in {"ar", "er", "ir"}
        for ending in ("sse", "ssem", "ria", "riam")
    ]
    return list(dict.fromkeys([*forms, *made]))


def _phrases(texts: list[str]) -> tuple[Phrase, ...]:
    return tuple(sorted({plain_words(text) for text in texts}, key=lambda phrase: (-len(phrase), phrase)))


def _words(texts: list[str]) -> frozenset[str]:
    return frozenset(fold(text) for text in texts)


def _kinds(text: str) -> tuple[tuple[str, str | None], ...]:
    parts = (kind.partition("/") for kind in text.split())
    return tuple((domain, device_class or None) for domain, _, device_class in parts)


def _values(table: Mapping[str, list[str]]) -> dict[Phrase, str]:
    return {plain_words(text): value for value, texts in table.items() for text in texts}
