#!/usr/bin/python3
"""Compare the engine's relevance propagation, gradients at biases and reversed networks with
reference.py.

    compare_lrp.py LRP_RUN [NAME...]

Runs small networks with every kind of operator, made here, and the shared networks (KLDVE_SHARED) if
present.  Relevance at the input must be within TOLERANCE, relative to the largest, of the float64
reference.  Quotients R / z with z near 0 make the rules, epsilon above all, ill-conditioned in deep
networks: if the reference computed in float32 is itself further off, the bound is ROUNDING times its
error.  Exit codes: 0, 1 (a difference), 77 (no torch or onnx).
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import numpy
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}; install python3-torch and python3-onnx")
    sys.exit(77)

from reference import RULES, Network

TOLERANCE = 1e-4
ROUNDING = 5
NAMES = [r for r in RULES if r != "flat"] + ["composite"]
SHARED = ["mnist_cnn", "resnet20_cifar10", "squeezenet_v1.1", "mobilenet_v1_0.25_128",
          "mobilenet_v2_1.0_224", "googlenet"]
CURVED = ["googlenet", "mobilenet_v1_0.25_128", "mobilenet_v2_1.0_224"] # LRN; ReLU6 adds 6


def relative(got, expected):
    error = numpy.abs(got - expected).max() / max(numpy.abs(expected).max(), 1e-300)
    return float(error) if numpy.isfinite(error) else float("inf")


def run(program, model, folder, image, cotangent, what):
    image.astype(numpy.float32).tofile(folder / "input")
    cotangent.astype(numpy.float32).tofile(folder / "cotangent")
    done = subprocess.run([program, model, folder, *what], stdout=subprocess.PIPE, text=True,
                          check=False)
    return done.returncode, done.stdout


def read(folder, name):
    return numpy.fromfile(folder / name, dtype=numpy.float32).astype(numpy.float64)


# ---- small networks


class Maker:
    """Nodes one after the other; weights from a seeded generator."""

    def __init__(self, seed, channels=3, side=12, zero_bias=False):
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.last, self.channels, self.zero_bias = "input", channels, zero_bias
        self.shape = [1, channels, side, side]
        self.count = 0

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(numpy.array(array), f"c{self.count}"))
        return f"c{self.count}"

    def normal(self, *shape, scale=1.0):
        return self.constant((scale * self.random.standard_normal(shape)).astype(numpy.float32))

    def bias(self, n):
        return self.constant(numpy.zeros(n, numpy.float32)) if self.zero_bias else self.normal(n, scale=0.3)

    def node(self, op, inputs=None, outputs=1, **attributes):
        self.count += 1
        names = [f"{op}{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, [self.last] if inputs is None else inputs, names,
                                           f"{op}{self.count}", **attributes))
        self.last = names[0]
        return names[0] if outputs == 1 else names

    def conv(self, maps, kernel=3, group=1, of=None, channels=None, **attributes):
        channels = channels or self.channels
        attributes.setdefault("pads", [kernel // 2] * 4)
        size = channels // group * kernel * kernel
        weights = self.normal(maps, channels // group, kernel, kernel, scale=(2 / size) ** 0.5)
        self.channels = maps
        return self.node("Conv", [of or self.last, weights, self.bias(maps)], group=group,
                         kernel_shape=[kernel] * 2, **attributes)

    def norm(self, of=None):
        n = self.channels
        positive = lambda: self.constant(self.random.uniform(0.5, 1.5, n).astype(numpy.float32))
        return self.node("BatchNormalization", [of or self.last, positive(), self.bias(n),
                                                self.normal(n, scale=0.2), positive()])

    def gemm(self, n, k):
        return self.node("Gemm", [self.last, self.normal(n, k, scale=k ** -0.5), self.bias(n)],
                         transB=1)

    def head(self, classes=5):
        self.node("GlobalAveragePool")
        self.node("Flatten")
        self.gemm(classes, self.channels)

    def save(self, path, opset=11):
        graph = helper.make_graph(
            self.nodes, "net", [helper.make_tensor_value_info("input", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)], self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                                    ir_version=6), path)


def plain(m):
    m.conv(8), m.node("Relu"), m.conv(6, strides=[2, 2]), m.node("Relu"), m.head()


def vgg(m):
    for maps in (8, 12):
        m.conv(maps), m.node("Relu"), m.conv(maps), m.node("Relu")
        m.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    m.node("Flatten"), m.gemm(20, 12 * 9), m.node("Relu"), m.gemm(7, 20)


def residual(m):
    m.conv(8), m.norm()
    skip = m.node("Relu")
    m.conv(8), m.norm(), m.node("Relu"), m.conv(8), m.norm()
    m.node("Add", [m.last, skip]), m.node("Relu")
    skip = m.last
    m.conv(12, strides=[2, 2]), m.norm(), m.node("Relu"), m.conv(12)
    deep = m.norm()
    short = m.conv(12, 1, of=skip, channels=8, strides=[2, 2])
    m.node("Add", [short, deep]), m.node("Relu"), m.head()


def inception(m):
    m.conv(8), m.node("Relu"), m.node("LRN", size=5, alpha=0.01)
    stem = m.last
    branches = []
    for kernel in (1, 3, 5):
        m.channels = 8
        m.conv(6, kernel, of=stem)
        branches.append(m.node("Relu"))
    m.channels = 8
    m.node("MaxPool", [stem], kernel_shape=[3, 3], pads=[1] * 4)
    m.conv(5, 1)
    branches.append(m.node("Relu"))
    m.channels = 23
    m.node("Concat", branches, axis=1)
    m.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    m.conv(9), m.node("Relu"), m.head()


def responses(m):
    """Strong LRN, as one step of the engine's library and, even or wide windows, as the operator's
    own kernel."""
    for size in (5, 4, 9):
        m.conv(8), m.node("Relu"), m.node("LRN", size=size, alpha=2.0, bias=0.5, beta=0.6)
    m.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2]), m.conv(7), m.node("Relu"), m.head()


def inverted(m):
    """Linear bottlenecks: inputs of both signs; depthwise, clipped."""
    m.conv(8), m.node("Clip", [m.last, m.constant(numpy.float32(0)), m.constant(numpy.float32(6))])
    m.conv(8, group=8), m.conv(4, 1)
    skip = m.last
    m.conv(16, 1), m.node("Relu"), m.conv(16, group=16, dilations=[2, 2], pads=[2] * 4)
    m.node("Relu"), m.conv(4, 1), m.node("Add", [skip, m.last]), m.head()


def preactivation(m):
    """DenseNet: normalisation that no convolution precedes."""
    m.conv(6)
    first = m.last
    m.norm(), m.node("Relu"), m.conv(5)
    m.node("Concat", [first, m.last], axis=1)
    m.channels = 11
    m.norm(), m.node("Relu"), m.conv(7)
    m.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), m.norm(), m.node("Relu"), m.head()


def normalised(m):
    """The network normalises the picture itself."""
    m.norm(), m.conv(6), m.node("Relu"), m.head()


def squeeze_excite(m):
    m.conv(8), m.node("Relu")
    signal = m.last
    m.node("GlobalAveragePool"), m.conv(4, 1), m.node("Relu"), m.conv(8, 1), m.node("Sigmoid")
    m.node("Mul", [signal, m.last]), m.conv(6)
    x = m.last
    m.node("Add", [x, m.constant(numpy.float32(3))])
    m.node("Clip", [m.last, m.constant(numpy.float32(0)), m.constant(numpy.float32(6))])
    m.node("Div", [m.last, m.constant(numpy.float32(6))])
    m.node("Mul", [x, m.last])
    x = m.conv(6)
    m.node("Sigmoid"), m.node("Mul", [x, m.last])
    x = m.conv(6)
    m.node("HardSigmoid", alpha=1 / 6, beta=0.5), m.node("Mul", [m.last, x]), m.head()


def moves(m):
    m.conv(8), m.node("LeakyRelu", alpha=0.1)
    a, b = m.node("Split", axis=1, split=[3, 5], outputs=2)
    ints = lambda *n: m.constant(numpy.array(n, numpy.int64))
    left = m.node("Slice", [b, ints(1), ints(4), ints(1)])
    m.node("Sub", [a, left]), m.node("Transpose", perm=[0, 1, 3, 2])
    m.node("Pad", [m.last, ints(0, 0, 1, 2, 0, 0, 0, 1)])
    m.channels = 3
    m.conv(6, 2, pads=[0] * 4), m.node("Elu", alpha=1.0)
    m.node("Resize", [m.last, "", m.constant(numpy.array([1, 1, 2, 2], numpy.float32))],
           mode="linear", coordinate_transformation_mode="half_pixel")
    x = m.conv(6, strides=[2, 2])
    m.node("Tanh"), m.node("Sum", [m.last, x, m.conv(6, 1, of=x)])
    mean = m.node("GlobalAveragePool", [m.last])
    m.node("Add", [x, mean]), m.node("GlobalMaxPool"), m.node("Flatten"), m.gemm(5, 6)


def means(m):
    m.conv(6), m.node("Relu")
    m.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), m.conv(9, 1)
    m.node("PRelu", [m.last, m.constant(numpy.full((9, 1, 1), 0.2, numpy.float32))])
    m.node("ReduceMean", axes=[2, 3], keepdims=0)
    m.node("MatMul", [m.last, m.normal(9, 5)]), m.node("Add", [m.last, m.bias(5)])


def positive_end(m):
    """Logits after a rectifier that is usually closed."""
    m.conv(8), m.node("Relu"), m.node("GlobalAveragePool"), m.node("Flatten"), m.gemm(6, 8)
    m.node("Relu")


SMALL = [plain, vgg, residual, inception, inverted, preactivation, normalised, squeeze_excite, moves,
         means, positive_end]


def transposed(m):
    m.conv(6), m.node("Relu")
    m.node("ConvTranspose", [m.last, m.normal(6, 4, 2, 2)], strides=[2, 2], pads=[0] * 4)
    m.channels = 4
    m.node("Relu"), m.head()


def two_signals(m):
    a = m.conv(6)
    m.node("Mul", [a, m.conv(6)]), m.head()


def attention(m):
    m.conv(6), m.node("Softmax", axis=1), m.conv(6), m.head()


def squared(m):
    m.conv(6), m.node("Pow", [m.last, m.constant(numpy.float32(2))]), m.head()


def piecewise(m):
    """As GoogLeNet, without LRN; and constants that are added by themselves."""
    m.node("Add", [m.last, m.constant(numpy.float32(0.5))]), m.conv(8), m.node("Relu")
    m.node("Mul", [m.last, m.constant(numpy.float32(2))])
    stem, branches = m.last, []
    for kernel in (1, 3, 5):
        m.channels = 8
        m.conv(6, kernel, of=stem)
        branches.append(m.node("Relu"))
    m.channels = 8
    m.node("MaxPool", [stem], kernel_shape=[3, 3], pads=[1] * 4)
    m.conv(5, 1)
    branches.append(m.node("Relu"))
    m.channels = 23
    m.node("Concat", branches, axis=1), m.head()


def rows(m):
    """A dense layer on every pixel."""
    m.conv(6), m.node("Relu"), m.node("Transpose", perm=[0, 2, 3, 1])
    m.node("Reshape", [m.last, m.constant(numpy.array([1, -1, 6], numpy.int64))])
    m.node("MatMul", [m.last, m.normal(6, 7)]), m.node("Add", [m.last, m.bias(7)])
    m.node("Relu"), m.node("ReduceMean", axes=[1], keepdims=0), m.gemm(5, 7)


PIECEWISE = [plain, vgg, residual, preactivation, normalised, means, piecewise, rows]

# Which rules must be refused, and what the message must name.
REFUSED = [(transposed, ["zplus", "alphabeta", "composite"], "ConvTranspose"),
           (two_signals, NAMES, "Mul"), (attention, NAMES, "Softmax"), (squared, NAMES, "Pow")]

# alpha-beta: where every neuron has contributions of both signs.  One with positive ones only has no
# place for its negative share and passes alpha times its relevance on.
CONSERVING = [(plain, NAMES), (vgg, NAMES), (inception, ["epsilon", "zplus", "composite"])]

# ---- checks


def compare(program, model, name, folder, image, cotangent, rules=NAMES):
    code, text = run(program, model, folder, image, cotangent, rules)
    if code:
        print(f"{name:24} REFUSED {text.strip()[-300:]}")
        return False
    good, columns = True, []
    references = [Network(str(model), dtype) for dtype in (torch.float64, torch.float32)]
    logits = [r.forward(torch.from_numpy(image)) for r in references]
    error = relative(read(folder, "logits"), logits[0].flatten().numpy())
    good &= error <= TOLERANCE
    columns.append(f"{error:.0e}")
    for rule in rules:
        want, rough = (r.propagate(torch.from_numpy(cotangent), rule).double().numpy().flatten()
                       for r in references)
        error, rounding = relative(read(folder, rule), want), relative(rough, want)
        fine = error <= max(TOLERANCE, ROUNDING * rounding)
        good &= fine
        columns.append(f"{error:.0e} ({rounding:.0e}){'' if fine else ' TOO FAR'}")
    print(f"{name:24}" + "".join(f" {c:17}" for c in columns), flush=True)
    return good


def compare_biases(program, model, name, folder, image, cotangent, complete):
    """Every layer's sum of bias times gradient; where the network is piecewise linear, all of them
    and gradient times input make the score."""
    code, text = run(program, model, folder, image, cotangent, ["biases"])
    if code:
        print(f"{name:24} REFUSED {text.strip()[-300:]}")
        return False
    (gradient, want), (rough, other) = (
        Network(str(model), t).biases(torch.from_numpy(image), torch.from_numpy(cotangent).to(t))
        for t in (torch.float64, torch.float32))
    gradient = gradient.numpy().flatten()
    want, other = ({n: float(v.sum()) for n, v in d.items()} for d in (want, other))
    got = {words[0]: float(words[-1]) for words in (l.rsplit(" ", 5) for l in text.splitlines())}
    score = float(cotangent.astype(numpy.float64) @ read(folder, "logits"))
    largest = max(abs(s) for s in [*want.values(), score])
    whole = sum(got.values()) + float(read(folder, "biases") @ image.flatten().astype(numpy.float64))
    errors = [relative(read(folder, "biases"), gradient),
              max(abs(got.get(n, numpy.inf) - s) for n, s in want.items()) / largest]
    rounding = [relative(rough.numpy().flatten(), gradient),
                max(abs(other[n] - s) for n, s in want.items()) / largest]
    missing = abs(whole - score) / abs(score)
    good = missing <= TOLERANCE or not complete
    for error, kinks in zip(errors, rounding):
        good &= error <= max(TOLERANCE, ROUNDING * kinks)
    print(f"{name:24} gradient {errors[0]:.0e} ({rounding[0]:.0e}) biases {errors[1]:.0e} "
          f"({rounding[1]:.0e}) score {missing:.0e}{'' if complete else ' (not piecewise linear)'}"
          + ("" if good else "  TOO FAR"))
    return good


SIGNED = {"lrp-epsilon", "lrp-alphabeta", "lrp-composite"}  # drawn around 0.5


def scaled(array, signed):
    if signed:
        return 0.5 + array / (2 * abs(array).max())
    return (array - array.min()) / (array.max() - array.min())


def compare_methods(program, model, name, folder, image, target):
    """Maps of the methods, from an explainer, scaled to 0..1."""
    code, text = run(program, model, folder, image, target,
                     ["full-grad"] + [f"lrp-{rule}" for rule in NAMES])
    if code:
        print(f"{name:24} REFUSED {text.strip()[-300:]}")
        return False
    reference, target = Network(str(model), torch.float64), torch.from_numpy(target)
    image = torch.from_numpy(image).double()
    maps = {"full-grad": reference.full_grad(image, target)}
    score = reference.forward(image).detach().flatten() * target.double()
    for rule in NAMES:
        maps[f"lrp-{rule}"] = reference.propagate(score, rule)[0].sum(0)
    errors = [relative(read(folder, n), scaled(m.numpy(), n in SIGNED).flatten())
              for n, m in maps.items()]
    good = max(errors) <= TOLERANCE
    print(f"{name:24} maps" + "".join(f" {e:.0e}" for e in errors) + ("" if good else "  TOO FAR"))
    return good


# The method that shows each.
SHOWN = {"gradient": "saliency", "guided": "guided-backprop", "deconv": "deconvolution",
         "salient": "salient-deconvolution"}


def compare_reversals(program, model, name, folder, image, cotangent):
    """Gradients under the rules of reversed networks, and the maps that show them."""
    code, text = run(program, model, folder, image, cotangent, [*SHOWN, *SHOWN.values()])
    if code:
        print(f"{name:24} REFUSED {text.strip()[-300:]}")
        return False
    good, columns, wants = True, [], {}
    references = [Network(str(model), dtype) for dtype in (torch.float64, torch.float32)]
    for rule, method in SHOWN.items():
        want, rough = (r.reverse(torch.from_numpy(image), torch.from_numpy(cotangent), rule)
                       .double().numpy() for r in references)
        errors = [relative(read(folder, rule), want.flatten()),
                  relative(read(folder, method), scaled(abs(want[0]).max(0), False).flatten())]
        rounding = relative(rough, want)
        fine = max(errors) <= max(TOLERANCE, ROUNDING * rounding)
        good &= fine
        wants[rule] = want
        columns.append(f"{rule} {errors[0]:.0e} {errors[1]:.0e} ({rounding:.0e})"
                       + ("" if fine else " TOO FAR"))
    apart = relative(wants["salient"], wants["guided"])  # otherwise the test says nothing about LRN
    good &= apart > 100 * TOLERANCE
    print(f"{name:24} " + " ".join(columns) + f" apart {apart:.0e}", flush=True)
    return good


def start(logits):
    """Relevance to start with: the largest logit's own."""
    cotangent = numpy.zeros(logits.size, numpy.float32)
    cotangent[logits.argmax()] = 1
    return cotangent


