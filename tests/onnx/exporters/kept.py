"""Detectors that suppress boxes in the file: what `kldve explain --box N` explains against what ONNX Runtime
puts out.  Long form: two interpreters, since Debian has torch and no ONNX Runtime.

    /usr/bin/python3 tests/onnx/exporters/kept.py export FOLDER
    VENV/bin/python tests/onnx/exporters/kept.py check FOLDER KLDVE      (numpy, onnxruntime)

The first writes two small detectors with seeded weights: one suppresses all boxes, one only those above a
score, as exports of YOLO do; classes are moved apart.  The second compares the box, its score and
the probability of its class, for each of four inputs up to 16 boxes, and says how many agree.
"""
import json
import subprocess
import sys
from pathlib import Path

NAMES = ("plain", "masked")


def export(folder):
    import torch
    import torchvision

    class Detector(torch.nn.Module):
        def __init__(self, least):
            super().__init__()
            c, relu = torch.nn.Conv2d, torch.nn.ReLU
            self.body = torch.nn.Sequential(c(3, 16, 3, 2, 1), relu(), c(16, 24, 3, 2, 1), relu(),
                                            c(24, 32, 3, 2, 1), relu(), c(32, 9, 3, 1, 1))
            torch.nn.init.normal_(self.body[-1].weight, 0, 0.15)
            self.least = least

        def forward(self, x):
            y = self.body(x)
            h, w = y.shape[2:]
            y = y.flatten(2).transpose(1, 2)[0]
            rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
            centre = torch.stack((columns, rows), -1).reshape(-1, 2) * 8.0 + 4 + 4 * torch.tanh(y[:, :2])
            half = torch.exp(torch.tanh(y[:, 2:4])) * 12
            boxes = torch.cat((centre - half, centre + half), -1)
            best, label = torch.sigmoid(y[:, 4:]).max(-1)
            if self.least:
                above = torch.nonzero(best > self.least)[:, 0]
                boxes, best, label = boxes[above], best[above], label[above]
            keep = torchvision.ops.nms(boxes + label[:, None] * 1000.0, best, 0.45)
            return boxes[keep], best[keep], label[keep]

    torch.manual_seed(1)
    for name, least in zip(NAMES, (0, 0.3)):
        torch.onnx.export(Detector(least).eval(), torch.rand(1, 3, 96, 128), str(folder / f"{name}.onnx"),
                          opset_version=13, input_names=["image"], output_names=["boxes", "scores", "labels"])


def agrees(kldve, model, folder, number, box, score, label):
    record = folder / "record.json"
    result = subprocess.run([kldve, "explain", model, folder / "x.npy", "--box", str(number), "--json", record,
                             "--quiet"], capture_output=True, text=True)
    if result.returncode:
        print(result.stderr.strip())
        return False
    found = json.loads(record.read_text())
    of_class = {c["index"]: c["probability"] for c in found["top5"]}
    return (max(abs(a - b) for a, b in zip(found["box"], box)) < 1e-2 and
            abs(found["box_score"] - score) < 1e-4 and abs(of_class.get(label, 0) - score) < 1e-4)


def check(folder, kldve):
    import numpy
    import onnxruntime

    random, failed = numpy.random.default_rng(3), 0
    for _ in range(4):
        x = 2 * random.random((1, 3, 96, 128), numpy.float32)
        numpy.save(folder / "x.npy", x)
        for name in NAMES:
            model = folder / f"{name}.onnx"
            boxes, scores, labels = onnxruntime.InferenceSession(str(model)).run(None, {"image": x})
            count = min(len(boxes), 16)
            good = sum(agrees(kldve, model, folder, i, boxes[i], scores[i], int(labels[i]))
                       for i in range(count))
            failed += count - good
            print(f"{name}: {good} of {count} boxes agree, {len(boxes)} are kept")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        sys.exit(export(Path(sys.argv[2])))
    sys.exit(check(Path(sys.argv[2]), sys.argv[3]))
