"""Methods that repeat forward passes against the same in torch, numpy and scikit-learn, on a small
network that torch exports.  Both sides use the same random numbers.

Exit status 77: torch or scikit-learn is missing."""
import os
import random
import shutil
import sys
import tempfile
import unittest

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from sklearn.linear_model import Ridge
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

import command

HEIGHT, WIDTH, CLASSES, MAPS = 30, 37, 6, 12
MEAN, STD = (0.45, 0.5, 0.4), (0.2, 0.25, 0.3)
MASK64 = (1 << 64) - 1


class Network(torch.nn.Module):
    """Convolutions up to the layer, then another one and a linear head."""

    def __init__(self):
        super().__init__()
        conv = torch.nn.Conv2d
        self.features = torch.nn.Sequential(conv(3, 8, 3, 2, 1), torch.nn.ReLU(),
                                            conv(8, MAPS, 3, 2, 1), torch.nn.ReLU())
        self.behind = torch.nn.Sequential(conv(MAPS, 10, 3, 1, 1), torch.nn.ReLU(),
                                          torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                                          torch.nn.Linear(10, CLASSES))

    def forward(self, x):
        return self.behind(self.features(x))


class Random:
    """SplitMix64 as in Steele, Lea and Flood 2014, with streams."""
    STEP = 0x9e3779b97f4a7c15

    @staticmethod
    def mix(x):
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & MASK64
        x = (x ^ x >> 27) * 0x94d049bb133111eb & MASK64
        return x ^ x >> 31

    def __init__(self, seed, stream):
        self.state = self.mix(self.mix(seed + self.STEP & MASK64) + stream & MASK64)

    def bits(self):
        self.state = self.state + self.STEP & MASK64
        return self.mix(self.state)

    def uniform(self):
        return (self.bits() >> 11) * 2.0**-53


def unit(e):
    return (e - e.min()) / (e.max() - e.min())


def signed(e):
    return 0.5 + e / (2 * np.abs(e).max())


def starts(size, window, stride):
    return [*range(0, size - window, stride), size - window]

OF_LAYER = {"score-cam", "ablation-cam", "recipro-cam"}


