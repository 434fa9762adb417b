#!/usr/bin/env python3
"""Preprocessing against torchvision and Pillow, methods against torch's autograd and numpy's SVD.

Usage: torch_cases.py TEST_CASES FOLDER

Writes cases to FOLDER and a manifest that tells the C program TEST_CASES what to do with each.
Exits with 77 (skipped) if torch, torchvision or Pillow is missing.
"""
import os
import subprocess
import sys

try:
    import numpy as np
    import torch
    from PIL import Image
    from torchvision import transforms
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

rng = np.random.default_rng(1711)
torch.manual_seed(6431)
manifest = []


def npy(name, array):
    np.save(name + ".npy", np.ascontiguousarray(array, np.float32))
    return name + ".npy"


# -- preprocessing ---------------------------------------------------------------------------------

def picture(width, height):
    """Noise over gradients: every shift by a pixel shows."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 200 / width, y * 200 / height, (x + y) * 100 / (width + height)], 2)
    return Image.fromarray(np.uint8(base + rng.integers(0, 56, base.shape)), "RGB")


def preprocess(name, size, net, order="RGB", resize=0, crop=0, scale=1.0, mean=(0,), std=(1,)):
    """`size` (width, height) of the picture, `net` (height, width) of the network."""
    image = picture(*size)
    with open(name + ".ppm", "wb") as f:
        f.write(b"P6 %d %d 255\n" % size + image.tobytes())
    if size != (net[1], net[0]):
        image = transforms.Resize(resize or min(net))(image)
        image = transforms.CenterCrop(crop or net)(image)
        if image.size != (net[1], net[0]):
            image = image.resize((net[1], net[0]), Image.BILINEAR)
    pixels = np.asarray(image.convert("L"))[:, :, None] if order == "GRAY" else np.asarray(image)
    if order == "BGR":
        pixels = pixels[:, :, ::-1]
    channels = pixels.shape[2]
    mean, std = [list(v) * (channels // len(v)) for v in (mean, std)]
    value = (pixels.astype(np.float64) * scale - mean) / std
    manifest.append(" ".join(map(str, [
        "preprocess", name + ".ppm", *net, ["RGB", "BGR", "GRAY"].index(order), resize, crop, scale,
        *(mean * 3)[:3], *(std * 3)[:3], npy(name, value.transpose(2, 0, 1))])))


def preprocess_cases():
    imagenet = dict(scale=1 / 255, mean=(.485, .456, .406), std=(.229, .224, .225))
    preprocess("landscape", (500, 375), (224, 224), resize=256, crop=224, **imagenet)
    preprocess("portrait", (281, 499), (224, 224), resize=256, crop=224, **imagenet)
    preprocess("odd_crop", (259, 300), (224, 224), resize=259, crop=224)   # 17.5 -> 18
    preprocess("even_crop", (257, 301), (224, 224), resize=257, crop=224)  # 16.5 -> 16
    preprocess("as_it_is", (224, 224), (224, 224), "BGR", 256, 224, 1.0, (104, 117, 123))
    preprocess("caffe", (640, 480), (227, 227), "BGR", 256, 227, 1.0, (104, 117, 123))
    preprocess("enlarged", (40, 31), (128, 128), resize=160, crop=128)
    preprocess("longer_side_rounds_down", (333, 1000), (64, 64), resize=100, crop=64)
    preprocess("grey", (50, 70), (28, 28), "GRAY", 28, 28)
    preprocess("grey_as_it_is", (28, 28), (28, 28), "GRAY", 28, 28, 1 / 255)
    preprocess("defaults", (100, 80), (32, 32))
    preprocess("crop_is_resized", (200, 150), (96, 96), resize=140, crop=120)
    preprocess("wide_network", (320, 240), (60, 80))
    preprocess("cifar", (320, 240), (32, 32), resize=32, crop=32, **imagenet)


def kernel_of(name):
    return {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS,
            "nearest": Image.NEAREST}[name]


def fit(name, how, size, net, interpolation="bilinear", resize=0, crop=0, pad=None):
    """A picture squashed or padded: Pillow alone, letterbox as YOLO's own code computes it."""
    image, (height, width) = picture(*size), net
    with open(name + ".ppm", "wb") as f:
        f.write(b"P6 %d %d 255\n" % size + image.tobytes())
    mean, std = np.array((.485, .456, .406)), np.array((.229, .224, .225))
    if how in ("crop", "squash"):
        side = resize or min(net)
        to = (side * width // min(net), side * height // min(net)) if how == "squash" else side
        kernel = kernel_of(interpolation)
        image = image.resize(to, kernel) if how == "squash" else transforms.Resize(
            to, transforms.InterpolationMode(interpolation))(image)
        image = transforms.CenterCrop(crop or net)(image)
        value = (np.asarray(image) / 255 - mean) / std
    else:
        ratio = min(width / size[0], height / size[1])
        to = [max(round(s * ratio), 1) for s in size]
        left, top = ((width - to[0]) // 2, (height - to[1]) // 2) if how == "pad" else (0, 0)
        value = np.zeros((height, width, 3)) if pad is None else np.tile(
            (np.array(pad) / 255 - mean) / std, (height, width, 1))
        value[top:top + to[1], left:left + to[0]] = (
            np.asarray(image.resize(to, kernel_of(interpolation))) / 255 - mean) / std
    manifest.append(" ".join(map(str, [
        "fit", name + ".ppm", *net, ["crop", "squash", "pad", "pad-end"].index(how),
        ["bilinear", "bicubic", "lanczos", "nearest"].index(interpolation), resize, crop,
        *(pad or (-1, -1, -1)), npy(name, value.transpose(2, 0, 1))])))


def fit_cases():
    fit("bicubic_crop", "crop", (500, 375), (224, 224), "bicubic", 256, 224)
    fit("lanczos_crop", "crop", (375, 500), (64, 64), "lanczos", 73, 64)
    fit("nearest_squash", "squash", (320, 211), (96, 96), "nearest")
    fit("squash", "squash", (500, 375), (224, 224))
    fit("squash_and_crop", "squash", (301, 500), (224, 224), "bicubic", 248, 224)
    fit("squash_wide", "squash", (200, 301), (60, 80), "bilinear", 66)
    fit("pad_landscape", "pad", (500, 375), (160, 160))
    fit("pad_portrait", "pad", (211, 500), (160, 160), "bicubic")
    fit("pad_grey", "pad", (301, 200), (128, 128), "bilinear", pad=(114, 114, 114))
    fit("pad_wide", "pad", (123, 301), (96, 160))
    fit("pad_end", "pad-end", (500, 375), (160, 208), "bilinear", pad=(255, 0, 9))
    fit("pad_enlarged", "pad", (20, 31), (128, 128))
    fit("pad_line", "pad", (1, 301), (64, 64))
    fit("pad_row", "pad-end", (301, 1), (64, 64), "lanczos")


# -- methods ---------------------------------------------------------------------------------------

def min_max(e):
    e = e - e.min()
    return e / e.max() if e.max() > 0 else e


def relu(e):
    return np.maximum(e, 0)


def first_component(matrix):
    """[cells][columns] -> first left singular vector of the centred matrix."""
    return np.linalg.svd(matrix - matrix.mean(0), full_matrices=False)[0][:, 0]


def oracles(x, g):
    """Every method from features and gradient [maps][h][w], straight from its definition."""
    maps, h, w = x.shape
    mean = g.mean((1, 2))
    xg = (x * g).sum((1, 2)) / (x.sum((1, 2)) + 1e-7)
    bottom = 2 * g ** 2 + x.sum((1, 2))[:, None, None] * g ** 3 + 1e-6
    pp = (relu(g) * np.where(g != 0, g ** 2 / bottom, 0)).sum((1, 2))
    weigh = lambda a: np.tensordot(a, x, 1)
    product = (x * g).reshape(maps, -1).T
    u = first_component(product)
    u = u * np.sign((u * product.sum(1)).sum())
    return {
        "grad-cam": relu(weigh(mean)),
        "grad-cam++": relu(weigh(pp)),
        "xgrad-cam": relu(weigh(xg)),
        "hires-cam": relu((x * g).sum(0)),
        "layer-cam": relu((x * relu(g)).sum(0)),
        "eigen-cam": np.abs(first_component(x.reshape(maps, -1).T)).reshape(h, w),
        "eigengrad-cam": relu(u).reshape(h, w),
        "lafam": x.mean(0),
    }


def heads(maps, h, w, classes):
    """Two ways from features [1][maps][h][w] to logits, with float64 weights."""
    linear = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                                 torch.nn.Linear(maps, classes))
    deep = torch.nn.Sequential(torch.nn.Conv2d(maps, 12, 3, padding=1), torch.nn.ReLU(),
                               torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Tanh(),
                               torch.nn.Linear(12 * (h // 2) * (w // 2), classes))
    return {"linear": linear.double(), "deep": deep.double()}


def method_case(name, maps, h, w, classes, target, signed):
    x = torch.randn(1, maps, h, w, dtype=torch.float64)
    # A blob, so that the first singular value stands out as it does in real networks.
    y0, x0 = np.mgrid[0:h, 0:w]
    blob = torch.tensor(np.exp(-((y0 - h / 3) ** 2 + (x0 - w / 2) ** 2) / 6))
    x = x + 3 * blob * torch.rand(maps, 1, 1, dtype=torch.float64)
    x = (x if signed else torch.relu(x)).float().double().requires_grad_()
    for kind, head in heads(maps, h, w, classes).items():
        logits = head(x)[0]
        g = torch.autograd.grad(logits[target], x)[0][0]
        features, gradient = x.detach().numpy()[0], g.float().double().numpy()
        files = [npy(f"{name}_{kind}_{what}", a) for what, a in
                 [("logits", logits.detach().numpy()), ("x", features), ("g", gradient)]]
        expected = oracles(features, gradient)
        if kind == "linear":
            weight = head[2].weight.detach().numpy()[target]
            expected["cam"] = np.tensordot(weight, features, 1)
        else:
            manifest.append(f"refuse cam {' '.join(files)} {target}")
        for method, e in expected.items():
            map_file = npy(f"{name}_{kind}_{method.replace('+', 'p')}", min_max(e))
            manifest.append(f"method {method} {' '.join(files)} {target} {map_file}")


def method_cases():
    method_case("small", 16, 7, 7, 10, 3, signed=False)
    method_case("wide", 40, 6, 13, 5, 0, signed=False)
    method_case("many_cells", 8, 28, 28, 4, 1, signed=False)
    method_case("signed", 24, 8, 8, 6, 5, signed=True)


def main():
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    preprocess_cases()
    fit_cases()
    method_cases()
    with open("manifest.txt", "w") as f:
        f.write("\n".join(manifest) + "\n")
    sys.exit(subprocess.run([program, "manifest.txt"]).returncode)


main()
