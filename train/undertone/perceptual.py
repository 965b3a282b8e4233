"""A perceptual distance of latents: how far apart two pictures are to a small network that names what latents show.

python3 -m undertone.perceptual --minutes 5 trains that network on the latents of triples.py and writes STATE/perceptual.pt. A
mean of several sharp pictures is near to each of them in squares, and far in the features that tell a fish from a heart: added
to a loss of squares, this distance asks for things that can be recognised (the idea of LPIPS, in latents). It sees latents and
the training's own scenes alone; the judge, which reads pixels and measures the model, has no part in it.
"""
import argparse

import torch
import torch.nn.functional as F
from torch import nn

from . import judge, triples
from .loop import load_ema, train
from .precision import products
from .tiny import Block

WIDTHS = (64, 96, 128)
PLACES, FEATURES = 24, 192
NOISE = .3  # on latents at most while it learns
SOFT = .1  # noise on both latents that are compared, the same: what only this network sees is hidden by it
VALUES = {**judge.VALUES, "sun": (False, True)}


class Namer(nn.Module):
    """Scaled latents [B, 16, 16, 16] -> ({attribute: logits}, feature maps of three sizes)."""

    def __init__(self):
        super().__init__()
        a, b, c = WIDTHS
        self.stages = nn.ModuleList([nn.Sequential(nn.Conv2d(16, a, 3, padding=1), Block(a)),
                                     nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), Block(b)),
                                     nn.Sequential(nn.Conv2d(b, c, 3, stride=2, padding=1), Block(c))])
        self.where = nn.Conv2d(c, PLACES, 1)
        self.mix = nn.Linear(PLACES * 16 + 2 * c, FEATURES)
        self.heads = nn.ModuleDict({k: nn.Linear(FEATURES, len(v)) for k, v in VALUES.items()})

    def maps(self, x):
        """Feature maps [B, C, side, side] of every stage."""
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return out

    def forward(self, x):
        maps = self.maps(x)
        x = maps[-1]
        f = F.relu(self.mix(torch.cat([self.where(x).flatten(1), x.mean((2, 3)), x.amax((2, 3))], 1)))
        return {k: h(f).float() for k, h in self.heads.items()}, maps


def distance(net, a, b):
    """How differently latents a and b [B, 16, 16, 16] look, [B]: squares between features of unit length, summed over the sizes."""
    noise = SOFT * torch.randn_like(a)
    with products():
        mine = net.maps(a + noise)
        with torch.no_grad():
            theirs = net.maps(b + noise)
    unit = lambda f: F.normalize(f.float(), dim=1)  # noqa: E731
    return sum((unit(x) - unit(y)).pow(2).sum(1).mean((1, 2)) for x, y in zip(mine, theirs))


def labels(scenes):
    """-> int64 [B, attributes], as judge.labels, with the sun."""
    return torch.cat([judge.labels(scenes), torch.tensor([[int(s.sun)] for s in scenes])], 1)


def make(minutes, batch=64, lr=1.2e-3, seed=9, held=256):
    """-> the network, trained on all triples that are there but the last; prints how often it is right on those."""
    torch.manual_seed(seed)
    parts = [torch.load(p) for p in triples.parts("triples")]
    z, y = torch.cat([p["z"] for p in parts]), labels([s for p in parts for s in p["scenes"]])
    net = Namer().to(memory_format=torch.channels_last)

    def loss_of(_):
        pick = torch.randint(len(z) - held, (batch,))
        x = z[pick].float()
        with products():
            out, _ = net(x + NOISE * torch.rand(batch, 1, 1, 1) * torch.randn_like(x))
        return judge.loss_fn(out, y[pick])

    net = train("perceptual", net, loss_of, minutes, lr, decay=.99).eval()
    with torch.no_grad(), products():
        out, _ = net(z[-held:].float())
    for i, (k, v) in enumerate(out.items()):
        known = y[-held:, i] != judge.UNSAID
        print(k, round((v.argmax(1) == y[-held:, i])[known].float().mean().item(), 3), flush=True)
    return net


def trained():
    """The network of the last save, frozen."""
    return load_ema("perceptual", Namer().to(memory_format=torch.channels_last))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--minutes", type=float, default=5, help="of CPU time, in all runs together")
    make(p.parse_args().minutes)


if __name__ == "__main__":
    main()
