#!/usr/bin/python3
"""How close is the forward pass to the peak of one core?  By layer and by network.

    layers.py BUILD PICTURE NETWORK.onnx... [--runs N] [--tables N] [--peak-ms N]

BUILD is a build folder with the command and the benchmark programs.  bench-peak measures the core's
float32 arithmetic and its reading of memory; then bench-stages explains the picture on one thread, in
three rounds, N times without DNNL_VERBOSE=1 and N times with it.  The runs without
it time the forward pass; in those with it oneDNN reports the time of every primitive, and printing
that costs some microseconds each.  The output is Markdown, with medians: the first networks
(--tables) by layer, all in a summary.

Arithmetic is counted as if done directly: two operations for every multiply-add in the layer's
definition, including padding.  By that count Winograd's transforms F(m x m, 3 x 3) can exceed the peak:
they need m^2 9 / (m + 2)^2 times fewer multiplications.  "Done" is the share of the peak of those that
remain, not counting the transforms.

Dense layers for a few rows are the engine's own and not oneDNN primitives.  They belong to the rest:
the forward pass without its primitives, which includes the cost of calling them.  The weights are
known from the file; GB/s is the rate of reading all of them in this time."""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError as e:
    print("skipped:", e)
    sys.exit(77)

ROUNDS = 3
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive"}


# ---- oneDNN's lines: ...,exec,ENGINE,KIND,CODE,PASS,MEMORY,ATTRIBUTES,ALGORITHM,PROBLEM,MS ----

class Primitive:
    def __init__(self, line):
        fields = line.split(",")
        fields = fields[fields.index("exec") + 1:]
        self.kind, self.code, self.algorithm, self.problem = (fields[1], fields[2], fields[6],
                                                              fields[7])
        self.ms = float(fields[8])

    def sizes(self):
        """ic64oc128_ih56oh56kh3 ... -> {"ic": 64, ...}"""
        return {name: int(size) for name, size in re.findall(r"([a-z]+)(\d+)", self.problem)}

    def matrices(self):
        """2x8:8x5:2x5 -> (2, 8, 5), the batch of matrices in the first; of a matmul."""
        left, _, result = ([int(n) for n in m.split("x")] for m in self.problem.split(":"))
        return math.prod(result[:-1]), left[-1], result[-1]

    def operations(self):
        if self.kind in ("convolution", "deconvolution"):
            s = self.sizes()
            cells = "i" if self.kind == "deconvolution" else "o"
            return 2 * s["mb"] * s["ic"] * s["oc"] // s.get("g", 1) * math.prod(
                s.get(which + axis, 1) for which in ("k", cells) for axis in "dhw")
        if self.kind == "matmul":
            return 2 * math.prod(self.matrices())
        return 0

    def tile(self):
        """m of Winograd's F(m x m, 3 x 3), or 0."""
        found = re.search(r"wino_(\d)x3", self.code)
        if found:
            return int(found.group(1))
        if "winograd" in self.algorithm:
            raise SystemExit(f"layers: {self.code}: a Winograd code whose tiles are unknown")
        return 0

    def multiplications(self):
        """operations(), but only those actually done."""
        m = self.tile()
        return self.operations() * ((m + 2) ** 2 / (9 * m * m) if m else 1)

    def layer(self):
        return self.kind.removesuffix("_v2").removesuffix("_v3")

    def shape(self):
        """For people to read."""
        if "ic" not in self.problem or "oh" not in self.problem:
            return self.problem
        s = self.sizes()
        maps = f"{s['ic']} -> {s['oc']}" if "oc" in s else f"{s['ic']}"
        groups = f", {s['g']} groups" if s.get("g", 1) > 1 else ""
        return (f"{maps}, {s['oh']} x {s['ow']}, window {s['kh']} x {s['kw']}, "
                f"step {s['sh']}{groups}")

    def way(self):
        m = self.tile()
        return f"Winograd, {m} x {m}" if m else self.algorithm.removeprefix("alg:").removeprefix(
            "convolution_")


def passes(lines):
    """The output of bench-stages --marks -> the primitives of every forward pass."""
    found, inside = [], False
    for line in lines:
        if line.startswith("mark "):
            inside = line.split()[1] == "forward"
            if inside:
                found.append([])
        elif inside and re.match("(one)?dnn[l_]*verbose,", line) and ",exec," in line:
            found[-1].append(Primitive(line))
    if not found or not found[0]:
        raise SystemExit("layers: oneDNN told nothing: is it built without its verbose mode?")
    if len({tuple((p.kind, p.code, p.problem) for p in one) for one in found}) != 1:
        raise SystemExit("layers: forward passes of one network differ")
    return found


# ---- running ----

def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False,
                          env={**ENVIRONMENT, **more})
    if done.returncode != 0:
        raise SystemExit(f"layers: {command[0]} failed")
    return done.stdout.splitlines()


