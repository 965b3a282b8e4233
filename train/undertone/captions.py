"""Captions by grammar: synonyms, free order, left-out parts; and the tokenizer they need.

Rules that make an unsaid thing mean something: no colour word means the glyph's
own colours, no time means day, no style means flat. An unsaid place or quality
may be any.
"""
import json
import re
import unicodedata

from .config import MAX_LENGTH
from .scene import COLOURS, OBJECTS

ASPECTS = ("detail", "polish", "quality", "style", "time", "place", "colour", "count", "object")
NAMES = {"cat": ["cat", "kitten"], "car": ["car", "car", "automobile"], "house": ["house", "house", "home"],
         "fish": ["fish"], "flower": ["flower", "sunflower"], "rocket": ["rocket", "rocket", "spaceship"],
         "mushroom": ["mushroom", "toadstool"], "frog": ["frog", "frog", "toad"], "cake": ["cake", "cake", "birthday cake"],
         "dog": ["dog", "dog", "puppy"], "boat": ["boat", "boat", "ship"], "plane": ["plane", "airplane"]}
PLURALS = {"fish": "fish", "snowman": "snowmen", "butterfly": "butterflies", "puppy": "puppies", "person": "people"}
COLOUR_WORDS = {"purple": ["purple", "purple", "violet"]}
PLACE_WORDS = {
    "meadow": ["in a meadow", "in the meadow", "on the grass", "in a green field"],
    "beach": ["on the beach", "on a beach", "by the sea", "at the seaside"],
    "desert": ["in the desert", "in a desert", "among sand dunes"],
    "snow": ["in the snow", "in a snowy field", "on snow", "in winter"],
    "plain": ["on a plain background", "plain background", "against an empty background"],
}
TIME_WORDS = {"day": ["by day", "in daylight", "during the day"], "sunset": ["at sunset", "at dusk", "in the evening"],
              "night": ["at night", "by night", "in the dark"]}
STYLE_WORDS = {"flat": ["clip art", "clip art style"], "pixel": ["pixel art", "in pixel art style", "8-bit"],
               "glossy": ["glossy", "shiny plastic", "glossy style"],
               "neon": ["neon", "neon style", "glowing neon lights", "neon sign"],
               "watercolour": ["watercolour", "watercolor", "watercolour painting", "in watercolour"]}
SIDE_WORDS = {"left": ["on the left", "at the left side"], "right": ["on the right", "at the right side"],
              "middle": ["in the middle", "in the centre", "in the center"]}
DETAIL_WORDS = {0: ["very simple", "no details at all", "minimal", "simple"],
                2: ["ultra-detailed", "extremely complex", "highly detailed", "intricate"]}
POLISH_WORDS = {0: ["low-res", "flat", "cartoonish", "bad quality", "blurred"],
                2: ["photorealistic", "cinematic", "the highest quality", "beautiful"]}
NUMBERS = {2: "two", 3: "three"}
BIG_WORDS = {160: ["big", "large"], 128: ["small", "little"]}
# The presets of the modulation guidance paper, whole, so that they are in distribution: value -> phrase.
PAPER = ({2: "ultra-detailed, photorealistic, cinematic", 0: "low-res, flat, cartoonish"},
         {2: "extremely complex, the highest quality", 0: "very simple, no details at all"})
OTHER = ["a", "an", "and", "of", "to", "the", "with", "is", "picture", "image", "drawing", "scene", "next", "beside", "it"]


def one(rng, words):
    """One of a list, each as likely."""
    return words[int(rng.integers(len(words)))]


def nouns(name):
    """Every word for an object: -> ([one], [many]), in the same order."""
    words = NAMES.get(name, [name])
    return words, [PLURALS.get(w, w + "s") for w in words]


def noun(rng, thing, many=False, adjective=""):
    """(name, colour) -> "red car", without an article."""
    name, colour = thing
    w = one(rng, NAMES.get(name, [name]))
    if many:
        w = PLURALS.get(w, w + "s")
    c = one(rng, COLOUR_WORDS.get(colour, [colour])) if colour else ""
    return " ".join(x for x in (adjective, c, w) if x)


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def subject(rng, s, unsaid=""):
    """What there is to see. Without its count a subject has no article and no number: "frog", "red cars"."""
    things = [(n, None) for n, _ in s.objects] if unsaid == "colour" else s.objects
    if unsaid == "count":
        return noun(rng, things[0], many=len(things) > 1)
    if len(things) == 1:
        big = one(rng, BIG_WORDS[s.size]) if rng.random() < 0.2 and s.size in BIG_WORDS else ""
        return article(noun(rng, things[0], adjective=big))
    if s.same:
        return NUMBERS[len(things)] + " " + noun(rng, things[0], many=True)
    a, b = (article(noun(rng, o)) for o in things)
    r = rng.random()
    if r < .5:
        return f"{a} {one(rng, ['to the left of', 'left of'])} {b}"
    if r < .8:
        return f"{b} {one(rng, ['to the right of', 'right of'])} {a}"
    return f"{a} {one(rng, ['and', 'next to', 'beside'])} {b}"


def quality(rng, s, p=0.8, unsaid=""):
    """Zero to four true quality phrases."""
    out = []
    for name, table in (("detail", DETAIL_WORDS), ("polish", POLISH_WORDS)):
        level = getattr(s, name)
        if level in table and unsaid not in (name, "quality") and rng.random() < p:
            n = 1 + int(rng.random() < 0.45)
            out += [table[level][i] for i in rng.permutation(len(table[level]))[:n]]
    return [out[i] for i in rng.permutation(len(out))]


