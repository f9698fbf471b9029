"""The one place, besides the composition root, that names concrete engines: what each kind can be, and how it is built.

Builders run in a thread, read the preferences of that moment, and import their vendor only then.
"""

from collections.abc import Callable
from pathlib import Path

from config.brain import (
    BRAIN_CONTEXT,
    BRAIN_FIRST_TOKEN_S,
    BRAIN_KEEP_ALIVE_MIN,
    BRAIN_MAX_TOKENS,
    BRAIN_MODEL,
    BRAIN_TEMPERATURE,
    BRAIN_THINK,
    BRAIN_WHOLE_S,
)
from config.environment import Environment
from config.memory import LOCAL, MEMORY_MODEL, WORDS_ONLY
from config.preferences import (
    STT_BEAM_SIZE,
    STT_MIN_LOGPROB,
    STT_MODEL,
    STT_THREADS,
    TTS_SPEED,
    TTS_VOICE,
    WAKE_WORD_ENGINE,
    WAKE_WORD_PHRASE,
    WAKE_WORD_SENSITIVITY,
    Preferences,
)
from config.voices import VOICES_MODEL
from daemon.demo.models import TONES_VOICE, WHISPER_CASA
from daemon.engines.protocols import (
    Chat,
    Embedding,
    SpeakerEncoder,
    SpeechToText,
    TextToSpeech,
    VoiceDetector,
    WakeWord,
)
from daemon.errors import EngineMissing

Now = Callable[[], Preferences]
"""The preferences at the moment of asking."""

DEMO = "demo"
"""The name, in `stt.model` and `tts.voice`, of the small models of our own."""
DEMO_STT_NAME = "whisper-casa (demonstração)"
SIMPLE_VOICE = "espeak"


def wake_word(env: Environment, now: Now) -> WakeWord:
    """Build the engine that `wake_word.engine` names. Raises EngineMissing."""
    prefs = now()
    return WAKE_WORDS[prefs[WAKE_WORD_ENGINE]](env, prefs[WAKE_WORD_PHRASE], prefs[WAKE_WORD_SENSITIVITY])


def voice_detector() -> VoiceDetector:
    """Build the voice detector; its weights come with a package that is always there."""
    from daemon.engines.silero import Silero  # noqa: PLC0415

    return Silero.load()


def speech_to_text(env: Environment, now: Now, *, demo_house: bool) -> SpeechToText:
    """Build the Whisper that `stt.model` names.

    In the demonstration house, and only there, the small model of our own stands in for one that is not downloaded:
    it turns whatever it hears into some sentence of its grammar, which real lamps must not obey.
    Raises EngineMissing, EngineFailed.
    """
    from daemon.engines.weights import whisper_path  # noqa: PLC0415
    from daemon.engines.whisper import Whisper  # noqa: PLC0415

    wanted = now()[STT_MODEL]
    name, path = wanted, WHISPER_CASA
    try:
        if wanted != DEMO:
            path = whisper_path(env.models_dir, wanted)
    except EngineMissing:
        if not demo_house:
            raise
    if path == WHISPER_CASA:
        name = DEMO_STT_NAME
    return Whisper.load(
        path,
        name=name,
        threads=now()[STT_THREADS],
        beam_size=lambda: now()[STT_BEAM_SIZE],
        min_logprob=lambda: now()[STT_MIN_LOGPROB],
        # Our own was measured with the shorter padding: as right as with 30 s, at a quarter of the cost.
        window_s=10 if path == WHISPER_CASA else 30,
    )


def text_to_speech(env: Environment, now: Now) -> TextToSpeech:
    """Build the Piper voice that `tts.voice` names, or the simple voice when it is missing: the house is never mute."""
    from daemon.engines.espeak import Espeak  # noqa: PLC0415
    from daemon.engines.piper import Piper  # noqa: PLC0415
    from daemon.engines.weights import piper_path  # noqa: PLC0415

    def speed() -> float:
        return now()[TTS_SPEED]

    wanted = now()[TTS_VOICE]
    if wanted == SIMPLE_VOICE:
        return Espeak.load(speed=speed)
    try:
        path = TONES_VOICE if wanted == DEMO else piper_path(env.models_dir, wanted)
        return Piper.load(path, speed=speed)
    except EngineMissing:
        return Espeak.load(speed=speed)


