"""Compare the neural-network operators, values and derivatives, with PyTorch in float64.

usage: compare_ops_nn.py TEST_OPS_NN

The program prints every case of nn_cases.h with the results of the kernels.  This script computes the
same with torch, working out padding and sizes independently, and differentiates with autograd.
Exit status 77 (skipped) without torch."""
import math
import re
import subprocess
import sys
from fractions import Fraction

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as e:
    print("skipped:", e)
    sys.exit(77)

TOLERANCE = 3e-6  # of the largest expected value


# ---- windows ----------------------------------------------------------------------------------

def spatial(x):
    return x.dim() - 2


def same_pads(size, kernel, stride, dilation, upper):
    out = math.ceil(size / stride)
    total = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size)
    small, large = total // 2, total - total // 2
    return (small, large) if upper else (large, small)


class Window:
    def __init__(self, x, kernel, a):
        n = spatial(x)
        self.kernel = list(kernel)
        self.stride = a.get("strides", [1] * n)
        self.dilation = a.get("dilations", [1] * n)
        pads = a.get("pads", [0] * (2 * n))
        self.pads = [(pads[i], pads[n + i]) for i in range(n)]
        mode = a.get("auto_pad", "NOTSET")
        if mode.startswith("SAME"):
            self.pads = [same_pads(*v, mode == "SAME_UPPER")
                         for v in zip(x.shape[2:], self.kernel, self.stride, self.dilation)]
        elif mode == "VALID":
            self.pads = [(0, 0)] * n
        self.symmetric = all(b == e for b, e in self.pads)

    def torch_pads(self, pads=None):
        """As F.pad wants them: last axis first."""
        return [v for pair in reversed(pads or self.pads) for v in pair]

    def end(self, size, i, ceil):
        """Right padding so that every window is inside, torch's rule for the last one."""
        begin, end = self.pads[i]
        extent = (self.kernel[i] - 1) * self.dilation[i] + 1
        room = size + begin + end - extent
        out = (math.ceil if ceil else math.floor)(room / self.stride[i]) + 1
        if ceil and (out - 1) * self.stride[i] >= size + begin:
            out -= 1
        return (out - 1) * self.stride[i] + extent - size - begin


def conv_fn(n, transposed=False):
    return [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][n - 1] if transposed else \
        [F.conv1d, F.conv2d, F.conv3d][n - 1]


def conv(a, opset, x, w, b=None):
    q = Window(x, w.shape[2:], a)
    if x.shape[0] == 0:  # torch refuses some of these
        y = conv(a, opset, torch.zeros(1, *x.shape[1:], dtype=x.dtype), w, b)
        return y[:0] + 0 * x.sum()
    return conv_fn(spatial(x))(F.pad(x, q.torch_pads()), w, b, q.stride, 0, q.dilation,
                               a.get("group", 1))


def conv_transpose(a, opset, x, w, b=None):
    """The unpadded result, then cut and filled as the pads say."""
    n = spatial(x)
    stride, dilation = a.get("strides", [1] * n), a.get("dilations", [1] * n)
    more = a.get("output_padding", [0] * n)
    y = conv_fn(n, True)(x, w, None, stride, 0, 0, a.get("group", 1), dilation)
    pads = a.get("pads", [0] * (2 * n))
    mode, wanted = a.get("auto_pad", "NOTSET"), a.get("output_shape")
    if mode.startswith("SAME") and wanted is None:
        wanted = [s * t for s, t in zip(x.shape[2:], stride)]
    cut = []
    for i in range(n):
        full = y.shape[2 + i] + more[i]
        begin, end = pads[i], pads[n + i]
        if wanted is not None:
            total = max(0, full - wanted[i])
            begin = total // 2 if mode == "SAME_UPPER" else total - total // 2
            end = full - begin - wanted[i]
        cut.append((-begin, more[i] - end))
    y = F.pad(y, [v for pair in reversed(cut) for v in pair])
    return y if b is None else y + b.reshape([1, -1] + [1] * n)


def unfold(x, q, ceil, value):
    """[..., windows..., taps]"""
    n = spatial(x)
    pads = [(q.pads[i][0], max(0, q.end(x.shape[2 + i], i, ceil))) for i in range(n)]
    y = F.pad(x, q.torch_pads(pads), value=value)
    for i in range(n):
        extent = (q.kernel[i] - 1) * q.dilation[i] + 1
        y = y.unfold(2 + i, extent, q.stride[i])
        y = y[..., ::q.dilation[i]] if q.dilation[i] > 1 else y
    return y.flatten(2 + n)


