"""A turn from what was said to what was stored and spoken, on scripted engines and a real database."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.engines import QUIET, TALKING, ScriptedVoiceDetector
from support.house import Ear, Home, Links, home
from support.ollama_server import ollama_at, ollama_server
from support.speech_engines import ScriptedChat, ScriptedSpeechToText, ScriptedTextToSpeech
from support.until import until

from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import Frame
from daemon.errors import CannotDo, EngineFailed, EngineMissing, LinkDown
from daemon.events import NothingHeard, TurnEnded
from daemon.turn import Turn, Understood


async def messages(house: Home, turn: Turn) -> list[tuple[str, str]]:
    sql = "SELECT role, content FROM messages WHERE conversation_id = $1 ORDER BY timestamp, role DESC"
    return [(row["role"], row["content"]) for row in await house.db.fetch(sql, turn.conversation_id)]


async def actions(house: Home, turn: Turn) -> list[tuple[str, str, str | None]]:
    sql = "SELECT action_name, status, error_message FROM actions WHERE message_id = $1"
    return [(row["action_name"], row["status"], row["error_message"]) for row in await house.db.fetch(sql, turn.id)]


class TestStored:
    async def test_message_and_pending_action_are_committed_before_the_command_goes_out(
        self, database_url: str, tmp_path: Path
    ) -> None:
        seen: list[str] = []
        async with home(database_url, tmp_path) as house:
            sql = "SELECT status FROM actions"

            async def carry_out(order: object, real=house.links.carry_out) -> object:  # type: ignore[no-untyped-def]
                seen.extend(row["status"] for row in await house.db.fetch(sql))
                await until(house.db, "EXISTS (SELECT FROM actions WHERE status = 'executing')")
                return await real(order)

            house.links.carry_out = carry_out  # type: ignore[method-assign, assignment]
            turn = await house.butler.ask("acende a luz da sala", house.written)
            assert seen in (["pending"], ["executing"])
            assert await messages(house, turn) == [("user", "acende a luz da sala"), ("assistant", turn.reply[0])]
            assert await actions(house, turn) == [("turn_on", "success", None)]

    async def test_two_commands_in_one_breath_are_two_actions_and_two_sentences(
        self, database_url: str, tmp_path: Path
    ) -> None:
        async with home(database_url, tmp_path) as house:
            turn = await house.butler.ask("acende a luz da sala e apaga a da cozinha", house.written)
            assert [(order.entity_id, order.verb) for order in house.links.orders] == [
                ("light.sala", "turn_on"),
                ("light.cozinha", "turn_off"),
            ]
            assert len(turn.reply) == 2
            assert len(await actions(house, turn)) == 2

    async def test_a_conversation_goes_on_and_ends_when_it_falls_quiet(self, database_url: str, tmp_path: Path) -> None:
        clock = FakeClock()
        async with home(database_url, tmp_path, clock=clock) as house:
            first = await house.butler.ask("que horas são", house.written)
            clock.advance(60)
            second = await house.butler.ask("que dia é hoje", house.written)
            assert second.conversation_id == first.conversation_id
            clock.advance(121)
            await house.conversations.end_quiet()
            ended = await house.db.fetchrow("SELECT * FROM conversations WHERE id = $1", first.conversation_id)
            assert ended is not None
            assert (ended["message_count"], ended["duration_seconds"]) == (4, 60)
            assert ended["ended_at"] is not None
            third = await house.butler.ask("que horas são", house.written)
            assert third.conversation_id != first.conversation_id

    async def test_what_was_not_meant_for_it_is_neither_stored_nor_answered(
        self, database_url: str, tmp_path: Path
    ) -> None:
        async with home(database_url, tmp_path) as house:
            turn = await house.butler.ask("Legendas pela comunidade Amara.org", house.aloud)
            assert turn.outcome == "ignored"
            assert house.ear.heard == []
            assert await house.db.fetchval("SELECT count(*) FROM messages") == 0


class TestWhatGoesWrong:
    async def test_a_broker_that_is_away_is_said_and_the_action_failed(self, database_url: str, tmp_path: Path) -> None:
        links = Links(light__sala=LinkDown("broker", "caiu"))
        async with home(database_url, tmp_path, links=links) as house:
            turn = await house.butler.ask("acende a luz da sala", house.written)
            assert "aparelhos" in turn.reply[0]
            assert [(name, status) for name, status, _ in await actions(house, turn)] == [("turn_on", "failed")]

    async def test_what_a_device_cannot_do_is_said_in_its_words(self, database_url: str, tmp_path: Path) -> None:
        links = Links(light__sala=CannotDo("Essa lâmpada não faz isso."))
        async with home(database_url, tmp_path, links=links) as house:
            turn = await house.butler.ask("acende a luz da sala", house.written)
            assert turn.reply == ["Essa lâmpada não faz isso."]
            assert await actions(house, turn) == [("turn_on", "failed", "Essa lâmpada não faz isso.")]

    @pytest.mark.parametrize("failure", [EngineMissing("alto-falante", "não há", "ligue um"), LinkDown("alto-falante")])
    async def test_without_a_speaker_what_was_asked_is_done_all_the_same(
        self, database_url: str, tmp_path: Path, failure: EngineMissing | LinkDown
    ) -> None:
        async with home(database_url, tmp_path, ear=Ear(failure=failure)) as house:
            turn = await house.butler.ask("acende a luz da sala e apaga a da cozinha", house.aloud)
            assert len(house.links.orders) == 2
            assert turn.outcome == "unspoken"
            assert turn.notices
            assert {status for _, status, _ in await actions(house, turn)} == {"success"}
            assert (await messages(house, turn))[-1] == ("assistant", " ".join(turn.reply))
            sql = "SELECT metadata->>'outcome' FROM messages WHERE role = 'assistant'"
            assert await house.db.fetchval(sql) == "unspoken"

    async def test_a_voice_that_breaks_is_built_anew_and_says_the_sentence(
        self, database_url: str, tmp_path: Path
    ) -> None:
        broken, whole = ScriptedTextToSpeech(failure=EngineFailed("piper", "caiu")), ScriptedTextToSpeech()
        async with home(database_url, tmp_path, tts=[broken, whole]) as house:
            turn = await house.butler.ask("acende a luz da sala", house.aloud)
            assert whole.said == turn.reply
            assert turn.outcome == "answered"
            assert broken.closed

    async def test_a_voice_that_stays_broken_costs_the_words_not_the_deed(
        self, database_url: str, tmp_path: Path
    ) -> None:
        broken = ScriptedTextToSpeech(failure=EngineFailed("piper", "caiu"))
        async with home(database_url, tmp_path, tts=[broken]) as house:
            turn = await house.butler.ask("acende a luz da sala", house.aloud)
            assert turn.outcome == "unspoken"
            assert [order.verb for order in house.links.orders] == ["turn_on"]
            assert house.ear.heard  # the tone that says so

    async def test_speech_to_text_that_breaks_costs_the_turn_and_is_apologised_for(
        self, database_url: str, tmp_path: Path
    ) -> None:
        stt = ScriptedSpeechToText(["x"], failure=EngineFailed("whisper", "sem memória"))
        async with home(database_url, tmp_path, stt=stt) as house:
            with pytest.raises(EngineFailed):
                await hear_sentence(house)
            said = await house.butler.apologise(house.aloud, EngineFailed("whisper", "sem memória"))
            assert "falhou" in said or "tropecei" in said
            assert stt.closed

    async def test_a_reminder_is_not_promised_without_a_database(self, database_url: str, tmp_path: Path) -> None:
        async with home("postgresql:///nada?host=/nonexistent&user=x", tmp_path) as house:
            turn = await house.butler.ask("me lembra de tomar o remédio daqui a uma hora", house.written)
            assert "não posso prometer" in turn.reply[0]
            assert house.ledger.waiting > 0

    async def test_a_lamp_obeys_without_a_database_and_the_turn_waits_on_disk(
        self, database_url: str, tmp_path: Path
    ) -> None:
        async with home("postgresql:///nada?host=/nonexistent&user=x", tmp_path) as house:
            turn = await house.butler.ask("acende a luz da sala", house.written)
            assert [action.status for action in turn.actions] == ["success"]
        async with home(database_url, tmp_path) as house:
            await house.ledger.drain()
            assert await actions(house, turn) == [("turn_on", "success", None)]
            assert len(await messages(house, turn)) == 2


class TestLanguageModel:
    async def test_the_first_sentence_is_spoken_while_the_rest_is_still_being_written(
        self, database_url: str, tmp_path: Path
    ) -> None:
        rest = asyncio.Event()

        class Slow(ScriptedChat):
            async def chat(self, messages, tools=()):  # type: ignore[no-untyped-def]
                yield "Pedro Álvares Cabral chegou em 1500. "
                yield "Mas "
                await rest.wait()
                yield "os indígenas já estavam aqui."

        tts = ScriptedTextToSpeech()
        async with home(database_url, tmp_path, brain=Slow([]), tts=[tts]) as house:
            asking = asyncio.create_task(house.butler.ask("quem descobriu o Brasil?", house.aloud))
            async with asyncio.timeout(5):
                while not house.ear.heard:
                    await asyncio.sleep(0)
            assert len(tts.said) == 1
            rest.set()
            turn = await asking
            assert tts.said == turn.reply
            assert len(turn.reply) == 2

    async def test_the_model_hears_the_conversation_so_far_but_not_twice(
        self, database_url: str, tmp_path: Path
    ) -> None:
        brain = ScriptedChat(["Foi em 1500."])
        async with home(database_url, tmp_path, brain=brain) as house:
            await house.butler.ask("quem descobriu o Brasil?", house.written)
            await house.butler.ask("e em que ano foi isso?", house.written)
            *before, last = [(message.role, message.content) for message in brain.asked[1][1:]]
            assert before == [("user", "quem descobriu o Brasil?"), ("assistant", "Foi em 1500.")]
            assert last[0] == "user"
            assert last[1].endswith("\n</dados>\ne em que ano foi isso?")

    @pytest.mark.parametrize("behaviour", ["stall", "endless", "garbage", "half_line", "cut", "reset"])
    async def test_a_server_that_misbehaves_costs_one_honest_sentence(
        self, database_url: str, tmp_path: Path, behaviour: str
    ) -> None:
        async with ollama_server(behaviour=behaviour) as server:
            brain = ollama_at(server.url, first_s=0.5, whole_s=1.5) if behaviour == "stall" else ollama_at(server.url)
            async with home(database_url, tmp_path, brain=brain) as house:
                async with asyncio.timeout(8):
                    turn = await house.butler.ask("quem descobriu o Brasil?", house.written)
                assert turn.reply
                assert turn.outcome == ("answered" if behaviour == "endless" else "model_failed")
                after = await house.butler.ask("acende a luz da sala", house.written)
                assert [action.status for action in after.actions] == ["success"]

    async def test_no_server_at_all(self, database_url: str, tmp_path: Path) -> None:
        async with home(database_url, tmp_path, brain=ollama_at("http://127.0.0.1:9")) as house:
            turn = await house.butler.ask("quem descobriu o Brasil?", house.written)
            assert "modelo de linguagem" in turn.reply[0]
            assert turn.outcome == "model_failed"


class TestCutShort:
    async def test_barge_in_stops_the_voice_and_keeps_what_was_said(self, database_url: str, tmp_path: Path) -> None:
        forever = asyncio.Event()

        class Endless(ScriptedTextToSpeech):
            async def synthesise(self, sentence):  # type: ignore[no-untyped-def]
                async for piece in super().synthesise(sentence):
                    yield piece
                    await forever.wait()

        async with home(database_url, tmp_path, tts=[Endless()]) as house:
            asking = asyncio.create_task(house.butler.ask("acende a luz da sala", house.aloud))
            async with asyncio.timeout(5):
                while not house.ear.heard:
                    await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            said = await house.db.fetchrow("SELECT content, metadata FROM messages WHERE role = 'assistant'")
            assert said is not None
            assert said["metadata"]["outcome"] == "interrupted"

    async def test_a_command_under_way_is_recorded_to_its_end(self, database_url: str, tmp_path: Path) -> None:
        gate, begun = asyncio.Event(), asyncio.Event()

        class SlowLinks(Links):
            async def carry_out(self, order):  # type: ignore[no-untyped-def]
                begun.set()
                await gate.wait()
                return await super().carry_out(order)

        async with home(database_url, tmp_path, links=SlowLinks()) as house:
            asking = asyncio.create_task(house.butler.ask("acende a luz da sala", house.aloud))
            await begun.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            gate.set()
            async with asyncio.timeout(5):
                while await house.db.fetchval("SELECT count(*) FROM actions WHERE status = 'success'") == 0:
                    await asyncio.sleep(0.01)


async def test_observers_are_told(database_url: str, tmp_path: Path) -> None:
    async with home(database_url, tmp_path, tts=[ScriptedTextToSpeech(failure=EngineFailed("piper", "caiu"))]) as house:
        await house.butler.ask("acende a luz da sala", house.written)
        await house.butler.ask("Legendas pela comunidade Amara.org", house.written)
        assert [type(event) for event in house.events] == [TurnEnded, NothingHeard]


async def hear_sentence(house: Home) -> Understood | None:
    """Speak a second of sound and a second of silence to the butler."""

    async def frames() -> AsyncGenerator[Frame, None]:
        for frame in [TALKING] * 30 + [QUIET] * 40:
            yield frame

    return await house.butler.listen(frames(), house.aloud, ScriptedVoiceDetector(), EndpointRules())
