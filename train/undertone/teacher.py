"""Stage 4: the diffusion transformer, trained with flow matching on cached latents."""
import numpy as np
import torch

from . import render, shifts, warm
from .autoencoder import to_uint8
from .captions import encode
from .config import DIT, GRID, STATE
from .contrast import unknown
from .flux import Flux, init_for_training, patchify, unpatchify
from .fused import FusedFlux, library
from .loop import finished, load_ema, train
from .precision import bf16, device, products

# Tokens and pooled vector are dropped independently, so that each carries meaning of its own.
DROP_BOTH, DROP_TOKENS, DROP_POOLED = 0.10, 0.12, 0.07

# Scenes of a style are drawn more often than they lie in the cache: neon shares nothing with the other pictures,
# and what makes glossy is faint.
OFTEN = {"neon": 2.0, "glossy": 2.5}


class Prompts:
    """Text encodings, with the empty prompt's standing for whatever is dropped."""

    def __init__(self, text):
        self.text = text
        self.empty = self(["" for _ in range(1)])

    def __call__(self, prompts):
        return self.of_ids(torch.tensor([encode(p) for p in prompts]))

    def of_ids(self, ids):
        with torch.no_grad(), products():
            tokens, pooled = self.text(ids)
        return tokens.float(), pooled.float()

    def drop(self, tokens, pooled, drop_tokens, drop_pooled):
        """Masks [B] of what to replace by the empty prompt's encoding."""
        return (torch.where(drop_tokens[:, None, None], self.empty[0], tokens),
                torch.where(drop_pooled[:, None], self.empty[1], pooled))


def drops(n):
    """Random masks (tokens, pooled) in the proportions above."""
    u = torch.rand(n)
    both, tokens = u < DROP_BOTH, (u >= DROP_BOTH) & (u < DROP_BOTH + DROP_TOKENS)
    pooled = (u >= DROP_BOTH + DROP_TOKENS) & (u < DROP_BOTH + DROP_TOKENS + DROP_POOLED)
    return both | tokens, both | pooled


def velocity(net, x, t, tokens, pooled, shift=None):
    """One forward pass on image tokens x [B, 64, 64]."""
    with products():  # shift: as in flux.Flux
        return net(x, tokens, t, pooled, GRID, GRID, shift=shift).float()


def sample(net, tokens, pooled, empty, steps, cfg=1.0, seed=0, noise=None, keep=None, shift=None):
    """Euler from noise to latents [B, 16, 16, 16]; keep, a list, receives x at every step's start and the end.

    shift [blocks+1, D] or [blocks+1, B, D] is of the prompt's pass only: CFG makes guidance stronger, too.
    """
    b = len(tokens)
    if noise is None:
        noise = torch.randn(b, GRID * GRID, net.cfg["in_channels"], generator=torch.Generator().manual_seed(seed))
    both = None
    if shift is not None:
        own = shift if shift.ndim == 3 else shift[:, None].expand(-1, b, -1)
        both = torch.cat([own, torch.zeros_like(own)], 1)
    x, times = noise, torch.linspace(1, 0, steps + 1)
    with torch.no_grad():
        for t, nxt in zip(times[:-1], times[1:]):
            if keep is not None:
                keep.append(x)
            if cfg != 1.0:
                v = velocity(net, torch.cat([x, x]), t.expand(2 * b), torch.cat([tokens, empty[0].expand_as(tokens)]),
                             torch.cat([pooled, empty[1].expand_as(pooled)]), both)
                c, u = v.chunk(2)
                v = u + cfg * (c - u)
            else:
                v = velocity(net, x, t.expand(b), tokens, pooled, shift)
            x = x + (nxt - t) * v
    if keep is not None:
        keep.append(x)
    return unpatchify(x, GRID, GRID)


def decode(vae, z):
    """Scaled latents -> uint8 pictures [B, 256, 256, 3]."""
    with torch.no_grad(), products():
        return to_uint8(vae(z.contiguous(memory_format=torch.channels_last)))


LOOK = ["a red car on the beach at sunset", "a frog in a meadow", "two cats in the snow", "a blue house in the desert at night",
        "three stars on a plain background", "a snowman in a snowy field at night", "a yellow balloon in a meadow at sunset",
        "a heart on a plain background", "a fish on the beach", "a tree in a meadow", "a mushroom in a meadow at night",
        "a flower in the desert", "a rocket in the desert at night", "a purple cat on the grass, ultra-detailed, cinematic",
        "a green car to the left of a house in the snow", "a frog on the beach, pixel art",
        "a cat on the beach, very simple", "a red balloon in the snow, low-res, flat", "two red cars in the desert",
        "a star in a meadow at night, extremely complex", "a blue fish on the left on the beach", "a purple heart at night",
        "a green rocket in the snow at sunset", "a house in a meadow, glossy",
        "an apple in a meadow", "a cake on a plain background", "a purple butterfly in a meadow", "a cat, neon",
        "a red car at night, glowing neon lights", "a house by the sea, watercolour", "a rocket, pixel art",
        "three apples in the snow"]


def network():
    """The transformer in its fastest form on this machine."""
    return (FusedFlux if device() == "cpu" and bf16() and library() else Flux)(DIT)


def make(scenes, latents, text, vae, minutes, seed=4, start=None):
    """-> the teacher (EMA). start: a folder to start warm from (warm.py)."""
    torch.manual_seed(seed)
    net = init_for_training(network())
    if finished("teacher", minutes):
        return load_ema("teacher", net)
    if start:
        warm.load(net, start, "teacher")
    prompts = Prompts(text)
    rng = np.random.default_rng()
    z = torch.from_numpy(np.array(latents))
    often = np.cumsum([OFTEN.get(s.style, 1.0) for s in scenes])

    def loss_of(progress):
        batch = 32 if progress < 0.4 else 64  # many steps first, quiet gradients later
        pick = np.searchsorted(often, rng.random(batch) * often[-1], side="right")
        x0 = patchify(z[torch.from_numpy(pick)].float())
        asked = shifts.batch(rng, [scenes[i] for i in pick])
        tokens, pooled = prompts.of_ids(unknown(asked.ids, 0.005))
        tokens, pooled = prompts.drop(tokens, pooled, *drops(batch))
        t = torch.sigmoid(torch.randn(batch) * 1.0 + 0.1)
        t = torch.where(torch.rand(batch) < 0.15, torch.rand(batch), t)  # the ends, too, are met
        noise = torch.randn_like(x0)
        x = x0 + t[:, None, None] * (noise - x0)
        v = velocity(net, x, t, tokens, pooled, asked.vector(net, prompts))
        return (v - (noise - x0)).pow(2).mean()

    look = prompts(LOOK)
    count = [0]

    def report(ema, progress):
        count[0] += 1
        if count[0] % 3 and progress < 1:
            return
        pictures = decode(vae, sample(ema, *look, prompts.empty, 16, cfg=3.0))
        render.grid([p[::2, ::2] for p in pictures], 8).save(STATE / f"teacher-{round(progress * 100):03d}.png")

    return train("teacher", net, loss_of, minutes, 7e-4 if start else 1e-3, decay=0.999, report=report).eval()
