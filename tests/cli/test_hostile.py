"""Files that once hurt, under limits of the system: 10 s of processor time and 1.5 GB of addresses.
Each is explained, or refused in one line."""
import os
import resource
import subprocess
import tempfile
import unittest

from command import KLDVE, SHARED, main

SECONDS, BYTES = 10, 1500 << 20
SANITIZED = "ASAN_OPTIONS" in os.environ  # its shadow takes terabytes of addresses
FILES = os.path.join(SHARED, "hostile")
PICTURE = os.path.join(SHARED, "assets/images/small/cifar10_00_frog.png")


def limit():
    seconds = SECONDS * (4 if SANITIZED else 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


@unittest.skipUnless(os.path.isdir(FILES), "there are no hostile files")
class Hostile(unittest.TestCase):
    def explain(self, name, *options):
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                [KLDVE, "explain", "--model", os.path.join(FILES, name), PICTURE, "-o",
                 os.path.join(folder, "o.png"), *options],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})

    def test_within_limits(self):
        for name in sorted(f for f in os.listdir(FILES) if f.endswith(".onnx")):
            for options in [], ["--method", "gradient-x-input"], ["--threads", "1"]:
                with self.subTest(name=name, options=options):
                    done = self.explain(name, *options)
                    self.assertIn(done.returncode, (0, 1), done.stderr)
                    if done.returncode == 1:
                        self.assertTrue(done.stderr.splitlines()[-1].startswith("kldve: "), done.stderr)

    def test_what_becomes_of_them(self):
        for name in "fold_matmul_4000", "fold_conv_1000k":
            done = self.explain(name + ".onnx")
            self.assertEqual(done.returncode, 1)
            self.assertIn("the limit 'work' is ", done.stderr)
        for name in "memory_3GB_a", "memory_3GB_b", "fn_collide", "dilation_16777216":
            done = self.explain(name + ".onnx")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    main()
