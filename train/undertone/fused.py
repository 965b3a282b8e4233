"""A transformer with the weights of flux.Flux whose training step is several times faster on a CPU.

The matrix products stay torch's, in bf16; what lies between them is fused.c, built
with the system's C compiler at first use. It knows pictures' training only: no
guidance embedding, exact GELU. Without a compiler, or on a GPU, use Flux.
"""
import ctypes
import hashlib
import math
import shutil
import subprocess
from pathlib import Path

import torch

from .config import STATE
from .flux import Flux

SOURCE = Path(__file__).with_name("fused.c")
_lib = None


def library():
    """The built library, or None where there is no C compiler."""
    global _lib
    if _lib is None and shutil.which("cc"):
        name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
        path = STATE / f"fused-{name}.so"
        if not path.exists():
            STATE.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cc", "-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC", "-o", path, SOURCE,
                            "-lm"], check=True)
        _lib = ctypes.CDLL(str(path))
        _lib.square_sum.restype = ctypes.c_double
    return _lib


def call(name, *args):
    """Calls a function of fused.c: tensors as pointers, ints as long, floats as float."""
    kinds = {int: ctypes.c_long, float: ctypes.c_float}
    return getattr(library(), name)(*(
        ctypes.c_void_p(a.data_ptr()) if torch.is_tensor(a) else kinds[type(a)](a) for a in args))


def rows(m):
    """A modulation part [B, 1, D] (a view of [B, 1, nD]) with unit stride inside, and its row stride."""
    m = m if m.stride(-1) == 1 else m.contiguous()
    return m, m.stride(0)


class NormModulate(torch.autograd.Function):
    """layer_norm(x) * (1 + scale) + shift: x f32 [B, S, D] -> bf16."""

    @staticmethod
    def forward(ctx, x, shift, scale):
        x = x.contiguous()
        (shift, ms), (scale, ms2) = rows(shift), rows(scale)
        assert ms == ms2
        out, stat = torch.empty(x.shape, dtype=torch.bfloat16), torch.empty(*x.shape[:2], 2)
        call("ln_mod_fwd", x, shift, scale, ms, out, stat, *x.shape)
        ctx.save_for_backward(x, scale, stat)
        return out

    @staticmethod
    def backward(ctx, g):
        x, scale, stat = ctx.saved_tensors
        b, s, d = x.shape
        dx, dshift, dscale = torch.empty_like(x), torch.empty(b, 1, d), torch.empty(b, 1, d)
        call("ln_mod_bwd", g.contiguous(), x, scale, scale.stride(0), stat, dx, dshift, dscale, b, s, d)
        return dx, dshift.bfloat16(), dscale.bfloat16()


class Gate(torch.autograd.Function):
    """x + gate * y: x f32, y and gate bf16."""

    @staticmethod
    def forward(ctx, x, gate, y):
        x, y = x.contiguous(), y.contiguous()
        gate, ms = rows(gate)
        out = torch.empty_like(x)
        call("gate_fwd", x, gate, ms, y, out, *x.shape)
        ctx.save_for_backward(gate, y)
        return out

    @staticmethod
    def backward(ctx, g):
        gate, y = ctx.saved_tensors
        g = g.contiguous()
        b, s, d = y.shape
        dy, dgate = torch.empty_like(y), torch.empty(b, 1, d)
        call("gate_bwd", g, gate, gate.stride(0), y, dy, dgate, b, s, d)
        return g, dgate.bfloat16(), dy


class Attend(torch.autograd.Function):
    """Attention over one or two joined streams, and GELU of what follows q|k|v in a row.

    h_i: bf16 [B, S_i, 3D + M_i]; w_i: f32 [2, E] (scales of q and k); cs: f32 [sum S, E/2, 2].
    -> one tensor [B, S_i, D + M_i] per stream.
    """

    @staticmethod
    def forward(ctx, cs, heads, *streams):
        hs, ws = [h.contiguous() for h in streams[::2]], [w.contiguous() for w in streams[1::2]]
        b, e = hs[0].shape[0], ws[0].shape[1]
        total, d = sum(h.shape[1] for h in hs), heads * e
        q, k, v = (torch.empty(b, heads, total, e, dtype=torch.bfloat16) for _ in range(3))
        invs, off = [], 0
        for h, w in zip(hs, ws):
            s = h.shape[1]
            invs.append(torch.empty(b, s, 2, heads))
            call("rope_fwd", h, h.shape[2], w[0], w[1], cs, q, k, v, invs[-1], b, s, heads, e, off, total)
            off += s
        p = torch.matmul(q, k.transpose(-1, -2))
        call("softmax_fwd", p, b * heads * total, total, e ** -0.5)
        o = torch.matmul(p, v)
        outs, off = [], 0
        for h in hs:
            s, m = h.shape[1], h.shape[2] - 3 * d
            out = torch.empty(b, s, d + m, dtype=torch.bfloat16)
            call("merge", o, out, d + m, b, s, heads, e, off, total, 0)
            if m:
                call("gelu_fwd", h[0, 0, 3 * d:], 3 * d + m, out[0, 0, d:], d + m, b * s, m)
            outs.append(out)
            off += s
        ctx.heads = heads
        ctx.save_for_backward(cs, q, k, v, p, *hs, *ws, *invs)
        return tuple(outs)

    @staticmethod
    def backward(ctx, *gs):
        cs, q, k, v, p = ctx.saved_tensors[:5]
        n, heads = len(gs), ctx.heads
        hs, ws, invs = (ctx.saved_tensors[5 + i * n:5 + (i + 1) * n] for i in range(3))
        gs = [g.contiguous() for g in gs]
        b, _, total, e = q.shape
        d = heads * e
        do, off = torch.empty_like(q), 0
        for g in gs:
            call("merge", do, g, g.shape[2], b, g.shape[1], heads, e, off, total, 1)
            off += g.shape[1]
        dv = torch.matmul(p.transpose(-1, -2), do).contiguous()
        dp = torch.matmul(do, v.transpose(-1, -2)).contiguous()
        call("softmax_bwd", p, dp, b * heads * total, total, e ** -0.5)
        dq, dk = torch.matmul(dp, k).contiguous(), torch.matmul(dp.transpose(-1, -2), q).contiguous()
        out, off = [], 0
        for g, h, w, inv in zip(gs, hs, ws, invs):
            s, m = h.shape[1], h.shape[2] - 3 * d
            dh, dw = torch.empty_like(h), torch.empty(b, 2, e)
            call("rope_bwd", dq, dk, dv, h, h.shape[2], w[0], w[1], cs, inv, dh, h.shape[2], dw, b, s, heads, e, off, total)
            if m:
                call("gelu_bwd", h[0, 0, 3 * d:], 3 * d + m, g[0, 0, d:], d + m, dh[0, 0, 3 * d:], 3 * d + m, b * s, m)
            out += [dh, dw.sum(0)]
            off += s
        return (None, None, *out)