def check_small(program, make, seed, folder, what="rules"):
    m = Maker(seed)
    make(m)
    m.save(folder / "net.onnx")
    image = m.random.standard_normal(m.shape).astype(numpy.float32)
    logits = Network(str(folder / "net.onnx"), torch.float64).forward(torch.from_numpy(image))
    cotangent = start(logits.numpy().flatten())
    if what == "methods":
        other = start(-logits.numpy().flatten())  # the least score, usually below 0
        return all(compare_methods(program, folder / "net.onnx", make.__name__, folder, image, t)
                   for t in (cotangent, other))
    if what == "reversed":
        return compare_reversals(program, folder / "net.onnx", make.__name__, folder, image, cotangent)
    if what == "biases":
        cotangent -= 0.1
        return compare_biases(program, folder / "net.onnx", make.__name__, folder, image, cotangent,
                              True)
    return compare(program, folder / "net.onnx", make.__name__, folder, image, cotangent)


def check_refused(program, make, rules, word, folder):
    m = Maker(3)
    make(m)
    m.save(folder / "net.onnx")
    image, good = m.random.standard_normal(m.shape).astype(numpy.float32), True
    for rule in NAMES:
        code, text = run(program, folder / "net.onnx", folder, image, numpy.ones(5), [rule])
        if (code == 1 and "not supported" in text and word in text) != (rule in rules):
            print(f"{make.__name__} {rule}: exit {code} {text.strip()}")
            good = False
    if good and len(rules) < len(NAMES):
        good = compare(program, folder / "net.onnx", make.__name__, folder, image,
                       numpy.eye(5, dtype=numpy.float32)[0], [r for r in NAMES if r not in rules])
    return good


