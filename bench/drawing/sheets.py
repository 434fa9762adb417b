"""sheets.py OUT - the two sheets of compare.sh, and what each drawing does to the photographs.

Brightness kept: mean luma of the drawing by that of the photograph, where the map is below 0.1 (cold) and all over.
Change of cold pixels: mean difference from the photograph, of 255.
Colour at the top: mean chroma (the largest minus the smallest of R, G, B) where the map is above 0.9."""
import glob
import importlib.util
import json
import pathlib
import sys

import cv2
import numpy
from PIL import Image

HEIGHT, COLUMNS = 300, 4


def their_function():
    """show_cam_on_image alone: the package's other modules import torch."""
    folder = pathlib.Path(importlib.util.find_spec("pytorch_grad_cam").submodule_search_locations[0])
    text = (folder / "utils/image.py").read_text()
    space = {"np": numpy, "cv2": cv2}
    exec(text[text.index("def show_cam_on_image"):].split("\ndef ")[0].replace("-> np.ndarray", ""), space)
    return space["show_cam_on_image"]


def luma(rgb):
    return rgb @ numpy.array([0.299, 0.587, 0.114])


def figures(photo, drawn, heat):
    cold, hot = heat < 0.1, heat > 0.9
    chroma = drawn.max(2) - drawn.min(2)
    return [luma(drawn[cold]).mean() / luma(photo[cold]).mean(), luma(drawn).mean() / luma(photo).mean(),
            numpy.abs(drawn - photo)[cold].mean(), chroma[hot].mean()]


def sheet(pictures, path):
    rows = []
    for i in range(0, len(pictures), COLUMNS):
        row = [Image.fromarray(p).resize((p.shape[1] * HEIGHT // p.shape[0], HEIGHT)) for p in pictures[i:i + COLUMNS]]
        rows.append(row)
    made = Image.new("RGB", (max(sum(p.width for p in row) for row in rows), HEIGHT * len(rows)), "white")
    for y, row in enumerate(rows):
        x = 0
        for picture in row:
            made.paste(picture, (x, HEIGHT * y))
            x += picture.width
    made.save(path)


def main(out):
    show, both, told = their_function(), ([], []), ([], [])
    for name in sorted(glob.glob(f"{out}/drawn/*.json")):
        base = name[:-len(".json")]
        photo = numpy.asarray(Image.open(base + ".picture").convert("RGB"))
        height, width = photo.shape[:2]
        x, y, w, h = json.loads(pathlib.Path(name).read_text())["seen"]
        left, top, right, bottom = (round(v) for v in (x * width, y * height, (x + w) * width, (y + h) * height))
        cells = numpy.load(base + ".npy")
        heat = cv2.resize(cells, (right - left, bottom - top))
        seen = photo[top:bottom, left:right]
        ours = numpy.asarray(Image.open(base + ".ours.png").convert("RGB"))
        theirs = show(seen.astype(numpy.float32) / 255, heat, use_rgb=True)
        for sheets, kept, drawn, whole in ((both[0], told[0], ours[top:bottom, left:right], ours),
                                           (both[1], told[1], theirs, theirs)):
            sheets.append(whole)
            kept.append(figures(seen.astype(float), drawn.astype(float), heat))
    for name, drawings, rows in (("ours", both[0], told[0]), ("theirs", both[1], told[1])):
        sheet(drawings, f"{out}/{name}.png")
        cold, everywhere, change, chroma = numpy.nanmean(rows, 0)
        print(f"{name:7} brightness kept where cold {cold:.2f}, all over {everywhere:.2f}; "
              f"change of cold pixels {change:.1f} of 255; chroma at the top {chroma:.0f}")


main(sys.argv[1])
