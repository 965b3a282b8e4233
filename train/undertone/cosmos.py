"""The transformer of Cosmos-Predict2, in float32 or float64: for training a pooled adapter for it (adapter.py).

Names are those of diffusers' transformer folder. Every block gets one vector of 3·D beside the embedded time of D;
a pooled adapter adds to that vector (arXiv 2501.03575, 2511.00062). As a picture's pass, not a film's: no frame rate,
no learned positions, no border.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

THETA = 10000.0
QK_EPS = 1e-5  # of diffusers


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class Lora(nn.Module):
    """SiLU(e) -> n·D through a narrow layer."""

    def __init__(self, dim, rank, n):
        super().__init__()
        self.linear_1, self.linear_2 = linear(dim, rank), linear(rank, n * dim)

    def forward(self, e):
        return self.linear_2(self.linear_1(F.silu(e)))


def rotary(frames, rows, cols, head, scale, dtype):
    """(cos, sin), each [frames·rows·cols, head/2], of frame, row and column; scales stretch the waves."""
    side = head // 6 * 2
    axes = (head - 2 * side, side, side)
    places = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (frames, rows, cols)), indexing="ij"), -1)
    parts = []
    for i, dim in enumerate(axes):
        theta = THETA * scale[i] ** (dim / (dim - 2))
        parts.append(places.reshape(-1, 3)[:, i:i + 1] * theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim))
    a = torch.cat(parts, -1)
    return torch.cos(a).to(dtype), torch.sin(a).to(dtype)


def turn(x, table):
    """Rotates the pairs (i, i + head/2) of x [B, S, H, head]."""
    a, b = x.chunk(2, -1)
    c, s = (t[:, None] for t in table)
    return torch.cat([a * c - b * s, b * c + a * s], -1)


class Attention(nn.Module):
    def __init__(self, dim, heads, inputs):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = linear(dim, dim), linear(inputs, dim), linear(inputs, dim)
        self.to_out = nn.ModuleList([linear(dim, dim)])
        self.norm_q, self.norm_k = RMSNorm(dim // heads, QK_EPS), RMSNorm(dim // heads, QK_EPS)

    def forward(self, x, context, table=None):
        q, k, v = (p(y).unflatten(-1, (self.heads, -1)) for p, y in ((self.to_q, x), (self.to_k, context), (self.to_v, context)))
        q, k = self.norm_q(q), self.norm_k(k)
        if table is not None:
            q, k = turn(q, table), turn(k, table)
        q, k, v = (y.transpose(1, 2) for y in (q, k, v))
        p = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1)
        return self.to_out[0]((p @ v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, dim, mlp):
        super().__init__()
        first = nn.Module()
        first.proj = linear(dim, mlp)
        self.net = nn.ModuleList([first, nn.Identity(), linear(mlp, dim)])

    def forward(self, x):
        return self.net[2](F.gelu(self.net[0].proj(x)))


class Block(nn.Module):
    def __init__(self, cfg, dim):
        super().__init__()
        heads, rank = cfg["num_attention_heads"], cfg["adaln_lora_dim"]
        self.norm1, self.norm2, self.norm3 = (Lora(dim, rank, 3) for _ in range(3))
        self.attn1, self.attn2 = Attention(dim, heads, dim), Attention(dim, heads, cfg["text_embed_dim"])
        self.ff = FeedForward(dim, int(dim * cfg["mlp_ratio"]))

    def forward(self, x, text, temb, e, table):
        for norm, part in ((self.norm1, lambda h: self.attn1(h, h, table)), (self.norm2, lambda h: self.attn2(h, text)),
                           (self.norm3, self.ff)):
            shift, scale, gate = (norm(e) + temb)[:, None].chunk(3, -1)
            x = x + gate * part(F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift)
        return x


class Cosmos(nn.Module):
    """cfg: the transformer's config.json in diffusers' words."""

    def __init__(self, cfg):
        super().__init__()
        if cfg.get("extra_pos_embed_type"):
            raise ValueError(f"extra_pos_embed_type is {cfg['extra_pos_embed_type']!r}: positions that are learned are not supported in training")
        self.cfg = cfg
        d = cfg["num_attention_heads"] * cfg["attention_head_dim"]
        module = lambda **parts: nn.ModuleDict(parts)
        self.patch_embed = module(proj=linear(4 * (cfg["in_channels"] + bool(cfg["concat_padding_mask"])), d))
        self.time_embed = module(t_embedder=module(linear_1=linear(d, d), linear_2=linear(d, 3 * d)), norm=RMSNorm(d, 1e-6))
        self.transformer_blocks = nn.ModuleList(Block(cfg, d) for _ in range(cfg["num_layers"]))
        self.norm_out = Lora(d, cfg["adaln_lora_dim"], 2)
        self.proj_out = linear(d, 4 * cfg["out_channels"])

    def forward(self, x, t, text, shift=None):
        """x [B, C, frames, H, W] = (1 − t)·data + t·noise, t [B] in [0, 1], text [B, T, text_embed_dim] -> noise − data.

        shift [blocks, B, 3·D] is added to what the blocks get.
        """
        b, c, frames, h, w = x.shape
        rows, cols = h // 2, w // 2
        if self.cfg["concat_padding_mask"]:
            x = torch.cat([x, torch.zeros_like(x[:, :1])], 1)
        x = x.reshape(b, -1, frames, rows, 2, cols, 2).permute(0, 2, 3, 5, 1, 4, 6).reshape(b, frames * rows * cols, -1)
        x = self.patch_embed["proj"](x)
        d = x.shape[-1]
        a = t[:, None] * torch.exp(-math.log(10000) * torch.arange(d // 2, dtype=t.dtype) / (d // 2))
        wave = torch.cat([torch.cos(a), torch.sin(a)], -1)
        steps = self.time_embed["t_embedder"]
        temb, e = steps["linear_2"](F.silu(steps["linear_1"](wave))), self.time_embed["norm"](wave)
        table = rotary(frames, rows, cols, self.cfg["attention_head_dim"], self.cfg["rope_scale"], x.dtype)
        for n, block in enumerate(self.transformer_blocks):
            x = block(x, text, temb if shift is None else temb + shift[n], e, table)
        move, scale = (self.norm_out(e) + temb[:, :2 * d])[:, None].chunk(2, -1)
        x = self.proj_out(F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + move)
        return x.reshape(b, frames, rows, cols, 2, 2, c).permute(0, 6, 1, 2, 4, 3, 5).reshape(b, c, frames, h, w)
