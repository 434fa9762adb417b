"""tables.py FOLDER - the tables of docs/evaluation.md from the databases that study.sh made there.

Intervals are 95 % bootstrap intervals over photographs (2000 resamples; all questions, networks and methods of a
photograph stay together).  A difference is paired: only questions that both methods answer.  * : the interval has no 0."""
import os
import sqlite3
import sys

import numpy as np

RESAMPLES = 2000
REFERENCE = "grad-cam"
SHORT = {"squeezenet_v1.0": "SQ 1.0", "squeezenet_v1.1": "SQ 1.1", "googlenet": "GL", "mobilenet_v1_1.0_224": "MB 1",
         "mobilenet_v2_1.0_224": "MB 2", "resnet20_cifar10": "RN 20", "resnet56_cifar10": "RN 56",
         "mobilenet_v1_0.25_128": "MB 1, 0.25"}


class Part:
    """One database: value[metric][method][(network, question)]"""

    def __init__(self, path):
        self.value, self.networks, self.methods, self.picture = {}, [], [], {}
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            self.networks = [n for n, in db.execute("SELECT name FROM network ORDER BY id")]
            self.methods = [n for n, in db.execute("SELECT name FROM method ORDER BY id")]
            rows = db.execute("SELECT question, picture, network, method, metric, value FROM result")
            for question, picture, network, method, metric, value in rows:
                self.picture[question] = picture
                if value is not None and np.isfinite(value):
                    self.value.setdefault(metric, {}).setdefault(method, {})[network, question] = value
            self.flags = list(db.execute(
                "SELECT network.name, method.name, flags FROM explanation JOIN network ON network.id = network "
                "JOIN method ON method.id = method"))
        self.derive()

    def derive(self):
        names = {metric.split(":")[0]: metric for metric in self.value}
        if {"insertion", "deletion"} <= set(names):
            high, low = self.value[names["insertion"]], self.value[names["deletion"]]
            self.value["insertion - deletion"] = {
                m: {k: high[m][k] - low[m][k] for k in high[m].keys() & low[m].keys()} for m in high if m in low}

    def of(self, metric, method, network=None):
        found = self.value.get(self.named(metric), {}).get(method, {})
        return {k: v for k, v in found.items() if network in (None, k[0])}

    def named(self, metric):
        return next((m for m in self.value if m == metric or m.split(":")[0] == metric), metric)

    def interval(self, values):
        """mean, low, high of {(network, question): value}"""
        if not values:
            return None
        pictures = sorted({self.picture[q] for _, q in values})
        number = {p: i for i, p in enumerate(pictures)}
        total, count = np.zeros(len(pictures)), np.zeros(len(pictures))
        for (_, question), value in values.items():
            total[number[self.picture[question]]] += value
            count[number[self.picture[question]]] += 1
        draws = np.random.default_rng(0).integers(0, len(pictures), (RESAMPLES, len(pictures)))
        means = total[draws].sum(1) / count[draws].sum(1)
        return total.sum() / count.sum(), *np.quantile(means, [0.025, 0.975]), len(values)


def number(x):
    text = f"{x:.3f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def mean_cell(found):
    return "" if found is None else number(found[0])


def difference_cell(found):
    if found is None:
        return ""
    mean, low, high, _ = found
    sign = "+" if mean >= 0 else ""
    star = "*" if low > 0 or high < 0 else ""
    return f"{sign}{number(mean)} [{number(low)}, {number(high)}]{star}"


def table(part, metric, methods=None, against=REFERENCE, networks=None):
    """Means of each network, and the paired difference of all networks together."""
    networks = networks or part.networks
    methods = [m for m in methods or part.methods if part.of(metric, m)]
    if not methods:
        return
    print(f"\n| {metric} | " + " | ".join(SHORT.get(n, n) for n in networks) + f" | minus {against}, all |")
    print("|---" * (len(networks) + 2) + "|")
    reference = part.of(metric, against)
    for method in methods:
        cells = [mean_cell(part.interval(part.of(metric, method, n))) for n in networks]
        own = part.of(metric, method)
        pairs = {k: own[k] - reference[k] for k in own.keys() & reference.keys()} if method != against else {}
        print(f"| `{method}` | " + " | ".join(cells) + f" | {difference_cell(part.interval(pairs))} |")
    sample = part.interval(part.of(metric, methods[0], networks[0]))
    print(f"\n{sample[3] if sample else 0} questions for a network.")


def pair(part, metric, method, against, networks=None):
    """Paired differences of two methods, network by network and pooled."""
    cells = []
    for network in [*(networks or part.networks), None]:
        a, b = part.of(metric, method, network), part.of(metric, against, network)
        cells.append(difference_cell(part.interval({k: a[k] - b[k] for k in a.keys() & b.keys()})))
    print(f"| {metric}: `{method}` - `{against}` | " + " | ".join(cells) + " |")


def section(title):
    print(f"\n## {title}")


def main(folder):
    parts = {name[:-3]: Part(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".db")}
    for name, part in parts.items():
        section(f"{name}: {len(part.picture)} questions, {len(part.networks)} networks, {len(part.methods)} methods")
        for metric in part.value:
            table(part, metric)
    readings = [("kl-dve:contrast", REFERENCE), ("kl-dve:rivals", REFERENCE), ("kl-dve:neighbours", REFERENCE),
                ("kl-dve:rivals", "kl-dve:contrast"), ("kl-dve:neighbours", "kl-dve:contrast"),
                ("kl-dve:neighbours", "kl-dve:rivals"), ("kl-dve:paper", "lafam"), ("kl-dve:paper", "centre")]
    for name in ("curves", "maps", "mosaics", "objects", "cifar"):
        if name in parts:
            part = parts[name]
            section(f"{name}: readings against each other")
            print("\n| | " + " | ".join(SHORT.get(n, n) for n in part.networks) + " | all |")
            print("|---" * (len(part.networks) + 2) + "|")
            for metric in ("insertion - deletion", "energy_inside", "pointing_game", "average_drop"):
                for method, against in readings:
                    if part.of(metric, method) and part.of(metric, against):
                        pair(part, metric, method, against)


if __name__ == "__main__":
    main(sys.argv[1])
