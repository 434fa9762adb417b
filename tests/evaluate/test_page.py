"""The page of kldve evaluate in headless Chromium: its numbers are those of --json, its plots have a dot for each, nothing
is fetched, nothing is logged, and it fits a phone.  With KLDVE_SCREENSHOTS=FOLDER, screenshots are left there."""
import json
import os
import random
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests", "cli"))
import tinynet  # noqa: E402
from webdriver import CHROMIUM, DRIVER, HOSTILE, Browser  # noqa: E402
from command import SKIPPED, png, run  # noqa: E402

METHODS = ["kl-dve:neighbours", "grad-cam", "random"]
METRICS = ["insertion:steps=4", "energy_area"]
PICTURES = 9


def picture(seed):
    draw = random.Random(seed)
    return png(30, 24, lambda x, y: bytes(draw.randrange(256) for _ in range(3)))


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="kldve-page-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        os.mkdir(os.path.join(cls.dir, "photos"))
        names = [f"p{i}.png" for i in range(PICTURES - 1)] + ["<img src=x onerror=document.title='taken'>.png"]
        for i, name in enumerate(names):
            cls.write(os.path.join("photos", name), picture(i))
        cls.write("photos/broken.png", b"no picture")
        cls.write("a.onnx", tinynet.classifier())
        cls.write("b.onnx", tinynet.classifier(bias=[0.3, -0.2, 0.1, 0.0]))
        cls.job = ["evaluate", "--model", "a.onnx", "--model", "b.onnx", "photos", "--db", "a.db"]
        for method in METHODS:
            cls.job += ["--method", method]
        for metric in METRICS:
            cls.job += ["--metric", metric]
        result = run(*cls.job, "--page", "a.html", "--json", "a.json", "--quiet", cwd=cls.dir)
        assert result.status == 1 and "broken.png" in result.err, result.err
        with open(os.path.join(cls.dir, "a.json"), encoding="utf-8") as file:
            cls.json = json.load(file)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def write(cls, name, data):
        with open(os.path.join(cls.dir, name), "wb") as file:
            file.write(data)

    def open(self, name="a.html"):
        self.browser.open(os.path.join(self.dir, name))

    def tearDown(self):
        self.assertEqual(self.browser.log("browser"), [])

    def choose(self, name, value):
        self.browser.run("const s = document.getElementById(arguments[0]); s.value = arguments[1];"
                         "s.dispatchEvent(new Event('change', {bubbles: true}));", name, value)

    def count(self, selector):
        return self.browser.run("return document.querySelectorAll(arguments[0]).length", selector)

    def mean(self, network, metric, method):
        return next(e for e in self.json["means"]
                    if (e["network"], e["metric"], e["method"]) == (network, metric, method))

    def test_numbers_are_those_of_the_json(self):
        self.open()
        for i, metric in enumerate(METRICS):
            self.choose("metric", i)
            table = self.browser.run("return [...document.querySelectorAll('#numbers tbody tr')].map("
                                     "r => [...r.children].map(c => c.textContent))")
            self.assertEqual({row[0] for row in table}, set(METHODS))
            for row in table:
                for network, cell in zip("ab", row[1:]):
                    e = self.mean(network, metric, row[0])
                    found = [float(x) for x in re.findall(r"[-+]?\d+\.\d+", cell)]
                    for shown, known in zip(found, (e["mean"], e["low"], e["high"])):
                        self.assertAlmostEqual(shown, known, delta=6e-4)
                    if row[0] != METHODS[0]:
                        d = next(d for d in self.json["method_differences"] if (d["network"], d["metric"], d["method"],
                                 d["minus"]) == (network, metric, row[0], METHODS[0]))
                        self.assertAlmostEqual(found[3], d["mean"], delta=6e-4)
                        clear = d["low"] > 0 or d["high"] < 0
                        self.assertEqual(cell.endswith("*"), clear, cell)

    def test_the_best_method_stands_first(self):
        self.open()
        for i, sign in ((0, -1), (1, 1)):
            self.choose("metric", i)
            order = self.browser.run("return [...document.querySelectorAll('#numbers tbody th')].map(t => t.textContent)")
            values = [sum(self.mean(n, METRICS[i], m)["mean"] for n in "ab") * sign for m in order]
            self.assertEqual(values, sorted(values))

    def test_plots_have_a_dot_for_each(self):
        self.open()
        self.assertEqual(self.count("#means .mark"), 2 * len(METHODS))
        self.assertEqual(self.count("#pairs .mark"), 2 * (len(METHODS) - 1))
        self.assertEqual(self.count("#scatter .mark"), 2 * len(METHODS))
        self.assertEqual(self.count("#spread .mark"), PICTURES)
        self.choose("network", 1)
        self.assertEqual(self.count("#means .mark"), len(METHODS))
        self.choose("against", 1)
        self.assertIn("minus grad-cam", self.browser.text("#pairs-says"))

    def test_pictures(self):
        self.open()
        self.assertEqual(self.count("#best figure"), 4)
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('#best figure')].map("
                                          "f => f.querySelector('img') !== null)")[:3], [True] * 3)
        self.assertTrue(self.browser.run("return [...document.querySelectorAll('#best img')].every("
                                         "i => i.complete && i.naturalWidth === 270)"))  # 30, enlarged
        values = [float(v) for v in self.browser.run(
            "return [...document.querySelectorAll('#best figcaption b, #worst figcaption b')].map(b => b.textContent)")]
        self.assertEqual(values[:4], sorted(values[:4], reverse=True))
        self.assertEqual(values[4:], sorted(values[4:]))
        self.assertGreaterEqual(min(values[:4]), max(values[4:]))
        self.choose("metric", 1)  # of which less is better
        for end in ("best", "worst"):
            self.assertEqual(self.browser.run(f"return [...document.querySelectorAll('#{end} figure')].map("
                                              "f => f.querySelector('img') !== null)")[:3], [True] * 3)

    def test_unreadable_pictures_and_flags(self):
        self.open()
        notes = self.browser.text("#notes")
        self.assertIn("2 questions could not be asked", notes)
        self.assertIn("broken.png (a)", notes)
        self.assertIn("low-confidence", notes)

    def test_names_are_text(self):
        self.open()
        self.assertEqual(self.browser.run("return document.title"), "kldve evaluate")
        self.assertEqual(self.count("main img:not([src^=data])"), 0)
        self.assertTrue(HOSTILE)  # the same trick as in the page of kldve report

    def test_nothing_is_fetched_and_no_path_is_told(self):
        self.browser.log("performance")
        self.open()
        sent = [json.loads(entry["message"])["message"] for entry in self.browser.log("performance")]
        urls = [m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"]
        self.assertEqual([u for u in urls if not u.startswith(("file://", "data:"))], [])
        self.assertEqual(len([u for u in urls if u.startswith("file://")]), 1)
        with open(os.path.join(self.dir, "a.html"), encoding="utf-8") as file:
            self.assertNotIn(self.dir, file.read())

    def test_widths(self):
        for width in (390, 1400, 2560):
            self.browser.command("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1,
                                 mobile=False)
            self.open()
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
            self.browser.shoot(f"evaluate-{width}")
        self.browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.open()
        self.browser.shoot("evaluate-dark")
        self.browser.command("Emulation.clearDeviceMetricsOverride")

    def test_of_the_database_alone(self):
        result = run("results", "a.db", "--page", "b.html", "--quiet", cwd=self.dir)
        self.assertEqual((result.status, result.err), (0, ""))
        self.open("b.html")
        self.assertEqual(self.count("#best figure"), 4)
        self.assertEqual(self.count("#best img"), 0)
        self.assertIn("where kldve evaluate writes the page itself", self.browser.text("#spread-says"))

    def test_usage(self):
        for args in (["results", "a.db", "--page", "b.txt"], ["results", "a.db", "--page", "a.db"],
                     [*self.job, "--page", "a.db"], ["results", "a.db", "--page", "x.html", "--json", "x.html"]):
            result = run(*args, cwd=self.dir)
            self.assertEqual((result.status, result.err.count("\n")), (2, 1), (args, result.err))


if __name__ == "__main__":
    if not (CHROMIUM and DRIVER):
        print("chromium or chromedriver is missing")
        sys.exit(SKIPPED)
    unittest.main()
