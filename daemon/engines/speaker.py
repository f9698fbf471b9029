"""Speaker encoders in ONNX: speech to a vector that is alike for the same voice. On the processor, in its own threads.

Two shapes of model are understood, told apart by their input: GE2E's (160 frames of 40 mel bands, which comes along)
and WeSpeaker's or 3D-Speaker's (any number of frames of 80 Kaldi bands), by path.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from daemon.audio.frames import RATE, SAMPLE_BYTES, Utterance
from daemon.engines.ge2e import WEIGHTS
from daemon.engines.mel import GE2E_BANDS, KALDI_BANDS, STEP, ge2e_mel, kaldi_fbank
from daemon.errors import EngineFailed, EngineMissing

ENGINE = "quem fala"
POOL = 2
"""So many voices at once: a microphone, and a recording or a satellite beside it."""
LOUDNESS_DBFS = -30.0
"""What GE2E was trained on; louder and softer people are brought to it."""
QUIET_DB = 30.0
"""Sound that far below the loudest is a pause."""
KEPT_PAUSE = 20
"""Frames (of 10 ms) of a pause that stay on each side of speech."""
FRAMES = 160
WINDOW_STEP = 77
LEAST_FRAMES = 30

Floats = NDArray[np.float32]


class OnnxSpeakerEncoder:
    """SpeakerEncoder. 3 s of speech take about 20 ms in one thread."""

    def __init__(self, session: onnxruntime.InferenceSession, name: str, embed: Callable[[Floats], Floats]) -> None:
        """Take a loaded model and how it is fed; `load` makes both from a file."""
        self.name = name
        self._session: onnxruntime.InferenceSession | None = session
        self._embed = embed
        self._pool = ThreadPoolExecutor(POOL, thread_name_prefix="speaker")

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "OnnxSpeakerEncoder":
        """Load the encoder that comes along, or another file. Raises EngineMissing for none or another shape."""
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        mend = 'mordomo config set voices.model ""'
        if not path.is_file():
            raise EngineMissing(ENGINE, f"não há modelo em {path}", mend)
        try:
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineMissing(ENGINE, f"o modelo {path} não abre: {error}", mend) from error
        shape = session.get_inputs()[0].shape
        if len(shape) == 3 and shape[0] == FRAMES and shape[2] == GE2E_BANDS:
            embed: Callable[[Floats], Floats] = partial(ge2e_vector, session)
        elif len(shape) == 3 and shape[2] == KALDI_BANDS:
            embed = _kaldi(session)
        else:
            why = (
                f"o modelo {path} quer {shape}; conheço (160, n, 40), como o GE2E, e (n, quadros, 80), como o WeSpeaker"
            )
            raise EngineMissing(ENGINE, why, mend)
        try:
            embed(np.random.default_rng(0).standard_normal(RATE * 2).astype(np.float32))
        except Exception as error:
            raise EngineMissing(ENGINE, f"o modelo {path} não funciona: {error}", mend) from error
        return cls(session, path.stem, embed)

    async def embed(self, utterance: Utterance) -> Floats | None:
        """Return the voice's vector, shape (n,) float32 of length 1, or None where there is too little sound for one.

        Raises EngineFailed. When the awaiting task is cancelled it returns at once; the thread finishes what it began.
        """
        whole = len(utterance.pcm) - len(utterance.pcm) % SAMPLE_BYTES
        sound = np.frombuffer(utterance.pcm[:whole], "<i2").astype(np.float32) / np.float32(32768)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.vector_of, sound)
        except RuntimeError as closed:  # the pool's own: no work after close
            raise EngineFailed(ENGINE, "já foi desligado") from closed

    def close(self) -> None:
        """Let the model go; an utterance under way is finished by its thread."""
        self._session = None
        self._pool.shutdown(wait=False)

    def vector_of(self, sound: Floats) -> Floats | None:
        """Return the vector of a sound, in this very thread; see `embed`."""
        spoken = spoken_loudly(sound)
        if spoken is None:
            return None
        try:
            vector = self._embed(spoken)
        except Exception as error:
            raise EngineFailed(ENGINE, f"falhou ao ouvir: {error}") from error
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0:
            return None
        return np.asarray(vector / length, np.float32)


def without_pauses(sound: Floats) -> Floats:
    """Return the sound less its silences, of which KEPT_PAUSE frames stay on each side of speech; may be empty."""
    count = len(sound) // STEP
    if count == 0:
        return sound[:0]
    frames = sound[: count * STEP].reshape(count, STEP)
    level = np.sqrt(np.square(frames).mean(axis=1))
    loud = level > max(float(np.quantile(level, 0.95)) * 10 ** (-QUIET_DB / 20), 1e-4)
    wide = np.convolve(loud, np.ones(2 * KEPT_PAUSE + 1))  # "same" would be longer than a word that is shorter than it
    near = wide[KEPT_PAUSE : KEPT_PAUSE + count] > 0
    return np.asarray(frames[near].reshape(-1), np.float32)


def spoken_loudly(sound: Floats) -> Floats | None:
    """Return the speech in it at LOUDNESS_DBFS, or None where there is less than LEAST_FRAMES of it."""
    spoken = without_pauses(sound)
    if len(spoken) < LEAST_FRAMES * STEP:
        return None
    now = float(np.sqrt(np.square(spoken).mean()))
    return np.asarray(spoken * (10 ** (LOUDNESS_DBFS / 20) / max(now, 1e-6)), np.float32)


def ge2e_vector(session: onnxruntime.InferenceSession, sound: Floats) -> Floats:
    """Return the vector of windows of 1.6 s that overlap by half; speech that is shorter is repeated to fill one."""
    bands = ge2e_mel(sound)
    starts = range(0, max(1, len(bands) - FRAMES + WINDOW_STEP // 2), WINDOW_STEP)
    needed = starts[-1] + FRAMES
    if len(bands) < FRAMES:
        bands = np.resize(bands, (needed, GE2E_BANDS))
    elif len(bands) < needed:
        bands = np.pad(bands, ((0, needed - len(bands)), (0, 0)))
    windows = np.stack([bands[start : start + FRAMES] for start in starts], axis=1)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: windows})[0], np.float32).reshape(-1)


def _kaldi(session: onnxruntime.InferenceSession) -> Callable[[Floats], Floats]:
    povey = session.get_modelmeta().custom_metadata_map.get("framework", "wespeaker") != "wespeaker"

    def embed(sound: Floats) -> Floats:
        bands = kaldi_fbank(sound, povey=povey)[np.newaxis]
        return np.asarray(session.run(None, {session.get_inputs()[0].name: bands})[0], np.float32).reshape(-1)

    return embed
