#!/usr/bin/env python3
"""The heat map of `kldve explain`, from Python without any packages, through kldve.py beside this file.

    explain.py NETWORK.onnx PICTURE TARGET OUT.png      TARGET: the index of a class

Draws the heat over the picture and prints the map, one row per line."""
import sys

import kldve


def main(model, picture, target, out):
    context = kldve.Context()
    photo = context.load(picture)
    heat = context.open(model).explain(photo, target=int(target))
    heat.save(out, photo)
    for row in heat.values.tolist():
        print(*("%.6f" % value for value in row))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (kldve.Error, KeyboardInterrupt) as why_not:
        sys.exit(str(why_not) or "interrupted")
