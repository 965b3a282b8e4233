"""Stage 3: the text encoder, trained contrastively against a small image tower on latents, then frozen.

Contrast makes the pooled vector mean the picture, so that differences of pooled
vectors are directions of meaning. Both towers also name the scene's attributes
from their vector: with labels at hand that is a much shorter way to the same
place than contrast alone. The image tower is thrown away afterwards.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import warm
from .captions import UNKNOWN, VOCAB, caption, encode
from .clip import Clip
from .config import VAE, text_config
from .loop import finished, load_ema, train
from .precision import products
from .scene import COLOURS, EVERY, PLACES, STYLES, TIMES

NAMES = [("object", n) for n in EVERY] + [("colour", c) for c in (None, *COLOURS)] + [
    (k, v) for k, vs in (("count", (1, 2, 3)), ("place", PLACES), ("time", TIMES), ("style", STYLES), ("detail", (0, 1, 2)),
                         ("polish", (0, 1, 2)), ("x", (64, 96, 128, 160, 192)), ("size", (160, 128, 112, 80))) for v in vs]
INDEX = {n: i for i, n in enumerate(NAMES)}
WORDS = "text.text_model.embeddings.token_embedding.weight"


def attributes(scenes):
    """-> [B, len(NAMES)] of 0 and 1: what is in each scene."""
    out = torch.zeros(len(scenes), len(NAMES))
    for row, s in zip(out, scenes):
        found = [("object", n) for n, _ in s.objects] + [("colour", c) for _, c in s.objects] + [
            ("count", len(s.objects)), ("place", s.place), ("time", s.time), ("style", s.style), ("detail", s.detail),
            ("polish", s.polish), ("size", s.size)] + ([("x", s.xs[0])] if len(s.objects) == 1 else [])
        row[[INDEX[f] for f in found]] = 1
    return out


class Pair(nn.Module):
    """Text encoder and image tower with a common space of 128 dimensions."""

    def __init__(self, vocab=VOCAB):
        super().__init__()
        cfg = text_config(len(vocab))
        self.text = Clip(cfg)
        c = VAE["latent_channels"]
        self.image = nn.Sequential(nn.Conv2d(c, 96, 3, stride=2, padding=1), nn.ReLU(),
                                   nn.Conv2d(96, 192, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
                                   nn.Linear(192 * 16, 256), nn.ReLU())
        self.from_text = nn.Linear(cfg["hidden_size"], 128, bias=False)
        self.from_image = nn.Linear(256, 128, bias=False)
        self.name_text = nn.Linear(cfg["hidden_size"], len(NAMES))
        self.name_image = nn.Linear(256, len(NAMES))
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, ids, z):
        """-> logits [B, B] of texts against images, attribute logits of texts and of images [B, len(NAMES)]."""
        pooled, seen = self.text(ids)[1], self.image(z)
        t = F.normalize(self.from_text(pooled).float(), dim=-1)
        i = F.normalize(self.from_image(seen).float(), dim=-1)
        return (t @ i.T).float() * self.log_scale.clamp(max=3.9).exp(), self.name_text(pooled).float(), self.name_image(seen).float()


def unknown(ids, share):
    """ids with a share of the words replaced by [UNK]."""
    return ids.masked_fill((torch.rand(ids.shape) < share) & (ids > UNKNOWN), UNKNOWN)


def batch_ids(rng, scenes):
    """Fresh captions of the scenes -> ids [B, T]."""
    return torch.tensor([encode(caption(rng, s)) for s in scenes])


def trim(ids):
    """Without the columns that are padding in every row: the causal mask makes the rest independent of them."""
    return ids[:, :int((ids != 0).sum(1).max())]


def start_warm(pair, folder):
    """Words keep their vectors by name, whatever their place in the list is now; the lists of attributes start anew."""
    names = {WORDS: (list(VOCAB), warm.words(folder))}
    warm.load(pair, folder, "contrast", names, skip=("name_text", "name_image"))


def make(scenes, latents, minutes, batch=128, seed=3, start=None):
    """-> the trained text encoder (Clip, frozen). start: a folder to start warm from (warm.py)."""
    torch.manual_seed(seed)
    pair = Pair()
    if finished("contrast", minutes):
        return load_ema("contrast", pair).text
    if start:
        start_warm(pair, start)
    rng = np.random.default_rng()
    held = np.arange(len(scenes) - 256, len(scenes))

    def outputs(net, pick):
        z = torch.from_numpy(latents[pick]).float()
        z = z + 0.2 * torch.randn_like(z)
        ids = trim(unknown(batch_ids(rng, [scenes[i] for i in pick]), 0.01))
        with products():
            return net(ids, z)

    def loss_of(progress):
        pick = np.sort(rng.choice(len(scenes) - 256, batch, replace=False))
        a, text, image = outputs(pair, pick)
        y, names = torch.arange(len(a)), attributes([scenes[i] for i in pick])
        named = sum(F.binary_cross_entropy_with_logits(x, names) for x in (text, image))
        return (F.cross_entropy(a, y) + F.cross_entropy(a.T, y)) / 2 + 10 * named

    def report(ema, progress):
        a, text, image = outputs(ema, held)
        names = attributes([scenes[i] for i in held])
        right = [((x > 0) == names.bool()).float().mean().item() for x in (text, image)]
        print({"stage": "contrast", "top1 of 256": (a.argmax(1) == torch.arange(256)).float().mean().item(),
               "named by text": round(right[0], 4), "by image": round(right[1], 4)}, flush=True)

    return train("contrast", pair, loss_of, minutes, 1e-3, decay=0.98, report=report, save_every=60).text.eval()
