"""Scores how the shipped model edits: python3 -m undertone.edit_evaluate [section ...] writes editing.json and the grids.

Sections: edits, others, guidance, presets, grids. Needs the judge (undertone.judge) and a bundle; edit_report.py makes the card.
"""
import argparse
import json
import textwrap
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter

from . import edit, edits, judge, render, triples
from .bench import Bench, kept
from .config import MODEL, STATE
from .distil import STEPS as DRAWN
from .evaluate import TABLES, measure, quantized, sections_of
from .heldout import bootstrap, wilson
from .scene import MORE, Scene
from .shipped import Shipped

SEED = 61  # of no training stage
NOISE = 200_000  # the n-th edit is drawn from the noise of seed NOISE + n
ENOUGH_PSNR, IDENTITY_PSNR = 24, 26  # dB, outside the changed region and of an identity
SAME, MARGIN, LEAST = 6, 12, .1  # steps of a pixel that count as unchanged; pixels kept from the changed; least unchanged share
WEIGHTS = (-1, 0, 1, 2, 3, 4)
USUAL = 1  # the strength with which the page begins an edit
STEPS = edit.EDIT_STEPS
STARTS = (0, 2, 3)  # 0 is the constant schedule
SCALES = (1.0, 1.5, 2.0, 3.0)
STAYS = ("object", "colour", "count", "place", "time", "style", "side")
NOTHING = edits.KEEP[0]  # what a direction of an edit starts from


class Item:
    """A held-out edit: its scenes and pictures before and after, the instruction, what is asked for and what stays."""

    def __init__(self, number):
        rng = np.random.default_rng([SEED, number])
        self.number, self.before = number, edits.draw_source(rng, render.BANKS)
        self.edit, self.after = edits.draw(rng, self.before)
        self.text = edits.say(rng, self.edit, self.before)
        a, b = judge.truth(self.before), judge.truth(self.after)
        self.asks = {k: b[k] for k in b if b[k] is not None and a[k] != b[k] and not (k == "side" and a[k] is None)}
        self.stays = {k: b[k] for k in b if b[k] is not None and a[k] == b[k]}

    @cached_property
    def pictures(self):
        return render.render(self.before), render.render(self.after)

    @cached_property
    def unchanged(self):
        """bool [256, 256]: what the edit leaves alone, MARGIN pixels away from what it changes; None where that is little."""
        a, b = (p.astype(int) for p in self.pictures)
        changed = Image.fromarray((np.abs(a - b).max(-1) > SAME).astype(np.uint8) * 255)
        mask = np.asarray(changed.filter(ImageFilter.MaxFilter(2 * MARGIN + 1))) == 0
        return mask if mask.mean() >= LEAST else None


def psnr(a, b, mask=None):
    d = (a.astype(np.float32) - b) ** 2
    return 10 * np.log10(255 ** 2 / max(float(d[mask].mean() if mask is not None else d.mean()), 1e-9))


def nearer(made, item):
    """Whether in the changed region a picture is nearer to the edited one than to the one before; NaN if nothing changes."""
    a, b = (p.astype(np.float32) for p in item.pictures)
    mask = np.abs(a - b).max(-1) > SAME
    if mask.sum() < 64:
        return np.nan
    x = made.astype(np.float32)[mask]
    return float(np.square(x - b[mask]).mean() < np.square(x - a[mask]).mean())


