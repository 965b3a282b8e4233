"""Golden files: what the engine must compute, by PyTorch in float64.

    OMP_NUM_THREADS=1 python3 train/golden.py            (make golden)

writes engine/testdata/golden/*.safetensors: every operation, small networks with
odd shapes, and the shipped model. Each file carries the hash of what it was made
from; the Go tests refuse a file whose recipe has changed since.
"""
import argparse
import hashlib
import json
import re
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from undertone import clip, export, flux, tiny

HERE = Path(__file__).resolve().parent
RECIPE = ["golden.py", "undertone/flux.py", "undertone/clip.py", "undertone/tiny.py"]


def recipe(manifest=None):
    h = hashlib.sha256()
    for name in RECIPE:
        h.update((HERE / name).read_bytes())
    for f in manifest["files"] if manifest else []:
        h.update(f["sha256"].encode())
    return h.hexdigest()


def write(path, tensors, manifest=None, **meta):
    """Weights (bfloat16) stay as they are, everything else becomes float32."""
    header = {"__metadata__": {"golden": "undertone", "version": "1", "recipe": recipe(manifest),
                               **{k: json.dumps(v) for k, v in meta.items()}}}
    blobs, offset = [], 0
    for name in sorted(tensors):
        t = tensors[name].detach()
        t = t if t.dtype == torch.bfloat16 else t.float()
        blobs.append(export.raw(t))
        header[name] = {"dtype": export.NAMES[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + len(blobs[-1])]}
        offset += len(blobs[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1024:.0f} KiB")


def rand(*shape, scale=1.0):
    """Normal numbers that float32 holds exactly, in float64."""
    return (torch.randn(*shape, dtype=torch.float64) * scale).float().double()


def weight(*shape, scale=None):
    """The same for bfloat16."""
    return rand(*shape, scale=scale or shape[-1] ** -0.5).bfloat16().double()


def settle(net):
    """Gives every parameter random bfloat16 numbers; returns the module in float64 and its weights to store."""
    net = net.double()
    state = {}
    for name, p in net.named_parameters():
        fan = p[0].numel() if p.dim() > 1 else 1
        around = 1.0 if ("norm" in name and "bias" not in name) else 0.0
        value = around + (torch.randn_like(p) * (fan ** -0.5 if p.dim() > 1 else 0.1))
        state[name] = value.bfloat16()
        p.data.copy_(state[name].double())
    return net, state


def ops():
    g = {}

    def case(name, **tensors):
        g.update({f"{name}.{k}": v for k, v in tensors.items()})

    acts = {"relu": F.relu, "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
            "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "clamp3": lambda x: 3 * torch.tanh(x / 3)}
    x = rand(7, 13, scale=4)
    case("activation", x=x, **{k: f(x) for k, f in acts.items()})

    a, w, b = rand(7, 13), weight(10, 13), rand(10)
    gate, res = rand(10), rand(7, 10)
    p = a @ w.T + b
    case("matmul", a=a, w=w.bfloat16(), bias=b, gate=gate, residual=res, plain=a @ w.T, out=res + gate * F.gelu(p),
         gap=torch.cat([p[:, :4], F.silu(p[:, 4:])], 1))

    y, heads, hd = rand(9, 4 * 24, scale=2), 2, 12
    q, k, v = (y[:, i * 24:(i + 1) * 24].reshape(9, heads, hd).transpose(0, 1) for i in range(3))
    s = q @ k.transpose(1, 2) * hd ** -0.5
    mask = torch.full((9, 9), -1e30, dtype=torch.float64).triu(1)
    case("attention", y=y, full=(torch.softmax(s, -1) @ v).transpose(0, 1).reshape(9, 24),
         causal=(torch.softmax(s + mask, -1) @ v).transpose(0, 1).reshape(9, 24))

    x, w, b = rand(5, 22, scale=3) + 1, rand(22), rand(22)
    n = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)
    case("layer_norm", x=x, weight=w, bias=b, plain=n, affine=n * w + b, modulated=n * (1 + w) + b)

    axes = [2, 4, 6]
    norm = flux.QKNorm(hd).double()
    norm.query_norm.scale.data, norm.key_norm.scale.data = rand(hd), rand(hd)
    rope = flux.rope_tables(torch.cat([torch.zeros(3, 3, dtype=torch.long), flux.image_ids(2, 3)]), axes, 10000, torch.float64)
    yq, yk = (y[:, i * 24:(i + 1) * 24].reshape(1, 9, heads, hd) for i in range(2))
    nq, nk = norm(yq, yk)
    case("qk_norm_rope", y=y, q=norm.query_norm.scale, k=norm.key_norm.scale,
         rope=torch.stack(rope, -1).reshape(9, hd),
         out=torch.cat([flux.apply_rope(z, *rope).reshape(9, 24) for z in (nq, nk)], 1))

    c, u, v = rand(6, 5), rand(6, 5), rand(6, 5)
    case("cfg", cond=c, uncond=u, out=u + 3.5 * (c - u))
    case("euler", x=c, v=v, out=c - 0.25 * v)
    case("add", a=c, b=v, out=c + v)
    table = weight(11, 6, scale=1)
    case("embedding", table=table.bfloat16(), out=table[[3, 0, 10, 3]])

    x, w, b, res = rand(1, 5, 4, 6), weight(7, 5, 3, 3, scale=45 ** -0.5), rand(7), rand(1, 7, 4, 6)
    last = lambda t: t[0].permute(1, 2, 0).reshape(-1, t.shape[1])
    case("conv3x3", x=last(x), w=w.bfloat16(), bias=b, residual=last(res), plain=last(F.conv2d(x, w, padding=1)),
         out=last(F.relu(F.conv2d(x, w, b, padding=1) + res)))
    case("upsample", x=last(x), out=last(F.interpolate(x, scale_factor=2)))
    case("patchify", x=last(x), out=flux.patchify(x)[0])
    rgb = rand(6, 3)
    case("to_rgba", x=rgb, out=(0.5 * rgb + 0.5).clamp(0, 1) * 255)
    return g


def small_flux(cfg, text, rows, cols):
    net, state = settle(flux.Flux(cfg))
    img, txt, pooled = rand(rows * cols, cfg["in_channels"]), rand(text, cfg["context_in_dim"]), rand(cfg["vec_in_dim"])
    shift = rand(cfg["depth"] + cfg["depth_single_blocks"] + 1, cfg["hidden_size"], scale=0.3)
    probe = []
    one = torch.ones(1, dtype=torch.float64)
    v = net(img[None], txt[None], 0.7 * one, pooled[None], rows, cols, guidance=3.5 * one, shift=shift[:, None], probe=probe)
    tensors = {f"weights.{k}": t for k, t in state.items()}
    tensors.update({f"block.{n}": x[0] for n, x in probe if n != "vec"})
    return {**tensors, "img": img, "txt": txt, "pooled": pooled, "shift": shift, "velocity": v[0]}


def small_clip(cfg, prompts):
    net, state = settle(clip.Clip(cfg))
    tensors = {f"weights.{k}": t for k, t in state.items()}
    tokens, pooled = net(torch.tensor(prompts))
    return {**tensors, "tokens": tokens, "pooled": pooled}


def small_vae(cfg, h, w):
    net, state = settle(tiny.Tiny(cfg))
    z = rand(1, cfg["latent_channels"], h, w, scale=2)
    out = net(z)
    last = lambda t: t[0].permute(1, 2, 0).reshape(-1, t.shape[1])
    preview = last(z) @ torch.tensor(cfg["preview"]["weight"], dtype=torch.float64).T + torch.tensor(cfg["preview"]["bias"])
    return {**{f"weights.{k}": t for k, t in state.items()}, "z": last(z), "out": last(out), "preview": preview}


def small_encoder(cfg, height, width):
    """Sides that no halving leaves whole, and pixels of which many are black or white."""
    net, state = settle(tiny.Encoder(cfg["latent_channels"], [s["channels"] for s in cfg["stages"]]))
    x = (rand(1, 3, height, width) * 0.5 + 0.5).clamp(0, 1)
    z = (net(x) - cfg["shift_factor"]) * cfg["scaling_factor"]
    last = lambda t: t[0].permute(1, 2, 0).reshape(-1, t.shape[1])
    return {**{f"weights.encoder.{k}": t for k, t in state.items()}, "pixels": last(x), "z": last(z)}


def normal(seed, n):
    """The engine's noise (engine/sample/normal.go), written again from its description."""
    i = np.arange((n + 3) // 4, dtype=np.uint64)
    c, k = [i, i * 0, i * 0, i * 0], [seed, 0]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), b & low, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    out = np.empty((len(i), 4))
    for p in (0, 2):
        r = np.sqrt(-2 * np.log((c[p].astype(np.float64) + 1) / 2**32))
        a = 2 * np.pi * c[p + 1].astype(np.float64) / 2**32
        out[:, p], out[:, p + 1] = r * np.cos(a), r * np.sin(a)
    return torch.from_numpy(out.reshape(-1)[:n].astype(np.float32).astype(np.float64))


class Bundle:
    """The shipped model in float64."""

    def __init__(self, folder):
        self.manifest = json.loads((folder / "model.json").read_text())
        self.configs = export.configs(self.manifest)
        self.vocab = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        nets = {"dit": flux.Flux, "text": clip.Clip, "vae": tiny.Tiny}
        for role, make in nets.items():
            net = make(self.configs[role]).double()
            net.load_state_dict({k: v.double() for k, v in export.read_safetensors(folder / f"{role}.safetensors").items()})
            setattr(self, role, net.eval())

    def ids(self, prompt):
        cfg = self.configs["text"]
        words = [self.vocab.get(w, self.vocab["[UNK]"]) for w in re.findall(r"\w+|[^\w\s]+", prompt.lower())]
        ids = [cfg["bos"], *words[:cfg["max_length"] - 2], cfg["eos"]]
        return ids + [cfg["pad"]] * (cfg["max_length"] - len(ids))

    def encode(self, prompt):
        tokens, pooled = self.text(torch.tensor([self.ids(prompt)]))
        return tokens, pooled


def sample(b, prompt, noise, side, steps, cfg, shift):
    """Euler's method from noise [c, side, side]; the guidance shift goes to both branches of CFG."""
    d = b.manifest["scheduler"]["shift"]
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    t = d * t / (1 + (d - 1) * t)
    x, grid = flux.patchify(noise[None]), side // 2
    cond, uncond = b.encode(prompt), b.encode("")
    for k in range(steps):
        pass_ = lambda e: b.dit(x, e[0], t[k:k + 1], e[1], grid, grid, shift=shift)
        v = pass_(cond)
        if cfg != 1:
            u = pass_(uncond)
            v = u + cfg * (v - u)
        x = x + (t[k + 1] - t[k]) * v
    return flux.unpatchify(x, grid, grid)


def shipped(b):
    m, dit, vae = b.manifest, b.configs["dit"], b.configs["vae"]
    detail = next(p for p in m["presets"] if p["id"] == "detail")
    ask = {"prompt": "a frog in a meadow", "seed": 7, "steps": 4, "size": m["sizes"][0], "cfgSteps": 2, "cfg": 3.0,
           "positive": detail["positive"], "negative": detail["negative"], "weight": 1.5, "start": 1,
           "head": 0.5, "time": 0.8}
    side, c = ask["size"] // vae["downscale"], vae["latent_channels"]
    noise = normal(ask["seed"], c * side * side).reshape(c, side, side)
    blocks = dit["depth"] + dit["depth_single_blocks"]
    delta = b.dit.vector_in(b.encode(ask["positive"])[1]) - b.dit.vector_in(b.encode(ask["negative"])[1])
    w = torch.tensor([ask["weight"] * (n >= ask["start"]) for n in range(blocks)] + [ask["head"]], dtype=torch.float64)
    shift = w[:, None, None] * delta  # [blocks+1, 1, D]
    tokens, pooled = b.encode(ask["prompt"])
    img, probe = flux.patchify(noise[None]), []
    v = b.dit(img, tokens, torch.tensor([ask["time"]], dtype=torch.float64), pooled, side // 2, side // 2, shift=shift, probe=probe)
    z = sample(b, ask["prompt"], noise, side, ask["steps"], 1, shift)
    plain = sample(b, ask["prompt"], noise, side, ask["steps"], 1, None)
    guided = sample(b, ask["prompt"], noise, side, ask["cfgSteps"], ask["cfg"], shift)
    picture = b.vae(z).clamp(0, 1)
    rms = {n: x.pow(2).mean().sqrt().item() for n, x in probe if n != "vec"}
    last = lambda t: t[0].permute(1, 2, 0).reshape(-1, t.shape[1])
    return {"noise": last(noise[None]), "img": img[0], "tokens": tokens[0], "pooled": pooled[0], "shift": shift[:, 0],
            "velocity": v[0], "latent": last(z), "plain": last(plain), "cfg": last(guided),
            "picture": last(F.avg_pool2d(picture, 8)), "rms": torch.tensor(list(rms.values()), dtype=torch.float64)}, {
                "ask": ask, "ids": b.ids(ask["prompt"]), "blocks": list(rms)}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--model", type=Path, default=HERE.parent / "models" / "sprites")
    p.add_argument("--out", type=Path, default=HERE.parent / "engine" / "testdata" / "golden")
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(20261122)
    with torch.no_grad():
        write(args.out / "ops.safetensors", ops())
        # This one, clip and vae below fit together: the engine's own tests make a whole model of them.
        odd = {"in_channels": 20, "vec_in_dim": 24, "context_in_dim": 24, "hidden_size": 48, "mlp_ratio": 3.0, "num_heads": 4,
               "depth": 2, "depth_single_blocks": 3, "axes_dim": [2, 4, 6], "theta": 5000, "qkv_bias": False,
               "guidance_embed": True, "activation": "gelu_tanh"}
        write(args.out / "flux_odd.safetensors", small_flux(odd, 5, 3, 2), config=odd, rows=3, cols=2, time=0.7, guidance=3.5)
        plain = {**odd, "in_channels": 4, "vec_in_dim": 19, "context_in_dim": 30, "hidden_size": 40, "num_heads": 2, "depth": 1, "depth_single_blocks": 1,
                 "axes_dim": [4, 8, 8], "mlp_ratio": 4.0, "qkv_bias": True, "guidance_embed": False, "activation": "gelu"}
        write(args.out / "flux_plain.safetensors", small_flux(plain, 3, 2, 5), config=plain, rows=2, cols=5, time=0.7, guidance=0)
        text = {"vocab_size": 23, "hidden_size": 24, "num_layers": 2, "num_heads": 2, "intermediate_size": 50,
                "max_length": 9, "activation": "quick_gelu", "bos": 1, "eos": 2, "pad": 0}
        prompts = [[1, 7, 22, 5, 2, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0, 0], [1, 9, 9, 3, 4, 5, 6, 8, 2], [1, 9, 2, 4, 2, 0, 0, 0, 0]]
        write(args.out / "clip.safetensors", small_clip(text, prompts), config=text, prompts=prompts)
        vae = {"latent_channels": 5, "downscale": 4,
               "stages": [{"channels": 12, "blocks": 1}, {"channels": 8, "blocks": 2}, {"channels": 6, "blocks": 0}],
               "scaling_factor": 0.7, "shift_factor": 0.3,
               "preview": {"weight": [[0.1, -0.2, 0.3, 0.0, 0.5], [0.2, 0.1, -0.1, 0.4, 0.0], [0.0, 0.3, 0.2, -0.3, 0.1]],
                           "bias": [0.5, 0.4, 0.6]}}
        write(args.out / "vae.safetensors", small_vae(vae, 3, 5), config=vae, height=3, width=5)
        encoder = {"latent_channels": 5, "unshuffle": 4, "mean": 0.5,
                   "stages": [{"channels": 6, "blocks": 1}, {"channels": 8, "blocks": 2}, {"channels": 10, "blocks": 2}],
                   "scaling_factor": 0.7, "shift_factor": 0.3}
        write(args.out / "encoder.safetensors", small_encoder(encoder, 36, 20), config=encoder, height=36, width=20)
        if (args.model / "model.json").exists():
            b = Bundle(args.model)
            tensors, meta = shipped(b)
            write(args.out / f"{b.manifest['name']}.safetensors", tensors, b.manifest, **meta)


if __name__ == "__main__":
    main()
