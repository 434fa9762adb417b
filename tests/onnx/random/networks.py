"""networks.py - a random network, and what it computes in torch."""
import random

import numpy as np
import torch

from more_operators import SINCE
from more_steps import More
from operators import COMPUTE, NARROW, REDUCE, UNARY
from spellings import Writer, choose, rounded

CLASSES = 5
MOST = 30.0  # of a value, so that float32 has digits left


def as_torch(c, dtype):
    return torch.tensor(c.astype(np.int64) if c.dtype == np.uint32 else c, dtype=dtype if c.dtype == np.float32 else None)


class Network:
    """Nodes (operator, inputs, outputs with blanks between, attributes) in order; constants by name; the input is "x", the output "y"."""

    def __init__(self, shape, opset):
        self.shape, self.opset, self.nodes, self.constants = shape, opset, [], {}
        self.spelling, self.loops = {}, []  # spellings.py; (first output, nodes, rounds) of what is repeated

    def copy(self):
        n = Network(self.shape, self.opset)
        n.nodes, n.constants = [(o, list(i), y, dict(a)) for o, i, y, a in self.nodes], dict(self.constants)
        n.spelling, n.loops = dict(self.spelling), list(self.loops)
        return n

    def run(self, x):
        values = {"x": x, "": None}
        for name, c in self.constants.items():
            values[name] = as_torch(rounded(c, self.spelling), x.dtype)
        for op, inputs, output, attributes in self.nodes:
            y = COMPUTE[op](attributes, *(values[i] for i in inputs))
            values.update(zip(output.split(), y if isinstance(y, tuple) else (y,)))
        return values

    def tidy(self):
        """Without what "y" does not need."""
        needed = {"y"}
        for node in reversed(self.nodes):
            if needed & set(node[2].split()):
                needed.update(node[1])
        self.nodes = [n for n in self.nodes if needed & set(n[2].split())]
        self.constants = {k: c for k, c in self.constants.items() if k in needed}
        return self

    def onnx(self):
        return Writer(self).model(CLASSES)

    def __str__(self):
        lines = [f"opset {self.opset}, x {list(self.shape)} {self.spelling or ''}"]
        lines += [f"  {k} = {c.dtype}{list(c.shape)} {c.ravel()[:6].tolist()}" for k, c in self.constants.items()]
        return "\n".join(lines + [f"  {y} = {op}({', '.join(i)}) {a or ''}" for op, i, y, a in self.nodes])


# Results that are integers, held as floats.
HELD = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}


def fits(v, most):
    if isinstance(v, list):
        return all(fits(i, most) for i in v)
    return bool(0 < v.numel() <= 20000 and v.dim() <= 5 and (v.dtype != torch.float64 or (torch.isfinite(v).all() and v.abs().max() <= most)))


