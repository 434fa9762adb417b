#!/usr/bin/python3
"""The divergence against scikit-learn's t-SNE gradients in one dimension, side by side in one process.

    bench_divergence.py LIBKLDVE.so [--picture FILE.png] [--json FILE] [--direct N] [N...]

Two problems, for n scores that look like logits (normal, deviation 2.5, one of them 20):

  one-hot   z from the scores to the gradient: libkldve as it chooses (fast), libkldve's direct sum,
            and scikit-learn's exact gradient, to which P is given.  P of one-hot truth is dense, so
            its Barnes-Hut gradient gets no P at all and returns the repulsive half alone: its time
            is a lower bound, and its error is that of the repulsive half.
  general   z for a Gaussian truth vector at perplexity 30, search for P included: libkldve, and
            scikit-learn's exact and Barnes-Hut ways to P and to the gradient.

The methods alternate.  The output gives medians over the rounds, and medians of the ratios round by
round, of processor time (everything runs on one thread), which other work on the machine disturbs less.
Errors are max |z - reference| / max |z|.  The reference is a direct sum in long double up to
n = 20 000 (P of general truth from a dense Newton search in double up to 10 000), and libkldve's own
direct sum in double above that, if it runs (--direct)."""
import argparse
import ctypes
import gc
import json
import os
import statistics
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"  # before loading anything that starts threads

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.distance import pdist
from sklearn.manifold import _t_sne
from sklearn.neighbors import NearestNeighbors

PERPLEXITY = 30.0
LONG_DOUBLE_UP_TO = 20_000
DENSE_UP_TO = 10_000  # n x n matrices: scikit-learn's exact gradient, our reference for P
EXACT_TRUTH_UP_TO = 5_000  # 10 000 take most of a minute
BARNES_HUT_UP_TO = {"onehot 0.1": 130_000, "truth": 130_000}
AUTO, DIRECT = 0, 1  # kldve_summation


# ---- libkldve ----

class Options(ctypes.Structure):
    """kldve_divergence_options"""
    _fields_ = [("struct_size", ctypes.c_size_t), ("perplexity", ctypes.c_double),
                ("temperature", ctypes.c_double), ("tolerance", ctypes.c_double),
                ("summation", ctypes.c_int32), ("unattainable", ctypes.c_int32)]


