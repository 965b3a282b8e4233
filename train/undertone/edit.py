"""The edit stage: the shipped model learns to edit pictures as well, with the words of instructions, and keeps what it can.

python3 -m undertone.edit --minutes 300 starts or goes on with STATE/edit.pt; triples.py feeds it and may run at the same time.

A step has three parts. Edits: a picture's tokens follow the noise (flux.Flux, reference), flow matching towards the edited
picture, mostly at the four times that the sampler visits. What an edit should look like is nearly certain, so its velocities
hardly change along the way and four steps suffice without CFG. Memories: without a reference the network repeats what the
shipped student draws for captions, so that generation stays as it is. Drawings: what that student draws badly, and objects that it
does not know, without a reference too.

The text encoder is frozen but for the rows of new words, and tokens and pooled vector are dropped and shifted as in teacher.py.
Both are never dropped at once while a reference is there: the empty prompt means any picture, without a reference, and neither
"leave it" nor "change anything".
"""
import argparse
import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import bundle, edits, perceptual, render, shifts, triples, warm
from .captions import VOCAB as KNOWN, bare
from .clip import Clip
from .config import DIT, GRID, MODEL, STATE, text_config
from .contrast import trim, unknown
from .distil import STEPS
from .edits import VOCAB, encode, say
from .export import write_bundle
from .flux import patchify, unpatchify
from .loop import load_ema, train
from .precision import products
from .scene import EVERY, FIXED, OBJECTS
from .supply import Supply
from .teacher import DROP_POOLED, DROP_TOKENS, Prompts, decode, network, velocity

EDITED, REMEMBERED, DRAWN = (14, 18), (5, 6), (8, 12)  # rows of a step, before and after CALM of the time
CALM = .4
CHANGED, VISIBLE = 2.0, .25  # weight of the tokens that an edit changes, and how far their latents move at least
TIMES = (.34, .24, .22, .20)  # shares of t = 1, 3/4, 1/2, 1/4, where a picture's four steps begin
EDIT_TIMES = (.44, .07, .42, .07)  # of edits, which take two
OWN = .7  # of an edit's rows at t = 1/2 stand where the network's own first step leads: it learns to mend what that missed
ANYWHERE = .15  # of the rows are at any time
PERCEPTUAL = .8  # weight of perceptual.distance
BLUR = .12  # noise at most on every other reference: pictures that the model made itself are edited, again and again
KEPT = .08  # of the rows ask for the picture as it is, beside the edits of that kind: copying is learned from them
GUIDED = .40  # of the others carry a shift
# What a shift does: strengthens the edit that the words ask for, makes it alone, undoes it, or pulls somewhere else.
ROLES = {"stronger": .40, "alone": .20, "undone": .15, "aside": .25}
SECONDS_BETWEEN_LOOKS = 1500
EDIT_STEPS = 2  # what an edit should look like is nearly certain: more steps make it softer and keep less
ROUNDING = 16  # bits in which a GPU may multiply: the pictures were measured so (docs/speed/rounding.md)

EMBEDDING = "text_model.embeddings.token_embedding.weight"
NEW = list(VOCAB)[len(KNOWN):]


class Words(nn.Module):
    """An embedding whose first rows are frozen: old [N, C] and new [M, C], looked up as one list."""

    def __init__(self, old, count):
        super().__init__()
        self.old = nn.Parameter(old, requires_grad=False)
        self.new = nn.Parameter(torch.randn(count, old.shape[1]) * old.std())

    @property
    def weight(self):
        return torch.cat([self.old, self.new])

    def forward(self, ids):
        return F.embedding(ids, self.weight)


