"""What model.json says beside weights and sizes: licences, defaults, presets, vocabulary for people."""
from .scene import COLOURS, FIXED, OBJECTS

ABOUT = {"name": "sprites", "title": "Sprite scenes", "family": "flux"}
ADAPTED = {"name": "sprites-adapter", "title": "Sprite scenes, no pooled path + adapter"}
LICENSES = {"weights": "Apache-2.0", "data": "rendered from Noto Color Emoji (SIL OFL 1.1) by this project"}


def preset(id, title, positive, negative, weight, start, clean, head=0):
    """clean: the lowest and the highest weight that still make clean pictures."""
    return {"id": id, "title": title, "positive": positive, "negative": negative, "weight": weight, "head": head,
            "range": list(clean), "schedule": {"kind": "step", "start": start}}


# Everyday words that the model does not know, by the word of its own that comes nearest
# and can stand in the same place of a sentence.
NEAR = {
    "pixel": "8bit pixelated",
    "rocket": "airplane plane satellite ship ufo",
    "cat": "animal bear bunny cow dog fox horse lion mouse panda pet pig puppy rabbit sheep tiger wolf",
    "cartoonish": "anime cartoon comic",
    "watercolour": "aquarelle painted",
    "snowman": "astronaut boy child girl man people person robot wizard woman",
    "balloon": "ball kite",
    "apple": "banana cherry fruit peach pear strawberry",
    "butterfly": "bee bird dragon dragonfly fairy insect moth",
    "car": "bicycle bike boat bus motorcycle taxi train truck van",
    "cake": "bread chocolate cookie cupcake food pie pizza",
    "red": "brown crimson pink scarlet",
    "house": "building cabin castle church city hut tower village",
    "desert": "canyon savanna",
    "beach": "coast island lake ocean river shore water",
    "frog": "crocodile dinosaur lizard snake turtle",
    "blue": "cyan navy teal turquoise",
    "flower": "daisy leaf plant rose tulip",
    "sunset": "dawn sunrise twilight",
    "fish": "dolphin octopus shark whale",
    "meadow": "farm forest garden hill jungle park woods",
    "star": "galaxy moon planet space sun",
    "yellow": "gold golden orange",
    "snow": "ice mountain",
    "purple": "lavender lilac magenta",
    "heart": "love",
    "night": "midnight",
    "simple": "minimalist",
    "day": "morning noon",
    "tree": "oak palm pine",
    "photorealistic": "photo photograph realistic",
}

# The same for what only editing teaches (edit.py); such words leave the table above there.
MORE_NEAR = {
    "dog": "bear cow fox horse lion pet pig sheep tiger wolf",
    "bird": "chicken duck eagle owl parrot penguin",
    "boat": "ferry kayak sail yacht",
    "person": "astronaut boy child girl man wizard woman",
    "robot": "android machine",
    "plane": "helicopter jet satellite",
}

OFFERS = {
    "defaults": {"steps": 4, "size": 256, "cfg": 1.0, "seed": 5, "prompt": "a rocket in the desert"},
    "sizes": [256],
    "max_steps": 50,
    "presets": [
        # Start blocks, weights and ranges were chosen by looking at sweeps from -2 to 4 (guide.py). One direction of
        # quality is enough: those that the paper calls complexity and video's look like it, and simplicity like less of it.
        # The page shows the first three large.
        preset("night", "Night", "at night", "by day", 2, 0, (0, 3)),
        # From block 2 on, since guidance of every block set two half suns on the horizon of every fifth scene.
        preset("sunset", "Sunset", "at sunset", "by day", 4, 2, (0, 4)),
        preset("watercolour", "Watercolour", "watercolour", "clip art", 1.5, 0, (0, 2)),
        preset("detail", "Detail", "ultra-detailed, photorealistic, cinematic", "low-res, flat, cartoonish", 2, 0, (-2, 3)),
        preset("pixel", "Pixel art", "pixel art", "clip art", 2, 0, (0, 3)),
        preset("neon", "Neon", "neon", "clip art", 2, 0, (0, 3)),
    ],
    "understands": {
        "objects": list(OBJECTS), "colours": list(COLOURS), "counts": ["one", "two", "three"],
        "places": ["in a meadow", "on the beach", "in the desert", "in the snow", "on a plain background",
                   "by day", "at sunset", "at night"],
        "styles": ["pixel art", "neon", "watercolour", "glossy"],
        "quality": ["ultra-detailed", "photorealistic", "cinematic", "low-res", "flat", "cartoonish",
                    "extremely complex", "the highest quality", "very simple", "no details at all"],
        "relations": ["on the left", "on the right", "in the middle", "to the left of", "next to", "and"],
        "near": {known: words.split() for known, words in NEAR.items()},
        "uncoloured": sorted(FIXED & OBJECTS.keys()),
    },
    "examples": ["a red car on the beach at sunset", "a frog in a meadow", "two cats in the snow",
                 "a purple house in the desert at night", "three stars on a plain background",
                 "a snowman in a snowy field at night, ultra-detailed", "a butterfly, neon", "a cake, watercolour",
                 "a green car to the left of a house in the snow"],
}

# With what editing teaches as well. The page shows the first three, so those are ones that come out well at its first seed.
EDITING_EXAMPLES = ["two cats in the snow", "a robot and a dog in the snow", "a purple house in the desert at night", "a boat on the beach",
                    *(e for e in OFFERS["examples"] if e not in ("two cats in the snow", "a purple house in the desert at night", "a frog in a meadow"))]

# Through the pooled adapter, which steers every block and no head. Beyond these ranges pictures fall apart; neon costs too
# many objects to be offered.
ADAPTED_PRESETS = [
    preset("night", "Night", "at night", "by day", 1.75, 0, (0, 2)),
    preset("sunset", "Sunset", "at sunset", "by day", 2.5, 0, (0, 3)),
    preset("watercolour", "Watercolour", "watercolour", "clip art", 1.5, 0, (0, 1.5)),
    preset("detail", "Detail", "ultra-detailed, photorealistic, cinematic", "low-res, flat, cartoonish", 1, 0, (-1, 1.25)),
    preset("pixel", "Pixel art", "pixel art", "clip art", 1.5, 0, (0, 1.75)),
]
