"""Stage 3: the text encoder, trained contrastively against a small image tower on latents, then frozen.

Contrast makes the pooled vector mean the picture, so that differences of pooled
vectors are directions of meaning. The image tower is thrown away afterwards.
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .captions import VOCAB, caption, encode
from .clip import Clip
from .config import MAX_LENGTH, VAE, text_config
from .loop import finished, load_ema, train

UNKNOWN = 3


class Pair(nn.Module):
    """Text encoder and image tower with a common space of 128 dimensions."""

    def __init__(self):
        super().__init__()
        cfg = text_config(len(VOCAB))
        self.text = Clip(cfg)
        c = VAE["latent_channels"]
        self.image = nn.Sequential(nn.Conv2d(c, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 128, 3, stride=2, padding=1),
                                   nn.ReLU(), nn.Conv2d(128, 192, 3, stride=2, padding=1), nn.ReLU(),
                                   nn.Conv2d(192, 256, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256 * 16, 256))
        self.from_text = nn.Linear(cfg["hidden_size"], 128, bias=False)
        self.from_image = nn.Linear(256, 128, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, ids, z):
        """Logits [B, B] of texts against images."""
        t = F.normalize(self.from_text(self.text(ids)[1]).float(), dim=-1)
        i = F.normalize(self.from_image(F.relu(self.image(z))).float(), dim=-1)
        return t @ i.T * self.log_scale.clamp(max=3.9).exp()


def batch_ids(rng, scenes, unknown=0.0):
    """Fresh captions of the scenes -> ids [B, T]; a share of the words becomes [UNK]."""
    ids = torch.tensor([encode(caption(rng, s)) for s in scenes])
    if unknown:
        ids[(torch.rand(ids.shape) < unknown) & (ids > UNKNOWN)] = UNKNOWN
    return ids


def trim(ids):
    """Without the columns that are padding in every row: the causal mask makes the rest independent of them."""
    return ids[:, :int((ids != 0).sum(1).max())]


def make(scenes, latents, minutes, batch=256, seed=3):
    """-> the trained text encoder (Clip, frozen)."""
    torch.manual_seed(seed)
    pair = Pair()
    if finished("contrast", minutes):
        return load_ema("contrast", pair).text
    rng = np.random.default_rng()
    held = np.arange(len(scenes) - 256, len(scenes))

    def logits_of(net, pick):
        z = torch.from_numpy(latents[np.sort(pick)]).float()
        z = z + 0.2 * torch.randn_like(z)
        ids = trim(batch_ids(rng, [scenes[i] for i in np.sort(pick)], 0.01))
        with torch.autocast("cpu", torch.bfloat16):
            return net(ids, z)

    def loss_of(progress):
        a = logits_of(pair, rng.choice(len(scenes) - 256, batch, replace=False))
        y = torch.arange(len(a))
        return (F.cross_entropy(a, y) + F.cross_entropy(a.T, y)) / 2

    def report(ema, progress):
        a = logits_of(ema, held)
        print({"stage": "contrast", "top1 of 256": (a.argmax(1) == torch.arange(256)).float().mean().item()}, flush=True)

    return train("contrast", pair, loss_of, minutes, 7e-4, decay=0.99, report=report, save_every=60).text.eval()
