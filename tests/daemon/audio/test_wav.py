"""Sound files: what people really have goes in, what comes out is whole at every moment."""

import asyncio
import struct
import tracemalloc
from contextlib import aclosing
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from support.clock import FakeClock

from daemon.audio.frames import FRAME_BYTES, FRAME_MS, RATE
from daemon.audio.wav import WavSource, read_speech, write_wav
from daemon.errors import CannotDo

INT, FLOAT, MU_LAW, EXTENSIBLE = 1, 3, 7, 0xFFFE


def tone(rate: int = RATE, seconds: float = 1.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


def s16(samples: NDArray[np.floating]) -> bytes:
    return bytes(np.rint(samples * 32767).astype("<i2").tobytes())


def riff(
    data: bytes,
    *,
    form: int = INT,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    counted: int | None = None,
    extended: bool = False,
) -> bytes:
    """A WAV file; `counted` is what its header says about its length."""
    width = channels * bits // 8
    head = struct.pack("<HHIIHH", EXTENSIBLE if extended else form, channels, rate, rate * width, width, bits)
    if extended:
        head += struct.pack("<HHIH", 22, bits, 0, form) + bytes.fromhex("000000001000800000aa00389b71")
    said = len(data) if counted is None else counted
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", said) + data
    return b"RIFF" + struct.pack("<I", min(len(body) - len(data) + said, 2**32 - 1)) + body


def int24(samples: NDArray[np.float64]) -> bytes:
    whole = np.rint(samples * (2**23 - 1)).astype("<i4")
    return bytes(whole.view("u1").reshape(-1, 4)[:, :3].tobytes())


WAVE = tone()
READABLE = {
    "8 bits": riff((WAVE * 127 + 128).astype("u1").tobytes(), bits=8),
    "16 bits": riff(s16(WAVE)),
    "24 bits": riff(int24(WAVE), bits=24),
    "32 bits": riff((WAVE * (2**31 - 1)).astype("<i4").tobytes(), bits=32),
    "float": riff(WAVE.astype("<f4").tobytes(), form=FLOAT, bits=32),
    "double": riff(WAVE.astype("<f8").tobytes(), form=FLOAT, bits=64),
    "extensible": riff(s16(WAVE), extended=True),
    "48 kHz stereo": riff(s16(np.repeat(tone(48_000), 2)), channels=2, rate=48_000),
    "44.1 kHz": riff(s16(tone(44_100)), rate=44_100),
    "8 kHz": riff(s16(tone(8_000)), rate=8_000),
    "length of nothing": riff(s16(WAVE), counted=0),
    "endless length": riff(s16(WAVE), counted=2**32 - 1),
    "length beyond the end": riff(s16(WAVE), counted=90_000),
    "half a sample more": riff(s16(WAVE) + b"\x00"),
}
REFUSED: dict[str, bytes] = {
    "empty": b"",
    "text": ("Acende a luz da sala, por favor.\n" * 50).encode(),
    "zeros": bytes(5000),
    "header alone": riff(b""),
    "half a header": riff(s16(WAVE))[:20],
    "no rate": riff(s16(WAVE), rate=0),
    "absurd rate": riff(s16(WAVE), rate=1),
    "no channels": riff(s16(WAVE), channels=0),
    "unknown coding": riff(s16(WAVE), form=0x7777),
    "a script that leads to other files": b"ffconcat version 1.0\nfile /etc/hostname\n",
    "a playlist": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.wav\n",
}


def loudest_hertz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


class TestReadSpeech:
    @pytest.mark.parametrize("form", READABLE)
    def test_what_people_have_is_converted(self, form: str, tmp_path: Path) -> None:
        path = tmp_path / "voz.wav"
        path.write_bytes(READABLE[form])
        pcm = read_speech(path)
        assert len(pcm) / 2 == pytest.approx(RATE, abs=32)
        assert loudest_hertz(pcm) == pytest.approx(440, abs=1)
        assert np.abs(np.frombuffer(pcm, "<i2")[1000:-1000]).max() == pytest.approx(16_384, rel=0.03)

    def test_16_bits_at_16_khz_come_through_unchanged(self, tmp_path: Path) -> None:
        loud = np.random.default_rng(1).integers(-32768, 32768, RATE).astype("<i2").tobytes()
        (tmp_path / "voz.wav").write_bytes(riff(loud))
        assert read_speech(tmp_path / "voz.wav") == loud

    def test_samples_that_are_no_numbers_are_silence_and_loud_ones_are_clipped(self, tmp_path: Path) -> None:
        samples = WAVE.astype("<f4")
        samples[::4], samples[1::4], samples[2::4] = np.nan, np.inf, -7.5
        (tmp_path / "voz.wav").write_bytes(riff(samples.tobytes(), form=FLOAT, bits=32))
        read = np.frombuffer(read_speech(tmp_path / "voz.wav"), "<i2")
        assert not read[::4].any()
        assert not read[1::4].any()
        assert (read[2::4] == -32768).all()

    def test_other_codings_are_read_as_well(self, tmp_path: Path) -> None:
        (tmp_path / "voz.wav").write_bytes(riff(b"\x55" * 8000, form=MU_LAW, bits=8, rate=8000))
        assert len(read_speech(tmp_path / "voz.wav")) / 2 == pytest.approx(RATE, abs=32)

    @pytest.mark.parametrize("what", REFUSED)
    def test_what_is_no_sound_is_refused_by_name(self, what: str, tmp_path: Path) -> None:
        (tmp_path / "voz.wav").write_bytes(REFUSED[what])
        with pytest.raises(CannotDo, match=r"voz\.wav") as refusal:
            read_speech(tmp_path / "voz.wav")
        assert refusal.value.say.endswith(".")
        assert ("vazio" in refusal.value.say) == (what == "empty")

    def test_a_film_without_sound_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "voz.wav"
        with av.open(str(path), "w", format="matroska") as film:
            stream = film.add_stream("mpeg4", rate=5)
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
            for packet in (*stream.encode(picture), *stream.encode()):
                film.mux(packet)
        with pytest.raises(CannotDo, match="não tem som"):
            read_speech(path)

    def test_no_file_and_no_regular_file(self, tmp_path: Path) -> None:
        for path in (tmp_path / "nada.wav", tmp_path, Path("/dev/zero")):
            with pytest.raises(CannotDo, match=path.name):
                read_speech(path)

    def test_more_than_ten_minutes_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "hora.wav"
        silent_wav(path, 601)
        with pytest.raises(CannotDo, match=r"hora\.wav é longa demais"):
            read_speech(path)

    def test_a_giant_is_refused_unread(self, tmp_path: Path) -> None:
        path = tmp_path / "gigante.wav"
        silent_wav(path, 7000)
        with pytest.raises(CannotDo, match=r"gigante\.wav é grande demais"):
            read_speech(path)


def silent_wav(path: Path, seconds: int) -> None:
    """A WAV of silence that takes no room on the disk."""
    header = riff(b"", counted=seconds * RATE * 2)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + seconds * RATE * 2)


