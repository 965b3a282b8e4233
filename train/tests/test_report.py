"""The model card is what evaluation.json says."""
import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from undertone import adapter_report, edit_report, report  # noqa: E402
from undertone.config import MODEL  # noqa: E402


class TheCard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(made.cleanup)
        cls.folder = Path(made.name)
        shutil.copy(MODEL / "evaluation.json", cls.folder)
        with mock.patch.object(sys, "argv", ["report", "--folder", made.name]):
            report.main()

    def test_the_shipped_one_is_made_from_its_numbers(self):
        self.assertEqual((self.folder / "README.md").read_text(), (MODEL / "README.md").read_text())

    def test_that_of_editing_is_made_from_its_numbers(self):
        e = json.loads((MODEL / "editing.json").read_text())
        self.assertEqual(edit_report.card(e), (MODEL / "editing.md").read_text())
        self.assertNotIn("{", edit_report.card(e))
        e["edits"]["guided"]["stays"]["place"]["value"] = 12.3
        self.assertIn("place stays in 12.3 % (90 wanted)", edit_report.card(e))

    def test_that_of_the_model_with_an_adapter_is_made_from_its_numbers(self):
        folder = MODEL.parent / "sprites-adapter"
        e = json.loads((folder / "evaluation.json").read_text())
        self.assertEqual(adapter_report.card(e), (folder / "README.md").read_text())
        self.assertNotIn("{", adapter_report.card(e))
        e["generation"]["without - with"]["style"] = {"value": -5.0, "low": -8.0, "high": -2.0, "n": 9}
        self.assertIn("Beyond their intervals: style −5.0 (−8.0 to −2.0).", adapter_report.card(e))

    def test_its_plots_are_drawn(self):
        for name in ("gains.png", "pooled.png"):
            self.assertEqual((self.folder / name).read_bytes()[:4], b"\x89PNG", name)

    def test_a_number_that_is_missing_is_an_error(self):
        numbers = json.loads((self.folder / "evaluation.json").read_text())
        self.assertIn(str(numbers["about"]["seed"]), report.fill("{{about/seed}}", numbers))
        with self.assertRaises(KeyError):
            report.fill("{{about/nothing}}", numbers)

    def test_intervals_are_written_out(self):
        x = {"value": -1.25, "low": -3.4, "high": 0.9, "n": 8}
        self.assertEqual(report.signed(x), "−1.2 (−3.4 to +0.9)")
        self.assertEqual(report.share({**x, "value": None}), "–")
