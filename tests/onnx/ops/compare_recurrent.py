"""Compare LSTM, GRU and RNN, forward and VJP, with torch in float64.

usage: compare_recurrent.py ZOO_RUN

Each case is a network of one such operator.  Its input is one row of numbers: X, the first states
and, of an LSTM, the first cells; its output one row: Y, Y_h and Y_c.  So the gradients at input and
states are all compared.  The equations are those of the ONNX specification, differentiated by
autograd; where torch has the same layer, they are compared with that first.
Exit status 77 (skipped) without torch."""
import itertools
import os
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli"))
from tinynet import field, model, node, tensor, value_info  # noqa: E402

try:
    import numpy as np
    import torch
except ImportError as e:
    print("skipped:", e)
    sys.exit(77)

TOLERANCE = 2e-5  # of the largest expected value: float32 over some steps
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


# ---- the equations ----------------------------------------------------------------------------

def activation(name, alpha, beta):
    a, b = alpha, beta
    return {
        "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Relu": torch.relu,
        "Softsign": torch.nn.functional.softsign, "Softplus": torch.nn.functional.softplus,
        "LeakyRelu": lambda x: torch.where(x > 0, x, (0.01 if a is None else a) * x),
        "ThresholdedRelu": lambda x: torch.where(x > (1 if a is None else a), x, 0 * x),
        "Elu": lambda x: torch.where(x > 0, x, (1 if a is None else a) * (torch.exp(x) - 1)),
        "HardSigmoid": lambda x: torch.clamp((0.2 if a is None else a) * x +
                                             (0.5 if b is None else b), 0, 1),
        "Affine": lambda x: (1 if a is None else a) * x + (0 if b is None else b),
        "ScaledTanh": lambda x: (1 if a is None else a) * torch.tanh((1 if b is None else b) * x),
    }[name]


class Cell:
    """One direction; w, r, b, p are its slices."""

    def __init__(self, case, d):
        self.case, self.hidden = case, case.hidden
        self.w, self.r = case.w[d], case.r[d]
        n = GATES[case.op] * case.hidden
        self.b = case.b[d][:n] if case.b is not None else torch.zeros(n)
        self.rb = case.b[d][n:] if case.b is not None else torch.zeros(n)
        self.p = case.p[d].split(case.hidden) if case.p is not None else [0, 0, 0]
        count = len(DEFAULTS[case.op])
        names = (case.activations or 2 * DEFAULTS[case.op])[d * count:(d + 1) * count]
        self.act = [activation(name, *case.numbers(d * count + i)) for i, name in enumerate(names)]

    def clip(self, x):
        return x if self.case.clip is None else torch.clamp(x, -self.case.clip, self.case.clip)

    def step(self, x, h, c):
        return getattr(self, self.case.op)(x, h, c)

    def RNN(self, x, h, c):
        return self.act[0](self.clip(x @ self.w.T + h @ self.r.T + self.b + self.rb)), c

    def GRU(self, x, h, c):
        f, g = self.act
        wz, wr, wh = (x @ self.w.T + self.b).split(self.hidden, 1)
        rz, rr, rh = self.r.split(self.hidden)
        bz, br, bh = self.rb.split(self.hidden)
        z = f(self.clip(wz + h @ rz.T + bz))
        r = f(self.clip(wr + h @ rr.T + br))
        if self.case.linear:
            n = g(self.clip(wh + r * (h @ rh.T + bh)))
        else:
            n = g(self.clip(wh + (r * h) @ rh.T + bh))
        return (1 - z) * n + z * h, c

    def LSTM(self, x, h, c):
        f, g, k = self.act
        pi, po, pf = self.p
        i, o, u, v = (x @ self.w.T + h @ self.r.T + self.b + self.rb).split(self.hidden, 1)
        i, u = f(self.clip(i + pi * c)), f(self.clip(u + pf * c))
        c = u * c + i * g(self.clip(v))
        return f(self.clip(o + po * c)) * k(c), c


