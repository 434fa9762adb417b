"""kldve compare: its figures against those of kldve explain, its sheets as files of the types that
they claim to be, and one clear line for every kind of failure."""
import contextlib
import os
import re
import shutil
import struct
import subprocess
import unittest
import xml.etree.ElementTree
import zlib

import tinynet
from command import Npy, have_shared, main, read_json, shared
from test_command import Folder, blob, check, png

SHEETS = os.environ.get("KLDVE_SHEETS") == "1"
METHODS = ["kl-dve:neighbours", "kl-dve:paper", "grad-cam", "layer-cam", "lafam"]
SVG = "{http://www.w3.org/2000/svg}"


def drawn_out(npy, width, height):
    """The values of a map drawn out to width x height: bilinear, half-pixel centres."""
    h, w = npy.shape

    def axis(n, cells):
        for i in range(n):
            s = min(max((i + 0.5) * cells / n - 0.5, 0), cells - 1)
            yield int(s), min(int(s) + 1, cells - 1), s - int(s)

    columns = list(axis(width, w))
    values = []
    for top, bottom, down in axis(height, h):
        row = [(1 - down) * a + down * b for a, b in zip(npy.value[top * w:top * w + w],
                                                         npy.value[bottom * w:bottom * w + w])]
        values += [(1 - f) * row[left] + f * row[right] for left, right, f in columns]
    return values


def area(npy, width, height, part=0.5):
    """Share of the pixels that holds `part` of the energy, of the map drawn out to width x height."""
    values = sorted(drawn_out(npy, width, height), reverse=True)
    total, sum_ = sum(values), 0
    for i, v in enumerate(values):
        sum_ += v
        if sum_ >= part * total:
            return (i + 1) / len(values)
    raise AssertionError("no energy")


def unfilter(kind, line, before):
    """Undo the filter of a row of a PNG in place (ISO/IEC 15948, 9.2); 3 bytes a pixel."""
    if kind == 1:
        for i in range(3, len(line)):
            line[i] = line[i] + line[i - 3] & 255
    elif kind == 2:
        line[:] = [a + b & 255 for a, b in zip(line, before)]
    elif kind == 3:
        for i, b in enumerate(before):
            line[i] = line[i] + ((line[i - 3] if i >= 3 else 0) + b) // 2 & 255
    elif kind == 4:
        for i, b in enumerate(before):
            a, c = (line[i - 3], before[i - 3]) if i >= 3 else (0, 0)
            pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
            line[i] = line[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c) & 255


