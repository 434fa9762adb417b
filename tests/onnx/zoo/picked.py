#!/usr/bin/python3
"""Compare scores that are picked out of an output with torch: detectors and segmenters.

    picked.py ZOO_RUN [NETWORK...]

Each network has seeded weights and is exported by torch.  Its scores are the elements that SELECT names,
of the tensor before the Sigmoid or Softmax that the network may end in.  Scores, feature maps, the VJP
at the last layer with cells and that at the input must be within zoo.TOLERANCE, relative to the
largest value, of torch's in float64.  Detectors are small and smooth; torchvision's segmenters have a
reduced input and kinks that are cleared as zoo.py says.

Exit codes: 0, 1 (a difference or a refusal), 77 (no torch).
"""
import copy
import sys
import tempfile
import warnings
from pathlib import Path

from zoo import (TOLERANCE, Pass, Refused, numpy, randomise, relative, run, torch, torchvision)
from kinks import clear_kinks

HEIGHT, WIDTH = 64, 96
CLASSES = 7


class Backbone(torch.nn.Module):
    """Two maps, of a quarter and of an eighth of the picture's sides."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 12, 4, 4)
        self.second = torch.nn.Conv2d(12, 16, 2, 2)
        self.third = torch.nn.Conv2d(16, 20, 3, 1, 1)

    def forward(self, x):
        silu = torch.nn.functional.silu
        a = silu(self.first(x))
        b = silu(self.third(silu(self.second(a))))
        return a, b


class Yolo5(torch.nn.Module):
    """[1][rows][4 + 1 + classes]: three anchors a cell, everything behind a sigmoid."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.heads = torch.nn.ModuleList(torch.nn.Conv2d(n, 3 * (5 + CLASSES), 1) for n in (12, 20))

    def raw(self, x):
        for head, maps in zip(self.heads, self.backbone(x)):
            y = head(maps)
            n, _, h, w = y.shape
            yield y.view(n, 3, 5 + CLASSES, h, w).permute(0, 1, 3, 4, 2)

    def forward(self, x):
        rows = []
        for y in self.raw(x):
            xy, wh, rest = y.sigmoid().split((2, 2, 1 + CLASSES), 4)
            y = torch.cat((xy * 2 - 0.5, (wh * 2) ** 2, rest), 4)
            rows.append(y.view(1, -1, 5 + CLASSES))
        return torch.cat(rows, 1)

    def scores(self, x):
        return torch.cat([y.reshape(1, -1, 5 + CLASSES) for y in self.raw(x)], 1)


class Yolo8(torch.nn.Module):
    """[1][4 + classes][rows]: boxes and classes have branches of their own."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.boxes = torch.nn.ModuleList(torch.nn.Conv2d(n, 4, 1) for n in (12, 20))
        self.classes = torch.nn.ModuleList(torch.nn.Conv2d(n, CLASSES, 1) for n in (12, 20))

    def raw(self, x):
        parts = [torch.cat((box(maps), classes(maps)), 1).view(1, 4 + CLASSES, -1)
                 for box, classes, maps in zip(self.boxes, self.classes, self.backbone(x))]
        return torch.cat(parts, 2).split((4, CLASSES), 1)

    def forward(self, x):
        box, classes = self.raw(x)
        return torch.cat((box * 8, classes.sigmoid()), 1)

    def scores(self, x):
        box, classes = self.raw(x)
        return torch.cat((box * 8, classes), 1)


class Ssd(torch.nn.Module):
    """Scores [1][rows][classes] behind a softmax, boxes [1][rows][4] aside."""

    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.boxes = torch.nn.ModuleList(torch.nn.Conv2d(n, 2 * 4, 3, 1, 1) for n in (12, 20))
        self.classes = torch.nn.ModuleList(torch.nn.Conv2d(n, 2 * CLASSES, 3, 1, 1) for n in (12, 20))

    def rows(self, heads, x, each):
        return torch.cat([head(maps).permute(0, 2, 3, 1).reshape(1, -1, each)
                          for head, maps in zip(heads, self.backbone(x))], 1)

    def forward(self, x):
        return self.scores(x).softmax(-1), self.rows(self.boxes, x, 4).sigmoid()

    def scores(self, x):
        return self.rows(self.classes, x, CLASSES)


class Segmenter(torch.nn.Module):
    """One of torchvision's, whose scores are a map for each class."""

    def __init__(self, name):
        super().__init__()
        self.network = getattr(torchvision.models.segmentation, name)(
            weights=None, weights_backbone=None, num_classes=21)

    def forward(self, x):
        return self.network(x)["out"]

    def scores(self, x):
        return self(x)


