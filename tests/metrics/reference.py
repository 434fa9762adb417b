#!/usr/bin/env python3
"""The figures of cases.h by other means: numpy, one definition after the other as the papers and
Quantus state them, with expectations over ties by counting.

    python3 reference.py            the table
    python3 reference.py --check    compare it with cases.h beside this file

Exit status 77: numpy is missing."""
import os
import re
import sys

try:
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

HEIGHT, WIDTH = 13, 17
PLACE = np.arange(HEIGHT * WIDTH)


def grid(mul, add, mod, cap):
    v = (PLACE * mul + add) % mod
    return (np.maximum(v - cap, 0).astype(np.float32) / np.float32(mod - 1 - cap)).reshape(
        HEIGHT, WIDTH)


def box(x0, y0, x1, y1):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


MAPS = [(37, 11, 101, 0), (37, 11, 101, 60), (53, 7, 97, 30), (29, 5, 211, 190), (91, 3, 219, 0)]
TRUTHS = [(4, 3, 12, 8), (0, 0, 17, 13), (16, 12, 17, 13), (2, 5, 4, 13)]


def hits(a, s, tolerance):
    """Of all places with the largest value, how many have the object near."""
    rows, columns = np.nonzero(s)
    near = [(np.hypot(rows - y, columns - x) <= tolerance).any()
            for y, x in np.argwhere(a == a.max())]
    return np.mean(near)


def top(a, s, k):
    """|top k and truth| / k; the last places by lot."""
    least = np.sort(a, axis=None)[::-1][k - 1]
    above, equal = a > least, a == least
    return ((s & above).sum() + (s & equal).sum() / equal.sum() * (k - above.sum())) / k


def best_iou(a, s):
    return max((s & (a >= t)).sum() / (s | (a >= t)).sum() for t in np.unique(a))


def entropy(a):
    p = a.ravel().astype(float) / a.sum(dtype=float)
    p = p[p > 0]
    return -(p * np.log(p)).sum()


def gini(a):
    """Half the relative mean absolute difference."""
    x = a.ravel().astype(float)
    return np.abs(x[:, None] - x[None, :]).sum() / (2 * x.size**2 * x.mean())


def localisation(a, s):
    k = int(s.sum())
    part = max(1, int(np.floor(0.02 * a.size + 0.5)))
    wide = int(np.floor(0.25 * a.size + 0.5))
    return (hits(a, s, 0), hits(a, s, 2), a[s].sum(dtype=float) / a.sum(dtype=float), top(a, s, k),
            top(a, s, part), top(a, s, wide), best_iou(a, s))


def map_lines():
    for m in MAPS:
        a = grid(*m)
        yield "    {{%d, %d, %d, %d}, %.12g, %.12g}," % (*m, entropy(a), gini(a))


def truth_lines():
    for i, m in enumerate(MAPS):
        for t in TRUTHS:
            yield "    {%d, {%d, %d, %d, %d}, {%s}}," % (
                i, *t, ", ".join("%.12g" % v for v in localisation(grid(*m), box(*t))))


def lines():
    yield from map_lines()
    yield from truth_lines()


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        print("\n".join(lines()))
        sys.exit(0)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.h")) as file:
        tables = re.findall(r"_cases\[\] = {(.*?)^};", file.read(), re.M | re.S)
    stored, made = numbers("".join(tables)), numbers("".join(lines()))
    assert len(stored) == len(made), (len(stored), len(made))
    assert np.allclose(stored, made, rtol=1e-9, atol=0)
    print(len(made), "numbers agree")
