"""kldve report: the page as a file.  It holds what compare and explain report, texts from files stay
text, nothing is fetched, and every kind of failure gives one clear line."""
import base64
import hashlib
import html.parser
import json
import os
import re
import struct
import unittest

import tinynet
from command import Npy, main, png, read_json, run_measured, snapshot
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


class Many(Report):
    """Pictures of a folder, what they should be called, and pages of a folder."""

    def setUp(self):
        super().setUp()
        self.put("labels.txt", "red fox\ntench\ncrane\nowl\n")
        for i in range(6):
            for label in ["tench", "owl"]:
                os.makedirs(self.path(f"photos/{label}"), exist_ok=True)
                self.put(f"photos/{label}/{i}.png", png(24, 20, lambda x, y: bytes([9 * x, (11 * y * i) % 256, 30 * i])))
        self.said = {}
        for label in ["tench", "owl"]:
            for i in range(6):
                self.succeed("explain", "net.onnx", f"photos/{label}/{i}.png", "--json", "e.json", "--quiet", "-o", "e.png")
                self.said[f"{label}/{i}.png"] = read_json(self.path("e.json"))["top5"][0]["label"]

    def test_right_and_wrong(self):
        _, data, pictures = self.page("net.onnx", "photos", "--labels-from", "folder")
        self.assertTrue(data["labelled"])
        self.assertEqual(data["targets"], ["top1", "expected"])
        self.assertEqual([e["name"] for e in data["pictures"]], sorted(self.said))
        for entry, picture in zip(data["pictures"], pictures):
            label, (says,) = entry["name"].split("/")[0], entry["says"]
            self.assertEqual((entry["expected"], says["should"]), (label, label))
            self.assertEqual(says["label"], self.said[entry["name"]])
            self.assertEqual(says["right"], says["label"] == label)
            said, expected = picture["maps"]
            self.assertEqual(said["target"]["label"], says["label"])
            if says["right"]:
                self.assertEqual(expected["left_out"], "the network says what is expected")
            else:
                self.assertEqual(expected["target"]["label"], label)
        self.assertTrue(any(not e["says"][0]["right"] for e in data["pictures"]))
        _, same, _ = self.page("net.onnx", "photos", "--expected", "folder")
        self.assertEqual(same["pictures"], data["pictures"])

    def test_labels_from_elsewhere(self):
        self.put("list.tsv", "path\tlabel\nphotos/tench/1.png\towl\nphotos/owl/2.png\tno such thing\n")
        result = self.succeed("report", "net.onnx", "list.tsv", "photos/owl/1.png", "--expected", "crane", "-o", "r.html")
        self.assertRegex(result.err, "1 of 2 labels are no class of net, or could be several: no such thing")
        with open(self.path("r.html"), encoding="utf-8") as file:
            entries = parts(Page(file.read()))[0]["pictures"]
        self.assertEqual([e["expected"] for e in entries], ["no such thing", "owl", "crane"])
        self.assertEqual(["right" in e["says"][0] for e in entries], [False, True, True])

    def test_a_picture_that_cannot_be_read(self):
        self.put("photos/owl/bad.png", b"no picture")
        result = self.kldve("report", "net.onnx", self.path("photos"), "missing.png", "-o", "r.html")
        self.assertEqual((result.status, result.out), (1, "wrote r.html\n"))
        self.assertEqual(len(result.err.splitlines()), 3)
        self.assertRegex(result.err, "(?m)bad.png: .*\n.*missing.png: .*\n.*2 of 14 pictures could not be explained")
        with open(self.path("r.html"), encoding="utf-8") as file:
            text = file.read()
        data, pictures = parts(Page(text))
        failed = {e["name"]: e["failed"] for e in data["pictures"] if "failed" in e}
        self.assertEqual(sorted(failed), ["missing.png", "owl/bad.png"])
        self.assertEqual(len(pictures), 12)
        self.assertFalse(self.dir in text)

    def test_a_folder_of_pages(self):
        _, whole, pictures = self.page("net.onnx", "photos")
        result = self.succeed("report", "net.onnx", "photos", "-o", "s.html", "--split", "0.03")
        names = sorted(os.listdir(self.path("s_pages")))
        self.assertRegex(result.out, f"^wrote s.html, a list of 12 pictures, and their pages .*: {len(names)}, ")
        self.assertGreater(len(names), 1)
        with open(self.path("s.html"), encoding="utf-8") as file:
            index, none = parts(Page(file.read()))
        self.assertEqual((none, len(index["pictures"])), ({}, 12))
        found = {}
        for name in names:
            with open(self.path(f"s_pages/{name}"), encoding="utf-8") as file:
                data, there = parts(Page(file.read()))
            self.assertEqual((data["home"], data["of"]), ("../s.html", 12))
            places = range(data["first"], data["first"] + len(data["pictures"]))
            self.assertEqual([index["pictures"][i]["page"] for i in places], [f"s_pages/{name}"] * len(places))
            self.assertEqual([index["pictures"][i]["name"] for i in places], [e["name"] for e in data["pictures"]])
            found.update(there)
        self.assertEqual(sorted(found), sorted(f"picture{i}" for i in range(12)))
        for i, picture in enumerate(pictures):
            self.assertEqual(found[f"picture{i}"]["source"], picture["source"])
        before = snapshot(self.dir)
        self.assertEqual(self.kldve("report", "net.onnx", "photos", "-o", "none/s.html", "--split", "0.03").status, 1)
        self.assertEqual(snapshot(self.dir), before)

    def test_memory_is_bounded(self):
        few = run_measured("report", "net.onnx", "photos/owl/1.png", "-o", "r.html", "--quiet", cwd=self.dir)
        self.put("large.png", png(1400, 1000, lambda x, y: bytes([x & 255, y & 255, x * y & 255])))
        one = run_measured("report", "net.onnx", "large.png", "-o", "r.html", "--quiet", cwd=self.dir)
        many = run_measured("report", "net.onnx", *["large.png"] * 12, "-o", "r.html", "--quiet", cwd=self.dir)
        self.assertEqual((few.status, one.status, many.status), (0, 0, 0))
        self.assertLess(many.peak, one.peak + 3 * 1400 * 1000)  # less than one more of these pictures


