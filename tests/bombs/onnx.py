"""ONNX files byte by byte, wrong where a bomb wants them wrong.  Field numbers: onnx.proto of the ONNX project.
The well-behaved half is tests/cli/tinynet.py."""
import struct

from tinynet import field, tensor, value_info, varint

FLOAT, INT64, STRING = 1, 7, 8


class Raw(bytes):
    """An AttributeProto that is already encoded behind its name."""


def attribute(name, value):
    """int, float, text, lists of these, Raw."""
    if isinstance(value, Raw):
        return field(1, name) + value
    if isinstance(value, float):
        return field(1, name) + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, (str, bytes)):
        return field(1, name) + field(4, value) + field(20, 3)
    if value and isinstance(value[0], float):
        return field(1, name) + field(7, struct.pack(f"<{len(value)}f", *value)) + field(20, 6)
    if value and isinstance(value[0], str):
        return field(1, name) + b"".join(field(9, v) for v in value) + field(20, 8)
    return field(1, name) + field(8, b"".join(varint(v) for v in value)) + field(20, 7)


def graph_attribute(graph):
    return Raw(field(6, graph) + field(20, 5))


def tensor_attribute(message):
    return Raw(field(5, message) + field(20, 4))


def node(op, inputs, outputs, domain="", **attributes):
    return (b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs) +
            field(4, op) + b"".join(field(5, attribute(k.rstrip("_"), v)) for k, v in attributes.items()) +
            (field(7, domain) if domain else b""))


def ints(name, values, dims=None):
    dims = [len(values)] if dims is None else dims
    raw = struct.pack(f"<{len(values)}q", *values)
    return b"".join(field(1, d) for d in dims) + field(2, INT64) + field(8, name) + field(9, raw)


def floats(name, dims, value=0.1):
    """All of one value."""
    count = 1
    for d in dims:
        count *= d
    return tensor(name, dims, [value] * count)


def raw_tensor(name, dims, kind=FLOAT, raw=None, more=b""):
    """A tensor whose fields need not agree."""
    return (b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) +
            (b"" if raw is None else field(9, raw)) + more)


def external(name, dims, **entries):
    said = b"".join(field(13, field(1, k) + field(2, str(v))) for k, v in entries.items())
    return raw_tensor(name, dims, more=said + field(14, 1))


def graph(nodes, initializers=(), inputs=(), outputs=(), more=b"", name="g"):
    return (b"".join(field(1, n) for n in nodes) + field(2, name) +
            b"".join(field(5, t) for t in initializers) + b"".join(field(11, i) for i in inputs) +
            b"".join(field(12, o) for o in outputs) + more)


def model(of_graph, opset=17, more=b"", imports=None):
    imports = [field(1, "") + field(2, opset)] if imports is None else imports
    return field(1, 8) + field(7, of_graph) + b"".join(field(8, i) for i in imports) + more


IMAGE = value_info("image", [1, 3, 8, 8])
SCORES = value_info("scores", [1, 4])
WEIGHTS = [floats("kernel", [6, 3, 1, 1], 0.01), floats("row", [1, 4], 0.5)]


def network(nodes, initializers=(), result="t", more=b"", opset=17, model_more=b"", imports=None):
    """image -> Conv, Relu: the layer "layer" [1][6][8][8] -> the nodes -> `result` of any shape -> its mean
    -> scores.  `result` may be constant: then it is folded."""
    head = [node("Conv", ["image", "kernel"], ["conv"]), node("Relu", ["conv"], ["layer"])]
    tail = [node("Cast", [result], ["number"], to=1),
            node("ReduceMean", ["number"], ["mean"], keepdims=0),
            node("GlobalAveragePool", ["layer"], ["pooled"]),
            node("ReduceSum", ["pooled"], ["sum"], keepdims=0),
            node("Add", ["mean", "sum"], ["both"]),
            node("Mul", ["row", "both"], ["scores"])]
    return model(graph(head + list(nodes) + tail, WEIGHTS + list(initializers), [IMAGE], [SCORES], more),
                 opset, model_more, imports)