def png_pixels(path):
    """Width, height, pixels for a metre (None: not said) and the rows of an 8 bit RGB PNG."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at, packed, density = 8, b"", None
    while at < len(data):
        (n,), kind = struct.unpack_from(">I", data, at), data[at + 4:at + 8]
        body = data[at + 8:at + 8 + n]
        assert struct.unpack_from(">I", data, at + 8 + n)[0] == zlib.crc32(kind + body), kind
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlaced) == (8, 2, 0)
        elif kind == b"IDAT":
            packed += body
        elif kind == b"pHYs":
            assert body[8] == 1 and body[:4] == body[4:8]
            (density,) = struct.unpack(">I", body[:4])
        at += 12 + n
    raw, stride = zlib.decompress(packed), 3 * width
    rows, before = [], bytearray(stride)
    for y in range(height):
        line = bytearray(raw[y * (stride + 1) + 1:][:stride])
        unfilter(raw[y * (stride + 1)], line, before)
        rows.append(line)
        before = line
    return width, height, density, rows


class Compare(Folder):
    def setUp(self):
        super().setUp()
        self.put("other.onnx", tinynet.classifier(classes=6, size=12))
        self.put("other.card.json", '{"input": {"channels": "BGR", "mean": [90, 90, 90]}}')
        self.put("second.png", png(40, 56, lambda x, y: bytes([6 * x, 250 - 4 * y, (x * y) % 200])))

    def compare(self, *args, **keywords):
        return self.succeed("compare", *args, **keywords)

    def maps(self, *args):
        self.compare(*args, "--json", "c.json", "--quiet")
        return read_json(self.path("c.json"))["maps"]


class Figures(Compare):
    def explain(self, says, model, layer=None):
        options = ["--layer", layer] if layer else []
        if says["reading"]:
            options += ["--reading", says["reading"]]
        self.succeed("explain", model, says["picture"], "--method", says["method"], "--target",
                     says["wanted"], *options, "--json", "e.json", "--map", "e.npy", "--quiet")
        return read_json(self.path("e.json")), Npy(self.path("e.npy"))

    def test_as_explain_says(self):
        sizes = {"net": 8, "other": 12}
        args = ["--model", "net.onnx", "--model", "other.onnx", "pic.png", "second.png"]
        for method in METHODS:
            args += ["--method", method]
        for target in ["top1", "top2", "3"]:
            args += ["--target", target]
        self.compare(*args, "--json", "c.json", "--quiet")
        found = read_json(self.path("c.json"))
        self.assertEqual([n["name"] for n in found["networks"]], ["net", "other"])
        self.assertEqual(len(found["maps"]), 2 * 2 * len(METHODS) * 3)
        place = 0
        for picture in ["pic.png", "second.png"]:
            for network in ["net", "other"]:
                for method in METHODS:
                    for target in ["top1", "top2", "3"]:
                        says = found["maps"][place]
                        place += 1
                        self.assertEqual((says["picture"], says["network"], says["wanted"]),
                                         (picture, network, target))
                        self.assertEqual(":".join(filter(None, [says["method"], says["reading"]])),
                                         method)
                        record, values = self.explain(says, f"{network}.onnx")
                        self.assertEqual(says["target"], record["target"])
                        self.assertEqual(says["kl"], record["kl"])
                        self.assertEqual([says["height"], says["width"]], list(values.shape))
                        size = sizes[network]
                        if "flat" in says["flags"]:
                            self.assertIsNone(says["energy_area"])
                            continue
                        # float32 and float64 may part ways over one pixel
                        self.assertAlmostEqual(says["energy_area"], area(values, size, size),
                                               delta=1.01 / size ** 2)
                    top = [p for p in found["predictions"]
                           if (p["picture"], p["network"]) == (picture, network)]
                    self.assertEqual([p["top5"] for p in top], [record["top5"]])

    def test_truth_of_another_network(self):
        self.put("third.onnx", tinynet.classifier(bias=[0.4, -0.2, 0.3, 0]))
        self.put("third.card.json", '{"input": {"channels": "RGB", "mean": [90, 90, 90]}}')
        args = ["--model", "net.onnx", "pic.png", "--json", "c.json", "--quiet"]
        for reading in ["channel", "contrast"]:
            self.compare(*args, "--reading", reading)
            without = read_json(self.path("c.json"))
            self.compare(*args, "--reading", reading, "--truth", "model:third.onnx")
            found = read_json(self.path("c.json"))
            self.assertEqual(found["truth"], "third.onnx")
            self.assertNotEqual(found["maps"][0]["kl"], without["maps"][0]["kl"])
            self.assertEqual(found["maps"][0]["target"], without["maps"][0]["target"])
        # p is that of `explain` for either network; all four classes are listed.
        for model, member in [("net.onnx", "probability"), ("third.onnx", "truth")]:
            self.succeed("explain", model, "pic.png", "--json", "e.json", "--quiet")
            top = {c["index"]: c["probability"] for c in read_json(self.path("e.json"))["top5"]}
            says = found["predictions"][0]["disagreement"]
            self.assertEqual({c["index"]: c[member] for c in says}, top)
        parts = [abs(c["probability"] - c["truth"]) for c in says]
        self.assertEqual(parts, sorted(parts, reverse=True))
        # A network agrees with itself.
        self.compare(*args, "--truth", "model:net.onnx")
        says = read_json(self.path("c.json"))["predictions"][0]["disagreement"]
        self.assertTrue(all(c["probability"] == c["truth"] for c in says))

    def test_sign(self):
        args = ["--model", "other.onnx", "pic.png", "--method", "grad-cam", "--sign"]
        (signed,) = self.maps(*args, "signed")
        (positive,) = self.maps(*args, "positive")
        self.assertEqual((signed["signed"], positive["signed"]), (True, False))

    def test_defaults(self):
        (says,) = self.maps("--model", "net.onnx", "pic.png")
        self.assertEqual((says["method"], says["reading"], says["wanted"]),
                         ("kl-dve", "neighbours", "top1"))
        (says,) = self.maps("--model", "net.onnx", "pic.png", "--truth", "model:net.onnx")
        self.assertEqual(says["reading"], "contrast")
        (says,) = self.maps("--model", "net.onnx", "pic.png", "--reading", "rivals")
        self.assertEqual(says["reading"], "rivals")
        named, open_ = self.maps("--model", "net.onnx", "pic.png", "--reading", "rivals",
                                 "--method", "kl-dve:channel", "--method", "kl-dve")
        self.assertEqual((named["reading"], open_["reading"]), ("channel", "rivals"))
        few, many = self.maps("--model", "net.onnx", "pic.png", "--neighbour-perplexity", "1.5",
                              "--method", "kl-dve:neighbours", "--method", "kl-dve:rivals")
        self.assertEqual((few["neighbour_perplexity"], "neighbour_perplexity" in many), (1.5, False))
        for more, reading in [([], "neighbours"), (["--reading", "rivals"], "rivals")]:
            (says,) = self.maps("--model", "net.onnx", "pic.png", "--method", "guided-kl-dve", *more)
            self.assertEqual(says["reading"], reading)

    def test_options_belong_to_the_network_before(self):
        self.compare("--layer", "conv", "--model", "net.onnx", "--model", "other.onnx", "--layer",
                     "relu", "--name", "Other one", "--model", "net.onnx", "--grid", "8x8", "pic.png",
                     "--json", "c.json", "--quiet")
        found = read_json(self.path("c.json"))["networks"]
        self.assertEqual([n["layer"] for n in found], ["conv", "relu", "conv"])
        self.assertEqual([n["name"] for n in found], ["net conv #1", "Other one", "net conv #3"])

    def test_networks_at_two_layers_are_told_apart(self):
        self.compare("--model", "net.onnx", "--layer", "conv", "--model", "net.onnx", "pic.png",
                     "--json", "c.json", "--quiet")
        self.assertEqual([n["name"] for n in read_json(self.path("c.json"))["networks"]],
                         ["net conv", "net relu"])

    def test_networks_are_called_as_their_cards_say(self):
        card = '{"name": "A <b>fine</b> network", "labels": "labels.txt"}'
        for name in ("one", "two"):
            shutil.copy(self.path("net.onnx"), self.path(name + ".onnx"))
            self.put(name + ".card.json", card)
        self.compare("--model", "one.onnx", "--model", "two.onnx", "--model", "two.onnx", "--name",
                     "said", "pic.png", "--json", "c.json")
        self.assertEqual([n["name"] for n in read_json(self.path("c.json"))["networks"]],
                         ["A <b>fine</b> network relu #1", "A <b>fine</b> network relu #2", "said"])

    def test_flags_in_words(self):
        args = ["--model", "net.onnx", "pic.png", "--method", "kl-dve:paper", "--method", "grad-cam"]
        flags = [m["flags"] for m in self.maps(*args)]
        self.assertIn("class-indifferent", flags[0])
        self.assertNotIn("class-indifferent", flags[1])
        self.assertIn("\n1 of 2 maps (kl-dve:paper): the map is the same for every class: ", self.compare(*args).out)
        one = self.compare("--model", "net.onnx", "pic.png", "--method", "kl-dve:paper").out
        self.assertIn("\nthe map: the map is the same for every class: ", one)
        self.assertNotIn("perplexity", one)  # that map does not depend on it
        channel = self.compare("--model", "net.onnx", "pic.png", "--method", "kl-dve:channel").out
        self.assertIn("\nthe map: these classes cannot have the perplexity", channel)
        if SHEETS:
            self.compare("--model", "net.onnx", "pic.png", "--sheet", "slide", "-o", "c.png", "--method",
                         "kl-dve:paper", "--quiet")

    def test_numbers_that_are_not_finite_leave_out_one_map(self):
        self.put("hot.onnx", tinynet.classifier(features=[6e35] * 12,
                                                weights=[((5 * i) % 7 - 2) * 1e-36 for i in range(16)]))
        self.put("dark.png", png(40, 56, lambda x, y: bytes([x // 20, y // 28, 1])))
        self.put("white.png", png(40, 56, lambda x, y: bytes([255, 255, 255])))
        args = ["--model", "hot.onnx", "white.png", "dark.png", "--json", "c.json"]
        result = self.compare(*args)
        self.assertRegex(result.err, r"(?m)^kldve: white\.png: hot: kl-dve:\w+ left out: .*is not a number")
        white, dark = read_json(self.path("c.json"))["maps"]
        self.assertEqual((white["flags"], "left_out" in white), (["non-finite"], True))
        self.assertEqual(("non-finite" in dark["flags"], "left_out" in dark), (False, False))
        self.assertIn("1 of 2 maps (white): a number on the way", self.compare(*args[:4]).out)
        self.succeed("report", *args[:4], "-o", "r.html")
        if SHEETS:
            self.compare(*args[:4], "-o", "c.png", "--quiet")
        check(self, ["compare", *args[:3], "--quiet"], 1, r"hot\.onnx: ")

    def test_what_a_network_does_not_allow_is_left_out(self):
        args = ["--model", "net.onnx", "--layer", "conv", "--model", "other.onnx", "pic.png",
                "--method", "cam", "--json", "c.json"]
        result = self.compare(*args)
        self.assertRegex(result.err, r"\Akldve: net: cam left out: [^\n]+\n\Z")
        maps = read_json(self.path("c.json"))["maps"]
        self.assertEqual(["left_out" in m for m in maps], [True, False])
        if SHEETS:
            self.compare(*args, "-o", "c.svg", "--quiet")
        check(self, ["compare", "--model", "net.onnx", "--layer", "conv", "pic.png", "--method",
                     "cam", "--quiet", "--json", "none.json"], 1, r"net\.onnx: cam: ")

    def test_table(self):
        args = ["--model", "net.onnx", "--model", "other.onnx", "pic.png", "second.png", "--method",
                "grad-cam", "--target", "1"]
        result = self.compare(*args)
        maps = self.maps(*args)
        shown = [[float(x) for x in re.findall(r"([\d.]+) %", line)]
                 for line in result.out.split("\n") if line.startswith("    Grad-CAM ")]
        areas = [100 * m["energy_area"] for m in maps]
        wanted = [areas[:2], areas[2:], [(areas[0] + areas[2]) / 2, (areas[1] + areas[3]) / 2]]
        self.assertEqual(len(shown), 3)
        for a, b in zip(sum(shown, []), sum(wanted, [])):
            self.assertAlmostEqual(a, b, delta=0.051)
        self.assertRegex(result.out, r"(?m)^pic +net +other")
        self.assertRegex(result.out, r"(?m)^  map of 1 +grey wolf +[\d.]+ % class 1 +[\d.]+ %")

    def test_streams(self):
        result = self.compare("--model", "net.onnx", "pic.png", "--json", "-")
        self.assertEqual(result.err, "")
        self.assertTrue(result.out.startswith("{") and result.out.endswith("}\n"))
        result = self.compare("--model", "net.onnx", "pic.png", "--json", "c.json", "--quiet")
        self.assertEqual((result.out, result.err), ("", ""))
        result = self.compare("--model", "net.onnx", "pic.png", "--json", "c.json")
        self.assertEqual(result.out, "wrote c.json\n")
        result = self.compare("--model", "net.onnx", "pic.png", "--json", "c.json", "--table")
        self.assertIn("predicted", result.out)
        result = self.compare("--model", "plain.onnx", "pic.png")
        self.assertIn("no model card; assuming", result.err)

    def test_built_in(self):
        result = self.kldve("compare", "pic.png")
        if "is not part of this build" in result.err:
            self.skipTest("no built-in network")
        self.assertEqual(result.status, 0, result.err)


@unittest.skipUnless(SHEETS, "a build without cairo")
class Sheets(Compare):
    ARGS = ["--model", "net.onnx", "--model", "other.onnx", "pic.png", "second.png", "--method",
            "kl-dve", "--method", "grad-cam"]

    def test_png(self):
        self.compare(*self.ARGS, "-o", "c.png", "--quiet", "--view", "masked", "--sheet", "column")
        width, height, density, rows = png_pixels(self.path("c.png"))
        self.assertEqual((width, density), (round(85 / 25.4 * 300), 11811))
        self.assertEqual(bytes(rows[0][:3]), b"\xff\xff\xff")
        # The photographs stand at the left; the maps hide most of theirs behind one dark grey.
        grey = [x for row in rows[::4] for x in range(0, width, 4)
                if row[3 * x:3 * x + 3] == bytes([40, 40, 40])]
        self.assertGreater(len(grey), 500)
        self.assertGreater(min(grey), width / 4)

    def test_sizes(self):
        for size, width, density in [("paper", 2008, 11811), ("column", 1004, 11811),
                                     ("120", 1417, 11811), ("slide", 1920, None)]:
            self.compare(*self.ARGS, "-o", "c.PNG", "--sheet", size, "--quiet")
            with open(self.path("c.PNG"), "rb") as file:
                head = file.read(64)
            found = struct.unpack_from(">II", head, 16)
            self.assertEqual(found[0], width)
            self.assertEqual(density is not None, head[37:41] == b"pHYs")
            if size == "slide":
                self.assertEqual(found[1], 1080)

    def test_svg(self):
        self.compare(*self.ARGS, "-o", "c.svg", "--quiet", "--title", "A <b>title</b> & more")
        root = xml.etree.ElementTree.parse(self.path("c.svg")).getroot()
        self.assertEqual(root.tag, SVG + "svg")
        self.assertAlmostEqual(float(root.get("width").removesuffix("pt")), 170 / 25.4 * 72,
                               delta=0.1)
        # A photograph and two maps for each of two networks and two pictures.
        self.assertEqual(len(list(root.iter(SVG + "image"))), 2 * 2 * 3)

    def test_pdf(self):
        self.compare(*self.ARGS, "-o", "c.pdf", "--quiet")
        with open(self.path("c.pdf"), "rb") as file:
            data = file.read()
        self.assertTrue(data.startswith(b"%PDF-1.") and data.rstrip().endswith(b"%%EOF"))
        if shutil.which("pdftoppm") is None:
            return
        subprocess.run(["pdftoppm", "-r", "72", "-png", "c.pdf", "page"], cwd=self.dir, check=True)
        pages = [name for name in os.listdir(self.dir) if name.startswith("page")]
        self.assertEqual(len(pages), 1)
        width, _, _, rows = png_pixels(self.path(pages[0]))
        self.assertAlmostEqual(width, 482, delta=1)
        self.assertGreater(len({bytes(row) for row in rows}), 50)

    def pages(self, *args):
        """How many pages a PDF has."""
        self.compare(*args, "-o", "c.pdf", "--quiet")
        with open(self.path("c.pdf"), "rb") as file:
            data = file.read()
        for packed in re.findall(rb"stream\r?\n(.*?)endstream", data, re.S):  # of cairo 1.18
            with contextlib.suppress(zlib.error):
                data += zlib.decompressobj().decompress(packed)
        return int(re.search(rb"/Count (\d+)", data)[1])

    def test_pictures_of_a_pdf_are_jpeg(self):
        self.succeed("explain", "net.onnx", "pic.png", "-o", "photo.jpg")
        sheets = {}
        for quality in ([], ["--quality", "30"], ["--quality", "0"]):
            self.compare("--model", "net.onnx", "photo.jpg", "--fit", "squash", "-o", "c.pdf", "--quiet", *quality)
            with open(self.path("c.pdf"), "rb") as file:
                sheets[tuple(quality)] = file.read()
        default, small, exact = sheets.values()
        with open(self.path("photo.jpg"), "rb") as file:
            photo = file.read()
        self.assertIn(photo, default)  # its own file, as it is
        self.assertEqual(default.count(b"/DCTDecode"), 2)
        self.assertNotIn(b"/DCTDecode", exact)
        self.assertLess(len(small), len(default))

    def test_more_columns_than_fit_are_wrapped(self):
        methods = [m for name in METHODS for m in ("--method", name)]
        for size, blocks in [("paper", 1), ("40", 5)]:
            self.compare("--model", "net.onnx", "pic.png", *methods, "-o", "c.svg", "--sheet", size,
                         "--quiet")
            root = xml.etree.ElementTree.parse(self.path("c.svg")).getroot()
            # every block has the photograph
            self.assertEqual(len(list(root.iter(SVG + "image"))), len(METHODS) + blocks, size)

    def test_pages(self):
        many = ["--model", "net.onnx", *["pic.png"] * 40]
        self.assertEqual(self.pages(*self.ARGS), 1)
        self.assertGreater(self.pages(*many, "--sheet", "column"), 1)
        self.assertGreater(self.pages(*many, "--sheet", "slide"), 1)
        self.assertEqual(self.pages(*many[:4], "--sheet", "page"), 1)
        shutil.copy(self.path("net.onnx"), self.path("twin.onnx"))
        both = [m for name in METHODS for m in ("--method", name)]
        self.assertGreater(self.pages(*many[:20], *both, "--model", "twin.onnx"), 1)

    def test_columns(self):
        tiles = {"methods": 4 * 3, "networks": 4 * 3, "pictures": 5 * 2}
        for columns, count in tiles.items():
            self.compare(*self.ARGS, "-o", "c.svg", "--columns", columns, "--quiet")
            root = xml.etree.ElementTree.parse(self.path("c.svg")).getroot()
            self.assertEqual(len(list(root.iter(SVG + "image"))), count, columns)

    def test_hostile_labels(self):
        self.put("labels.txt", b"<svg onload='x'>&\"]]>\x07\x1b[2J\n\xff\xfe bytes\n"
                 b"\xe2\x80\xae backwards \xe2\x80\xa9\n" + b"long " * 5000 + b"\n")
        for target in range(4):
            args = ["--model", "net.onnx", "--name", "<i>\x01\xff", "pic.png", "--target",
                    str(target)]
            for columns in ["methods", "networks", "pictures"]:
                result = self.compare(*args, "-o", "c.svg", "--columns", columns, "--table")
                self.assertNotRegex(result.out, "[\x00-\x09\x0b-\x1f]")
                root = xml.etree.ElementTree.parse(self.path("c.svg")).getroot()
                self.assertFalse([e.tag for e in root.iter() if "script" in e.tag])
                self.assertFalse([k for e in root.iter() for k in e.attrib if k.startswith("on")])

    def test_a_large_photograph_does_not_fill_the_sheet(self):
        rows = [bytes(os.urandom(3 * 64)) for _ in range(64)]
        self.put("big.png", png(2600, 1800, lambda x, y: rows[y % 64][3 * (x % 64):3 * (x % 64) + 3]))
        self.assertGreater(os.path.getsize(self.path("big.png")), 30000)
        self.compare("--model", "net.onnx", "big.png", "-o", "c.svg", "--sheet", "column",
                     "--quiet")
        # Two tiles of less than 500 x 500 pixels, noise, in base64.
        self.assertLess(os.path.getsize(self.path("c.svg")), 2.5e6)

    def test_opacity_and_colours(self):
        seen = set()
        for more in [[], ["--opacity", "0"], ["--opacity", "1"], ["--colormap", "viridis"]]:
            self.compare("--model", "net.onnx", "pic.png", "-o", "c.png", "--quiet", *more)
            with open(self.path("c.png"), "rb") as file:
                seen.add(file.read())
        self.assertEqual(len(seen), 4)


def compare(*more):
    return ["compare", "--model", "net.onnx", "pic.png", "--json", "c.json", *more]


class Failures(Compare):
    USAGE = [
        (["compare"], "a picture is missing"),
        (["compare", "--model", "net.onnx"], "a picture is missing"),
        (["compare", "--model"], "--model needs a value"),
        (["compare", "--model", "", "pic.png"], "--model: the value is empty"),
        (compare("--method", "grad-kam"), "--method: there is no method 'grad-kam'"),
        (compare("--method", "grad-kam:paper"), "--method: there is no method 'grad-kam'; did you mean 'grad-cam'"),
        (compare("--method", "kl-dve:papr"), "--method: there is no reading 'kl-dve:papr'; did you mean 'paper'"),
        (compare("--method", "cam", "--method", "cam"), "--method: cam is given twice"),
        (compare("--target", "1", "--target", "1"), "--target: 1 is given twice"),
        (compare("--method", "kl-dve:no"), "--method: there is no reading 'kl-dve:no'; the readings are paper, channel, contrast, rivals, neighbours"),
        (compare("--method", "guided-kl-dve:"), "--method: there is no reading 'guided-kl-dve:'"),
        (compare("--method", "grad-cam:paper"),
         "--method: 'grad-cam:paper': only these methods take a reading: kl-dve, guided-kl-dve"),
        (compare("-o", "c.jpg"), r"c\.jpg: give the sheet a name that ends in \.png, \.svg or \.pdf"),
        (compare("-o", ".png"), r"\.png: give the sheet a name that ends in"),
        (compare("--truth", "net.onnx"), r"--truth: 'net\.onnx' is not of the form model:FILE"),
        (compare("--truth", "model:"), "--truth: 'model:' is not of the form model:FILE"),
        (compare("--truth", "model:net.onnx", "--reading", "rivals"), "--truth: the reading rivals"),
        (compare("--truth", "model:net.onnx", "--method", "guided-kl-dve:rivals"),
         "--truth: the reading rivals"),
        (compare("--truth", "model:net.onnx", "--method", "kl-dve:neighbours"),
         "--truth: the reading neighbours"),
        (compare("--sign", "both"), "--sign: 'both'"),
        (compare("--quality", "101"), "--quality: '101' is not a whole number from 0 to 100"),
        (compare("-o", "c.png", "--quality", "50"), r"--quality changes nothing: only a \.pdf holds JPEG"),
        (compare("--sheet", "huge"), "--sheet: 'huge' is not paper, column, page, slide or a width of 40 to 1000 mm"),
        (compare("--sheet", "39"), "--sheet: '39' is not paper"),
        (compare("--sheet", "nan"), "--sheet: 'nan' is not paper"),
        (compare("--columns", "rows"), "--columns: 'rows'"),
        (compare("--crop", "9", "--resize", "8"), "--crop 9 is larger than --resize 8"),
    ]
    FAILED = [
        (compare("no.png"), r"no\.png: .*No such file"),
        (compare("labels.txt"), r"labels\.txt: "),
        (compare("--model", "no.onnx"), r"no\.onnx: .*No such file"),
        (compare("--model", "pic.png"), r"pic\.png: "),
        (compare("--target", "5"), r"net\.onnx: --target 5: there are 4 classes"),
        (compare("--target", "top5"), r"net\.onnx: --target top5"),
        (compare("--target", "crane"), r"net\.onnx: --target crane: 'crane' names 2 classes"),
        (compare("--model", "other.onnx", "--target", "grey wolf"), r"other\.onnx: --target grey"),
        (compare("--truth", "model:no.onnx"), r"no\.onnx: .*No such file"),
        (compare("--truth", "model:other.onnx"), r"other\.onnx: 6 classes, but net\.onnx has 4"),
        (compare("--layer", "nowhere"), r"net\.onnx: "),
        (["compare", "--model", "net.onnx", "pic.png", "--json", "no/c.json"],
         r"no/c\.json: cannot write: No such file"),
    ]
    SHEET = [
        (["compare", "--model", "net.onnx", "pic.png", "-o", "no/c.svg"],
         r"no/c\.svg: cannot write: No such file"),
        # before any network is read: there is none of that name
        (["compare", "--model", "no.onnx", *["pic.png"] * 900, "-o", "c.svg", "--sheet", "slide",
          "--columns", "methods"],
         r"c\.svg: 1 columns and 900 rows do not fit on a slide: give a \.pdf, which has several"),
        (["compare", "--model", "no.onnx", *["pic.png"] * 3000, "-o", "c.png", "--columns",
          "methods"], r"c\.png: the sheet would be [0-9.]+ m high, and a PNG ends at 32767 pixels"),
    ]

    def each(self, rows, status):
        for args, line in rows:
            with self.subTest(args):
                check(self, args + (["--quiet"] if status == 1 else []), status, line)

    def test_usage(self):
        self.each(self.USAGE, 2)

    def test_failures(self):
        self.each(self.FAILED, 1)

    @unittest.skipUnless(SHEETS, "a build without cairo")
    def test_sheets(self):
        self.each(self.SHEET, 1)

    @unittest.skipIf(SHEETS, "a build with cairo")
    def test_without_sheets(self):
        check(self, ["compare", "--model", "net.onnx", "pic.png", "-o", "c.png"], 1,
              "this build cannot draw sheets")


@unittest.skipUnless(have_shared(), "no shared networks")
class Real(Compare):
    """Four networks and six methods, at the size that papers have."""

    def test_two_animals(self):
        names = ["googlenet", "squeezenet_v1.1", "mobilenet_v2_1.0_224", "mobilenet_v1_1.0_224"]
        args = [shared("assets", "images", "demo", "both.png"), "--json", "c.json", "--quiet"]
        for name in names:
            args += ["--model", shared("assets", "models", f"{name}.onnx")]
        for method in ["kl-dve", "kl-dve:rivals", "grad-cam", "grad-cam++", "layer-cam",
                       "eigen-cam"]:
            args += ["--method", method]
        for sheet in ["c.png", "c.svg"] if SHEETS else []:
            self.compare(*args, "-o", sheet, timeout=600)
        if not SHEETS:
            self.compare(*args, timeout=600)
        found = read_json(self.path("c.json"))
        cards = [read_json(shared("assets", "models", f"{name}.card.json")) for name in names]
        self.assertEqual([n["name"] for n in found["networks"]], [card["name"] for card in cards])
        self.assertEqual(len(found["maps"]), 4 * 6)
        for says in found["maps"]:
            self.assertTrue(0 < says["energy_area"] < 0.5, says)


if __name__ == "__main__":
    main()
