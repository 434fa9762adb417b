"""more_operators.py - conditions, integers, sequences, quantised and recurrent operators, and those with places, in torch; added
to operators.COMPUTE.  A quantised tensor holds integers as floats, so that gradients flow as the engine's do."""
import numpy as np
import torch
import torch.nn.functional as F

from operators import COMPUTE, conv

SINCE = {"HardSwish": 14, "Trilu": 14, "LayerNormalization": 17, "Mish": 18, "GroupNormalization": 21, "Gelu": 20, "CenterCropPad": 18,
         "Col2Im": 18, "GridSample": 16, "AffineGrid": 20, "RMSNormalization": 23, "Swish": 24, "Attention": 23, "BitwiseAnd": 18,
         "BitwiseOr": 18, "BitwiseXor": 18, "BitwiseNot": 18, "DFT": 17, "HannWindow": 17, "HammingWindow": 17, "BlackmanWindow": 17,
         "CastLike": 15}
FLOAT, BOOL = 1, 9  # TensorProto.DataType
LEVELS = {torch.int8: (-128, 127), torch.uint8: (0, 255), torch.int16: (-32768, 32767)}


def cast(a, x):
    if a["to"] == FLOAT:
        return x if x.dtype == torch.float64 else x.to(torch.float64)
    return x.to(torch.bool if a["to"] == BOOL else torch.int64)


# ---- quantised ------------------------------------------------------------------------------------

def along(p, x, a):
    """A parameter for each channel, or one for all."""
    if p.dim() == 0:
        return p.to(x.dtype)
    return p.to(x.dtype).reshape([-1 if i == a.get("axis", 1) % x.dim() else 1 for i in range(x.dim())])


def to_levels(t, z, levels):
    """Rounded, with the derivative of the identity, and 0 where it is clipped."""
    low, high = levels
    return (t + (torch.round(t) - t).detach()).clamp(low - float(z), high - float(z)) + float(z)


def quantize(a, x, s, z):
    s = s.to(x.dtype)
    if z.dim() == 0:
        return to_levels(x / s, z, LEVELS[z.dtype])
    t = x / along(s, x, a)
    low, high = LEVELS[z.dtype]
    z = along(z, x, a)
    t = t + (torch.round(t) - t).detach()
    return torch.clamp(t, low - z, high - z) + z  # whose derivative at an end is 1


def dequantize(a, q, s, z):
    if not q.dtype.is_floating_point:
        q = q.to(s.dtype)
    return (q - along(z, q, a)) * along(s, q, a)


def dynamic_quantize(a, x):
    """What the whole array decides counts as constant."""
    low, high = min(0.0, float(x.min())), max(0.0, float(x.max()))
    s = (high - low) / 255 or 1.0
    z = round(min(max(-low / s, 0), 255))
    return to_levels(x / s, z, (0, 255)), torch.tensor(s, dtype=x.dtype), torch.tensor(z, dtype=torch.uint8)


def of_kind(q, x):
    return q if q.dtype.is_floating_point else q.to(x.dtype)


def qlinear_conv(a, x, xs, xz, w, ws, wz, ys, yz, b):
    wide = dequantize({"axis": 0}, of_kind(w, x), ws.to(x.dtype), wz)
    y = conv(a, dequantize({}, x, xs.to(x.dtype), xz), wide, b.to(x.dtype) * xs * ws)
    return quantize({}, y, ys, yz)


def qlinear_matmul(a, x, xs, xz, w, ws, wz, ys, yz):
    y = dequantize({}, x, xs.to(x.dtype), xz) @ dequantize({}, of_kind(w, x), ws.to(x.dtype), wz)
    return quantize({}, y, ys, yz)


COMPUTE.update({
    "QuantizeLinear": quantize, "DequantizeLinear": dequantize, "DynamicQuantizeLinear": dynamic_quantize,
    "QLinearConv": qlinear_conv, "QLinearMatMul": qlinear_matmul,
    "ConvInteger": lambda a, x, w, xz, wz: conv(a, x - xz.to(x.dtype), of_kind(w, x) - float(wz)),
    "MatMulInteger": lambda a, x, w, xz, wz: (x - xz.to(x.dtype)) @ (of_kind(w, x) - float(wz))})


# ---- recurrent: x [time, batch, in], one or two directions ----------------------------------------

