"""--terminal: the picture fits the terminal above the summary, in colours and characters that it
has, with the proportions of the picture."""
import os
import re
import shutil
import tempfile
import unittest

import command
from command import SOURCE, png
from terminal import run_on_terminal

SCENE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
COLOUR = "\033["


class Terminal(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-terminal-")
        self.addCleanup(shutil.rmtree, self.dir)
        for name, width, height in [("portrait.png", 60, 240), ("panorama.png", 400, 60)]:
            with open(os.path.join(self.dir, name), "wb") as file:
                file.write(png(width, height, lambda x, y: bytes([x % 256, y % 256, 128])))

    def draw(self, *args, **keywords):
        """The exit status, the rows of the picture, and all lines."""
        status, written = run_on_terminal("explain", *args, "--terminal", cwd=self.dir, **keywords)
        lines = re.sub("\r\033\\[K", "", written).rstrip("\n").split("\n")
        return status, [line for line in lines if line.startswith(COLOUR)], lines

    def test_fits_rows_and_columns(self):
        for name, proportion in [(SCENE, 1), ("portrait.png", 0.25), ("panorama.png", 400 / 60)]:
            for columns, rows in [(80, 24), (132, 50), (40, 30)]:
                status, picture, lines = self.draw(name, columns=columns, rows=rows)
                self.assertEqual(status, 0, lines)
                taken = sum(max(1, -(-len(line) // columns)) for line in lines if not line.startswith(COLOUR))
                if len(picture) > 8:  # the least, above a summary that needs more than the rest
                    self.assertLessEqual(len(picture) + taken, rows, (name, columns, rows))
                cells = {line.count("\u2580") for line in picture}
                self.assertEqual(len(cells), 1)
                wide = cells.pop()
                self.assertLessEqual(wide, columns)
                self.assertAlmostEqual(wide, proportion * 2 * len(picture), delta=1 + proportion)
                self.assertTrue(wide == columns or len(picture) + taken >= rows - 3, (name, columns, rows))

    def test_colours_of_the_terminal(self):
        full = self.draw(SCENE, "--quiet")[1]
        few = self.draw(SCENE, "--quiet", env={"COLORTERM": "", "TERM": "xterm-256color"})[1]
        self.assertEqual(len(full), len(few))
        for line, other in zip(full, few):
            self.assertRegex(line, "\\A(\033\\[38;2;\\d+;\\d+;\\d+;48;2;\\d+;\\d+;\\d+m\u2580)+\033\\[0m\\Z")
            self.assertRegex(other, "\\A(\033\\[38;5;\\d+;48;5;\\d+m\u2580)+\033\\[0m\\Z")
            colours = [tuple(map(int, c)) for c in re.findall(r"38;2;(\d+);(\d+);(\d+)", line)]
            for rgb, number in zip(colours, map(int, re.findall(r"38;5;(\d+)", other))):
                near = min(range(16, 256), key=lambda n: distance(rgb, palette(n)))
                self.assertEqual(distance(rgb, palette(number)), distance(rgb, palette(near)), rgb)

    def test_characters_of_the_locale(self):
        for line in self.draw(SCENE, "--quiet", env={"LC_ALL": "C"})[1]:
            self.assertRegex(line, "\\A(\033\\[48;2;\\d+;\\d+;\\d+m )+\033\\[0m\\Z")

    def test_refused_in_words(self):
        for env, words in [({"TERM": "dumb"}, "this terminal has no colours (TERM is dumb): give -o FILE.png"),
                           ({"NO_COLOR": "1"}, "the environment has NO_COLOR")]:
            status, picture, lines = self.draw(SCENE, env=env)
            self.assertEqual((status, picture, len(lines)), (2, [], 1), lines)
            self.assertIn(words, lines[0])


def palette(number):
    """xterm's colours from 16 on."""
    if number >= 232:
        return (8 + 10 * (number - 232),) * 3
    levels = (0, 95, 135, 175, 215, 255)
    return tuple(levels[(number - 16) // step % 6] for step in (36, 6, 1))


def distance(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


if __name__ == "__main__":
    command.main()
