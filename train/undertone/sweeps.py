"""Measurements of modulation guidance: sweeps of weight and start block, presets, counting and colour, baselines.

All comparisons are paired: the same captions and noises with and without the shift; intervals are the
bootstrap's over captions.
"""
import numpy as np
import torch

from .bench import paired, plural
from .captions import NUMBERS
from .heldout import bootstrap, wilson
from .scene import FIXED

WEIGHTS = (-2, -1, 0, 1, 2, 3, 4)
STARTS = (0, 1, 2, 3, 4)  # 0 is the constant schedule: every block
# direction -> (p+, p-, the judge's score it should raise). Detail (aesthetics) and complexity are the paper's words.
DIRECTIONS = {
    "detail": ("ultra-detailed, photorealistic, cinematic", "low-res, flat, cartoonish", "detail score"),
    "complexity": ("extremely complex, the highest quality", "very simple, no details at all", "detail score"),
    "polish": ("photorealistic, cinematic, beautiful", "low-res, bad quality, blurred", "polish score"),
}
RANDOM = 3  # random directions
PLAINEST = "very simple, no details at all"  # the paper's p- for counting


def free(items, *aspects):
    """Items whose caption names its object and leaves the aspects unsaid, as prompts do when a preset is chosen."""
    return [it for it in items if "object" in it.asks and not it.said & set(aspects)]


def change(a, base, score):
    """What guidance (trial a) gained in a score and lost in object accuracy (points) against the base trial."""
    return {"score": round(float(a[score].mean()), 3), "gain": bootstrap(a[score] - base[score]),
            "object": wilson(a["object"]), "object change": bootstrap(a["object"] - base["object"], 100, digits=1),
            "place change": bootstrap(a["place"] - base["place"], 100, digits=1)}


def sweep(bench, model, items, direction, starts=STARTS, weights=WEIGHTS, few=STARTS):
    """{"base": .., "curves": {start: {w: change}}}; starts not in few are only swept over the positive weights."""
    positive, negative, score = DIRECTIONS[direction]
    delta = model.directions([positive], [negative])
    base = bench.trial(model, items)
    curves, kept = {}, {}
    for start in starts:
        for w in weights:
            if w == 0 or w < 0 and start not in few:
                continue
            kept[start, w] = bench.trial(model, items, shift=model.shift(delta, w, start))
            curves.setdefault(str(start), {})[str(w)] = change(kept[start, w], base, score)
    return {"positive": positive, "negative": negative, "score": score, "captions": len(items),
            "base": {"score": round(float(base[score].mean()), 3), "object": wilson(base["object"])}, "curves": curves}


def shipped(bench, model, items, preset, score):
    """A preset's schedule at w = 0, 1, 2, 3 and at its own weight: gain, each step of one, and the loss of objects."""
    delta = model.directions([preset["positive"]], [preset["negative"]])
    start, head = preset["schedule"].get("start", 0), preset["head"]
    weights = sorted({0, 1, 2, 3, preset["weight"]})
    runs = {w: bench.trial(model, items, **({"shift": model.shift(delta, w, start, head * w / preset["weight"])} if w else {}))
            for w in weights}
    steps = [bootstrap(runs[b][score] - runs[a][score]) for a, b in ((0, 1), (1, 2), (2, 3))]
    return {"start": start, "weight": preset["weight"], "head": head, "captions": len(items), "score": score,
            "weights": {str(w): change(runs[w], runs[0], score) for w in weights},
            "steps": steps, "monotone": all(s["value"] > 0 for s in steps), "surely monotone": all(s["low"] > 0 for s in steps),
            "at weight": change(runs[preset["weight"]], runs[0], score)}


