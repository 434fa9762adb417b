"""The page of many pictures in headless Chromium: list, search, filters, keys, maps side by side, words, the folder of pages,
paper, three widths.  With KLDVE_SCREENSHOTS=FOLDER, screenshots of the page are left there."""
import os
import re
import shutil
import sys
import tempfile
import unittest

import tinynet
from browser import ARROWS, CHROMIUM, DRIVER, HOSTILE, Browser
from command import SKIPPED, main, png, read_json, run
from test_compare import png_pixels

LABELS = ["red fox", "owl", "crane", "tench"]
ENTER, ESCAPE = "\ue007", "\ue00c"
SIDE = 96


def scene(seed):
    def pixel(x, y):
        inside = (x - 30 - seed) ** 2 + (y - 50) ** 2 < 500
        return bytes([220, 40 + seed, 30]) if inside else bytes([x + 40, (60 + 31 * seed) % 256, (y + 20 * seed) % 256])
    return png(SIDE, SIDE, pixel)


class Listed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="kldve-list-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        card = (b'{"input": {"channels": "RGB", "mean": [100, 100, 100], "resize_shorter_side": 8, "center_crop": 8},'
                b'"labels": "labels.txt"}')
        files = {"net.onnx": tinynet.classifier(), "net.card.json": card, "labels.txt": "\n".join(LABELS).encode(),
                 "late.onnx": tinynet.classifier(bias=[0.9, -0.7, 0.4, 0.2]), "late.card.json": card,
                 "photos/owl/bad.png": b"no picture"}
        cls.names = [f"owl/{i}.png" for i in range(4)] + [f"red fox/{i}.png" for i in range(3)] + [
            f"red fox/{HOSTILE.replace('/', ' ')}.png", "red fox/\u202egnp.png"]
        for i, name in enumerate(cls.names):
            files["photos/" + name] = scene(3 * i)
        for name, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(cls.dir, name)), exist_ok=True)
            with open(os.path.join(cls.dir, name), "wb") as file:
                file.write(content)
        job = ["report", "net.onnx", "late.onnx", "photos", "--labels-from", "folder", "--method", "kl-dve:neighbours",
               "--method", "grad-cam", "--quiet"]
        for more in [["-o", "r.html"], ["-o", "s.html", "--split", "0.04"]]:
            result = run(*job, *more, cwd=cls.dir)
            assert result.status == 1 and "bad.png" in result.err, result.err
        cls.page = Browser()
        cls.addClassCleanup(cls.page.close)

    def setUp(self):
        self.page.command("Emulation.setDeviceMetricsOverride", width=1400, height=1000, deviceScaleFactor=1, mobile=False)
        self.page.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        self.page.call("POST", "/url", {"url": "about:blank"})
        self.page.open(os.path.join(self.dir, "r.html"))

    def tearDown(self):
        self.assertEqual(self.page.log("browser"), [])
        self.assertNotEqual(self.page.run("return document.title"), "taken")

    def thumbs(self):
        """The lines of every thumbnail; innerText would leave out what is not in view and not laid out yet."""
        return self.page.run("return [...document.querySelectorAll('.thumb')].map("
                             "b => [...b.children].map(part => part.textContent).filter(text => text).join('\\n'))")

    def choose(self, name, value):
        self.page.run("const s = document.getElementById(arguments[0]); s.value = arguments[1];"
                      "s.dispatchEvent(new Event(s.id === 'search' ? 'input' : 'change', {bubbles: true}));", name, value)

    def settle(self, name):
        """Wait until a picture is shown."""
        self.page.run("""const done = arguments[1], name = arguments[0]; (function wait() {
            document.getElementById("summary").textContent.startsWith(name) ? done() : setTimeout(wait, 10); })();""",
                      name, kind="async")

    def test_wrong_first_search_and_filters(self):
        entries = self.page.run("return entries.map(e => [e.name, e.expected, e.says?.[0].label, e.says?.[0].probability])")
        self.assertEqual(len(entries), len(self.names) + 1)
        wrong = sorted((e for e in entries if e[2] and e[2] != e[1]), key=lambda e: -e[3])
        right = sorted((e for e in entries if e[2] and e[2] == e[1]), key=lambda e: e[3])
        shown = self.thumbs()
        self.assertEqual(len(shown), len(entries))
        for text, entry in zip(shown, wrong):
            self.assertEqual(text.split("\n")[0], f"✗ {entry[2]}")
        for text, entry in zip(shown[len(wrong) + 1:], right):
            self.assertEqual(text.split("\n")[0], f"✓ {entry[2]}")
        self.assertEqual(self.page.text("#count"), f"{len(entries)} pictures, {len(wrong)} wrong")
        self.assertIn(wrong[0][0], self.page.text("#summary"))
        for kind, count in [("wrong", len(wrong)), ("right", len(right)), ("failed", 1), ("all", len(entries))]:
            self.choose("filter", kind)
            self.assertEqual(len(self.thumbs()), count, kind)
        self.choose("search", "OWL 2")
        self.assertEqual(len(self.thumbs()), 1)
        self.choose("search", "img src=x")
        self.assertEqual(len(self.thumbs()), 1)
        self.assertEqual(self.page.run("return document.querySelectorAll('img[src=x]').length"), 0)
        self.choose("search", "")
        self.choose("order", "name")
        self.assertIn("owl/0.png", self.thumbs()[0])

    def test_a_picture_that_was_not_explained(self):
        self.choose("filter", "failed")
        self.page.click(".thumb")
        self.settle("owl/bad.png")
        self.assertEqual(self.page.text("#title"), "Not explained")
        self.assertRegex(self.page.text("#note"), "[Pp]icture|PNG")
        self.assertEqual(self.page.run("return document.querySelectorAll('canvas#heat').length"), 0)
        self.page.keys("m", "n", "t")  # there is nothing to choose
        self.choose("filter", "all")
        self.page.show("owl/1.png")
        self.assertTrue(self.page.run("return Boolean(document.getElementById('heat'))"))

    def test_keys(self):
        order = self.page.run("return shown.map(i => entries[i].name)")
        self.page.keys(ARROWS["right"])
        self.settle(order[1])
        self.page.keys(ARROWS["left"])
        self.settle(order[0])
        self.page.keys("/")
        self.page.keys(*"owl")
        self.assertEqual(self.page.run("return document.getElementById('search').value"), "owl")
        inside = self.page.run("return shown.map(i => entries[i].name)")
        self.assertEqual(len(inside), 5)
        self.page.keys(ENTER)
        self.page.keys(ARROWS["right"], ARROWS["right"], ARROWS["left"], ENTER)
        self.settle(inside[1])
        self.page.keys("/", ESCAPE)
        self.assertEqual(self.page.run("return [document.getElementById('search').value, document.activeElement.tagName]"), ["", "BODY"])
        self.page.keys("?")
        self.assertTrue(self.page.run("return document.getElementById('help').open"))
        self.page.shoot("help")
        self.page.keys(ESCAPE)
        self.assertFalse(self.page.run("return document.getElementById('help').open"))

    def heat(self, i):
        """The pixels of the canvas with number i."""
        return self.page.run("""const c = document.querySelectorAll("#stage canvas")[arguments[0]];
            return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data];""", i)

    def test_side_by_side(self):
        self.page.show("owl/2.png")
        self.page.slide(100)
        for kind, names in [("method", ["KL-DVE neighbours", "Grad-CAM"]), ("network", ["net", "late"])]:
            self.page.click(f"input[name=beside][value={kind}]")
            self.assertEqual(self.page.run("return [...document.querySelectorAll('figcaption b')].map(b => b.textContent)"), names)
            self.page.move(40, 50)
            for name in names:
                self.assertRegex(self.page.text("#value"), name + r" \d\.\d{4}")
            self.page.shoot("beside-" + kind)
            for i, name in enumerate(names):
                net, method = (name, "kl-dve") if kind == "network" else ("net", ["kl-dve", "grad-cam"][i])
                result = run("explain", f"{net}.onnx", "photos/owl/2.png", "--method", method, "--opacity", "1", "-o", "e.png",
                             "--quiet", *self.SIZE, cwd=self.dir)
                self.assertEqual(result.status, 0, result.err)
                _, _, _, rows = png_pixels(os.path.join(self.dir, "e.png"))
                self.page.run("state.x = -1; draw()")
                found, expected = self.heat(i), [v for row in rows for v in row]
                apart = [abs(v - expected[3 * (k // 4) + k % 4]) for k, v in enumerate(found) if k % 4 < 3]
                self.assertLess(sum(apart) / len(apart), 4)
        self.page.run("document.querySelectorAll('#stage figure')[1].click()")
        self.assertEqual(self.page.run("return state.network"), 1)
        self.assertIn("late", self.page.text("#summary"))

    SIZE = ["--enlarge", "0"]  # a small picture stays small

    def test_words(self):
        wrong = self.page.run("return entries.findIndex(e => e.says && e.says[0].right === false)")
        self.page.show(self.page.run("return entries[arguments[0]].name", wrong))
        entry = self.page.run("return entries[arguments[0]]", wrong)
        self.assertEqual(self.page.text("#verdict"),
                         f"✗ Wrong: it should be {entry['expected']}, the network says {entry['says'][0]['label']}.")
        self.assertEqual(self.page.run("return [...document.querySelectorAll('input[name=target] + span')].map(s => s.textContent)"),
                         [entry["says"][0]["label"] + "top 1", entry["expected"] + "expected"])
        figures = self.page.run("""return [...document.querySelectorAll("#figures > div")].map(
            d => [d.querySelector("dt").textContent, d.querySelector(".says").textContent])""")
        self.assertGreaterEqual(len(figures), 6)
        for name, sentence in figures:
            self.assertRegex(sentence, r"^[\w-].* .* .* .*[.]$", name)
        self.page.keys("n")
        self.assertTrue(self.page.run("""return [...document.querySelectorAll("#figures dt")].some(
            d => d.textContent === "Likeness")"""))

    def test_a_folder_of_pages(self):
        self.page.open(os.path.join(self.dir, "s.html"))
        self.assertEqual(self.page.run("return document.querySelectorAll('canvas#heat').length"), 0)
        self.assertEqual(len(self.thumbs()), len(self.names) + 1)
        self.page.shoot("index")
        self.page.run("""[...document.querySelectorAll(".thumb")].find(b => b.title.startsWith("red fox/1.png")).click()""")
        self.page.run("""const done = arguments[0]; (function wait() { document.body?.dataset.ready &&
            document.getElementById("heat") ? done() : setTimeout(wait, 20); })();""", kind="async")
        self.assertIn("red fox/1.png", self.page.text("#summary"))
        self.page.run("document.querySelector('footer a').click()")
        self.page.run("""const done = arguments[0]; (function wait() { document.body?.dataset.ready &&
            document.getElementById("frame").classList.contains("index") ? done() : setTimeout(wait, 20); })();""", kind="async")

    def contrast(self):
        """Of every text that is seen to what lies behind it, the least."""
        return self.page.run("""
            const parse = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
            const light = c => c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
              .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
            const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
              if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
            let least = [99, ""];
            for (const e of document.querySelectorAll("body *")) {
              const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
              if (!own || !e.getClientRects().length || e.closest(":disabled, noscript, script, style")) continue;
              const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
              const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
              if (ratio < least[0]) least = [ratio, e.outerHTML.slice(0, 90)];
            }
            return least;""")

    def test_widths_and_colours(self):
        for width, height in [(390, 844), (1400, 1000), (2560, 1300)]:
            for scheme in ["light", "dark"]:
                self.page.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                                  mobile=width < 500)
                self.page.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
                self.page.call("POST", "/url", {"url": "about:blank"})
                self.page.open(os.path.join(self.dir, "r.html"))
                self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), width)
                ratio, element = self.contrast()
                self.assertGreaterEqual(ratio, 4.5, element)
                self.page.shoot(f"list-{width}-{scheme}")
                bottoms = self.page.run("""return ["opacity", "scale", "heat"].map(
                    id => document.getElementById(id).getBoundingClientRect().bottom)""")
                self.assertLess(max(bottoms) if width > 500 else bottoms[0], height)
        self.page.command("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
        self.assertFalse(self.page.run("return document.getElementById('list').getClientRects().length"))
        self.page.click("#show-list")
        self.assertTrue(self.page.run("return document.getElementById('list').getClientRects().length"))
        self.page.shoot("list-phone")
        self.page.click(".thumb")
        self.assertFalse(self.page.run("return document.getElementById('list').getClientRects().length"))
        colours = []
        for _ in range(3):
            self.page.click("#theme")
            colours.append(self.page.run("return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual((len(set(colours)), colours[2]), (2, colours[1]))  # light, dark, the system's: dark

    def test_paper(self):
        self.page.command("Emulation.setEmulatedMedia", media="print", features=[])
        self.page.command("Emulation.setDeviceMetricsOverride", width=700, height=990, deviceScaleFactor=1, mobile=False)
        seen = "return document.querySelector(arguments[0]).getClientRects().length"
        self.assertEqual([self.page.run(seen, s) for s in ["nav", "#controls", "#choices", "#tools"]], [0, 0, 0, 0])
        box = self.page.run("const b = document.getElementById('heat').getBoundingClientRect(); return [b.width, b.height]")
        self.assertTrue(0 < box[0] <= 700 and 0 < box[1] <= 990 / 2 and abs(box[0] - box[1]) < 2, box)
        self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), 700)
        self.page.shoot("paper")
        self.choose("filter", "wrong")
        count = self.page.run("return shown.length")
        self.page.run("sheets().then(() => { document.body.classList.add('sheets'); arguments[0](); })", kind="async")
        self.assertEqual(self.page.run("return document.querySelectorAll('#paper figure canvas').length"), count)
        self.assertEqual(self.page.run(seen, "main"), 0)
        self.page.shoot("paper-all")
        self.page.command("Emulation.setEmulatedMedia", media="", features=[])


if __name__ == "__main__":
    if not CHROMIUM or not DRIVER:
        print("no chromium and chromedriver here")
        sys.exit(SKIPPED)
    main()
