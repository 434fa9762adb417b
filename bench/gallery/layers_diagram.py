#!/usr/bin/env python3
"""Which layer?  Measures maps of several layers, and draws docs/pictures/layers.svg.

    layers_diagram.py KLDVE SCENES FOLDER [ASSETS] [--cost | --draw-only]

KLDVE is the command, SCENES is kldve-scenes, which is built with it; FOLDER keeps pictures, databases and
the figures, layers.json, and a second run goes on where the first one stopped.  With ASSETS (models/
and images/, labelled as bench/study/lists.py expects) SqueezeNet 1.1 is measured as well.

    demonstration network   100 scenes of two objects with their exact masks, each object asked for
    SqueezeNet 1.1          mosaics of two photographs of ImageNet, each label asked for

Of each layer: its cells; the share of the map inside what was asked for (energy_inside), of KL-DVE and
Grad-CAM; the time of the pass back to the layer as a part of the forward pass, each the least of 40 runs
on one thread.  --cost measures the times alone again and keeps the lesser ones, for machines that
are never quiet.  Needs only Python's standard library."""
import argparse
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENES, RUNS = 100, 40
METHODS = ["kl-dve", "grad-cam"]
KINDS = ["boat", "car", "cat", "fish", "flower", "house", "mug", "mushroom", "tree", "umbrella"]
DEMO = ["relu1", "relu2", "relu3", "relu4", "relu5", "features"]
SQUEEZENET = ["pool1", "fire2/concat", "fire3/concat", "fire4/concat", "fire5/concat", "fire6/concat",
              "fire7/concat", "fire8/concat", "fire9/concat", "relu_conv10"]


# ---- measuring ----------------------------------------------------------------------------------

def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"layers_diagram: {' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def draw_scenes(scenes, folder):
    """Scenes of two kinds and a table of both questions about each."""
    rows = ["path\tlabel\tmask"]
    for i in range(SCENES):
        first, second = KINDS[i % 10], KINDS[(i + 1 + i // 10 % 9) % 10]
        names = [f"{i:03}.png", f"{i:03}-a.png", f"{i:03}-b.png"]
        if not (folder / names[2]).exists():
            run(scenes, "--seed", 5000 + i, "--size", 192, f"{first},{second}", *[folder / n for n in names])
        rows += [f"{names[0]}\t{first}\t{names[1]}", f"{names[0]}\t{second}\t{names[2]}"]
    (folder / "scenes.tsv").write_text("\n".join(rows) + "\n")
    return folder / "scenes.tsv"


def inside(kldve, model, layer, dataset, database):
    """{method: mean share of the map inside what was asked for}"""
    run(kldve, "evaluate", model, *dataset, "--ask", "label", "--layer", layer, "--metric", "energy_inside",
        *[word for method in METHODS for word in ("--method", method)], "--db", database, "--quiet")
    means = json.loads(run(kldve, "results", database, "--json", "-"))["means"]
    return {m["method"].split(":")[0]: m["mean"] for m in means}


def cost(kldve, model, layer, picture):
    """(forward, back) in ms, the least of several runs."""
    timings = [json.loads(run(kldve, "explain", model, picture, "--layer", layer, "--threads", 1,
                              "--json", "-"))["timings_ms"] for _ in range(RUNS)]
    return min(t["forward"] for t in timings), min(t["backward"] for t in timings)


def cells(kldve, model):
    """{layer: [rows, columns]} as `kldve layers` prints it: NAME OPERATOR 1 x MAPS x ROWS x COLUMNS"""
    found = {}
    for line in run(kldve, "layers", model).splitlines():
        words = line.replace("*", " ").split()
        if len(words) >= 9 and words[3] == "x":
            found[words[0]] = [int(words[6]), int(words[8])]
    return found


def measure(kldve, model, layers, dataset, folder):
    sizes = cells(kldve, model)
    rows = []
    for layer in layers:
        database = folder / f"{pathlib.Path(model).stem}-{layer.replace('/', '-')}.db"
        rows.append({"layer": layer, "cells": sizes[layer],
                     **inside(kldve, model, layer, dataset, database)})
        print(rows[-1], flush=True)
    return rows


def add_costs(kldve, model, rows):
    """To each row, what the way back costs as a part of the forward pass: the least times so far."""
    picture = ROOT / "demo/pictures/scene1.png"
    for row in rows:
        forward, back = cost(kldve, model, row["layer"], picture)
        row["forward_ms"] = min(forward, row.get("forward_ms", forward))
        row["back_ms"] = min(back, row.get("back_ms", back))
    forward = min(row["forward_ms"] for row in rows)
    for row in rows:
        row["back"] = row["back_ms"] / forward
        print(f"{row['layer']}: {row['back_ms']:.3f} of {forward:.3f} ms", flush=True)


def networks(args):
    """[(title, model, layers, data set)]"""
    found = [("demonstration network, scenes of two objects", ROOT / "demo/kldve-demo.onnx", DEMO,
              [draw_scenes(args.scenes, args.folder)])]
    if args.assets:
        images = pathlib.Path(args.assets) / "images"
        run(sys.executable, ROOT / "bench/study/lists.py", images, args.folder, "short")
        found.append(("SqueezeNet 1.1, mosaics of two photographs",
                      pathlib.Path(args.assets) / "models/squeezenet_v1.1.onnx", SQUEEZENET,
                      [args.folder / "labelled.tsv", "--pictures", images, "--mosaic", 2]))
    return found


def measure_all(args, figures):
    found = json.loads(figures.read_text()) if args.cost else {}
    for title, model, layers, dataset in networks(args):
        if not args.cost:
            found[title] = measure(args.kldve, model, layers, dataset, args.folder)
        add_costs(args.kldve, model, found[title])
    figures.write_text(json.dumps(found, indent=1))


# ---- drawing ------------------------------------------------------------------------------------

LEFT, TOP, WIDE, HIGH, GAP = 66, 34, 380, 112, 30
COLOURS = {"cells": "#7a5195", "kl-dve": "#d1495b", "grad-cam": "#30638e", "back": "#8a6d1f"}


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{words}</text>'


def line(xs, values, top, most, colour, words, put=-8):
    """One curve of a panel, from 0 at its foot to `most` at its head, with its name at the last point."""
    ys = [top + HIGH * (1 - v / most) for v in values]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys))
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in zip(xs, ys))
    return (f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>{dots}' +
            text(xs[-1] + 4, ys[-1] + put, words, "end", f'fill="{colour}" font-weight="bold"'))


