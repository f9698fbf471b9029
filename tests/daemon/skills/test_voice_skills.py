"""A voice taught aloud, from "aprende a minha voz" to "quem sou eu", and who may teach whose."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.clock import FakeClock
from support.house import HOUSE, Home, home
from support.speech_engines import ScriptedSpeechToText
from support.voices import ANA, BIA, STRANGER, knows, says

from daemon.language.language import Language
from daemon.language.plan import Heard
from daemon.people.person import GUEST
from daemon.people.voices.enrolment import SENTENCES

LESSON = ("aprende a minha voz", "Ana", "sim", *SENTENCES)


@asynccontextmanager
async def spoken_to(url: str, folder: Path, *texts: str, clock: FakeClock | None = None) -> AsyncIterator[Home]:
    async with home(url, folder, stt=ScriptedSpeechToText(texts), clock=clock) as house:
        yield house


async def told(house: Home, voice: int, turns: int, seconds: Sequence[float] = ()) -> list[str]:
    """Take so many turns with this voice; return what was answered."""
    lengths = [*seconds, *[3.0] * turns][:turns]
    return [" ".join((await says(house, voice, length)).reply) for length in lengths]


async def test_five_sentences_and_the_house_knows_who_it_is(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, *LESSON, "quem sou eu?") as house:
        replies = await told(house, ANA, 9)
        assert replies[0] == "Como é o seu nome?"
        assert "não serve de senha" in replies[1]
        assert [sentence in reply for sentence, reply in zip(SENTENCES, replies[2:7], strict=True)] == [True] * 5
        assert "Pronto, Ana" in replies[7]
        assert "não é senha" in replies[7]
        assert replies[8] == "Pela voz, você é Ana."
        row = await house.db.fetchrow("SELECT * FROM users")
        assert row is not None
        assert (row["name"], row["role"], row["voice_enrolled"]) == ("Ana", "adult", True)
        assert row["metadata"]["voice"]["sentences"] == 5
        consent = await house.db.fetchrow(
            "SELECT c.kind, c.given, c.how, m.content FROM consents AS c JOIN messages AS m ON m.id = c.message_id"
        )
        assert tuple(consent or ()) == ("voiceprint", True, "voice", "sim")


async def test_a_no_keeps_nothing(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, "aprende a minha voz", "meu nome é Ana", "não") as house:
        await told(house, ANA, 3)
        assert await house.db.fetchval("SELECT count(*) FROM users") == 0
        assert house.voices.prints == ()


async def test_a_short_or_another_voice_says_it_again(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, *LESSON[:3], *[SENTENCES[0]] * 2, *[SENTENCES[1]] * 2) as house:
        await told(house, ANA, 3)
        short, then = await told(house, ANA, 2, seconds=(0.5, 3.0))
        assert short.startswith("Ouvi pouco")
        assert SENTENCES[0] in short
        assert SENTENCES[1] in then
        (other,) = await told(house, STRANGER, 1)
        assert other.startswith("Essa não pareceu a mesma voz")
        (again,) = await told(house, ANA, 1)
        assert SENTENCES[2] in again


async def test_after_three_that_will_not_do_it_gives_up(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, *LESSON[:3], *[SENTENCES[0]] * 4) as house:
        replies = await told(house, ANA, 7, seconds=(3.0, 3.0, 3.0, 0.5, 0.5, 0.5, 0.5))
        assert replies[-1].startswith("Não consegui ouvir bem")


async def test_another_subject_ends_the_lesson(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, *LESSON[:4], "que horas são", SENTENCES[1]) as house:
        replies = await told(house, ANA, 6)
        assert "Agora" in replies[3]
        assert house.voices.asks(("microphone", "sala")) is None
        assert not any(sentence in replies[5] for sentence in SENTENCES)


async def test_a_lesson_that_nobody_goes_on_with_is_over(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    async with spoken_to(database_url, tmp_path, *LESSON[:4], SENTENCES[1], clock=clock) as house:
        await told(house, ANA, 4)
        clock.advance(61)
        (late,) = await told(house, ANA, 1)
        assert not any(sentence in late for sentence in SENTENCES)


async def test_who_lives_here_has_the_house_learn_somebody_elses_voice(database_url: str, tmp_path: Path) -> None:
    texts = ("aprende a voz da Bia", "sim", *SENTENCES, "quem está falando?", "abre o portão")
    async with spoken_to(database_url, tmp_path, *texts) as house:
        await knows(house, "Ana", ANA)
        await told(house, ANA, 2)
        assert "Pronto, Bia" in (await told(house, BIA, 5))[-1]
        await house.people.living.refresh()
        assert await told(house, BIA, 1) == ["Pela voz, você é Bia."]
        assert await house.db.fetchval("SELECT role FROM users WHERE name = 'Bia'") == "guest"
        await told(house, BIA, 1)
        assert house.links.orders == []


async def test_a_stranger_has_nobodys_voice_learnt(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, "aprende a minha voz", "aprende a voz da Ana") as house:
        await knows(house, "Ana", ANA)
        await told(house, STRANGER, 2)
        assert house.voices.asks(("microphone", "sala")) is None
        assert await house.db.fetchval("SELECT count(*) FROM users") == 1


@pytest.mark.parametrize("whose", ["Ana", "Bruno"])
async def test_nobody_becomes_who_may_more_by_saying_a_name(database_url: str, tmp_path: Path, whose: str) -> None:
    """Ana's voice is known; Bruno's is not, but he administers the house."""
    async with spoken_to(database_url, tmp_path, f"aprende a voz do {whose}", "sim", *SENTENCES) as house:
        await knows(house, "Ana", ANA)
        await knows(house, "Bia", BIA)
        await house.db.execute("INSERT INTO users (name, role) VALUES ('Bruno', 'administrator')")
        (reply,) = await told(house, BIA, 1)
        assert reply.startswith(f"Isso só {whose}")
        assert house.voices.asks(("microphone", "sala")) is None


async def test_during_a_lesson_a_stranger_is_still_a_guest(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, "aprende a voz da Bia", "sim", "abre o portão") as house:
        await knows(house, "Ana", ANA)
        await told(house, ANA, 2)
        turn = await says(house, STRANGER)
        assert house.butler.who(turn.understood.speaker, None, "microphone") == GUEST
        assert house.links.orders == []


async def test_what_is_written_teaches_no_voice(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        turn = await house.butler.ask("aprende a minha voz", house.written)
        assert "mordomo people enroll" in turn.reply[0]
        assert (await house.butler.ask("quem sou eu", house.written)).reply == [
            "Por escrito não tenho como saber quem é."
        ]
        refused = await house.butler.ask("aprende a minha voz", house.over_mqtt)
        assert refused.actions == []


async def test_a_stranger_and_an_empty_house_are_told_so(database_url: str, tmp_path: Path) -> None:
    async with spoken_to(database_url, tmp_path, "quem sou eu?") as house:
        assert (await told(house, STRANGER, 1))[0].startswith("Ainda não conheço a voz de ninguém")
        await knows(house, "Ana", ANA)
        assert (await told(house, STRANGER, 1))[0].startswith("Não conheço a sua voz")


def test_the_sentences_to_say_back_are_no_commands() -> None:
    language = Language()
    for sentence in SENTENCES:
        plan = language.understand(
            Heard(sentence, FakeClock().now().astimezone(ZoneInfo(HOUSE.timezone)), "sala"), HOUSE
        )
        assert plan.route == "llm", sentence
