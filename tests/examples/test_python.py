"""examples/python: the ctypes module against the command and against what its arrays must give, the
cffi definition against the same, and the structs of the module against those of the headers."""
import array
import gc
import importlib.util
import json
import os
import signal
import sys
import tempfile
import threading
import unittest

SOURCE = os.environ["KLDVE_SOURCE"]
sys.path[:0] = [os.path.join(SOURCE, "examples", "python"), os.path.join(SOURCE, "tests", "cli")]
import kldve
import make_cdef
from command import Npy, main, run

SCENE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
DEMO = os.path.join(SOURCE, "demo", "kldve-demo.onnx")
LOGITS = array.array("f", [2, 1, 0])
FEATURES = [0, 1, 0, 0, 1, 0, 0, 0]  # [2][2][2]: the first map has the positive weight
GRADIENT = [1, 1, 1, 1, -1, -1, -1, -1]


def has(module):
    return importlib.util.find_spec(module) is not None


def floats(values, *shape):
    return memoryview(array.array("f", values)).cast("B").cast("f", shape)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kldve-python-")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.context = kldve.Context()

    def path(self, name):
        return os.path.join(self.dir, name)

    def command(self, *args):
        done = run("explain", *args, "--map", "m.npy", "--json", "r.json", "-o", "c.png", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        with open(self.path("r.json")) as file:
            return Npy(self.path("m.npy")), json.load(file)


class Network(Case):
    def setUp(self):
        super().setUp()
        self.net = self.context.open(DEMO)
        self.photo = self.context.load(SCENE)

    def test_against_the_command(self):
        for options, words in [({}, []), ({"target": 4}, ["--target", "4"]),
                               ({"method": "grad-cam"}, ["--method", "grad-cam"]),
                               ({"targets": [1, 3]}, ["--target", "1", "--target", "3"])]:
            cells, record = self.command(DEMO, SCENE, *words)
            heat = self.net.explain(self.photo, **options)
            self.assertEqual(heat.values.shape, cells.shape)
            for a, b in zip(heat.array("values"), cells.value):
                self.assertAlmostEqual(a, b, delta=1e-5)
            if "targets" not in options:
                self.assertEqual(heat.record["target"], record["target"]["index"])
                self.assertAlmostEqual(heat.record["probability"], record["target"]["probability"], delta=1e-5)
            self.assertEqual(heat.record["method"], options.get("method", "kl-dve"))

    def test_overlay(self):
        """The same picture, bit by bit, as the command writes."""
        self.command(DEMO, SCENE)
        self.net.explain(self.photo).save(self.path("p.png"), self.photo)
        with open(self.path("p.png"), "rb") as ours, open(self.path("c.png"), "rb") as theirs:
            self.assertEqual(ours.read(), theirs.read())

    def test_input(self):
        shape = self.net.shape
        count = shape["in_channels"] * shape["in_height"] * shape["in_width"]
        heat = self.net.explain(array.array("f", [0.5]) * count)
        self.assertEqual(heat.values.shape, (shape["height"], shape["width"]))
        self.assertEqual(len(heat.array("logits")), shape["classes"])
        with self.assertRaises(ValueError):
            self.net.explain(array.array("f", [0.5]) * (count - 1))

    def test_random_parameters(self):
        own = self.net.explain(self.photo).array("logits")
        self.assertTrue(self.net.parameters())
        self.net.randomise(kldve.RANDOMISE_CASCADE, 0, 1)
        self.assertNotEqual(list(self.net.explain(self.photo).array("logits")), list(own))
        self.net.randomise(kldve.RANDOMISE_NONE)
        self.assertEqual(list(self.net.explain(self.photo).array("logits")), list(own))
        with self.assertRaisesRegex(kldve.Error, "layer 99: the network has"):
            self.net.randomise(kldve.RANDOMISE_CASCADE, 99)

    def test_metric(self):
        heat, given = self.net.explain(self.photo), self.net.input(self.photo)
        self.assertEqual(list(self.net.forward(given)), list(heat.array("logits")))
        self.assertEqual(list(self.net.explain(given).array("values")), list(heat.array("values")))
        self.assertTrue(0 < heat.metric("energy_area") < 1)
        deletion, insertion = (heat.metric(name, self.net, given, steps=8) for name in ("deletion", "insertion"))
        self.assertLess(deletion, insertion)
        with self.assertRaisesRegex(kldve.Error, "metric deletion needs the network"):
            heat.metric("deletion")
        with self.assertRaisesRegex(kldve.Error, "the metric deletion does not read it"):
            heat.metric("deletion", self.net, given, samples=3)

    def test_truth_and_second_map(self):
        heat, size = self.net.explain(self.photo), (64, 48)
        everywhere = heat.truth_boxes(self.net, *size, [(0, 0, 64, 48)])
        corner = heat.truth_boxes(self.net, *size, [(0, 0, 20, 20), (30, 30, 40, 40)])
        self.assertTrue(all(everywhere) and 0 < sum(corner) < len(corner))
        self.assertEqual(heat.metric("energy_inside", truth=everywhere), 1)
        self.assertTrue(0 <= heat.metric("energy_inside", truth=corner) < 1)
        self.assertEqual(heat.metric("pointing_game", truth=corner, tolerance=1e4), 1)
        self.assertEqual(heat.metric("pearson", other=heat), 1)
        with self.assertRaisesRegex(kldve.Error, "box 0 .* lies wholly outside the picture"):
            heat.truth_boxes(self.net, *size, [(64, 0, 70, 9)])

    def test_progress(self):
        seen = []
        self.context.progress = lambda *step: seen.append(step)
        first = self.net.explain(self.photo)
        self.assertTrue(seen and all(isinstance(stage, str) and done <= total for stage, done, total in seen))
        self.context.progress = lambda *step: False
        with self.assertRaises(kldve.Error) as caught:
            self.net.explain(self.photo)
        self.assertEqual(caught.exception.status, kldve.CANCELLED)

        def broken(*step):
            raise LookupError("mine")
        self.context.progress = broken
        with self.assertRaisesRegex(LookupError, "mine"):
            self.net.explain(self.photo)
        self.context.progress = None
        self.assertEqual(list(self.net.explain(self.photo).array("values")), list(first.array("values")))

    def test_interrupt(self):
        """Ctrl-C before the first step, and while a long method runs."""
        self.context.progress = lambda *step: os.kill(os.getpid(), signal.SIGINT)
        with self.assertRaises(KeyboardInterrupt):
            self.net.explain(self.photo)
        self.context.progress = None
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            self.net.explain(self.photo, method="rise", samples=2000000)
        timer.join()
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        self.net.explain(self.photo)

    def test_cancel(self):
        timer = threading.Timer(0.2, self.context.cancel)
        timer.start()
        with self.assertRaises(kldve.Error) as caught:
            self.net.explain(self.photo, method="rise", samples=2000000)
        timer.join()
        self.assertEqual(caught.exception.status, kldve.CANCELLED)
        self.net.explain(self.photo)

    def test_failures(self):
        with self.assertRaisesRegex(kldve.Error, r"^no\.onnx: .*No such file"):
            self.context.open("no.onnx")
        with self.assertRaisesRegex(kldve.Error, "no-such-method"):
            self.net.explain(self.photo, method="no-such-method")
        with self.assertRaisesRegex(TypeError, "colour"):
            self.net.explain(self.photo, colour=1)

    def test_lifetimes(self):
        """A map outlives its network, its context's last name, and a circle of references."""
        heat = self.net.explain(self.photo)
        expected = list(heat.array("values"))
        circle = [self.context, self.net, self.photo, heat]
        circle.append(circle)
        values = heat.values
        self.context = self.net = self.photo = heat = circle = None
        gc.collect()
        self.assertEqual([v for row in values.tolist() for v in row], expected)


class Arrays(Case):
    def check(self, features, gradient):
        heat = self.context.explain_arrays(LOGITS, features, gradient)
        values = heat.values
        self.assertEqual((values.shape, values[0, 1], values[1, 1]), ((2, 2), 1, 0))
        self.assertEqual(list(heat.array("logits")), [2, 1, 0])
        self.assertIsNone(heat.array("error"))

    def test_buffers(self):
        features, gradient = floats(FEATURES, 2, 2, 2), floats(GRADIENT, 2, 2, 2)
        self.check(features, gradient)
        read_only = memoryview(features.tobytes()).cast("f", (2, 2, 2))
        self.assertTrue(read_only.readonly)
        self.check(read_only, gradient)

    @unittest.skipUnless(has("numpy"), "no numpy")
    def test_numpy(self):
        import numpy
        features = numpy.array(FEATURES, numpy.float32).reshape(2, 2, 2)
        gradient = numpy.array(GRADIENT, numpy.float32).reshape(2, 2, 2)
        features.flags.writeable = False
        self.check(features, gradient)
        self.assertEqual(kldve._borrow(features, "f"), (features.ctypes.data, 8))
        with self.assertRaisesRegex(TypeError, "without gaps"):
            self.check(features.transpose(), gradient)
        heat = self.context.explain_arrays(LOGITS, features, gradient)
        values = numpy.asarray(heat.values)
        self.assertEqual(values.ctypes.data, kldve.c.addressof(heat.array("values")))

    def test_no_copy(self):
        self.assertEqual(kldve._borrow(LOGITS, "f"), LOGITS.buffer_info())

    def test_wrong_arrays(self):
        features = floats(FEATURES, 2, 2, 2)
        with self.assertRaises(TypeError):
            self.context.explain_arrays(array.array("d", LOGITS), features, features)
        with self.assertRaises(ValueError):
            self.context.explain_arrays(LOGITS, floats(FEATURES, 8), None)
        with self.assertRaises(ValueError):
            self.context.explain_arrays(LOGITS, features, LOGITS)
        with self.assertRaises(kldve.Error):
            self.context.explain_arrays(LOGITS, features)  # contrast needs a gradient

    def test_names(self):
        with open(self.path("names.txt"), "w") as file:
            file.write("cat\ndog\n")
        labels = self.context.labels(self.path("names.txt"))
        self.assertEqual((list(labels), len(labels), labels.find("dog")), (["cat", "dog"], 2, 1))
        with self.assertRaisesRegex(kldve.Error, "cow"):
            labels.find("cow")
        self.assertIn("grad-cam", kldve.methods())


@unittest.skipUnless(has("cffi"), "no cffi")
class Cffi(Case):
    def setUp(self):
        super().setUp()
        import cffi
        self.ffi = cffi.FFI()
        self.ffi.cdef(make_cdef.cdef())

    def test_structs(self):
        """The module's structs lie as those of the headers, as far as they go."""
        for make, name in [(kldve._Options, "kldve_options"), (kldve._Record, "kldve_record"),
                           (kldve._Arrays, "kldve_arrays"), (kldve._Shape, "kldve_shape"),
                           (kldve._Render, "kldve_render_options")]:
            struct = type(make())
            theirs = dict(self.ffi.typeof(name).fields)
            for member, _ in struct._fields_:
                ours = getattr(struct, member)
                self.assertEqual((ours.offset, ours.size),
                                 (theirs[member].offset, self.ffi.sizeof(theirs[member].type)), (name, member))

    def test_explanation(self):
        ffi, core = self.ffi, self.ffi.dlopen("libkldve.so.1")
        engine = ffi.dlopen("libkldve-onnx.so.1")
        ctx, net, photo, heat = (ffi.new(kind + " **") for kind in
                                 ("kldve_ctx", "kldve_explainer", "kldve_image", "kldve_heatmap"))
        record = ffi.new("kldve_record *", {"struct_size": ffi.sizeof("kldve_record")})
        values, count = ffi.new("const float **"), ffi.new("int32_t *")
        self.assertEqual(core.kldve_ctx_new(ffi.NULL, ctx), core.KLDVE_OK)
        self.assertEqual(engine.kldve_onnx_explainer(ctx[0], DEMO.encode(), ffi.NULL, net), 0)
        self.assertEqual(core.kldve_image_load(ctx[0], SCENE.encode(), photo), 0)
        self.assertEqual(core.kldve_explain(net[0], photo[0], ffi.NULL, heat), 0)
        self.assertEqual(core.kldve_heatmap_record(heat[0], record), 0)
        self.assertEqual(core.kldve_heatmap_values(heat[0], values, count), 0)
        cells, expected = self.command(DEMO, SCENE)
        self.assertEqual(record.target, expected["target"]["index"])
        for ours, theirs in zip(ffi.unpack(values[0], count[0]), cells.value):
            self.assertAlmostEqual(ours, theirs, delta=1e-5)
        core.kldve_heatmap_free(heat[0])
        core.kldve_image_free(photo[0])
        core.kldve_explainer_free(net[0])
        core.kldve_ctx_free(ctx[0])

    def test_all_functions(self):
        """Every exported name has a declaration, and the other way round."""
        for library, listed in [("libkldve.so.1", "symbols.txt"), ("libkldve-onnx.so.1", "symbols-onnx.txt")]:
            loaded = self.ffi.dlopen(library)
            with open(os.path.join(SOURCE, "tests", "abi", listed)) as file:
                for name in file.read().split():
                    getattr(loaded, name)


class Definition(Case):
    @unittest.skipUnless(has("pycparser"), "no pycparser")
    def test_pycparser(self):
        import pycparser
        tree = pycparser.CParser().parse(make_cdef.cdef(typedefs=True))
        names = {node.name for node in tree.ext}
        self.assertIn("kldve_explain", names)
        self.assertIn("kldve_onnx_options", names)

    def test_conditions(self):
        """A declaration that depends on the compiler is refused and not taken for granted."""
        with self.assertRaisesRegex(make_cdef.Unknown, "kldve_handle"):
            make_cdef.branches("#if defined(_WIN32)\nint kldve_handle(void);\n#endif\n")


if __name__ == "__main__":
    main()
