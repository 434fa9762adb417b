#!/usr/bin/python3
"""compare_quantised.py ZOO_RUN - small quantised networks against torch in float64.

Each network is written in three forms (QDQ, operators on quantised operands, dynamic), with int8 and
uint8, scales for tensors and for channels, symmetric and not.  The reference quantises with torch in
float64 and differentiates with the straight-through estimator, written here from its definition.
Levels of 8 bits must agree exactly (the numbers are such that none lies near the middle of two), those
of 16 bits but for one level, the gradient within 1e-4 of its largest value.

Exit codes: 0, 1 (a difference or a refusal), 77 (no torch)."""
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}; install python3-torch")
    sys.exit(77)

RANGE = {"u8": (0, 255), "s8": (-128, 127), "u16": (0, 65535), "s16": (-32768, 32767)}
TYPE = {"f32": (1, "<f4"), "u8": (2, "u1"), "s8": (3, "i1"), "u16": (4, "<u2"), "s16": (5, "<i2"), "s32": (6, "<i4")}


# ---- just enough of onnx.proto ------------------------------------------------------------------

def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, v) for v in value) + field(20, 7)


def info(name, shape):
    dims = b"".join(field(1, field(1, d)) for d in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


class Model:
    def __init__(self):
        self.nodes, self.tensors = b"", b""

    def node(self, op, inputs, outputs, domain="", **attributes):
        body = b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs)
        body += field(4, op) + (field(7, domain) if domain else b"")
        self.nodes += field(1, body + b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))
        return outputs[0]

    def tensor(self, name, kind, values):
        values = np.asarray(values)
        number, dtype = TYPE[kind]
        body = b"".join(field(1, d) for d in values.shape) + field(2, number) + field(8, name)
        self.tensors += field(5, body + field(9, values.astype(dtype).tobytes()))
        return name

    def bytes(self, shape, output, classes):
        graph = self.nodes + self.tensors + field(11, info("x", shape)) + field(12, info(output, [1, classes]))
        opsets = field(8, field(1, "") + field(2, 17)) + field(8, field(1, "com.microsoft") + field(2, 1))
        return field(1, 8) + field(7, graph) + opsets


# ---- the reference ------------------------------------------------------------------------------

class Straight(torch.autograd.Function):
    """Quantise and dequantise; the derivative is 1 where nothing was clipped."""

    @staticmethod
    def forward(ctx, x, scale, zero, lo, hi):
        q = torch.round(x / scale) + zero
        ctx.save_for_backward((q >= lo) & (q <= hi))
        return (q.clamp(lo, hi) - zero) * scale

    @staticmethod
    def backward(ctx, dy):
        return dy * ctx.saved_tensors[0], None, None, None, None


