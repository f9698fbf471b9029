"""What a skill is: it names the actions that an intent will take, then takes them and says how it went."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from daemon.audio.frames import Utterance
from daemon.errors import Spoken
from daemon.language.plan import Household, Intent, Plan
from daemon.people.person import GUEST, Person
from db.audit import Channel

ActionType = Literal["iot_control", "reminder", "household", "query"]


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, where, when, in which words. `now` is in the household's zone; `seed` varies replies without chance.

    `message_id` is that of what was said, `utterance` its sound (None for what was written), `said` the last answer
    that this person was given in this conversation. `person` and `user_id` are
    the speaker's name and row; what they may do goes by the role of `speaker`, or by that of the `approver` who gave
    leave.
    """

    now: datetime
    household: Household
    area: str | None = None
    person: str | None = None
    user_id: UUID | None = None
    seed: int = 0
    source: str = "microphone"
    text: str = ""
    speaker: Person = GUEST
    approver: Person | None = None
    message_id: UUID | None = None
    utterance: Utterance | None = None
    said: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Whoever asks, as the audit names them: by name, or by the room where they spoke."""
        return self.person or (f"alguém em {self.area}" if self.area else "alguém")

    @property
    def channel(self) -> Channel:
        """By which way they asked."""
        return "web" if self.source == "text" else "mqtt" if self.source == "mqtt" else "voice"

    @property
    def trusted(self) -> bool:
        """Tell whether a person of the house asks; over MQTT it may be any program on the broker."""
        return self.source != "mqtt"

    @property
    def zone(self) -> ZoneInfo:
        """The household's time zone."""
        return ZoneInfo(self.household.timezone)


class AsksBack(Spoken):
    """Instead of acting, ask: `plan` has the question, the intents it is about, and what it `awaits`."""

    def __init__(self, question: str, intent: Intent, awaits: str) -> None:
        super().__init__(question)
        self.plan = Plan("skill", (intent,), 1.0, question=question, awaits=awaits)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing about to be done; becomes a row of `actions` before anything happens."""

    type: ActionType
    name: str
    parameters: dict[str, Any]
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Done:
    """How one action ended. `error` is a sentence in Portuguese when it failed."""

    ok: bool
    result: dict[str, Any]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What a skill says, and the outcome of each of its actions, in their order."""

    say: str
    outcomes: tuple[Done, ...]


Others = Callable[[Intent, Context], Awaitable[tuple[Intent, ...]]]
"""Returns the intents that are carried out for one."""


@dataclass(frozen=True, slots=True)
class Skill:
    """`actions` is pure; `act` carries them out. Both raise CannotDo, Refused, AsksBack; `act` LinkDown.

    What `actions` raises leaves no row behind, so what needs a yes is asked there. `stands_for` returns the intents
    that are carried out instead, by their own skills ("boa noite" is a routine's, "desfaz" the opposite of the last
    ones), or asks back what only the database tells; it changes nothing, and raises as `act` does.

    A skill of the `whole` takes the sentence with all that was read in it, in the slot `text`: what "quando eu disser
    cheguei, acende a luz" teaches is not to be done now.
    """

    actions: Callable[[Intent, Context], tuple[Action, ...]]
    act: Callable[[Intent, Sequence[Action], Context], Awaitable[Carried]]
    stands_for: Others | None = None
    whole: bool = False


def standing_for(others: Others) -> Skill:
    """Return a skill that only stands for other intents."""

    async def act(*_: object) -> Carried:
        raise NotImplementedError("it stands for others")

    return Skill(lambda *_: (), act, others)


def asking(name: str, kind: ActionType = "query") -> Callable[[Intent, Context], tuple[Action, ...]]:
    """Return the `actions` of a skill that takes one action, whose parameters are what was asked."""

    def actions(intent: Intent, _: Context) -> tuple[Action, ...]:
        targets = {"targets": list(intent.targets)} if intent.targets else {}
        return (Action(kind, name, {**targets, **intent.slots}),)

    return actions


NAMING = frozenset({"name", "domain", "area", "device_class"})
"""Slots that only tell the targets once more."""


def joined(intents: Sequence[Intent]) -> tuple[Intent, ...]:
    """Join intents that differ in their targets only, so that they are done and told in one breath."""
    found: dict[tuple[object, ...], Intent] = {}
    for number, intent in enumerate(intents):
        rest = {slot: value for slot, value in intent.slots.items() if slot not in NAMING}
        key = (intent.name, repr(sorted(rest.items()))) if intent.targets else (intent.name, number)
        before = found.get(key)
        targets = intent.targets if before is None else tuple(dict.fromkeys((*before.targets, *intent.targets)))
        found[key] = intent if before is None else Intent(intent.name, targets, rest)
    return tuple(found.values())
