"""One exported network and what it is compared with: ONNX Runtime's scores, the framework's gradient."""
import dataclasses
import pathlib
import subprocess
import sys
import tempfile
import typing

import numpy

LOGITS, GRADIENT = 1e-4, 5e-3  # bounds


@dataclasses.dataclass
class Case:
    """`optimise`: whether ONNX Runtime may.  `gradient`: cotangent [classes] -> scores, gradient at the input.  `along`:
    cotangent, direction -> slope of the scores by central differences, to ask where the two gradients differ.
    `single`: cotangent -> the framework's own gradient in float32, which says how sharply the network bends there."""
    family: str
    exporter: str
    opset: typing.Any
    path: pathlib.Path
    x: numpy.ndarray
    gradient: typing.Callable = None
    along: typing.Callable = None
    single: typing.Callable = None
    logits_bound: float = LOGITS
    gradient_bound: float = GRADIENT
    optimise: bool = True
    note: str = ""


@dataclasses.dataclass
class Result:
    """`error`, `slope`: relative; None where nothing could be compared."""
    good: bool
    runs: str
    layer: str = ""
    error: float = None
    slope: float = None
    note: str = ""


def runtime(path, x, optimise=True):
    """-> the last output that ONNX Runtime computes, in a process of its own: frameworks bring libraries
    with which it does not always share one.  What it makes of a quantised file when it optimises is some steps
    away from what the file says."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        numpy.save(folder / "x.npy", x)
        done = subprocess.run([runtime.python, pathlib.Path(__file__).with_name("runtime.py"), path, folder / "x.npy",
                               folder / "y.npy", "all" if optimise else "none"], capture_output=True, text=True, timeout=500)
        if done.returncode:
            raise RuntimeError("ONNX Runtime: " + done.stderr.strip().splitlines()[-1])
        return numpy.load(folder / "y.npy").astype(numpy.float64).flatten()


runtime.python = sys.executable


def channels_first(x):
    return numpy.ascontiguousarray(x.transpose(0, 3, 1, 2) if x.ndim == 4 and x.shape[-1] in (1, 3) else x)


class Engine:
    """zoo_run of one file: `refusal` is empty, or why there is no result."""

    def __init__(self, zoo_run, path, x):
        self.refusal, self.layer, self.kind = "", "", ""
        self.cotangent = self.logits = self.pixels = None
        chosen = self.call(zoo_run, "--chosen", path)
        if self.refusal:
            return
        name, how, all_paths, self.kind, classes = chosen.split("\t")
        self.cotangent = numpy.random.default_rng(7).standard_normal(int(classes))
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            channels_first(x).astype(numpy.float32).tofile(folder / "input")
            self.cotangent.astype(numpy.float32).tofile(folder / "cotangent")
            printed = self.call(zoo_run, path, "-", folder, "-")
            if self.refusal:
                return
            self.logits, self.pixels = (numpy.fromfile(folder / name, numpy.float32).astype(numpy.float64)
                                        for name in ("logits", "pixels"))
        maps, height, width = printed.split()[1:4]
        self.layer = (f"`{name}`, {maps} x {height} x {width}" + (f", {how}" if how != "last" else "") +
                      ("" if all_paths == "1" else ", not all ways")) if name != "-" else "none: pixel methods"

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
        if done.returncode:
            said = (done.stdout + done.stderr).strip() or f"ended with {done.returncode}"
            self.refusal = said.replace(str(command[-1]), "FILE").removeprefix("load: FILE: ")
        return done.stdout.strip("\n")


def as_in_file(logits, kind, scores):
    """What the file prints for these logits: its softmax or sigmoid, where it ends in one."""
    if kind == "sigmoid":
        yes = 1 / (1 + numpy.exp(-logits))
        return numpy.array([1 - yes[0], yes[0]]) if logits.size == 1 and scores.size == 2 else yes
    if kind == "softmax":
        e = numpy.exp(logits - logits.max())
        return e / e.sum()
    return logits


def compare(zoo_run, case):
    """-> Result"""
    engine = Engine(zoo_run, case.path, case.x)
    if engine.refusal:
        return Result(False, "no: " + engine.refusal)
    scores = runtime(case.path, case.x, case.optimise)
    error = numpy.abs(as_in_file(engine.logits, engine.kind, scores) - scores).max() / numpy.abs(scores).max()
    result = Result(bool(error <= case.logits_bound), "yes", engine.layer, error, note=case.note)
    if case.gradient:
        check_gradient(case, engine, scores, result)
    return result


def check_gradient(case, engine, scores, result):
    own, want = (numpy.asarray(array, numpy.float64).flatten() for array in case.gradient(engine.cotangent))
    if numpy.abs(as_in_file(own, engine.kind, scores) - scores).max() > 1e-2 * numpy.abs(scores).max():
        result.note = "the exported file is not the network: ONNX Runtime's scores differ from the framework's"
        return
    result.slope = numpy.linalg.norm(engine.pixels - want) / numpy.linalg.norm(want)
    if result.slope > case.gradient_bound and case.along:  # whose gradient is wrong?  Ask the scores themselves
        norm = numpy.linalg.norm(engine.pixels)
        result.slope = abs(case.along(engine.cotangent, engine.pixels / norm) / norm - 1)
        result.note = "gradient by central differences"
    if result.slope > case.gradient_bound and case.single:
        own32 = numpy.asarray(case.single(engine.cotangent), numpy.float64).flatten()
        bends = numpy.linalg.norm(own32 - want) / numpy.linalg.norm(want)
        result.note += f"; the framework's own in float32 {bends:.1e}"
        result.good = result.good and bool(result.slope <= bends)
        return
    result.good = result.good and bool(result.slope <= case.gradient_bound)
