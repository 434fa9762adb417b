"""Data sets of kldve evaluate: what is asked about which picture.  Each is made here."""
import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests/cli"))
import command  # noqa: E402

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

    def test_folders_that_cannot_be_entered(self):
        """Too deep for the path of a file; and, unless the test runs as root, without permission."""
        self.put("a.png")
        os.makedirs(self.top / "closed")
        self.put("closed/b.png")
        os.chmod(self.top / "closed", 0)
        self.addCleanup(os.chmod, self.top / "closed", 0o700)
        before, here = os.getcwd(), os.open(".", os.O_RDONLY)
        self.addCleanup(os.close, here)
        os.chdir(self.top)
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
        os.chdir(before)
        shown = self.show(self.top)
        self.assertIn("a.png", shown.keys)
        if os.getuid() != 0:
            self.assertEqual(shown.keys, ["a.png"])
            self.assertIn("cannot be opened", " ".join(shown.notes))

    def test_refused(self):
        (self.top / "sub").mkdir()
        for path, message in ((self.top, "there is no picture to ask about"),
                              (self.top / "no", "No such file or directory"),
                              ("x" * 4096, "File name too long")):
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
                              ("/dev/null", "is neither a folder nor a file that ends in .tsv, .csv or .json; say "
                               "what it is with --format")):
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


def inside(polygon, x, y):
    """Whether a line from (x, y) to the left crosses the outline an odd number of times."""
    odd = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1]):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) / (y1 - y0) * (x1 - x0) <= x:
            odd = not odd
    return odd


