"""Grids of pictures and plots of numbers for the model card. Needs matplotlib, which nothing else here does."""
import numpy as np
from matplotlib import font_manager
from matplotlib import pyplot as plt
from PIL import Image, ImageDraw, ImageFont

from .sweeps import DIRECTIONS, WEIGHTS
from .shipped import noise_of

TILE = 128
INK, PALE = (30, 30, 34), (120, 120, 128)
COLOURS = ("#c0392b", "#e08e0b", "#2e8b57", "#2471a3", "#7d3c98")
PROMPTS = ("a blue house in the desert at sunset", "two cats in the snow")
OBJECTS = ("frog", "cat", "car", "house", "flower", "snowman", "cake", "butterfly")


def font(size):
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def wrap(text, f, width):
    """Lines of at most width pixels."""
    lines, line = [], ""
    for w in text.split():
        if line and f.getlength(f"{line} {w}") > width:
            lines.append(line)
            line = w
        else:
            line = f"{line} {w}".strip()
    return [*lines, line]


def small(picture):
    """uint8 [256, 256, 3] -> [128, 128, 3]."""
    return np.asarray(Image.fromarray(picture).resize((TILE, TILE), Image.BOX))


def captioned(pictures, texts, path, columns=8):
    """A grid with the caption under each picture."""
    f = font(10)
    lines = [wrap(t, f, TILE - 6) for t in texts]
    rows = [lines[i:i + columns] for i in range(0, len(lines), columns)]
    heights = [TILE + 6 + 12 * max(map(len, r)) + 6 for r in rows]
    out = Image.new("RGB", (columns * TILE, sum(heights)), "white")
    d = ImageDraw.Draw(out)
    y = 0
    for r, (row, h) in enumerate(zip(rows, heights)):
        for c, text in enumerate(row):
            out.paste(Image.fromarray(small(pictures[r * columns + c])), (c * TILE, y))
            for i, line in enumerate(text):
                d.text((c * TILE + 3, y + TILE + 4 + 12 * i), line, fill=INK, font=f)
        y += h
    out.save(path, optimize=True)


