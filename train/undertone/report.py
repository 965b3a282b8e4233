"""Writes the model card and its plots: python3 -m undertone.report. The words are card.md's, the numbers evaluation.json's."""
import argparse
import json
import re
from pathlib import Path

from . import plots
from .captions import DETAIL_WORDS, POLISH_WORDS
from .config import MODEL, ROOT
from .heldout import SCORED
from .scene import COLOURS, EVERY, FIXED, MORE, STYLES

AIMS = {"object": 85, "colour": 88, "count": 65, "style": 88, "place": 92}
MIB = 1 << 20
PAIRS = ("object, of pairs of two different ones", "object by kind", "pair")
GLOSSY = ("style, of glossy ones", "style", "glossy")
TEMPLATE = Path(__file__).with_name("card.md")


def share(x):
    """"91.2 (88.0–93.6)", or a dash where nothing was asked."""
    return "–" if not x or x["value"] is None else f"{x['value']:.1f} ({x['low']:.1f}–{x['high']:.1f})"


def signed(x, digits=1):
    if not x or x["value"] is None:
        return "–"
    return f"{x['value']:+.{digits}f} ({x['low']:+.{digits}f} to {x['high']:+.{digits}f})".replace("-", "−")


def table(head, rows):
    lines = ["| " + " | ".join(map(str, r)) + " |" for r in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def listed(words):
    return ", ".join(words)


def passed(ok):
    return "yes" if ok else "no"


def marked(e, k):
    """The attribute's name, with a dagger where the judge is below its mark."""
    return k + ("†" if k in e["judged"]["unjudged"] else "")


def scores(e):
    v = e["variants"]
    columns = [("as kept here", v["student"]["all"]), ("at Q8_0", v["Q8_0"]["all"]), ("at 4 bits (Q4_0)", v["Q4_0"]["all"]),
               ("ceiling", e["judged"]["ceiling"]["all"])]
    rows = [[marked(e, k), AIMS.get(k, ""), *(share(c[k]) for _, c in columns), v["student"]["all"][k]["n"]] for k in SCORED]
    return table(["asked for", "aim", *(n for n, _ in columns), "captions"], rows)


def kinds(e, name, title):
    parts = [("before", e["before"]["before"]["by"]), ("now", e["variants"]["student"]["by"]), ("now, Q4_0", e["variants"]["Q4_0"]["by"]),
             ("ceiling", e["judged"]["ceiling"]["by"])]
    rows = [[k, *(share(p[name].get(k)) for _, p in parts), parts[1][1][name][k]["n"]] for k in parts[1][1][name]]
    return table([title, *(n for n, _ in parts), "captions"], rows)


def judge_part(e):
    j = e["judged"]
    rows = [[k, f"{100 * v:.1f}", *(f"{100 * j['by_style'][s].get(k, float('nan')):.1f}".replace("nan", "–") for s in STYLES)]
            for k, v in j["accuracy"].items()]
    blind = ("Not scored, because the judge tells them too seldom there: " + "; ".join(
        b.replace(", ", " in ") for b in j["blind"]) + ".") if j["blind"] else ""
    none = (f"Below 95 %: {listed(j['unjudged'])} (†). By this project's rule these count as **unjudged**: their numbers are shown "
            "beside the ceiling, which the same judge's errors lower, and should be read against it."
            ) if j["unjudged"] else "No attribute is below 95 %."
    return f"""A network of {j['parameters'] / 1e6:.1f} M parameters that sees pictures at 128x128 pixels. It was trained on renders that no other
stage has seen (own seeds, own backgrounds), as they are and passed through the autoencoder, and nothing was ever trained
through it. It is made by `train/run.sh judge`. Its accuracy in per cent on {j['pictures']:,} held-out renders passed
through the autoencoder:

{table(["attribute", "all", *STYLES], rows)}

{none} {blind}
"""


def directions(e):
    rows = []
    for name, s in e["guidance"]["shipped"].items():
        w = s["at weight"]
        rows.append([name, s["start"] or "0 (constant)", f"{s['weight']:g}", s["score"], *(
            f"{s['weights'][str(k)]['score']:.2f}" for k in range(4)), passed(s["monotone"]), signed(w["gain"], 2),
            signed(w["object change"]), s["captions"]])
    return table(["preset", "from block", "weight", "score", "w = 0", "1", "2", "3", "rises at every step",
                  "gain at its weight", "objects, points", "captions"], rows)


def sweeps_part(e):
    out = []
    for name in plots.DIRECTIONS:
        part = e["guidance"][name]
        s = part["sweep"]
        rows = [[plots.label(start), w, f"{c['score']:.2f}", signed(c["gain"], 2), share(c["object"]),
                 signed(c["object change"])] for start, curve in s["curves"].items() for w, c in curve.items()]
        rows.append(["no guidance", 0, f"{s['base']['score']:.2f}", "", share(s["base"]["object"]), ""])
        extra = [("words appended to the prompt", "", part["words"])]
        extra += [("random direction, same norm", w, c) for w, c in (part["random"] or {}).items()]
        rows += [[t, w, f"{c['score']:.2f}", signed(c["gain"], 2), share(c["object"]), signed(c["object change"])]
                 for t, w, c in extra]
        out.append(f"**{name}**: “{s['positive']}” minus “{s['negative']}”, {s['captions']} captions, {s['score']}.\n\n" + table(
            ["schedule", "w", "score", "gain", "object accuracy", "change, points"], rows))
    return "\n\n".join(out)


def pooled_part(e):
    p = e["pooled"]
    names = {"zero": "zeroed", "empty": "the empty prompt's", "another": "another prompt's"}
    rows = []
    for k in SCORED:
        for g in ("short", "long"):
            rows.append([marked(e, k), g, share(p["with"][g][k]), *(signed(p[n]["change"][g][k]) for n in names)])
    return table(["asked for", "captions", "with it", *(f"{v}, change" for v in names.values())], rows)


def stages(e):
    rows = [[k, f"{s['minutes']:.0f}", f"{s['steps']:,}", f"{s['first']:.3g} → {s['last']:.3g}"]
            for k, s in e["about"]["stages"].items()]
    return table(["stage", "minutes", "steps", "loss"], rows)


def compared(part, key):
    rows = [[minus, r["start"], r["weight"], share(v["base"]), share(r[key]), signed(r[f"{key} change"]),
             signed(r["object change"])] for minus, v in part.items() for r in v["runs"]]
    return table(["p−", "from block", "w", f"{key} without", "with", "change, points", "objects, points"], rows)


def before(e):
    b, now = e["before"], e["variants"]["student"]
    rows = [[k, share(b["before"]["all"][k]), share(now["all"][k]), signed(b["now - before"][k])] for k in SCORED]
    rows += [[title, *(share(part["by"][k][of]) for part in (b["before"], now)), ""] for title, k, of in (PAIRS, GLOSSY)]
    return table(["asked for", "before", "now", "difference, points"], rows)


def objects(e):
    """Every object, the new ones with a star, the surest first."""
    rows = [[name + (" *" if name in MORE else ""), share(x), x["n"]] for name, x in
            sorted(e["objects"]["object"].items(), key=lambda r: -r[1]["value"])]
    return table(["object", "there as asked", "captions"], rows)


def bits(e):
    v = e["variants"]
    return table(["weights", "bytes", "PSNR in dB, median", "5 % quantile"], [
        [name, f"{v[k]['bytes']:,}", *([v[k]["psnr"]["median"], v[k]["psnr"]["5 %"]] if "psnr" in v[k] else ["", ""])]
        for name, k in (("bf16, as kept here", "student"), ("Q8_0, as the site ships them", "Q8_0"), ("Q4_0", "Q4_0"))])


def differences(part):
    return "; ".join(f"{k} {signed(part[k])}" for k in AIMS)


def presets(e):
    rows = [[k, f"{p['weight']:g}", p["start"], share(p["without"]), share(p["with"]), signed(p["object change"]), p["captions"]]
            for k, p in e["presets"]["presets"].items()]
    return table(["preset", "weight", "from block", "without", "with", "objects, points", "captions"], rows)


def geometry(e):
    rows = [[k, f"{p['delta']:.2f}", f"{p['angle']:.0f}°", f"{p['weight']:g}", f"{p['norm ratio']:.2f}"]
            for k, p in e["pooled"]["geometry"]["presets"].items()]
    return table(["preset", "length of the direction", "angle to y", "weight", "length of the guided y / of y"], rows)


def lab(name):
    """The means of one of the Lab's questions, as `make tour` asked them: a row for each series, a column for each x. Behind
    a gain, after a slash, stands its price."""
    r = json.loads((ROOT / "web" / "tour" / f"{name}.json").read_text())
    xs, priced = sorted({m["x"] for m in r["means"]}), any("price" in m for m in r["means"])  # a price of 0 is left out there
    cells = {(m["series"], m["x"]): f"{m['mean']:.3g} ({m['low']:.3g} to {m['high']:.3g})" + (f" / {m.get('price', 0):.3g}" if priced else "")
             for m in r["means"]}
    rows = [[s, *(cells.get((s, x), "") for x in xs)] for s in dict.fromkeys(m["series"] for m in r["means"])]
    d, n = r["direction"], len(r["prompts"]) * len(r["seeds"])
    price = f" / {r['price']}" if priced else ""
    of = "" if name == "pooled" else f" “{d['positive']}” minus “{d['negative']}”."
    return (f"**{r['question']}** {r['y'][0].upper() + r['y'][1:]}{price}, over: {r['x']}.{of} {n} pictures a cell, {r['precision']}.\n\n"
            + table(["", *(f"{x:g}" for x in xs)], rows).replace("-", "−").replace("−−−", "---"))


SLOTS = {
    **{f"lab/{n}": lambda e, n=n: lab(n) for n in ("pooled", "guidance", "weight", "block")},
    "every object": lambda e: listed(EVERY), "new objects": lambda e: listed(MORE), "by object": objects, "colours": lambda e: listed(COLOURS),
    "never painted": lambda e: listed(sorted(FIXED & EVERY.keys())),
    "quality words": lambda e: listed(sorted({w for t in (DETAIL_WORDS, POLISH_WORDS) for ws in t.values() for w in ws})),
    "scores": scores, "bits": bits, "by kind": lambda e: "\n\n".join(kinds(e, k, k) for k in e["variants"]["student"]["by"]),
    "4 bits against 8": lambda e: differences(e["variants"]["Q4_0 - Q8_0"]),
    "before": before, "judge": judge_part, "directions": directions, "sweeps": sweeps_part,
    "presets": presets, "counting": lambda e: compared(e["presets"]["counting"], "count"),
    "colouring": lambda e: compared(e["presets"]["colour"], "colour"), "pooled": pooled_part, "geometry": geometry,
    "stages": stages,
    "MiB": lambda e: f"{sum(f['bytes'] for f in e['about']['files'].values()) / MIB:.1f}",
    "autoencoder": lambda e: "; ".join(f"{k} {x}" for k, x in e["judged"]["autoencoder"]["by_style"].items()),
}


def fill(text, e):
    """The template with {{slot}} replaced by a table and {{a/b/c}} by the number that lies there in evaluation.json."""
    def value(m):
        name = m[1].strip()
        if name in SLOTS:
            return SLOTS[name](e)
        x = e
        for key in name.split("/"):
            x = x[key]
        return f"{x:,}" if isinstance(x, int) else str(x)

    return re.sub(r"\{\{(.+?)\}\}", value, text)


def braced(template, parts):
    """A template with {name} for each of the parts."""
    text = template.read_text()
    for k, v in parts.items():
        text = text.replace("{" + k + "}", str(v))
    return text


def write_card(doc, card, name="README.md", numbers="evaluation.json"):
    """Writes FOLDER/name of the numbers that lie there, with the folder of the command line."""
    p = argparse.ArgumentParser(description=doc)
    p.add_argument("folder", type=Path)
    a = p.parse_args()
    (a.folder / name).write_text(card(json.loads((a.folder / numbers).read_text())))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folder", type=Path, default=MODEL, help="where evaluation.json lies and the card goes")
    a = p.parse_args()
    e = json.loads((a.folder / "evaluation.json").read_text())
    plots.gains(e, a.folder / "gains.png")
    plots.pooled(e, a.folder / "pooled.png")
    (a.folder / "README.md").write_text(fill(TEMPLATE.read_text(), e))


if __name__ == "__main__":
    main()
