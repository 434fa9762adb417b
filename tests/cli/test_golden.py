"""kldve explain --dump against the float64 reference results, for every network and picture, in all
five readings.  Prints the largest deviation of each network."""
import glob
import os
import shutil
import sys
import tempfile
import unittest

from command import SKIPPED, Npy, read_json, run, shared

# Relative to the largest value, except the maps, which lie in 0..1.
LOGITS, WEIGHTS, MAPS = 1e-4, 1e-4, 2e-3
READINGS = {
    "paper": [],
    "channel": ["alpha_channel"],
    "contrast": ["contrast_cotangent", "alpha_contrast"],
    "rivals": ["rivals_cotangent", "alpha_rivals"],
    "neighbours": ["neighbours_cotangent", "alpha_neighbours"],
}
# Of the other methods one picture for each network: tests of the library hold them to all.
METHODS = {"grad-cam": ["alpha_gradcam"], "grad-cam++": [], "hires-cam": [], "layer-cam": [],
           "xgrad-cam": []}
# For gradients at the pixels: how they are shown, the largest magnitude over the channels.
PIXELS = {"saliency": "pixel_saliency", "guided-backprop": "pixel_guided",
          "salient-deconvolution": "pixel_guided"}
# Local response normalisation, where salient deconvolution is another gradient than the guided one:
# tests/onnx/lrp compares that.
RESPONSES = ["models/googlenet.onnx"]
# Single pixels may differ, where rounding to float32 moves the winner of a maximum or the sign before
# a ReLU: the whole map is held to its root mean square.
PIXEL_MAPS = 2e-3


def deviation(path, reference, relative):
    """The largest difference of two arrays, divided by the largest reference value if relative."""
    a, b = Npy(path), Npy(reference)
    if a.shape != b.shape:
        raise AssertionError(f"{path}: shape {a.shape}, reference {b.shape}")
    scale = max(map(abs, b.value)) if relative else 1
    return max(abs(x - y) for x, y in zip(a.value, b.value)) / (scale or 1)


class Golden(unittest.TestCase):
    worst = {}

    def compare(self, folder, case, name, limit, relative=True):
        found = deviation(f"{folder}/{name}.npy", f"{case}/{name}.npy", relative)
        self.assertLessEqual(found, limit, f"{case}/{name}.npy")
        return found

    def explain(self, says, folder, *options, of_layer=True):
        layer = ["--layer", says["layer"]] if of_layer else []
        result = run("explain", shared("assets", says["model"]),
                     shared("assets", says["picture"]), *layer, "--logits",
                     says["logits"], "--target", str(says["target"]), "--dump", folder, "--json",
                     f"{folder}/r.json", "--quiet", "--threads", "1", *options)
        self.assertEqual((result.status, result.err, result.out), (0, "", ""))

    def check_methods(self, case):
        says = read_json(f"{case}/case.json")
        folder = tempfile.mkdtemp(prefix="kldve-golden-")
        self.addCleanup(shutil.rmtree, folder)
        for method, arrays in METHODS.items():
            self.explain(says, folder, "--method", method, of_layer=False)
            for name in arrays:
                self.compare(folder, case, name, WEIGHTS)
            self.compare(folder, case, f"map_{method.replace('-', '').replace('+', 'p')}", MAPS,
                         False)
            self.assertEqual(read_json(f"{folder}/r.json")["method"], method)

    def check_pixels(self, case):
        says = read_json(f"{case}/case.json")
        folder = tempfile.mkdtemp(prefix="kldve-golden-")
        self.addCleanup(shutil.rmtree, folder)
        for method, name in PIXELS.items():
            if method == "salient-deconvolution" and says["model"] in RESPONSES:
                continue
            self.explain(says, folder, "--method", method, of_layer=False)
            found = Npy(f"{folder}/map_{method.replace('-', '')}.npy")
            gradient = Npy(f"{case}/{name}.npy")
            self.assertEqual(found.shape, gradient.shape[1:])
            count = len(found.value)
            channels = [gradient.value[i:i + count] for i in range(0, len(gradient.value), count)]
            want = [max(map(abs, pixel)) for pixel in zip(*channels)]
            low, high = min(want), max(want)
            want = [(v - low) / (high - low) for v in want]
            power = sum(v * v for v in want)
            difference = sum((a - b) ** 2 for a, b in zip(found.value, want))
            self.assertLessEqual((difference / power) ** .5, PIXEL_MAPS, f"{case}: {method}")

    def check(self, model, case):
        says = read_json(f"{case}/case.json")
        worst = self.worst.setdefault(model, {"logits": 0, "weights": 0, "maps": 0})
        folder = tempfile.mkdtemp(prefix="kldve-golden-")
        self.addCleanup(shutil.rmtree, folder)
        for reading, arrays in READINGS.items():
            # Any perplexity up to n - 2 gives the same z; the default is more for ten classes.
            self.explain(says, folder, "--reading", reading, "--perplexity", "5")
            worst["logits"] = max(worst["logits"], self.compare(folder, case, "logits", LOGITS))
            # z of float32 logits: how much z moves with them is the network's, not ours.
            self.compare(folder, case, "z", 1e-3)
            self.compare(folder, case, "alpha_logits", 1e-3)
            for name in arrays:
                worst["weights"] = max(worst["weights"],
                                       self.compare(folder, case, name, WEIGHTS))
            worst["maps"] = max(worst["maps"],
                                self.compare(folder, case, f"map_{reading}", MAPS, False))
            record = read_json(f"{folder}/r.json")
            self.assertEqual(record["target"]["index"], says["target"])
            self.assertEqual(record["layer"], says["layer"])
            kl = Npy(f"{case}/kl.npy").value[0]
            self.assertAlmostEqual(record["kl"], kl, delta=1e-4 * abs(kl))


def add(model, name, with_methods):
    case = shared("golden", model, name)
    label = f"test_{model}_{name}".replace(".", "_")
    setattr(Golden, label, lambda self: self.check(model, case))
    if with_methods:
        setattr(Golden, f"{label}_methods", lambda self: self.check_methods(case))
    if os.path.exists(os.path.join(case, "pixel_saliency.npy")):
        setattr(Golden, f"{label}_pixels", lambda self: self.check_pixels(case))


def main():
    root = shared("golden")
    if not os.path.isdir(root):
        print("no golden files; set KLDVE_SHARED")
        sys.exit(SKIPPED)
    models = set()
    for path in sorted(glob.glob(os.path.join(root, "*", "*", "map_paper.npy"))):
        model, name = path.split(os.sep)[-3:-1]
        add(model, name, model not in models)
        models.add(model)
    result = unittest.main(exit=False, verbosity=1).result
    for model, worst in sorted(Golden.worst.items()):
        print(f"{model:24} logits {worst['logits']:.1e}  weights {worst['weights']:.1e}  "
              f"maps {worst['maps']:.1e}")
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
