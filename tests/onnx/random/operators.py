"""operators.py - what operators of ONNX compute, in torch: COMPUTE[name](attributes, tensors...)."""
import numpy as np
import torch
import torch.nn.functional as F


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


def group_norm(x, groups, s, b):
    """By its formula, for the same reason."""
    y = x.reshape(x.shape[0], groups, -1)
    y = (y - y.mean(2, True)) / torch.sqrt(y.var(2, unbiased=False, keepdim=True) + 1e-5)
    return y.reshape(x.shape) * s.reshape(1, -1, 1, 1) + b.reshape(1, -1, 1, 1)


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
    return (x - x.mean(d, True)) / (x.std(d, unbiased=False, keepdim=True) + 1e-9)


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
    "InstanceNormalization": lambda a, x, s, b: group_norm(x, x.shape[1], s, b),
    "GroupNormalization": lambda a, x, s, b: group_norm(x, a["num_groups"], s, b),
    "LayerNormalization": layer_norm, "LRN": lrn, "LpNormalization": lambda a, x: x / x.norm(a["p"], a["axis"], True),
    "MeanVarianceNormalization": mvn, "Softmax": lambda a, x: torch.softmax(x, a["axis"]),
    "LogSoftmax": lambda a, x: torch.log_softmax(x, a["axis"]), "CumSum": lambda a, x, d: torch.cumsum(x, int(d)),
    "Transpose": lambda a, x: x.permute(a["perm"]), "Reshape": lambda a, x, s: x.reshape([int(v) for v in s]),
    "Flatten": flatten, "Squeeze": lambda a, x, d: x.squeeze(int(d[0])), "Unsqueeze": lambda a, x, d: x.unsqueeze(int(d[0])),
    "Expand": lambda a, x, s: x * torch.ones([int(v) for v in s], dtype=x.dtype), "Tile": lambda a, x, r: x.repeat(*map(int, r)),
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Slice": slices, "Pad": pad, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth,
    "Gather": lambda a, x, i: torch.index_select(x, a["axis"], i), "Where": lambda a, c, x, y: torch.where(c != 0, x, y),
    "Einsum": lambda a, x, y: torch.einsum(a["equation"], x, y),
    "Trilu": lambda a, x: torch.triu(x) if a["upper"] else torch.tril(x)})
