"""A command read by its parts, in whatever order they come, where no sentence of the book fits.

One verb that orders, at most one value of a kind, and the words of one phrase that names things: nothing else may be
left over. So "abre a cortina da sala bem aberta" is read, and whatever holds a word that nobody knows is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from daemon.language import timing, values
from daemon.language.book import Entry
from daemon.language.found import Wanted
from daemon.language.lexicon import Lexicon, Phrase
from daemon.language.meaning import Reading
from daemon.language.plan import Intent, Value
from daemon.language.pt_br import moments, numbers
from daemon.language.reading import Reader
from daemon.language.words import Word

_LONGEST = 16
_SURE = 0.85
_DOMAINS = frozenset({"light", "switch", "fan", "climate", "media_player", "cover", "valve", "lock", "humidifier"})
_CLASSES = {
    "on": ("ligar", "acender"), "off": ("desligar", "apagar"), "open": ("abrir",), "closed": ("fechar",),
    "up": ("aumentar", "clarear"), "down": ("diminuir", "escurecer"), "locked": ("trancar",),
    "unlocked": ("destrancar",), "put": ("por",),
}  # fmt: skip
_LIGHTS = frozenset({"acender", "apagar", "clarear", "escurecer"})
_BEFORE_VALUE = frozenset(
    "em no na nos nas para pra pro pela pelo ate uns umas de com a ao bem toda todo num numa".split()
)
_WANTING = frozenset({"quero", "queria"})


@dataclass(slots=True)
class _Parts:
    """What a sentence holds: classes of its verb, whether that verb is of lamps, values, and the words left over."""

    acts: frozenset[str]
    lamps: bool
    slots: dict[str, Value] = field(default_factory=dict)
    step: str | None = None
    little: bool = False
    moving: bool = False
    left: list[str] = field(default_factory=list)


def read(said: Sequence[Word], reader: Reader) -> Reading | None:
    """Return what the words order, or None where they order nothing, or not clearly."""
    lexicon = reader.lexicon
    plain = tuple(word.plain for word in said)
    if not 2 <= len(said) <= _LONGEST or lexicon.not_in_commands & set(plain) or said[-1].mark == "?":
        return None
    if said[0].quoted or (plain[0] not in lexicon.verb_forms and plain[0] not in _WANTING):
        return None
    timed = moments.find(said, reader.now)
    for when, rest in ((None, said), timed or (None, ())):
        parts = _parts(tuple(word.plain for word in rest), lexicon) if rest else None
        if parts and parts.left:
            until = when is not None and any(word.plain == "ate" and word not in rest for word in said)
            reading = _aimed(parts, reader, when, reader.now if until else None)
            if reading:
                return reading
    return None


def _parts(plain: Phrase, lexicon: Lexicon) -> _Parts | None:
    named = [name for name, forms in lexicon.forms.items() if plain[0] in forms]
    acts = frozenset(act for act, names in _CLASSES.items() if set(names) & set(named))
    parts = _Parts(acts or frozenset({"put"}) if plain[0] in _WANTING else acts, bool(_LIGHTS & set(named)))
    at = 1
    while parts.acts and at < len(plain):
        at = _value(plain, at, parts, lexicon) or _word(plain, at, parts, lexicon)
    return parts if parts.acts else None


def _word(plain: Phrase, at: int, parts: _Parts, lexicon: Lexicon) -> int:
    if plain[at] in lexicon.slightly:
        parts.little = True
        if parts.left and parts.left[-1] == "um":
            parts.left.pop()
    elif plain[at] not in {"bem", "bastante", "mais"}:
        parts.left.append(plain[at])
    return at + 1


def _value(plain: Phrase, at: int, parts: _Parts, lexicon: Lexicon) -> int:
    """Read a value at word `at`, its prepositions included; return the index after it, or 0."""
    here = at
    while here < len(plain) and plain[here] in _BEFORE_VALUE and here - at < 3:
        here += 1
    if plain[here : here + 1] in {("mais",), ("menos",)} and here + 1 < len(plain):
        step = lexicon.comparatives.get(plain[here + 1])
        if step and parts.step is None:
            parts.step = step if plain[here] == "mais" else {"up": "down", "down": "up"}[step]
            return here + 2
    for size in (3, 2, 1):
        said = plain[here : here + size]
        for key, table in (("color", lexicon.colors), ("color_temperature", lexicon.temperatures)):
            if len(said) == size and said in table and key not in parts.slots:
                parts.slots[key] = table[said]
                return here + size
        if len(said) == size and said in lexicon.levels and "level" not in parts.slots:
            parts.slots["level"] = lexicon.levels[said]
            return here + size
    if (plain[here],) in lexicon.states and here > 1 if here < len(plain) else False:
        return here + 1 if _same_state(plain[here], parts, lexicon) else 0
    return _number(plain, at, here, parts)


def _same_state(word: str, parts: _Parts, lexicon: Lexicon) -> bool:
    """Take a state that says what the verb says ("abre bem aberta"), or, after "deixa", says it instead."""
    state = lexicon.states[(word,)]
    if state in parts.acts:
        return True
    if parts.acts == {"put"} and state in {"on", "off", "open", "closed", "locked"}:
        parts.acts = frozenset({state, "put"})
        return True
    return False


def _number(plain: Phrase, at: int, here: int, parts: _Parts) -> int:
    number = numbers.read(plain, here)
    if number is None or "level" in parts.slots or "degrees" in parts.slots:
        return 0
    value, end = number
    value = int(value) if value == int(value) else value
    if plain[end : end + 1] in {("%",), ("porcento",)} or plain[end : end + 2] == ("por", "cento"):
        parts.slots["level"] = value
        parts.moving = plain[at] in {"em", "uns", "mais"}
        return end + (2 if plain[end] == "por" else 1)
    if plain[end : end + 1] in {("grau",), ("graus",)}:
        parts.slots["degrees"] = value
        parts.moving = plain[at] not in {"para", "pra", "pro", "ate", "a"}
        return end + 1
    if here > at and plain[here - 1] in {"em", "no", "para", "pra", "pro", "ate", "a"}:
        parts.slots["degrees"] = value
        return end
    return 0


def _aimed(parts: _Parts, reader: Reader, when: moments.When | None, until_from: datetime | None) -> Reading | None:
    to = next((act for act in ("off", "closed", "locked", "unlocked", "on", "open") if act in parts.acts), None)
    lamps = parts.lamps or bool({"color", "color_temperature"} & parts.slots.keys())
    wanted = Wanted(
        frozenset({"light"}) if lamps else _DOMAINS, to=to, head="luz", area_is="light" if lamps else None,
        everything=frozenset({"light"}) if lamps else frozenset(),
    )  # fmt: skip
    founds = reader.pointer.find(tuple(parts.left), wanted)
    if not founds or any(found.choices or not found.things for found in founds):
        return None
    intents: list[Intent] = []
    for found in founds:
        domains = {thing.domain for thing in found.things}
        meant = _meant(next(iter(domains)), parts) if len(domains) == 1 else None
        timed = timing.slots(Entry(meant[0], (), wanted, {}, time=True), when, until_from) if meant else None
        if meant is None or timed is None or (when is not None and when.past):
            return None
        slots = {**dict(found.slots), **meant[1], **timed}
        stepped = (
            values.stepped(slots, found.things[0].attributes, little=parts.little) if len(found.things) == 1 else {}
        )
        intents.append(Intent(meant[0], tuple(thing.id for thing in found.things), {**slots, **stepped}))
    assumed = (when.assumed,) if when and when.assumed else ()
    score = _SURE * min(found.score for found in founds)
    return Reading(tuple(intents), score, assumed=assumed, head=founds[-1].head)


_Meant = tuple[str, Mapping[str, Value]]


def _meant(domain: str, parts: _Parts) -> _Meant | None:
    """Return the intent and its values for things of a domain, or None where the parts do not go together."""
    step = parts.step or next((way for way in ("up", "down") if way in parts.acts), None)
    if domain == "light":
        return _light(parts, step)
    if parts.slots.keys() & {"color", "color_temperature"}:
        return None
    if domain in {"cover", "valve"}:
        return _cover(parts, domain)
    set_to = _set_to(domain, parts, step)
    return set_to or _stepped(domain, parts, step) or (None if parts.slots else _switched({}, parts, domain))


def _cover(parts: _Parts, domain: str) -> _Meant | None:
    if "level" in parts.slots:
        return "HassSetPosition", {"position": parts.slots["level"]}
    if parts.little:
        return ("HassSetPosition", {"position": 20}) if "open" in parts.acts else None
    return _switched({"on": "open", "off": "closed"}, parts, domain)


def _set_to(domain: str, parts: _Parts, step: str | None) -> _Meant | None:
    slots = parts.slots
    if domain == "climate" and "degrees" in slots:
        if step and parts.moving:
            return "HassClimateSetTemperature", {"temperature_step": slots["degrees"], "step_direction": step}
        return "HassClimateSetTemperature", {"temperature": slots["degrees"]}
    setting = {"fan": ("HassFanSetSpeed", "percentage"), "media_player": ("HassSetVolume", "volume_level")}.get(domain)
    return (setting[0], {setting[1]: slots["level"]}) if setting and "level" in slots else None


def _stepped(domain: str, parts: _Parts, step: str | None) -> _Meant | None:
    if step is None or parts.slots:
        return None
    steps: dict[str, _Meant] = {
        "climate": ("HassClimateSetTemperature", {"temperature_step": 1, "step_direction": step}),
        "fan": ("HassFanSetSpeed", {"percentage_step": step}),
        "media_player": ("HassSetVolumeRelative", {"volume_step": step}),
    }
    return steps.get(domain)


def _light(parts: _Parts, step: str | None) -> _Meant | None:
    slots = parts.slots
    if "degrees" in slots:
        level = slots["degrees"]
        return ("HassLightSet", {"brightness": level}) if isinstance(level, int) and 0 <= level <= 100 else None
    coloured: dict[str, Value] = {key: slots[key] for key in ("color", "color_temperature") if key in slots}
    if coloured:
        return "HassLightSet", coloured
    if step and "level" in slots and parts.moving:
        return "HassLightSet", {"brightness_step": step, "brightness_step_pct": slots["level"]}
    if "level" in slots:
        return "HassLightSet", {"brightness": slots["level"]}
    if step:
        return "HassLightSet", {"brightness_step": step}
    return _switched({}, parts, "light")


def _switched(states: Mapping[str, str], parts: _Parts, domain: str) -> _Meant | None:
    acts = parts.acts
    if parts.slots or parts.step:
        return None
    if domain == "lock":
        action = "lock" if "locked" in acts else "unlock" if "unlocked" in acts else None
        return ("HassTurnOn" if action == "lock" else "HassTurnOff", {"action": action}) if action else None
    on, off = states.get("on", "on"), states.get("off", "off")
    if on in acts or (states and "up" in acts):
        return "HassTurnOn", {"action": "open"} if states else {}
    if off in acts or (states and "down" in acts):
        return "HassTurnOff", {"action": "close"} if states else {}
    return None
