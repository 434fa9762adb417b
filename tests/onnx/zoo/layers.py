#!/usr/bin/python3
"""Which layer the command takes by default, for networks of many shapes.

    layers.py KLDVE [NETWORK...]

Each network is small, has seeded weights and is exported by torch.  What is expected was worked out by
hand from the structure: the last tensor that every way from the picture to the scores passes, with
cells and more than a handful of maps, or the tensors that together cut all ways.  It is written as
maps, grid and how the layer was chosen.

Exit codes: 0, 1 (a difference), 77 (no torch).
"""
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

try:
    import numpy
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    print("no torch")
    sys.exit(77)

HEIGHT, WIDTH, CLASSES = 48, 64, 7


def conv(cin, cout, stride=1, kernel=3, groups=1):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups), nn.ReLU())


class Stem(nn.Module):
    """16 maps of 12 x 16, then 24 of 6 x 8."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(conv(3, 12, 2), conv(12, 16, 2))
        self.b = conv(16, 24, 2)

    def forward(self, x):
        return self.b(self.a(x))


class Head(nn.Module):
    def __init__(self, maps, classes=CLASSES):
        super().__init__()
        self.fc = nn.Linear(maps, classes)

    def forward(self, x):
        return self.fc(x.mean((2, 3)))


class Net(nn.Module):
    """A stem, a head for its 24 maps, and the layers of a case."""

    def __init__(self, **layers):
        super().__init__()
        self.stem = Stem()
        self.head = Head(24)
        for name, layer in layers.items():
            setattr(self, name, layer)


CASES = []


def case(name, maps, height, width, how="last", all_paths=True, note=None, args=(), **layers):
    """The decorated function is the forward pass of a Net with `layers`."""
    def add(forward):
        CASES.append((name, forward, layers,
                      dict(maps=maps, grid=[height, width], how=how, all_paths=all_paths, note=note), args))
        return forward
    return add


@case("chain", 24, 6, 8)
def _(n, x):
    return n.head(n.stem(x))


@case("residual", 24, 6, 8, r=conv(24, 24))
def _(n, x):
    y = n.stem(x)
    return n.head(y + n.r(y))


@case("dense connections", 40, 6, 8, r=conv(24, 16), h=Head(40))
def _(n, x):
    y = n.stem(x)
    return n.h(torch.cat((y, n.r(y)), 1))


@case("branches put together", 30, 6, 8, p=conv(24, 10, kernel=1), q=conv(24, 20), h=Head(30))
def _(n, x):
    y = n.stem(x)
    return n.h(torch.cat((n.p(y), n.q(y)), 1))


@case("depthwise and pointwise", 32, 6, 8, d=conv(24, 24, groups=24), p=conv(24, 32, kernel=1), h=Head(32))
def _(n, x):
    return n.h(n.p(n.d(n.stem(x))))


@case("channels shuffled", 24, 6, 8, g=conv(24, 24, groups=4))
def _(n, x):
    y = n.g(n.stem(x))
    return n.head(y.view(1, 4, 6, 6, 8).transpose(1, 2).reshape(1, 24, 6, 8))


@case("classifier of all cells", 24, 6, 8, f=nn.Linear(24 * 48, CLASSES))
def _(n, x):
    return n.f(n.stem(x).flatten(1))


@case("multi-layer classifier", 24, 6, 8, f=nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, CLASSES)))
def _(n, x):
    return n.f(n.stem(x).mean((2, 3)))


@case("largest of each map", 24, 6, 8)
def _(n, x):
    return n.head.fc(n.stem(x).amax((2, 3)))


@case("mean and largest of each map", 24, 6, 8, f=nn.Linear(48, CLASSES))
def _(n, x):
    y = n.stem(x)
    return n.f(torch.cat((y.mean((2, 3)), y.amax((2, 3))), 1))


@case("generalised mean", 24, 6, 8)
def _(n, x):
    return n.head.fc(n.stem(x).clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3))


@case("pyramid of pooled cells", 24, 6, 8, f=nn.Linear(24 * 7, CLASSES))
def _(n, x):
    y = n.stem(x)
    return n.f(torch.cat([F.max_pool2d(y, k).flatten(1) for k in ((6, 8), (3, 4), (6, 4))], 1))


@case("products of maps", 24, 6, 8, f=nn.Linear(24 * 24, CLASSES))
def _(n, x):
    y = n.stem(x).flatten(2)
    return n.f((y @ y.transpose(1, 2)).flatten(1))


@case("squeeze and excite", 24, 6, 8, s=nn.Sequential(nn.Linear(24, 6), nn.ReLU(), nn.Linear(6, 24), nn.Sigmoid()))
def _(n, x):
    y = n.stem(x)
    return n.head(y * n.s(y.mean((2, 3)))[:, :, None, None])


@case("squeeze and excite in the middle", 24, 6, 8,
      s=nn.Sequential(nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 16), nn.Sigmoid()))
def _(n, x):
    y = n.stem.a(x)
    return n.head(n.stem.b(y * n.s(y.mean((2, 3)))[:, :, None, None]))


@case("gate from an earlier layer", 24, 6, 8, s=nn.Sequential(nn.Linear(16, 24), nn.Sigmoid()))
def _(n, x):
    y = n.stem.a(x)
    return n.head(n.stem.b(y) * n.s(y.mean((2, 3)))[:, :, None, None])


@case("one map of weights for the cells", 24, 6, 8, w=nn.Conv2d(24, 1, 1))
def _(n, x):
    y = n.stem(x)
    return n.head(y * torch.sigmoid(n.w(y)))


@case("attention pooling", 24, 6, 8, w=nn.Conv2d(24, 1, 1))
def _(n, x):
    y = n.stem(x)
    shares = F.softmax(n.w(y).flatten(2), 2)
    return n.head.fc((y.flatten(2) * shares).sum(2))


@case("cells that look at each other", 24, 6, 8, q=nn.Conv2d(24, 8, 1), k=nn.Conv2d(24, 8, 1))
def _(n, x):
    y = n.stem(x)
    shares = F.softmax(n.q(y).flatten(2).transpose(1, 2) @ n.k(y).flatten(2), 2)
    return n.head(y + (y.flatten(2) @ shares.transpose(1, 2)).view(1, 24, 6, 8))


@case("a side branch", 16, 12, 16, side=Head(16))
def _(n, x):
    y = n.stem.a(x)
    return n.head(n.stem.b(y)) + 0.01 * n.side(y)


@case("a side branch from the second layer", 12, 24, 32, side=Head(12))
def _(n, x):
    y = n.stem.a[0](x)
    return n.head(n.stem.b(n.stem.a[1](y))) + 0.01 * n.side(y)


@case("scores of three scales", 12, 24, 32, s1=Head(12), s2=Head(16))
def _(n, x):
    a = n.stem.a[0](x)
    b = n.stem.a[1](a)
    return n.s1(a) + n.s2(b) + n.head(n.stem.b(b))


@case("feature pyramid", 16, 12, 16, l=nn.Conv2d(16, 24, 1), h2=Head(24))
def _(n, x):
    a = n.stem.a(x)
    b = n.stem.b(a)
    fine = n.l(a) + F.interpolate(b, scale_factor=2)
    return n.head(b) + n.h2(fine)


@case("stages put together at one size", 40, 12, 16, h=Head(40))
def _(n, x):
    a = n.stem.a(x)
    return n.h(torch.cat((a, F.interpolate(n.stem.b(a), scale_factor=2)), 1))


@case("picture beside its mirror image", 48, 6, 8, "joined")
def _(n, x):
    return n.head(n.stem(x)) + n.head(n.stem(x.flip(3)))


@case("mirror image by indices", 48, 6, 8, "joined")
def _(n, x):
    return n.head(n.stem(x)) + n.head(n.stem(x[:, :, :, torch.arange(WIDTH - 1, -1, -1)]))


@case("picture beside itself upside down", 48, 6, 8, "joined")
def _(n, x):
    return n.head(n.stem(x)) + n.head(n.stem(x.flip(2)))


@case("two streams", 48, 6, 8, "joined", other=Stem(), h=Head(24))
def _(n, x):
    return n.head(n.stem(x)) + n.h(n.other(x))


@case("two streams of two sizes", 24, 6, 8, "best", False, "of another grid", other=conv(3, 8, 16), h=Head(8))
def _(n, x):
    return n.head(n.stem(x)) + n.h(n.other(x))


@case("half of the picture beside the whole", 24, 6, 8, "best", False, "of another grid")
def _(n, x):
    return n.head(n.stem(x)) + n.head(n.stem(F.avg_pool2d(x, 2)))


@case("mean of two networks' probabilities", 48, 6, 8, "joined", note="no scores stand behind",
      other=Stem(), h=Head(24))
def _(n, x):
    return (F.softmax(n.head(n.stem(x)), 1) + F.softmax(n.h(n.other(x)), 1)) / 2


# A map for each class is the last layer: its heat is the class activation map.  Five or fewer are a
# handful, so the features before them are explained.
@case("a map for each class", 7, 6, 8, c=nn.Conv2d(24, CLASSES, 1))
def _(n, x):
    return n.c(n.stem(x)).mean((2, 3))


@case("a map for each of four classes", 24, 6, 8, c=nn.Conv2d(24, 4, 1))
def _(n, x):
    return n.c(n.stem(x)).mean((2, 3))


@case("a map for each of many classes", 50, 6, 8, c=conv(24, 50, kernel=1))
def _(n, x):
    return F.adaptive_avg_pool2d(n.c(n.stem(x)), 1).flatten(1)


@case("a recurrent network over the columns", 24, 6, 8, r=nn.LSTM(24, 16, batch_first=True), f=nn.Linear(16, CLASSES))
def _(n, x):
    y = n.stem(x).mean(2).transpose(1, 2)
    return n.f(n.r(y)[0][:, -1])


@case("a recurrent network over all cells", 24, 6, 8, r=nn.GRU(24, 16, batch_first=True), f=nn.Linear(16, CLASSES))
def _(n, x):
    return n.f(n.r(n.stem(x).flatten(2).transpose(1, 2))[0].mean(1))


@case("mean over the rows, then the columns", 24, 6, 8, c=nn.Sequential(nn.Conv1d(24, 20, 3, padding=1), nn.ReLU()),
      f=nn.Linear(20, CLASSES))
def _(n, x):
    return n.f(n.c(n.stem(x).mean(2)).mean(2))


@case("two outputs", 24, 6, 8, note="has 2 outputs", d=nn.Linear(24, 2))
def _(n, x):
    y = n.stem(x).mean((2, 3))
    return n.head.fc(y), n.d(y)


@case("one number", 24, 6, 8, d=nn.Linear(24, 1), note="one score without a sigmoid")
def _(n, x):
    return n.d(n.stem(x).mean((2, 3)))


# The scores of one pixel read 3 x 3 cells of what the stages and the picture are joined to, and of no
# single layer before.
@case("segmentation, skip from the picture", 27, 48, 64, args=("--at", "20,20"), note=None,
      u=conv(27, 20), o=nn.Conv2d(20, CLASSES, 1))
def _(n, x):
    return n.o(n.u(torch.cat((F.interpolate(n.stem(x), scale_factor=8), x), 1)))


def export(forward, layers, folder):
    class Case(Net):
        def forward(self, x):
            return forward(self, x)

    torch.manual_seed(0)
    net = Case(**layers).eval()
    path = folder / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, torch.zeros(1, 3, HEIGHT, WIDTH), path, opset_version=13, input_names=["image"])
    return path


def explained(kldve, path, args):
    record = path.with_suffix(".json")
    picture = path.with_name("picture.npy")
    numpy.save(picture, numpy.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), numpy.float32))
    result = subprocess.run([kldve, "explain", path, picture, "--json", record, *args], capture_output=True,
                            text=True)
    if result.returncode:
        return {"refused": result.stderr.strip()}
    found = json.loads(record.read_text())
    maps = 0
    for line in result.stdout.splitlines():
        if " maps of " in line:
            maps = int(line.split(" maps of ")[0].split()[-1])
    return dict(maps=maps, grid=found.get("grid"), how=found["layer_chosen"], all_paths=found["all_paths"],
                notes=found["notes"], layer=found["layer"])


def differences(found, want):
    if "refused" in found:
        return [found["refused"]]
    out = [f"{key} is {found[key]}, not {want[key]}" for key in ("maps", "grid", "how", "all_paths")
           if found[key] != want[key]]
    if want["note"] and not any(want["note"] in note for note in found["notes"]):
        out.append(f"no note says {want['note']!r}: {found['notes']}")
    return out


def main():
    kldve, wanted = sys.argv[1], sys.argv[2:]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, forward, layers, want, args in CASES:
            if wanted and name not in wanted:
                continue
            found = explained(kldve, export(forward, layers, Path(folder)), args)
            wrong = differences(found, want)
            failed += bool(wrong)
            print(f"{'FAILED' if wrong else 'ok':7}{name}: {found.get('layer', '')}")
            for line in wrong:
                print(f"       {line}")
    print(f"{len(CASES)} networks, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
