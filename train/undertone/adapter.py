"""A pooled path for a network that has none, by distillation (arXiv 2602.09268).

The network stays as it is. Beside it a small one learns, of whose output every block gets its share,

    block l:  vector + scales[l] · psi(pooled),    psi = Linear – SiLU – Linear,  scales = 0 at first

The teacher is the network with the prompt's tokens; the student is the network with the tokens of no words, which is
told the prompt through psi alone. Both see the same noised sample, and the loss is the mean squared difference of their
velocities. The samples are the network's own. Each has a few fixed noises and times, so that what the teacher says of
them is computed once and kept; an interrupted run goes on where it was.

    python3 -m undertone.adapter MODEL --out adapter.safetensors --prompts prompts.txt
    python3 -m undertone.adapter --cut MODEL OTHER    # a bundle without its pooled path, to try this on
    python3 -m undertone.adapter MODEL --join adapter.safetensors --out OTHER    # a bundle with its adapter in it

MODEL is a bundle (a folder with a model.json) whose transformer is a FLUX without a pooled path, or a diffusers folder of
Cosmos-Predict2's transformer (config.json and safetensors). For the latter --prompts names a safetensors file of encodings
in place of a text: tokens [N, T, C], pooled [N, P] and empty [1, T, C], the tokens of no words.
"""
import argparse
import hashlib
import json
import math
import time
from pathlib import Path

import torch

from . import bundle_edit
from .config import GRID, STATE
from .cosmos import Cosmos
from .curves import draw_curves
from .export import read_safetensors, write_safetensors
from .loop import save, train
from .pooled import Adapter
from .precision import products
from .shipped import Shipped


class FluxBase:
    """A bundle whose transformer is a FLUX that reads no pooled vector."""

    def __init__(self, folder):
        self.model = Shipped(folder)
        cfg = self.model.net.cfg
        if cfg["vec_in_dim"]:
            raise ValueError(f"{folder}: the transformer reads a pooled vector of {cfg['vec_in_dim']} itself; --cut makes a bundle without")
        if self.model.adapter:
            raise ValueError(f"{folder}: the transformer has an adapter already")
        self.net, self.blocks, self.width = self.model.net, self.model.blocks, cfg["hidden_size"]
        self.shape, self.key = (GRID * GRID, cfg["in_channels"]), self.model.key
        self.empty = self.model.empty[0]

    def encode(self, path):
        """-> tokens [N, T, C], pooled [N, P] of the lines of a text."""
        lines = [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]
        return self.model.encode(lines)

    def times(self, steps):
        return torch.linspace(1, 0, steps + 1).tolist()

    def velocity(self, x, t, tokens, shift=None):
        if shift is not None:
            shift = torch.cat([shift, torch.zeros_like(shift[:1])])  # the head stays as it is
        with products():
            return self.net(x, tokens, t, None, GRID, GRID, shift=shift).float()


