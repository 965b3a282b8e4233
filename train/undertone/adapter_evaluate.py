"""Measures a model without a pooled path, its adapter, and guidance through it, beside the model that always had the path.

python3 -m undertone.adapter_evaluate PLAIN ADAPTED --out FOLDER [section ...]: PLAIN is a bundle that pathless.py exported, ADAPTED
the same with its adapter in it (adapter.py --join). Writes evaluation.json and grids into FOLDER; a section that is run again
replaces its part. Needs what evaluate.py needs. adapter_report.py makes the card of what is written here.
"""
import argparse
import json
from functools import cached_property
from pathlib import Path

import numpy as np

from . import judge, plots, sweeps
from .bench import Bench, paired, summary
from .bundle import OFFERS
from .config import MODEL, STATE
from .evaluate import TABLES, measure, psnr, sections_of
from .heldout import bootstrap, held_out, wilson
from .shipped import Shipped

WEIGHTS = (-1, 0, 1, 2, 3, 4)
STARTS = (0, 2, 3)  # 0 is the constant schedule
NAMED = ("detail", "polish")  # of sweeps.DIRECTIONS


class Setting:
    """The networks and captions of one evaluation, loaded when first needed."""

    def __init__(self, plain, adapted, out, captions, few):
        self.out, self.folders = out, {"with its path": MODEL, "without": plain, "adapter": adapted}
        self.items, self.few = held_out(captions), few
        self.bench = Bench(judge.trained(), json.loads((STATE / "judge.json").read_text()))
        self.loaded = {}

    def model(self, name):
        if name not in self.loaded:
            self.loaded[name] = Shipped(self.folders[name])
        return self.loaded[name]

    @cached_property
    def free(self):
        return sweeps.free(self.items, "detail", "polish")[:self.few]

    @cached_property
    def presets(self):
        """The shipped presets that name a style, time or place, with what the judge should say."""
        out = []
        for p in OFFERS["presets"]:
            hit = [(k, v) for k, table in TABLES.items() for v, phrases in table.items() if p["positive"] in phrases]
            out += [{**p, "aspect": hit[0]}] if hit else []
        return out


def generation(e):
    """Every model on all captions, unguided, and how far the adapter moves a picture at w = 0."""
    scores = {name: e.bench.trial(e.model(name), e.items) for name in e.folders}
    pictures = {name: e.bench.pictures(e.model(name), e.items[:e.few]) for name in e.folders}
    return {"captions": len(e.items), **{k: summary(v, e.items)["all"] for k, v in scores.items()},
            "without - with": paired(scores["without"], scores["with its path"]),
            "adapter - without": paired(scores["adapter"], scores["without"]),
            "detail": {k: bootstrap(v["detail score"]) for k, v in scores.items()},
            "polish": {k: bootstrap(v["polish score"]) for k, v in scores.items()},
            "psnr": {"captions": e.few, "adapter": psnr(pictures["adapter"], pictures["without"]),
                     "with its path": psnr(pictures["with its path"], pictures["without"])}}


def guidance(e):
    """Score gained and objects lost over the weight: constant and from a block on, through the adapter and through the path
    that was always there; beside the words in the prompt."""
    out = {"captions": len(e.free)}
    for name in NAMED:
        out[name] = {which: sweeps.sweep(e.bench, e.model(which), e.free, name, STARTS, WEIGHTS, STARTS)
                     for which in ("with its path", "adapter")}
        out[name]["words"] = sweeps.words(e.bench, e.model("without"), e.free, name)
        out[name]["random"] = sweeps.random_directions(e.bench, e.model("adapter"), e.free, name)
    return out


def presets(e):
    """How often a direction of time, style or place does what it says at each weight of every block, on captions that leave it open."""
    out = {}
    for p in e.presets:
        aspect, value = p["aspect"]
        some = sweeps.free(e.items, aspect)[:e.few]
        row = out[p["id"]] = {"captions": len(some)}
        for which in ("with its path", "adapter"):
            model = e.model(which)
            delta = model.directions([p["positive"]], [p["negative"]])
            base = e.bench.read(model, some)
            for w in WEIGHTS[2:]:
                got = e.bench.read(model, some, shift=model.shift(delta, w))
                row.setdefault(which, {"0": {"share": wilson((base["seen"][aspect] == value).astype(float))}})[str(w)] = {
                    "share": wilson((got["seen"][aspect] == value).astype(float)),
                    "object change": bootstrap(got["scores"]["object"] - base["scores"]["object"], 100, digits=1)}
    return out


def grids(e):
    """guidance.png: directions through the adapter; samples.png: the first captions by every model, one under the other."""
    plots.weights(e.model("adapter"), e.out / "guidance.png")
    rows = [e.bench.pictures(e.model(name), e.items[:16]) for name in e.folders]
    tiles, texts = [], []
    for i in range(0, 16, 8):
        for name, pictures in zip(e.folders, rows):
            tiles += list(pictures[i:i + 8])
            texts += [it.text if name == "adapter" else name for it in e.items[i:i + 8]]
    plots.captioned(np.stack(tiles), texts, e.out / "samples.png")


SECTIONS = {f.__name__: f for f in (generation, guidance, presets, grids)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("plain", type=Path)
    p.add_argument("adapted", type=Path)
    p.add_argument("sections", nargs="*", help=f"of: {' '.join(SECTIONS)} (default: all)")
    p.add_argument("--out", type=Path, required=True, help="folder for evaluation.json and the grids")
    p.add_argument("--captions", type=int, default=400)
    p.add_argument("--few", type=int, default=120, help="captions of each cell of a sweep")
    a = p.parse_args()
    chosen = sections_of(p, a.sections, SECTIONS)
    a.out.mkdir(parents=True, exist_ok=True)
    e, path = Setting(a.plain, a.adapted, a.out, a.captions, a.few), a.out / "evaluation.json"
    measure(e, chosen, path)


if __name__ == "__main__":
    main()
