"""differential.py RUNNER [FIRST COUNT] - random networks of many operators against torch: logits against the same network in
float64, gradients at the picture against torch's autograd in float64, oneDNN's plan against the reference kernels.  Where
ONNX Runtime is installed it is asked for the logits, too.

A network that differs is made as small as it can be (shrink()): nodes are dropped, attributes take their defaults,
constants become ones.  What is left is printed, and written to differs_SEED.onnx.

Without FIRST and COUNT: 300 networks, and every operator of docs/operators.md is generated or in LEFT_OUT.
Exit status 77: no torch."""
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None

SOURCE = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests" / "cli"))
from tinynet import field, value_info  # noqa: E402

CLASSES = 5
FORWARD, BACKWARD = 3e-4, 2e-3  # of the largest number of the array
MOST = 30.0  # of a value, so that float32 has digits left
torch.set_num_threads(1)

# Operators of docs/operators.md that are not generated, by the reason.
LEFT_OUT = {
    "integers and conditions, tested by the conformance data": "And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot "
    "BitwiseOr BitwiseXor Cast CastLike Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Mod Not Or Xor NonZero "
    "NonMaxSuppression OneHot Hardmax",
    "constants and shapes, folded before anything runs": "BlackmanWindow HammingWindow HannWindow MelWeightMatrix Constant "
    "ConstantOfShape EyeLike Range Shape Size",
    "quantised, compared step by step in tests/onnx/quantised": "ConvInteger DequantizeLinear DynamicQuantizeLinear "
    "MatMulInteger QLinearConv QLinearMatMul QuantizeLinear",
    "sequences and control flow, written out before anything runs": "ConcatFromSequence SequenceAt SequenceConstruct "
    "SequenceEmpty SequenceErase SequenceInsert SequenceLength SplitToSequence If Loop Scan",
    "recurrent, compared with torch in tests/onnx/ops": "GRU LSTM RNN",
    "obsolete, without a counterpart in torch": "Affine Crop ImageScaler ParametricSoftplus ScaledTanh Scatter Upsample "
    "SimplifiedLayerNormalization",
    "tests of their own, with references of their own": "AffineGrid Attention CenterCropPad Col2Im Compress DFT DeformConv Det "
    "Dropout GridSample MaxUnpool ReverseSequence RoiAlign RotaryEmbedding STFT TopK RMSNormalization Swish "
    "GatherElements GatherND Split ScatterElements ScatterND Resize LpPool GlobalLpPool",
}


# ---- what operators compute: name -> f(attributes, tensors...) -> tensor --------------------------

def pads_of(a, x, sides=2):
    p = a.get("pads", [0] * 2 * sides)
    return [v for i in reversed(range(sides)) for v in (p[i], p[i + sides])]


def conv(a, x, w, b=None):
    return F.conv2d(F.pad(x, pads_of(a, x)), w, b, a["strides"], 0, a["dilations"], a["group"])


def conv_transpose(a, x, w, b=None):
    p = a["pads"]
    y = F.conv_transpose2d(x, w, b, a["strides"], 0, 0, a["group"], a["dilations"])
    return y[:, :, p[0]:y.shape[2] - p[2], p[1]:y.shape[3] - p[3]]


def max_pool(a, x):
    return F.max_pool2d(F.pad(x, pads_of(a, x), value=-1e30), a["kernel_shape"], a["strides"])


def average_pool(a, x):
    ones, k = torch.ones_like(x), a["kernel_shape"]
    total = F.avg_pool2d(F.pad(x, pads_of(a, x)), k, a["strides"])
    return total if a["count_include_pad"] else total / F.avg_pool2d(F.pad(ones, pads_of(a, x)), k, a["strides"])


def layer_norm(a, x, s, b):
    return F.layer_norm(x, x.shape[a["axis"]:], s, b, 1e-5)


def batch_norm(a, x, s, b, m, v):
    """By its formula: the gradient of torch 1.13's own is wrong for some transposed arrays."""
    s, b, m, v = (p.reshape(1, -1, *[1] * (x.dim() - 2)) for p in (s, b, m, v))
    return (x - m) / torch.sqrt(v + 1e-5) * s + b


def lrn(a, x):
    half, n = (a["size"] - 1) // 2, a["size"]
    squares = F.pad(x * x, (0, 0, 0, 0, half, n - 1 - half))
    total = sum(squares[:, i:i + x.shape[1]] for i in range(n))
    return x / (a["bias"] + a["alpha"] / n * total) ** a["beta"]


