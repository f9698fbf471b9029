"""The composition root: builds every part from the environment and the preferences, and owns their lifetimes.

Resources are entered in an AsyncExitStack (they close last, in reverse); services run in a TaskGroup (they stop first).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.environment import Environment
from config.preferences import (
    CONVERSATION_QUIET_S,
    DEVICES_CONFIRM_MS,
    HOUSE_AREA,
    INPUT_DEVICE,
    MICROPHONE_MUTED,
    MQTT_WORDS,
    OUTPUT_DEVICE,
)
from daemon.acting import Acting
from daemon.announcer import Announcer, LateNews
from daemon.answer import Answers
from daemon.audio.microphone import Microphone
from daemon.audio.soundcard import SoundCard
from daemon.audio.wav import WavSpeaker
from daemon.backups import Backups
from daemon.brain.mind import Mind
from daemon.butler import Butler, Place
from daemon.checkup import CheckUp, Report
from daemon.clock import Clock, SystemClock
from daemon.conversation import Conversations
from daemon.devices.arrangement import Arrangement
from daemon.devices.link import Devices
from daemon.devices.rows import DeviceRows
from daemon.engines import registry
from daemon.engines.protocols import VoiceDetector, WakeWord
from daemon.errors import EngineMissing
from daemon.events import Event, Observe
from daemon.health import Part
from daemon.house import House
from daemon.language.language import Language
from daemon.language.plan import Heard, Household, Plan
from daemon.language.replies import Replies
from daemon.listening import Listening, endpoint_rules, following
from daemon.live_preferences import LivePreferences
from daemon.memory.parts import Memory
from daemon.own_sentences import OwnSentences
from daemon.parts import Parts
from daemon.people.codes import Codes
from daemon.people.parts import People
from daemon.people.privacy.backups import HeldBackups
from daemon.people.privacy.parts import Privacy
from daemon.people.voices.recognition import HouseVoices
from daemon.plugs import Plugs
from daemon.presence.hands import BrokerHands
from daemon.presence.presence import Presence
from daemon.recording import turn_on_recording
from daemon.reminders.carrying import ScheduledCommands
from daemon.reminders.due import DueReminders
from daemon.reminders.music import Music
from daemon.reminders.spoken import SpokenReminders
from daemon.reminders.turns import TurnsUnderWay, turn_over
from daemon.reminders.wiring import calendar_of, due_reminders, push_of, quiet_hours_of, room_of, zone_of
from daemon.satisfaction import judged
from daemon.servers import Schema, Servers
from daemon.skills.about import OwnFacts
from daemon.skills.orders import Orders
from daemon.skills.registry import House as Skilled
from daemon.skills.registry import skills
from daemon.skills.skill import Context
from daemon.sound_rebuilding import sound_rebuilding
from daemon.supervise import After, Service
from daemon.trial import Trial
from daemon.turn import Turn
from daemon.voice import Voice
from db.backup.folder import Folder
from db.backup.source import Source
from db.database import Database
from db.ledger import Ledger, open_ledger

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Mordomo:
    """Every part of the running daemon, wired. What HTTP, the prompt and the demonstration use is its methods."""

    env: Environment
    servers: Servers
    clock: Clock
    db: Database
    ledger: Ledger
    prefs: LivePreferences
    plugs: Plugs
    devices: Devices
    house: House
    voice: Voice
    butler: Butler
    conversations: Conversations
    reminders: DueReminders
    schema: Schema
    listening: Listening
    parts: Parts
    trial: Trial
    screens: list[Callable[[str], None]]
    backups: Backups
    sentences: OwnSentences
    keeping: tuple[Service, ...]
    """What keeps the tables of devices true, and follows what the household sets in them and in those of people."""
    people: People
    speaking: tuple[Service, ...]
    """What speaks by itself and is spoken to over MQTT."""

    async def ask(self, text: str, area: str | None, *, speak: bool = False, reply_to: Path | None = None) -> Turn:
        """Take a turn on a typed sentence; the answer is spoken in the house, written to a WAV, or only returned."""
        voice = self.voice.through(WavSpeaker(reply_to)) if reply_to else self.voice if speak else None
        return await self.butler.ask(text, Place("text", area or self.prefs.now()[HOUSE_AREA], voice))

    async def listen_to(self, wav: Path, area: str | None, *, reply_to: Path | None = None) -> Turn | None:
        """Take a turn on a recording, answered in the house or to a WAV; None when nobody speaks in it."""
        voice = self.voice.through(WavSpeaker(reply_to)) if reply_to else self.voice
        place = Place("recording", area or self.prefs.now()[HOUSE_AREA], voice)
        prefs = self.prefs.now

        def ears() -> tuple[WakeWord | None, VoiceDetector]:
            try:
                wake_word = registry.wake_word(self.env, prefs)
            except EngineMissing:
                return None, registry.voice_detector()
            return wake_word, registry.voice_detector()

        return await turn_on_recording(wav, place, self.butler, endpoint_rules(prefs()), ears)

    async def check_device(self, entity_id: str) -> Report:
        """Turn a device to the other side and back, and tell how it obeyed. Raises CannotDo, LinkDown."""
        marks = {thing.id: thing.attributes for thing in self.household().things}.get(entity_id, {})
        return await CheckUp(self.devices, self.ledger, self.clock).test(entity_id, marks)

    def household(self) -> Household:
        """Return what may be named in a sentence now."""
        return self.house.household()

    async def health(self) -> list[Part]:
        """Return the state of each part."""
        return await self.parts.look()

    def services(self) -> list[Service]:
        """Return the services that need no terminal and no port."""
        needing_tables: list[Service] = [self.prefs, self.ledger, self.reminders, self.backups, self.sentences,
                                         *self.keeping]  # fmt: skip
        after_schema = [After(service.name, self.schema.ready, service) for service in needing_tables]
        return [self.schema, *after_schema, self.devices, self.conversations, *self.speaking]


@asynccontextmanager
async def assemble(
    env: Environment, servers: Servers, *, observe: Observe, clock: Clock | None = None
) -> AsyncIterator[Mordomo]:
    """Build every part on servers that run. Nothing runs yet: the caller supervises `services()`."""
    clock = clock or SystemClock()
    replies = Replies.load("pt_br")
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(servers.database.open())
        live = LivePreferences(db, servers.database.direct, observe)
        prefs = live.now

        ledger = await stack.enter_async_context(
            open_ledger(db, env.data_dir, now=clock.now, quiet_s=lambda: prefs()[CONVERSATION_QUIET_S], judged=judged)
        )
        presence = Presence(
            servers.mqtt_url,
            clock,
            muted=lambda: prefs()[MICROPHONE_MUTED],
            area=lambda: prefs()[HOUSE_AREA],
            tells_words=lambda: prefs()[MQTT_WORDS],
        )

        turns = TurnsUnderWay(clock)

        def observed(event: Event) -> None:
            observe(event)
            presence.note(event)
            turns.note(event)

        def obeyed_late(event: object) -> None:
            late.confirmed(event)

        devices = Devices(servers.mqtt_url, clock, lambda: prefs()[DEVICES_CONFIRM_MS], observe=obeyed_late)
        rows = DeviceRows(db, devices.house, devices.settled, clock)
        trial = Trial(devices.house)
        plugs = Plugs.of(env, prefs, lambda: trial.goes_on)
        stack.callback(plugs.close)
        memory = Memory.of(env, db, plugs.embedding, prefs, clock)
        stack.push_async_callback(memory.close)
        house = House(devices.house, prefs, lambda: people.living.names)
        voice = Voice(plugs.tts, SoundCard(prefs()[OUTPUT_DEVICE]))
        conversations = Conversations(ledger, clock, lambda: prefs()[CONVERSATION_QUIET_S])
        language = Language()
        push = push_of(db, clock, prefs)
        spoken = SpokenReminders(
            lambda _room: [voice],
            replies,
            observed,
            clock=clock,
            zone=zone_of(prefs),
            quiet_hours=quiet_hours_of(prefs),
            turn_under_way=turns.any,
            room=lambda due: room_of(db, due, clock.now()),
            music=Music(devices, house.household),
            push=push,
            asked=lambda: listening.asked_aloud(),  # noqa: PLW0108 - it is built below
        )
        announcer = Announcer(voice, spoken.screens, turn_over=lambda: turn_over(turns.any, clock), asked=spoken.asked)
        late = LateNews(announcer, replies, ledger, observed, clock.now)

        def understand(text: str, context: Context) -> Plan:
            return language.understand(Heard(text, context.now, context.area), context.household)

        def hush() -> bool:
            return reminders.stop()

        people = People.of(db, clock, replies, prefs=prefs, household=house.household, announce=announcer.put,
                           understand=understand)  # fmt: skip
        source, folder = Source(servers.database.owner, servers.postgres), Folder(env.backups)
        privacy = Privacy.of(
            db, ledger, HeldBackups(source, folder, prefs, env.archive_dir), clock, data_dir=env.data_dir, prefs=prefs,
            vectors=memory.vectors,
        )  # fmt: skip
        voices = HouseVoices(db, plugs.voices, memory.vectors, prefs, clock)
        skilled = Skilled(
            Orders(devices, replies, late.silent), db, replies, understand, announcer.put,
            calendar=lambda: calendar_of(prefs()), hush=hush,
            requests=people.approvals, rules=people.permissions.read,
            erasing=privacy.erasing, recall=memory.recall, voices=voices, settings=live,
            facts=OwnFacts(prefs, lambda: listening.state, servers.addresses(env)),
        )  # fmt: skip
        acting = Acting(skills(skilled), ledger, replies, clock, people.permissions)
        mind = Mind.of(db, plugs.brain, acting, language, prefs=prefs, household=house.household, recall=memory.recall)
        stack.push_async_callback(mind.records.close)
        butler = Butler(
            plugs.stt, language, house.household, Answers(acting, mind.brain, people.consents), replies, ledger,
            conversations, clock, observed, people.living.who, people.approvals, voices,
            Codes(db, clock, replies, people.living, voices.trust.vouch),
        )  # fmt: skip
        people.use(butler, voice, announcer.put)
        presence.hands = BrokerHands(butler, announcer, live, db, replies, hush)
        reminders = due_reminders(
            db, spoken, clock, prefs, hands=ScheduledCommands(butler, announcer.put), data_dir=env.data_dir
        )
        listening = Listening(
            source=lambda: Microphone(prefs()[INPUT_DEVICE]),
            place=lambda: Place("microphone", prefs()[HOUSE_AREA], voice),
            butler=butler,
            wake_word=plugs.wake_word,
            detector=plugs.detector,
            rules=lambda: endpoint_rules(prefs()),
            clock=clock,
            observe=observed,
            muted=lambda: prefs()[MICROPHONE_MUTED],
            following=lambda: following(prefs()),
            answered=privacy.clips.put,
        )
        live.rebuild |= {
            "wake_word": plugs.wake_word.reload,
            "stt": plugs.stt.reload,
            "tts": plugs.tts.reload,
            "brain": mind.reload,
            "embedding": memory.reload,
            "voices": voices.change,
            **sound_rebuilding(listening, presence, voice, prefs),
        }
        schema = Schema(source, folder)
        backups = Backups(source, folder, db, prefs, clock, announcer.now, replies, env.archive_dir)
        yield Mordomo(
            env, servers, clock, db, ledger, live, plugs, devices, house, voice, butler, conversations, reminders,
            schema, listening,
            Parts(env, servers, db, ledger, live, plugs, devices, listening, schema, backups,
                  [memory.part, voices.part, people.living.part, privacy.upkeep.part]), trial, spoken.screens, backups,
            OwnSentences(db, servers.database.direct, language),
            (rows, Arrangement(db, servers.database.direct, devices, rows), *people.services(), *privacy.services(),
             *mind.services(), memory.indexing, voices), people,
            (announcer, late, presence, push),
        )  # fmt: skip
