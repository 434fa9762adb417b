"""The host programs of examples/, run as a new user would, and their maps against those of the
command: the same network once as C code in the host, once as an .onnx file."""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests", "cli"))
import tinynet
from test_compare import area, drawn_out
from command import SOURCE, Npy, main, png, read_png, run

PROGRAMS = os.environ["KLDVE_EXAMPLES"]
BUILD = os.environ["KLDVE_BUILD"]
SCENE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
DEMO = os.path.join(SOURCE, "demo", "kldve-demo.onnx")
SIDE = 96  # of the pictures: three times the input of the network


def scene(x, y):
    """On grey, a red disc in the upper left and a blue square in the lower right."""
    if (x - 26) ** 2 + (y - 28) ** 2 < 18 ** 2:
        return bytes([230, 30, 20])
    if 54 <= x < 86 and 50 <= y < 84:
        return bytes([20, 40, 220])
    return bytes([120, 120, 120])


def numbers_of(name):
    """The numbers of an array of examples/colours.c."""
    with open(os.path.join(SOURCE, "examples", "colours.c")) as file:
        found = re.search(rf"\b{name}(?:\[\w+\])* = ([^;]*);", file.read())
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", found.group(1))]


def as_onnx():
    """examples/colours.c as a file."""
    kernel, dense, (bias,) = numbers_of("kernel"), numbers_of("dense"), numbers_of("bias")
    nodes = [
        tinynet.node("Conv", ["image", "k", "c"], ["conv"], kernel_shape=[3, 3], strides=[2, 2]),
        tinynet.node("Relu", ["conv"], ["relu"]),
        tinynet.node("GlobalAveragePool", ["relu"], ["pool"]),
        tinynet.node("Flatten", ["pool"], ["flat"]),
        tinynet.node("Gemm", ["flat", "w"], ["scores"], transB=1),
    ]
    return tinynet.model(nodes, [
        tinynet.tensor("k", [4, 3, 3, 3], [v for v in kernel for _ in range(9)]),
        tinynet.tensor("c", [4], [bias] * 4),
        tinynet.tensor("w", [4, 4], dense),
    ], [tinynet.value_info("image", [1, 3, 32, 32])], [tinynet.value_info("scores", [1, 4])])


