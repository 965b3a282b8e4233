"""What a GPU learns from, made by all processors while it works: pictures, and everything that is said of them.

A part has triples.SCENES scenes, each followed by triples.EDITS edited versions: NUMBER.npy holds its pictures, uint8
[N, 256, 256, 3], and NUMBER.pt a dictionary of tensors about them (describe). Drawers write parts into a folder, best one in
memory; Pool reads them as they come, in the order of their numbers.
"""
import multiprocessing
import os
import threading
import time
from pathlib import Path

import numpy as np
import torch

from . import edits, judge, render, shifts, triples
from .captions import caption
from .contrast import attributes
from .distil import SHIFTED
from .edit import request
from .scene import STYLES

VERSIONS = 3  # of what is said of every picture, and of every edit
SIZE = triples.SCENES * (1 + triples.EDITS)  # pictures in a part
SEED = 61  # of no other stage
JUDGED = 512  # pictures in a part of the judge's own


def ids(texts):
    return torch.tensor([edits.encode(t) for t in texts], dtype=torch.int16)


def columns(x, prefix=""):
    """The tensors of Shifts [B] by name, small."""
    return {prefix + "ids": x.ids.short(), prefix + "positive": x.positive.short(), prefix + "negative": x.negative.short(),
            prefix + "weights": x.weights.T.half()}


def versions(make):
    """VERSIONS dictionaries of tensors -> one, with a new first axis."""
    parts = [make() for _ in range(VERSIONS)]
    return {k: torch.stack([p[k] for p in parts]) for k in parts[0]}


def describe(rng, scenes, asked):
    """Everything that training needs to know of scenes and of the Edits that made them (None: the scene before)."""
    source = [i - i % (1 + triples.EDITS) for i in range(len(scenes))]
    made = [i for i, e in enumerate(asked) if e is not None]

    def titles():  # true of the picture: a caption or, now and then, the instruction that made it
        return {"titles": ids([edits.say(rng, asked[i], scenes[source[i]]) if asked[i] is not None and rng.random() < .3
                               and asked[i].kind != "keep" else caption(rng, s) for i, s in enumerate(scenes)])}

    def lessons():
        mine, teachers, told = shifts.lessons(rng, scenes, SHIFTED)
        return {**columns(mine, "mine "), **columns(teachers, "told "), "in words": told}

    def orders():
        rows = [request(rng, asked[i], scenes[source[i]]) for i in made]
        x = shifts.tensors([("", "", "", r.weights) for r in rows])
        return {"edit ids": ids([r.text for r in rows]), "edit positive": ids([r.positive for r in rows]),
                "edit negative": ids([r.negative for r in rows]), "edit weights": x.weights.T.half(),
                "edit stays": torch.tensor([r.stays for r in rows])}

    return {**versions(titles), **versions(lambda: columns(shifts.batch(rng, scenes))), **versions(lessons), **versions(orders),
            "names": attributes(scenes).bool(), "style": torch.tensor([STYLES.index(s.style) for s in scenes], dtype=torch.int8),
            "before": torch.tensor([source[i] for i in made]), "after": torch.tensor(made)}


def draw_part(number):
    scenes, asked = triples.drawn(number)
    return np.stack([render.render(s) for s in scenes]), describe(np.random.default_rng([SEED, number]), scenes, asked)


def draw_judged(number, count):
    """Part number of the judge's count training scenes: pictures and labels."""
    scenes = judge.scenes_of("train", count)[number * JUDGED:(number + 1) * JUDGED]
    return np.stack([render.render(s) for s in scenes]), {"labels": judge.labels(scenes)}


def write(folder, name, pictures, about):
    torch.save(about, folder / f"{name}.pt")
    np.save(folder / f"{name}.part.npy", pictures)
    os.replace(folder / f"{name}.part.npy", folder / f"{name}.npy")  # last: it says that both are there


class Drawers:
    """Processes that write parts 0, 1, 2 … until they are stopped. Start them before the GPU is touched: they are forked."""

    def __init__(self, folder, processes, judged):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.processes = [context.Process(target=self.work, args=(i, processes, judged), daemon=True) for i in range(processes)]
        for p in self.processes:
            p.start()

    def work(self, first, step, judged):
        torch.set_num_threads(1)
        number, mine = first, list(range(first, judged // JUDGED, step))
        while not self.stop.is_set():
            write(self.folder, f"{number:05d}", *draw_part(number))
            number += step
            if mine:
                k = mine.pop()
                write(self.folder, f"judge-{k:05d}", *draw_judged(k, judged))

    def check(self):
        """RuntimeError if one has ended by itself."""
        if any(p.exitcode for p in self.processes):
            raise RuntimeError("a process that draws pictures has failed; its error is above")

    def finish(self):
        self.stop.set()
        for p in self.processes:
            p.join()


class Pool:
    """The parts on a device, as far as they are there: pictures [N, ...] and the tensors of describe, joined."""

    def __init__(self, folder, most, device):
        self.folder, self.device, self.most = Path(folder), device, most
        self.pictures = torch.empty((most * SIZE, render.SIZE, render.SIZE, 3), dtype=torch.uint8, device=device)
        self.parts, self.about = 0, []
        self.open = True
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Copies parts to the device while there is room."""
        while self.open and self.parts < self.most:
            path = self.folder / f"{self.parts:05d}.npy"
            if not path.exists():
                time.sleep(.02)
                continue
            self.pictures[self.parts * SIZE:(self.parts + 1) * SIZE] = torch.from_numpy(np.load(path)).to(self.device)
            self.about.append({k: v.to(self.device) for k, v in torch.load(path.with_suffix(".pt")).items()})
            self.parts += 1
            path.unlink()

    def wait(self, parts, drawers):
        while self.parts < parts:
            drawers.check()
            time.sleep(.05)

    def __len__(self):
        return self.parts * SIZE

    def styles(self):
        return torch.cat([p["style"] for p in self.about[:self.parts]]).long()

    def close(self):
        """No more parts; the tensors about all of them are joined, rows of edits counted on."""
        self.open = False
        time.sleep(.3)
        parts = self.about[:self.parts]
        n = len(parts)
        self.pictures = self.pictures[:n * SIZE]
        flat = {"names", "style", "before", "after"}
        for i, p in enumerate(parts):
            p["before"], p["after"] = p["before"] + i * SIZE, p["after"] + i * SIZE
        self.about = {k: torch.cat([p[k] for p in parts], 0 if k in flat else 1) for k in parts[0]}
        return self

    def judged(self):
        """-> (pictures, labels) of the judge's own parts, on the CPU."""
        paths = sorted(self.folder.glob("judge-*.npy"))
        paths = [p for p in paths if ".part" not in p.name]
        return (np.concatenate([np.load(p) for p in paths]),
                torch.cat([torch.load(p.with_suffix(".pt"))["labels"] for p in paths]).cpu())


def chooser(weights):
    """n -> that many row numbers, each drawn in proportion to its weight."""
    total = weights.double().cumsum(0)
    return lambda n: torch.searchsorted(total, torch.rand(n, dtype=torch.double) * total[-1], right=True).clamp(max=len(total) - 1)
