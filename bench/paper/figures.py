#!/usr/bin/env python3
"""Figures 2, 3 and 4 of the KL-DVE paper (arXiv:1711.06431) as sheets, from any networks and pictures.

    figures.py [--model FILE.onnx [--model FILE.onnx]] [--out FOLDER] [PICTURE | OBJECT=PICTURE]...

    Figure 2  one network's decisions about six kinds of object, explained by KL-DVE
    Figure 3  KL-DVE beside guided back-propagation and Grad-CAM
    Figure 4  two networks side by side

The paper shows VGG-16 and AlexNet.  Without --model, the script takes vgg16.onnx and alexnet.onnx from
--models FOLDER or $KLDVE_SHARED/assets/models if they exist, otherwise GoogLeNet and SqueezeNet.
Without pictures, it looks for photographs of the paper's objects in --pictures FOLDER (files named after
the object) and in $KLDVE_SHARED/assets/images.  It needs only Python's standard library."""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

OBJECTS = ["park bench", "street sign", "racket", "cockatoo", "traffic light", "chihuahua"]
NETWORKS = [("VGG-16", ["vgg16", "vgg-16", "VGG16"]), ("AlexNet", ["alexnet", "AlexNet", "bvlc_alexnet"])]
INSTEAD = [("GoogLeNet", ["googlenet"]), ("SqueezeNet", ["squeezenet_v1.1", "squeezenet"])]
METHODS = ["--method", "kl-dve", "--method", "guided-backprop", "--method", "grad-cam"]
COCO = {"bench": "park bench", "tennis racket": "racket", "stop sign": "street sign",
        "traffic light": "traffic light"}
ENDINGS = (".jpg", ".jpeg", ".png")


def say(text):
    print(f"figures: {text}", file=sys.stderr)


def shared(*parts):
    root = os.environ.get("KLDVE_SHARED")
    return os.path.join(root, "assets", *parts) if root else None


def folders(given, *parts):
    return [f for f in [given, shared(*parts)] if f and os.path.isdir(f)]


# ---- networks ---------------------------------------------------------------------------------

def find_network(names, places):
    for place in places:
        for name in names:
            path = os.path.join(place, f"{name}.onnx")
            if os.path.exists(path):
                return path
    return None


def find_networks(args):
    """[(name, path)], one or two."""
    if args.model:
        return [(os.path.splitext(os.path.basename(path))[0], path) for path in args.model]
    places = folders(args.models, "models")
    found = []
    for (name, files), (other, other_files) in zip(NETWORKS, INSTEAD):
        path = find_network(files, places)
        if not path:
            path = find_network(other_files, places)
            if path:
                say(f"no trained {name} here, {other} takes its place")
            name = other
        if path:
            found.append((name, path))
    if not found:
        sys.exit("figures: no networks: give --model FILE.onnx, or set KLDVE_SHARED")
    return found


# ---- pictures ---------------------------------------------------------------------------------

def named_after(name, folder):
    """Pictures below a folder with all words of the object in their name."""
    words = name.split()
    for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True)):
        file = os.path.basename(path).lower()
        if file.endswith(ENDINGS) and all(word in file for word in words):
            yield path


def annotated(name, folder):
    """COCO photographs with a box of the object, the largest first."""
    listing = os.path.join(folder, "coco_free", "annotations.json")
    if not os.path.exists(listing):
        return
    with open(listing, encoding="utf-8") as file:
        images = json.load(file)["images"]
    largest = {}
    for image in images:
        for box in image["boxes"]:
            if COCO.get(box["category"]) == name:
                share = box["bbox"][2] * box["bbox"][3] / (image["width"] * image["height"])
                largest[image["file"]] = max(share, largest.get(image["file"], 0))
    for file in sorted(largest, key=largest.get, reverse=True):
        yield os.path.join(folder, "coco_free", file)


def sees(kldve, network, name, path):
    """Whether the object is among the five classes that the network finds likeliest."""
    result = subprocess.run([*kldve, "compare", "--model", network, "--method", "lafam", path,
                             "--json", "-", "--quiet"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return False
    top = json.loads(result.stdout)["predictions"][0]["top5"]
    return any(name in (entry["label"] or "").lower() for entry in top)


def find_pictures(kldve, network, args):
    """[(name, path)]; reports what is missing."""
    found = []
    for name in OBJECTS:
        candidates = [path for place in folders(args.pictures, "images")
                      for path in [*named_after(name, place), *annotated(name, place)]]
        path = next((p for p in candidates if sees(kldve, network, name, p)), None)
        if path:
            found.append((name, path))
        elif candidates:
            say(f"{name}: not among the top classes of {len(candidates)} picture(s); left out")
        else:
            say(f"{name}: no picture; left out (give one: \"{name}=photo.jpg\")")
    if not found:
        sys.exit("figures: no pictures: give some, or set KLDVE_SHARED")
    return found


def given_pictures(pictures):
    found = []
    for text in pictures:
        name, equals, path = text.partition("=")
        if not equals or os.path.exists(text):
            name, path = os.path.splitext(os.path.basename(text))[0], text
        found.append((name, path))
    return found


def link_pictures(pictures, folder):
    """Sheets title a picture by its file name, so make links named after the objects."""
    paths = []
    for i, (name, path) in enumerate(pictures):
        if not os.path.exists(path):
            sys.exit(f"figures: {path}: no such picture")
        place = os.path.join(folder, str(i))
        os.mkdir(place)
        link = os.path.join(place, name.replace("/", " ") + os.path.splitext(path)[1])
        os.symlink(os.path.abspath(path), link)
        paths.append(link)
    return paths


# ---- figures ----------------------------------------------------------------------------------

def models(networks):
    return [arg for name, path in networks for arg in ["--model", path, "--name", name]]


def draw(kldve, out, more):
    """False on failure; kldve has then printed why."""
    return subprocess.run([*kldve, "compare", *more, "-o", out, "--table"], check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kldve", default=os.environ.get("KLDVE") or shutil.which("kldve") or
                        "build/tools/kldve", help="the command")
    parser.add_argument("--model", action="append", help="a network; the second is for figure 4")
    parser.add_argument("--models", help="folder with vgg16.onnx and alexnet.onnx")
    parser.add_argument("--pictures", help="folder with pictures named after the objects")
    parser.add_argument("--out", default=".", help="folder for the figures")
    parser.add_argument("--format", choices=["png", "svg", "pdf"], default="png")
    parser.add_argument("picture", nargs="*", metavar="PICTURE")
    args = parser.parse_args()
    kldve = [args.kldve]
    networks = find_networks(args)
    say("networks: " + ", ".join(f"{name} ({path})" for name, path in networks))
    pictures = (given_pictures(args.picture) if args.picture
                else find_pictures(kldve, networks[0][1], args))
    for name, path in pictures:
        say(f"picture: {name} ({path})")
    os.makedirs(args.out, exist_ok=True)
    done = True
    with tempfile.TemporaryDirectory(prefix="kldve-figures-") as folder:
        paths = link_pictures(pictures, folder)
        figures = [
            ("figure2", models(networks[:1]) + ["--columns", "pictures"]),
            ("figure3", models(networks[:1]) + METHODS + ["--columns", "methods"]),
        ]
        if len(networks) > 1:
            figures.append(("figure4", models(networks[:2]) + ["--columns", "networks"]))
        else:
            say("figure 4 needs two networks; left out")
        for name, more in figures:
            done = draw(kldve, os.path.join(args.out, f"{name}.{args.format}"), paths + more) and done
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
