"""The sentence encoder that comes along, tuned to what Brazilian homes tell and ask; `README.md` tells how."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HERE = Path(__file__).resolve().parent

NAME = "use-multilingual-v3-casa-1"
"""Another number for other layers: what a house remembers is then embedded anew."""
TUNED: Path = _HERE / "tuned.npz"
"""What `tuning` learnt: by how much each layer differs from the package's, in 8 bits a number."""
PAIRS: Path = _HERE / "pairs.tsv"
"""What it learnt from: a fact and two or three questions a line, parted by tabs, written by hand."""
ORDERS = (2, 3, 5)
"""Lengths of the windows of the network's three branches."""

Layers = dict[str, NDArray[np.float32]]


def layers(backend: Any) -> Layers:
    """Return the network's layers, those of a branch with its order: the package's own arrays."""
    whole = "proj_W proj_b ln_g_all ln_b_all ln_g ln_b cnn_W cnn_b d0 d1 d2 d3 p1 p3".split()
    found = {name: getattr(backend, name) for name in whole}
    for number, order in enumerate(ORDERS):
        found |= {f"{name}_{order}": getattr(backend, name)[number] for name in ("w1", "b1", "w2", "b2")}
    return found


def tune(backend: Any) -> None:
    """Change the package's layers to ours, in place. Raises ValueError where they are other layers than were tuned."""
    found = layers(backend)
    with np.load(TUNED, allow_pickle=False) as stored:
        for name, layer in found.items():
            if stored[name].shape != layer.shape:
                raise ValueError(f"{name} is {layer.shape}, tuned was {stored[name].shape}")
        for name, layer in found.items():
            np.add(layer, stored[name].astype(np.float32) * stored[f"{name}.step"], out=layer)


def stored(before: Layers, after: Layers) -> dict[str, NDArray[Any]]:
    """Return the differences as `tuned.npz` holds them: for each layer 8 bits a number, and each column's step."""
    kept: dict[str, NDArray[Any]] = {}
    for name, layer in after.items():
        change = layer - before[name]
        step = np.maximum(np.abs(change).max(axis=0 if change.ndim > 1 else None), 1e-12) / 127
        kept[name] = np.round(change / step).astype(np.int8)
        kept[f"{name}.step"] = np.asarray(step, dtype=np.float32)
    return kept
