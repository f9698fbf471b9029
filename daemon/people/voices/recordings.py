"""Sound files to sentences of one voice, and in Portuguese why a file will not do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daemon.audio.frames import FRAME_BYTES, FRAME_MS, Utterance
from daemon.audio.wav import read_speech
from daemon.engines.protocols import SpeakerEncoder, VoiceDetector
from daemon.errors import CannotDo
from daemon.people.voices.enrolment import LEAST_OWN, Lesson, taught_by, unlike
from daemon.people.voices.voiceprint import Vector

PIECE_S = 2.4
"""Recordings are cut into pieces with so much speech, each of which counts as a sentence."""
LEAST_S = 1.2
LEAST_WHOLE_S = 6.0
"""Speech that all recordings together must hold."""
LEAST_PIECES = 3
LEAST_SNR_DB = 8.0
SPEECH = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a recording, with how much of it is speech."""

    utterance: Utterance

    @property
    def speech_s(self) -> float:
        """Speech in it, in seconds."""
        return self.utterance.speech_ms / 1000


async def pieces_of(path: Path, detector: VoiceDetector) -> list[Piece]:
    """Return a recording as pieces with speech. Raises CannotDo for no sound, too little speech or too much noise."""
    pcm = await asyncio.to_thread(read_speech, path)
    frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]
    detector.reset()
    spoken = [await detector.speech(frame) >= SPEECH for frame in frames]
    speech_s = sum(spoken) * FRAME_MS / 1000
    if speech_s < LEAST_S:
        raise CannotDo(
            f"Em {path.name} há só {_seconds(speech_s)} de fala. Grave ao menos {_seconds(PIECE_S)}, sem pressa."
        )
    if (below := _snr_db(frames, spoken)) < LEAST_SNR_DB:
        raise CannotDo(
            f"{path.name} tem barulho demais: a voz está só {max(0, round(below))} dB acima dele. "
            "Grave num lugar mais quieto, ou mais perto do microfone."
        )
    return _cut(frames, spoken)


def _cut(frames: Sequence[bytes], spoken: Sequence[bool]) -> list[Piece]:
    """Cut where so much speech has been said; a short rest belongs to the piece before it."""
    pieces: list[Piece] = []
    start = count = 0
    for at, speech in enumerate(spoken):
        count += speech
        if count * FRAME_MS >= PIECE_S * 1000:
            pieces.append(_piece(frames, spoken, start, at + 1))
            start, count = at + 1, 0
    if count * FRAME_MS >= LEAST_S * 1000 or not pieces:
        pieces.append(_piece(frames, spoken, start, len(frames)))
    return pieces


def _piece(frames: Sequence[bytes], spoken: Sequence[bool], start: int, end: int) -> Piece:
    return Piece(Utterance(b"".join(frames[start:end]), sum(spoken[start:end]) * FRAME_MS))


def _snr_db(frames: Sequence[bytes], spoken: Sequence[bool]) -> float:
    """Return how far the speech lies above what is between it; where nothing is, above its own softest moments."""
    level = np.array([np.sqrt(np.mean(np.frombuffer(frame, "<i2").astype(np.float64) ** 2)) + 1 for frame in frames])
    told = np.array(spoken)
    between = level[~told] if (~told).sum() >= 5 else np.sort(level)[: max(1, len(level) // 20)]
    return float(20 * np.log10(np.median(level[told]) / np.median(between)))


async def learn(paths: Sequence[Path], encoder: SpeakerEncoder, detector: VoiceDetector) -> Lesson:
    """Return the lesson that these recordings of one person hold.

    Raises CannotDo for one with too little speech, too much noise, or several voices, for recordings of several people,
    and for too little speech in all of them together.
    """
    lesson, of_file = Lesson(), []
    for path in paths:
        said = await pieces_of(path, detector)
        found = [(piece, taught) for piece in said if (taught := await taught_by(encoder, piece.utterance)) is not None]
        if unlike([taught.near for _, taught in found]):
            raise CannotDo(f"Em {path.name} parece falar mais de uma pessoa. Mande uma gravação só da sua voz.")
        for piece, taught in found:
            lesson.vectors.append(taught.near)
            lesson.far.append(taught.far)
            lesson.seconds += piece.speech_s
            of_file.append(path)
    _check(lesson, of_file)
    return lesson


def _check(lesson: Lesson, of_file: Sequence[Path]) -> None:
    if lesson.seconds < LEAST_WHOLE_S or len(lesson.vectors) < LEAST_PIECES:
        raise CannotDo(
            f"Há só {_seconds(lesson.seconds)} de fala no total. Preciso de ao menos {_seconds(LEAST_WHOLE_S)}, em "
            "frases de uns três segundos; cinco frases é o bom."
        )
    if others := unlike(lesson.vectors):
        names = ", ".join(dict.fromkeys(of_file[number].name for number in others))
        raise CannotDo(f"A voz em {names} não parece a das outras gravações. Mande só as de uma pessoa.")
    if lesson.own < LEAST_OWN:
        raise CannotDo("As gravações diferem demais entre si para reconhecer alguém por elas. Grave num lugar quieto.")


async def vector_of(path: Path, encoder: SpeakerEncoder, detector: VoiceDetector) -> tuple[Vector, float]:
    """Return the vector of a recording and how much speech it holds, in seconds. Raises CannotDo."""
    said = await pieces_of(path, detector)
    whole = Utterance(b"".join(piece.utterance.pcm for piece in said), sum(piece.utterance.speech_ms for piece in said))
    vector = await encoder.embed(whole)
    if vector is None:
        raise CannotDo(f"Em {path.name} há fala de menos.")
    return vector, whole.speech_ms / 1000


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s".replace(".", ",")
