"""Whole small networks in every GGUF format, by the gguf package.

`make golden` runs this; it writes engine/testdata/gguf.json: of a FLUX.1 and an SD3.5
in each format the header that gguf's writer gives a file as ComfyUI's tools write it,
the SHA-256 of the whole file, and the SHA-256 of the numbers that gguf's own readers
decode from it. The data themselves are pseudo-random (splitmix64, seeded with a
tensor's name) with the exponents of all floats and scales put in place, so that a test
makes the same file again.
"""
import base64
import gzip
import hashlib
import io
import json
import tempfile
from importlib import metadata
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import LlamaFileType as L

ROOT = Path(__file__).resolve().parent.parent / "engine/testdata"
D, TEXT = 256, 256  # K formats have blocks of 256

# Of each format: what general.file_type calls it, where in a block binary16 scales
# begin, and the exponent that these get, which makes weights of about 0.05.
FORMATS = {
    T.F32: (L.ALL_F32, [], 0), T.F16: (L.MOSTLY_F16, [], 0), T.BF16: (L.MOSTLY_BF16, [], 0),
    T.Q8_0: (L.MOSTLY_Q8_0, [0], 4), T.Q4_0: (L.MOSTLY_Q4_0, [0], 8), T.Q4_1: (L.MOSTLY_Q4_1, [0, 2], 7),
    T.Q5_0: (L.MOSTLY_Q5_0, [0], 7), T.Q5_1: (L.MOSTLY_Q5_1, [0, 2], 6), T.Q2_K: (L.MOSTLY_Q2_K, [80, 82], 6),
    T.Q3_K: (L.MOSTLY_Q3_K_S, [108], 5), T.Q4_K: (L.MOSTLY_Q4_K_S, [0, 2], 2), T.Q5_K: (L.MOSTLY_Q5_K_S, [0, 2], 1),
    T.Q6_K: (L.MOSTLY_Q6_K, [208], 0), T.IQ4_NL: (L.MOSTLY_IQ4_NL, [0], 4), T.IQ4_XS: (L.MOSTLY_IQ4_XS, [0], 0),
}
U64 = np.uint64


