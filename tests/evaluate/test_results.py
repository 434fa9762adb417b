"""What kldve results says of a database, against the same computed here from the rows that Python's own
SQLite reads: to the last digit with the same random numbers, and near SciPy's with others."""
import collections
import csv
import io
import json
import os
import sqlite3
import subprocess
import tempfile
import unittest

try:
    import numpy
    import scipy.stats
except ImportError:
    numpy = None

FILL, KLDVE = os.environ["FILL_STORE"], os.environ["KLDVE"]
MASK = (1 << 64) - 1
PLAN = ["networks=2", "questions=61", "methods=3", "metrics=2", "questions_per_picture=2"]


def splitmix64(seed):
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        yield z ^ z >> 31


def percentile(values, part):
    at = part * (len(values) - 1)
    i = int(at)
    return values[i] + (at - i) * (values[min(i + 1, len(values) - 1)] - values[i])


def estimate(series, drawn, samples, seed):
    """series: {picture: [values]}; drawn: the pictures that samples draw from, in order."""
    sums = [(sum(series.get(p, [])), len(series.get(p, []))) for p in drawn]
    random, means = splitmix64(seed), []
    for _ in range(samples):
        weight = collections.Counter((next(random) >> 32) * len(drawn) >> 32 for _ in drawn)
        total = count = 0
        for p, w in sorted(weight.items()):
            total, count = total + w * sums[p][0], count + w * sums[p][1]
        if count:
            means.append(total / count)
    means.sort()
    values = sum(n for _, n in sums)
    mean = sum(s for s, _ in sums) / values if values else None
    pictures = sum(n > 0 for _, n in sums)
    ends = [percentile(means, p) for p in ((1 - 0.95) / 2, (1 + 0.95) / 2)] if pictures > 1 else [None, None]
    return [mean, *ends, values, pictures]


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.db = os.path.join(cls.temporary.name, "a.db")
        subprocess.run([FILL, cls.db, *PLAN], check=True, stdout=subprocess.DEVNULL)
        connection = sqlite3.connect(cls.db)
        cls.rows = connection.execute("SELECT network, metric, method, picture, question, value FROM result "
                                      "ORDER BY question").fetchall()
        cls.keys = [key for (key,) in connection.execute("SELECT key FROM question")]
        cls.unreadable = connection.execute("SELECT network.name, key FROM unit JOIN question ON question.id = question "
                                            "JOIN network ON network.id = network WHERE state = 1").fetchall()
        connection.close()

    def path(self, name):
        return os.path.join(self.temporary.name, name)

    def run_results(self, *args):
        return subprocess.run([KLDVE, "results", *args], capture_output=True, text=True, timeout=100)

    def results(self, *args):
        result = self.run_results(self.db, *args)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def column(self, network, metric, method):
        """{question: (picture, value)} of what is a number"""
        return {q: (p, v) for n, m, a, p, q, v in self.rows if (n, m, a) == (network, metric, method) and v is not None}

    def series(self, entry):
        """The numbers of a row of the CSV by picture, and the pictures that are drawn with it."""
        if not entry["network"]:
            return self.series_of_all(entry)
        one = self.column(entry["network"], entry["metric"], entry["method"])
        if entry["kind"] == "network minus network":
            other = self.column(entry["minus"], entry["metric"], entry["method"])
            with_it = [(entry["network"], a, entry["minus"]) for a in self.methods]
        else:
            other = self.column(entry["network"], entry["metric"], entry["minus"]) if entry["minus"] else None
            with_it = [(entry["network"], a, None) for a in self.methods]
        values = collections.defaultdict(list)
        for question, (picture, value) in one.items():
            if other is None:
                values[picture].append(value)
            elif question in other:
                values[picture].append(value - other[question][1])
        drawn = set()
        for network, method, minus in with_it:
            known = self.column(network, entry["metric"], method)
            if minus:
                there = self.column(minus, entry["metric"], method)
                known = {q: pv for q, pv in known.items() if q in there}
            drawn |= {picture for picture, _ in known.values()}
        return values, sorted(drawn)

    def series_of_all(self, entry):
        values, drawn = collections.defaultdict(list), set()
        for network in self.networks:
            more, pictures = self.series({**entry, "network": network})
            for picture, numbers in more.items():
                values[picture] += numbers
            drawn |= set(pictures)
        return values, sorted(drawn)

    networks = [f"network{i:05}" for i in range(2)]
    methods = [f"method{i:05}" for i in range(3)]

    def test_every_estimate(self):
        entries = list(csv.DictReader(io.StringIO(self.results("--csv", "-", "--bootstrap", "200", "--bootstrap-seed", "5"))))
        self.assertEqual(len(entries), 3 * 2 * (3 + 3) + 2 * 3)
        for e in entries:
            with self.subTest(**e):
                values, drawn = self.series(e)
                expected = estimate(values, drawn, 200, 5)
                got = [float(e["mean"]), float(e["low"]), float(e["high"]), int(e["questions"]), int(e["pictures"])]
                self.assertEqual(got[3:], expected[3:])
                for a, b in zip(got[:3], expected[:3]):
                    self.assertEqual(a, b)
                if e["kind"] == "mean":
                    undefined = [1 for n, m, a, _, _, v in self.rows
                                 if (m, a, v) == (e["metric"], e["method"], None) and e["network"] in ("", n)]
                    self.assertEqual(int(e["undefined"]), len(undefined))

    @unittest.skipUnless(numpy, "SciPy is missing")
    def test_near_scipy(self):
        """One question a picture: the percentile interval of the mean, with other random numbers."""
        subprocess.run([FILL, self.path("s.db"), "questions=80", "methods=1", "metrics=1"], check=True,
                       stdout=subprocess.DEVNULL)
        (e,) = csv.DictReader(io.StringIO(self.run_results(self.path("s.db"), "--csv", "-", "--bootstrap", "20000").stdout))
        connection = sqlite3.connect(self.path("s.db"))
        values = numpy.array([v for (v,) in connection.execute("SELECT value FROM value WHERE value IS NOT NULL")])
        connection.close()
        interval = scipy.stats.bootstrap((values,), numpy.mean, n_resamples=20000, method="percentile",
                                         random_state=0).confidence_interval
        width = interval.high - interval.low
        self.assertAlmostEqual(float(e["mean"]), values.mean(), delta=1e-12)
        self.assertAlmostEqual(float(e["low"]), interval.low, delta=0.02 * width)
        self.assertAlmostEqual(float(e["high"]), interval.high, delta=0.02 * width)

    def test_one_picture_has_no_interval(self):
        subprocess.run([FILL, self.path("o.db"), "questions=1", "metrics=1"], check=True, stdout=subprocess.DEVNULL)
        for e in csv.DictReader(io.StringIO(self.run_results(self.path("o.db"), "--csv", "-").stdout)):
            self.assertEqual((e["low"], e["high"], e["questions"], e["pictures"]), ("", "", "1", "1"))

    def test_json_says_the_same(self):
        args = ["--bootstrap", "50", "--json", self.path("a.json"), "--csv", self.path("a.csv"), "--quiet"]
        self.assertEqual(self.results(*args), "")
        with open(self.path("a.json"), encoding="utf-8") as file:
            said = json.load(file, parse_constant=self.fail)
        with open(self.path("a.csv"), encoding="utf-8") as file:
            entries = list(csv.DictReader(file))
        for kind, key in (("mean", "means"), ("method minus method", "method_differences"),
                          ("network minus network", "network_differences")):
            mine = {(e["network"], e["metric"], e["method"], e["minus"]): float(e["mean"]) for e in entries
                    if e["kind"] == kind}
            self.assertEqual({(e["network"] or "", e["metric"], e["method"], e.get("minus", "")): e["mean"]
                              for e in said[key]}, mine)
        self.assertEqual(sorted((u["network"], u["question"]) for u in said["unreadable"]), sorted(self.unreadable))
        self.assertEqual(said["bootstrap"], {"samples": 50, "level": 0.95, "seed": 0})
        self.assertEqual((said["questions"], said["pictures"], len(said["runs"])), (61, 31, 1))
        self.assertEqual(said["runs"][0]["record"], {"threads": 1})

    def test_flags_of_maps(self):
        """Method i has the flags of the number i: the second is flat, the fourth flat and not finite."""
        db = self.path("f.db")
        subprocess.run([FILL, db, "questions=20", "methods=4", "none=3"], check=True, stdout=subprocess.DEVNULL)
        said = json.loads(self.run_results(db, "--json", "-").stdout)
        maps = said["measured"]
        names = [f"method{i:05}" for i in range(4)]
        self.assertEqual([(m["method"], m["maps"], m["none"]) for m in said["maps"]],
                         [(names[0], maps, 0), (names[1], maps, 0), (names[2], 0, maps), (names[3], maps, 0)])
        flags = [m["flags"] for m in said["maps"]]
        self.assertEqual((flags[0], flags[1], flags[2]), ({}, {"flat": maps}, {}))
        self.assertEqual((len(flags[3]), set(flags[3].values())), (2, {maps}))
        text = self.run_results(db).stdout
        self.assertIn(f"\nmethod00001: {maps} maps, {maps} flat\nmethod00002: 0 maps, {maps} could not be made\n", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        undefined = [m["undefined"] for m in said["means"] if m["method"] == names[2]]
        self.assertEqual(undefined, [maps] * 3)

    def test_export(self):
        self.results("--export", self.path("e.csv"), "--quiet")
        self.results("--export", self.path("e.json"), "--quiet")
        self.results("--export", self.path("e.jsonl"), "--quiet")
        with open(self.path("e.csv"), encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        with open(self.path("e.json"), encoding="utf-8") as file:
            array = json.load(file, parse_constant=self.fail)
        with open(self.path("e.jsonl"), encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], array)
        mine = sorted((n, m, a, p, q, -1 if v is None else v) for n, m, a, p, q, v in self.rows)
        names = ["network", "metric", "method", "picture", "question"]
        self.assertEqual(sorted((*[e[k] for k in names], -1 if e["value"] is None else e["value"]) for e in array), mine)
        self.assertEqual(sorted((*[e[k] for k in names], float(e["value"] or -1)) for e in table), mine)
        self.assertEqual(table[0].keys(), array[0].keys())
        self.assertEqual({e["target"] for e in array}, {0, 1, 2})

    def test_table(self):
        text = self.results()
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assertNotIn(" \n", text)
        undefined = sum(v is None for *_, v in self.rows)
        self.assertIn(f"{undefined} of {len(self.rows)} numbers are undefined", text)
        self.assertIn(f"{len(self.unreadable)} unreadable", text)
        mean = [v for n, m, a, _, _, v in self.rows
                if (n, m, a) == ("network00000", "metric00000", "method00000") and v is not None]
        self.assertIn(f"method00000  {sum(mean) / len(mean):.3f} [.", text)
        self.assertIn("each method minus method00002", self.results("--against", "method00002"))
        self.assertEqual(text, self.results())

    def test_wrong_use(self):
        cases = [(["--against", "nobody"], 1, "no such method: give one of method00000"),
                 (["--export", self.path("a.parquet")], 2, ".csv, .json or .jsonl"),
                 (["--json", "-", "--csv", "-"], 2, "cannot share standard output"),
                 (["--json", self.path("x"), "--csv", self.path("x")], 2, "are one file"),
                 (["--json", self.db], 2, "would overwrite"),
                 (["--bootstrap", "3"], 2, "--bootstrap"),
                 (["--csv", self.path("no/x.csv")], 1, "cannot write"),
                 (["--export", self.path("no/x.csv")], 1, "cannot write"),
                 (["--export", "/dev/full"], 2, ".csv"), (["--csv", "/dev/full"], 1, "No space left")]
        for args, status, says in cases:
            with self.subTest(args=args):
                result = self.run_results(self.db, *args, "--bootstrap-seed", "1")
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(says, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1)
        self.assertEqual(self.run_results().returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=1)