def check_conservation(program, make, rules, folder):
    """Without biases the relevance at the input is that at the logits."""
    m = Maker(11, zero_bias=True)
    make(m)
    m.save(folder / "net.onnx")
    image = m.random.standard_normal(m.shape).astype(numpy.float32)
    logits = Network(str(folder / "net.onnx"), torch.float64).forward(torch.from_numpy(image))
    cotangent = start(logits.numpy().flatten())
    code, text = run(program, folder / "net.onnx", folder, image, cotangent, rules)
    sums = [read(folder, rule).sum() for rule in rules] if code == 0 else []
    good = code == 0 and all(abs(s - 1) <= 1e-3 for s in sums)
    print(f"{make.__name__:24} sums" + "".join(f" {s:.6f}" for s in sums) + text
          + ("" if good else "  NOT CONSERVED"))
    return good


def check_shared(program, name, folder):
    model = Path(os.environ["KLDVE_SHARED"]) / "assets" / "models" / f"{name}.onnx"
    proto = onnx.load(str(model)).graph
    constants = {i.name for i in proto.initializer}
    shape = [i for i in proto.input if i.name not in constants][0].type.tensor_type.shape.dim
    random = numpy.random.default_rng(7)
    image = random.standard_normal([1] + [d.dim_value for d in shape[1:]]).astype(numpy.float32)
    if "mobilenet" not in name and "mnist" not in name:
        image *= 50  # without normalisation: 0..255 less the mean
    logits = Network(str(model), torch.float32).forward(torch.from_numpy(image))
    cotangent = start(logits.numpy().flatten())
    good = compare(program, model, name, folder, image, cotangent)
    if name == "googlenet":
        good &= compare_reversals(program, model, name, folder, image, cotangent)
    return compare_biases(program, model, name, folder, image, cotangent,
                          name not in CURVED) and good


