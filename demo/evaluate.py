#!/usr/bin/python3
"""Measure the demonstration network: accuracy, and whether its maps point at the right object.

    /usr/bin/python3 demo/evaluate.py [--scenes N] [--seed N] [--size PIXELS] [MODEL.onnx]

An independent oracle: it reads the .onnx file, runs it in torch with float64 and takes gradients by
autograd; the formulas are reimplemented from the documentation (four readings of Eq. 3, and Grad-CAM).
A hit means that the map's largest value, after bilinear upsampling to the picture's size, lies on a
pixel of which at least half belongs to the object asked for.
"""
import argparse
import os

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from PIL import Image

import scenes

SIZE, MEAN, STD = 96, 128.0, 64.0
METHODS = ["paper", "channel", "contrast", "rivals", "Grad-CAM"]


class Model:
    """The five operators that make up the network."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = graph.node
        self.constants = {t.name: torch.tensor(onnx.numpy_helper.to_array(t), dtype=torch.float64)
                          for t in graph.initializer}
        self.input = graph.input[0].name

    def __call__(self, x):
        """Logits [n, classes] and feature maps [n, maps, h, w], the latter part of the graph."""
        v = dict(self.constants, **{self.input: x})
        for node in self.nodes:
            a = {t.name: onnx.helper.get_attribute_value(t) for t in node.attribute}
            i = [v[name] for name in node.input]
            if node.op_type == "Conv":
                out = torch.nn.functional.conv2d(i[0], i[1], i[2], a["strides"], a["pads"][:2],
                                                 a["dilations"])
            elif node.op_type == "Relu":
                out = torch.relu(i[0])
                if node.output[0] == "features":
                    out = out.detach().requires_grad_(True)
            elif node.op_type == "GlobalAveragePool":
                out = i[0].mean((2, 3), keepdim=True)
            elif node.op_type == "Flatten":
                out = i[0].flatten(1)
            elif node.op_type == "Gemm":
                out = i[0] @ i[1].T + i[2]
            else:
                raise ValueError(f"{node.op_type}: not an operator of this network")
            v[node.output[0]] = out
        return v["logits"], v["features"]


def cotangent(k, c, method):
    """At the logits k [n], for class c."""
    n = len(k)
    d = k[:, None] - k[None, :]
    w = 1 / (1 + d * d)
    if method == "Grad-CAM":
        return torch.eye(n, dtype=k.dtype)[c]
    if method == "channel":  # z by autograd of the divergence itself
        # perplexity 30, the default, is above n - 1: P is uniform, whatever the class
        p = torch.full((n, n), 1 / (n * (n - 1)), dtype=k.dtype)
        off = ~torch.eye(n, dtype=torch.bool)
        leaf = k.detach().clone().requires_grad_(True)
        w = 1 / (1 + (leaf[:, None] - leaf[None, :]) ** 2)
        q = w[off] / w[off].sum()
        z, = torch.autograd.grad((p[off] * (p[off] / q).log()).sum(), leaf)
        return (z - z.mean()) / z.std(unbiased=False)
    force = w * d.abs() if method == "contrast" else w * w * d.abs()
    t = -force[:, c]
    t[c] = force[:, c].sum()
    return t / t.std(unbiased=False)


def heat_map(logits, features, row, c, method):
    x = features[row].detach()
    if method == "paper":  # the first factor of Eq. 3 is one number: the map is the sum
        return x.sum(0)
    t = cotangent(logits[row].detach(), c, method)
    g, = torch.autograd.grad((logits[row] * t).sum(), features, retain_graph=True)
    a = g[row].mean((1, 2))
    if method == "channel":
        a = ((a - a.mean()) / a.std(unbiased=False)).abs()
    e = (a[:, None, None] * x).sum(0)
    return e if method == "channel" else torch.relu(e)


def hit(e, mask):
    up = torch.nn.functional.interpolate(e[None, None], mask.shape, mode="bilinear",
                                         align_corners=False)[0, 0]
    return mask.flatten()[int(up.argmax())] >= scenes.INSIDE


def pictures(seed, count, objects, size):
    """Inputs [count, 3, SIZE, SIZE], masks, kinds."""
    drawn = [scenes.draw(seed + i, size, [scenes.ANY] * objects) for i in range(count)]
    x = []
    for picture, _, _ in drawn:
        if size != SIZE:
            picture = np.asarray(Image.fromarray(picture).resize((SIZE, SIZE), Image.BILINEAR))
        x.append((picture.astype(np.float64) - MEAN) / STD)
    return (torch.tensor(np.stack(x).transpose(0, 3, 1, 2)), [d[1] for d in drawn],
            [d[2] for d in drawn])


def measure(model, seed, count, size):
    names = scenes.labels()
    right, wrong = 0, {}
    for at in range(0, count, 50):
        x, _, kinds = pictures(seed + at, 50, 1, size)
        for found, (truth,) in zip(model(x)[0].argmax(1).tolist(), kinds):
            right += found == truth
            if found != truth:
                wrong[names[truth], names[found]] = wrong.get((names[truth], names[found]), 0) + 1
    print(f"accuracy on {count} scenes of one object: {100 * right / count:.2f} %")
    if wrong:
        print("  mistaken: " + ", ".join(f"{a} for {b} {n}" for (a, b), n in sorted(wrong.items())))
    for objects in (1, 2):
        hits = np.zeros((len(METHODS), len(names)))
        asked, both, top = np.zeros(len(names)), 0, 0
        for at in range(0, count, 50):
            x, masks, kinds = pictures(seed + (1 << 24) * objects + at, 50, objects, size)
            logits, features = model(x)
            for row in range(50):
                best = logits[row].argsort(descending=True)[:objects].tolist()
                top += best[0] in kinds[row]
                both += set(best) == set(kinds[row])
                for mask, c in zip(masks[row], kinds[row]):
                    asked[c] += 1
                    for m, method in enumerate(METHODS):
                        hits[m, c] += hit(heat_map(logits, features, row, c, method), mask)
        print(f"{count} scenes of {objects} object(s): top class is there {100 * top / count:.2f} %, "
              f"top {objects} are the objects {100 * both / count:.2f} %; map's maximum in the mask:")
        for m, method in enumerate(METHODS):
            each = ", ".join(f"{n} {100 * h / a:.0f}" for n, h, a in zip(names, hits[m], asked))
            print(f"  {method:9s} {100 * hits[m].sum() / asked.sum():6.2f} %   ({each})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default=os.path.join(scenes.HERE, "kldve-demo.onnx"))
    parser.add_argument("--scenes", type=int, default=1000, help="of each sort, a multiple of 50")
    parser.add_argument("--seed", type=int, default=1000000, help="of the first scene")
    parser.add_argument("--size", type=int, default=SIZE, help="draw at this size, then resize")
    options = parser.parse_args()
    torch.set_num_threads(2)
    measure(Model(options.model), options.seed, options.scenes, options.size)


if __name__ == "__main__":
    main()
