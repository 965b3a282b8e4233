"""Seconds, not minutes: python3 -m unittest discover -s train/tests (from the repository's top)."""
import json
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from undertone import (  # noqa: E402
    autoencoder, captions, clip, config, contrast, distil, export, flux, fused, guide, loop, render, scene, shifts, teacher, tiny,
    warm)

SMALL = {"in_channels": 16, "vec_in_dim": 12, "context_in_dim": 12, "hidden_size": 32, "mlp_ratio": 2.0, "num_heads": 2,
         "depth": 1, "depth_single_blocks": 2, "axes_dim": [4, 6, 6], "theta": 10000, "qkv_bias": True,
         "guidance_embed": True, "activation": "gelu_tanh"}
TEXT = {"vocab_size": 20, "hidden_size": 12, "num_layers": 2, "num_heads": 2, "intermediate_size": 24,
        "max_length": 8, "activation": "quick_gelu", "bos": 1, "eos": 2, "pad": 0}


def small_inputs(dtype=torch.float64, n=3):
    g = torch.Generator().manual_seed(0)
    r = lambda *s: torch.randn(*s, generator=g, dtype=dtype)  # noqa: E731
    return dict(img=r(n, 12, 16), txt=r(n, 5, 12), t=torch.rand(n, generator=g, dtype=dtype), pooled=r(n, 12),
                rows=3, cols=4, guidance=torch.full((n,), 3.5, dtype=dtype))


class Networks(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)

    def test_flux_shapes_names_and_probe(self):
        net = flux.init_random(flux.Flux(SMALL)).double()
        probe = []
        out = net(**small_inputs(), probe=probe)
        self.assertEqual(out.shape, (3, 12, 16))
        self.assertEqual([n for n, _ in probe], ["vec", "double_blocks.0.img", "double_blocks.0.txt", "single_blocks.0",
                                                 "single_blocks.1"])
        names = net.state_dict()
        for n in ("double_blocks.0.img_attn.norm.query_norm.scale", "single_blocks.1.modulation.lin.weight",
                  "guidance_in.in_layer.weight", "final_layer.adaLN_modulation.1.bias"):
            self.assertIn(n, names)
        self.assertEqual(names["single_blocks.0.linear1.weight"].shape, (32 * 3 + 64, 32))

    def test_flux_starts_at_zero_for_training(self):
        net = flux.init_for_training(flux.Flux({**SMALL, "guidance_embed": False}))
        x = small_inputs(torch.float32)
        x["guidance"] = None
        self.assertEqual(net(**x).abs().max().item(), 0)

    def test_zero_shift_changes_no_bit_and_a_shift_does(self):
        net = flux.init_random(flux.Flux(SMALL)).double()
        x = small_inputs()
        base = net(**x)
        self.assertTrue(torch.equal(base, net(**x, shift=torch.zeros(4, 32, dtype=torch.float64))))
        late = torch.zeros(4, 32, dtype=torch.float64)
        late[2] = 1
        probe, plain = [], []
        net(**x, shift=late, probe=probe)
        net(**x, probe=plain)
        same = [torch.equal(a[1], b[1]) for a, b in zip(probe, plain)]
        self.assertEqual(same, [True, True, True, True, False])

    def test_every_picture_may_have_a_shift_of_its_own(self):
        net = flux.init_random(flux.Flux(SMALL)).double()
        x = small_inputs()
        shift = torch.randn(4, 3, 32, dtype=torch.float64)
        shift[:, 1] = 0
        out = net(**x, shift=shift)
        self.assertTrue(torch.equal(out[1], net(**x)[1]))
        self.assertTrue(torch.allclose(out[2], net(**x, shift=shift[:, 2])[2]))
        self.assertFalse(torch.allclose(out[2], net(**x)[2]))

    def test_patchify_order_and_inverse(self):
        z = torch.arange(2 * 3 * 4 * 6.).reshape(2, 3, 4, 6)
        x = flux.patchify(z)
        self.assertTrue(torch.equal(x[1, 4].reshape(3, 2, 2), z[1, :, 2:4, 2:4]))
        self.assertTrue(torch.equal(flux.unpatchify(x, 2, 3), z))

    def test_rope_keeps_norms_and_depends_on_distance_only(self):
        cos, sin = flux.rope_tables(flux.image_ids(3, 4), [4, 6, 6], 10000, torch.float64)
        q, k = torch.randn(2, 1, 1, 1, 16, dtype=torch.float64).expand(2, 1, 12, 1, 16)
        a, b = flux.apply_rope(q, cos, sin), flux.apply_rope(k, cos, sin)
        dots = (a[0, :, 0] @ b[0, :, 0].T).reshape(3, 4, 3, 4)
        self.assertAlmostEqual(dots[0, 0, 1, 2].item(), dots[1, 1, 2, 3].item(), places=10)
        self.assertAlmostEqual(a.norm().item(), q.norm().item(), places=9)

    def test_clip_is_causal_and_pools_at_the_first_eos(self):
        net = clip.Clip(TEXT).double()
        a = torch.tensor([[1, 5, 6, 2, 0, 0, 0, 0]])
        b = torch.tensor([[1, 5, 6, 2, 9, 2, 0, 0]])
        (ta, pa), (tb, pb) = net(a), net(b)
        self.assertTrue(torch.equal(ta[:, :4], tb[:, :4]))
        self.assertTrue(torch.equal(pa, ta[:, 3]))
        self.assertTrue(torch.equal(pa, pb))

    def test_decoder_size_and_cost(self):
        vae = tiny.Tiny({**config.VAE, "scaling_factor": 1.0, "shift_factor": 0.0})
        with torch.no_grad():
            self.assertEqual(vae(torch.zeros(1, 16, 4, 4)).shape, (1, 3, 64, 64))
        self.assertLessEqual(tiny.decoder_flops(config.VAE), 3e9)

    def test_the_shipped_size(self):
        n = [sum(p.numel() for p in m.parameters()) for m in (
            flux.Flux(config.DIT), clip.Clip(config.text_config(len(captions.VOCAB))),
            tiny.Tiny({**config.VAE, "scaling_factor": 1.0, "shift_factor": 0.0}))]
        self.assertLessEqual(sum(n), 16_000_000)
        self.assertLessEqual(max(n) * 2, 15 << 20)

    def test_loss_falls_on_a_tiny_set(self):
        net = flux.init_for_training(flux.Flux({**SMALL, "guidance_embed": False}))
        x = small_inputs(torch.float32, 4)
        x["guidance"] = None
        target = torch.randn(4, 12, 16)
        opt = torch.optim.Adam(net.parameters(), 3e-3)
        losses = []
        for _ in range(60):
            loss = (net(**x) - target).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], 0.3 * losses[0])


