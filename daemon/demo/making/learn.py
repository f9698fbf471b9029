"""One schedule of training, by CPU time: a busy machine makes it longer, not shorter. Needs torch."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from numpy.typing import NDArray
from torch import nn

from daemon.demo.making.examples import ALPHABET_SIZE, Example
from daemon.demo.making.network import build, decode, encode
from daemon.demo.making.tokens import Ids

log = structlog.get_logger(__name__)

BATCH = 24
PEAK_RATE, WARM_STEPS, FLAT_SHARE = 2e-3, 300, 0.15
IGNORED = -100
TIMESTAMP_SHARE, WRONG_TOKEN_SHARE = 0.4, 0.08
REPORT_STEPS = 100
STEP_LIMIT_S = 5.0
"""The most that one step counts for: a virtual machine that was halted may report minutes at once."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch: features [batch, 80, frames], tokens read and to be written, phonemes to be named."""

    mels: NDArray[np.float32]
    read: Any
    write: Any
    phonemes: Any


def _masked(rng: np.random.Generator, mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hide some bands and moments (SpecAugment, https://arxiv.org/abs/1904.08779)."""
    for _ in range(2):
        width = rng.integers(0, 12)
        start = rng.integers(0, 80 - width)
        mel[start : start + width] = mel.min() + 0.3 if rng.random() < 0.5 else mel.mean()
    for _ in range(rng.integers(0, 3)):
        width = rng.integers(0, 10)
        start = rng.integers(0, max(1, mel.shape[1] - width))
        mel[:, start : start + width] = mel.mean()
    return mel


def _stamp(ids: Ids, at_s: float) -> int:
    """Return the timestamp token nearest to a time, in steps of 0.1 s."""
    return ids.first_timestamp + round(at_s * 10) * 5


def _tokens(rng: np.random.Generator, ids: Ids, example: Example, text: list[int]) -> tuple[list[int], list[int]]:
    """Return what the decoder reads and what it must write, IGNORED where anything will do."""
    stamped = rng.random() < TIMESTAMP_SHARE
    no_stamp, end = ids.special("<|notimestamps|>"), ids.special("<|endoftext|>")
    start = _stamp(ids, min(max(0.0, example.starts_s - 0.05), 1.0)) if stamped else no_stamp
    prompt = [ids.special(f"<|{name}|>") for name in ("startoftranscript", "pt", "transcribe")]
    whole = [*prompt, start, *text, *([_stamp(ids, example.ends_s)] if stamped and text else []), end]
    # After <|startoftranscript|> Whisper also says whether anyone speaks; the language's successor is always given.
    first = whole[1] if text else ids.special("<|nospeech|>")
    return whole[:-1], [first, IGNORED, start if stamped else IGNORED, *whole[4:]]


def _lesson(rng: np.random.Generator, batch: Sequence[Example], ids: Ids, written: dict[str, list[int]]) -> Lesson:
    longest = max(example.mel.shape[1] for example in batch)
    frames = longest + longest % 2 + int(rng.choice([0, 20, 60]))
    mels = np.zeros((len(batch), 80, frames), np.float32)
    pairs = [_tokens(rng, ids, example, written[example.text]) for example in batch]
    length = max(len(read) for read, _ in pairs)
    read = torch.zeros(len(batch), length, dtype=torch.long)
    write = torch.full((len(batch), length), IGNORED)
    phonemes = torch.full((len(batch), frames // 2), IGNORED)
    for row, (example, (given, wanted)) in enumerate(zip(batch, pairs, strict=True)):
        mel = example.mel.astype(np.float32)
        mels[row, :, : mel.shape[1]] = _masked(rng, mel) if rng.random() < 0.8 else mel
        read[row, : len(given)] = torch.tensor(given)
        write[row, : len(wanted)] = torch.tensor(wanted)
        phonemes[row, : len(example.labels)] = torch.from_numpy(example.labels.astype(np.int64))
    if rng.random() < 0.8:  # wrong words before: the model must listen rather than go by the grammar
        wrong = (torch.rand(read.shape) < WRONG_TOKEN_SHARE) & (read < ids.text)
        read = torch.where(wrong, torch.randint(0, ids.text, read.shape), read)
    return Lesson(mels, read, write, phonemes)


def _batches(rng: np.random.Generator, examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Yield batches of like lengths without end, in a new order each time round."""
    order = sorted(range(len(examples)), key=lambda index: examples[index].mel.shape[1])
    groups = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    while True:
        for group in rng.permutation(len(groups)):
            yield [examples[index] for index in groups[group]]


def _rate(step: int, share: float) -> float:
    """Rise for WARM_STEPS, stay until FLAT_SHARE of the time, then fall as a cosine."""
    fall = 1.0 if share < FLAT_SHARE else 0.5 * (1 + math.cos(math.pi * (share - FLAT_SHARE) / (1 - FLAT_SHARE)))
    return PEAK_RATE * min(1, (step + 1) / WARM_STEPS) * fall + 1e-6


def _losses(model: Any, namer: Any, lesson: Lesson, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return the cost of the text and of the phonemes: the second is what makes the first fall."""
    with torch.autocast("cpu", torch.bfloat16):
        states, bias = encode(model, lesson.mels, rng)
        scores = decode(model, lesson.read, states, bias).float()
    text = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), lesson.write.reshape(-1), ignore_index=IGNORED)
    named = namer(states[:, : lesson.phonemes.shape[1]].float()).reshape(-1, ALPHABET_SIZE)
    return text, F.cross_entropy(named, lesson.phonemes.reshape(-1), ignore_index=IGNORED)


def learn(examples: Sequence[Example], written: dict[str, list[int]], ids: Ids, minutes: float, threads: int) -> Any:
    """Train a fresh model for so many minutes of CPU time on each of `threads` threads, and return it."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model, namer = build(ids.size, examples)
    trained = [weight for weight in [*model.parameters(), *namer.parameters()] if weight.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    model.train()
    spent_s, last_s, recent = 0.0, time.process_time(), []
    log.info("training", examples=len(examples), weights=sum(weight.numel() for weight in model.parameters()))
    for step, batch in enumerate(_batches(rng, examples)):
        now_s = time.process_time()
        spent_s += min(STEP_LIMIT_S, (now_s - last_s) / threads)
        share, last_s = spent_s / (minutes * 60), now_s
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, share)
        text, phonemes = _losses(model, namer, _lesson(rng, batch, ids, written), rng)
        optimiser.zero_grad()
        (text + (1.0 if share < 0.4 else 0.3) * phonemes).backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        recent.append((text.item(), phonemes.item()))
        if len(recent) == REPORT_STEPS:
            cost, naming = np.mean(recent, 0)
            log.info(
                "trained", step=step + 1, minutes=round(spent_s / 60, 1), text=round(cost, 4), phonemes=round(naming, 3)
            )
            recent.clear()
    return model.eval()
