"""The judge: a small network that says from pixels alone what a picture shows.

It is trained on renders that no other stage has seen, as they are and passed through the
autoencoder, and measured on such renders before it may score anything. No network is ever
trained through it. python3 -m undertone.judge makes it anew; --export writes it beside the
shipped model, of which it is an optional part.
"""
import argparse
import json
from dataclasses import replace

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import export, render
from .autoencoder import load, to_tensor, to_uint8
from .config import MODEL, SIZE, STATE
from .gguf import tensors
from .loop import finished, load_ema, train
from .precision import products
from .scene import COLOURS, EVERY, KIND_SHARES, MORE, PLACES, STYLE_SHARES, STYLES, TIMES, draw_scene
from .tiny import Block

SIDE = SIZE // 2  # what the judge sees
# Backgrounds of its own: the other stages use the first render.BANKS drawings.
BANKS = {"train": (render.BANKS, 5), "held": (render.BANKS + 5, 3)}
SEEDS = {"train": 31, "held": 32}
HELD_OUT = 1000
# What it learns from has more of what is hard to read than captions have: styles beside the usual one, pairs, and rows of three.
KINDS = {"train": {"single": .30, "copies": .35, "pair": .35}, "held": KIND_SHARES}
STYLE_KINDS = {"train": {**dict.fromkeys(STYLES, .19), "flat": .24}, "held": STYLE_SHARES}
ENOUGH = 0.95  # an attribute judged less reliably than this on held-out renders is reported as unjudged
UNSAID = -100  # no label: cross_entropy's ignore_index
SIDES = ("left", "middle", "right")
# attribute -> its values. "first" and "last" are the leftmost and the rightmost object (the same one if it is alone). The judge of a
# bundle may know fewer objects: the first ones.
VALUES = {"first": tuple(EVERY), "last": tuple(EVERY), "first colour": tuple(COLOURS), "last colour": tuple(COLOURS),
          "count": (1, 2, 3), "style": STYLES, "place": PLACES, "time": TIMES, "detail": (0, 1, 2), "polish": (0, 1, 2),
          "side": SIDES}


def side(s):
    """Where a single object stands; None if there are several."""
    if len(s.objects) > 1:
        return None
    return "middle" if s.xs[0] == 128 else "left" if s.xs[0] < 128 else "right"


def truth(s):
    """{attribute: value or None} of a scene. A natural colour has no name here: a heart's is red without being "red"."""
    (a, ca), (b, cb) = s.objects[0], s.objects[-1]
    return {"first": a, "last": b, "first colour": ca, "last colour": cb, "count": len(s.objects), "style": s.style,
            "place": s.place, "time": s.time, "detail": s.detail, "polish": s.polish, "side": side(s)}


def labels(scenes):
    """-> int64 [B, attributes], UNSAID where a scene has no value."""
    rows = [truth(s) for s in scenes]
    return torch.tensor([[UNSAID if r[k] is None else v.index(r[k]) for k, v in VALUES.items()] for r in rows])


# What the layers' sizes follow from, as model.json has it: pictures are reduced from size to side, patches of pixels
# become channels, and the maps of widths channels have Side/patch, half and a quarter of that to a side.
SHAPE = {"size": SIZE, "side": SIDE, "patch": 4, "widths": [64, 96, 128], "places": 24, "features": 256}


