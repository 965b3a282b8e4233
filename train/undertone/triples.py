"""Encoded edits, made once and in parts, so that training can begin with the first ones while more are made.

python3 -m undertone.triples --count 24000 --memories 8192 --drawings 10240 writes STATE/edits; an interrupted run goes on with the
parts that are missing. A part of triples is a list of scenes with their latents, each scene followed by EDITS edited versions. A part
of memories is what the shipped student draws for captions, step by step: a model that also edits keeps to that. A part of drawings
(drawings.py) is what it draws badly or not at all: captions, noises, and the pictures that these noises should become.
"""
import argparse
import json

import numpy as np
import torch

from . import drawings, edits, render, shifts, warm
from .autoencoder import Autoencoder, to_tensor
from .config import DIT, GRID, MODEL, STATE
from .distil import SHIFTED, STEPS
from .export import configs
from .loop import save
from .precision import products
from .scene import draw_scene
from .shipped import Shipped
from .teacher import Prompts, drops, sample
from .tiny import Tiny

EDITS = 3  # of every scene
# Kinds that are learned late are made more often than they are asked for.
LATE = {"remove": 5.0, "replace": 4.0, "sun": 4.0, "other": 3.0, "polish": 1.5}
LESSONS = {k: v * LATE.get(k, 1.0) for k, v in edits.SHARES.items()}
SCENES, TRAJECTORIES = 128, 256  # in a part
SEED, MEMORY_SEED = 51, 52  # of no other stage
FOLDER = STATE / "edits"


def codec(folder=MODEL):
    """-> the encoder of a bundle, its decoder (of scaled latents), and the decoder's configuration with scale and shift."""
    auto, cfg = Autoencoder(), configs(json.loads((folder / "model.json").read_text()))["vae"]
    warm.load(auto, folder, "autoencoder")
    vae = Tiny(cfg)
    vae.decoder.load_state_dict(auto.decoder.state_dict())
    return [n.eval().requires_grad_(False).to(memory_format=torch.channels_last) for n in (auto.encoder, vae)] + [cfg]


def encode(net, cfg, pictures, batch=32):
    """uint8 pictures [N, 256, 256, 3] -> scaled latents [N, 16, 16, 16], on which the transformer works."""
    out = []
    for i in range(0, len(pictures), batch):
        with torch.no_grad(), products():
            out.append(net(to_tensor(pictures[i:i + batch])).float())
    return (torch.cat(out) - cfg["shift_factor"]) * cfg["scaling_factor"]


def drawn(number, scenes=SCENES, shares=LESSONS):
    """The scenes of part number, in the order of their latents, and the edits: -> ([scenes * (1 + EDITS)], [(row, Edit)])."""
    rng = np.random.default_rng([SEED, number])
    rows, asked = [], []
    for _ in range(scenes):
        s = edits.draw_source(rng, render.BANKS, drawings.NAMES)
        rows.append(s)
        asked.append(None)
        for _ in range(EDITS):
            edit, e = edits.draw(rng, s, shares=shares, names=drawings.NAMES)
            rows.append(e)
            asked.append(edit)
    return rows, asked


def make_triples(number, net, cfg):
    scenes, asked = drawn(number)
    z = encode(net, cfg, np.stack([render.render(s) for s in scenes]))
    return {"scenes": scenes, "edits": asked, "z": z.half()}


def make_memories(number, net, prompts):
    """-> points [TRAJECTORIES, 5, 64, 64] at t = 1, 3/4 ... 0 and the Shifts and drops they were drawn with (see distil.py)."""
    rng = np.random.default_rng([MEMORY_SEED, number])
    torch.manual_seed(MEMORY_SEED * 1000 + number)
    scenes = []
    while len(scenes) < TRAJECTORIES:
        s = draw_scene(rng, render.BANKS)
        if not drawings.hard(s):
            scenes.append(s)
    asked = shifts.lessons(rng, scenes, SHIFTED)[0]
    masks = drops(TRAJECTORIES)
    tokens, pooled = prompts.drop(*prompts.of_ids(asked.ids), *masks)
    with torch.no_grad():
        shift = asked.vector(net, prompts)
    keep = []
    noise = torch.randn(TRAJECTORIES, GRID * GRID, DIT["in_channels"])
    sample(net, tokens, pooled, prompts.empty, STEPS, noise=noise, keep=keep, shift=shift)
    return {"points": torch.stack(keep, 1).half(), "shifts": asked, "masks": torch.stack(masks, 1)}


def make_drawings(number, model, net, cfg):
    scenes, asks, noise = drawings.drawn(number, model)
    z = encode(net, cfg, np.stack([render.render(s) for s in scenes]))
    return {"scenes": scenes, "shifts": asks, "noise": noise.half(), "z": z.half()}


def parts(kind):
    """The finished parts of a kind, "triples", "memories" or "drawings", by number."""
    return sorted(FOLDER.glob(f"{kind}-*.pt"))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--count", type=int, default=24000, help="triples")
    p.add_argument("--memories", type=int, default=8192, help="trajectories of the shipped student")
    p.add_argument("--drawings", type=int, default=10240, help="pictures of scenes that it draws badly")
    a = p.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, (net, _, cfg) = Shipped(MODEL), codec()
    prompts = Prompts(model.text)
    makers = {"triples": (-(-a.count // (SCENES * EDITS)), lambda n: make_triples(n, net, cfg)),
              "memories": (-(-a.memories // TRAJECTORIES), lambda n: make_memories(n, model.net, prompts)),
              "drawings": (-(-a.drawings // drawings.PART), lambda n: make_drawings(n, model, net, cfg))}
    most = max(n for n, _ in makers.values())
    for share in range(most):  # all kinds grow together
        for kind, (count, make) in makers.items():
            for n in range(share * count // most, (share + 1) * count // most):
                path = FOLDER / f"{kind}-{n:04d}.pt"
                if not path.exists():
                    save(path, make(n))
                    print(json.dumps({"stage": kind, "part": n + 1, "of": count}), flush=True)


if __name__ == "__main__":
    main()
