"""Edits by grammar: from a scene to the same scene with something changed, and the instruction that asks for it.

Both scenes keep their drawing of the background, so that what nobody asked for is the same in both pictures. What an
instruction leaves open has one answer: a new object without a side goes where there is room, of several copies the right
one goes first, an object that takes another's place has its usual colour.
"""
from dataclasses import dataclass, replace

from . import captions
from .captions import (COLOUR_WORDS, DETAIL_WORDS, NUMBERS, PAPER, PLACE_WORDS, POLISH_WORDS, SIDE_WORDS, STYLE_WORDS, TIME_WORDS,
                       article, noun, one, words_of)
from .config import MAX_LENGTH
from .scene import COLOURS, EVERY, FIXED, MORE, PLACES, ROWS, STYLES, TIMES, draw_scene, pick, thing

SHARES = {"time": .15, "place": .13, "style": .20, "colour": .15, "another": .07, "other": .09, "remove": .07, "sun": .05,
          "detail": .05, "polish": .02, "quality": .03, "replace": .05, "keep": .05}
BOTH = .06  # of the edits are two at once, each of a kind of its own
TOGETHER = ("time", "place", "style", "colour", "detail")
KINDS = {"single": .55, "copies": .20, "pair": .25}  # of scenes to edit
SUNLESS = .06  # of scenes to edit have lost their sun already
LEFT, RIGHT = ROWS[2][1]

TIME_EDITS = {"day": ["make it day", "turn it into day", "change it to daylight", "in daylight", "make it bright day"],
              "sunset": ["make it sunset", "make it evening", "change it to sunset", "turn it into dusk", "at sunset"],
              "night": ["make it night", "turn it into night", "change it to night", "make it dark", "at night"]}
GROUNDS = {"meadow": ["a meadow", "the meadow", "a green field"], "beach": ["the beach", "a beach", "the seaside"],
           "desert": ["the desert", "a desert"], "snow": ["the snow", "a snowy field"],
           "plain": ["a plain background", "an empty background"]}
STYLE_EDITS = {"flat": ["clip art", "clip art style"], "pixel": ["pixel art", "8-bit", "pixel art style"],
               "glossy": ["shiny plastic", "glossy style", "glossy"], "neon": ["neon", "neon style", "a neon sign"],
               "watercolour": ["watercolour", "a watercolour painting", "a watercolor"]}
DETAIL_EDITS = {0: ["make it simple", "simpler", "less detailed", "fewer details", "remove the details"],
                2: ["more detailed", "make it more detailed", "add more details", "add details"]}
POLISH_EDITS = {0: ["make it blurred", "worse quality", "make it cartoonish"],
                2: ["better quality", "make it photorealistic", "make it more beautiful"]}
KEEP = ["keep it as it is", "leave it as it is", "change nothing", "no change", "the same picture", "keep everything"]
VERBS = ("turn", "make", "paint", "change", "give")
ORDINALS = {2: "second", 3: "third"}


@dataclass(frozen=True)
class Edit:
    kind: str  # of SHARES, or "both"
    to: object = None  # the new value: of the kind's aspect; a thing (name, colour); a count; True for a sun that comes back
    at: object = None  # which object (index), or the side of a new one ("left", "right", None: where there is room)
    parts: tuple = ()  # of "both": the two edits in order


def draw_source(rng, banks, names=EVERY):
    """A random scene to edit, of the objects of names."""
    s = draw_scene(rng, banks, kinds=KINDS, names=names)
    return replace(s, sun=False) if has_sky(s) and rng.random() < SUNLESS else s


def has_sky(s):
    """Whether the drawing has a place for a sun or a moon."""
    return s.detail > 0 and s.place != "plain"


def possible(s):
    """The kinds of edit that a scene allows."""
    free = any(n not in FIXED for n, _ in s.objects)
    n = len(s.objects)
    rules = {"colour": free and (s.same or all(n not in FIXED for n, _ in s.objects)), "another": s.same and n < 3,
             "other": n == 1, "remove": n > 1, "sun": has_sky(s) and s.style != "neon",
             "replace": n < 3, "quality": (s.detail, s.polish) not in ((0, 0), (2, 2))}
    return [k for k in SHARES if rules.get(k, True)]


def _other(rng, values, but):
    """One of the values except one."""
    return one(rng, [v for v in values if v != but])


def _newcomer(rng, s, names):
    """A thing that is not in the scene yet."""
    return thing(rng, _other(rng, [n for n in names if n not in {a for a, _ in s.objects}], None))


