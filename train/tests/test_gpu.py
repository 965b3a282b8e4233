"""What the recipe for a GPU draws and learns from, on a processor; seconds, like test_train.py."""
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from undertone import captions, config, edits, flux, pool, shifts, stages, triples  # noqa: E402
from undertone.clip import Clip  # noqa: E402


def part(scenes=6):
    return pool.describe(np.random.default_rng(0), *triples.drawn(7, scenes))


class Pool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_what_is_said_of_pictures(self):
        about, n = part(), 6 * (1 + triples.EDITS)
        self.assertEqual(about["titles"].shape, (pool.VERSIONS, n, config.MAX_LENGTH))
        self.assertFalse((about["titles"] == captions.UNKNOWN).any())
        self.assertEqual(about["before"].tolist(), [i - i % 4 for i in about["after"].tolist()])
        self.assertEqual(set(range(n)) - set(about["after"].tolist()), set(range(0, n, 4)))
        # Words of instructions alone are said of edited pictures only.
        orders = range(len(captions.VOCAB), len(captions.VOCAB) + len(edits.instruction_words()))
        told = torch.isin(about["titles"].int(), torch.tensor(orders, dtype=torch.int32)).any(-1).any(0)
        self.assertTrue(told.any())
        self.assertFalse(told[::4].any())
        self.assertTrue((about["edit weights"] != 0).any())
        self.assertFalse((about["edit ids"] == captions.UNKNOWN).any())

    def test_parts_are_joined_in_the_order_of_their_numbers(self):
        at = Path(self.folder.name)
        about = part()
        n = len(about["style"])
        with mock.patch.object(pool, "SIZE", n):
            for i in (1, 0, 2):  # as they come
                pool.write(at, f"{i:05d}", np.full((n, 256, 256, 3), i, np.uint8), about)
            drawn = pool.Pool(at, 2, "cpu")
            end = time.time() + 20
            while drawn.parts < 2 and time.time() < end:
                time.sleep(.02)
            drawn.close()
        self.assertEqual(drawn.pictures[[0, n - 1, n, -1], 0, 0, 0].tolist(), [0, 0, 1, 1])
        self.assertEqual(drawn.about["before"][len(about["before"]):].tolist(), (about["before"] + n).tolist())
        self.assertEqual(drawn.about["titles"].shape, (pool.VERSIONS, 2 * n, config.MAX_LENGTH))

    def test_a_process_that_fails_is_told(self):
        with mock.patch.object(pool, "draw_part", mock.Mock(side_effect=SystemExit(3))):
            drawers = pool.Drawers(self.folder.name, 1, 0)
            drawers.processes[0].join(20)
        with self.assertRaisesRegex(RuntimeError, "has failed"):
            drawers.check()

    def test_rows_are_chosen_by_their_weights(self):
        torch.manual_seed(0)
        got = pool.chooser(torch.tensor([0.0, 3.0, 0.0, 1.0]))(4000).bincount(minlength=4)
        self.assertEqual(got[[0, 2]].tolist(), [0, 0])
        self.assertAlmostEqual(got[1].item() / 4000, .75, delta=.03)


class Losses(unittest.TestCase):
    def test_both_reach_the_network(self):
        torch.manual_seed(0)
        about = part()
        z = torch.randn(len(about["style"]), 16, 16, 16).half()
        net = flux.init_for_training(flux.Flux(config.DIT))
        prompts = stages.Words(Clip(config.text_config(len(edits.VOCAB))).requires_grad_(False))
        loss = stages.edit_loss(net, prompts, about, z, 4)
        points = torch.randn(6, 5, 64, 64).half()
        asked = stages.shift_of({n: about[f"mine {n}"][0, :6] for n in stages.SHIFT})
        self.assertIsInstance(asked, shifts.Shifts)
        more = stages.memory_loss(net, (points, asked, torch.zeros(6, 2, dtype=torch.bool)), prompts, 4)
        (loss + more).backward()
        # The output layer starts at zero, so the first gradient is its own.
        self.assertGreater(net.final_layer.linear.weight.grad.abs().max().item(), 0)
        self.assertGreater(min(loss.item(), more.item()), .5)


if __name__ == "__main__":
    unittest.main()
