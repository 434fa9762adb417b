"""Networks as today's exporters write them, against ONNX Runtime and the framework.

    exporters.py ZOO_RUN SECTION... [--environments FOLDER] [--only PART,...] [--folder FOLDER] [--here]

Each section needs packages that Debian does not have, so the script makes a virtual environment for it in
FOLDER/NAME (default build-environments), once, and runs the section there; with --here it uses the Python that runs it.
Networks have seeded random weights.  README.md of this folder lists the sections.

Prints rows of docs/exporters.md.  Differences are relative: of the logits, the largest difference divided by the
largest value; of the gradient at the input, norms, since single kinks of a ReLU may fall the other way.  What differs more than case.py allows
is marked WRONG.  Exit codes: 0, 1 (a difference, or a refusal).
"""
import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

TORCH = "torch torchvision timm onnx onnxruntime onnxscript onnxsim onnxconverter-common sympy"
KERAS = "tensorflow-cpu tf2onnx onnx onnxruntime"
SKLEARN = "scikit-learn skl2onnx onnx onnxruntime"

# section: the module that has it, its environment, the packages of that
SECTIONS = {
    "debian": ("from_torch", "debian", ""),
    "torchscript": ("from_torch", "torch", TORCH),
    "dynamo": ("from_torch", "torch", TORCH),
    "timm": ("from_torch", "torch", TORCH),
    "tf2onnx": ("from_keras", "keras", KERAS),
    "keras_export": ("from_keras", "keras", KERAS),
    "sklearn": ("from_sklearn", "sklearn", SKLEARN),
    "optimised": ("rewritten", "torch", TORCH),
    "simplified": ("rewritten", "torch", TORCH),
    "fused": ("rewritten", "torch", TORCH),
    "half": ("rewritten", "torch", TORCH),
    "quantised": ("rewritten", "torch", TORCH),
}


def python_of(environments, name, packages):
    """The Python of an environment, which is made if it does not exist.  "debian" is that of the system."""
    if name == "debian":
        return "/usr/bin/python3"
    python = environments / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environments / name], check=True)
    if packages and subprocess.run([python, "-c", "import onnxruntime"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages.split()], check=True)
    return python


class Rows:
    """Prints one row for the neighbours that differ in their opset only."""

    def __init__(self):
        self.case, self.result, self.opsets, self.bad = None, None, [], 0

    def add(self, case, result):
        self.bad += not result.good
        if self.case is None or (case.family, case.exporter, result.runs, result.layer, result.note, result.good) != (
                self.case.family, self.case.exporter, self.result.runs, self.result.layer, self.result.note, self.result.good):
            self.flush()
            self.case, self.result, self.opsets = case, result, []
        self.opsets.append(str(case.opset))
        self.result.error = max((e for e in (self.result.error, result.error) if e is not None), default=None)
        self.result.slope = max((e for e in (self.result.slope, result.slope) if e is not None), default=None)

    def flush(self):
        if self.case is None:
            return
        r = self.result
        errors = [text for text in ("" if r.error is None else f"logits {r.error:.1e}",
                                    "" if r.slope is None else f"gradient {r.slope:.1e}", r.note) if text]
        print(f"| {self.case.family} | {self.case.exporter} / {', '.join(self.opsets)} | {r.runs}{'' if r.good or r.layer == '' else ', WRONG'} "
              f"| {r.layer} | {', '.join(errors)} | - |", flush=True)
        self.case = None


def run_here(zoo_run, section, folder, only, keep):
    """-> how many were bad"""
    from case import Result, compare
    parts = only.split(",") if only else [""]
    rows = Rows()
    for case in getattr(importlib.import_module(SECTIONS[section][0]), section)(
            folder, lambda name: any(part in name for part in parts)):
        if case is None:
            continue
        try:
            result = compare(zoo_run, case)
        except Exception as error:
            result = Result(False, f"not compared: {type(error).__name__}: {str(error)[:200]}")
        rows.add(case, result)
        if not keep:
            for written in case.path.parent.glob(case.path.name + "*"):  # and its external data
                written.unlink()
    rows.flush()
    return rows.bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zoo_run")
    parser.add_argument("section", nargs="+", choices=SECTIONS)
    parser.add_argument("--environments", type=pathlib.Path, default=pathlib.Path("build-environments"))
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--runtime", help="the Python that has ONNX Runtime, if not the one that runs a section")
    parser.add_argument("--here", action="store_true")
    arguments = parser.parse_args()
    bad = 0
    for section in arguments.section:
        if arguments.here:
            bad += section_here(arguments, section)
            continue
        _, name, packages = SECTIONS[section]
        again = [python_of(arguments.environments, name, packages), __file__, arguments.zoo_run, section, "--here", "--only", arguments.only]
        if arguments.folder:
            again += ["--folder", arguments.folder]
        if name == "debian":
            again += ["--runtime", python_of(arguments.environments, "sklearn", SKLEARN)]
        bad += subprocess.run(again).returncode != 0
    return bool(bad)


def section_here(arguments, section):
    import case
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    warnings.filterwarnings("ignore")
    case.runtime.python = arguments.runtime or sys.executable
    with tempfile.TemporaryDirectory() as own:
        folder = arguments.folder or pathlib.Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        return run_here(os.path.abspath(arguments.zoo_run), section, folder, arguments.only, bool(arguments.folder))


if __name__ == "__main__":
    sys.exit(main())
