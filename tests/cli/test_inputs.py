"""Inputs of every form through the command, against torch: scores within rounding, and for the
linear network the map itself.  Arrays, good and bad."""
import io
import json
import os
import shutil
import struct
import tempfile
import unittest

import tinynet
from command import SKIPPED, Npy, main, png, read_json, run
from test_compare import png_pixels

try:
    import numpy
    import torch
    from torch import nn
except ImportError:
    raise SystemExit(SKIPPED)


class Net(nn.Module):
    """A small convolutional network over pictures, with whatever leads to it."""

    def __init__(self, channels=3, before=None, batch=None):
        super().__init__()
        self.before, self.batch = before, batch
        self.features = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(),
                                      nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        x = self.features(self.before(x) if self.before else x).mean((2, 3))
        return self.head(x.reshape(self.batch, 12) if self.batch else x)


class Mean(nn.Module):
    """Over the pictures of a batch."""

    def forward(self, x):
        return x.mean(0, keepdim=True)


class Shape(nn.Module):
    """A shape that only a batch of 4 has."""

    def forward(self, x):
        return x.reshape(4, 5, 16, 16)


class Sound(nn.Module):
    def __init__(self, raw):
        super().__init__()
        self.raw = raw
        self.features = nn.Sequential(nn.Conv1d(1, 8, 9, stride=4), nn.ReLU(),
                                      nn.Conv1d(8, 16, 9, stride=4), nn.ReLU())
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        return self.head(self.features(x.unsqueeze(1) if self.raw else x).mean(2))


class Film(nn.Module):
    """Convolutions over time and space; `pool` frames become one."""

    def __init__(self, pool=1, order=None):
        super().__init__()
        self.order = order
        self.features = nn.Sequential(nn.Conv3d(3, 8, 3, padding=1), nn.ReLU(),
                                      nn.MaxPool3d((pool, 2, 2)), nn.Conv3d(8, 12, 3, padding=1),
                                      nn.ReLU())
        self.head = nn.Linear(12, 5)

    def forward(self, x):
        return self.head(self.features(x.permute(self.order) if self.order else x).mean((2, 3, 4)))


class Frames(nn.Module):
    """The mean of the scores of each frame, [1][frames][3][height][width]; `weight` of each."""

    def __init__(self, weight=None):
        super().__init__()
        self.net, self.weight = Net(), weight

    def forward(self, x):
        scores = self.net(x.reshape(-1, *x.shape[2:]))
        return (scores * self.weight if self.weight is not None else scores).mean(0, keepdim=True)


class Several(nn.Module):
    """A picture, a vector and a scalar."""

    def __init__(self):
        super().__init__()
        self.net, self.side = Net(), nn.Linear(3, 5)

    def forward(self, picture, vector, factor):
        return self.net(picture) * factor + self.side(vector)


class Memory(nn.Module):
    """A state in and out."""

    def __init__(self):
        super().__init__()
        self.net, self.head = Net(), nn.Linear(12, 5)

    def forward(self, picture, state):
        after = torch.tanh(state + self.net.features(picture).mean((2, 3)))
        return self.head(after), after


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-inputs-")
        self.addCleanup(shutil.rmtree, self.dir)
        torch.manual_seed(3)

    def path(self, name):
        return os.path.join(self.dir, name)

    def export(self, net, *inputs, **how):
        """-> the scores that torch computes."""
        net.eval()
        self.inputs = inputs
        torch.onnx.export(net, inputs, self.path("n.onnx"), opset_version=13, **how)
        self.save("x.npy", inputs[0])
        out = net(*inputs)
        return (out[0] if isinstance(out, tuple) else out).detach().numpy().reshape(-1)

    def save(self, name, array):
        numpy.save(self.path(name), array.numpy() if isinstance(array, torch.Tensor) else array)

    def explain(self, *args, subject="x.npy"):
        json = [] if "--json" in args else ["--json", "o.json"]
        return run("explain", "n.onnx", subject, *json, "--dump", "d", "--map", "m.npy", *args,
                   cwd=self.dir)

    def succeed(self, want, *args, **keywords):
        result = self.explain(*args, **keywords)
        self.assertEqual(result.status, 0, result.err)
        found = numpy.array(Npy(self.path("d/logits.npy")).value)
        numpy.testing.assert_allclose(found, want[:len(found)], rtol=2e-6, atol=2e-6)
        return result

    def refused(self, line, *args, status=1, **keywords):
        result = self.explain(*args, **keywords)
        self.assertEqual((result.status, result.out), (status, ""), result.err)
        self.assertRegex(result.err, r"\Akldve: [^\n]*" + line + r"[^\n]*\n\Z")
        self.assertFalse(os.path.exists(self.path("o.json")))

    def notes(self):
        return " ".join(read_json(self.path("o.json"))["notes"])


