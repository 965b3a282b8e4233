"""What train/ imports and runs is in .ci/needs, which .ci/setup installs: nothing is there only because a machine had it."""
import ast
import sys
import unittest
from pathlib import Path

TRAIN = Path(__file__).resolve().parents[1]
NEEDS = TRAIN.parent / ".ci" / "needs"

# What the scripts alone import that make golden files (train/golden_*.py), for which `make golden` installs it.
GOLDEN = {"tokenizers", "gguf", "ml_dtypes"}


def needs(*kinds):
    lines = [line.split() for line in NEEDS.read_text().splitlines() if line and not line.startswith("#")]
    return {name for kind, name, _ in lines if kind in kinds}


def imports(tree):
    """The modules that a file imports, by their first name; its own package's, which are relative, are left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[0] for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def commands(tree):
    """The commands that a file runs or looks for: subprocess.run(["go", …]), shutil.which("go")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            if isinstance(first, ast.List) and first.elts and getattr(node.func.value, "id", "") == "subprocess":
                first = first.elts[0]
            elif node.func.attr != "which":
                continue
            if isinstance(first, ast.Constant):
                yield first.value


class Needs(unittest.TestCase):
    def used(self, find):
        files = sorted(p for p in TRAIN.rglob("*.py") if ".venv" not in p.parts)
        self.assertGreater(len(files), 25)
        used = {}
        for p in files:
            for name in find(ast.parse(p.read_text(), str(p))):
                used.setdefault(name, set()).add(str(p.relative_to(TRAIN)))
        return used

    def test_every_import_is_declared(self):
        used = self.used(imports)
        self.assertLessEqual({"torch", "numpy", "PIL", "matplotlib"}, set(used))
        own = {"undertone"} | {p.stem for p in TRAIN.glob("*.py")}
        known = needs("python") | GOLDEN | set(sys.stdlib_module_names) | own
        self.assertEqual({}, {name: where for name, where in used.items() if name not in known})
        golden = (TRAIN.parent / "Makefile").read_text().split("\ngolden:")[1].split("\n\n")[0]
        for name in GOLDEN:
            self.assertRegex(golden, f"pip3 install .* {name}==")
            for script in used[name]:
                self.assertTrue(script.startswith("golden_"), f"{script} imports {name}, which only `make golden` installs")
                self.assertIn("train/" + script, golden)

    def test_every_command_is_declared(self):
        used = self.used(commands)
        self.assertLessEqual({"go", "cc"}, set(used))
        self.assertEqual({}, {name: where for name, where in used.items() if name not in needs("command")})

    def test_requirements_name_the_same(self):
        """requirements.txt is the list for pip, of those who have no Debian."""
        lines = [line for line in (TRAIN / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
        named = {"PIL" if (name := line.split(">=")[0]) == "pillow" else name for line in lines}
        self.assertEqual(named, needs("python") | GOLDEN)
