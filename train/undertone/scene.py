"""What a scene is, and how one is drawn at random.

A scene is a small record; render.py turns it into a picture, captions.py into
words. Objects stand on a lattice of whole tokens (32 pixels), so that the same
object at another place is the same pattern of latents: a network trained on a
CPU sees too few views to learn every sub-token shift of every shape.
"""
from dataclasses import dataclass

OBJECTS = {  # name -> glyph of Noto Color Emoji
    "frog": "\U0001F438", "cat": "\U0001F431", "car": "\U0001F697", "house": "\U0001F3E0", "balloon": "\U0001F388",
    "heart": "\u2764\uFE0F", "star": "\u2B50", "fish": "\U0001F41F", "tree": "\U0001F333", "mushroom": "\U0001F344",
    "flower": "\U0001F33B", "snowman": "\u26C4", "rocket": "\U0001F680",
    "apple": "\U0001F34E", "cake": "\U0001F382", "butterfly": "\U0001F98B",
}
MORE = {  # what only the model that edits draws as well
    "dog": "\U0001F436", "bird": "\U0001F426", "boat": "\u26F5", "person": "\U0001F9CD", "robot": "\U0001F916", "plane": "\u2708\uFE0F",
}
EVERY = {**OBJECTS, **MORE}
COLOURS = {"red": 0.99, "yellow": 0.14, "green": 0.35, "blue": 0.60, "purple": 0.77}  # hue in [0, 1)
FIXED = {"tree", "snowman", "cake", "person", "robot"}  # never recoloured
PLACES = ("meadow", "beach", "desert", "snow", "plain")
TIMES = ("day", "sunset", "night")
STYLES = ("flat", "pixel", "glossy", "neon", "watercolour")
STYLE_SHARES = {"flat": .58, "pixel": .12, "glossy": .10, "neon": .12, "watercolour": .08}
KIND_SHARES = {"single": .74, "copies": .18, "pair": .08}

BASE = 224  # y of the line objects stand on, in pixels
# size -> possible centres (x); sizes and shifts are multiples of the 32-pixel token
SINGLE = {160: (128, 96, 160), 128: (128, 64, 192)}
ROWS = {2: (112, (64, 192)), 3: (80, (40, 128, 216))}
# (detail, polish) -> probability; both 0 (poor), 1 (middle), 2 (rich)
QUALITY = {(1, 1): .34, (2, 2): .17, (0, 0): .17, (2, 1): .10, (0, 1): .10, (1, 2): .06, (1, 0): .06}


@dataclass(frozen=True)
class Scene:
    objects: tuple  # of (name, colour or None), left to right
    size: int  # pixels, of every object
    xs: tuple  # centres, pixels
    place: str
    time: str
    style: str
    detail: int
    polish: int
    bank: int  # which drawing of the background
    sun: bool = True  # False: the sky is drawn without its sun or moon

    @property
    def same(self):
        return len(set(self.objects)) == 1


def pick(rng, weights):
    """A key of the dict weights, drawn in proportion to its value."""
    keys = list(weights)
    p = [weights[k] for k in keys]
    return keys[rng.choice(len(keys), p=[x / sum(p) for x in p])]


def thing(rng, name=None, names=OBJECTS):
    name = name or str(rng.choice(list(names)))
    coloured = name not in FIXED and rng.random() < 0.55
    return name, (str(rng.choice(list(COLOURS))) if coloured else None)


def draw_scene(rng, banks, styles=STYLE_SHARES, kinds=KIND_SHARES, names=OBJECTS):
    """A random scene. rng: numpy Generator; banks: drawings per background; styles, kinds: their shares; names: of which objects,
    one that is named twice is drawn twice as often."""
    kind = pick(rng, kinds)
    if kind == "single":
        size = 160 if rng.random() < 0.7 else 128
        x = int(rng.choice(SINGLE[size], p=(.56, .22, .22)))
        objects, xs = (thing(rng, names=names),), (x,)
    elif kind == "copies":
        n = 2 if rng.random() < 0.6 else 3
        size, xs = ROWS[n]
        objects = (thing(rng, names=names),) * n
    else:
        size, xs = ROWS[2]
        a, b = rng.choice(list(names), 2, replace=False)
        while a == b:
            a, b = rng.choice(list(names), 2, replace=False)
        objects = (thing(rng, str(a)), thing(rng, str(b)))
    detail, polish = pick(rng, QUALITY)
    return Scene(objects, size, tuple(xs), pick(rng, dict(zip(PLACES, (.22, .21, .2, .2, .17)))),
                 pick(rng, {"day": .44, "sunset": .26, "night": .30}),
                 pick(rng, styles), detail, polish, int(rng.integers(banks)))
