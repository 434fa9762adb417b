"""kldve report: the page as a file.  It holds what compare and explain report, texts from files stay
text, nothing is fetched, and every kind of failure gives one clear line."""
import base64
import hashlib
import html.parser
import json
import re
import struct
import unittest

import tinynet
from command import Npy, main, png, read_json, snapshot
from test_command import Folder, blob

HOSTILE = ["</script><img src=x onerror=alert(1)>", "<!--<script>", "&lt;b&gt; \u2028 \u2029 \"quote\" \\u003c",
           "]]></title><svg onload=alert(2)>"]


class Page(html.parser.HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.inside = [], [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            self.scripts[-1] += text


def without(maps):
    """Figures without what differs from run to run and what only a page has."""
    return [{k: v for k, v in m.items() if k not in ("ms", "values", "seen", "drawn")} for m in maps]


def parts(page):
    """The data of a page: what holds for all pictures, and the pictures by their ids."""
    found = {a["id"]: json.loads(text) for (tag, a), text in zip([e for e in page.elements if e[0] == "script"],
                                                                  page.scripts) if "id" in a}
    return found.pop("data"), found


def allowed(text):
    """How a Content-Security-Policy allows this style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class Report(Folder):
    def setUp(self):
        super().setUp()
        self.put("other.onnx", tinynet.classifier(classes=6, size=12))
        self.put("other.card.json", '{"input": {"channels": "BGR", "mean": [90, 90, 90],'
                 '"resize_shorter_side": 16, "center_crop": 12}}')
        self.put("second.png", png(40, 56, lambda x, y: bytes([6 * x, 250 - 4 * y, (x * y) % 200])))

    def page(self, *args):
        self.succeed("report", *args, "-o", "r.html", "--quiet")
        with open(self.path("r.html"), encoding="utf-8") as file:
            self.text = file.read()
        page = Page(self.text)
        data, pictures = parts(page)
        self.assertEqual(len(page.scripts), len(pictures) + 2)
        return page, data, list(pictures.values())


GRID = ["--model", "net.onnx", "--model", "other.onnx", "pic.png", "second.png", "--method",
        "kl-dve:neighbours", "--method", "grad-cam", "--target", "top1", "--target", "top2"]


class Data(Report):
    def test_figures_are_those_of_compare(self):
        for more in [[], ["--sign", "signed"], ["--method", "lafam"]]:
            _, data, pictures = self.page(*GRID, *more)
            self.succeed("compare", *GRID, *more, "--json", "c.json", "--quiet")
            figures = read_json(self.path("c.json"))
            for key in ["networks", "kldve"]:
                self.assertEqual(data[key], figures[key])
            self.assertEqual(sum((p["predictions"] for p in pictures), []), figures["predictions"])
            self.assertGreaterEqual(len(figures["maps"]), 2 * 2 * 2 * 2)
            self.assertEqual(sum((without(p["maps"]) for p in pictures), []), without(figures["maps"]))
            self.assertEqual([p["name"] for p in data["pictures"]], ["pic.png", "second.png"])

    def test_values_are_those_of_explain(self):
        _, data, pictures = self.page(*GRID, "--method", "guided-kl-dve:rivals", "--method", "guided-kl-dve",
                            "--reading", "channel")
        self.assertEqual([m["id"] for m in data["methods"]],
                         ["kl-dve:neighbours", "grad-cam", "guided-kl-dve:rivals",
                          "guided-kl-dve:channel"])
        for says in sum((p["maps"] for p in pictures), []):
            reading = ["--reading", says["reading"]] if says["reading"] else []
            self.succeed("explain", f"{says['network']}.onnx", says["picture"], "--method",
                         says["method"], *reading, "--target", says["wanted"], "--map", "e.npy",
                         "--quiet")
            cells = Npy(self.path("e.npy"))
            raw = base64.b64decode(says["values"], validate=True)
            self.assertEqual(len(raw), 2 * len(cells.value))
            for level, value in zip(struct.unpack(f"<{len(cells.value)}H", raw), cells.value):
                self.assertAlmostEqual(level / 65535, value, delta=0.51 / 65535)

    def test_pictures_are_jpeg_and_small(self):
        self.put("large.png", png(1000, 500, lambda x, y: bytes([x & 255, y & 255, 9])))
        _, _, pictures = self.page("--model", "net.onnx", "large.png")
        head, body = pictures[0]["source"].split(",")
        self.assertEqual(head, "data:image/jpeg;base64")
        jpeg = base64.b64decode(body, validate=True)
        at = re.search(b"\xff[\xc0-\xc2]", jpeg).start()
        self.assertEqual(struct.unpack(">HH", jpeg[at + 5:at + 9]), (384, 768))

    def test_method_that_the_network_does_not_allow(self):
        result = self.succeed("report", "--model", "net.onnx", "--layer", "conv", "--model",
                              "other.onnx", "pic.png", "--method", "cam", "-o", "r.html")
        with open(self.path("r.html"), encoding="utf-8") as file:
            maps = parts(Page(file.read()))[1]["picture0"]["maps"]
        self.assertEqual([("left_out" in m, "values" in m) for m in maps],
                         [(True, False), (False, True)])
        self.assertRegex(result.err, r"\Akldve: net: cam left out: [^\n]+\n\Z")
        self.assertIn(maps[0]["left_out"], result.err)


class Safety(Report):
    def test_hostile_labels_stay_text(self):
        plain, *_ = self.page("--model", "net.onnx", "pic.png")
        self.put("labels.txt", "\n".join(HOSTILE) + "\n")
        name = "<img src=x onerror=alert(3)>.png"
        self.put(name, png(48, 40, blob))
        page, data, pictures = self.page("--model", "net.onnx", "--name", "</script><b>", name)
        self.assertEqual(page.elements, plain.elements)
        self.assertEqual(page.scripts[-1], plain.scripts[-1])
        self.assertEqual(sorted(c["label"] for c in pictures[0]["predictions"][0]["top5"]), sorted(HOSTILE))
        self.assertEqual(data["pictures"][0]["name"], name)
        self.assertEqual(data["networks"][0]["name"], "</script><b>")
        for text in page.scripts[:-1]:
            self.assertIsNone(re.search("[<>&\u2028\u2029]", text))

    def test_nothing_is_fetched(self):
        page, *_ = self.page("--model", "net.onnx", "pic.png")
        policy = [a["content"] for t, a in page.elements
                  if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
        style, script = (re.search(f"<{tag}>(.*?)</{tag}>", self.text, re.DOTALL)[1] for tag in ["style", "script"])
        self.assertEqual(policy, ["default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
                                  f"style-src {allowed(style)}; script-src {allowed(script)}"])
        for tag, attributes in page.elements:
            self.assertNotIn(tag, ["link", "iframe", "object", "embed", "base", "form"])
            self.assertFalse({"src", "href", "srcset"} & set(attributes), tag)
            self.assertFalse([a for a in attributes if a.startswith("on") or a == "style"], tag)
        self.assertNotRegex(self.text, r"https?://|url\(|@import|innerHTML|insertAdjacent|eval\(")


class Failures(Report):
    def test_usage(self):
        for args, message in [
                (["report"], "a picture is missing"),
                (["report", "--model", "net.onnx", "pic.png", "-o", "r.pdf"],
                 r"r\.pdf: give the page a name that ends in \.html"),
                (["report", "--model", "net.onnx", "pic.png", "--colormap", "no"], "--colormap"),
                (["report", "--model", "net.onnx", "pic.png", "--json", "x"], "--json")]:
            before = snapshot(self.dir)
            result = self.kldve(*args)
            self.assertEqual(result.status, 2, args)
            self.assertRegex(result.err, f"^kldve: .*{message}.*\n$")
            self.assertEqual((result.out, snapshot(self.dir)), ("", before))

    def test_failures_leave_nothing(self):
        self.put("bad.png", b"no picture")
        for args in [["bad.png"], ["missing.png"], ["pic.png", "-o", "nowhere/r.html"]]:
            before = snapshot(self.dir)
            result = self.kldve("report", "--model", "net.onnx", *args)
            self.assertEqual(result.status, 1, args)
            self.assertRegex(result.err, "^kldve: [^\n]+\n$")
            self.assertEqual((result.out, snapshot(self.dir)), ("", before))

    def test_says_what_it_wrote(self):
        result = self.succeed("report", "--model", "net.onnx", "pic.png")
        self.assertEqual((result.out, result.err), ("wrote report.html\n", ""))


if __name__ == "__main__":
    main()
