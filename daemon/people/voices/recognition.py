"""The household's voices: known from the tables, recognised beside transcription, and followed as they change.

The vectors of all who taught their voice lie in memory (a household has ten). What is heard is compared there, so that
neither database nor store of vectors is asked in a turn. Without an encoder, without anybody who taught their voice, or
while something is away, a voice is nobody's: then `people.unknown_role` says what it may do.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import cast
from uuid import UUID

import structlog

from config.preferences import CONVERSATION_QUIET_S, Preferences
from config.voices import VOICES_ENABLED, VOICES_FOLLOW, VOICES_THRESHOLD, VOICES_TRUST
from daemon.audio.frames import Utterance
from daemon.clock import Clock
from daemon.engines.plug import Plug
from daemon.engines.protocols import SpeakerEncoder
from daemon.errors import EngineFailed, LinkDown
from daemon.health import Part, part_of_plug
from daemon.language.plan import Plan
from daemon.memory.vectors import Point, Vectors
from daemon.people.person import Person, Role
from daemon.people.voices.enrolment import ENROLL, Lessons, Taught, taught_by
from daemon.people.voices.trust import Trust
from daemon.people.voices.voiceprint import (
    ANSWER_S,
    COLLECTION,
    Heard,
    Room,
    Vector,
    Voiceprint,
    alike,
    calibrated,
    followed,
    whose,
)
from db import voices
from db.database import Database
from db.listen import notifications

log = structlog.get_logger(__name__)

LONGEST_S = 1.0
"""A voice that could not be compared by then is nobody's: an answer does not wait for it."""


