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


def turned(orientation, width, height, pixel=lambda x, y: bytes((60 * x % 256, 80 * y % 256, 9))):
    """A picture that is stored as width x height and says how it is to be shown."""
    made = png(width, height, pixel)
    exif = b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0" + bytes((orientation, 0, 0, 0)) + bytes(4)
    at = 8 + 25
    return made[:at] + struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(
        ">I", zlib.crc32(b"eXIf" + exif)) + made[at:]


def shown(orientation, rows):
    """Rows of a mask as they are stored -> as they are shown, by the table of EXIF 2.3."""
    if orientation in (2, 3, 7, 8):
        rows = [row[::-1] for row in rows]
    if orientation in (3, 4, 6, 7):
        rows = rows[::-1]
    return ["".join(column) for column in zip(*rows)] if orientation >= 5 else rows


PICTURE = png(4, 3, lambda x, y: bytes((60 * x, 80 * y, 9)))


class Shown:
    def __init__(self, *args, cwd=None):
        done = subprocess.run([SHOW, *args], capture_output=True, cwd=cwd, timeout=60)
        lines = [json.loads(line) for line in 
                 done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]]
        self.status, self.error = done.returncode, done.stderr.decode("utf-8")
        self.notes = [line["note"] for line in lines if "note" in line]
        self.questions = [line for line in lines if "key" in line]
        self.match = next((line for line in lines if "targets" in line), None)
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


