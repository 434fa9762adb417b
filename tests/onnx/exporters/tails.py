"""What a file prints of its scores against what the record of `kldve explain` says, for every tail of nodes.

    VENV/bin/python tests/onnx/exporters/tails.py KLDVE [SEED]      (numpy, onnx, onnxruntime)

Each network is a convolution, a dense layer and a tail: a squashing in one of its spellings, then up to three
steps that files put behind it.  ONNX Runtime runs the untouched file.  The record's probabilities, turned into
what the steps make of them, must be those numbers within 1e-4 relative to the largest (5e-3 through half precision).  Long form.
"""
import itertools
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

CLASSES = 5


def number(value, shape=()):
    return numpy.full(shape, value, numpy.float32)


class Graph:
    def __init__(self):
        self.nodes, self.tensors = [], []

    def constant(self, value):
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(numpy.asarray(value), name))
        return name

    def __call__(self, op, *inputs, **attributes):
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, names, [out], **attributes))
        return out


AXIS = numpy.array([1])

# name -> (of the scores y, their probabilities are a softmax)
SQUASHES = {
    "softmax": lambda g, y: g("Softmax", y),
    "softmax of cells": lambda g, y: g("Flatten", g("Softmax", g("Reshape", y, numpy.array([1, CLASSES, 1, 1])), axis=1)),
    "softmax by hand": lambda g, y: (lambda e: g("Div", e, g("ReduceSum", e, AXIS)))(g("Exp", y)),
    "softmax by hand, shifted": lambda g, y: (lambda e: g("Div", e, g("ReduceSum", e, AXIS)))(
        g("Exp", g("Sub", y, g("ReduceMax", y, axes=[1])))),
    "softmax by matrix product": lambda g, y: (lambda e: g("Div", e, g("MatMul", e, number(1, (CLASSES, 1)))))(g("Exp", y)),
    "softmax by einsum": lambda g, y: (lambda e: g("Div", e, g("Unsqueeze", g("Einsum", e, equation="bc->b"), AXIS)))(
        g("Exp", y)),
    "softmax by logarithms": lambda g, y: g("Exp", g("Sub", y, g("ReduceLogSumExp", y, axes=[1]))),
    "log-softmax and back": lambda g, y: g("Exp", g("LogSoftmax", y)),
    "softmax divided by its sum": lambda g, y: (lambda p: g("Div", p, g("ReduceSum", p, AXIS)))(g("Softmax", y)),
    "softmax twice averaged": lambda g, y: g("Mul", g("Add", g("Softmax", y), g("Softmax", g("Mul", y, number(-0.3)))),
                                             number(0.5)),
    "sigmoid": lambda g, y: g("Sigmoid", y),
    "sigmoid by hand": lambda g, y: g("Div", number(1), g("Add", number(1), g("Exp", g("Neg", y)))),
    "sigmoid by tanh": lambda g, y: g("Mul", g("Add", g("Tanh", g("Mul", y, number(0.5))), number(1)), number(0.5)),
    "sigmoid by softplus": lambda g, y: g("Exp", g("Neg", g("Softplus", g("Neg", y)))),
    "one less a sigmoid": lambda g, y: g("Sub", number(1), g("Sigmoid", g("Neg", y))),
    "sigmoids one by one": lambda g, y: g("Concat", *[g("Sigmoid", g("Slice", y, numpy.array([i]), numpy.array([i + 1]),
                                                                     numpy.array([1]))) for i in range(CLASSES)], axis=1),
}

# name -> (the step, what it makes of a probability)
STEPS = {
    "cast to half and back": (lambda g, p: g("Cast", g("Cast", p, to=TensorProto.FLOAT16), to=TensorProto.FLOAT), lambda p: p),
    "cast to double": (lambda g, p: g("Cast", g("Cast", p, to=TensorProto.DOUBLE), to=TensorProto.FLOAT), lambda p: p),
    "clip": (lambda g, p: g("Clip", p, number(1e-7), number(1 - 1e-7)), lambda p: p),
    "kept from 0": (lambda g, p: g("Max", p, number(1e-8)), lambda p: p),
    "reshaped": (lambda g, p: g("Squeeze", g("Unsqueeze", p, AXIS), AXIS), lambda p: p),
    "a little more": (lambda g, p: g("Add", p, number(1e-8)), lambda p: p),
    "percent": (lambda g, p: g("Mul", p, number(100)), lambda p: 100 * p),
    "of 255": (lambda g, p: g("Div", p, number(1 / 255)), lambda p: 255 * p),
    "affine": (lambda g, p: g("Sub", g("Mul", p, number(2)), number(1)), lambda p: 2 * p - 1),
    "logarithm": (lambda g, p: g("Log", p), numpy.log),
    "negative logarithm": (lambda g, p: g("Neg", g("Log", p)), lambda p: -numpy.log(p)),
}
# No probability any more: comes last.
LAST = ("percent", "of 255", "affine", "logarithm", "negative logarithm")


def write(path, squash, steps, rng):
    g = Graph()
    x = g("Conv", "image", rng.normal(size=(6, 3, 3, 3)).astype(numpy.float32))
    f = g("Flatten", g("GlobalAveragePool", g("Relu", x)))
    y = g("Mul", g("MatMul", f, rng.normal(size=(6, CLASSES)).astype(numpy.float32)), number(0.7))
    p = SQUASHES[squash](g, y)
    for step in steps:
        p = STEPS[step][0](g, p)
    graph = helper.make_graph(g.nodes, "tail", [helper.make_tensor_value_info("image", 1, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info(p, 1, [1, CLASSES])], g.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


def compare(kldve, path, steps, x):
    printed = onnxruntime.InferenceSession(str(path)).run(None, {"image": x})[0].ravel().astype(float)
    numpy.save(path.with_suffix(".npy"), x)
    record = path.with_suffix(".json")
    result = subprocess.run([kldve, "explain", path, path.with_suffix(".npy"), "--json", record, "--quiet"],
                            capture_output=True, text=True)
    if result.returncode:
        return result.stderr.strip()
    found = json.loads(record.read_text())
    if found["scores"] == "raw":
        return f"the scores are raw: {found['notes']}"
    p = numpy.array([c["probability"] for c in sorted(found["top5"], key=lambda c: c["index"])])
    for step in steps:
        p = STEPS[step][1](p)
    rounding = 5e-3 if "cast to half and back" in steps else 1e-4
    off = numpy.abs(p - printed).max() / max(1, numpy.abs(printed).max())
    return None if off < rounding else f"off by {off:.2e}: {p} and {printed}"


def cases(random_of):
    for squash in SQUASHES:
        yield squash, ()
        for step in STEPS:
            yield squash, (step,)
        between = [s for s in STEPS if s not in LAST]
        for _ in range(4):
            yield squash, tuple(random_of.sample(between, 2)) + (random_of.choice(LAST),)


def main():
    kldve, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    rng, failed, count = numpy.random.default_rng(seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        for squash, steps in itertools.chain(cases(random.Random(seed))):
            write(path, squash, steps, rng)
            wrong = compare(kldve, path, steps, rng.random((1, 3, 8, 8), numpy.float32))
            count += 1
            if wrong:
                failed += 1
                print(f"FAILED {squash}, {', '.join(steps)}: {wrong}")
    print(f"{count} tails, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
