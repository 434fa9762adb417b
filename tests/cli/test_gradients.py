"""Gradient methods at the pixels, as the command runs them, against torch's autograd in float64: every rule of the ReLUs, the guided products, the sums over a line and over noise with
their standard errors, signs and kinds of target.

Skipped without torch."""
import os
import shutil
import sys
import tempfile
import unittest

import tinynet
from command import SKIPPED, Npy, png, read_json, run

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(SKIPPED)

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [TESTS, os.path.join(TESTS, "onnx", "zoo")]
from kinks import smallest_shift
from rectifier import Rectifier

HEIGHT, WIDTH, CLASSES = 24, 20, 6
MEAN, STD = (.485, .456, .406), (.229, .224, .225)
MAPS = 2e-5  # maps lie in 0..1; the command computes in float32
# Gradients jump where a ReLU's input changes its sign, where two values of a pooling window are equal,
# and where two channels of a pixel are.  On which side float32 falls there depends on the processor.
# So every point where a gradient is compared keeps these distances.  On these inputs float32 is off
# by up to 5e-6 before a ReLU and by 2e-6 before the pooling.
RELU_MARGIN, POOL_MARGIN = 4e-5, 6e-6
CHANNEL_MARGIN = 2e-5  # of the largest value


# -- the network -----------------------------------------------------------------------------------

GRADIENT, GUIDED, DECONVOLUTION = (True, False), (True, True), (False, True)


