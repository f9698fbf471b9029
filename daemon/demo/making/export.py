"""From trained weights to the folder that faster-whisper loads. Needs torch, transformers and ctranslate2."""

import json
import shutil
from pathlib import Path
from typing import Any

from ctranslate2.converters import TransformersConverter
from transformers import GenerationConfig, WhisperForConditionalGeneration

from daemon.demo.making.network import DECODER_LAYERS, HEADS, config
from daemon.demo.making.tokens import LANGUAGES, Ids


def export(model: Any, ids: Ids, work: Path, out: Path) -> Path:
    """Write `model` as int8 for CTranslate2 into `out`; `work` holds its tokenizer and gets the float weights."""
    start, end = ids.special("<|startoftranscript|>"), ids.special("<|endoftext|>")
    final = WhisperForConditionalGeneration(config(ids.size, end, start))
    final.load_state_dict(model.state_dict())
    # Whisper forbids a lone space first; this model never begins with one, and has nothing to forbid.
    generation = GenerationConfig(
        bos_token_id=start, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start, suppress_tokens=[],
        begin_suppress_tokens=[], max_length=448,
    )  # fmt: skip
    generation.lang_to_id = {f"<|{language}|>": ids.special(f"<|{language}|>") for language in LANGUAGES}
    generation.alignment_heads = [[DECODER_LAYERS - 1, head] for head in range(HEADS)]
    generation.no_timestamps_token_id = ids.special("<|notimestamps|>")
    generation.is_multilingual = True
    final.generation_config = generation
    final.save_pretrained(work)
    shutil.rmtree(out, ignore_errors=True)
    copied = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(work), copy_files=copied).convert(str(out), quantization="int8")
    size = sum(path.stat().st_size for path in out.iterdir())
    (work / "made.json").write_text(json.dumps({"bytes": size, "vocabulary": ids.size}), encoding="utf-8")
    return out