class Folder(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-examples-")
        self.addCleanup(shutil.rmtree, self.dir)
        with open(self.path("scene.png"), "wb") as file:
            file.write(png(SIDE, SIDE, scene))
        with open(self.path("net.onnx"), "wb") as file:
            file.write(as_onnx())

    def path(self, name):
        return os.path.join(self.dir, name)

    def program(self, *args, **keywords):
        return subprocess.run(args, cwd=self.dir, capture_output=True, text=True, **keywords)

    def printed(self, *args, **keywords):
        """The map that a program prints, as rows."""
        done = self.program(*args, **keywords)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [[float(v) for v in row.split()] for row in done.stdout.splitlines()]

    def command_map(self, *args):
        done = run("explain", *args, "--map", "m.npy", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        cells = Npy(self.path("m.npy"))
        height, width = cells.shape
        return [cells.value[y * width:(y + 1) * width] for y in range(height)]

    def assert_close(self, a, b, within):
        self.assertEqual([len(r) for r in a], [len(r) for r in b])
        self.assertLessEqual(max(abs(x - y) for r, s in zip(a, b) for x, y in zip(r, s)), within)


class OwnInference(Folder):
    def against_command(self, program):
        maps = {}
        for index, colour in enumerate(["red", "green", "blue", "yellow"]):
            maps[colour] = self.printed(os.path.join(PROGRAMS, program), "scene.png", colour,
                                        colour + ".png")
            expected = self.command_map("net.onnx", "scene.png", "--scale", str(1 / 255),
                                        "--target", str(index))
            self.assert_close(maps[colour], expected, 1e-4)
            with open(self.path(colour + ".png"), "rb") as file:
                self.assertEqual(file.read(4), b"\x89PNG")
        for colour, side in [("red", 0), ("blue", 1)]:
            rows = maps[colour]
            top = max((v, y, x) for y, row in enumerate(rows) for x, v in enumerate(row))
            self.assertEqual((top[0], top[1] * 2 // len(rows), top[2] * 2 // len(rows[0])),
                             (1, side, side), colour)

    def test_arrays(self):
        self.against_command("arrays")

    def test_backend(self):
        self.against_command("backend")

    def test_failures_are_said(self):
        for program in ["arrays", "backend"]:
            done = self.program(os.path.join(PROGRAMS, program), "no.png", "red", "a.png")
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"\Ano\.png: .*No such file[^\n]*\n\Z")


class OwnMethod(Folder):
    def features(self):
        """The feature maps of the network on small.png, [4][225], by the definition in colours.c."""
        kernel, (bias,) = numbers_of("kernel"), numbers_of("bias")
        maps = []
        for k in range(4):
            cells = []
            for y in range(0, 30, 2):
                for x in range(0, 30, 2):
                    window = [scene(3 * (x + i), 3 * (y + j)) for j in range(3) for i in range(3)]
                    total = sum(kernel[3 * k + c] * p[c] / 255 for p in window for c in range(3))
                    cells.append(max(total + bias, 0))
            maps.append(cells)
        return maps

    def test_method(self):
        """A picture of the network's size, so that nothing is resampled."""
        with open(self.path("small.png"), "wb") as file:
            file.write(png(32, 32, lambda x, y: scene(3 * x, 3 * y)))
        dense, maps = numbers_of("dense"), self.features()
        for index, colour in enumerate(["red", "green", "blue", "yellow"]):
            rows = self.printed(os.path.join(PROGRAMS, "method"), "small.png", colour)
            sums = [sum(abs(dense[4 * index + k] * maps[k][i]) for k in range(4))
                    for i in range(225)]
            low, high = min(sums), max(sums)
            expected = [(v - low) / (high - low) for v in sums]
            self.assert_close(rows, [expected[15 * y:15 * y + 15] for y in range(15)], 1e-5)


class OwnMetric(Folder):
    def test_metric(self):
        """The host's metric and the library's, against their definitions on the command's map."""
        self.command_map(SCENE)
        cells = Npy(self.path("m.npy"))
        side = 96
        values = drawn_out(cells, side, side)
        done = self.program(os.path.join(PROGRAMS, "metric"), "-", SCENE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        printed = dict(line.split() for line in done.stdout.splitlines())
        self.assertLess(float(printed["deletion"]), float(printed["insertion"]))
        # float32 and float64 may part ways over one pixel
        self.assertAlmostEqual(float(printed["energy_area"]), area(cells, side, side),
                               delta=1.01 / side ** 2)
        above = sum(v > max(values) / 2 for v in values) / len(values)
        self.assertAlmostEqual(float(printed["above_half"]), above, delta=1.01 / side ** 2)


class Shortest(Folder):
    def test_shortest(self):
        """The same picture, bit by bit, as the command writes."""
        done = self.program(os.path.join(PROGRAMS, "shortest"), "-", SCENE, "a.png")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(run("explain", SCENE, "-o", "b.png", "--quiet", cwd=self.dir).status, 0)
        with open(self.path("a.png"), "rb") as a, open(self.path("b.png"), "rb") as b:
            self.assertEqual(a.read(), b.read())


class Pixels(Folder):
    def test_pixels(self):
        """A frame of B, G, R, drawn upon in place: what the file of the same picture becomes."""
        side = 144  # smaller pictures are enlarged in files

        def larger(x, y):
            return scene(x * SIDE // side, y * SIDE // side)

        with open(self.path("larger.png"), "wb") as file:
            file.write(png(side, side, larger))
        frame = b"".join(larger(x, y)[::-1] for y in range(side) for x in range(side))
        done = subprocess.run([os.path.join(PROGRAMS, "pixels"), "-", str(side), str(side)],
                              input=frame, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        file = self.program(os.path.join(PROGRAMS, "shortest"), "-", "larger.png", "a.png")
        self.assertEqual((file.returncode, file.stderr), (0, ""))
        drawn = read_png(self.path("a.png"))
        want = b"".join(drawn(x, y) for y in range(side) for x in range(side))
        rgb = b"".join(done.stdout[i:i + 3][::-1] for i in range(0, len(done.stdout), 3))
        self.assertEqual(rgb, want)
        self.assertNotEqual(done.stdout, frame)


class Many(Folder):
    def scenes(self):
        folder = os.path.join(SOURCE, "demo", "pictures")
        return [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith(".png")]

    def test_many(self):
        """More than one batch and a rest, each picture as the command sees it by itself."""
        pictures = (self.scenes() * 6)[:6] + [self.path("scene.png")]
        done = self.program(os.path.join(PROGRAMS, "many"), "-", *pictures)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), len(pictures))
        for path, line in zip(pictures, lines):
            found = re.fullmatch(r"(.*): class (\d+), (\d+) %, because of what is at (\d+), (\d+)", line)
            self.assertEqual(found.group(1), path)
            alone = run("explain", path, "--map", "m.npy", "--json", "r.json", "--quiet", cwd=self.dir)
            self.assertEqual(alone.status, 0, alone.err)
            with open(self.path("r.json")) as file:
                record = json.load(file)
            self.assertEqual(int(found.group(2)), record["target"]["index"])
            self.assertAlmostEqual(int(found.group(3)), 100 * record["target"]["probability"], delta=1)
            self.check_place(Npy(self.path("m.npy")), path, int(found.group(4)), int(found.group(5)))

    def check_place(self, cells, path, x, y):
        """The demonstration network sees all of a square picture."""
        height, width = cells.shape
        with open(path, "rb") as file:
            side, across = struct.unpack(">8x8xII", file.read(24))
        self.assertEqual(across, side)
        row, column = int(y * height / side), int(x * width / side)
        self.assertGreaterEqual(cells.value[row * width + column], 1 - 1e-4)

    def test_failure_is_said(self):
        done = self.program(os.path.join(PROGRAMS, "many"), "-", SCENE, "no.png")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Ano\.png: .*No such file[^\n]*\n\Z")


class Installed(Folder):
    def setUp(self):
        super().setUp()
        if not os.environ.get("KLDVE_MESON"):
            self.skipTest("static libraries, or built with a sanitizer: nothing that ctypes can load")
        done = self.program(os.environ["KLDVE_MESON"], "install", "-C", BUILD, "--no-rebuild",
                            "--destdir", self.path("root"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        folders = [base for base, _, files in os.walk(self.path("root"))
                   if "libkldve-onnx.so.1" in files]
        self.assertEqual(len(folders), 1)
        self.env = dict(os.environ, LD_LIBRARY_PATH=folders[0])

    def test_ctypes(self):
        script = os.path.join(SOURCE, "examples", "python", "explain.py")
        for target in ["0", "5"]:
            rows = self.printed(sys.executable, script, DEMO, SCENE, target, "a.png", env=self.env)
            self.assert_close(rows, self.command_map(DEMO, SCENE, "--target", target), 1e-5)
        done = self.program(sys.executable, script, "no.onnx", SCENE, "0", "a.png", env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Ano\.onnx: .*No such file[^\n]*\n\Z")


if __name__ == "__main__":
    main()
