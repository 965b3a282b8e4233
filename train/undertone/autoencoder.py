"""Stage 1: the autoencoder, on crops first (more pictures for the same pixels), then on whole pictures."""
import json

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import render
from .config import SIZE, STATE, VAE
from .loop import finished, load_ema, train
from .scene import draw_scene
from .tiny import Decoder, Encoder

HELD_OUT = 64
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


def pictures(n, seed, path):
    """n rendered scenes as a memory-mapped uint8 array [n, 256, 256, 3], made once."""
    if not path.exists():
        rng = np.random.default_rng(seed)
        tmp = path.with_suffix(".part")
        out = np.memmap(tmp, np.uint8, "w+", shape=(n, SIZE, SIZE, 3))
        for i in range(n):
            out[i] = render.render(draw_scene(rng, render.BANKS))
        out.flush()
        tmp.rename(path)
    return np.memmap(path, np.uint8, "r", shape=(n, SIZE, SIZE, 3))


def to_tensor(a):
    x = torch.from_numpy(np.ascontiguousarray(a)).permute(0, 3, 1, 2)
    return x.float().div_(255).contiguous(memory_format=torch.channels_last)


def to_uint8(x):
    """Pictures [B, 3, H, W] in [0, 1] -> uint8 [B, H, W, 3]."""
    return x.float().clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def loss_fn(out, x):
    """Absolute and squared error, and the absolute error of neighbour differences (crisp outlines)."""
    d = out.float() - x
    dy, dx = edges(d)
    return d.abs().mean() + 4 * d.pow(2).mean() + 0.5 * (dy.abs().mean() + dx.abs().mean())


def psnr(net, data):
    """Mean PSNR in dB over uint8 pictures, each clamped to [0, 1]."""
    out = []
    for i in range(0, len(data), 16):
        x = to_tensor(data[i:i + 16])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            y = net(x)[0].float().clamp(0, 1)
        out += (-10 * torch.log10((y - x).pow(2).mean((1, 2, 3)))).tolist()
    return sum(out) / len(out)


def make(minutes, count=6000, seed=1):
    torch.manual_seed(seed)
    net = Autoencoder().to(memory_format=torch.channels_last)
    STATE.mkdir(parents=True, exist_ok=True)
    held = pictures(HELD_OUT, 999, STATE / "held.u8")
    if finished("autoencoder", minutes):
        return load_ema("autoencoder", net)
    data = pictures(count, seed, STATE / "pictures.u8")
    rng = np.random.default_rng()

    def loss_of(progress):
        whole = progress > 0.55
        side, batch = (SIZE, 8) if whole else (128, 24)
        pick = rng.integers(len(data), size=batch)
        at = rng.integers((SIZE - side) // 16 + 1, size=(batch, 2)) * 16
        x = to_tensor(np.stack([data[i, r:r + side, c:c + side] for i, (r, c) in zip(pick, at)]))
        with torch.autocast("cpu", torch.bfloat16):
            out, reg = net(x, LATENT_NOISE)
        return loss_fn(out, x) + 0.1 * reg.float()

    def report(ema, progress):
        print(json.dumps({"stage": "autoencoder", "psnr": round(psnr(ema, held), 2)}), flush=True)
        with torch.autocast("cpu", torch.bfloat16):
            y = to_uint8(ema(to_tensor(held[:16]))[0])
        pairs = [p for a, b in zip(held[:16], y) for p in (a, b)]
        render.grid([p[::2, ::2] for p in pairs], 8).save(STATE / "autoencoder.png")

    return train("autoencoder", net, loss_of, minutes, 1.5e-3, decay=0.998, report=report, save_every=120).eval()