class Coco(Case):
    def coco(self, annotations, *args, name="a.json", **more):
        """A data set of one picture, and what is shown of it."""
        self.put("a.png")
        made = {"images": [{"id": 7, "file_name": "a.png", "width": 4, "height": 3}], "annotations": annotations,
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"},
                               {"id": 3, "name": "sky", "isthing": 0}], **more}
        self.put(name, data=json.dumps(made).encode())
        return self.show(self.top / name, "--load", self.top, *args)

    def test_boxes_of_one_category_are_one_question(self):
        shown = self.coco([{"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1]},
                           {"image_id": 7, "category_id": 1, "bbox": [1, 1, 2, 1.5], "segmentation": []},
                           {"image_id": 7.0, "category_id": 2, "bbox": [2, 2, 1, 1], "iscrowd": 1}])
        self.assertEqual((shown.keys, shown.labels), (["a.png", "a.png#2"], ["cat", "dog"]))
        self.assertEqual([q["boxes"] for q in shown.questions], [[1, 1, 3, 2.5], [0, 0, 1, 1, 2, 2, 3, 3]])
        self.assertEqual(shown.notes, [])

    def test_layout_of_coco(self):
        self.put("val2017/000000000001.jpg")
        self.put("annotations/panoptic_val2017/000000000001.png", data=png(4, 3, lambda x, y: bytes((x, y, 1))))
        images = [{"id": 1, "file_name": "000000000001.jpg", "width": 4, "height": 3}]
        categories = [{"id": 1, "name": "cat", "isthing": 1}, {"id": 2, "name": "sky", "isthing": 0}]
        for name, annotation, mask in (
                ("instances", {"segmentation": [[1, 0, 3, 0, 3, 2, 1, 2]]}, [".##.", ".##.", "...."]),
                ("panoptic", {"file_name": "000000000001.png", "segments_info": [
                    {"id": 65536 + 2 + 256, "category_id": 1}, {"id": 65536 + 3, "category_id": 1},
                    {"id": 65536, "category_id": 2}]}, ["...#", "..#.", "...."])):
            annotation.update(image_id=1, category_id=1)
            self.put(f"annotations/{name}_val2017.json", data=json.dumps(
                {"images": images, "annotations": [annotation], "categories": categories}).encode())
            shown = self.show(self.top / f"annotations/{name}_val2017.json", "--load", self.top)
            self.assertEqual([(q["key"], q["label"], q["mask"]) for q in shown.questions],
                             [("000000000001.jpg", "cat", mask)])
            self.assertEqual(shown.notes[0], f"pictures are those in {self.top}/annotations/../val2017")
        os.rename(self.top / "val2017", self.top / "elsewhere")
        path = str(self.top / "annotations/instances_val2017.json")
        self.assertEqual(Shown(path).error,
                         f"kldve: {path}: its pictures are not beside it: give their folder with --pictures\n")
        self.assertEqual(self.show(path, "--pictures", str(self.top / "elsewhere")).keys, ["000000000001.jpg"])

    def test_pictures_with_boxes_and_segments(self):
        self.put("a.jpg", "b.jpg")
        self.put("panoptic/a.png", data=png(4, 3, lambda x, y: bytes((y, 0, 0))))
        self.put("set.json", data=json.dumps({"info": "x", "images": [
            {"file": "a.jpg", "width": 4, "height": 3, "boxes": [{"category": "cat", "bbox": [0, 0, 4, 3]},
                                                                 {"category": "tie", "bbox": [0, 0, 1, 1]}],
             "segments": [{"id": 1, "category": "cat", "isthing": 1, "bbox": [0, 1, 4, 1]},
                          {"id": 2, "category": "sky", "isthing": 0}]},
            {"file": "b.jpg", "boxes": [{"category": "cat", "bbox": [1, 1, 1, 1]}]}]}).encode())
        shown = self.show(self.top / "set.json", "--load", self.top)
        self.assertEqual([(q["key"], q["label"], q["mask"], q["boxes"]) for q in shown.questions], [
            ("a.jpg", "cat", ["....", "####", "...."], []), ("a.jpg#2", "tie", [], [0, 0, 1, 1]),
            ("b.jpg", "cat", [], [1, 1, 2, 2])])
        self.assertEqual(shown.notes, ["1 annotation of stuff that is no thing is left out: sky"])
        shown = self.show(self.top / "set.json", "--load", self.top, "--truth-from", "boxes")
        self.assertEqual([q["boxes"] for q in shown.questions], [[0, 0, 4, 3], [0, 0, 1, 1], [1, 1, 2, 2]])

    def test_outlines(self):
        random.seed(3)
        for _ in range(30):
            polygons = [[(random.uniform(-3, 24), random.uniform(-3, 18)) for _ in range(random.randint(3, 9))]
                        for _ in range(random.randint(1, 3))]
            if random.random() < .5:
                polygons = [[(round(x), round(y)) for x, y in p] for p in polygons]
            want = ["".join("#" if any(inside(p, x + .5, y + .5) for p in polygons) else "." for x in range(20))
                    for y in range(15)]
            if not any("#" in row for row in want):
                continue
            self.put("big.png", data=png(20, 15, lambda x, y: b"abc"))
            shown = self.coco([{"image_id": 1, "category_id": 1, "segmentation": [sum(map(list, p), []) for p in polygons]}],
                              images=[{"id": 1, "file_name": "big.png", "width": 20, "height": 15}])
            self.assertEqual(shown.questions[0]["mask"], want, polygons)

    def test_runs(self):
        def one(counts, size=(3, 4)):
            (question,) = self.coco([{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1],
                                      "segmentation": {"counts": counts, "size": size}}]).questions
            return question.get("mask") or question["why"]

        self.assertEqual(one([2, 3, 1, 1, 5]), [".##.", ".#..", "#..."])
        self.assertEqual(one([0, 12]), ["####"] * 3)
        for counts in ([2, 3], [2, 30], [2, -1, 11], [2, "3", 7], [1 << 63, 2], "", "~", "Q", "\u00e4", "0000000P", "PPPPPPPPPPPPPPPPPP", 5):
            self.assertEqual(one(counts), "its runs do not fill the picture", counts)
        self.assertEqual(one([0, 12], (4, 3)), "its runs are of a picture of another size")
        self.assertEqual(one([0, 12], [3]), "its runs do not say of what size they are")

    def test_compressed_runs_of_pycocotools(self):
        """A mask that pycocotools 2.0 encoded, its number of pixels and the CRC-32 of its bytes."""
        counts = ("315053?MA3b0NZO2n0000FM[O0L003T1O_ONK3FMi03DMO3DM;2A90N;b0FUO76HL0=;<001ODVO91Gg0;300GUO5k04_OEG0;;?IUO1k0OUO1a0"
                  "KG1H50J60O050F;=EM0F;k00BEO7DK0Ni06WOMk080KUOM7M80B;j00[OE=;8000[OEJ0a0;AEf0:1FWO;c0ED7IJ1Og0j0[O90LMSO3Q10EMA"
                  "3KMi03HMG33MM0G4MLh00_O1IO40`00@0M33Mb00_O30M4083b0000POM;0039MC3FM;093^OMN10O9010I3P10\\O")
        self.put("big.png", data=png(60, 40, lambda x, y: b"abc"))
        (question,) = self.coco([{"image_id": 1, "category_id": 1, "segmentation": {"counts": counts, "size": [40, 60]}}],
                                images=[{"id": 1, "file_name": "big.png", "width": 60, "height": 40}]).questions
        pixels = bytes(c == "#" for row in question["mask"] for c in row)
        self.assertEqual((sum(pixels), zlib.crc32(pixels)), (1008, 3698461751))

    def test_bad_annotations_are_counted_and_named(self):
        good = {"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1]}
        for bad, note in (
                ({"image_id": 8}, "1 annotation is of an image that is not in the file: 8"),
                ({"image_id": None}, "1 annotation is of an image that is not in the file: none"),
                ({"category_id": 9}, "1 annotation is of no category of the file: a.png"),
                ({"category_id": [1]}, "1 annotation is of no category of the file: a.png"),
                ({"bbox": [1, 1, -1, 1]}, "1 box without an area is left out: a.png"),
                ({"bbox": [1, 1, 0, 0]}, "1 box without an area is left out: a.png"),
                ({"bbox": [1e308, 1e308, 1e308, 1e308]}, "1 box without an area is left out: a.png"),
                ({"bbox": [4, 0, 1, 1]}, "1 box outside its picture is left out: a.png"),
                ({"bbox": [3, 0, 9, 1]}, "1 box reaches out of its picture and is cut: a.png"),
                ({"bbox": None}, "1 annotation has neither box nor mask and is left out: a.png"),
                (3, "1 item is no object or has no file name: byte ")):
            shown = self.coco([good, {**good, **bad} if isinstance(bad, dict) else bad])
            self.assertEqual((shown.keys, [n[:len(note)] for n in shown.notes]), (["a.png"], [note]), bad)
        image = {"id": 7, "file_name": "a.png", "width": 4, "height": 3}
        for more, note in (({"images": [image, {**image, "file_name": "b.png"}]},
                            "1 image has the id of another and is left out: 7"),
                           ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "x"}]},
                            "1 category has the id of another and is left out: 1"),
                           ({"images": [image, {"id": 8}]}, "1 item is no object or has no file name: byte ")):
            shown = self.coco([good], **more)
            self.assertEqual((shown.labels, [n[:len(note)] for n in shown.notes]), (["cat"], [note]))

    def test_annotations_of_another_picture(self):
        shown = self.coco([{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1]}],
                          images=[{"id": 7, "file_name": "a.png", "width": 3, "height": 4}])
        self.assertEqual(shown.questions[0]["why"], "its annotations or mask are of a picture of 3x4, but it has 4x3")

    def test_bad_outlines_are_unreadable(self):
        for outline, why in (([[1, 1, 2, 2]], "its outline is not a list of three points or more"),
                             ([[1, 1, 2, 2, 3, 3, 4]], "its outline is not a list of three points or more"),
                             ([3], "its outline is not a list of three points or more"),
                             ([[1, 1, 2, 2, 3, "x"]], "its outline has a coordinate that is no number, or far outside"),
                             ([[1, 1, 2, 2, 3, 1e9]], "its outline has a coordinate that is no number, or far outside"),
                             ([[8, 8, 9, 8, 9, 9]], "its mask does not show what is asked for anywhere")):
            (question,) = self.coco([{"image_id": 7, "category_id": 1, "segmentation": outline}]).questions
            self.assertEqual(question["why"], why)

    def test_broken_files(self):
        whole = json.dumps({"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "categories": []})
        self.put("a.png")
        for text, message in (
                ("", "byte 0: no '{': not the JSON of a data set"),
                ("[]", "byte 0: no '{': not the JSON of a data set"),
                ("{}", 'has no "images": not the JSON of a data set'),
                (whole[:-1], f"byte {len(whole) - 1}: the file ends too early"),
                (whole[:20], "byte 11: a value that is missing or does not end: the file is cut off or damaged"),
                (whole + "x", f"byte {len(whole)}: something follows the end of the JSON"),
                ('{"images" 3}', "byte 10: no ':' behind the name of a member"),
                ('{"images": 3}', "byte 11: no '[', where an array begins"),
                ('{"images": [1 2]}', "byte 12: an item that is missing or does not end"),
                ('{"images": [,]}', "byte 12: an item that is missing or does not end"),
                ('{3: 4}', "byte 1: no name of a member, where JSON has one"),
                ('{"a": 1 "b": 2}', "byte 8: no ',' between two members"),
                ('{"images": ' + "[" * 100000, "byte 11: a value that is missing or does not end: the file is cut off or "
                 "damaged"),
                (whole, "there is no picture to ask about"),
                ('{"images": [' + "[" * 9999 + "]" * 9999 + "]}", "its pictures are not beside it: give their folder with "
                 "--pictures")):
            self.put("set.json", data=text.encode())
            shown = Shown(self.top / "set.json")
            self.assertEqual((shown.status, shown.error), (1, f"kldve: {self.top}/set.json: {message}\n"), text[:99])

    def test_areas_of_the_shared_photographs(self):
        folder = pathlib.Path(os.environ.get("KLDVE_SHARED", "../shared")) / "assets/images/coco_free"
        if not folder.is_dir():
            self.skipTest("the shared photographs are missing")
        areas = {}
        for image in json.loads((folder / "annotations.json").read_text())["images"]:
            for segment in image["segments"]:
                if segment["isthing"]:
                    name = image["file"], segment["category"]
                    areas[name] = areas.get(name, 0) + segment["area"]
        shown = self.show(folder / "annotations.json", "--load", self.top)
        found = {(q["key"].split("#")[0], q["label"]): "".join(q["mask"]).count("#") for q in shown.questions
                 if q["mask"]}
        self.assertEqual(found, areas)


def decode(path):
    """(width, height, pixel(x, y)) of a PNG of 8-bit RGB."""
    data = pathlib.Path(path).read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    pixel = command.read_png(path)
    return width, height, pixel


class Mosaic(Case):
    COLOUR = {"a": b"\xff\0\0", "b": b"\0\xff\0", "c": b"\0\0\xff", "d": b"\xff\xff\0"}

    def setUp(self):
        super().setUp()
        for label, colour in self.COLOUR.items():
            for i in range(3):
                self.put(f"set/{label}/{label}{i}.png", data=png(9 + i, 7, lambda x, y, c=colour: c))
        (self.top / "out").mkdir()

    def mosaics(self, tiles, *args):
        return self.show(self.top / "set", "--labels-from", "folder", "--mosaic", str(tiles), "--load", self.top / "out",
                         "--size", "7x5", *args)

    def test_tiles_are_exact(self):
        for tiles in (2, 4):
            shown = self.mosaics(tiles)
            self.assertEqual(len(shown.questions), 12)
            self.assertEqual(sorted(shown.keys), shown.keys)
            self.assertEqual(sorted(sum((q["photos"] for q in shown.questions if q["key"].endswith("#1")), [])),
                             sorted(str(path) for path in (self.top / "set").glob("*/*.png")))
            for number, question in enumerate(shown.questions):
                photos = [pathlib.Path(path).parent.name for path in question["photos"]]
                tile = int(question["key"].split("#")[1]) - 1
                self.assertEqual(question["key"], "|".join(f"{p[0]}/{pathlib.Path(path).name}" for p, path in zip(
                    photos, question["photos"])) + f"#{tile + 1}")
                self.assertEqual((len(set(photos)), question["label"]), (tiles, photos[tile]))
                width, height, pixel = decode(self.top / f"out/{number}.png")
                self.assertEqual((width, height, question["width"]), (7, 5, 7))
                for y in range(height):
                    for x in range(width):
                        where = (x >= 3) + 2 * (y >= 2) * (tiles == 4)
                        self.assertEqual(pixel(x, y), self.COLOUR[photos[where]])
                        self.assertEqual(question["mask"][y][x], "#" if where == tile else ".")
                width, height, pixel = decode(self.top / f"out/{number}-alone.png")
                self.assertEqual((width, height, pixel(3, 2)), (7, 5, self.COLOUR[photos[tile]]))

    def test_the_seed_decides(self):
        first, again, other = self.mosaics(2), self.mosaics(2), self.mosaics(2, "--mosaic-seed", "5")
        self.assertEqual(first.keys, again.keys)
        self.assertNotEqual(first.keys, other.keys)

    def test_what_is_left_over_is_said(self):
        for i in range(20):
            self.put(f"set/a/more{i}.png")
        shown = self.mosaics(2)
        self.assertEqual(len(shown.questions), 18)
        self.assertEqual(shown.notes, ["9 mosaics of 2 photographs; 14 questions about single photographs are not asked: "
                                       "pictures with several labels or none, or no other label is left"])

    def test_without_labels(self):
        shown = self.show(self.top / "set", "--mosaic", "4")
        self.assertEqual((len(shown.questions), set(shown.labels)), (12, {None}))

    def test_a_tile_that_cannot_be_read(self):
        self.put("set/a/a0.png", data=b"x")
        bad = [q for q in self.mosaics(2).questions if "why" in q]
        self.assertEqual([q["why"] for q in bad], ["a/a0.png: not a picture in PNG or JPEG format"] * 2)

    def test_photographs_of_one_class_are_not_asked_about(self):
        self.put("same/1.png", "same/2.png", data=png(64, 64, lambda x, y: bytes((x, y, 9))))
        done = command.run("evaluate", self.top / "same", "--mosaic", "2", "--ask", "alone", "--method", "grad-cam", "--metric",
                           "energy_area", "--db", self.top / "r.db")
        if "was built without" in done.err:
            self.skipTest(done.err)
        self.assertEqual(done.status, 0, done.err)
        with contextlib.closing(sqlite3.connect(self.top / "r.db")) as results:
            self.assertEqual(results.execute("SELECT why FROM explanation").fetchall(), [
                ("another photograph of the mosaic is of the same class by itself",)] * 2)

    def test_refused(self):
        self.put("one/a/1.png", "one/a/2.png")
        for args, status, message in (
                (["one", "--labels-from", "folder", "--mosaic", "2"], 1, "no mosaic can be made: there are no 2 "
                 "photographs of different labels"),
                (["one", "--mosaic", "3"], 2, "--mosaic: 2 or 4 photographs share a picture"),
                (["one", "--mosaic-seed", "3"], 2, "--mosaic-seed is about --mosaic")):
            shown = Shown(self.top / args[0], *args[1:])
            self.assertEqual(shown.status, status)
            self.assertIn(message, shown.error)


def colour(number):
    """The colour of an object's number in masks of VOC, by the table of its development kit."""
    table = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 8: (64, 0, 0), 9: (192, 0, 0),
             255: (224, 224, 192)}
    return bytes(table[number])


class Voc(Case):
    def setUp(self):
        super().setUp()
        if "reads no XML" in Shown(self.top, "--format", "voc").error:
            self.skipTest("built without expat")

    def xml(self, objects, size=(4, 3), name="<filename>a.png</filename>"):
        return ("<annotation>" + name + f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" + "".join(
            f"<object><name>{label}</name><part><name>head</name><bndbox><xmin>9</xmin></bndbox></part><bndbox><xmax>{x1}"
            f"</xmax><xmin>{x0}</xmin><ymin>{y0}</ymin><ymax>{y1}</ymax></bndbox></object>"
            for label, x0, y0, x1, y1 in objects) + "</annotation>").encode()

    def make(self, **masks):
        self.put("JPEGImages/a.jpg", "JPEGImages/b.jpg", "JPEGImages/c.jpg")
        self.put("Annotations/a.xml", data=self.xml([("cat", 1, 1, 2, 3), ("dog", 3, 1, 4, 1), ("cat", 4, 3, 4, 3)]))
        self.put("Annotations/b.xml", data=self.xml([("cat", 0, 0, 4, 3)]))
        self.put("Annotations/c.xml", data=self.xml([]))

    def test_boxes(self):
        self.make()
        self.put("ImageSets/Main/abs.txt", data=b"/etc/passwd\na\n")
        self.assertEqual(self.show(self.top / "ImageSets/Main/abs.txt").notes,
                         ["1 file is no annotation of VOC and is left out: /etc/passwd"])
        self.put("ImageSets/Main/cat_val.txt", data=b"a  1\nb -1\n\n")
        for path in (self.top, self.top / "Annotations", self.top / "ImageSets/Main/cat_val.txt"):
            shown = self.show(path, "--load", self.top, "--format", "voc")
            boxes = [[0, 0, 2, 3, 3, 2, 4, 3], [2, 0, 4, 1], [0, 0, 4, 3]]
            self.assertEqual([(q["key"], q["label"], q["boxes"]) for q in shown.questions],
                             list(zip(["a.jpg", "a.jpg#2", "b.jpg"], ["cat", "dog", "cat"], boxes))[:2 if "txt" in str(path) else 3])
        self.assertEqual(self.show(self.top).notes, ["1 annotation names no object: c"])

    def test_masks_number_the_objects(self):
        self.make()
        rows = ["1133", "1120", "0009"]
        self.put("SegmentationObject/a.png", data=png(4, 3, lambda x, y: colour(int(rows[y][x].replace("9", "255")[:3]) if
                                                                                rows[y][x] != "9" else 255)))
        shown = self.show(self.top, "--load", self.top)
        self.assertEqual([q["mask"] for q in shown.questions], [["####", "##..", "...."], ["....", "..#.", "...."], []])
        shown = self.show(self.top, "--load", self.top, "--truth-from", "boxes")
        self.assertEqual([q["mask"] for q in shown.questions], [[]] * 3)

    def test_layout_of_imagenet(self):
        self.put("xml/n1/n1_7.xml", data=self.xml([("n1", 1, 1, 2, 2)], name="<filename>%s</filename>"))
        self.put("pictures/n1/n1_7.JPEG")
        shown = self.show(self.top / "xml", "--format", "voc", "--pictures", str(self.top / "pictures"))
        self.assertEqual((shown.keys, shown.labels), (["n1/n1_7.JPEG"], ["n1"]))

    def test_bad_files_are_counted_and_named(self):
        bomb = (b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
            b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 20) for i in range(9)) + b"]><annotation>&j;</annotation>")
        deep = b"<annotation>" * 100 + b"</annotation>" * 100
        for data, note in (
                (bomb, "1 file is no annotation of VOC and is left out: z (it has a document type, which VOC does not)"),
                (deep, "1 file is no annotation of VOC and is left out: z (elements in elements, or with names, that VOC does "
                 "not have)"),
                (b"", "1 file is no annotation of VOC and is left out: z (no element found)"),
                (b"<annotation>", "1 file is no annotation of VOC and is left out: z (no element found)"),
                (b"<a></b>", "1 file is no annotation of VOC and is left out: z (mismatched tag)"),
                (self.xml([("cat", 1, 1, 2, 2)]), "1 annotation has no picture and is left out: z"),
                (self.xml([("cat", 1, 1, 2, 2)], name="<filename>/etc/passwd</filename>"),
                 "1 annotation has no picture and is left out: z"),
                (self.xml([("cat", 3, 1, 2, 2)], name="<filename>b.jpg</filename>"), "1 box without an area is left out: b.jpg"),
                (self.xml([("cat", 1, 1, 2, "x")], name="<filename>b.jpg</filename>"), "1 box without an area is left out: b.jpg"),
                (self.xml([("cat", 5, 1, 9, 2)], name="<filename>b.jpg</filename>"), "1 box outside its picture is left out: b.jpg")):
            self.make()
            self.put("Annotations/z.xml", data=data)
            shown = self.show(self.top)
            self.assertEqual((shown.keys, [n for n in shown.notes if "no object" not in n]),
                             (["a.jpg", "a.jpg#2", "b.jpg"], [note]))
        os.remove(self.top / "Annotations/z.xml")
        os.mkfifo(self.top / "Annotations/z.xml")
        self.assertIn("z (no regular file)", self.show(self.top).notes[0])


