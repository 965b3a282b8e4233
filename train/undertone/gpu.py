"""The whole recipe on one GPU, in minutes: python3 -m undertone.gpu --seconds 540 --out DIR.

A model that generates and edits, from the committed one's weights, in one go: while all processors draw (pool.py), the
autoencoder learns from what there is; then come the text encoder, the teacher of both tasks, its student, the judge, and a
student whose vector path is cut off. Every stage takes its share of the time and leaves its product in DIR at once, where
parts.tar holds the small ones. --assemble makes a bundle of them.
"""
import argparse
import datetime
import json
import tarfile
import time
from pathlib import Path

import numpy as np
import torch

from . import edits, flux, pool, render, stages, triples
from .autoencoder import to_uint8
from .clip import Clip
from .config import DIT, GRID, STATE, VAE, text_config
from .distil import STEPS
from .export import encoder_state, read_safetensors, write_bundle, write_safetensors
from .flux import Flux, patchify, unpatchify
from .precision import products
from .stages import Words, note, on_device
from .teacher import LOOK, sample
from .tiny import Encoder, Tiny

# Shares of the time; the rest is start and encoding.
TIMES = {"autoencoder": .15, "contrast": .06, "teacher": .32, "trajectories": .08, "student": .17, "judge": .065, "cut": .065}
JUDGED = 20480  # scenes of the judge's own


def look(out, name, pictures, columns):
    """A grid of what a stage draws; all grids so far and the losses are in seen.tar."""
    render.grid([p[::2, ::2] for p in pictures], columns).save(STATE / f"{name}.png")
    pack(out, "seen", [*STATE.glob("*.png"), *STATE.glob("*.log")])


def decode(vae, z):
    with torch.no_grad(), products():
        return to_uint8(vae(z.contiguous(memory_format=torch.channels_last)))


def edit_grid(net, vae, prompts, drawn, z, count=32):
    """Reference, edit, truth of edits that no training saw (z: their latents, in the order of triples.drawn)."""
    scenes, asked = drawn
    pick = [4 * i + 1 + i % 3 for i in range(count)]
    rng = np.random.default_rng(0)
    texts = [edits.say(rng, asked[i], scenes[i - i % 4]) for i in pick]
    reference = z[[i - i % 4 for i in pick]].float()
    tokens, pooled = prompts.of_ids(pool.ids(texts).to(z.device))
    x, ref = torch.randn(count, GRID * GRID, DIT["in_channels"]), patchify(reference)
    with torch.no_grad(), products():
        for i in range(STEPS):
            x = x - net(x, tokens, torch.full((count,), 1 - i / STEPS), pooled, GRID, GRID, reference=ref).float() / STEPS
    made, truth = unpatchify(x, GRID, GRID), z[pick].float()
    note(stage="edits", error=round((made - truth).pow(2).mean().item(), 4), of_a_copy=round((reference - truth).pow(2).mean().item(), 4),
         instructions=texts)
    three = zip(*(decode(vae, v) for v in (reference, made, truth)))
    return [p for t in three for p in t]


def half(state):
    return {k: v.to(torch.bfloat16) for k, v in state.items()}


def pack(out, name, files):
    """Files in one, of few that may be handed on."""
    with tarfile.open(out / f"{name}.tar", "w") as tar:
        for f in files:
            tar.add(f, f.name)


