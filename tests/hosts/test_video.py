"""examples/hosts/opencv without a window: each frame of the film that it writes is drawn as pipe draws it."""
import os
import re
import shutil
import subprocess
import unittest

from hosts import NETWORK, PICTURES, PROGRAM, Host, main

try:
    from PIL import Image, ImageChops, ImageStat
except ImportError:
    Image = None
PIPE = os.path.join(os.path.dirname(PROGRAM), "pipe")
SIZE = (240, 180)
FRAMES = 12


@unittest.skipUnless(shutil.which("ffmpeg") and Image, "ffmpeg or Pillow is not installed")
class Video(Host):
    def ffmpeg(self, *args, **keywords):
        return subprocess.run(["ffmpeg", "-v", "error", "-y", *args], cwd=self.dir, check=True,
                              capture_output=True, **keywords).stdout

    def film(self):
        """A window that moves over a scene."""
        self.ffmpeg("-loop", "1", "-i", PICTURES[0], "-frames:v", str(FRAMES), "-r", "12", "-vf",
                    "scale=300:300,crop=%d:%d:x='5*n':y='10*n'" % SIZE, "-c:v", "mjpeg", "-q:v", "2", "film.avi")

    def frames(self, raw):
        step = 3 * SIZE[0] * SIZE[1]
        self.assertEqual(len(raw), FRAMES * step)
        return [Image.frombytes("RGB", SIZE, raw[at:at + step]) for at in range(0, len(raw), step)]

    def decoded(self, name):
        return self.ffmpeg("-i", name, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")

    def test_film(self):
        self.film()
        said = self.good("film.avi", NETWORK, "out.avi")
        self.assertRegex(said, rf"\A{FRAMES} frames, [\d.]+ explained in a second, colours from 0 to [\d.]+\n\Z")
        self.assertGreater(float(re.search(r"to ([\d.]+)\n", said).group(1)), 0)
        expected = subprocess.run([PIPE, NETWORK, "rgb24", "%dx%d" % SIZE], input=self.decoded("film.avi"),
                                  capture_output=True, check=True).stdout
        top = (0, 0, SIZE[0], SIZE[1] - 30)  # below is the name of the class
        for mine, theirs in zip(self.frames(self.decoded("out.avi")), self.frames(expected)):
            distance = ImageStat.Stat(ImageChops.difference(mine.crop(top), theirs.crop(top)))
            self.assertLess(max(distance.mean), 6)  # two decoders, and coded once more
        name = mine.crop((0, SIZE[1] - 30, 90, SIZE[1]))
        self.assertGreater(ImageStat.Stat(name.convert("L")).extrema[0][1], 200)  # white letters

    def test_failures_are_said(self):
        self.film()
        quiet = dict(os.environ, OPENCV_LOG_LEVEL="OFF", OPENCV_VIDEOIO_PRIORITY_LIST="FFMPEG",
                     ASAN_OPTIONS="detect_leaks=0")  # of what looks for cameras
        self.refused(r"video: no\.avi: cannot be opened", "no.avi", NETWORK, "out.avi", env=quiet)
        self.refused(r"video: no\.onnx: .*No such file", "film.avi", "no.onnx", "out.avi")
        self.refused("usage: ", "film.avi", status=2)


if __name__ == "__main__":
    main()
