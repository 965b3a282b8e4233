"""Drawings: scenes that the shipped student draws badly, as its noises would have them."""
import unittest
from dataclasses import replace

import numpy as np
from undertone import captions, drawings, edits, heldout, render, scene


class Drawings(unittest.TestCase):
    def test_scenes_are_hard_and_captions_name_them_in_words_that_the_model_will_know(self):
        scenes, texts, asks = drawings.captioned(0)
        self.assertEqual((len(scenes), len(texts), len(asks)), (drawings.PART,) * 3)
        self.assertTrue(all(map(drawings.hard, scenes)))
        for text in texts:
            self.assertNotIn(captions.UNKNOWN, edits.encode(text), text)
            self.assertNotIn(captions.UNKNOWN, captions.encode(drawings.known(text)), text)
        for s, text, shift in zip(scenes, texts, asks):
            self.assertEqual(bool(shift.positive), any(shift.weights))
            for words in (shift.positive, shift.negative, shift.caption):
                self.assertNotIn(captions.UNKNOWN, edits.encode(words), words)
            for aspect, shown in heldout.asked(text, s)[0].items():  # what the student is told is true of the scene
                if aspect in ("time", "style", "place"):
                    self.assertEqual(getattr(s, aspect), shown, text)
        self.assertAlmostEqual(np.mean([any(a.weights) for a in asks]), drawings.GUIDED, delta=.1)
        share = lambda of: np.mean([of(s) for s in scenes])  # noqa: E731
        self.assertGreater(share(lambda s: not s.same), .4)
        self.assertGreater(share(lambda s: any(n in scene.MORE for n, _ in s.objects)), .4)
        self.assertGreater(share(lambda s: s.style == "glossy"), .2)

    def test_every_object_has_a_kin_that_the_student_knows(self):
        self.assertEqual(set(drawings.KIN), set(scene.MORE))
        self.assertLessEqual(set(drawings.KIN.values()), set(scene.OBJECTS))
        self.assertEqual(drawings.known("two puppies, a person"), "two cats, a snowman")

    def test_what_a_caption_leaves_open_comes_from_the_picture(self):
        s = scene.Scene((("dog", None),), 160, (128,), "meadow", "night", "flat", 1, 1, 3)
        as_drawn = replace(s, place="beach", bank=7, size=128, xs=(192,), detail=2)
        self.assertEqual(drawings.nearest(s, "a dog at night", render.render(as_drawn)), as_drawn)

    def test_what_a_caption_says_stays(self):
        s = scene.Scene((("dog", "red"), ("cat", None)), 112, (64, 192), "meadow", "night", "flat", 2, 0, 3)
        other = replace(s, objects=(("car", None),), xs=(64,), place="beach", time="day", detail=0, polish=2, bank=8)
        got = drawings.nearest(s, "low-res, a red dog left of a cat in a meadow at night, intricate", render.render(other))
        self.assertEqual(replace(got, bank=3), s)


if __name__ == "__main__":
    unittest.main()