class Judge(nn.Module):
    """Pictures [B, 3, side, side] in [0, 1] -> ({attribute: logits}, features [B, features])."""

    def __init__(self, shape=SHAPE, values=VALUES):
        super().__init__()
        self.values = values
        self.shape, patch, features = shape, shape["patch"], shape["features"]
        (a, b, c), cells = shape["widths"], (shape["side"] // patch // 4) ** 2
        self.body = nn.Sequential(
            nn.PixelUnshuffle(patch), nn.Conv2d(3 * patch ** 2, a, 3, padding=1), nn.ReLU(),
            nn.Conv2d(a, b, 3, stride=2, padding=1), Block(b), nn.Conv2d(b, c, 3, stride=2, padding=1), Block(c))
        self.where = nn.Conv2d(c, shape["places"], 1)  # keeps the cells apart, for left, right and counting
        self.mix = nn.Linear(shape["places"] * cells + 2 * c + 2 * patch, features)
        self.drop = nn.Dropout(0.25)
        self.heads = nn.ModuleDict({k: nn.Linear(features, len(v)) for k, v in values.items()})

    def seams(self, x):
        """How steep the picture is between columns, and between rows, by their place in patches, against the mean,
        [B, 2 * patch]: the grid of pixel art."""
        across, down = (x - x.roll(1, d) for d in (3, 2))
        parts = [v.abs().mean((1, other)).unflatten(1, (-1, self.shape["patch"])).mean(1) for v, other in ((across, 2), (down, 3))]
        return torch.cat([p / p.mean(1, keepdim=True).clamp(min=1e-4) - 1 for p in parts], 1)

    def forward(self, x):
        seams = self.seams(x.float())
        x = self.body(x - 0.5)
        f = torch.cat([self.where(x).flatten(1), x.mean((2, 3)), x.amax((2, 3)), seams.to(x.dtype)], 1)
        f = F.relu(self.mix(F.relu(f)))
        return {k: h(self.drop(f)).float() for k, h in self.heads.items()}, f.float()


def shrink(pictures):
    """uint8 [B, 256, 256, 3] -> uint8 [B, 128, 128, 3], by the mean of 2x2 pixels."""
    p = pictures.reshape(len(pictures), SIDE, 2, SIDE, 2, 3).astype(np.uint16)
    return ((p.sum((2, 4)) + 2) // 4).astype(np.uint8)


def scenes_of(kind, n, names=EVERY):
    """n scenes of the objects of names that no other stage has met."""
    rng = np.random.default_rng(SEEDS[kind])
    first, count = BANKS[kind]
    return [replace(s, bank=s.bank + first) for s in (draw_scene(rng, count, STYLE_KINDS[kind], KINDS[kind], names) for _ in range(n))]


def through(auto, pictures, noise=0.0):
    """uint8 pictures -> what the autoencoder makes of them, uint8; noise on the latents as a transformer errs."""
    with torch.no_grad(), products():
        z = auto.encoder(to_tensor(pictures))
        return to_uint8(auto.decoder(z + noise * torch.randn_like(z)))


def cache(auto, n, part=50):
    """-> (pictures uint8 [2, n, 128, 128, 3]: renders, and the same through the autoencoder; labels [n, attributes]).

    Made once.
    """
    path, scenes = STATE / f"judge-{n}-{len(EVERY)}.npy", scenes_of("train", n)
    if not path.exists():
        STATE.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(SEEDS["train"])
        out, drawn = np.empty((2, n, SIDE, SIDE, 3), np.uint8), render.render_all(scenes)
        for i in range(0, n, part):
            full = np.stack([next(drawn) for _ in scenes[i:i + part]])
            out[:, i:i + part] = shrink(full), shrink(through(auto, full, noise=0.15))
        np.save(path, out)
    return np.load(path), labels(scenes)


def vary(x):
    """Shifts, some blur, noise and contrast: what a judge of pictures should forgive. x [B, 3, H, W].

    Shifts are by whole blocks of pixel art (4 pixels here): their grid is what tells that style.
    """
    b, wide = len(x), F.pad(x, (4, 4, 4, 4), mode="replicate")
    x = torch.stack([w[:, dy:dy + SIDE, dx:dx + SIDE] for w, (dy, dx) in zip(wide, 4 * np.random.randint(0, 3, (b, 2)))])
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    x = torch.lerp(x, soft, (torch.rand(b, 1, 1, 1) - 0.6).clamp(min=0))
    x = 0.5 + (x - 0.5) * (1 + 0.04 * torch.randn(b, 1, 1, 1))
    return (x + 0.03 * torch.rand(b, 1, 1, 1) * torch.randn_like(x)).contiguous(memory_format=torch.channels_last)


def loss_fn(out, y):
    """Sum over the attributes of the mean cross entropy where there is a label."""
    total = 0.0
    for i, logits in enumerate(out.values()):
        n = (y[:, i] != UNSAID).sum().clamp(min=1)
        total = total + F.cross_entropy(logits, y[:, i], ignore_index=UNSAID, reduction="sum") / n
    return total


def read(net, pictures, batch=64):
    """What the judge sees in uint8 pictures [N, 256, 256, 3] or, shrunk, [N, 128, 128, 3].

    -> {attribute: index [N]}, with "detail score" and "polish score" (expected level, 0..2) and "features" [N, 256].
    """
    parts = []
    for i in range(0, len(pictures), batch):
        p = pictures[i:i + batch]
        x = to_tensor(p if p.shape[1] == SIDE else shrink(p))
        with torch.no_grad(), products():
            logits, features = net(x)
        level = torch.arange(3.0)
        part = {k: v.argmax(1).numpy() for k, v in logits.items()}
        part.update({f"{k} score": (logits[k].softmax(1) @ level).numpy() for k in ("detail", "polish")})
        parts.append({**part, "features": features.numpy()})
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def agreement(seen, scenes):
    """{attribute: (right, of)} on scenes whose labels are known, attributes named as in reports."""
    y = labels(scenes).numpy()
    column = {k: i for i, k in enumerate(VALUES)}
    right = {k: seen[k] == y[:, i] for k, i in column.items()}
    known = {k: y[:, i] != UNSAID for k, i in column.items()}
    out = {"object": right["first"] & right["last"]}
    known["object"] = known["first"]
    known["colour"] = known["first colour"] | known["last colour"]
    out["colour"] = (right["first colour"] | ~known["first colour"]) & (right["last colour"] | ~known["last colour"])
    out.update({k: right[k] for k in ("count", "style", "place", "time", "detail", "polish", "side")})
    return {k: (int((v & known[k]).sum()), int(known[k].sum())) for k, v in out.items()}


def examine(net, auto):
    """Accuracy per attribute on held-out renders of the objects that the judge knows, passed through the autoencoder, also by style."""
    scenes = scenes_of("held", HELD_OUT, net.values["first"])
    seen = read(net, np.concatenate([shrink(through(auto, np.stack([render.render(s) for s in scenes[i:i + 50]])))
                                     for i in range(0, HELD_OUT, 50)]))
    share = lambda d: {k: round(a / n, 4) for k, (a, n) in d.items() if n}  # noqa: E731
    by_style = {}
    for style in STYLES:
        pick = [i for i, s in enumerate(scenes) if s.style == style]
        by_style[style] = {"pictures": len(pick), **share(agreement({k: v[pick] for k, v in seen.items()},
                                                                    [scenes[i] for i in pick]))}
    total = share(agreement(seen, scenes))
    return {"pictures": len(scenes), "accuracy": total, "by_style": by_style,
            "unjudged": sorted(k for k, v in total.items() if v < ENOUGH)}


def weights(net, block=32):
    """{name: tensor} as engine/judge reads it: kernels as rows, the columns of mix by cell and then channel, with zeros
    up to whole blocks of quantization, and the answers of all heads one after the other."""
    conv = lambda m: (m.weight.flatten(1), m.bias)  # noqa: E731
    parts = {"first": conv(net.body[1]), "second": conv(net.body[3]), "third": conv(net.body[5]), "places": conv(net.where)}
    for name, i in (("middle", 4), ("last", 6)):
        parts.update({f"{name}.{k}": conv(net.body[i].conv[2 * k]) for k in range(3)})
    places = net.shape["places"]
    cells = (net.shape["side"] // net.shape["patch"] // 4) ** 2
    mix, n = net.mix.weight, places * cells
    kept = mix[:, :n].unflatten(1, (places, cells)).transpose(1, 2).flatten(1)
    parts["mix"] = (F.pad(torch.cat([kept, mix[:, n:]], 1), (0, -mix.shape[1] % block)), net.mix.bias)
    heads = list(net.heads.values())
    parts["heads"] = (torch.cat([h.weight for h in heads]), torch.cat([h.bias for h in heads]))
    return {f"{k}.{what}": v for k, pair in parts.items() for what, v in zip(("weight", "bias"), pair)}


def shipped(folder=MODEL):
    """The judge of a bundle: what weights wrote, read back."""
    manifest = json.loads((Path(folder) / "model.json").read_text())
    shape = manifest["judge"]["config"]
    counts = [len(a["values"]) for a in manifest["judge"]["attributes"]]
    values = {k: v[:n] for (k, v), n in zip(VALUES.items(), counts, strict=True)}
    if [tuple(a["values"]) for a in manifest["judge"]["attributes"]] != [tuple(map(str, v)) for v in values.values()]:
        raise ValueError(f"the judge of {folder} knows other values than the scenes have")
    found = tensors(folder, "judge")
    net = Judge(shape, values)
    places, cells = shape["places"], (shape["side"] // shape["patch"] // 4) ** 2
    n = places * cells
    mix = found["mix.weight"][:, :net.mix.in_features]
    found["mix.weight"] = torch.cat([mix[:, :n].unflatten(1, (cells, places)).transpose(1, 2).flatten(1), mix[:, n:]], 1)
    heads = {k: dict(zip(values, found[f"heads.{k}"].split(counts))) for k in ("weight", "bias")}
    layers = {"first": net.body[1], "second": net.body[3], "third": net.body[5], "places": net.where, "mix": net.mix}
    layers |= {f"{name}.{k}": net.body[i].conv[2 * k] for name, i in (("middle", 4), ("last", 6)) for k in range(3)}
    with torch.no_grad():
        for what in ("weight", "bias"):
            for name, layer in layers.items():
                getattr(layer, what).copy_(found[f"{name}.{what}"].view(getattr(layer, what).shape))
            for k, head in net.heads.items():
                getattr(head, what).copy_(heads[what][k])
    return net.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def begin(net, folder=MODEL):
    """Weights of the judge of a bundle; values that it does not know keep their fresh rows."""
    state = net.state_dict()
    for k, v in shipped(folder).state_dict().items():
        state[k][:len(v)] = v
    net.load_state_dict(state)


def trained():
    """The judge of the last training, or the shipped one where there was none here."""
    if (STATE / "judge.pt").exists():
        return load_ema("judge", Judge().to(memory_format=torch.channels_last))
    return shipped()


def accuracies(examined):
    """{attribute: share} of what examine measured: objects and colours are right where both ends are."""
    joint = {"first": "object", "last": "object", "first colour": "colour", "last colour": "colour"}
    return {k: examined["accuracy"][joint.get(k, k)] for k in VALUES}


def write(folder, net, examined):
    """Writes judge.safetensors, in half precision, and what model.json says of it. -> that part of model.json"""
    folder = Path(folder)
    export.write_safetensors(folder / "judge.safetensors", {k: v.half() for k, v in weights(net).items()})
    manifest = json.loads((folder / "model.json").read_text())
    share = accuracies(examined)
    manifest["files"] = [f for f in manifest["files"] if f["role"] != "judge"]
    manifest["files"].append(export.file_entry("judge", folder / "judge.safetensors"))
    manifest["judge"] = {
        "config": net.shape, "pictures": examined["pictures"],
        "attributes": [{"name": k, "values": [str(x) for x in v], "accuracy": share[k]} for k, v in net.values.items()],
        "parameters": sum(v.numel() for v in weights(net).values())}
    export.write_manifest(folder, manifest)
    return manifest["judge"]


def make(auto, minutes, count=16000, batch=64, seed=7, lr=1.2e-3):
    """-> the judge, trained on from the shipped one."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    net = Judge().to(memory_format=torch.channels_last)
    if finished("judge", minutes):
        return load_ema("judge", net)
    begin(net)
    data, y = cache(auto, count)
    # Pairs, rows of three and the objects that came last are harder.
    weight = lambda s: (1 if s.same else 2) * (3 if len(s.objects) == 3 else 1) * (2 if MORE.keys() & {n for n, _ in s.objects} else 1)  # noqa: E731
    share = np.array([float(weight(s)) for s in scenes_of("train", count)])
    share /= share.sum()
    rng = np.random.default_rng(seed)

    def loss_of(progress):
        pick = np.sort(rng.choice(len(y), batch, replace=False, p=share))
        with products():
            out, _ = net(vary(to_tensor(data[rng.integers(2, size=batch), pick])))
        return loss_fn(out, y[torch.from_numpy(pick)])

    return train("judge", net, loss_of, minutes, lr, decay=0.99, save_every=120).eval()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--scenes", type=int, default=16000)
    p.add_argument("--examine", action="store_true", help="measure the shipped judge instead, for the scores of edits and the model card")
    p.add_argument("--export", type=Path, metavar="FOLDER", help="write what was trained and measured into this bundle")
    a = p.parse_args()
    if a.export:
        write(a.export, load_ema("judge", Judge()), json.loads((STATE / "judge.json").read_text()))
        return
    auto = load()
    result = examine(shipped() if a.examine else make(auto, a.minutes, a.scenes), auto)
    STATE.mkdir(parents=True, exist_ok=True)
    (STATE / "judge.json").write_text(json.dumps(result) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
