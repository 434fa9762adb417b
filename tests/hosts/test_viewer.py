"""examples/hosts/viewer in a window of an X server of its own: what it shows is what the command draws,
and what the user does not want to see any more is not answered."""
import os
import shutil
import signal
import subprocess
import time
import unittest

from hosts import NETWORK, PICTURES, PROGRAM, Host, main, run

try:
    from PIL import Image, ImageChops, ImageGrab, ImageStat
except ImportError:
    Image = None
# Two tables, methods and controls, each with a head.
METHODS = [line.split()[0] for table in run("methods").out.split("\n\n")[:2] for line in table.splitlines()[1:]
           if line[0] != " "]
SLOW = METHODS.index("rise")  # so often M leads there
# Libraries that SDL loads keep some memory, and are unloaded before a sanitizer could name them.
X11 = {"SDL_VIDEODRIVER": "x11", "ASAN_OPTIONS": "detect_leaks=0"}
SHOWN = (50, 20, 690, 660)  # where a square picture lies in the window


@unittest.skipUnless(shutil.which("Xvfb") and Image, "Xvfb or Pillow is not installed")
class Viewer(Host):
    @classmethod
    def setUpClass(cls):
        reader, writer = os.pipe()
        cls.server = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1080x680x24"],
                                      pass_fds=[writer], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        os.close(writer)
        with os.fdopen(reader) as number:
            cls.display = ":" + number.readline().strip()

    def environment(self, **more):
        return dict(os.environ, **dict(X11, DISPLAY=self.display, **more))

    def press(self, keys, *pictures, network=NETWORK):
        """The lines that the answers made, and the number of questions that were given up."""
        *lines, last = self.good(network, *(pictures or PICTURES), env=self.environment(VIEWER_KEYS=keys)).splitlines()
        self.assertRegex(last, r"\A\d+ given up\Z")
        return lines, int(last.split()[0])

    def drawn_by_command(self, picture, *more):
        done = run("explain", NETWORK, picture, "-o", "command.png", "--quiet", *more, cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        width, height = SHOWN[2] - SHOWN[0], SHOWN[3] - SHOWN[1]
        return Image.open(self.path("command.png")).convert("RGB").resize((width, height), Image.BILINEAR)

    def distance(self, window, expected):
        """Both were scaled up by other hands: the mean over the picture."""
        return max(ImageStat.Stat(ImageChops.difference(window.convert("RGB").crop(SHOWN), expected)).mean)

    def test_shows_what_the_command_draws(self):
        said, _ = self.press("wait a.bmp M wait Down wait - - b.bmp Space wait c.bmp")
        self.assertEqual(said, [f"{PICTURES[0]}: kl-dve: cat", f"{PICTURES[0]}: cam: cat",
                                f"{PICTURES[0]}: cam: boat", f"{PICTURES[1]}: cam: umbrella"])
        for name, picture, more in [
                ("a.bmp", 0, []),
                ("b.bmp", 0, ["--method", "cam", "--target", "boat", "--opacity", "0.3"]),
                ("c.bmp", 1, ["--method", "cam", "--opacity", "0.3"])]:
            expected = self.drawn_by_command(PICTURES[picture], *more)
            self.assertLess(self.distance(Image.open(self.path(name)), expected), 4)

    def test_only_the_last_question_is_answered(self):
        """On the way through all methods one that takes seconds is given up."""
        said, given_up = self.press("wait " + "M " * SLOW + "200 " + "M " * (len(METHODS) - SLOW) + "Space wait")
        self.assertEqual(said, [f"{PICTURES[0]}: kl-dve: cat", f"{PICTURES[1]}: kl-dve: umbrella"])
        self.assertGreaterEqual(given_up, 1)
        said, _ = self.press("wait " + "M " * SLOW + "200 Escape")
        self.assertEqual(said, [f"{PICTURES[0]}: kl-dve: cat"])

    def test_trouble_is_shown_and_passes(self):
        said, _ = self.press("wait a.bmp Space wait", "no.png", PICTURES[0])
        self.assertRegex(said[0], r"no\.png: kl-dve: no\.png: .*No such file")
        self.assertEqual(said[1:], [f"{PICTURES[0]}: kl-dve: cat"])
        said, _ = self.press("wait wait", network="no.onnx")
        self.assertRegex(said[0], r"no\.onnx: .*No such file")

    def test_window(self):
        """As a user runs it: the window on the screen, until the session ends."""
        expected = self.drawn_by_command(PICTURES[0])
        viewer = subprocess.Popen([PROGRAM, NETWORK, PICTURES[0]], env=self.environment(), cwd=self.dir)
        self.addCleanup(viewer.wait)
        self.addCleanup(viewer.kill)
        for _ in range(200):
            time.sleep(0.1)
            if self.distance(ImageGrab.grab(xdisplay=self.display), expected) < 4:
                break
        else:
            self.fail("the heat does not come")
        viewer.send_signal(signal.SIGTERM)
        self.assertEqual(viewer.wait(20), 0)

    def test_failures_are_said(self):
        self.refused("usage: ", NETWORK, status=2)
        self.refused("viewer: ", NETWORK, PICTURES[0], env=dict(os.environ, **X11, DISPLAY=":no"))


if __name__ == "__main__":
    main()
