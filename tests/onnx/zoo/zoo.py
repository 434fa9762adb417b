#!/usr/bin/python3
"""Compare the engine with torch on torchvision's networks, exported by torch itself.

    zoo.py ZOO_RUN [--short] [--transformers] [--folding on|off|both] [NETWORK...]

Each network is built with seeded weights, exported to a temporary folder inside the current one, and
run by zoo_run at the last layer that has more than one row and column, at an early one, and at one
with channels last if there is any; transformers (transformers.py) at the last one and at the sums of
an early and a middle block, and as files of several opsets.  Logits, feature maps and VJP must be within TOLERANCE, relative
to the largest value, of torch's forward and autograd in float64.

The VJP of a network with kinks can only be compared like that if no kink lies within rounding of its
argument: a ReLU whose input is 1e-9 in float64 and -1e-8 in float32 has another derivative, and among
millions of units there are always some.  So the comparison moves the units, not the bound.  Before
the export, every bias in front of a ReLU, ReLU6, HardSigmoid or HardSwish is shifted by the smallest
amount after which no unit of its channel is near a kink; where the two largest of a pooling window
are near each other, the filter in front is jittered (kinks.py).  This uses only torch in float64:
it knows nothing about the engine, and the graph remains what torch exports.  A last pass measures all
distances again, as multiples of the largest difference between torch's own float32 and float64 in
the same tensor, and the smallest must exceed SAFE.  After that, no error can be blamed on kinks.

Exit codes: 0, 1 (a difference or a refusal), 77 (no torch).
"""
import argparse
import copy
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

# Waiting threads that spin would take the time of the others where the machine is shared.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import numpy
    import torch
    import torchvision
    from torch.overrides import TorchFunctionMode

    import transformers
    from kinks import clear_kinks, clearance, plain_call
except ImportError as missing:
    print(f"skipped: {missing}; install python3-torch and python3-torchvision")
    sys.exit(77)

TOLERANCE = 1e-4
SAFE = 2
SHORT = ["squeezenet1_0", "mobilenet_v2", "shufflenet_v2_x1_0", "mobilenet_v3_large", "resnet18",
         "efficientnet_b0"]
LONG = ["alexnet", "vgg11", "vgg16", "resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d",
        "densenet121", "googlenet", "inception_v3", "squeezenet1_0", "mobilenet_v2",
        "mobilenet_v3_large", "shufflenet_v2_x1_0", "mnasnet1_0", "efficientnet_b0",
        "efficientnet_v2_s", "regnet_y_400mf"]
ARGUMENTS = {
    "googlenet": {"aux_logits": False, "transform_input": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "transform_input": False, "init_weights": True},
}
SIDE = {"inception_v3": 299}
# Of these operators every output is also one of a torch function, so that an early layer without a
# counterpart in torch is an error of the engine, not of the search.
EARLY = {"Conv", "Relu", "Clip", "MaxPool", "Concat"}
# The sums at the end of a block of a transformer, as torch names them.
BLOCK = re.compile(r"(blocks\.\d+|layer_\d+|features\.\d+\.\d+|layers\.\d+)/Add(_\d+)?_output_0$")


