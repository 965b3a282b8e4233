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
import re
from dataclasses import dataclass, replace

import numpy as np
import torch

from .captions import NUMBERS, PAPER, bare, caption, encode, nouns, value
from .config import DIT
from .contrast import trim
from .precision import products
from .scene import COLOURS, FIXED, PLACES, ROWS, SINGLE, STYLES, TIMES, pick

BLOCKS = DIT["depth"] + DIT["depth_single_blocks"]
NONE = (0.0,) * (BLOCKS + 1)
SHARE = 0.40  # of the samples
AGREE = 0.75  # of the shifted samples whose aspect can be said show what p+ says
RANGE = (0.3, 4.0)  # w where the picture agrees: even
MEAN, LIMIT = 0.5, 2.0  # w where it does not: exponential, cut off
FIRM = 0.5  # factor on both where an unsaid aspect has a usual value (day, flat), which only a firm shift overcomes
LATEST = 4  # the last start block that is drawn
ASPECT_SHARES = {"quality": .14, "detail": .09, "polish": .08, "style": .36, "time": .17, "place": .05, "colour": .06,
                 "count": .05}
TOLD_SHARES = {"style": .45, "time": .27, "place": .12, "colour": .16}
TOLD_RANGE, FAINT = (0.75, 3.5), 0.4
STRONGER = 1.4  # the student's w of a quality direction has the effect of the teacher's w times this
LEVELS = ("quality", "detail", "polish")  # they have a middle
VALUES = {"detail": (0, 2), "polish": (0, 2), "quality": (0, 2), "style": STYLES, "time": TIMES, "place": PLACES,
          "colour": tuple(COLOURS), "count": (1, *NUMBERS)}
USUAL = {"style": "flat", "time": "day", "colour": None}  # what a caption means that leaves the aspect unsaid


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


def draw(rng, s, shares=ASPECT_SHARES):
    """A random shift for the scene, of an aspect by its share."""
    aspect = pick(rng, {a: p for a, p in shares.items() if applies(s, a)})
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
    return Shift(positive, negative, schedule(rng, w, LATEST), text)


def schedule(rng, w, latest):
    """w from a random block on, the first in half of all cases, and now and then at the output head."""
    start = 0 if rng.random() < .5 else int(rng.integers(latest + 1))
    head = w if rng.random() < .3 else 0.0
    return (0.0,) * start + (w,) * (BLOCKS - start) + (head,)


def say(text, s, aspect, phrase):
    """A caption that leaves the aspect unsaid, completed by a phrase that says it."""
    if aspect != "colour":
        return f"{text}, {phrase}"
    name = s.objects[0][0]
    words = sorted(sum(nouns(name), []), key=len, reverse=True)
    return re.sub(r"\b(an? )?((big|large|small|little) )?(" + "|".join(words) + r")\b",
                  lambda m: ("a " if m[1] else "") + (m[2] or "") + f"{phrase} {m[4]}", text, count=1)


def draw_told(rng, s):
    """A shift for the student, and what the teacher is told in words to draw the same. -> Shift, caption for the teacher, the scene
    that both mean.

    What a prompt leaves unsaid has a usual value (day, flat), from which a shift moves the teacher late. So here the
    teacher reads p+ in its prompt, and the student learns to draw that from a firm shift alone, even against words;
    a faint shift changes nothing.
    """
    aspect = pick(rng, {a: p for a, p in TOLD_SHARES.items() if applies(s, a)})
    values = VALUES[aspect]
    plus = values[rng.integers(len(values))]
    others = [v for v in values if v != plus]
    minus = values[0] if values[0] != plus and rng.random() < .5 else others[rng.integers(len(others))]
    text = caption(rng, s, unsaid=aspect)
    firm = rng.random() < .85
    w = rng.uniform(*TOLD_RANGE) if firm else rng.uniform(0, FAINT)
    wanted = plus if aspect == "colour" else bare(rng, s, aspect, plus)
    unwanted = minus if aspect == "colour" else bare(rng, s, aspect, minus)
    against = rng.random() < .2
    mine = say(text, s, aspect, unwanted) if against else text
    shift = Shift(bare(rng, s, aspect, plus), bare(rng, s, aspect, minus), schedule(rng, w, 2), mine)
    shown = plus if firm else minus if against else USUAL.get(aspect, getattr(s, aspect, None))
    return shift, say(text, s, aspect, wanted) if firm else mine, with_value(s, aspect, shown)


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
        with products():
            plus, minus = net.vector_in(pooled).float().chunk(2)
        delta = torch.zeros(len(some), plus.shape[-1])
        delta[some] = plus - minus
        return self.weights[:, :, None] * delta


def tensors(rows):
    """Rows of (caption, positive, negative, weights) -> Shifts."""
    captions, positive, negative, weights = zip(*rows)
    ids = [torch.tensor([encode(x) for x in xs]) for xs in (captions, positive, negative)]
    return Shifts(*ids, torch.tensor(np.array(weights, np.float32)).T.contiguous())


def batch(rng, scenes, share=SHARE):
    """-> Shifts for the scenes: captions of all of them, and a shift for about a share of them."""
    rows = []
    for s in scenes:
        d = draw(rng, s) if rng.random() < share else Shift("", "", NONE, caption(rng, s))
        rows.append((d.caption, d.positive, d.negative, d.weights))
    return tensors(rows)


def lessons(rng, scenes, share, told=.6):
    """-> (Shifts for the student, Shifts for its teacher, mask [B] of those told in words). See draw_told."""
    mine, teachers, words = [], [], []
    levels = {a: ASPECT_SHARES[a] for a in LEVELS}
    for s in scenes:
        u = rng.random()
        d, text, factor = Shift("", "", NONE, caption(rng, s)), None, 1.0
        if u < share * told:
            d, text, _ = draw_told(rng, s)
            factor = 0.0
        elif u < share:
            d, factor = draw(rng, s, levels), STRONGER
        mine.append((d.caption, d.positive, d.negative, d.weights))
        teachers.append((text or d.caption, d.positive, d.negative, tuple(factor * w for w in d.weights)))
        words.append(text is not None)
    return tensors(mine), tensors(teachers), torch.tensor(words)
