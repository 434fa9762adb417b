#!/usr/bin/python3
"""quantise.py ZOO_RUN NETWORK.onnx... - float networks, quantised by ONNX Runtime's tools, against it.

Makes a virtual environment with onnx and onnxruntime in $KLDVE_VENV (default: quantise-venv in the
current folder) and runs itself there.  Each network is quantised in every form; a table says for
each how far the logits are from ONNX Runtime's, in steps of the last quantiser, with its
optimisations (integer kernels) and without them (as the file says); the correlation of the gradient at
the default layer with the float network's; and the median of ONNX Runtime's forward pass on one
thread.

Without VNNI, ONNX Runtime's kernels for int8 weights saturate: look at the column "as the file says"."""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["numpy", "onnx", "onnxruntime"]
ROUNDS = 7


def in_environment():
    folder = Path(os.environ.get("KLDVE_VENV", "quantise-venv")).absolute()
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    os.execv(python, [python, __file__, *sys.argv[1:]])


try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnxruntime import quantization as q
except ImportError:
    in_environment()


def forms():
    u8, s8, s16 = q.QuantType.QUInt8, q.QuantType.QInt8, q.QuantType.QInt16
    qdq, operators = q.QuantFormat.QDQ, q.QuantFormat.QOperator
    symmetric = {"extra_options": {"ActivationSymmetric": True}}
    yield "QDQ u8 s8", dict(quant_format=qdq, activation_type=u8, weight_type=s8)
    yield "QDQ u8 s8 by channel", dict(quant_format=qdq, activation_type=u8, weight_type=s8, per_channel=True)
    yield "QDQ s8 s8 symmetric", dict(quant_format=qdq, activation_type=s8, weight_type=s8, **symmetric)
    yield "QDQ u8 u8", dict(quant_format=qdq, activation_type=u8, weight_type=u8)
    yield "QDQ s16 s8", dict(quant_format=qdq, activation_type=s16, weight_type=s8)
    yield "operators u8 s8 by channel", dict(quant_format=operators, activation_type=u8, weight_type=s8,
                                             per_channel=True)
    yield "operators u8 s8 reduced", dict(quant_format=operators, activation_type=u8, weight_type=s8,
                                          reduce_range=True)
    yield "operators u8 u8", dict(quant_format=operators, activation_type=u8, weight_type=u8)


def session(path, optimised=True):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options)


def shape_of(path):
    return [d if isinstance(d, int) and d > 0 else 1 for d in session(path).get_inputs()[0].shape]


def picture(shape, seed):
    """Noise, smoothed: activations of real pictures are correlated."""
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    for axis in (2, 3):
        x = sum(np.roll(x, k, axis) for k in range(4)) / 2
    return x


class Calibration(q.CalibrationDataReader):
    def __init__(self, path):
        name = session(path).get_inputs()[0].name
        self.rest = iter([{name: picture(shape_of(path), seed)} for seed in range(4)])

    def get_next(self):
        return next(self.rest, None)


def last_scale(path):
    model = onnx.load(path)
    maker = {o: n for n in model.graph.node for o in n.output}
    tensors = {t.name: t for t in model.graph.initializer}
    node = maker.get(model.graph.output[0].name)
    while node is not None:
        if node.op_type == "DequantizeLinear":
            return float(onnx.numpy_helper.to_array(tensors[node.input[1]]).ravel()[0])
        node = maker.get(node.input[0])
    return None


def forward(ort, x):
    return ort.run(None, {ort.get_inputs()[0].name: x})[0].ravel()


def engine(zoo_run, path, x, classes, folder):
    x.tofile(folder / "input")
    np.eye(classes, dtype=np.float32)[0].tofile(folder / "cotangent")
    done = subprocess.run([zoo_run, path, "-", folder], capture_output=True, text=True,
                          env=dict(os.environ, OMP_NUM_THREADS="1"))
    if done.returncode:
        return done.stdout.strip()
    return [np.fromfile(folder / name, np.float32) for name in ("logits", "gradient")]


def row(zoo_run, name, path, x, reference, folder):
    ort, plain = session(path), session(path, optimised=False)
    integer, asked = forward(ort, x), forward(plain, x)
    got = engine(zoo_run, path, x, len(integer), folder)
    if isinstance(got, str):
        return f"| {name} | refused: {got} |"
    step = last_scale(path) or float(np.abs(integer).max())
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        forward(ort, x)
        times.append(time.perf_counter() - start)
    r = np.corrcoef(got[1], reference)[0, 1] if len(got[1]) == len(reference) else float("nan")
    return (f"| {name} | {np.abs(got[0] - integer).max() / step:.2f} | {np.abs(got[0] - asked).max() / step:.2f} "
            f"| {np.abs(integer - asked).max() / step:.2f} | {r:.4f} | {1e3 * statistics.median(times):.1f} |")


def opset_13(path, folder):
    model = onnx.load(path)
    if model.opset_import[0].version < 13:
        model = onnx.version_converter.convert_version(model, 13)
    onnx.save(model, folder / "13.onnx")
    q.shape_inference.quant_pre_process(str(folder / "13.onnx"), str(folder / "float.onnx"),
                                        skip_symbolic_shape=True)
    return folder / "float.onnx"


def compare(zoo_run, path, folder):
    source = opset_13(path, folder)
    x = picture(shape_of(source), 100)
    classes = len(forward(session(source), x))
    reference = engine(zoo_run, source, x, classes, folder)[1]
    print(f"\n{Path(path).name}\n\n| form | from ONNX Runtime | from what the file says | these two | gradient, r | ORT ms |\n"
          "|---|---|---|---|---|---|")
    for name, options in forms():
        q.quantize_static(str(source), str(folder / "q.onnx"), Calibration(source), **options)
        print(row(zoo_run, name, folder / "q.onnx", x, reference, folder), flush=True)
    q.quantize_dynamic(str(source), str(folder / "q.onnx"), weight_type=q.QuantType.QUInt8)
    print(row(zoo_run, "dynamic", folder / "q.onnx", x, reference, folder), flush=True)


def main():
    zoo_run = Path(sys.argv[1]).absolute()
    for path in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as folder:
            compare(zoo_run, path, Path(folder))


if __name__ == "__main__":
    main()
