"""Listening on without the wake word: after a question, by preference after any answer, and only to what is for us."""

import asyncio
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.engines import QUIET, TALKING
from support.house import Home, home
from support.listening import SENTENCE, Frames, listening
from support.speech_engines import ScriptedChat, ScriptedSpeechToText

from config.preferences import Preferences
from daemon.audio.frames import FRAME_MS
from daemon.events import ListeningOn, NothingHeard, WakeWordHeard
from daemon.listening import ECHO_MS, MOST_FOLLOWING, Following, following
from daemon.reminders.turns import TurnsUnderWay
from daemon.turn import Turn

ECHO = round(ECHO_MS / FRAME_MS)
SPOKEN = [*[QUIET] * (ECHO + 1), *[TALKING] * 10, *[QUIET] * 20]
"""A sentence without the wake word, after the end of our own voice."""
AFTER_QUESTIONS = Following(answer_s=2)
AFTER_ALL = Following(answer_s=2, other_s=2)


async def heard(house: Home, *parts: list[bytes], following: Following) -> list[Turn]:
    """Listen to parts one after the other, each once the turn before it is over; return the turns."""
    turns: list[Turn] = []
    over = [asyncio.Event() for _ in parts]
    starts = [sum(map(len, parts[:number])) for number in range(1, len(parts))]
    service = listening(
        house, Frames([frame for part in parts for frame in part], gates=dict(zip(starts, over, strict=False))), turns
    )
    service.following = lambda: following

    def answered(turn: Turn) -> None:
        turns.append(turn)
        over[len(turns) - 1].set()

    service.answered = answered
    await service.run()
    return turns


def kinds(house: Home) -> list[type]:
    return [type(event) for event in house.events if isinstance(event, WakeWordHeard | ListeningOn | NothingHeard)]


async def test_a_question_is_answered_without_the_wake_word(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["abre o portão", "sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        turns = await heard(house, SENTENCE, SPOKEN, following=AFTER_QUESTIONS)
        assert [turn.understood.text for turn in turns] == ["abre o portão", "sim"]
        assert [order.entity_id for order in house.links.orders] == ["cover.portao"]
        assert kinds(house)[:2] == [WakeWordHeard, ListeningOn]


async def test_an_answer_that_is_no_question_needs_it_again(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["acende a luz da sala", "apaga a luz da cozinha"])
    async with home(database_url, tmp_path, stt=stt) as house:
        turns = await heard(house, SENTENCE, SPOKEN, following=AFTER_QUESTIONS)
        assert len(turns) == 1
        assert ListeningOn not in kinds(house)


async def test_by_preference_any_answer_is_followed_until_it_rests(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["acende a luz da sala", "apaga a luz da cozinha", "que horas são"])
    async with home(database_url, tmp_path, stt=stt) as house:
        turns = await heard(house, SENTENCE, SPOKEN, SPOKEN, [QUIET] * 100, following=AFTER_ALL)
        assert len(turns) == 3
        assert kinds(house) == [WakeWordHeard, *[ListeningOn] * 3, NothingHeard]


async def test_silence_ends_it(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["abre o portão", "sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        long = [QUIET] * round(2500 / FRAME_MS)
        turns = await heard(house, SENTENCE, [*long, *SPOKEN], following=AFTER_QUESTIONS)
        assert len(turns) == 1
        assert house.links.orders == []
        assert kinds(house) == [WakeWordHeard, ListeningOn, NothingHeard]


@pytest.mark.parametrize("words", ["passa o sal por favor", "", "o que você achou do jogo de ontem"])
async def test_what_people_say_to_each_other_is_neither_answered_nor_stored(
    database_url: str, tmp_path: Path, words: str
) -> None:
    stt = ScriptedSpeechToText(["abre o portão", words, "acende a luz da sala"])
    brain = ScriptedChat(["Eu não devia ter ouvido isso."])
    async with home(database_url, tmp_path, stt=stt, brain=brain) as house:
        turns = await heard(house, SENTENCE, [*SPOKEN, *SPOKEN], following=AFTER_QUESTIONS)
        assert [turn.understood.text for turn in turns] == ["abre o portão"]
        assert await house.db.fetchval("SELECT count(*) FROM messages WHERE role = 'user'") == 1
        assert kinds(house) == [WakeWordHeard, ListeningOn, NothingHeard], "and it ends there"


async def test_the_model_that_asked_is_answered(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["me conta uma curiosidade sobre o mar", "dos peixes abissais"])
    brain = ScriptedChat(["Prefere peixes ou baleias?"])
    async with home(database_url, tmp_path, stt=stt, brain=brain) as house:
        turns = await heard(house, SENTENCE, SPOKEN, following=AFTER_QUESTIONS)
        assert [turn.understood.plan.route for turn in turns] == ["llm", "llm"]


async def test_our_own_voice_is_not_in_what_is_heard(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["abre o portão", "sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        own = [TALKING] * ECHO  # the last of the answer, still in the room
        await heard(house, SENTENCE, [QUIET, *own, *SPOKEN[ECHO + 1 :]], following=AFTER_QUESTIONS)
        assert stt.heard[-1].pcm.count(TALKING) == 10


async def test_a_television_cannot_go_on_for_ever(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["que horas são"])
    async with home(database_url, tmp_path, stt=stt) as house:
        turns = await heard(house, SENTENCE, *[SPOKEN] * MOST_FOLLOWING, SPOKEN * 2, following=AFTER_ALL)
        assert len(turns) == 1 + MOST_FOLLOWING


async def test_off_is_off(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["abre o portão", "sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        assert len(await heard(house, SENTENCE, SPOKEN, following=Following())) == 1


def test_announcements_wait_while_it_is_listened_on() -> None:
    turns = TurnsUnderWay(FakeClock())
    turns.note(ListeningOn("microphone"))
    assert turns.any()
    turns.note(NothingHeard("microphone", ""))
    assert not turns.any()


def test_the_household_sets_how_long() -> None:
    assert following(Preferences()) == Following(answer_s=8, other_s=0)
    assert following(Preferences({"conversation.answer_s": 0, "conversation.follow_up_s": 6})) == Following(0, 6)
