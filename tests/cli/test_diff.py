"""kldve diff: figures, bounds and exit status, arrays of every kind, and what is refused."""
import math
import os
import random
import statistics
import struct
import tempfile
import unittest

import command
from command import run

MEASURES = ["pearson", "spearman", "ssim", "top_overlap", "mean_difference", "max_difference"]


def npy(path, shape, values, code="f4", fortran=False):
    """A .npy file; `values` in the order of the file."""
    letter = {"f2": "e", "f4": "f", "f8": "d", "u1": "B", "i2": "h", "i8": "q", "b1": "?"}[code]
    head = "{'descr': '<%s', 'fortran_order': %s, 'shape': (%s), }" % (
        code, fortran, "".join("%d," % n for n in shape))
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        file.write(struct.pack("<%d%s" % (len(values), letter), *values))
    return path


def table(text):
    """{measure: numbers} of what is printed."""
    return {line.split()[0]: [None if n == "-" else float(n) for n in line.split()[1:]]
            for line in text.splitlines() if line.split()[0] in MEASURES}


class Diff(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        draw = random.Random(7)
        self.one = [draw.random() for _ in range(12 * 14)]
        self.other = [min(max(v + draw.gauss(0, 0.1), 0), 1) for v in self.one]

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def file(self, name, shape, values, **how):
        return npy(self.path(name), shape, values, **how)

    def ok(self, *args):
        result = run("diff", *args)
        self.assertEqual((result.status, result.err), (0, ""), result.err)
        return result

    def fails(self, status, text, *args):
        """One line that says so."""
        result = run("diff", *args)
        self.assertEqual(result.status, status, result.err)
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn(text, result.err)
        return result

    def test_figures(self):
        a, b = self.file("a.npy", (12, 14), self.one), self.file("b.npy", (12, 14), self.other)
        found = table(self.ok(a, b).out)
        self.assertEqual(list(found), MEASURES)
        apart = [abs(x - y) for x, y in zip(self.one, self.other)]

        def ranks(values):
            order = sorted(values)
            return [order.index(v) + (order.count(v) - 1) / 2 for v in values]

        for name, expected in (("pearson", statistics.correlation(self.one, self.other)),
                               ("spearman", statistics.correlation(ranks(self.one),
                                                                   ranks(self.other))),
                               ("mean_difference", statistics.fmean(apart)),
                               ("max_difference", max(apart))):
            self.assertAlmostEqual(found[name][0], expected, places=5, msg=name)
        self.assertTrue(0 < found["ssim"][0] < 1 and 0 < found["top_overlap"][0] < 1)
        same = table(self.ok(a, a).out)
        self.assertEqual([same[m][0] for m in MEASURES], [1, 1, 1, 1, 0, 0])

    def test_bounds(self):
        a, b = self.file("a.npy", (12, 14), self.one), self.file("b.npy", (12, 14), self.other)
        pearson = table(run("diff", a, b).out)["pearson"][0]
        self.ok(a, b, "--at-least", f"pearson={pearson - 1e-4}", "--at-most", "max_difference=1")
        result = self.fails(1, "below", a, b, "--at-least", f"pearson={pearson + 1e-4}",
                            "--at-least", "spearman=0.1", "--at-most", "mean_difference=1")
        self.assertRegex(result.err, r"^kldve: pearson is 0\.\d+, below 0\.\d+ by 0\.000\d+\n$")
        result = self.fails(1, "above 0.001 by", a, b, "--at-most", "mean_difference=0.001",
                            "--quiet")
        self.assertEqual(result.out, "")
        result = run("diff", a, b, "--at-least", "pearson=1", "--at-least", "ssim=1")
        self.assertEqual((result.status, result.err.count("\n")), (1, 2), result.err)
        # a number that does not exist keeps no bound
        flat = self.file("flat.npy", (12, 14), [0.5] * 168)
        self.assertEqual(table(run("diff", a, flat).out)["pearson"], [None])
        self.fails(1, "pearson does not exist", a, flat, "--at-least", "pearson=-1")
        self.fails(1, "pearson does not exist", a, flat, "--at-most", "pearson=1")
        small = self.file("small.npy", (2, 2), [0, 1, 0.5, 0.25])
        self.fails(1, "ssim does not exist", small, small, "--at-least", "ssim=0")

    def test_many_maps(self):
        turned = list(reversed(self.one))
        a = self.file("a.npy", (3, 1, 12, 14), self.one * 3, code="f8")
        b = self.file("b.npy", (3, 12, 14), self.one + turned + self.one)
        found = table(self.ok(a, b).out)["pearson"]
        self.assertEqual(found[2], 1)
        self.assertLess(found[0], 0.5)
        self.assertAlmostEqual(found[1], (2 + found[0]) / 3, places=5)
        self.fails(1, "pearson of map 1 is", a, b, "--at-least", "pearson=0.9")
        self.ok(a, b, "--at-most", "pearson=1")
        c = self.file("c.npy", (3, 12, 14), self.one + [0.0] * 168 + self.one)
        self.fails(1, "pearson of map 1 does not exist", a, c, "--at-least", "pearson=0")
        self.fails(1, "3 maps", a, self.file("d.npy", (12, 14), self.one))

    def test_kinds(self):
        whole = [round(255 * v) for v in self.one]
        a = self.file("a.npy", (12, 14), whole, code="u1")
        for code in ("i2", "i8", "f2", "f4", "f8"):
            same = table(self.ok(a, self.file("b.npy", (12, 14), whole, code=code)).out)
            self.assertEqual([same[m][0] for m in MEASURES], [1, 1, 1, 1, 0, 0], code)
        columns = [whole[14 * y + x] for x in range(14) for y in range(12)]
        b = self.file("b.npy", (12, 14), columns, code="u1", fortran=True)
        self.assertEqual(table(self.ok(a, b).out)["max_difference"], [0])
        yes = self.file("yes.npy", (4,), [True, False, True, True], code="b1")
        self.assertEqual(table(self.ok(yes, yes).out)["pearson"], [1])

    def test_sizes(self):
        a = self.file("a.npy", (2, 2), [0, 1, 1, 0])
        b = self.file("b.npy", (4, 3), [v / 12 for v in range(12)])
        self.fails(1, "2 x 2", a, b)
        found = table(self.ok(a, b, "--resize").out)
        self.assertIsNone(found["ssim"][0])
        self.assertIsNotNone(found["pearson"][0])

    def test_json(self):
        a, b = self.file("a.npy", (12, 14), self.one), self.file("b.npy", (12, 14), self.other)
        result = run("diff", a, b, "--at-least", "pearson=1", "--at-most", "max_difference=1",
                     "--json", self.path("out.json"))
        self.assertEqual(result.status, 1)
        out = command.read_json(self.path("out.json"))
        self.assertEqual(set(out), {"a", "b", "maps", "height", "width", "agreement", "each",
                                    "bounds", "kldve"})
        self.assertEqual((out["maps"], out["height"], out["width"]), (1, 12, 14))
        self.assertEqual(list(out["agreement"]), MEASURES)
        self.assertEqual([b["holds"] for b in out["bounds"]], [False, True])
        self.assertEqual(out["bounds"][0]["value"], out["each"][0]["pearson"])
        flat = self.file("flat.npy", (12, 14), [0.0] * 168)
        self.ok(a, flat, "--json", self.path("out.json"))
        self.assertIsNone(command.read_json(self.path("out.json"))["each"][0]["pearson"])
        self.assertTrue(self.ok(a, b, "--json", "-").out.startswith("{"))

    def test_part(self):
        a, b = self.file("a.npy", (12, 14), self.one), self.file("b.npy", (12, 14), self.other)
        self.assertEqual(table(self.ok(a, b, "--part", "1").out)["top_overlap"], [1])
        self.assertLess(table(self.ok(a, b, "--part", "0.1").out)["top_overlap"][0], 1)

    def test_refused(self):
        a = self.file("a.npy", (2, 2), [0, 1, 1, 0])
        with open(self.path("text.npy"), "w") as file:
            file.write("no array")
        for status, text, args in (
                (2, "give two files", [a]),
                (2, "NAME=NUMBER", [a, a, "--at-least", "pearson"]),
                (2, "NAME is one of pearson, spearman", [a, a, "--at-least", "cosine=1"]),
                (2, "'x' is not a finite number", [a, a, "--at-least", "pearson=x"]),
                (2, "'' is not a finite number", [a, a, "--at-least", "pearson="]),
                (2, "'nan' is not", [a, a, "--at-most", "pearson=nan"]),
                (2, "'0.5x' is not", [a, a, "--at-most", "pearson=0.5x"]),
                (2, "pearson lies in -1 to 1", [a, a, "--at-least", "pearson=1.5"]),
                (2, "--part", [a, a, "--part", "0"]),
                (2, "would overwrite", [a, a, "--json", a]),
                (1, "cannot open", [a, self.path("none.npy")]),
                (1, "not a .npy file", [self.path("text.npy"), a]),
                (1, "value 2 of 4 is not a number",
                 [a, self.file("nan.npy", (2, 2), [0, 1, math.nan, 0])]),
                (1, "value 0 of 4 is infinite",
                 [self.file("inf.npy", (2, 2), [math.inf, 1, 0, 0]), a]),
                (1, "infinite, or too large for float32",
                 [a, self.file("big.npy", (2, 2), [1e300, 1, 0, 0], code="f8")]),
                (1, "holds no numbers", [a, self.file("empty.npy", (0, 2), [])]),
                (1, "cannot write", [a, a, "--json", self.path("no/where.json")])):
            with self.subTest(text=text):
                self.fails(status, text, *args)


if __name__ == "__main__":
    command.main()