def pad(a, x, pads, value=None):
    p, rank = [int(v) for v in pads], x.dim()
    flat = [v for i in reversed(range(rank)) for v in (p[i], p[i + rank])]
    if a["mode"] == "constant":
        return F.pad(x, flat, value=float(value))
    return F.pad(x, flat[:4], mode={"edge": "replicate"}.get(a["mode"], a["mode"]))


def reduce(f):
    def run(a, x, axes=None):
        dims = tuple(int(v) for v in (a["axes"] if axes is None else axes))
        return f(x, dims, bool(a["keepdims"]))
    return run


def extreme(largest):
    return lambda x, d, k: torch.amax(x, d, k) if largest else torch.amin(x, d, k)


def product(x, dims, keep):
    for d in sorted(dims, reverse=True):
        x = torch.prod(x, d, keep)
    return x


def depth_to_space(a, x):
    n, c, h, w = x.shape
    b = a["blocksize"]
    if a["mode"] == "CRD":
        y = x.reshape(n, c // (b * b), b, b, h, w).permute(0, 1, 4, 2, 5, 3)
    else:
        y = x.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
    return y.reshape(n, c // (b * b), h * b, w * b)


def space_to_depth(a, x):
    n, c, h, w = x.shape
    b = a["blocksize"]
    return x.reshape(n, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)


def slices(a, x, starts, ends, axes, steps):
    index = [slice(None)] * x.dim()
    for s, e, d, t in zip(*(map(int, v) for v in (starts, ends, axes, steps))):
        index[d] = slice(s, e, t)
    return x[tuple(index)]


def fold(f):
    def run(a, *xs):
        y = xs[0]
        for x in xs[1:]:
            y = f(y, x)
        return y
    return run


def flatten(a, x):
    return x.reshape(int(np.prod(x.shape[:a["axis"]])), -1)


def gemm(a, x, w, b):
    return a["alpha"] * (x.t() if a["transA"] else x) @ (w.t() if a["transB"] else w) + a["beta"] * b


def mvn(a, x):
    d = tuple(a["axes"])
    return (x - x.mean(d, True)) / torch.sqrt(x.var(d, unbiased=False, keepdim=True) + 1e-9)


UNARY = {
    "Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Abs": torch.abs, "Neg": torch.neg, "Exp": torch.exp,
    "Softplus": F.softplus, "Softsign": F.softsign, "Erf": torch.erf, "Sin": torch.sin, "Cos": torch.cos, "Atan": torch.atan,
    "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh, "Mish": F.mish, "HardSwish": F.hardswish,
    "Identity": lambda x: x, "Floor": torch.floor, "Ceil": torch.ceil, "Round": torch.round, "Sign": torch.sign}
NARROW = {"Sqrt": torch.sqrt, "Log": torch.log, "Reciprocal": torch.reciprocal, "Asin": torch.asin, "Acos": torch.acos,
          "Atanh": torch.atanh, "Acosh": torch.acosh, "Tan": torch.tan}
REDUCE = {"ReduceMean": torch.mean, "ReduceSum": torch.sum, "ReduceMax": extreme(True), "ReduceMin": extreme(False),
          "ReduceL1": lambda x, d, k: x.abs().sum(d, k), "ReduceL2": lambda x, d, k: torch.sqrt((x * x).sum(d, k)),
          "ReduceLogSumExp": torch.logsumexp, "ReduceProd": product, "ReduceSumSquare": lambda x, d, k: (x * x).sum(d, k),
          "ReduceLogSum": lambda x, d, k: torch.log(x.sum(d, k))}
COMPUTE = {name: (lambda f: lambda a, x: f(x))(f) for name, f in {**UNARY, **NARROW}.items()}
COMPUTE.update({name: reduce(f) for name, f in REDUCE.items()})
COMPUTE.update({
    "LeakyRelu": lambda a, x: F.leaky_relu(x, a["alpha"]), "Elu": lambda a, x: F.elu(x, a["alpha"]),
    "Celu": lambda a, x: F.celu(x, a["alpha"]), "ThresholdedRelu": lambda a, x: F.threshold(x, a["alpha"], 0.0),
    "Selu": lambda a, x: a["gamma"] * (x.clamp(min=0) + a["alpha"] * (torch.exp(x.clamp(max=0)) - 1)),
    "HardSigmoid": lambda a, x: (a["alpha"] * x + a["beta"]).clamp(0, 1), "Clip": lambda a, x, low, high: x.clamp(low, high),
    "Shrink": lambda a, x: torch.where(x < -a["lambd"], x + a["bias"], torch.where(x > a["lambd"], x - a["bias"], x * 0)),
    "Gelu": lambda a, x: F.gelu(x) if a["approximate"] == "none" else
    0.5 * x * (1 + torch.tanh(0.7978845608028654 * (x + 0.044715 * x ** 3))),
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y,
    "Pow": lambda a, x, y: x ** y, "PRelu": lambda a, x, s: torch.where(x < 0, x * s, x),
    "Max": fold(torch.maximum), "Min": fold(torch.minimum), "Sum": fold(torch.add),
    "Mean": lambda a, *xs: fold(torch.add)(a, *xs) / len(xs), "MatMul": lambda a, x, y: x @ y, "Gemm": gemm,
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": max_pool, "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), True), "GlobalMaxPool": lambda a, x: torch.amax(x, (2, 3), True),
    "BatchNormalization": batch_norm,
    "InstanceNormalization": lambda a, x, s, b: F.instance_norm(x, None, None, s, b, True, 0, 1e-5),
    "GroupNormalization": lambda a, x, s, b: F.group_norm(x, a["num_groups"], s, b, 1e-5),
    "LayerNormalization": layer_norm, "LRN": lrn, "LpNormalization": lambda a, x: x / x.norm(a["p"], a["axis"], True),
    "MeanVarianceNormalization": mvn, "Softmax": lambda a, x: torch.softmax(x, a["axis"]),
    "LogSoftmax": lambda a, x: torch.log_softmax(x, a["axis"]), "CumSum": lambda a, x, d: torch.cumsum(x, int(d)),
    "Transpose": lambda a, x: x.permute(a["perm"]), "Reshape": lambda a, x, s: x.reshape([int(v) for v in s]),
    "Flatten": flatten, "Squeeze": lambda a, x, d: x.squeeze(int(d[0])), "Unsqueeze": lambda a, x, d: x.unsqueeze(int(d[0])),
    "Expand": lambda a, x, s: x * torch.ones([int(v) for v in s], dtype=x.dtype), "Tile": lambda a, x, r: x.repeat(*map(int, r)),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]), "Split": lambda a, x, s: torch.split(x, [int(v) for v in s], a["axis"])[0],
    "Slice": slices, "Pad": pad, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth,
    "Gather": lambda a, x, i: torch.index_select(x, a["axis"], i), "Where": lambda a, c, x, y: torch.where(c != 0, x, y),
    "Einsum": lambda a, x, y: torch.einsum(a["equation"], x, y),
    "Trilu": lambda a, x: torch.triu(x) if a["upper"] else torch.tril(x)})
