"""Data sets of kldve evaluate, its databases, and the records that kldve explain goes on from."""
import json
import os
import sqlite3

from bomb import Bomb, fifo, link_to, png, sparse

PICTURE = {"a.png": png(16, 16)}


def evaluate(family, name, files, dataset, *args, allowed=(0, 1, 2), waits=None):
    return Bomb("dataset", family, name, {**PICTURE, **files},
                ["evaluate", dataset, "--db", "r.db", "--metric", "energy_area", *args], allowed,
                lines=40, waits=waits)  # what it chose and left out, then the failure


def coco(**keys):
    whole = {"images": [{"id": 1, "file_name": "a.png", "width": 16, "height": 16}],
             "categories": [{"id": 1, "name": "cat"}],
             "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "iscrowd": 0}]}
    return json.dumps({**whole, **keys})


def marked(**keys):
    return coco(annotations=[{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], **keys}])


def annotations():
    yield "empty", ""
    yield "deep", "[" * 100000
    yield "100 000 objects deep", '{"a":' * 100000
    yield "wrong types", coco(images={"a": 1}, annotations=3, categories="x")
    yield "null", "null"
    yield "a string of 20 MB", '{"images": "' + "x" * 20000000 + '"}'
    yield "ids of 2^63", coco(images=[{"id": 1 << 63, "file_name": "a.png"}])
    yield "one id for two pictures", coco(images=[{"id": 1, "file_name": "a.png"}] * 2)
    yield "a picture of 2^31", coco(images=[{"id": 1, "file_name": "a.png", "width": 1 << 31, "height": 1 << 31}])
    yield "a negative picture", coco(images=[{"id": 1, "file_name": "a.png", "width": -16, "height": -16}])
    yield "a picture above", coco(images=[{"id": 1, "file_name": "../../../../etc/passwd", "width": 16, "height": 16}])
    yield "a FIFO as a picture", coco(images=[{"id": 1, "file_name": "pipe", "width": 16, "height": 16}])
    yield "/dev/zero as a picture", coco(images=[{"id": 1, "file_name": "/dev/zero", "width": 16, "height": 16}])
    yield "control characters", coco(images=[{"id": 1, "file_name": "\x1b[2J\x9b.png"}])
    yield "a box of 1e308", marked(bbox=[1e308, 1e308, 1e308, 1e308])
    yield "a box of one number", marked(bbox=[1])
    yield "a box of texts", marked(bbox=["a", "b", "c", "d"])
    yield "NaN", marked(bbox=[1, 1, 2, 2]).replace("[1, 1, 2, 2]", "[NaN, 1, 2, 2]")
    yield "a polygon of a million points", marked(segmentation=[[i % 16 for i in range(2000000)]])
    yield "100 000 polygons", marked(segmentation=[[0, 0, 16, 0, 16, 16, 0, 16]] * 100000)
    yield "an odd polygon", marked(segmentation=[[1, 2, 3]])
    yield "a polygon of 1e300", marked(segmentation=[[-1e300, -1e300, 1e300, -1e300, 1e300, 1e300]])
    yield "runs of 2^31", marked(segmentation={"size": [16, 16], "counts": [1 << 31] * 9}, iscrowd=1)
    yield "runs of 65535 x 65535", marked(segmentation={"size": [65535, 65535], "counts": [65535 * 65535]}, iscrowd=1)
    yield "negative runs", marked(segmentation={"size": [16, 16], "counts": [-1, 257]}, iscrowd=1)
    yield "packed runs", marked(segmentation={"size": [16, 16], "counts": "\x7f" * 100000}, iscrowd=1)
    yield "packed runs that never end", marked(segmentation={"size": [16, 16], "counts": "oooooooooooooooooooo"}, iscrowd=1)
    yield "an unknown category", marked(category_id=99)
    yield "100 000 annotations", coco(annotations=[{"id": i, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4]} for i in range(100000)])
    yield "100 000 pictures", coco(images=[{"id": i, "file_name": "none.png"} for i in range(100000)], annotations=[])


