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

NAMES = {"cat": ["cat", "kitten"], "car": ["car", "car", "automobile"], "house": ["house", "house", "home"],
         "fish": ["fish"], "flower": ["flower", "sunflower"], "rocket": ["rocket", "rocket", "spaceship"],
         "mushroom": ["mushroom", "toadstool"], "frog": ["frog", "frog", "toad"]}
PLURALS = {"fish": "fish", "snowman": "snowmen"}
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
STYLE_WORDS = {"pixel": ["pixel art", "in pixel art style", "8-bit"], "glossy": ["glossy", "shiny plastic", "glossy style"]}
SIDE_WORDS = {"left": ["on the left", "at the left side"], "right": ["on the right", "at the right side"],
              "middle": ["in the middle", "in the centre", "in the center"]}
DETAIL_WORDS = {0: ["very simple", "no details at all", "minimal", "simple"],
                2: ["ultra-detailed", "extremely complex", "highly detailed", "intricate"]}
POLISH_WORDS = {0: ["low-res", "flat", "cartoonish", "bad quality", "blurred"],
                2: ["photorealistic", "cinematic", "the highest quality", "beautiful"]}
NUMBERS = {2: "two", 3: "three"}
BIG_WORDS = {160: ["big", "large"], 128: ["small", "little"]}
OTHER = ["a", "an", "and", "of", "to", "the", "with", "is", "picture", "image", "drawing", "scene", "next", "beside", "it"]


def _one(rng, words):
    return words[int(rng.integers(len(words)))]


def noun(rng, thing, many=False, adjective=""):
    """(name, colour) -> "red car", without an article."""
    name, colour = thing
    w = _one(rng, NAMES.get(name, [name]))
    if many:
        w = PLURALS.get(w, w + "s")
    c = _one(rng, COLOUR_WORDS.get(colour, [colour])) if colour else ""
    return " ".join(x for x in (adjective, c, w) if x)


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def subject(rng, s):
    if len(s.objects) == 1:
        big = _one(rng, BIG_WORDS[s.size]) if rng.random() < 0.2 else ""
        return article(noun(rng, s.objects[0], adjective=big))
    if s.same:
        return NUMBERS[len(s.objects)] + " " + noun(rng, s.objects[0], many=True)
    a, b = (article(noun(rng, o)) for o in s.objects)
    r = rng.random()
    if r < .5:
        return f"{a} {_one(rng, ['to the left of', 'left of'])} {b}"
    if r < .8:
        return f"{b} {_one(rng, ['to the right of', 'right of'])} {a}"
    return f"{a} {_one(rng, ['and', 'next to', 'beside'])} {b}"


def quality(rng, s, p=0.8):
    """Zero to four true quality phrases."""
    out = []
    for level, table in ((s.detail, DETAIL_WORDS), (s.polish, POLISH_WORDS)):
        if level in table and rng.random() < p:
            n = 1 + int(rng.random() < 0.45)
            out += [table[level][i] for i in rng.permutation(len(table[level]))[:n]]
    return [out[i] for i in rng.permutation(len(out))]


def caption(rng, s):
    """A caption true of the scene. About one in ten says one aspect only (quality, time, ...)."""
    subj = subject(rng, s)
    side = ""
    if len(s.objects) == 1:
        k = "middle" if s.xs[0] == 128 else ("left" if s.xs[0] < 128 else "right")
        if rng.random() < (.12 if k == "middle" else .7):
            side = _one(rng, SIDE_WORDS[k])
    place, time = _one(rng, PLACE_WORDS[s.place]), _one(rng, TIME_WORDS[s.time])
    style = _one(rng, STYLE_WORDS[s.style]) if s.style in STYLE_WORDS else ""
    if rng.random() < 0.1:
        q = quality(rng, s, p=1.0)
        parts = [x for x in (", ".join(q), ", ".join(q), time, place, style, subj) if x]
        return _one(rng, parts)
    if rng.random() < .12:
        place = ""
    if s.time == "day" and rng.random() < .75:
        time = ""
    where = [x for x in (side, place, time) if x]
    if len(where) > 1 and rng.random() < .3:
        where = [where[i] for i in rng.permutation(len(where))]
    q = quality(rng, s)
    front = [x for x in ([style] if rng.random() < .5 else []) + (q if rng.random() < .25 else []) if x]
    back = [x for x in ([style] if style and style not in front else []) + (q if q and q[0] not in front else []) if x]
    if where and rng.random() < .15:
        middle = [" ".join(where), subj]
    elif rng.random() < .15:
        middle = [", ".join([subj] + where)]
    else:
        middle = [" ".join([subj] + where)]
    text = ", ".join(front + middle + back)
    return text


def words_of(text):
    """The tokenizer's rule: NFKC, lower case, runs of word characters or of other signs."""
    return re.findall(r"\w+|[^\w\s]+", unicodedata.normalize("NFKC", text).lower())


def vocabulary():
    """Every word of the grammar, in a fixed order, after the four special tokens and the punctuation."""
    words = set(OTHER) | set(COLOURS) | set(OBJECTS) | set(NUMBERS.values())
    for name in OBJECTS:
        for w in NAMES.get(name, [name]):
            words |= {w, PLURALS.get(w, w + "s")}
    for table in (PLACE_WORDS, TIME_WORDS, STYLE_WORDS, SIDE_WORDS, DETAIL_WORDS, POLISH_WORDS, COLOUR_WORDS, BIG_WORDS):
        for phrases in table.values():
            for p in phrases:
                words |= set(words_of(p))
    signs = [",", ".", "-", "'"]
    return ["[PAD]", "[BOS]", "[EOS]", "[UNK]"] + signs + sorted(words - set(signs))


VOCAB = {w: i for i, w in enumerate(vocabulary())}


def encode(text, length=MAX_LENGTH):
    """Token ids [length]: BOS, at most length-2 words, EOS, PAD."""
    ids = [VOCAB.get(w, 3) for w in words_of(text)][:length - 2]
    return [1] + ids + [2] + [0] * (length - 2 - len(ids))


def tokenizer_json():
    """The same rule as a Hugging Face tokenizer.json."""
    special = [{"id": i, "content": w, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i, w in enumerate(vocabulary()[:4])]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": VOCAB, "unk_token": "[UNK]"}}, indent=1) + "\n"