class Setting:
    """The networks and edits of one evaluation."""

    def __init__(self, folder, out, count, few):
        self.folder, self.out, self.count, self.few = folder, out, count, few
        self.encoder, _, self.cfg = triples.codec(folder)
        self.model = Shipped(folder)

    @cached_property
    def examined(self):
        path = STATE / "judge.json"
        if not path.exists():
            raise SystemExit(f"{path} is missing: how reliable the judge is must be measured first (python3 -m undertone.judge)")
        return json.loads(path.read_text())

    @cached_property
    def bench(self):
        return Bench(judge.trained(), self.examined)

    @cached_property
    def items(self):
        return [Item(i) for i in range(self.count)]

    def latents(self, items):
        """Scaled latents of the items' pictures before, of the encoder."""
        facts = (self.cfg["scaling_factor"], [i.number for i in items], [repr(i.before) for i in items])
        return torch.from_numpy(kept("edited", facts, lambda: triples.encode(
            self.encoder, self.cfg, np.stack([i.pictures[0] for i in items])).numpy()))

    def drawn(self, items, texts=None, shift=None, cfg=1.0, steps=STEPS, model=None):
        """uint8 pictures of the edits, [N, 256, 256, 3]. shift: [blocks + 1, N, D]; texts: in place of the instructions; model: in
        place of the bundle's."""
        model, texts = model or self.model, texts or [i.text for i in items]
        reference = self.latents(items)
        seeds = [NOISE + i.number for i in items]
        facts = (model.key, texts, seeds, reference, shift, cfg, steps)

        def make(batch=25):
            out = []
            for i in range(0, len(items), batch):
                rows = slice(i, i + batch)
                z = edit.draw(model.net, reference[rows], *model.encode(texts[rows]), seeds=seeds[rows], cfg=cfg, steps=steps,
                              shift=None if shift is None else shift[:, rows], empty=model.empty)
                out.append(model.decode(z))
            return np.concatenate(out)

        return kept("edits", facts, make)

    def blind(self, key, scene):
        """Whether the judge is too unsure of an attribute, at all or in the scene's style."""
        name = {"first": "object", "last": "object", "first colour": "colour", "last colour": "colour"}.get(key, key)
        return name in self.examined["unjudged"] or (name, scene.style) in self.bench.blind

    def scores(self, items, pictures):
        """-> {"asked", "outside", "identity", "nearer", "truth": [N]} and {"stays": {attribute: [N]}}, NaN where nothing is scored.

        asked: everything asked for is there; where the judge has no word for it (a sun, usual colours), nearer decides.
        """
        seen = judge.read(self.bench.net, pictures)
        named = {k: [v[i] for i in seen[k]] for k, v in judge.VALUES.items()}
        n = len(items)
        out = {k: np.full(n, np.nan) for k in ("asked", "outside", "identity", "nearer", "truth")}
        stays = {k: np.full(n, np.nan) for k in (*STAYS, "detail", "polish")}
        for i, it in enumerate(items):
            right = lambda k, v: named[k][i] == v  # noqa: B023, E731
            out["truth"][i] = psnr(pictures[i], it.pictures[1])
            if it.edit.kind == "keep":
                out["identity"][i] = psnr(pictures[i], it.pictures[0])
            else:
                out["nearer"][i] = nearer(pictures[i], it)
                asks = {k: v for k, v in it.asks.items() if not self.blind(k, it.after)}
                if it.asks and asks:
                    out["asked"][i] = all(right(k, v) for k, v in asks.items())
                elif not it.asks:
                    out["asked"][i] = out["nearer"][i]
            if it.unchanged is not None:
                out["outside"][i] = psnr(pictures[i], it.pictures[0], it.unchanged)
            for k, parts in {"object": ("first", "last"), "colour": ("first colour", "last colour")}.items():
                same = [p for p in parts if p in it.stays and not self.blind(p, it.after)]
                if same:
                    stays[k][i] = all(right(p, it.stays[p]) for p in same)
            for k in stays:
                if k in it.stays and not self.blind(k, it.after):
                    stays[k][i] = right(k, it.stays[k])
        return {**out, "stays": stays}


def shares(scores):
    """Shares in per cent with Wilson's intervals, PSNR in dB with the bootstrap's."""
    enough = lambda v, least: np.where(np.isnan(v), np.nan, v >= least)  # noqa: E731
    return {"asked": wilson(scores["asked"]), "nearer": wilson(scores["nearer"]),
            "stays": {k: wilson(v) for k, v in scores["stays"].items()},
            "outside": {"dB": bootstrap(scores["outside"], digits=2), "enough": wilson(enough(scores["outside"], ENOUGH_PSNR))},
            "identity": {"dB": bootstrap(scores["identity"], digits=2),
                         "enough": wilson(enough(scores["identity"], IDENTITY_PSNR))},
            "truth": bootstrap(scores["truth"], digits=2)}


