"""Shared by the tests of examples/hosts: the program under test, run in a folder of its own as its user
would run it, and the command, whose maps are the measure."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests", "cli"))
from command import SKIPPED, SOURCE, Npy, main, run  # noqa: F401, handed on

PROGRAM = os.environ.get("KLDVE_HOST", "")
NETWORK = os.path.join(SOURCE, "demo", "kldve-demo.onnx")
PICTURES = [os.path.join(SOURCE, "demo", "pictures", f"scene{i}.png") for i in (1, 2, 3)]

if not PROGRAM:
    print("this host was not built: a library that it needs is not installed")
    sys.exit(SKIPPED)


class Host(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-host-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def host(self, *args, **keywords):
        keywords.setdefault("timeout", 60)
        return subprocess.run([PROGRAM, *map(str, args)], cwd=self.dir, capture_output=True, text=True,
                              **keywords)

    def good(self, *args, **keywords):
        """What the host printed, after success without a word on standard error."""
        done = self.host(*args, **keywords)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, pattern, *args, status=1, **keywords):
        """One line on standard error says what is wrong."""
        done = self.host(*args, **keywords)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, rf"\A{pattern}[^\n]*\n\Z")
        return done

    def command_map(self, *args):
        """The map that the command makes with the same arguments, as rows."""
        done = run("explain", *args, "--map", "command.npy", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        cells = Npy(self.path("command.npy"))
        height, width = cells.shape
        return [cells.value[y * width:(y + 1) * width] for y in range(height)]

    def command_class(self, picture, network=NETWORK):
        """The class and its logit as the command says them."""
        import json
        done = run("explain", network, picture, "--json", "command.json", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        with open(self.path("command.json")) as file:
            target = json.load(file)["target"]
        return target["index"], target["logit"]

    def assert_close(self, a, b, within):
        self.assertEqual([len(r) for r in a], [len(r) for r in b])
        self.assertLessEqual(max(abs(x - y) for r, s in zip(a, b) for x, y in zip(r, s)), within)


def rows(text):
    """The numbers that a host printed, line by line."""
    return [[float(v) for v in line.split()] for line in text.splitlines()]
