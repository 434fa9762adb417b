"""When two runs give the same bits: docs/determinism.md, claim by claim.

    test_determinism.py                     what the suite runs
    test_determinism.py PICTURE NET.onnx... the long form: all methods, prints the largest differences

The suite takes the built-in network, and qemu where it is installed."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import command

# Largest difference of a map in 0..1 between numbers of threads and sets of instructions.  On a path of few steps a
# rectifier that switches between two of them changes one step of four.
TOLERANCE = {"kl-dve": 1e-5, "rise": 1e-5, "lrp-composite": 1e-4, "integrated-gradients": 2e-2}

# With few samples: what is compared is the same number by number.
METHODS = {"kl-dve": (), "integrated-gradients": ("--samples", "4"), "rise": ("--samples", "30")}
ENGINE_ONLY = {"lrp-composite": ()}  # not with --deterministic
# Of the long form.
REST = {name: () for name in ("grad-cam", "occlusion", "score-cam", "grad-cam++", "xgrad-cam", "hires-cam", "layer-cam", "eigen-cam", "eigengrad-cam", "lafam",
                              "saliency", "gradient-x-input", "ablation-cam", "recipro-cam", "edges", "centre")}
REST.update({"smooth-grad": ("--samples", "4"), "lime": ("--samples", "60"), "var-grad": ("--samples", "4"), "kernel-shap": ("--samples", "60"), "prediction-difference": (), "random": ()})
REST_ENGINE_ONLY = {name: () for name in ("guided-backprop", "full-grad", "deconvolution", "guided-grad-cam", "salient-deconvolution", "guided-kl-dve",
                                          "lrp-epsilon", "lrp-zplus", "lrp-alphabeta")}
LIBM = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable"}
ELSEWHERE = [{"DNNL_MAX_CPU_ISA": "AVX2"}, {"DNNL_MAX_CPU_ISA": "SSE41"}]
QEMU = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")


def picture():
    """96 x 80, with edges and slopes."""
    return command.png(96, 80, lambda x, y: bytes((x * 2 % 256, (y * 3 + x) % 256, 255 if (x // 12 + y // 10) % 2 else 30)))


class Runner:
    def __init__(self, folder, photo, network=None):
        self.folder, self.photo, self.network, self.count = folder, photo, network, 0

    def map(self, method, *options, env=None, before=()):
        """The bytes of the map's file."""
        self.count += 1
        out = os.path.join(self.folder, f"{self.count}.npy")
        args = [*before, command.KLDVE, "explain", self.photo, *(("--model", self.network) if self.network else ()),
                "--method", method, *options, "--map", out, "--quiet"]
        done = subprocess.run(args, env={**os.environ, "OMP_WAIT_POLICY": "passive", **(env or {})}, capture_output=True,
                              timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{method} {options} {env}: {done.stderr.decode()}")
        with open(out, "rb") as file:
            return file.read()

    def values(self, data):
        path = os.path.join(self.folder, "values.npy")
        with open(path, "wb") as file:
            file.write(data)
        return command.Npy(path).value


class Runs(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        photo = os.path.join(scratch.name, "photo.png")
        with open(photo, "wb") as file:
            file.write(picture())
        self.runner = Runner(scratch.name, photo)

    def test_again(self):
        """Another process, other addresses, other leftovers in memory."""
        for method, options in {**METHODS, **ENGINE_ONLY}.items():
            first = self.runner.map(method, *options, "--threads", "2")
            again = self.runner.map(method, *options, "--threads", "2",
                                    env={"MALLOC_PERTURB_": "165", "PADDING": "x" * 1237})
            self.assertEqual(first, again, method)

    def test_tolerance(self):
        """Threads and instructions in the usual mode."""
        for method, options in {**METHODS, **ENGINE_ONLY}.items():
            first = self.runner.values(self.runner.map(method, *options, "--threads", "1"))
            for threads, env in [("2", {})] + [("1", env) for env in ELSEWHERE]:
                other = self.runner.values(self.runner.map(method, *options, "--threads", threads, env=env))
                self.assertLessEqual(max(abs(a - b) for a, b in zip(first, other)), TOLERANCE[method], (method, threads, env))

    def test_deterministic(self):
        for method, options in METHODS.items():
            first = self.runner.map(method, *options, "--deterministic", "--threads", "1")
            for threads, env in [("2", {}), ("5", {"DNNL_MAX_CPU_ISA": "SSE41"}), ("1", LIBM)]:
                other = self.runner.map(method, *options, "--deterministic", "--threads", threads, env=env)
                self.assertEqual(first, other, (method, threads, env))

    @unittest.skipUnless(QEMU and not os.environ.get("ASAN_OPTIONS"), "needs qemu-user, without sanitizers")
    def test_other_processor(self):
        """A processor of 2008 has other kernels in all libraries."""
        options = ("--deterministic", "--threads", "1")
        first = self.runner.map("kl-dve", *options)
        self.assertEqual(first, self.runner.map("kl-dve", *options, before=(QEMU, "-cpu", "Nehalem")))

    def test_refused(self):
        """Methods that need more than gradients say so."""
        for method in ENGINE_ONLY:
            with self.assertRaisesRegex(RuntimeError, "deterministic"):
                self.runner.map(method, "--deterministic")


def measure(photo, networks):
    with tempfile.TemporaryDirectory() as folder:
        for network in networks:
            worst, which, deterministic = 0.0, "", 0
            runner = Runner(folder, photo, None if network == "-" else network)
            for method, options in {**METHODS, **ENGINE_ONLY, **REST, **REST_ENGINE_ONLY}.items():
                try:
                    first = runner.values(runner.map(method, *options, "--threads", "1"))
                    for threads, env in [("2", {})] + [("1", env) for env in ELSEWHERE]:
                        other = runner.values(runner.map(method, *options, "--threads", threads, env=env))
                        apart = max(abs(a - b) for a, b in zip(first, other))
                        print(f"{os.path.basename(network)} {method} {threads} {env}: {apart:.2g}", flush=True)
                        if apart > worst:
                            worst, which = apart, f"{method} {threads} {env}"
                except RuntimeError as refused:
                    print(f"{os.path.basename(network)} {method}: {refused}", flush=True)
                    continue
            print(f"{os.path.basename(network)}: at most {worst:.2g} ({which})", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[1], sys.argv[2:])
    else:
        unittest.main()
