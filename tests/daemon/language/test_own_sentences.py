"""The household's own sentences: learnt from the table while it is edited, a bad one refused by name."""

import asyncio
from contextlib import suppress
from datetime import datetime

from golden import household

from daemon.language.language import Language
from daemon.language.plan import Heard
from daemon.own_sentences import OwnSentences
from db.database import Database, open_database

NOW = datetime.fromisoformat("2026-03-11T14:20:00-03:00")
HOUSE = household()
INSERT = "INSERT INTO sentences (pattern, intent, slots) VALUES ($1, $2, $3)"


def understood(language: Language, text: str) -> list[tuple[str, tuple[str, ...]]]:
    """What would be done."""
    return [(i.name, i.targets) for i in language.understand(Heard(text, NOW, "sala"), HOUSE).intents]


async def faults(db: Database) -> dict[str, str | None]:
    """What stands beside each sentence."""
    return {row["pattern"]: row["fault"] for row in await db.fetch("SELECT pattern, fault FROM sentences")}


async def test_a_bad_sentence_is_refused_with_its_reason_and_the_others_work(database_url: str) -> None:
    async with open_database(database_url) as db:
        language = Language()
        await db.execute(INSERT, "hora do (cafezinho|cafe)", "HassTurnOn", {"name": "cafeteira"})
        await db.execute(INSERT, "bora (de cinema", "HassTurnOn", {"targets": ["scene.filme"]})
        await db.execute(INSERT, "[{mensagem}]", "CreateReminder", {})
        await db.execute(INSERT, "partiu rua", "HassFly", {})
        await db.execute(INSERT, "capota {alvo}", "HassTurnOff", {})
        await OwnSentences(db, database_url, language).refresh()
        told = await faults(db)
    assert understood(language, "Mordomo, hora do cafezinho!") == [("HassTurnOn", ("switch.cafeteira",))]
    assert understood(language, "capota a luz da cozinha") == [("HassTurnOff", ("light.cozinha",))]
    assert understood(language, "apaga a luz da cozinha") == [("HassTurnOff", ("light.cozinha",))]
    assert told["hora do (cafezinho|cafe)"] is None
    assert "não fecham" in (told["bora (de cinema"] or "")
    assert "HassFly" in (told["partiu rua"] or "")
    assert "palavra" in (told["[{mensagem}]"] or "")


async def test_the_house_s_own_comes_before_what_is_shipped_and_is_forgotten_when_disabled(database_url: str) -> None:
    async with open_database(database_url) as db:
        language = Language()
        sentences = OwnSentences(db, database_url, language)
        await db.execute(INSERT, "boa noite", "HassTurnOn", {"targets": ["scene.filme"]})
        await sentences.refresh()
        assert understood(language, "boa noite") == [("HassTurnOn", ("scene.filme",))]
        await db.execute("UPDATE sentences SET enabled = FALSE")
        await sentences.refresh()
    assert understood(language, "boa noite") == [("HassRespond", ())]


async def test_the_table_is_followed(database_url: str) -> None:
    learnt = asyncio.Event()

    class Watched(Language):
        def learn(self, sentences):  # type: ignore[no-untyped-def]
            found = super().learn(sentences)
            if sentences:
                learnt.set()
            return found

    async with open_database(database_url) as db:
        language = Watched()
        following = asyncio.create_task(OwnSentences(db, database_url, language).run())
        await db.execute(INSERT, "partiu cinema", "HassTurnOn", {"targets": ["scene.filme"]})
        async with asyncio.timeout(10):
            await learnt.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    assert understood(language, "partiu cinema") == [("HassTurnOn", ("scene.filme",))]


async def test_what_points_at_a_thing_that_is_gone_does_nothing(database_url: str) -> None:
    async with open_database(database_url) as db:
        language = Language()
        await db.execute(INSERT, "partiu praia", "HassTurnOn", {"targets": ["scene.praia"]})
        await OwnSentences(db, database_url, language).refresh()
    assert understood(language, "partiu praia") == []