class CosmosBase:
    """The transformer of a Cosmos-Predict2 in a diffusers folder, for pictures of rows × cols latent pixels."""

    def __init__(self, folder, rows, cols):
        cfg = json.loads((Path(folder) / "config.json").read_text())
        state = {}
        for file in sorted(Path(folder).glob("*.safetensors")):
            state.update(read_safetensors(file))
        h = hashlib.sha256(repr((rows, cols)).encode())
        for name in sorted(state):
            h.update(state[name].contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        self.net, self.key = Cosmos(cfg), h.hexdigest()
        self.net.load_state_dict({k: v.float() for k, v in state.items()})
        self.net.eval().requires_grad_(False)
        self.blocks, self.width = cfg["num_layers"], 3 * cfg["num_attention_heads"] * cfg["attention_head_dim"]
        self.shape, self.empty = (cfg["in_channels"], 1, rows, cols), None

    def encode(self, path):
        e = read_safetensors(path)
        self.empty = e["empty"].float()
        return e["tokens"].float(), e["pooled"].float()

    def times(self, steps):
        """Karras' σ from 80 to 0.002 as times of a flow, and 0."""
        ends = [s ** (1 / 7) for s in (80.0, 0.002)]
        sigmas = [(ends[0] + i / max(steps - 1, 1) * (ends[1] - ends[0])) ** 7 for i in range(steps)]
        return [s / (1 + s) for s in sigmas] + [0.0]

    def velocity(self, x, t, tokens, shift=None):
        with products():
            return self.net(x, t, tokens, shift).float()


def noised(x0, noise, t):
    t = t.reshape(-1, *[1] * (x0.ndim - 1))
    return (1 - t) * x0 + t * noise


def distance(base, adapter, x, t, pooled, empty, teacher):
    """The loss: what the student says of x, with the tokens of no words, against what the teacher said."""
    said = base.velocity(x, t, empty.expand(len(x), -1, -1), adapter(pooled))
    return (said - teacher).pow(2).mean()


def bins(n, times=None):
    """n fixed times in (0, 1]: the given ones in turn, or the middles of n equal shares of a logistic-normal distribution."""
    if times:
        return torch.tensor([times[i % len(times)] for i in range(n)])
    at = torch.distributions.Normal(0.0, 1.0).icdf((torch.arange(n) + 0.5) / n)
    return torch.sigmoid(at)


def noises(base, index, n, seed):
    """The fixed noises [n, …] of one sample."""
    g = torch.Generator().manual_seed(seed * 1_000_003 + index)
    return torch.randn(n, *base.shape, generator=g)


def draw(base, tokens, noise, steps, cfg):
    """Euler from noise [B, …] to samples of the network's own."""
    times = base.times(steps)
    x = noise * times[0]
    for t, after in zip(times[:-1], times[1:]):
        at = torch.full((len(x),), t)
        v = base.velocity(x, at, tokens)
        if cfg != 1.0:
            u = base.velocity(x, at, base.empty.expand(len(x), -1, -1))
            v = u + cfg * (v - u)
        x = x + (after - t) * v
    return x


def lessons(base, tokens, folder, a):
    """-> samples [N, …] and the teacher's velocities [N, bins, …], both float16. Every batch of them is one file."""
    folder.mkdir(parents=True, exist_ok=True)
    at, xs, said = bins(a.bins, a.times), [], []
    for first in range(0, a.samples, a.batch):
        path = folder / f"{first:07d}.pt"
        if not path.exists():
            index = torch.arange(first, min(first + a.batch, a.samples))
            mine = tokens[index % len(tokens)]
            g = torch.Generator().manual_seed(a.seed * 7919 + first)
            with torch.no_grad():
                x0 = draw(base, mine, torch.randn(len(index), *base.shape, generator=g), a.steps, a.cfg)
                n = torch.stack([noises(base, i, a.bins, a.seed) for i in index.tolist()])
                v = [base.velocity(noised(x0, n[:, k], at[k].expand(len(x0))), at[k].expand(len(x0)), mine) for k in range(a.bins)]
            save(path, (x0.half(), torch.stack(v, 1).half()))
            print(json.dumps({"stage": "lessons", "done": first + len(index), "of": a.samples}), flush=True)
        x0, v = torch.load(path)
        xs.append(x0)
        said.append(v)
    return torch.cat(xs), torch.cat(said)


def distil(base, tokens, pooled, a):
    """-> the adapter (its moving average) and {"plain", "adapter"}: the mean loss of samples that it did not learn from."""
    key = hashlib.sha256(repr((base.key, a.samples, a.bins, a.batch, a.steps, a.times, a.cfg, a.seed, tokens.double().sum().item(), pooled.double().sum().item())).encode()).hexdigest()[:12]
    x0, said = lessons(base, tokens, STATE / f"adapter-{key}", a)
    at, learn = bins(a.bins, a.times), len(x0) - max(1, len(x0) // 16)
    torch.manual_seed(a.seed)
    net = Adapter(pooled.shape[-1], base.width, base.blocks)

    def of(pick, k):
        n = torch.stack([noises(base, i, a.bins, a.seed)[j] for i, j in zip(pick.tolist(), k.tolist())])
        return noised(x0[pick].float(), n, at[k]), at[k], pooled[pick % len(pooled)], base.empty, said[pick, k].float()

    def loss_of(progress):
        return distance(base, net, *of(torch.randint(learn, (a.batch,)), torch.randint(a.bins, (a.batch,))))

    def held(adapter):
        rows = [(i, k) for i in range(learn, len(x0)) for k in range(a.bins)]
        total = 0.0
        with torch.no_grad():
            for first in range(0, len(rows), a.batch):
                pick, k = torch.tensor(rows[first:first + a.batch]).T
                total += distance(base, adapter, *of(pick, k)).item() * len(pick)
        return total / len(rows)

    plain = held(net)  # whose scales are zeros
    ema = train(f"adapter-{key}-{a.minutes:g}", net, loss_of, a.minutes, a.lr, decay=0.99, save_every=60).eval()
    return ema, {"plain": plain, "adapter": held(ema)}, f"adapter-{key}-{a.minutes:g}"


def main(args=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", nargs="?", help="the model's folder")
    p.add_argument("--out", type=Path, help="the adapter's file; with --join the folder of the bundle")
    p.add_argument("--prompts", help="a text of one prompt a line, or a file of encodings")
    p.add_argument("--samples", type=int, default=512, help="pictures of the model's own that are learned from")
    p.add_argument("--bins", type=int, default=8, help="fixed noises and times of each")
    p.add_argument("--times", type=float, nargs="+", metavar="T", help="of the noises, in place of shares of all times: a model of four steps knows four")
    p.add_argument("--steps", type=int, default=16, help="in which each picture is drawn")
    p.add_argument("--cfg", type=float, default=1.0, help="the scale of classifier-free guidance that they are drawn with")
    p.add_argument("--latent", type=int, nargs=2, default=(64, 64), metavar=("ROWS", "COLS"), help="of a Cosmos' pictures, in latent pixels")
    p.add_argument("--minutes", type=float, default=30, help="of training, once the lessons are there")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--cut", nargs=2, metavar=("MODEL", "OTHER"), help="write a bundle without the pooled path of another")
    p.add_argument("--join", type=Path, metavar="ADAPTER", help="write a bundle of MODEL with its adapter in it")
    a = p.parse_args(args)
    if a.cut:
        return bundle_edit.cut(*a.cut)
    if not a.model or not a.out:
        p.error("name the model's folder, and with --out what to write")
    if a.join:
        return bundle_edit.join(a.model, a.join, a.out)
    if not a.prompts:
        p.error("name the prompts to learn from with --prompts")
    for name in ("samples", "bins", "steps", "batch"):
        if getattr(a, name) < 1 or name == "samples" and a.samples < 2:
            p.error(f"--{name} {getattr(a, name)}: at least {2 if name == 'samples' else 1}")
    for t in a.times or ():
        if not 0 < t <= 1:
            p.error(f"--times {t:g}: above 0, up to 1")
    base = FluxBase(a.model) if (Path(a.model) / "model.json").exists() else CosmosBase(a.model, *a.latent)
    begin = time.time()
    ema, losses, stage = distil(base, *base.encode(a.prompts), a)
    write_safetensors(a.out, {k: v.float() for k, v in ema.state_dict().items()})
    draw_curves(a.out.with_suffix(".png"), (stage,))
    print(json.dumps({"adapter": str(a.out), "parameters": sum(v.numel() for v in ema.parameters()), "seconds": round(time.time() - begin),
                      "held out": {k: round(v, 6) for k, v in losses.items()},
                      "of the way": round(1 - losses["adapter"] / losses["plain"], 4) if losses["plain"] else math.nan}))


if __name__ == "__main__":
    torch.set_num_threads(min(torch.get_num_threads(), 8))
    main()
