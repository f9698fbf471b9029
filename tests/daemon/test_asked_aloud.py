"""What the house asks by itself is answered without the wake word, by whoever's voice may, and by nobody else's."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from support.clock import FakeClock
from support.engines import QUIET, TALKING
from support.family import row, settled
from support.house import Home, home
from support.listening import CALL, SENTENCE, Frames, listening
from support.speech_engines import ScriptedSpeechToText
from support.voices import ANA, BIA, STRANGER, knows

from daemon.announcer import Announcer
from daemon.audio.frames import FRAME_MS, FRAME_SAMPLES, Frame
from daemon.events import ListeningOn, NothingHeard, WakeWordHeard
from daemon.language.consent import consented
from daemon.listening import ECHO_MS, Following
from daemon.reminders.turns import LOOK_S, TurnsUnderWay, turn_over
from daemon.turn import Turn

MARCOS = BIA
ECHO = [TALKING] * round(ECHO_MS / FRAME_MS)
"""The end of the question itself, still in the room."""
SENTENCE_LONG = 80
"""So many frames of speech tell whose voice it is; a word does not."""
NEXT = "E amanhã chove."
ASKED = "A Ana quer abrir o portão. Posso?"
WHO = ["Quem fala? Diga: pode abrir o portão."]


class Gate(asyncio.Event):
    """An event that tells when it is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


def word(voice: int, frames: int = 10) -> list[Frame]:
    """Return a word of somebody, or more; the detector hears 32 ms a frame."""
    return [np.resize(np.array([voice, -voice], "<i2"), FRAME_SAMPLES).tobytes()] * frames + [QUIET] * 20


async def the_family_asks(house: Home) -> None:
    """Let Ana, a child, ask in the kitchen to have the gate opened; Marcos may let her."""
    await knows(house, "Marcos", MARCOS, "adult")
    await knows(house, "Ana", ANA, "child")
    ana = next(one for one in house.people.living.people() if one.name == "Ana")
    await house.butler.ask("abre o portão", replace(house.aloud, area="cozinha", person=ana))
    await settled(house)
    assert house.announced == [ASKED]


async def answers(house: Home, *parts: Sequence[Frame], question: str = ASKED, answer_s: int = 2) -> list[Turn]:
    """Announce a question to a house in which nobody spoke; each part is heard once what was before is over."""
    turns: list[Turn] = []
    over = [Gate() for _ in range(len(parts) + 1)]
    before = [QUIET] * 5
    starts = [len(before) + sum(map(len, parts[:number])) for number in range(len(parts))]
    source = Frames(
        [*before, *(frame for part in parts for frame in part)], gates=dict(zip(starts, over, strict=False))
    )
    service = listening(house, source, [])
    service.following = lambda: Following(answer_s)

    def answered(turn: Turn) -> None:
        turns.append(turn)
        over[len(turns)].set()

    def heard_out() -> None:
        service.asked_aloud()
        over[0].set()

    def shown(text: str) -> None:
        if text == NEXT:
            over[0].set()  # what came before was heard out

    service.answered = answered
    announcer = Announcer(house.voice, [shown], asked=heard_out)
    running = asyncio.create_task(service.run())
    await over[0].reached.wait()
    announcing = asyncio.create_task(announcer.run())
    announcer.put(question)
    if not question.endswith("?"):
        announcer.put(NEXT)
    async with asyncio.timeout(20):
        await running
    announcing.cancel()
    return turns


def kinds(house: Home) -> list[type]:
    return [type(event) for event in house.events if isinstance(event, WakeWordHeard | ListeningOn | NothingHeard)]


async def test_a_sentence_of_who_may_grants_it(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText(["pode abrir o portão"])) as house:
        await the_family_asks(house)
        house.events.clear()
        turns = await answers(house, [*ECHO, *word(MARCOS, SENTENCE_LONG)])
        assert [turn.user_id for turn in turns] == [turns[0].understood.speaker and turns[0].understood.speaker.id]
        assert await row(house) == "granted"
        assert kinds(house) == [ListeningOn], "the wake word was not said"
        await settled(house)
        assert [order.entity_id for order in house.links.orders] == ["cover.portao"]


