"""Draws the held-out captions with one model, one noise per caption, and has the judge score the pictures.

What was drawn is kept in STATE/evaluation by a hash of everything it depends on, so that another judge costs seconds.
"""
import hashlib
import os

import numpy as np
import torch

from . import judge
from .captions import nouns
from .config import STATE
from .heldout import NOISE, SCORED, bootstrap, score, wilson
from .shipped import noise_of

BATCH = 50


def kept(kind, facts, make):
    """make()'s array, from disk if one was made of the same facts (tensors, texts, numbers) before."""
    h = hashlib.sha256(kind.encode())
    for f in facts:
        h.update(f.contiguous().numpy().tobytes() if torch.is_tensor(f) else repr(f).encode())
    path = STATE / "evaluation" / f"{h.hexdigest()[:24]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.npy")
        np.save(part, make())
        part.rename(path)
    return np.load(path)


class Bench:
    """net: the judge; blind: what it cannot tell (heldout.score); examined: its own accuracy (judge.examine)."""

    def __init__(self, net, examined):
        self.net = net
        # Where the judge mostly guesses, an attribute is not scored in that style.
        self.blind = frozenset((k, style) for style, part in examined["by_style"].items()
                               for k, v in part.items() if k in SCORED and v < judge.ENOUGH - 0.15)
        self.plain = {}  # (model, caption's number and text) -> what the judge saw in the picture without guidance

    def latents(self, model, items, texts=None, shift=None, steps=4, cfg=1.0, pooled=None, noises=None):
        """Scaled latents [N, 16, 16, 16] of the items. texts: other prompts; pooled [N, P]: in place of the prompts' own;
        shift: [blocks + 1, 1 or N, D]; noises: seeds in place of the items' own."""
        texts = texts or [it.text for it in items]
        noises = noises or [NOISE + it.number for it in items]
        facts = (model.key, texts, noises, steps, cfg, shift, pooled)
        return torch.from_numpy(kept("latents", facts, lambda: self._latents(model, texts, noises, steps, cfg, shift, pooled)))

    def _latents(self, model, texts, noises, steps, cfg, shift, pooled):
        out = []
        for i in range(0, len(texts), BATCH):
            rows = slice(i, i + BATCH)
            tokens, own = model.encode(texts[rows])
            part = shift if shift is None or shift.shape[1] == 1 else shift[:, rows]
            out.append(model.latents(tokens, own if pooled is None else pooled[rows],
                                     noise_of(noises[rows]), steps, cfg, part))
        return torch.cat(out).numpy()

    def pictures(self, model, items, **how):
        """uint8 [N, 256, 256, 3]."""
        z = self.latents(model, items, **how)
        return np.concatenate([model.decode(z[i:i + BATCH]) for i in range(0, len(z), BATCH)])

    def small(self, model, items, **how):
        """The same as the judge sees them, uint8 [N, 128, 128, 3]."""
        z = self.latents(model, items, **how)
        return kept("small", (model.key, z), lambda: np.concatenate(
            [judge.shrink(model.decode(z[i:i + BATCH])) for i in range(0, len(z), BATCH)]))

    def score(self, pictures, items):
        return score(judge.read(self.net, pictures), items, self.blind)

    def seen(self, model, items, **how):
        """What the judge sees in the items' pictures; those of the plain model are drawn once."""
        if how:
            return judge.read(self.net, self.small(model, items, **how))
        key = lambda it: (model, it.number, it.text)  # noqa: E731
        new = [it for it in items if key(it) not in self.plain]
        if new:
            rows = judge.read(self.net, self.small(model, new))
            self.plain.update({key(it): {k: v[i] for k, v in rows.items()} for i, it in enumerate(new)})
        rows = [self.plain[key(it)] for it in items]
        return {k: np.stack([r[k] for r in rows]) for k in rows[0]}

    def read(self, model, items, **how):
        """-> {"seen": {attribute: values [N]}, "scores": as score gives}."""
        seen = self.seen(model, items, **how)
        named = {k: np.array(v, dtype=object)[seen[k]] for k, v in judge.VALUES.items()}
        return {"seen": named, "scores": score(seen, items, self.blind)}

    def trial(self, model, items, **how):
        """-> {attribute: [N] of 1, 0, NaN}, and the scores of detail and polish; see heldout.score."""
        return score(self.seen(model, items, **how), items, self.blind)


def summary(scores, items):
    """Accuracy per attribute, and of each by what was asked for and by kind of scene, with Wilson's intervals."""
    def part(pick, k):
        return wilson(scores[k][pick])

    def groups(k, of):
        keys = [of(it) for it in items]
        names = sorted({x for x in keys if x is not None}, key=str)
        return {str(n): part([i for i, x in enumerate(keys) if x == n], k) for n in names}

    single_colour = lambda it: (it.asks.get("colour") or (None,))[0] if it.kind != "pair" else None  # noqa: E731
    return {"all": {k: wilson(scores[k]) for k in (*SCORED, "order")},
            "by": {"object": groups("object", lambda it: it.scene.objects[0][0] if it.kind != "pair" else None),
                   "colour": groups("colour", single_colour),
                   "count": groups("count", lambda it: it.asks.get("count")),
                   "style": groups("style", lambda it: it.asks.get("style")),
                   "place": groups("place", lambda it: it.asks.get("place")),
                   "time": groups("time", lambda it: it.asks.get("time")),
                   **{f"{k} by kind": groups(k, lambda it: it.kind) for k in ("object", "colour", "count")},
                   "object by style": groups("object", lambda it: it.scene.style)}}


def paired(a, b, keys=SCORED):
    """Difference a - b of two trials on the same items, in points of per cent, bootstrapped."""
    return {k: bootstrap(a[k] - b[k], 100, digits=1) for k in keys}


def plural(name):
    """The plural the grammar uses for an object's plain name."""
    return nouns(name)[1][0]
