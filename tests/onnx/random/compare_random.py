"""compare_random.py RANDOM_RUN [NETWORK.onnx ...] - networks with random parameters against files with
the same tensors shuffled here.

The shuffle is written again: SplitMix64 with a stream for each tensor, and the exchanges of Fisher and
Yates.  A network of the engine with random parameters and the shuffled file as it is must have the same
logits, batches and maps to the last bit; without random parameters the true ones come back.  Networks:
those given, else five of ../shared/assets, and small ones written here: constants that are folded (a
transposed matrix, a normalised one), shared weights, quantised weights, normalisations, shapes, scales
of Resize, one number.  Their layers and parameters are known.

Exit codes: 0, 1 (a difference), 77 (no numpy)."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}; install python3-numpy")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cli"))
from tinynet import field  # noqa: E402

SIZE = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 10: 2, 11: 8, 16: 2}  # bytes, by TensorProto.DataType
MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
SHARED = ["squeezenet_v1.1", "mobilenet_v2_1.0_224", "googlenet", "resnet20_cifar10", "mnist_cnn"]


# ---- the shuffle ----------------------------------------------------------------------------------

def mix(x):
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def uniforms(seed, stream, count):
    state = mix((mix((seed + STEP) & MASK) + stream) & MASK)
    x = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def shuffled(data, size, seed, stream):
    items = [data[i:i + size] for i in range(0, len(data), size)]
    count = len(items)
    places = (uniforms(seed, stream, count - 1) * np.arange(count, 1, -1)).astype(np.int64).tolist()
    for i, j in zip(range(count - 1, 0, -1), places):
        items[i], items[j] = items[j], items[i]
    return b"".join(items)


# ---- just enough of protobuf ----------------------------------------------------------------------

def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def fields(data, at, end):
    """(number, value or (start, end)) of a message."""
    while at < end:
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
            yield key >> 3, value
        elif key & 7 == 2:
            size, at = read_varint(data, at)
            yield key >> 3, (at, at + size)
            at += size
        else:
            at += 8 if key & 7 == 1 else 4


def places(data):
    """Name of each initializer -> where its raw_data or float_data are."""
    found = {}
    for number, graph in fields(data, 0, len(data)):
        if number != 7:
            continue
        for part, tensor in fields(data, *graph):
            if part != 5:
                continue
            of = dict(fields(data, *tensor))
            name = data[of[8][0]:of[8][1]].decode()
            found[name] = of.get(9) or of.get(4)
    return found


# ---- small networks -------------------------------------------------------------------------------

class Small:
    def __init__(self, name, layers, kept=()):
        self.name, self.layers, self.kept = name, layers, kept
        self.body, self.rng = b"", np.random.default_rng(len(name))

    def tensor(self, name, values, dtype=1):
        kind = {1: "<f4", 2: "u1", 3: "i1", 7: "<i8"}[dtype]
        values = np.asarray(values)
        self.body += field(5, b"".join(field(1, d) for d in values.shape) + field(2, dtype) + field(8, name) +
                           field(9, values.astype(kind).tobytes()))
        return self

    def weights(self, name, *shape):
        return self.tensor(name, self.rng.normal(0, 0.5, shape))

    def node(self, op, inputs, output, **attributes):
        body = b"".join(field(1, i.strip("-")) for i in inputs.split()) + field(2, output) + field(4, op)
        for key, value in attributes.items():
            if isinstance(value, int):
                body += field(5, field(1, key) + field(3, value) + field(20, 2))
            elif isinstance(value, str):
                body += field(5, field(1, key) + field(4, value) + field(20, 3))
            else:
                body += field(5, field(1, key) + b"".join(field(8, v) for v in value) + field(20, 7))
        self.body += field(1, body)
        return self

    def write(self, path):
        def info(name, shape):
            dims = b"".join(field(1, field(1, d)) for d in shape)
            return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))

        graph = self.body + field(11, info("x", [1, 3, 8, 8])) + field(12, info("y", [1, 7]))
        path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17)))
        return path


def tail(n, last):
    """ReLU, mean over space, a dense layer."""
    return (n.node("Relu", last, "r").node("GlobalAveragePool", "r", "p").node("Flatten", "p", "f", axis=1)
            .weights("fw", 7, 8).weights("fb", 7).node("Gemm", "f fw fb", "y", transB=1))


def small_networks():
    plain = Small("normalised", ["y", "c"], kept=["one"])
    plain.weights("w", 8, 3, 3, 3).weights("b", 8).node("Conv", "x w b", "c", pads=[1, 1, 1, 1])
    for name in ["scale", "shift", "mean"]:
        plain.weights(name, 8)
    plain.tensor("var", plain.rng.uniform(0.5, 2, 8)).node("BatchNormalization", "c scale shift mean var", "n")
    tail(plain.tensor("one", [0.5]).node("Mul", "n one", "m"), "m")
    folded = Small("folded", ["y", "c"])
    folded.weights("v", 3, 3, 3, 8).node("Transpose", "v", "vt", perm=[3, 2, 0, 1])
    folded.weights("g", 8, 1, 1, 1).node("ReduceL2", "vt", "length", axes=[1, 2, 3], keepdims=1)
    folded.node("Div", "vt length", "unit").node("Mul", "unit g", "w")
    tail(folded.node("Conv", "x w", "c", pads=[1, 1, 1, 1]), "c")
    shared = Small("shared", ["y", "d", "a"])
    shared.weights("a0", 8, 3, 1, 1).node("Conv", "x a0", "a").weights("w", 8, 8, 3, 3)
    shared.node("Conv", "a w", "c", pads=[1, 1, 1, 1]).node("Relu", "c", "cr")
    tail(shared.node("Conv", "cr w", "d", pads=[1, 1, 1, 1]), "d")
    resized = Small("resized", ["y", "c"], kept=["scales", "shape", "low"])
    resized.weights("w", 8, 3, 3, 3).node("Conv", "x w", "c", pads=[1, 1, 1, 1])
    resized.tensor("scales", [1, 1, 2, 2]).node("Resize", "c - scales", "u", mode="nearest")
    resized.tensor("shape", [1, 8, 4, 64], 7).node("Reshape", "u shape", "s")
    tail(resized.tensor("low", -1.0).node("Clip", "s low", "k"), "k")
    quantised = Small("quantised", ["y", "c"], kept=["ws", "wz"])
    quantised.tensor("wq", quantised.rng.integers(-127, 128, (8, 3, 3, 3)), 3)
    quantised.tensor("ws", quantised.rng.uniform(0.001, 0.01, 8)).tensor("wz", np.zeros(8), 3)
    quantised.node("DequantizeLinear", "wq ws wz", "w", axis=0)
    tail(quantised.node("Conv", "x w", "c", pads=[1, 1, 1, 1]), "c")
    return [plain, folded, shared, resized, quantised]


# ---- comparing ------------------------------------------------------------------------------------

def ask(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout.strip()} {done.stderr.strip()}")
    return done.stdout


def read_layers(program, model):
    layers, number = [], 0
    for line in ask(program, model).splitlines():
        kind, rest = line.split(" ", 1)
        if kind == "layer":
            layers.append((rest, []))
        else:
            dtype, count, name = rest.split(" ", 2)
            layers[-1][1].append((number, int(dtype), int(count), name))
            number += 1
    return layers


def compare(program, model, folder, kind, layer, layers, seed):
    data = bytearray(model.read_bytes())
    where = places(data)
    chosen = layers[:layer + 1] if kind == "cascade" else [layers[layer]]
    for number, dtype, count, name in (t for _, tensors in chosen for t in tensors):
        start, end = where[name]
        if end - start != count * SIZE[dtype]:
            raise AssertionError(f"{name}: {end - start} bytes for {count} elements")
        data[start:end] = shuffled(bytes(data[start:end]), SIZE[dtype], seed, number)
    other = folder / "other.onnx"
    other.write_bytes(data)
    said = ask(program, model, kind, layer, seed, other)
    print(f"{model.name}: {kind} {layer} of {len(layers)}: {said}", end="")


def check_known(net, layers):
    assert [name for name, _ in layers] == net.layers, (net.name, layers)
    names = {t[3] for _, tensors in layers for t in tensors}
    assert not names & set(net.kept), (net.name, names)


def main():
    program, folder = Path(sys.argv[1]), Path(tempfile.mkdtemp())
    shared = Path(os.environ.get("KLDVE_SHARED", "../shared")) / "assets/models"
    try:
        for net in [] if sys.argv[2:] else small_networks():
            model = net.write(folder / f"{net.name}.onnx")
            layers = read_layers(program, model)
            check_known(net, layers)
            for layer in range(len(layers)):
                for kind in ["cascade", "independent"]:
                    compare(program, model, folder, kind, layer, layers, 11 + layer)
        for model in map(Path, sys.argv[2:] or [shared / f"{name}.onnx" for name in SHARED]):
            if not model.exists():
                print(f"{model}: not there")
                continue
            layers = read_layers(program, model)
            compare(program, model, folder, "cascade", len(layers) - 1, layers, 1)
            compare(program, model, folder, "independent", len(layers) // 2, layers, 2)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