def lstm(x, w, r, b, n):
    h = c = torch.zeros(x.shape[1], n, dtype=x.dtype)
    out = []
    for t in x:
        i, o, f, g = (t @ w.t() + h @ r.t() + b[:4 * n] + b[4 * n:]).split(n, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        out.append(h)
    return out, h, c


def gru(x, w, r, b, n, linear):
    h, out = torch.zeros(x.shape[1], n, dtype=x.dtype), []
    for t in x:
        zx, rx, nx = (t @ w.t() + b[:3 * n]).split(n, 1)
        zh, rh, nh = (h @ r.t() + b[3 * n:]).split(n, 1)
        z, reset = torch.sigmoid(zx + zh), torch.sigmoid(rx + rh)
        inside = reset * nh if linear else (reset * h) @ r[2 * n:].t() + b[5 * n:]
        h = (1 - z) * torch.tanh(nx + inside) + z * h
        out.append(h)
    return out, h


def rnn(x, w, r, b, n):
    h, out = torch.zeros(x.shape[1], n, dtype=x.dtype), []
    for t in x:
        h = torch.tanh(t @ w.t() + h @ r.t() + b[:n] + b[n:])
        out.append(h)
    return out, h


def recurrent(cell):
    """Y [time, directions, batch, n], Y_h (and Y_c of an LSTM) [directions, batch, n]."""
    def run(a, x, w, r, b):
        n, ways, last = a["hidden_size"], [], []
        for d in range(len(w)):
            back = a["direction"] == "reverse" or d == 1
            more = [a["linear_before_reset"]] if cell is gru else []
            out, *end = cell(x.flip(0) if back else x, w[d], r[d], b[d], n, *more)
            ways.append(torch.stack(out[::-1] if back else out))
            last.append(end)
        return (torch.stack(ways, 1), *(torch.stack(e) for e in zip(*last)))
    return run


COMPUTE.update({"LSTM": recurrent(lstm), "GRU": recurrent(gru), "RNN": recurrent(rnn)})


# ---- places ---------------------------------------------------------------------------------------

def top_k(a, x, k):
    return torch.topk(x, int(k), a["axis"], bool(a["largest"]), True)


def max_unpool(a, x, index):
    """Indices count over the whole array, torch's over a plane."""
    n, c, h, w = x.shape
    plane = torch.tensor(a["out"]).prod()
    return F.max_unpool2d(x, index - (torch.arange(n * c) * plane).reshape(n, c, 1, 1), a["kernel_shape"], a["strides"], 0, a["out"])


def max_pool_places(a, x):
    y, index = F.max_pool2d(x, a["kernel_shape"], a["strides"], return_indices=True)
    return y, index + (torch.arange(x.shape[0] * x.shape[1]) * (x.shape[2] * x.shape[3])).reshape(*x.shape[:2], 1, 1)


def center_crop_pad(a, x, shape):
    for d, want in zip(a["axes"], map(int, shape)):
        have = x.shape[d]
        if want <= have:
            x = x.narrow(d, (have - want) // 2, want)
        else:
            front = (want - have) // 2
            flat = [0, 0] * (x.dim() - 1 - d) + [front, want - have - front]
            x = F.pad(x, flat)
    return x


def reverse_sequence(a, x, lengths):
    rows = [torch.cat([x[:int(n), i].flip(0), x[int(n):, i]]) for i, n in enumerate(lengths)]
    return torch.stack(rows, 1)


def lp_pool(a, x):
    k, p = a["kernel_shape"], a["p"]
    return (F.avg_pool2d(x.abs() ** p, k, a["strides"]) * (k[0] * k[1])) ** (1 / p)


def rms_norm(a, x, s):
    return x / torch.sqrt((x * x).mean(-1, True) + a["epsilon"]) * s


def attention(a, q, k, v):
    scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
    if a["is_causal"]:
        scores = scores.masked_fill(torch.ones(scores.shape[2:]).tril() == 0, -torch.inf)
    return torch.softmax(scores, 3) @ v


def dft(a, x, *more):
    y = torch.fft.rfft(x[..., 0], dim=a["dim"]) if a["onesided"] else torch.fft.fft(x[..., 0], dim=a["dim"])
    return torch.view_as_real(y)


def split(a, x, sizes):
    return torch.split(x, [int(v) for v in sizes], a["axis"])


def window(middle):
    def run(a, n):
        k = 2 * np.pi * torch.arange(int(n), dtype=torch.float64) / (int(n) if a["periodic"] else int(n) - 1)
        first, second, third = middle
        return first - second * torch.cos(k) + third * torch.cos(2 * k)
    return run


def insert(seq, x, at):
    at = int(at) % (len(seq) + 1)
    return seq[:at] + [x] + seq[at:]


def whole_numbers(f):
    return lambda a, *xs: f(*xs)


COMPUTE.update({
    "Greater": whole_numbers(torch.gt), "Less": whole_numbers(torch.lt), "GreaterOrEqual": whole_numbers(torch.ge),
    "LessOrEqual": whole_numbers(torch.le), "Equal": whole_numbers(torch.eq), "And": whole_numbers(torch.logical_and),
    "Or": whole_numbers(torch.logical_or), "Xor": whole_numbers(torch.logical_xor), "Not": whole_numbers(torch.logical_not),
    "IsNaN": whole_numbers(torch.isnan), "IsInf": whole_numbers(torch.isinf), "Cast": cast, "CastLike": lambda a, x, y: x.to(y.dtype),
    "BitwiseAnd": whole_numbers(torch.bitwise_and), "BitwiseOr": whole_numbers(torch.bitwise_or),
    "BitwiseXor": whole_numbers(torch.bitwise_xor), "BitwiseNot": whole_numbers(torch.bitwise_not),
    "BitShift": lambda a, x, s: x << s if a["direction"] == "LEFT" else x >> s,
    "Mod": lambda a, x, y: torch.fmod(x, y) if a["fmod"] else torch.remainder(x, y),
    "ArgMax": lambda a, x: torch.argmax(x, a["axis"], bool(a["keepdims"])),
    "ArgMin": lambda a, x: torch.argmin(x, a["axis"], bool(a["keepdims"])),
    "OneHot": lambda a, i, n, v: F.one_hot(i, int(n)).to(v.dtype) * (v[1] - v[0]) + v[0],
    "Hardmax": lambda a, x: F.one_hot(torch.argmax(x, -1), x.shape[-1]).to(x.dtype),
    "Shape": lambda a, x: torch.tensor(x.shape), "Size": lambda a, x: torch.tensor(x.numel()),
    "ConstantOfShape": lambda a, s: torch.full([int(v) for v in s], float(a["value"][0]), dtype=torch.float64),
    "Range": lambda a, f, e, d: torch.arange(int(f), int(e), int(d)),
    "EyeLike": lambda a, x: torch.eye(*x.shape, dtype=x.dtype).roll(0) if not a["k"] else
    torch.diag(torch.ones(max(x.shape), dtype=x.dtype), a["k"])[:x.shape[0], :x.shape[1]],
    "HannWindow": window((0.5, 0.5, 0)), "HammingWindow": window((25 / 46, 21 / 46, 0)), "BlackmanWindow": window((0.42, 0.5, 0.08)),
    "SplitToSequence": lambda a, x, s: list(split(a, x, s)), "SequenceAt": lambda a, s, i: s[int(i)],
    "SequenceConstruct": lambda a, *xs: list(xs), "SequenceEmpty": lambda a: [], "SequenceInsert": lambda a, s, x, i: insert(s, x, i),
    "SequenceErase": lambda a, s, i: s[:int(i)] + s[int(i) + 1:], "SequenceLength": lambda a, s: torch.tensor(len(s)),
    "ConcatFromSequence": lambda a, s: torch.cat(s, a["axis"]),
    "Affine": lambda a, x: a["alpha"] * x + a["beta"], "ParametricSoftplus": lambda a, x: a["alpha"] * F.softplus(a["beta"] * x),
    "ScaledTanh": lambda a, x: a["alpha"] * torch.tanh(a["beta"] * x),
    "ImageScaler": lambda a, x: a["scale"] * x + torch.tensor(a["bias"], dtype=x.dtype).reshape(1, -1, 1, 1),
    "SimplifiedLayerNormalization": rms_norm, "RMSNormalization": rms_norm, "Swish": lambda a, x: x * torch.sigmoid(a["alpha"] * x),
    "TopK": top_k, "MaxUnpool": max_unpool, "MaxPoolPlaces": max_pool_places, "CenterCropPad": center_crop_pad,
    "Col2Im": lambda a, x, size, block: F.fold(x, [int(v) for v in size], [int(v) for v in block]),
    "Compress": lambda a, x, c: x.index_select(a["axis"], torch.nonzero(c).ravel()), "Det": whole_numbers(torch.det),
    "Dropout": lambda a, x, *more: x, "ReverseSequence": reverse_sequence, "LpPool": lp_pool,
    "GlobalLpPool": lambda a, x: (x.abs() ** a["p"]).sum((2, 3), True) ** (1 / a["p"]),
    "GatherElements": lambda a, x, i: torch.gather(x, a["axis"], i), "GatherND": lambda a, x, i: x[tuple(i.unbind(-1))],
    "ScatterElements": lambda a, x, i, u: torch.scatter_add(x, a["axis"], i, u.to(x.dtype)) if a.get("reduction") == "add" else
    torch.scatter(x, a["axis"], i, u.to(x.dtype)),
    "ScatterND": lambda a, x, i, u: x.index_put(tuple(i.unbind(-1)), u.to(x.dtype), a.get("reduction") == "add"),
    "Split": split, "Attention": attention, "DFT": dft,
    "AffineGrid": lambda a, t, s: F.affine_grid(t, [int(v) for v in s], bool(a["align_corners"])),
    "GridSample": lambda a, x, g: F.grid_sample(x, g.to(x.dtype), {"linear": "bilinear", "cubic": "bicubic"}.get(a["mode"], a["mode"]),
                                                a["padding_mode"], bool(a["align_corners"])),
    "Resize": lambda a, x, roi, scales: F.interpolate(x, scale_factor=2, mode="nearest") if a["mode"] == "nearest" else
    F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)})