def randomise(network, side):
    """Give every parameter that initialisation leaves at 0, 1 or 1e-6 a value that matters, and
    BatchNorm statistics near those of real activations, so that no layer dies or explodes.  Biases
    are positive: with a mean of 0 every ReLU and normalisation would enlarge rounding by a fifth."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("layer_scale"):
                parameter.uniform_(0.1, 0.5)
            elif parameter.dim() == 1 and name.endswith("bias"):
                parameter.normal_(0.5, 0.2)
            elif parameter.dim() == 1:
                parameter.uniform_(0.7, 1.3)
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        network(torch.randn(2, 3, side, side))
        for norm in norms:
            norm.eval()
            norm.running_mean += 0.1 * torch.randn_like(norm.running_mean) * norm.running_var.sqrt()
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.25)


def build(name):
    """The network in float32 and float64 with the same parameters, and a picture."""
    torch.manual_seed(20130217)
    if name in transformers.NETWORKS:
        make, side = transformers.NETWORKS[name]
        network = make().eval()
    else:
        side = SIDE.get(name, 224)
        network = getattr(torchvision.models, name)(weights=None, **ARGUMENTS.get(name, {})).eval()
    randomise(network, side)
    transformers.fill_zeros(network)
    image = torch.randn(1, 3, side, side)
    double = copy.deepcopy(network).double()
    passes = clear_kinks(double, image.double())
    network.load_state_dict(double.state_dict())
    return network, double, image, passes


class Recorder(TorchFunctionMode):
    """Keeps every 3-D and 4-D result of a torch function, and turns in-place functions into plain ones so
    that a result is not changed after it was kept."""

    def __init__(self):
        super().__init__()
        self.results = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        _, function, args, kwargs = plain_call(function, args, kwargs)
        result = function(*args, **kwargs)
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor) and tensor.dim() in (3, 4) and tensor.requires_grad:
                self.results.append(tensor)
        return result


def relative(got, expected):
    """Largest difference, relative to the largest value; NaN and infinities count as infinite."""
    error = numpy.abs(got - expected).max() / max(numpy.abs(expected).max(), 1e-300)
    return float(error) if numpy.isfinite(error) else float("inf")


def readings(shape, wanted):
    """Functions that bring a result of torch of that shape to [maps][height][width], if any: channels
    first or last, or tokens, of which leading ones may not be on the grid."""
    maps, height, width = wanted
    if len(shape) == 4 and shape[0] == 1:
        yield lambda t: t[0]
        yield lambda t: t[0].permute(2, 0, 1)
    tokens = height * width
    if len(shape) == 3 and 1 in shape[:2] and shape[2] == maps and max(shape[:2]) >= tokens:
        yield lambda t: t.reshape(-1, maps)[-tokens:].T.reshape(maps, height, width)


class Pass:
    """One forward pass of torch and, for any of its results, the VJP."""

    def __init__(self, network, image, cotangent):
        self.recorder = Recorder()
        self.cotangent = cotangent
        with self.recorder:
            self.logits = network(image)[0]

    def find(self, features):
        """The first result whose values are nearest to `features`, how it is read as such, and how near
        it is."""
        best, nearest = None, float("inf")
        for tensor in self.recorder.results:
            for read in readings(tensor.shape, features.shape):
                values = read(tensor.detach())
                if values.shape == features.shape:
                    error = relative(features, values.numpy())
                    if error < nearest:
                        best, nearest = (tensor, read), error
        return best, nearest

    def vjp(self, found):
        tensor, read = found
        weighted = (self.logits * self.cotangent).sum()
        return read(torch.autograd.grad(weighted, tensor, retain_graph=True)[0]).numpy()


class Refused(Exception):
    pass


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"exit {done.returncode}: {done.stdout.strip()[-600:]}")
    return done.stdout


def layers(program, model):
    """Names of the last layer, of one after the first third of the layers that can be it, and of the
    last bias of a matrix that has the channels last; of transformers of the last layer and the sums of
    two blocks, or where those cannot be the layer of what comes nearest."""
    possible = []
    for line in run(program, "--list", model).splitlines():
        op, explainable, _, axis, dims, name = line.split(" ", 5)
        if explainable == "1":
            maps_height_width = [int(n) for n in dims.split("x")][1:]
            maps = maps_height_width.pop(int(axis) - 1)
            if maps > 1 and maps_height_width and min(maps_height_width) > 1:
                possible.append((op, axis, name))
    blocks = [name for _, _, name in possible if BLOCK.search(name)]
    if len(blocks) > 1:
        return list(dict.fromkeys([possible[-1][2], blocks[0], blocks[len(blocks) // 2]]))
    early = [name for op, axis, name in possible[len(possible) // 3:] if op in EARLY] \
        or [name for op, _, name in possible if op in EARLY]
    last = [name for op, axis, name in possible if axis == "3" and op == "Add"]
    if not early:
        raise Refused(f"{len(possible)} layers, no early one")
    return [possible[-1][2], early[0]] + last[-1:]


def engine(program, model, layer, folder):
    """Logits, feature maps and VJP of the engine."""
    _, *shape = run(program, model, layer, folder).split()
    maps = tuple(int(n) for n in shape[:3])
    read = [numpy.fromfile(folder / name, dtype=numpy.float32).astype(numpy.float64)
            for name in ("logits", "features", "gradient")]
    return read[0], read[1].reshape(maps), read[2].reshape(maps)


def check_layer(program, model, layer, double, folder):
    """Print one line of the table.  True if everything is within the tolerance."""
    logits, features, gradient = engine(program, model, layer, folder)
    found, nearest = double.find(features)
    if found is None:
        raise Refused(f"{layer}: torch has no result of the shape {features.shape}")
    errors = [relative(logits, double.logits.detach().numpy()), nearest,
              relative(gradient, double.vjp(found))]
    good = max(errors) <= TOLERANCE
    shape = "x".join(str(n) for n in features.shape)
    print(f"  {layer:44} {shape:12}" + "".join(f" {e:9.1e}" for e in errors)
          + ("" if good else "  TOO FAR"), flush=True)
    return good


def is_transformer(name):
    return name in transformers.SHORT + transformers.LONG


def check(program, name, foldings, folder):
    start = time.monotonic()
    network, double, image, passes = build(name)
    times, kink = clearance(network, double, image)
    print(f"{name}: kinks cleared in {passes + 1} passes, {time.monotonic() - start:.1f} s; the "
          f"nearest ({kink}) is {times:.1f} times the rounding away")
    models = {}
    for opset in transformers.OPSETS if is_transformer(name) else [13]:
        for folding in foldings:
            form = f"opset {opset}, constant folding {folding}"
            models[form] = folder / f"{name}-{opset}-{folding}.onnx"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(network, image, str(models[form]), opset_version=opset,
                                  do_constant_folding=folding == "on")
    with torch.no_grad():
        cotangent = torch.randn_like(network(image)[0])
    image.numpy().tofile(folder / "input")
    cotangent.numpy().tofile(folder / "cotangent")
    reference = Pass(double, image.double(), cotangent.double())
    good = times > SAFE
    if not good:
        print("  TOO NEAR for a comparison")
    for form, model in models.items():
        print(f"{name}, {form}")
        try:
            for layer in layers(program, model):
                good &= check_layer(program, model, layer, reference, folder)
        except Refused as why:
            print(f"  REFUSED {why}", flush=True)
            good = False
        model.unlink()
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--transformers", action="store_true")
    parser.add_argument("--folding", choices=["on", "off", "both"])
    parser.add_argument("networks", nargs="*")
    options = parser.parse_intermixed_args()
    lists = transformers if options.transformers else sys.modules[__name__]
    names = options.networks or (lists.SHORT if options.short else lists.LONG)
    torch.set_num_threads(2)
    bad = []
    print(f"  {'layer':44} {'shape':12} {'logits':>9} {'features':>9} {'vjp':>9}")
    for name in names:
        folding = options.folding or ("both" if name in SHORT and not options.short else "on")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="zoo-", dir=".") as folder:
            if not check(options.program.resolve(), name,
                         ["on", "off"] if folding == "both" else [folding], Path(folder)):
                bad.append(name)
        print(f"  {time.monotonic() - start:.1f} s", flush=True)
    print(f"{len(names) - len(bad)} of {len(names)} networks agree with torch"
          + (f"; not: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