class Forms(Case):
    def test_channels(self):
        for channels in [1, 2, 4, 5, 9]:
            want = self.export(Net(channels), torch.rand(1, channels, 16, 16))
            self.succeed(want, "-o", "o.png")
            self.assertEqual(Npy(self.path("m.npy")).shape, (8, 8))

    def test_without_a_batch(self):
        want = self.export(Net(before=lambda x: x.unsqueeze(0)), torch.rand(3, 16, 16))
        self.succeed(want)
        want = self.export(Net(1, before=lambda x: x[None, None]), torch.rand(16, 18))
        self.succeed(want)
        self.assertEqual(Npy(self.path("m.npy")).shape, (8, 9))

    def test_batch_that_becomes_one(self):
        want = self.export(Net(), torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1))
        self.save("one.npy", numpy.load(self.path("x.npy"))[:1])
        self.succeed(want, subject="one.npy")
        self.assertIn("batches of 4: it is run with one picture", self.notes())

    def test_batch_that_stays(self):
        want = self.export(Net(batch=4), torch.rand(1, 3, 16, 16).repeat(4, 1, 1, 1))
        self.save("one.npy", numpy.load(self.path("x.npy"))[:1])
        self.succeed(want, "--method", "saliency", subject="one.npy")
        self.assertIn("batches of 4: all are the same picture", self.notes())
        for method in ["kl-dve", "ablation-cam", "score-cam", "eigen-cam", "lrp-zplus"]:
            self.succeed(want, "--method", method, subject="one.npy")
            self.assertFalse(read_json(self.path("o.json"))["notes"][1:])

    def test_picture_of_a_batch(self):
        """The map of picture 2 is that of the same network for one picture."""
        net, x = Net(batch=4), torch.rand(4, 3, 16, 16)
        want = self.export(net, x).reshape(4, 5)
        self.succeed(want[2], "--item", "2")
        self.assertIn("the scores of picture 2 are explained", self.notes())
        self.assertEqual(read_json(self.path("o.json"))["item"], 2)
        of_batch = Npy(self.path("m.npy")).value
        net.batch = None
        self.export(net, x[2:3])
        self.succeed(want[2])
        numpy.testing.assert_allclose(Npy(self.path("m.npy")).value, of_batch, atol=2e-5)
        self.export(net, x)
        self.succeed(want[3], "--item", "3")  # this file allows batches of 1
        self.assertIn("it is run with one picture", self.notes())
        os.remove(self.path("o.json"))
        self.refused(r"the array is 4 x 3 x 16 x 16, but .* 1 x 3 x 16 x 16: --item N says which")
        self.refused(r"--item 4: the array has 4 pictures", "--item", "4")
        self.save("y.npy", x[:3])
        net.batch = 4
        self.export(net, x)
        self.refused(r"the array must have all of its pictures", "--item", "1", subject="y.npy")
        with open(self.path("p.png"), "wb") as file:
            file.write(png(16, 16, lambda x, y: bytes([x, y, 0])))
        self.refused(r"--item changes nothing: p\.png is one picture", "--item", "1",
                     subject="p.png", status=2)

    def test_place_in_a_batch(self):
        """A segmentation of a fixed batch: the scores of one picture at a pixel."""
        net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 5, 1), Shape())
        x = torch.rand(4, 3, 16, 16)
        self.export(net, x)
        want = net(x).detach().numpy()
        self.succeed(want[2, :, 7, 11], "--item", "2", "--at", "11,7")
        self.assertEqual(Npy(self.path("m.npy")).shape, (16, 16))

    def test_tokens_of_a_batch(self):
        """Attention keeps pictures apart: the layer is that of one."""
        layer = nn.TransformerEncoderLayer(12, 2, 16, batch_first=True, dropout=0.)
        net = Net(before=None, batch=4)
        net.features, net.tokens = nn.Conv2d(3, 12, 4, 4), layer
        net.forward = lambda x: net.head(net.tokens(
            net.features(x).flatten(2).transpose(1, 2)).mean(1).reshape(4, 12))
        x = torch.rand(4, 3, 16, 16)
        want = self.export(net, x).reshape(4, 5)
        self.succeed(want[1], "--item", "1")
        self.assertNotIn("the maps of 4 pictures", self.notes())

    def test_mirror_and_crops(self):
        """A network that makes a batch of the picture has a layer as large as the picture."""

        def crops(x):
            x = torch.cat([x[:, :, :12, :12], x[:, :, :12, 4:], x[:, :, 4:, :12], x[:, :, 4:, 4:]])
            return torch.cat([x, x.flip(3)])

        for before, maps, size in [(lambda x: torch.cat([x, x.flip(3)]), 24, 8), (crops, 96, 8)]:
            net = Net(before=before)
            net.head = nn.Sequential(net.head, Mean())
            want = self.export(net, torch.rand(1, 3, 16, 16))
            for method in ["kl-dve", "layer-cam", "ablation-cam"]:
                self.succeed(want, "--method", method)
            self.assertEqual(Npy(self.path("m.npy")).shape, (size, size))
            self.assertEqual(read_json(self.path("o.json"))["all_paths"], True)
            self.assertIn("pictures that the network makes of one", self.notes())

    def test_integers(self):
        """Whole numbers reach the network rounded, and gradients come back through it."""
        bytes_ = torch.randint(0, 255, (1, 3, 16, 16), dtype=torch.uint8)
        want = self.export(Net(before=lambda x: x.float() / 255), bytes_)
        self.succeed(want)
        self.save("y.npy", bytes_.float() + 0.25)
        self.succeed(want, "--method", "saliency", subject="y.npy")
        self.assertGreater(len(set(Npy(self.path("m.npy")).value)), 10)
        want = self.export(Net(before=lambda x: x.float().permute(0, 3, 1, 2)),
                           torch.randint(0, 255, (1, 16, 16, 3), dtype=torch.uint8))
        self.succeed(want)

    def test_float64(self):
        self.succeed(self.export(Net().double(), torch.rand(1, 3, 16, 16).double()))

    def test_sound(self):
        self.succeed(self.export(Sound(False), torch.randn(1, 1, 800)))
        self.assertEqual(Npy(self.path("m.npy")).shape[0], 1)
        self.succeed(self.export(Sound(True), torch.randn(1, 800)), "-o", "o.png")
        want = self.export(Sound(False), torch.randn(1, 1, 900), input_names=["wave"],
                           dynamic_axes={"wave": {2: "samples"}})
        self.succeed(want)
        self.assertNotIn("is open", self.notes())
        self.refused("the array is 1 x 1 x 900, but the input 'wave' of n.onnx is 1 x 1 x 700",
                     "--dim", "samples=700") if not os.path.exists(self.path("o.json")) else None

    def test_film(self):
        for net, shape, frames, layout in [
                (Film(), (1, 3, 4, 16, 20), 4, "NCTHW"), (Film(2), (1, 3, 4, 16, 20), 2, "NCTHW"),
                (Film(order=(0, 2, 1, 3, 4)), (1, 4, 3, 16, 20), 4, "NTCHW"),
                (Film(order=(0, 4, 1, 2, 3)), (1, 4, 16, 20, 3), 4, "NTHWC"),
                (Frames(), (1, 4, 3, 16, 20), 4, "NTCHW"),
                (Frames(), (1, 3, 3, 16, 20), 3, "NTCHW")]:
            want = self.export(net, torch.rand(*shape))
            self.succeed(want, "-o", "o.png")
            record = read_json(self.path("o.json"))
            self.assertEqual(record["layer_frames"], frames)
            self.assertEqual(Npy(self.path("m.npy")).shape, (record["frames"], 8, 10))
            self.assertIn(f"is a film of {record['frames']} frames, its axes {layout}",
                          self.notes())
            self.succeed(want, "--layout", layout)
            self.assertNotIn("is a film", self.notes())

    def test_frames_of_a_film(self):
        """Each frame has the map that it has in a network for one frame."""
        net, x = Frames(), torch.rand(1, 4, 3, 16, 16)
        want = self.export(net, x)
        methods = [["--method", "layer-cam", "--target", "3"],
                   ["--method", "saliency", "--target", "3"]]
        for method in methods:
            self.export(net, x)
            self.succeed(want, *method)
            film = numpy.array(Npy(self.path("m.npy")).value).reshape(4, -1)
            self.assertEqual(film.max(), 1)
            for t in range(4):
                self.export(net.net, x[0, t:t + 1])
                self.assertEqual(self.explain(*method).status, 0)
                one = numpy.array(Npy(self.path("m.npy")).value)
                numpy.testing.assert_allclose(
                    (film[t] - film[t].min()) / (film[t].max() - film[t].min()),
                    (one - one.min()) / (one.max() - one.min()), atol=1e-4)

    def test_only_one_frame_counts(self):
        """Methods that change the input find the only frame that the score depends on."""
        weight = torch.zeros(4, 1)
        weight[2] = 4
        want = self.export(Frames(weight), torch.rand(1, 4, 3, 16, 16))
        for method in ["occlusion", "prediction-difference", "lime", "kernel-shap",
                       "integrated-gradients", "guided-grad-cam", "recipro-cam"]:
            self.succeed(want, "--method", method)
            film = numpy.array(Npy(self.path("m.npy")).value).reshape(4, -1)
            spread = film.max(1) - film.min(1)
            self.assertGreater(spread[2], 0.1, method)
            drawn = method in ["lime", "kernel-shap"]  # fitted to random draws
            numpy.testing.assert_allclose(spread[[0, 1, 3]], 0, atol=0.5 if drawn else 1e-5,
                                          err_msg=method)
        for method in ["rise", "score-cam", "ablation-cam", "smooth-grad", "lrp-epsilon"]:
            self.succeed(want, "--method", method)

    def test_pictures_of_a_film(self):
        """A picture for each frame is the array of their pixels."""
        frames = ["f0.png", "f1.png", "f2.png", "f3.png"]
        x = torch.zeros(1, 4, 3, 16, 16)
        for t, name in enumerate(frames):
            rgb = lambda x, y: bytes([(40 * t + 9 * x) % 256, 11 * y, 7 * x])
            with open(self.path(name), "wb") as file:
                file.write(png(16, 16, rgb))
            for i in range(256):
                x[0, t, :, i // 16, i % 16] = torch.tensor(list(rgb(i % 16, i // 16)))
        want = self.export(Frames(), x)
        self.succeed(want)
        of_array = Npy(self.path("m.npy")).value
        self.succeed(want, *frames[1:], "-o", "sheet.png", "--heat", "heat.png", subject="f0.png")
        numpy.testing.assert_allclose(Npy(self.path("m.npy")).value, of_array, atol=1e-5)
        self.assertEqual(read_json(self.path("o.json"))["pictures"], frames)
        for name in ["sheet.png", "heat.png"]:
            with open(self.path(name), "rb") as file:
                size = struct.unpack(">II", file.read(24)[16:])
            self.assertEqual(size, (516, 516))
        self.succeed(want, *frames[1:], "--heat", "grey.png", "--colormap", "grey", "--upsample", "bilinear", "--clip",
                     "0", "--enlarge", "0", "--force", subject="f0.png")
        rows, maps = png_pixels(self.path("grey.png"))[3], torch.tensor(Npy(self.path("m.npy")).value)
        large = torch.nn.functional.interpolate(maps.reshape(1, 4, *Npy(self.path("m.npy")).shape[1:]).float(), size=(16, 16),
                                                mode="bilinear", align_corners=False)[0]
        for t in range(4):  # all on one scale, two beside each other
            for y in range(16):
                for x in range(16):
                    got = rows[20 * (t // 2) + y][3 * (20 * (t % 2) + x)]
                    self.assertLessEqual(abs(got - 255 * float(large[t, y, x])), 1.01)
        drawn = run("explain", "n.onnx", *frames, "--terminal", "--quiet", cwd=self.dir)
        self.assertEqual({line.count("\u2580") for line in drawn.out.splitlines()}, {46})  # 36 x 36 in 23 rows
        os.remove(self.path("o.json"))
        self.refused("takes films of 4 frames, and 2 pictures are given", "f1.png",
                     subject="f0.png")
        self.refused("takes films of 4 frames, and 1 picture is given", subject="f0.png")
        self.refused(r"x\.npy holds all frames: give no picture beside it", "f1.png", status=2)
        self.refused(r"-o f2\.png would overwrite f2\.png", *frames[1:], "-o", "f2.png",
                     subject="f0.png", status=2)
        with open(self.path("f2.png"), "wb") as file:
            file.write(png(8, 16, lambda x, y: b"abc"))
        self.refused("frame 2 has 8 x 16 pixels, frame 0 has 16 x 16", *frames[1:],
                     subject="f0.png")
        self.export(Net(), torch.rand(1, 3, 16, 16))
        self.refused("names the result of one picture", "f1.png", subject="f0.png", status=2)

    def test_open_number_of_frames(self):
        for t in range(6):
            with open(self.path(f"f{t}.png"), "wb") as file:
                file.write(png(16, 16, lambda x, y: bytes([x * y, t, 3])))
        self.export(Film(), torch.rand(1, 3, 4, 16, 16), input_names=["film"],
                    dynamic_axes={"film": {2: "frames"}})
        result = self.explain(*[f"f{t}.png" for t in range(1, 6)], subject="f0.png")
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(Npy(self.path("m.npy")).shape, (6, 8, 8))

    def test_layout(self):
        want = self.export(Film(), torch.rand(1, 3, 3, 16, 20))
        self.succeed(want)
        os.remove(self.path("o.json"))
        for layout, line in [("NCHW", "input '.*' has 5 axes: give a letter of"),
                             ("NCXHW", "has 5 axes"), ("NCTHH", "H is there twice"),
                             ("CTNHW", "N, must come first")]:
            self.refused(f"layout '{layout}': .*{line}", "--layout", layout)
        self.export(Net(), torch.rand(1, 3, 16, 16))
        self.refused("H and W, the rows and columns, must be there", "--layout", "NCTW")
        want = self.export(Net(before=lambda x: x.permute(0, 3, 1, 2)), torch.rand(1, 16, 20, 3))
        self.succeed(want, "--layout", "NHWC")
        self.assertEqual(Npy(self.path("m.npy")).shape, (8, 10))
        # no batch, channels last: found by the length of the last axis
        want = self.export(Net(before=lambda x: x.permute(2, 0, 1)[None]), torch.rand(16, 20, 3))
        self.succeed(want)
        self.assertIn("is taken as [height][width][channels]", self.notes())
        self.assertEqual(Npy(self.path("m.npy")).shape, (8, 10))
        # frames of a film along what looks like a batch
        net = Net()
        net.head = nn.Sequential(net.head, Mean())
        want = self.export(net, torch.rand(4, 3, 16, 16))
        self.succeed(want, "--layout", "TCHW")
        self.assertEqual(Npy(self.path("m.npy")).shape, (4, 8, 8))

    def test_numbers(self):
        """Of a linear network, gradient x input is the weight times the number."""
        linear = nn.Linear(12, 4)
        want = self.export(linear, torch.randn(1, 12))
        self.succeed(want, "--method", "gradient-x-input", "--target", "2", "--sign", "signed")
        products = (linear.weight[2].detach().numpy() * numpy.load(self.path("x.npy"))[0])
        numpy.testing.assert_allclose(
            Npy(self.path("m.npy")).value, 0.5 + 0.5 * products / abs(products).max(), atol=1e-5)
        self.assertIn("no layer with more than one cell", self.notes())
        for shape in [(12,), (1, 12)]:
            self.succeed(self.export(linear, torch.randn(*shape)), "--method", "occlusion")

    def test_numbers_as_a_picture(self):
        want = self.export(nn.Linear(3 * 6 * 8, 10), torch.rand(1, 144))
        self.succeed(want, "--method", "saliency", "--size", "8x6", "-o", "o.png")
        self.assertEqual(Npy(self.path("m.npy")).shape, (6, 8))


class Drawn(Case):
    def draw(self, name, pixel, size=(16, 16), depth=8, colour=2):
        with open(self.path(name), "wb") as file:
            file.write(png(*size, pixel, depth, colour))

    def value(self, c, x, y):
        return (37 * c + 13 * x + 7 * y + 5) % 256

    def pixel(self, channels):
        return lambda x, y: bytes(self.value(c, x, y) for c in range(channels))

    def card(self, content):
        with open(self.path("n.card.json"), "w") as file:
            json.dump(content, file)


class Pictures(Drawn):
    """Pictures with alpha, grey and 16 bits for networks of 1, 2 and 4 channels."""

    def array(self, channels, value):
        """value(c, x, y) as the array that the network takes."""
        x = numpy.zeros((1, channels, 16, 16), "f4")
        for c, i, j in numpy.ndindex(channels, 16, 16):
            x[0, c, i, j] = value(c, j, i)
        return torch.from_numpy(x)

    def test_alpha(self):
        for channels, colour in [(2, 4), (4, 6)]:
            want = self.export(Net(channels), self.array(channels, self.value))
            self.draw("p.png", self.pixel(channels), colour=colour)
            self.succeed(want, "-o", "o.png", subject="p.png")
            wide = lambda x, y: b"".join(bytes(2 * [v]) for v in self.pixel(channels)(x, y))
            self.draw("p.png", wide, depth=16, colour=colour)
            self.succeed(want, subject="p.png")

    def test_without_alpha(self):
        """An opaque picture."""
        opaque = lambda c, x, y: 255 if c == 3 else self.value(c, x, y)
        want = self.export(Net(4), self.array(4, opaque))
        self.draw("p.png", self.pixel(3))
        self.succeed(want, subject="p.png")
        want = self.export(Net(2), self.array(2, lambda c, x, y: 255 if c else self.value(0, x, y)))
        self.draw("p.png", self.pixel(1), colour=0)
        self.succeed(want, subject="p.png")

    def test_numbers_of_each_channel(self):
        mean, std = [10, 20, 30, 40], [2, 4, 8, 16]
        prepare = lambda c, x, y: (0.5 * self.value(c, x, y) - mean[c]) / std[c]
        want = self.export(Net(4), self.array(4, prepare))
        self.draw("p.png", self.pixel(4), colour=6)
        numbers = ["--scale", "0.5", "--mean", "10,20,30,40", "--std", "2,4,8,16"]
        self.succeed(want, *numbers, subject="p.png")
        reverse = lambda c, x, y: prepare(c if c == 3 else 2 - c, x, y)
        want = self.export(Net(4), self.array(4, reverse))
        self.succeed(want, "--channels", "BGRA", "--scale", "0.5", "--mean", "30,20,10,40", "--std",
                     "8,4,2,16", subject="p.png")
        self.card({"input": {"channels": "BGRA", "scale": 0.5, "mean": [30, 20, 10, 40],
                             "std": [8, 4, 2, 16]}})
        self.succeed(want, subject="p.png")
        os.remove(self.path("n.card.json"))
        os.remove(self.path("o.json"))
        self.refused("--mean has 3 numbers for 4 channels: give one, or one for each", "--mean",
                     "1,2,3", subject="p.png")
        self.refused("grey for a network whose input has 4 channels", "--channels", "GRAY",
                     subject="p.png")

    def test_alpha_is_resized_and_cut(self):
        """As red is: here both are the same."""
        self.export(Net(4), torch.rand(1, 4, 16, 16))
        self.draw("p.png", lambda x, y: bytes([x * y % 256, y, 9, x * y % 256]), (40, 57), colour=6)
        self.assertEqual(self.explain("--method", "gradient-x-input", "--crop", "20", "--resize",
                                      "24", subject="p.png").status, 0)
        net = Net(1, before=lambda x: torch.cat([x, x - x, x - x, x], 1))
        net.features[0] = nn.Conv2d(4, 8, 3, padding=1)
        self.export(net, torch.rand(1, 1, 16, 16))
        one = Net(4)
        one.load_state_dict(net.state_dict())
        self.draw("g.png", lambda x, y: bytes([x * y % 256]), (40, 57), colour=0)
        self.assertEqual(self.explain("--crop", "20", "--resize", "24", subject="g.png").status, 0)
        of_grey = Npy(self.path("d/logits.npy")).value
        self.draw("p.png", lambda x, y: bytes([x * y % 256, 0, 0, x * y % 256]), (40, 57), colour=6)
        self.export(one, torch.rand(1, 4, 16, 16))
        self.succeed(numpy.array(of_grey), "--crop", "20", "--resize", "24", subject="p.png")

    def test_five_channels(self):
        self.export(Net(5), torch.rand(1, 5, 16, 16))
        self.draw("p.png", self.pixel(3))
        self.refused("has 5 channels, a picture has 1 to 4: give an array", subject="p.png")


class Cards(Drawn):
    """What a card says about inputs, and that the command line wins."""

    def test_inputs(self):
        vector = torch.randn(1, 3)
        want = self.export(Several(), torch.rand(1, 3, 16, 16), vector, torch.tensor(2.0),
                           input_names=["img", "vector", "factor"])
        self.card({"inputs": {"vector": vector.tolist(), "factor": 2}, "picture_input": "img"})
        self.succeed(want)
        os.mkdir(self.path("v"))
        self.save("v/v.npy", vector)
        self.card({"inputs": {"vector": "v/v.npy", "factor": 7}})
        self.succeed(want, "--input", "factor=2")
        os.remove(self.path("o.json"))
        refused = run("explain", "n.onnx", "x.npy", "--map", "v/v.npy", cwd=self.dir)
        self.assertRegex(refused.err, r"--map v/v\.npy would overwrite \S*v/v\.npy")
        self.card({"inputs": {"vector": "v/none.npy", "factor": 2}})
        self.refused("v/none.npy: cannot open")
        self.card({"inputs": {"vektor": 1, "factor": 2, "vector": 0}})
        self.refused("no input is called 'vektor'")
        self.card({"picture_input": "pic", "inputs": {"vector": 0, "factor": 2}})
        self.refused(r"no input is called 'pic' \(given as the picture\)")

    def test_dims_and_layout(self):
        want = self.export(Film(order=(0, 2, 1, 3, 4)), torch.rand(1, 3, 3, 16, 16),
                           input_names=["x"], dynamic_axes={"x": {1: "t", 3: "h", 4: "w"}})
        self.card({"layout": "NTCHW", "dims": {"t": 3, "h": 16, "w": 16}})
        self.succeed(want)
        self.assertNotIn("is a film", self.notes())
        frames = ["a.png", "b.png", "c.png"]
        for name in frames:
            self.draw(name, self.pixel(3))
        self.assertEqual(self.explain(*frames[1:], subject="a.png").status, 0)
        os.remove(self.path("o.json"))
        self.card({"input": {"shape": [1, 3, 3, 16, 16]}, "layout": "NTCHW"})
        self.assertEqual(self.explain(*frames[1:], subject="a.png").status, 0)
        os.remove(self.path("o.json"))
        self.card({"dims": {"q": 3}})
        self.refused("no open dimension is called 'q'")
        self.card({"layout": "TCHW"})
        self.refused("has 5 axes: give a letter")

    def test_select(self):
        want = self.export(Net(), torch.rand(1, 3, 16, 16), output_names=["y"])
        self.card({"select": "y[0, 1:4]"})
        self.succeed(want[1:4])


class OtherInputs(Case):
    def setUp(self):
        super().setUp()
        names = ["img", "vector", "factor"]
        self.vector = torch.randn(1, 3)
        self.want = self.export(Several(), torch.rand(1, 3, 16, 16), self.vector,
                                torch.tensor(2.0), input_names=names)
        self.save("v.npy", self.vector)

    def test_given(self):
        self.succeed(self.want, "--input", "vector=v.npy", "--input", "factor=2")

    def test_missing(self):
        self.refused(r"the picture is input 'img'; the input 'vector' float32 \[1\]\[3\] needs a "
                     r"value: give it \(--input vector=FILE\.npy", "--input", "factor=2")

    def test_wrong(self):
        two = ["--input", "vector=0", "--input", "factor=2"]
        self.refused(r"no input is called 'vektor'; there are 'img' float32", *two, "--input",
                     "vektor=0")
        self.refused(r"another shape than the input 'vector' float32 \[1\]\[3\]", "--input",
                     "vector=x.npy", "--input", "factor=2")
        self.refused(r"'img' is the picture and takes no other value", *two, "--input", "img=0",
                     "--picture-input", "img")
        self.refused(r"no\.npy: cannot open: No such file", "--input", "vector=no.npy")
        self.refused(r"no input is called 'pic' \(given as the picture\); there are 'img'", *two,
                     "--picture-input", "pic")
        self.refused(r"--input: 'vector' is not of the form", "--input", "vector", status=2)
        self.refused(r"--input: 'vector=a\.txt' is not of the form", "--input", "vector=a.txt",
                     status=2)
        self.refused(r"--dim: 'n=0' is not of the form NAME=N", "--dim", "n=0", status=2)
        self.refused(r"no open dimension is called 'n'; the inputs are 'img'", *two, "--dim", "n=3")
        self.refused(r"--json v\.npy would overwrite v\.npy", "--input", "vector=v.npy", "--json",
                     "v.npy", status=2)

    def test_state_is_zero(self):
        want = self.export(Memory(), torch.rand(1, 3, 16, 16), torch.zeros(1, 12),
                           input_names=["img", "h"], output_names=["y", "h2"])
        self.succeed(want)
        self.assertIn("'h' float32 [1][12] is zero: it seems to be a state", self.notes())

    def test_open_dimensions(self):
        want = self.export(Net(), torch.rand(1, 3, 24, 20), input_names=["img"],
                           dynamic_axes={"img": {0: "n", 2: "hh", 3: "ww"}})
        self.succeed(want)
        self.assertNotIn("is open", self.notes())
        os.remove(self.path("o.json"))
        self.refused(r"the input 'img' of n\.onnx is 1 x 3 x 24 x 16", "--dim", "ww=16")

    def test_symbols(self):
        """Of several inputs, in expressions, of the channels."""

        def masked(picture, mask):
            return picture * mask

        net = Net()
        net.before, net.forward = None, lambda x, m: Net.forward(net, masked(x, m))
        axes = {2: "hh", 3: "ww"}
        want = self.export(net, torch.rand(1, 3, 24, 20), torch.rand(1, 1, 24, 20),
                           input_names=["img", "mask"], dynamic_axes={"img": axes, "mask": axes})
        self.save("mask.npy", self.inputs[1])
        self.succeed(want, "--input", "mask=mask.npy")
        with open(self.path("p.png"), "wb") as file:
            file.write(png(20, 24, lambda x, y: bytes([x, y, 9])))
        self.assertEqual(self.explain("--input", "mask=mask.npy", subject="p.png").status, 0)
        self.assertEqual(Npy(self.path("m.npy")).shape, (12, 10))
        for expression, status in [("2*h", 0), ("(h + h)", 0), ("h*4//2", 0), ("h/3", 0),
                                   ("2*q", 0), ("2*(h", 0), ("h*99999999999999999999", 0)]:
            self.write_expression(expression)
            result = self.explain("--dim", "h=8", subject="p.png")
            self.assertEqual(result.status, status, result.err)
            wide = 16 if expression in ["2*h", "(h + h)", "h*4//2"] else 224
            self.assertEqual(Npy(self.path("m.npy")).shape, (8, wide), expression)
        self.export(Net(1), torch.rand(1, 1, 16, 16), input_names=["img"],
                    dynamic_axes={"img": {0: "n", 1: "c"}})
        self.assertEqual(self.explain(subject="p.png").status, 0)
        self.assertIn("the number of channels of input 'img' is open: 1 is assumed", self.notes())

    def write_expression(self, width):
        content = tinynet.classifier(in_shape=[1, 3, "h", width])
        with open(self.path("n.onnx"), "wb") as file:
            file.write(content)

    def test_size_that_does_not_fit(self):
        net = Net(before=lambda x: x.reshape(1, 3, x.shape[2] // 48, 48, x.shape[3]).permute(
            0, 1, 3, 2, 4).reshape(x.shape))
        self.export(net, torch.rand(1, 3, 96, 96), input_names=["img"],
                    dynamic_axes={"img": {2: "hh", 3: "ww"}})
        with open(self.path("p.png"), "wb") as file:
            file.write(png(20, 24, lambda x, y: bytes([x, y, 9])))
        self.refused(r"the network leaves its size open: 224 x 224 was assumed, 240 x 240 works: "
                     r"give the size that it was trained with \(--size\)", subject="p.png")
        self.assertEqual(self.explain("--size", "96", subject="p.png").status, 0)

    def test_size_of_a_fixed_network(self):
        self.refused(r"fixes the size of its input, 'img', at 16 x 16: 20 x 20 was asked for",
                     "--input", "vector=0", "--input", "factor=2", "--size", "20")
        self.refused(r"--size changes nothing: the network fixes the size of its input",
                     "--input", "vector=0", "--input", "factor=2", "--size", "16")
        self.export(Sound(False), torch.randn(1, 1, 800))
        self.refused(r"--size changes nothing", "--size", "800x1")


class Arrays(Case):
    def setUp(self):
        super().setUp()
        self.x = torch.rand(1, 3, 16, 16)
        self.want = self.export(Net(), self.x)

    def test_forms(self):
        x = self.x.numpy()
        for array in [x, x[0], x.astype("f8"), numpy.asfortranarray(x), numpy.asfortranarray(x[0])]:
            self.save("a.npy", array)
            self.succeed(self.want, subject="a.npy")
        whole = torch.randint(-3, 3, (1, 3, 16, 16))
        want = self.export(Net(), whole.float())
        for kind in ["i1", "i2", "i4", "i8", "f2"]:
            self.save("a.npy", whole.numpy().astype(kind))
            self.succeed(want, subject="a.npy")

    def head(self, text, data=b""):
        text = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data

    def test_bad(self):
        good = io.BytesIO()
        numpy.save(good, self.x.numpy())
        good = good.getvalue()
        shape = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }"
        nan = self.x.numpy().copy()
        nan[0, 1, 2, 3] = numpy.nan
        self.save("nan.npy", nan)
        self.refused(r"nan\.npy: number 291 is NaN", subject="nan.npy")
        for data, line in [
                (b"", "not a .npy file"), (b"\x93NUMPY", "not a .npy file"),
                (b"hello, world, this is text", "not a .npy file"),
                (good[:40], "the header of the .npy file is cut off"),
                (good[:-1], "does not hold the 768 numbers"), (good + b"\0", "does not hold"),
                (b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(99), "too long"),
                (self.head(shape % ("<c8", "False", "(2,)"), bytes(16)), "of a type that is not"),
                (self.head(shape % (">f4", "False", "(2,)"), bytes(8)), "of a type that is not"),
                (self.head(shape % ("|O", "False", "(2,)"), bytes(8)), "of a type that is not"),
                (self.head(shape % ("<f4", "Maybe", "(2,)"), bytes(8)), "makes no sense"),
                (self.head(shape % ("<f4", "False", "(2"), bytes(8)), "makes no sense"),
                (self.head(shape % ("<f4", "False", "(-2,)"), bytes(8)), "makes no sense"),
                (self.head(shape % ("<f4", "False", "(9999999999, 9999999999)")), "makes no sense"),
                (self.head(shape % ("<f4", "False", "(4294967296, 4294967296)")), "makes no sense"),
                (self.head(shape % ("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), bytes(4)), "makes no"),
                (self.head("{}"), "of a type"),
                (self.head(shape % ("<f4", "False", "()"), bytes(4)),
                 "the array is a single number, but the input")]:
            with open(self.path("bad.npy"), "wb") as file:
                file.write(data)
            self.refused(line, subject="bad.npy")
        self.refused(r"no\.npy: cannot open", subject="no.npy")

    def test_preparation_is_refused(self):
        for option, value in [("--mean", "3"), ("--std", "3"), ("--scale", "2"), ("--crop", "9"),
                              ("--resize", "9"), ("--channels", "BGR")]:
            self.refused(f"{option} changes nothing: x.npy enters the network as it is", option,
                         value, status=2)

    def test_output_is_not_the_array(self):
        self.refused(r"--json x\.npy would overwrite x\.npy", "--json", "x.npy", status=2)

    def test_truth_and_rival(self):
        """They ask for scores of their own."""
        torch.onnx.export(Net().eval(), self.x, self.path("t.onnx"), opset_version=13)
        self.succeed(self.want, "--truth", "model:t.onnx")
        self.succeed(self.want, "--rival", "top2")


if __name__ == "__main__":
    main()
