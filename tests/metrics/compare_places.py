#!/usr/bin/env python3
"""Metrics of localisation, concentration and agreement against Quantus, scikit-image and SciPy themselves.  By hand:
compare_packages.py says which packages they need, and here SciPy too.

    VENV/bin/python tests/metrics/compare_places.py BUILD/lib/libkldve.so.1

The maps are random numbers, all different: Quantus leaves the order of equal values to a sorting routine."""
import os
import sys

import cffi
import numpy as np
import quantus
from scipy import stats
from skimage.metrics import structural_similarity

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "examples", "python"))
import make_cdef  # pylint: disable=wrong-import-position

FFI = cffi.FFI()
FFI.cdef(make_cdef.cdef())
SIDE = 48
QUIET = {"disable_warnings": True, "display_progressbar": False}


class Library:
    def __init__(self, path):
        self.lib, self.ctx = FFI.dlopen(path), FFI.new("kldve_ctx **")
        self.check(self.lib.kldve_ctx_new(FFI.NULL, self.ctx))
        self.ctx, self.kept = self.ctx[0], []

    def check(self, status):
        assert status == 0, FFI.string(self.lib.kldve_ctx_message(self.ctx))

    def struct(self, kind, **members):
        made = FFI.new(kind + " *", dict(members, struct_size=FFI.sizeof(kind)))
        self.kept.append((made, members))
        return made

    def floats(self, array):
        made = FFI.from_buffer("float[]", np.ascontiguousarray(array, np.float32))
        self.kept.append(made)
        return made

    def map_of(self, values):
        """Grad-CAM of one feature map whose cells are pixels."""
        arrays = self.struct("kldve_arrays", logits=self.floats([2, 1, 0]), features=self.floats(values),
                             gradient=self.floats(np.ones_like(values)), classes=3, maps=1, height=SIDE, width=SIDE,
                             picture_width=SIDE, picture_height=SIDE)
        name, out = FFI.new("char[]", b"grad-cam"), FFI.new("kldve_heatmap **")
        self.check(self.lib.kldve_explain_arrays(self.ctx, arrays, self.struct("kldve_options", method=name), out))
        return out[0]

    def metric(self, made, name, truth=None, other=FFI.NULL, **options):
        mask = FFI.NULL if truth is None else FFI.from_buffer("uint8_t[]", truth.astype(np.uint8))
        subject = self.struct("kldve_metric_subject", truth=mask, other=other,
                              options=self.struct("kldve_metric_options", **options))
        value = FFI.new("double *")
        self.check(self.lib.kldve_metric_compute(self.ctx, made, name.encode(), subject, value))
        return value[0]


def asked(metric, values, truth):
    """What a metric of Quantus says of one map."""
    shape = (1, 1, SIDE, SIDE)
    x, y = np.zeros(shape, np.float32), np.array([0])
    return float(np.ravel(metric(model=None, x_batch=x, y_batch=y, a_batch=values.reshape(shape).copy(),
                                 s_batch=None if truth is None else truth.reshape(shape), device="cpu"))[0])


def places(library, row, values, truth):
    made, most = library.map_of(values), int(round(0.02 * SIDE * SIDE))
    plain = dict(QUIET, abs=False, normalise=False)
    for name, metric, more in (("pointing_game", quantus.PointingGame(**plain), {}),
                               ("energy_inside", quantus.RelevanceMassAccuracy(**plain), {}),
                               ("energy_inside", quantus.AttributionLocalisation(**dict(plain, abs=True)), {}),
                               ("relevance_rank", quantus.RelevanceRankAccuracy(**plain), {}),
                               ("top_inside", quantus.TopKIntersection(k=most, **plain), {})):
        row(f"`{name}`, {type(metric).__name__}", library.metric(made, name, truth, **more), asked(metric, values, truth))
    for name, metric in (("gini", quantus.Sparseness(**dict(QUIET, normalise=False))),
                         ("entropy", quantus.Complexity(**dict(QUIET, normalise=False)))):
        row(f"`{name}`, {type(metric).__name__}", library.metric(made, name), asked(metric, values, None))
    library.lib.kldve_heatmap_free(made)


def agreement(library, row, a, b):
    first, second = library.map_of(a), library.map_of(b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    similar = structural_similarity(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    for name, theirs in (("pearson", stats.pearsonr(a.ravel(), b.ravel())[0]),
                         ("spearman", stats.spearmanr(a.ravel(), b.ravel())[0]), ("ssim", similar)):
        row(f"`{name}`", library.metric(first, name, other=second), theirs)
    library.lib.kldve_heatmap_free(first)
    library.lib.kldve_heatmap_free(second)


def scaled(values):
    return ((values - values.min()) / (values.max() - values.min())).astype(np.float32)


def main(path):
    library, random, failed = Library(path), np.random.RandomState(5), 0
    print("| metric | this library | the package | difference |\n|---|---|---|---|")

    def row(name, ours, theirs):
        nonlocal failed
        failed += not abs(ours - theirs) <= 1e-5 * max(1, abs(theirs))
        print(f"| {name} | {ours:.7g} | {theirs:.7g} | {abs(ours - theirs):.1e} |")
    for power in 1, 4:
        values, truth = scaled(random.uniform(size=(SIDE, SIDE)) ** power), np.zeros((SIDE, SIDE), bool)
        truth[5:30, 11:40] = True
        places(library, row, values, truth)
        agreement(library, row, values, scaled(values + 0.3 * random.uniform(size=values.shape)))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