SINCE = {"HardSwish": 14, "Trilu": 14, "LayerNormalization": 17, "Mish": 18, "GroupNormalization": 21, "Gelu": 20}


# ---- networks -------------------------------------------------------------------------------------

class Network:
    """Nodes (operator, inputs, output, attributes) in order; constants by name; the input is "x", the output "y"."""

    def __init__(self, shape, opset):
        self.shape, self.opset, self.nodes, self.constants = shape, opset, [], {}

    def copy(self):
        n = Network(self.shape, self.opset)
        n.nodes, n.constants = [(o, list(i), y, dict(a)) for o, i, y, a in self.nodes], dict(self.constants)
        return n

    def run(self, x):
        values = {"x": x}
        for name, c in self.constants.items():
            values[name] = torch.tensor(c, dtype=x.dtype if c.dtype == np.float32 else None)
        for op, inputs, output, attributes in self.nodes:
            values[output] = COMPUTE[op](attributes, *(values[i] for i in inputs))
        return values

    def tidy(self):
        """Without what "y" does not need."""
        needed = {"y"}
        for node in reversed(self.nodes):
            if node[2] in needed:
                needed.update(node[1])
        self.nodes = [n for n in self.nodes if n[2] in needed]
        self.constants = {k: c for k, c in self.constants.items() if k in needed}
        return self

    def onnx(self):
        def attribute(name, v):
            if isinstance(v, float):
                return field(1, name) + b"\x15" + struct.pack("<f", v) + field(20, 1)
            if isinstance(v, str):
                return field(1, name) + field(4, v) + field(20, 3)
            if isinstance(v, int):
                return field(1, name) + field(3, v) + field(20, 2)
            return field(1, name) + b"".join(field(8, i) for i in v) + field(20, 7)

        body = b""
        for op, inputs, output, attributes in self.nodes:
            body += field(1, b"".join(field(1, i) for i in inputs) + field(2, output) + field(3, output) + field(4, op) +
                          b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))
        body += field(2, "random")
        for name, c in self.constants.items():
            kind = {"float32": 1, "int64": 7, "bool": 9}[c.dtype.name]
            body += field(5, b"".join(field(1, d) for d in c.shape) + field(2, kind) + field(8, name) + field(9, c.tobytes()))
        body += field(11, value_info("x", self.shape)) + field(12, value_info("y", (1, CLASSES)))
        return field(1, 8) + field(7, body) + field(8, field(1, "") + field(2, self.opset))

    def __str__(self):
        lines = [f"opset {self.opset}, x {list(self.shape)}"]
        lines += [f"  {k} = {c.dtype}{list(c.shape)} {c.ravel()[:6].tolist()}" for k, c in self.constants.items()]
        return "\n".join(lines + [f"  {y} = {op}({', '.join(i)}) {a or ''}" for op, i, y, a in self.nodes])


