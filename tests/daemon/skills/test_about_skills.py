"""What Mordomo says of itself is what is set and what it runs on, and changes with that."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import UUID, uuid4

import pytest

from config.preferences import Preferences
from daemon.engines.plug import PlugState
from daemon.language.plan import Household, Intent, Thing
from daemon.language.replies import Replies
from daemon.listening import LISTENING
from daemon.skills.about import AboutSkills, OwnFacts, whereabouts
from daemon.skills.skill import Context
from db import consents
from db.database import Database, open_database

LAMP = Thing("light.sala", "light", "luz da sala")
OWN = {"database": "postgresql:///mordomo?host=/run/x", "broker": "mqtt://127.0.0.1:1883",
       "brain": "http://127.0.0.1:11434", "vectors": ""}  # fmt: skip
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def db(database_url: str):  # type: ignore[no-untyped-def]
    async with open_database(database_url, size=1) as opened:
        yield opened


async def told(
    db: Database, asked: str, *, things: tuple[Thing, ...] = (), hearing: PlugState = LISTENING,
    servers: Mapping[str, str] | None = None, who: UUID | None = None, source: str = "microphone", **prefs: object,
) -> str:  # fmt: skip
    values = {key.replace("__", "."): value for key, value in prefs.items()}
    facts = OwnFacts(lambda: Preferences(values), lambda: hearing, OWN if servers is None else servers)
    context = Context(NOW, Household(things), user_id=who, source=source)
    skill = AboutSkills(db, Replies.load("pt_br"), facts).by_intent()["TellAboutMe"]
    return (await skill.act(Intent("TellAboutMe", (), {"asked": asked}), (), context)).say


async def test_every_question_has_its_answer(db: Database) -> None:
    assert "“hey jarvis”" in await told(db, "name")
    assert "“casa”" in await told(db, "name", wake_word__phrase="/opt/casa.tflite")
    assert version("mordomo") in await told(db, "version")
    assert "programa" in await told(db, "who")
    assert "programa livre" in await told(db, "maker")
    assert "português" in await told(db, "languages")


async def test_only_what_the_house_has_is_offered(db: Database) -> None:
    assert "luzes" in await told(db, "skills", things=(LAMP,))
    assert "luzes" not in await told(db, "skills")
    assert "lembretes" in await told(db, "skills")


async def test_listening_goes_by_the_microphone(db: Database) -> None:
    assert (await told(db, "listening", audio__muted=True)).startswith("Não. O microfone está desligado")
    assert (await told(db, "listening", hearing=PlugState("missing", "não há"))).startswith("Não. Estou sem microfone")
    assert (await told(db, "listening")).startswith("Agora sim, porque você me chamou. Fico à espera de “hey jarvis”.")
    assert (await told(db, "listening", source="text")).startswith("Fico à espera")
    assert "vinte segundos" in await told(db, "listening", conversation__follow_up_s=20)


async def test_recording_goes_by_consent_and_retention(db: Database) -> None:
    ana = uuid4()
    await db.execute("INSERT INTO users (id, name) VALUES ($1, 'Ana')", ana)
    assert (await told(db, "recording", who=ana)).startswith("O som da sua voz eu não guardo.")
    await consents.record(db, ana, "audio", given=True, how="voice", at=NOW)
    assert "por trinta dias, porque você deixou" in await told(db, "recording", who=ana)
    await consents.record(db, ana, "audio", given=False, how="voice", at=NOW)
    assert "não guardo" in await told(db, "recording", who=ana)
    assert "sem prazo" in await told(db, "recording")
    assert "por noventa dias" in await told(db, "recording", retention__messages_days=90)


async def test_the_internet_goes_by_the_addresses(db: Database) -> None:
    assert (await told(db, "internet")).startswith("Não.")
    near = await told(db, "internet", servers={**OWN, "brain": "http://192.168.0.9:11434"})
    assert near.startswith("Não.")
    assert near.endswith("Na rede da casa, em outro computador: as conversas com o modelo de linguagem.")
    away = await told(db, "internet", servers={**OWN, "database": "postgresql://ana:segredo@db.example.com/m"})
    assert away.startswith("Sim,")
    assert "o banco de dados" in away
    assert "segredo" not in away
    assert "o texto dos lembretes" in await told(db, "internet", reminders__push_url="https://ntfy.sh/casa")
    assert "licença" in await told(db, "internet", wake_word__engine="porcupine")
    assert (await told(db, "offline")).startswith("Sim")
    assert (await told(db, "others")).startswith("Ninguém de fora")
    for asked in ("offline", "others"):
        assert "o banco de dados" in await told(db, asked, servers={**OWN, "database": "postgresql://db.example.com/m"})
    outside = await told(db, "recording", servers={**OWN, "database": "postgresql://db.example.com/m"})
    assert "fora de casa" in outside


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("", "here"), ("postgresql:///m?host=/run", "here"), ("http://localhost:1", "here"), ("http://[::1]:2", "here"),
        ("mqtt://10.0.0.2", "home"), ("mqtt://mosquitto:1883", "home"), ("http://nas.local", "home"),
        ("https://ntfy.sh/x", "outside"), ("http://8.8.8.8", "outside"),
    ],
)  # fmt: skip
def test_where_an_address_is(url: str, where: str) -> None:
    assert whereabouts(url) == where
