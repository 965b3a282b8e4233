"""The FLUX diffusion transformer, as general as the public checkpoints need.

Layout and names follow the published FLUX checkpoints: double blocks, in which
image and text keep weights of their own and meet in attention, then single
blocks over the joined sequence. One vector y = time + pooled text (+ guidance)
modulates every block; modulation guidance shifts that vector per block.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn


def layer_norm(x):
    """LayerNorm over the last axis without affine part, eps 1e-6; half types are widened."""
    return F.layer_norm(x.float() if x.dtype == torch.bfloat16 else x, x.shape[-1:], eps=1e-6)


def activation(name):
    return {"gelu": nn.GELU(), "gelu_tanh": nn.GELU(approximate="tanh")}[name]


def timestep_embedding(t, dim=256, max_period=10000.0):
    """[B] times in [0,1] -> [B, dim]: cat(cos, sin) of 1000*t over geometric frequencies."""
    half = dim // 2
    freqs = torch.exp(-math.log(max_period) * torch.arange(half, dtype=t.dtype, device=t.device) / half)
    a = (1000.0 * t)[:, None] * freqs[None]
    return torch.cat([torch.cos(a), torch.sin(a)], -1)


def rope_tables(ids, axes_dim, theta, dtype=torch.float32):
    """ids [S, axes] -> (cos, sin), each [S, head_dim/2]; computed in float64."""
    parts = []
    for axis, dim in enumerate(axes_dim):
        omega = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
        parts.append(ids[:, axis].double()[:, None] * omega[None])
    a = torch.cat(parts, -1)
    return torch.cos(a).to(dtype), torch.sin(a).to(dtype)


def apply_rope(x, cos, sin):
    """Rotates the pairs (2i, 2i+1) of x [B, S, H, hd] by the tables [S, hd/2]."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    c, s = cos[:, None], sin[:, None]
    return torch.stack([a * c - b * s, a * s + b * c], -1).flatten(-2)


def image_ids(rows, cols, first=0):
    """Positions (first, row, col) of the image tokens, row-major: [rows*cols, 3]."""
    r, c = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    return torch.stack([torch.full_like(r, first), r, c], -1).reshape(-1, 3)


def patchify(z):
    """Latent [B, c, h, w] -> tokens [B, h/2*w/2, c*4], channel order (c, ph, pw)."""
    b, c, h, w = z.shape
    return z.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h // 2 * (w // 2), c * 4)


