"""Silero's voice activity detector, version 6, in the ONNX form that the faster-whisper package carries.

The model takes 512 samples with the 64 before them, and a recurrent state. https://github.com/snakers4/silero-vad
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from daemon.audio.frames import FRAME_SAMPLES, SAMPLE_BYTES, Frame
from daemon.errors import EngineFailed, EngineMissing

ENGINE = "Silero VAD"
_FILE = "silero_vad_v6.onnx"
_CONTEXT_SAMPLES = 64
_FULL_SCALE = 32768.0

Floats = NDArray[np.float32]


def _zeros(*shape: int) -> Floats:
    return np.zeros(shape, np.float32)


@dataclass(slots=True)
class _State:
    """What the model remembers: h and c (1, 1, 128) and the last 64 samples."""

    h: Floats = field(default_factory=lambda: _zeros(1, 1, 128))
    c: Floats = field(default_factory=lambda: _zeros(1, 1, 128))
    context: Floats = field(default_factory=lambda: _zeros(_CONTEXT_SAMPLES))


class Silero:
    """A VoiceDetector. One frame takes about 0.1 ms, in one thread of its own."""

    name = "silero-vad-v6"

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._state = _State()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="Silero")
        self._closed = False

    @classmethod
    def load(cls, path: Path | None = None) -> "Silero":
        """Load the model of the faster-whisper package, or another file of the same shape. Raises EngineMissing."""
        model = path or _packaged()
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineMissing(ENGINE, f"o modelo {model} não abre: {error}", "make install") from error
        detector = cls(session)
        detector._run(_zeros(FRAME_SAMPLES), _State())  # the first run is the slow one
        return detector

    async def speech(self, frame: Frame) -> float:
        """Return the probability (0 to 1) of speech in the next frame. Raises EngineFailed.

        A frame that is not 512 samples long is read in windows of 512, the last one filled up with silence; the
        highest probability counts.
        """
        if self._closed:
            raise EngineFailed(ENGINE, "já foi fechado")
        state = self._state
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._highest, frame, state)

    def reset(self) -> None:
        """Forget the frames so far. A frame still under way keeps to the old memory."""
        self._state = _State()

    def close(self) -> None:
        """Wait for the frame under way, then let go of the model."""
        if not self._closed:
            self._closed = True
            self._pool.shutdown(wait=True, cancel_futures=True)
            del self._session

    def _highest(self, frame: Frame, state: _State) -> float:
        samples = np.frombuffer(frame, "<i2", len(frame) // SAMPLE_BYTES).astype(np.float32) / _FULL_SCALE
        if len(samples) % FRAME_SAMPLES:
            samples = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
        windows = samples.reshape(-1, FRAME_SAMPLES)
        try:
            return max((self._run(window, state) for window in windows), default=0.0)
        except Exception as error:
            raise EngineFailed(ENGINE, f"falhou ao ouvir: {error}") from error

    def _run(self, window: Floats, state: _State) -> float:
        given = np.concatenate([state.context, window])[np.newaxis]
        probability, h, c = self._session.run(None, {"input": given, "h": state.h, "c": state.c})
        if not (np.isfinite(h).all() and np.isfinite(c).all()):
            state.h, state.c, state.context = _zeros(1, 1, 128), _zeros(1, 1, 128), _zeros(_CONTEXT_SAMPLES)
            return 0.0
        state.h, state.c, state.context = h, c, window[-_CONTEXT_SAMPLES:]
        return float(probability.reshape(-1)[0])


def _packaged() -> Path:
    """Return where the package's file is, without importing the package, which takes half a second."""
    spec = find_spec("faster_whisper")
    found = Path(spec.origin).parent / "assets" / _FILE if spec is not None and spec.origin else None
    if found is None or not found.is_file():
        raise EngineMissing(ENGINE, f"o pacote faster-whisper não traz {_FILE}", "make install")
    return found