class Data(unittest.TestCase):
    def test_every_caption_word_is_known_and_fits(self):
        rng = np.random.default_rng(0)
        for _ in range(1500):
            text = captions.caption(rng, scene.draw_scene(rng, render.BANKS))
            ids = captions.encode(text)
            self.assertEqual(len(ids), config.MAX_LENGTH)
            self.assertNotIn(3, ids, text)
            self.assertLessEqual(len(captions.words_of(text)), config.MAX_LENGTH - 2, text)

    def test_captions_are_true(self):
        rng = np.random.default_rng(1)
        for _ in range(800):
            s = scene.draw_scene(rng, 1)
            words = set(captions.words_of(captions.caption(rng, s)))
            colours = {c for _, c in s.objects}
            for c in scene.COLOURS:
                self.assertTrue(c not in words or c in colours or (c == "green" and s.place == "meadow"))
            self.assertTrue("night" not in words or s.time == "night")
            self.assertTrue("photorealistic" not in words or s.polish == 2)
            self.assertTrue("ultra" not in words or s.detail == 2)
            self.assertTrue("three" not in words or len(s.objects) == 3)

    def test_a_caption_can_leave_an_aspect_unsaid(self):
        rng = np.random.default_rng(2)
        tables = {"style": captions.STYLE_WORDS, "time": captions.TIME_WORDS, "place": captions.PLACE_WORDS}
        for _ in range(400):
            s = scene.draw_scene(rng, 1)
            for aspect, table in tables.items():
                text = captions.caption(rng, s, unsaid=aspect)
                for phrase in (p for phrases in table.values() for p in phrases):
                    self.assertNotIn(phrase, text.split(", "))
                    self.assertFalse(" " in phrase and phrase in text, (phrase, text))
            words = set(captions.words_of(captions.caption(rng, s, unsaid="quality")))
            self.assertFalse(words & {"photorealistic", "cinematic", "blurred", "intricate", "minimal"})
            if s.same:
                words = set(captions.words_of(captions.caption(rng, s, unsaid="count")))
                self.assertFalse(words & {"two", "three"})
            words = set(captions.words_of(captions.caption(rng, s, unsaid="colour")))
            self.assertFalse(words & {"red", "blue", "yellow", "purple", "violet"})

    def test_bare_phrases_say_one_thing(self):
        rng = np.random.default_rng(3)
        seen = {captions.one_aspect(rng, scene.draw_scene(rng, 1)) for _ in range(3000)}
        for phrase in ("red", "three frogs", "a cat", "neon", "at night", "in the snow", "ultra-detailed, photorealistic, cinematic",
                       "very simple, no details at all"):
            self.assertIn(phrase, seen)

    def test_neon_is_dark_with_light_and_differs_from_every_other_style(self):
        if not Path(render.FONT).exists():
            self.skipTest("install fonts-noto-color-emoji or set UNDERTONE_EMOJI")
        s = scene.Scene((("apple", "green"),), 160, (128,), "meadow", "day", "flat", 1, 1, 0)
        p = {k: render.render(replace(s, style=k)).astype(float) for k in scene.STYLES}
        self.assertLess(p["neon"].mean(), 0.6 * p["flat"].mean())
        self.assertGreater(p["neon"][..., 1].max(), 230)
        for k in scene.STYLES[1:]:
            self.assertGreater(np.abs(p[k] - p["flat"]).mean(), 4, k)
        blocks = p["pixel"].reshape(32, 8, 32, 8, 3)[:, :7, :, :7]
        self.assertEqual(np.ptp(blocks, axis=(1, 3)).max(), 0)
        self.assertGreater(p["watercolour"][:4].min(), 220)

    def test_preset_words_are_in_the_vocabulary(self):
        from undertone.bundle import OFFERS
        for p in OFFERS["presets"]:
            for w in captions.words_of(p["positive"] + " " + p["negative"]):
                self.assertIn(w, captions.VOCAB)
        for e in OFFERS["examples"]:
            self.assertNotIn(3, captions.encode(e), e)

    def test_the_shipped_bundle_offers_what_is_written_here(self):
        from undertone.config import MODEL
        from undertone.edit import offers
        shipped = json.loads((MODEL / "model.json").read_text())
        for k, v in offers().items():
            self.assertEqual(shipped[k], v, k)

    def test_rendering_is_a_function_of_the_scene(self):
        if not Path(render.FONT).exists():
            self.skipTest("install fonts-noto-color-emoji or set UNDERTONE_EMOJI")
        s = scene.draw_scene(np.random.default_rng(5), render.BANKS)
        a = render.render(s)
        self.assertEqual((a.shape, a.dtype), ((256, 256, 3), np.uint8))
        self.assertTrue(np.array_equal(a, render.render(s)))
        self.assertGreater(a.std(), 5)