def random_bytes(name, count):
    seed = U64(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
    z = seed + np.arange(1, (count + 7) // 8 + 1, dtype=U64) * U64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
    return (z ^ (z >> U64(31))).astype("<u8").view(np.uint8)[:count].copy()


def data(name, kind, elements):
    """The bytes of a tensor. Scales of q and k norms are between 1 and 2, all other floats near 0.05."""
    per, size = gguf.GGML_QUANT_SIZES[kind]
    b = random_bytes(name, elements // per * size)
    norm = name.endswith(("_norm.scale", "ln_q.weight", "ln_k.weight"))
    if kind == T.F32:
        v = b.view("<u4")
        v[:] = v & 0x807FFFFF | (127 if norm else 122) << 23
    elif kind == T.F16:
        v = b.view("<u2")
        v[:] = v & 0x83FF | 10 << 10
    elif kind == T.BF16:
        v = b.view("<u2")
        v[:] = v & 0x807F | 122 << 7
    else:
        _, halves, exponent = FORMATS[kind]
        blocks = b.reshape(-1, size)
        for at in halves:
            v = blocks[:, at:at + 2].copy().view("<u2")
            blocks[:, at:at + 2] = (v & 0x83FF | exponent << 10).astype("<u2").view(np.uint8)
    return b


def linear(out, name, rows, cols):
    out[name + ".weight"], out[name + ".bias"] = (rows, cols), (rows,)


def flux():
    out = {}
    linear(out, "img_in", D, 64)
    linear(out, "txt_in", D, TEXT)
    for name, width in (("time_in", 256), ("vector_in", TEXT), ("guidance_in", 256)):
        linear(out, name + ".in_layer", D, width)
        linear(out, name + ".out_layer", D, D)
    for side in ("img", "txt"):
        at = f"double_blocks.0.{side}_"
        linear(out, at + "mod.lin", 6 * D, D)
        linear(out, at + "attn.qkv", 3 * D, D)
        out[at + "attn.norm.query_norm.scale"] = out[at + "attn.norm.key_norm.scale"] = (128,)
        linear(out, at + "attn.proj", D, D)
        linear(out, at + "mlp.0", D, D)
        linear(out, at + "mlp.2", D, D)
    at = "single_blocks.0."
    linear(out, at + "modulation.lin", 3 * D, D)
    linear(out, at + "linear1", 4 * D, D)
    linear(out, at + "linear2", D, 2 * D)
    out[at + "norm.query_norm.scale"] = out[at + "norm.key_norm.scale"] = (128,)
    linear(out, "final_layer.linear", 64, D)
    linear(out, "final_layer.adaLN_modulation.1", 2 * D, D)
    return out


def sd3():
    out = {"pos_embed": (1, 64, D), "x_embedder.proj.weight": (D, 16, 2, 2), "x_embedder.proj.bias": (D,)}
    for name, width in (("t_embedder", 256), ("y_embedder", TEXT)):
        linear(out, name + ".mlp.0", D, width)
        linear(out, name + ".mlp.2", D, D)
    linear(out, "context_embedder", D, TEXT)
    for n in range(2):
        for side in ("x_block", "context_block"):
            at = f"joint_blocks.{n}.{side}."
            last = n == 1 and side == "context_block"
            second = n == 0 and side == "x_block"
            linear(out, at + "adaLN_modulation.1", (2 if last else 9 if second else 6) * D, D)
            for attention in ["attn"] + ["attn2"] * second:
                linear(out, at + attention + ".qkv", 3 * D, D)
                out[at + attention + ".ln_q.weight"] = out[at + attention + ".ln_k.weight"] = (64,)
                if not last:
                    linear(out, at + attention + ".proj", D, D)
            if not last:
                linear(out, at + "mlp.fc1", 4 * D, D)
                linear(out, at + "mlp.fc2", D, 4 * D)
    linear(out, "final_layer.linear", 64, D)
    linear(out, "final_layer.adaLN_modulation.1", 2 * D, D)
    return out


def write(arch, shapes, kind):
    """The file's bytes, and the numbers in it in the order of its tensors."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.gguf"
        w = gguf.GGUFWriter(path, arch=arch)
        w.add_quantization_version(gguf.GGML_QUANT_VERSION)
        w.add_file_type(FORMATS[kind][0])
        numbers = hashlib.sha256()
        for name, shape in shapes.items():
            elements = int(np.prod(shape))
            # As ComfyUI's tools: vectors stay, and what has no rows of whole blocks is
            # stored in another shape, its own beside it.
            this = kind if len(shape) > 1 else T.F32
            if len(shape) > 1 and (len(shape) > 2 or shape[-1] % 256):
                w.add_array(f"comfy.gguf.orig_shape.{name}", list(shape))
                shape = (elements // 256, 256)
            raw = data(name, this, elements).reshape(*shape[:-1], -1)
            plain = {T.F32: "<f4", T.F16: "<f2"}.get(this)
            w.add_tensor(name, raw.view(plain) if plain else raw, raw_dtype=this)
            values = raw.view(plain) if plain else gguf.quants.dequantize(raw, this)
            numbers.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
        return path.read_bytes(), numbers.hexdigest()


def main():
    out = {"gguf": metadata.version("gguf"), "networks": {}}
    for arch, shapes in (("flux", flux()), ("sd3", sd3())):
        for kind in FORMATS:
            file, numbers = write(arch, shapes, kind)
            reader_start = len(file) - sum(-(-t_bytes(n, s, kind) // 32) * 32 for n, s in shapes.items())
            packed = io.BytesIO()
            with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as z:
                z.write(file[:reader_start])
            out["networks"].setdefault(arch, {})[kind.name] = {
                "header": base64.b64encode(packed.getvalue()).decode(), "bytes": len(file), "sha256": hashlib.sha256(file).hexdigest(),
                "numbers": numbers, "halves": FORMATS[kind][1], "exponent": FORMATS[kind][2],
            }
    path = ROOT / "gguf.json"
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


def t_bytes(name, shape, kind):
    per, size = gguf.GGML_QUANT_SIZES[kind if len(shape) > 1 else T.F32]
    return int(np.prod(shape)) // per * size


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