def run(case, x, h, c):
    """[steps][batch][n], [directions][batch][hidden] -> Y [steps][directions][batch][hidden], ..."""
    steps, outs, last_h, last_c = x.shape[0], [], [], []
    length = torch.tensor(case.lengths or case.batch * [steps])
    for d, direction in enumerate(case.ways):
        cell, hd, cd = Cell(case, d), h[d], c[d]
        y = [None] * steps
        for t in range(steps):
            at = t if direction == "forward" else (length - 1 - t).clamp(min=0)
            xt = x[t] if direction == "forward" else x[at, torch.arange(case.batch)]
            on = (t < length)[:, None]
            nh, nc = cell.step(xt, hd, cd)
            hd, cd = torch.where(on, nh, hd), torch.where(on, nc, cd)
            y[t] = torch.where(on, nh, torch.zeros_like(nh))
        if direction == "reverse":  # step t of the pass belongs to length - 1 - t
            stacked = torch.stack(y)
            order = torch.stack([(length - 1 - t) for t in range(steps)]).clamp(min=0)
            back = stacked[order, torch.arange(case.batch)[None].expand(steps, -1)]
            inside = (torch.arange(steps)[:, None] < length[None])[..., None]
            y = list(torch.where(inside, back, torch.zeros_like(back)))
        outs.append(torch.stack(y))
        last_h.append(hd)
        last_c.append(cd)
    return torch.stack(outs, 1), torch.stack(last_h), torch.stack(last_c)


# ---- cases ------------------------------------------------------------------------------------

class Case:
    def __init__(self, op, direction="forward", layout=0, bias=True, states=True, lengths=None,
                 peepholes=False, clip=None, activations=None, alpha=None, beta=None, linear=0,
                 steps=4, batch=2, width=3, hidden=3):
        self.__dict__.update(locals())
        self.ways = {"bidirectional": ["forward", "reverse"]}.get(direction, [direction])
        self.directions = len(self.ways)
        d, n = self.directions, GATES[op] * hidden
        draw = lambda *shape: (0.6 * torch.randn(*shape)).float().double()
        self.w, self.r = draw(d, n, width), draw(d, n, hidden)
        self.b = draw(d, 2 * n) if bias else None
        self.p = draw(d, 3 * hidden) if peepholes else None
        self.x = draw(steps, batch, width)
        self.h, self.c = draw(d, batch, hidden), draw(d, batch, hidden)
        if not states:
            self.h, self.c = 0 * self.h, 0 * self.c

    def numbers(self, i):
        """alpha and beta of activation i: lists are for those that take them, in order."""
        names = self.activations or []
        takes = {"LeakyRelu": (1, 0), "ThresholdedRelu": (1, 0), "Elu": (1, 0),
                 "HardSigmoid": (1, 1), "Affine": (1, 1), "ScaledTanh": (1, 1)}
        out = []
        for k, values in enumerate([self.alpha, self.beta]):
            place = sum(takes.get(n, (0, 0))[k] for n in names[:i])
            own = i < len(names) and takes.get(names[i], (0, 0))[k]
            out.append(values[place] if values and own and place < len(values) else None)
        return out

    def __str__(self):
        shown = ["direction", "layout", "bias", "states", "lengths", "peepholes", "clip",
                 "activations", "alpha", "beta", "linear", "steps", "batch"]
        return self.op + " " + " ".join(f"{k}={self.__dict__[k]}" for k in shown
                                        if self.__dict__[k] not in (None, False))