class Editor(nn.Module):
    """The transformer and the text encoder with its new words; of the latter only those are trained."""

    def __init__(self):
        super().__init__()
        self.dit = network()
        self.text = Clip(text_config(len(KNOWN))).requires_grad_(False)
        where = self.text.text_model.embeddings
        where.token_embedding = Words(where.token_embedding.weight.detach(), len(NEW))

    def start(self, folder):
        """Weights of a bundle's transformer and text encoder. New words that it knows keep their rows; those of objects that it does not
        begin amid the words of objects. -> whether it knows instructions."""
        warm.load(self.dit, folder, "teacher")
        found = {k.removeprefix("text."): v for k, v in warm.weights(folder, "contrast").items() if k.startswith("text.")}
        words, rows, embedding = warm.words(folder), found.pop(EMBEDDING), self.text.text_model.embeddings.token_embedding
        if missing := set(KNOWN) - set(words):
            raise ValueError(f"the bundle {folder} lacks words of captions: {', '.join(sorted(missing))}")
        warm.copy_rows(embedding.old.data, rows, list(KNOWN), words)
        nouns = embedding.old.data[[KNOWN[n] for n in OBJECTS]]
        for w in edits.object_words():
            embedding.new.data[NEW.index(w)] = nouns.mean(0) + .5 * nouns.std(0) * torch.randn(nouns.shape[1])
        if set(NEW) & set(words):
            warm.copy_rows(embedding.new.data, rows, NEW, words)
        self.text.load_state_dict({**found, **{k: v for k, v in self.text.state_dict().items() if "token_embedding" in k}})
        return set(edits.instruction_words()) <= set(words)

    def encode(self, texts):
        """-> tokens [N, T, C], pooled [N, C], with gradients into the new words where they are on."""
        with products():
            tokens, pooled = self.text(torch.tensor([encode(t) for t in texts]))
        return tokens.float(), pooled.float()

    def pooled(self, texts):
        with products():
            return self.text(trim(torch.tensor([encode(t) for t in texts])))[1].float()

    def plain_text(self):
        """The text encoder as it is exported: one embedding of all words."""
        text = Clip(text_config(len(VOCAB)))
        state = self.text.state_dict()
        state[EMBEDDING] = torch.cat([state.pop(EMBEDDING.replace("weight", x)) for x in ("old", "new")])
        text.load_state_dict(state)
        return text.eval().requires_grad_(False)


@dataclass(frozen=True)
class Request:
    """One row of training: the instruction, the shift's two phrases and weights, and whether the picture stays as it is."""
    text: str
    positive: str = ""
    negative: str = ""
    weights: tuple = shifts.NONE
    stays: bool = False


def phrase(rng, edit, s):
    """Words for the result of an edit, as directions of guidance use them: an instruction, or a caption's words."""
    aspect = edit.kind if edit.kind in ("time", "place", "style", "detail", "polish", "quality") else None
    if aspect and rng.random() < .5:
        return bare(rng, s, aspect, edit.to)
    return say(rng, edit, s)


def against(rng, edit, s):
    """What a direction towards an edit starts from: words for leaving the picture alone, the value of before, or nothing."""
    before, u = edits.old(edit, s), rng.random()
    if before and u < .4:
        return phrase(rng, before, edits.apply(edit, s))
    return "" if u > .85 else edits.one(rng, edits.KEEP)


def request(rng, edit, s):
    """A random request of training for an edit of the scene s."""
    if rng.random() < KEPT:
        return Request(edits.one(rng, edits.KEEP), stays=True)
    text = say(rng, edit, s)
    if edit.kind == "keep" or rng.random() >= GUIDED:
        return Request(text)
    role = edits.pick(rng, ROLES)
    large = rng.uniform(*shifts.RANGE)
    if role == "aside":
        other, _ = edits.draw(rng, s)
        small = min(rng.exponential(shifts.MEAN), shifts.LIMIT) * shifts.FIRM
        return Request(text, phrase(rng, other, s), against(rng, other, s), shifts.schedule(rng, small, shifts.LATEST))
    weights = shifts.schedule(rng, large, shifts.LATEST)
    if role == "undone":
        return Request(text, against(rng, edit, s), phrase(rng, edit, s), weights, stays=True)
    if role == "alone":
        if edit.kind == "both":  # the words ask for one part, the shift for the other
            said, mine = (edit.parts[i] for i in rng.permutation(2))
            return Request(say(rng, said, s), phrase(rng, mine, s), against(rng, mine, s), weights)
        return Request(edits.one(rng, edits.KEEP), phrase(rng, edit, s), against(rng, edit, s), weights)
    return Request(text, phrase(rng, edit, s), against(rng, edit, s), weights)


