"""The pooled adapter: a small network beside a transformer that reads no pooled vector (adapter.py trains one)."""
import torch
import torch.nn.functional as F
from torch import nn


class Adapter(nn.Module):
    """psi and the blocks' scales, under the names of the public module."""

    def __init__(self, pooled, width, blocks):
        super().__init__()
        self.text_embedder_clip = nn.ModuleDict({"linear_1": nn.Linear(pooled, width), "linear_2": nn.Linear(width, width)})
        self.scales = nn.Parameter(torch.zeros(blocks, width))

    def psi(self, pooled):
        return self.text_embedder_clip["linear_2"](F.silu(self.text_embedder_clip["linear_1"](pooled)))

    def forward(self, pooled):
        """pooled [B, P] -> what every block gets, [blocks, B, width]."""
        return self.scales[:, None] * self.psi(pooled)[None]


def take(state):
    """Takes an adapter's tensors out of a transformer's state; -> the Adapter, or None where there is none."""
    own = {k: state.pop(k) for k in list(state) if k == "scales" or k.startswith("text_embedder_clip.")}
    if not own:
        return None
    net = Adapter(own["text_embedder_clip.linear_1.weight"].shape[1], own["scales"].shape[1], own["scales"].shape[0])
    net.load_state_dict(own)
    return net.eval().requires_grad_(False)
