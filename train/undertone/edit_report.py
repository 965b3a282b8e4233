"""Writes what editing is worth: python3 -m undertone.edit_report FOLDER makes FOLDER/editing.md. The words are edit_card.md's, the
numbers those of FOLDER/editing.json, which edit_evaluate.py measured."""
from pathlib import Path

from .edit_evaluate import ENOUGH_PSNR, IDENTITY_PSNR, STAYS
from .report import braced, share, signed, table, write_card

TEMPLATE = Path(__file__).with_name("edit_card.md")
AIMS = {"asked": 85, "stays": 90}
NAMES = {"another": "one more of the same", "both": "two edits at once", "keep": "nothing", "other": "a second object",
         "quality": "detail and polish", "remove": "an object goes", "replace": "an object becomes another", "sun": "the sun or moon"}


def decibels(x):
    """"27.31 (26.90–27.75)", or a dash where nothing was measured."""
    return "–" if x["value"] is None else f"{x['value']:.2f} ({x['low']:.2f}–{x['high']:.2f})"


def all_edits(e):
    columns = [e["edits"][k] for k in ("guided", "all", "Q4_0", "ceiling", "untouched")]
    row = lambda title, aim, of: [title, aim, *map(of, columns)]  # noqa: E731
    rows = [row("what was asked for is there", AIMS["asked"], lambda x: share(x["asked"])),
            row("the changed region is nearer to the edited scene than to the one before", "", lambda x: share(x["nearer"])),
            *(row(f"stays: {k}" + ("†" if k in e["edits"]["unjudged"] else ""), AIMS["stays"], lambda x, k=k: share(x["stays"][k]))
              for k in STAYS),
            row("outside the changed region, dB", ENOUGH_PSNR, lambda x: decibels(x["outside"]["dB"])),
            row(f"… at least {ENOUGH_PSNR} dB", "", lambda x: share(x["outside"]["enough"])),
            row("the picture as it is, dB", IDENTITY_PSNR, lambda x: decibels(x["identity"]["dB"])),
            row("to the true edited scene, dB", "", lambda x: decibels(x["truth"]))]
    return table(["", "aim", "as the page begins, w = 1", "words alone, w = 0", "at 4 bits, w = 1", "the true scenes through the autoencoder", "the pictures before"], rows)


def others(e):
    cells = [v for k, v in e["others"].items() if k != "edits"]
    rows = [["what was asked for is there", *(share(c["asked"]) for c in cells)], *(
        [f"stays: {k}", *(share(c["stays"][k]) for c in cells)] for k in STAYS),
        ["outside the changed region, dB", *(decibels(c["outside"]["dB"]) for c in cells)],
        ["to the true edited scene, dB", *(decibels(c["truth"]) for c in cells)]]
    return table(["", *(f"{k} steps" for k in e["others"] if k != "edits")], rows)


def by_kind(e):
    rows = [[NAMES.get(k, k), share(v["asked"]), share(v["nearer"]), decibels(v["outside"]["dB"]), v["truth"]["n"]]
            for k, v in e["edits"]["by kind"].items()]
    return table(["edit", "asked for", "nearer", "outside, dB", "edits"], rows)


def strengths(e, which):
    rows = []
    for start, cells in e["guidance"][which].items():
        for w, g in sorted(cells.items(), key=lambda c: float(c[0])):
            name = "every block" if start == "0" else f"block {start} on"
            rows.append(["" if w == "0" else name, w, share(g["strength"]), share(g["preservation"]), signed(g["strength change"]),
                         signed(g["preservation change"])])
    return table(["guided", "w", "asked for", "kept", "change", "change of what is kept"], rows)


def baselines(e):
    g = e["guidance"]
    rows = [[f"CFG {s}", v] for s, v in g["cfg"].items()] + [["the instruction twice", g["words twice"]]]
    rows += [[f"{n} steps", v] for n, v in g["steps"].items()]
    return table(["", "asked for", "kept", "change", "change of what is kept"],
                 [[n, share(v["strength"]), share(v["preservation"]), signed(v["strength change"]), signed(v["preservation change"])]
                  for n, v in rows])


def presets(e):
    rows = [[k, "every block" if not p["start"] else f"block {p['start']} on", *(share(v["shown"]) if not p["scored"] else
             f"{v['shown']['value']:.2f}" for v in p["weights"].values()), *(f"{p['weights'][w]['kept']['value']:.1f}" for w in ("0", "2", "4"))]
            for k, p in e["presets"].items()]
    return table(["preset", "guided", *(f"w = {w}" for w in next(iter(e["presets"].values()))["weights"]), "kept at 0", "at 2", "at 4"], rows)


def more(e):
    with_, without = (e["edits"]["more"][k] for k in ("with", "without"))
    row = lambda title, of: [title, of(with_), of(without)]  # noqa: E731
    rows = [row("what was asked for is there", lambda x: share(x["asked"])), *(row(f"stays: {k}", lambda x, k=k: share(x["stays"][k])) for k in
            ("object", "colour")), row("edits", lambda x: x["truth"]["n"])]
    return table(["", "with one of the six", "without"], rows)


def short(s):
    """What of the aims the scores s do not reach, in words."""
    out = [f"what was asked for is there in {s['asked']['value']:.1f} % of the edits ({AIMS['asked']} wanted)"] * (
        s["asked"]["value"] < AIMS["asked"])
    out += [f"{k} stays in {v['value']:.1f} % ({AIMS['stays']} wanted)" for k, v in s["stays"].items()
            if k in STAYS and v["value"] is not None and v["value"] < AIMS["stays"]]
    out += [f"outside the changed region the mean is {s['outside']['dB']['value']:.1f} dB ({ENOUGH_PSNR} wanted)"] * (
        s["outside"]["dB"]["value"] < ENOUGH_PSNR)
    return out + [f"a picture to be left as it is comes back with {s['identity']['dB']['value']:.1f} dB ({IDENTITY_PSNR} wanted)"] * (
        s["identity"]["dB"]["value"] < IDENTITY_PSNR)


def reached(e):
    """Which of the aims are reached, in words."""
    said = []
    for which, title in (("guided", "As the page begins"), ("all", "With words alone")):
        missed = short(e["edits"][which])
        said.append(f"{title}, " + (f"not reached: {'; '.join(missed)}." if missed else "every aim is reached."))
    return " ".join(said)


def card(e):
    parts = {"edits": e["edits"]["edits"], "few": e["guidance"]["edits"], "all": all_edits(e), "kinds": by_kind(e), "others": others(e), "fresh": e["others"]["edits"], "reached": reached(e),
             "true objects": e["edits"]["ceiling"]["stays"]["object"]["value"],
             "words": strengths(e, "words"), "alone": strengths(e, "alone"), "baselines": baselines(e), "presets": presets(e), "more": more(e)}
    return braced(TEMPLATE, parts)


if __name__ == "__main__":
    write_card(__doc__, card, "editing.md", "editing.json")
