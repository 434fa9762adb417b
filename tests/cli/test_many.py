"""test_many.py - many pictures in one run: each is explained as it would be alone, the records say
what is done, and neither bad pictures nor kills lose anything."""
import glob
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from command import KLDVE, SOURCE, Npy, main, png, read_json, read_png, run

SCENES = sorted(glob.glob(os.path.join(SOURCE, "demo", "pictures", "scene*.png")))


def dots(seed):
    """A small picture of its own."""
    chance = random.Random(seed)
    colours = [bytes(chance.randrange(256) for _ in range(3)) for _ in range(64)]
    return png(24, 20, lambda x, y: colours[x // 3 % 8 * 8 + y // 3])


class Many(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)

    def dots(self, *names):
        for i, name in enumerate(names):
            self.write(name, dots(i))
        return list(names)

    def explain(self, *args, status=0):
        result = run("explain", *args, cwd=self.folder)
        self.assertEqual(result.status, status, result.err)
        return result

    def records(self, name="r.jsonl"):
        with open(self.path(name), encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().splitlines()]

    def files(self, folder):
        return sorted(os.listdir(self.path(folder)))


class Same(Many):
    """What a run of many makes is what a run of one makes."""

    def test_as_alone(self):
        self.explain(*SCENES, "--out-dir", "d", "--write", "overlay,heat,map,dump", "--jsonl",
                     "r.jsonl", "--threads", "2")
        for scene, record in zip(SCENES, self.records(), strict=True):
            name = os.path.basename(scene)[:-4]
            self.explain(scene, "-o", "one.png", "--heat", "heat.png", "--map", "map.npy",
                         "--json", "one.json", "--dump", "one.dump", "--threads", "1")
            many, one = Npy(self.path("d", name + ".map.npy")), Npy(self.path("map.npy"))
            self.assertEqual(many.shape, one.shape)
            for a, b in zip(many.value, one.value):
                self.assertAlmostEqual(a, b, delta=1e-5)
            self.assertEqual(self.files("d/" + name + ".dump"), self.files("one.dump"))
            for extra, alone in [(".kldve.png", "one.png"), (".heat.png", "heat.png")]:
                self.assertEqual(os.path.getsize(self.path("d", name + extra)),
                                 os.path.getsize(self.path(alone)))
            alone = read_json(self.path("one.json"))
            self.assertEqual(set(record) - set(alone), {"files", "print", "run"})
            for key in set(alone) - {"timings_ms", "ms", "kl", "top5", "target"}:
                if isinstance(alone[key], float):
                    self.assertAlmostEqual(record[key], alone[key], delta=1e-5, msg=key)
                else:
                    self.assertEqual(record[key], alone[key], key)
            self.assertEqual(record["files"]["map"], "d/" + name + ".map.npy")

    def test_order_threads_and_company(self):
        names = self.dots(*[f"p{i:02d}.png" for i in range(19)])
        maps = {}
        for run_, args in enumerate([(names, "1"), (names[::-1], "3"), (names[5:9], "2")]):
            folder = f"d{run_}"
            self.explain(*args[0], "--threads", args[1], "--out-dir", folder, "--write", "map",
                         "--jsonl", f"r{run_}.jsonl")
            self.assertEqual([r["picture"] for r in self.records(f"r{run_}.jsonl")], args[0])
            for name in self.files(folder):
                value = Npy(self.path(folder, name)).value
                for a, b in zip(value, maps.setdefault(name, value)):
                    self.assertAlmostEqual(a, b, delta=1e-5)

    def test_options_hold_for_each(self):
        names = self.dots("a.png", "b.png")
        self.explain(*names, "--method", "occlusion", "--target", "3", "--jsonl", "r.jsonl",
                     "--check", "--check-passes", "5")
        for record in self.records():
            self.assertEqual((record["method"], record["target"]["index"]), ("occlusion", 3))
            self.assertEqual(record["check_passes"], 5)
        self.explain(*names, "--target", "cat", "--rival", "top2", "--jsonl", "s.jsonl")
        self.assertEqual([r["target"]["label"] for r in self.records("s.jsonl")], ["cat", "cat"])
        self.assertEqual(self.files("."), ["a.png", "b.png", "r.jsonl", "s.jsonl"])

    def test_arrays(self):
        """Each array is explained alone."""
        names = []
        for i in range(3):
            names.append(f"x{i}.npy")
            values = struct.pack("<27648f", *(float((7 * k + i * k % 5) % 256)
                                              for k in range(3 * 96 * 96)))
            head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 96, 96), }"
            head = head.ljust(117) + "\n"
            self.write(names[-1], b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) +
                       head.encode() + values)
        self.explain(*names, "--out-dir", "d", "--write", "map", "--jsonl", "r.jsonl")
        for name in names:
            self.explain(name, "--map", "one.npy")
            for a, b in zip(Npy(self.path("d", name[:-4] + ".map.npy")).value,
                            Npy(self.path("one.npy")).value, strict=True):
                self.assertAlmostEqual(a, b, delta=1e-5)
        self.dots("a.png")
        result = self.explain(names[0], "a.png", status=2)
        self.assertIn("give no picture beside it", result.err)

    def test_compare_has_no_more(self):
        """Every figure of compare --json is in the record, with the same value."""
        result = run("compare", SCENES[0], "--method", "grad-cam", "--json", "c.json",
                     cwd=self.folder)
        self.assertEqual(result.status, 0, result.err)
        self.explain(SCENES[0], "--method", "grad-cam", "--json", "e.json")
        compared, record = read_json(self.path("c.json")), read_json(self.path("e.json"))
        for key, value in compared["maps"][0].items():
            if key not in ("network", "ms"):
                self.assertEqual(record[key], value, key)
        self.assertEqual(record["top5"], compared["predictions"][0]["top5"])
        for key, value in compared["networks"][0].items():
            if key != "name":
                self.assertEqual(record[key], value, key)