class Repeats(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        torch.manual_seed(1311)
        cls.folder = tempfile.mkdtemp()
        cls.net = Network().eval()
        with torch.no_grad():
            cls.net.behind[4].weight *= 12  # decided, but not beyond all doubt
            cls.net.features[2].bias[3] = -100.0  # a map that is off
        cls.model = os.path.join(cls.folder, "net.onnx")
        torch.onnx.export(cls.net, torch.zeros(1, 3, HEIGHT, WIDTH), cls.model, opset_version=13)
        cls.net.double()
        draw = random.Random(7)
        pixel = [[[min(255, max(0, int(90 * (1 + ((x // 9 + y // 8 + c) % 2)) + draw.gauss(0, 25))))
                   for c in range(3)] for x in range(WIDTH)] for y in range(HEIGHT)]
        cls.picture = os.path.join(cls.folder, "picture.png")
        with open(cls.picture, "wb") as file:
            file.write(command.png(WIDTH, HEIGHT, lambda x, y: bytes(pixel[y][x])))
        value = (np.array(pixel, np.float64) / 255 - MEAN) / STD
        cls.x = torch.tensor(np.float32(value.transpose(2, 0, 1))[None]).double()
        with torch.no_grad():
            cls.layer = cls.net.features(cls.x)
            cls.logits = cls.net(cls.x)[0]
        cls.target = int(cls.logits.argmax())
        layers = command.run("layers", cls.model)
        cls.layer_name = next(word for line in layers.out.splitlines() for word in line.split()
                              if "features.3" in word and "Relu" in word)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def explain(self, method, *options):
        """The map, the weights of the feature maps (or None) and the error (or None)."""
        dump = tempfile.mkdtemp(dir=self.folder)
        comma = lambda numbers: ",".join(map(str, numbers))
        layer = ["--layer", self.layer_name] if method in OF_LAYER else []
        result = command.run("explain", self.model, self.picture, "--method", method, *layer, "--scale", repr(1 / 255), "--mean", comma(MEAN),
                             "--std", comma(STD), "--dump", dump, *options)
        self.assertEqual(result.status, 0, result.err)

        def load(kind):
            path = os.path.join(dump, f"{kind}_{method.replace('-', '')}.npy")
            return np.load(path).astype(np.float64) if os.path.exists(path) else None

        return load("map"), load("alpha"), load("error")

    def near(self, found, expected, tolerance=2e-5):
        self.assertEqual(found.shape, expected.shape)
        self.assertLess(np.abs(found - expected).max(), tolerance)

    def run_net(self, inputs):
        with torch.no_grad():
            return torch.cat([self.net(batch) for batch in torch.stack(inputs).split(64)])

    def probability(self, inputs, target=None):
        return F.softmax(self.run_net(inputs), 1)[:, self.target if target is None else target]

    # -- windows -----------------------------------------------------------------------------------

    def occlusion(self, window, stride, score):
        places = [(y, x) for y in starts(HEIGHT, window, stride)
                  for x in starts(WIDTH, window, stride)]
        changed = []
        for y, x in places:
            copy = self.x[0].clone()
            copy[:, y:y + window, x:x + window] = 0
            changed.append(copy)
        drop = score([self.x[0]]) - score(changed)
        total, count = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
        for (y, x), d in zip(places, drop.numpy()):
            total[y:y + window, x:x + window] += d
            count[y:y + window, x:x + window] += 1
        return total / count

    def test_occlusion(self):
        found, _, error = self.explain("occlusion", "--window", "7", "--stride", "4")
        self.assertIsNone(error)
        self.near(found, unit(self.occlusion(7, 4, self.probability)))
        found, _, _ = self.explain("occlusion")
        self.near(found, unit(self.occlusion(5, 3, self.probability)))

    def test_occlusion_versus(self):
        other = (self.target + 1) % CLASSES
        found, _, _ = self.explain("occlusion", "--window", "6", "--target", str(self.target),
                                   "--rival", str(other), "--sign", "signed")
        score = lambda inputs: self.probability(inputs) - self.probability(inputs, other)
        self.near(found, signed(self.occlusion(6, 3, score)))

    def test_prediction_difference(self):
        window, samples, pictures = 8, 6, 1e6
        found, _, error = self.explain("prediction-difference", "--window", str(window), "--samples",
                                       str(samples), "--seed", "77", "--sign", "signed")
        places = [(y, x) for y in starts(HEIGHT, window, window)
                  for x in starts(WIDTH, window, window)]

        def log_odds(p):
            p = (p * pictures + 1) / (pictures + CLASSES)
            return np.log2(p / (1 - p))

        total, count = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
        squares = np.zeros((HEIGHT, WIDTH))
        before = log_odds(self.probability([self.x[0]]).numpy()[0])
        for i, (y, x) in enumerate(places):
            changed = []
            for s in range(samples):
                draw = Random(77, i * samples + s)
                v = int(draw.uniform() * (HEIGHT - window + 1))
                u = int(draw.uniform() * (WIDTH - window + 1))
                copy = self.x[0].clone()
                copy[:, y:y + window, x:x + window] = self.x[0, :, v:v + window, u:u + window]
                changed.append(copy)
            p = self.probability(changed).numpy()
            without = [log_odds(np.delete(p, s).mean()) for s in range(samples)]
            total[y:y + window, x:x + window] += before - log_odds(p.mean())
            squares[y:y + window, x:x + window] += (samples - 1) * np.var(without)
            count[y:y + window, x:x + window] += 1
        e = total / count
        self.near(found, signed(e))
        self.near(error, np.sqrt(squares) / count / (2 * np.abs(e).max()))

    # -- masks -------------------------------------------------------------------------------------

    def test_rise(self):
        samples, seed = 50, 1234567890
        found, _, error = self.explain("rise", "--samples", str(samples), "--seed", str(seed))
        masks = []
        tall, wide = -(-HEIGHT // 7), -(-WIDTH // 7)
        for k in range(samples):
            draw = Random(seed, k)
            grid = torch.tensor([[float(draw.uniform() < 0.5) for _ in range(7)] for _ in range(7)])
            down, right = int(draw.uniform() * tall), int(draw.uniform() * wide)
            large = F.interpolate(grid[None, None].double(), (8 * tall, 8 * wide), mode="bilinear",
                                  align_corners=False)[0, 0]
            masks.append(large[down:down + HEIGHT, right:right + WIDTH])
        value = (self.probability([self.x[0] * m for m in masks])[:, None, None] *
                 torch.stack(masks) / 0.5).numpy()
        e = value.mean(0)
        self.near(found, unit(e))
        self.near(error, value.std(0, ddof=1) / np.sqrt(samples) / (e.max() - e.min()))

    def test_score_cam(self):
        found, weights, _ = self.explain("score-cam")
        masks = F.interpolate(self.layer, (HEIGHT, WIDTH), mode="bilinear", align_corners=False)[0]
        live = [m for m in range(MAPS) if masks[m].max() > masks[m].min()]
        self.assertEqual(len(live), MAPS - 1)
        inputs = [self.x[0] * (masks[m] - masks[m].min()) / (masks[m].max() - masks[m].min())
                  for m in live]
        expected = np.zeros(MAPS)
        expected[live] = F.softmax(self.run_net(inputs)[:, self.target], 0).numpy()
        self.near(weights, expected)
        self.near(found, unit(np.maximum(np.tensordot(expected, self.layer[0].numpy(), 1), 0)))

    # -- changed feature maps ----------------------------------------------------------------------

    def behind(self, features):
        with torch.no_grad():
            return self.net.behind(torch.stack(features))

    def test_ablation_cam(self):
        found, weights, _ = self.explain("ablation-cam")
        changed = [self.layer[0] * (torch.arange(MAPS) != m)[:, None, None] for m in range(MAPS)]
        expected = (self.logits[self.target] - self.behind(changed)[:, self.target]).numpy()
        self.near(weights, expected, 1e-5 * np.abs(self.logits.numpy()).max())
        self.near(found, unit(np.maximum(np.tensordot(expected, self.layer[0].numpy(), 1), 0)))

    def test_recipro_cam(self):
        found, _, _ = self.explain("recipro-cam")
        _, _, height, width = self.layer.shape
        blur = torch.tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]]).double() / 16
        changed = []
        for y in range(height):
            for x in range(width):
                mask = torch.zeros(height + 2, width + 2).double()
                mask[y:y + 3, x:x + 3] = blur
                changed.append(self.layer[0] * mask[1:-1, 1:-1])
        e = F.softmax(self.behind(changed), 1)[:, self.target].numpy().reshape(height, width)
        self.near(found, unit(e))

    # -- superpixels -------------------------------------------------------------------------------

    def regions(self, found):
        """The superpixels, numbered in reading order: they are where the map has one value."""
        values, first, label = np.unique(found.ravel(), return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))
        return order[label].reshape(found.shape), values[np.argsort(first)]

    def coalitions(self, z, label):
        masks = [torch.tensor(row[label]).double() for row in z]
        return self.probability([self.x[0] * m for m in masks]).numpy()

    def test_lime(self):
        samples = 300
        found, _, error = self.explain("lime", "--samples", str(samples), "--seed", "9", "--window",
                                       "6", "--sign", "signed")
        label, values = self.regions(found)
        d = len(values)
        self.assertTrue(20 <= d <= 40, d)
        z = []
        for i in range(samples):
            draw = Random(9, i)
            z.append([draw.bits() >> 63 if i else 1 for _ in range(d)])
        z = np.array(z, float)
        distance = 1 - np.sqrt(z.mean(1))
        weight = np.sqrt(np.exp(-distance**2 / 0.25**2))
        y = self.coalitions(z, label)
        model = Ridge(alpha=1, fit_intercept=True).fit(z, y, sample_weight=weight)
        self.near(values, signed(model.coef_))
        # White's standard errors
        centred = z - np.average(z, axis=0, weights=weight)
        inverse = np.linalg.inv(centred.T * weight @ centred + np.eye(d))
        psi = (weight * (y - model.predict(z)))[:, None] * centred @ inverse
        expected = np.sqrt(samples / (samples - d) * (psi**2).sum(0))
        self.near(error, expected[label] / (2 * np.abs(model.coef_).max()))

    def test_kernel_shap(self):
        samples = 300
        found, _, error = self.explain("kernel-shap", "--samples", str(samples), "--seed", "4",
                                       "--window", "6", "--sign", "signed")
        label, values = self.regions(found)
        d = len(values)
        sizes = 1 / (np.arange(1, d) * (d - np.arange(1, d)))
        z = [[0] * d, [1] * d]
        for i in range(1, samples // 2 + 1):
            draw = Random(4, i)
            left = 1 + int(np.searchsorted(np.cumsum(sizes), draw.uniform() * sizes.sum(), "right"))
            row = []
            for j in range(d):
                row.append(int(draw.uniform() * (d - j) < left))
                left -= row[-1]
            z += [row, [1 - member for member in row]]
        z = np.array(z, float)
        y = self.coalitions(z, label)
        none, total = y[0], y[1] - y[0]
        z, y = z[2:], y[2:] - none
        # The last value is what the others leave of the sum.
        rest, *_ = np.linalg.lstsq(z[:, :-1] - z[:, -1:], y - z[:, -1] * total, rcond=None)
        expected = np.append(rest, total - rest.sum())
        self.near(values, signed(expected))
        self.assertTrue((error > 0).all())


if __name__ == "__main__":
    command.main()
