"""Scenes to pixels: a bank of drawn backgrounds, an atlas of glyphs, and their composition.

Everything is cached, so that a picture of 256x256 costs a few milliseconds.
"""
import multiprocessing
import os
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .config import SIZE
from .scene import BASE, COLOURS, EVERY

FONT = os.environ.get("UNDERTONE_EMOJI", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
HORIZON = 160
BANKS = 10  # drawings per background
S = 2  # backgrounds are drawn at twice the size and reduced

SKY = {"day": ((96, 170, 240), (200, 230, 252)), "sunset": ((120, 70, 140), (252, 160, 90)),
       "night": ((14, 18, 52), (44, 54, 110))}
GROUND = {"meadow": ((112, 186, 84), (72, 142, 58)), "beach": ((244, 222, 164), (226, 196, 130)),
          "desert": ((232, 172, 96), (204, 136, 66)), "snow": ((246, 249, 253), (214, 226, 240))}
SEA = ((64, 150, 206), (108, 192, 222))
LIGHT = {"day": (1, 1, 1), "sunset": (1.0, 0.84, 0.74), "night": (0.42, 0.47, 0.72)}
ON_OBJECT = {"day": (1, 1, 1), "sunset": (1.0, 0.92, 0.86), "night": (0.80, 0.84, 0.98)}
PLAIN = {"day": (232, 234, 238), "sunset": (236, 178, 140), "night": (40, 44, 78)}


def lit(c, time):
    return tuple(int(a * b) for a, b in zip(c, LIGHT[time]))


def gradient(top, bottom, h, w):
    k = np.linspace(0, 1, h)[:, None, None]
    rows = np.array(top, float) * (1 - k) + np.array(bottom, float) * k
    return Image.fromarray(np.broadcast_to(rows, (h, w, 3)).round().astype(np.uint8))


def ellipse(d, x, y, rx, ry, fill):
    d.ellipse([(x - rx) * S, (y - ry) * S, (x + rx) * S, (y + ry) * S], fill=fill)


def sky_things(d, im, rng, time, detail, sun):
    """Sun, moon, clouds, stars: some at middle detail, many at rich detail. sun: whether sun and moon are drawn."""
    x = int(rng.choice((40, 216)))
    if not sun:
        pass
    elif time == "day":
        ellipse(d, x, 36, 16, 16, (255, 236, 120))
    elif time == "sunset":
        ellipse(d, x, 140, 24, 24, (255, 214, 120))
    else:
        ellipse(d, x, 36, 15, 15, (240, 240, 220))
        ellipse(d, x + 7, 32, 12, 12, SKY["night"][0])
    if time == "night":
        for _ in range(60 if detail == 2 else 14):
            sx, sy, r = rng.uniform(0, 256), rng.uniform(0, HORIZON - 24), rng.uniform(.7, 1.7)
            ellipse(d, sx, sy, r, r, (236, 238, 255))
    cloud = {"day": (252, 253, 255), "sunset": (250, 190, 160), "night": (62, 70, 122)}[time]
    for _ in range(3 if detail == 2 else 1):
        cx, cy = rng.uniform(20, 236), rng.uniform(16, 84)
        for k in range(4):
            ellipse(d, cx + (k - 1.5) * 11, cy + rng.uniform(-4, 4), 14, 8, cloud)


def ground_things(d, rng, place, time, detail):
    """Horizon shapes, then grass blades, flowers, pebbles, ripples, drifts when the detail is rich."""
    if place == "meadow":
        for _ in range(2 if detail == 1 else 3):
            ellipse(d, rng.uniform(0, 256), HORIZON + 12, rng.uniform(50, 90), rng.uniform(20, 42), lit((88, 158, 74), time))
    if place == "desert":
        for _ in range(2 if detail == 1 else 3):
            x, w, h = rng.uniform(0, 256), rng.uniform(40, 80), rng.uniform(16, 44)
            d.polygon([((x - w) * S, (HORIZON + 2) * S), (x * S, (HORIZON - h) * S), ((x + w) * S, (HORIZON + 2) * S)],
                      fill=lit((214, 150, 84), time))
    if place == "snow":
        for _ in range(2 if detail == 1 else 4):
            x, w, h = rng.uniform(0, 256), rng.uniform(40, 70), rng.uniform(26, 64)
            d.polygon([((x - w) * S, (HORIZON + 2) * S), (x * S, (HORIZON - h) * S), ((x + w) * S, (HORIZON + 2) * S)],
                      fill=lit((186, 202, 226), time))
    if detail < 2:
        return
    for _ in range(110):
        x, y = rng.uniform(0, 256), rng.uniform(HORIZON + 8, 254)
        k = 0.5 + (y - HORIZON) / 100
        if place == "meadow":
            d.line([x * S, y * S, (x + rng.uniform(-3, 3)) * S, (y - 9 * k) * S], fill=lit((46, 116, 42), time), width=3)
        elif place == "beach":
            ellipse(d, x, y, 2.2 * k, 1.3 * k, lit([(196, 164, 104), (250, 240, 214), (222, 150, 120)][rng.integers(3)], time))
        elif place == "desert":
            ellipse(d, x, y, 9 * k, 1.0, lit((190, 122, 58), time))
        elif place == "snow":
            ellipse(d, x, y, 6 * k, 1.2, lit((184, 202, 228), time))
    if place == "meadow":
        for _ in range(16):
            x, y = rng.uniform(0, 256), rng.uniform(HORIZON + 14, 252)
            ellipse(d, x, y, 3, 3, lit([(250, 220, 80), (246, 246, 246), (240, 130, 170)][rng.integers(3)], time))
    if place == "beach":
        for _ in range(14):
            x, y = rng.uniform(0, 256), rng.uniform(HORIZON - 22, HORIZON)
            d.line([x * S, y * S, (x + 14) * S, y * S], fill=lit((222, 242, 250), time), width=3)
    if place == "snow":
        for _ in range(70):
            ellipse(d, rng.uniform(0, 256), rng.uniform(0, 256), 1.5, 1.5, (250, 252, 255))


@lru_cache(maxsize=None)
def background(place, time, detail, bank, sun=True):
    """-> float32 [256, 256, 3] in 0..255. Depends on its arguments only; without its sun it is the same drawing."""
    rng = np.random.default_rng([7, bank, detail] + [ord(c) for c in place + time])
    if place == "plain":
        c = np.array(PLAIN[time], float)
        im = gradient(c, c, SIZE * S, SIZE * S)
        d = ImageDraw.Draw(im)
        if detail:
            im = gradient(np.minimum(c * 1.10, 255), c * 0.86, SIZE * S, SIZE * S)
            d = ImageDraw.Draw(im)
        if detail == 2:
            for _ in range(26):
                x, y, r, k = rng.uniform(0, 256), rng.uniform(0, 256), rng.uniform(5, 20), rng.uniform(.86, 1.12)
                ellipse(d, x, y, r, r, tuple(int(min(255, v * k)) for v in c))
        return np.asarray(im.resize((SIZE, SIZE), Image.BOX), np.float32)
    top, low = SKY[time]
    if detail == 0:
        top = low = tuple((a + b) // 2 for a, b in zip(top, low))
    im = gradient(top, low, SIZE * S, SIZE * S)
    d = ImageDraw.Draw(im)
    if detail:
        sky_things(d, im, rng, time, detail, sun)
    a, b = (np.array(lit(c, time), float) for c in GROUND[place])
    if detail == 0:
        a = b = (a + b) / 2
    ground = gradient(a, b, (SIZE - HORIZON) * S, SIZE * S)
    if place == "beach":
        sea = [lit(c, time) for c in (SEA if detail else (SEA[0], SEA[0]))]
        im.paste(gradient(*sea, 26 * S, SIZE * S), (0, (HORIZON - 26) * S))
    if detail and place != "beach":
        ground_things(d, rng, place, time, 1 if detail == 1 else 2)
        keep = im.copy()
        im.paste(ground, (0, HORIZON * S))
        if detail == 2:  # the blades and pebbles lie on the ground, the hills behind it
            d = ImageDraw.Draw(im)
            ground_things(d, rng, place, time, 2)
            im.paste(keep.crop((0, 0, SIZE * S, (HORIZON - 2) * S)), (0, 0))
    else:
        im.paste(ground, (0, HORIZON * S))
        if detail == 2:
            ground_things(ImageDraw.Draw(im), rng, place, time, 2)
    return np.asarray(im.resize((SIZE, SIZE), Image.BOX), np.float32)


@lru_cache(maxsize=None)
def glyph(name):
    """The glyph, cropped and centred in a square, RGBA."""
    font = ImageFont.truetype(FONT, 109, layout_engine=ImageFont.Layout.RAQM)
    im = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(im).text((18, 18), EVERY[name], font=font, embedded_color=True)
    im = im.crop(im.getbbox())
    side = max(im.size)
    out = Image.new("RGBA", (side, side))
    out.paste(im, ((side - im.width) // 2, side - im.height))
    return out


def recolour(im, hue):
    """Every clearly coloured pixel takes the hue; value and (raised) saturation stay."""
    alpha = im.getchannel("A")
    h, s, v = (np.asarray(c).astype(np.float32) for c in im.convert("RGB").convert("HSV").split())
    mask = s > 60
    h = np.where(mask, hue * 255, h)
    s = np.where(mask, np.clip(s * 1.15 + 20, 0, 255), s)
    if hue > 0.3:  # blue, green and purple of full value look like light, not like paint
        v = np.where(mask, v * 0.88, v)
    out = Image.merge("HSV", [Image.fromarray(c.astype(np.uint8)) for c in (h, s, v)]).convert("RGB")
    out.putalpha(alpha)
    return out


@lru_cache(maxsize=4096)
def sprite(name, colour, size, style, detail):
    """-> float32 [size, size, 4]: RGB 0..255 and alpha 0..1."""
    im = glyph(name)
    if colour:
        im = recolour(im, COLOURS[colour])
    im = im.resize((size, size), Image.LANCZOS)
    alpha = np.asarray(im.getchannel("A"), np.float32) / 255
    rgb = im.convert("RGB")
    if detail == 0:  # plain fills: few colours, no gradients
        rgb = rgb.filter(ImageFilter.MedianFilter(5)).quantize(6, method=Image.Quantize.MEDIANCUT).convert("RGB")
    a = np.asarray(rgb, np.float32)
    y, x = np.mgrid[0:size, 0:size] / size
    if detail == 2:  # light from the upper left, a dark rim
        a = a * (1.16 - 0.42 * (0.45 * x + 0.55 * y))[..., None]
        soft = np.asarray(im.getchannel("A").filter(ImageFilter.GaussianBlur(size / 22)), np.float32) / 255
        a = a * (0.62 + 0.38 * np.clip(soft * 1.9 - 0.9, 0, 1))[..., None]
    if style == "glossy":
        g = np.clip(1 - ((x - .40) / .34) ** 2 - ((y - .27) / .22) ** 2, 0, 1)[..., None] ** .7
        a = a * (1 - .72 * g) + 255 * .72 * g
        low = np.clip(1 - ((x - .5) / .45) ** 2 - ((y - .95) / .25) ** 2, 0, 1)[..., None]
        a = a * (1 - .3 * low) + 255 * .3 * low
    return np.dstack([np.clip(a, 0, 255), alpha])


@lru_cache(maxsize=64)
def shadow(size):
    y, x = np.mgrid[-16:16, 0:size]
    return (0.36 * np.clip(1.25 - ((x / size - .5) / .40) ** 2 - (y / 11) ** 2, 0, 1)).astype(np.float32)


Y, X = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE - 0.5
VIGNETTE = np.clip(1.12 - 1.15 * (X * X + Y * Y), 0, 1.1)[..., None]


def polish(a, level, time):
    """0: small, pale and blurred; 2: contrast, deep colour, warm light and vignette."""
    if level == 0:
        im = Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))
        a = np.asarray(im.resize((48, 48), Image.BOX).resize((SIZE, SIZE), Image.BILINEAR), np.float32)
        return 150 + (a * 0.75 + a.mean(-1, keepdims=True) * 0.25 - 150) * 0.78
    if level == 2:
        grey = a.mean(-1, keepdims=True)
        a = grey + (a - grey) * 1.22
        a = 118 + (a - 118) * 1.14
        return a * VIGNETTE * np.array((1.04, 1.0, .96), np.float32)
    return a


GLOW = 24  # pixels that a neon object shines beyond its box
DARK = np.array((.32, .32, .38), np.float32)  # what remains of the scene around neon light


@lru_cache(maxsize=2048)
def neon_light(name, colour, size, detail):
    """The light of an object as neon tubes: float32 [size+2*GLOW, size+2*GLOW, 3], to be added, and how far its
    body covers what lies behind, [.., .., 1].

    Tubes run along the outline and along the edges between the object's own colours; each has the colour of
    its neighbourhood at full strength, a whitish core and a glow.
    """
    p = np.pad(sprite(name, colour, size, "flat", min(detail, 1)), ((GLOW, GLOW), (GLOW, GLOW), (0, 0)))
    alpha, rgb = p[..., 3:], p[..., :3] * p[..., 3:]
    soft = blur(np.dstack([rgb, 255 * alpha]), 1.2)
    dy, dx = np.gradient(soft, axis=(0, 1))
    steep = np.sqrt(dy ** 2 + dx ** 2)
    tube = np.clip((np.maximum(steep[..., 3:] * 1.2, steep[..., :3].max(-1, keepdims=True)) - 9) / 22, 0, 1)
    tube = blur(tube * 255, size / 90) / 255
    near = blur(np.dstack([rgb, 255 * alpha]), size / 26)
    hue = near[..., :3] / np.maximum(near[..., 3:] / 255, 1e-3)
    hue = hue - 0.75 * hue.min(-1, keepdims=True)
    hue = 255 * hue / np.maximum(hue.max(-1, keepdims=True), 40)
    glow = blur(tube * hue, size / 14)
    core = np.clip(tube * 1.5 - 0.55, 0, 1)
    light = tube * hue * 1.15 + core * (255 - hue) * 0.35 + glow * 0.9 + 0.20 * rgb
    return light.astype(np.float32), 0.75 * alpha


def neon(s, a, base):
    """The background a, darkened, with every object as light."""
    a = np.pad(a * DARK, ((GLOW, GLOW), (GLOW, GLOW), (0, 0)))
    for (name, colour), x in zip(s.objects, s.xs):
        light, cover = neon_light(name, colour, s.size, s.detail)
        left, top = x - s.size // 2, base - s.size
        window = a[top:top + len(light), left:left + len(light)]
        window *= 1 - cover
        window += light
    return a[GLOW:-GLOW, GLOW:-GLOW]


@lru_cache(maxsize=None)
def paper(bank):
    """Smooth random fields of one sheet: displacements of rows and columns (pixels), density of paint, and the
    painted area (0 at the sheet's edge, 1 inside)."""
    rng = np.random.default_rng([11, bank])

    def field(cells):
        im = Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32))
        return np.asarray(im.resize((SIZE, SIZE), Image.BICUBIC), np.float32)

    y, x = field(14), field(14)
    margin = np.minimum(np.minimum(np.mgrid[0:SIZE, 0:SIZE][0], SIZE - 1 - np.mgrid[0:SIZE, 0:SIZE][0]),
                        np.minimum(np.mgrid[0:SIZE, 0:SIZE][1], SIZE - 1 - np.mgrid[0:SIZE, 0:SIZE][1]))
    inside = np.clip((margin - 17 - 5 * field(9)) / 4, 0, 1)
    return 2.6 * y, 2.6 * x, np.clip(0.80 + 0.11 * field(7), .55, 1)[..., None], inside[..., None]


