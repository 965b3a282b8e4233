"""The text encoder in CLIP's layout: causal, pre-norm, pooled at the first EOS."""
import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, x, mask):
        q, k, v = (p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        p = torch.matmul(q, k.transpose(-1, -2)) * (q.shape[-1] ** -0.5)
        p = torch.softmax(p + mask.to(p.dtype), -1).to(v.dtype)
        return self.out_proj(torch.matmul(p, v).transpose(1, 2).flatten(2))


class MLP(nn.Module):
    def __init__(self, dim, inner, act):
        super().__init__()
        self.act = act
        self.fc1 = nn.Linear(dim, inner)
        self.fc2 = nn.Linear(inner, dim)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.act == "quick_gelu" else F.gelu(x))


class Layer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        c = cfg["hidden_size"]
        self.layer_norm1 = nn.LayerNorm(c, eps=1e-5)
        self.self_attn = Attention(c, cfg["num_heads"])
        self.layer_norm2 = nn.LayerNorm(c, eps=1e-5)
        self.mlp = MLP(c, cfg["intermediate_size"], cfg["activation"])

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.token_embedding = nn.Embedding(cfg["vocab_size"], cfg["hidden_size"])
        self.position_embedding = nn.Embedding(cfg["max_length"], cfg["hidden_size"])


class TextModel(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embeddings = Embeddings(cfg)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(Layer(cfg) for _ in range(cfg["num_layers"]))
        self.final_layer_norm = nn.LayerNorm(cfg["hidden_size"], eps=1e-5)


class Clip(nn.Module):
    """cfg: the configuration of the text encoder in model.json."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.text_model = TextModel(cfg)
        nn.init.normal_(self.text_model.embeddings.token_embedding.weight, std=0.3)
        nn.init.normal_(self.text_model.embeddings.position_embedding.weight, std=0.1)

    def forward(self, ids):
        """ids [B, T] -> (token states [B, T, C], pooled [B, C] at the first EOS)."""
        m = self.text_model
        t = ids.shape[1]
        x = m.embeddings.token_embedding(ids) + m.embeddings.position_embedding.weight[None, :t]
        mask = torch.full((t, t), -1e30, dtype=x.dtype).triu(1)
        for layer in m.encoder.layers:
            x = layer(x, mask)
        x = m.final_layer_norm(x)
        first = (ids == self.cfg["eos"]).int().argmax(-1)
        return x, x[torch.arange(len(ids)), first]