def brain(env: Environment, now: Now) -> Chat:
    """Build the link to the household's language model server; whether it answers shows at the first question."""
    from daemon.engines.ollama import OllamaChat, Settings  # noqa: PLC0415

    def settings() -> Settings:
        prefs = now()
        return Settings(
            model=prefs[BRAIN_MODEL],
            temperature=prefs[BRAIN_TEMPERATURE],
            max_tokens=prefs[BRAIN_MAX_TOKENS],
            context=prefs[BRAIN_CONTEXT],
            keep_alive_min=prefs[BRAIN_KEEP_ALIVE_MIN],
            think=prefs[BRAIN_THINK],
            first_token_s=float(prefs[BRAIN_FIRST_TOKEN_S]),
            whole_s=float(prefs[BRAIN_WHOLE_S]),
        )

    return OllamaChat(env.ollama_url, settings)


def embedding(env: Environment, now: Now) -> Embedding:
    """Build the engine that `memory.model` names: the small one that comes along, or a model of the Ollama server.

    Raises EngineMissing, also where memories are to be found by their words alone.
    """
    from daemon.engines.embedding_local import LocalEmbedding  # noqa: PLC0415
    from daemon.engines.embedding_ollama import OllamaEmbedding  # noqa: PLC0415

    wanted = now()[MEMORY_MODEL]
    if wanted == WORDS_ONLY:
        raise EngineMissing("embedding", "memórias só pelas palavras", f"mordomo config set {MEMORY_MODEL.key} local")
    return LocalEmbedding.load() if wanted == LOCAL else OllamaEmbedding(env.ollama_url, lambda: now()[MEMORY_MODEL])


def speaker_encoder(now: Now) -> SpeakerEncoder:
    """Build the encoder that `voices.model` names: the one that comes along, or a file. Raises EngineMissing."""
    from daemon.engines.speaker import OnnxSpeakerEncoder  # noqa: PLC0415

    wanted = now()[VOICES_MODEL].strip()
    return OnnxSpeakerEncoder.load(Path(wanted).expanduser()) if wanted else OnnxSpeakerEncoder.load()


def _microwakeword(_: Environment, phrase: str, sensitivity: float) -> WakeWord:
    from daemon.engines.microwakeword import MicroWakeWord  # noqa: PLC0415

    return MicroWakeWord.load(phrase, sensitivity)


def _openwakeword(_: Environment, phrase: str, sensitivity: float) -> WakeWord:
    from daemon.engines.openwakeword import OpenWakeWord  # noqa: PLC0415

    return OpenWakeWord.load(phrase, sensitivity)


def _porcupine(env: Environment, phrase: str, sensitivity: float) -> WakeWord:
    from daemon.engines.porcupine import Porcupine  # noqa: PLC0415

    key = env.porcupine_access_key
    return Porcupine.load(phrase, sensitivity, key.get_secret_value() if key else None)


WAKE_WORDS: dict[str, Callable[[Environment, str, float], WakeWord]] = {
    "microwakeword": _microwakeword,
    "openwakeword": _openwakeword,
    "porcupine": _porcupine,
}


def needed_weights(env: Environment, now: Now) -> list[tuple[str, str, Path | None]]:
    """Return (kind, name, where it is or None) of the weights that the preferences name."""
    from daemon.engines.weights import piper_path, whisper_path  # noqa: PLC0415

    found: list[tuple[str, str, Path | None]] = []
    for kind, name, own, find in (
        ("whisper", now()[STT_MODEL], WHISPER_CASA, whisper_path),
        ("piper", now()[TTS_VOICE], TONES_VOICE, piper_path),
    ):
        if name == SIMPLE_VOICE and kind == "piper":
            continue
        try:
            found.append((kind, name, own if name == DEMO else find(env.models_dir, name)))
        except EngineMissing:
            found.append((kind, name, None))
    return found
