"""From a language model's call of a tool to an intent: known tool, right arguments, real things; or why it is none."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from rapidfuzz import process

from daemon.brain import arguments, daily
from daemon.brain.arguments import Arguments, Pointing
from daemon.engines.protocols import Tool, ToolCall
from daemon.language.found import Found, Wanted
from daemon.language.language import Language
from daemon.language.plan import Intent, Thing
from daemon.language.words import fold, plain_words
from daemon.skills.skill import Context, Skill

ALL: tuple[type[Arguments], ...] = (
    arguments.TurnOn, arguments.TurnOff, arguments.SetLight, arguments.SetLevel, arguments.SetMode, arguments.Stop,
    arguments.Media, arguments.Robot, arguments.Alarm, arguments.GetState, arguments.GetTemperature,
    daily.CreateReminder, daily.ListReminders, daily.ChangeReminder, daily.Timer, daily.Lists, daily.Broadcast,
    daily.Routine, daily.ListRoutines, daily.Remember, daily.Recollect, daily.Forget,
)  # fmt: skip
SELF_AIMED = (arguments.Media, arguments.Robot, arguments.Alarm)
"""Tools whose skills know what is meant where nothing is named."""
NEAR = 5
WHOLE_HOUSE = frozenset({"casa", "a casa", "casa toda", "toda a casa", "casa inteira", "todos"})


class Unusable(Exception):  # noqa: N818 - it tells the model what to do, and nobody else
    """A call that cannot be an intent. `why` is for the model, in Portuguese."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Toolbox:
    """The tools of a house whose `skills` are these."""

    def __init__(self, skills: Mapping[str, Skill], language: Language) -> None:
        self._language = language
        self._known = {kind.TOOL: kind for kind in ALL if set(kind.INTENTS) <= skills.keys()}
        self.tools = tuple(Tool(name, kind.__doc__ or "", _schema(kind)) for name, kind in self._known.items())

    def read(self, call: ToolCall) -> Arguments:
        """Return what a call says. Raises Unusable where there is no such tool, or its arguments do not fit."""
        kind = self._known.get(call.name)
        if kind is None:
            raise Unusable(f"não existe a ferramenta {call.name[:40]!r}; existem: {', '.join(self._known)}")
        given = {name: value for name, value in call.arguments.items() if value not in (None, "", [], {})}
        try:
            return kind.model_validate(given)
        except ValidationError as wrong:
            raise Unusable(_complaint(wrong)) from None

    def intent(self, said: Arguments, context: Context) -> Intent:
        """Return the intent that a call means in this house. Raises Unusable where what it names is not there."""
        if not isinstance(said, Pointing):
            return Intent(said.intent, (), said.slots)
        area = self._area(said.comodo, context)
        things = self._things(said, area, context)
        slots = {**said.slots, **({"area": area} if area and not said.nomes else {})}
        if things and said.intent in {"HassTurnOn", "HassTurnOff"}:
            slots |= _how(said.intent, things)
        return Intent(said.intent, tuple(dict.fromkeys(thing.id for thing in things)), slots)

    def _things(self, said: Pointing, area: str | None, context: Context) -> list[Thing]:
        if said.nomes:
            return [thing for name in said.nomes for thing in self._named(name, said, area, context)]
        if said.tipo:
            where = (*said.tipo.split(), "de", *area.split()) if area else tuple(said.tipo.split())
            every = self._found(("todas", *plain_words(" ".join(where))), said, context)
            if found := [one for one in every if area in {None, one.area}]:
                return found
            raise Unusable(f"não há nada do tipo {said.tipo!r}{f' em {area}' if area else ''}")
        if isinstance(said, SELF_AIMED):
            return []
        raise Unusable("faltou dizer quais aparelhos, em nomes ou em tipo")

    def _named(self, name: str, said: Pointing, area: str | None, context: Context) -> list[Thing]:
        """Return what a name means: just so called, else as a person would be understood to mean it."""
        able = [one for one in context.household.things if said.DOMAINS is None or one.domain in said.DOMAINS]
        called = [one for one in able if fold(name) in {fold(word) for word in (one.id, one.name, *one.aliases)}]
        here = [one for one in called if one.area == (area or context.area)]
        called = here if area is not None or len(here) == 1 else called
        if len(called) > 1:
            raise Unusable(_several(name, called))
        if called:
            return called
        words = plain_words(f"{name} de {area}" if area else name)
        if found := [one for one in self._found(words, said, context) if area in {None, one.area}]:
            return found
        near = [hit[0] for hit in process.extract(name, [one.name for one in able], limit=NEAR)]
        raise Unusable(f"não há {name[:60]!r} na casa; parecidos: {', '.join(near) or 'nenhum'}")

    def _found(self, words: Sequence[str], said: Pointing, context: Context) -> list[Thing]:
        """Return what the words point at. Raises Unusable where several may be meant and nothing tells which."""
        domains = said.DOMAINS or frozenset(one.domain for one in context.household.things)
        found: tuple[Found, ...] = ()
        if words:
            found = self._language.pointer(context.household, context.area).find(tuple(words), Wanted(domains))
        for each in found:
            if each.choices:
                raise Unusable(_several(" ".join(words), each.choices))
        return [thing for each in found for thing in each.things]

    def _area(self, said: str, context: Context) -> str | None:
        if not said or fold(said) in WHOLE_HOUSE:
            return None
        rooms = {fold(word): one.name for one in context.household.areas for word in (*one.aliases, one.name)}
        room = rooms.get(fold(said))
        if room is None:
            known = ", ".join(one.name for one in context.household.areas)
            raise Unusable(f"não há o cômodo {said[:60]!r}; há: {known}")
        return room


def _how(intent: str, things: Sequence[Thing]) -> dict[str, str]:
    """Return the slot that tells how a thing is turned, where that has its own verb: a shutter opens, a lock locks."""
    domains = {thing.domain for thing in things}
    on = intent == "HassTurnOn"
    if domains <= {"cover", "valve"}:
        return {"action": "open" if on else "close"}
    return {"action": "lock" if on else "unlock"} if domains == {"lock"} else {}


def _several(name: str, things: Sequence[Thing]) -> str:
    told = ", ".join(f"{thing.name} ({thing.area or 'sem cômodo'})" for thing in things[:NEAR])
    return f"há mais de um {name[:60]!r}: {told}. Pergunte qual"


def _complaint(wrong: ValidationError) -> str:
    told = [f"{'.'.join(str(part) for part in each['loc']) or 'pedido'}: {each['msg']}" for each in wrong.errors()[:3]]
    return f"argumentos que não servem ({'; '.join(told)})"[:400]


def _schema(kind: type[Arguments]) -> dict[str, object]:
    """Return the arguments as the plain JSON schema that models were trained on: no null, no references, no titles."""
    whole = kind.model_json_schema()
    needed = {"required": whole["required"]} if "required" in whole else {}
    fields = {name: _plain(field) for name, field in whole.get("properties", {}).items()}
    return {"type": "object", "properties": fields, **needed}


def _plain(field: Mapping[str, object]) -> dict[str, object]:
    options = field.get("anyOf")
    kept = {key: field[key] for key in ("type", "enum", "description") if key in field}
    if isinstance(options, list):
        kept |= _plain(next(each for each in options if each.get("type") != "null"))
    if isinstance(items := field.get("items"), dict):
        kept["items"] = _plain(items)
    return kept
