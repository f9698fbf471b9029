"""Sound out to a WAV file, and at the rates and tones that it has on the way."""

import asyncio
import wave
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from daemon.audio.earcons import awake, reminder, trouble
from daemon.audio.frames import RATE, Pcm
from daemon.audio.resample import Resampler
from daemon.audio.wav import WavSpeaker
from daemon.errors import EngineMissing


def tone(rate: int = RATE, seconds: float = 1.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


def s16(samples: NDArray[np.floating]) -> bytes:
    return bytes(np.rint(samples * 32767).astype("<i2").tobytes())


async def pieces(sounds: Iterable[Pcm]) -> AsyncIterator[Pcm]:
    for sound in sounds:
        yield sound


def read_wav(path: Path) -> tuple[int, bytes]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), file.readframes(file.getnframes())


class TestWavSpeaker:
    async def test_pieces_become_one_file_at_the_rate_of_the_first(self, tmp_path: Path) -> None:
        path = tmp_path / "resposta.wav"
        first, second = s16(tone(22_050, 0.5)), s16(tone(16_000, 0.5))
        await WavSpeaker(path).play(pieces([Pcm(first, 22_050), Pcm(second, 16_000), Pcm(first, 22_050)]))

        rate, data = read_wav(path)
        assert rate == 22_050
        assert data.startswith(first)
        assert data.endswith(first)
        assert len(data) / 2 == pytest.approx(1.5 * 22_050, abs=3)

    async def test_what_is_played_later_is_added(self, tmp_path: Path) -> None:
        path = tmp_path / "resposta.wav"
        path.write_bytes(b"something old")
        speaker = WavSpeaker(path)
        for sound in (awake(), trouble(), reminder()):
            await speaker.play(pieces([sound]))
        assert read_wav(path) == (22_050, awake().samples + trouble().samples + reminder().samples)

    async def test_a_new_speaker_replaces_what_another_wrote(self, tmp_path: Path) -> None:
        path = tmp_path / "resposta.wav"
        await WavSpeaker(path).play(pieces([reminder()]))
        await WavSpeaker(path).play(pieces([awake()]))
        assert read_wav(path) == (22_050, awake().samples)

    async def test_cancelled_it_keeps_what_was_said_under_a_right_header(self, tmp_path: Path) -> None:
        path = tmp_path / "resposta.wav"
        given = asyncio.Event()

        async def endless() -> AsyncIterator[Pcm]:
            yield awake()
            yield trouble()
            given.set()
            await asyncio.Event().wait()

        playing = asyncio.create_task(WavSpeaker(path).play(endless()))
        await given.wait()
        assert not path.exists()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert read_wav(path) == (22_050, awake().samples + trouble().samples)
        assert [file.name for file in tmp_path.iterdir()] == ["resposta.wav"]

    async def test_a_file_removed_in_between_is_begun_anew(self, tmp_path: Path) -> None:
        speaker = WavSpeaker(tmp_path / "resposta.wav")
        await speaker.play(pieces([awake()]))
        (tmp_path / "resposta.wav").unlink()
        await speaker.play(pieces([trouble()]))
        assert read_wav(tmp_path / "resposta.wav") == (22_050, trouble().samples)

    async def test_silence_writes_no_file(self, tmp_path: Path) -> None:
        await WavSpeaker(tmp_path / "resposta.wav").play(pieces([]))
        assert list(tmp_path.iterdir()) == []

    async def test_a_folder_that_is_not_there_is_a_named_state(self, tmp_path: Path) -> None:
        with pytest.raises(EngineMissing, match=r"resposta\.wav"):
            await WavSpeaker(tmp_path / "nada" / "resposta.wav").play(pieces([awake()]))


class TestResampler:
    @pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
    def test_pieces_come_out_as_one_sound(self, rate: int) -> None:
        sound = s16(tone(rate))
        resampler = Resampler(RATE)
        step = rate // 10 * 2
        out = b"".join(resampler.take(Pcm(sound[at : at + step], rate)) for at in range(0, len(sound), step))
        out += resampler.rest()
        assert len(out) / 2 == pytest.approx(RATE, abs=2)
        expected = tone()[: len(out) // 2]
        got = np.frombuffer(out, "<i2")[: len(expected)] / 32767
        assert np.abs(got - expected)[200:-200].max() < 0.01

    def test_the_same_rate_is_left_alone(self) -> None:
        resampler = Resampler(RATE)
        assert resampler.take(Pcm(b"\x01\x02\x03", RATE)) == b"\x01\x02"
        assert resampler.rest() == b""


@pytest.mark.parametrize("earcon", [awake, trouble, reminder])
def test_earcons_are_short_soft_and_begin_and_end_in_silence(earcon: object) -> None:
    assert callable(earcon)
    sound = earcon()
    samples = np.frombuffer(sound.samples, "<i2").astype(np.int32)
    assert 0.1 < sound.seconds < 2.5
    assert 3_000 < np.abs(samples).max() < 10_000
    assert abs(samples[0]) + abs(samples[-1]) < 60
    assert np.abs(np.diff(samples)).max() < 3_000
