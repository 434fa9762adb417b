"""Data sets of kldve evaluate: what is asked about which picture.  Each is made here."""
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

SHOW = os.environ["SHOW_DATASET"]


def png(width, height, pixel):
    """A PNG; pixel(x, y) -> bytes of one pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


PICTURE = png(4, 3, lambda x, y: bytes((60 * x, 80 * y, 9)))


class Shown:
    def __init__(self, *args, cwd=None):
        done = subprocess.run([SHOW, *args], capture_output=True, cwd=cwd, timeout=60)
        lines = [json.loads(line) for line in 
                 done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]]
        self.status, self.error = done.returncode, done.stderr.decode("utf-8")
        self.notes = [line["note"] for line in lines if "note" in line]
        self.questions = [line for line in lines if "note" not in line]
        self.keys = [q["key"] for q in self.questions]
        self.labels = [q["label"] for q in self.questions]


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = pathlib.Path(holder.name)

    def put(self, *names, data=PICTURE):
        for name in names:
            path = os.fsencode(self.top) + b"/" + (name if isinstance(name, bytes) else name.encode())
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

    def show(self, *args):
        shown = Shown(*args)
        self.assertEqual((shown.status, shown.error), (0, ""))
        return shown


class Folder(Case):
    def test_sorted_by_bytes_and_hidden_left_out(self):
        self.put("b.png", "B.JPEG", "a/2.jpg", "a/10.jpg", "a.png", "ä.png", ".hidden.png", ".git/x.png")
        shown = self.show(self.top)
        self.assertEqual(shown.keys, ["B.JPEG", "a.png", "a/10.jpg", "a/2.jpg", "b.png", "ä.png"])
        self.assertEqual(shown.labels, [None] * 6)
        self.assertEqual(shown.notes, [])
        self.assertEqual(self.show(str(self.top) + "//").keys, shown.keys)

    def test_keys_are_one_line_of_text(self):
        self.put(b"new\nline.png", b"latin\xe9.png", "100%.png", "a#1.png", "p|q.png")
        self.assertEqual(self.show(self.top).keys, ["100%25.png", "a%231.png", "latin%E9.png",
                                                    "new%0Aline.png", "p%7Cq.png"])

    def test_labels(self):
        self.put("n01440764/x.png", "deep/cat/y.png", "z.png", "n01440764_tench.png", "c_00_frog.png")
        keys = ["c_00_frog.png", "deep/cat/y.png", "n01440764/x.png", "n01440764_tench.png", "z.png"]
        for source, labels in (("none", [None] * 5), ("folder", [None, "cat", "n01440764", None, None]),
                               ("name", ["frog", "y", "x", "n01440764", "z"])):
            shown = self.show(self.top, "--labels-from", source)
            self.assertEqual((shown.keys, shown.labels), (keys, labels))

    def test_other_files_are_counted_and_named(self):
        self.put("a.png", "1.txt", "2.gif", "3", "4.json")
        self.assertEqual(self.show(self.top).notes, [
            "4 files are left out, no .png, .jpg or .jpeg by their names: 1.txt, 2.gif, 3, ..."])

    def test_links(self):
        self.put("a/1.png", "a/2.png")
        os.symlink("1.png", self.top / "a/again.png")
        os.link(self.top / "a/2.png", self.top / "a/hard.png")
        os.symlink("self.png", self.top / "self.png")
        os.symlink("nowhere.png", self.top / "broken.png")
        os.symlink("..", self.top / "a/loop")
        os.symlink("a", self.top / "b")
        shown = self.show(self.top, "--load", self.top)
        self.assertEqual(shown.keys, ["a/1.png", "a/2.png", "broken.png", "self.png"])
        self.assertEqual([q.get("why") for q in shown.questions],
                         [None, None, "No such file or directory", "Too many levels of symbolic links"])
        self.assertEqual(shown.notes, [
            "2 names of pictures that have another one are left out: a/again.png, a/hard.png",
            "2 folders are left out, links to some that were seen, or too deep: a/loop, b"])

    def test_a_link_under_another_label_is_another_question(self):
        self.put("cat/1.png")
        os.makedirs(self.top / "dog")
        os.symlink("../cat/1.png", self.top / "dog/1.png")
        shown = self.show(self.top, "--labels-from", "folder")
        self.assertEqual((shown.keys, shown.labels), (["cat/1.png", "dog/1.png"], ["cat", "dog"]))

    def test_what_is_no_picture(self):
        self.put("bad.png", data=b"hello")
        self.put("empty.jpg", data=b"")
        os.mkfifo(self.top / "fifo.png")
        os.symlink("/dev/zero", self.top / "device.png")
        (self.top / "folder.png").mkdir()
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.top / "socket.png"))
        shown = self.show(self.top, "--load", self.top)
        self.assertEqual({q["key"]: q["why"] for q in shown.questions}, {
            "bad.png": "not a picture in PNG or JPEG format", "empty.jpg": "the file is empty",
            "fifo.png": "no regular file", "device.png": "no regular file", "socket.png": "no regular file"})

    def test_refused(self):
        (self.top / "sub").mkdir()
        for path, message in ((self.top, "there is no picture to ask about"),
                              (self.top / "no", "No such file or directory")):
            shown = Shown(path)
            self.assertEqual((shown.status, shown.error), (1, f"kldve: {path}: {message}\n"))


if __name__ == "__main__":
    unittest.main()
