"""Random shifts of the modulation vector in the teacher's training.

Modulation guidance adds w * (psi(p+) - psi(p-)) to the vector y that modulates every
block, psi being vector_in of a pooled prompt. A small network has never seen such a y
and falls apart beyond w = 1. So it meets some in training: a share of the samples carries
the shift of an aspect (quality, style, time, colour, count ...), and the picture mostly
shows what p+ says. The strength w is large and even where the picture agrees, and small
where it does not, so that the network's belief that the picture is as p+ says grows
smoothly with w, from what the prompt alone says at w = 0. The prompt mostly leaves the
aspect unsaid, and at times says the opposite: guidance must work against words, too.
"""
from dataclasses import dataclass, replace

import numpy as np
import torch

from .captions import NUMBERS, PAPER, bare, caption, encode, value
from .config import DIT
from .contrast import trim
from .scene import COLOURS, FIXED, PLACES, ROWS, SINGLE, STYLES, TIMES, pick

BLOCKS = DIT["depth"] + DIT["depth_single_blocks"]
SHARE = 0.40  # of the samples
AGREE = 0.75  # of the shifted samples whose aspect can be said show what p+ says
RANGE = (0.3, 4.0)  # w where the picture agrees: even
MEAN, LIMIT = 0.5, 2.0  # w where it does not: exponential, cut off
FIRM = 0.5  # factor on both where an unsaid aspect has a usual value (day, flat), which only a firm shift overcomes
LATEST = 4  # the last start block that is drawn
ASPECT_SHARES = {"quality": .14, "detail": .09, "polish": .08, "style": .36, "time": .17, "place": .05, "colour": .06,
                 "count": .05}
LEVELS = ("quality", "detail", "polish")  # they have a middle
VALUES = {"detail": (0, 2), "polish": (0, 2), "quality": (0, 2), "style": STYLES, "time": TIMES, "place": PLACES,
          "colour": tuple(COLOURS), "count": (1, *NUMBERS)}


@dataclass(frozen=True)
class Shift:
    positive: str
    negative: str
    weights: tuple  # one per block, the output head's last
    caption: str  # what the tokens and the base pooled vector say


def applies(s, aspect):
    """Whether a scene can be told apart by the aspect at all: not a pair's colours, nor what is never painted."""
    return aspect not in ("colour", "count") or s.same and not (aspect == "colour" and s.objects[0][0] in FIXED)


def with_value(s, aspect, v):
    """The scene as it would be with another value, for captions only."""
    if aspect == "quality":
        return replace(s, detail=v, polish=v)
    if aspect == "colour":
        return replace(s, objects=((s.objects[0][0], v),) * len(s.objects))
    if aspect == "count":
        size, xs = ROWS[v] if v > 1 else (160, SINGLE[160][:1])
        return replace(s, objects=s.objects[:1] * v, size=size, xs=tuple(xs))
    return replace(s, **{aspect: v})


def draw(rng, s):
    """A random shift for the scene."""
    aspect = pick(rng, {a: p for a, p in ASPECT_SHARES.items() if applies(s, a)})
    shown = value(s, aspect)
    agree = shown is not None and rng.random() < AGREE
    others = [v for v in VALUES[aspect] if v != shown]
    other = others[rng.integers(len(others))]
    if agree:
        plus, minus, w = shown, other, rng.uniform(*RANGE)
        if aspect == "style" and shown != "flat" and rng.random() < .5:
            minus = "flat"  # what a direction towards a style starts from
    else:
        plus, w = other, min(rng.exponential(MEAN), LIMIT) * (1 if aspect in LEVELS else FIRM)
        minus = [v for v in VALUES[aspect] if v != plus][rng.integers(len(VALUES[aspect]) - 1)]
    pair = rng.integers(len(PAPER)) if aspect == "quality" else None
    positive, negative = (bare(rng, s, aspect, v, pair) for v in (plus, minus))
    if aspect == "count" and rng.random() < .5:
        negative = PAPER[1][0]
    r = rng.random()
    leave, truth = (.3, .6) if aspect == "count" else (.6, .3)  # a count is wanted where the prompt says it
    if r < leave:
        text = caption(rng, s, unsaid=aspect)
    elif r < leave + truth or not agree:
        text = caption(rng, s)
    else:
        text = caption(rng, with_value(s, aspect, minus))
    start = 0 if rng.random() < .5 else int(rng.integers(LATEST + 1))
    head = w if rng.random() < .3 else 0.0
    return Shift(positive, negative, (0.0,) * start + (w,) * (BLOCKS - start) + (head,), text)


class Shifts:
    """A batch of shifts as tensors: ids of captions and of p+ and p- [B, T], weights [BLOCKS + 1, B] (0: no shift)."""

    def __init__(self, ids, positive, negative, weights):
        self.ids, self.positive, self.negative, self.weights = ids, positive, negative, weights

    def __getitem__(self, rows):
        return Shifts(self.ids[rows], self.positive[rows], self.negative[rows], self.weights[:, rows])

    @staticmethod
    def join(parts):
        return Shifts(*(torch.cat([getattr(p, n) for p in parts], dim) for n, dim in (
            ("ids", 0), ("positive", 0), ("negative", 0), ("weights", 1))))

    def vector(self, net, prompts):
        """[BLOCKS + 1, B, D], to be added to y; with gradients into net.vector_in where they are on."""
        some = self.weights.any(0)
        if not some.any():
            return torch.zeros(*self.weights.shape, DIT["hidden_size"])
        pooled = prompts.of_ids(trim(torch.cat([self.positive[some], self.negative[some]])))[1]
        with torch.autocast("cpu", torch.bfloat16):
            plus, minus = net.vector_in(pooled).float().chunk(2)
        delta = torch.zeros(len(some), plus.shape[-1])
        delta[some] = plus - minus
        return self.weights[:, :, None] * delta


def batch(rng, scenes, share=SHARE):
    """-> Shifts for the scenes: captions of all of them, and a shift for about a share of them."""
    nothing, zero = encode(""), (0.0,) * (BLOCKS + 1)
    rows = []
    for s in scenes:
        if rng.random() < share:
            d = draw(rng, s)
            rows.append((encode(d.caption), encode(d.positive), encode(d.negative), d.weights))
        else:
            rows.append((encode(caption(rng, s)), nothing, nothing, zero))
    ids, positive, negative, weights = zip(*rows)
    return Shifts(torch.tensor(ids), torch.tensor(positive), torch.tensor(negative),
                  torch.tensor(np.array(weights, np.float32)).T.contiguous())
