"""Stage 5: a student of four steps without CFG.

The teacher draws trajectories of 16 steps with CFG, which are cached. Each
quarter of a trajectory has a mean velocity; the student, which starts as the
teacher, learns it from the quarter's first point. Regression suffices because
a trajectory is a deterministic function of its noise: nothing is averaged.
"""
import json

import numpy as np
import torch

from . import render, shifts
from .config import DIT, GRID, STATE
from .loop import finished, load_ema, save, train
from .teacher import LOOK, decode, drops, network, sample, velocity

STEPS, TEACHER_STEPS, GUIDANCE = 4, 16, 3.0
SHIFTED = 0.45  # of the trajectories carry a random shift (shifts.py)


def trajectories(teacher, prompts, scenes, count, batch=128, seed=6):
    """-> points [count, 5, 64, 64] (float16) at t = 1, 3/4, ... 0, the Shifts and the drop masks they were made with.

    Some rows have tokens or pooled vector dropped, as in the teacher's training, so that the
    student's pooled path stays alive; CFG there works with what is left, and makes a shift stronger.
    """
    path = STATE / "trajectories.pt"
    if path.exists():
        return torch.load(path)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    points, parts, masks = [], [], []
    for i in range(0, count, batch):
        mine, asked, told = shifts.lessons(rng, [scenes[j] for j in rng.integers(len(scenes), size=batch)], SHIFTED)
        mask = [m & ~told for m in drops(batch)]
        tokens, pooled = prompts.drop(*prompts.of_ids(asked.ids), *mask)
        keep = []
        noise = torch.randn(batch, GRID * GRID, DIT["in_channels"])
        with torch.no_grad():
            shift = asked.vector(teacher, prompts)
        sample(teacher, tokens, pooled, prompts.empty, TEACHER_STEPS, cfg=GUIDANCE, noise=noise, keep=keep, shift=shift)
        points.append(torch.stack(keep[::TEACHER_STEPS // STEPS], 1).half())
        parts.append(mine)
        masks.append(torch.stack(mask, 1))
        print(json.dumps({"stage": "trajectories", "done": i + batch, "of": count}), flush=True)
    out = torch.cat(points), shifts.Shifts.join(parts), torch.cat(masks)
    save(path, out)
    return out


def make(teacher, prompts, scenes, vae, minutes, count=2048, batch=64, seed=5, lr=3e-4):
    """-> the student (EMA)."""
    torch.manual_seed(seed)
    net = network()
    if finished("student", minutes):
        return load_ema("student", net)
    net.load_state_dict(teacher.state_dict())
    points, asked, masks = trajectories(teacher, prompts, scenes, count)
    rng = np.random.default_rng()

    def loss_of(progress):
        pick = torch.from_numpy(rng.integers(len(points), size=batch))
        q = torch.randint(STEPS, (batch,))
        a, b = points[pick, q].float(), points[pick, q + 1].float()
        rows = asked[pick]
        tokens, pooled = prompts.drop(*prompts.of_ids(rows.ids), masks[pick, 0], masks[pick, 1])
        t = 1 - q.float() / STEPS
        return (velocity(net, a, t, tokens, pooled, rows.vector(net, prompts)) - (a - b) * STEPS).pow(2).mean()

    look = prompts(LOOK)

    def report(ema, progress):
        pictures = decode(vae, sample(ema, *look, prompts.empty, STEPS))
        render.grid([p[::2, ::2] for p in pictures], 8).save(STATE / f"student-{round(progress * 100):03d}.png")

    return train("student", net, loss_of, minutes, lr, decay=0.99, report=report, save_every=90).eval()