def draw(rng, s, kind=None, shares=SHARES, names=EVERY):
    """-> (a random Edit that the scene allows, the edited scene). kind: of which, else drawn by shares; names: of new objects."""
    kinds = possible(s)
    if kind is None and rng.random() < BOTH:
        two = [k for k in TOGETHER if k in kinds]
        parts, e = [], s
        for i in rng.permutation(len(two))[:2]:
            part, e = draw(rng, e, two[i])
            parts.append(part)
        return Edit("both", parts=tuple(parts)), e
    kind = kind or pick(rng, {k: shares[k] for k in kinds})
    if kind in ("time", "place", "style"):
        edit = Edit(kind, _other(rng, {"time": TIMES, "place": PLACES, "style": STYLES}[kind], getattr(s, kind)))
    elif kind in ("detail", "polish"):
        level = getattr(s, kind)
        edit = Edit(kind, 2 - level if level != 1 else 2 * int(rng.random() < .6))
    elif kind == "quality":
        edit = Edit(kind, 0 if s.detail == 2 or (s.detail and rng.random() < .4) else 2)
    elif kind == "colour":
        i = int(rng.integers(len(s.objects)))
        natural = s.objects[i][1] and rng.random() < .1
        edit = Edit(kind, None if natural else _other(rng, COLOURS, s.objects[i][1]), None if s.same else i)
    elif kind == "another":
        edit = Edit(kind, len(s.objects) + 1)
    elif kind == "other":
        edit = Edit(kind, _newcomer(rng, s, names), one(rng, ("left", "right", None)))
    elif kind == "remove":
        edit = Edit(kind, at=None if s.same else int(rng.integers(2)))
    elif kind == "sun":
        edit = Edit(kind, not s.sun)
    elif kind == "replace":
        edit = Edit(kind, _newcomer(rng, s, names), None if s.same else int(rng.integers(len(s.objects))))
    else:
        edit = Edit("keep")
    return edit, apply(edit, s)


def room(s):
    """The side where a new object goes that is asked for without one."""
    return "left" if s.xs[0] > 128 else "right"


def apply(edit, s):
    """The edited scene."""
    kind, to, at = edit.kind, edit.to, edit.at
    if kind == "both":
        for part in edit.parts:
            s = apply(part, s)
        return s
    if kind in ("time", "place", "style", "detail", "polish"):
        return replace(s, **{kind: to})
    if kind == "quality":
        return replace(s, detail=to, polish=to)
    if kind == "sun":
        return replace(s, sun=to)
    if kind in ("colour", "replace"):
        new = lambda o: (o[0], to) if kind == "colour" else to  # noqa: E731
        return replace(s, objects=tuple(new(o) if at in (None, i) else o for i, o in enumerate(s.objects)))
    if kind == "another":
        return row(s, s.objects[:1] * to)
    if kind == "other":
        side = at or room(s)
        objects = (to, *s.objects) if side == "left" else (*s.objects, to)
        return row(s, objects)
    if kind == "remove":
        if s.same:
            return row(s, s.objects[:-1])
        return replace(s, objects=s.objects[1 - at:2 - at], xs=s.xs[1 - at:2 - at])
    return s


def row(s, objects):
    """The objects as a row. Who stands at a side with room beside it keeps place and size; who is left alone keeps its own."""
    n = len(objects)
    if n == 1:
        return replace(s, objects=objects, xs=s.xs[:1])
    size, xs = ROWS[n]
    if n == 2 and len(s.objects) == 1:
        keeps = objects.index(s.objects[0]) if objects[0] != objects[1] else int(s.xs[0] > 128)
        if s.size < 160 and s.xs[0] == (LEFT, RIGHT)[keeps]:
            size = s.size
    return replace(s, objects=tuple(objects), size=size, xs=tuple(xs))


def _name(rng, o, many=False, coloured=.25):
    """"the car", now and then "the red car"."""
    return "the " + noun(rng, o if rng.random() < coloured else (o[0], None), many)


def _colour(rng, c):
    return one(rng, COLOUR_WORDS.get(c, [c]))


def _say_colour(rng, edit, s):
    many = edit.at is None and len(s.objects) > 1
    o = s.objects[edit.at or 0]
    name = _name(rng, o, many)
    if edit.to is None:
        return one(rng, [f"give {name} {'their' if many else 'its'} usual colour", f"{name} in the usual colour"])
    c = _colour(rng, edit.to)
    plain = noun(rng, (o[0], None), many)
    forms = [f"turn {name} {c}", f"make {name} {c}", f"paint {name} {c}", f"change {name} to {c}",
             f"{c} {plain}" if many else article(f"{c} {plain}")]
    if edit.at is None:
        forms.append(f"make {'them' if many else 'it'} {c}")
    return one(rng, forms)


def _say_another(rng, edit, s):
    o, n = s.objects[0], edit.to
    plain = (o[0], None)
    many = f"{NUMBERS[n]} {noun(rng, plain, many=True)}"
    return one(rng, [f"add a {ORDINALS[n]} {noun(rng, plain)}", f"add a {ORDINALS[n]} {noun(rng, o)}",
                              f"add another {noun(rng, plain)}", f"one more {noun(rng, plain)}", many, f"make it {many}"])


def _say_other(rng, edit, s):
    a = article(noun(rng, edit.to))
    verb = one(rng, ("add", "put"))
    if edit.at is None:
        return one(rng, [f"add {a}", f"add {a} {one(rng, ('next to', 'beside'))} {_name(rng, s.objects[0])}"])
    forms = [f"{verb} {a} {one(rng, SIDE_WORDS[edit.at])}"] * 2
    return one(rng, forms + [f"{verb} {a} to the {edit.at} of {_name(rng, s.objects[0])}"])