def times(n, shares=TIMES):
    """Random times [n], mostly those of the sampler."""
    t = 1 - torch.multinomial(torch.tensor(shares), n, replacement=True).float() / STEPS
    return torch.where(torch.rand(n) < ANYWHERE, torch.rand(n), t)


def edit_loss(net, namer, rng, supply, rows):
    """Flow matching towards edited latents, and the perceptual distance (by namer) of what each velocity leads to."""
    chosen = supply.chosen(rng, rows)
    asked = [request(rng, edit, s) for _, _, edit, s in chosen]
    before = patchify(supply.z[[p[0] for p in chosen]].float())
    x0 = patchify(supply.z[[p[0] if a.stays else p[1] for p, a in zip(chosen, asked)]].float())
    tokens, pooled, shift = conditions(net, asked)
    empty = net.encode([""])
    u = torch.rand(rows)
    tokens = torch.where((u < DROP_TOKENS)[:, None, None], empty[0], tokens)
    pooled = torch.where((u > 1 - DROP_POOLED)[:, None], empty[1], pooled)
    t, noise = times(rows, EDIT_TIMES), torch.randn_like(x0)
    x = x0 + t[:, None, None] * (noise - x0)
    reference = before + BLUR * (2 * torch.rand(rows, 1, 1) - 1).clamp(min=0) * torch.randn_like(before)
    own = ((t == .5) & (torch.rand(rows) < OWN)).nonzero().flatten()
    if len(own):
        with torch.no_grad(), products():
            first = net.dit(noise[own], tokens[own], torch.ones(len(own)), pooled[own], GRID, GRID, shift=shift[:, own], reference=reference[own])
        x[own] = noise[own] - .5 * first.float()
    with products():
        v = net.dit(x, tokens, t, pooled, GRID, GRID, shift=shift, reference=reference).float()
    moved = (x0 - before).abs().mean(-1) > VISIBLE
    return flow_loss(namer, x, v, t, x0, 1 + (CHANGED - 1) * moved)


def flow_loss(namer, x, v, t, x0, weight):
    """Squares of the velocities v [B, tokens, C] at x that miss x0, by the tokens' weights, and how different the pictures look to
    which they lead from x0."""
    straight = (x - x0) / t.clamp(min=1e-3)[:, None, None]
    squares = ((v - straight).pow(2).mean(-1) * weight).sum() / weight.sum()
    pictures = [unpatchify(p, GRID, GRID).contiguous(memory_format=torch.channels_last) for p in (x - t[:, None, None] * v, x0)]
    return squares + PERCEPTUAL * perceptual.distance(namer, *pictures).mean()


def drawing_loss(net, namer, rng, supply, rows):
    """Flow matching from each drawing's own noise to its picture: the way is straight, four steps suffice without CFG."""
    asks, noise, z = zip(*(supply.drawings[i] for i in rng.integers(len(supply.drawings), size=rows)))
    x0, noise, t = patchify(torch.stack(z).float()), torch.stack(noise).float(), times(rows)
    tokens, pooled, shift = conditions(net, [Request(a.caption, a.positive, a.negative, a.weights) for a in asks])
    x = x0 + t[:, None, None] * (noise - x0)
    v = velocity(net.dit, x, t, tokens, pooled, shift)
    return flow_loss(namer, x, v, t, x0, torch.ones(x0.shape[:2]))


