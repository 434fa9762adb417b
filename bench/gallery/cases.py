#!/usr/bin/python3
"""The pictures of docs/results.md, maps that mislead, made to do so with the demonstration networks, and of
docs/drawing.md, the views.

    cases.py KLDVE SCENES [FOLDER]

KLDVE is the command, SCENES is kldve-scenes, which is built with it; FOLDER is docs/pictures/cases unless
given.  Each case is a strip of pictures.  It needs Debian's python3-pil."""
import json
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageFilter

from gallery import strip

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRANSFORMER = ROOT / "demo/kldve-vit.onnx"
SCENE1, SCENE2 = [ROOT / f"demo/pictures/scene{n}.png" for n in (1, 2)]
SIDE = 384


class Maker:
    def __init__(self, kldve, scenes, folder):
        self.kldve, self.scenes, self.folder = kldve, scenes, pathlib.Path(folder)
        self.count = 0

    def path(self):
        self.count += 1
        return self.folder / f"{self.count}.png"

    def scene(self, seed, kind):
        """(picture, mask of its object)"""
        picture, mask = self.path(), self.path()
        subprocess.run([self.scenes, "--seed", str(seed), "--size", str(SIDE), kind, picture, mask], check=True)
        return picture, mask

    def explain(self, picture, *options, model=None):
        """The picture with the heat; prints what the network says and which flags the map has."""
        out = self.path()
        done = subprocess.run([self.kldve, "explain", *([model] if model else []), picture, *options, "-o", out,
                               "--json", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        record = json.loads(done.stdout)
        print(f"  {' '.join(map(str, options)) or 'default'}: first {record['top5'][0]['label']}"
              f" {record['top5'][0]['probability']:.3f}, flags {record['flags']}",
              f"faithfulness {record['faithfulness']:.2f}, blob {record['faithfulness_control']:.2f}"
              if "faithfulness" in record else "")
        return out


def flat(make):
    """Behind its last attention the transformer no longer reads the picture's tokens."""
    return [SCENE1, make.explain(SCENE1, "--layer", "block4", model=TRANSFORMER), make.explain(SCENE1, model=TRANSFORMER)]


def every_class(make):
    """The literal reading of the paper, and the default, for two classes."""
    return [make.explain(SCENE1, "--reading", reading, "--target", target)
            for reading in ("paper", "neighbours") for target in ("cat", "boat")]


def clipped(make):
    """A class that is not there: what speaks for it, and what against it as well."""
    asked = ["--method", "grad-cam", "--target", "cat"]
    return [SCENE2, make.explain(SCENE2, *asked), make.explain(SCENE2, *asked, "--sign", "signed")]


def centred(make):
    """A blob in the middle looks right where the object is in the middle, and only there."""
    middle, _ = make.scene(16, "mug")
    aside, _ = make.scene(19, "mug")
    return [make.explain(picture, "--method", method, "--check") for picture in (middle, aside)
            for method in ("centre", "kl-dve")]


def wrong_reasons(make):
    """A blurred boat that nobody would name, and a small sticker of another one in the corner."""
    blurred, _ = make.scene(11, "boat")
    other, mask = make.scene(34, "boat")
    with Image.open(blurred) as opened:
        alone = opened.convert("RGB").filter(ImageFilter.GaussianBlur(26))
    with Image.open(mask) as opened:
        box = opened.convert("L").getbbox()
        shape = opened.convert("L").crop(box)
    with Image.open(other) as opened:
        sticker = opened.convert("RGB").crop(box)
    size = (84, round(84 * sticker.height / sticker.width))
    both = alone.copy()
    both.paste(sticker.resize(size, Image.LANCZOS), (SIDE - size[0] - 14, SIDE - size[1] - 14),
               shape.resize(size, Image.LANCZOS))
    pictures = [make.path(), make.path()]
    alone.save(pictures[0])
    both.save(pictures[1])
    make.explain(pictures[0])
    return [*pictures, make.explain(pictures[1])]


def views(make):
    """The four ways to draw one map."""
    return [make.explain(SCENE1, "--view", view) for view in ("overlay", "masked", "contours", "outline")]


CASES = {"flat": flat, "every-class": every_class, "clipped": clipped, "centred": centred,
         "wrong-reasons": wrong_reasons, "views": views}


def main(kldve, scenes, folder=ROOT / "docs/pictures/cases"):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kldve-cases-") as scratch:
        for name, case in CASES.items():
            print(name)
            strip(case(Maker(kldve, scenes, scratch)), folder / f"{name}.jpg")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
