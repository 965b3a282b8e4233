"""The count at the end of `make test` (.ci/count): the second try of a test counts."""

import subprocess
from pathlib import Path

COUNT = Path(__file__).parents[2] / ".ci/count"

FIRST = """--- PASS: TestA (0.01s)
=== STAGE e2e
--- FAIL: TestA (1.00s)
    --- FAIL: TestA/one (0.50s)
    --- PASS: TestA/two (0.50s)
--- SKIP: TestB (0.00s)
"""


def count(tmp_path, log):
    (tmp_path / "log").write_text(log)
    done = subprocess.run([COUNT, tmp_path / "log"], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_failure_fails(tmp_path):
    assert count(tmp_path, FIRST) == (1, "2 passed, 2 failed, 1 skipped\n")


def test_a_second_try_counts_and_is_named(tmp_path):
    again = FIRST + "=== SECOND TRY TestA\n--- PASS: TestA (1.00s)\n    --- PASS: TestA/one (0.5s)\n    --- PASS: TestA/two (0.5s)\n"
    assert count(tmp_path, again) == (0, "4 passed, 0 failed, 1 skipped\nfailed at first, tried twice: TestA\n")


def test_a_second_failure_fails(tmp_path):
    again = FIRST + "=== SECOND TRY TestA\n--- FAIL: TestA (1.00s)\n    --- FAIL: TestA/one (0.5s)\n    --- PASS: TestA/two (0.5s)\n"
    status, text = count(tmp_path, again)
    assert status == 1 and text.startswith("2 passed, 2 failed, 1 skipped\n")
