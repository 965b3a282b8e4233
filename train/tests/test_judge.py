"""The judge and the evaluation: python3 -m unittest discover -s train/tests (from the repository's top)."""
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from undertone import ablation, bench, config, export, gguf, heldout, judge, render, scene, shipped, sweeps  # noqa: E402


def scene_of(objects=(("frog", None),), xs=(128,), **more):
    more = {"size": 160, "place": "meadow", "time": "day", "style": "flat", "detail": 1, "polish": 1, "bank": 0, **more}
    return scene.Scene(objects=objects, xs=xs, **more)


class TheJudge(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        np.random.seed(0)

    def test_labels_name_what_is_there_and_nothing_else(self):
        s = scene_of((("cat", "red"), ("heart", None)), (64, 192), size=112, style="neon", detail=2)
        y = dict(zip(judge.VALUES, judge.labels([s])[0].tolist()))
        named = {k: None if i == judge.UNSAID else judge.VALUES[k][i] for k, i in y.items()}
        self.assertEqual(named, {"first": "cat", "last": "heart", "first colour": "red", "last colour": None, "count": 2,
                                 "style": "neon", "place": "meadow", "time": "day", "detail": 2, "polish": 1, "side": None})
        self.assertEqual([judge.side(scene_of(xs=(x,))) for x in (64, 128, 192)], ["left", "middle", "right"])

    def test_it_learns_a_handful_of_scenes(self):
        scenes = judge.scenes_of("train", 12)
        pictures = judge.shrink(np.stack([render.render(s) for s in scenes]))
        x, y = judge.to_tensor(pictures), judge.labels(scenes)
        net = judge.Judge()
        opt = torch.optim.Adam(net.parameters(), 2e-3)
        first = None
        for _ in range(80):
            loss = judge.loss_fn(net(x)[0], y)
            first = first or loss.item()
            opt.zero_grad()
            loss.backward()
            opt.step()
        self.assertLess(loss.item(), first / 4)
        seen = judge.read(net, pictures)
        right = judge.agreement(seen, scenes)
        self.assertGreaterEqual(right["object"][0], 10)
        self.assertEqual(right["object"][1], 12)
        self.assertTrue(((seen["detail score"] >= 0) & (seen["detail score"] <= 2)).all())
        self.assertEqual(seen["features"].shape, (12, 256))

    def test_variations_keep_shape_and_shrinking_is_the_mean(self):
        x = torch.rand(3, 3, judge.SIDE, judge.SIDE)
        v = judge.vary(x)
        self.assertEqual(v.shape, x.shape)
        self.assertGreater((v - x).abs().mean().item(), 0)
        p = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)
        self.assertEqual(judge.shrink(p)[0, 5, 7, 1], (p[0, 10:12, 14:16, 1].astype(int).sum() + 2) // 4)

    def test_what_is_exported_is_the_network(self):
        """The exported matrices, put together as engine/judge does, give the logits; model.json tells of them."""
        net = judge.Judge().eval()
        share = {k: 0.9 + i / 100 for i, k in enumerate(("object", "colour", "count", "style", "place", "time", "detail", "polish", "side"))}
        with tempfile.TemporaryDirectory() as d:
            shutil.copy(config.MODEL / "model.json", d)
            part = judge.write(d, net, {"pictures": 7, "accuracy": share})
            w = {k: v.float() for k, v in export.read_safetensors(Path(d) / "judge.safetensors").items()}
            again = judge.shipped(d)
        for k, v in net.state_dict().items():
            self.assertTrue(torch.equal(v.half().float(), again.state_dict()[k]), k)
        self.assertEqual([a["name"] for a in part["attributes"]], list(judge.VALUES))
        self.assertEqual([a["accuracy"] for a in part["attributes"][:5]], [0.9, 0.9, 0.91, 0.91, 0.92])
        self.assertEqual(part["attributes"][4]["values"], ["1", "2", "3"])
        x = torch.rand(1, 3, judge.SIDE, judge.SIDE)
        with torch.no_grad():
            logits, _ = net(x)
            seen = net.body(x - 0.5)
            places = w["places.weight"].reshape(24, 128, 1, 1)
            kept = torch.nn.functional.conv2d(seen, places, w["places.bias"]).flatten(2).transpose(1, 2).flatten(1)
            f = torch.cat([kept, seen.mean((2, 3)), seen.amax((2, 3)), net.seams(x)], 1).relu()
            f = torch.nn.functional.pad(f, (0, w["mix.weight"].shape[1] - f.shape[1]))
            ours = torch.relu(f @ w["mix.weight"].T + w["mix.bias"]) @ w["heads.weight"].T + w["heads.bias"]
        self.assertLess((ours - torch.cat(list(logits.values()), 1)).abs().max().item(), 1e-2)  # of half precision

    def test_a_judge_that_knows_more_begins_with_what_an_earlier_one_knows(self):
        folder = config.MODEL.parent / "sprites-adapter"  # whose judge knows the objects of captions alone
        old, net = judge.shipped(folder), judge.Judge().eval()
        judge.begin(net, folder)
        names = len(scene.OBJECTS)
        self.assertEqual([len(h.bias) for h in (old.heads["first"], net.heads["first"])], [names, len(scene.EVERY)])
        x = torch.rand(2, 3, judge.SIDE, judge.SIDE)
        with torch.no_grad():
            for k, v in old(x)[0].items():
                self.assertTrue(torch.allclose(net(x)[0][k][:, :v.shape[1]], v, atol=1e-4), k)
        self.assertEqual(judge.scenes_of("held", 20, old.values["first"]), judge.scenes_of("held", 20, tuple(scene.OBJECTS)))

    def test_scenes_are_of_its_own(self):
        a, b = judge.scenes_of("train", 50), judge.scenes_of("held", 50)
        self.assertFalse({s.bank for s in a} & {s.bank for s in b})
        self.assertGreaterEqual(min(s.bank for s in a + b), render.BANKS)
        self.assertEqual(a[:10], judge.scenes_of("train", 10))


class HeldOut(unittest.TestCase):
    def test_what_captions_ask_for(self):
        red = scene_of((("cat", "red"),), (64,), place="snow", time="night", style="neon")
        asks, said = heldout.asked("neon, a red kitten on the left in the snow at night, ultra-detailed", scene_of(
            (("cat", "red"),), (64,), place="snow", time="night", style="neon", detail=2))
        self.assertEqual(asks, {"object": ("cat", "cat"), "count": 1, "colour": ("red", "red"), "place": "snow",
                                "time": "night", "style": "neon", "side": "left", "detail": 2})
        self.assertEqual(said, frozenset(asks))
        self.assertEqual(heldout.asked("red", red), ({"colour": ("red", "red")}, {"colour"}))
        self.assertEqual(heldout.asked("at night", red), ({"time": "night"}, {"time"}))

    def test_unsaid_means_the_default_only_beside_something_else(self):
        s = scene_of()
        self.assertEqual(heldout.asked("a frog", s)[0], {"object": ("frog", "frog"), "count": 1})
        asks, said = heldout.asked("a frog in a meadow", s)
        self.assertEqual((asks["time"], asks["style"]), ("day", "flat"))
        self.assertNotIn("time", said)
        self.assertEqual(heldout.asked("frog", s)[0], {"object": ("frog", "frog")})

    def test_a_longer_list_begins_with_the_shorter(self):
        a, b = heldout.held_out(5), heldout.held_out(9)
        self.assertEqual(a, b[:5])
        self.assertTrue(all(it.text for it in b))

    def test_scores(self):
        pair = heldout.Item(0, "", scene_of((("cat", "red"), ("frog", None)), (64, 192)),
                            {"object": ("cat", "frog"), "colour": ("red", None), "count": 2}, frozenset())
        at = lambda k, v: judge.VALUES[k].index(v)  # noqa: E731
        seen = {k: np.zeros(1, int) for k in judge.VALUES}
        seen.update({"first": np.array([at("first", "frog")]), "last": np.array([at("last", "cat")]),
                     "first colour": np.array([at("first colour", "blue")]), "last colour": np.array([at("last colour", "red")]),
                     "count": np.array([1]), "detail score": np.array([1.5]), "polish score": np.array([0.5])})
        r = heldout.score(seen, [pair])
        self.assertEqual((r["object"][0], r["order"][0], r["colour"][0], r["count"][0]), (1, 0, 1, 1))
        self.assertTrue(np.isnan(r["place"][0]))
        self.assertEqual(r["detail score"][0], 1.5)
        blind = heldout.score(seen, [pair], {("colour", "flat")})
        self.assertTrue(np.isnan(blind["colour"][0]))
        self.assertEqual(blind["object"][0], 1)

    def test_intervals(self):
        w = heldout.wilson([1] * 90 + [0] * 10 + [np.nan])
        self.assertEqual((w["value"], w["low"], w["high"], w["n"]), (90.0, 82.6, 94.5, 100))  # a textbook's values
        b = heldout.bootstrap(np.random.default_rng(1).normal(2, 1, 400))
        self.assertLess(abs(b["high"] - b["low"] - 2 * 1.96 / 20), 0.03)
        self.assertTrue(b["low"] < b["value"] < b["high"])
        self.assertEqual(heldout.wilson([])["n"], 0)


class Quantized(unittest.TestCase):
    def test_blocks(self):
        d = struct.pack("<e", 0.5)
        q8 = gguf.q8_0(d + bytes(np.arange(-16, 16, dtype=np.int8)))
        self.assertEqual(q8.tolist(), [0.5 * i for i in range(-16, 16)])
        q4 = gguf.q4_0(d + bytes([0x80 | i for i in range(16)]))
        self.assertEqual(q4.tolist(), [0.5 * (i - 8) for i in range(16)] + [0.0] * 16)
        self.assertEqual(gguf.bf16(struct.pack("<H", 0xC040)).tolist(), [-3.0])

    @unittest.skipUnless(shutil.which("go"), "needs Go, which builds the converter")
    def test_a_converted_bundle_draws_what_the_engine_draws(self):
        """The converter's 4-bit file, read here, gives the velocity that the engine computes from the same file."""
        with tempfile.TemporaryDirectory() as d:
            d = Path(d)
            run = lambda *a: subprocess.run(["go", "run", "./cmd/undertone", *map(str, a)], cwd=config.ROOT, check=True,  # noqa: E731
                                            capture_output=True)
            run("convert", config.MODEL, "--to", "Q4_0", "--out", d / "q4")
            m = shipped.Shipped(d / "q4", exact=True)
            types = set(gguf.read_gguf(d / "q4" / "dit.gguf")[1].values())
            self.assertEqual(types, {"F32", "Q4_0"})
            tokens, pooled = m.encode(["a red car on the beach"])
            x = shipped.noise_of([3])
            v = m.velocity(x, torch.tensor([0.75]), tokens, pooled, None)
            export.write_safetensors(d / "in.safetensors", {"latent": x[0], "tokens": tokens[0], "pooled": pooled[0],
                                                            "t": torch.tensor([0.75])})
            run("forward", d / "q4", "--in", d / "in.safetensors", "--out", d / "out.safetensors")
            theirs = export.read_safetensors(d / "out.safetensors")["velocity"]
            self.assertLess(((theirs - v[0]).norm() / v.norm()).item(), 1e-4)


class Drawing(unittest.TestCase):
    """On the bundle in models/, with a judge that has learnt nothing."""

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.model = shipped.Shipped(config.MODEL, exact=True)
        cls.items = [it for it in heldout.held_out(12) if cls.model.knows(it.text)][:3]
        none = {"by_style": {s: {} for s in scene.STYLES}}
        cls.bench = bench.Bench(judge.Judge(), none)

    def test_schedules(self):
        delta = self.model.directions(["ultra-detailed"], ["very simple"])
        s = self.model.shift(delta, 2.0, start=3, head=0.5)
        self.assertEqual(s.shape, (self.model.blocks + 1, 1, delta.shape[1]))
        self.assertEqual([round((r.norm() / delta.norm()).item(), 3) for r in s[:, 0]], [0, 0, 0, 2, 2, 2, 0.5])

    def test_weight_zero_changes_nothing_and_items_keep_their_noise(self):
        delta = self.model.directions(["ultra-detailed"], ["very simple"])
        how = dict(steps=1)
        a = self.bench.latents(self.model, self.items, **how)
        b = self.bench.latents(self.model, self.items, shift=self.model.shift(delta, 0.0), **how)
        self.assertTrue(torch.equal(a, b))
        alone = self.bench.latents(self.model, self.items[1:2], **how)
        self.assertLess((alone[0] - a[1]).abs().max().item(), 1e-4)
        c = self.bench.latents(self.model, self.items, shift=self.model.shift(delta, 2.0), **how)
        self.assertGreater((c - a).abs().mean().item(), 0.01)

    def test_another_pooled_vector_is_another_captions(self):
        items = heldout.held_out(40)
        order = ablation.another(items)
        self.assertEqual(sorted(order), list(range(40)))
        self.assertTrue(all(items[i].text != items[j].text for i, j in enumerate(order)))

    def test_open_captions(self):
        some = sweeps.free(heldout.held_out(60), "detail", "polish")
        self.assertTrue(some)
        self.assertTrue(all("object" in it.asks and "detail" not in it.asks and "polish" not in it.asks for it in some))


if __name__ == "__main__":
    unittest.main()