class Network:
    """conv, relu, conv + residual, max pool, mean, gemm; its numbers, drawn from a seed."""

    def __init__(self, seed, activation, weight, per_channel):
        rng = np.random.default_rng(seed)
        self.kind, self.weight_kind, self.per_channel = activation, weight, per_channel
        lo, hi = RANGE[activation]
        low, high = RANGE[weight]
        self.shape = (1, 3, 8, 8)
        # input, first, second, sum, mean, scores: scales and zero points; small scales clip
        self.scale = np.float32(rng.uniform(0.8, 1.2, 6) * np.array([3, 5, 6, 9, 1.5, 2]) / (hi - lo))
        self.zero = [int(z) for z in rng.integers(lo + (hi - lo) // 3, hi - (hi - lo) // 3, 6)]
        if activation == "s8":
            self.zero = [0] * 6  # symmetric
        self.w, self.ws, self.wz, self.b = [], [], [], []
        for i, (out, inner) in enumerate([((4, 3, 3, 3), 27), ((4, 4, 3, 3), 36), ((5, 4), 4)]):
            channels = out[0] if per_channel else 1
            self.w.append(rng.integers(low, high + 1, out))
            self.ws.append(np.float32(rng.uniform(0.7, 1.3, channels) * 3 / inner ** 0.5 / (high - low)))
            self.wz.append(np.full(channels, 0 if weight == "s8" else 131))
            self.b.append(rng.integers(-3000, 3000, out[0]))
        self.x = np.float32(rng.normal(0, 1, self.shape))
        self.cotangent = np.float32(rng.normal(0, 1, 5))

    def bias_scale(self, i):
        return np.float32(self.scale[[0, 1, 4][i]] * self.ws[i])

    def real_weight(self, i):
        per = (-1,) + (1,) * (self.w[i].ndim - 1)
        return torch.tensor((self.w[i] - self.wz[i].reshape(per)) * self.ws[i].astype(float).reshape(per))

    def real_bias(self, i):
        return torch.tensor(self.b[i] * self.bias_scale(i).astype(float))

    def quantised(self, x, i):
        return Straight.apply(x, float(self.scale[i]), self.zero[i], *RANGE[self.kind])

    def static(self):
        """-> logits, the layer, its gradient"""
        F = torch.nn.functional
        x = self.quantised(torch.tensor(self.x.astype(float)), 0)
        layer = self.quantised(F.relu(F.conv2d(x, self.real_weight(0), self.real_bias(0), padding=1)), 1)
        layer = layer.detach().requires_grad_()
        a = self.quantised(F.conv2d(layer, self.real_weight(1), self.real_bias(1), padding=1), 2)
        a = F.max_pool2d(self.quantised(a + layer, 3), 2)
        a = self.quantised(a.mean((2, 3)), 4)
        y = self.quantised(F.linear(a, self.real_weight(2), self.real_bias(2)), 5)
        (y[0] * torch.tensor(self.cotangent.astype(float))).sum().backward()
        return y.detach()[0], layer.detach(), layer.grad

    def dynamic(self):
        F = torch.nn.functional

        def quantise(v):
            d = v.detach()
            hi, lo = max(float(d.max()), 0), min(float(d.min()), 0)
            scale = float(np.float32(np.float32(hi - lo) / np.float32(255)))
            zero = round(min(max(-lo / scale, 0), 255))
            return Straight.apply(v, scale, zero, -1, 256)  # beyond the range by rounding only

        x = quantise(torch.tensor(self.x.astype(float)))
        layer = F.relu(F.conv2d(x, self.real_weight(0), padding=1)).detach().requires_grad_()
        a = F.conv2d(quantise(layer), self.real_weight(1), padding=1).mean((2, 3))
        y = F.linear(quantise(a), self.real_weight(2))
        (y[0] * torch.tensor(self.cotangent.astype(float))).sum().backward()
        return y.detach()[0], layer.detach(), layer.grad

    # ---- the three forms

    def tensors(self, m):
        for i in range(6):
            m.tensor(f"s{i}", "f32", self.scale[i])
            m.tensor(f"z{i}", self.kind, self.zero[i])
        for i in range(3):
            one = not self.per_channel
            m.tensor(f"w{i}", self.weight_kind, self.w[i])
            m.tensor(f"ws{i}", "f32", self.ws[i][0] if one else self.ws[i])
            m.tensor(f"wz{i}", self.weight_kind, self.wz[i][0] if one else self.wz[i])
            m.tensor(f"b{i}", "s32", self.b[i])
            m.tensor(f"bs{i}", "f32", self.bias_scale(i)[0] if one else self.bias_scale(i))

    def qdq(self):
        m = Model()
        self.tensors(m)

        def levels(name, i):
            m.node("QuantizeLinear", [name, f"s{i}", f"z{i}"], [f"q{i}"])
            return m.node("DequantizeLinear", [f"q{i}", f"s{i}", f"z{i}"], [f"d{i}"])

        for i in range(3):
            m.node("DequantizeLinear", [f"w{i}", f"ws{i}", f"wz{i}"], [f"dw{i}"], axis=0)
            m.node("DequantizeLinear", [f"b{i}", f"bs{i}"], [f"db{i}"], axis=0)
        levels("x", 0)
        m.node("Conv", ["d0", "dw0", "db0"], ["c0"], pads=[1, 1, 1, 1])
        levels(m.node("Relu", ["c0"], ["r0"]), 1)
        levels(m.node("Conv", ["d1", "dw1", "db1"], ["c1"], pads=[1, 1, 1, 1]), 2)
        levels(m.node("Add", ["d2", "d1"], ["a"]), 3)
        m.node("MaxPool", ["d3"], ["p"], kernel_shape=[2, 2], strides=[2, 2])
        levels(m.node("GlobalAveragePool", ["p"], ["g"]), 4)
        m.node("Flatten", ["d4"], ["f"])
        levels(m.node("Gemm", ["f", "dw2", "db2"], ["h"], transB=1), 5)
        return m.bytes(self.shape, "d5", 5), "d1", 1.0

    def operators(self):
        m, ms = Model(), "com.microsoft"
        self.tensors(m)
        m.node("QuantizeLinear", ["x", "s0", "z0"], ["q0"])
        # Clipping at the zero point is what a rectifier becomes.
        m.node("QLinearConv", ["q0", "s0", "z0", "w0", "ws0", "wz0", "s1", "z1", "b0"], ["c0"], pads=[1, 1, 1, 1])
        m.node("Clip", ["c0", "z1"], ["q1"])
        m.node("QLinearConv", ["q1", "s1", "z1", "w1", "ws1", "wz1", "s2", "z2", "b1"], ["q2"], pads=[1, 1, 1, 1])
        m.node("QLinearAdd", ["q2", "s2", "z2", "q1", "s1", "z1", "s3", "z3"], ["q3"], ms)
        m.node("MaxPool", ["q3"], ["p"], kernel_shape=[2, 2], strides=[2, 2])
        m.node("QLinearGlobalAveragePool", ["p", "s3", "z3", "s4", "z4"], ["q4"], ms, channels_last=0)
        m.node("Flatten", ["q4"], ["f"])
        m.node("QGemm", ["f", "s4", "z4", "w2", "ws2", "wz2", "b2", "s5", "z5"], ["q5"], ms, transB=1)
        m.node("DequantizeLinear", ["q5", "s5", "z5"], ["y"])
        return m.bytes(self.shape, "y", 5), "q1", float(self.scale[1])

    def integers(self):
        m = Model()
        self.tensors(m)

        def conv(name, i, out):
            m.node("DynamicQuantizeLinear", [name], [f"q{i}", f"t{i}", f"o{i}"])
            m.node("ConvInteger", [f"q{i}", f"w{i}", f"o{i}", f"wz{i}"], [f"c{i}"], pads=[1, 1, 1, 1])
            m.node("Cast", [f"c{i}"], [f"k{i}"], to=1)
            m.node("Mul", [f"t{i}", f"ws{i}"], [f"m{i}"])
            return m.node("Mul", [f"k{i}", f"m{i}"], [out])

        m.node("Relu", [conv("x", 0, "y0")], ["l"])
        m.node("ReduceMean", [conv("l", 1, "y1")], ["g"], axes=[2, 3], keepdims=0)
        m.node("DynamicQuantizeLinear", ["g"], ["q2", "t2", "o2"])
        m.tensor("turned", self.weight_kind, self.w[2].T)
        m.node("MatMulInteger", ["q2", "turned", "o2", "wz2"], ["c2"])
        m.node("Cast", ["c2"], ["k2"], to=1)
        m.node("Mul", ["t2", "ws2"], ["m2"])
        m.node("Mul", ["k2", "m2"], ["y"])
        return m.bytes(self.shape, "y", 5), "l", 1.0


# ---- the comparison -----------------------------------------------------------------------------

def run(zoo_run, network, form, folder):
    model, layer, scale = form
    (folder / "m.onnx").write_bytes(model)
    network.x.tofile(folder / "input")
    network.cotangent.tofile(folder / "cotangent")
    done = subprocess.run([zoo_run, folder / "m.onnx", layer, folder], capture_output=True, text=True)
    if done.returncode:
        return done.stdout.strip()
    read = [torch.tensor(np.fromfile(folder / n, np.float32).astype(float))
            for n in ("logits", "features", "gradient")]
    read[2] = read[2] / scale
    return read


def differ(name, what, got, want, bound):
    error = float((got - want.flatten()).abs().max())
    if error <= bound:
        return 0
    print(f"FAILED {name}: {what}: error {error:.3g}, at most {bound:.3g}")
    return 1


def compare(zoo_run, name, network, form, want, step, folder):
    got = run(zoo_run, network, form, folder)
    if isinstance(got, str):
        print(f"FAILED {name}: {got}")
        return 1
    logits, layer, gradient = want
    failures = differ(name, "logits", got[0], logits, step)
    if form[2] != 1:
        got[1] = (got[1] - network.zero[1]) * form[2]
    failures += differ(name, "layer", got[1], layer, step)
    return failures + differ(name, "gradient", got[2], gradient, 1e-4 * float(gradient.abs().max()))


def main():
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed, (activation, weight, per_channel) in enumerate(
                [("u8", "s8", False), ("u8", "s8", True), ("s8", "s8", True), ("u8", "u8", False),
                 ("s8", "u8", False), ("u16", "s8", True), ("s16", "s8", False)]):
            n = Network(seed, activation, weight, per_channel)
            name = f"{activation}, weights {weight}{' by channel' if per_channel else ''}"
            forms = [("QDQ", n.qdq(), n.static()), ("operators", n.operators(), n.static())]
            if activation == "u8" and not per_channel:
                forms.append(("dynamic", n.integers(), n.dynamic()))
            for form, made, want in forms:
                # 16 bits are near the 24 of float32: a value may lie between two levels.
                step = 1e-5 if activation.endswith("8") else 1.01 * float(n.scale.max())
                failures += compare(sys.argv[1], f"{form}, {name}", n, made, want, step, Path(folder))
                count += 1
    print(f"{count} networks, {failures} differences")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