def cases():
    for op, direction, layout in itertools.product(GATES, ["forward", "reverse", "bidirectional"],
                                                   [0, 1]):
        yield Case(op, direction, layout)
        yield Case(op, direction, layout, bias=False, states=False, batch=1, steps=5)
        yield Case(op, direction, layout, lengths=[2, 4])
    for direction in ["forward", "bidirectional"]:
        yield Case("LSTM", direction, peepholes=True)
        yield Case("LSTM", direction, peepholes=True, lengths=[3, 1], clip=0.5)
        yield Case("GRU", direction, linear=1)
        yield Case("GRU", direction, linear=1, lengths=[4, 1], clip=0.4)
        for op in GATES:
            yield Case(op, direction, clip=0.3)
            yield Case(op, direction, steps=1)
    for name in ["Relu", "Softsign", "Softplus", "LeakyRelu", "ThresholdedRelu", "Elu",
                 "HardSigmoid", "Affine", "ScaledTanh"]:
        yield Case("RNN", activations=[name])
        yield Case("LSTM", activations=["HardSigmoid", name, "Softsign"])
        yield Case("GRU", activations=["Sigmoid", name])
    yield Case("RNN", "bidirectional", activations=["LeakyRelu", "Elu"], alpha=[0.3, 0.7])
    yield Case("GRU", activations=["HardSigmoid", "ScaledTanh"], alpha=[0.3, 0.8], beta=[0.4, 1.2])
    yield Case("LSTM", "bidirectional", alpha=[0.25, 0.25], beta=[0.4, 0.6],
               activations=["HardSigmoid", "Tanh", "Tanh", "HardSigmoid", "Tanh", "Softsign"])


# ---- the network ------------------------------------------------------------------------------

def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, float):
        return field(1, name) + b"\x15" + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if isinstance(value[0], str):
        return field(1, name) + b"".join(field(9, v) for v in value) + field(20, 8)
    return field(1, name) + field(7, struct.pack(f"<{len(value)}f", *value)) + field(20, 6)


def ints(name, values, kind=7):
    size = {7: "q", 6: "i"}[kind]
    return (field(1, len(values)) + field(2, kind) + field(8, name) +
            field(9, struct.pack(f"<{len(values)}{size}", *values)))


def network(case):
    turned = case.layout == 1
    swap = lambda a: [a[1], a[0], *a[2:]] if turned else list(a)
    d, batch, hidden = case.directions, case.batch, case.hidden
    x_shape = swap([case.steps, batch, case.width])
    h_shape = swap([d, batch, hidden])
    lstm, parts = case.op == "LSTM", [int(np.prod(x_shape))]
    names = ["x"]
    if case.states:
        names += ["h", "c"] if lstm else ["h"]
        parts += (len(names) - 1) * [int(np.prod(h_shape))]
    weights = [tensor("W", case.w.shape, case.w.flatten().tolist()),
               tensor("R", case.r.shape, case.r.flatten().tolist()), ints("parts", parts),
               ints("row", [1, -1]), ints("xs", x_shape), ints("hs", h_shape)]
    if case.b is not None:
        weights.append(tensor("B", case.b.shape, case.b.flatten().tolist()))
    if case.p is not None:
        weights.append(tensor("P", case.p.shape, case.p.flatten().tolist()))
    if case.lengths:
        weights.append(ints("L", case.lengths, 6))
    split = (node("Split", ["in", "parts"], ["flat_" + n for n in names], axis=1)
             if len(names) > 1 else node("Identity", ["in"], ["flat_x"]))
    nodes = [split] + [node("Reshape", ["flat_" + n, "xs" if n == "x" else "hs"], [n])
                       for n in names]
    inputs = ["x", "W", "R", "B" if case.b is not None else "", "L" if case.lengths else "",
              "h" if case.states else ""]
    if lstm:
        inputs += ["c" if case.states else "", "P" if case.p is not None else ""]
    while inputs[-1] == "":
        inputs.pop()
    outs = ["Y", "Yh"] + (["Yc"] if lstm else [])
    attributes = {"hidden_size": case.hidden, "direction": case.direction}
    for name, value in [("layout", case.layout), ("linear_before_reset", case.linear),
                        ("clip", case.clip), ("activations", case.activations),
                        ("activation_alpha", case.alpha), ("activation_beta", case.beta)]:
        if value:
            attributes[name] = value
    nodes.append(b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outs) +
                 field(3, "cell") + field(4, case.op) +
                 b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))
    nodes += [node("Reshape", [o, "row"], ["row_" + o]) for o in outs]
    nodes.append(node("Concat", ["row_" + o for o in outs], ["out"], axis=1))
    return model(nodes, weights, [value_info("in", [1, sum(parts)])], [value_info("out", [1, 1])],
                 opset=14)


