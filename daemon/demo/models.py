"""Where the small models of our own lie, and what they are.

They come from the scripts in `daemon/demo/making/` and serve the demonstration and the tests, never a home.
"""

from pathlib import Path

_SPEECH = Path(__file__).resolve().parent / "speech"

WHISPER_CASA: Path = _SPEECH / "whisper-casa"
"""Folder of a CTranslate2 Whisper (2.6 MB, int8) that faster-whisper loads as it would load any other."""

TONES_VOICE: Path = _SPEECH / "pt_BR-tons-x_low.onnx"
"""Piper voice (its `.onnx.json` lies beside it): real inputs and outputs, but phonemes are sung as tones."""

WHAT_THEY_ARE = (
    "Modelos pequenos, feitos aqui só para demonstração e testes: o Whisper da casa entende apenas as frases "
    "do próprio vocabulário, ditas por vozes sintéticas, e transforma qualquer outra fala em uma dessas frases; "
    "a voz Piper canta os fonemas em tons, sem palavras que se entendam. "
    "Para usar o Mordomo em casa, baixe modelos de verdade com: mordomo models pull"
)
"""To be said in Portuguese wherever one of these models is used."""
