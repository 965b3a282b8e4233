"""Reads the tensors of a GGUF file as float32, so that PyTorch can draw with the very weights that ship.

Little endian, version 3, of the types that `undertone convert` writes. Source of the layouts: the GGUF
specification and ggml's block definitions.
"""
import struct
from math import prod
from pathlib import Path

import numpy as np
import torch

from .export import read_safetensors

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
PLAIN = {0: ("F32", "<f4"), 1: ("F16", "<f2")}


def bf16(data):
    return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)


def q8_0(data):
    """Blocks of 32: an f16 scale, 32 signed bytes."""
    b = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "i1", 32)]))
    return (b["d"].astype(np.float32)[:, None] * b["q"].astype(np.float32)).ravel()


def q4_0(data):
    """Blocks of 32: an f16 scale, 16 bytes; low nibbles are the first half, high ones the second; zero is 8."""
    b = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "u1", 16)]))
    q = np.concatenate([b["q"] & 15, b["q"] >> 4], 1).astype(np.int8) - 8
    return (b["d"].astype(np.float32)[:, None] * q.astype(np.float32)).ravel()


BLOCKS = {2: ("Q4_0", 18, q4_0), 8: ("Q8_0", 34, q8_0)}


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        v = struct.unpack_from("<" + fmt, self.data, self.at)
        self.at += struct.calcsize("<" + fmt)
        return v[0] if len(v) == 1 else v

    def string(self):
        n = self.take("Q")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, n = self.take("I"), self.take("Q")
            return [self.value(inner) for _ in range(n)]
        return self.take(SCALARS[kind])


def read_gguf(path):
    """-> {name: float32 tensor} with PyTorch's order of dimensions, and {name: type}. ValueError for what it does not know."""
    data = Path(path).read_bytes()
    c = Cursor(data)
    magic, version = c.take("I"), c.take("I")
    if magic != 0x46554747 or version != 3:
        raise ValueError(f"{path}: not a GGUF file of version 3")
    tensors, pairs = c.take("Q"), c.take("Q")
    meta = {}
    for _ in range(pairs):
        key = c.string()
        meta[key] = c.value(c.take("I"))
    entries = []
    for _ in range(tensors):
        name, rank = c.string(), c.take("I")
        shape = [c.take("Q") for _ in range(rank)][::-1]
        entries.append((name, shape, c.take("I"), c.take("Q")))
    align = meta.get("general.alignment", 32)
    start = -(-c.at // align) * align
    out, types = {}, {}
    for name, shape, kind, offset in entries:
        n, at = prod(shape), start + offset
        if kind in PLAIN:
            types[name], dtype = PLAIN[kind]
            v = np.frombuffer(data, dtype, n, at).astype(np.float32)
        elif kind == 30:
            types[name], v = "BF16", bf16(data[at:at + 2 * n])
        elif kind in BLOCKS:
            types[name], size, decode = BLOCKS[kind]
            v = decode(data[at:at + n // 32 * size])
        else:
            raise ValueError(f"{path}: tensor {name} is of type {kind}, which this reader does not know")
        out[name] = torch.from_numpy(v.copy()).reshape(shape)
    return out, types


def holds(folder, role):
    """Whether a bundle has a file of this part."""
    return any((Path(folder) / f"{role}.{kind}").exists() for kind in ("gguf", "safetensors"))


def tensors(folder, role):
    """{name: float32 tensor} of one part of a bundle, from GGUF or safetensors."""
    path = Path(folder) / f"{role}.gguf"
    if path.exists():
        return read_gguf(path)[0]
    return {k: v.float() for k, v in read_safetensors(path.with_suffix(".safetensors")).items()}
