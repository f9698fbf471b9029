"""Listening: the wake word, one turn after the other, barge-in, storms, and sources that go away."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.engines import QUIET, TALKING, WAKE
from support.house import home
from support.listening import CALL, SENTENCE, Frames, listening
from support.speech_engines import ScriptedSpeechToText, ScriptedTextToSpeech

from daemon.audio.frames import Pcm
from daemon.errors import EngineFailed, EngineMissing, LinkDown, MordomoError
from daemon.events import NothingHeard, WakeWordHeard
from daemon.listening import STORM_TURNS
from daemon.turn import Turn


async def test_one_turn_after_the_other(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["acende a luz da sala", "apaga a luz da cozinha"])
    async with home(database_url, tmp_path, stt=stt) as house:
        turns: list[Turn] = []
        first_done = asyncio.Event()
        source = Frames(SENTENCE * 2, gates={len(SENTENCE): first_done})
        service = listening(house, source, turns)

        def answered(turn: Turn) -> None:
            turns.append(turn)
            first_done.set()

        service.answered = answered
        await service.run()
        assert [turn.understood.text for turn in turns] == ["acende a luz da sala", "apaga a luz da cozinha"]
        assert [order.verb for order in house.links.orders] == ["turn_on", "turn_off"]


async def test_without_the_wake_word_nothing_is_listened_to(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["acende a luz da sala"])
    async with home(database_url, tmp_path, stt=stt) as house:
        await listening(house, Frames([TALKING] * 50 + [QUIET] * 50), []).run()
        assert stt.heard == []
        assert house.events == []


async def test_what_is_said_in_one_breath_with_the_wake_word_loses_nothing(database_url: str, tmp_path: Path) -> None:
    stt = ScriptedSpeechToText(["acende a luz da sala"])
    async with home(database_url, tmp_path, stt=stt) as house:
        early = [TALKING] * 2  # said before the engine had noticed its word
        await listening(house, Frames([*early, WAKE, *[TALKING] * 10, *[QUIET] * 20]), []).run()
        assert stt.heard[-1].pcm.count(TALKING) == 12


async def test_a_call_without_a_sentence_ends_quietly(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        await listening(house, Frames([*CALL, *[QUIET] * 60]), []).run()
        assert [type(event) for event in house.events] == [WakeWordHeard, NothingHeard]
        assert house.ear.heard == []


async def test_an_empty_transcript_ends_quietly(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, stt=ScriptedSpeechToText([""])) as house:
        turns: list[Turn] = []
        await listening(house, Frames(SENTENCE), turns).run()
        assert [turn.outcome for turn in turns] == ["ignored"]
        assert house.ear.heard == []
        assert await house.db.fetchval("SELECT count(*) FROM messages") == 0


async def test_the_wake_word_cuts_the_answer_short(database_url: str, tmp_path: Path) -> None:
    speaking, never = asyncio.Event(), asyncio.Event()

    class Endless(ScriptedTextToSpeech):
        async def synthesise(self, sentence: str) -> AsyncGenerator[Pcm, None]:
            async for piece in super().synthesise(sentence):
                yield piece
                if len(self.said) == 1:
                    speaking.set()
                    await never.wait()

    stt = ScriptedSpeechToText(["acende a luz da sala", "que horas são"])
    async with home(database_url, tmp_path, stt=stt, tts=[Endless()]) as house:
        turns: list[Turn] = []
        source = Frames(SENTENCE * 2, gates={len(SENTENCE): speaking})
        await listening(house, source, turns).run()
        assert [turn.understood.text for turn in turns] == ["que horas são"]
        sql = "SELECT metadata->>'outcome' FROM messages WHERE role = 'assistant' ORDER BY timestamp"
        assert [row[0] for row in await house.db.fetch(sql)] == ["interrupted", "answered"]


async def test_a_storm_of_wake_words_is_ignored_until_it_calms_down(database_url: str, tmp_path: Path) -> None:
    clock = FakeClock()
    stt = ScriptedSpeechToText([""])
    async with home(database_url, tmp_path, stt=stt) as house:
        service = listening(house, Frames(SENTENCE * (STORM_TURNS + 4)), [], clock=clock)
        await service.run()
        assert sum(isinstance(event, WakeWordHeard) for event in house.events) == STORM_TURNS
        clock.advance(60)
        house.events.clear()
        service.source = lambda: Frames(SENTENCE)
        await service.run()
        assert any(isinstance(event, WakeWordHeard) for event in house.events)


async def test_an_engine_that_fails_costs_one_turn_and_is_apologised_for(database_url: str, tmp_path: Path) -> None:
    class FailsOnce(ScriptedSpeechToText):
        async def transcribe(self, utterance):  # type: ignore[no-untyped-def]
            self.failure = EngineFailed("whisper", "caiu") if not self.heard else None
            return await super().transcribe(utterance)

    tts = ScriptedTextToSpeech()
    async with home(database_url, tmp_path, stt=FailsOnce(["acende a luz da sala"]), tts=[tts]) as house:
        turns: list[Turn] = []
        await listening(house, Frames(SENTENCE * 2), turns).run()
        assert any("repetir" in said for said in tts.said)
        assert [turn.outcome for turn in turns] == ["answered"]


@pytest.mark.parametrize("failure", [EngineMissing("microfone", "não há", "ligue um"), LinkDown("microfone", "saiu")])
async def test_a_source_that_goes_away_is_a_link_that_is_down(
    database_url: str, tmp_path: Path, failure: MordomoError
) -> None:
    async with home(database_url, tmp_path) as house:
        source = Frames([QUIET] * 3)
        source.failure = failure
        service = listening(house, source, [])
        with pytest.raises(LinkDown):
            await service.run()
        assert service.state.condition in {"missing", "failed"}
        assert service.state.detail


async def test_another_microphone_is_listened_to_when_it_is_chosen(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path) as house:
        never, listened = asyncio.Event(), asyncio.Event()
        first, second = Frames([QUIET] * 3, gates={2: never}), Frames(SENTENCE)
        turns: list[Turn] = []
        service = listening(house, first, turns)
        sources = [first, second]

        def next_source() -> Frames:
            listened.set()
            return sources.pop(0)

        service.source = next_source
        running = asyncio.create_task(service.run())
        await listened.wait()
        await asyncio.sleep(0)
        await service.restart()
        async with asyncio.timeout(5):
            await running
        assert [turn.outcome for turn in turns] == ["answered"]
