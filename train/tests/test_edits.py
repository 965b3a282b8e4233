"""The grammar of edits, the words it adds, and what the network does with a reference; seconds, like test_train.py."""
import sys
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from undertone import bundle, captions, clip, config, edit, edits, flux, fused, loop, perceptual, render, scene, shifts, supply as supplies, triples  # noqa: E402

CAR = scene.Scene((("car", "red"),), 160, (128,), "meadow", "day", "flat", 1, 1, 3)
PAIR = replace(CAR, objects=(("car", "red"), ("house", None)), size=112, xs=(64, 192))
# Fields of a scene that an edit of the kind may change.
TOUCHES = {"time": {"time"}, "place": {"place"}, "style": {"style"}, "colour": {"objects"}, "another": {"objects", "size", "xs"},
           "other": {"objects", "size", "xs"}, "remove": {"objects", "size", "xs"}, "sun": {"sun"}, "detail": {"detail"},
           "polish": {"polish"}, "quality": {"detail", "polish"}, "replace": {"objects"}, "keep": set()}


def some(n, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        s = edits.draw_source(rng, render.BANKS)
        e, after = edits.draw(rng, s)
        yield rng, s, e, after


class Grammar(unittest.TestCase):
    def test_every_word_is_known_fits_and_is_of_use(self):
        used = set()
        for rng, s, e, _ in some(3000):
            text = edits.say(rng, e, s)
            self.assertNotIn(captions.UNKNOWN, edits.encode(text), text)
            self.assertLessEqual(len(captions.words_of(text)), config.MAX_LENGTH - 2, text)
            used |= set(captions.words_of(text))
        self.assertEqual(set(), set(edits.instruction_words()) - used)

    def test_the_words_of_captions_keep_their_ids(self):
        self.assertEqual(list(captions.VOCAB), list(edits.VOCAB)[:len(captions.VOCAB)])
        text = "three red cars, pixel art"
        self.assertEqual(captions.encode(text), edits.encode(text))
        self.assertIn(captions.UNKNOWN, captions.encode("turn it blue"))

    def test_an_edit_changes_what_it_says_and_nothing_else(self):
        kinds = set()
        for _, s, e, after in some(1500, 1):
            kinds.add(e.kind)
            parts = e.parts or (e,)
            changed = {f for f in scene.Scene.__dataclass_fields__ if getattr(s, f) != getattr(after, f)}
            self.assertLessEqual(changed, set().union(*(TOUCHES[p.kind] for p in parts)), e)
            self.assertEqual(not changed, e.kind == "keep", (e, s))
        self.assertEqual(kinds, {*edits.SHARES, "both"})

    def test_what_stays_keeps_its_place_where_there_is_room(self):
        left = replace(CAR, size=128, xs=(64,))
        after = edits.apply(edits.Edit("other", ("house", None)), left)
        self.assertEqual((after.objects, after.size, after.xs), ((("car", "red"), ("house", None)), 128, (64, 192)))
        after = edits.apply(edits.Edit("other", ("house", None), "left"), left)
        self.assertEqual((after.objects, after.size), ((("house", None), ("car", "red")), 112))
        after = edits.apply(edits.Edit("another", 2), replace(left, xs=(192,)))
        self.assertEqual((after.size, after.xs), (128, (64, 192)))
        after = edits.apply(edits.Edit("another", 2), CAR)
        self.assertEqual((after.size, after.xs), (112, (64, 192)))
        after = edits.apply(edits.Edit("remove", at=0), PAIR)
        self.assertEqual((after.objects, after.size, after.xs), ((("house", None),), 112, (192,)))
        after = edits.apply(edits.Edit("remove"), replace(PAIR, objects=PAIR.objects[:1] * 2))
        self.assertEqual((after.objects, after.size, after.xs), ((("car", "red"),), 112, (64,)))

    def test_instructions_say_the_value_and_the_object(self):
        rng = np.random.default_rng(3)
        names = set(captions.NAMES["car"] + ["it", "car"])
        for _ in range(60):
            for colour in ("blue", "green"):
                text = edits.say(rng, edits.Edit("colour", colour), CAR)
                self.assertIn(colour, text)
                self.assertTrue(set(captions.words_of(text)) & names, text)
            text = edits.say(rng, edits.Edit("remove", at=1), PAIR)
            self.assertTrue({"house", "home"} & set(text.split()), text)
            self.assertFalse({"car", "automobile"} & set(text.split()), text)
            self.assertIn("moon", edits.say(rng, edits.Edit("sun", False), replace(CAR, time="night")))
            text = edits.say(rng, edits.Edit("other", ("tree", None), "left"), CAR)
            self.assertTrue("tree" in text and "left" in text, text)
            for t in scene.TIMES:
                words = set(captions.words_of(edits.say(rng, edits.Edit("time", t), CAR)))
                for other in scene.TIMES:
                    self.assertFalse(other != t and words & {other, {"day": "daylight", "sunset": "dusk", "night": "dark"}[other]})

    def test_two_at_once_do_not_ask_for_a_second_object(self):
        rng = np.random.default_rng(4)
        both = edits.Edit("both", parts=(edits.Edit("detail", 2), edits.Edit("colour", "blue")))
        for _ in range(80):
            self.assertNotRegex(edits.say(rng, both, CAR), r"\ba blue\b")

    def test_what_undoes_an_edit(self):
        self.assertEqual(edits.old(edits.Edit("time", "night"), CAR), edits.Edit("time", "day"))
        self.assertEqual(edits.old(edits.Edit("colour", "blue", 0), PAIR), edits.Edit("colour", "red", 0))
        self.assertIsNone(edits.old(edits.Edit("detail", 2), CAR))  # no word says the middle
        self.assertIsNone(edits.old(edits.Edit("another", 2), CAR))


@unittest.skipIf(not Path(render.FONT).exists(), "install fonts-noto-color-emoji or set UNDERTONE_EMOJI")
class Pictures(unittest.TestCase):
    def test_without_its_sun_a_picture_is_the_same_elsewhere(self):
        for time, y in (("day", 36), ("sunset", 140), ("night", 36)):
            s = replace(CAR, time=time, xs=(128,), size=128)
            d = np.abs(render.render(s).astype(int) - render.render(replace(s, sun=False)))
            rows, columns = np.nonzero(d.max(-1) > 8)
            self.assertTrue(len(rows) and abs(rows.mean() - y) < 20, time)
            self.assertLess(np.ptp(columns), 52)

    def test_a_colour_edit_leaves_the_background_as_it_is(self):
        a, b = (render.render(x) for x in (PAIR, edits.apply(edits.Edit("colour", "blue", 0), PAIR)))
        self.assertTrue(np.array_equal(a[:, 130:], b[:, 130:]))
        self.assertFalse(np.array_equal(a[:, :130], b[:, :130]))


class Networks(unittest.TestCase):
    CFG = {**config.DIT, "hidden_size": 64, "num_heads": 2, "axes_dim": [8, 12, 12]}

    def inputs(self, n=2):
        g = torch.Generator().manual_seed(1)
        r = lambda *s: torch.randn(*s, generator=g)  # noqa: E731
        return dict(img=r(n, 20, 64), txt=r(n, 7, 192), t=torch.rand(n, generator=g), pooled=r(n, 192), rows=4, cols=5), r(n, 20, 64)

    def test_a_reference_stands_at_one_on_the_first_axis(self):
        torch.manual_seed(0)
        net = flux.init_random(flux.Flux(self.CFG))
        x, ref = self.inputs()
        out = net(**x, reference=ref)
        self.assertEqual(out.shape, (2, 20, 64))
        cos, sin = net.rope(7, 4, 5, torch.float32, True)
        ids = torch.cat([torch.zeros(7, 3, dtype=torch.long), flux.image_ids(4, 5), flux.image_ids(4, 5) + torch.tensor([1, 0, 0])])
        self.assertTrue(torch.equal(cos, flux.rope_tables(ids, [8, 12, 12], 10000)[0]))
        self.assertFalse(torch.allclose(out, net(**x)))
        order = torch.randperm(20)
        self.assertFalse(torch.allclose(out, net(**x, reference=ref[:, order]), atol=1e-3))

    @unittest.skipIf(fused.library() is None, "install a C compiler (cc) to check fused.c")
    def test_the_fused_network_reads_the_reference_alike(self):
        torch.manual_seed(0)
        plain, fast = flux.init_random(flux.Flux(self.CFG)), fused.FusedFlux(self.CFG)
        fast.load_state_dict(plain.state_dict())
        x, ref = self.inputs()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            b = fast(**x, reference=ref).float()
        a = plain(**x, reference=ref).detach()
        self.assertLess(((a - b).norm() / a.norm()).item(), .05)


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.net = edit.Editor()
        cls.net.start(config.MODEL)

    def test_captions_are_encoded_to_the_same_bits(self):
        from undertone.gguf import tensors
        state = tensors(config.MODEL, "text")
        state[edit.EMBEDDING] = state[edit.EMBEDDING][:len(captions.VOCAB)]
        text = clip.Clip(config.text_config(len(captions.VOCAB)))
        text.load_state_dict(state)
        ids = torch.tensor([captions.encode(x) for x in ("a red car on the beach", "", "two cats at night, neon")])
        with torch.no_grad():
            for a, b, c in zip(text(ids), self.net.text(ids), self.net.plain_text()(ids)):
                self.assertTrue(torch.equal(a, b) and torch.equal(a, c))

    def test_only_the_transformer_and_new_words_learn(self):
        learning = {n for n, p in self.net.named_parameters() if p.requires_grad}
        self.assertEqual({n for n in learning if not n.startswith("dit.")}, {"text.text_model.embeddings.token_embedding.new"})
        self.assertEqual({n for n, _ in self.net.named_parameters() if n.startswith("dit.")} - learning, set())
        tokens, pooled, shift = edit.conditions(self.net, [edit.Request("turn it blue", "make it night", "", (1.0,) * 7)])
        (tokens.sum() + pooled.sum() + shift.sum()).backward()
        new = self.net.text.text_model.embeddings.token_embedding.new
        at = {w: edits.VOCAB[w] - len(captions.VOCAB) for w in ("turn", "make", "remove")}
        self.assertTrue(new.grad[at["turn"]].any() and new.grad[at["make"]].any() and not new.grad[at["remove"]].any())
        self.net.zero_grad(set_to_none=True)

    def test_a_bundle_that_lacks_words_is_refused_and_one_that_has_more_keeps_them(self):
        words = [*captions.VOCAB, "turn"]
        rows = torch.arange(len(words) * 192.).reshape(len(words), 192)
        weights = {"text." + k: v for k, v in clip.Clip(config.text_config(len(words))).state_dict().items()}
        weights["text." + edit.EMBEDDING] = rows
        real = edit.warm.weights
        fake = lambda folder, stage: weights if stage == "contrast" else real(folder, stage)  # noqa: E731
        net = edit.Editor()
        with mock.patch.object(edit.warm, "weights", fake), mock.patch.object(edit.warm, "words", lambda f: words):
            self.assertFalse(net.start(config.MODEL))
        table = net.text.text_model.embeddings.token_embedding
        self.assertTrue(torch.equal(table.weight[edits.VOCAB["turn"]], rows[-1]))
        self.assertTrue(torch.equal(table.old, rows[:-1]))
        nouns = table.old[[captions.VOCAB[n] for n in scene.OBJECTS]]
        far = (table.weight[edits.VOCAB["dog"]] - nouns.mean(0)).abs() / nouns.std(0)
        self.assertTrue(0 < far.min() and far.max() < 2.5)
        with mock.patch.object(edit.warm, "words", lambda f: words[:-2]), self.assertRaisesRegex(ValueError, words[-2]):
            net.start(config.MODEL)

    def test_examples_are_of_words_that_the_model_knows(self):
        for text in bundle.EDITING_EXAMPLES:
            self.assertNotIn(captions.UNKNOWN, edits.encode(text), text)

    def test_words_nearby_are_none_that_the_model_knows_and_each_stands_once(self):
        table = edit.near()
        words = [w for v in table.values() for w in v]
        self.assertEqual(len(words), len(set(words)))
        self.assertLessEqual(set(table), set(edits.VOCAB))
        self.assertFalse(set(words) & set(edits.VOCAB))
        self.assertIn("wolf", table["dog"])

    def test_requests(self):
        kept, weights, stays = 0, [], 0
        for rng, s, e, _ in some(1200, 5):
            r = edit.request(rng, e, s)
            for text in (r.text, r.positive, r.negative):
                self.assertNotIn(captions.UNKNOWN, edits.encode(text), text)
            self.assertTrue(r.text)
            weights.append(max(r.weights))
            self.assertEqual(bool(r.positive or r.negative), any(r.weights))
            if r.stays:
                stays += 1
                self.assertTrue(any(r.weights) or r.text in edits.KEEP)
            kept += r.text in edits.KEEP and not any(r.weights)
        self.assertLessEqual(max(weights), shifts.RANGE[1])
        self.assertAlmostEqual(np.mean(np.array(weights) > 0), edit.GUIDED * (1 - edit.KEPT), delta=.06)
        self.assertGreater(kept, 90)
        self.assertGreater(stays, 120)

    def test_all_losses_reach_the_network(self):
        supply = supplies.Supply()
        scenes, asked = triples.drawn(0, scenes=3)
        z = torch.randn(len(scenes), 16, 16, 16).half()
        asks = [shifts.Shift("", "", shifts.NONE, "a dog"), shifts.Shift("at night", "by day", (1.0,) * 7, "two puppies")]
        memories = {"points": torch.randn(4, 5, 64, 64).half(), "masks": torch.zeros(4, 2).bool(),
                    "shifts": shifts.batch(np.random.default_rng(0), scenes[:4])}
        with tempfile.TemporaryDirectory() as d, mock.patch.object(triples, "FOLDER", Path(d)):
            with self.assertRaisesRegex(ValueError, "lacks triples"):
                supplies.Supply().refresh()
            loop.save(Path(d) / "triples-0000.pt", {"scenes": scenes, "edits": asked, "z": z})
            loop.save(Path(d) / "memories-0000.pt", memories)
            with self.assertRaisesRegex(ValueError, "drawings"):
                supplies.Supply().refresh()
            loop.save(Path(d) / "drawings-0000.pt", {"scenes": scenes[:2], "shifts": asks,
                                                     "noise": torch.randn(2, 64, 64).half(), "z": z[:2]})
            supply.refresh()
            often = supply.pairs[4][2].kind
            with mock.patch.dict(supplies.OFTEN, {often: 1e9}):
                supply.refresh()  # nothing is read twice
            self.assertEqual({p[2].kind for p in supply.chosen(np.random.default_rng(0), 50)}, {often})
            supply.refresh()
        self.assertEqual((len(supply.pairs), len(supply.z), len(supply.points)), (9, 12, 4))
        for before, after, e, s in supply.pairs:
            self.assertEqual((scenes[before], scenes[after]), (s, edits.apply(e, s)))
        self.assertEqual([a.caption for a, _, _ in supply.drawings], ["a dog", "two puppies"])
        rng = np.random.default_rng(0)
        self.assertGreater(len({p[1] for p in supply.chosen(rng, 200)}), 6)
        from undertone.teacher import Prompts
        namer = perceptual.Namer().requires_grad_(False)
        prompts = Prompts(self.net.text)
        new = self.net.text.text_model.embeddings.token_embedding.new
        for loss in (edit.edit_loss(self.net, namer, rng, supply, 4), edit.memory_loss(self.net, rng, supply, prompts, 2),
                     edit.drawing_loss(self.net, namer, rng, supply, 12)):
            self.net.zero_grad(set_to_none=True)
            loss.backward()
            self.assertTrue(torch.isfinite(loss) and self.net.dit.img_in.weight.grad.any())
        self.assertTrue(new.grad[edits.VOCAB["dog"] - len(captions.VOCAB)].any())
        self.net.zero_grad(set_to_none=True)

    def test_the_second_step_of_an_edit_begins_where_the_first_one_leads(self):
        supply, rng, calls = supplies.Supply(), np.random.default_rng(0), []
        scenes, asked = triples.drawn(0, scenes=2)
        supply.z = torch.randn(len(scenes), 16, 16, 16).half()
        supply.pairs = [(0, i, e, scenes[0]) for i, e in enumerate(asked) if e and i < 4]
        supply.shares = np.linspace(0, 1, len(supply.pairs) + 1)[1:]
        namer, forward = perceptual.Namer().requires_grad_(False), self.net.dit.forward

        def spy(x, tokens, t, *a, **k):
            v = forward(x, tokens, t, *a, **k)
            calls.append((x, t, v.detach().float()))
            return v

        with mock.patch.object(edit, "times", lambda n, shares: torch.full((n,), .5)), mock.patch.object(self.net.dit, "forward", spy):
            for own, count in ((1.0, 2), (0.0, 1)):
                calls.clear()
                with mock.patch.object(edit, "OWN", own):
                    edit.edit_loss(self.net, namer, rng, supply, 3).backward()
                self.assertEqual(len(calls), count)
                if own:
                    (noise, start, v), (x, t, _) = calls
                    self.assertEqual((start.tolist(), t.tolist()), ([1.0] * 3, [.5] * 3))
                    torch.testing.assert_close(x, noise - .5 * v)
        self.net.zero_grad(set_to_none=True)

    def test_a_velocity_that_leads_to_the_picture_costs_nothing(self):
        x0, x, t = torch.randn(2, 64, 64), torch.randn(2, 64, 64), torch.tensor([1.0, .25])
        namer = perceptual.Namer().requires_grad_(False)
        with mock.patch.object(perceptual, "SOFT", 0.0):
            loss = edit.flow_loss(namer, x, (x - x0) / t[:, None, None], t, x0, torch.ones(2, 64))
        self.assertLess(loss.item(), 1e-4)

    def test_rows_of_three_and_pairs_are_shown_more_often(self):
        scenes = [scene.Scene(objects, 80, xs, "meadow", "day", "flat", 1, 1, 0) for objects, xs in (
            ((("car", "red"),), (128,)), ((("car", "red"), ("fish", "blue")), (70, 186)), ((("car", "red"),) * 2, (70, 186)),
            ((("car", "red"),) * 3, (48, 128, 208)))]
        self.assertEqual([supplies.crowded(s) for s in scenes], [1.0, supplies.PAIRS, 1.0, supplies.THREE])

    def test_the_perceptual_distance_is_of_features_and_reaches_the_first_picture_alone(self):
        namer = perceptual.Namer().requires_grad_(False)
        a, b = torch.randn(2, 3, 16, 16, 16)
        a.requires_grad_(True)
        b.requires_grad_(True)
        with mock.patch.object(perceptual, "SOFT", 0.0):
            self.assertEqual(perceptual.distance(namer, a, a.detach()).tolist(), [0.0] * 3)
        far = perceptual.distance(namer, a, b)
        self.assertEqual(far.shape, (3,))
        self.assertTrue((far > 0).all() and (far <= 4 * len(perceptual.WIDTHS)).all())
        far.sum().backward()
        self.assertTrue(a.grad.any() and b.grad is None)
        s = scene.draw_scene(np.random.default_rng(0), 3)
        self.assertEqual(perceptual.labels([s, replace(s, sun=False)])[:, -1].tolist(), [1, 0])

    def test_late_kinds_are_made_more_often(self):
        def share(shares):
            made = [e.kind for n in range(3) for e in triples.drawn(n, scenes=100, shares=shares)[1] if e]
            return np.mean([k in ("remove", "replace", "sun") for k in made])
        self.assertGreater(share(triples.LESSONS), 2 * share(edits.SHARES))

    def test_parts_are_the_same_whenever_they_are_drawn(self):
        self.assertEqual(triples.drawn(7, scenes=5), triples.drawn(7, scenes=5))
        self.assertNotEqual(triples.drawn(7, scenes=5)[0], triples.drawn(8, scenes=5)[0])


class Loop(unittest.TestCase):
    def run_with(self, losses):
        torch.manual_seed(0)
        net, calls = torch.nn.Linear(3, 1), iter(losses)
        with tempfile.TemporaryDirectory() as d, mock.patch.object(loop, "STATE", Path(d)):
            ema = loop.train("small", net, lambda p: net(torch.ones(1, 3)).sum() * next(calls), .0005, 1e-3)
        return net, ema

    def test_a_step_without_a_finite_gradient_changes_nothing(self):
        with mock.patch.object(loop, "clock", iter(np.arange(0, 9, .005)).__next__):  # six steps
            net, ema = self.run_with([1, float("nan"), 1, float("inf"), 1, 1, 1])
        for p in (*net.parameters(), *ema.parameters()):
            self.assertTrue(torch.isfinite(p).all())

    def test_training_gives_up_when_nothing_is_finite_any_more(self):
        with self.assertRaisesRegex(FloatingPointError, "small: no finite gradient in 20 steps"):
            with mock.patch.object(loop, "clock", iter(np.arange(0, 9, .0001)).__next__):
                self.run_with([float("nan")] * 100)


if __name__ == "__main__":
    unittest.main()
