#!/usr/bin/python3
"""Make the demonstration network: draw scenes, train, write kldve-demo.onnx, its card and labels.

    /usr/bin/python3 demo/train.py [--steps N] [--out FOLDER]

Needs Debian's python3-torch, python3-onnx, python3-numpy and a C compiler.  The network learns from
labels alone: which kinds of object a scene contains, never where.  It sees every scene once.
"""
import argparse
import io
import json
import os
import queue
import threading
import time

import numpy as np
import onnx
import torch
from torch import nn

import scenes

SIZE = 96
MEAN, STD = 128.0, 64.0
BATCH = 32
RATE, MATRIX_RATE = 2e-3, 8
TRAIN_SEED = 1 << 32  # seeds from here upwards are for training, those below for tests


class Network(nn.Module):
    """Six convolutions, mean over space, one matrix.  The maps are a quarter of the picture's size,
    fine enough to point at thin things.  The two convolutions with stride 2 have even kernels, so
    that a cell of the maps sees pixels centred on its own position in the picture: with 3 x 3
    kernels every map would be shifted by a pixel and a half."""

    def __init__(self, classes, widths=(16, 32, 48, 64, 80, 96), strides=(2, 2, 1, 1, 1, 1)):
        super().__init__()
        layers, before = [], 3
        for width, stride in zip(widths, strides):
            layers += [nn.Conv2d(before, width, 4 if stride == 2 else 3, stride, 1, bias=False), nn.BatchNorm2d(width),
                       nn.ReLU()]
            before = width
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(before, classes)

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


def soften(picture, rng):
    """The effect of resizing a larger picture: less grain, softer edges."""
    a = rng.uniform(0, 0.25)
    p = np.pad(picture.astype(np.float32), ((1, 1), (1, 1), (0, 0)), mode="edge")
    p = p[:-2] * a + p[1:-1] * (1 - 2 * a) + p[2:] * a
    return p[:, :-2] * a + p[:, 1:-1] * (1 - 2 * a) + p[:, 2:] * a


def make_batch(number, classes):
    rng = np.random.default_rng(number)
    x = np.empty((BATCH, SIZE, SIZE, 3), np.float32)
    y = np.zeros((BATCH, classes), np.float32)
    for i in range(BATCH):
        objects = 1 + i % 2
        x[i], _, kinds = scenes.draw(TRAIN_SEED + number * BATCH + i, SIZE, [scenes.ANY] * objects,
                                     masks=False)
        if rng.uniform() < 0.4:
            x[i] = soften(x[i], rng)
        y[i, kinds] = 1 / objects
    x = (x - MEAN) / STD
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), torch.from_numpy(y)


def batches(count, classes):
    """Batches 0 .. count - 1, which another thread draws in advance."""
    ahead = queue.Queue(8)

    def draw():
        for number in range(count):
            ahead.put(make_batch(number, classes))

    threading.Thread(target=draw, daemon=True).start()
    for _ in range(count):
        yield ahead.get()


def train(steps):
    torch.manual_seed(1)
    classes = len(scenes.labels())
    net = Network(classes)
    net.classifier.weight.data *= MATRIX_RATE
    # An object fills a tenth of a scene, so the means over space differ little between scenes: the
    # matrix behind them has to be large, and would learn too slowly at the other layers' rate.
    matrix = [net.classifier.weight]
    kernels = [p for p in net.parameters() if p.ndim == 4]
    others = [p for p in net.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": matrix, "weight_decay": 0.01},
                                   {"params": kernels, "weight_decay": 0.05},
                                   {"params": others, "weight_decay": 0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [RATE * MATRIX_RATE, RATE, RATE],
                                                   total_steps=steps, pct_start=0.15)
    start, seen = time.time(), []
    for step, (x, y) in enumerate(batches(steps, classes)):
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        right = y.gather(1, logits.argmax(1, keepdim=True)) > 0
        seen.append((loss.item(), right.float().mean().item()))
        if (step + 1) % 100 == 0:
            mean = np.mean(seen[-100:], axis=0)
            print(f"step {step + 1}: loss {mean[0]:.4f}, top class in the scene {mean[1]:.4f}, "
                  f"{time.time() - start:.0f} s", flush=True)
    return net.eval()


def rename(model):
    """Names that people can type: the convolutions' outputs conv1.., features, logits."""
    names, convolutions = {}, 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            convolutions += 1
            names[node.input[1]] = f"conv{convolutions}.weight"
            names[node.input[2]] = f"conv{convolutions}.bias"
            names[node.output[0]] = f"conv{convolutions}"
        elif node.op_type == "Relu":
            names[node.output[0]] = f"relu{convolutions}"
        elif node.op_type == "GlobalAveragePool":
            names[node.input[0]] = "features"
            names[node.output[0]] = "pooled"
        elif node.op_type == "Flatten":
            names[node.output[0]] = "vector"
    for node in model.graph.node:
        if node.op_type == "Relu" and names.get(node.output[0]) == f"relu{convolutions}":
            names[node.output[0]] = "features"
    for node in model.graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
        node.name = node.output[0]
    for tensor in model.graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)


def write_card(folder, name, head, tensors):
    """NAME.card.json for a network that was trained on these batches, and the labels of all of them."""
    card = {
        **head, "licence": "MIT",
        "input": {"name": "picture", "shape": [1, 3, SIZE, SIZE], "channels": "RGB", "scale": 1,
                  "mean": [MEAN] * 3, "std": [STD] * 3, "resize_shorter_side": SIZE,
                  "center_crop": SIZE},
        **tensors, "labels": "kldve-demo.labels.txt"}
    with open(os.path.join(folder, f"{name}.card.json"), "w", encoding="utf-8") as out:
        json.dump(card, out, indent=1)
        out.write("\n")
    with open(os.path.join(folder, "kldve-demo.labels.txt"), "w", encoding="utf-8") as out:
        out.write("".join(label + "\n" for label in scenes.labels()))


def export(net, folder):
    file = io.BytesIO()
    torch.onnx.export(net, torch.zeros(1, 3, SIZE, SIZE), file, opset_version=13,
                      input_names=["picture"], output_names=["logits"])
    model = onnx.load_from_string(file.getvalue())
    rename(model)
    model.producer_name, model.producer_version = "libkldve demo/train.py", ""
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(folder, "kldve-demo.onnx"))
    write_card(folder, "kldve-demo", {"name": "libkldve demonstration network",
                                      "source": "libkldve demo/train.py"},
               {"logits": "logits", "features": "features"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1700, help=f"batches of {BATCH} scenes")
    parser.add_argument("--out", default=scenes.HERE, help="folder to write to")
    options = parser.parse_args()
    torch.set_num_threads(2)
    export(train(options.steps), options.out)


if __name__ == "__main__":
    main()
