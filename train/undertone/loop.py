"""One training loop for all stages: by the clock, resumable, with EMA and an annealed rate."""
import copy
import json
import math
import os
import time

import torch

from . import fused
from .config import STATE
from .precision import device

PATIENCE = 20  # steps running without a finite loss and gradient before training gives up


def rate(progress):
    """Factor on the learning rate: a short warm-up, constant, then linear to nearly 0 over the last 60 % of the time."""
    return min(1.0, (1.02 - progress) / 0.6, 0.05 + progress / 0.01)


class TorchAdam:
    """What fused.Adam does, in torch's own operations: on a GPU, or without a C compiler."""

    def __init__(self, params, ema, betas):
        self.params, self.ema = list(params), list(ema)
        self.opt = torch.optim.Adam(self.params, betas=betas, **({"fused": True} if device() == "cuda" else {}))

    def step(self, lr, clip, decay):
        if not math.isfinite(torch.nn.utils.clip_grad_norm_(self.params, clip)):
            return False
        for g in self.opt.param_groups:
            g["lr"] = lr
        self.opt.step()
        torch._foreach_mul_(self.ema, decay)
        torch._foreach_add_(self.ema, [p.detach() for p in self.params], alpha=1 - decay)
        return True

    def state_dict(self):
        return self.opt.state_dict()

    def load_state_dict(self, s):
        self.opt.load_state_dict(s)


def save(path, obj):
    tmp = str(path) + ".part"
    torch.save(obj, tmp)
    os.replace(tmp, path)


def clock():
    """Seconds of work: the CPU time of this process, spread over its threads. Other work on the machine takes none of it.
    On a GPU, those of a watch."""
    return time.process_time() / torch.get_num_threads() if device() == "cpu" else time.time()


def train(stage, net, loss_of, minutes, lr, decay=0.999, report=None, clip=1.0, save_every=150, log_every=15,
          betas=(0.9, 0.98)):
    """Trains the parameters of net that ask for gradients for so many minutes of work (see clock).

    loss_of(progress) -> scalar loss of a fresh batch; report(ema_net, progress) is called at every save.
    The EMA's horizon grows from the first step up to 1/(1-decay); clip bounds the norm of the gradient. A step whose loss
    or gradient is not finite changes nothing; FloatingPointError after PATIENCE of them running.
    Writes STATE/stage.pt (weights, EMA, optimizer, seconds done) and STATE/stage.log (a JSON line per report).
    Returns the EMA network.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    path, log = STATE / f"{stage}.pt", STATE / f"{stage}.log"
    ema, done, step = copy.deepcopy(net).requires_grad_(False), 0.0, 0
    learning = [(p, e) for p, e in zip(net.parameters(), ema.parameters()) if p.requires_grad]
    opt = (fused.Adam if device() == "cpu" and fused.library() else TorchAdam)(*zip(*learning), betas)
    if path.exists():
        s = torch.load(path)
        net.load_state_dict(s["net"])
        ema.load_state_dict(s["ema"])
        step = s["step"]
        opt.load_state_dict(s["opt"])
        done = s["seconds"]
    total = minutes * 60
    losses, failed, last, saved, logged = [], 0, clock(), time.time(), time.time()
    net.train()
    while done < total:
        net.zero_grad(set_to_none=True)
        loss = loss_of(done / total)
        loss.backward()
        step += 1
        if math.isfinite(loss.item()) and opt.step(lr * rate(done / total), clip, min(decay, step / (step + 20))):
            losses.append(loss.item())
            failed = 0
        elif (failed := failed + 1) >= PATIENCE:
            raise FloatingPointError(f"{stage}: no finite gradient in {PATIENCE} steps running; {path} is from before them")
        now, worked = time.time(), clock()
        done, last = done + worked - last, worked
        if now - logged > log_every or done >= total:
            line = {"stage": stage, "seconds": round(done), "step": step, "loss": round(sum(losses) / len(losses), 5) if losses else None}
            print(json.dumps(line), flush=True)
            with open(log, "a") as f:
                f.write(json.dumps(line) + "\n")
            losses, logged = [], now
        if now - saved > save_every or done >= total:
            save(path, {"net": net.state_dict(), "ema": ema.state_dict(), "opt": opt.state_dict(), "seconds": done,
                        "step": step})
            if report:
                with torch.no_grad():
                    report(ema, done / total)
            saved, last = time.time(), clock()
    return ema


def load_ema(stage, net):
    """The EMA weights of a stage's last save, in net, for evaluation."""
    net.load_state_dict(torch.load(STATE / f"{stage}.pt")["ema"])
    return net.eval().requires_grad_(False)


def finished(stage, minutes):
    path = STATE / f"{stage}.pt"
    return path.exists() and torch.load(path)["seconds"] >= minutes * 60
