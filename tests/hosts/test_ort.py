"""examples/hosts/ort: what a host's ONNX Runtime and the head explain is what the command explains."""
import os
import struct
import zlib

from hosts import NETWORK, PICTURES, Host, main, rows


def png_size(path):
    with open(path, "rb") as file:
        head = file.read(24)
    return struct.unpack(">II", head[16:24])


def write_png(path, width, height):
    """A picture of two colours, wider than high: it is cropped."""
    lines = b"".join(b"\0" + bytes(v for x in range(width)
                                   for v in ((x * 7) % 256, (y * 5) % 256, 200 if x > y else 40))
                     for y in range(height))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                   chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


class Ort(Host):
    def test_same_maps_as_the_command(self):
        for picture in PICTURES:
            for method in ("kl-dve", "grad-cam", "ablation-cam"):
                found = rows(self.good(NETWORK, picture, method, "-"))
                self.assert_close(found, self.command_map(NETWORK, picture, "--method", method), 1e-4)

    def test_paper_from_arrays(self):
        found = rows(self.good(NETWORK, PICTURES[0], "paper", "-"))
        self.assert_close(found, self.command_map(NETWORK, PICTURES[0], "--reading", "paper"), 1e-4)

    def test_overlay(self):
        """The heat of a picture that is wider than high lies where the command draws it."""
        write_png(self.path("wide.png"), 150, 100)
        said = self.good(NETWORK, "wide.png", "kl-dve", "out.png")
        index, logit = self.command_class("wide.png")
        self.assertEqual(said, f"class {index}, logit {logit:.4f}\n")
        self.assertEqual(png_size(self.path("out.png")), (150, 100))
        self.assert_same_picture("out.png", "wide.png")

    def assert_same_picture(self, drawn, photo):
        from hosts import run
        done = run("explain", NETWORK, photo, "-o", "command.png", "--quiet", cwd=self.dir)
        self.assertEqual(done.status, 0, done.err)
        a, b = (self.pixels(n) for n in (drawn, "command.png"))
        self.assertEqual(len(a), len(b))
        self.assertLessEqual(max(abs(x - y) for x, y in zip(a, b)), 2)

    def pixels(self, name):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("python3-pil is not installed")
        with Image.open(self.path(name)) as picture:
            return picture.convert("RGB").tobytes()

    def test_times(self):
        said = self.good(NETWORK, PICTURES[0], "kl-dve", "-", 3).splitlines()[-1]
        self.assertRegex(said, r"\Aforward [\d.]+ ms, with 1 taps [\d.]+ ms, explanation [\d.]+ ms\Z")

    def test_failures_are_said(self):
        self.refused(r"no\.onnx: .*No such file", "no.onnx", PICTURES[0], "kl-dve", "-")
        self.refused(r"onnx: the method saliency needs the whole network", NETWORK, PICTURES[0], "saliency", "-")
        self.refused("usage: ", NETWORK, PICTURES[0], status=2)


if __name__ == "__main__":
    main()