class List(Case):
    def list(self, text, *args, name="list.tsv"):
        self.put(name, data=text.encode())
        return self.show(self.top / name, "--load", self.top, *args)

    def test_columns_of_boxes(self):
        self.put("a.png", "b/c.png")
        by_column = "file\tlabel\tx0\ty0\tx1\ty1\n./a.png\tcat\t0\t1\t2\t3\na.png\tcat\t1\t0\t2.5\t2\n" \
            "a.png\tdog\t0\t0\t1\t1\nb/c.png\tcat\t\t\t\t\n"
        by_cell = "path,label,boxes\na.png,cat,\"0,1,2,3 1,0,2.5,2\"\na.png,dog,\"0 0 1 1\"\n\nb/c.png,cat,\n"
        by_size = "path;label;x;y;w;h\r\na.png;cat;0;1;2;2\r\na.png;cat;1;0;1.5;2\r\na.png;dog;0;0;1;1\r\n" \
            "\"b/c.png\";cat;;;;\r\n"
        for text, name in ((by_column, "1.tsv"), (by_cell, "2.csv"), (by_size, "3.csv"),
                           ("\ufeff" + by_column.replace("x0", "XMIN").replace("x1", "XMAX").replace(
                               "y0", "YMIN").replace("y1", "YMAX"), "4.tsv")):
            shown = self.list(text, name=name)
            self.assertEqual(shown.keys, ["a.png", "a.png#2", "b/c.png"])
            self.assertEqual(shown.labels, ["cat", "dog", "cat"])
            self.assertEqual([q["boxes"] for q in shown.questions],
                             [[0, 1, 2, 3, 1, 0, 2.5, 2], [0, 0, 1, 1], []])

    def test_the_label_column(self):
        self.put("a.png")
        text = "picture\tname\tclass\tsynset\nA.png\tx\t3\tn00000001\n".replace("A.png", "a.png")
        self.assertEqual(self.list(text).labels, ["n00000001"])
        self.assertEqual(self.list(text, "--label-column", "NAME").labels, ["x"])
        self.assertEqual(self.list("path\na.png\n").labels, [None])

    def test_masks(self):
        self.put("a.png", "b.png", "c.png")
        self.put("masks/a.png", data=png(4, 3, lambda x, y: bytes((0, 0, x == y))))
        self.put("masks/b.png", data=png(3, 3, lambda x, y: b"abc"))
        self.put("masks/c.png", data=png(4, 3, lambda x, y: bytes(3)))
        text = "path,label,mask,boxes\n" + "".join(f'{n}.png,cat,{n}.png,"0,0,1,1"\n' for n in "abcd")
        shown = self.list(text, "--masks", str(self.top / "masks"), name="list.csv")
        self.assertEqual(shown.questions[0]["mask"], ["#...", ".#..", "..#."])
        self.assertEqual([q.get("why") for q in shown.questions], [
            None, "its annotations or mask are of a picture of 3x3, but it has 4x3",
            "its mask does not show what is asked for anywhere", "No such file or directory"])
        shown = self.list(text, "--truth-from", "boxes", name="list.csv")
        self.assertEqual([q.get("boxes") for q in shown.questions], [[0, 0, 1, 1]] * 3 + [None])

    def test_turned_pictures(self):
        box, rows = (0, 0, 2, 1), ["##...", ".....", "....."]
        self.put("masks/m.png", data=png(5, 3, lambda x, y: bytes((255 * (rows[y][x] == "#"),) * 3)))
        text = "path,mask,boxes,label,width,height\n" + "".join(
            f'{o}.png,masks/m.png,"0,0,2,1",cat,5,3\n' for o in range(1, 9))
        for o in range(1, 9):
            self.put(f"{o}.png", data=turned(o, 5, 3))
        for more in (["--turned", "stored"], []):
            masks = self.list(text, *more, name="list.csv").questions
            boxes = self.list(text, "--truth-from", "boxes", *more, name="list.csv").questions
            for o in range(1, 9):
                want = shown(o, rows)
                if o in (2, 3, 4) and not more:
                    self.assertIn(f"EXIF orientation {o}", masks[o - 1]["why"])
                    self.assertIn("--turned", boxes[o - 1]["why"])
                    continue
                self.assertEqual(masks[o - 1]["mask"], want)
                x0, y0, x1, y1 = boxes[o - 1]["boxes"]
                self.assertEqual([["#" if x0 < x + .5 < x1 and y0 < y + .5 < y1 else "."
                                   for x in range(len(want[0]))] for y in range(len(want))],
                                 [list(row) for row in want])
        as_shown = self.list("path,boxes,width,height\n" + "".join(
            f'{o}.png,"0,0,2,1",3,5\n' for o in range(5, 9)), name="list.csv").questions
        self.assertEqual([q["boxes"] for q in as_shown], [list(box)] * 4)

    def test_bad_rows_are_counted_and_named(self):
        self.put("a.png")
        good = "a.png\tgood\t0,0,1,1\n"
        for rows, note in (
                ("a.png\tcat\n", "1 line has another number of cells than the first, or no path: line 2"),
                ("\tcat\t\n", "1 line has another number of cells than the first, or no path: line 2"),
                ("a.png\tcat\tx\n", "1 line has a box that is not four numbers: line 2"),
                ("a.png\tcat\t1,2,3\n", "1 line has a box that is not four numbers: line 2"),
                ("a.png\tcat\t2,2,1,3\n", "1 box without an area is left out: a.png"),
                ("a.png\tcat\tnan,2,1,inf\n", "1 box without an area is left out: a.png"),
                ("a.png\tcat\t-9,-9,-1,-1\n", "1 box outside its picture is left out: a.png"),
                ("a.png\tcat\t-9,-9,3,3\n", "1 box reaches out of its picture and is cut: a.png"),
                ("b.png\tcat\t\nb.png\tcat\t\n", "1 picture is named more than once under one label: b.png")):
            made = self.list("path\tlabel\tboxes\n" + rows + good)
            self.assertEqual(made.notes[1:], [note], rows)
            self.assertIn("good", made.labels)

    def test_boxes_outside_are_unreadable(self):
        self.put("a.png")
        shown = self.list("path\tboxes\na.png\t4,0,9,9\n")
        self.assertEqual(shown.questions[0]["why"], "its boxes lie outside of it")
        shown = self.list("path\tboxes\na.png\t2,-5,9,9\n")
        self.assertEqual(shown.questions[0]["boxes"], [2, 0, 4, 3])

    def test_what_is_no_picture(self):
        (self.top / "folder").mkdir()
        os.mkfifo(self.top / "fifo.png")
        shown = self.list("path\nlist.tsv\nfolder\nfifo.png\nno.png\n" + "x" * 5000 + "\n")
        self.assertEqual({q["key"][:8]: q["why"] for q in shown.questions}, {
            "list.tsv": "not a picture in PNG or JPEG format", "folder": "a folder, no picture",
            "fifo.png": "no regular file", "no.png": "No such file or directory", "x" * 8: "File name too long"})

    def test_refused(self):
        for text, message in (
                ("", "the first line of a list names its columns, one of them 'path'; see 'kldve help evaluate'"),
                ("a.png\n", "the first line of a list names its columns, one of them 'path'; see 'kldve help evaluate'"),
                ("path\n", "there is no picture to ask about"),
                ("path\tlabel\n\tx\n", "there is no picture to ask about; 1 line has another number of cells than "
                 "the first, or no path: line 2"),
                ('path\n"a\n', "line 2 has a quote that does not end"),
                ("path\n" + "\t" * 70, "line 2 has more than 64 cells"),
                ("pa\0th\n", "has NUL bytes: no text file")):
            self.put("list.tsv", data=text.encode())
            shown = Shown(self.top / "list.tsv")
            self.assertEqual((shown.status, shown.error), (1, f"kldve: {self.top}/list.tsv: {message}\n"), text)
        os.mkfifo(self.top / "fifo.tsv")
        for path, message in ((self.top / "fifo.tsv", "is no regular file"),
                              ("/dev/null", "is neither a folder nor a file that ends in .tsv or .csv; say what it is "
                               "with --format")):
            shown = Shown(path)
            self.assertEqual((shown.status, shown.error), (1, f"kldve: {path}: {message}\n"))
        for args, message in (([self.top, "--truth-from", "masks"], "--truth-from changes nothing"),
                              ([self.top, "--label-column", "x"], "--label-column is about a list"),
                              ([self.top / "list.tsv", "--labels-from", "name"], "--labels-from is about a folder")):
            shown = Shown(*args)
            self.assertEqual(shown.status, 2)
            self.assertIn(message, shown.error)