def edits_section(e):
    """The held-out edits, of each kind too, beside the true pictures passed through the autoencoder and untouched ones."""
    scores = e.scores(e.items, e.drawn(e.items))
    pick = lambda rows: {k: ({a: v[rows] for a, v in x.items()} if k == "stays" else x[rows]) for k, x in scores.items()}  # noqa: E731
    kinds = np.array([i.edit.kind for i in e.items])
    through = lambda which: np.concatenate([e.model.decode(triples.encode(  # noqa: E731
        e.encoder, e.cfg, np.stack([i.pictures[which] for i in e.items[k:k + 50]]))) for k in range(0, len(e.items), 50)])
    usual = lambda m: m.shift(m.directions([i.text for i in e.items], [NOTHING] * len(e.items)), USUAL)  # noqa: E731
    small = Shipped(quantized(e.folder, "Q4_0"))
    more = np.array([any(n in MORE for s in (i.before, i.after) for n, _ in s.objects) for i in e.items])
    return {"edits": len(e.items), "all": shares(scores), "guided": shares(e.scores(e.items, e.drawn(e.items, shift=usual(e.model)))),
            "Q4_0": shares(e.scores(e.items, e.drawn(e.items, shift=usual(small), model=small))), "unjudged": e.examined["unjudged"],
            "by kind": {k: shares(pick(np.flatnonzero(kinds == k))) for k in sorted(set(kinds))},
            "more": {k: shares(pick(np.flatnonzero(more == v))) for k, v in (("without", False), ("with", True))},
            "ceiling": shares(e.scores(e.items, through(1))), "untouched": shares(e.scores(e.items, through(0)))}


def others(e):
    """Twice as many edits more, on which nothing was chosen, as the page begins: with the steps of an edit and with those of a picture."""
    items = [Item(i) for i in range(e.count, 3 * e.count)]
    shift = e.model.shift(e.model.directions([i.text for i in items], [NOTHING] * len(items)), USUAL)
    return {"edits": len(items), **{str(n): shares(e.scores(items, e.drawn(items, shift=shift, steps=n))) for n in (STEPS, DRAWN)}}


def gain(scores, base):
    """Strength and preservation of a variant, and their paired differences from a base in points and dB."""
    kept_ = lambda s: np.nanmean(np.stack([s["stays"][k] for k in STAYS]), 0)  # noqa: E731
    return {"strength": wilson(scores["asked"]), "nearer": wilson(scores["nearer"]),
            "preservation": bootstrap(kept_(scores), 100, digits=1), "outside": bootstrap(scores["outside"], digits=2),
            "strength change": bootstrap(scores["asked"] - base["asked"], 100, digits=1),
            "preservation change": bootstrap(kept_(scores) - kept_(base), 100, digits=1),
            "outside change": bootstrap(scores["outside"] - base["outside"], digits=2)}


def guidance(e):
    """Strength and preservation over w: of the edit that the words ask for, and of one that only the shift asks for; beside CFG,
    the words said twice, and fewer and more steps."""
    items = [i for i in e.items if i.edit.kind not in ("keep", "both")][:e.few]
    delta = e.model.directions([i.text for i in items], [NOTHING] * len(items))
    base = e.scores(items, e.drawn(items))
    out = {"edits": len(items), "negative": NOTHING, "words": {}, "alone": {}}
    for name, texts in (("words", None), ("alone", [NOTHING] * len(items))):
        start = e.scores(items, e.drawn(items, texts=texts))
        for first in STARTS:
            for w in WEIGHTS:
                if w or first == STARTS[0]:
                    s = e.scores(items, e.drawn(items, texts, shift=e.model.shift(delta, w, first))) if w else start
                    out[name].setdefault(str(first), {})[str(w)] = gain(s, start)
    out["cfg"] = {f"{g:g}": gain(e.scores(items, e.drawn(items, cfg=g)), base) for g in SCALES}
    out["words twice"] = gain(e.scores(items, e.drawn(items, [f"{i.text}, {i.text}" for i in items])), base)
    out["steps"] = {str(n): gain(e.scores(items, e.drawn(items, steps=n)), base) for n in (1, DRAWN, 16)}
    return out


