"""How an edit is scored: what is asked for and what stays, regions, and that wrong pictures score low."""
import json
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from undertone import edit, edit_evaluate as ev, edits, export, judge, precision, render, shipped  # noqa: E402


@unittest.skipIf(not Path(render.FONT).exists(), "install fonts-noto-color-emoji or set UNDERTONE_EMOJI")
class Scores(unittest.TestCase):
    items = [ev.Item(i) for i in range(16)]  # pictures are drawn once, when first looked at

    def item(self, want, n=400):
        return next(i for i in map(ev.Item, range(n)) if want(i))

    def setting(self, pictures_of):
        """A setting whose judge reads the truth of the scenes it is given for pictures."""
        e = ev.Setting.__new__(ev.Setting)
        e.__dict__.update(examined={"unjudged": ["polish"]}, bench=SimpleNamespace(blind=frozenset(), net=None))

        def read(net, pictures):
            rows = [judge.truth(s) for s in pictures_of]
            return {k: np.array([v.index(r[k]) if r[k] is not None else 0 for r in rows]) for k, v in judge.VALUES.items()}
        return e, mock.patch.object(judge, "read", read)

    def score(self, items, which):
        scenes = [i.after if which else i.before for i in items]
        e, patch = self.setting(scenes)
        with patch:
            return e.scores(items, np.stack([i.pictures[which] for i in items]))

    def test_the_true_pictures_score_all_and_untouched_ones_nothing_that_was_asked(self):
        right, wrong = self.score(self.items, 1), self.score(self.items, 0)
        self.assertEqual(np.nanmean(right["asked"]), 1)
        self.assertLess(np.nanmean(wrong["asked"]), .05)
        self.assertEqual(np.nanmean(right["nearer"]), 1)
        self.assertEqual(np.nanmean(wrong["nearer"]), 0)
        self.assertGreater(np.nanmin(right["outside"]), 40)
        for k, v in right["stays"].items():
            self.assertTrue(np.isnan(v).all() if k == "polish" else np.nanmean(v) == 1, k)
        shares = ev.shares(right)
        self.assertEqual((shares["asked"]["value"], shares["outside"]["enough"]["value"]), (100, 100))

    def test_what_is_asked_for_and_what_stays(self):
        colour = self.item(lambda i: i.edit.kind == "colour" and i.edit.to and i.edit.at == 0)
        self.assertEqual(colour.asks, {"first colour": colour.edit.to})
        self.assertEqual(colour.stays["count"], 2)
        removed = self.item(lambda i: i.edit.kind == "remove" and i.edit.at == 0)
        self.assertEqual(removed.asks.get("count"), 1)
        self.assertEqual(removed.asks.get("first"), removed.before.objects[1][0])
        self.assertNotIn("side", removed.asks)
        sun = self.item(lambda i: i.edit.kind == "sun")
        self.assertEqual(sun.asks, {})
        kept = self.item(lambda i: i.edit.kind == "keep")
        self.assertTrue(np.isnan(ev.nearer(kept.pictures[0], kept)) and kept.unchanged.all())
        night = self.item(lambda i: i.edit.kind == "time" and i.before.place != "plain")
        self.assertIsNone(night.unchanged)

    def test_a_paired_gain_is_zero_against_itself(self):
        s = self.score(self.items, 1)
        g = ev.gain(s, s)
        self.assertEqual((g["strength change"]["value"], g["preservation change"]["value"], g["outside change"]["value"]), (0, 0, 0))

    def test_held_out_edits_are_not_those_of_training(self):
        from undertone import triples
        self.assertNotIn(ev.SEED, (triples.SEED, triples.MEMORY_SEED))
        self.assertEqual((ev.Item(5).text, ev.Item(5).edit), (ev.Item(5).text, ev.Item(5).edit))


class Bundle(unittest.TestCase):
    def test_an_edit_model_as_a_bundle_draws_as_it_does_in_training(self):
        torch.manual_seed(0)
        net = edit.Editor()
        net.start(edit.MODEL)
        with tempfile.TemporaryDirectory() as d, mock.patch.object(edit, "trained", lambda: net):
            edit.export(Path(d))
            m = json.loads((Path(d) / "model.json").read_text())
            model, exact = shipped.Shipped(d), shipped.Shipped(d, exact=True)
            encoder = export.read_safetensors(Path(d) / "encoder.safetensors")
            old = export.read_safetensors(edit.MODEL / "encoder.safetensors")
        self.assertEqual({f["role"] for f in m["files"]}, {"dit", "text", "vae", "tokenizer", "encoder"})
        part = next(c for c in m["components"] if c["role"] == "encoder")
        self.assertEqual(part["config"]["stages"], [{"channels": 32, "blocks": 1}, {"channels": 64, "blocks": 2}, {"channels": 128, "blocks": 2}])
        self.assertEqual((part["kind"], part["config"]["unshuffle"], part["config"]["mean"]), ("tiny", 4, .5))
        self.assertEqual(part["parameters"], sum(v.numel() for v in encoder.values()))
        for k, v in old.items():
            self.assertTrue(torch.equal(v, encoder[k]), k)
        text = "turn the car blue"
        self.assertEqual(model.ids(text), edits.encode(text))
        z = torch.randn(1, 16, 16, 16)
        a, b = (edit.draw(n, z, *enc([text])) for n, enc in ((net.dit, net.encode), (model.net, model.encode)))
        self.assertLess((a - b).abs().mean().item(), .02)  # bf16 of the new rows
        with mock.patch.object(precision, "bf16", lambda: False):  # whose rounding would make much of little
            words = exact.encode([text])
            plain, free = (edit.draw(exact.net, z, *words, cfg=scale, empty=exact.empty) for scale in (1.0, 1.0 + 1e-6))
        self.assertLess((free - plain).abs().max().item(), 1e-3)


if __name__ == "__main__":
    unittest.main()
