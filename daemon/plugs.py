"""All the plugs of the house: which engine sits where."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from config.environment import Environment
from config.preferences import Preferences
from daemon.engines import registry
from daemon.engines.plug import Plug
from daemon.engines.protocols import (
    Chat,
    Embedding,
    SpeakerEncoder,
    SpeechToText,
    TextToSpeech,
    VoiceDetector,
    WakeWord,
)


@dataclass(frozen=True, slots=True)
class Plugs:
    """One plug for each kind of engine."""

    wake_word: Plug[WakeWord]
    detector: Plug[VoiceDetector]
    stt: Plug[SpeechToText]
    tts: Plug[TextToSpeech]
    brain: Plug[Chat]
    embedding: Plug[Embedding]
    voices: Plug[SpeakerEncoder]

    @classmethod
    def of(cls, env: Environment, now: Callable[[], Preferences], trial: Callable[[], bool]) -> "Plugs":
        """Wire the registry's builders to the preferences. `trial` tells whether only demo devices can be moved."""
        return cls(
            wake_word=Plug("wake_word", lambda: registry.wake_word(env, now)),
            detector=Plug("voice_detector", registry.voice_detector),
            stt=Plug("stt", lambda: registry.speech_to_text(env, now, demo_house=trial())),
            tts=Plug("tts", lambda: registry.text_to_speech(env, now)),
            brain=Plug("brain", lambda: registry.brain(env, now)),
            embedding=Plug("embedding", lambda: registry.embedding(env, now)),
            voices=Plug("voices", lambda: registry.speaker_encoder(now)),
        )

    async def load(self) -> None:
        """Build what a turn needs, ahead of the first one."""
        await asyncio.gather(self.detector.load(), self.wake_word.load(), self.tts.load(), self.brain.load())
        await self.stt.load()

    def close(self) -> None:
        """Close every engine."""
        for plug in (self.wake_word, self.detector, self.stt, self.tts, self.brain, self.embedding, self.voices):
            plug.close()
