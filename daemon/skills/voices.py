"""Voices by voice: "aprende a minha voz", "quem sou eu?"."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from daemon.errors import CannotDo, Refused
from daemon.language.consent import CONFIRMED
from daemon.language.plan import Intent
from daemon.language.replies import Replies
from daemon.language.words import fold
from daemon.people.person import ROLES
from daemon.people.voices.enrolment import ENROLL, LEAST_OWN, SENTENCES, Lesson, keep
from daemon.people.voices.recognition import HouseVoices
from daemon.people.voices.voiceprint import Room, alike
from daemon.people.wanted import LESSON
from daemon.skills.saying import listed
from daemon.skills.skill import Action, AsksBack, Carried, Context, Done, Skill, asking
from db import consents, users, voices
from db.database import Database
from db.permissions import next_administrator, residents

PHRASE = "phrase"
"""The slot of what was said back."""
MOST_UNFIT = 3
NAME_LEADS = ("meu nome e ", "o meu nome e ", "eu sou o ", "eu sou a ", "sou o ", "sou a ", "eu sou ", "sou ",
              "me chamo ", "eu me chamo ", "pode me chamar de ", "e o ", "e a ", "e ")  # fmt: skip
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class VoiceSkills:
    """The skills over the household's voices."""

    db: Database
    replies: Replies
    voices: HouseVoices

    def by_intent(self) -> dict[str, Skill]:
        """Return the skills by the intents that they carry out."""
        return {
            ENROLL: Skill(_taught, self.keep, self.teach),
            "WhoAmI": Skill(asking("who_am_i"), self.who),
        }

    async def teach(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        """Ask for what a voiceprint needs, one thing after the other; return the intent once all of it is there."""
        if not context.trusted:
            raise Refused(self.replies.say("routine.not_over_mqtt", seed=context.seed))
        if context.utterance is None:
            raise CannotDo(self.replies.say("voices.aloud"))
        if LESSON in intent.slots:
            return await self._go_on(intent, context)
        name = self._name(intent, context)
        await self._may_teach(name, context)
        intent = _with(intent, name=name)
        if CONFIRMED not in intent.slots:
            raise AsksBack(self.replies.say("voices.ask_consent", name=name), intent, CONFIRMED)
        owner = context.speaker.trusted and context.person is not None and fold(context.person) == fold(name)
        again = context.user_id if owner else None
        lesson = self.voices.lessons.begin(_room(context), again, context.message_id)
        raise self._next(_with(intent, lesson=str(lesson.id)), context, lesson, "voices.first")

    async def _go_on(self, intent: Intent, context: Context) -> tuple[Intent, ...]:
        lesson = self._lesson(intent, context)
        assert context.utterance is not None  # noqa: S101 - `teach` saw to it
        vector = await self.voices.taught_by(context.utterance)
        unfit = lesson.add(vector, context.utterance.speech_ms / 1000)
        if unfit is not None:
            lesson.unfit += 1
            if lesson.unfit > MOST_UNFIT:
                self.voices.lessons.end(_room(context))
                raise CannotDo(self.replies.say("voices.gave_up"))
            raise self._next(intent, context, lesson, f"voices.{unfit}")
        if not lesson.whole:
            raise self._next(intent, context, lesson, "voices.next")
        if lesson.own < LEAST_OWN:
            self.voices.lessons.end(_room(context))
            raise CannotDo(self.replies.say("voices.too_different"))
        return (intent,)

    async def keep(self, intent: Intent, _: Sequence[Action], context: Context) -> Carried:
        """Keep the voiceprint, with the consent to it."""
        lesson, name = self._lesson(intent, context), str(intent.slots["name"])
        at = context.now.astimezone(UTC)
        whose = await users.named(self.db, name, role="guest" if self.voices.prints else "adult")
        await consents.record(
            self.db, whose, "voiceprint", given=True, how="voice", at=at, message_id=lesson.consented_in
        )
        async with self.voices.encoder.use() as encoder:
            await keep(self.db, self.voices.vectors, whose, lesson, model=encoder.name, now=at)
        self.voices.lessons.end(_room(context))
        await self.voices.refresh()
        said = self.replies.say("voices.taught", name=name)
        others = [str(b.person.name) if a.person.id == whose else str(a.person.name)
                  for a, b in alike(self.voices.prints) if whose in {a.person.id, b.person.id}]  # fmt: skip
        if others:
            said += " " + self.replies.say("voices.alike", who=listed(others))
        if next_administrator(await residents(self.db)) is not None:
            said += " " + self.replies.say("voices.unled", name=name)
        return Carried(said, (Done(ok=True, result={"user_id": str(whose), "sentences": len(lesson.vectors)}),))

    async def who(self, _: Intent, __: Sequence[Action], context: Context) -> Carried:
        """Say who speaks, and how sure that is."""
        done = (Done(ok=True, result={"certainty": round(context.speaker.certainty, 2)}),)
        if context.person is None:
            key = "written" if context.utterance is None else "stranger" if self.voices.prints else "nobody"
            return Carried(self.replies.say(f"voices.{key}"), done)
        key = "sure" if context.speaker.trusted else "unsure"
        return Carried(self.replies.say(f"voices.{key}", name=context.person), done)

    def _name(self, intent: Intent, context: Context) -> str:
        """Return whose voice is to be learnt; ask where nobody said so."""
        said = str(intent.slots.get("name") or context.person or "")
        if not said:
            raise AsksBack(self.replies.say("voices.ask_name"), intent, "name")
        name = _plain_name(said)
        known = next((one for one in context.household.people if fold(one) == fold(name)), None)
        if known is None and not (1 < len(name) <= LONGEST_NAME and name.replace(" ", "").replace("-", "").isalpha()):
            raise AsksBack(self.replies.say("voices.which_name"), _with(intent, name=None), "name")
        return known or name

    async def _may_teach(self, name: str, context: Context) -> None:
        """Refuse to let somebody become, by a few sentences, a person who may more than they do."""
        rows = [row for row in await voices.everybody(self.db) if row["is_active"]]
        row = next((one for one in rows if fold(one["name"]) == fold(name)), None)
        if row is None or (row["id"] == context.user_id and context.speaker.trusted):
            return
        if row["voice_enrolled"] or ROLES.index(row["role"]) < ROLES.index(context.speaker.role):
            raise Refused(self.replies.say("voices.not_theirs", name=row["name"]))

    def _lesson(self, intent: Intent, context: Context) -> Lesson:
        lesson = self.voices.lessons.going_on(_room(context))
        if lesson is None or str(lesson.id) != intent.slots.get(LESSON):
            raise CannotDo(self.replies.say("voices.over"))
        return lesson

    def _next(self, intent: Intent, context: Context, lesson: Lesson, key: str) -> AsksBack:
        sentence = SENTENCES[len(lesson.vectors)]
        asks = AsksBack(self.replies.say(key, sentence=sentence), _with(intent, phrase=None), PHRASE)
        self.voices.lessons.ask(_room(context), asks.plan)
        return asks


def _taught(intent: Intent, _: Context) -> tuple[Action, ...]:
    return (Action("household", "enroll_voice", {"name": intent.slots.get("name")}),)


def _room(context: Context) -> Room:
    return context.source, context.area


def _with(intent: Intent, **slots: str | None) -> Intent:
    """Return the intent with these slots, less those that are None."""
    kept = {**intent.slots, **slots}
    return replace(intent, slots={slot: value for slot, value in kept.items() if value is not None})


def _plain_name(said: str) -> str:
    """Return the name in "meu nome é Ana"."""
    name = " ".join(said.strip(" .,;:!?…\"'“”").split())
    folded = fold(name)
    for lead in NAME_LEADS:
        if folded.startswith(lead) and len(folded) == len(name):
            name = name[len(lead) :]
            break
    return " ".join(word[:1].upper() + word[1:] if word not in {"da", "de", "do", "dos"} else word
                    for word in name.split())  # fmt: skip