def _say_remove(rng, edit, s):
    if edit.at is not None:
        name = _name(rng, s.objects[edit.at])
        return one(rng, [f"remove {name}", f"take {name} away", f"without {name}"])
    plain = (s.objects[0][0], None)
    n = len(s.objects) - 1
    left = article(noun(rng, plain)) if n == 1 else f"{NUMBERS[n]} {noun(rng, plain, many=True)}"
    return one(rng, [f"remove one {noun(rng, plain)}", f"take one {noun(rng, plain)} away", f"only {left}"])


def _say_sun(rng, edit, s):
    name = "moon" if s.time == "night" else "sun"
    if edit.to:
        return one(rng, [f"add the {name}", f"add a {name}", f"with the {name}"])
    return one(rng, [f"remove the {name}", f"take the {name} away", f"without the {name}", f"no {name}"])


def _say_replace(rng, edit, s):
    many = edit.at is None and len(s.objects) > 1
    o = s.objects[edit.at or 0]
    new, old = noun(rng, edit.to, many), _name(rng, o, many)
    new = new if many else article(new)
    return one(rng, [f"turn {old} into {new}", f"replace {old} with {new}", f"change {old} to {new}"])


def _say_place(rng, edit, s):
    what = one(rng, ("it", _name(rng, s.objects[0]))) if len(s.objects) == 1 else one(rng, ("it", "them"))
    ground, where = one(rng, GROUNDS[edit.to]), one(rng, PLACE_WORDS[edit.to])
    forms = [f"move {what} to {ground}", f"change the background to {ground}", where]
    if where.split()[0] in ("on", "in", "by", "at"):
        forms.append(f"put {what} {where}")
    if edit.to == "plain":
        forms.append("remove the background")
    return one(rng, forms)


def _say_style(rng, edit, s):
    w = one(rng, STYLE_EDITS[edit.to])
    return one(rng, [f"as {w}", f"make it {w}", f"turn it into {w}", f"change it to {w}",
                              one(rng, STYLE_WORDS[edit.to])])


def _say_level(rng, edit, s):
    if edit.kind == "quality":
        words = one(rng, PAPER)[edit.to]
        return words if rng.random() < .5 else "make it " + words
    own, bare = {"detail": (DETAIL_EDITS, DETAIL_WORDS), "polish": (POLISH_EDITS, POLISH_WORDS)}[edit.kind]
    return one(rng, own[edit.to] if rng.random() < .65 else bare[edit.to])


def _say_time(rng, edit, s):
    return one(rng, TIME_EDITS[edit.to] + TIME_WORDS[edit.to])


SAY = {"time": _say_time, "place": _say_place, "style": _say_style, "colour": _say_colour, "another": _say_another,
       "other": _say_other, "remove": _say_remove, "sun": _say_sun, "detail": _say_level, "polish": _say_level,
       "quality": _say_level, "replace": _say_replace, "keep": lambda rng, edit, s: one(rng, KEEP)}


def say(rng, edit, s):
    """An instruction for the edit of scene s, in words of the vocabulary below."""
    if edit.kind != "both":
        return SAY[edit.kind](rng, edit, s)
    texts = []
    for part in edit.parts:
        texts.append(say(rng, part, s))
        while part.kind == "colour" and texts[-1].split()[0] not in VERBS:  # "add details and a red car" asks for another car
            texts[-1] = say(rng, part, s)
        s = apply(part, s)
    return one(rng, (" and ", ", ")).join(texts)


def old(edit, s):
    """The edit that would undo this one, where one phrase can say it: the value that s has now; else None."""
    if edit.kind in ("time", "place", "style"):
        return Edit(edit.kind, getattr(s, edit.kind))
    if edit.kind == "colour" and s.objects[edit.at or 0][1]:
        return Edit("colour", s.objects[edit.at or 0][1], edit.at)
    if edit.kind in ("detail", "polish", "quality"):
        level = s.detail if edit.kind == "quality" else getattr(s, edit.kind)
        return Edit(edit.kind, 2 - edit.to) if level == 2 - edit.to else None
    return None


def instruction_words():
    """Every word of the instructions that the captions lack, in alphabetical order."""
    words = set("turn make add remove put move change keep leave replace paint give take away as into without no another second "
                "third one more only less fewer better worse usual colour its their them same picture nothing everything is "
                "sun moon bright with".split())
    for table in (TIME_EDITS, GROUNDS, STYLE_EDITS, DETAIL_EDITS, POLISH_EDITS):
        for phrases in table.values():
            words |= {w for p in phrases for w in words_of(p)}
    words |= {w for p in KEEP for w in words_of(p)}
    return sorted(words - set(captions.VOCAB))


def object_words():
    """Every word for the objects that captions lack, in alphabetical order."""
    return sorted({w for name in MORE for words in captions.nouns(name) for w in words})


# The captions' words keep their ids, so that the encodings of captions stay as they are.
VOCAB = {w: i for i, w in enumerate([*captions.VOCAB, *instruction_words(), *object_words()])}


def encode(text, length=MAX_LENGTH):
    """Token ids [length], as captions.encode, with the words of instructions."""
    return captions.encode(text, length, VOCAB)
