"""Where an utterance begins and ends."""

from dataclasses import dataclass

from daemon.audio.frames import Utterance


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """The household's rules for an utterance; see the `endpoint.*` and `audio.preroll_ms` preferences."""

    threshold: float = 0.5
    min_speech_ms: int = 90
    silence_ms: int = 700
    provisional_ms: int = 200
    max_s: int = 15
    wait_s: int = 5
    preroll_ms: int = 300


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks: at least `min_speech_ms` of speech were heard."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A first short silence: `utterance` may be all that is said. Whoever hears it may start working on it."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Resumed:
    """The person goes on: the last Paused does not count."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over. Where no Resumed came after the last Paused, it has the same speech as that one."""

    utterance: Utterance
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class NoSpeech:
    """Nobody spoke within `wait_s`."""


Endpoint = SpeechStarted | Paused | Resumed | Ended | NoSpeech