def conditions(net, asked):
    """-> tokens, pooled and shift [blocks + 1, B, D] of requests."""
    tokens, pooled = net.encode([a.text for a in asked])
    guided = [i for i, a in enumerate(asked) if any(a.weights)]
    shift = torch.zeros(shifts.BLOCKS + 1, len(asked), DIT["hidden_size"])
    if guided:
        both = net.pooled([asked[i].positive for i in guided] + [asked[i].negative for i in guided])
        with products():
            plus, minus = net.dit.vector_in(both).float().chunk(2)
        weights = torch.tensor([asked[i].weights for i in guided]).T
        shift = shift.index_add(1, torch.tensor(guided), weights[:, :, None] * (plus - minus))
    return tokens, pooled, shift


def memory_loss(net, rng, supply, prompts, rows):
    pick = torch.from_numpy(rng.integers(len(supply.points), size=rows))
    q = torch.randint(STEPS, (rows,))
    a, b = supply.points[pick, q].float(), supply.points[pick, q + 1].float()
    asked = supply.shifts[pick]
    tokens, pooled = prompts.drop(*prompts.of_ids(unknown(asked.ids, .002)), *supply.masks[pick].T)
    v = velocity(net.dit, a, 1 - q.float() / STEPS, tokens, pooled, asked.vector(net.dit, prompts))
    return (v - (a - b) * STEPS).pow(2).mean()


def align(net, supply, rng, steps=250, rows=48, lr=1e-2):
    """Gives the new words a first meaning: an instruction's pooled vector nears that of a caption's words for its result."""
    optimizer = torch.optim.Adam([net.text.text_model.embeddings.token_embedding.new], lr)
    for step in range(steps):
        pick = [supply.pairs[i] for i in rng.integers(len(supply.pairs), size=4 * rows)]
        pick = [(e, s) for _, _, e, s in pick if e.kind in ("time", "place", "style", "detail", "polish", "another")
                or e.kind == "colour" and e.to][:rows]
        target = net.pooled([wanted(rng, e, s) for e, s in pick]).detach()
        loss = (net.pooled([say(rng, e, s) for e, s in pick]) - target).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0 or step == steps - 1:
            print(json.dumps({"stage": "align", "step": step, "loss": round(loss.item(), 4)}), flush=True)


def wanted(rng, edit, s):
    """A caption's words for the result of an edit."""
    if edit.kind == "colour":
        return edits.article(edits.noun(rng, (s.objects[edit.at or 0][0], edit.to)))
    if edit.kind == "another":
        return bare(rng, s, "count", edit.to)
    return bare(rng, s, edit.kind, edit.to)


def draw(dit, reference, tokens, pooled, steps=STEPS, seeds=None, shift=None, cfg=1.0, empty=None):
    """Euler from noise to edited latents: reference, scaled latents [B, 16, 16, 16] -> the same. cfg: scale of CFG, whose other
    pass has neither reference nor words (empty: their encoding)."""
    n = len(reference)
    seeds = seeds or range(n)
    x = torch.stack([torch.randn(GRID * GRID, DIT["in_channels"], generator=torch.Generator().manual_seed(s)) for s in seeds])
    ref = patchify(reference)
    with torch.no_grad(), products():
        for i in range(steps):
            t = torch.full((n,), 1 - i / steps)
            v = dit(x, tokens, t, pooled, GRID, GRID, shift=shift, reference=ref).float()
            if cfg != 1.0:
                free = dit(x, empty[0].expand_as(tokens), t, empty[1].expand_as(pooled), GRID, GRID).float()
                v = free + cfg * (v - free)
            x = x - v / steps
    return unpatchify(x, GRID, GRID)