class Kldve:
    """One divergence object."""

    def __init__(self, path, n, summation):
        self.lib = ctypes.CDLL(path)
        self.lib.kldve_ctx_message.restype = ctypes.c_char_p
        self.ctx, self.object = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), PERPLEXITY, 0, 0, summation, 0)
        self.must(self.lib.kldve_ctx_new(None, ctypes.byref(self.ctx)))
        self.must(self.lib.kldve_divergence_new(self.ctx, ctypes.c_int32(n), ctypes.byref(options),
                                                ctypes.byref(self.object)))
        self.z = np.empty(n)

    def must(self, status):
        if status < 0:
            raise RuntimeError(self.lib.kldve_ctx_message(self.ctx).decode())

    @staticmethod
    def pointer(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    def onehot(self, k, target):
        self.must(self.lib.kldve_divergence_set_scores(self.object, self.pointer(k)))
        self.must(self.lib.kldve_divergence_onehot(self.object, ctypes.c_int32(target),
                                                   self.pointer(self.z), None))
        return self.z

    def truth(self, k, y):
        self.must(self.lib.kldve_divergence_set_scores(self.object, self.pointer(k)))
        self.must(self.lib.kldve_divergence_truth(self.object, self.pointer(y), self.pointer(self.z),
                                                  None))
        return self.z

    def close(self):
        self.lib.kldve_divergence_free(self.object)
        self.lib.kldve_ctx_free(self.ctx)


# ---- references, from the equations ----

def sums(k, kind, chunk=16):
    """S1, S2 and Z by plain double sums, in blocks of rows."""
    x = k.astype(kind)
    s1, s2, z = np.empty(len(k), kind), np.empty(len(k), kind), kind(0)
    for i in range(0, len(k), chunk):
        d = x[i:i + chunk, None] - x[None, :]
        w = 1 / (1 + d * d)
        wd = w * d
        s1[i:i + chunk] = wd.sum(axis=1)
        s2[i:i + chunk] = (wd * w).sum(axis=1)
        z += w.sum()
    return s1, s2, z - len(k)


def onehot_reference(k, target):
    """Closed form of P for perplexities up to n - 2; also the repulsive half."""
    n = np.longdouble(len(k))
    s1, s2, total = sums(k, np.longdouble)
    d = k.astype(np.longdouble) - np.longdouble(k[target])
    wd = d / (1 + d * d)
    a, b = 1 / (n * (n - 2)), 1 / (2 * n * (n - 1))
    z = 4 * (a * s1 - s2 / total) + 4 * (b - a) * wd
    z[target] = 4 * (b * s1[target] - s2[target] / total)
    return z, -4 * s2 / total


def conditional(y, perplexity):
    """p(j | i) [n][n] by Newton's iteration on the entropy, dense, in double."""
    n = len(y)
    p = np.empty((n, n))
    for i in range(n):
        e = (y - y[i]) ** 2
        e[i] = np.inf
        e -= e.min()
        e[i] = 0  # its weight is set to 0 below
        low, high, at = -50.0, 50.0, 0.0
        for _ in range(200):
            x = np.exp(at) * e
            w = np.exp(-x)
            w[i] = 0
            total = w.sum()
            mean = (w * x).sum() / total
            gap = np.log(total) + mean - np.log(perplexity)
            if abs(gap) < 1e-13:
                break
            low, high = (at, high) if gap > 0 else (low, at)
            slope = mean * mean - (w * x * x).sum() / total
            at = at - gap / slope if slope else np.inf
            if not low < at < high:
                at = (low + high) / 2
        p[i] = w / total
    return p


def truth_reference(k, y, chunk=16):
    n = len(k)
    p = conditional(y, PERPLEXITY)
    _, s2, total = sums(k, np.longdouble)
    z = np.empty(n, np.longdouble)
    x = k.astype(np.longdouble)
    for i in range(0, n, chunk):
        d = x[i:i + chunk, None] - x[None, :]
        joint = (p[i:i + chunk] + p[:, i:i + chunk].T) / (2 * n)
        z[i:i + chunk] = 4 * (joint * (d / (1 + d * d))).sum(axis=1) - 4 * s2[i:i + chunk] / total
    return z


def error(z, reference):
    return float(np.abs(z - reference).max() / np.abs(reference).max())


# ---- scikit-learn ----

def barnes_hut(k, p, angle):
    return _t_sne._kl_divergence_bh(k, p, 1, len(k), 1, angle=angle, compute_error=False,
                                    num_threads=1)[1]


def exact(k, p):
    return _t_sne._kl_divergence(k, p, 1, len(k), 1, compute_error=False)[1]


def exact_truth(k, y):
    distances = pdist(y[:, None], "sqeuclidean")
    n = len(y)
    square = np.zeros((n, n), np.float32)
    square[np.triu_indices(n, 1)] = distances
    square += square.T
    return exact(k, _t_sne._joint_probabilities(square, PERPLEXITY, 0))


def barnes_hut_truth(k, y, angle):
    """Like TSNE.fit(): 3 perplexity + 1 neighbours."""
    found = NearestNeighbors(algorithm="auto", n_jobs=1,
                             n_neighbors=min(len(y) - 1, int(3 * PERPLEXITY + 1))).fit(y[:, None])
    distances = found.kneighbors_graph(mode="distance")
    distances.data **= 2
    return barnes_hut(k, _t_sne._joint_probabilities_nn(distances, PERPLEXITY, 0), angle)


def dense_onehot(n, target):
    """Condensed joint probabilities, in the form that scikit-learn's exact gradient takes: sum 1/2."""
    p = np.full(n * (n - 1) // 2, 1 / (n * (n - 2)))
    others = np.delete(np.arange(n), target)
    i, j = np.minimum(others, target), np.maximum(others, target)
    p[i * n - i * (i + 1) // 2 + j - i - 1] = 1 / (2 * n * (n - 1))
    return p


# ---- measuring ----

def alternate(methods, seconds=4.0, most=25):
    """{name: (median seconds, median ratio to the first, result)}; at least three rounds, or one if a
    round takes longer than 20 seconds.  In each round a method runs for some 5 ms."""
    times = {name: [] for name in methods}
    results, repeats = {}, {}
    for name, run in methods.items():
        for _ in range(2):  # the first one warms up
            start = time.process_time()
            results[name] = np.array(run())
            spent = time.process_time() - start
            if spent > 0.1:
                break
        repeats[name] = max(1, round(0.005 / spent))
    begin = time.process_time()
    while True:
        gc.collect()
        for name, run in methods.items():
            start = time.process_time()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.process_time() - start) / repeats[name])
        spent, rounds = time.process_time() - begin, len(next(iter(times.values())))
        if rounds >= most or (rounds >= 3 and spent > seconds) or spent > 20:
            break
    first = times[next(iter(methods))]
    return {name: (statistics.median(t), statistics.median(a / b for a, b in zip(t, first)),
                   results[name]) for name, t in times.items()}


def scores(n, seed):
    k = np.random.default_rng(seed).normal(0, 2.5, n)
    k[0] = 20
    return k


def measure_onehot(library, n, largest_direct):
    k, target = scores(n, 1), n // 3
    fast, direct = Kldve(library, n, AUTO), Kldve(library, n, DIRECT)
    nothing = csr_matrix((n, n))
    methods = {"kldve": lambda: fast.onehot(k, target)}
    if n <= largest_direct:
        methods["direct"] = lambda: direct.onehot(k, target)
    if n <= DENSE_UP_TO:
        p = dense_onehot(n, target)
        methods["exact"] = lambda: exact(k, p)
    methods["barnes-hut 0.5"] = lambda: barnes_hut(k, nothing, 0.5)
    if n <= BARNES_HUT_UP_TO["onehot 0.1"]:
        methods["barnes-hut 0.1"] = lambda: barnes_hut(k, nothing, 0.1)
    done = alternate(methods)
    if n <= LONG_DOUBLE_UP_TO:
        z, half = onehot_reference(k, target)
    elif n <= largest_direct:
        z = done["direct"][2]
        done["direct"] = (*done["direct"][:2], None)  # it is the reference
        half = None
    else:
        z = half = None
    fast.close()
    direct.close()
    return done, {name: half if name.startswith("barnes") else z for name in done}


def measure_truth(library, n, _):
    k, y = scores(n, 1), scores(n, 2)
    own = Kldve(library, n, AUTO)
    methods = {"kldve": lambda: own.truth(k, y)}
    if n <= EXACT_TRUTH_UP_TO:
        methods["exact"] = lambda: exact_truth(k, y)
    if n <= BARNES_HUT_UP_TO["truth"]:
        methods["barnes-hut 0.5"] = lambda: barnes_hut_truth(k, y, 0.5)
    done = alternate(methods)
    z = truth_reference(k, y) if n <= DENSE_UP_TO else None
    own.close()
    return done, {name: z for name in done}


def run(title, measure, library, sizes, largest_direct):
    print(f"\n{title}\n\n| n | method | ms | times libkldve | error |\n|---|---|---|---|---|")
    rows = []
    for n in sizes:
        done, references = measure(library, n, largest_direct)
        for name, (seconds, ratio, z) in done.items():
            off = None if z is None or references[name] is None else error(z, references[name])
            rows.append({"n": n, "method": name, "ms": seconds * 1e3, "ratio": ratio, "error": off})
            print(f"| {n} | {name} | {seconds * 1e3:.4g} | {ratio:.3g} | "
                  f"{'-' if off is None else format(off, '.1e')} |", flush=True)
    return rows


STYLE = {"kldve": ("libkldve", "tab:blue", "o"), "direct": ("libkldve, direct sum", "tab:cyan", "s"),
         "exact": ("scikit-learn, exact", "tab:red", "^"),
         "barnes-hut 0.5": ("scikit-learn, Barnes-Hut, angle 0.5", "tab:orange", "v"),
         "barnes-hut 0.1": ("scikit-learn, Barnes-Hut, angle 0.1", "tab:brown", "<")}


def draw(path, tables):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7.2), sharex=True)
    for column, (title, rows) in enumerate(tables.items()):
        for line, (what, label) in enumerate((("ms", "time, ms"), ("error", "largest error / largest |z|"))):
            panel = axes[line][column]
            for name, (text, color, marker) in STYLE.items():
                points = [(r["n"], r[what]) for r in rows if r["method"] == name and r[what]]
                if points:
                    panel.loglog(*zip(*points), color=color, marker=marker, label=text, markersize=4)
            panel.set_ylabel(label)
            panel.grid(True, which="major", alpha=0.3)
            if line == 0:
                panel.set_title(title)
            else:
                panel.set_xlabel("n, number of scores")
                panel.set_ylim(1e-17, 1)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="upper center", ncol=3, fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("sizes", type=int, nargs="*",
                        default=[1000, 3000, 10_000, 50_257, 128_256, 1_000_000])
    parser.add_argument("--picture")
    parser.add_argument("--json")
    parser.add_argument("--direct", type=int, default=130_000, metavar="N",
                        help="largest n of the direct sum; 10^6 takes minutes")
    options = parser.parse_intermixed_args()
    tables = {}
    for title, measure in (("one-hot truth", measure_onehot), ("general truth", measure_truth)):
        tables[title] = run(title, measure, options.library, options.sizes, options.direct)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(tables, file, indent=1)
    if options.picture:
        draw(options.picture, tables)


if __name__ == "__main__":
    main()