def max_pool(a, opset, x):
    n = spatial(x)
    q = Window(x, a["kernel_shape"], a)
    ceil = bool(a.get("ceil_mode", 0))
    fn = [F.max_pool1d, F.max_pool2d, F.max_pool3d][n - 1]
    if q.symmetric and all(2 * b <= k for (b, _), k in zip(q.pads, q.kernel)):
        y, at = fn(x, q.kernel, q.stride, [b for b, _ in q.pads], q.dilation, ceil, True)
        plane = x[0, 0].numel()
        at = at + plane * torch.arange(x.shape[0] * x.shape[1]).reshape(
            [x.shape[0], x.shape[1]] + [1] * n)
        return y, at
    y = unfold(x, q, ceil, -math.inf).max(-1).values
    index = torch.arange(x.numel(), dtype=torch.float64).reshape(x.shape)
    taps, where = unfold(x.detach(), q, ceil, -math.inf), unfold(index, q, ceil, -1)
    return y, where.gather(-1, taps.max(-1, keepdim=True).indices)[..., 0].long()


def average_pool(a, opset, x):
    n = spatial(x)
    q = Window(x, a["kernel_shape"], a)
    ceil, counted = bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0))
    fn = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][n - 1]
    if q.symmetric and set(q.dilation) == {1} and all(2 * b <= k for (b, _), k in zip(q.pads, q.kernel)):
        return fn(x, q.kernel, q.stride, [b for b, _ in q.pads], ceil, counted)
    assert not ceil
    ones = torch.ones_like(x)
    if counted:
        ones = F.pad(ones, q.torch_pads(), value=1)
        free = Window(ones, q.kernel, {"strides": q.stride, "dilations": q.dilation})
        count = unfold(ones, free, False, 0).sum(-1)
    else:
        count = unfold(ones, q, False, 0).sum(-1)
    return unfold(x, q, False, 0).sum(-1) / count


def lp_pool(a, opset, x):
    p = a.get("p", 2)
    q = Window(x, a["kernel_shape"], a)
    return (unfold(x.abs() ** p, q, bool(a.get("ceil_mode", 0)), 0).sum(-1)) ** (1 / p)


def over_plane(fn):
    def run(a, opset, x):
        return fn(a, x.flatten(2)).reshape(list(x.shape[:2]) + [1] * spatial(x))
    return run


# ---- normalisations ---------------------------------------------------------------------------