def random_directions(bench, model, items, direction, weights=(1, 2, 3), seed=77):
    """The mean effect of RANDOM directions of the same norm, at every block."""
    positive, negative, score = DIRECTIONS[direction]
    delta = model.directions([positive], [negative])
    base = bench.trial(model, items)
    g = torch.Generator().manual_seed(seed)
    runs = {w: [] for w in weights}
    for _ in range(RANDOM):
        r = torch.randn(delta.shape, generator=g)
        r = r * delta.norm() / r.norm()
        for w in weights:
            runs[w].append(bench.trial(model, items, shift=model.shift(r, w)))
    mean = lambda rs: {k: np.mean([r[k] for r in rs], 0) for k in (score, "object", "place")}  # noqa: E731
    return {str(w): change(mean(rs), base, score) for w, rs in runs.items()}


def words(bench, model, items, direction):
    """The quality words appended to the prompt instead of guidance."""
    positive, _, score = DIRECTIONS[direction]
    texts = [f"{it.text}, {positive}" for it in items]
    return change(bench.trial(model, items, texts=texts), bench.trial(model, items), score)


def styles(bench, model, items, presets):
    """How often a preset of style, time, place or colour does what it says on captions that leave that aspect unsaid."""
    out = {}
    for p in presets:
        aspect, value = p["aspect"]
        some = free(items, aspect.removeprefix("first "))
        if aspect == "first colour":
            some = [it for it in some if it.kind != "pair" and it.scene.objects[0][0] not in FIXED]
        delta = model.directions([p["positive"]], [p["negative"]])
        start, head = p["schedule"].get("start", 0), p["head"]
        a = bench.read(model, some)
        b = bench.read(model, some, shift=model.shift(delta, p["weight"], start, head))
        hit = {k: (r["seen"][aspect] == value).astype(float) for k, r in (("without", a), ("with", b))}
        out[p["id"]] = {"captions": len(some), "weight": p["weight"], "start": start,
                        "without": wilson(hit["without"]), "with": wilson(hit["with"]),
                        "object change": bootstrap(b["scores"]["object"] - a["scores"]["object"], 100, digits=1)}
    return out


def thing(item, colour=True):
    """"red car" of "a red car on the beach", by the grammar's plain words."""
    name, c = item.scene.objects[0]
    return f"{c} {name}" if c and colour else name


def compare(bench, model, items, positive, negative, weights, starts, key):
    """Accuracy of one attribute with a direction of each item's own, at some weights and starts, paired with none."""
    base = bench.trial(model, items)
    delta = model.directions(positive, negative)
    out = {"captions": len(items), "base": wilson(base[key]), "runs": []}
    for start in starts:
        for w in weights:
            r = bench.trial(model, items, shift=model.shift(delta, w, start))
            out["runs"].append({"weight": w, "start": start, key: wilson(r[key]), **{
                f"{k} change": v for k, v in paired(r, base, (key, "object")).items()}})
    return out


def counting(bench, model, items, weights=(1, 2, 3), starts=(0,)):
    """p+ from the prompt ("three frogs"), p- the paper's words or the single object, on captions of two and three."""
    some = [it for it in items if it.kind == "copies" and "count" in it.asks]
    plus = [f"{NUMBERS[it.asks['count']]} {plural(it.scene.objects[0][0])}" for it in some]
    minus = {"paper": [PLAINEST] * len(some), "one": [f"a {it.scene.objects[0][0]}" for it in some]}
    return {k: compare(bench, model, some, plus, m, weights, starts, "count") for k, m in minus.items()}


def colours(bench, model, items, weights=(1, 2, 3), starts=(0,)):
    """p+ "red car", p- "car" or the paper's plain words, on captions of one kind of object that name a colour."""
    some = [it for it in items if it.kind != "pair" and "colour" in it.asks and "object" in it.asks]
    plus = [thing(it) for it in some]
    minus = {"uncoloured": [thing(it, colour=False) for it in some], "paper": [PLAINEST] * len(some)}
    return {k: compare(bench, model, some, plus, m, weights, starts, "colour") for k, m in minus.items()}