def assemble(made, out):
    """Writes what a run left in the folder made as a bundle."""
    with tarfile.open(made / "parts.tar") as tar:
        tar.extractall(made)
    read = lambda name: {k: v.float() for k, v in read_safetensors(made / f"{name}.safetensors").items()}  # noqa: E731
    cfg = json.loads((made / "vae.json").read_text())
    dit, text, vae, encoder = Flux(DIT), Clip(text_config(len(edits.VOCAB))), Tiny(cfg), Encoder(VAE["latent_channels"])
    for net, name in ((dit, "dit"), (text, "text"), (vae, "vae")):
        net.load_state_dict(read(name))
    encoder.load_state_dict({k.removeprefix("encoder."): v for k, v in read("encoder").items()})
    write_bundle(out, dit, text, vae, cfg, datetime.date.today().isoformat(), edits.VOCAB, encoder)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seconds", type=float, default=540, help="of all stages together")
    p.add_argument("--out", type=Path, required=True, help="where every stage leaves what it made; with --assemble a bundle's folder")
    p.add_argument("--assemble", type=Path, metavar="DIR", help="write what was left in DIR as a bundle")
    p.add_argument("--processes", type=int, default=15, help="that draw")
    p.add_argument("--parts", type=int, default=380, help="of pictures at most, 100 MB of the device's memory each")
    p.add_argument("--folder", type=Path, default=Path("/dev/shm/undertone-pool"))
    p.add_argument("--judged", type=int, default=JUDGED)
    p.add_argument("--compile", action="store_true", help="the transformer's blocks with torch.compile")
    p.add_argument("--cpu", action="store_true", help="on the processor, to try the script")
    a = p.parse_args()
    if a.assemble:
        return assemble(a.assemble, a.out)
    stages.SMALL = 32 if a.cpu else 1
    begin = time.time()
    a.out.mkdir(parents=True, exist_ok=True)
    STATE.mkdir(parents=True, exist_ok=True)
    drawers = pool.Drawers(a.folder, a.processes, a.judged)
    if not a.cpu:
        torch.set_default_device("cuda")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(8)
    if a.compile:
        for kind in (flux.DoubleBlock, flux.SingleBlock):
            kind.forward = torch.compile(kind.forward)
    share = lambda k: TIMES[k] * a.seconds  # noqa: E731
    begins = lambda k: note(at=round(time.time() - begin, 1), begin=k)  # noqa: E731
    drawn = pool.Pool(a.folder, a.parts, torch.empty(0).device)
    drawn.wait(a.processes, drawers)
    begins("autoencoder")
    auto = stages.train_autoencoder(drawn, share("autoencoder"))
    drawers.finish()
    drawn.close()
    begins("latents")
    cfg = stages.measure(auto, drawn.pictures[::max(1, len(drawn.pictures) // 512)][:512])
    z, about = stages.encode(auto, cfg, drawn.pictures), drawn.about
    recon = drawn.pictures[:32].cpu().numpy()
    vae = on_device(Tiny(cfg))
    vae.decoder.load_state_dict(auto.decoder.state_dict())
    vae = vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    look(a.out, "autoencoder", [p for two in zip(recon, decode(vae, z[:32].float())) for p in two], 16)
    drawn.pictures = None
    held = triples.drawn(10 ** 6, scenes=32)
    held_z = stages.encode(auto, cfg, on_device(torch.from_numpy(np.stack([render.render(s) for s in held[0]]))))
    note(pictures=len(z), scale=cfg["scaling_factor"], shift=cfg["shift_factor"])
    begins("contrast")
    text = stages.train_text(about, z, share("contrast"))
    prompts = Words(text)
    write_safetensors(STATE / "text.safetensors", half(text.state_dict()))
    write_safetensors(STATE / "vae.safetensors", half(vae.state_dict()))
    write_safetensors(STATE / "encoder.safetensors", encoder_state(auto.encoder))
    (STATE / "vae.json").write_text(json.dumps(cfg))
    pack(a.out, "parts", [STATE / f for f in ("text.safetensors", "vae.safetensors", "encoder.safetensors", "vae.json")])
    begins("teacher")
    net = stages.train_teacher(about, z, prompts, share("teacher"))
    write_safetensors(a.out / "teacher.safetensors", half(net.state_dict()))
    look_at = prompts(LOOK)
    looked = lambda n, **k: decode(vae, sample(n, *look_at, prompts.empty, **k))  # noqa: E731
    noise = torch.randn(len(LOOK), GRID * GRID, DIT["in_channels"])
    look(a.out, "teacher", looked(net, steps=16, cfg=3.0, noise=noise), 8)
    begins("trajectories")
    lessons = stages.trajectories(net, about, z, prompts, share("trajectories"))
    begins("student")
    student = stages.train_student(net, about, z, prompts, lessons, share("student"))
    write_safetensors(a.out / "dit.safetensors", half(student.state_dict()))
    look(a.out, "student", looked(student, steps=STEPS, noise=noise), 8)
    look(a.out, "edits", edit_grid(student, vae, prompts, held, held_z), 12)
    begins("cut")
    cut = stages.train_cut(student, prompts, lessons, share("cut"))
    write_safetensors(a.out / "cut.safetensors", half(cut.state_dict()))
    look(a.out, "cut", decode(vae, sample(cut, look_at[0], look_at[1], prompts.empty, STEPS, noise=noise)), 8)
    begins("judge")
    best = stages.train_judge(auto, *drawn.judged(), share("judge"))
    torch.save({k: v.half() for k, v in best.cpu().state_dict().items()}, a.out / "judge.pt")
    begins("end")


if __name__ == "__main__":
    main()