class Maker:
    """One random network.  Values are computed on the way, so that shapes are known and numbers stay small."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        r = self.rng
        self.net = Network((1, r.choice([1, 2, 3, 4, 8, 16]), r.randint(5, 12), r.randint(5, 12)), r.choice([13, 17, 18, 21]))
        self.input = self.numbers.normal(0, 1, self.net.shape).astype(np.float32)
        self.values = {"x": torch.tensor(self.input, dtype=torch.float64)}
        self.count = 0

    def constant(self, c):
        self.count += 1
        name = f"c{self.count}"
        self.net.constants[name] = np.asarray(c) if np.asarray(c).dtype == bool else np.asarray(c, np.asarray(c).dtype)
        return name

    def weights(self, *shape, scale=0.5, middle=0.0):
        return self.constant(self.numbers.normal(middle, scale, shape).astype(np.float32))

    def whole(self, *values):
        return self.constant(np.array(values, np.int64))

    def add(self, op, inputs, attributes=None, output=None):
        """The output's name, or None where its numbers do not fit."""
        c = self.net.constants
        args = [self.values[i] if i in self.values else
                torch.tensor(c[i], dtype=torch.float64 if c[i].dtype == np.float32 else None) for i in inputs]
        y = COMPUTE[op](attributes or {}, *args)
        if not (torch.isfinite(y).all() and y.abs().max() <= MOST and 0 < y.numel() <= 20000 and y.dim() <= 5):
            return None
        self.count += 1
        name = output or f"t{self.count}"
        self.net.nodes.append((op, list(inputs), name, attributes or {}))
        self.values[name] = y
        return name

    def shape(self, v):
        return list(self.values[v].shape)

    def step(self, v):
        """Another node behind `v`."""
        r, s = self.rng, self.shape(v)
        kind = r.choice(["unary", "unary", "narrow", "curve", "binary", "many", "reduce", "axis", "form"] +
                        (["plane"] * 8 if len(s) == 4 else []) + (["matrix"] if len(s) >= 2 else []))
        return getattr(self, kind)(v, s)

    def allowed(self, op):
        return self.net.opset >= SINCE.get(op, 1)

    def unary(self, v, s):
        op = self.rng.choice(sorted(UNARY))
        if op in ("Floor", "Ceil", "Round", "Sign"):  # their derivative is 0: a path beside them keeps one
            y = self.add(op, [v])
            return y and self.add("Add", [y, v])
        return self.add(op, [v]) if self.allowed(op) else None

    def narrow(self, v, s):
        op = self.rng.choice(sorted(NARROW))
        inside = self.add("Tanh", [v])
        inside = self.add("Mul", [inside, self.constant(np.float32(0.7))])
        if op in ("Sqrt", "Log", "Reciprocal", "Acosh"):
            inside = self.add("Add", [inside, self.constant(np.float32(2))])
        return self.add(op, [inside])

    def curve(self, v, s):
        r = self.rng
        op, a = r.choice([("LeakyRelu", {"alpha": r.uniform(0.01, 0.5)}), ("Elu", {"alpha": r.uniform(0.5, 2)}),
                          ("Celu", {"alpha": r.uniform(0.5, 2)}), ("ThresholdedRelu", {"alpha": r.uniform(0.1, 1)}),
                          ("Selu", {"alpha": 1.67326, "gamma": 1.0507}), ("Shrink", {"lambd": 0.4, "bias": r.uniform(0, 0.4)}),
                          ("HardSigmoid", {"alpha": r.uniform(0.1, 0.4), "beta": 0.5}), ("Clip", {}),
                          ("Gelu", {"approximate": r.choice(["none", "tanh"])})])
        more = [self.constant(np.float32(-r.uniform(0.2, 1))), self.constant(np.float32(r.uniform(0.2, 1)))] if op == "Clip" else []
        return self.add(op, [v] + more, a) if self.allowed(op) else None

    def other(self, v, s):
        """Something to combine with `v`: an earlier value of the shape, or a constant that is broadcast."""
        same = [k for k in self.values if k != v and self.shape(k) == s]
        if same and self.rng.random() < 0.6:
            return self.rng.choice(same)
        return self.weights(*[d if self.rng.random() < 0.6 else 1 for d in s[self.rng.randint(0, len(s) - 1):]])

    def binary(self, v, s):
        r = self.rng
        op = r.choice(["Add", "Sub", "Mul", "Div", "Pow", "PRelu", "Max", "Min", "Where"])
        if op == "Div":
            return self.add(op, [v, self.constant((1.0 + self.numbers.random(s[-1:])).astype(np.float32))])
        if op == "Pow":
            base = self.add("Add", [self.add("Sigmoid", [v]), self.constant(np.float32(0.2))])
            return self.add(op, [base, self.constant(np.float32(r.choice([2, 3, 0.5, -1, 1.7])))])
        if op == "PRelu":
            return self.add(op, [v, self.weights(*([s[1], 1, 1] if len(s) == 4 else s[-1:]))])
        if op == "Where":
            return self.add(op, [self.constant(self.numbers.random(s) < 0.5), v, self.other(v, s)])
        pair = [v, self.other(v, s)]
        r.shuffle(pair)
        return self.add(op, pair)

    def many(self, v, s):
        op = self.rng.choice(["Sum", "Mean", "Max", "Min", "Concat"])
        inputs = [v] + [k for k in self.rng.sample(sorted(self.values), min(6, len(self.values))) if self.shape(k) == s][:3]
        return self.add(op, inputs, {"axis": self.rng.randrange(len(s))} if op == "Concat" else {})

    def reduce(self, v, s):
        r = self.rng
        op = r.choice(sorted(REDUCE))
        if op in ("ReduceLogSum", "ReduceProd", "ReduceL2"):
            v = self.add("Add", [self.add("Sigmoid", [v]), self.constant(np.float32(0.5))])
        axes = sorted(r.sample(range(len(s)), r.randint(1, min(2, len(s)))))
        a = {"keepdims": 1 if len(s) < 3 else r.randint(0, 1)}
        if self.net.opset >= 18 or op == "ReduceSum":
            return self.add(op, [v, self.whole(*axes)], a)
        return self.add(op, [v], {**a, "axes": axes})

    def axis(self, v, s):
        r, d = self.rng, self.rng.randrange(len(s))
        op = r.choice(["Softmax", "LogSoftmax", "CumSum", "LpNormalization", "LayerNormalization", "Gather", "Slice", "Split"])
        if op == "CumSum":
            return self.add(op, [v, self.constant(np.int64(d))])
        if op == "LpNormalization":
            return self.add(op, [v], {"axis": d, "p": r.choice([1, 2])})
        if op == "LayerNormalization":
            return self.add(op, [v, self.weights(*s[-1:]), self.weights(*s[-1:])], {"axis": len(s) - 1}) if self.allowed(op) else None
        if op == "Gather":
            return self.add(op, [v, self.whole(*(r.randrange(s[d]) for _ in range(r.randint(1, 5))))], {"axis": d})
        if op == "Slice":
            first = r.randrange(s[d])
            return self.add(op, [v, self.whole(first), self.whole(r.randint(first + 1, s[d])), self.whole(d), self.whole(r.randint(1, 2))])
        if op == "Split":
            first = r.randint(1, s[d] - 1) if s[d] > 1 else 0
            return self.split(v, d, first, s[d] - first) if first else None
        return self.add(op, [v], {"axis": d})

    def split(self, v, d, first, rest):
        """The second half is an output that nobody reads; Slice takes it, too."""
        return self.add("Slice", [v, self.whole(0), self.whole(first), self.whole(d), self.whole(1)])

    def form(self, v, s):
        r, n = self.rng, int(np.prod(s))
        op = r.choice(["Transpose", "Reshape", "Flatten", "Unsqueeze", "Squeeze", "Expand", "Tile", "Identity"])
        if op == "Transpose":
            return self.add(op, [v], {"perm": r.sample(range(len(s)), len(s))})
        if op == "Reshape":
            d = r.choice([k for k in range(1, n + 1) if n % k == 0])
            return self.add(op, [v, self.whole(*r.choice([[1, d, 1, n // d], [d, n // d], [1, d, n // d], [1, n]]))])
        if op == "Flatten":
            return self.add(op, [v], {"axis": r.randint(1, len(s) - 1)}) if len(s) > 1 else None
        if op == "Unsqueeze":
            return self.add(op, [v, self.whole(r.randint(0, len(s)))]) if len(s) < 4 else None
        if op == "Squeeze":
            ones = [i for i, k in enumerate(s) if k == 1]
            return self.add(op, [v, self.whole(r.choice(ones))]) if ones and len(s) > 2 else None
        if op == "Expand":
            return self.add(op, [v, self.whole(*(k if k > 1 else r.randint(1, 3) for k in s))])
        if op == "Tile":
            return self.add(op, [v, self.whole(*(r.randint(1, 2) for _ in s))])
        return self.add(op, [v])

    def plane(self, v, s):
        r = self.rng
        op = r.choice(["Conv", "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LRN",
                       "BatchNormalization", "InstanceNormalization", "GroupNormalization", "Pad", "DepthToSpace", "SpaceToDepth",
                       "MeanVarianceNormalization", "Trilu"])
        c, h, w = s[1:]
        if s[0] != 1 or not self.allowed(op):
            return None
        if op in ("Conv", "ConvTranspose"):
            group = r.choice([g for g in (1, 1, 2, c) if c % g == 0])
            out, k = group * r.randint(1, 4), [r.randint(1, min(4, h)), r.randint(1, min(4, w))]
            a = {"kernel_shape": k, "strides": [r.randint(1, 2), r.randint(1, 3)], "group": group, "dilations": [1, 1],
                 "pads": [r.randint(0, 1) if i > 1 else 0 for i in k * 2]}
            if op == "Conv" and all(2 * i - 1 <= j for i, j in zip(k, (h, w))):
                a["dilations"] = [r.randint(1, 2), r.randint(1, 2)]
            shape = [out, c // group, *k] if op == "Conv" else [c, out // group, *k]
            return self.add(op, [v, self.weights(*shape, scale=1 / (c * k[0] * k[1] / group) ** 0.5), *([self.weights(out)] if r.random() < 0.7 else [])], a)
        if op in ("MaxPool", "AveragePool"):
            k = [r.randint(1, min(3, h)), r.randint(1, min(3, w))]
            a = {"kernel_shape": k, "strides": [r.randint(1, 3), r.randint(1, 2)], "pads": [r.randint(0, i - 1) for i in k * 2]}
            return self.add(op, [v], {**a, "count_include_pad": r.randint(0, 1)} if op == "AveragePool" else a)
        if op == "LRN":
            return self.add(op, [v], {"size": r.randint(1, 5), "alpha": r.uniform(0.01, 0.5), "beta": 0.75, "bias": 1.0})
        if op == "BatchNormalization":
            return self.add(op, [v, self.weights(c), self.weights(c), self.weights(c),
                                 self.constant((0.5 + self.numbers.random(c)).astype(np.float32))])
        if op in ("InstanceNormalization", "GroupNormalization"):
            a = {} if op[0] == "I" else {"num_groups": r.choice([g for g in (1, 2, c) if c % g == 0])}
            return self.add(op, [v, self.weights(c), self.weights(c)], a) if h * w > 3 else None
        if op == "Pad":
            mode = r.choice(["constant", "edge", "reflect"])
            p = [0, 0] + [r.randint(0, 2 if min(h, w) > 2 else 0) for _ in "hw"] + [0, 0] + [r.randint(0, 2 if min(h, w) > 2 else 0) for _ in "hw"]
            return self.add(op, [v, self.whole(*p), *([self.constant(np.float32(r.uniform(-1, 1)))] if mode == "constant" else [])], {"mode": mode})
        if op == "DepthToSpace":
            return self.add(op, [v], {"blocksize": 2, "mode": r.choice(["DCR", "CRD"])}) if c % 4 == 0 else None
        if op == "SpaceToDepth":
            return self.add(op, [v], {"blocksize": 2}) if h % 2 == 0 and w % 2 == 0 else None
        if op == "MeanVarianceNormalization":
            return self.add(op, [v], {"axes": [0, 2, 3]}) if h * w > 3 else None
        return self.add(op, [v], {"upper": r.randint(0, 1)} if op == "Trilu" else {})

    def matrix(self, v, s):
        r = self.rng
        if r.random() < 0.4 and len(s) == 2:
            a = {"alpha": r.uniform(0.5, 1.5), "beta": r.uniform(0.5, 1.5), "transA": r.randint(0, 1), "transB": r.randint(0, 1)}
            k, n = s[0] if a["transA"] else s[1], r.randint(1, 8)
            return self.add("Gemm", [v, self.weights(*((n, k) if a["transB"] else (k, n)), scale=k ** -0.5), self.weights(n)], a)
        if r.random() < 0.3:
            letters = "abcde"[:len(s)]
            return self.add("Einsum", [v, self.weights(s[-1], 4, scale=s[-1] ** -0.5)],
                            {"equation": f"{letters},{letters[-1]}z->{letters[:-1]}z"})
        return self.add("MatMul", [v, self.weights(s[-1], r.randint(1, 9), scale=s[-1] ** -0.5)])

    def make(self):
        v = "x"
        for _ in range(self.rng.randint(2, 9)):
            for _ in range(8):
                try:
                    y = self.step(v)
                except (RuntimeError, IndexError, NotImplementedError, TypeError, KeyError):
                    continue  # no such combination
                if y:
                    v = y if self.rng.random() < 0.85 else self.rng.choice([y, v])
                    break
        flat = self.add("Reshape", [v, self.whole(1, -1)])
        n = self.shape(flat)[1]
        self.add("Gemm", [flat, self.weights(n, CLASSES, scale=n ** -0.5), self.weights(CLASSES)],
                 {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}, "y")
        return self.net.tidy()


# ---- comparisons ----------------------------------------------------------------------------------

class Case:
    def __init__(self, net, seed):
        self.net, numbers = net, np.random.default_rng(seed + 1)
        self.input = numbers.normal(0, 1, net.shape).astype(np.float32)
        self.cotangent = numbers.normal(0, 1, CLASSES).astype(np.float32)

    def want(self):
        x = torch.tensor(self.input, dtype=torch.float64, requires_grad=True)
        y = self.net.run(x)["y"]
        (g,) = torch.autograd.grad(y, x, torch.tensor(self.cotangent, dtype=torch.float64).reshape(y.shape), allow_unused=True)
        return y.detach().numpy().ravel(), np.zeros(self.input.size) if g is None else g.numpy().ravel()


def apart(got, want):
    return float(np.abs(got - want).max() / (np.abs(want).max() + 1e-3))


def run_engine(runner, cases):
    """For each case and each of (plan, reference kernels): (logits, gradient), or what the engine says."""
    with tempfile.TemporaryDirectory() as folder:
        for i, case in enumerate(cases):
            Path(folder, f"{i}.onnx").write_bytes(case.net.onnx())
            Path(folder, f"{i}.in").write_bytes(case.input.tobytes() + case.cotangent.tobytes())
        done = subprocess.run([runner, folder, str(len(cases))], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the runner ended with {done.returncode}: {done.stderr[-500:]} {done.stdout[-300:]}")
        results = []
        for i in range(len(cases)):
            for kind in ("plan", "plain"):
                path = Path(folder, f"{i}.{kind}")
                data = np.fromfile(path, np.float32) if path.exists() else None
                results.append((data[:CLASSES], data[CLASSES:]) if data is not None else Path(folder, f"{i}.{kind}.no").read_text())
    return list(zip(results[::2], results[1::2]))


def compare(case, results):
    """What differs, or "" or "refused: ..."."""
    logits, gradient = case.want()
    if not (np.isfinite(logits).all() and np.isfinite(gradient).all()):
        return ""
    for kind, got in zip(("plan", "plain"), results):
        if isinstance(got, str):
            return f"refused: {got}"
        if not apart(got[0], logits) <= FORWARD:
            return f"{kind}, forward: {apart(got[0], logits):.2g} apart"
        if not apart(got[1], gradient) <= BACKWARD:
            return f"{kind}, backward: {apart(got[1], gradient):.2g} apart"
    if onnxruntime:
        try:
            session = onnxruntime.InferenceSession(case.net.onnx(), providers=["CPUExecutionProvider"])
        except Exception:  # an operator that it does not have in this opset
            return ""
        theirs = session.run(["y"], {"x": case.input})[0].ravel()
        if not apart(results[0][0], theirs) <= 2 * FORWARD:
            return f"ONNX Runtime: {apart(results[0][0], theirs):.2g} apart"
    return ""


def differs(runner, net):
    """One picture may lie at a kink, where derivatives jump; three do not.  The words, or ""."""
    try:
        cases = [Case(net, seed) for seed in (11, 12, 13)]
        words = [compare(c, r) for c, r in zip(cases, run_engine(runner, cases))]
    except (RuntimeError, IndexError, KeyError, TypeError, ValueError) as broken:
        return str(broken) if "the runner ended" in str(broken) else ""
    bad = [w for w in words if w and not w.startswith("refused")]
    return bad[0] if len(bad) >= 2 else ""


# ---- the minimiser --------------------------------------------------------------------------------

DEFAULTS = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "group": 1, "alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}


def without(net, k):
    """Node k replaced by each of its inputs."""
    _, inputs, output, _ = net.nodes[k]
    for i in inputs:
        if i in net.constants or output == "y":
            continue
        n = net.copy()
        del n.nodes[k]
        n.nodes = [(o, [i if v == output else v for v in ins], y, a) for o, ins, y, a in n.nodes]
        yield n


def ended(net, k):
    """The head directly behind node k: its weights are ones."""
    n, name = net.copy(), net.nodes[k][2]
    n.nodes = n.nodes[:k + 1]
    size = n.run(torch.zeros(net.shape, dtype=torch.float64))[name].numel()
    n.constants.update({"flat": np.array([1, -1], np.int64), "head": np.eye(size, CLASSES, dtype=np.float32) + 1,
                        "bias": np.zeros(CLASSES, np.float32)})
    n.nodes += [("Reshape", [name, "flat"], "row", {}),
                ("Gemm", ["row", "head", "bias"], "y", {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0})]
    return n


def simpler(net):
    """Networks that are one step simpler, the largest steps first."""
    for k in range(len(net.nodes) - 2):
        try:
            yield ended(net, k)
        except (RuntimeError, TypeError, IndexError):
            continue
    for k in range(len(net.nodes)):
        yield from without(net, k)
    for k, (_, _, _, attributes) in enumerate(net.nodes):
        for name, value in DEFAULTS.items():
            if name in attributes and attributes[name] != value:
                n = net.copy()
                n.nodes[k][3][name] = value
                yield n
    for name, c in net.constants.items():
        if c.dtype == np.float32 and (c != 1).any() and name not in ("head", "bias"):
            n = net.copy()
            n.constants[name] = np.ones_like(c)
            yield n


def weight(net):
    default = sum(a.get(k) == v for _, _, _, a in net.nodes for k, v in DEFAULTS.items() if k in a)
    return len(net.nodes), -default, sum(int((c != 1).any()) for c in net.constants.values())


def shrink(net, fails, most=200):
    """The smallest network, found greedily, for which fails(network) still holds."""
    tried = 0
    again = True
    while again and tried < most:
        again = False
        for candidate in simpler(net):
            candidate.tidy()
            tried += 1
            if weight(candidate) < weight(net) and fails(candidate):
                net, again = candidate, True
                break
            if tried >= most:
                break
    return net


# ---- the test -------------------------------------------------------------------------------------

def claimed():
    page = (SOURCE / "docs" / "operators.md").read_text()
    table = page[page.index("| operator | opsets | VJP |"):]
    return set(re.findall(r"^\| (\w+) \| \d+\+", table, re.M))


def check_minimiser():
    """A made-up fault: a network with MaxPool and Tanh "differs"; it shrinks to these, the head, and nothing else."""
    for seed in range(400):
        net = Maker(seed).make()
        if {"MaxPool", "Tanh"} <= {n[0] for n in net.nodes} and len(net.nodes) > 7:
            break

    def fails(n):
        try:
            n.run(torch.zeros(n.shape, dtype=torch.float64))
        except (RuntimeError, TypeError, IndexError, KeyError):
            return False
        return {"MaxPool", "Tanh"} <= {node[0] for node in n.nodes}

    small = shrink(net, fails, 2000)
    if len(small.nodes) > 4:
        return [f"the minimiser left {len(small.nodes)} of {len(net.nodes)} nodes:\n{small}"]
    return []


def main():
    runner, whole = sys.argv[1], len(sys.argv) < 4
    first, count = (0, 300) if whole else (int(sys.argv[2]), int(sys.argv[3]))
    wrong, used, refused = [], {}, {}
    for start in range(first, first + count, 100):
        nets = [Maker(seed).make() for seed in range(start, min(start + 100, first + count))]
        cases = [Case(net, start + i) for i, net in enumerate(nets)]
        for i, (case, results) in enumerate(zip(cases, run_engine(runner, cases))):
            for node in case.net.nodes:
                used[node[0]] = used.get(node[0], 0) + 1
            words = compare(case, results)
            if words.startswith("refused"):
                refused[words] = refused.get(words, 0) + 1
            elif words and (again := differs(runner, case.net)):
                small = shrink(case.net, lambda n: bool(differs(runner, n)))
                Path(f"differs_{start + i}.onnx").write_bytes(small.onnx())
                wrong.append(f"seed {start + i}: {again}; smallest, in differs_{start + i}.onnx:\n{small}")
                print(wrong[-1], flush=True)
    print(f"{count} networks, {sum(used.values())} nodes of {len(used)} operators; {sum(refused.values())} refused"
          + ("" if onnxruntime else "; without ONNX Runtime"))
    for words, times in sorted(refused.items(), key=lambda r: -r[1])[:5]:
        print(f"  {times} x {words}")
    if whole:
        out = set(" ".join(LEFT_OUT.values()).split())
        for name in sorted(claimed() - set(used) - out):
            wrong.append(f"{name} is claimed, but no network has it and LEFT_OUT does not say why")
        wrong += [f"{name} is in LEFT_OUT, but is generated" for name in sorted(out & set(used))]
        wrong += check_minimiser()
        if sum(refused.values()) > count // 4:
            wrong.append("more than a quarter of the networks are refused")
        print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
