"""The loss curves of all stages as one small picture, drawn from the logs."""
import json
import math

from PIL import Image, ImageDraw

from .config import STATE

W, H, PAD = 360, 200, 34


def draw_curves(path, stages=("autoencoder", "contrast", "teacher", "student")):
    """One panel per stage: loss (logarithmic) over minutes."""
    out = Image.new("RGB", (W * 2, H * ((len(stages) + 1) // 2)), "white")
    d = ImageDraw.Draw(out)
    for i, stage in enumerate(stages):
        log = STATE / f"{stage}.log"
        points = [json.loads(l) for l in log.read_text().splitlines()] if log.exists() else []
        points = [(p["seconds"] / 60, p["loss"]) for p in points][1:]
        if len(points) < 2:
            continue
        x0, y0 = (i % 2) * W, (i // 2) * H
        lo, hi = min(l for _, l in points), max(l for _, l in points)
        t = points[-1][0]
        span = math.log(hi / lo) or 1.0
        line = [(x0 + PAD + m / t * (W - 2 * PAD), y0 + H - PAD - math.log(l / lo) / span * (H - 2 * PAD)) for m, l in points]
        d.rectangle([x0 + PAD, y0 + PAD, x0 + W - PAD, y0 + H - PAD], outline=(200, 200, 200))
        d.line(line, fill=(200, 60, 40), width=2)
        d.text((x0 + PAD, y0 + 12), f"{stage}: loss {hi:.3g} to {lo:.3g}", fill="black")
        d.text((x0 + PAD, y0 + H - PAD + 6), f"0 .. {t:.1f} minutes of two CPU cores", fill="black")
    out.save(path)
