"""Scores the shipped model: python3 -m undertone.evaluate [section ...] writes evaluation.json and the grids.

Without a section, all of them. A section that is run again replaces its part of evaluation.json, so an interrupted
evaluation goes on with the sections that are missing. Needs the judge (undertone.judge) and a bundle; edit_evaluate.py
measures how it edits. report.py makes the model card from what is written here.
"""
import argparse
import datetime
import json
import subprocess
import time
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from . import ablation, autoencoder, judge, plots, render, sweeps
from .bench import Bench, paired, summary
from .captions import COLOUR_WORDS, PLACE_WORDS, STYLE_WORDS, TIME_WORDS
from .config import MODEL, ROOT, STATE
from .heldout import NOISE, SEED, held_out
from .scene import COLOURS, EVERY, STYLES
from .shipped import Shipped

GRID = 48
TABLES = {"style": STYLE_WORDS, "time": TIME_WORDS, "place": PLACE_WORDS,
          "first colour": {c: COLOUR_WORDS.get(c, [c]) for c in COLOURS}}


class Setting:
    """The networks and captions of one evaluation, loaded when first needed."""

    def __init__(self, folder, out, captions, sweep, before):
        self.folder, self.out, self.n, self.few, self.before = folder, out, captions, sweep, before

    @cached_property
    def auto(self):
        return autoencoder.load()

    @cached_property
    def examined(self):
        return json.loads((STATE / "judge.json").read_text())

    @cached_property
    def bench(self):
        return Bench(judge.trained(), self.examined)

    @cached_property
    def items(self):
        return held_out(self.n)

    @cached_property
    def student(self):
        return Shipped(self.folder)

    @cached_property
    def presets(self):
        """The bundle's presets; "aspect": what a preset of style, time, place or colour should make the judge say."""
        out = []
        for p in self.student.manifest["presets"]:
            hit = [(k, v) for k, table in TABLES.items() for v, phrases in table.items() if p["positive"] in phrases]
            out.append({**p, "aspect": hit[0] if hit else None})
        return out


