#!/usr/bin/python3
"""Compare the engine with torch on torchvision's networks, as torch itself exports them.

    zoo.py ZOO_RUN [--short] [--folding on|off|both] [NETWORK...]

Each network is built with seeded weights, exported to a temporary folder and run by zoo_run at the
last layer that has more than one row and column, and at an early one.  Logits, feature maps and VJP
must be within TOLERANCE, relative to the largest value, of torch's forward and autograd in float64.
Between an early layer and the logits a few of the millions of ReLUs have an input so near to 0 that
rounding decides their derivative; there the error of torch's own float32 VJP, the last column,
times KINKS is the bound where that is larger.  Where the roundings of engine and torch fall on
different sides of a kink, the network is drawn again with other weights and another input, up to
twice: a wrong VJP is wrong for all of them.  Exit codes: 0, 1 (a difference or a refusal), 77 (no torch).
"""
import argparse
import copy
import os
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
except ImportError as missing:
    print(f"skipped: {missing}; install python3-torch and python3-torchvision")
    sys.exit(77)

TOLERANCE = 1e-4
KINKS = 5
SEEDS = (20130217, 20130218, 20130219)
SHORT = ["squeezenet1_0", "mobilenet_v2", "shufflenet_v2_x1_0", "mobilenet_v3_large", "resnet18",
         "efficientnet_b0"]
LONG = ["alexnet", "vgg11", "vgg16", "resnet18", "resnet50", "wide_resnet50_2", "resnext50_32x4d",
        "densenet121", "googlenet", "inception_v3", "squeezenet1_0", "mobilenet_v2",
        "mobilenet_v3_large", "shufflenet_v2_x1_0", "mnasnet1_0", "efficientnet_b0",
        "efficientnet_v2_s", "regnet_y_400mf", "convnext_tiny"]
ARGUMENTS = {
    "googlenet": {"aux_logits": False, "transform_input": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "transform_input": False, "init_weights": True},
}
SIDE = {"inception_v3": 299}
# Of these operators every output is also one of a torch function, so that an early layer without a
# counterpart in torch is an error of the engine, not of the search.
EARLY = {"Conv", "Relu", "Clip", "MaxPool", "Concat"}


