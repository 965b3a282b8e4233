"""Bundles with another transformer: one without its pooled path, and one with a pooled adapter."""
import json
import os
import shutil
from pathlib import Path

import torch

from .export import configs, file_entry, read_safetensors, write_safetensors
from .gguf import tensors
from .shipped import Shipped


def rewrite(folder, other, state, **changes):
    """Copies a bundle with other tensors and a changed configuration of its transformer."""
    folder, other = Path(folder), Path(other)
    manifest = json.loads((folder / "model.json").read_text())
    if other.resolve() == folder.resolve():
        raise ValueError(f"{other} is the bundle itself; name another folder")
    other.mkdir(parents=True, exist_ok=True)
    for f in manifest["files"]:
        if f["role"] != "dit":
            shutil.copyfile(folder / f["path"], other / f["path"])
    write_safetensors(other / "dit.safetensors", state)
    manifest["files"] = [file_entry("dit", other / "dit.safetensors") if f["role"] == "dit" else f for f in manifest["files"]]
    for c in manifest["components"]:
        if c["file"] == "dit":
            c["config"].update(changes)
            c["parameters"] = sum(v.numel() for v in state.values())
    manifest.pop("rounding", None)  # it was measured with the other transformer
    if not configs(manifest)["dit"].get("pooled_dim") and not configs(manifest)["dit"]["vec_in_dim"]:
        manifest["presets"] = []  # which have no path
    tmp = other / "model.json.part"
    tmp.write_text(json.dumps(manifest, indent=1) + "\n")
    os.replace(tmp, other / "model.json")


def pathless(model):
    """The state of a model's FLUX without its pooled path: what the empty prompt's vector gives it is in a bias for ever."""
    state = {k: v.clone() for k, v in model.net.state_dict().items() if not k.startswith("vector_in.")}
    state["time_in.out_layer.bias"] += model.psi([""])[0]
    return state


def cut(folder, other):
    """Writes a bundle whose FLUX reads no pooled vector."""
    state = pathless(Shipped(folder, exact=True))
    rewrite(folder, other, {k: v.to(torch.bfloat16) for k, v in state.items()}, vec_in_dim=0)


def join(folder, adapter, other):
    """Writes a bundle with an adapter's tensors in its transformer's file (ValueError for another model's)."""
    cfg = configs(json.loads((Path(folder) / "model.json").read_text()))["dit"]
    state, more = tensors(folder, "dit"), read_safetensors(adapter)
    blocks, width = more["scales"].shape
    have = cfg["depth"] + cfg["depth_single_blocks"]
    if (blocks, width) != (have, cfg["hidden_size"]):
        raise ValueError(f"{adapter} is for {blocks} blocks of {width}, the transformer has {have} of {cfg['hidden_size']}")
    rewrite(folder, other, {k: v.to(torch.bfloat16) for k, v in {**state, **more}.items()},
            pooled_dim=more["text_embedder_clip.linear_1.weight"].shape[1])
