"""examples/hosts/pipe: frames in all formats come out as the command draws them, on one scale."""
import os
import shutil
import subprocess
import unittest

from hosts import NETWORK, PICTURES, PROGRAM, Host, main, run

try:
    from PIL import Image, ImageChops, ImageStat
except ImportError:
    Image = None


@unittest.skipUnless(Image, "Pillow is not installed")
class Pipe(Host):
    def pictures(self, width, height):
        """Two frames; in the second the same is there, but fainter."""
        strong = Image.open(PICTURES[0]).convert("RGB").resize((width, height), Image.BILINEAR)
        return strong, Image.blend(strong, Image.new("RGB", strong.size, (120, 120, 120)), 0.5)

    def filter(self, kind, size, film):
        """The frames that come out for the bytes of a film."""
        done = subprocess.run([PROGRAM, NETWORK, kind, f"{size[0]}x{size[1]}"], input=film, capture_output=True,
                              timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        step = 3 * size[0] * size[1]
        self.assertEqual(len(done.stdout) % step, 0)
        order = "BGR" if kind == "bgr24" else "RGB"
        return [Image.frombytes("RGB", size, done.stdout[at:at + step], "raw", order)
                for at in range(0, len(done.stdout), step)]

    def by_command(self, picture):
        picture.save(self.path("frame.png"))
        done = run("explain", NETWORK, "frame.png", "-o", "drawn.png", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        return Image.open(self.path("drawn.png")).convert("RGB")

    def distance(self, a, b):
        """(the largest difference of any value, the largest mean over the picture)"""
        shown = ImageStat.Stat(ImageChops.difference(a, b))
        return max(high for _, high in shown.extrema), max(shown.mean)

    def test_rgb_and_bgr(self):
        """A single frame has its own scale, as the command's picture."""
        for width, height in [(320, 240), (95, 131)]:
            strong, _ = self.pictures(width, height)
            expected = self.by_command(strong)
            for kind, film in [("rgb24", strong.tobytes()), ("bgr24", strong.tobytes("raw", "BGR"))]:
                (drawn,) = self.filter(kind, strong.size, film)
                self.assertLessEqual(self.distance(drawn, expected)[0], 2)

    def test_one_scale(self):
        """Nothing flickers: a frame that comes again looks as before; a fainter one does not glow more."""
        strong, faint = self.pictures(200, 200)
        drawn = self.filter("rgb24", strong.size, b"".join(p.tobytes() for p in (strong, faint, strong, faint)))
        self.assertEqual(drawn[0], drawn[2])
        self.assertEqual(drawn[1], drawn[3])
        self.assertEqual(drawn[0], self.filter("rgb24", strong.size, strong.tobytes())[0])
        (alone,) = self.filter("rgb24", faint.size, faint.tobytes())
        self.assertGreater(self.distance(alone, drawn[1])[0], 20)
        brightest = max(ImageStat.Stat(p).extrema[0][1] for p in (alone,))
        self.assertGreater(brightest, ImageStat.Stat(drawn[1]).extrema[0][1])

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed")
    def test_yuv(self):
        """As ffmpeg makes it, of even and odd sides; close to the same without YUV."""
        for size in [(320, 240), (131, 95)]:
            strong, _ = self.pictures(*size)
            strong.save(self.path("frame.png"))
            (expected,) = self.filter("rgb24", size, strong.tobytes())
            for kind in ("nv12", "i420"):
                film = subprocess.run(["ffmpeg", "-v", "error", "-i", self.path("frame.png"), "-f", "rawvideo",
                                       "-pix_fmt", {"i420": "yuv420p"}.get(kind, kind), "-"],
                                      capture_output=True, check=True).stdout
                drawn = self.filter(kind, size, film * 3)
                self.assertEqual(len(drawn), 3)
                for frame in drawn:
                    self.assertEqual(frame, drawn[0])
                    self.assertLess(self.distance(frame, expected)[1], 4)

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed")
    def test_between_two_programs(self):
        """The command line of the documentation, with a decoder instead of a window at its end."""
        line = (f"ffmpeg -v error -loop 1 -i '{PICTURES[0]}' -frames:v 5 -vf scale=160:120 -f rawvideo"
                f" -pix_fmt nv12 - | '{PROGRAM}' '{NETWORK}' nv12 160x120 |"
                " ffmpeg -v error -f rawvideo -pixel_format rgb24 -video_size 160x120 -i - -f null -progress - -")
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("frame=5\n", done.stdout)

    def test_failures_are_said(self):
        film = bytes(3 * 64 * 64)
        done = subprocess.run([PROGRAM, NETWORK, "rgb24", "64x64"], input=film + film[:100], capture_output=True)
        self.assertEqual((done.returncode, len(done.stdout)), (1, len(film)))
        self.assertEqual(done.stderr, b"pipe: the input ends within a frame\n")
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, NETWORK, "rgb24", "64x64"], input=film, stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (1, b"pipe: the output cannot be written\n"))
        self.refused(r"pipe: no\.onnx: .*No such file", "no.onnx", "nv12", "64x64", stdin=subprocess.DEVNULL)
        for arguments in (["nv12", "64"], ["nv12", "0x64"], ["nv12", "64x64x3"], ["nv12", "64x99999"], ["nv13", "64x64"]):
            self.refused("usage: ", NETWORK, *arguments, status=2, stdin=subprocess.DEVNULL)
        self.assertFalse(os.listdir(self.dir))


if __name__ == "__main__":
    main()