# ---- comparing --------------------------------------------------------------------------------

def expect(case):
    """-> the network's input, its output and a function from a cotangent to the gradient."""
    values = [case.x] + ([case.h, case.c] if case.op == "LSTM" else [case.h]) * case.states
    leaves = [v.clone().requires_grad_() for v in values]
    x = leaves[0]
    h = leaves[1] if case.states else case.h
    c = leaves[2] if case.states and case.op == "LSTM" else case.c
    outs = run(case, x, h, c)[:3 if case.op == "LSTM" else 2]
    turned = case.layout == 1
    order = lambda t: t.transpose(0, 1) if turned else t
    first = outs[0].permute(2, 0, 1, 3) if turned else outs[0]
    row = torch.cat([first.reshape(-1)] + [order(o).reshape(-1) for o in outs[1:]])

    def gradient(cotangent):
        found = torch.autograd.grad(row, leaves, torch.from_numpy(cotangent).double())
        return np.concatenate([order(g).reshape(-1).numpy() for g in found])

    start = np.concatenate([order(v).reshape(-1).numpy() for v in values])
    return start.astype("f4"), row.detach().numpy(), gradient


def check_reference():
    """The equations against torch's own layers."""
    for op, direction in itertools.product(GATES, ["forward", "bidirectional"]):
        case = Case(op, direction, linear=1)
        layer = getattr(torch.nn, op)(case.width, case.hidden,
                                      bidirectional=direction == "bidirectional").double()
        order = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}[op]  # torch's gates in ONNX's
        pick = lambda t: torch.cat([t.split(case.hidden)[i] for i in order])
        for d in range(case.directions):
            end = "_l0" + d * "_reverse"
            parts = [pick(getattr(layer, kind + end).detach())
                     for kind in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]]
            case.w[d], case.r[d], case.b[d] = parts[0], parts[1], torch.cat(parts[2:])
        state = (case.h, case.c) if op == "LSTM" else case.h
        with torch.no_grad():
            want, _ = layer(case.x, state)
            y, _, _ = run(case, case.x, case.h, case.c)
        y = y.permute(0, 2, 1, 3).reshape(want.shape)
        assert torch.allclose(y, want, atol=1e-12), (op, direction)


def near(what, got, want, case):
    error = np.abs(got - want).max() / max(np.abs(want).max(), 1e-3)
    if got.shape != want.shape or not error <= TOLERANCE:
        print(f"{case}: {what} is off by {error:.2e}")
        return False
    return True


def check(case, zoo_run, folder):
    start, want, gradient = expect(case)
    cotangent = np.random.randn(len(want)).astype("f4")
    with open(os.path.join(folder, "n.onnx"), "wb") as file:
        file.write(network(case))
    start.tofile(os.path.join(folder, "input"))
    cotangent.tofile(os.path.join(folder, "cotangent"))
    done = subprocess.run([zoo_run, os.path.join(folder, "n.onnx"), "-", folder, "-"],
                          stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode != 0:
        print(f"{case}: {done.stdout}")
        return False
    read = lambda name: np.fromfile(os.path.join(folder, name), "f4").astype("f8")
    return (near("the output", read("logits"), want, case) and
            near("the gradient", read("pixels"), gradient(cotangent), case))


def main():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    check_reference()
    with tempfile.TemporaryDirectory() as folder:
        results = [check(case, sys.argv[1], folder) for case in cases()]
    print(f"{sum(results)} of {len(results)} agree")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