class Network:
    """conv ReLU maximum conv ReLU (the layer) conv ReLU mean dense; the same for torch and as a
    file.  `linear`: without ReLUs and maximum."""

    def __init__(self, linear=False):
        rng = np.random.default_rng(1320)
        self.linear = linear
        sizes = [(8, 3, 3, 3), (12, 8, 3, 3), (10, 12, 3, 3), (CLASSES, 10)]
        self.weights = [(rng.normal(size=s) * (2 / np.prod(s[1:])) ** .5).astype(np.float32)
                        for s in sizes]
        self.biases = [(.1 * rng.normal(size=s[0])).astype(np.float32) for s in sizes]
        # As far apart as the classes of a real network, so that contrast and rivals differ.
        self.weights[3] *= 4

    def keep_from_kinks(self, points):
        """Shift the biases, by at most .05, until every ReLU keeps its margin at every
        point [3][h][w]."""
        x = torch.from_numpy(np.stack(points))
        for i in range(3):
            x = F.conv2d(x, torch.from_numpy(self.weights[i]).double(), padding=1)
            for c, bias in enumerate(self.biases[i]):
                values = x[:, c].flatten().numpy() + float(bias)
                self.biases[i][c] += smallest_shift(values, (0.,), 1.2 * RELU_MARGIN)
            x = torch.relu(x + torch.from_numpy(self.biases[i]).double()[:, None, None])
            if i == 0:
                x = F.max_pool2d(x, 2)

    def write(self, path):
        last, nodes, constants = "image", [], []
        for i in range(3):
            constants += [tinynet.tensor(f"k{i}", self.weights[i].shape, self.weights[i].ravel()),
                          tinynet.tensor(f"b{i}", self.biases[i].shape, self.biases[i])]
            nodes.append(tinynet.node("Conv", [last, f"k{i}", f"b{i}"], [f"conv{i}"],
                                      kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
            last = f"conv{i}"
            if not self.linear:
                nodes.append(tinynet.node("Relu", [last], [f"relu{i}"]))
                last = f"relu{i}"
            if i == 0 and not self.linear:
                nodes.append(tinynet.node("MaxPool", [last], ["pool"], kernel_shape=[2, 2],
                                          strides=[2, 2]))
                last = "pool"
        constants += [tinynet.tensor("w", self.weights[3].shape, self.weights[3].ravel()),
                      tinynet.tensor("b", self.biases[3].shape, self.biases[3])]
        nodes += [tinynet.node("GlobalAveragePool", [last], ["mean"]),
                  tinynet.node("Flatten", ["mean"], ["flat"]),
                  tinynet.node("Gemm", ["flat", "w", "b"], ["scores"], transB=1)]
        with open(path, "wb") as file:
            file.write(tinynet.model(nodes, constants,
                                     [tinynet.value_info("image", [1, 3, HEIGHT, WIDTH])],
                                     [tinynet.value_info("scores", [1, CLASSES])]))

    def run(self, x, rule=GRADIENT):
        """Input [3][h][w] -> logits, feature maps of the layer."""
        w = [torch.from_numpy(v).double() for v in self.weights]
        b = [torch.from_numpy(v).double() for v in self.biases]
        x = x[None]
        for i in range(3):
            x = F.conv2d(x, w[i], b[i], padding=1)
            if not self.linear:
                assert not x.requires_grad or x.abs().min() > RELU_MARGIN
                x = Rectifier.apply(x, *rule)
            if i == 0 and not self.linear:
                assert not x.requires_grad or pool_distance(x) > POOL_MARGIN
                x = F.max_pool2d(x, 2)
            if i == 1:
                layer = x
        return (x.mean((2, 3)) @ w[3].T + b[3])[0], layer

    def gradient(self, x, cotangent, rule=GRADIENT):
        x = torch.from_numpy(x).requires_grad_()
        logits, _ = self.run(x, rule)
        return torch.autograd.grad((logits * torch.as_tensor(cotangent)).sum(), x)[0].numpy()

    def cam(self, x, cotangent):
        """ReLU(sum over maps of mean gradient x map), at the size of the input."""
        x = torch.from_numpy(x).requires_grad_()
        logits, layer = self.run(x)
        g = torch.autograd.grad((logits * torch.as_tensor(cotangent)).sum(), layer)[0]
        return enlarge(torch.relu((g.mean((2, 3), keepdim=True) * layer).sum(1)))

    def activity(self, x):
        _, layer = self.run(torch.from_numpy(x))
        return enlarge(layer.sum(1))


def pool_distance(x):
    """The smallest distance between the two largest values of a window that is not all zero."""
    windows = x.detach().unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
    best = windows.sort(-1).values[..., -2:]
    return (best[..., 1] - best[..., 0])[best[..., 1] > 0].min()


def enlarge(cells):
    return F.interpolate(cells[None], (HEIGHT, WIDTH), mode="bilinear",
                         align_corners=False)[0, 0].detach().numpy()


# -- the methods, from their definitions -----------------------------------------------------------

def largest_channel(v):
    """[3][h][w] -> [1][h][w], where no second channel comes close."""
    best = np.sort(v, 0)
    assert (best[-1] - best[-2]).min() > CHANNEL_MARGIN * v.max()
    return v.argmax(0)[None]


def strongest(v):
    """[3][h][w] -> value of the channel with the largest magnitude."""
    return np.take_along_axis(v, largest_channel(np.abs(v)), 0)[0]


def contrast(k, c, power=1):
    d = k - k[c]
    t = -np.abs(d) / (1 + d * d) ** power
    t[c] = -t.sum()
    return t / t.std()


def neighbours(k, c, perplexity):
    """Exponential weights of the distance, their width by bisection."""
    d = np.abs(k - k[c])
    others = np.arange(len(k)) != c
    low, high = 0, 1e4 / np.ptp(k)
    for _ in range(200):
        p = np.exp(-(low + high) / 2 * (d - d[others].min())) * others
        p /= p.sum()
        known = p[p > 0]
        if np.exp(-(known * np.log(known)).sum()) > perplexity:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    t = np.where(others, -p, 1)
    return t / t.std()


def line(x, steps):
    return [(i + .5) / steps * x for i in range(steps)]


def integrated(net, x, t, steps):
    return (x * np.mean([net.gradient(p, t) for p in line(x, steps)], 0)).sum(0)


def mix(x):
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
    return x ^ x >> np.uint64(31)


def normal(seed, stream, count):
    """The library's documented generator: SplitMix64, and Box and Muller's transform."""
    step = np.uint64(0x9e3779b97f4a7c15)
    with np.errstate(over="ignore"):
        start = mix(mix(np.uint64(seed) + step) + np.uint64(stream))
        bits = mix(start + step * np.arange(1, 2 * count + 1, dtype=np.uint64))
    u = (bits >> np.uint64(11)).astype(np.float64) * 2. ** -53
    return np.sqrt(-2 * np.log(1 - u[::2])) * np.cos(2 * np.pi * u[1::2])


def noisy(x, samples=25, noise=.15, seed=0):
    sigma = noise * (x.max() - x.min())
    return [x + sigma * normal(seed, k, x.size).reshape(x.shape) for k in range(samples)]


def smooth_grad(g):
    """-> map, standard error"""
    mean, error = g.mean(0), g.std(0, ddof=1) / len(g) ** .5
    channel = largest_channel(np.abs(mean))
    return (np.abs(np.take_along_axis(mean, channel, 0)[0]),
            np.take_along_axis(error, channel, 0)[0])


def var_grad(g):
    n, variance = len(g), g.var(0, ddof=1)
    fourth = ((g - g.mean(0)) ** 4).mean(0)
    error = np.sqrt((fourth - (n - 3) / (n - 1) * variance ** 2) / n)
    channel = largest_channel(variance)
    return np.take_along_axis(variance, channel, 0)[0], np.take_along_axis(error, channel, 0)[0]


# -- the tests -------------------------------------------------------------------------------------

# Options of the command, and of noisy().
NOISE = [([], {}), (["--samples", "7", "--noise", "0.3", "--seed", "99"],
                    {"samples": 7, "noise": .3, "seed": 99})]
STEPS = {3, 4, 32, 64}  # of the integrals

OF_LAYER = {"guided-grad-cam", "guided-kl-dve"}


class Gradients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kldve-gradients-")
        cls.net, cls.linear = Network(), Network(linear=True)
        cls.linear.write(f"{cls.folder}/linear.onnx")
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        noise = np.random.default_rng(6034).integers(0, 120, (HEIGHT, WIDTH, 3))
        pixels = np.uint8(noise + np.stack([5 * y, 6 * x, 2 * (x + y)], 2))
        with open(f"{cls.folder}/picture.png", "wb") as file:
            file.write(png(WIDTH, HEIGHT, lambda x, y: bytes(pixels[y, x])))
        cls.x = ((pixels / 255 - MEAN) / STD).transpose(2, 0, 1).copy()
        cls.net.keep_from_kinks([cls.x] + [p for steps in STEPS for p in line(cls.x, steps)] +
                                [p for _, given in NOISE for p in noisy(cls.x, **given)])
        cls.net.write(f"{cls.folder}/net.onnx")
        cls.logits = cls.net.run(torch.from_numpy(cls.x))[0].numpy()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def explain(self, method, *options, net="net.onnx", target=2):
        """-> map, standard error or None"""
        out = tempfile.mkdtemp(dir=self.folder)
        if net == "net.onnx" and method in OF_LAYER:
            options = (*options, "--layer", "relu1")
        result = run("explain", f"{self.folder}/{net}", f"{self.folder}/picture.png", "--scale",
                     str(1 / 255), "--mean", ",".join(map(str, MEAN)), "--std",
                     ",".join(map(str, STD)), "--method", method, "--target", str(target),
                     "--dump", out, "--json", f"{out}/r.json", "--quiet", *options)
        self.assertEqual((result.status, result.err), (0, ""))
        record = read_json(f"{out}/r.json")
        self.assertEqual(record["method"], method)
        self.assertEqual(record["reading"], self.reading(method, options))
        name = method.replace("-", "")
        error = f"{out}/error_{name}.npy"
        return (self.array(f"{out}/map_{name}.npy"),
                self.array(error) if os.path.exists(error) else None)

    @staticmethod
    def reading(method, options):
        if method != "guided-kl-dve":
            return None
        return options[options.index("--reading") + 1] if "--reading" in options else "neighbours"

    @staticmethod
    def array(path):
        npy = Npy(path)
        return np.array(npy.value).reshape(npy.shape)

    def close(self, found, expected, limit=MAPS):
        self.assertEqual(found.shape, expected.shape)
        self.assertLessEqual(np.abs(found - expected).max(), limit)

    def normalised(self, found, e):
        """A map that is at least 0 in theory."""
        self.assertGreater(e.max(), e.min())
        self.close(found, (e - e.min()) / (e.max() - e.min()))

    def one_hot(self, target):
        return np.eye(CLASSES)[target]

    def test_rules(self):
        for method, rule in [("saliency", GRADIENT), ("deconvolution", DECONVOLUTION),
                             ("guided-backprop", GUIDED), ("salient-deconvolution", GUIDED)]:
            for target in range(CLASSES):
                with self.subTest(method=method, target=target):
                    g = self.net.gradient(self.x, self.one_hot(target), rule)
                    found, error = self.explain(method, target=target)
                    self.normalised(found, np.abs(g).max(0))
                    self.assertIsNone(error)

    def test_gradient_x_input(self):
        for target in range(CLASSES):
            e = (self.x * self.net.gradient(self.x, self.one_hot(target))).sum(0)
            found, _ = self.explain("gradient-x-input", target=target)
            self.close(found, .5 + e / (2 * np.abs(e).max()))
            found, _ = self.explain("gradient-x-input", "--sign", "positive", target=target)
            self.normalised(found, np.maximum(e, 0))
            found, _ = self.explain("gradient-x-input", "--sign", "absolute", target=target)
            self.normalised(found, np.abs(e))

    def test_integrated_gradients(self):
        for steps, options in [(32, []), (3, ["--samples", "3"])]:
            e = integrated(self.net, self.x, self.one_hot(2), steps)
            found, _ = self.explain("integrated-gradients", "--sign", "signed", *options)
            self.close(found, .5 + e / (2 * np.abs(e).max()))
            self.normalised(self.explain("integrated-gradients", *options)[0], np.maximum(e, 0))

    def test_completeness(self):
        """The sum of torch's map, which the command's equals, is the change of the score."""
        e = integrated(self.net, self.x, self.one_hot(2), 64)
        change = self.logits[2] - self.net.run(torch.zeros(3, HEIGHT, WIDTH).double())[0][2].item()
        found, _ = self.explain("integrated-gradients", "--samples", "64", "--sign", "signed")
        total = ((found - .5) * 2 * np.abs(e).max()).sum()
        self.assertLessEqual(abs(total - change), .01 * abs(change))

    def test_linear_network(self):
        """One gradient everywhere: every step gives the same, noise changes nothing."""
        product, _ = self.explain("gradient-x-input", net="linear.onnx")
        for steps in ["1", "7"]:
            found, _ = self.explain("integrated-gradients", "--sign", "signed", "--samples", steps,
                                    net="linear.onnx")
            self.close(found, product)
        saliency, _ = self.explain("saliency", net="linear.onnx")
        found, error = self.explain("smooth-grad", net="linear.onnx")
        self.close(found, saliency)
        self.close(error, np.zeros_like(error))
        guided, _ = self.explain("guided-backprop", net="linear.onnx")
        self.close(guided, saliency)

    def test_noise(self):
        for options, given in NOISE:
            g = np.array([self.net.gradient(p, self.one_hot(2)) for p in noisy(self.x, **given)])
            for method, oracle in [("smooth-grad", smooth_grad), ("var-grad", var_grad)]:
                with self.subTest(method=method, options=options):
                    e, error = oracle(g)
                    found, found_error = self.explain(method, *options)
                    self.normalised(found, e)
                    self.close(found_error, error / (e.max() - e.min()))

    def test_guided_products(self):
        for target in range(CLASSES):
            guided = np.abs(self.net.gradient(self.x, self.one_hot(target), GUIDED)).max(0)
            coarse = {("guided-grad-cam",): self.net.cam(self.x, self.one_hot(target))}
            for name, power in [("contrast", 1), ("rivals", 2)]:
                coarse["guided-kl-dve", "--reading", name] = self.net.cam(
                    self.x, contrast(self.logits, target, power))
            for more, perplexity in [((), 3), (("--neighbour-perplexity", "1.7"), 1.7)]:
                coarse["guided-kl-dve", "--reading", "neighbours", *more] = self.net.cam(
                    self.x, neighbours(self.logits, target, perplexity))
            coarse["guided-kl-dve",] = coarse["guided-kl-dve", "--reading", "neighbours"]
            coarse["guided-kl-dve", "--reading", "paper"] = self.net.activity(self.x)
            for options, up in coarse.items():
                with self.subTest(target=target, options=options):
                    self.normalised(self.explain(*options, target=target)[0], guided * up)

    def test_targets(self):
        """A class against another, and two together."""
        versus, both = np.zeros(CLASSES), np.zeros(CLASSES)
        versus[2], versus[4], both[[2, 4]] = 1, -1, .5
        for options, t in [(["--rival", "4"], versus), (["--target", "4"], both)]:
            with self.subTest(options=options):
                g = self.net.gradient(self.x, t)
                self.normalised(self.explain("saliency", *options)[0], np.abs(g).max(0))
                e = integrated(self.net, self.x, t, 4)
                found, _ = self.explain("integrated-gradients", "--samples", "4", *options)
                self.normalised(found, np.maximum(e, 0))
                guided = np.abs(self.net.gradient(self.x, t, GUIDED)).max(0)
                found, _ = self.explain("guided-grad-cam", *options)
                self.normalised(found, guided * self.net.cam(self.x, t))

    def test_signs(self):
        """The sign of the strongest channel."""
        for method, rule in [("saliency", GRADIENT), ("guided-backprop", GUIDED)]:
            v = strongest(self.net.gradient(self.x, self.one_hot(2), rule))
            found, _ = self.explain(method, "--sign", "signed")
            self.close(found, .5 + v / (2 * np.abs(v).max()))
            self.normalised(self.explain(method, "--sign", "positive")[0], np.maximum(v, 0))


if __name__ == "__main__":
    unittest.main()