def quantized(folder, kind):
    """The folder of a bundle as `undertone convert` writes it, made anew."""
    out = STATE / "evaluation" / f"{folder.resolve().name}-{kind}"
    subprocess.run(["go", "run", "./cmd/undertone", "convert", folder.resolve(), "--to", kind, "--out", out],
                   cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return out


def stages():
    """What the training logs say: {stage: minutes, steps, first and last loss}."""
    out = {}
    for stage in ("autoencoder", "contrast", "teacher", "student", "edit", "judge"):
        log = STATE / f"{stage}.log"
        lines = [json.loads(x) for x in log.read_text().splitlines()] if log.exists() else []
        if lines:
            out[stage] = {"minutes": round(lines[-1]["seconds"] / 60, 1), "steps": lines[-1]["step"],
                          "first": lines[0]["loss"], "last": lines[-1]["loss"]}
    return out


def about(e):
    m = e.student.manifest
    return {"date": datetime.date.today().isoformat(), "revision": m["revision"], "parameters": {c["file"]: c["parameters"] for c in m["components"]},
            "files": {f["path"]: {"bytes": f["bytes"], "sha256": f["sha256"]} for f in m["files"]}, "captions": e.n, "seed": SEED, "noise": NOISE,
            "sweep captions": e.few, "torch": torch.__version__, "stages": stages(),
            "intervals": "95 %: Wilson's for shares, bootstrap over captions (2,000 rounds) for means and paired differences"}


def judged(e):
    held = autoencoder.held_out()
    each = autoencoder.psnr(e.auto, autoencoder.pictures(held, STATE / "held.u8"))
    mean = lambda v: round(float(np.mean(v)), 2)  # noqa: E731
    ceiling = np.concatenate([judge.through(e.auto, np.stack([render.render(it.scene) for it in e.items[i:i + 50]]))
                              for i in range(0, e.n, 50)])
    return {**e.examined, "blind": sorted(f"{k}, {s}" for k, s in e.bench.blind),
            "parameters": sum(p.numel() for p in e.bench.net.parameters()),
            "autoencoder": {"pictures": len(held), "psnr": mean(each), "by_style": {
                k: mean([v for v, s in zip(each, held) if s.style == k]) for k in STYLES}},
            "ceiling": summary(e.bench.score(ceiling, e.items), e.items)}


def psnr(a, b):
    """Median and 5 % quantile over pictures of the PSNR in dB between two uint8 arrays."""
    mse = ((a.astype(np.float32) - b) ** 2).mean((1, 2, 3))
    each = 10 * np.log10(255 ** 2 / np.maximum(mse, 1e-9))
    return {"median": round(float(np.median(each)), 2), "5 %": round(float(np.quantile(each, .05)), 2)}


def variants(e):
    """The student from the weights in models/, at Q8_0 and at 4 bits: accuracy on all captions; PSNR in float32 on some."""
    out, scores, exact = {}, {}, {}
    folders = {"student": e.folder, "Q8_0": quantized(e.folder, "Q8_0"), "Q4_0": quantized(e.folder, "Q4_0")}
    for name, folder in folders.items():
        pictures = e.bench.pictures(e.student if name == "student" else Shipped(folder), e.items)
        scores[name] = e.bench.score(pictures, e.items)
        exact[name] = e.bench.pictures(Shipped(folder, exact=True), e.items[:e.few])
        out[name] = {"bytes": sum(f.stat().st_size for f in folder.iterdir() if f.suffix in (".safetensors", ".gguf")),
                     **summary(scores[name], e.items)}
        if name == "student":
            plots.captioned(pictures[:GRID], [it.text for it in e.items[:GRID]], e.out / "samples.png")
        else:
            out[name]["psnr"] = {"captions": len(exact[name]), **psnr(exact[name], exact["student"])}
    out["Q4_0 - Q8_0"] = paired(scores["Q4_0"], scores["Q8_0"])
    return out


def before(e):
    """An earlier model and the present one on the captions whose every word the earlier one knew."""
    if not e.before:
        return None
    old = Shipped(e.before)
    items = [it for it in e.items if old.knows(it.text)]
    a, b = e.bench.trial(old, items), e.bench.trial(e.student, items)
    return {"revision": old.manifest["revision"], "captions": len(items), "before": summary(a, items), "now - before": paired(b, a)}


def objects(e):
    """Which objects come out as asked for, of all that the model knows, on twice as many captions."""
    items = held_out(2 * e.n, tuple(EVERY))
    out = summary(e.bench.trial(e.student, items), items)
    return {"captions": len(items), "all": out["all"], "object": out["by"]["object"], "object by kind": out["by"]["object by kind"]}


def guidance(e):
    """Sweeps of weight and start for three directions, the baselines, and the shipped presets on more captions."""
    items = sweeps.free(e.items, "detail", "polish")
    some, out = items[:e.few], {}
    for name in sweeps.DIRECTIONS:
        out[name] = {"sweep": sweeps.sweep(e.bench, e.student, some, name, few=(0,)),
                     "words": sweeps.words(e.bench, e.student, some, name),
                     "random": sweeps.random_directions(e.bench, e.student, some, name) if name == "detail" else None}
    pairs = {(p, n): s for p, n, s in sweeps.DIRECTIONS.values()}
    out["shipped"] = {p["id"]: sweeps.shipped(e.bench, e.student, items, p, pairs[p["positive"], p["negative"]])
                      for p in e.presets if (p["positive"], p["negative"]) in pairs}
    return out


def presets(e):
    named = [p for p in e.presets if p["aspect"]]
    return {"presets": sweeps.styles(e.bench, e.student, e.items[:max(e.few * 3, GRID)], named),
            "counting": sweeps.counting(e.bench, e.student, e.items), "colour": sweeps.colours(e.bench, e.student, e.items[:e.n // 2])}


def pooled(e):
    return {"geometry": ablation.geometry(e.student, e.items, e.presets), **ablation.pooled(e.bench, e.student, e.items)}


def grids(e):
    plots.weights(e.student, e.out / "guidance.png")
    plots.styles(e.student, e.presets, e.out / "styles.png")


SECTIONS = {f.__name__: f for f in (about, judged, variants, before, objects, guidance, presets, pooled, grids)}


def sections_of(parser, names, table):
    """{name: function} of the sections that the command line names, or of all."""
    if set(names) - set(table):
        parser.error(f"unknown section {sorted(set(names) - set(table))[0]}; there are {', '.join(table)}")
    return {n: table[n] for n in names or table}


def measure(e, sections, path):
    """Runs sections one after the other; each replaces its part of the file."""
    for name, section in sections.items():
        began = time.time()
        result = section(e)
        if result is not None:
            done = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps({**done, name: result}, separators=(",", ":")) + "\n")
        print(json.dumps({"section": name, "seconds": round(time.time() - began)}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("sections", nargs="*", help=f"of: {' '.join(SECTIONS)} (default: all)")
    p.add_argument("--model", type=Path, default=MODEL, help="folder of the bundle")
    p.add_argument("--out", type=Path, default=MODEL, help="folder for evaluation.json and the grids")
    p.add_argument("--captions", type=int, default=400)
    p.add_argument("--sweep", type=int, default=60, help="captions of each cell of a sweep")
    p.add_argument("--before", type=Path, help="an earlier bundle to compare with")
    a = p.parse_args()
    chosen = sections_of(p, a.sections, SECTIONS)
    a.out.mkdir(parents=True, exist_ok=True)
    (STATE / "evaluation").mkdir(parents=True, exist_ok=True)
    e, path = Setting(a.model, a.out, a.captions, a.sweep, a.before), a.out / "evaluation.json"
    measure(e, chosen, path)


if __name__ == "__main__":
    main()