def run_json(command, *rest):
    """Run the command with --json inserted."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.json")
        run(*command, "--json", path, *rest)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def dense_layers(build, network):
    """[(rows, inputs, outputs)] of the constant-matrix products that the engine computes itself."""
    graph = onnx.load(network).graph
    weights = {i.name: list(i.dims) for i in graph.initializer}
    weights |= {n.output[0]: list(a.t.dims) for n in graph.node if n.op_type == "Constant"
                for a in n.attribute if a.name == "value"}
    shapes = {}
    for line in run(os.path.join(build, "tools", "kldve"), "layers", network):
        words = line.removeprefix("  * ").split("<-")[0].split()
        if " x " in line:
            at = next(i for i, w in enumerate(words) if w == "x")
            shapes[words[0]] = [int(w) for w in words[at - 1:] if w != "x"]
    found = []
    for n in graph.node:
        if n.op_type in ("Gemm", "MatMul") and n.input[1] in weights and n.output[0] in shapes:
            rows = math.prod(shapes[n.output[0]][:-1])
            outputs = shapes[n.output[0]][-1]
            found.append((rows, math.prod(weights[n.input[1]]) // outputs, outputs))
    return found


class Measured:
    """One network."""

    def __init__(self, build, picture, network, runs):
        stages = (os.path.join(build, "bench", "bench-stages"), picture, str(runs), "--threads", "1")
        self.name = os.path.basename(network).removesuffix(".onnx")
        forward, each = [], []
        for _ in range(ROUNDS):
            forward.append(run_json(stages, network)[0]["forward_ms"])
            # The first pass warms up.
            each += passes(run(*stages, "--marks", network, DNNL_VERBOSE="1"))[1:]
        self.forward = statistics.median(forward)
        self.primitives = each[0]
        for i, primitive in enumerate(self.primitives):
            primitive.ms = statistics.median(one[i].ms for one in each)
        self.dense = dense_layers(build, network)
        for primitive in self.primitives:
            if primitive.kind == "matmul" and primitive.matrices() in self.dense:
                self.dense.remove(primitive.matrices())

    def rest(self):
        return self.forward - sum(p.ms for p in self.primitives)

    def dense_bytes(self):
        return sum(4 * inputs * outputs for _, inputs, outputs in self.dense)

    def dense_operations(self):
        return sum(2 * math.prod(sizes) for sizes in self.dense)

    def operations(self):
        return sum(p.operations() for p in self.primitives) + self.dense_operations()


# ---- tables ----

def speed(operations, ms):
    """GFLOP/s"""
    return operations / ms * 1e-6 if ms > 0 else math.nan


def percent(part):
    return "-" if math.isnan(part) else f"{100 * part:.0f} %"


def by_layer(m, peak):
    print(f"\n{m.name}, one thread, by layer:\n\n"
          "| layer | shape | algorithm | ms | GFLOP/s | of the peak | done |\n"
          "|---|---|---|---:|---:|---:|---:|")
    for p in m.primitives:
        gflops, done = speed(p.operations(), p.ms), speed(p.multiplications(), p.ms)
        figures = (f"{gflops:.0f} | {percent(gflops / peak['gflops'])} | "
                   f"{percent(done / peak['gflops'])}" if p.operations() else "- | - | -")
        print(f"| {p.layer()} | {p.shape()} | {p.way()} | {p.ms:.3f} | {figures} |")
    read = speed(m.dense_bytes(), m.rest())
    print(f"| rest | dense layers: {m.dense_bytes() / 1e6:.1f} MB of weights, {read:.1f} GB/s | "
          f"engine's own | {m.rest():.3f} | {speed(m.dense_operations(), m.rest()):.1f} | - | - |\n"
          f"| all | | | {m.forward:.3f} | {speed(m.operations(), m.forward):.0f} | "
          f"{percent(speed(m.operations(), m.forward) / peak['gflops'])} | |")


def summary(networks, peak):
    def figures(primitives):
        """Their ms and their share of the peak."""
        ms = sum(p.ms for p in primitives)
        gflops = speed(sum(p.operations() for p in primitives), ms)
        return f"{ms:.2f} | {percent(gflops / peak['gflops'])}"

    print("\n| network | forward, ms | direct convolutions, ms | of the peak | Winograd's, ms | "
          "of the peak | other primitives, ms | rest, ms | dense weights in the rest, MB | GFLOP | "
          "GFLOP/s | of the peak |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for m in networks:
        convolutions = [p for p in m.primitives if p.kind in ("convolution", "deconvolution")]
        others = [p for p in m.primitives if p not in convolutions]
        gflops = speed(m.operations(), m.forward)
        print(f"| {m.name} | {m.forward:.2f} | "
              f"{figures([p for p in convolutions if not p.tile()])} | "
              f"{figures([p for p in convolutions if p.tile()])} | "
              f"{sum(p.ms for p in others):.2f} | {m.rest():.2f} | {m.dense_bytes() / 1e6:.1f} | "
              f"{m.operations() * 1e-9:.2f} | {gflops:.0f} | {percent(gflops / peak['gflops'])} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("picture")
    parser.add_argument("networks", nargs="+", metavar="NETWORK.onnx")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tables", type=int, default=1)
    parser.add_argument("--peak-ms", default="300")
    options = parser.parse_intermixed_args()
    peak = run_json((os.path.join(options.build, "bench", "bench-peak"), "--ms", options.peak_ms))
    print(f"One core: {peak['gflops']:.0f} GFLOP/s in float32, reads {peak['gbytes_per_s']:.1f} GB/s "
          "of memory.")
    measured = [Measured(options.build, options.picture, network, options.runs)
                for network in options.networks]
    for m in measured[:options.tables]:
        by_layer(m, peak)
    summary(measured, peak)


if __name__ == "__main__":
    main()