def lrn(a, opset, x):
    size, alpha = a["size"], a.get("alpha", 1e-4)
    beta, bias = a.get("beta", 0.75), a.get("bias", 1.0)
    if size % 2 == 1:
        return F.local_response_norm(x, size, alpha, beta, bias)
    square = F.pad((x * x).movedim(1, -1), ((size - 1) // 2, size // 2))
    total = square.unfold(-1, size, 1).sum(-1).movedim(-1, 1)
    return x / (bias + alpha / size * total) ** beta


def batch_norm(a, opset, x, scale, b, mean, var):
    shape = [1, -1] + [1] * (x.dim() - 2)  # F.batch_norm does not differentiate mean and var
    y = (x - mean.reshape(shape)) / (var.reshape(shape) + a.get("epsilon", 1e-5)).sqrt()
    y = y * scale.reshape(shape) + b.reshape(shape)
    z = F.batch_norm(x, mean.detach(), var.detach(), scale, b, False, 0, a.get("epsilon", 1e-5))
    assert torch.allclose(y, z, rtol=1e-12)
    return y


def group_norm(a, opset, x, scale, b):
    groups = a["num_groups"]
    if opset < 21:
        scale, b = (v.repeat_interleave(x.shape[1] // groups) for v in (scale, b))
    return F.group_norm(x, groups, scale, b, a.get("epsilon", 1e-5))


def layer_norm(a, opset, x, scale, b=None):
    axis = a.get("axis", -1) % x.dim()
    shape, eps = x.shape[axis:], a.get("epsilon", 1e-5)
    y = F.layer_norm(x, shape, None, None, eps) * scale
    if b is not None:
        y = y + b
    axes = list(range(axis, x.dim()))
    rate = 1 / (x.var(axes, unbiased=False, keepdim=True) + eps).sqrt()
    return y, x.mean(axes, keepdim=True), rate


def rms_norm(a, opset, x, scale):
    axes = list(range(a.get("axis", -1) % x.dim(), x.dim()))
    return x / ((x * x).mean(axes, keepdim=True) + a.get("epsilon", 1e-5)).sqrt() * scale


def mean_variance(a, opset, x):
    axes = a.get("axes", [0, 2, 3])
    h = x - x.mean(axes, keepdim=True)
    return h / ((h * h).mean(axes, keepdim=True).sqrt() + 1e-9)


# ---- matrices, softmax --------------------------------------------------------------------------

def gemm(a, opset, x, w, c=None):
    x = x.T if a.get("transA", 0) else x
    w = w.T if a.get("transB", 0) else w
    y = a.get("alpha", 1.0) * (x @ w)
    return y if c is None else y + a.get("beta", 1.0) * c


def soft(fn):
    def run(a, opset, x):
        if opset >= 13:
            return fn(x, a.get("axis", -1))
        return fn(x.flatten(a.get("axis", 1)), -1).reshape(x.shape) if a.get("axis", 1) != 0 \
            else fn(x.flatten(), 0).reshape(x.shape)
    return run


# ---- resize, pad --------------------------------------------------------------------------------

def symmetric(o, size, out, scale):
    """Exact: the element in the middle lies on the border between two."""
    half = Fraction(1, 2)
    return size * half * (1 - out / (scale * size)) + (o + half) / scale - half


def coordinate(mode, o, size, out, scale, roi):
    """x_original of the specification."""
    length = scale * size
    return {
        "half_pixel": lambda: (o + 0.5) / scale - 0.5,
        "pytorch_half_pixel": lambda: (o + 0.5) / scale - 0.5 if out > 1 else 0,
        "align_corners": lambda: o * (size - 1) / (length - 1) if length > 1 else 0,
        "asymmetric": lambda: o / scale,
        "tf_half_pixel_for_nn": lambda: (o + 0.5) / scale,
        "tf_crop_and_resize": lambda: roi[0] * (size - 1) + o * (roi[1] - roi[0]) * (size - 1) /
        (out - 1) if out > 1 else 0.5 * (roi[0] + roi[1]) * (size - 1),
        "half_pixel_symmetric": lambda: symmetric(int(o), size, out, Fraction(float(scale))),
    }[mode]()


def row(x, size, a):
    """Weights over [0, size) for the position x; positions outside count as the border."""
    base = math.floor(x)
    r = x - base
    if a["mode"] == "nearest":
        at = {"round_prefer_floor": math.ceil(x - 0.5), "round_prefer_ceil": math.floor(x + 0.5),
              "floor": base, "ceil": math.ceil(x)}[a["nearest_mode"]]
        taps = {at: 1.0}
    elif a["mode"] == "linear":
        taps = {base: 1 - r, base + 1: r}
    else:
        c = a.get("cubic_coeff_a", -0.75)

        def near(t):
            return (c + 2) * t ** 3 - (c + 3) * t ** 2 + 1

        def far(t):
            return c * t ** 3 - 5 * c * t ** 2 + 8 * c * t - 4 * c
        taps = {base - 1: far(1 + r), base: near(r), base + 1: near(1 - r), base + 2: far(2 - r)}
        if a.get("exclude_outside", 0):
            taps = {i: w for i, w in taps.items() if 0 <= i < size}
            total = sum(taps.values())
            taps = {i: w / total for i, w in taps.items()}
    line = np.zeros(size)
    for i, w in taps.items():
        line[min(max(i, 0), size - 1)] += w
    return line


def torch_resize(a, x, y, sizes):
    """The same by F.interpolate, where torch has it: a check of this file as well."""
    if sizes is None or x.dim() < 3 or y.shape[:2] != x.shape[:2]:
        return
    mode, where = a["mode"], a["coordinate_transformation_mode"]
    names = {"linear": ["linear", "bilinear", "trilinear"][x.dim() - 3], "cubic": "bicubic",
             "nearest": "nearest"}
    if mode == "nearest" and (where, a["nearest_mode"]) != ("asymmetric", "floor"):
        return
    if mode != "nearest" and where not in ("half_pixel", "align_corners"):
        return
    if mode == "cubic" and ("exclude_outside" in a or "cubic_coeff_a" in a or x.dim() != 4):
        return
    corners = None if mode == "nearest" else where == "align_corners"
    z = F.interpolate(x, list(y.shape[2:]), mode=names[mode], align_corners=corners)
    # Newer torch computes the positions in float32, also for float64 data.
    assert torch.allclose(y, z, rtol=1e-5, atol=1e-5), "this script disagrees with F.interpolate"


def resize(a, opset, x, *rest):
    a = dict(a)
    a.setdefault("mode", "nearest")
    rest = [None if r is None or r.numel() == 0 else r.detach().numpy() for r in rest]
    if opset < 11:
        rest = [None, rest[0] if rest else np.array(a["scales"])]
        a["coordinate_transformation_mode"] = "asymmetric"
        a["nearest_mode"] = "floor"
    a.setdefault("coordinate_transformation_mode", "half_pixel")
    a.setdefault("nearest_mode", "round_prefer_floor")
    roi, scales, sizes = (list(rest) + [None] * 3)[:3]
    axes = [i % x.dim() for i in a.get("axes", range(x.dim()))]
    outs = list(x.shape)
    factor = [1.0] * x.dim()
    for k, i in enumerate(axes):
        factor[i] = float(scales[k]) if sizes is None else int(sizes[k]) / x.shape[i]
        outs[i] = math.floor(np.float32(factor[i]) * x.shape[i]) if sizes is None else int(sizes[k])
    policy = a.get("keep_aspect_ratio_policy", "stretch")
    if sizes is not None and policy != "stretch":
        one = {"not_larger": min, "not_smaller": max}[policy](factor[i] for i in axes)
        for i in axes:
            factor[i], outs[i] = one, math.floor(one * x.shape[i] + 0.5)
    y, outside = x, torch.zeros(outs, dtype=torch.bool)
    for i in range(x.dim()):
        ends = (roi[axes.index(i)], roi[len(axes) + axes.index(i)]) if roi is not None else None
        scale = factor[i]
        if sizes is None and a["mode"] == "nearest":  # like ONNX Runtime, decided in float32
            scale = np.float32(scale)
        at = [coordinate(a["coordinate_transformation_mode"], np.float32(o), x.shape[i], outs[i],
                         scale, ends) for o in range(outs[i])]
        if opset == 10 and factor[i] < 1:
            a["nearest_mode"] = "ceil"
        lines = torch.tensor(np.array([row(float(v), x.shape[i], a) for v in at]))
        y = torch.tensordot(y, lines, ([i], [1])).movedim(-1, i)
        if a["coordinate_transformation_mode"] == "tf_crop_and_resize":
            off = torch.tensor([not 0 <= v <= x.shape[i] - 1 for v in at])
            outside |= off.reshape([-1 if k == i else 1 for k in range(x.dim())])
    if policy == "stretch":
        torch_resize(a, x, y, sizes)
    return torch.where(outside, torch.tensor(a.get("extrapolation_value", 0.0), dtype=y.dtype), y)


def pad(a, opset, x, pads=None, value=None, axes=None):
    pads = a["pads"] if pads is None else pads.tolist()
    axes = list(range(x.dim())) if axes is None else [int(i) % x.dim() for i in axes]
    width = [[0, 0] for _ in range(x.dim())]
    for k, i in enumerate(axes):
        width[i] = [pads[k], pads[len(axes) + k]]
    index = np.arange(x.numel()).reshape(x.shape)
    cut = tuple(slice(max(0, -b), n - max(0, -e)) for (b, e), n in zip(width, x.shape))
    index = index[cut]
    width = [[max(0, b), max(0, e)] for b, e in width]
    mode = a.get("mode", "constant")
    if mode == "constant":
        index = np.pad(index, width, constant_values=x.numel())
        fill = torch.tensor(float(a.get("value", 0.0))) if value is None else value
        all_values = torch.cat([x.flatten(), fill.reshape(1).to(x.dtype)])
    else:
        for i, (b, e) in enumerate(width):
            n = index.shape[i]
            if mode == "wrap":  # np.pad before 1.25 does not repeat whole periods
                index = index.take(np.arange(-b, n + e) % n, i)
            else:
                index = np.pad(index, [(b, e) if k == i else (0, 0) for k in range(x.dim())], mode)
        all_values = x.flatten()
    return all_values[torch.tensor(index)]


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalMaxPool": over_plane(lambda a, x: x.max(-1).values),
    "GlobalAveragePool": over_plane(lambda a, x: x.mean(-1)),
    "GlobalLpPool": over_plane(lambda a, x: torch.linalg.vector_norm(x, a.get("p", 2), -1)),
    "LRN": lrn,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": lambda a, opset, x, s, b: F.instance_norm(
        x, None, None, s, b, True, 0, a.get("epsilon", 1e-5)),
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "LpNormalization": lambda a, opset, x: F.normalize(x, a.get("p", 2), a.get("axis", -1)),
    "MeanVarianceNormalization": mean_variance,
    "Gemm": gemm,
    "MatMul": lambda a, opset, x, w: torch.matmul(x, w),
    "Einsum": lambda a, opset, *x: torch.einsum(a["equation"], *x),
    "Softmax": soft(F.softmax),
    "LogSoftmax": soft(F.log_softmax),
    "Upsample": resize,
    "Resize": resize,
    "Pad": pad,
}


# ---- reading and comparing ----------------------------------------------------------------------

def attributes(text):
    out = {}
    for name, value in re.findall(r"(\w+)=('[^']*'|\([^)]*\)|\S+)", text):
        if value[0] == "'":
            out[name] = value[1:-1]
        elif value[0] == "(":
            floats = "." in value
            out[name] = [float(np.float32(v)) if floats else int(v)
                         for v in value[1:-1].split(",")]
        elif value[-1] == "f":
            out[name] = float(np.float32(value[:-1]))
        else:
            out[name] = int(value)
    return out


def parse(text):
    cases = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "case":
            cases.append({"name": rest, "in": {}, "out": {}, "dout": {}, "din": {}})
        elif word == "op":
            kind, opset, attrs = (rest + " ").split(" ", 2)
            cases[-1].update(type=kind, opset=int(opset), attrs=attributes(attrs))
        else:
            head, _, values = rest.partition(":")
            index, dtype, *shape = head.split()
            dtype = torch.float64 if dtype == "float" else torch.int64
            data = np.array([float(v) for v in values.split()])
            cases[-1][word][int(index)] = torch.tensor(data).to(dtype).reshape(
                [int(v) for v in shape])
    return cases


def check(case, what, index, got, expected):
    expected = expected.detach()
    if tuple(got.shape) != tuple(expected.shape):
        return f"{case['name']}: {what} {index}: shape {list(got.shape)}, torch {list(expected.shape)}"
    if got.numel() == 0:
        return None
    error = (got.double() - expected.double()).abs().max().item()
    limit = TOLERANCE * max(1.0, expected.double().abs().max().item())
    if got.dtype == torch.int64:
        limit = 0
    if not error <= limit:
        return f"{case['name']}: {what} {index}: off by {error:g}, allowed {limit:g}"
    return None


def run(case):
    ins = [case["in"].get(i) for i in range(max(case["in"]) + 1)]
    for i, x in enumerate(ins):
        if i in case["din"]:
            x.requires_grad_()
    outs = OPERATORS[case["type"]](case["attrs"], case["opset"], *ins)
    outs = outs if isinstance(outs, tuple) else (outs,)
    errors = [check(case, "output", i, y, outs[i]) for i, y in case["out"].items()]
    total = sum((outs[i] * d).sum() for i, d in case["dout"].items())
    wanted = sorted(case["din"])
    if wanted:
        grads = torch.autograd.grad(total, [ins[i] for i in wanted], allow_unused=True)
        for i, g in zip(wanted, grads):
            expected = torch.zeros_like(ins[i]) if g is None else g
            errors.append(check(case, "derivative", i, case["din"][i], expected))
    return [e for e in errors if e], len(errors)


def main():
    text = subprocess.run([sys.argv[1], "--dump"], check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout
    cases = parse(text)
    failures, arrays = [], 0
    for case in cases:
        try:
            errors, count = run(case)
        except Exception as e:  # say in which case
            errors, count = [f"{case['name']}: {type(e).__name__}: {e}"], 0
        failures += errors
        arrays += count
    for line in failures:
        print(line)
    print(f"{len(cases)} cases, {arrays} arrays compared with torch {torch.__version__}, "
          f"{len(failures)} differ")
    return 1 if failures or arrays < 2 * len(cases) - 10 else 0


if __name__ == "__main__":
    sys.exit(main())