async def test_a_word_does_not_tell_who_speaks_so_a_sentence_is_asked_for(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["sim", "pode abrir o portão"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await the_family_asks(house)
        turns = await answers(house, [*ECHO, *word(MARCOS)], [*ECHO, *word(MARCOS, SENTENCE_LONG)])
        assert turns[0].reply == WHO
        assert await row(house) == "granted"


@pytest.mark.parametrize("voice", [ANA, STRANGER])
async def test_neither_the_child_nor_a_stranger_grants_it(database_url: str, tmp_path: Path, voice: int) -> None:
    stt = ScriptedSpeechToText(["sim", "pode abrir o portão"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await the_family_asks(house)
        turns = await answers(house, [*ECHO, *word(voice)], [*ECHO, *word(voice, SENTENCE_LONG)])
        assert turns[0].reply == WHO
        assert not any(action.status == "success" for turn in turns for action in turn.actions)
        assert await row(house) == "pending"


@pytest.mark.parametrize("voice", [ANA, STRANGER])
async def test_a_word_never_passes_for_who_was_asked_something_before(
    database_url: str, tmp_path: Path, voice: int
) -> None:
    """Who was asked a question needs less to be told by voice; that was another question, and it is over."""
    stt = ScriptedSpeechToText(["abre o portão", "sim", "sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await the_family_asks(house)
        marcos = next(one for one in house.people.living.people() if one.name == "Marcos")
        asked = await house.butler.ask("destranca a porta da frente", replace(house.aloud, person=marcos))
        assert asked.asked is not None
        turns = await answers(house, [*ECHO, *word(voice)])
        assert turns[0].understood.speaker is None
        assert await row(house) == "pending"
        assert house.links.orders == [], "the door's question was let go of as well"


async def test_two_words_that_tell_nobody_are_a_guests(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText(["sim"])) as house:
        await the_family_asks(house)
        turns = await answers(house, [*ECHO, *word(MARCOS)], [*ECHO, *word(MARCOS)])
        assert turns[0].reply == WHO
        assert "Marcos" in turns[1].reply[0]
        assert await row(house) == "pending"


@pytest.mark.parametrize(("name", "asked"), [("Marcos", 3), ("Ana", 0)])
async def test_a_voice_that_is_only_likely_somebodys_says_it_again(
    database_url: str, tmp_path: Path, name: str, asked: int
) -> None:
    async with home(database_url, tmp_path) as house:
        await the_family_asks(house)
        likely = next(replace(one, trusted=False) for one in house.people.living.people() if one.name == name)
        approvals, questions = house.people.approvals, list[str]()
        plan = waiting = approvals.question()
        for _ in range(5):
            assert waiting is not None
            answered = consented(waiting, yes=True)
            plan = approvals.doubted(answered, likely, 2.0)
            if plan == answered:
                break
            questions.append(str(plan.question))
            waiting = plan
        assert len(questions) == asked, "and a child, however likely, is not asked at all"
        assert [one.split(".")[0] for one in questions[1:]] == ["Ainda não tenho certeza de quem fala"] * (asked and 2)
        sure = replace(likely, trusted=True)
        assert waiting is not None
        assert approvals.doubted(consented(waiting, yes=True), sure, 0.3) == consented(waiting, yes=True)


async def test_a_no_needs_a_known_voice_as_well(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["não", "não pode abrir o portão"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await the_family_asks(house)
        turns = await answers(house, [*ECHO, *word(MARCOS)], [*ECHO, *word(MARCOS, SENTENCE_LONG)])
        assert turns[0].reply == ["Quem fala? Diga: não pode abrir o portão."]
        assert await row(house) == "refused"


@pytest.mark.parametrize("words", ["passa o sal por favor", "ok", "o que você achou do jogo de ontem", ""])
async def test_what_people_say_to_each_other_is_not_an_answer(database_url: str, tmp_path: Path, words: str) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText([words])) as house:
        await the_family_asks(house)
        messages = await house.db.fetchval("SELECT count(*) FROM messages")
        house.events.clear()
        assert await answers(house, [*ECHO, *word(MARCOS, SENTENCE_LONG), *word(MARCOS)]) == []
        assert await house.db.fetchval("SELECT count(*) FROM messages") == messages
        assert kinds(house) == [ListeningOn, NothingHeard], "and it ends there"


async def test_the_question_itself_is_not_heard(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["sim"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await the_family_asks(house)
        await answers(house, [*ECHO, *word(MARCOS, 12)])
        assert stt.heard[-1].pcm.count(TALKING) == 0


async def test_what_asks_nothing_is_not_followed(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText(["acende a luz da sala"])) as house:
        assert await answers(house, word(MARCOS), question="O jantar está pronto.") == []


async def test_a_house_that_wants_it_never_says_so(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText(["acende a luz da sala"])) as house:
        assert await answers(house, word(MARCOS), answer_s=0) == []
        assert kinds(house) == []


async def test_who_calls_meanwhile_is_answered_and_not_the_question(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["que horas são", "acende a luz da sala"])
    async with home(database_url, tmp_path, stt=stt) as house:
        asked, turns = asyncio.Event(), list[Turn]()
        service = listening(house, Frames([*SENTENCE, *word(MARCOS)], gates={len(CALL) + 2: asked}), turns)
        service.following = lambda: Following(answer_s=2)
        running = asyncio.create_task(service.run())
        while not any(isinstance(event, WakeWordHeard) for event in house.events):
            await asyncio.sleep(0)
        service.asked_aloud()
        asked.set()
        await running
        assert [turn.understood.text for turn in turns] == ["que horas são"]
        assert ListeningOn not in kinds(house)


async def test_a_muted_house_hears_no_answer(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        service = listening(house, Frames([]), [])
        service.following = lambda: Following(answer_s=2)
        service.asked_aloud()
        assert house.events == []


async def test_an_announcement_waits_until_nobody_is_heard(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    turns = TurnsUnderWay(clock)
    shown, spoken = list[str](), asyncio.Event()
    async with home(database_url, tmp_path) as house:
        announcer = Announcer(
            house.voice, [shown.append], turn_over=lambda: turn_over(turns.any, clock), asked=spoken.set
        )
        turns.note(WakeWordHeard("microphone"))
        announcer.put(ASKED)
        announcer.put(ASKED)
        announcing = asyncio.create_task(announcer.run())
        await clock.asleep(LOOK_S)
        assert (shown, house.ear.heard) == ([ASKED], [])
        turns.note(NothingHeard("microphone", ""))
        clock.advance(1)
        async with asyncio.timeout(10):
            await spoken.wait()
        assert house.ear.heard
        assert shown == [ASKED], "the same is not said twice"
        announcing.cancel()
