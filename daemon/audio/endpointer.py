"""Where an utterance begins and ends.

waiting ──min_speech_ms of speech──▶ speaking ──provisional_ms of silence──▶ paused ──silence_ms──▶ over (Ended)
   │                                    ▲  │                                  │ │
   └─wait_s─▶ over (NoSpeech)           └──┼────min_speech_ms of speech───────┘ │
                                           └──max_s──▶ over (Ended)  ◀──────────┘

Time is counted in samples, never by a clock. Silence before speech has begun never counts towards the end, so that a
clipped "sim" is over as soon after its last sample as a long sentence.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from daemon.audio.frames import RATE, SAMPLE_BYTES, Frame, Utterance

HYSTERESIS = 0.15
"""Speech goes on while the probability is above the threshold less this (or half the threshold, if that is more)."""
TAIL_MS = 160
"""How much of the silence stays at the end of an utterance: voice detectors cut the last consonant short."""


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


class Endpointer:
    """Cuts one utterance out of frames; pure: it is given every frame with its probability of speech.

    Speech is a frame at or above the threshold, and those after it down to HYSTERESIS below. Durations that must be
    reached (`min_speech_ms`) are rounded up to a frame. Waits that must not be exceeded (`provisional_ms`,
    `silence_ms`, `wait_s`, `max_s`) end at the last frame boundary that is not later: with frames of 32 ms, 700 ms of
    silence end after 672. Where a wait is over while a sound too short to be speech yet is still going on, it is
    decided when that sound has stopped or become speech. After Ended or NoSpeech the machine is over.
    """

    def __init__(self, rules: EndpointRules, preroll: Iterable[Frame] = ()) -> None:
        """Take the sound just before the first frame as `preroll`; its last `preroll_ms` may become the beginning."""
        self._rules = rules
        self._state: Literal["waiting", "speaking", "paused", "over"] = "waiting"
        self._before: deque[Frame] = deque()
        self._kept = bytearray()
        self._waited = 0
        self._run: list[Frame] = []
        self._voiced = False
        self._speech = 0
        self._speech_begin = 0
        self._speech_end = 0
        self._provisional: Utterance | None = None
        for frame in preroll:
            self._remember(frame)

    def push(self, frame: Frame, probability: float) -> Endpoint | None:
        """Take the next frame, of any length, and return what it brought about, if anything.

        A `probability` that is not a number counts as 0.
        """
        if self._state == "over" or len(frame) < SAMPLE_BYTES:
            return None
        frame = frame[: _samples(frame) * SAMPLE_BYTES]
        self._voiced = self._is_voiced(probability)
        match self._state:
            case "waiting":
                return self._wait(frame)
            case "speaking":
                return self._speak(frame)
            case _:
                return self._pause(frame)

    def _is_voiced(self, probability: float) -> bool:
        if not math.isfinite(probability):
            return False
        high = self._rules.threshold
        low = max(high - HYSTERESIS, high / 2)
        return probability >= (low if self._voiced else high)

    def _wait(self, frame: Frame) -> Endpoint | None:
        self._waited += _samples(frame)
        if self._voiced:
            self._run.append(frame)
            return self._begin() if self._is_speech(self._run) else None
        for short in (*self._run, frame):
            self._remember(short)
        self._run.clear()
        if self._waited + _samples(frame) > self._rules.wait_s * RATE:
            self._state = "over"
            return NoSpeech()
        return None

    def _begin(self) -> Endpoint:
        preroll = b"".join(self._before)
        self._before.clear()
        # The oldest frame is kept whole while it reaches into the pre-roll; what lies before is cut off here.
        self._kept += preroll[max(0, len(preroll) - _bytes(self._rules.preroll_ms)) :]
        self._speech_begin = len(self._kept)
        self._kept += b"".join(self._run)
        self._speak_on()
        return SpeechStarted()

    def _speak(self, frame: Frame) -> Endpoint | None:
        self._kept += frame
        if self._voiced:
            self._speech += len(frame)
            self._speech_end = len(self._kept)
        elif self._is_over(self._rules.silence_ms, frame):
            return self._end(self._cut())
        elif self._is_over(self._rules.provisional_ms, frame):
            self._state = "paused"
            self._provisional = self._cut()
            return Paused(self._provisional)
        return self._end_if_long(frame)

    def _pause(self, frame: Frame) -> Endpoint | None:
        self._kept += frame
        if self._voiced:
            self._run.append(frame)
            if not self._is_speech(self._run):
                return None
            self._speak_on()
            return Resumed()
        self._run.clear()
        if self._is_over(self._rules.silence_ms, frame) or self._is_long(frame):
            return self._end(self._provisional or self._cut())
        return None

    def _speak_on(self) -> None:
        """Take the run of voiced frames, which are the last ones kept, as speech."""
        self._speech += sum(map(len, self._run))
        self._run.clear()
        self._speech_end = len(self._kept)
        self._provisional = None
        self._state = "speaking"

    def _end(self, utterance: Utterance, *, too_long: bool = False) -> Ended:
        self._state = "over"
        return Ended(utterance, too_long)

    def _end_if_long(self, frame: Frame) -> Ended | None:
        return self._end(self._cut(), too_long=True) if self._is_long(frame) else None

    def _is_speech(self, run: list[Frame]) -> bool:
        return sum(map(len, run)) >= _bytes(self._rules.min_speech_ms)

    def _is_over(self, silence_ms: int, frame: Frame) -> bool:
        """Tell whether another frame of silence like this one would be more than `silence_ms`."""
        return len(self._kept) - self._speech_end + len(frame) > _bytes(silence_ms)

    def _is_long(self, frame: Frame) -> bool:
        return len(self._kept) - self._speech_begin + len(frame) > _bytes(self._rules.max_s * 1000)

    def _cut(self) -> Utterance:
        end = self._speech_end + _bytes(TAIL_MS)
        return Utterance(bytes(self._kept[:end]), self._speech / SAMPLE_BYTES * 1000 / RATE)

    def _remember(self, frame: Frame) -> None:
        """Keep the frames that reach into the last `preroll_ms`."""
        self._before.append(frame)
        while self._before and sum(map(len, self._before)) - len(self._before[0]) >= _bytes(self._rules.preroll_ms):
            self._before.popleft()


def _samples(frame: Frame) -> int:
    return len(frame) // SAMPLE_BYTES


def _bytes(milliseconds: int) -> int:
    return milliseconds * RATE // 1000 * SAMPLE_BYTES