class Safety(Report):
    def test_nothing_of_this_machine(self):
        """Names of folders and of the user."""
        home = self.path("home/annabel")
        for name in ["x/1.png", "y/1.png", "2.png"]:
            os.makedirs(os.path.dirname(f"{home}/{name}"), exist_ok=True)
            self.put(f"home/annabel/{name}", png(24, 20, blob))
        for name in ["net.onnx", "net.card.json", "labels.txt", "other.onnx", "other.card.json"]:
            os.rename(self.path(name), f"{home}/{name}")
        before, os.environ["HOME"] = os.environ.get("HOME"), home
        try:
            self.page(f"{home}/net.onnx", *[f"{home}/{n}" for n in ["x/1.png", "y/1.png", "2.png"]], "--method", "grad-cam",
                      "--method", "rollout", "--method", "cam", "--truth", f"model:{home}/net.onnx", "--method", "kl-dve")
        finally:
            os.environ["HOME"] = before or ""
        for secret in [home, "annabel", self.dir]:
            self.assertFalse(secret in self.text, secret)
        data, _ = parts(Page(self.text))
        self.assertEqual([e["name"] for e in data["pictures"]], ["x/1.png", "y/1.png", "2.png"])
        self.assertEqual((data["networks"][0]["model"], data["truth"]), ("net.onnx", "net.onnx"))

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
                (["report", "--model", "net.onnx", "pic.png", "--json", "x"], "--json"),
                (["report", "net.onnx", "pic.png", "--labels-from", "folder"],
                 "--labels-from changes nothing: no folder and no list of pictures is given"),
                (["report", "net.onnx", ".", "--labels-from", "name", "--expected", "folder"],
                 "--expected folder is --labels-from folder: give one of them"),
                (["report", "net.onnx", "pic.png", "--classes", "c.tsv"], "--classes changes nothing"),
                (["report", "net.onnx", ".", "--label-column", "x"], "--label-column is about a list"),
                (["report", "net.onnx", ".", "--labels-from", "names"], "--labels-from"),
                (["report", "net.onnx", "pic.png", "--view", "outline", "--opacity", "1"],
                 "--opacity changes nothing: it is not for --view outline"),
                (["report", "net.onnx", "pic.png", "--split", "0"], "--split")]:
            before = snapshot(self.dir)
            result = self.kldve(*args)
            self.assertEqual(result.status, 2, args)
            self.assertRegex(result.err, f"^kldve: .*{message}.*\n$")
            self.assertEqual((result.out, snapshot(self.dir)), ("", before))

    def test_failures_leave_nothing(self):
        self.put("bad.png", b"no picture")
        for args in [["bad.png"], ["missing.png"], ["pic.png", "-o", "nowhere/r.html"],
                     ["pic.png", "--expected", "no such thing"], ["pic.png", "--expected", "top2"]]:
            before = snapshot(self.dir)
            result = self.kldve("report", "--model", "net.onnx", *args)
            self.assertEqual(result.status, 1, args)
            self.assertRegex(result.err, "^kldve: [^\n]+\n$")
            self.assertEqual((result.out, snapshot(self.dir)), ("", before))

    def test_says_what_it_wrote(self):
        result = self.succeed("report", "--model", "net.onnx", "pic.png")
        self.assertEqual((result.out, result.err), ("wrote report.html\n", ""))
        before = snapshot(self.dir)
        result = self.kldve("report", "--model", "net.onnx", "pic.png")
        self.assertEqual((result.status, result.out, snapshot(self.dir)), (1, "", before))
        self.assertEqual(result.err, "kldve: report.html exists: give the page another name with -o, or replace it with "
                         "--force\n")
        self.succeed("report", "--model", "net.onnx", "second.png", "--force")
        self.assertNotEqual(snapshot(self.dir), before)
        text = self.succeed("report", "--model", "net.onnx", "pic.png", "-o", "-", "--split", "0.01").out
        self.assertEqual(list(parts(Page(text))[1]), ["picture0"])
        self.assertTrue(text.endswith("</html>\n"))


if __name__ == "__main__":
    main()