def tables():
    yield "empty", ""
    yield "only a head", "path,label\n"
    yield "no head", "a.png,cat\n"
    yield "an open quote", 'path,label\n"a.png,cat\n' + "x" * 1000000
    yield "a cell of 10 MB", "path,label\na.png," + "x" * 10000000 + "\n"
    yield "a million columns", "path" + ",label" * 1000000 + "\na.png\n"
    yield "a million commas", "path,label\n" + "," * 1000000 + "\n"
    yield "a million rows of nothing", "path,label\n" + "\n" * 1000000
    yield "10 000 rows of one picture", "path,label\n" + "a.png,none\n" * 10000
    yield "NUL", b"path,label\na\0.png,cat\n"
    yield "invalid UTF-8", b"path,label\n\xff\xfe.png,\xc3\n"
    yield "a picture above", "path,label\n../../../../etc/passwd,cat\n"
    yield "/dev/zero", "path,label\n/dev/zero,cat\n"
    yield "a FIFO", "path,label\npipe,cat\n"
    yield "a box of words", "path,box\na.png,a b c d\n"
    yield "a box of 1e999", 'path,box\na.png,"1e999,0,-1e999,nan"\n'
    yield "100 000 boxes", 'path,box\na.png,"' + "0,0,1,1 " * 100000 + '"\n'
    yield "a mask that is /dev/zero", "path,mask\na.png,/dev/zero\n"
    yield "a mask that is a text", "path,mask\na.png,t.csv\n"
    yield "a mask of a FIFO", "path,mask\na.png,pipe\n"
    yield "formulas", "path,label\na.png,\"=cmd|' /C calc'!A0\"\n"


def documents():
    deep = "<a>" * 100000
    doctype = '<!DOCTYPE a [<!ENTITY x "' + "x" * 99 + '"><!ENTITY y "' + "&x;" * 99 + '">]><annotation>&y;</annotation>'
    box = "<object><name>cat</name><bndbox><xmin>{0}</xmin><ymin>{0}</ymin><xmax>{0}</xmax><ymax>{0}</ymax></bndbox></object>"
    yield "entities that multiply", doctype
    yield "100 000 elements deep", deep
    yield "empty", ""
    yield "a text of 10 MB", "<annotation><filename>" + "x" * 10000000 + "</filename></annotation>"
    yield "100 000 objects", "<annotation><filename>a.png</filename>" + box.format(1) * 100000 + "</annotation>"
    yield "a box of 1e999", "<annotation><filename>a.png</filename>" + box.format("1e999") + "</annotation>"
    yield "a box of NaN", "<annotation><filename>a.png</filename>" + box.format("nan") + "</annotation>"
    yield "a size of 2^62", "<annotation><filename>a.png</filename><size><width>4611686018427387904</width></size></annotation>"
    yield "a million attributes", "<annotation " + " ".join(f'a{i}="1"' for i in range(100000)) + "/>"
    yield "UTF-16 that is none", b"\xff\xfe<\0a\0"