class HouseVoices:
    """Voices, and the service that keeps to the tables what is known of them."""

    name = "voices"

    def __init__(
        self,
        db: Database,
        encoder: Plug[SpeakerEncoder],
        vectors: Vectors,
        prefs: Callable[[], Preferences],
        clock: Clock,
    ) -> None:
        self.encoder = encoder
        self.lessons = Lessons(clock)
        self.trust = Trust(clock, lambda: prefs()[VOICES_TRUST], lambda: prefs()[CONVERSATION_QUIET_S])
        self.vectors = vectors
        self.prints: tuple[Voiceprint, ...] = ()
        self._taught_elsewhere: tuple[str, ...] = ()
        self._db = db
        self._prefs = prefs
        self._keeping: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follow the tables until cancelled. Raises LinkDown when one is away; what was read last stays."""
        async with aclosing(notifications(self._db.direct_url, [voices.CHANNEL])) as changes:
            async for _ in changes:
                await self.refresh()

    async def refresh(self) -> None:
        """Read whose voices are known. Raises LinkDown."""
        rows = await voices.known(self._db)
        if not rows:
            self.prints, self._taught_elsewhere = (), ()
            return
        try:
            async with self.encoder.use() as encoder:
                model = encoder.name
        except EngineFailed as missing:
            log.warning("voices_unknown", why=missing.why)
            self.prints = ()
            return
        ours = [row for row in rows if row.voice.get("model") == model]
        found = await self.vectors.get(COLLECTION, [each for row in ours for each in (*row.points, row.id)])
        prints = [
            Voiceprint(
                Person(row.id, row.name, cast("Role", row.role)),
                found[row.point], found.get(row.id, found[row.point]), found.get(row.far or row.id, found[row.point]),
                float(row.voice.get("own", 0.0)),
            )
            for row in ours if row.point in found
        ]  # fmt: skip
        known = {one.person.name for one in prints}
        self._taught_elsewhere = tuple(row.name for row in rows if row.name not in known)
        self.prints = tuple(prints)
        log.info("voices_read", voices=len(prints), to_teach_again=len(self._taught_elsewhere))

    async def change(self) -> None:
        """Take the encoder that the preferences name now; who was taught with another is not known by this one."""
        await self.encoder.reload()
        await self.refresh()

    def calibrated(self) -> tuple[Voiceprint, ...]:
        """Return the voices with each one's threshold, by the preference of this moment."""
        return calibrated(self.prints, self._prefs()[VOICES_THRESHOLD])

    async def identify(self, utterance: Utterance, room: Room, asked: UUID | None = None) -> Heard | None:
        """Return whose voice it is, None where it is nobody's that is known. Never raises."""
        lesson, speech_s = self.lessons.going_on(room), utterance.speech_ms / 1000
        if not self.prints or not self._prefs()[VOICES_ENABLED] or (lesson is not None and lesson.by is None):
            return None
        try:
            async with asyncio.timeout(LONGEST_S):
                vector = await self.vector(utterance)
        except (EngineFailed, TimeoutError) as failed:
            log.warning("voice_not_compared", why=str(failed) or "demorou demais")
            return None
        if vector is None:
            return None
        expected = lesson.by if lesson is not None else asked if speech_s < ANSWER_S else None
        heard = whose(self.calibrated(), vector, speech_s, expected)
        if heard is not None:
            sure, proved = self.trust.trusts(room, heard), self.trust.vouched(room, heard.person.id)
            heard = replace(heard, person=replace(heard.person, trusted=sure or proved), proved=proved and not sure)
        log.debug("voice_heard", spare=round(heard.spare, 2) if heard else None, trusted=heard and heard.person.trusted)
        return heard

    async def vector(self, utterance: Utterance) -> Vector | None:
        """Return the voice's vector, None for too little speech. Raises EngineFailed, EngineMissing."""
        async with self.encoder.use() as encoder:
            return await encoder.embed(utterance)

    async def taught_by(self, utterance: Utterance) -> Taught | None:
        """Return what a sentence teaches; see `enrolment`. Raises EngineFailed, EngineMissing."""
        async with self.encoder.use() as encoder:
            return await taught_by(encoder, utterance)

    def asks(self, room: Room) -> Plan | None:
        """Return what was asked to be said back there, where somebody is teaching their voice."""
        lesson = self.lessons.going_on(room)
        return lesson.asked if lesson is not None else None

    def took(self, room: Room, plan: Plan, heard: Heard | None) -> None:
        """Note a turn that was taken, and its voice: another subject ends a lesson, and a sure voice is followed."""
        self.trust.note(room, heard)
        if all(intent.name != ENROLL for intent in plan.intents):
            self.lessons.end(room)
            if heard is not None:
                self._follow(heard)

    def _follow(self, heard: Heard) -> None:
        one = next((known for known in self.calibrated() if known.person.id == heard.person.id), None)
        follows = one is not None and heard.person.trusted and not heard.proved and self._prefs()[VOICES_FOLLOW]
        moved = followed(one, heard) if one is not None and follows else None
        if moved is None or moved.person.id is None:
            return
        self.prints = tuple(moved if each.person.id == moved.person.id else each for each in self.prints)
        task = asyncio.ensure_future(self._keep(moved.person.id, moved))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def settle(self) -> None:
        """Return when what was followed is kept."""
        if self._keeping:
            await asyncio.wait(set(self._keeping))

    async def _keep(self, whose_voice: UUID, moved: Voiceprint) -> None:
        still_known = {one.person.id for one in self.prints}
        try:
            if whose_voice in still_known:
                await self.vectors.put(COLLECTION, [Point(whose_voice, moved.now, whose_voice)])
        except LinkDown as down:
            log.warning("voice_not_followed", why=down.why)

    def part(self) -> Part:
        """Return how this is, for health and doctor."""
        title, state = "quem fala", self.encoder.state
        if not self._prefs()[VOICES_ENABLED]:
            return Part(self.name, title, "off", "desligado", "mordomo config set voices.enabled true")
        if state.condition in {"missing", "failed"}:
            return part_of_plug(self.name, title, state)
        if self._taught_elsewhere:
            again = self._taught_elsewhere
            detail = f"ensinaram a voz com outro modelo, e não são reconhecidos: {', '.join(again)}"
            return Part(self.name, title, "failed", detail, f'mordomo people enroll "{again[0]}"')
        if not self.prints:
            return Part(self.name, title, "ok", "ninguém ensinou a voz ainda; diga: aprende a minha voz")
        return Part(self.name, title, "ok", _told(self.prints))


def _told(prints: Sequence[Voiceprint]) -> str:
    names = ", ".join(str(one.person.name) for one in prints)
    confused = "; ".join(f"{a.person.name} e {b.person.name} soam quase iguais" for a, b in alike(prints))
    return f"{names} ({len(prints)})" + (f"; {confused}" if confused else "")