def main():
    program, wanted = sys.argv[1], sys.argv[2:]
    torch.set_num_threads(2)
    bad = []
    print(f"{'':24} {'logits':17}" + "".join(f" {n:17}" for n in NAMES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tests = [(m.__name__, lambda m=m: check_small(program, m, 1 + i, folder))
                 for i, m in enumerate(SMALL)]
        tests += [(m.__name__, lambda m=m, r=r, w=w: check_refused(program, m, r, w, folder))
                  for m, r, w in REFUSED]
        tests += [(m.__name__ + " biases", lambda m=m: check_small(program, m, 5, folder, "biases"))
                  for m in PIECEWISE]
        tests += [(m.__name__ + " methods", lambda m=m: check_small(program, m, 5, folder, "methods"))
                  for m in (vgg, residual, inception, inverted)]
        tests += [("responses reversed",
                   lambda: check_small(program, responses, 5, folder, "reversed"))]
        tests += [(m.__name__ + " conserves",
                   lambda m=m, r=r: check_conservation(program, m, r, folder)) for m, r in CONSERVING]
        if os.environ.get("KLDVE_SHARED"):
            tests += [(n, lambda n=n: check_shared(program, n, folder)) for n in SHARED]
        for test, check in tests:
            if (not wanted or test.split()[0] in wanted) and not check():
                bad.append(test)
    print(f"not equal: {', '.join(bad)}" if bad else "all agree")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
