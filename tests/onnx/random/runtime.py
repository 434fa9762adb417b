"""runtime.py FOLDER FIRST COUNT - ONNX Runtime on FOLDER/i.onnx and the input in FOLDER/i.npy: its logits go to FOLDER/i.theirs,
what it says of a network that it refuses to FOLDER/i.theirs.no.  A process of its own, because some valid networks end it."""
import subprocess
import sys
from pathlib import Path

import numpy as np

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def ask(folder, i):
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(folder / f"{i}.onnx"), options, providers=["CPUExecutionProvider"])
        logits = session.run(["y"], {"x": np.load(folder / f"{i}.npy")})[0]
        (folder / f"{i}.theirs").write_bytes(logits.astype(np.float32).tobytes())
    except Exception as why:  # an operator or a type that it does not have
        (folder / f"{i}.theirs.no").write_text(str(why))


def ask_all(folder, count):
    """All of them, whatever ends its process."""
    first = 0
    while first < count:
        done = subprocess.run([sys.executable, __file__, folder, str(first), str(count)], capture_output=True, check=False)
        if done.returncode == 0:
            return
        while any(Path(folder, f"{first}.theirs{end}").exists() for end in ("", ".no")):
            first += 1
        Path(folder, f"{first}.theirs.no").write_text(f"it ended with {done.returncode}")
        first += 1


if __name__ == "__main__":
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        ask(Path(sys.argv[1]), number)