async def taken(source: WavSource) -> list[bytes]:
    async with aclosing(source.frames()) as frames:
        return [frame async for frame in frames]


class TestWavSource:
    async def test_the_sound_comes_in_whole_frames_and_then_silence(self, tmp_path: Path) -> None:
        path = tmp_path / "voz.wav"
        sound = s16(tone(seconds=1.01))
        write_wav(path, sound, RATE)
        source = WavSource(path, tail_s=0.5)
        frames = await taken(source)

        assert source.name == "voz.wav"
        assert {len(frame) for frame in frames} == {FRAME_BYTES}
        whole = b"".join(frames)
        assert whole.startswith(sound)
        assert not any(whole[len(sound) :])
        assert 0.5 <= (len(whole) - len(sound)) / 2 / RATE < 0.5 + FRAME_MS / 1000

    async def test_what_is_no_sound_is_refused_on_the_first_frame(self, tmp_path: Path) -> None:
        (tmp_path / "voz.wav").write_bytes(b"")
        with pytest.raises(CannotDo, match=r"voz\.wav"):
            await taken(WavSource(tmp_path / "voz.wav"))

    async def test_many_minutes_cost_no_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "longa.wav"
        silent_wav(path, 600)
        count = 0
        async with aclosing(WavSource(path).frames()) as frames:
            await anext(frames)
            tracemalloc.start()
            try:
                async for _ in frames:
                    count += 1
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert count == pytest.approx(601.5 * RATE / 512, abs=2)
        assert peak < 3_000_000

    async def test_at_the_pace_of_speech_every_frame_waits_for_its_time(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "voz.wav", s16(tone(seconds=0.2)), RATE)
        clock = FakeClock()
        times: list[float] = []

        async def listen() -> None:
            async for _ in WavSource(tmp_path / "voz.wav", realtime=True, tail_s=0, clock=clock).frames():
                times.append(clock.monotonic())

        listening = asyncio.create_task(listen())
        for _ in range(6):
            await clock.asleep(FRAME_MS / 1000)
            clock.advance(FRAME_MS / 1000)
        await listening
        assert times == pytest.approx([number * FRAME_MS / 1000 for number in range(7)])

    async def test_it_may_be_left_in_the_middle(self, tmp_path: Path) -> None:
        silent_wav(tmp_path / "longa.wav", 500)
        for _ in range(20):
            async with aclosing(WavSource(tmp_path / "longa.wav").frames()) as frames:
                await anext(frames)

    async def test_it_may_be_cancelled_while_it_reads(self, tmp_path: Path) -> None:
        silent_wav(tmp_path / "longa.wav", 500)
        for _ in range(20):
            reading = asyncio.create_task(taken(WavSource(tmp_path / "longa.wav")))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
