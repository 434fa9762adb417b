"""spellings.py - a network as a file, in one of many ways to write the same: local functions, If, Loop and Scan around some of its
nodes, constants as nodes, symbolic shapes, other types of floats, several outputs."""
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cli"))
from tinynet import field  # noqa: E402

KIND = {"float32": 1, "uint8": 2, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11, "uint32": 12}
FLOATS = {1: np.float32, 10: np.float16, 11: np.float64}
SINGLE_ONLY = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "HannWindow", "HammingWindow", "BlackmanWindow", "ConstantOfShape",
               "ConvInteger", "SequenceEmpty", "Einsum"}  # results of one type, whatever the network's
ELEMENTWISE = {"Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Exp", "Sin", "Cos", "Softsign", "Atan"}


def is_float(c):
    return c.dtype == np.float32


def tensor(name, c):
    return b"".join(field(1, d) for d in c.shape) + field(2, KIND[c.dtype.name]) + field(8, name) + field(9, c.tobytes())


def attribute(name, v):
    if isinstance(v, bytes):  # a graph
        return field(1, name) + field(6, v) + field(20, 5)
    if isinstance(v, np.ndarray):
        return field(1, name) + field(5, tensor("", v)) + field(20, 4)
    if isinstance(v, float):
        return field(1, name) + b"\x15" + struct.pack("<f", v) + field(20, 1)
    if isinstance(v, str):
        return field(1, name) + field(4, v) + field(20, 3)
    if isinstance(v, int):
        return field(1, name) + field(3, v) + field(20, 2)
    if isinstance(v[0], float):
        return field(1, name) + b"".join(b"\x3d" + struct.pack("<f", i) for i in v) + field(20, 6)
    return field(1, name) + b"".join(field(8, i) for i in v) + field(20, 7)


def node(op, inputs, outputs, attributes=None, domain=""):
    return (b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(3, outputs[0]) + field(4, op) +
            b"".join(field(5, attribute(k, v)) for k, v in (attributes or {}).items()) + (field(7, domain) if domain else b""))


def info(name, shape, kind=1):
    """`shape` None: not said."""
    dims = b"" if shape is None else field(2, b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in shape))
    return field(1, name) + field(2, field(1, field(1, kind) + dims))


def graph(nodes, name, inputs=(), outputs=(), constants=()):
    return (b"".join(field(1, n) for n in nodes) + field(2, name) + b"".join(field(5, tensor(k, c)) for k, c in constants) +
            b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs))


