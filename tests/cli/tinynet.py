"""Small .onnx files, written byte by byte: just enough of protobuf for the networks that the tests
of the command break.  Field numbers: onnx.proto of the ONNX project."""
import struct


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """An integer, or bytes, text or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, shape, values):
    """A float32 TensorProto with raw_data."""
    dims = b"".join(field(1, d) for d in shape)
    return dims + field(2, 1) + field(8, name) + field(9, struct.pack(f"<{len(values)}f", *values))


def in_file(name, shape, location):
    """A float32 TensorProto with its data in another file."""
    dims = b"".join(field(1, d) for d in shape)
    return (dims + field(2, 1) + field(8, name) + field(13, field(1, "location") +
                                                        field(2, location)) + field(14, 1))


def attribute(name, value):
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, v) for v in value) + field(20, 7)


def node(op, inputs, outputs, **attributes):
    return (b"".join(field(1, name) for name in inputs) +
            b"".join(field(2, name) for name in outputs) + field(3, outputs[0]) + field(4, op) +
            b"".join(field(5, attribute(k, v)) for k, v in attributes.items()))


def value_info(name, shape):
    dims = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(nodes, initializers, inputs, outputs, opset=13):
    graph = (b"".join(field(1, n) for n in nodes) + field(2, "tiny") +
             b"".join(field(5, t) for t in initializers) +
             b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs))
    return field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, opset))


def classifier(classes=4, size=8, weights=None, bias=None, features=None, nodes=None, channels=3,
               in_shape=None, external=None):
    """Conv 1x1 (4 maps) -> Relu -> GlobalAveragePool -> Flatten -> Gemm.

    features: weights of the Conv; weights, bias: of the Gemm; nodes: in place of all nodes;
    external: the file that has the weights of the Conv."""
    maps = 4
    if features is None:
        features = [((7 * i) % 11 - 3) / 500 for i in range(maps * channels)]
    if weights is None:
        weights = [((5 * i) % 7 - 2) / 4 for i in range(classes * maps)]
    if bias is None:
        bias = [2 + 0.1 * i for i in range(classes)]  # no probabilities
    if nodes is None:
        nodes = [
            node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
            node("Relu", ["conv"], ["relu"]),
            node("GlobalAveragePool", ["relu"], ["pool"]),
            node("Flatten", ["pool"], ["flat"]),
            node("Gemm", ["flat", "w", "b"], ["scores"], transB=1),
        ]
    return model(nodes, [
        in_file("k", [maps, channels, 1, 1], external) if external else tensor(
            "k", [maps, channels, 1, 1], features),
        tensor("w", [classes, maps], weights),
        tensor("b", [classes], bias),
    ], [value_info("image", in_shape or [1, channels, size, size])],
                 [value_info("scores", [1, classes])])