class Page(Case):
    """The examples of docs/evaluate.md."""

    def write_the_files_of(self, section):
        lines, files = section.splitlines(), {}
        for at, line in enumerate(lines):
            name = re.search(r"`([\w.]+)`:$", line)
            if name:
                begin = next(i for i in range(at, len(lines)) if lines[i].startswith("```")) + 1
                block = list(itertools.takewhile(lambda text: text != "```", lines[begin:]))
                files[name[1]] = "\n".join(block) + "\n"
        for name, text in files.items():
            self.put(name, data=text.encode())
        return files

    def test_examples(self):
        page = pathlib.Path(os.environ["KLDVE_SOURCE"], "docs/evaluate.md").read_text()
        section = page.split("\n## Data sets\n")[1].split("\n## ")[0]
        self.assertEqual(set(self.write_the_files_of(section)), {"pets.csv", "small.json", "classes.tsv"})
        large = png(384, 384, lambda x, y: b"abc")
        self.put("images/tom.jpg", "images/ada.jpg", data=large)
        self.put("masks/ada.png", data=png(384, 384, lambda x, y: b"\xff\xff\xff" if x < 9 else b"\0\0\0"))
        for name in "abcd":
            self.put(f"animals/{name}/{name}.png")
        coco = {"images": [{"id": 1, "file_name": "1.jpg"}], "categories": [{"id": 1, "name": "cat", "isthing": 1}]}
        self.put("val2017/1.jpg", "annotations/panoptic_val2017/1.png")
        self.put("annotations/instances_val2017.json", data=json.dumps({**coco, "annotations": [
            {"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2]]}]}).encode())
        self.put("annotations/panoptic_val2017.json", data=json.dumps({**coco, "annotations": [
            {"image_id": 1, "file_name": "1.png", "segments_info": [{"id": 9 * 65536, "category_id": 1}]}]}).encode())
        xml = (b"<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
               b"</object></annotation>")
        self.put("VOC2012/Annotations/2007.xml", "bbox/n1/n1_7.xml", data=xml)
        self.put("VOC2012/JPEGImages/2007.jpg", "ILSVRC/n1/n1_7.JPEG")
        self.put("VOC2012/ImageSets/Main/val.txt", data=b"2007\n")
        (self.top / "out").mkdir()
        voc = "reads no XML" not in Shown(self.top, "--format", "voc").error
        counts = {"animals": [4, 4, 4], "pets.csv": [2], "annotations/instances_val2017.json": [1], "small.json": [1],
                  "annotations/panoptic_val2017.json": [1], "VOC2012": [1], "bbox": [1],
                  "VOC2012/ImageSets/Main/val.txt": [1]}
        for text in re.findall(r"^kldve evaluate net.onnx (.*)$", section, re.M):
            args = re.sub(r" --(db|metric|ask) \S+", "", text).split()
            if voc or not args[0].startswith(("VOC", "bbox")):
                shown = Shown(*args, "--load", "out", cwd=self.top)
                self.assertEqual((shown.status, shown.error), (0, ""), text)
                self.assertEqual(len(shown.questions), counts[args[0]].pop(), text)
                self.assertEqual([q["why"] for q in shown.questions if "why" in q], [], text)
            else:
                counts[args[0]].pop()
        self.assertEqual(set(map(len, counts.values())), {0})


if __name__ == "__main__":
    unittest.main()