# name: (network, names of the outputs, what is selected, the same of Network.scores())
CASES = {
    "yolo v5": (Yolo5, ["out"], "out[0, 1300, 5:]", (0, 1300, slice(5, None))),
    "yolo v5, small map": (Yolo5, ["out"], "[0, -7, -1:4:-1]", (0, -7, list(range(11, 4, -1)))),
    "yolo v8": (Yolo8, ["out"], "out[0, 4:, 391]", (0, slice(4, None), 391)),
    "yolo v8, boxes": (Yolo8, ["out"], "[..., :4, ::100]", (0, slice(0, 4), slice(None, None, 100))),
    "ssd": (Ssd, ["scores", "boxes"], "scores[0, 44]", (0, 44)),
    "lraspp": (lambda: Segmenter("lraspp_mobilenet_v3_large"), ["out"], "out[0, :, 17, 40]",
               (0, slice(None), 17, 40)),
    "deeplabv3_mobilenet_v3_large": (lambda: Segmenter("deeplabv3_mobilenet_v3_large"), ["out"],
                                     "out[0, :, 33, -9]", (0, slice(None), 33, -9)),
    "deeplabv3_resnet50": (lambda: Segmenter("deeplabv3_resnet50"), ["out"], "out[0, :, 9, 50]",
                           (0, slice(None), 9, 50)),
}
SLOW = {"deeplabv3_resnet50"}


def build(make):
    torch.manual_seed(20130217)
    network = make().eval()
    image = torch.randn(1, 3, HEIGHT, WIDTH)
    if isinstance(network, Segmenter):
        randomise(network, max(HEIGHT, WIDTH))
    double = copy.deepcopy(network).double()
    if isinstance(network, Segmenter):
        clear_kinks(double, image.double())
        network.load_state_dict(double.state_dict())
    return network, double, image


def check(program, case, folder):
    make, names, select, part = CASES[case]
    network, double, image = build(make)
    model = folder / "network.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, image, str(model), opset_version=13, output_names=names)

    pixels = image.double().requires_grad_()
    reference = Pass(lambda x: double.scores(x)[part].reshape(1, -1), pixels, None)
    reference.cotangent = torch.randn(len(reference.logits), dtype=torch.float32).double()
    image.numpy().tofile(folder / "input")
    reference.cotangent.numpy().astype(numpy.float32).tofile(folder / "cotangent")

    _, *shape = run(program, model, "-", folder, select).split()
    read = {name: numpy.fromfile(folder / name, dtype=numpy.float32).astype(numpy.float64)
            for name in ("logits", "features", "gradient", "pixels")}
    maps = tuple(int(n) for n in shape[:3])
    found, nearest = reference.find(read["features"].reshape(maps))
    if found is None:
        raise Refused(f"torch has no result of the shape {maps}")
    at_input = torch.autograd.grad((reference.logits * reference.cotangent).sum(), pixels,
                                   retain_graph=True)[0]
    errors = [relative(read["logits"], reference.logits.detach().numpy()), nearest,
              relative(read["gradient"].reshape(maps), reference.vjp(found)),
              relative(read["pixels"], at_input.numpy().ravel())]
    good = max(errors) <= TOLERANCE
    print(f"{case:30} {select:20} {'x'.join(shape[:3]):12}" + "".join(f" {e:9.1e}" for e in errors)
          + ("" if good else "  TOO FAR"), flush=True)
    return good


def main():
    program, names = Path(sys.argv[1]).resolve(), sys.argv[2:]
    names = names or [name for name in CASES if name not in SLOW]
    torch.set_num_threads(2)
    bad = 0
    print(f"{'':30} {'':20} {'layer':12} {'scores':>9} {'features':>9} {'vjp':>9} {'pixels':>9}")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="picked-", dir=".") as folder:
            try:
                bad += not check(program, name, Path(folder))
            except Refused as why:
                print(f"{name}: REFUSED {why}")
                bad += 1
    print(f"{len(names) - bad} of {len(names)} agree with torch")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
