"""The shipped model's architecture and where training keeps its state."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "sprites"
STATE = Path(os.environ.get("UNDERTONE_STATE", Path.home() / ".cache" / "undertone-train"))

SIZE = 256  # pixels
LATENT = 16  # latent side at SIZE
GRID = 8  # token side at SIZE (patches of 2x2 latents)
MAX_LENGTH = 32  # text tokens

VAE = {
    "latent_channels": 16, "downscale": 16,
    "stages": [{"channels": 128, "blocks": 2}, {"channels": 64, "blocks": 2}, {"channels": 32, "blocks": 1},
               {"channels": 16, "blocks": 1}, {"channels": 8, "blocks": 1}],
}


def text_config(vocab_size):
    return {"vocab_size": vocab_size, "hidden_size": 192, "num_layers": 4, "num_heads": 3,
            "intermediate_size": 768, "max_length": MAX_LENGTH, "activation": "gelu", "bos": 1, "eos": 2, "pad": 0}


# One double and five single blocks: 7.7 M parameters are 14.8 MiB of bf16, and no file of the bundle may exceed 15.
DIT = {
    "in_channels": 64, "vec_in_dim": 192, "context_in_dim": 192, "hidden_size": 256, "mlp_ratio": 4.0, "num_heads": 4,
    "depth": 1, "depth_single_blocks": 5, "axes_dim": [16, 24, 24], "theta": 10000, "qkv_bias": True,
    "guidance_embed": False, "activation": "gelu",
}
