"""One training loop for all stages: by the clock, resumable, with EMA and an annealed rate."""
import copy
import json
import os
import time

import torch

from .config import STATE


def set_lr(opt, base, progress):
    """Constant, then linear to 2 % over the last 60 % of the time; a short warm-up first."""
    k = min(1.0, (1.02 - progress) / 0.6, 0.05 + progress / 0.01)
    for g in opt.param_groups:
        g["lr"] = base * k


class Ema:
    """A moving average of a network's weights, with a horizon that grows from the first step."""

    def __init__(self, net, decay):
        self.net = copy.deepcopy(net).requires_grad_(False)
        self.decay, self.steps = decay, 0

    def update(self, net):
        self.steps += 1
        d = min(self.decay, self.steps / (self.steps + 20))
        mine, theirs = list(self.net.parameters()), list(net.parameters())
        torch._foreach_mul_(mine, d)
        torch._foreach_add_(mine, [p.detach() for p in theirs], alpha=1 - d)


def save(path, obj):
    tmp = str(path) + ".part"
    torch.save(obj, tmp)
    os.replace(tmp, path)


def train(stage, net, loss_of, minutes, lr, decay=0.999, report=None, clip=1.0, save_every=150, log_every=15,
          betas=(0.9, 0.98), params=None):
    """Trains net for so many minutes of work (time lost to an interruption is not counted).

    loss_of(progress) -> scalar loss of a fresh batch; report(ema_net, progress) is called at every save.
    Writes STATE/stage.pt (weights, EMA, optimizer, seconds done) and STATE/stage.log (a JSON line per report).
    Returns the EMA network.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    path, log = STATE / f"{stage}.pt", STATE / f"{stage}.log"
    opt = torch.optim.Adam(params or net.parameters(), lr=lr, betas=betas, eps=1e-8)
    ema, done, step = Ema(net, decay), 0.0, 0
    if path.exists():
        s = torch.load(path)
        net.load_state_dict(s["net"])
        ema.net.load_state_dict(s["ema"])
        ema.steps = step = s["step"]
        opt.load_state_dict(s["opt"])
        done = s["seconds"]
    total = minutes * 60
    losses, last, saved = [], time.time(), time.time()
    logged = last
    net.train()
    while done < total:
        set_lr(opt, lr, done / total)
        opt.zero_grad(set_to_none=True)
        loss = loss_of(done / total)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        opt.step()
        ema.update(net)
        step += 1
        losses.append(loss.item())
        now = time.time()
        # A pause of the whole machine must not eat the schedule.
        done, last = done + min(now - last, 30.0), now
        if now - logged > log_every or done >= total:
            line = {"stage": stage, "seconds": round(done), "step": step, "loss": round(sum(losses) / len(losses), 5)}
            print(json.dumps(line), flush=True)
            with open(log, "a") as f:
                f.write(json.dumps(line) + "\n")
            losses, logged = [], now
        if now - saved > save_every or done >= total:
            save(path, {"net": net.state_dict(), "ema": ema.net.state_dict(), "opt": opt.state_dict(), "seconds": done,
                        "step": step})
            if report:
                with torch.no_grad():
                    report(ema.net, done / total)
            saved = last = time.time()
    return ema.net


def load_ema(stage, net):
    """The EMA weights of a stage's last save, in net, for evaluation."""
    net.load_state_dict(torch.load(STATE / f"{stage}.pt")["ema"])
    return net.eval().requires_grad_(False)


def finished(stage, minutes):
    path = STATE / f"{stage}.pt"
    return path.exists() and torch.load(path)["seconds"] >= minutes * 60
