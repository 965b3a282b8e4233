"""What the pooled vector does: the paper's Fig. 1 and Table 1 on this model, and the geometry of the directions."""
import numpy as np
import torch

from . import judge
from .bench import paired
from .flux import timestep_embedding
from .heldout import NOISE, SCORED, bootstrap, wilson

BINS = ((3, 6), (7, 9), (10, 12), (13, 16), (17, 32))  # caption lengths in tokens, BOS and EOS counted
SHORT = 9  # tokens up to which a caption counts as short


def another(items, seed=5):
    """A permutation that gives every item a caption that differs from its own."""
    order = np.random.default_rng(seed).permutation(len(items))
    while any(items[i].text == items[j].text for i, j in enumerate(order)):
        order = np.roll(order, 1)
    return order


def distances(a, b, za, zb, fa, fb):
    """Per picture: RMS over pixels (0..255), RMS over latents (unit variance), 1 - cosine of the judge's features."""
    f = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
    return {"pixel": np.sqrt(((a.astype(np.float32) - b) ** 2).mean((1, 2, 3))),
            "latent": (za - zb).pow(2).mean((1, 2, 3)).sqrt().numpy(), "feature": 1 - (f(fa) * f(fb)).sum(1)}


def pooled(bench, model, items):
    """Pictures with the pooled vector, with it zeroed, with the empty prompt's, and with another prompt's.

    -> per variant: accuracy of short and long captions with the change against the full model, and distances by length.
    """
    own = model.encode([it.text for it in items])[1]
    variants = {"zero": torch.zeros_like(own), "empty": model.empty[1].expand_as(own),
                "another": own[torch.from_numpy(another(items))]}
    length = np.array([it.tokens for it in items])

    def run(vector=None):
        z = bench.latents(model, items, pooled=vector)
        pictures = np.concatenate([model.decode(z[i:i + 50]) for i in range(0, len(z), 50)])
        return z, pictures, judge.read(bench.net, pictures)["features"], bench.score(pictures, items)

    z0, p0, f0, base = run()
    groups = {"short": length <= SHORT, "long": length > SHORT}
    out = {"short is": f"at most {SHORT} tokens", "with": {g: {k: wilson(base[k][m]) for k in SCORED}
                                                           for g, m in groups.items()}}
    for name, vector in variants.items():
        z, p, f, r = run(vector)
        far = distances(p, p0, z, z0, f, f0)
        part = {k: v for k, v in r.items() if k in SCORED}
        out[name] = {
            "accuracy": {g: {k: wilson(v[m]) for k, v in part.items()} for g, m in groups.items()},
            "change": {g: paired({k: v[m] for k, v in part.items()}, {k: base[k][m] for k in part}) for g, m in groups.items()},
            "distance": {k: {f"{lo}-{hi}": bootstrap(v[(length >= lo) & (length <= hi)]) for lo, hi in BINS}
                         for k, v in far.items()},
            "each": {"tokens": length.tolist(), "pixel": [round(float(x), 1) for x in far["pixel"]]}}
    # How far two pictures of one caption lie apart when only the noise differs: the scale to read the distances by.
    some = items[:64]
    again = bench.latents(model, some, noises=[NOISE * 2 + it.number for it in some])
    p = model.decode(again)
    out["another noise"] = {k: bootstrap(v) for k, v in distances(
        p, p0[:len(some)], again, z0[:len(some)], judge.read(bench.net, p)["features"], f0[:len(some)]).items()}
    return out


def geometry(model, items, presets, steps=4):
    """Norms and angles per preset: |y| (mean over captions and the steps' times), |delta|, cosine of y and delta,
    and |y + w delta| / |y| at the preset's weight."""
    own = model.psi([it.text for it in items])
    with torch.no_grad():
        times = torch.tensor([1 - i / steps for i in range(steps)])
        y = (model.net.time_in(timestep_embedding(times))[None] + own[:, None]).flatten(0, 1)
    out = {"y": round(y.norm(dim=1).mean().item(), 3), "psi": round(own.norm(dim=1).mean().item(), 3), "presets": {}}
    for p in presets:
        d = model.directions([p["positive"]], [p["negative"]])
        cos = torch.cosine_similarity(y, d.expand_as(y))
        moved = (y + p["weight"] * d).norm(dim=1) / y.norm(dim=1)
        out["presets"][p["id"]] = {
            "delta": round(d.norm().item(), 3), "cosine": round(cos.mean().item(), 3),
            "angle": round(torch.rad2deg(torch.acos(cos)).mean().item(), 1), "weight": p["weight"],
            "norm ratio": round(moved.mean().item(), 3)}
    return out