class Maker(More):
    """One random network.  Values are computed on the way, so that shapes are known and numbers stay small."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        r = self.rng
        self.net = Network((1, r.choice([1, 2, 3, 4, 8, 16]), r.randint(5, 12), r.randint(5, 12)), r.choice([13, 17, 18, 21, 24]))
        self.input = self.numbers.normal(0, 1, self.net.shape).astype(np.float32)
        self.values = {"x": torch.tensor(self.input, dtype=torch.float64)}
        self.count, self.held = 0, set()

    def constant(self, c):
        self.count += 1
        name = f"c{self.count}"
        self.net.constants[name] = np.asarray(c) if np.asarray(c).dtype == bool else np.asarray(c, np.asarray(c).dtype)
        return name

    def weights(self, *shape, scale=0.5, middle=0.0):
        return self.constant(self.numbers.normal(middle, scale, shape).astype(np.float32))

    def whole(self, *values):
        return self.constant(np.array(values, np.int64))

    def value(self, name):
        return None if name == "" else self.values[name] if name in self.values else as_torch(self.net.constants[name], torch.float64)

    def add(self, op, inputs, attributes=None, output=None, outputs=1, most=MOST):
        """The output's name, of several a list; or None where its numbers do not fit."""
        y = COMPUTE[op](attributes or {}, *map(self.value, inputs))
        y = y if isinstance(y, tuple) else (y,)
        most = 1e7 if op in HELD else most
        if not all(fits(v, most) for v in y[:outputs]):
            return None
        names = [output] if output else [f"t{self.count + 1 + i}" for i in range(outputs)]
        self.count += outputs
        self.net.nodes.append((op, list(inputs), " ".join(names), attributes or {}))
        self.values.update(zip(names, y))
        if op in HELD:
            self.held.update(names)
        return names[0] if outputs == 1 else names

    def plain_values(self):
        """Those that any operator takes: floats, and not the integers of quantised ones."""
        return [k for k, v in self.values.items() if isinstance(v, torch.Tensor) and v.dtype == torch.float64 and k not in self.held and v.dim() > 0]

    def varies(self, v, axes):
        """Equal numbers have a variance of 0 but for rounding, which normalisation makes large."""
        return float(self.values[v].std(axes, unbiased=False).min()) > 0.01

    def shape(self, v):
        return list(self.values[v].shape)

    def step(self, v):
        """Another node behind `v`."""
        r, s = self.rng, self.shape(v)
        kind = r.choice(["unary", "unary", "narrow", "curve", "binary", "many", "reduce", "axis", "form"] +
                        (["plane"] * 7 + ["picture"] * 2 if len(s) == 4 else []) + (["matrix"] if len(s) >= 2 else []) +
                        ["condition", "integers", "shapes", "sequence", "quantised", "quantised", "places", "places", "places", "repeat"] +
                        (["recurrent"] * 4 if len(s) == 3 else []) + (["shapes"] * 2 if len(s) == 2 else []))
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
        same = [k for k in self.plain_values() if k != v and self.shape(k) == s]
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
        inputs = [v] + [k for k in self.rng.sample(sorted(self.plain_values()), min(6, len(self.plain_values()))) if self.shape(k) == s][:3]
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
        op = r.choice(["Softmax", "LogSoftmax", "CumSum", "LpNormalization", "LayerNormalization", "Gather", "Slice"])
        if op == "CumSum":
            return self.add(op, [v, self.constant(np.int64(d))])
        if op == "LpNormalization":
            return self.add(op, [v], {"axis": d, "p": r.choice([1, 2])})
        if op == "LayerNormalization":
            return self.add(op, [v, self.weights(*s[-1:]), self.weights(*s[-1:])], {"axis": len(s) - 1}) if self.allowed(op) and self.varies(v, -1) else None
        if op == "Gather":
            return self.add(op, [v, self.whole(*(r.randrange(s[d]) for _ in range(r.randint(1, 5))))], {"axis": d})
        if op == "Slice":
            first = r.randrange(s[d])
            return self.add(op, [v, self.whole(first), self.whole(r.randint(first + 1, s[d])), self.whole(d), self.whole(r.randint(1, 2))])
        return self.add(op, [v], {"axis": d})

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
                       "BatchNormalization", "InstanceNormalization", "GroupNormalization", "Pad", "DepthToSpace", "SpaceToDepth", "SpaceToDepth",
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
            return self.add(op, [v, self.weights(c), self.weights(c)], a) if self.varies(v, (2, 3)) else None
        if op == "Pad":
            mode = r.choice(["constant", "edge", "reflect"])
            p = [0, 0] + [r.randint(0, 2 if min(h, w) > 2 else 0) for _ in "hw"] + [0, 0] + [r.randint(0, 2 if min(h, w) > 2 else 0) for _ in "hw"]
            return self.add(op, [v, self.whole(*p), *([self.constant(np.float32(r.uniform(-1, 1)))] if mode == "constant" else [])], {"mode": mode})
        if op == "DepthToSpace":
            return self.add(op, [v], {"blocksize": 2, "mode": r.choice(["DCR", "CRD"])}) if c % 4 == 0 else None
        if op == "SpaceToDepth":
            return self.add(op, [v], {"blocksize": 2}) if h % 2 == 0 and w % 2 == 0 else None
        if op == "MeanVarianceNormalization":
            return self.add(op, [v], {"axes": [0, 2, 3]}) if self.varies(v, (2, 3)) else None
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
                except (RuntimeError, IndexError, NotImplementedError, TypeError, KeyError, ValueError):
                    continue  # no such combination
                if y:
                    v = y if self.rng.random() < 0.85 else self.rng.choice([y, v])
                    break
        flat = self.add("Reshape", [v, self.whole(1, -1)])
        n = self.shape(flat)[1]
        self.add("Gemm", [flat, self.weights(n, CLASSES, scale=n ** -0.5), self.weights(CLASSES)],
                 {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}, "y", most=1e9)
        self.net.tidy()
        self.net.spelling = choose(self.rng, self.net)
        return self.net