def randomise(network, side):
    """Give every parameter that initialisation leaves at 0, 1 or 1e-6 a value that matters, and
    BatchNorm statistics near those of real activations, so that no layer dies or explodes."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("layer_scale"):
                parameter.uniform_(0.1, 0.5)
            elif parameter.dim() == 1 and name.endswith("bias"):
                parameter.normal_(0.0, 0.1)
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


def build(name, seed):
    torch.manual_seed(seed)
    side = SIDE.get(name, 224)
    network = getattr(torchvision.models, name)(weights=None, **ARGUMENTS.get(name, {})).eval()
    randomise(network, side)
    return network, torch.randn(1, 3, side, side)


class Recorder(TorchFunctionMode):
    """Keeps every 4-D result of a torch function, and turns in-place functions into plain ones so
    that a result is not changed after it was kept."""

    def __init__(self):
        super().__init__()
        self.results = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if kwargs.get("inplace"):
            kwargs["inplace"] = False
        name = getattr(function, "__name__", "")
        if name.endswith("_") and not name.startswith("_") and name != "requires_grad_":
            function = getattr(torch, name[:-1])
        result = function(*args, **kwargs)
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor) and tensor.dim() == 4 and tensor.requires_grad:
                self.results.append(tensor)
        return result


def relative(got, expected):
    """Largest difference, relative to the largest value; NaN and infinities count as infinite."""
    error = numpy.abs(got - expected).max() / max(numpy.abs(expected).max(), 1e-300)
    return float(error) if numpy.isfinite(error) else float("inf")


class Pass:
    """One forward pass of torch and, for any of its results, the VJP."""

    def __init__(self, network, image, cotangent):
        self.recorder = Recorder()
        self.cotangent = cotangent
        with self.recorder:
            self.logits = network(image)[0]

    def find(self, features):
        """Index of the first result whose values are nearest to `features`, and how near."""
        best, nearest = None, float("inf")
        for i, tensor in enumerate(self.recorder.results):
            if tensor.shape[1:] == features.shape:
                error = relative(features, tensor.detach()[0].double().numpy())
                if error < nearest:
                    best, nearest = i, error
        return best, nearest

    def vjp(self, i):
        weighted = (self.logits * self.cotangent).sum()
        gradient = torch.autograd.grad(weighted, self.recorder.results[i], retain_graph=True)[0]
        return gradient[0].double().numpy()


class Refused(Exception):
    pass


def run(*command):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"exit {done.returncode}: {done.stdout.strip()[-600:]}")
    return done.stdout


def layers(program, model):
    """Names of the last layer and of one after the first third of the layers that can be it."""
    rows = [line.split(" ", 4) for line in run(program, "--list", model).splitlines()]
    possible = [(op, name) for op, explainable, _, dims, name in rows
                if explainable == "1" and min(int(n) for n in dims.split("x")[2:]) > 1]
    early = [name for op, name in possible[len(possible) // 3:] if op in EARLY]
    if not early:
        raise Refused(f"{len(rows)} tensors, {len(possible)} layers, no early one")
    return [possible[-1][1], early[0]]


def engine(program, model, layer, folder):
    """Logits, feature maps and VJP of the engine."""
    _, *shape = run(program, model, layer, folder).split()
    maps = tuple(int(n) for n in shape[:3])
    read = [numpy.fromfile(folder / name, dtype=numpy.float32).astype(numpy.float64)
            for name in ("logits", "features", "gradient")]
    return read[0], read[1].reshape(maps), read[2].reshape(maps)


def check_layer(program, model, layer, passes, folder):
    """Print one line of the table.  True if everything is within the tolerance."""
    logits, features, gradient = engine(program, model, layer, folder)
    single, double = passes
    found, nearest = double.find(features)
    if found is None:
        raise Refused(f"{layer}: torch has no result of the shape {features.shape}")
    expected = double.vjp(found)
    rounding = relative(single.vjp(found), expected)
    errors = [relative(logits, double.logits.detach().numpy()), nearest,
              relative(gradient, expected)]
    good = max(errors[:2]) <= TOLERANCE and errors[2] <= max(TOLERANCE, KINKS * rounding)
    shape = "x".join(str(n) for n in features.shape)
    print(f"  {layer:44} {shape:12}" + "".join(f" {e:9.1e}" for e in errors + [rounding])
          + ("" if good else "  TOO FAR"), flush=True)
    return good


def check(program, name, foldings, folder, seed):
    network, image = build(name, seed)
    models = {}
    for folding in foldings:
        models[folding] = folder / f"{name}-{folding}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(network, image, str(models[folding]), opset_version=13,
                              do_constant_folding=folding == "on")
    with torch.no_grad():
        cotangent = torch.randn_like(network(image)[0])
    image.numpy().tofile(folder / "input")
    cotangent.numpy().tofile(folder / "cotangent")
    # A copy in float64: module.double() would change the parameters under the first pass.
    passes = [Pass(network, image, cotangent),
              Pass(copy.deepcopy(network).double(), image.double(), cotangent.double())]
    good = True
    for folding, model in models.items():
        print(f"{name}, constant folding {folding}")
        try:
            for layer in layers(program, model):
                good &= check_layer(program, model, layer, passes, folder)
        except Refused as why:
            print(f"  REFUSED {why}", flush=True)
            good = False
        model.unlink()
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--folding", choices=["on", "off", "both"])
    parser.add_argument("networks", nargs="*")
    options = parser.parse_intermixed_args()
    names = options.networks or (SHORT if options.short else LONG)
    torch.set_num_threads(2)
    bad = []
    print(f"  {'layer':44} {'shape':12} {'logits':>9} {'features':>9} {'vjp':>9} {'float32':>9}")
    for name in names:
        folding = options.folding or ("both" if name in SHORT and not options.short else "on")
        start = time.monotonic()
        foldings = ["on", "off"] if folding == "both" else [folding]
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                good = check(options.program, name, foldings, Path(folder), seed)
            if good:
                break
        if not good:
            bad.append(name)
        print(f"  {time.monotonic() - start:.1f} s", flush=True)
    print(f"{len(names) - len(bad)} of {len(names)} networks agree with torch"
          + (f"; not: {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