def sets():
    for name, text in annotations():
        yield evaluate("annotations", name, {"t.json": text, "pipe": fifo}, "t.json", "--pictures", ".")
    for name, text in tables():
        yield evaluate("tables", name, {"t.csv": text, "pipe": fifo}, "t.csv", "--format", "list")
    for name, text in documents():
        yield evaluate("XML", name, {"voc/a.xml": text}, "voc", "--format", "voc", "--pictures", ".")
    places = {"a FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "a sparse file": sparse(32 << 30), "a link to itself": link_to("t.json")}
    for name, make in places.items():
        yield evaluate("places of data sets", name, {"t.json": make}, "t.json", "--format", "coco", allowed=(1, 2))
        yield evaluate("places of data sets", f"{name} as a table", {"t.csv": make if "itself" not in name else link_to("t.csv")},
                       "t.csv", "--format", "list", allowed=(1, 2))
        yield evaluate("places of data sets", f"{name} as classes", {"set/b.png": png(8, 8), "c.tsv": make if "itself" not in name else
                                                                      link_to("c.tsv")}, "set", "--classes", "c.tsv", allowed=(1, 2))
    yield evaluate("places of data sets", "a folder of links to itself", {"set/round": link_to(".."), "set/b.png": png(8, 8)}, "set")
    yield evaluate("places of data sets", "a folder of FIFOs", {f"set/{i}.png": fifo for i in range(20)}, "set")
    for name, text in {"10 MB of tabs": "cat" + "\t" * 10000000, "100 000 lines": "cat\tcat\n" * 100000, "NUL": b"cat\tcat\0\n",
                       "numbers beyond": "cat\t99999999999999999999\n"}.items():
        yield evaluate("class lists", name, {"set/b.png": png(8, 8), "c.tsv": text}, "set", "--classes", "c.tsv")


def written(statements):
    """A database that SQLite itself made."""

    def make(path):
        base = sqlite3.connect(path)
        for statement in statements:
            base.execute(statement)
        base.commit()
        base.close()

    return make


def tampered(path):
    """A good header, and pages of noise."""
    written(["CREATE TABLE about(name TEXT, value TEXT)"] + [f"INSERT INTO about VALUES('{i}', '{'x' * 99}')" for i in range(300)])(path)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def databases():
    endless = ("CREATE VIEW {} AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS name, i AS value, "
               "i AS spec FROM n")
    yield "empty", b""
    yield "text", b"hello, world\n" * 99
    yield "a header alone", b"SQLite format 3\0" + bytes(84)
    yield "a header of wrong pages", b"SQLite format 3\0" + b"\xff" * 4096
    yield "noise behind the header", tampered
    yield "a FIFO", fifo
    yield "/dev/zero", link_to("/dev/zero")
    yield "a sparse file", sparse(16 << 30)
    yield "a sparse file with a header", sparse(16 << 30, b"SQLite format 3\0\x10\0\1\1\0\x40\x20\x20")
    yield "a link to itself", link_to("x.db")
    yield "of another program", written(["CREATE TABLE a(b)"])
    yield "a version beyond", written(["PRAGMA user_version = 2147483647"])
    yield "an endless view", written([endless.format(name) for name in ("about", "run", "network", "method", "metric", "question", "unit",
                                                                        "explanation", "value")])
    yield "triggers", written(["CREATE TABLE about(name TEXT, value TEXT)",
                               "CREATE TRIGGER t AFTER INSERT ON about BEGIN INSERT INTO about VALUES(1, 1); END"])


def stores():
    for name, data in databases():
        yield Bomb("database", "results", name, {"x.db": data}, ["results", "x.db"], (1,), lines=3)
        yield Bomb("database", "merge", name, {"x.db": data}, ["merge", "o.db", "x.db"], (1, 2))
        yield Bomb("database", "go on", name, {"x.db": data, "set/a.png": png(8, 8)}, ["evaluate", "set", "--db", "x.db", "--metric", "energy_area"], (0, 1))


def records():
    lines = {"noise": b"\0\xff\x80" * 9999 + b"\n", "no line end": b'{"picture": "a.png"', "deep": b"[" * 100000 + b"\n", "a line of 20 MB":
             b'{"picture": "' + b"x" * 20000000 + b'"}\n', "a million lines of nothing": b"\n" * 1000000, "a million objects": b"{}\n" * 1000000,
             "wrong types": b'{"picture": {"a": 1}, "run": [1]}\n', "control characters": b'{"picture": "\\u001b[2J"}\n', "empty": b""}
    for name, data in lines.items():
        yield Bomb("database", "records to go on from", name, {"set/a.png": png(8, 8), "r.jsonl": data},
                   ["explain", "set", "--jsonl", "r.jsonl", "--resume", "--write", "map", "--out-dir", "out"], (0, 1, 2))
    for name, make in {"a FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "a sparse file": sparse(8 << 30)}.items():
        yield Bomb("database", "records to go on from", name, {"set/a.png": png(8, 8), "r.jsonl": make},
                   ["explain", "set", "--jsonl", "r.jsonl", "--resume", "--write", "map", "--out-dir", "out"], (0, 1, 2))


def bombs():
    yield from sets()
    yield from stores()
    yield from records()
