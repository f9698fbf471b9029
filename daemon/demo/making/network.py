"""The small Whisper: the architecture of Whisper at width 128, started so that it learns in half an hour on two cores.

Import only to train: needs torch and transformers.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from numpy.typing import NDArray
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from daemon.demo.making.examples import ALPHABET_SIZE, Example

WIDTH, HEADS = 128, 4
ENCODER_LAYERS, DECODER_LAYERS = 3, 2
POSITIONS = 1500
"""Whisper's window of 30 s, at 50 positions a second."""
WINDOWS = (500, POSITIONS)
"""Learnt at both lengths: padded to 10 s instead of 30 s, an utterance costs a fifth."""
FAR = 24
"""Positions that stand for all those after the speech: see `encode`."""
DROPOUT = 0.1


def config(vocabulary: int, end: int = 1, start: int = 1) -> Any:
    """Return the model's shape; `end` and `start` are ids of <|endoftext|> and <|startoftranscript|>."""
    return WhisperConfig(
        vocab_size=vocabulary, num_mel_bins=80, d_model=WIDTH, encoder_layers=ENCODER_LAYERS,
        decoder_layers=DECODER_LAYERS, encoder_attention_heads=HEADS, decoder_attention_heads=HEADS,
        encoder_ffn_dim=4 * WIDTH, decoder_ffn_dim=4 * WIDTH, max_source_positions=POSITIONS, max_target_positions=448,
        dropout=DROPOUT, attention_dropout=0.0, activation_dropout=0.0, pad_token_id=end, bos_token_id=start,
        eos_token_id=end, decoder_start_token_id=start, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip


def build(vocabulary: int, examples: Sequence[Example]) -> tuple[Any, Any]:
    """Return a fresh model and the layer that names the phoneme at each encoder position."""
    model = WhisperForConditionalGeneration(config(vocabulary))
    for module in model.modules():
        if hasattr(module, "config"):
            module.config._attn_implementation = "eager"  # noqa: SLF001 - "sdpa" with a mask trains 4 times slower on CPU
    model.model.encoder.embed_positions.weight.requires_grad_(False)
    _scale(model, examples)
    _attend_locally(model.model.encoder)
    return model, nn.Linear(WIDTH, ALPHABET_SIZE)


def _scale(model: Any, examples: Sequence[Example]) -> None:
    """Give what is heard the size of the position embedding.

    The usual start (0.02) suits width 1024: here it leaves the convolutions' output 20 times smaller than the
    positions, and hundreds of steps pass before anything is learnt.
    """
    for module in model.model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    encoder = model.model.encoder
    sample = np.stack([item.mel[:, :150] for item in examples if item.mel.shape[1] >= 150][:64]).astype(np.float32)
    with torch.no_grad():
        for convolution in (encoder.conv1, encoder.conv2):
            nn.init.kaiming_normal_(convolution.weight)
            nn.init.zeros_(convolution.bias)
        encoder.conv1.weight /= F.gelu(encoder.conv1(torch.from_numpy(sample))).std()
        heard = F.gelu(encoder.conv1(torch.from_numpy(sample)))
        encoder.conv2.weight *= 0.8 / F.gelu(encoder.conv2(heard)).std()
    nn.init.normal_(model.model.decoder.embed_tokens.weight, std=WIDTH**-0.5)


def _attend_locally(encoder: Any, strength: float = 1.2) -> None:
    """Let three of four heads begin by looking 3 positions back, here, and 3 ahead.

    Whisper's positions are sums of sines, so query and key can be set up for q.k = sum cos(w (i - j - offset)). It has
    no relative positions, and to learn from nothing that neighbours matter is what takes a small one so long.
    """
    rates = torch.exp(-math.log(10000) / (WIDTH // 2 - 1) * torch.arange(WIDTH // 2).float())
    size = WIDTH // HEADS
    for layer in encoder.layers:
        attention = layer.self_attn
        for head, offset in enumerate((-3.0, 0.0, 3.0)):
            query, key = torch.zeros(size, WIDTH), torch.zeros(size, WIDTH)
            for wave in range(size // 2):
                cosine, sine = math.cos(rates[wave] * offset), math.sin(rates[wave] * offset)
                query[2 * wave, wave] = query[2 * wave + 1, WIDTH // 2 + wave] = 1
                key[2 * wave, wave], key[2 * wave, WIDTH // 2 + wave] = cosine, -sine
                key[2 * wave + 1, WIDTH // 2 + wave], key[2 * wave + 1, wave] = cosine, sine
            rows = slice(head * size, (head + 1) * size)
            with torch.no_grad():
                attention.q_proj.weight[rows] = attention.q_proj.weight[rows] * 0.5 + strength * query
                attention.k_proj.weight[rows] = attention.k_proj.weight[rows] * 0.5 + strength * key
                attention.q_proj.bias[rows] = 0


def _layers(layers: Any, states: Any, **context: Any) -> Any:
    for layer in layers:
        found = layer(states, **context)
        states = found[0] if isinstance(found, tuple) else found
    return states


def encode(model: Any, mels: NDArray[np.float32], rng: np.random.Generator) -> tuple[Any, Any]:
    """Encode features [batch, 80, frames] as if zeros filled them up to 10 or 30 s.

    All far positions sound alike and differ only in place, so FAR of them, drawn evenly, stand for the rest: their
    attention is raised by the log of how many each stands for. Returns states [batch, frames / 2 + FAR, WIDTH] and that
    attention bias [1, 1, 1, positions].
    """
    encoder = model.model.encoder
    heard = F.gelu(encoder.conv2(F.gelu(encoder.conv1(torch.from_numpy(mels))))).transpose(1, 2)
    nothing = F.gelu(encoder.conv2(F.gelu(encoder.conv1(torch.zeros(1, 80, 8))))).transpose(1, 2)[:, 2:3]
    batch, near = heard.shape[:2]
    window = WINDOWS[int(rng.integers(len(WINDOWS)))]
    edges = np.linspace(near, window, FAR + 1)
    far = [int(rng.integers(int(low), max(int(low) + 1, int(high)))) for low, high in pairwise(edges)]
    places = torch.tensor([*range(near), *far])
    states = torch.cat([heard, nothing.expand(batch, FAR, -1)], 1) + encoder.embed_positions.weight[places]
    bias = torch.zeros(1, 1, 1, near + FAR)
    bias[..., near:] = math.log((window - near) / FAR)
    states = _layers(encoder.layers, F.dropout(states, DROPOUT), attention_mask=bias)
    return encoder.layer_norm(states), bias


def decode(model: Any, tokens: Any, states: Any, bias: Any) -> Any:
    """Return the next token's scores at each place, [batch, tokens, vocabulary]."""
    decoder = model.model.decoder
    batch, length = tokens.shape
    written = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[:length]
    written = _layers(
        decoder.layers,
        F.dropout(written, DROPOUT),
        attention_mask=torch.full((length, length), float("-inf")).triu(1)[None, None],
        encoder_hidden_states=states,
        encoder_attention_mask=bias.expand(batch, 1, length, -1),
        use_cache=False,
    )
    return decoder.layer_norm(written) @ decoder.embed_tokens.weight.T
