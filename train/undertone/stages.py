"""What gpu.py does in its stages: each trains one network on what a pool (pool.py) holds, for so many seconds.

about is the pool's dictionary of tensors, z the scaled latents of its pictures, float16 [N, 16, 16, 16].
"""
import copy
import json
import time

import numpy as np
import torch
import torch.nn.functional as F

from . import autoencoder, contrast, edits, judge, latents, pool, render, shifts, warm
from .autoencoder import BLOCK_EDGES, EDGES, Autoencoder
from .config import DIT, GRID, MODEL
from .contrast import unknown
from .distil import GUIDANCE, STEPS, TEACHER_STEPS
from .edit import CHANGED, VISIBLE, times
from .export import configs
from .flux import Flux, patchify
from .loop import train
from .precision import products
from .scene import STYLES
from .teacher import DROP_POOLED, DROP_TOKENS, OFTEN, Prompts, drops, sample, velocity

GENERATED, EDITED = 448, 352  # rows of a step
BLUR = .12  # noise on a reference at most: pictures that the model made itself are edited, again and again
SMALL = 1  # rows of every step are divided by it


def rows(n):
    return max(8, n // SMALL)


def note(**line):
    print(json.dumps(line), flush=True)


class Words(Prompts):
    """Prompts of ids of any integer type."""

    def of_ids(self, ids):
        return super().of_ids(ids.long())


def on_device(net):
    return net.to(torch.empty(0).device)


def shift_of(rows):
    """Columns of the pool [B, ...] -> Shifts."""
    return shifts.Shifts(rows["ids"].long(), rows["positive"].long(), rows["negative"].long(), rows["weights"].float().T.contiguous())


def versions_of(about, names, pick, prefix=""):
    """Rows of a random version of what is said of each picture or edit."""
    v = torch.randint(pool.VERSIONS, (len(pick),))
    return {n: about[prefix + n][v, pick] for n in names}


SHIFT = ("ids", "positive", "negative", "weights")


def train_autoencoder(drawn, seconds):
    """All of it, against the pictures that are there so far."""
    with torch.device("cpu"):
        net = Autoencoder()
        warm.load(net, MODEL, "autoencoder")
    net = on_device(net).to(memory_format=torch.channels_last)
    shares = torch.tensor([autoencoder.SHARES[s] for s in STYLES])
    state = {"parts": 0}

    def loss_of(progress):
        if drawn.parts > state["parts"]:
            state["parts"] = drawn.parts
            style = drawn.styles()
            state["style"] = style
            state["choose"] = pool.chooser(shares[style] / style.bincount(minlength=len(STYLES)).clamp(min=1)[style])
        whole = progress > .5
        side, batch = (render.SIZE, rows(96)) if whole else (128, rows(256))
        pick = state["choose"](batch)
        r, c = np.random.randint((render.SIZE - side) // 16 + 1, size=2) * 16
        x = drawn.pictures[pick, r:r + side, c:c + side].permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
        weight = torch.where(state["style"][pick] == STYLES.index("pixel"), BLOCK_EDGES, EDGES)
        with products():
            out, reg = net(x, autoencoder.LATENT_NOISE)
        return autoencoder.loss_fn(out, x, weight) + 0.1 * reg.float()

    return train("autoencoder", net, loss_of, seconds / 60, 8e-4, decay=.998).eval()


def encode(auto, cfg, pictures, batch=512):
    """uint8 [N, 256, 256, 3] on the device -> scaled latents float16."""
    out = []
    for i in range(0, len(pictures), batch):
        x = pictures[i:i + batch].permute(0, 3, 1, 2).float().div_(255).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), products():
            z = auto.encoder(x).float()
        out.append(((z - cfg["shift_factor"]) * cfg["scaling_factor"]).half())
    return torch.cat(out)


def measure(auto, pictures):
    """As latents.measure, of pictures on the device; the shipped scale and shift stay while they are near."""
    with torch.device("cpu"):
        pictures, cpu = pictures.cpu().numpy(), copy.deepcopy(auto).cpu().float()
        cfg = latents.measure(cpu, pictures)
        old = configs(json.loads((MODEL / "model.json").read_text()))["vae"]
        if abs(cfg["scaling_factor"] / old["scaling_factor"] - 1) < .02 and abs(
                cfg["shift_factor"] - old["shift_factor"]) * cfg["scaling_factor"] < .02:
            cfg = latents.measure(cpu, pictures, old["scaling_factor"], old["shift_factor"])
    return cfg


def train_text(about, z, seconds):
    """The text encoder with the words of instructions, contrastively."""
    with torch.device("cpu"):
        pair = contrast.Pair(edits.VOCAB)
        warm.load(pair, MODEL, "contrast", {contrast.WORDS: (list(edits.VOCAB), warm.words(MODEL))}, skip=("name_text", "name_image"))
    pair = on_device(pair)

    def outputs(net, pick):
        seen = z[pick].float()
        said = versions_of(about, ["titles"], pick)["titles"].long()
        with products():
            return net(contrast.trim(unknown(said, .01)), seen + .2 * torch.randn_like(seen))

    def loss_of(progress):
        pick = torch.randint(len(z) - 256, (rows(512),))
        a, text, image = outputs(pair, pick)
        y, names = torch.arange(len(a)), about["names"][pick].float()
        named = sum(F.binary_cross_entropy_with_logits(x, names) for x in (text, image))
        return (F.cross_entropy(a, y) + F.cross_entropy(a.T, y)) / 2 + 10 * named

    def report(ema, progress):
        pick = torch.arange(len(z) - 256, len(z))
        a, text, image = outputs(ema, pick)
        names = about["names"][pick]
        note(stage="contrast", top1=(a.argmax(1) == torch.arange(256)).float().mean().item(),
             named=[round(((x > 0) == names).float().mean().item(), 4) for x in (text, image)])

    return train("contrast", pair, loss_of, seconds / 60, 1e-3, decay=.99, report=report).text.eval().requires_grad_(False)


def edit_loss(net, prompts, about, z, n):
    """Flow matching towards edited pictures, as edit.py's with a frozen text encoder."""
    pick = torch.randint(len(about["before"]), (n,))
    said = versions_of(about, (*SHIFT, "stays"), pick, "edit ")
    reference = patchify(z[about["before"][pick]].float())
    x0 = torch.where(said["stays"][:, None, None], reference, patchify(z[about["after"][pick]].float()))
    asked = shift_of(said)
    tokens, pooled = prompts.of_ids(asked.ids)
    u = torch.rand(n)
    tokens, pooled = prompts.drop(tokens, pooled, u < DROP_TOKENS, u > 1 - DROP_POOLED)
    seen = reference + BLUR * torch.rand(n, 1, 1) * torch.randn_like(reference)
    t, noise = times(n), torch.randn_like(x0)
    x = x0 + t[:, None, None] * (noise - x0)
    with products():
        v = net(x, tokens, t, pooled, GRID, GRID, shift=asked.vector(net, prompts), reference=seen).float()
    weight = 1 + (CHANGED - 1) * ((x0 - reference).abs().mean(-1) > VISIBLE)
    return ((v - (noise - x0)).pow(2).mean(-1) * weight).sum() / weight.sum()


def train_teacher(about, z, prompts, seconds):
    with torch.device("cpu"):
        net = Flux(DIT)
        warm.load(net, MODEL, "teacher")
    net = on_device(net)
    choose = pool.chooser(torch.tensor([OFTEN.get(s, 1.0) for s in STYLES])[about["style"].long()])

    def loss_of(progress):
        pick = choose(rows(GENERATED))
        x0 = patchify(z[pick].float())
        asked = shift_of(versions_of(about, SHIFT, pick))
        tokens, pooled = prompts.drop(*prompts.of_ids(unknown(asked.ids, .005)), *drops(len(pick)))
        t = torch.sigmoid(torch.randn(len(pick)) + .1)
        t = torch.where(torch.rand(len(pick)) < .15, torch.rand(len(pick)), t)
        noise = torch.randn_like(x0)
        v = velocity(net, x0 + t[:, None, None] * (noise - x0), t, tokens, pooled, asked.vector(net, prompts))
        return (v - (noise - x0)).pow(2).mean() + edit_loss(net, prompts, about, z, rows(EDITED))

    return train("teacher", net, loss_of, seconds / 60, 8e-4, decay=.999).eval()


def trajectories(net, about, z, prompts, seconds):
    """What the teacher draws in 16 steps with CFG: points [N, 5, 64, 64], the students' Shifts, and drop masks [N, 2]."""
    points, asked, masks, begin, batch = [], [], [], time.time(), rows(2048)
    choose = pool.chooser(torch.tensor([OFTEN.get(s, 1.0) for s in STYLES])[about["style"].long()])
    while not points or time.time() - begin < seconds:
        pick = choose(batch)
        v = torch.randint(pool.VERSIONS, (batch,))
        mine, told = ({n: about[f"{who} {n}"][v, pick] for n in SHIFT} for who in ("mine", "told"))
        mask = [m & ~about["in words"][v, pick] for m in drops(batch)]
        asked_teacher = shift_of(told)
        with torch.no_grad():
            tokens, pooled = prompts.drop(*prompts.of_ids(asked_teacher.ids), *mask)
            shift, keep = asked_teacher.vector(net, prompts), []
        noise = torch.randn(batch, GRID * GRID, DIT["in_channels"])
        sample(net, tokens, pooled, prompts.empty, TEACHER_STEPS, cfg=GUIDANCE, noise=noise, keep=keep, shift=shift)
        points.append(torch.stack(keep[::TEACHER_STEPS // STEPS], 1).half())
        asked.append(shift_of(mine))
        masks.append(torch.stack(mask, 1))
    note(stage="trajectories", count=sum(map(len, points)), seconds=round(time.time() - begin))
    return torch.cat(points), shifts.Shifts.join(asked), torch.cat(masks)


def memory_loss(net, lessons, prompts, n):
    points, asked, masks = lessons
    pick, q = torch.randint(len(points), (n,)), torch.randint(STEPS, (n,))
    a, b = points[pick, q].float(), points[pick, q + 1].float()
    mine = asked[pick]
    tokens, pooled = prompts.drop(*prompts.of_ids(mine.ids), *masks[pick].T)
    v = velocity(net, a, 1 - q.float() / STEPS, tokens, pooled, mine.vector(net, prompts))
    return (v - (a - b) * STEPS).pow(2).mean()


def train_student(net, about, z, prompts, lessons, seconds):
    net = copy.deepcopy(net).requires_grad_(True)

    def loss_of(progress):
        return memory_loss(net, lessons, prompts, rows(GENERATED)) + edit_loss(net, prompts, about, z, rows(EDITED))

    return train("student", net, loss_of, seconds / 60, 5e-4, decay=.997).eval()


def train_cut(student, prompts, lessons, seconds):
    """A student that reads no pooled vector, from one that does; it learns from what was drawn without shifts."""
    points, asked, masks = lessons
    plain = (~asked.weights.any(0)).nonzero()[:, 0]
    net = on_device(Flux({**DIT, "vec_in_dim": 0}))
    state = {k: v for k, v in student.state_dict().items() if not k.startswith("vector_in.")}
    with torch.no_grad():
        net.load_state_dict({**state, "time_in.out_layer.bias": state["time_in.out_layer.bias"] + student.vector_in(prompts.empty[1])[0]})
    told = ~masks[plain, 0]

    def loss_of(progress):
        i = torch.randint(len(plain), (rows(GENERATED + EDITED),))
        pick, q = plain[i], torch.randint(STEPS, (len(i),))
        a, b = points[pick, q].float(), points[pick, q + 1].float()
        tokens = torch.where(told[i][:, None, None], prompts.of_ids(asked.ids[pick])[0], prompts.empty[0])
        return (velocity(net, a, 1 - q.float() / STEPS, tokens, None) - (a - b) * STEPS).pow(2).mean()

    return train("cut", net, loss_of, seconds / 60, 5e-4, decay=.997).eval()


def train_judge(auto, pictures, y, seconds):
    """As judge.make, with data on the device: [2, N]: renders, and the same through the autoencoder."""
    full = torch.from_numpy(judge.shrink(pictures))
    again = []
    for i in range(0, len(pictures), 256):
        x = on_device(torch.from_numpy(pictures[i:i + 256])).permute(0, 3, 1, 2).float().div_(255)
        with torch.no_grad(), products():
            z = auto.encoder(x)
            out = auto.decoder(z + .15 * torch.randn_like(z)).float().clamp(0, 1)
        again.append((F.avg_pool2d(out, 2) * 255).round().byte().permute(0, 2, 3, 1).cpu())
    data, y = on_device(torch.stack([full, torch.cat(again)])), on_device(y)
    scenes = judge.scenes_of("train", len(pictures))
    choose = pool.chooser(torch.tensor([(1.0 if s.style == "flat" else 2.0) * (1.0 if s.same else 4.0) for s in scenes]))
    net = on_device(judge.Judge()).to(memory_format=torch.channels_last)

    def loss_of(progress):
        pick = choose(rows(256))
        x = data[torch.randint(2, (len(pick),)), pick].permute(0, 3, 1, 2).float().div_(255)
        with products():
            out, _ = net(judge.vary(x))
        return judge.loss_fn(out, y[pick])

    return train("judge", net, loss_of, seconds / 60, 1.2e-3, decay=.99).eval()
