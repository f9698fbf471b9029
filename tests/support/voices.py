"""People who speak to a scripted house, each with a voice of their own; see ScriptedSpeakerEncoder."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import numpy as np

from daemon.audio.endpointer import EndpointRules
from daemon.audio.frames import FRAME_SAMPLES, RATE, Frame, Utterance
from daemon.people.person import Role
from daemon.people.voices.enrolment import SENTENCES, Lesson, keep, taught_by
from daemon.turn import Turn, Understood
from db.users import named
from support.clock import FakeClock
from support.engines import QUIET, ScriptedVoiceDetector
from support.house import Home
from support.speech_engines import ScriptedSpeakerEncoder

ANA, BIA, STRANGER = 12000, 9000, 6000
"""How loud they speak, by which their voices are told."""
SENTENCE_S = 3.0


def sound(voice: int, seconds: float = SENTENCE_S) -> Utterance:
    """Return that much speech."""
    samples = np.resize(np.array([voice, -voice], "<i2"), round(seconds * RATE))
    return Utterance(samples.tobytes(), seconds * 1000)


async def heard(home: Home, voice: int, seconds: float = SENTENCE_S, area: str = "sala") -> Understood:
    """Have the house hear somebody; what they say is what its speech to text is scripted to write down."""
    talking: Frame = np.resize(np.array([voice, -voice], "<i2"), FRAME_SAMPLES).tobytes()

    async def frames() -> AsyncGenerator[Frame, None]:
        for frame in [talking] * round(seconds / 0.032) + [QUIET] * 40:
            yield frame

    place = replace(home.aloud, area=area)
    understood = await home.butler.listen(frames(), place, ScriptedVoiceDetector(), EndpointRules(preroll_ms=0))
    assert understood is not None
    return understood


async def says(home: Home, voice: int, seconds: float = SENTENCE_S, area: str = "sala") -> Turn:
    """Have somebody take a turn."""
    return await home.butler.answer(await heard(home, voice, seconds, area), replace(home.aloud, area=area))


async def knows(home: Home, name: str, voice: int, role: Role = "adult") -> None:
    """Let somebody live there whose voice is known."""
    encoder, lesson = ScriptedSpeakerEncoder(), Lesson()
    for _ in SENTENCES:
        assert lesson.add(await taught_by(encoder, sound(voice)), SENTENCE_S) is None
    user = await named(home.db, name, role)
    await keep(home.db, home.voices.vectors, user, lesson, model=encoder.name, now=FakeClock().now())
    await home.voices.refresh()
    await home.people.living.refresh()
