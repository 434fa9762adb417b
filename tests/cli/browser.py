"""The page of kldve report in headless Chromium, through chromedriver: it draws what the
library draws; sliders, switches, keys and pointer work; nothing is fetched and no error is logged.
With KLDVE_SCREENSHOTS=FOLDER, screenshots of the page are left there."""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest

import tinynet
from command import SKIPPED, Npy, main, png, read_json, run
from test_compare import png_pixels
from webdriver import ARROWS, CHROMIUM, DRIVER, HOSTILE, Browser


def blob(x, y):
    inside = (x - 60) ** 2 + (y - 90) ** 2 < 900
    return bytes([230, 40, 30]) if inside else bytes([x + 40, 90, y + 20])


WIDTH = HEIGHT = 160  # a square, so that the networks see all of it


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="kldve-report-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        for name, data in [
                ("pic.png", png(WIDTH, HEIGHT, blob)),
                ("second.png", png(120, 168, lambda x, y: bytes([2 * x, 250 - y, x * y % 200]))),
                ("net.onnx", tinynet.classifier()),
                ("net.card.json", b'{"input": {"channels": "RGB", "mean": [100, 100, 100],'
                 b'"resize_shorter_side": 8, "center_crop": 8}, "labels": "labels.txt"}'),
                ("labels.txt", f"red fox\n{HOSTILE}\ncrane\ncrane\n".encode()),
                ("flat.onnx", tinynet.classifier(features=[0] * 12)),
                ("flat.card.json", b'{"input": {"channels": "RGB", "mean": [90, 90, 90]}}'),
                ("other.onnx", tinynet.classifier(classes=6, size=12)),
                ("other.card.json", b'{"input": {"channels": "BGR", "mean": [90, 90, 90]}}')]:
            with open(os.path.join(cls.dir, name), "wb") as file:
                file.write(data)
        cls.kldve("report", "--model", "net.onnx", "--model", "other.onnx", "pic.png",
                  "second.png", "--method", "kl-dve:neighbours", "--method", "grad-cam", "--target",
                  "top1", "--target", "top2", "-o", "r.html")
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def kldve(cls, *args):
        result = run(*args, "--quiet", cwd=cls.dir)
        assert result.status == 0, result.err

    def setUp(self):
        self.page = self.browser
        self.page.open(os.path.join(self.dir, "r.html"))
        if "pic.png" not in self.page.text("#summary"):
            self.page.show("pic.png")

    def tearDown(self):
        self.assertEqual(self.page.log("browser"), [])
        for line in self.page.log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.assertRegex(message["params"]["request"]["url"], "^(file:.*/[rs][.]html$|data:)")
        self.assertNotEqual(self.page.run("return document.title"), "taken")
        self.assertEqual(self.page.run("return [...document.images].filter(i => !i.src.startsWith('data:')).length"), 0)

    def rendered(self, opacity, *args):
        self.kldve("explain", *args, *(["--opacity", str(opacity)] if opacity else []), "-o", "e.png")
        width, height, _, rows = png_pixels(os.path.join(self.dir, "e.png"))
        return [bytes(row[i:i + 3]) for row in rows for i in range(0, 3 * width, 3)]

    def assert_alike(self, found, expected, most, mean):
        self.assertEqual(len(found), len(expected))
        apart = [abs(a - b) for p, q in zip(found, expected) for a, b in zip(p, q)]
        self.assertLessEqual(max(apart), most)
        self.assertLessEqual(sum(apart) / len(apart), mean)

    def test_slider_draws_as_the_library(self):
        # What shows through is JPEG, which loses up to so much at the disc's edge.
        for opacity in [1, 0.5, 0.25]:
            self.page.slide(100 * opacity)
            width, height, found = self.page.pixels()
            self.assertEqual((width, height), (WIDTH, HEIGHT))
            self.assert_alike(found, self.rendered(opacity, "net.onnx", "pic.png"), 45, 1)
        self.page.slide(0)
        _, _, found = self.page.pixels()
        self.assert_alike(found, [blob(x, y) for y in range(HEIGHT) for x in range(WIDTH)], 60, 2.5)

    def test_switches(self):
        self.page.slide(100)
        self.page.click("input[name=network][value='1']")
        self.page.click("input[name=method][value='1']")
        self.page.click("input[name=target][value='1']")
        _, _, found = self.page.pixels()
        self.assert_alike(found, self.rendered(1, "other.onnx", "pic.png", "--method", "grad-cam",
                                               "--target", "top2"), 45, 1)
        self.assertIn("other", self.page.text("#summary"))
        self.assertIn("Grad-CAM", self.page.text("#summary"))
        self.page.show("second.png")
        width, height, found = self.page.pixels()
        self.assertEqual((width, height), (120, 168))
        self.assert_alike(found, self.rendered(1, "other.onnx", "second.png", "--method",
                                               "grad-cam", "--target", "top2"), 60, 3.5)

    def test_keys(self):
        for key, kind in [("m", "method"), ("n", "network"), ("t", "target")]:
            for expected in ["1", "0"]:
                self.page.keys(key)
                self.assertEqual(self.page.run(
                    f"return document.querySelector('input[name={kind}]:checked').value"), expected)
        # Arrows switch within a group of radio buttons, as everywhere.
        self.page.run("document.querySelector('input[name=method]').focus()")
        before = self.page.pixels()
        self.page.keys(ARROWS["right"])
        self.assertIn("Grad-CAM", self.page.text("#summary"))
        self.assertNotEqual(self.page.pixels(), before)
        self.page.run("document.getElementById('opacity').focus()")
        self.page.keys(*[ARROWS["left"]] * 80)
        self.assertEqual(self.page.run("return document.getElementById('opacity').value"), "0")

    def value(self):
        found = re.fullmatch(r"x (\d+), y (\d+): ([\d.]+)", self.page.text("#value"))
        self.assertIsNotNone(found, self.page.text("#value"))
        return int(found[1]), int(found[2]), float(found[3])

    def expected(self, x, y):
        """Of other.onnx, which sees all of the picture: bicubic as Pillow has it, within the range of the map."""
        self.kldve("explain", "other.onnx", "pic.png", "--map", "e.npy", "-o", "e.png")
        cells = Npy(os.path.join(self.dir, "e.npy"))
        h, w = cells.shape

        def weights(centre, size):
            near = range(max(int(centre - 1.5), 0), min(int(centre + 2.5), size))
            away = [abs(i + 0.5 - centre) for i in near]
            found = [1.5 * d ** 3 - 2.5 * d ** 2 + 1 if d < 1 else -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 if d < 2 else 0
                     for d in away]
            return [(i, f / sum(found)) for i, f in zip(near, found)]

        total = sum(share * part * cells.value[row * w + column] for row, share in weights((y + 0.5) * h / HEIGHT, h)
                    for column, part in weights((x + 0.5) * w / WIDTH, w))
        return min(max(total, min(cells.value)), max(cells.value))

    def test_pointer_and_arrows_read_the_map(self):
        self.page.click("input[name=network][value='1']")
        for x, y in [(60, 90), (20, 15), (150, 140), (100, 60)]:
            self.page.move(x, y)
            at_x, at_y, value = self.value()
            self.assertLessEqual(max(abs(at_x - x), abs(at_y - y)), 1)
            self.assertAlmostEqual(value, self.expected(at_x, at_y), delta=1e-4)
        self.page.run("document.getElementById('heat').focus()")
        self.page.keys(ARROWS["right"], ARROWS["down"], held=ARROWS["shift"])
        there = self.value()
        self.assertEqual(there[:2], (at_x + 1, at_y + 1))
        self.assertAlmostEqual(there[2], self.expected(*there[:2]), delta=1e-4)

    def test_what_the_network_did_not_see(self):
        self.page.show("second.png")
        self.page.move(60, 5)  # above the middle square
        self.assertIn("did not see", self.page.text("#value"))

    def test_views(self):
        """Masked, contours, outline, clipped and blurred, other upsampling: as the command draws them."""
        for more in [["--view", "masked"], ["--view", "contours"], ["--view", "outline"], ["--upsample", "lanczos"],
                     ["--view", "masked", "--method", "saliency"], ["--method", "saliency"], ["--clip", "20"], ["--blur", "2"],
                     ["--colormap", "viridis", "--line", "3"], ["--view", "contours", "--sign", "signed"]]:
            picture = "second.png" if "--line" in more else "pic.png"
            self.kldve("report", "net.onnx", picture, "-o", "s.html", *more)
            self.page.open(os.path.join(self.dir, "s.html"))
            if "--view" not in more:
                self.page.slide(100)
            _, _, found = self.page.pixels()
            drawn = self.rendered(None if "--view" in more else 1, "net.onnx", picture, *more)
            self.assert_alike(found, drawn, 45, 2.6 if picture == "second.png" else 1)
            self.page.slide(0)
            _, _, bare = self.page.pixels()
            self.assertGreater(sum(a != b for p, q in zip(bare, found) for a, b in zip(p, q)), 500, more)

    def test_signed(self):
        self.kldve("report", "--model", "other.onnx", "pic.png", "--sign", "signed", "-o", "s.html")
        self.page.open(os.path.join(self.dir, "s.html"))
        for opacity in [1, 0.5]:  # the picture, JPEG, shows through where the map is near zero
            self.page.slide(100 * opacity)
            _, _, found = self.page.pixels()
            drawn = self.rendered(opacity, "other.onnx", "pic.png", "--sign", "signed")
            self.assert_alike(found, drawn, 60, 2.5)
            bare = [blob(x, y) for y in range(HEIGHT) for x in range(WIDTH)]
            self.assertRaises(AssertionError, self.assert_alike, found, bare, 60, 2.5)
        self.page.move(60, 90)
        self.assertRegex(self.page.text("#value"), r": 0\.\d{4}, where 0.5 is zero: [\d.]+ (for|against)")

    def test_truth_of_another_network(self):
        self.assertTrue(self.page.run("return document.getElementById('parting').hidden"))
        self.kldve("report", "--model", "net.onnx", "pic.png", "--truth", "model:flat.onnx", "-o",
                   "s.html")
        self.kldve("compare", "--model", "net.onnx", "pic.png", "--truth", "model:flat.onnx",
                   "--json", "c.json")
        self.page.open(os.path.join(self.dir, "s.html"))
        rows = self.page.run("""return [...document.querySelectorAll("#disagreement tr")].map(
            r => [...r.cells].map(c => c.textContent))""")
        says = read_json(os.path.join(self.dir, "c.json"))["predictions"][0]["disagreement"]
        self.assertEqual([r[0] for r in rows], [c["label"] for c in says])
        for row, c in zip(rows, says):
            for text, share in zip(row[1:], [c["probability"], c["truth"]]):
                self.assertAlmostEqual(float(text.split()[0]), 100 * share, delta=0.0501)

    def test_no_map_and_a_flat_map(self):
        self.kldve("report", "--model", "net.onnx", "--layer", "conv", "--model", "flat.onnx",
                   "pic.png", "--method", "cam", "-o", "s.html")
        self.page.open(os.path.join(self.dir, "s.html"))
        self.assertRegex(self.page.text("#note"), "^No map: .{10,}")
        _, _, found = self.page.pixels()
        self.assert_alike(found, [blob(x, y) for y in range(HEIGHT) for x in range(WIDTH)], 60, 2.5)
        self.page.move(60, 90)
        self.assertIn("no map", self.page.text("#value"))
        self.page.keys("n")
        self.assertIn("The map shows nothing, because it is the same everywhere", self.page.text("#note"))

    def page_of(self, classes, *args):
        """The page of a network with so many scores, under a name of its own."""
        with open(os.path.join(self.dir, "own.onnx"), "wb") as file:
            file.write(tinynet.classifier(classes=classes))
        self.kldve("report", "--model", "own.onnx", "pic.png", "-o", "s.html", *args)
        self.page.open(os.path.join(self.dir, "s.html"))
        return self.page.text("#title"), self.page.text("#top"), self.page.text("#meaning")

    def test_number(self):
        for target, question in [("0", "why so high"), ("1", "why not higher")]:
            title, top, meaning = self.page_of(1, "--target", target)
            self.kldve("explain", "own.onnx", "pic.png", "--json", "e.json")
            value = read_json(os.path.join(self.dir, "e.json"))["value"]
            found = re.fullmatch(r"the number (\S+): " + re.escape(question) + r"\?", title)
            self.assertAlmostEqual(float(found[1]), value, delta=1e-4 * abs(value))
            self.assertTrue(top.startswith("the number"))
            self.assertIn("no class", meaning)
            self.assertNotIn("%", top)
            self.assertIn(question, self.page.text("#record"))

    def test_kinds_of_scores(self):
        _, top, meaning = self.page_of(1, "--scores", "sigmoid")
        self.assertRegex(top, "yes.*no|no.*yes")
        self.assertEqual(meaning, "")
        _, _, meaning = self.page_of(3, "--scores", "sigmoid")
        self.assertIn("each class by itself", meaning)
        shares = self.page.run("""return [...document.querySelectorAll("#top .bar i")].map(
            e => parseFloat(e.style.width))""")
        self.assertNotAlmostEqual(sum(shares), 100, delta=0.1)
        _, _, meaning = self.page_of(3)
        self.assertIn("assumption", meaning)
        _, _, meaning = self.page_of(3, "--scores", "softmax")
        self.assertEqual(meaning, "")

    def test_why_a_map_is_flat(self):
        self.page_of(2, "--method", "kl-dve:channel")
        self.assertIn("the same everywhere: with two classes P = Q", self.page.text("#note"))

    def test_flags_in_words(self):
        self.page_of(4, "--method", "kl-dve:channel", "--method", "grad-cam")
        self.assertIn("The map is the same for every class", self.page.text("#note"))
        self.assertIn("These classes cannot have the perplexity", self.page.text("#note"))
        self.page.keys("m")
        self.assertNotIn("perplexity", self.page.text("#note"))

    def test_labels_and_bars(self):
        self.assertIn(HOSTILE, self.page.text("#top"))
        shares = self.page.run("""return [...document.querySelectorAll("#top .bar i")].map(
            e => parseFloat(e.style.width))""")
        self.assertEqual(len(shares), 4)
        self.assertAlmostEqual(sum(shares), 100, delta=0.01)

    def test_what_is_put_into_the_page_does_not_run(self):
        """The policy allows the page's own script alone, by its hash."""
        with open(os.path.join(self.dir, "r.html"), encoding="utf-8") as file:
            text = file.read()
        evil = "<script>document.title = 'taken'</script><svg onload=\"document.title = 'taken'\"></svg>"
        with open(os.path.join(self.dir, "s.html"), "w", encoding="utf-8") as file:
            file.write(text.replace("<main id=\"main\">", evil + "<main id=\"main\">"))
        self.page.open(os.path.join(self.dir, "s.html"))
        self.assertNotEqual(self.page.run("return document.title"), "taken")
        refused = [line["message"] for line in self.page.log("browser")]
        self.assertEqual(len([m for m in refused if "Content Security Policy" in m]), 2, refused)

    def test_layouts(self):
        for name, width, scheme in [("desktop", 1280, "light"), ("dark", 1280, "dark"),
                                    ("phone", 390, "light"), ("phone-dark", 390, "dark")]:
            self.page.command("Emulation.setDeviceMetricsOverride", width=width, height=844,
                              deviceScaleFactor=1, mobile=width < 500)
            self.page.command("Emulation.setEmulatedMedia",
                              features=[{"name": "prefers-color-scheme", "value": scheme}])
            self.assertEqual(self.page.run("return window.innerWidth"), width)
            self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), width)
            paper = self.page.run("return getComputedStyle(document.body).backgroundColor")
            light = sum(map(int, re.findall(r"\d+", paper)[:3])) > 3 * 128
            self.assertEqual(light, scheme == "light")
            self.page.shoot(name)
        self.page.command("Emulation.clearDeviceMetricsOverride")
        self.page.command("Emulation.setEmulatedMedia", features=[])


if __name__ == "__main__":
    if not CHROMIUM or not DRIVER:
        print("no chromium and chromedriver here")
        sys.exit(SKIPPED)
    main()
