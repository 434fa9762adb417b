#!/usr/bin/env python3
"""Metrics of faithfulness against Captum and Quantus themselves.  By hand, the packages are not Debian's:

    python3 -m venv --system-site-packages VENV
    VENV/bin/pip install --no-deps captum==0.9.0 quantus==0.6.0 tqdm pandas==2.0.3 opencv-python-headless==4.8.1.78 \\
        scikit-image==0.22.0 imageio lazy-loader tifffile networkx packaging
    VENV/bin/python tests/metrics/compare_packages.py BUILD/lib/libkldve.so.1

Both sides run the same network and draw the same noise: what differs is rounding.  The table is in docs/metrics.md."""
import math
import sys

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from quantus import PixelFlipping
from quantus.functions.perturb_func import noisy_linear_imputation

from compare_metrics import FFI, Measured, Network, Random, imputed, order_of


class Module(torch.nn.Module):
    """The network, which answers as the library sees it."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return torch.tensor(np.stack([self.net.logits(one.numpy()) for one in x]))


def noise(m, samples, draw):
    randoms = [Random(0, i) for i in range(samples)]
    drawn = [[draw(random) for _ in range(m.net.input.size)] for random in randoms]
    return torch.tensor(np.array(drawn, np.float32).reshape(samples, *m.net.size))


def captum_infidelity(m, deviation, normalize):
    drawn = noise(m, 10, lambda r: deviation * r.normal())
    x = torch.tensor(m.net.input)[None]
    phi = torch.tensor(m.raw().reshape(1, 1, *m.net.size[1:]).astype(np.float32)).expand_as(x)
    return infidelity(Module(m.net), lambda inputs: (drawn, inputs - drawn), x, phi, target=m.record.target,
                      n_perturb_samples=10, normalize=normalize).item()


def captum_sensitivity(m, radius):
    drawn = noise(m, 10, lambda r: radius * (2 * r.uniform() - 1))

    def explain(inputs, **_):
        maps, given = [], inputs[0] if isinstance(inputs, tuple) else inputs
        for one in given:
            made = m.explain(one.numpy())
            maps.append(m.raw(made).astype(np.float32).reshape(1, *m.net.size[1:]))
            m.library.kldve_heatmap_free(made)
        maps = torch.tensor(np.stack(maps))
        return (maps,) if isinstance(inputs, tuple) else maps

    def perturb(inputs, *_):
        return inputs[0] + drawn if isinstance(inputs, tuple) else inputs + drawn
    return sensitivity_max(explain, torch.tensor(m.net.input)[None], perturb_func=perturb,
                           n_perturb_samples=10).item()


def quantus_flipping(m, each):
    metric = PixelFlipping(features_in_step=each, perturb_baseline=0.0, normalise=False, abs=False, disable_warnings=True,
                           display_progressbar=False)
    order = order_of(m.drawn(), 0)  # Quantus leaves the order of equal values to a sorting routine
    phi = np.empty(order.size, np.float32)
    phi[order] = np.arange(order.size, 0, -1)
    phi = phi.reshape(1, *m.net.size)
    scores = metric(model=Module(m.net).eval(), x_batch=m.net.input[None], y_batch=np.array([m.record.target]), a_batch=phi,
                    device="cpu", softmax=False, channel_first=True)
    first = m.score(m.net.input, "logit")
    return sum(first - float(s) for s in np.ravel(scores)) / (len(np.ravel(scores)) + 1)


def quantus_imputation(m):
    """The largest difference of a guessed pixel, for each tenth of the pixels; test_road compares the rest."""
    order, most = order_of(m.drawn(), 0), 0
    for tenth in range(1, 10):
        indices = np.sort(order[:len(order) * tenth // 10])
        removed = np.zeros(len(order), bool)
        removed[indices] = True
        theirs = noisy_linear_imputation(m.net.input.astype(np.float64), indices, noise=0)
        most = max(most, np.abs(theirs.reshape(m.net.size[0], -1) - imputed(m.net.input, removed)).max())
    return most


def main(path):
    library, failed = FFI.dlopen(path), 0
    print("| metric | this library | the package | difference |\n|---|---|---|---|")

    def row(name, ours, theirs, tolerance):
        nonlocal failed
        failed += not abs(ours - theirs) <= tolerance * max(1, abs(theirs))
        print(f"| {name} | {ours:.7g} | {theirs:.7g} | {abs(ours - theirs):.1e} |")
    for case, net, sign in ("a class", Network(1, channels=3), 1), ("with signs", Network(3, channels=3), 2):
        m = Measured(library, net, sign=sign)
        for normalise in 0, 1:
            row(f"`infidelity`, noise 0.5{', scaled' * normalise}, {case}",
                m.metric("infidelity", noise=0.5, normalise=normalise), captum_infidelity(m, 0.5, bool(normalise)), 1e-3)
        row(f"`max_sensitivity`, {case}", m.metric("max_sensitivity"), captum_sensitivity(m, 0.02), 1e-4)
        row(f"pixels guessed for `road`, {case}: largest difference", quantus_imputation(m), 0, 1e-6)
        m.close()
    m = Measured(library, Network(13, channels=1), sign=2)
    steps = math.ceil(m.net.input.size / 10)
    row("`pixel_flipping`, 48 steps", m.metric("pixel_flipping", steps=steps), quantus_flipping(m, 10), 1e-5)
    m.close()
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
