"""Warm start: a stage begins with the weights of an earlier training instead of random ones.

The folder is a bundle (such as the committed models/sprites), and may hold the
checkpoints of its training beside it (autoencoder.pt, contrast.pt, teacher.pt).
A checkpoint is preferred. From a bundle alone: the transformer is the student's
(close enough to a teacher to go on from), text encoder and decoder are whole. The
encoder lies beside them where there is one; the image tower,
which is not kept, starts from nothing.
Rows that belong to a word are copied by the word, because the list grows between
trainings; new words keep their fresh rows.
"""
import json
from pathlib import Path

import torch

from .gguf import holds, tensors

FILES = {"autoencoder": ("vae", ""), "contrast": ("text", "text."), "teacher": ("dit", "")}


def weights(folder, stage):
    """-> {name: float32 tensor} of a stage as far as the folder has it."""
    path = Path(folder) / f"{stage}.pt"
    if path.exists():
        return torch.load(path)["ema"]
    role, prefix = FILES[stage]
    state = {prefix + k: v for k, v in tensors(folder, role).items()}
    if stage == "autoencoder" and holds(folder, "encoder"):
        state |= tensors(folder, "encoder")
    return state


def words(folder):
    """The word list of the bundle's tokenizer, in the order of ids."""
    vocab = json.loads((Path(folder) / "tokenizer.json").read_text())["model"]["vocab"]
    return sorted(vocab, key=vocab.get)


def copy_rows(new, old, new_names, old_names):
    """Rows of old [len(old_names), ...] into new [len(new_names), ...] wherever the names agree; -> how many."""
    at = {n: i for i, n in enumerate(old_names)}
    pairs = [(i, at[n]) for i, n in enumerate(new_names) if n in at]
    to, source = (torch.tensor(x) for x in zip(*pairs))
    with torch.no_grad():
        new[to] = old[source].to(new.dtype)
    return len(pairs)


def load(net, folder, stage, names=None, skip=()):
    """Fills net from the folder. names: {parameter: (its row names, the old row names)} for the lists that may have
    grown; skip: beginnings of names to leave alone. A parameter that the folder lacks stays as it is, too; one of
    another shape that is not in names is an error."""
    state, found = net.state_dict(), weights(folder, stage)
    for k, v in state.items():
        if k not in found or k.startswith(tuple(skip)):
            continue
        if names and k in names:
            copy_rows(v, found[k], *names[k])
        elif v.shape == found[k].shape:
            v.copy_(found[k])
        else:
            raise ValueError(f"warm start of {stage}: {k} is {list(v.shape)} here and {list(found[k].shape)} in {folder}")
    net.load_state_dict(state)