def table(rows, heads, labels, path, title_rows=()):
    """Pictures in rows with a label at the left of each row and a head over each column; title_rows: {row: title} pairs."""
    f, bold = font(12), font(14)
    titles = dict(title_rows)
    left = 8 + int(max(f.getlength(line) for t in labels for line in wrap(t, f, 110)))
    heights = [TILE + 2 + (24 if i in titles else 0) for i in range(len(rows))]
    out = Image.new("RGB", (left + (TILE + 2) * len(heads), 20 + sum(heights)), "white")
    d = ImageDraw.Draw(out)
    for c, t in enumerate(heads):
        d.text((left + c * (TILE + 2) + TILE // 2, 3), t, fill=INK, font=f, anchor="ma")
    y = 20
    for i, row in enumerate(rows):
        if i in titles:
            d.text((6, y + 4), titles[i], fill=INK, font=bold)
            y += 24
        for k, line in enumerate(wrap(labels[i], f, 110)):
            d.text((4, y + 40 + 15 * k), line, fill=PALE, font=f)
        for c, p in enumerate(row):
            out.paste(Image.fromarray(small(p)), (left + c * (TILE + 2), y))
        y += TILE + 2
    out.save(path, optimize=True)


def draw(model, texts, seeds, shift=None):
    tokens, pooled = model.encode(texts)
    return model.decode(model.latents(tokens, pooled, noise_of(seeds), shift=shift))


def preset_of(model, positive, negative):
    """The start block and head weight (per weight) of the bundle's preset with these words, else a constant schedule."""
    for p in model.manifest["presets"]:
        if (p["positive"], p["negative"]) == (positive, negative):
            return p["schedule"].get("start", 0), p["head"] / p["weight"]
    return 0, 0.0


def weights(model, path):
    """One band per direction, one row per prompt, one column per weight, all from the noise of seed 1."""
    rows, titles = [], {}
    for name, (positive, negative, _) in DIRECTIONS.items():
        start, head = preset_of(model, positive, negative)
        titles[len(rows)] = f"{name}: “{positive}” minus “{negative}”, from block {start} on"
        delta = model.directions([positive], [negative])
        cells = [draw(model, list(PROMPTS), [1] * len(PROMPTS), model.shift(delta, w, start, head * w) if w else None)
                 for w in WEIGHTS]
        rows += [[c[r] for c in cells] for r in range(len(PROMPTS))]
    table(rows, [f"w = {w}" for w in WEIGHTS], list(PROMPTS) * len(DIRECTIONS), path, titles)


def styles(model, presets, path):
    """The presets of style (rows) on the same prompts (columns), which name no style."""
    texts = [f"a {name} in a meadow" for name in OBJECTS]
    seeds = list(range(1, len(texts) + 1))
    rows, labels = [draw(model, texts, seeds)], ["no preset"]
    for p in presets:
        if not p["aspect"] or p["aspect"][0] not in ("style", "time", "first colour"):
            continue
        delta = model.directions([p["positive"]], [p["negative"]])
        start, w = p["schedule"].get("start", 0), p["weight"]
        rows.append(draw(model, texts, seeds, model.shift(delta, w, start, p["head"])))
        labels.append(f"{p['title']}, w = {w:g}")
    table(rows, list(OBJECTS), labels, path)


def finish(fig, path):
    for ax in fig.axes:
        ax.grid(color="#e4e4e8", linewidth=.7)
        ax.set_axisbelow(True)
        for s in ("top", "right"):
            ax.spines[s].set_visible(False)
    fig.tight_layout()
    fig.savefig(path, dpi=90, facecolor="white")
    plt.close(fig)
    Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)


def label(start):
    return "every block (constant)" if start == "0" else f"from block {start} on"


def gains(e, path):
    """Above: the judge's score over the weight. Below: what it costs in objects, step against constant schedules."""
    names = list(DIRECTIONS)
    fig, axes = plt.subplots(2, len(names), figsize=(12.5, 7.6))
    for name, above, below in zip(names, *axes):
        part = e["guidance"][name]
        s = part["sweep"]
        base = s["base"]["score"]
        for (start, curve), colour in zip(s["curves"].items(), COLOURS):
            points = sorted([(int(w), c["score"], c["gain"]) for w, c in curve.items()] + [(0, base, None)])
            above.plot([p[0] for p in points], [p[1] for p in points], "o-", ms=3, color=colour, label=label(start))
            if start == "0":
                band = [(w, base + g["low"], base + g["high"]) if g else (w, base, base) for w, _, g in points]
                above.fill_between(*zip(*band), color=colour, alpha=.15, linewidth=0)
            cost = [(-c["object change"]["value"], c["gain"]["value"], w) for w, c in
                    sorted(curve.items(), key=lambda x: int(x[0])) if int(w) > 0]
            below.plot([0] + [c[0] for c in cost], [0] + [c[1] for c in cost], "o-", ms=3, color=colour, label=label(start))
            for x, y, w in cost:
                below.annotate(w, (x, y), fontsize=7, color=colour, xytext=(3, 3), textcoords="offset points")
        w = part["words"]
        below.plot(-w["object change"]["value"], w["gain"]["value"], "k*", ms=9, label="quality words in the prompt")
        if part["random"]:
            r = part["random"].values()
            below.plot([-c["object change"]["value"] for c in r], [c["gain"]["value"] for c in r], "x--", color="#888888",
                       label="random direction, w = 1, 2, 3")
        above.set(title=name, xlabel="weight w", ylabel=f"{s['score']} of the judge (0 to 2)", ylim=(0, 2.02))
        below.set(xlabel="object accuracy lost (points of per cent)", ylabel="score gained")
    axes[0][0].legend(fontsize=7, loc="upper left")
    axes[1][0].legend(fontsize=7, loc="best")
    finish(fig, path)


def pooled(e, path):
    """The paper's Fig. 1: distance of the pictures without their pooled vector over the caption's length."""
    part = e["pooled"]
    fig, (a, b) = plt.subplots(1, 2, figsize=(10, 3.9))
    for name, colour in zip(("zero", "empty", "another"), COLOURS[::2]):
        text = {"zero": "zeroed", "empty": "the empty prompt's", "another": "another prompt's"}[name]
        for ax, kind in ((a, "pixel"), (b, "feature")):
            d = part[name]["distance"][kind]
            keys = [k for k, v in d.items() if v["n"]]
            y = [d[k]["value"] for k in keys]
            ax.errorbar(range(len(keys)), y, [[v - d[k]["low"] for k, v in zip(keys, y)],
                                              [d[k]["high"] - v for k, v in zip(keys, y)]],
                        fmt="o-", ms=4, capsize=3, color=colour, label=text)
            ax.set_xticks(range(len(keys)), keys)
    for ax, kind in ((a, "pixel"), (b, "feature")):
        ax.axhline(part["another noise"][kind]["value"], color="#999999", linestyle="--", linewidth=1, label="another noise")
        ax.set_xlabel("length of the caption (tokens)")
        ax.set_ylim(bottom=0)
    a.set_ylabel("RMS distance of pictures (0 to 255)")
    b.set_ylabel("1 - cosine of the judge's features")
    lines, names = a.get_legend_handles_labels()
    a.legend(lines[1:] + lines[:1], names[1:] + names[:1], title="pooled vector", fontsize=8, title_fontsize=8)
    finish(fig, path)