class Expected(Many):
    """What it said beside what it should have said."""

    def pearson(self, first, second):
        """Of two maps of one size."""
        a, b = Npy(self.path(first)).value, Npy(self.path(second)).value
        x, y = [v - sum(a) / len(a) for v in a], [v - sum(b) / len(b) for v in b]
        return (sum(p * q for p, q in zip(x, y)) /
                (sum(p * p for p in x) * sum(q * q for q in y)) ** 0.5)

    def test_wrong_and_right(self):
        scene = SCENES[0]  # a cat, and a boat
        result = self.explain(scene, "--expected", "boat", "-o", "pair.png", "--json", "e.json",
                              "--map", "said.npy")
        record = read_json(self.path("e.json"))
        self.assertEqual((record["correct"], record["target"]["label"]), (False, "cat"))
        self.assertEqual((record["expected"]["label"], record["expected"]["rank"]), ("boat", 2))
        self.explain(scene, "--target", "boat", "-o", "boat.png", "--json", "b.json", "--map",
                     "boat.npy")
        boat = read_json(self.path("b.json"))
        for key, value in record["expected_map"].items():
            self.assertEqual(boat[key], value, key)
        self.assertAlmostEqual(record["likeness"], self.pearson("said.npy", "boat.npy"), delta=0.05)
        self.assertRegex(result.out, r"expected boat 9\.4 %, rank 2; the two maps correlate by "
                                     r"-0\.\d+: they look at different places\n\Z")
        self.explain(scene, "-o", "cat.png")
        pair, left, right = (read_png(self.path(f)) for f in ("pair.png", "cat.png", "boat.png"))
        margin = next(x for x in range(100) if pair(x, 200) != b"\xff\xff\xff")
        with open(self.path("cat.png"), "rb") as file:
            width = int.from_bytes(file.read(20)[16:], "big")
        top = next(y for y in range(40, 100) if pair(margin, y) != b"\xff\xff\xff")
        for x, y in [(0, 0), (100, 120), (200, 300)]:
            self.assertEqual(pair(margin + x, top + y), left(x, y))
            self.assertEqual(pair(2 * margin + width + x, top + y), right(x, y))
        result = self.explain(scene, "--expected", "2", "-o", "right.png", "--json", "r.json")
        self.assertTrue(result.out.endswith("as expected\n"))
        with open(self.path("right.png"), "rb") as a, open(self.path("cat.png"), "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.assertNotIn("expected_map", read_json(self.path("r.json")))

    def test_of_many(self):
        for name in ("cat/a.png", "boat/b.png", "zebra/c.png"):
            os.makedirs(self.path("f", os.path.dirname(name)))
            shutil.copy(SCENES[0], self.path("f", name))
        result = self.explain("f", "--expected", "folder", "--jsonl", "r.jsonl", status=1)
        self.assertEqual([r.get("correct") for r in self.records()], [False, True, None])
        self.assertIn("expected class zebra: no class is called 'zebra'", result.err)
        with open(self.path("list.txt"), "w") as file:
            file.write("a.png,cat\nf/boat/b.png,cat\nb.png,boat\n")
        result = self.explain("f", "--expected", "list:list.txt", "--jsonl", "s.jsonl", status=1)
        self.assertEqual([r.get("correct") for r in self.records("s.jsonl")], [True, True, None])
        self.assertIn("f/zebra/c.png: list.txt names no class for it", result.err)

    def test_usage(self):
        result = self.explain(SCENES[0], "--expected", "cat", "--target", "boat", status=2)
        self.assertIn("give no --target with it", result.err)
        result = self.explain(SCENES[0], "--expected", "list:no.txt", "-o", "x.png", status=1)
        self.assertEqual(result.err, "kldve: no.txt: cannot open: No such file or directory\n")
        self.assertEqual(self.files("."), [])


class Folders(Many):
    def test_walk(self):
        self.dots("f/b.png", "f/a.png", "f/sub/a.png", "f/.hidden.png", "c.png")
        self.write("f/notes.txt", b"text")
        os.link(self.path("f/b.png"), self.path("f/z.png"))
        os.symlink("..", self.path("f/sub/up"))
        result = self.explain("c.png", "f", "--out-dir", "d", "--jsonl", "r.jsonl")
        pictures = ["c.png", "f/a.png", "f/b.png", "f/sub/a.png"]
        self.assertEqual([r["picture"] for r in self.records()], pictures)
        self.assertIn("f/notes.txt is left out", result.err)
        self.assertEqual(self.files("d"), ["b.kldve.png", "c.kldve.png", "f-a.png.kldve.png",
                                           "f-sub-a.png.kldve.png"])
        self.assertEqual(len(result.out.splitlines()), 5)
        self.assertIn("4 pictures explained", result.out)

    def test_results_are_no_pictures(self):
        self.dots("f/a.png")
        self.explain("f")
        self.assertEqual(self.files("f"), ["a.kldve.png", "a.png"])
        result = self.explain("f", status=1)
        self.assertIn("f/a.kldve.png exists: --force replaces it", result.err)
        self.explain("f", "--force", "--quiet")
        self.assertEqual(self.files("f"), ["a.kldve.png", "a.png"])

    def test_empty(self):
        os.mkdir(self.path("f"))
        self.assertEqual(self.explain("f", status=1).err,
                         "kldve: f: there is no picture (.png, .jpg, .jpeg) in this folder\n")

    def test_a_result_never_replaces_a_picture(self):
        self.dots("a.png", "a.kldve.png")
        before = dots(1)
        result = self.explain("a.png", "a.kldve.png", "--force", status=1)
        self.assertIn("a.kldve.png would take the place of a picture that is read", result.err)
        with open(self.path("a.kldve.png"), "rb") as file:
            self.assertEqual(file.read(), before)


class Failures(Many):
    def test_bad_pictures_do_not_stop_the_others(self):
        self.dots("a.png", "b.png")
        self.write("broken.png", b"\0\1\2\3")
        result = self.explain("a.png", "broken.png", "missing.png", "b.png", "--out-dir", "d",
                              "--jsonl", "r.jsonl", status=1)
        self.assertEqual(result.err.splitlines()[-3:],
                         ["kldve: 2 of 4 pictures could not be explained:",
                          "kldve: broken.png: not a picture in PNG or JPEG format",
                          "kldve: missing.png: cannot open: No such file or directory"])
        self.assertEqual(self.files("d"), ["a.kldve.png", "b.kldve.png"])
        self.assertEqual([r.get("failed", "") for r in self.records()],
                         ["", "not a picture in PNG or JPEG format",
                          "cannot open: No such file or directory", ""])

    def test_what_is_wrong_with_all_is_one_line(self):
        names = self.dots(*[f"{i}.png" for i in range(9)])
        for args, line in [(["--target", "zebra"], "--target zebra"), (["--layer", "no"], "'no'"),
                           (["no.onnx"], "no.onnx"), (["--at", "9,9"], "no place to pick")]:
            result = self.explain(*names, *args, "--out-dir", "d", status=1)
            self.assertEqual(len(result.err.splitlines()), 1, result.err)
            self.assertIn(line, result.err)
            self.assertFalse(os.path.exists(self.path("d")), args)
        for i, name in enumerate(names):
            self.write(name, b"\0\1\2%d" % i)
        self.assertEqual(self.explain(*names, status=1).err,
                         "kldve: none of the 9 pictures could be explained: not a picture in PNG or "
                         "JPEG format\n")

    def test_usage(self):
        names = self.dots("a.png", "b.png")
        for args, line in [
                (["-o", "x.png"], "-o x.png names the result of one picture: for many give "
                                  "--out-dir DIR and --write overlay"),
                (["--map", "x.npy"], "--map x.npy names the result of one picture"),
                (["--json", "x.json"], "--json x.json takes the record of one picture: for many "
                                       "give --jsonl FILE"),
                (["--terminal"], "--terminal draws one picture, not many"),
                (["--write", "mask"], "--write mask: give one or more of overlay,heat,map,dump"),
                (["--resume"], "--resume needs --jsonl FILE"),
                (["--resume", "--jsonl", "-"], "--resume needs --jsonl FILE"),
                (["--resume", "--force", "--jsonl", "r"], "give one of them"),
                (["--jsonl", "r", "--opacity", "1"], "--opacity changes nothing"),
                (["--write", "map", "--colormap", "jet"], "--colormap changes nothing"),
                (["--jsonl", "b.png"], "--jsonl b.png would overwrite b.png")]:
            result = self.explain(*names, *args, status=2)
            self.assertIn(line, result.err)
        self.dots("f/a.png")
        result = self.explain("f", "-o", "x.png", status=2)
        self.assertIn("-o x.png names the result of one picture", result.err)
        self.assertEqual(self.files("."), [*names, "f"])

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk(self):
        names = self.dots(*[f"{i}.png" for i in range(9)])
        with open("/dev/full", "w") as full:
            result = run("explain", *names, "--jsonl", "-", cwd=self.folder, stdout=full)
        self.assertEqual((result.status, len(result.err.splitlines())), (1, 1), result.err)
        self.assertIn("No space left on device", result.err)
        result = self.explain(*names, "--jsonl", "/dev/full", status=1)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)

    def test_reader_that_leaves(self):
        names = self.dots(*[f"{i}.png" for i in range(40)])
        process = subprocess.Popen([KLDVE, "explain", *names, "--out-dir", "d"], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.close()
        err = process.stderr.read()
        self.assertEqual(process.wait(), 1)
        process.stderr.close()
        self.assertEqual(err, "kldve: standard output: cannot write: Broken pipe\n")


class Resume(Many):
    def go(self, *args, status=0):
        """-> how many pictures were explained now"""
        result = self.explain(*args, "--out-dir", "d", "--jsonl", "r.jsonl", "--resume",
                              status=status)
        return int(result.out.splitlines()[-1].split()[0])

    def test_what_changed_is_done_again(self):
        names = self.dots(*[f"{i}.png" for i in range(4)])
        self.assertEqual(self.go(*names), 4)
        self.assertEqual(self.go(*names), 0)
        os.utime(self.path("0.png"))
        self.assertEqual(self.go(*names), 0)  # the same bytes
        self.write("1.png", dots(99))
        self.assertEqual(self.go(*names), 1)
        os.remove(self.path("d", "2.kldve.png"))
        self.assertEqual(self.go(*names), 1)
        self.assertEqual(self.go(*names, *self.dots("more.png")), 1)
        self.assertEqual([r["picture"] for r in self.records()], [*names, "more.png"])
        first = self.records()[0]
        self.assertEqual(self.go(*names, "--method", "grad-cam"), 4)
        self.assertIn(first, self.records())  # of other runs nothing is lost
        self.assertEqual(len(self.records()), 9)
        shutil.copy(self.path("r.jsonl"), self.path("again.jsonl"))
        result = self.explain(*names, "--out-dir", "d", "--jsonl", "r.jsonl", status=1)
        self.assertIn("exists", result.err)

    def test_failures_are_tried_again(self):
        names = self.dots("0.png", "1.png")
        self.write("1.png", b"half")
        self.assertEqual(self.go(*names, status=1), 1)
        self.write("1.png", dots(1))
        self.assertEqual(self.go(*names), 1)
        self.assertEqual(["failed" in r for r in self.records()], [False, False])

    def test_half_a_line_and_no_record(self):
        names = self.dots("0.png", "1.png")
        self.go(*names)
        with open(self.path("r.jsonl"), "rb") as file:
            whole = file.read()
        self.write("r.jsonl", whole[:-20])
        self.assertEqual(self.go(*names), 1)
        self.assertEqual(len(self.records()), 2)
        self.write("r.jsonl", b"# notes\n" + whole)
        result = self.explain(*names, "--jsonl", "r.jsonl", "--resume", status=1)
        self.assertIn("r.jsonl: line 1 is no record", result.err)
        for other, line in [(b"notes without a newline", 1), (b"{", None), (whole + b'{"mine": 1}', 3), (whole + b"x", 3)]:
            with self.subTest(other=other[-20:]):
                self.write("r.jsonl", other)
                result = self.explain(*names, "--jsonl", "r.jsonl", "--resume", "--quiet",
                                      "--out-dir", "d", status=1 if line else 0)
                if line:  # the file of somebody else stays as it is
                    self.assertIn(f"r.jsonl: line {line} is no record", result.err)
                    with open(self.path("r.jsonl"), "rb") as file:
                        self.assertEqual(file.read(), other)

    def lines(self):
        """The whole lines of the records."""
        if not os.path.exists(self.path("r.jsonl")):
            return []
        with open(self.path("r.jsonl"), "rb") as file:
            return file.read().split(b"\n")[:-1]

    def kill_later(self, process, lines, how):
        """Kill a run when it has written so many lines, or let it end."""
        while process.poll() is None and len(self.lines()) < lines:
            time.sleep(0.002)
        process.send_signal(how)
        return process.wait()

    def test_kills(self):
        """Killed at any moment, every record and every file is whole, and nothing is done twice."""
        names = self.dots(*[f"p{i:02d}.png" for i in range(48)])
        args = [KLDVE, "explain", *names, "--out-dir", "d", "--jsonl", "r.jsonl", "--resume",
                "--method", "rise", "--samples", "20", "--quiet"]
        seen, status, kills = {}, 1, 0
        while status != 0:
            process = subprocess.Popen(args, cwd=self.folder, stderr=subprocess.DEVNULL)
            status = self.kill_later(process, len(seen) + 1 + kills % 7,
                                     signal.SIGINT if kills % 4 == 3 else signal.SIGKILL)
            kills += status != 0
            now = {}
            for line in self.lines():
                record = json.loads(line)
                self.assertNotIn(record["picture"], now)
                overlay = os.stat(self.path(record["files"]["overlay"]))
                now[record["picture"]] = (overlay.st_mtime_ns, record)
            self.assertGreater(len(now), len(seen) - (status == 0))
            for picture, before in seen.items():
                self.assertEqual(now[picture], before)  # neither the record nor the file
            seen = now
        self.assertEqual(sorted(seen), names)
        self.assertGreater(kills, 2)
        self.assertEqual([r["picture"] for r in self.records()], names)
        for _, record in seen.values():
            with open(self.path(record["files"]["overlay"]), "rb") as file:
                self.assertTrue(file.read().endswith(b"IEND\xaeB`\x82"))

    def test_interrupt(self):
        names = self.dots(*[f"p{i:02d}.png" for i in range(40)])
        process = subprocess.Popen([KLDVE, "explain", *names, "--jsonl", "r.jsonl", "--method",
                                    "rise"], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertRegex(err, r"interrupted: \d+ of 40 pictures are done; --resume goes on")

    def test_two_runs_do_not_meet(self):
        names = self.dots(*[f"p{i:02d}.png" for i in range(40)])
        process = subprocess.Popen([KLDVE, "explain", *names, "--jsonl", "r.jsonl", "--method",
                                    "rise"], cwd=self.folder, stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            result = self.explain(*names, "--jsonl", "r.jsonl", "--resume", status=1)
            self.assertEqual(result.err, "kldve: r.jsonl is in use: another run writes to it\n")
        finally:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    main()
