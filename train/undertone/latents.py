"""Stage 2: a cache of scenes as latents, so that later stages neither render nor encode."""
import itertools
import json
import pickle

import numpy as np
import torch

from . import render
from .autoencoder import to_tensor
from .config import LATENT, STATE, VAE
from .export import configs
from .precision import products
from .scene import draw_scene

# Two different objects are the hardest to draw: they are learned from more examples than are asked for.
KINDS = {"single": .50, "copies": .14, "pair": .36}


def measure(net, data, scale=None, shift=None):
    """Scale, shift (unless given) and preview of the latents of uint8 pictures, for model.json.

    The DiT works on (latent - shift) * scale, of zero mean and unit variance over everything.
    The preview is the linear map from a scaled latent pixel to the mean colour of its 16x16 patch.
    """
    zs, colours = [], []
    for i in range(0, len(data), 32):
        x = to_tensor(data[i:i + 32])
        with torch.no_grad(), products():
            zs.append(net.encoder(x).float())
        colours.append(torch.nn.functional.avg_pool2d(x, 16))
    z, c = torch.cat(zs), torch.cat(colours)
    if scale is None:
        shift, scale = z.mean().item(), 1 / z.std().item()
    a = ((z - shift) * scale).permute(0, 2, 3, 1).reshape(-1, VAE["latent_channels"]).double()
    a1 = torch.cat([a, torch.ones(len(a), 1, dtype=a.dtype)], 1)
    w = torch.linalg.lstsq(a1, c.permute(0, 2, 3, 1).reshape(-1, 3).double()).solution
    return {**VAE, "scaling_factor": round(scale, 6), "shift_factor": round(shift, 6),
            "preview": {"weight": [[round(v, 5) for v in r] for r in w[:-1].T.tolist()],
                        "bias": [round(v, 5) for v in w[-1].tolist()]}}


def make(net, count=40000, seed=2, start=None):
    """-> (scenes, scaled latents float16 [count, 16, 16, 16], vae config). Rendered and encoded once.

    start: a bundle whose scale and shift are kept while they are within 2 % of the measured ones, so that a
    transformer that starts from its weights finds the latents it knows.
    """
    folder = STATE / "latents"
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, VAE["latent_channels"], LATENT, LATENT)
    if not (folder / "done").exists():
        rng = np.random.default_rng(seed)
        scenes = [draw_scene(rng, render.BANKS, kinds=KINDS) for _ in range(count)]
        cfg = measure(net, np.stack(list(render.render_all(scenes[:512]))))
        if start:
            old = configs(json.loads((start / "model.json").read_text()))["vae"]
            new_scale, new_shift = cfg["scaling_factor"], cfg["shift_factor"]
            if abs(new_scale / old["scaling_factor"] - 1) < .02 and abs(new_shift - old["shift_factor"]) * new_scale < .02:
                cfg = measure(net, np.stack(list(render.render_all(scenes[:512]))), old["scaling_factor"], old["shift_factor"])
        out = np.memmap(folder / "z.f16", np.float16, "w+", shape=shape)
        pictures = render.render_all(scenes)
        for i in range(0, count, 64):
            x = to_tensor(np.stack(list(itertools.islice(pictures, 64))))
            with torch.no_grad(), products():
                z = net.encoder(x).float()
            out[i:i + 64] = ((z - cfg["shift_factor"]) * cfg["scaling_factor"]).half().numpy()
            if i % 4096 == 0:
                print(json.dumps({"stage": "latents", "done": i, "of": count}), flush=True)
        out.flush()
        (folder / "scenes.pkl").write_bytes(pickle.dumps(scenes))
        (folder / "vae.json").write_text(json.dumps(cfg))
        (folder / "done").touch()
    scenes = pickle.loads((folder / "scenes.pkl").read_bytes())
    return scenes, np.memmap(folder / "z.f16", np.float16, "r", shape=shape), json.loads((folder / "vae.json").read_text())
