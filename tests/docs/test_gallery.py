#!/usr/bin/python3
"""docs/gallery.md shows every method and every reading; the scripts that draw it and the maps of docs/results.md work,
and what results.md says of these maps is what they are.

    test_gallery.py SOURCE KLDVE SCENES SCRATCH       skipped (77) without Pillow
"""
import pathlib
import re
import subprocess
import sys

try:
    from PIL import Image
except ImportError:
    sys.exit(77)

source, kldve, scenes, scratch = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
LARGEST = 3_000_000  # bytes of all pictures of the pages


def names():
    """The methods and readings that the command accepts."""
    text = subprocess.run([kldve, "help", "kl-dve"], capture_output=True, text=True, check=True).stdout
    readings = re.search(r"^readings +(.+)$", text, flags=re.M)[1].split(", ")
    text = subprocess.run([kldve, "methods"], capture_output=True, text=True, check=True).stdout
    methods = [name for table in text.split("\n\n")[:2] for name in re.findall(r"^[a-z]\S+", table, flags=re.M)[1:]]
    return methods, readings


def test_page():
    """Each has a row with a picture, and a row with a sentence below it."""
    page = (source / "docs/gallery.md").read_text()
    methods, readings = names()
    files = {m: m for m in methods} | {r: f"kl-dve-{r}" for r in readings}
    for name, file in files.items():
        row = rf"^\| `{re.escape(name)}` \| !\[[^\]]+\]\(pictures/gallery/{re.escape(file)}\.jpg\) \|\n\| \| [A-Z].+\. \|$"
        assert re.search(row, page, flags=re.M), f"docs/gallery.md lacks {name}"
    assert len(methods) >= 36 and len(re.findall(r"\(pictures/gallery/", page)) == len(files) + 1


def test_size():
    size = sum(f.stat().st_size for f in (source / "docs/pictures").rglob("*") if f.is_file())
    assert size < LARGEST, f"docs/pictures: {size} bytes"


def run(*options):
    return subprocess.run(["/usr/bin/python3", source / "bench/gallery/gallery.py", "--kldve", kldve, "--out",
                           scratch / "gallery", *options], capture_output=True, text=True, check=False)


def changed(name):
    """Whether the strip of a method differs from that of the bare pictures, in each of its two cells."""
    with Image.open(scratch / "gallery/pictures.jpg") as bare, Image.open(scratch / f"gallery/{name}.jpg") as drawn:
        assert bare.size == drawn.size == (2 * 224 + 8, 224)
        cells = [(x, 0, x + 224, 224) for x in (0, 232)]
        return [max(abs(p - q) for p, q in zip(bare.crop(c).tobytes(), drawn.crop(c).tobytes())) > 60 for c in cells]


def test_script():
    """Two scenes, a method of the first network, one that only the second has, and a page of both."""
    pictures = [f"{source}/demo/pictures/scene1.png=boat", f"{source}/demo/pictures/scene2.png"]
    page = scratch / "gallery.html"
    done = run("--model", source / "demo/kldve-demo.onnx", "--also", source / "demo/kldve-vit.onnx", "--page", page,
               "--method", "grad-cam", "--method", "grad-rollout", "--method", "kl-dve-rivals", *pictures)
    assert done.returncode == 0, done.stderr
    for name in ("grad-cam", "grad-rollout", "kl-dve-rivals"):
        assert all(changed(name)), name
        assert f"src='gallery/{name}.jpg'" in page.read_text()
    done = run("--model", source / "demo/kldve-demo.onnx", "--method", "rollout", pictures[1])
    assert done.returncode == 1 and "rollout left out" in done.stderr, done.stderr
    done = run("--method", "gradcam")
    assert done.returncode == 1 and "no method is called gradcam" in done.stderr, done.stderr
    done = run(scratch / "none.png")
    assert done.returncode == 1 and "no such picture" in done.stderr, done.stderr


def test_cases():
    """Each map that misleads has the flag that the page names, and the figures that it gives."""
    done = subprocess.run(["/usr/bin/python3", source / "bench/gallery/cases.py", kldve, scenes, scratch / "cases"],
                          capture_output=True, text=True, check=True)
    said = {case.splitlines()[0]: case.splitlines()[1:] for case in re.split(r"\n(?=\S)", done.stdout.strip())}
    page = (source / "docs/results.md").read_text()
    assert set(said) == {f.stem for f in (source / "docs/pictures/cases").glob("*.jpg")} == \
        {f.stem for f in (scratch / "cases").glob("*.jpg")}
    assert "'flat'" in said["flat"][0] and "'flat'" not in said["flat"][1]
    assert ["class-indifferent" in line for line in said["every-class"]] == [True, True, False, False]
    assert ["'clipped'" in line for line in said["clipped"]] == [True, False]
    figures = [re.findall(r"-?\d\.\d\d(?= |,|$)", line.split("faithfulness")[1]) for line in said["centred"]]
    for (blob, control), (own, again) in (figures[:2], figures[2:]):
        assert blob == control == again and f"({control} against {own})" in page
    for line, word in zip(said["wrong-reasons"], ("tree", "boat")):
        name, probability = re.search(r"first (\w+) (0\.\d+)", line).groups()
        assert name == word and f"{100 * float(probability):.0f} %" in page, line


scratch.mkdir(parents=True, exist_ok=True)
for test in (test_page, test_size, test_script, test_cases):
    test()
