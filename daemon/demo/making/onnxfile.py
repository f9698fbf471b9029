"""Enough of the ONNX file format to write a small graph, with nothing but numpy.

An ONNX file is one protocol-buffers message: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto gives the field
numbers below, https://protobuf.dev/programming-guides/encoding/ the bytes. Written out by hand so that the bundled
voice can be made again, byte for byte, by any test run: the onnx package is not needed, and its releases cannot change
the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64, FLOAT16 = 1, 7, 10
"""`TensorProto.DataType`, which is also what the operator Cast takes as `to`."""

_DTYPES = {np.dtype("<f4"): FLOAT, np.dtype("<i8"): INT64, np.dtype("<f2"): FLOAT16}
Constant = NDArray[np.float32] | NDArray[np.float16] | NDArray[np.int64]


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a set top bit says that more follow."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _message(tag: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return _varint(tag << 3 | 2) + _varint(len(data)) + data


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its ONNX name, the tensors it reads and writes, and attributes that are whole numbers."""

    operator: str
    inputs: Sequence[str]
    output: str
    attributes: dict[str, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return a NodeProto."""
        data = b"".join(_message(1, name) for name in self.inputs) + _message(2, self.output)
        data += _message(4, self.operator)
        for name, value in self.attributes.items():
            data += _message(5, _message(1, name) + _number(3, value) + _number(20, 2))
        return data


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph; `shape` names what varies and numbers what does not."""

    name: str
    element: int
    shape: Sequence[str | int]

    def encode(self) -> bytes:
        """Return a ValueInfoProto."""
        dims = [_message(2, size) if isinstance(size, str) else _number(1, size) for size in self.shape]
        shape = b"".join(_message(1, dim) for dim in dims)
        return _message(1, self.name) + _message(2, _message(1, _number(1, self.element) + _message(2, shape)))


def _tensor(name: str, values: Constant) -> bytes:
    little = values.astype(values.dtype.newbyteorder("<"))
    data = b"".join(_number(1, size) for size in little.shape) + _number(2, _DTYPES[little.dtype])
    return data + _message(8, name) + _message(9, little.tobytes())


def encode(
    name: str,
    nodes: Sequence[Node],
    constants: Mapping[str, Constant],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
) -> bytes:
    """Return an ONNX file (IR version 8, operator set 15); `nodes` must be in an order in which they can run."""
    graph = b"".join(_message(1, node.encode()) for node in nodes) + _message(2, name)
    graph += b"".join(_message(5, _tensor(key, values)) for key, values in constants.items())
    graph += b"".join(_message(11, port.encode()) for port in inputs)
    graph += b"".join(_message(12, port.encode()) for port in outputs)
    return _number(1, 8) + _message(7, graph) + _message(8, _message(1, "") + _number(2, 15))
