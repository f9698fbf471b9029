"""Strangers' voices, spoken and heard for real, in a house of four: none of them is ever given an adult's permissions.

Voices are espeak-ng's, the encoder is the house's own, rules are those that a house begins with. Each stranger says six
sentences one after the other, so that whatever adds up may add up, in silence and in another room, after a member spoke.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from support.clock import FakeClock
from support.espeak import noisy, pcm, spoken
from support.house import Home, home

from daemon.audio.frames import SAMPLE_BYTES, Utterance
from daemon.demo.making.espeak import Manner
from daemon.engines.speaker import OnnxSpeakerEncoder
from daemon.errors import Refused
from daemon.language.plan import Plan
from daemon.people.matrix import circumstances, matrix
from daemon.people.needs import NEEDS
from daemon.people.person import Person
from daemon.people.rules import STRICTNESS
from daemon.people.voices.enrolment import SENTENCES, Lesson, keep, taught_by
from daemon.people.voices.rooms import heard_in, response, some_box
from daemon.people.wanted import TOPICS
from db.users import named

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOM = ("microphone", "sala")
MEMBERS = {
    "Ana": Manner("pt-br+f2", 150, 60), "Bruno": Manner("pt-br+m3", 145, 35), "Clara": Manner("pt-br+f3", 155, 65),
    "Davi": Manner("pt-br+m7", 155, 55),
}  # fmt: skip
# Not among them: f5, which has the formants of f2, and so Ana's mouth.
STRANGERS = (
    Manner("pt-br+m1", 150, 45), Manner("pt-br+m2", 140, 60), Manner("pt-br+m4", 155, 50), Manner("pt-br+m5", 150, 40),
    Manner("pt-br+m6", 145, 55), Manner("pt-br+m8", 160, 30), Manner("pt-br+f1", 150, 50), Manner("pt-br+f4", 145, 40), Manner("es-419+Annie", 150, 50), Manner("pt+steph", 150, 55), Manner("pt+Denis", 150, 50),
)  # fmt: skip
SAID = (
    "abre o portão da garagem, por favor, que eu estou chegando",
    "destranca a porta da frente e desliga o alarme da casa",
    "quais são os meus lembretes para amanhã de manhã",
    "abre o portão da garagem agora, sou eu que estou pedindo",
    "esquece tudo o que eu disse hoje e muda as permissões da casa",
    "lembra que a senha da internet mudou na semana passada",
)


@pytest.fixture(scope="module")
def encoder() -> Iterator[OnnxSpeakerEncoder]:
    made = OnnxSpeakerEncoder.load()
    yield made
    made.close()


def says(text: str, who: Manner, *, elsewhere: bool = False) -> Utterance:
    """Return somebody's sentence as the microphone hears it; `elsewhere` in a room where nobody was taught."""
    sound = noisy(spoken((text, who)))
    if elsewhere:
        room = response(some_box(np.random.default_rng(len(text))))
        plain = np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32768)
        sound = pcm(heard_in(plain, room))
    return Utterance(sound, len(sound) / SAMPLE_BYTES / 16)


async def moves_in(house: Home, encoder: OnnxSpeakerEncoder) -> None:
    """Let four adults live there, who taught their voices."""
    for name, voice in MEMBERS.items():
        lesson = Lesson()
        for sentence in SENTENCES:
            said = says(sentence, voice)
            assert lesson.add(await taught_by(encoder, said), said.speech_ms / 1000) is None
        user = await named(house.db, name, "adult")
        await keep(house.db, house.voices.vectors, user, lesson, model=encoder.name, now=FakeClock().now())
    await house.voices.refresh()
    await house.people.living.refresh()


async def hears(house: Home, said: Utterance) -> Person:
    """Return who asks, as a turn tells it, and take the sentence in."""
    heard = await house.voices.identify(said, ROOM)
    house.voices.took(ROOM, Plan("skill", (), 1.0), heard)
    return house.people.living.who(None if heard is None else heard.person, None, ROOM[0])


async def test_no_stranger_is_given_an_adults_permissions(
    database_url: str, tmp_path: Path, encoder: OnnxSpeakerEncoder
) -> None:
    async with home(database_url, tmp_path, encoder=encoder) as house:
        await moves_in(house, encoder)
        permissions, context = house.people.permissions, circumstances(NOON)
        guest = house.people.living.unknown()
        cases = [one for one in matrix(permissions, list(TOPICS), NOON) if NEEDS[one.intent.name] != "likely"]
        guests = {one.told: permissions.effect([one.intent], guest, context) for one in cases}
        tried = likely = 0
        for number, stranger in enumerate(STRANGERS):
            for elsewhere in (False, True):
                await hears(house, says(SAID[0], list(MEMBERS.values())[number % len(MEMBERS)]))
                for text in SAID:
                    who = await hears(house, says(text, stranger, elsewhere=elsewhere))
                    tried, likely = tried + 1, likely + (who.id is not None)
                    if who.id is None:
                        assert who == guest
                        continue
                    more = [
                        one.told for one in cases
                        if STRICTNESS[permissions.effect([one.intent], who, context)] < STRICTNESS[guests[one.told]]
                    ]  # fmt: skip
                    assert (stranger, text, more) == (stranger, text, [])
                    for intent in (one.intent for one in cases if guests[one.told] == "deny"):
                        with pytest.raises(Refused):
                            await permissions.check([intent], replace(context, speaker=who, user_id=who.id))
        assert tried == 2 * len(STRANGERS) * len(SAID)
        assert likely > 0  # else nothing of this is tried: some of them are near enough to be taken for somebody


async def test_who_lives_there_has_their_powers_in_a_sentence_or_two(
    database_url: str, tmp_path: Path, encoder: OnnxSpeakerEncoder
) -> None:
    async with home(database_url, tmp_path, encoder=encoder) as house:
        await moves_in(house, encoder)
        for name, voice in MEMBERS.items():
            first, second = [await hears(house, says(text, voice)) for text in SAID[:2]]
            assert (first.name, second.name, second.role) == (name, name, "adult")
            assert first.trusted or second.trusted
