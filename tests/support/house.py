"""A butler on scripted engines, with the real ledger, language and replies: what the turn does, without sound."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.preferences import Preferences
from daemon.acting import Acting
from daemon.answer import Answers
from daemon.audio.frames import Pcm
from daemon.brain.mind import Mind
from daemon.brain.recall import Recalls
from daemon.butler import Butler, Place
from daemon.clock import Clock, SystemClock
from daemon.conversation import Conversations
from daemon.devices.link import Order
from daemon.devices.order import Outcome
from daemon.engines.plug import Plug
from daemon.engines.protocols import Chat, SpeakerEncoder, SpeechToText, TextToSpeech
from daemon.errors import LinkDown, MordomoError
from daemon.events import Event
from daemon.language.language import Language
from daemon.language.plan import Area, Heard, Household, Plan, Thing
from daemon.language.replies import Replies
from daemon.memory.plain import PlainVectors
from daemon.memory.recall import Recall
from daemon.people.codes import Codes
from daemon.people.parts import People
from daemon.people.privacy.erasing import Erasing
from daemon.people.voices.recognition import HouseVoices
from daemon.reminders.wiring import calendar_of
from daemon.satisfaction import judged
from daemon.skills.orders import Orders, Silent
from daemon.skills.registry import House as Skilled
from daemon.skills.registry import skills
from daemon.skills.skill import Context
from daemon.voice import Voice
from db.database import Database, open_database
from db.ledger import Ledger, open_ledger
from support.embeddings import WordEmbedding, plugged
from support.speech_engines import ScriptedChat, ScriptedSpeakerEncoder, ScriptedSpeechToText, ScriptedTextToSpeech

LAMP = Thing("light.sala", "light", "luz da sala", area="sala", state="off", attributes={"brightness": True})
KITCHEN = Thing("light.cozinha", "light", "luz da cozinha", area="cozinha", state="on")
DOOR = Thing("lock.porta", "lock", "porta da frente", area="sala", state="locked")
GATE = Thing("cover.portao", "cover", "portão", area="garagem", device_class="garage", state="closed")
SENSOR = Thing(
    "sensor.temperatura", "sensor", "temperatura da sala", area="sala", device_class="temperature", state="23.4"
)
HOUSE = Household((LAMP, KITCHEN, DOOR, GATE, SENSOR), (Area("sala"), Area("cozinha"), Area("garagem")))


class Links:
    """Devices that do as `how` says: an Outcome's kind by entity, or an error to raise. Notes every order."""

    def __init__(self, **how: str | MordomoError) -> None:
        self.how = {name.replace("__", "."): outcome for name, outcome in how.items()}
        self.orders: list[Order] = []
        self.before: Callable[[], object] = lambda: None

    async def carry_out(self, order: Order) -> Outcome:
        self.before()
        self.orders.append(order)
        outcome = self.how.get(order.entity_id, "confirmed")
        if isinstance(outcome, MordomoError):
            raise outcome
        return Outcome(outcome, "on", {"state": "off"}, 12.0)  # type: ignore[arg-type]


class Ear:
    """A speaker that keeps what it was given."""

    def __init__(self, *, failure: MordomoError | None = None) -> None:
        self.heard: list[Pcm] = []
        self.failure = failure

    async def play(self, speech: AsyncIterator[Pcm]) -> None:
        if self.failure is not None:
            raise self.failure
        async for piece in speech:
            self.heard.append(piece)


@dataclass
class Home:
    """The parts of one scripted house. `people` have read the rules that a house begins with."""

    db: Database
    ledger: Ledger
    links: Links
    ear: Ear
    voice: Voice
    butler: Butler
    conversations: Conversations
    language: Language
    events: list[Event] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    people: People = field(kw_only=True)
    mind: Mind = field(kw_only=True)
    voices: HouseVoices = field(kw_only=True)

    @property
    def aloud(self) -> Place:
        """The sala, where answers are spoken."""
        return Place("microphone", "sala", self.voice)

    @property
    def written(self) -> Place:
        """The sala, where answers are only written."""
        return Place("text", "sala", None)

    @property
    def over_mqtt(self) -> Place:
        """A program on the broker."""
        return Place("mqtt", "sala", None)


@asynccontextmanager
async def home(
    url: str,
    folder: Path,
    *,
    links: Links | None = None,
    stt: SpeechToText | None = None,
    tts: Sequence[TextToSpeech] = (),
    brain: Chat | None = None,
    ear: Ear | None = None,
    clock: Clock | None = None,
    silent: Callable[[Silent], None] = lambda _: None,
    prefs: Callable[[], Preferences] = Preferences,
    household: Household = HOUSE,
    recall: Recalls | None = None,
    reads_rules: bool = True,
    encoder: SpeakerEncoder | None = None,
) -> AsyncIterator[Home]:
    """Give a house. `tts` are the voices that are built one after the other, as each breaks; the last stays."""
    clock, links, ear = clock or SystemClock(), links or Links(), ear or Ear()
    replies, events = Replies.load("pt_br"), list[Event]()
    voices = iter(tts)
    last: list[TextToSpeech] = [ScriptedTextToSpeech()]

    def build_voice() -> TextToSpeech:
        last[0] = next(voices, last[0])
        return last[0]

    def build_brain() -> Chat:
        return brain or ScriptedChat([], failure=LinkDown("ollama", "não há"))

    async with open_database(url) as db, open_ledger(db, folder, judged=judged) as ledger:
        language, announced = Language(), list[str]()

        def understand(text: str, context: Context) -> Plan:
            return language.understand(Heard(text, context.now, context.area), context.household)

        people = People.of(db, clock, replies, prefs=prefs, household=lambda: household, announce=announced.append,
                           understand=understand)  # fmt: skip
        if reads_rules:
            with suppress(LinkDown):
                await people.living.refresh()
        known = HouseVoices(db, Plug("voices", lambda: encoder or ScriptedSpeakerEncoder()), PlainVectors(db), prefs,
                             clock)  # fmt: skip
        orders = Orders(links, replies, silent)
        told = Recall(db, PlainVectors(db), plugged(WordEmbedding()), lambda: 5000, by_meaning=lambda: False)
        skilled = skills(Skilled(orders, db, replies, understand, announced.append, requests=people.approvals,
                                 rules=people.permissions.read, calendar=lambda: calendar_of(prefs()),
                                 erasing=Erasing(db, None, folder, clock, ledger.drain), voices=known, recall=told))  # fmt: skip
        conversations = Conversations(ledger, clock, lambda: 120)
        acting = Acting(skilled, ledger, replies, clock, people.permissions)
        mind = Mind.of(
            db, Plug("brain", build_brain), acting, language, prefs=prefs, household=lambda: household, recall=recall
        )
        answers = Answers(acting, mind.brain, people.consents)
        voice = Voice(Plug("tts", build_voice), ear)
        butler = Butler(
            Plug("stt", lambda: stt or ScriptedSpeechToText(["acende a luz da sala"])), language, lambda: household,
            answers, replies, ledger, conversations, clock, events.append, people.living.who,
            people.approvals, known, Codes(db, clock, replies, people.living, known.trust.vouch),
        )  # fmt: skip
        people.use(butler, voice, announced.append)
        yield Home(
            db, ledger, links, ear, voice, butler, conversations, language, events, announced, people=people, mind=mind,
            voices=known,
        )  # fmt: skip
        await mind.records.close()
