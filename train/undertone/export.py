"""Writes a bundle: bf16 safetensors, tokenizer.json and the model.json that names their hashes."""
import hashlib
import json
import os
import struct
from pathlib import Path

import torch

from . import bundle, captions

PIECE = 4 << 20
NAMES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.float64: "F64"}
TYPES = {v: k for k, v in NAMES.items()}


def raw(t):
    t = t.detach().cpu().contiguous()
    return (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()


def write_safetensors(path, tensors):
    """tensors: {name: tensor}. The file appears whole or not at all."""
    header, blobs, offset = {}, [], 0
    for name in sorted(tensors):
        t = tensors[name]
        blob = raw(t)
        header[name] = {"dtype": NAMES[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    tmp = Path(str(path) + ".part")
    with open(tmp, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for b in blobs:
            f.write(b)
    os.replace(tmp, path)


def read_safetensors(path):
    """-> {name: tensor} for the types written above."""
    data = Path(path).read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, e in json.loads(data[8:8 + n]).items():
        if name == "__metadata__":
            continue
        a, b = e["data_offsets"]
        dtype = TYPES[e["dtype"]]
        store = torch.int16 if dtype == torch.bfloat16 else dtype
        t = torch.frombuffer(bytearray(data[8 + n + a:8 + n + b]), dtype=store)
        out[name] = (t.view(torch.bfloat16) if dtype == torch.bfloat16 else t).reshape(e["shape"])
    return out


def write_encoder(folder, net):
    """The encoder of an Autoencoder, which training needs to go on in the latents of the folder's decoder."""
    write_safetensors(Path(folder) / "encoder.safetensors", encoder_state(net.encoder))


def encoder_state(encoder):
    return {"encoder." + k: v.to(torch.bfloat16) for k, v in encoder.state_dict().items()}


def file_entry(role, path):
    data = path.read_bytes()
    pieces = [hashlib.sha256(data[i:i + PIECE]).digest() for i in range(0, len(data), PIECE)]
    return {"role": role, "name": role, "path": path.name, "bytes": len(data), "pieces": [p.hex() for p in pieces],
            "sha256": hashlib.sha256(b"".join(pieces)).hexdigest()}


def configs(manifest):
    """-> {name of a weight file: the configuration of its network}, "dit", "text" and "vae" of the bundles written here."""
    return {c["file"]: c["config"] for c in manifest["components"]}


def write_bundle(folder, dit, text, vae, vae_config, revision, vocab=captions.VOCAB, encoder=None, offers=bundle.OFFERS):
    """dit: Flux, text: Clip, vae: Tiny (modules); vae_config: with scaling, shift and preview; vocab: {word: id} of text;
    encoder: tiny.Encoder of a model that edits pictures."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    states = {role: {k: v.to(torch.bfloat16) for k, v in net.state_dict().items()}
              for role, net in (("dit", dit), ("text", text), ("vae", vae))}
    if encoder:
        states["encoder"] = encoder_state(encoder)
    entries, counts = [], {}
    for role, state in states.items():
        counts[role] = sum(v.numel() for v in state.values())
        write_safetensors(folder / f"{role}.safetensors", state)
        entries.append(file_entry(role, folder / f"{role}.safetensors"))
    tmp = folder / "tokenizer.json.part"
    tmp.write_text(captions.tokenizer_json(vocab))
    os.replace(tmp, folder / "tokenizer.json")
    entries.append(file_entry("tokenizer", folder / "tokenizer.json"))
    component = lambda role, kind, file, config, **more: {"role": role, "kind": kind, **more, "config": config, "file": file,
                                                          "parameters": counts[file]}
    components = [component("text", "clip", "text", text.cfg, name="clip", tokenizer="tokenizer"),
                  component("transformer", bundle.ABOUT["family"], "dit", dit.cfg), component("decoder", "tiny", "vae", vae_config)]
    if encoder:
        scale = {k: vae_config[k] for k in ("scaling_factor", "shift_factor")}
        components.append(component("encoder", "tiny", "encoder", {**encoder.config(), **scale}))
    manifest = {"format": "undertone-model", "version": 2, **bundle.ABOUT, "revision": revision, "licenses": bundle.LICENSES,
                "files": entries, "components": components, "scheduler": {"kind": "flow", "shift": 1.0}, **offers}
    write_manifest(folder, manifest)
    return manifest


def write_manifest(folder, manifest):
    tmp = folder / "model.json.part"
    tmp.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(tmp, folder / "model.json")
