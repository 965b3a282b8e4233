"""A model without a pooled path that draws as well as the shipped one: what an adapter (adapter.py) is tried on.

python3 -m undertone.pathless --minutes 30 starts or goes on with STATE/pathless.pt, --export FOLDER writes what it has reached as a
bundle, and --prompts 4096 prints captions for an adapter to learn from.

The shipped transformer loses its path (bundle_edit.cut) and with it what the pooled vector told every block. It learns to do
without by repeating the pictures that the shipped one draws for captions: four points of each trajectory, and the mean velocity
from each to the next, as in distil.py. Some captions are empty, so that the tokens of no words mean any picture.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import bundle, render
from .bundle_edit import join, pathless, rewrite
from .captions import caption, one_aspect
from .config import DIT, GRID, MODEL, STATE
from .distil import STEPS
from .export import write_manifest
from .flux import Flux
from .fused import FusedFlux, library
from .loop import load_ema, save, train
from .precision import bf16
from .scene import draw_scene
from .shipped import Shipped
from .teacher import sample, velocity

TRAJECTORIES = 256  # in a part
SEED = 53  # of no other stage
EMPTY = .10  # of the captions
KINDS = {"single": .6, "copies": .16, "pair": .24}
BARE = .25  # of the prompts of an adapter say one aspect only, as directions of guidance do


def make_lessons(number, model):
    """-> points [TRAJECTORIES, 5, 64, 64] at t = 1, 3/4 ... 0 of what the model draws for captions, and the captions' ids."""
    rng = np.random.default_rng([SEED, number])
    torch.manual_seed(SEED * 1000 + number)
    texts = ["" if rng.random() < EMPTY else caption(rng, draw_scene(rng, render.BANKS, kinds=KINDS)) for _ in range(TRAJECTORIES)]
    keep = []
    noise = torch.randn(TRAJECTORIES, GRID * GRID, DIT["in_channels"])
    sample(model.net, *model.encode(texts), model.empty, STEPS, noise=noise, keep=keep)
    return {"points": torch.stack(keep, 1).half(), "ids": torch.tensor([model.ids(t) for t in texts])}


def lessons(model, count):
    """-> points and ids of so many trajectories, made once, in parts."""
    folder, parts = STATE / "pathless", []
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(-(-count // TRAJECTORIES)):
        path = folder / f"lessons-{n:04d}.pt"
        if not path.exists():
            save(path, make_lessons(n, model))
            print(json.dumps({"stage": "lessons", "done": (n + 1) * TRAJECTORIES, "of": count}), flush=True)
        parts.append(torch.load(path))
    return [torch.cat([p[k] for p in parts]) for k in ("points", "ids")]


def prompts(count):
    """Captions for an adapter to learn from."""
    rng = np.random.default_rng([SEED, 1])
    scenes = [draw_scene(rng, render.BANKS, kinds=KINDS) for _ in range(count)]
    return [one_aspect(rng, s) if rng.random() < BARE else caption(rng, s) for s in scenes]


def network():
    return (FusedFlux if bf16() and library() else Flux)({**DIT, "vec_in_dim": 0})


def make(folder, minutes, count=12288, batch=32, seed=9, lr=5e-4):
    """-> the network (EMA), trained for so many minutes of CPU time in all, over any number of runs."""
    torch.manual_seed(seed)
    model, net = Shipped(folder), network()
    net.load_state_dict(pathless(Shipped(folder, exact=True)))
    points, ids = lessons(model, count)
    rng = np.random.default_rng()

    def loss_of(progress):
        n = batch if progress < .5 else 2 * batch  # many steps first, quiet gradients later
        pick = torch.from_numpy(rng.integers(len(points), size=n))
        q = torch.randint(STEPS, (n,))
        a, b = points[pick, q].float(), points[pick, q + 1].float()
        with torch.no_grad(), model.precision():
            tokens = model.text(ids[pick])[0].float()
        v = velocity(net, a, 1 - q.float() / STEPS, tokens, None)
        return (v - (a - b) * STEPS).pow(2).mean()

    return train("pathless", net, loss_of, minutes, lr, decay=.998).eval()


def export(folder, other):
    """Writes the network of the last save as a bundle beside the one it was cut from."""
    state = load_ema("pathless", network()).state_dict()
    rewrite(folder, other, {k: v.to(torch.bfloat16) for k, v in state.items()}, vec_in_dim=0)


def adapted(folder, adapter, other):
    """Writes such a bundle with its adapter in it, under its own name and with presets."""
    join(folder, adapter, other)
    manifest = json.loads((other / "model.json").read_text())
    write_manifest(other, {**manifest, **bundle.ADAPTED, "presets": bundle.ADAPTED_PRESETS})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=30, help="of CPU time, in all runs together")
    p.add_argument("--model", type=Path, default=MODEL, metavar="FOLDER", help="the bundle whose path is taken away")
    p.add_argument("--count", type=int, default=12288, help="pictures of the model's own that are learned from")
    p.add_argument("--export", type=Path, metavar="FOLDER", help="write the model of the last save as a bundle into this folder, and train no further")
    p.add_argument("--prompts", type=int, metavar="N", help="print N captions, and do no more")
    p.add_argument("--adapted", type=Path, nargs=2, metavar=("ADAPTER", "FOLDER"),
                   help="write --model, which has no path, with its adapter into this folder, to be offered, and do no more")
    a = p.parse_args()
    if a.prompts:
        print("\n".join(prompts(a.prompts)))
        return
    torch.set_num_threads(min(torch.get_num_threads(), 8))
    if a.adapted:
        adapted(a.model, *a.adapted)
        return
    if a.export:
        export(a.model, a.export)
        return
    make(a.model, a.minutes, a.count)


if __name__ == "__main__":
    main()
