"""Writes the card of a model with a pooled adapter: python3 -m undertone.adapter_report FOLDER. The words are adapter_card.md's, the
numbers those of FOLDER/evaluation.json, which adapter_evaluate.py measured."""
from pathlib import Path

from .heldout import SCORED
from .report import braced, share, signed, table, write_card

TEMPLATE = Path(__file__).with_name("adapter_card.md")
TITLES = {"with its path": "Sprite scenes, with its path", "without": "without the path", "adapter": "with the adapter, w = 0"}


def sure(x):
    """Whether the whole interval of a change lies on one side of 0."""
    return x["value"] is not None and (x["low"] > 0 or x["high"] < 0)


def generation(e):
    g = e["generation"]
    rows = [[k, *(share(g[m][k]) for m in TITLES), signed(g["without - with"][k]), signed(g["adapter - without"][k])] for k in SCORED]
    return table(["asked for", *TITLES.values(), "without the path against with", "adapter against without"], rows)


def moved(changes):
    """What of paired changes is surely not 0, in words."""
    return ", ".join(f"{k} {signed(changes[k])}" for k in SCORED if sure(changes[k]))


def cut(e):
    found = moved(e["generation"]["without - with"])
    return f"Not quite. Beyond their intervals: {found}." if found else "It does: no attribute differs beyond its interval."


def alone(e):
    g = e["generation"]
    found, p = moved(g["adapter - without"]), g["psnr"]
    return (f"At w = 0 the adapter adds scales · ψ(prompt) to what every block reads. Pictures with and without it differ by "
            f"{p['adapter']['median']} dB (median of {p['captions']}); those of the model with its path differ from them by "
            f"{p['with its path']['median']} dB. " + (f"Beyond their intervals: {found}." if found else
            "No attribute differs beyond its interval.") + " Switched off (`--ablate-pooled off`), every pixel is the plain model's.")


def guidance(e):
    rows = []
    for name, part in e["guidance"].items():
        if name == "captions":
            continue
        for which in ("with its path", "adapter"):
            for start, curve in part[which]["curves"].items():
                for w, c in sorted(curve.items(), key=lambda x: int(x[0])):
                    rows.append([name, TITLES[which].split(",")[0] if which == "with its path" else "adapter",
                                 "every block" if start == "0" else f"block {start} on", w, f"{c['score']:.2f}", signed(c["gain"], 2),
                                 signed(c["object change"])])
    return table(["direction", "model", "guided", "w", "score", "gain", "objects"], rows)


def baselines(e):
    rows = []
    for name, part in e["guidance"].items():
        if name == "captions":
            continue
        rows += [[name, f"random direction, w = {w}", signed(c["gain"], 2), signed(c["object change"])] for w, c in part["random"].items()]
        rows.append([name, "words in the prompt", signed(part["words"]["gain"], 2), signed(part["words"]["object change"])])
    return table(["direction", "", "gain", "objects"], rows)


def presets(e):
    rows = []
    for id, p in e["presets"].items():
        for which in ("with its path", "adapter"):
            cells = p[which]
            rows.append([id, TITLES[which].split(",")[0] if which == "with its path" else "adapter",
                         *(share(cells[w]["share"]) for w in sorted(cells, key=int)),
                         signed(cells["2"]["object change"]), p["captions"]])
    return table(["direction", "model", "w = 0", "1", "2", "3", "4", "objects at w = 2", "captions"], rows)


def card(e):
    parts = {"captions": e["generation"]["captions"], "few": e["guidance"]["captions"], "generation": generation(e), "cut": cut(e),
             "alone": alone(e), "guidance": guidance(e), "baselines": baselines(e), "presets": presets(e)}
    return braced(TEMPLATE, parts)


if __name__ == "__main__":
    write_card(__doc__, card)
