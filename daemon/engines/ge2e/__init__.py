"""The speaker encoder that comes along: its weights, and the script that makes them."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent

WEIGHTS: Path = _HERE / "ge2e.onnx"
"""Resemblyzer's GE2E encoder with a last layer of ours, 3 MB; `README.md` beside it tells where it comes from."""
ADAPTATION: Path = _HERE / "adaptation.npz"
"""That last layer by itself, as `adapting` learnt it."""
