"""The composition root: builds every part from the environment and the preferences, and owns their lifetimes.

Resources are entered in an AsyncExitStack (they close last, in reverse); services run in a TaskGroup (they stop first).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from config.environment import Environment
from config.preferences import (
    CONVERSATION_QUIET_S,
    DEVICES_CONFIRM_MS,
    HOUSE_AREA,
    HOUSE_TIMEZONE,
    INPUT_DEVICE,
    OUTPUT_DEVICE,
    REMINDERS_LEASE_S,
)
from daemon.answer import Answers
from daemon.audio import earcons
from daemon.audio.microphone import Microphone
from daemon.audio.soundcard import SoundCard
from daemon.audio.wav import WavSpeaker
from daemon.backups import Backups
from daemon.butler import Butler, Place
from daemon.clock import Clock, SystemClock
from daemon.conversation import Conversations
from daemon.devices.link import Devices
from daemon.engines import registry
from daemon.engines.protocols import VoiceDetector, WakeWord
from daemon.errors import EngineMissing
from daemon.events import Observe
from daemon.health import Part
from daemon.house import House
from daemon.language.language import Language
from daemon.language.plan import Household
from daemon.language.replies import Replies
from daemon.listening import Listening, endpoint_rules
from daemon.live_preferences import LivePreferences
from daemon.own_sentences import OwnSentences
from daemon.parts import Parts
from daemon.plugs import Plugs
from daemon.recording import turn_on_recording
from daemon.reminders.due import DueReminders
from daemon.reminders.spoken import SpokenReminders
from daemon.servers import Schema, Servers
from daemon.skills.registry import skills
from daemon.supervise import Service
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

    def household(self) -> Household:
        """Return what may be named in a sentence now."""
        return self.house.household()

    async def health(self) -> list[Part]:
        """Return the state of each part."""
        return await self.parts.look()

    def services(self) -> list[Service]:
        """Return the services that need no terminal and no port."""
        needing_tables: list[Service] = [self.prefs, self.ledger, self.reminders, self.backups, self.sentences]
        after_schema = [After(service.name, self.schema.ready, service) for service in needing_tables]
        return [self.schema, *after_schema, self.devices, self.conversations]


@dataclass(slots=True)
class After:
    """A service that begins once something is ready; it has the service's own name."""

    name: str
    ready: asyncio.Event
    service: Service

    async def run(self) -> None:
        """Wait, then run."""
        await self.ready.wait()
        await self.service.run()


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

        def quiet_s() -> int:
            return prefs()[CONVERSATION_QUIET_S]

        ledger = await stack.enter_async_context(open_ledger(db, env.data_dir, now=clock.now, quiet_s=quiet_s))
        devices = Devices(servers.mqtt_url, clock, lambda: prefs()[DEVICES_CONFIRM_MS])
        trial = Trial(devices.house)
        plugs = Plugs.of(env, prefs, lambda: trial.goes_on)
        stack.callback(plugs.close)
        house = House(devices.house, prefs)
        voice = Voice(plugs.tts, SoundCard(prefs()[OUTPUT_DEVICE]))
        conversations = Conversations(ledger, clock, quiet_s)
        answers = Answers(skills(devices, db, replies), ledger, db, plugs.brain, replies, clock)
        language = Language()
        butler = Butler(plugs.stt, language, house.household, answers, replies, ledger, conversations, clock, observe)
        spoken = SpokenReminders(voice, replies, observe)
        reminders = DueReminders(
            db,
            spoken,
            clock,
            lambda: prefs()[REMINDERS_LEASE_S],
            zone=lambda: ZoneInfo(prefs()[HOUSE_TIMEZONE]),
        )
        listening = Listening(
            source=lambda: Microphone(prefs()[INPUT_DEVICE]),
            place=lambda: Place("microphone", prefs()[HOUSE_AREA], voice),
            butler=butler,
            wake_word=plugs.wake_word,
            detector=plugs.detector,
            rules=lambda: endpoint_rules(prefs()),
            clock=clock,
            observe=observe,
        )

        async def change_speaker() -> None:
            voice.use(SoundCard(prefs()[OUTPUT_DEVICE]))

        live.rebuild |= {
            "wake_word": plugs.wake_word.reload,
            "stt": plugs.stt.reload,
            "tts": plugs.tts.reload,
            "brain": plugs.brain.reload,
            "microphone": listening.restart,
            "speaker": change_speaker,
        }
        source, folder = Source(servers.database.owner, servers.postgres), Folder(env.backups)
        schema = Schema(source, folder)

        async def tell(text: str) -> None:
            await voice.speak(_once(text), before=earcons.reminder())

        backups = Backups(source, folder, db, prefs, clock, tell, replies)
        parts = Parts(env, servers, db, ledger, live, plugs, devices, listening, schema, backups)
        yield Mordomo(
            env, servers, clock, db, ledger, live, plugs, devices, house, voice, butler, conversations, reminders,
            schema, listening, parts, trial, spoken.screens, backups,
            OwnSentences(db, servers.database.direct, language),
        )  # fmt: skip


async def _once(text: str) -> AsyncIterator[str]:
    yield text
