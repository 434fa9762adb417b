#!/usr/bin/python3
"""Make the small vision transformer: train it on our scenes, write kldve-vit.onnx and its card.

    nice /usr/bin/python3 demo/train_vit.py [--steps N] [--threads N] [--out FOLDER]

Needs what train.py needs.  Its tokens are cut from the maps of the first convolutions of the demonstration
network (kldve-demo.onnx), which stay as they are: a transformer that starts from pixels needs many times as
many scenes.  Like that network it learns from labels alone, which kinds of object a scene contains.
"""
import argparse
import io
import os
import re
import time

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import nn

import scenes
import train

STEM = 3                 # convolutions of the demonstration network: 48 maps of 24 x 24 cells
STRIDES = (2, 2, 1)
CUT = 2                  # a token is a square of 2 x 2 cells of these maps
GRID = train.SIZE // 4 // CUT
WIDTH, HIDDEN, HEADS, BLOCKS = 40, 80, 4, 4
RATE = 2e-3


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        tokens = x.shape[1]
        parts = self.project(x).reshape(-1, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts[0], parts[1], parts[2]
        shares = torch.softmax(queries @ keys.transpose(2, 3) * (WIDTH // HEADS) ** -0.5, 3)
        return self.out((shares @ values).transpose(1, 2).reshape(-1, tokens, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(WIDTH), Attention(), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def stem(path):
    """The first convolutions of the demonstration network."""
    constants = {t.name: onnx.numpy_helper.to_array(t).copy() for t in onnx.load(path).graph.initializer}
    layers = []
    for i, stride in enumerate(STRIDES):
        weight, bias = (torch.from_numpy(constants[f"conv{i + 1}.{what}"]) for what in ("weight", "bias"))
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride, 1)
        conv.weight.data, conv.bias.data = weight, bias
        layers += [conv.requires_grad_(False), nn.ReLU()]
    return nn.Sequential(*layers), weight.shape[0]


class Network(nn.Module):
    """Convolutions, patches, a class token, blocks as in Dosovitskiy et al. 2021, a matrix."""

    def __init__(self, classes, demo):
        super().__init__()
        self.stem, maps = stem(demo)
        self.patches = nn.Conv2d(maps, WIDTH, CUT, CUT)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, WIDTH))
        self.places = nn.Parameter(0.02 * torch.randn(1, 1 + GRID * GRID, WIDTH))
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, classes)

    def forward(self, x):
        x = self.patches(self.stem(x)).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        return self.classifier(self.norm(self.blocks(x)[:, 0]))


def fit(net, steps):
    trained = {name: p for name, p in net.named_parameters() if p.requires_grad}
    decaying = [p for name, p in trained.items() if p.ndim > 1 and name not in ("token", "places")]
    others = [p for name, p in trained.items() if p.ndim == 1 or name in ("token", "places")]
    optimizer = torch.optim.AdamW([{"params": decaying, "weight_decay": 0.05},
                                   {"params": others, "weight_decay": 0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.15)
    start, seen = time.process_time(), []
    for step, (x, y) in enumerate(train.batches(steps, len(scenes.labels()))):
        logits = net(x)
        loss = nn.functional.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained.values(), 1)
        optimizer.step()
        schedule.step()
        right = y.gather(1, logits.argmax(1, keepdim=True)) > 0
        seen.append((loss.item(), right.float().mean().item()))
        if (step + 1) % 100 == 0:
            mean = np.mean(seen[-100:], axis=0)
            print(f"step {step + 1}: loss {mean[0]:.4f}, top class in the scene {mean[1]:.4f}, "
                  f"{time.process_time() - start:.0f} s of processor time", flush=True)
    return net.eval()


def rename(model):
    """Names that people can type: relu1.., patches, attention1.., block1.., logits."""
    names, count = {}, {}

    def number(kind):
        count[kind] = count.get(kind, 0) + 1
        return f"{kind}{count[kind]}"

    for node in model.graph.node:
        if node.op_type == "Conv":
            names[node.output[0]] = "patches" if count.get("conv") == STEM else number("conv")
        elif node.op_type == "Relu":
            names[node.output[0]] = number("relu")
        elif node.op_type == "Softmax":
            names[node.output[0]] = number("attention")
        elif node.op_type == "Concat" and "tokens" not in names.values():
            names[node.output[0]] = "tokens"
        elif node.op_type == "Add" and re.fullmatch(r"/blocks/blocks\.\d+/Add(_1)?", node.name):
            names[node.output[0]] = number("block" if node.name.endswith("_1") else "sum")
    for node in model.graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
        node.name = node.output[0]


def export(net, folder):
    file = io.BytesIO()
    torch.onnx.export(net, torch.zeros(1, 3, train.SIZE, train.SIZE), file, opset_version=17,
                      input_names=["picture"], output_names=["logits"])
    model = onnx.load_from_string(file.getvalue())
    rename(model)
    model.producer_name, model.producer_version = "libkldve demo/train_vit.py", ""
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(folder, "kldve-vit.onnx"))
    train.write_card(folder, "kldve-vit", {"name": "libkldve small vision transformer",
                                           "source": "libkldve demo/train_vit.py"},
                     {"logits": "logits", "features": f"block{BLOCKS - 1}"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1600, help=f"batches of {train.BATCH} scenes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default=scenes.HERE, help="folder to write to")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    net = Network(len(scenes.labels()), os.path.join(scenes.HERE, "kldve-demo.onnx"))
    export(fit(net, options.steps), options.out)


if __name__ == "__main__":
    main()
