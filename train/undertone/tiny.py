"""A TAESD-like autoencoder: latents of 16 channels at 1/16 of the picture's side.

Only the decoder ships. Its module names are those of diffusers' AutoencoderTiny.
"""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1),
                                  nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))

    def forward(self, x):
        return F.relu(self.conv(x) + x)


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


class Decoder(nn.Module):
    """Latent [B, c, h, w] -> picture [B, 3, 16h, 16w], nominally in [0, 1] (not clamped)."""

    def __init__(self, cfg):
        super().__init__()
        stages = cfg["stages"]
        layers = [Clamp(), nn.Conv2d(cfg["latent_channels"], stages[0]["channels"], 3, padding=1), nn.ReLU()]
        for i, s in enumerate(stages):
            layers += [Block(s["channels"]) for _ in range(s["blocks"])]
            if i + 1 < len(stages):
                layers += [nn.Upsample(scale_factor=2),
                           nn.Conv2d(s["channels"], stages[i + 1]["channels"], 3, padding=1, bias=False)]
        layers.append(nn.Conv2d(stages[-1]["channels"], 3, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, z):
        return self.layers(z)


class Tiny(nn.Module):
    """The shipped half, with the parameter names of the exported file."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.decoder = Decoder(cfg)

    def forward(self, z):
        """Scaled latent z (about unit variance, what the DiT works on) -> picture."""
        return self.decoder(z / self.cfg["scaling_factor"] + self.cfg["shift_factor"])


class Encoder(nn.Module):
    """Picture [B, 3, H, W] in [0, 1] -> raw latent [B, 16, H/16, W/16]. For training, and for pictures to edit."""

    def __init__(self, latent=16, widths=(32, 64, 128)):
        super().__init__()
        self.latent, self.widths = latent, widths
        a, b, c = widths
        # A picture's 4x4 cells become channels at once: full-resolution convolutions would cost most of the time.
        self.layers = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, a, 3, padding=1), Block(a),
                                    nn.Conv2d(a, b, 3, stride=2, padding=1), Block(b), Block(b),
                                    nn.Conv2d(b, c, 3, stride=2, padding=1), Block(c), Block(c),
                                    nn.Conv2d(c, latent, 3, padding=1))

    def forward(self, x):
        return self.layers(x - 0.5)

    def config(self):
        """What model.json says of it beside scale and shift."""
        return {"latent_channels": self.latent, "unshuffle": 4, "mean": 0.5,
                "stages": [{"channels": c, "blocks": b} for c, b in zip(self.widths, (1, 2, 2))]}


def decoder_flops(cfg, size=256):
    """Multiply-adds counted as two, for one picture of size x size."""
    side, s = size // cfg["downscale"], cfg["stages"]
    total = 18 * cfg["latent_channels"] * s[0]["channels"] * side * side
    for i, st in enumerate(s):
        c = st["channels"]
        total += st["blocks"] * 3 * 18 * c * c * side * side
        if i + 1 < len(s):
            side *= 2
            total += 18 * c * s[i + 1]["channels"] * side * side
    return total + 18 * s[-1]["channels"] * 3 * side * side