class Gelu(torch.autograd.Function):
    """Exact GELU of a contiguous bf16 tensor."""

    @staticmethod
    def forward(ctx, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        n = x.shape[-1]
        call("gelu_fwd", x, n, y, n, x.numel() // n, n)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        n, dx = x.shape[-1], torch.empty_like(x)
        call("gelu_bwd", x, n, g.contiguous(), n, dx, n, x.numel() // n, n)
        return dx


def norm_scales(norm):
    return torch.stack([norm.query_norm.scale, norm.key_norm.scale])


def mlp(seq, x):
    return seq[2](Gelu.apply(seq[0](x)))


class FusedFlux(Flux):
    """The same function of the same weights as Flux, in bf16 under CPU autocast."""

    def forward(self, img, txt, t, pooled, rows, cols, guidance=None, shift=None, probe=None, reference=None):
        if guidance is not None or probe is not None or self.cfg["activation"] != "gelu":
            raise ValueError("FusedFlux has no guidance embedding and no probe, and computes exact GELU only")
        y = self.modulation_vector(t, pooled)
        ys = [y] * (len(self.double_blocks) + len(self.single_blocks) + 1)
        if shift is not None:
            ys = [y + s for s in shift]
        cos, sin = self.rope(txt.shape[1], rows, cols, torch.float32, reference is not None)
        cs, heads = torch.stack([cos, sin], -1).contiguous(), self.cfg["num_heads"]
        n_img = img.shape[1]
        if reference is not None:
            img = torch.cat([img, reference], 1)
        img, txt = self.img_in(img).float(), self.txt_in(txt).float()
        for block, y in zip(self.double_blocks, ys):
            i, s = block.img_mod(y), block.txt_mod(y)
            at, ai = Attend.apply(
                cs, heads,
                block.txt_attn.qkv(NormModulate.apply(txt, s[0], s[1])), norm_scales(block.txt_attn.norm),
                block.img_attn.qkv(NormModulate.apply(img, i[0], i[1])), norm_scales(block.img_attn.norm))
            img = Gate.apply(img, i[2], block.img_attn.proj(ai))
            img = Gate.apply(img, i[5], mlp(block.img_mlp, NormModulate.apply(img, i[3], i[4])))
            txt = Gate.apply(txt, s[2], block.txt_attn.proj(at))
            txt = Gate.apply(txt, s[5], mlp(block.txt_mlp, NormModulate.apply(txt, s[3], s[4])))
        x = torch.cat([txt, img], 1)
        for block, y in zip(self.single_blocks, ys[len(self.double_blocks):]):
            shift_, scale, gate = block.modulation(y)
            h = block.linear1(NormModulate.apply(x, shift_, scale))
            out, = Attend.apply(cs, heads, h, norm_scales(block.norm))
            x = Gate.apply(x, gate, block.linear2(out))
        a, b = self.final_layer.adaLN_modulation(ys[-1])[:, None].chunk(2, -1)
        x = x[:, txt.shape[1]:txt.shape[1] + n_img]
        return self.final_layer.linear(NormModulate.apply(x, a, b))


def same_memory(p, g):
    """The gradient g with its elements in the order in which the parameter p has them (channels last, for example)."""
    return g if g.stride() == p.stride() else torch.empty_like(p).copy_(g)


class Adam:
    """Adam with gradient clipping and the moving average of the weights, in two passes over memory."""

    def __init__(self, params, ema, betas, eps=1e-8):
        self.params, self.ema, self.betas, self.eps = list(params), list(ema), betas, eps
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]
        self.t = 0

    def step(self, lr, clip, decay):
        """False, and nothing is changed, where the gradient is not finite."""
        b1, b2 = self.betas
        grads = [None if p.grad is None else same_memory(p, p.grad) for p in self.params]
        norm = sum(call("square_sum", g, g.numel()) for g in grads if g is not None) ** 0.5
        if not math.isfinite(norm):
            return False
        self.t += 1
        factor = min(1.0, clip / (norm + 1e-12))
        for p, m, v, e, g in zip(self.params, self.m, self.v, self.ema, grads):
            if g is None:
                continue
            call("adam", p.data, m, v, e, g, p.numel(), float(factor), float(lr / (1 - b1 ** self.t)), float(b1), float(b2),
                 float(1 / (1 - b2 ** self.t)), float(self.eps), float(decay))
        return True

    def state_dict(self):
        return {"m": self.m, "v": self.v, "t": self.t}

    def load_state_dict(self, s):
        self.m, self.v, self.t = s["m"], s["v"], s["t"]
