"""Recordings that teach a voice, on the real encoder and voice detector, and those that will not do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.espeak import noisy, pcm, silence, spoken

from daemon.audio.frames import RATE
from daemon.audio.wav import write_wav
from daemon.demo.making.espeak import Manner
from daemon.engines.silero import Silero
from daemon.engines.speaker import OnnxSpeakerEncoder
from daemon.errors import CannotDo
from daemon.people.voices.enrolment import SENTENCES
from daemon.people.voices.recordings import learn, vector_of

ANA, BIA = Manner("pt-br+f2", 150, 60), Manner("pt-br+m3", 145, 35)


@dataclass
class Desk:
    """The engines, and a folder to record into."""

    encoder: OnnxSpeakerEncoder
    detector: Silero
    folder: Path
    made: int = 0

    def wav(self, sound: bytes) -> Path:
        self.made += 1
        path = self.folder / f"gravacao{self.made}.wav"
        write_wav(path, sound, RATE)
        return path

    def says(self, who: Manner, *sentences: str) -> Path:
        return self.wav(noisy(silence(0.4).join(spoken((one, who)) for one in ("a", *sentences)) + silence(0.5)))


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[OnnxSpeakerEncoder, Silero]]:
    encoder, detector = OnnxSpeakerEncoder.load(), Silero.load()
    yield encoder, detector
    encoder.close()
    detector.close()


@pytest.fixture
def desk(engines: tuple[OnnxSpeakerEncoder, Silero], tmp_path: Path) -> Desk:
    return Desk(*engines, tmp_path)


async def refused(desk: Desk, *recordings: Path) -> str:
    with pytest.raises(CannotDo) as why:
        await learn(recordings, desk.encoder, desk.detector)
    return why.value.say


async def test_five_recordings_teach_a_voice_that_is_known_again(desk: Desk) -> None:
    lesson = await learn([desk.says(ANA, one) for one in SENTENCES], desk.encoder, desk.detector)
    assert len(lesson.vectors) >= 5
    assert lesson.own > 0.6
    middle = np.mean(lesson.vectors, axis=0)
    hers, speech_s = await vector_of(desk.says(ANA, "que horas são agora na cozinha"), desk.encoder, desk.detector)
    other, _ = await vector_of(desk.says(BIA, "que horas são agora na cozinha"), desk.encoder, desk.detector)
    assert speech_s > 1
    assert float(hers @ middle) > 0.5 > 0.3 > float(other @ middle)


async def test_one_long_recording_is_as_good(desk: Desk) -> None:
    lesson = await learn([desk.says(ANA, *SENTENCES)], desk.encoder, desk.detector)
    assert len(lesson.vectors) >= 4


async def test_too_little_speech(desk: Desk) -> None:
    assert "gravacao1.wav há só" in await refused(desk, desk.says(ANA, "oi"))
    assert "de fala no total" in await refused(desk, desk.says(ANA, SENTENCES[0]))
    assert "há só 0,0 s" in await refused(desk, desk.wav(silence(3)))


async def test_several_voices_in_one_recording(desk: Desk) -> None:
    both = desk.wav(
        noisy(spoken((" ".join(SENTENCES[:3]), ANA)) + silence(0.5) + spoken((" ".join(SENTENCES[2:]), BIA)))
    )
    assert await refused(desk, both) == (
        "Em gravacao1.wav parece falar mais de uma pessoa. Mande uma gravação só da sua voz."
    )


async def test_recordings_of_several_people_name_the_one_that_is_not(desk: Desk) -> None:
    recordings = [*(desk.says(ANA, one) for one in SENTENCES[:4]), desk.says(BIA, SENTENCES[4])]
    assert await refused(desk, *recordings) == (
        "A voz em gravacao5.wav não parece a das outras gravações. Mande só as de uma pessoa."
    )


async def test_too_much_noise(desk: Desk) -> None:
    sound = np.frombuffer(spoken((" ".join(SENTENCES), ANA)) + silence(2), "<i2") / 32767
    loud = sound + np.random.default_rng(2).normal(0, 0.08, len(sound))
    assert "tem barulho demais" in await refused(desk, desk.wav(pcm(loud)))


async def test_what_is_no_recording(desk: Desk) -> None:
    text = desk.folder / "carta.wav"
    text.write_text("querida Ana")
    assert "carta.wav" in await refused(desk, text)