def watercolour(a, bank):
    """Wobbling outlines, uneven pale paint that gathers at edges, and a white margin."""
    y, x, density, inside = paper(bank)
    rows = np.clip(np.arange(SIZE)[:, None] + y, 0, SIZE - 1).astype(int)
    cols = np.clip(np.arange(SIZE)[None] + x, 0, SIZE - 1).astype(int)
    a = np.clip(a, 0, 255)[rows, cols]
    rim = np.abs(a - blur(a, 6)).max(-1, keepdims=True)
    paint = (255 - blur(a, 1.6)) * density * 0.92 + 0.4 * np.clip(rim - 8, 0, 90)
    return 252 - np.clip(paint, 0, 240) * inside


def blur(a, radius):
    """Gaussian blur of each channel of a float array [H, W, C] in 0..255 (in steps of 1)."""
    planes = [Image.fromarray(np.clip(a[..., c], 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
              for c in range(a.shape[-1])]
    return np.dstack([np.asarray(p, np.float32) for p in planes])


def objects(s, a, base):
    """The background a with shadows and sprites on it."""
    tint = np.array(ON_OBJECT[s.time], np.float32)
    for (name, colour), x in zip(s.objects, s.xs):
        p = sprite(name, colour, s.size, s.style, s.detail)
        left, top = x - s.size // 2, base - s.size
        if s.detail:
            sh = shadow(s.size)[..., None]
            a[base - 16:base + 16, left:left + s.size] *= 1 - sh
        alpha = p[..., 3:]
        window = a[top:top + s.size, left:left + s.size]
        window += (p[..., :3] * tint - window) * alpha
    return a


# Blocks of 8 pixels have a faint seam on their right and lower side: it shows even where their colours agree.
SEAMS = np.where(np.add.outer(np.arange(SIZE) % 8 == 7, np.arange(SIZE) % 8 == 7), 0.88, 1.0)[..., None]


def render(s):
    """Scene -> uint8 [256, 256, 3]."""
    a = background(s.place, s.time, s.detail, s.bank, s.sun).copy()
    base = {160: BASE, 128: BASE - 16, 112: BASE - 16, 80: BASE - 16}[s.size]
    a = neon(s, a, base) if s.style == "neon" else objects(s, a, base)
    if s.style == "watercolour":
        a = watercolour(a, s.bank)
    a = polish(a, s.polish, s.time)
    a = np.clip(a, 0, 255).astype(np.uint8)
    if s.style == "pixel":
        im = Image.fromarray(a).resize((32, 32), Image.LANCZOS)
        im = im.quantize(28, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
        a = (np.asarray(im.resize((SIZE, SIZE), Image.NEAREST)) * SEAMS).astype(np.uint8)
    return a


def render_all(scenes):
    """Pictures of the scenes in order, drawn by one process per core while the caller works on the last ones."""
    with multiprocessing.get_context("fork").Pool() as pool:
        yield from pool.imap(render, scenes, chunksize=16)


def grid(pictures, columns):
    """uint8 pictures of one size -> one PIL image."""
    h, w = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    out = np.full((rows * h, columns * w, 3), 255, np.uint8)
    for i, p in enumerate(pictures):
        r, c = divmod(i, columns)
        out[r * h:(r + 1) * h, c * w:(c + 1) * w] = p
    return Image.fromarray(out)