def axis(left, top, most, unit):
    parts = []
    for share in (0, 0.5, 1):
        y = top + HIGH * (1 - share)
        label = f"{most * share:.2g}" if most < 10 else f"{most * share:.0f}"
        parts.append(f'<line x1="{left}" x2="{left + WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>' +
                     text(left - 6, y + 4, label, "end"))
    parts.append(text(left, top - 8, unit, "start", 'fill="#555"'))
    return "".join(parts)


def column(left, title, rows):
    """Three panels above each other: resolution, meaning, cost."""
    xs = [left + WIDE * (i + 0.5) / len(rows) for i in range(len(rows))]
    tops = [TOP + 26 + i * (HIGH + GAP) for i in range(3)]
    most = [max(r["cells"][0] for r in rows), 1, 50 * math.ceil(2 * max(r["back"] for r in rows))]
    parts = [text(left + WIDE / 2, 20, title, "middle", 'font-size="15" font-weight="bold"')]
    units = ["resolution: cells on each side", "meaning: share of the map on what was asked for",
             "cost: the way back to the layer, % of the forward pass"]
    parts += [axis(left, top, high, unit) for top, high, unit in zip(tops, most, units)]
    parts.append(line(xs, [r["cells"][0] for r in rows], tops[0], most[0], COLOURS["cells"], ""))
    parts.append(line(xs, [r["kl-dve"] for r in rows], tops[1], 1, COLOURS["kl-dve"], "kl-dve"))
    parts.append(line(xs, [r["grad-cam"] for r in rows], tops[1], 1, COLOURS["grad-cam"], "grad-cam", 18))
    parts.append(line(xs, [100 * r["back"] for r in rows], tops[2], most[2], COLOURS["back"], ""))
    foot = tops[2] + HIGH + 14
    for x, row in zip(xs, rows):
        name = row["layer"].replace("/concat", "")
        parts.append(text(x, foot, name, "end", f'transform="rotate(-35 {x:.1f} {foot:.1f})"'))
    return "".join(parts)


def draw(found, path):
    width = LEFT + len(found) * (WIDE + LEFT)
    height = TOP + 3 * (HIGH + GAP) + 90
    columns = "\n".join(column(LEFT + i * (WIDE + LEFT), title, rows)
                        for i, (title, rows) in enumerate(found.items()))
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                    f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">\n'
                    f'<rect width="100%" height="100%" fill="white"/>\n{columns}\n</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kldve")
    parser.add_argument("scenes")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("assets", nargs="?")
    parser.add_argument("--cost", action="store_true", help="measure the times again")
    parser.add_argument("--draw-only", action="store_true", help="draw FOLDER/layers.json again")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    figures = args.folder / "layers.json"
    if not args.draw_only:
        measure_all(args, figures)
    draw(json.loads(figures.read_text()), ROOT / "docs/pictures/layers.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
