"""Stage 6: modulation guidance on the student, to be looked at: one row per prompt, one column per weight."""
import torch
from PIL import Image, ImageDraw

from . import render
from .bundle import OFFERS
from .config import DIT, GRID
from .flux import unpatchify
from .teacher import decode, velocity

BLOCKS = DIT["depth"] + DIT["depth_single_blocks"]
WEIGHTS = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
PROMPTS = ["a red car on the beach", "a frog in a meadow", "a blue house in the desert at sunset", "two cats in the snow"]


def shifts(net, prompts, positive, negative, weight, start, head=0.0):
    """[BLOCKS + 1, D]: weight * (psi(p+) - psi(p-)) from block start on, head * the same at the output."""
    pooled = prompts([positive, negative])[1]
    with torch.no_grad():
        a, b = net.vector_in(pooled)
    w = torch.tensor([weight if l >= start else 0.0 for l in range(BLOCKS)] + [head])
    return w[:, None] * (a - b)[None]


def pictures(net, vae, prompts, texts, shift=None, steps=4, seed=1):
    """uint8 pictures of the student for the texts, all from the noise of one seed."""
    tokens, pooled = prompts(texts)
    n = len(texts)
    x = torch.randn(1, GRID * GRID, DIT["in_channels"], generator=torch.Generator().manual_seed(seed)).repeat(n, 1, 1)
    with torch.no_grad():
        for i in range(steps):
            x = x - velocity(net, x, torch.full((n,), 1 - i / steps), tokens, pooled, shift) / steps
    return decode(vae, unpatchify(x, GRID, GRID))


def pictures_of_each(net, vae, prompts, texts, seed=1):
    """As pictures, but the n-th text is drawn from seed + n."""
    return [pictures(net, vae, prompts, [t], seed=seed + i)[0] for i, t in enumerate(texts)]


def sweep(net, vae, prompts, positive, negative, start, path, head=0.0, weights=WEIGHTS, texts=PROMPTS):
    """Writes a grid: columns are weights, rows are prompts."""
    columns = [pictures(net, vae, prompts, texts, shifts(net, prompts, positive, negative, w, start, head * w))
               for w in weights]
    rows = [columns[c][r][::2, ::2] for r in range(len(texts)) for c in range(len(weights))]
    im = render.grid(rows, len(weights))
    out = Image.new("RGB", (im.width, im.height + 14), "white")
    out.paste(im, (0, 14))
    d = ImageDraw.Draw(out)
    for c, w in enumerate(weights):
        d.text((c * 128 + 4, 1), f"w = {w:g}", fill="black")
    out.save(path)


def all_presets(net, vae, prompts, folder):
    """Writes guidance.png: the grids of all presets side by side, two prompts each, titled."""
    tiles = []
    for p in OFFERS["presets"]:
        path = folder / "guidance.png"
        sweep(net, vae, prompts, p["positive"], p["negative"], p["schedule"]["start"], path, head=p["head"], texts=PROMPTS[:2])
        im = Image.open(path).convert("RGB")
        im = im.resize((im.width * 3 // 4, im.height * 3 // 4), Image.LANCZOS)
        titled = Image.new("RGB", (im.width, im.height + 14), "white")
        titled.paste(im, (0, 14))
        ImageDraw.Draw(titled).text((4, 1), f"{p['title']}: from block {p['schedule']['start']} on", fill="black")
        tiles.append(titled)
    w, h = tiles[0].size
    out = Image.new("RGB", (2 * w + 8, -(-len(tiles) // 2) * h), "white")
    for i, t in enumerate(tiles):
        out.paste(t, (i % 2 * (w + 8), i // 2 * h))
    out.save(folder / "guidance.png", optimize=True)