class Files(unittest.TestCase):
    def test_export_round_trip(self):
        torch.manual_seed(0)
        text = clip.Clip(config.text_config(len(captions.VOCAB)))
        cfg = {**config.VAE, "scaling_factor": 1.5, "shift_factor": 0.1,
               "preview": {"weight": [[0.0] * 16] * 3, "bias": [0.5] * 3}}
        with tempfile.TemporaryDirectory() as d:
            m = export.write_bundle(d, flux.Flux(config.DIT), text, tiny.Tiny(cfg), cfg, "2000-01-01")
            for f in m["files"]:
                self.assertEqual((Path(d) / f["path"]).stat().st_size, f["bytes"])
                self.assertLessEqual(f["bytes"], 15 << 20)
                self.assertEqual(len(f["pieces"]), -(-f["bytes"] // export.PIECE))
            back = export.read_safetensors(Path(d) / "text.safetensors")
            self.assertEqual(set(back), set(text.state_dict()))
            for k, v in text.state_dict().items():
                self.assertTrue(torch.equal(back[k], v.to(torch.bfloat16)), k)


@unittest.skipIf(fused.library() is None, "install a C compiler (cc) to check fused.c")
class Fused(unittest.TestCase):
    CFG = {**config.DIT, "hidden_size": 64, "num_heads": 2, "axes_dim": [8, 12, 12]}

    def gradients(self, net, half):
        g = torch.Generator().manual_seed(1)
        x, txt = torch.randn(3, 20, 64, generator=g), torch.randn(3, 7, 192, generator=g)
        t, pooled, w = torch.rand(3, generator=g), torch.randn(3, 192, generator=g), torch.randn(3, 20, 64, generator=g)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = net(x, txt, t, pooled, 4, 5)
        (out.float() * w).sum().backward()
        return [out.detach().float()] + [p.grad for p in net.parameters()]

    def test_output_and_every_gradient_agree_with_the_reference(self):
        torch.manual_seed(0)
        plain, fast = flux.init_random(flux.Flux(self.CFG)), fused.FusedFlux(self.CFG)
        fast.load_state_dict(plain.state_dict())
        names = ["out"] + [n for n, _ in plain.named_parameters()]
        for name, a, b in zip(names, self.gradients(plain, False), self.gradients(fast, True)):
            self.assertLess(((a - b).norm() / a.norm()).item(), 0.05, name)  # bf16 has 8 bits

    def test_adam_is_torchs(self):
        torch.manual_seed(0)
        a = [torch.randn(40, 30), torch.randn(7)]
        b = [x.clone() for x in a]
        from undertone.loop import TorchAdam
        pa, pb = [torch.nn.Parameter(x) for x in a], [torch.nn.Parameter(x) for x in b]
        ea, eb = [x.clone() for x in a], [x.clone() for x in a]
        one, two = TorchAdam(pa, ea, (.9, .98)), fused.Adam(pb, eb, (.9, .98))
        for _ in range(5):
            for p, q in zip(pa, pb):
                p.grad = torch.randn(p.shape)
                q.grad = p.grad.clone()
            one.step(1e-2, 1.0, 0.9)
            two.step(1e-2, 1.0, 0.9)
        for p, q in zip(pa + ea, pb + eb):
            self.assertTrue(torch.allclose(p, q, atol=1e-6))


class Shifts(unittest.TestCase):
    def scenes(self, n, seed=0):
        rng = np.random.default_rng(seed)
        return [scene.draw_scene(rng, 1) for _ in range(n)], rng

    def test_shapes_and_share(self):
        scenes, rng = self.scenes(2000)
        b = shifts.batch(rng, scenes, 0.3)
        self.assertEqual(b.ids.shape, (2000, config.MAX_LENGTH))
        self.assertEqual(b.weights.shape, (shifts.BLOCKS + 1, 2000))
        self.assertAlmostEqual(b.weights.any(0).float().mean().item(), 0.3, delta=0.04)
        part = shifts.Shifts.join([b[torch.tensor([5, 7])], b[torch.tensor([1])]])
        self.assertTrue(torch.equal(part.weights, b.weights[:, [5, 7, 1]]))

    def test_strong_shifts_agree_with_the_picture(self):
        scenes, rng = self.scenes(3000, 1)
        night = {True: [], False: []}
        for s in scenes:
            d = shifts.draw(rng, s)
            w = max(d.weights)
            self.assertLessEqual(w, shifts.RANGE[1])
            for text in (d.caption, d.positive, d.negative):
                self.assertNotIn(captions.UNKNOWN, captions.encode(text), text)
            if d.positive in captions.TIME_WORDS["night"]:
                night[s.time == "night"].append(w)
        self.assertLessEqual(max(night[False]), shifts.LIMIT)
        self.assertGreater(np.mean(night[True]), 2 * np.mean(night[False]))

    def test_without_a_shift_the_vector_is_zero(self):
        torch.manual_seed(0)
        scenes, rng = self.scenes(6)
        net = flux.init_random(flux.Flux(config.DIT))
        prompts = teacher.Prompts(clip.Clip(config.text_config(len(captions.VOCAB))).eval())
        self.assertFalse(shifts.batch(rng, scenes, 0.0).vector(net, prompts).any())
        b = shifts.batch(rng, scenes, 1.0)
        b.weights[:, 2:] = 0
        v = b.vector(net, prompts)
        self.assertEqual(v.shape, (shifts.BLOCKS + 1, 6, 256))
        self.assertFalse(v[:, 2:].any())
        self.assertTrue(v[:, 0].any())
        v.sum().backward()
        self.assertGreater(net.vector_in.out_layer.weight.grad.abs().sum().item(), 0)


    def test_the_teacher_is_told_what_the_student_is_guided_to(self):
        scenes, rng = self.scenes(300, 2)
        said = 0
        for s in scenes:
            d, text, _ = shifts.draw_told(rng, s)
            if max(d.weights) < shifts.FAINT:
                self.assertEqual(text, d.caption)
            elif d.positive in [w for v in captions.STYLE_WORDS.values() for w in v]:
                self.assertIn(text.split(", ")[-1], [w for v in captions.STYLE_WORDS.values() if d.positive in v for w in v])
                said += 1
        self.assertGreater(said, 50)
        self.assertEqual(shifts.say("an apple, 8-bit", scene.Scene((("apple", None),), 160, (128,), "snow", "day", "flat", 1, 1, 0),
                                    "colour", "red"), "a red apple, 8-bit")
        mine, teachers, told = shifts.lessons(rng, scenes, 0.5)
        self.assertFalse((teachers.weights.any(0) & told).any())
        self.assertTrue((told <= mine.weights.any(0)).all())
        same = ~told
        self.assertTrue(torch.allclose(teachers.weights[:, same], shifts.STRONGER * mine.weights[:, same]))


class Warm(unittest.TestCase):
    def test_rows_follow_their_names(self):
        new, old = torch.zeros(4, 2), torch.arange(6.).reshape(3, 2)
        self.assertEqual(warm.copy_rows(new, old, ["b", "new", "c", "a"], ["a", "b", "c"]), 3)
        self.assertEqual(new.tolist(), [[2, 3], [0, 0], [4, 5], [0, 1]])

    def test_an_encoder_for_a_frozen_decoder(self):
        """The decoder stays as it is to the last bit, the encoder learns, and the next training starts from it."""
        torch.manual_seed(3)
        net = autoencoder.Autoencoder()
        net.decoder.requires_grad_(False)
        before = {k: v.clone() for k, v in net.state_dict().items()}
        x = torch.rand(2, 3, 64, 64)
        with tempfile.TemporaryDirectory() as d, mock.patch.object(loop, "STATE", Path(d)):
            ema = loop.train("encoder", net, lambda p: (net(x)[0] - x).pow(2).mean(), .02, 1e-3)
            export.write_encoder(d, ema)
            export.write_safetensors(Path(d) / "vae.safetensors", {k: v for k, v in ema.state_dict().items() if k.startswith("decoder.")})
            again = autoencoder.Autoencoder()
            warm.load(again, d, "autoencoder")
        for k, v in ema.state_dict().items():
            self.assertEqual(k.startswith("decoder."), torch.equal(v, before[k]), k)
            torch.testing.assert_close(again.state_dict()[k], v.to(torch.bfloat16).float() if k.startswith("encoder.") else v)

    def test_from_a_bundle(self):
        torch.manual_seed(0)
        cfg = {**config.VAE, "scaling_factor": 1.5, "shift_factor": 0.1, "preview": {"weight": [[0.0] * 16] * 3, "bias": [0.5] * 3}}
        text, vae, dit = clip.Clip(config.text_config(len(captions.VOCAB))), tiny.Tiny(cfg), flux.Flux(config.DIT)
        with tempfile.TemporaryDirectory() as d:
            export.write_bundle(d, dit, text, vae, cfg, "2000-01-01")
            auto, pair, net = autoencoder.Autoencoder(), contrast.Pair(), flux.Flux(config.DIT)
            before = auto.encoder.layers[1].weight.clone()
            warm.load(auto, d, "autoencoder")
            contrast.start_warm(pair, d)
            warm.load(net, d, "teacher")
            with self.assertRaises(ValueError):
                warm.load(flux.Flux({**config.DIT, "hidden_size": 128, "num_heads": 2}), d, "teacher")
        half = lambda m: [v.bfloat16().float() for v in m.state_dict().values()]  # noqa: E731
        for a, b in ((vae.decoder, auto.decoder), (text, pair.text), (dit, net)):
            self.assertTrue(all(torch.equal(x, y) for x, y in zip(half(a), b.state_dict().values())))
        self.assertTrue(torch.equal(before, auto.encoder.layers[1].weight))


class Guidance(unittest.TestCase):
    def test_shift_has_a_row_per_block_and_one_for_the_head(self):
        torch.manual_seed(0)
        net = flux.init_random(flux.Flux(config.DIT))
        prompts = teacher.Prompts(clip.Clip(config.text_config(len(captions.VOCAB))).eval())
        s = guide.shifts(net, prompts, "at night", "by day", 2.0, 2)
        self.assertEqual(s.shape, (guide.BLOCKS + 1, 256))
        self.assertEqual([bool(r.any()) for r in s], [False] * 2 + [True] * (guide.BLOCKS - 2) + [False])

    def test_dropped_text_is_the_empty_prompt(self):
        torch.manual_seed(0)
        prompts = teacher.Prompts(clip.Clip(config.text_config(len(captions.VOCAB))).eval())
        tokens, pooled = prompts(["a frog", "a car"])
        t, p = prompts.drop(tokens, pooled, torch.tensor([True, False]), torch.tensor([False, True]))
        # Encoded alone, as it was for the dropped: bf16 products of another batch size are rounded differently on some CPUs.
        (empty,), (pool,) = prompts([""])
        self.assertTrue(torch.equal(t[0], empty) and torch.equal(p[1], pool))
        self.assertTrue(torch.equal(t[1], tokens[1]) and torch.equal(p[0], pooled[0]))
        self.assertFalse(torch.equal(tokens[0], empty) or torch.equal(pooled[1], pool))

    def test_steps_divide_the_teachers(self):
        self.assertEqual(distil.TEACHER_STEPS % distil.STEPS, 0)


if __name__ == "__main__":
    unittest.main()
