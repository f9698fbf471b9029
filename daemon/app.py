"""The composition root: builds every part from the environment and the preferences, and owns their lifetimes.

Resources are entered in an AsyncExitStack (they close last, in reverse); services run in a TaskGroup (they stop first).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.environment import Environment
from config.preferences import (
    CONVERSATION_QUIET_S,
    DEVICES_CONFIRM_MS,
    HOUSE_AREA,
    INPUT_DEVICE,
    OUTPUT_DEVICE,
    REMINDERS_LEASE_S,
)
from daemon.answer import Answers
from daemon.audio.microphone import Microphone
from daemon.audio.soundcard import SoundCard
from daemon.audio.wav import WavSpeaker
from daemon.butler import Butler, Place
from daemon.clock import Clock, SystemClock
from daemon.conversation import Conversations
from daemon.devices.link import Devices
from daemon.engines import registry
from daemon.events import Observe
from daemon.health import Part
from daemon.house import House
from daemon.language.plan import Household
from daemon.language.replies import Replies
from daemon.language.understanding import Language
from daemon.listening import Listening, endpoint_rules
from daemon.live_preferences import LivePreferences
from daemon.parts import Parts
from daemon.plugs import Plugs
from daemon.recording import turn_on_recording
from daemon.reminders.due import DueReminders
from daemon.reminders.spoken import SpokenReminders
from daemon.servers import Schema, Servers
from daemon.skills.registry import skills
from daemon.supervise import Service
from daemon.turn import Turn
from daemon.voice import Voice
from db.database import Database, open_database
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
    demo_house: bool = False

    async def ask(self, text: str, area: str | None, *, speak: bool = False, reply_to: Path | None = None) -> Turn:
        """Take a turn on a typed sentence; the answer is spoken in the house, written to a WAV, or only returned."""
        voice = self.voice.through(WavSpeaker(reply_to)) if reply_to else self.voice if speak else None
        return await self.butler.ask(text, Place("text", area or self.prefs.now()[HOUSE_AREA], voice))

    async def listen_to(self, wav: Path, area: str | None, *, reply_to: Path | None = None) -> Turn | None:
        """Take a turn on a recording, answered in the house or to a WAV; None when nobody speaks in it."""
        voice = self.voice.through(WavSpeaker(reply_to)) if reply_to else self.voice
        place = Place("recording", area or self.prefs.now()[HOUSE_AREA], voice)
        prefs = self.prefs.now

        def ears() -> tuple[registry.WakeWord, registry.VoiceDetector]:
            return registry.wake_word(self.env, prefs), registry.voice_detector()

        return await turn_on_recording(wav, place, self.butler, endpoint_rules(prefs()), ears)

    def household(self) -> Household:
        """Return what may be named in a sentence now."""
        return self.house.household()

    async def health(self) -> list[Part]:
        """Return the state of each part."""
        return await self.parts.look()

    def services(self) -> list[Service]:
        """Return the services that need no terminal and no port."""
        needing_tables: list[Service] = [self.prefs, self.ledger, self.reminders]
        waiting: list[Service] = [After(self.schema.ready, service) for service in needing_tables]
        return [self.schema, *waiting, self.devices, self.conversations]


@dataclass(slots=True)
class After:
    """A service that begins once something is ready."""

    ready: asyncio.Event
    service: Service

    @property
    def name(self) -> str:
        """The service's own name."""
        return self.service.name

    async def run(self) -> None:
        """Wait, then run."""
        await self.ready.wait()
        await self.service.run()


@asynccontextmanager
async def assemble(
    env: Environment,
    servers: Servers,
    *,
    observe: Observe,
    demo_house: Callable[[], bool],
    clock: Clock | None = None,
) -> AsyncIterator[Mordomo]:
    """Build every part on servers that run. Nothing runs yet: the caller supervises `services()`."""
    clock = clock or SystemClock()
    replies = Replies.load("pt_br")
    async with open_database(servers.database_url) as db:
        reload_part: dict[str, Plugs] = {}

        async def reload(part: str) -> None:
            await reload_part["plugs"].reload(part)

        prefs = LivePreferences(db, servers.database_url, reload, observe)
        plugs = reload_part["plugs"] = Plugs.of(env, prefs.now, demo_house)
        async with open_ledger(
            db, env.data_dir, now=clock.now, quiet_s=lambda: prefs.now()[CONVERSATION_QUIET_S]
        ) as ledger:
            devices = Devices(servers.mqtt_url, clock, lambda: prefs.now()[DEVICES_CONFIRM_MS])
            house = House(devices.house, prefs.now)
            voice = Voice(plugs.tts, SoundCard(lambda: prefs.now()[OUTPUT_DEVICE]))
            conversations = Conversations(ledger, clock, lambda: prefs.now()[CONVERSATION_QUIET_S])
            answers = Answers(skills(devices, db, replies), ledger, db, plugs.brain, replies, clock)
            butler = Butler(
                plugs.stt, Language(), house.household, answers, replies, ledger, conversations, clock, observe
            )
            spoken = SpokenReminders(voice, replies, clock, observe)
            reminders = DueReminders(db, spoken, clock, lambda: prefs.now()[REMINDERS_LEASE_S])
            schema = Schema(servers.database_url)
            area = prefs.now()[HOUSE_AREA]
            listening = Listening(
                source=lambda: Microphone(prefs.now()[INPUT_DEVICE], area),
                place=Place("microphone", area, voice),
                butler=butler,
                wake_word=plugs.wake_word,
                detector=plugs.detector,
                rules=lambda: endpoint_rules(prefs.now()),
                clock=clock,
                observe=observe,
            )
            parts = Parts(env, servers, db, ledger, prefs, plugs, devices, listening, schema)
            try:
                yield Mordomo(
                    env, servers, clock, db, ledger, prefs, plugs, devices, house, voice, butler, conversations,
                    reminders, schema, listening, parts,
                )  # fmt: skip
            finally:
                plugs.close()
