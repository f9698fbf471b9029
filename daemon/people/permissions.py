"""What a person may: checked once for everything that is asked, whoever understood it, before anything is done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import cast
from uuid import UUID

from daemon.errors import Refused
from daemon.language.plan import Intent, Plan
from daemon.language.replies import Replies
from daemon.people.living import Living
from daemon.people.person import CODE, Person, Role
from daemon.people.rules import RISKY, STRICTNESS, Rule, Wanted, decide, of_interest, strictest
from daemon.people.spoken import Spoken, spoken_rule
from daemon.people.wanted import things_of, verb_of, wanted
from daemon.people.words import Words
from daemon.skills.saying import at_clock, listed
from daemon.skills.skill import AsksBack, Context
from models.words import Effect

HARMLESS = ("clock", "weather", "talk", "timers", "light", "media_player")
UNREAD = (
    *(Rule("allow", role=role) for role in ("administrator", "adult", "teenager")),
    *(Rule("deny", role=role, domain=domain) for role in ("administrator", "adult", "teenager")
      for domain in (RISKY, "permissions", "people", "guarding", "approvals")),
    *(Rule("allow", role=role, domain=domain) for role in ("child", "guest", "device") for domain in HARMLESS),
    *(Rule("deny", role=role, domain=RISKY) for role in ("child", "guest", "device")),
)  # fmt: skip
"""What holds while nobody could read the rules yet: nothing that lets somebody in, for nobody."""
AGAIN_WITHIN = timedelta(minutes=2)
"""Whom the house was not sure of twice within so much, others are asked for leave for, where a rule says so."""
MOST_NAMED = 3
"""So many are named who may."""

Ask = Callable[[Sequence[Intent], Context, str], Awaitable[str]]
"""Asks those who may for leave for these intents, told in words; returns what to say to who asked. Raises LinkDown."""


@dataclass(slots=True)
class Permissions:
    """Checks intents against the rules of `living`; `ask` asks for leave where a rule says so.

    `understand` reads what a sentence wants done, for rules that are spoken.
    """

    living: Living
    replies: Replies
    understand: Callable[[str, Context], Plan]
    ask: Ask | None = None
    _read: tuple[Rule, ...] | None = None
    _told_unsure: dict[UUID | None, datetime] = field(default_factory=dict)
    _of_person: dict[tuple[UUID | None, Role], list[Rule]] = field(default_factory=dict)

    async def check(self, intents: Sequence[Intent], context: Context) -> None:
        """Return where all of it is allowed. Raises Refused, which says what is not and who may; AsksBack; LinkDown."""
        person = self.living.today(context.approver or context.speaker)
        everything = [(intent, one) for intent in intents for one in wanted(intent, context)]
        verdicts = self._verdicts([one for _, one in everything], person)
        effect = strictest(verdicts)
        if effect == "allow":
            return
        against = [pair for pair, verdict in zip(everything, verdicts, strict=True) if verdict == effect]
        kept = tuple(dict.fromkeys(id(intent) for intent, _ in against))
        intents_against = [intent for intent in intents if id(intent) in kept]
        things = [one for _, one in against]
        if self._more_if_sure(things, person, effect) and self._may_prove(person, context):
            question = self.replies.say("code.ask", name=str(person.name))
            raise AsksBack(question, intents[0], CODE)
        if self._more_if_sure(things, person, effect) and (effect == "deny" or not self._told(person, context.now)):
            raise Refused(self._unsure(intents_against, person, context))
        if effect == "ask" and context.approver is None and self.ask is not None:
            raise Refused(await self.ask(intents, self._as_asker(context), self.doing(intents_against, context)))
        raise Refused(self._no(intents_against, things, person, context))

    def effect(self, intents: Sequence[Intent], person: Person, context: Context) -> Effect:
        """Return what the rules of this moment make of it, were this person to ask."""
        asked = replace(context, speaker=person, person=person.name, user_id=person.id)
        return strictest(self._verdicts([one for intent in intents for one in wanted(intent, asked)], person))

    def who_may(self, intents: Sequence[Intent], context: Context) -> list[Person]:
        """Return who lives here and may do this themselves, and give others leave for it."""
        return [
            person for person in self.living.people()
            if person.id != context.speaker.id and self.may_approve(intents, person, context)
        ]  # fmt: skip

    def may_approve(self, intents: Sequence[Intent], person: Person, context: Context) -> bool:
        """Tell whether a person may give others leave for this: who may do it, and may give leave at all."""
        return self.effect((*intents, Intent("GrantApproval")), person, context) == "allow"

    def doing(self, intents: Sequence[Intent], context: Context) -> str:
        """Return what intents do, as infinitives: `abrir o portão e mexer nas listas`."""
        groups: dict[str, list[str]] = {}
        topics: dict[str, None] = {}
        for intent in intents:
            things = things_of(intent, context)
            for thing in things:
                groups.setdefault(verb_of(intent, thing), []).append(thing.name)
            if not things:
                topics.update(dict.fromkeys(_topic(one) for one in wanted(intent, context)))
        moved = [self.replies.devices("promised", verb, names) for verb, names in groups.items()]
        return listed([*moved, *(self.replies.say(f"doing.{topic}") for topic in topics)])

    def read(self, text: str, context: Context) -> Spoken | None:
        """Return the rule that a sentence tells, in words that tell it again; None where it tells none."""
        found = spoken_rule(text, context, self.living.people(), self.understand)
        if found is None:
            return None
        hours = ""
        if (begins := found.rule.from_time) and (ends := found.rule.until_time) is not None:
            hours = self.replies.say("permission.hours", begins=_clock(begins, context), ends=_clock(ends, context))
        may, doing = Words.load("pt_br").effects, self.doing(found.intents, context)
        about = next((one for one in self.living.people() if one.id == found.rule.user_id), None)
        person = about or Person(None, None, cast("Role", found.rule.role or "guest"))
        now = may[self.effect(found.intents, person, context)]
        words = f"{found.who} {may[found.rule.effect]} {doing}{hours}"
        return replace(found, words=words, now=f"{found.who} {now} {doing}")

    def _verdicts(self, everything: Sequence[Wanted], person: Person) -> list[Effect]:
        """Return what each comes to; who is only likely somebody may less, as `needs.py` tells."""
        theirs = self._ruled(everything, person)
        if person.trusted:
            return theirs
        anybodys = self._ruled(everything, self.living.unknown())
        return [
            mine if one.needs == "likely" else "deny" if one.needs == "sure" else strictest((mine, other))
            for one, mine, other in zip(everything, theirs, anybodys, strict=True)
        ]

    def _ruled(self, everything: Sequence[Wanted], person: Person) -> list[Effect]:
        if self._read is not self.living.rules:
            self._read = self.living.rules
            self._of_person.clear()
        key = (person.id, person.role)
        rules = self._of_person.get(key)
        if rules is None:
            rules = self._of_person[key] = of_interest(UNREAD if self._read is None else self._read, person)
        return [decide(rules, person, one) for one in everything]

    def _no(self, intents: Sequence[Intent], against: Sequence[Wanted], person: Person, context: Context) -> str:
        """Return the refusal: what is not allowed, and who may."""
        if person.role == "device":
            return self.replies.say("devices.not_over_mqtt")
        doing = self.doing(intents, context)
        if self.living.rules is None:
            return self.replies.say("denied.unread", doing=doing)
        key = "denied.now" if self._another_time(against, person) else "denied.named" if person.name else "denied.guest"
        who = self.those(intents, context)
        return self.replies.say(key, doing=doing, who=who, vocative=f"{person.name}, " if person.name else "")

    def _unsure(self, intents: Sequence[Intent], person: Person, context: Context) -> str:
        """Return the refusal to who is only likely somebody who may: what they can do about it."""
        doing, who = self.doing(intents, context), self.who_may(intents, context)
        said = self.replies.say("denied.unsure", doing=doing, name=str(person.name))
        return f"{said} {self.replies.say('denied.unsure_or', who=self.names(who))}" if who else said

    def _more_if_sure(self, against: Sequence[Wanted], person: Person, effect: Effect) -> bool:
        """Tell whether more would be allowed, were the house sure that it is this person."""
        return not person.trusted and STRICTNESS[strictest(self._ruled(against, person))] < STRICTNESS[effect]

    def _may_prove(self, person: Person, context: Context) -> bool:
        """Tell whether a spoken code can be asked for: they have one, and were heard."""
        return context.utterance is not None and context.approver is None and self.living.has_code(person)

    def _as_asker(self, context: Context) -> Context:
        """Return what is told to who may give leave: no name that is only likely."""
        if context.speaker.trusted:
            return context
        return replace(context, speaker=self.living.unknown(), person=None, user_id=None)

    def _told(self, person: Person, now: datetime) -> bool:
        """Tell whether they were told already to say it again, a moment ago."""
        before = self._told_unsure.get(person.id)
        self._told_unsure[person.id] = now
        return before is not None and now - before < AGAIN_WITHIN

    def those(self, intents: Sequence[Intent], context: Context) -> str:
        """Name those who may: people, or what they would have to be."""
        people = self.who_may(intents, context)
        if people:
            return self.names(people)
        adult = self.may_approve(intents, Person(None, None, "adult"), context)
        return self.replies.say("who.adult" if adult else "who.administrator")

    def names(self, people: Sequence[Person]) -> str:
        """Return the first names of a list: `Marcos ou Bia`."""
        return listed([str(person.name) for person in people[:MOST_NAMED]], "ou")

    def _another_time(self, against: Sequence[Wanted], person: Person) -> bool:
        """Tell whether it is only for the hour that it is not allowed."""
        others = [[replace(one, at=one.at + timedelta(hours=hours)) for one in against] for hours in range(3, 24, 3)]
        return any(strictest(self._verdicts(then, person)) == "allow" for then in others)


def _topic(one: Wanted) -> str:
    """Return the domain by which a request is told."""
    return "others" if "others" in one.domains else min(one.domains)


def _clock(clock: time, context: Context) -> str:
    """Return an hour of the day as it is said: `nove da noite`."""
    return at_clock(datetime.combine(context.now.date(), clock, context.zone)).removeprefix("às ").removeprefix("à ")