class Classes(Case):
    def setUp(self):
        super().setUp()
        self.put("a/1.png", "a/2.png", "b/1.png", "2/1.png", "7/1.png")
        self.put("net.txt", data=b"n00000001 a, first\nn00000002 b\nn00000003 a, third\nn00000004 d\n")

    def match(self, labels, *args):
        return self.show(self.top, "--labels-from", "folder", "--network-labels", labels, *args).match

    def test_by_name(self):
        self.assertEqual(self.match(self.top / "net.txt"), {
            "targets": {"2": [2], "7": [], "a": [], "b": [1]}, "strange": 2, "strange_questions": 3,
            "names": "7, a", "missing": 0, "missing_names": ""})

    def test_by_number(self):
        self.assertEqual(self.match("3")["targets"], {"2": [2], "7": [], "a": [], "b": []})

    def test_by_file(self):
        self.put("classes.tsv", data=b"label\tclass\na\tfirst\nb\tn00000004\t1\na\tthird\na\tfirst\n7\tnothing\n")
        self.assertEqual(self.match(self.top / "net.txt", "--classes", self.top / "classes.tsv"), {
            "targets": {"2": [], "7": [], "a": [0, 2], "b": [1, 3]}, "strange": 2, "strange_questions": 2,
            "names": "2, 7", "missing": 1, "missing_names": "nothing"})
        self.put("classes.tsv", data=b"a\tb\na\n")
        shown = Shown(self.top, "--labels-from", "folder", "--network-labels", self.top / "net.txt", "--classes",
                      self.top / "classes.tsv")
        self.assertEqual((shown.status, shown.error),
                         (1, f"kldve: {self.top}/classes.tsv: line 2: a row is a label of the data set, and the "
                          "network's class or classes in further cells\n"))


if __name__ == "__main__":
    unittest.main()