def presets(e):
    """The model's presets as edits: the words ask for no change, the shift alone acts. Per weight: how often it shows, and what stays.
    Of a preset of quality, which shows more or less: the mean of the judge's score, 0 to 2."""
    out = {}
    for p in e.model.manifest["presets"]:
        hit = [(k, v) for k, table in TABLES.items() for v, phrases in table.items() if p["positive"] in phrases]
        aspect, value = hit[0] if hit else ("detail", None)
        items = [i for i in e.items if judge.truth(i.before)[aspect] != value and i.edit.kind != "keep"][:e.few // 2]
        delta = e.model.directions([p["positive"]], [p["negative"]]).expand(len(items), -1)
        row = out[p["id"]] = {"edits": len(items), "start": p["schedule"].get("start", 0), "scored": not value, "weights": {}}
        for w in WEIGHTS:
            seen = judge.read(e.bench.net, e.drawn(items, [NOTHING] * len(items), shift=e.model.shift(delta, w, row["start"], p["head"] * w / p["weight"])))
            named = {k: [v[i] for i in seen[k]] for k, v in judge.VALUES.items()}
            stays = [np.mean([named[k][n] == v for k, v in judge.truth(i.before).items()
                              if v is not None and k not in (aspect, "detail", "polish") and not e.blind(k, i.before)]) for n, i in enumerate(items)]
            shown = wilson([x == value for x in named[aspect]]) if value else bootstrap(seen["detail score"].astype(float))
            row["weights"][str(w)] = {"shown": shown, "kept": bootstrap(stays, 100, digits=1)}
    return out


def titled(tiles, titles, path, columns):
    """A grid of pictures at half size, each with its title above, of two lines at most."""
    side, bar = tiles[0].shape[0] // 2, 22
    rows = -(-len(tiles) // columns)
    out = Image.new("RGB", (columns * (side + 2), rows * (side + bar)), "white")
    d = ImageDraw.Draw(out)
    for i, (p, t) in enumerate(zip(tiles, titles)):
        x, y = i % columns * (side + 2), i // columns * (side + bar)
        out.paste(Image.fromarray(p).resize((side, side), Image.BOX), (x, y + bar))
        d.multiline_text((x + 1, y), "\n".join(textwrap.wrap(t, side // 6)[:2]), fill="black", spacing=0)
    out.save(path, optimize=True)


def chain(e, texts, scene, seed=NOISE):
    """Pictures of edits one after the other, each of the picture before as pixels: [1 + len(texts)] of uint8."""
    out = [render.render(scene)]
    for i, text in enumerate(texts):
        z = triples.encode(e.encoder, e.cfg, out[-1][None])
        out.append(e.model.decode(edit.draw(e.model.net, z, *e.model.encode([text]), STEPS, seeds=[seed + i]))[0])
    return out


CHAINS = (("make it night", "turn the car blue", "as pixel art"), ("add a second car", "move it to the beach", "make it sunset"),
          ("put a house on the left", "make it neon", "remove the house"))
SHOWN = ("make it night", "turn the car blue", "as pixel art", "move it to the beach")


def grids(e, count=48):
    """edits.png: 48 held-out edits; edit-weights.png: weights -1 to 4 of four edits; edit-chains.png: three edits in turn."""
    items = e.items[:count]
    made = e.drawn(items)
    tiles = [x for it, p in zip(items, made) for x in (it.pictures[0], p)]
    titled(tiles, [t for it in items for t in (it.text, "")], e.out / "edits.png", 12)
    scene = Scene((("car", "red"),), 160, (128,), "meadow", "day", "flat", 1, 1, 2)
    z = triples.encode(e.encoder, e.cfg, render.render(scene)[None])
    tiles, titles = [], []
    for text in SHOWN:
        delta = e.model.directions([text], [NOTHING])
        for start in (0, 2):
            for w in WEIGHTS:
                tokens = e.model.encode([text])
                p = e.model.decode(edit.draw(e.model.net, z, *tokens, STEPS, seeds=[NOISE], shift=e.model.shift(delta, w, start)))[0]
                tiles.append(p)
                titles.append(f"w {w:g} from block {start}" + (f", {text}" if w == WEIGHTS[0] else ""))
    titled(tiles, titles, e.out / "edit-weights.png", 2 * len(WEIGHTS))
    tiles, titles = [], []
    for texts in CHAINS:
        tiles += chain(e, texts, scene)
        titles += ["a red car in a meadow", *texts]
    titled(tiles, titles, e.out / "edit-chains.png", 4)
    return {"edits": [i.text for i in items], "weights": list(SHOWN), "chains": [list(c) for c in CHAINS]}


SECTIONS = {f.__name__.removesuffix("_section"): f for f in (edits_section, others, guidance, presets, grids)}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("sections", nargs="*", help=f"of: {' '.join(SECTIONS)} (default: all)")
    p.add_argument("--model", type=Path, default=MODEL, help="folder of the bundle")
    p.add_argument("--out", type=Path, default=MODEL, help="folder for editing.json and the grids")
    p.add_argument("--edits", type=int, default=400, help="held-out edits")
    p.add_argument("--few", type=int, default=120, help="of which guidance is measured on")
    a = p.parse_args()
    chosen = sections_of(p, a.sections, SECTIONS)
    a.out.mkdir(parents=True, exist_ok=True)
    measure(Setting(a.model, a.out, a.edits, a.few), chosen, a.out / "editing.json")


if __name__ == "__main__":
    main()