def look(net, supply, path, count=24):
    """A grid of triples that no training sees: reference, edit, truth; prints the instructions."""
    rows, asked = triples.drawn(10 ** 6, scenes=count)
    auto, vae, cfg = triples.codec()
    pick = [4 * i + 1 for i in range(count)]
    before, after = ([rows[i + d] for i in pick] for d in (-1, 0))
    rng = np.random.default_rng(0)
    texts = [say(rng, asked[i], s) for i, s in zip(pick, before)]
    pictures = [np.stack([render.render(s) for s in scenes]) for scenes in (before, after)]
    reference = triples.encode(auto, cfg, pictures[0])
    made = draw(net.dit, reference, *net.encode(texts))
    truth = triples.encode(auto, cfg, pictures[1])
    shown = decode(vae, made)
    tiles = [p[::2, ::2] for three in zip(pictures[0], shown, pictures[1]) for p in three]
    render.grid(tiles, 12).save(path)
    error = (made - truth).pow(2).mean().item()
    copied = (reference - truth).pow(2).mean().item()
    print(json.dumps({"stage": "look", "error": round(error, 4), "of a copy": round(copied, 4), "instructions": texts}), flush=True)


def make(minutes, lr=5e-4, seed=8, folder=MODEL):
    """-> the edit model (EMA), trained for so many minutes of CPU time in all, over any number of runs."""
    torch.manual_seed(seed)
    rng = np.random.default_rng()
    net, supply, namer = Editor(), Supply().refresh(), perceptual.trained()
    if not net.start(folder) and not (STATE / "edit.pt").exists():
        align(net, supply, rng)
    prompts = Prompts(net.text)
    looked = [None]

    def loss_of(progress):
        calm = progress >= CALM
        return (edit_loss(net, namer, rng, supply, EDITED[calm])
                + memory_loss(net, rng, supply, prompts, REMEMBERED[calm])
                + drawing_loss(net, namer, rng, supply, DRAWN[calm]))

    def report(ema, progress):
        supply.refresh()
        slot = int(progress * minutes * 60 / SECONDS_BETWEEN_LOOKS)
        if slot != looked[0]:
            looked[0] = slot
            look(ema, supply, STATE / f"edit-{round(progress * minutes):03d}.png")

    return train("edit", net, loss_of, minutes, lr, decay=.998, report=report).eval()


def trained():
    """The edit model of the last save (EMA)."""
    return load_ema("edit", Editor())


def near():
    """Everyday words by the known word that comes nearest (bundle.NEAR), without those that the edit model knows."""
    table = {k: [w for w in words.split() if w not in VOCAB] for k, words in {**bundle.NEAR, **bundle.MORE_NEAR}.items()}
    moved = {w for words in bundle.MORE_NEAR.values() for w in words.split()}
    return {k: left for k, words in table.items() if (left := [w for w in words if k in bundle.MORE_NEAR or w not in moved])}


def offers():
    """What model.json says of a model that draws and edits."""
    understands = {**bundle.OFFERS["understands"], "objects": list(EVERY), "uncoloured": sorted(FIXED), "near": near(), "keep": edits.KEEP[0]}
    defaults = {**bundle.OFFERS["defaults"], "edit_steps": EDIT_STEPS}
    return {**bundle.OFFERS, "defaults": defaults, "examples": bundle.EDITING_EXAMPLES, "understands": understands, "rounding": ROUNDING}


def export(folder):
    """The bundle of a model that draws and edits: the shipped decoder, its encoder, and a text encoder with all words."""
    net = trained()
    encoder, vae, cfg = triples.codec()
    write_bundle(folder, net.dit, net.plain_text(), vae, cfg, datetime.date.today().isoformat(), VOCAB, encoder, offers=offers())


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--minutes", type=float, default=300, help="of CPU time, in all runs together")
    p.add_argument("--start", type=Path, default=MODEL, metavar="FOLDER", help="a bundle whose transformer and text encoder to start from")
    p.add_argument("--export", type=Path, help="write the model of the last save as a bundle into this folder, and train no further")
    a = p.parse_args()
    if a.export:
        export(a.export)
        return
    torch.set_num_threads(min(torch.get_num_threads(), 8))
    make(a.minutes, folder=a.start)


if __name__ == "__main__":
    main()
