"""Pictures for captions that the shipped student draws badly: two different objects, glossy ones, rows of three, a moon (of which it
draws two now and then), and objects that it does not know.

A student that takes four steps must know from the noise alone which of all pictures of a caption it draws; told any of them, it
draws their mean. The shipped one knows: a noise gives the same background, place and size for many captions. So of all scenes
that a caption may mean, the one nearest to what the student draws from a noise is what that noise should become.
"""
import re
from dataclasses import replace

import numpy as np

from . import render, shifts
from .captions import BIG_WORDS, caption, nouns
from .edits import has_sky
from .heldout import asked, says
from .scene import BASE, MORE, OBJECTS, PLACES, SINGLE, STYLE_SHARES, draw_scene
from .shipped import noise_of

PART = 256
SEED = 53  # of no other stage
NOISE = 300_000  # the n-th drawing is of the noise of seed NOISE + n
KINDS = {"single": .36, "copies": .20, "pair": .44}
STYLES = {**STYLE_SHARES, "glossy": .25}
NAMES = (*OBJECTS, *MORE, *MORE)  # of edits as well: what is new is drawn twice as often
# What the student draws in the place of objects that it does not know.
KIN = {"dog": "cat", "bird": "butterfly", "boat": "car", "person": "snowman", "robot": "snowman", "plane": "rocket"}
WORDS = {w: k for name, kin in KIN.items() for mine, its in zip(nouns(name), nouns(kin)) for w in mine for k in its[:1]}
GUIDED = .3  # of the drawings are asked for by a shift
CELL = 8  # pixels of which a mean is compared


def hard(s):
    """Whether the shipped student draws such a scene badly. What it draws for others is remembered."""
    moon = s.time == "night" and has_sky(s)
    return not s.same or len(s.objects) == 3 or s.style == "glossy" or moon or any(n in MORE for n, _ in s.objects)


def known(text):
    """The caption with other objects in place of those that the student does not know."""
    return re.sub(r"\w+", lambda m: WORDS.get(m[0], m[0]), text)


def ways(s, text):
    """What a caption leaves open of a scene, as lists of changes of which each scene has one: [[{field: value}]]."""
    said = asked(text, s)[1]
    place = [{"place": v} for v in PLACES]
    polish = [{"polish": v} for v in range(3)]
    drawing = [{"bank": b, "detail": d} for b in range(render.BANKS) for d in ((s.detail,) if "detail" in said else range(3))]
    where = []
    if len(s.objects) == 1:
        sizes = [s.size] if any(says(text, w) for words in BIG_WORDS.values() for w in words) else list(SINGLE)
        side = lambda x: (x > 128) - (x < 128)  # noqa: E731
        where = [[{"size": n, "xs": (x,)} for n in sizes for x in SINGLE[n] if "side" not in said or side(x) == side(s.xs[0])]]
    return [*where, *[place] * ("place" not in said), drawing, *where, *[polish] * ("polish" not in said)]


def nearest(s, text, picture):
    """Of the scenes that the caption of s may mean, one near to a picture. What is open is chosen in turn: places and sizes by the
    whole picture, all else by what lies beside the objects."""
    small = lambda p: p.reshape(256 // CELL, CELL, 256 // CELL, CELL, 3).mean((1, 3))  # noqa: E731
    target = small(picture.astype(np.float32))
    for changes in ways(s, text):
        every = [replace(s, **c) for c in changes]
        off = [np.square(small(render.render(x).astype(np.float32)) - target).sum(-1) for x in every]
        s = min(zip(every, off), key=lambda x: x[1][beside(s) | ("xs" in changes[0])].sum())[0]
    return s


def beside(s):
    """bool [256 / CELL, 256 / CELL]: the cells beside the objects; the objects differ in any case."""
    mask = np.ones((256 // CELL, 256 // CELL), bool)
    for x in s.xs:
        left = max(x - s.size // 2, 0)
        mask[(BASE - s.size) // CELL:BASE // CELL, left // CELL:-(-(x + s.size // 2) // CELL)] = False
    return mask


def captioned(number):
    """Hard scenes and captions that name their objects; some of them by a shift of the modulation vector.

    -> scenes, what the student is to be told in words, the Shifts of the model that learns: [PART] of each.
    """
    rng, scenes, texts, asks = np.random.default_rng([SEED, number]), [], [], []
    while len(scenes) < PART:
        s = draw_scene(rng, render.BANKS, STYLES, KINDS, NAMES)
        shift, text = shifts.Shift("", "", shifts.NONE, caption(rng, s)), ""
        if rng.random() < GUIDED:
            shift, text, s = shifts.draw_told(rng, s)
        text = text or shift.caption
        if hard(s) and "object" in asked(text, s)[0]:
            scenes.append(s)
            texts.append(text)
            asks.append(shift)
    return scenes, texts, asks


def drawn(number, model):
    """Part number: -> scenes, Shifts, noise [PART, tokens, channels]. model: the shipped student (shipped.Shipped)."""
    scenes, texts, asks = captioned(number)
    noise = noise_of(range(NOISE + number * PART, NOISE + (number + 1) * PART))
    pictures = []
    for i in range(0, PART, 32):
        rows = slice(i, i + 32)
        pictures.extend(model.decode(model.latents(*model.encode([known(t) for t in texts[rows]]), noise[rows])))
    return [nearest(*x) for x in zip(scenes, texts, pictures)], asks, noise
