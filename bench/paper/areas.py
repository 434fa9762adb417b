#!/usr/bin/env python3
"""How large are the maps of the paper's six kinds of object?  A table for docs/paper.md.

    areas.py KLDVE NETWORK.onnx... -- PICTURE...

Asks every network for the object of every picture: the synset in the file's name (n03891251_park_bench.JPEG).
Prints, in Markdown, how often the network names the object first, and by method the share of the
picture that holds half of the map's energy, as the mean over the pictures and for each picture."""
import json
import os
import re
import subprocess
import sys

METHODS = ["kl-dve:paper", "kl-dve:neighbours", "guided-backprop", "grad-cam"]


def maps_of(kldve, networks, picture):
    """The maps and predictions of one picture, all networks asked for its object."""
    synset = re.search(r"n\d{8}", os.path.basename(picture))
    if not synset:
        sys.exit(f"areas: {picture}: its name has no synset")
    done = subprocess.run([kldve, "compare", *[word for n in networks for word in ("--model", n)], picture,
                           *[word for m in METHODS for word in ("--method", m)], "--target", synset[0],
                           "--json", "-", "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"areas: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    for prediction in found["predictions"]:
        asked = next(m for m in found["maps"] if m["network"] == prediction["network"])
        prediction["right"] = prediction["top5"][0]["index"] == asked["target"]["index"]
    return found


def area(found, network, method):
    return next(m["energy_area"] for m in found["maps"] if m["network"] == network and
                method in (m["method"], f"{m['method']}:{m['reading']}"))


def row(cells):
    print("| " + " | ".join(cells) + " |")


def main(kldve, networks, pictures):
    found = [maps_of(kldve, networks, picture) for picture in pictures]
    row(["network", "object named first", *[f"`{m}`" for m in METHODS]])
    row(["---"] * (2 + len(METHODS)))
    for network in [n["name"] for n in found[0]["networks"]]:
        right = sum(p["right"] for f in found for p in f["predictions"] if p["network"] == network)
        areas = [[100 * area(f, network, m) for f in found] for m in METHODS]
        row([network, f"{right} of {len(found)}",
             *[f"{sum(a) / len(a):.1f} ({', '.join(f'{x:.0f}' for x in a)})" for a in areas]])


if __name__ == "__main__":
    if "--" not in sys.argv or sys.argv.index("--") < 3:
        sys.exit(__doc__)
    split = sys.argv.index("--")
    main(sys.argv[1], sys.argv[2:split], sys.argv[split + 1:])
