"""Who speaks, through a whole turn: known voices, strangers, and what is kept, followed and forgotten."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from support.clock import FakeClock
from support.house import Home, home
from support.speech_engines import ScriptedSpeakerEncoder, ScriptedSpeechToText
from support.voices import ANA, BIA, STRANGER, heard, knows, says, sound

from config.preferences import Preferences
from daemon.engines.plug import Plug
from daemon.engines.protocols import SpeakerEncoder
from daemon.errors import EngineFailed
from daemon.people.person import GUEST, UNKNOWN
from daemon.people.privacy.erasing import Erasing
from daemon.people.voices.enrolment import Lesson, keep, taught_by
from daemon.people.voices.recognition import HouseVoices
from daemon.people.voices.voiceprint import COLLECTION, Heard
from db.erasure import Wish
from db.users import named

ROOM = ("microphone", "sala")


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(database_url, tmp_path) as made:
        yield made


def hearing(*texts: str) -> ScriptedSpeechToText:
    return ScriptedSpeechToText(texts)


async def test_a_known_voice_is_who_asks_and_is_written_down(house: Home) -> None:
    await knows(house, "Ana", ANA, "administrator")
    turn = await says(house, ANA)
    assert turn.understood.speaker is not None
    assert (turn.understood.speaker.name, turn.understood.speaker.role) == ("Ana", "administrator")
    assert turn.understood.speaker.certainty > 0.9
    row = await house.db.fetchrow(
        "SELECT u.name, u.last_interaction_at FROM conversations AS c JOIN users AS u ON u.id = c.user_id"
        " WHERE c.id = $1", turn.conversation_id)  # fmt: skip
    assert row is not None
    assert row["name"] == "Ana"
    assert row["last_interaction_at"] == turn.started_at
    assert {"transcribe", "identify", "understand"} <= set(turn.steps)


async def test_a_stranger_is_a_guest_and_never_more(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=hearing("abre o portão", "destranca a porta da frente")) as house:
        await knows(house, "Ana", ANA, "administrator")
        for _ in range(2):
            turn = await says(house, STRANGER)
            assert turn.understood.speaker is None
            assert house.butler.who(turn.understood.speaker, None, "microphone") == GUEST
        assert house.links.orders == []
        assert await house.db.fetchval("SELECT count(*) FROM conversations WHERE user_id IS NOT NULL") == 0


async def test_while_nobody_taught_their_voice_nothing_is_compared(house: Home) -> None:
    turn = await says(house, STRANGER)
    assert house.butler.who(turn.understood.speaker, None, "microphone") == UNKNOWN
    assert house.voices.encoder.state.condition == "empty"


async def test_my_reminders_are_mine(database_url: str, tmp_path: Path) -> None:
    texts = (
        "me lembra de regar as orquídeas amanhã às nove",
        "quais são os meus lembretes",
        "quais são os meus lembretes",
    )
    async with home(database_url, tmp_path, stt=hearing(*texts)) as house:
        await knows(house, "Ana", ANA)
        await knows(house, "Bia", BIA)
        await says(house, ANA)
        hers, others = await says(house, ANA), await says(house, BIA)
        assert "orquídeas" in " ".join(hers.reply)
        assert "orquídeas" not in " ".join(others.reply)
        assert hers.conversation_id != others.conversation_id


async def test_transcribing_and_comparing_go_on_side_by_side(database_url: str, tmp_path: Path) -> None:
    """Each waits for the other to have begun: one after the other, neither would ever end."""
    writing, comparing = asyncio.Event(), asyncio.Event()

    class Writes(ScriptedSpeechToText):
        async def transcribe(self, utterance):  # type: ignore[no-untyped-def]
            writing.set()
            await comparing.wait()
            return await super().transcribe(utterance)

    class Compares(ScriptedSpeakerEncoder):
        async def embed(self, utterance):  # type: ignore[no-untyped-def]
            comparing.set()
            await writing.wait()
            return await super().embed(utterance)

    async with home(database_url, tmp_path, stt=Writes(["que horas são"]), encoder=Compares()) as house:
        await knows(house, "Ana", ANA)
        async with asyncio.timeout(20):
            understood = await heard(house, ANA)
        assert understood.speaker is not None
        assert understood.text == "que horas são"


async def test_a_broken_encoder_costs_the_name_and_no_more(database_url: str, tmp_path: Path) -> None:
    broken = ScriptedSpeakerEncoder()
    async with home(database_url, tmp_path, encoder=broken) as house:
        await knows(house, "Ana", ANA)
        broken.failure = EngineFailed("quem fala", "quebrou")
        turn = await says(house, ANA)
        assert turn.understood.speaker is None
        assert house.butler.who(turn.understood.speaker, None, "microphone") == GUEST
        assert [order.verb for order in house.links.orders] == ["turn_on"]  # the lamp of the room is any guest's
        assert house.voices.part().condition == "failed"


async def test_a_word_is_enough_from_who_was_asked(house: Home) -> None:
    await knows(house, "Ana", ANA)
    ana = house.voices.prints[0].person
    assert await house.voices.identify(sound(ANA, 0.5), ROOM) is None
    answered = await house.voices.identify(sound(ANA, 0.5), ROOM, ana.id)
    assert answered is not None
    assert answered.person.name == "Ana"
    assert await house.voices.identify(sound(STRANGER, 0.5), ROOM, ana.id) is None


async def test_turned_off_it_knows_nobody(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, prefs=lambda: Preferences({"voices.enabled": False})) as house:
        await knows(house, "Ana", ANA)
        assert await house.voices.identify(sound(ANA), ROOM) is None
        assert house.voices.part().condition == "off"


class TestWhatIsKept:
    async def test_a_new_voiceprint_takes_the_place_of_the_old_one(self, house: Home) -> None:
        await knows(house, "Ana", ANA)
        await knows(house, "Ana", BIA)
        assert await house.voices.vectors.count(COLLECTION) == 3
        assert await house.voices.identify(sound(ANA), ROOM) is None
        assert (found := await house.voices.identify(sound(BIA), ROOM)) is not None
        assert found.person.name == "Ana"

    async def test_with_another_encoder_it_is_to_be_taught_again(self, house: Home) -> None:
        encoder, lesson = ScriptedSpeakerEncoder(), Lesson()
        for _ in range(5):
            lesson.add(await taught_by(encoder, sound(ANA)), 3.0)
        user = await named(house.db, "Ana")
        await keep(house.db, house.voices.vectors, user, lesson, model="outro", now=FakeClock().now())
        await house.voices.refresh()
        assert house.voices.prints == ()
        part = house.voices.part()
        assert part.condition == "failed"
        assert part.mend == 'mordomo people enroll "Ana"'

    async def test_who_leaves_the_house_is_not_known_any_more(self, house: Home) -> None:
        await knows(house, "Ana", ANA)
        await house.db.execute("UPDATE users SET is_active = FALSE")
        await house.voices.refresh()
        assert await house.voices.identify(sound(ANA), ROOM) is None

    async def test_an_erasure_takes_both_vectors_and_what_was_noted(self, house: Home, tmp_path: Path) -> None:
        await knows(house, "Ana", ANA)
        user = house.voices.prints[0].person.id
        erasing = Erasing(house.db, house.voices.vectors, tmp_path, FakeClock())
        receipt = await erasing.erase(Wish(user, "Ana", "voiceprint", "cli", "other"))
        assert (await erasing.verify(receipt.id)).gone
        assert await house.voices.vectors.count(COLLECTION) == 0
        assert await house.db.fetchval("SELECT metadata ? 'voice' FROM users") is False
        await house.voices.refresh()
        assert house.voices.prints == ()

    async def test_it_follows_the_tables_by_itself(self, house: Home) -> None:
        renamed = asyncio.Event()

        class Told(HouseVoices):
            async def refresh(self) -> None:
                await super().refresh()
                if [one.person.name for one in self.prints] == ["Ana Maria"]:
                    renamed.set()

        encoder: Plug[SpeakerEncoder] = Plug("voices", ScriptedSpeakerEncoder)
        service = asyncio.create_task(Told(house.db, encoder, house.voices.vectors, Preferences, FakeClock()).run())
        await knows(house, "Ana", ANA)
        await house.db.execute("UPDATE users SET name = 'Ana Maria', voice_enrolled = TRUE")
        async with asyncio.timeout(20):
            await renamed.wait()
        service.cancel()
        await asyncio.gather(service, return_exceptions=True)


class TestFollowing:
    async def test_a_voice_that_changes_is_followed_and_kept(self, house: Home) -> None:
        await knows(house, "Ana", ANA)
        one = house.voices.prints[0]
        other = np.roll(one.now, 1)
        changed = np.asarray(0.8 * one.now + 0.6 * other, np.float32)
        changed /= np.linalg.norm(changed)
        score = float(changed @ one.now)
        plan = (await heard(house, ANA)).plan
        for _ in range(5):
            house.voices.took(ROOM, plan, Heard(one.person, changed, score, 0.5, 3.0))
            await house.voices.settle()
        assert float(house.voices.prints[0].now @ changed) > score
        await house.voices.refresh()
        assert float(house.voices.prints[0].now @ changed) > score
        assert float(house.voices.prints[0].now @ house.voices.prints[0].taught) > 0.85

    async def test_only_turns_that_were_taken_teach(self, database_url: str, tmp_path: Path) -> None:
        async with home(database_url, tmp_path, stt=hearing("")) as house:
            await knows(house, "Ana", ANA)
            before = house.voices.prints[0].now
            turn = await says(house, ANA)
            assert turn.outcome == "ignored"
            assert house.voices.prints[0].now is before
