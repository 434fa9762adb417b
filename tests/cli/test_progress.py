"""The progress line: on a terminal it says what is done, how much of it, and how long the rest
takes; elsewhere there is none."""
import os
import re
import shutil
import tempfile
import unittest

import command
from command import SOURCE, run
from terminal import drawings, final, run_on_terminal

SCENE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
LONG = ["--method", "rise", "--samples", "600"]


class Progress(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-progress-")
        self.addCleanup(shutil.rmtree, self.dir)

    def on_terminal(self, *args, **keywords):
        status, written = run_on_terminal(*args, cwd=self.dir, **keywords)
        self.assertEqual(status, 0, written)
        return written

    def test_says_what_how_much_and_how_long(self):
        samples = 600
        while True:  # until it takes long enough for an estimate
            written = self.on_terminal("explain", SCENE, "--method", "rise", "--samples", str(samples), "-o", "a.png")
            lines = [line for line in drawings(written) if "explaining" in line]
            if samples > 100000 or "s left" in "\n".join(lines):
                break
            samples *= 3
        self.assertGreater(len(lines), 1)
        for line in lines:
            self.assertRegex(line, r"\Aexplaining scene1\.png with rise( · \d+ %( · \d+ s left)?)?\Z")
        self.assertRegex("\n".join(lines), "s left")
        done = [int(n) for n in re.findall(r"(\d+) %", "\n".join(lines))]
        self.assertEqual(done, sorted(done))

    def test_fits_the_width_and_is_cleared(self):
        for columns in (20, 45):
            written = self.on_terminal("explain", SCENE, *LONG, "-o", "a.png", columns=columns)
            self.assertTrue(drawings(written)[:-1])
            for line in drawings(written)[:-1]:
                self.assertLess(len(line), columns, line)
            self.assertNotRegex(final(written), r"explaining scene|\d s left")

    def test_gives_way_to_a_failure(self):
        status, written = run_on_terminal("explain", SCENE, *LONG, "-o", "no/folder.png", cwd=self.dir)
        self.assertEqual(status, 1)
        self.assertRegex(final(written), r"\Akldve: no/folder\.png: [^\n]*\n\Z")

    def test_ascii_where_the_locale_is(self):
        shutil.copy(SCENE, os.path.join(self.dir, "sz\u00e8ne.png"))
        written = self.on_terminal("explain", "sz\u00e8ne.png", *LONG, env={"LC_ALL": "C"})
        lines = "\n".join(line for line in drawings(written) if "explaining" in line)
        self.assertRegex(lines, r"(?m)^explaining sz\?ne\.png with rise, \d+ %(, \d+ s left)?$")
        self.assertTrue(lines.isascii(), lines)

    def test_counts_cells_of_a_grid(self):
        written = self.on_terminal("compare", SCENE, "--method", "rise", "--method", "occlusion",
                                   "--target", "top1", "--target", "top2", "-o", "a.png")
        lines = [line for line in drawings(written) if "explaining" in line]
        self.assertRegex(lines[0], r"\A\d/4 · explaining scene1 with [^,]+, \S+ · \d+ %")
        done = [int(n) for n in re.findall(r"(\d+) %", "\n".join(lines))]
        self.assertEqual(done, sorted(done))

    def test_nowhere_else(self):
        self.assertNotIn("\r", self.on_terminal("explain", SCENE, *LONG, "-o", "a.png", env={"TERM": "dumb"}))
        self.assertNotIn("\r", self.on_terminal("explain", SCENE, *LONG, "-o", "a.png", "--quiet"))
        self.assertEqual(run("explain", SCENE, *LONG, "-o", "a.png", cwd=self.dir).err, "")


if __name__ == "__main__":
    command.main()
