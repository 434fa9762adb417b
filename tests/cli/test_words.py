"""What the command says on the screen: help in 80 columns with examples that work, and a summary in
words."""
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import command
from command import KLDVE, SOURCE, read_json, run

COMMANDS = re.findall(r"^  ([a-z]+)  ", run("help").out, re.M)
NAMES = [line.split()[0] for line in (run("methods").out + run("metrics").out).splitlines()
         if re.match(r" {0,2}[a-z][a-z0-9+_-]* +(layer|pixels|higher|lower|-) ", line)]
HAVE_DATABASE = "SQLite" not in run("results", "none.db").err


def examples(name):
    """The lines of the shell in the help of a command."""
    text = run("help", name).out.replace(" \\\n", " ")
    return [" ".join(line.split()) for line in re.findall(r"^    (kldve .*)$", text, re.M)]


class Help(unittest.TestCase):
    def test_no_line_is_longer_than_80(self):
        pages = [["help"], ["--help"], ["methods"], ["metrics"], ["help", "neighbours"]]
        pages += [["help", name] for name in COMMANDS + NAMES if name != "help"]
        self.assertGreater(len(pages), 60)
        for page in pages:
            result = run(*page)
            self.assertEqual((result.status, result.err), (0, ""), page)
            for line in result.out.splitlines():
                self.assertLessEqual(len(line), 80, (page, line))
                self.assertEqual(line, line.rstrip(), page)

    def test_every_option_is_there_once(self):
        for name in COMMANDS[:-1]:
            options = re.findall(r"^  (--?[a-z-]+)", run("help", name).out, re.M)
            self.assertEqual(len(set(options)), len(options), name)

    def test_the_first_options_come_first(self):
        for name in ["explain", "compare", "report", "evaluate"]:
            page = run("help", name).out
            first = page.split("To begin with:\n")[1].split("\n\n")[0]
            self.assertLessEqual(len(re.findall(r"^  -", first, re.M)), 6)
            self.assertIn("--method", first)


class Manual(unittest.TestCase):
    """The page for all commands, and those that are made of the tables."""

    def check(self, name, page):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        # Pages have no date, so that every build makes the same.
        done = subprocess.run(["mandoc", "-Tlint", "-W", "warning"], input=page, capture_output=True, text=True)
        lines = [line for line in done.stdout.splitlines() if "missing date" not in line]
        self.assertEqual(lines, [], name)
        shown = subprocess.run(["mandoc", "-Tascii", "-O", "width=100"], input=page, capture_output=True, text=True).stdout
        return re.sub(".\b", "", shown)

    def test_pages_are_clean_and_complete(self):
        with open(os.path.join(SOURCE, "tools", "kldve.1")) as file:
            everything = self.check("kldve.1", file.read())
        for name in COMMANDS[:-1]:
            self.assertIn(f"kldve-{name}(1)", everything)
            shown = self.check(name, run("help", name, "--man").out)
            options = re.findall(r"^  (--?[a-z-]+)", run("help", name).out, re.M)
            self.assertEqual(sorted(re.findall(r"^ {5,7}(--?[a-z][a-z-]*)(?: .*)?$", shown, re.M)), sorted(options), name)
            for line in examples(name):
                self.assertIn(line, " ".join(shown.split()), name)


class Examples(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-words-")
        self.addCleanup(shutil.rmtree, self.dir)
        demo = os.path.join(SOURCE, "demo")
        os.mkdir(os.path.join(self.dir, "PHOTOS"))
        for i, name in enumerate(["PICTURE.png", "PICTURE2.png", "PHOTOS/a.png"]):
            shutil.copy(os.path.join(demo, "pictures", f"scene{i % 2 + 1}.png"), os.path.join(self.dir, name))
        for name in ["kldve-demo.onnx", "kldve-demo.card.json", "kldve-demo.labels.txt"]:
            as_name = name.replace("kldve-demo.onnx", "NETWORK.onnx").replace("kldve-demo.card", "NETWORK.card")
            shutil.copy(os.path.join(demo, name), os.path.join(self.dir, as_name))

    def prepare(self, name):
        if name == "diff":
            for array in "ab":
                self.run_line(f"kldve explain PICTURE.png --map {array}.npy --quiet")
        if name in ("results", "merge"):
            for part in "12":
                self.run_line(f"kldve evaluate PHOTOS --metric energy_area --shard {part}/2 --db part{part}.db --quiet")
        if name == "results":
            os.replace(os.path.join(self.dir, "part1.db"), os.path.join(self.dir, "results.db"))

    def run_line(self, line):
        words = shlex.split(line)
        done = subprocess.run([KLDVE, *words[1:]], cwd=self.dir, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, (line, done.stderr))
        for option, value in zip(words, words[1:]):
            if option in ("-o", "--json", "--page", "--db"):
                self.assertTrue(os.path.getsize(os.path.join(self.dir, value)), line)

    def test_every_example_runs(self):
        seen = 0
        for name in COMMANDS[:-1]:
            lines = examples(name)
            if not HAVE_DATABASE and name in ("evaluate", "results", "merge"):
                continue
            self.prepare(name)
            for line in lines:
                if ".pdf" in line and os.environ.get("KLDVE_SHEETS") == "0":
                    continue
                self.run_line(line)
                seen += 1
        self.assertGreaterEqual(seen, 6)


class Summary(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-words-")
        self.addCleanup(shutil.rmtree, self.dir)

    def summary(self, *args):
        result = run("explain", *args, "-o", "o.png", "--json", "r.json", "--force", cwd=self.dir)
        self.assertEqual(result.status, 0, result.err)
        return result.out, read_json(os.path.join(self.dir, "r.json"))

    def test_says_class_probability_and_runner_up(self):
        scene = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
        out, record = self.summary(scene)
        first, second = record["top5"][:2]
        self.assertIn(f"explained: {first['label']} ({100 * first['probability']:.1f} %)"
                      f"; runner-up: {second['label']} ({100 * second['probability']:.2f} %)\n", out)
        self.assertRegex(out, r"(?m)^heat: mostly at the \w+")
        share = float(re.search(r"half of it lies on ([\d.]+) % of the picture", out).group(1))
        self.assertAlmostEqual(share / 100, record["energy_area"], delta=0.02)
        self.assertIn(f"KL {record['kl']:.3g}: ", out)
        out, record = self.summary(scene, "--target", "top2")
        self.assertIn(f"explained: {second['label']} (", out)
        self.assertIn(f"; the network says {first['label']} (", out)

    def test_quiet_prints_failures_only(self):
        scene = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
        result = run("explain", scene, "-o", "q.png", "--quiet", cwd=self.dir)
        self.assertEqual((result.status, result.out, result.err), (0, "", ""))


if __name__ == "__main__":
    command.main()
