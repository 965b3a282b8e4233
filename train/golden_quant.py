"""Golden files of weight formats, by other people's readers: the gguf package for
ggml's block formats, ml_dtypes for 8-bit floats (the older PyTorch that the training
still runs on has none).

`make golden` installs both in build/golden and runs this, which writes
engine/quant/testdata/blocks.safetensors (random blocks of every format and what they
decode to, for each the tensors FORMAT.blocks and FORMAT.values) and
engine/weights/testdata/formats.gguf (a file as ComfyUI's tools write it, with a tensor
of each format).
"""
import json
import struct
from importlib import metadata
from pathlib import Path

import gguf
import ml_dtypes
import numpy as np
from gguf import GGMLQuantizationType as T

ROOT = Path(__file__).resolve().parent.parent / "engine"
# Of each block format: the bytes of a block at which binary16 scales begin.
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0],
}


def blocks(rng, kind, count, extreme):
    """Random bytes with finite scales; extreme: the largest, subnormal, negative and zero ones, and bytes all alike."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    b = rng.integers(0, 256, (count, size), dtype=np.uint8)
    scales = rng.normal(0, 0.01, (count, len(HALVES[kind]))).astype(np.float16)
    if extreme:
        b[0], b[1] = 255, 0
        odd = np.array([0x7BFF, 0xFBFF, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x0000, 0x8000, 0x3C00, 0xBC00], dtype=np.uint16).view(np.float16)
        scales[: len(odd)] = np.stack([np.roll(odd, i) for i in range(scales.shape[1])], 1)
    for i, at in enumerate(HALVES[kind]):
        b[:, at:at + 2] = scales[:, i:i + 1].copy().view(np.uint8)
    return b


def float8(kind):
    """All 256 codes and their values."""
    codes = np.arange(256, dtype=np.uint8)
    return codes, codes.view(kind).astype(np.float32)


def golden_blocks(rng):
    tensors = {}
    for kind in HALVES:
        b = blocks(rng, kind, 13, extreme=True)
        tensors[f"{kind.name}.blocks"] = b
        tensors[f"{kind.name}.values"] = gguf.quants.dequantize(b, kind).astype(np.float32)
    for name, kind in (("F8_E4M3", ml_dtypes.float8_e4m3fn), ("F8_E5M2", ml_dtypes.float8_e5m2)):
        tensors[f"{name}.blocks"], tensors[f"{name}.values"] = float8(kind)
    return tensors


def write_safetensors(path, tensors, **meta):
    header, data = {"__metadata__": meta}, b""
    for name in sorted(tensors):
        t = np.ascontiguousarray(tensors[name])
        kind = {"uint8": "U8", "float32": "F32"}[t.dtype.name]
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [len(data), len(data) + t.nbytes]}
        data += t.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def golden_gguf(path, rng):
    """A tensor of each format under names of FLUX, whose values begin as values.NAME says."""
    w = gguf.GGUFWriter(path, arch="flux")
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_S)
    for i, kind in enumerate(HALVES):
        b = blocks(rng, kind, 6, extreme=False)
        elems = gguf.GGML_QUANT_SIZES[kind][0]
        name = f"double_blocks.{i}.img_attn.qkv.weight"
        w.add_tensor(name, b.reshape(3, -1), raw_dtype=kind)
        values = gguf.quants.dequantize(b.reshape(3, -1), kind).astype(np.float32)
        w.add_tensor(f"values.{kind.name}", values)
        assert values.shape == (3, 2 * elems)
    plain = rng.normal(0, 1, (3, 40)).astype(np.float32)
    w.add_tensor("single_blocks.0.linear1.bias", plain[0])
    w.add_tensor("single_blocks.0.linear1.weight", plain.astype(np.float16))
    w.add_tensor("single_blocks.0.linear2.weight", gguf.quants.quantize(plain, T.BF16), raw_dtype=T.BF16)
    # A tensor of more dimensions than ggml's tools like is stored flat, its shape beside it.
    w.add_array("comfy.gguf.orig_shape.final_layer.linear.weight", [4, 10, 1, 1])
    w.add_tensor("final_layer.linear.weight", plain[1].reshape(1, 40))
    # Types that no model computes with are no reason to refuse a file.
    w.add_tensor("position_ids", np.arange(5, dtype=np.int64))
    w.add_tensor("counts", np.arange(5, dtype=np.int32))
    w.add_tensor("sigmas", np.linspace(0, 1, 5))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    np.seterr(all="ignore")
    write_safetensors(ROOT / "quant/testdata/blocks.safetensors", golden_blocks(np.random.default_rng(1)), gguf=metadata.version("gguf"))
    path = ROOT / "weights/testdata/formats.gguf"
    path.parent.mkdir(exist_ok=True)
    golden_gguf(path, np.random.default_rng(2))
