"""The small Whisper's tokenizer: byte-level BPE over the grammar, then Whisper's special tokens in Whisper's order.

CTranslate2 (4.7 and later) takes a Whisper model as multilingual when its vocabulary holds the empty token "", and
counts languages between `<|startoftranscript|>` and `<|nospeech|>`; otherwise `language="pt"` silently becomes "en".
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

LANGUAGES = ("en", "pt", "es")
SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", *(f"<|{language}|>" for language in LANGUAGES), "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
TIMESTAMPS = 1501
"""<|0.00|> to <|30.00|>, whose ids follow <|notimestamps|>."""
PIECES = 1000
_SPACE = "Ġ"
_ALWAYS_SUPPRESSED = ("-", "'", "â")
"""faster-whisper never lets a model write the first token of " -", " '" and " ♪": without tokens of their own, that
would be the lone space, and no word that begins with it could be written."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Where the special tokens lie after `text` tokens of text (the last of which is "")."""

    text: int

    def special(self, token: str) -> int:
        """Return the id of a special token. Raises ValueError for one that is none."""
        return self.text + SPECIAL.index(token)

    @property
    def first_timestamp(self) -> int:
        """Return the id of <|0.00|>; each next one is 0.02 s later."""
        return self.text + len(SPECIAL)

    @property
    def size(self) -> int:
        """Return the size of the whole vocabulary."""
        return self.first_timestamp + TIMESTAMPS


def _pieces(texts: Sequence[str]) -> dict[str, Any]:
    """Learn the pieces of text, as a tokenizer.json."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, initial_alphabet=letters, show_progress=False)
    tokenizer.train_from_iterator([f" {text}" for text in texts], trainer)
    return dict(json.loads(tokenizer.to_str()))


def write(folder: Path, texts: Sequence[str]) -> Ids:
    """Learn from `texts`, write tokenizer.json and preprocessor_config.json, and return the ids."""
    learnt = _pieces(texts)
    vocabulary, merges = learnt["model"]["vocab"], [list(merge) for merge in learnt["model"]["merges"]]
    # A first letter that is not joined to its space would make sentences begin with a lone space.
    capitals = sorted({text.encode()[:1].decode("latin-1") if text[0].isascii() else "Ã" for text in texts})
    for letter in (*_ALWAYS_SUPPRESSED, *capitals):
        if _SPACE + letter not in vocabulary:
            vocabulary[_SPACE + letter] = len(vocabulary)
            merges.append([_SPACE, letter])
    vocabulary[""] = len(vocabulary)
    ids = Ids(len(vocabulary))
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    learnt["added_tokens"] = [{"id": ids.special(token), "content": token, **plain} for token in SPECIAL]
    learnt["model"]["merges"] = merges
    features = {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 80, "hop_length": 160,
        "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "sampling_rate": 16000, "padding_side": "right",
        "padding_value": 0.0, "return_attention_mask": False, "processor_class": "WhisperProcessor",
    }  # fmt: skip
    names = {"bos_token": "<|startoftranscript|>", "additional_special_tokens": list(SPECIAL[1:])}
    names |= dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    config = {"tokenizer_class": "WhisperTokenizer", "model_max_length": 448, **names}
    folder.mkdir(parents=True, exist_ok=True)
    files = {"tokenizer.json": learnt, "preprocessor_config.json": features, "tokenizer_config.json": config}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return ids


def encoded(folder: Path, texts: Sequence[str]) -> dict[str, list[int]]:
    """Return each text's tokens, as Whisper writes it: after a space. Raises ValueError where that is a lone one."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found = {text: tokenizer.encode(f" {text}", add_special_tokens=False).ids for text in set(texts) if text}
    lone = tokenizer.token_to_id(_SPACE)
    wrong = [text for text, tokens in found.items() if tokens[0] == lone]
    if wrong:
        raise ValueError(f"{len(wrong)} sentences begin with a lone space, such as {wrong[0]!r}")
    return {"": [], **found}
