#!/usr/bin/python3
"""The gallery: every method on the same pictures, a strip for each.

    gallery.py [--kldve COMMAND] [--model NET.onnx] [--also NET.onnx] [--out FOLDER] [--page FILE.html]
               [--method NAME]... [PICTURE | PICTURE=TARGET]...

Writes FOLDER/METHOD.jpg for each method of `kldve methods` and FOLDER/kl-dve-READING.jpg for each
reading, the maps side by side in the order of the pictures, and FOLDER/pictures.jpg, the bare
pictures.  --also is a network for methods that the first one rules out, such as rollout.  --method
takes that one alone, or those.  --page writes a page that shows all of them with their names.

Without arguments it makes the pictures of docs/gallery.md: the demonstration networks and three of
their scenes.  With your network and your photographs it makes your gallery:

    bench/gallery/gallery.py --model NET.onnx --out gallery --page gallery.html DOG.jpg "PETS.jpg=tabby"

It needs Debian's python3-pil."""
import argparse
import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENES = [f"{ROOT}/demo/pictures/scene{n}.png={target}"
          for n, target in [(1, "cat"), (2, "umbrella"), (3, "car")]]
SIDE, GAP, QUALITY = 224, 8, 84


def command():
    built = [path for path in sorted(ROOT.glob("build*/tools/kldve"))]
    return os.environ.get("KLDVE") or shutil.which("kldve") or (str(built[0]) if built else "kldve")


def entries(table):
    """[(name, what it shows)] of a table whose first line is its head; long rows go on below, indented."""
    found = []
    for line in table.splitlines()[1:]:
        if not line.startswith(" "):
            found.append([line.split()[0]])
        found[-1].append(re.sub(r"^\S* +(layer +|pixels +)?", "", line).strip())
    return [(name, " ".join(words)) for name, *words in found]


def methods(kldve):
    """[(name, options, what it shows)] as `kldve methods` lists them: methods, controls, readings of kl-dve."""
    text = subprocess.run([kldve, "methods"], capture_output=True, text=True, check=True).stdout
    tables = {head.split()[0]: entries(head) for head in text.split("\n\n")}
    return [(name, ["--method", name], shows) for kind in ("method", "control") for name, shows in tables[kind]] + \
        [(f"kl-dve-{name}", ["--reading", name], shows) for name, shows in tables["reading"]]


def given(text):
    """(path, target) of PICTURE=TARGET; a file's name may hold an equals sign itself."""
    path, equals, target = text.rpartition("=")
    return (text, None) if not equals or os.path.exists(text) else (path, target)


def explain(kldve, model, options, picture, target, out):
    """None, or why there is no map."""
    done = subprocess.run([kldve, "explain", *([model] if model else []), picture, *options,
                           *(["--target", target] if target else []), "-o", out, "--quiet"],
                          capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def cell(path):
    """A picture made as large as fits into a square of SIDE."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = SIDE / max(picture.size)
    return picture.resize([max(1, round(side * scale)) for side in picture.size], Image.LANCZOS)


def strip(paths, out):
    cells = [cell(path) for path in paths]
    width = sum(c.width for c in cells) + GAP * (len(cells) - 1)
    whole = Image.new("RGB", (width, max(c.height for c in cells)), "white")
    x = 0
    for c in cells:
        whole.paste(c, (x, 0))
        x += c.width + GAP
    whole.save(str(out), quality=QUALITY, optimize=True)


def draw(args, name, options, pictures, folder):
    """The strip of one method, called `name`, by the first network that allows it.  None, or why there is none."""
    reason = None
    for model in [args.model, *([args.also] if args.also else [])]:
        maps = [os.path.join(folder, f"{i}.png") for i in range(len(pictures))]
        refused = [explain(args.kldve, model, options, picture, target, out)
                   for (picture, target), out in zip(pictures, maps)]
        reason = next(filter(None, refused), None)
        if reason is None:
            strip(maps, os.path.join(args.out, f"{name}.jpg"))
            return None
    return reason


def page(path, out, rows):
    """rows: [(name, what it shows)].  Pictures are named relative to the page."""
    relative = os.path.relpath(out, os.path.dirname(os.path.abspath(path)))
    with open(path, "w", encoding="utf-8") as file:
        file.write("<!doctype html><meta charset=utf-8><title>Gallery of methods</title>"
                   "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
                   "img{max-width:100%}h2{margin:1.5em 0 0}p{margin:.2em 0 .5em;color:#555}</style>\n")
        for name, shows in rows:
            file.write(f"<h2>{html.escape(name)}</h2><p>{html.escape(shows)}</p>"
                       f"<img alt='' src='{html.escape(relative)}/{html.escape(name)}.jpg'>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kldve", default=command())
    parser.add_argument("--model", help="default: the built-in network")
    parser.add_argument("--also", help="a network for methods that the first one rules out")
    parser.add_argument("--out", default=f"{ROOT}/docs/pictures/gallery")
    parser.add_argument("--method", action="append", metavar="NAME")
    parser.add_argument("--page", metavar="FILE.html")
    parser.add_argument("picture", nargs="*")
    args = parser.parse_args()
    if not args.picture and not args.model:
        args.also = args.also or f"{ROOT}/demo/kldve-vit.onnx"
    pictures = [given(text) for text in args.picture or SCENES]
    for path, _ in pictures:
        if not os.path.exists(path):
            sys.exit(f"gallery: {path}: no such picture")
    chosen = methods(args.kldve)
    unknown = set(args.method or []) - {name for name, _, _ in chosen}
    if unknown:
        sys.exit(f"gallery: no method is called {', '.join(sorted(unknown))}; see 'kldve methods'")
    os.makedirs(args.out, exist_ok=True)
    strip([path for path, _ in pictures], os.path.join(args.out, "pictures.jpg"))
    drawn = [("pictures", "as they are")]
    with tempfile.TemporaryDirectory(prefix="kldve-gallery-") as folder:
        for name, options, shows in chosen:
            if args.method and name not in args.method:
                continue
            reason = draw(args, name, options, pictures, folder)
            if reason is None:
                drawn.append((name, shows))
            else:
                print(f"gallery: {name} left out: {reason}", file=sys.stderr)
    if args.page:
        page(args.page, args.out, drawn)
    return 0 if len(drawn) > 1 else 1


if __name__ == "__main__":
    sys.exit(main())
