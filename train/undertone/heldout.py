"""The held-out captions, what each of them asks for, and how the judge's reading of a picture is scored against it."""
import re
from dataclasses import dataclass

import numpy as np

from . import captions, render
from .captions import (BIG_WORDS, COLOUR_WORDS, DETAIL_WORDS, NUMBERS, PLACE_WORDS, POLISH_WORDS, SIDE_WORDS,
                       STYLE_WORDS, TIME_WORDS, caption, words_of)
from .judge import VALUES, truth
from .scene import OBJECTS, Scene, draw_scene

SEED = 41  # of no training stage
NOISE = 100_000  # the n-th caption is drawn from the noise of seed NOISE + n, by every variant
SCORED = ("object", "colour", "count", "style", "place", "time", "side", "detail", "polish")
TABLES = {"place": PLACE_WORDS, "time": TIME_WORDS, "style": STYLE_WORDS, "side": SIDE_WORDS, "detail": DETAIL_WORDS,
          "polish": POLISH_WORDS}


@dataclass(frozen=True)
class Item:
    """A held-out scene, its caption, and what the caption asks for: {attribute: value}, without what it leaves open."""
    number: int
    text: str
    scene: Scene
    asks: dict
    said: frozenset  # what of asks stands in the caption's words

    @property
    def kind(self):
        return "single" if len(self.scene.objects) == 1 else "copies" if self.scene.same else "pair"

    @property
    def tokens(self):
        return len(words_of(self.text)) + 2


def says(text, phrase):
    return f" {' '.join(words_of(phrase))} " in f" {' '.join(words_of(text))} "


def nouns(name):
    one, many = captions.nouns(name)
    return [*one, *many]


def asked(text, s):
    """What a caption of the scene s asks for: {attribute: value}, and the set of those that its words say.

    The grammar's rules hold: an unsaid time is day, an unsaid style flat, an unsaid colour the usual one (which has no
    name, so it is not scored), an unsaid place or quality is any. A caption that says one thing only leaves all else open.
    """
    out, t = {}, truth(s)
    names = [n for n, _ in s.objects]
    if all(any(says(text, w) for w in nouns(n)) for n in names):
        out["object"] = (names[0], names[-1])
        noun = "|".join(w for n in set(names) for w in nouns(n))
        if re.search(rf"\b(a|an|{'|'.join(NUMBERS.values())}) (\w+ )?(\w+ )?({noun})\b", text):
            out["count"] = len(names)
    colours = [c if c and any(says(text, w) for w in COLOUR_WORDS.get(c, [c])) else None for _, c in s.objects]
    if any(colours):
        out["colour"] = (colours[0], colours[-1])
    aspects = {"subject"} if out else set()
    for k, table in TABLES.items():
        if t[k] in table and any(says(text, p) for p in table[t[k]]):
            out[k] = t[k]
            aspects.add("quality" if k in ("detail", "polish") else k)
    if any(says(text, w) for words in BIG_WORDS.values() for w in words):
        aspects.add("size")
    said = frozenset(out)
    if "subject" in aspects and len(aspects) > 1:
        out.setdefault("time", "day")
        out.setdefault("style", "flat")
    return out, said


def held_out(n, names=OBJECTS):
    """The first n held-out captions of scenes of the objects of names; a longer list begins with the shorter."""
    items = []
    for i in range(n):
        rng = np.random.default_rng([SEED, i])
        s = draw_scene(rng, render.BANKS, names=names)
        text = caption(rng, s)
        items.append(Item(i, text, s, *asked(text, s)))
    return items


def score(seen, items, blind=frozenset()):
    """The judge's reading of one picture per item -> {attribute: [N] of 1, 0 or NaN (not asked for)}.

    Also "order" (a pair stands as asked, left and right) and the scores of detail and polish, 0..2.
    blind: pairs (attribute, style asked for) that the judge cannot tell; they count as not asked for.
    """
    out = {k: np.full(len(items), np.nan) for k in (*SCORED, "order")}
    name = {k: [v[i] for i in seen[k]] for k, v in VALUES.items()}
    for i, it in enumerate(items):
        asks = {k: v for k, v in it.asks.items() if (k, it.scene.style) not in blind}
        first, last = name["first"][i], name["last"][i]
        swapped = False
        if "object" in it.asks:
            a, b = it.asks["object"]
            swapped = a != b and (last, first) == (a, b)
            right = (first, last) == (a, b)
            if "object" in asks:
                out["object"][i] = right or swapped
                if a != b:
                    out["order"][i] = right
        if "colour" in asks:
            got = (name["first colour"][i], name["last colour"][i])
            got = got[::-1] if swapped else got
            out["colour"][i] = all(w is None or g == w for g, w in zip(got, asks["colour"]))
        for k in ("count", "style", "place", "time", "side", "detail", "polish"):
            if k in asks:
                out[k][i] = name[k][i] == asks[k]
    return {**out, **{f"{k} score": seen[f"{k} score"].astype(float) for k in ("detail", "polish")}}


def wilson(values, z=1.959964):
    """Share of ones among an array's numbers, with Wilson's 95 % interval: {"value", "low", "high", "n"} in per cent."""
    v = np.asarray(values, float)
    v = v[~np.isnan(v)]
    n = len(v)
    if n == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    p = v.mean()
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + s * half) / (1 + z * z / n) for s in (-1, 1))
    return {"value": round(100 * p, 1), "low": round(100 * max(low, 0), 1), "high": round(100 * min(high, 1), 1), "n": n}


def bootstrap(values, factor=1.0, rounds=2000, seed=0, digits=3):
    """Mean of an array's numbers with the bootstrap's 95 % interval. Give it differences for a paired comparison."""
    v = np.asarray(values, float)
    v = v[~np.isnan(v)] * factor
    if len(v) == 0:
        return {"value": None, "low": None, "high": None, "n": 0}
    means = v[np.random.default_rng(seed).integers(len(v), size=(rounds, len(v)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {"value": round(v.mean(), digits), "low": round(low, digits), "high": round(high, digits), "n": len(v)}
