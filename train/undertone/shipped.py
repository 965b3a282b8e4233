"""A bundle as PyTorch networks that draw: what people get, in float32 or, several times faster, in bf16."""
import hashlib
import json
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F

from .captions import words_of
from .clip import Clip
from .config import GRID, MAX_LENGTH
from .export import configs as configs_of
from .flux import Flux, unpatchify
from .fused import FusedFlux, library
from .gguf import tensors
from .pooled import take
from .precision import bf16, products
from .tiny import Tiny
from .autoencoder import to_uint8

TOKENS = GRID * GRID


class Shipped:
    """A bundle's networks. dit: a state dict to use in place of the bundle's transformer (the teacher's).

    exact: float32 throughout; else bf16 matrix products, as in training.
    """

    def __init__(self, folder, dit=None, exact=False):
        self.manifest = json.loads((Path(folder) / "model.json").read_text())
        configs = configs_of(self.manifest)
        self.vocab = json.loads((Path(folder) / "tokenizer.json").read_text())["model"]["vocab"]
        self.exact = exact
        states = [dit or tensors(folder, "dit"), tensors(folder, "text"), tensors(folder, "vae")]
        h = hashlib.sha256(repr((exact, sorted(self.vocab.items()))).encode())
        for t in (s[n] for s in states for n in sorted(s)):
            h.update(t.contiguous().numpy().tobytes())
        self.key = h.hexdigest()  # of everything a picture of this model depends on
        self.adapter = take(states[0])
        fast = not exact and bf16() and library() is not None
        self.net = self._load((FusedFlux if fast else Flux)(configs["dit"]), states[0])
        self.text = self._load(Clip(configs["text"]), states[1])
        self.vae = self._load(Tiny(configs["vae"]), states[2]).to(memory_format=torch.channels_last)
        self.blocks = len(self.net.double_blocks) + len(self.net.single_blocks)
        self.empty = self.encode([""])

    @staticmethod
    def _load(net, state):
        net.load_state_dict(state)
        return net.eval().requires_grad_(False)

    def precision(self):
        return nullcontext() if self.exact else products()

    def ids(self, text):
        """Token ids of this bundle's own vocabulary [MAX_LENGTH]."""
        ids = [self.vocab.get(w, self.vocab["[UNK]"]) for w in words_of(text)][:MAX_LENGTH - 2]
        return [1] + ids + [2] + [0] * (MAX_LENGTH - 2 - len(ids))

    def knows(self, text):
        return all(w in self.vocab for w in words_of(text))

    def encode(self, texts):
        """-> tokens [N, T, C], pooled [N, P], float32."""
        parts = []
        for i in range(0, len(texts), 128):
            with torch.no_grad(), self.precision():
                parts.append([x.float() for x in self.text(torch.tensor([self.ids(t) for t in texts[i:i + 128]]))])
        return tuple(torch.cat(p) for p in zip(*parts))

    def psi(self, texts):
        """psi(pooled(text)) [N, D] in float32: what the modulation vector gets from a prompt."""
        pooled = self.encode(texts)[1]
        with torch.no_grad():
            return self.adapter.psi(pooled) if self.adapter else self.net.vector_in(pooled)

    def directions(self, positive, negative):
        """delta = psi(p+) - psi(p-), one per pair of texts, [N, D]."""
        return self.psi(positive) - self.psi(negative)

    def shift(self, delta, weight, start=0, head=0.0):
        """[blocks + 1, N, D] for deltas [N, D]: weight from block start on, head at the output (a step schedule)."""
        w = torch.tensor([weight if l >= start else 0.0 for l in range(self.blocks)] + [head])
        return self.shares(w[:, None, None] * delta)

    def shares(self, vectors):
        """What of vectors [blocks + 1, N, D] each block gets: all, or an adapter's share, which gives the head nothing."""
        return vectors * F.pad(self.adapter.scales, (0, 0, 0, 1))[:, None] if self.adapter else vectors

    def velocity(self, x, t, tokens, pooled, shift):
        if self.adapter:
            own = self.shares(self.adapter.psi(pooled).expand(self.blocks + 1, -1, -1))
            shift = own if shift is None else own + shift
        with self.precision():
            return self.net(x, tokens, t, pooled, GRID, GRID, shift=shift).float()

    def latents(self, tokens, pooled, noise, steps=4, cfg=1.0, shift=None):
        """Euler from noise [N, TOKENS, C] to scaled latents [N, 16, 16, 16]. ValueError for CFG and a shift at once."""
        x, times = noise, torch.linspace(1, 0, steps + 1).tolist()
        if cfg != 1.0:
            if shift is not None:
                raise ValueError("modulation guidance is measured on the student, which needs no CFG")
            tokens = torch.cat([tokens, self.empty[0].expand_as(tokens)])
            pooled = torch.cat([pooled, self.empty[1].expand_as(pooled)])
        with torch.no_grad():
            for t, after in zip(times[:-1], times[1:]):
                rows = x if cfg == 1.0 else torch.cat([x, x])
                v = self.velocity(rows, torch.full((len(rows),), t), tokens, pooled, shift)
                if cfg != 1.0:
                    c, u = v.chunk(2)
                    v = u + cfg * (c - u)
                x = x + (after - t) * v
        return unpatchify(x, GRID, GRID)

    def decode(self, z):
        """Scaled latents -> uint8 pictures [N, 256, 256, 3]."""
        with torch.no_grad(), self.precision():
            return to_uint8(self.vae(z.contiguous(memory_format=torch.channels_last)))


def noise_of(seeds, channels=64):
    """One noise per seed, [N, TOKENS, channels]: the same for every variant and every subset of captions."""
    return torch.stack([torch.randn(TOKENS, channels, generator=torch.Generator().manual_seed(s)) for s in seeds])
