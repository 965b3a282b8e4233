"""What the edit stage learns from: the parts that triples.py has made so far, and how often it is shown each of them."""
import numpy as np
import torch

from . import edits, shifts, triples

# Kinds that are shown more often than triples.py makes them, pairs of different objects, and rows of three: there most objects got lost.
OFTEN = {"style": 1.8, "colour": 1.4, "both": 1.4, "place": 1.2, "other": 1.6, "replace": 1.5}
PAIRS, THREE = 2.0, 4.5


def crowded(s):
    """How much more often a scene is shown than one of a single object."""
    return THREE if len(s.objects) == 3 else 1.0 if s.same else PAIRS


class Supply:
    """What triples.py has made so far: z [N, 16, 16, 16] and pairs (row before, row after, Edit, scene before); points [M, 5, 64, 64]
    with their masks and shifts (triples.make_memories); drawings, (Shift, noise [64, 64], latents [16, 16, 16]) each."""

    def __init__(self):
        self.known, self.pairs, self.drawings = set(), [], []
        self.z, self.points, self.masks = torch.zeros(0, 16, 16, 16).half(), torch.zeros(0, 5, 64, 64).half(), torch.zeros(0, 2).bool()
        self.shifts, self.shares = None, None

    def refresh(self):
        """Reads what is new; ValueError while there is nothing."""
        for part in self._new("triples"):
            for i, (s, edit) in enumerate(zip(part["scenes"], part["edits"]), len(self.z)):
                if edit is None:
                    before, source = i, s
                else:
                    self.pairs.append((before, i, edit, source))
            self.z = torch.cat([self.z, part["z"]])
        for part in self._new("memories"):
            self.points, self.masks = torch.cat([self.points, part["points"]]), torch.cat([self.masks, part["masks"]])
            self.shifts = shifts.Shifts.join([x for x in (self.shifts, part["shifts"]) if x])
        for part in self._new("drawings"):
            self.drawings += zip(part["shifts"], part["noise"], part["z"])
        if not self.pairs or not len(self.points) or not self.drawings:
            raise ValueError(f"{triples.FOLDER} lacks triples, memories or drawings yet; run python3 -m undertone.triples")
        often = np.array([OFTEN.get(e.kind, 1.0) * crowded(edits.apply(e, s)) for _, _, e, s in self.pairs])
        self.shares = np.cumsum(often / often.sum())
        return self

    def chosen(self, rng, rows):
        """Random pairs, those of kinds in OFTEN and of several objects more often."""
        return [self.pairs[min(i, len(self.pairs) - 1)] for i in np.searchsorted(self.shares, rng.random(rows))]

    def _new(self, kind):
        paths = [p for p in triples.parts(kind) if p.name not in self.known]
        self.known |= {p.name for p in paths}
        return map(torch.load, paths)