class Writer:
    def __init__(self, net):
        self.net, self.how, self.functions = net, net.spelling, b""
        self.kind = self.how.get("type", 1)
        self.constants = {k: c.astype(FLOATS[self.kind]) if is_float(c) else c for k, c in net.constants.items()}

    def plain(self, n):
        op, inputs, output, a = n
        a = dict(a)
        if op == "Cast" and a["to"] == 1:
            a["to"] = self.kind
        if op == "DFT":
            d = a.pop("dim")
            if self.net.opset < 20:
                a["axis"] = d
        a.pop("out", None)
        return node("MaxPool" if op == "MaxPoolPlaces" else op, inputs, output.split(), a)

    def used_behind(self, begin, end):
        """Results of nodes begin..end-1 that others read."""
        made = [o for n in self.net.nodes[begin:end] for o in n[2].split()]
        read = {i for n in self.net.nodes[end:] for i in n[1]} | {"y"}
        return [o for o in made if o in read]

    def part(self):
        """The nodes that the spelling is about: [begin, end)."""
        count = max(1, len(self.net.nodes) - 2)
        begin = int(self.how.get("begin", 0) * count)
        return begin, min(count, begin + self.how.get("length", 1))

    def function(self, begin, end):
        nodes = self.net.nodes[begin:end]
        made = {o for n in nodes for o in n[2].split()}
        inputs = sorted({i for n in nodes for i in n[1] if i and i not in made})
        outputs = self.used_behind(begin, end)
        imported = field(9, field(1, "") + field(2, self.net.opset))
        inside = self.how["kind"] == "functions"  # one that calls another
        body = b"".join(field(7, self.plain(n)) for n in nodes)
        self.functions += field(25, field(1, "piece") + b"".join(field(4, i) for i in inputs) + b"".join(field(5, o) for o in outputs) + body +
                                imported + field(10, "own"))
        if inside:
            call = field(7, node("piece", inputs, outputs, domain="own"))
            self.functions += field(25, field(1, "around") + b"".join(field(4, i) for i in inputs) + b"".join(field(5, o) for o in outputs) + call +
                                    imported + field(9, field(1, "own") + field(2, 1)) + field(10, "own"))
        return [node("around" if inside else "piece", inputs, outputs, domain="own")]

    def branch(self, begin, end):
        """If: the nodes are the branch that is taken, the other one gives what has the same types."""
        outputs = self.used_behind(begin, end)
        taken = self.how.get("taken", 1)
        this = graph([self.plain(n) for n in self.net.nodes[begin:end]], "taken", outputs=[info(o, None, self.kind) for o in outputs])
        other = graph([node("Identity", ["x"], [o + "_no"]) for o in outputs], "other", outputs=[info(o + "_no", None, self.kind) for o in outputs])
        self.constants["condition"] = np.array(bool(taken))
        return [node("If", ["condition"], outputs, {"then_branch": this if taken else other, "else_branch": other if taken else this})]

    def loop(self, first, length, rounds):
        """The body once, `rounds` times; None where the copies are no longer the same."""
        names = [n[2] for n in self.net.nodes]
        begin = names.index(first) if first in names else -1
        copies = [self.net.nodes[begin + k * length:begin + (k + 1) * length] for k in range(rounds)]
        alike = [[(n[0], n[1][1:], n[3]) for n in c] for c in copies]
        flat = [n for c in copies for n in c]
        chained = all(b[1][:1] == [a[2]] for a, b in zip(flat, flat[1:]))
        if begin < 0 or len(flat) < length * rounds or not chained or any(c != alike[0] for c in alike[1:]):
            return None
        if self.used_behind(begin, begin + len(flat)) != [flat[-1][2]]:
            return None
        body, last = [node("Identity", ["go"], ["go_on"])], "carried"
        for k, (op, inputs, _, a) in enumerate(copies[0]):
            body.append(self.plain((op, [last] + inputs[1:], f"body{k}", a)))
            last = f"body{k}"
        sub = graph(body, "body", [info("round", [], 7), info("go", [], 9), info("carried", None, self.kind)],
                    [info("go_on", [], 9), info(last, None, self.kind)])
        self.constants.update({"rounds": np.array(rounds), "condition": np.array(True)})
        return begin, begin + len(flat), [node("Loop", ["rounds", "condition", flat[0][1][0]], [flat[-1][2]], {"body": sub})]

    def scan(self):
        """One elementwise node, row by row of the first axis that has some."""
        for k, (op, inputs, output, a) in enumerate(self.net.nodes):
            if op in ELEMENTWISE and not a and output != "y":
                axis = self.how.get("axis", 0)
                body = graph([self.plain((op, ["row"], "done", a))], "body", [info("row", None, self.kind)], [info("done", None, self.kind)])
                return k, k + 1, [node("Scan", inputs, [output], {"body": body, "num_scan_inputs": 1, "scan_input_axes": [axis],
                                                                  "scan_output_axes": [axis]})]
        return None

    def pieces(self):
        """(begin, end, the nodes that stand for these), or None: all as they are."""
        kind = self.how.get("kind")
        if kind == "loop":
            for one in self.net.loops:
                if (found := self.loop(*one)):
                    return found
            return None
        if kind == "scan":
            return self.scan()
        begin, end = self.part()
        floats = not any(n[0][:8] in ("Sequence", "SplitToS", "TopK", "MaxPoolP", "ArgMax", "ArgMin") for n in self.net.nodes[begin:end])
        if kind == "if" and not (floats and self.of_floats(begin, end)):
            return None
        if kind in ("function", "functions", "if") and self.used_behind(begin, end):
            return begin, end, (self.branch if kind == "if" else self.function)(begin, end)
        return None

    def of_floats(self, begin, end):
        whole = {"Quantize", "DynamicQ", "QLinear", "ConvInte", "MatMulIn", "Greater", "Less", "Equal", "And", "Or", "Xor", "Not", "IsNaN", "IsInf", "Cast",
                 "Mod", "Add", "Mul", "BitShift", "Bitwise", "Shape", "Size", "Range", "Sub"}
        return not any(n[0][:8] in whole or n[0] in whole or n[0].startswith(("QLin", "Bitw", "Great", "Less")) for n in self.net.nodes[begin:end])

    def model(self, classes):
        found = self.pieces()
        begin, end, instead = found or (0, 0, [])
        body = [self.plain(n) for n in self.net.nodes[:begin]] + instead + [self.plain(n) for n in self.net.nodes[end:]]
        shape = list(self.net.shape)
        if self.how.get("symbolic"):
            shape = ["batch", shape[1], "rows", "columns"]
        outputs = [info("y", (shape[0], classes), self.kind)]
        if self.how.get("more_outputs"):
            body.append(node("Identity", ["x"], ["also"]))
            outputs.append(info("also", shape, self.kind))
        constants = list(self.constants.items())
        if self.how.get("constant_nodes"):
            body = [node("Constant", [], [k], {"value": c}) for k, c in constants[::2]] + body
            constants = constants[1::2]
        main = graph(body, "random", [info("x", shape, self.kind)], outputs, constants)
        opsets = field(8, field(1, "") + field(2, self.net.opset)) + (field(8, field(1, "own") + field(2, 1)) if self.functions else b"")
        return field(1, 10 if self.net.opset > 20 else 8) + field(7, main) + opsets + self.functions


def choose(rng, net):
    """A spelling; half of the networks are written plainly."""
    how = {}
    if rng.random() < 0.5:
        how = {"kind": rng.choice(["function", "functions", "if", "if", "loop", "scan"]), "begin": rng.random(), "length": rng.randint(1, 4),
               "taken": rng.randint(0, 1), "axis": rng.choice([0, 0, 1])}
    if net.loops and rng.random() < 0.8:
        how["kind"] = "loop"
    for name, often in (("constant_nodes", 0.2), ("more_outputs", 0.15), ("symbolic", 0.2)):
        if rng.random() < often:
            how[name] = 1
    if rng.random() < 0.2 and not SINGLE_ONLY & {n[0] for n in net.nodes}:
        how["type"] = rng.choice([10, 10, 11])
    return how


def rounded(c, how):
    """What a constant is in the file."""
    return c.astype(np.float16).astype(np.float32) if how.get("type") == 10 and is_float(c) else c