def value(s, aspect):
    """What a scene shows of an aspect, or None where it has no words (a middle level, the usual colour, a pair's count)."""
    if aspect in ("detail", "polish"):
        return {1: None}.get(getattr(s, aspect), getattr(s, aspect))
    if aspect == "quality":
        return s.detail if s.detail == s.polish != 1 else None
    if aspect == "colour":
        return s.objects[0][1] if s.same else None
    if aspect == "count":
        return len(s.objects) if s.same else None
    if aspect == "object":
        return s.objects[0][0] if s.same else None
    return getattr(s, aspect)


def bare(rng, s, aspect, value, which=None):
    """A phrase that says the value of one aspect and nothing else, as directions of guidance use them.

    which: for quality, the number of the paper's pair (PAPER); else one is drawn.
    """
    if aspect in ("detail", "polish"):
        table = (DETAIL_WORDS if aspect == "detail" else POLISH_WORDS)[value]
        n = 1 + int(rng.integers(3))
        return ", ".join(table[i] for i in rng.permutation(len(table))[:n])
    if aspect == "quality":
        return PAPER[rng.integers(len(PAPER)) if which is None else which][value]
    if aspect == "count":
        thing = (s.objects[0][0], None if rng.random() < .5 else s.objects[0][1])
        return article(noun(rng, thing)) if value == 1 else NUMBERS[value] + " " + noun(rng, thing, many=True)
    if aspect == "object":
        w = noun(rng, (value, None))
        return w if rng.random() < .4 else article(w)
    if aspect == "colour":
        return noun(rng, (s.objects[0][0], value)) if rng.random() < .4 else one(rng, COLOUR_WORDS.get(value, [value]))
    return one(rng, {"style": STYLE_WORDS, "time": TIME_WORDS, "place": PLACE_WORDS}[aspect][value])


def one_aspect(rng, s):
    """A bare phrase true of the scene."""
    known = [(a, value(s, a)) for a in ASPECTS]
    aspect, v = one(rng, [(a, v) for a, v in known if v is not None])
    return bare(rng, s, aspect, v)


def caption(rng, s, unsaid=""):
    """A caption true of the scene. About one in eight says one aspect only; unsaid: an aspect to leave out."""
    if not unsaid and rng.random() < 0.12:
        return one_aspect(rng, s)
    subj = subject(rng, s, unsaid)
    side = ""
    if len(s.objects) == 1:
        k = "middle" if s.xs[0] == 128 else ("left" if s.xs[0] < 128 else "right")
        if rng.random() < (.12 if k == "middle" else .7):
            side = one(rng, SIDE_WORDS[k])
    place, time = one(rng, PLACE_WORDS[s.place]), one(rng, TIME_WORDS[s.time])
    style = one(rng, STYLE_WORDS[s.style]) if s.style != "flat" or rng.random() < .06 else ""
    if unsaid == "style":
        style = ""
    if rng.random() < .12 or unsaid == "place":
        place = ""
    if s.time == "day" and rng.random() < .75 or unsaid == "time":
        time = ""
    where = [x for x in (side, place, time) if x]
    if len(where) > 1 and rng.random() < .3:
        where = [where[i] for i in rng.permutation(len(where))]
    q = quality(rng, s, unsaid=unsaid)
    front = [x for x in ([style] if rng.random() < .5 else []) + (q if rng.random() < .25 else []) if x]
    back = [x for x in ([style] if style and style not in front else []) + (q if q and q[0] not in front else []) if x]
    if where and rng.random() < .15:
        middle = [" ".join(where), subj]
    elif rng.random() < .15:
        middle = [", ".join([subj] + where)]
    else:
        middle = [" ".join([subj] + where)]
    return ", ".join(front + middle + back)


def words_of(text):
    """The tokenizer's rule: NFKC, lower case, runs of word characters or of other signs."""
    return re.findall(r"\w+|[^\w\s]+", unicodedata.normalize("NFKC", text).lower())


def vocabulary():
    """Every word of the grammar, in a fixed order, after the four special tokens and the punctuation."""
    words = set(OTHER) | set(COLOURS) | set(OBJECTS) | set(NUMBERS.values())
    for name in OBJECTS:
        for w in NAMES.get(name, [name]):
            words |= set(w.split()) | {PLURALS.get(w, w.split()[-1] + "s")}
    for table in (PLACE_WORDS, TIME_WORDS, STYLE_WORDS, SIDE_WORDS, DETAIL_WORDS, POLISH_WORDS, COLOUR_WORDS, BIG_WORDS):
        for phrases in table.values():
            for p in phrases:
                words |= set(words_of(p))
    signs = [",", ".", "-", "'"]
    return ["[PAD]", "[BOS]", "[EOS]", "[UNK]"] + signs + sorted(words - set(signs))


VOCAB = {w: i for i, w in enumerate(vocabulary())}
UNKNOWN = 3  # the id of any other word


def encode(text, length=MAX_LENGTH, vocab=VOCAB):
    """Token ids [length]: BOS, at most length-2 words, EOS, PAD."""
    ids = [vocab.get(w, UNKNOWN) for w in words_of(text)][:length - 2]
    return [1] + ids + [2] + [0] * (length - 2 - len(ids))


def tokenizer_json(vocab=VOCAB):
    """The same rule as a Hugging Face tokenizer.json. vocab: {word: id}."""
    special = [{"id": i, "content": w, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i, w in enumerate(vocabulary()[:4])]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "[UNK]"}}, indent=1) + "\n"
