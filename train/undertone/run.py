"""The whole recipe: python3 -m undertone.run [stage ...]. Without a stage, everything, then the export.

Finished stages are skipped and an interrupted one goes on where it was; its state
lies in $UNDERTONE_STATE. Minutes are of two CPU cores and for a start from nothing; half of them do with --warm.
"""
import argparse
import datetime
from pathlib import Path

import torch

from . import autoencoder, contrast, distil, export, guide, latents, render, teacher
from .config import MODEL
from .curves import draw_curves
from .loop import load_ema
from .tiny import Tiny

STAGES = ("autoencoder", "latents", "contrast", "teacher", "student", "export", "guide")


def shipped_vae(auto, cfg):
    """The decoder half with its scale and shift, ready for use on scaled latents."""
    vae = Tiny(cfg)
    vae.decoder.load_state_dict(auto.decoder.state_dict())
    return vae.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("stages", nargs="*", help=f"of: {' '.join(STAGES)} (default: all)")
    p.add_argument("--autoencoder-minutes", type=float, default=25)
    p.add_argument("--contrast-minutes", type=float, default=8)
    p.add_argument("--teacher-minutes", type=float, default=110)
    p.add_argument("--student-minutes", type=float, default=8)
    p.add_argument("--scenes", type=int, default=40000, help="cached scenes")
    p.add_argument("--out", type=Path, default=MODEL, help="folder of the exported bundle")
    p.add_argument("--warm", type=Path, help="start from this bundle's weights (and its checkpoints, if beside it)")
    p.add_argument("--frozen-decoder", action="store_true",
                   help="with --warm: its decoder stays as it is, and an encoder is trained for it")
    p.add_argument("--snapshot", action="store_true", help="export what the teacher is now, for a first look")
    a = p.parse_args()
    wanted = a.stages or STAGES
    if set(wanted) - set(STAGES):
        p.error(f"unknown stage {sorted(set(wanted) - set(STAGES))[0]}; there are {', '.join(STAGES)}")
    if a.frozen_decoder and not a.warm:
        p.error("--frozen-decoder needs --warm, a bundle whose decoder to keep")
    last = max(STAGES.index(s) for s in wanted)
    torch.set_num_threads(min(torch.get_num_threads(), 8))

    auto = autoencoder.make(a.autoencoder_minutes, start=a.warm, frozen=a.frozen_decoder)
    if a.frozen_decoder:
        export.write_encoder(a.out, auto)
    if last < 1:
        return
    scenes, z, vae_cfg = latents.make(auto, a.scenes, start=a.warm)
    if last < 2:
        return
    text = contrast.make(scenes, z, a.contrast_minutes, start=a.warm)
    if last < 3:
        return
    vae = shipped_vae(auto, vae_cfg)
    prompts = teacher.Prompts(text)
    today = datetime.date.today().isoformat()
    if a.snapshot:
        export.write_bundle(a.out, load_ema("teacher", teacher.network()), text, vae, vae_cfg, today)
        return
    net = teacher.make(scenes, z, text, vae, a.teacher_minutes, start=a.warm)
    if last < 4:
        return
    student = distil.make(net, prompts, scenes, vae, a.student_minutes)
    if "export" in wanted:
        export.write_bundle(a.out, student, text, vae, vae_cfg, today)
        draw_curves(a.out / "loss.png")
        pictures = guide.pictures_of_each(student, vae, prompts, teacher.LOOK)
        render.grid([x[::2, ::2] for x in pictures], 8).save(a.out / "samples.png")
    if "guide" in wanted:
        guide.all_presets(student, vae, prompts, a.out)


if __name__ == "__main__":
    main()
