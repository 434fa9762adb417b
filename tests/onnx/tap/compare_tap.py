"""Taps and heads against ONNX Runtime, network by network:

  - the tapped file has the results of the file, bit for bit, and the tensors that a head takes;
  - the head, fed with ONNX Runtime's tensors, makes the maps of the whole network;
  - what onnx.checker says of the tapped file.

    python3 tests/onnx/tap/compare_tap.py build/tests/onnx/tap/tap_run NETWORK.onnx[:LAYER] ...

Makes a virtual environment with onnxruntime and onnx in the folder build-environments."""

import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ["numpy", "onnx", "onnxruntime"]
CLOSE = 1e-4  # of maps in 0..1, or of the largest: the numbers in front of the head are another engine's


def own_python():
    """This script's environment, made if need be; None if the packages are here already."""
    try:
        import onnx, onnxruntime  # noqa: F401, E401
        return None
    except ImportError:
        pass
    folder = Path("build-environments/tap")
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return str(python)


class Skipped(Exception):
    pass


def ask(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        raise Skipped(done.stdout.strip() or done.stderr.strip() or f"ended with {done.returncode}")
    return done.stdout.splitlines()


def read_names(tap_run, model, layer):
    found = {"tap": []}
    for line in ask(tap_run, "--names", model, layer):
        kind, rest = line.split(" ", 1)
        if kind == "tap":
            found["tap"].append(rest)
        elif kind == "input":
            axis, dims, name = rest.split(" ", 2)
            found["input"] = name, int(axis), [int(d) for d in dims.split(",")]
        else:
            found[kind] = rest
    return found


def session(path):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def new_input(dims):
    import numpy
    return numpy.random.default_rng(7).normal(size=dims).astype(numpy.float32)


def compare(tap_run, model, layer, folder):
    """What is to be said of one network."""
    import numpy
    import onnx
    names = read_names(tap_run, model, layer)
    name, axis, dims = names["input"]
    plain = session(model)
    inputs = plain.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(dims) != 4 or axis not in (1, 3):
        raise Skipped("its input is not one picture of floats")
    tapped = model.parent / f".{model.stem}.tapped.onnx"
    try:
        ask(tap_run, "--tap", model, tapped, *names["tap"])
        try:
            onnx.checker.check_model(str(tapped))
            checker = "checker: good"
        except onnx.checker.ValidationError as error:
            checker = "checker: " + str(error).splitlines()[0]
        other = session(tapped)
    finally:
        tapped.unlink(missing_ok=True)
    x = new_input(dims)
    own = [o.name for o in plain.get_outputs()]
    before = plain.run(own, {name: x})
    after = other.run(own + names["tap"], {name: x})
    same = all(numpy.array_equal(a, b, equal_nan=True) for a, b in zip(before, after))
    close = max(float(numpy.max(numpy.abs(a.astype(float) - b.astype(float)), initial=0))
                for a, b in zip(before, after))
    taps = [numpy.asarray(t, numpy.float32).ravel() for t in after[len(own):]]
    (x if axis == 1 else x.transpose(0, 3, 1, 2)).astype("<f4").tofile(folder / "input")
    numpy.concatenate(taps).astype("<f4").tofile(folder / "taps")
    features, scores, *maps = [line.split() for line in ask(tap_run, model, layer, folder)]
    worst = max(float(m[1]) for m in maps)
    return (same, close, float(features[1]), float(scores[1]), worst, len(taps), maps[0], checker)


def main():
    python = own_python()
    if python:
        return subprocess.run([python, __file__, *sys.argv[1:]]).returncode
    tap_run, bad, skipped, compared, identical = sys.argv[1], 0, 0, 0, 0
    for text in sys.argv[2:]:
        path, _, layer = text.partition(":")
        with tempfile.TemporaryDirectory() as folder:
            try:
                same, close, features, scores, worst, taps, first, checker = compare(
                    tap_run, Path(path), layer or "-", Path(folder))
            except Exception as why:  # whatever a package says
                skipped += 1
                print(f"{path}: skipped: {str(why).splitlines()[0][:200]}", flush=True)
                continue
        good = max(worst, features, scores, close) <= CLOSE
        compared += 1
        identical += same
        bad += not good
        print(f"{path}: {'good' if good else 'BAD'}, {taps} taps, outputs "
              f"{'identical' if same else f'within {close:.1e}'}, features within {features:.1e}, scores within {scores:.1e}, "
              f"maps within {worst:.1e}, "
              f"whole {first[2]} ms, head {first[3]} ms; {checker}", flush=True)
    print(f"{compared} compared, {identical} with identical outputs, {bad} bad, {skipped} skipped")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
