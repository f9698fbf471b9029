"""One contract for every TextToSpeech, and what Piper and espeak-ng owe besides."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from support.speech_engines import ScriptedTextToSpeech

from daemon.audio.frames import Pcm
from daemon.demo.models import TONES_VOICE
from daemon.engines.espeak import Espeak
from daemon.engines.pieces import Put, pieces
from daemon.engines.piper import Piper
from daemon.engines.protocols import TextToSpeech
from daemon.errors import EngineFailed, EngineMissing

SENTENCE = "Acendi a luz da sala."
LONG = "Acendi a luz da sala, a do quarto e a da cozinha, e fechei as cortinas. " * 8


def build(kind: str, speed: float = 1.0) -> TextToSpeech:
    if kind == "piper":
        return Piper.load(TONES_VOICE, speed=lambda: speed)
    if kind == "espeak":
        return Espeak.load(speed=lambda: speed)
    return ScriptedTextToSpeech()


@pytest.fixture(params=["piper", "espeak", "scripted"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[TextToSpeech]:
    built = build(request.param)
    yield built
    built.close()


async def sound(engine: TextToSpeech, sentence: str) -> list[Pcm]:
    async with aclosing(engine.synthesise(sentence)) as made:
        return [piece async for piece in made]


def loudness(made: list[Pcm]) -> float:
    return float(np.abs(np.frombuffer(b"".join(p.samples for p in made), "<i2")).max())


class TestContract:
    async def test_a_sentence_becomes_sound(self, engine: TextToSpeech) -> None:
        made = await sound(engine, SENTENCE)
        assert made
        assert {piece.rate for piece in made} <= {16000, 22050}
        assert len({piece.rate for piece in made}) == 1
        assert all(piece.samples and len(piece.samples) % 2 == 0 for piece in made)
        assert loudness(made) > 500

    @pytest.mark.parametrize("nothing", ["", " ", "...", "😀", "\0", "***"])
    async def test_nothing_to_say_is_no_sound(self, engine: TextToSpeech, nothing: str) -> None:
        assert await sound(engine, nothing) == []

    @pytest.mark.parametrize(
        "odd",
        [
            "R$ 5,50 às 8h30, 23,5 °C",
            "linha\num\0 dois",
            "<speak>&amp; oi</speak>",
            "[[h@l]] oi",
            "a" * 3000,
            "日本 e olá",
            "\u202eoi",
        ],
    )
    async def test_odd_text_is_spoken_all_the_same(self, engine: TextToSpeech, odd: str) -> None:
        assert await sound(engine, odd)

    async def test_left_in_the_middle_the_next_sentence_is_whole(self, engine: TextToSpeech) -> None:
        whole = sum(p.seconds for p in await sound(engine, SENTENCE))
        async with aclosing(engine.synthesise(LONG)) as made:
            await anext(made)
        again = sum(p.seconds for p in await sound(engine, SENTENCE))
        assert again == pytest.approx(whole, rel=0.1)

    async def test_cancelled_it_ends_at_once(self, engine: TextToSpeech) -> None:
        speaking = asyncio.create_task(sound(engine, LONG))
        await asyncio.sleep(0)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking

    async def test_two_sentences_at_once_do_not_mix(self, engine: TextToSpeech) -> None:
        alone = [len(b"".join(p.samples for p in await sound(engine, s))) for s in (SENTENCE, "Sim.")]
        both = await asyncio.gather(sound(engine, SENTENCE), sound(engine, "Sim."))
        assert [len(b"".join(p.samples for p in made)) for made in both] == pytest.approx(alone, rel=0.1)

    async def test_it_has_a_name(self, engine: TextToSpeech) -> None:
        assert engine.name


@pytest.mark.parametrize("kind", ["piper", "espeak"])
class TestBoth:
    async def test_speed_shortens_speech(self, kind: str) -> None:
        lengths = []
        for speed in (0.5, 1.0, 2.0):
            engine = build(kind, speed)
            lengths.append(sum(p.seconds for p in await sound(engine, SENTENCE)))
            engine.close()
        assert lengths[0] > 1.4 * lengths[1] > 1.4 * 1.4 * lengths[2]

    async def test_figures_are_said_in_words(self, kind: str) -> None:
        engine = build(kind)
        written = await sound(engine, "São 8h30.")
        said = await sound(engine, "São oito e meia.")
        assert sum(p.seconds for p in written) == pytest.approx(sum(p.seconds for p in said), rel=0.05)
        engine.close()

    async def test_closed_it_says_so(self, kind: str) -> None:
        engine = build(kind)
        engine.close()
        with pytest.raises(EngineFailed, match="desligado"):
            await sound(engine, SENTENCE)

    async def test_no_thread_is_left_behind(self, kind: str) -> None:
        build(kind).close()
        before = threading.active_count()
        for _ in range(5):
            engine = build(kind)
            async with aclosing(engine.synthesise(LONG)) as made:
                await anext(made)
            engine.close()
        gc.collect()
        await asyncio.to_thread(_wait_for, lambda: threading.active_count() <= before + 1)
        assert threading.active_count() <= before + 1


def _wait_for(done: Callable[[], bool]) -> None:
    for _ in range(500):
        if done():
            return
        threading.Event().wait(0.01)


class TestPiper:
    async def test_sentences_come_one_by_one(self) -> None:
        engine = Piper.load(TONES_VOICE)
        made = await sound(engine, "Um. Dois. Três.")
        assert len(made) == 3
        assert engine.name == "pt_BR-tons-x_low"
        engine.close()

    def test_a_voice_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match=r"x\.onnx") as missing:
            Piper.load(tmp_path / "x.onnx")
        assert missing.value.mend == "mordomo models pull"

    @pytest.mark.parametrize(("onnx", "json"), [(b"no model", None), (None, b"{"), (None, b"{}"), (None, b"[]")])
    def test_a_broken_voice_is_a_failure(self, tmp_path: Path, onnx: bytes | None, json: bytes | None) -> None:
        voice = tmp_path / "v.onnx"
        voice.write_bytes(onnx or TONES_VOICE.read_bytes())
        (tmp_path / "v.onnx.json").write_bytes(json or TONES_VOICE.with_name(TONES_VOICE.name + ".json").read_bytes())
        with pytest.raises(EngineFailed, match="não consegui carregar") as failed:
            Piper.load(voice)
        assert not isinstance(failed.value, EngineMissing)


class TestEspeak:
    async def test_the_first_piece_comes_before_the_last_is_made(self) -> None:
        engine = Espeak.load()
        made = await sound(engine, LONG)
        assert len(made) > 20
        assert made[0].seconds < 0.2
        engine.close()

    async def test_it_speaks_beside_piper(self) -> None:
        espeak, piper = Espeak.load(), Piper.load(TONES_VOICE)
        alone = [sum(p.seconds for p in await sound(e, SENTENCE)) for e in (espeak, piper)]
        for _ in range(5):
            both = await asyncio.gather(sound(espeak, SENTENCE), sound(piper, SENTENCE))
            assert [sum(p.seconds for p in made) for made in both] == pytest.approx(alone, rel=0.05)
        espeak.close()
        piper.close()


class TestPieces:
    """The bridge between the thread that makes sound and the loop that plays it."""

    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(1) as pool:
            yield pool

    async def test_the_producer_waits_for_a_slow_listener(self, pool: ThreadPoolExecutor) -> None:
        made = 0

        def produce(put: Put) -> None:
            nonlocal made
            for number in range(100):
                if not put(Pcm(bytes([number, 0]), 16000)):
                    return
                made += 1

        async with aclosing(pieces(pool, produce, ahead=3)) as coming:
            heard = []
            async for piece in coming:
                heard.append(piece.samples[0])
                await asyncio.sleep(0)
                assert made <= len(heard) + 3 + 1
        assert heard == list(range(100))

    async def test_an_abandoned_producer_stops(self, pool: ThreadPoolExecutor) -> None:
        stopped = threading.Event()

        def produce(put: Put) -> None:
            while put(Pcm(b"\0\0", 16000)):
                pass
            stopped.set()

        async with aclosing(pieces(pool, produce, ahead=2)) as coming:
            await anext(coming)
        assert await asyncio.to_thread(stopped.wait, 5)

    async def test_what_breaks_comes_after_what_was_made(self, pool: ThreadPoolExecutor) -> None:
        def produce(put: Put) -> None:
            put(Pcm(b"\1\0", 16000))
            raise EngineFailed("x", "quebrou")

        coming = pieces(pool, produce, ahead=2)
        assert (await anext(coming)).samples == b"\1\0"
        with pytest.raises(EngineFailed, match="quebrou"):
            await anext(coming)

    async def test_one_that_waits_its_turn_is_never_begun_once_abandoned(self, pool: ThreadPoolExecutor) -> None:
        begun, go_on = threading.Event(), threading.Event()
        ran: list[str] = []

        def busy(_put: Put) -> None:
            begun.set()
            go_on.wait(5)

        def second(_put: Put) -> None:
            ran.append("second")

        first = asyncio.create_task(_all(pool, busy))
        await asyncio.to_thread(begun.wait, 5)
        waiting = asyncio.create_task(_all(pool, second))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        await first
        await _all(pool, lambda _put: None)
        assert ran == []


async def _all(pool: ThreadPoolExecutor, produce: Callable[[Put], None]) -> None:
    async with aclosing(pieces(pool, produce, ahead=2)) as coming:
        async for _ in coming:
            pass
