"""Stage 1: the autoencoder, on crops first (more pictures for the same pixels), then on whole pictures.

Or its encoder alone, against the decoder that ships: what such an encoder makes of a picture are latents
that the shipped transformer knows.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import render, warm
from .config import MODEL, SIZE, STATE, VAE
from .loop import finished, load_ema, train
from .precision import products
from .scene import STYLES, draw_scene
from .tiny import Decoder, Encoder

HELD_OUT = 128
# Blocks of pixel art are the hardest to learn, so they are met more often here than by the transformer.
SHARES = {"flat": .36, "pixel": .34, "glossy": .08, "neon": .14, "watercolour": .08}
EDGES, BLOCK_EDGES = 0.5, 2.0  # weight of the edges' error, and in pixel art
LATENT_NOISE = 0.1  # the decoder learns to forgive errors of the size a transformer makes


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(VAE["latent_channels"]), Decoder(VAE)

    def forward(self, x, noise=0.0):
        z = self.encoder(x)
        # The decoder clamps to +-3; a latent that stays well within needs no clamp in training either.
        reg = F.relu(z.abs() - 2).pow(2).mean()
        return self.decoder(z + noise * torch.randn_like(z)), reg


def held_out():
    """Scenes that no training sees, of the usual shares of styles."""
    rng = np.random.default_rng(999)
    return [draw_scene(rng, render.BANKS) for _ in range(HELD_OUT)]


def pictures(scenes, path):
    """The rendered scenes as a memory-mapped uint8 array [n, 256, 256, 3], made once."""
    shape = (len(scenes), SIZE, SIZE, 3)
    if not path.exists():
        tmp = path.with_suffix(".part")
        out = np.memmap(tmp, np.uint8, "w+", shape=shape)
        for i, p in enumerate(render.render_all(scenes)):
            out[i] = p
        out.flush()
        tmp.rename(path)
    return np.memmap(path, np.uint8, "r", shape=shape)


def to_tensor(a):
    x = torch.from_numpy(np.ascontiguousarray(a)).permute(0, 3, 1, 2)
    return x.float().div_(255).contiguous(memory_format=torch.channels_last)


def to_uint8(x):
    """Pictures [B, 3, H, W] in [0, 1] -> uint8 [B, H, W, 3]."""
    return x.float().clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def loss_fn(out, x, weight):
    """Absolute and squared error, and the absolute error of neighbour differences (crisp outlines) by weight [B]."""
    d = out.float() - x
    dy, dx = (e.abs().mean((1, 2, 3)) for e in edges(d))
    return d.abs().mean() + 4 * d.pow(2).mean() + (weight * (dy + dx)).mean()


def psnr(net, data):
    """PSNR in dB of each of uint8 pictures, reconstructions clamped to [0, 1]."""
    out = []
    for i in range(0, len(data), 16):
        x = to_tensor(data[i:i + 16])
        with torch.no_grad(), products():
            y = net(x)[0].float().clamp(0, 1)
        out += (-10 * torch.log10((y - x).pow(2).mean((1, 2, 3)))).tolist()
    return np.array(out)


def load():
    """The autoencoder of the last training: the whole one, or an encoder for the shipped decoder; without any, the shipped one."""
    if not any((STATE / f"{stage}.pt").exists() for stage in ("autoencoder", "encoder")):
        net = Autoencoder()
        warm.load(net, MODEL, "autoencoder")
        return net.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    stage = "autoencoder" if (STATE / "autoencoder.pt").exists() else "encoder"
    return load_ema(stage, Autoencoder().to(memory_format=torch.channels_last))


def make(minutes, count=6000, seed=1, start=None, frozen=False):
    """-> the autoencoder (EMA). start: a folder to start warm from (warm.py); frozen: whose decoder stays as it is."""
    torch.manual_seed(seed)
    net = Autoencoder().to(memory_format=torch.channels_last)
    stage, lr = ("encoder", 5e-4) if frozen else ("autoencoder", 1e-3 if start else 1.5e-3)
    STATE.mkdir(parents=True, exist_ok=True)
    if finished(stage, minutes):
        return load_ema(stage, net)
    if start:
        warm.load(net, start, "autoencoder")
    net.decoder.requires_grad_(not frozen)
    held_scenes = held_out()
    held = pictures(held_scenes, STATE / "held.u8")
    draw = np.random.default_rng(seed)
    scenes = [draw_scene(draw, render.BANKS, SHARES) for _ in range(count)]
    data = pictures(scenes, STATE / "pictures.u8")
    weight = torch.tensor([BLOCK_EDGES if s.style == "pixel" else EDGES for s in scenes])
    rng = np.random.default_rng()

    def loss_of(progress):
        whole = progress > 0.55
        side, batch = (SIZE, 8) if whole else (128, 24)
        pick = rng.integers(len(data), size=batch)
        at = rng.integers((SIZE - side) // 16 + 1, size=(batch, 2)) * 16
        x = to_tensor(np.stack([data[i, r:r + side, c:c + side] for i, (r, c) in zip(pick, at)]))
        with products():
            out, reg = net(x, LATENT_NOISE)
        return loss_fn(out, x, weight[pick]) + 0.1 * reg.float()

    def report(ema, progress):
        each = psnr(ema, held)
        styles = {k: [v for v, s in zip(each, held_scenes) if s.style == k] for k in STYLES}
        print(json.dumps({"stage": stage, "psnr": round(each.mean(), 2),
                          **{k: round(sum(v) / len(v), 2) for k, v in styles.items()}}), flush=True)
        with products():
            y = to_uint8(ema(to_tensor(held[:16]))[0])
        pairs = [p for a, b in zip(held[:16], y) for p in (a, b)]
        render.grid([p[::2, ::2] for p in pairs], 8).save(STATE / f"{stage}.png")

    return train(stage, net, loss_of, minutes, lr, decay=0.998, report=report, save_every=120).eval()