def unpatchify(x, rows, cols):
    """Inverse of patchify: [B, rows*cols, c*4] -> [B, c, 2*rows, 2*cols]."""
    b, _, d = x.shape
    return x.reshape(b, rows, cols, d // 4, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(b, d // 4, rows * 2, cols * 2)


class MLPEmbedder(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.in_layer = nn.Linear(inputs, hidden)
        self.out_layer = nn.Linear(hidden, hidden)

    def forward(self, x):
        return self.out_layer(F.silu(self.in_layer(x)))


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        x = x.float() if x.dtype == torch.bfloat16 else x
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale


class QKNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.query_norm = RMSNorm(dim)
        self.key_norm = RMSNorm(dim)

    def forward(self, q, k):
        return self.query_norm(q), self.key_norm(k)


def attention(q, k, v, rope):
    """Full attention: q, k, v [B, S, H, hd] -> [B, S, H*hd]; rope is applied to q and k."""
    q, k = apply_rope(q, *rope).to(v.dtype), apply_rope(k, *rope).to(v.dtype)
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    p = torch.matmul(q, k.transpose(-1, -2)) * (q.shape[-1] ** -0.5)
    return torch.matmul(torch.softmax(p, -1).to(v.dtype), v).transpose(1, 2).flatten(2)


class Modulation(nn.Module):
    """SiLU(y) -> n vectors [B, 1, D]: (shift, scale, gate) once or twice."""

    def __init__(self, dim, n):
        super().__init__()
        self.n = n
        self.lin = nn.Linear(dim, n * dim)

    def forward(self, y):
        return self.lin(F.silu(y))[:, None].chunk(self.n, -1)


class SelfAttention(nn.Module):
    def __init__(self, dim, heads, qkv_bias):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3, bias=qkv_bias)
        self.norm = QKNorm(dim // heads)
        self.proj = nn.Linear(dim, dim)

    def heads_of(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).unbind(2)
        return (*self.norm(q, k), v)


class DoubleBlock(nn.Module):
    def __init__(self, dim, heads, mlp, qkv_bias, act):
        super().__init__()
        for s in ("img", "txt"):
            setattr(self, s + "_mod", Modulation(dim, 6))
            setattr(self, s + "_attn", SelfAttention(dim, heads, qkv_bias))
            setattr(self, s + "_mlp", nn.Sequential(nn.Linear(dim, mlp), activation(act), nn.Linear(mlp, dim)))

    def forward(self, img, txt, y, rope):
        i = self.img_mod(y)  # shift1, scale1, gate1, shift2, scale2, gate2
        t = self.txt_mod(y)
        qi, ki, vi = self.img_attn.heads_of(layer_norm(img) * (1 + i[1]) + i[0])
        qt, kt, vt = self.txt_attn.heads_of(layer_norm(txt) * (1 + t[1]) + t[0])
        joined = attention(torch.cat([qt, qi], 1), torch.cat([kt, ki], 1), torch.cat([vt, vi], 1), rope)
        at, ai = joined.split([txt.shape[1], img.shape[1]], 1)
        img = img + i[2] * self.img_attn.proj(ai)
        img = img + i[5] * self.img_mlp(layer_norm(img) * (1 + i[4]) + i[3])
        txt = txt + t[2] * self.txt_attn.proj(at)
        txt = txt + t[5] * self.txt_mlp(layer_norm(txt) * (1 + t[4]) + t[3])
        return img, txt


class SingleBlock(nn.Module):
    def __init__(self, dim, heads, mlp, act):
        super().__init__()
        self.dim, self.heads, self.mlp = dim, heads, mlp
        self.modulation = Modulation(dim, 3)
        self.linear1 = nn.Linear(dim, dim * 3 + mlp)
        self.linear2 = nn.Linear(dim + mlp, dim)
        self.norm = QKNorm(dim // heads)
        self.act = activation(act)

    def forward(self, x, y, rope):
        shift, scale, gate = self.modulation(y)
        # split, not slices: the backward of a slice writes a full tensor of zeros.
        qkv, mlp = self.linear1(layer_norm(x) * (1 + scale) + shift).split([3 * self.dim, self.mlp], -1)
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = self.norm(q, k)
        return x + gate * self.linear2(torch.cat([attention(q, k, v, rope), self.act(mlp)], -1))


class FinalLayer(nn.Module):
    def __init__(self, dim, out):
        super().__init__()
        self.linear = nn.Linear(dim, out)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * dim))

    def forward(self, x, y):
        shift, scale = self.adaLN_modulation(y)[:, None].chunk(2, -1)
        return self.linear(layer_norm(x) * (1 + scale) + shift)


class Flux(nn.Module):
    """cfg: the configuration of the transformer in model.json. The velocity convention is v = noise - data."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        d, h = cfg["hidden_size"], cfg["num_heads"]
        mlp = int(d * cfg["mlp_ratio"])
        if sum(cfg["axes_dim"]) * h != d:
            raise ValueError(f"axes_dim {cfg['axes_dim']} does not sum to the head size {d / h:g}")
        self.img_in = nn.Linear(cfg["in_channels"], d)
        self.txt_in = nn.Linear(cfg["context_in_dim"], d)
        self.time_in = MLPEmbedder(256, d)
        if cfg["vec_in_dim"]:  # 0: it reads no pooled vector
            self.vector_in = MLPEmbedder(cfg["vec_in_dim"], d)
        if cfg["guidance_embed"]:
            self.guidance_in = MLPEmbedder(256, d)
        self.double_blocks = nn.ModuleList(
            DoubleBlock(d, h, mlp, cfg["qkv_bias"], cfg["activation"]) for _ in range(cfg["depth"]))
        self.single_blocks = nn.ModuleList(
            SingleBlock(d, h, mlp, cfg["activation"]) for _ in range(cfg["depth_single_blocks"]))
        self.final_layer = FinalLayer(d, cfg["in_channels"])
        self.rope_cache = {}

    def rope(self, n_txt, rows, cols, dtype, reference=False):
        """Tables for n_txt text tokens (all at position 0), the image tokens and those of a reference of the same size, which
        are told from them by a 1 on the first axis."""
        key = (n_txt, rows, cols, dtype, reference)
        if key not in self.rope_cache:
            pictures = [image_ids(rows, cols, first) for first in range(1 + reference)]
            ids = torch.cat([torch.zeros(n_txt, 3, dtype=torch.long), *pictures])
            self.rope_cache[key] = rope_tables(ids, self.cfg["axes_dim"], self.cfg["theta"], dtype)
        return self.rope_cache[key]

    def modulation_vector(self, t, pooled, guidance=None):
        """y [B, D] = tau(t) (+ g(guidance)) (+ psi(pooled))."""
        y = self.time_in(timestep_embedding(t))
        if self.cfg["guidance_embed"]:
            y = y + self.guidance_in(timestep_embedding(guidance))
        return y + self.vector_in(pooled) if self.cfg["vec_in_dim"] else y

    def forward(self, img, txt, t, pooled, rows, cols, guidance=None, shift=None, probe=None, reference=None):
        """img [B, rows*cols, in], txt [B, T, context], t [B] in [0,1], pooled [B, P] -> velocity like img.

        reference, like img: the tokens of a picture to edit. They follow the image tokens (FLUX Kontext's layout).

        shift, [blocks+1, D] or one per picture [blocks+1, B, D], is added to y block by block, its last
        row at the output head (modulation guidance). probe, a list, receives (name, tensor) after every block.
        """
        y = self.modulation_vector(t, pooled, guidance)
        ys = [y] * (len(self.double_blocks) + len(self.single_blocks) + 1)
        if shift is not None:
            ys = [y + s for s in shift]
        note = (lambda name, x: probe.append((name, x))) if probe is not None else (lambda name, x: None)
        note("vec", y)
        n_img = img.shape[1]
        if reference is not None:
            img = torch.cat([img, reference], 1)
        wide = self.img_in.weight.dtype  # what blocks add to stays in it, whatever their products are computed in
        img, txt = self.img_in(img).to(wide), self.txt_in(txt).to(wide)
        n_txt = txt.shape[1]
        rope = self.rope(n_txt, rows, cols, torch.float64 if y.dtype == torch.float64 else torch.float32, reference is not None)
        for n, block in enumerate(self.double_blocks):
            img, txt = block(img, txt, ys[n], rope)
            note(f"double_blocks.{n}.img", img)
            note(f"double_blocks.{n}.txt", txt)
        x = torch.cat([txt, img], 1)
        for n, block in enumerate(self.single_blocks, len(self.double_blocks)):
            x = block(x, ys[n], rope)
            note(f"single_blocks.{n - len(self.double_blocks)}", x)
        return self.final_layer(x[:, n_txt:n_txt + n_img], ys[-1])


def init_for_training(net):
    """Gates and the output start at zero (every block is the identity), the rest Xavier."""
    for m in net.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        if isinstance(m, Modulation):
            nn.init.zeros_(m.lin.weight)
    for m in (net.final_layer.linear, net.final_layer.adaLN_modulation[1]):
        nn.init.zeros_(m.weight)
    for emb in (net.time_in, net.vector_in):
        nn.init.normal_(emb.in_layer.weight, std=0.02)
        nn.init.normal_(emb.out_layer.weight, std=0.02)
    nn.init.normal_(net.vector_in.in_layer.weight, std=0.07)
    nn.init.normal_(net.vector_in.out_layer.weight, std=0.06)
    return net


def init_random(net):
    """Every path alive, outputs O(1): for tests of the engine against an untrained model."""
    for m in net.modules():
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, std=m.in_features ** -0.5)
            if m.bias is not None:
                nn.init.normal_(m.bias, std=0.1)
        if isinstance(m, RMSNorm):
            nn.init.normal_(m.scale, mean=1.0, std=0.1)
    return net
