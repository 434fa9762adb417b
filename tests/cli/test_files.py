#!/usr/bin/env python3
"""Files that are not what they seem: pipes nobody writes to, devices, folders and sockets in the place of every input,
labels that lie elsewhere, a network that is cut while it is in use; and processes that are killed while they write.

    test_files.py            some moments of each kill
    KLDVE_KILLS=1000 test_files.py Killed    a thousand"""
import json
import os
import random
import socket
import subprocess
import time
import unittest

import tinynet
from command import KLDVE, main, png, run
from folder import Folder, blob

SOON = 20  # seconds in which a refusal must come, on a busy machine
KILLS = int(os.environ.get("KLDVE_KILLS", "7"))


class NoFiles(Folder):
    """Each input in turn is something that is no file."""

    def setUp(self):
        super().setUp()
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("folder"))
        os.mkdir(self.path("pics"))
        self.put("pics/a.png", png(16, 16, blob))
        self.socket = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.socket.close)
        here = os.getcwd()
        os.chdir(self.dir)
        self.socket.bind("socket")
        os.chdir(here)

    def test_refused_at_once(self):
        inputs = {"model": ["explain", "--model", "{}", "pic.png"], "picture": ["explain", "net.onnx", "{}"],
                  "card": ["explain", "net.onnx", "pic.png", "--card", "{}"], "labels": ["explain", "net.onnx", "pic.png", "--labels", "{}"],
                  "array": ["diff", "{}", "{}"], "list": ["explain", "net.onnx", "pics", "--out-dir", "o", "--expected", "list:{}"],
                  "input": ["explain", "net.onnx", "pic.png", "--input", "x={}"], "database": ["results", "{}"],
                  "merged": ["merge", "n.sqlite", "{}"], "mask": ["explain", "net.onnx", "pic.png", "--over", "{}"],
                  "data set": ["evaluate", "net.onnx", "{}", "--db", "e.sqlite"]}
        for what, args in inputs.items():
            for name in "fifo", "socket", "/dev/zero", "folder":
                if (what, name) in (("data set", "folder"), ("picture", "folder")):
                    continue  # are meant
                with self.subTest(what=what, name=name):
                    for other in "o.png", "pic.kldve.png":
                        if os.path.exists(self.path(other)):
                            os.unlink(self.path(other))
                    result = self.kldve(*[a.format(name) for a in args], timeout=SOON)
                    self.assertIn(result.status, (1, 2), (what, name, result.err))
                    self.assertIn(name, result.err)
                    self.assertEqual(result.err.count("\n"), 1, result.err)

    def test_a_card_that_names_no_file(self):
        for name in "fifo", "socket", "folder":
            self.put("net.card.json", f'{{"labels": "{name}"}}')
            result = self.kldve("explain", "net.onnx", "pic.png", timeout=SOON)
            self.assertEqual(result.status, 1)
            self.assertRegex(result.err, f"{name}: (this is a|cannot open)")

    def test_external_data_that_is_no_file(self):
        for name in "fifo", "socket", "folder":
            self.put("net.onnx", tinynet.classifier(external=name))
            result = self.kldve("explain", "net.onnx", "pic.png", timeout=SOON)
            self.assertEqual(result.status, 1)
            self.assertIn(name, result.err)

    def test_pipes_that_are_meant(self):
        with open(self.path("pic.png"), "rb") as file:
            picture = file.read()
        for args in (["-"], ["/dev/stdin"], ["/dev/fd/0"], ["pic.png", "--labels", "/dev/stdin"]):
            data = picture if len(args) == 1 else b"a\nb\nc\nd\n"
            done = subprocess.run([KLDVE, "explain", "net.onnx", *args, "-o", "o.png", "--force"], cwd=self.dir, input=data, capture_output=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 0, (args, done.stderr))

    def with_pipe(self, data, *args):
        """The command with `data` in a pipe, whose name stands for {}, as <(...) of a shell gives it."""
        read, write = os.pipe()
        os.write(write, data.encode() if isinstance(data, str) else data)
        os.close(write)
        try:
            return subprocess.run([KLDVE, *[a.format(f"/dev/fd/{read}") for a in args]], cwd=self.dir, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, pass_fds=[read], timeout=60, check=False)
        finally:
            os.close(read)

    def test_pipes_that_need_one_reading(self):
        with open(self.path("pic.png"), "rb") as file:
            picture = file.read()
        for data, args in ((picture, ["explain", "net.onnx", "{}", "pics/a.png", "--jsonl", "r.jsonl"]),
                           ("a\nb\nc\nd\n", ["explain", "net.onnx", "pic.png", "pics/a.png", "--labels", "{}", "--out-dir", "o"]),
                           ("{}", ["explain", "plain.onnx", "pic.png", "--card", "{}", "-o", "o.png"]),
                           (png(1500, 900, lambda x, y: b"\x50\x60\x70"), ["compare", "net.onnx", "{}", "pic.png", "-o", "s.png"])):
            done = self.with_pipe(data, *args)
            self.assertEqual(done.returncode, 0, (args, done.stderr))
        with open(self.path("r.jsonl"), encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        self.assertEqual([r.get("failed") for r in records], [None, None])

    def test_pipes_that_would_be_read_again(self):
        listed = "pic.png,0\npics/a.png,0\n"
        for data, args in (("a\nb\nc\nd\n", ["explain", "net.onnx", "pic.png", "pics/a.png", "--labels", "{}", "--jsonl", "r.jsonl"]),
                           ("a\nb\nc\nd\n", ["compare", "--labels", "{}", "net.onnx", "plain.onnx", "pic.png", "-o", "s.png"]),
                           ("{}", ["explain", "plain.onnx", "pic.png", "--card", "{}", "--jsonl", "r.jsonl"]),
                           (listed, ["explain", "net.onnx", "pic.png", "pics/a.png", "--expected", "list:{}", "--out-dir", "o"])):
            done = self.with_pipe(data, *args)
            self.assertEqual(done.returncode, 1, (args, done.stderr))
            self.assertRegex(done.stderr, "/dev/fd/[0-9]+: a pipe is read once", args)


class Confined(Folder):
    """The labels of a card lie in its folder or in one beside it."""

    def refused(self, labels, folder="."):
        self.put(folder + "/net.card.json", f'{{"labels": "{labels}"}}')
        result = self.kldve("explain", folder + "/net.onnx", "pic.png")
        self.assertEqual(result.status, 1, labels)
        self.assertIn(f"labels: '{labels}' lies outside the card's folder and labels/ beside it", result.err)

    def test_outside(self):
        os.mkdir(self.path("in"))
        os.mkdir(self.path("in/sub"))
        self.put("in/net.onnx", tinynet.classifier())
        for name, target in (("in/link", "../labels.txt"), ("in/absolute", self.path("labels.txt")), ("in/up", ".."), ("away", "/etc")):
            os.symlink(target, self.path(name))
        for labels in "/etc/passwd", "../labels.txt", "sub/../../labels.txt", "../../etc/passwd", "../in/../labels.txt", "../away/passwd", "../.ssh/id_rsa", "../labels/../labels.txt", "link", "absolute", "up/labels.txt", self.path("labels.txt"):
            self.refused(labels, "in")

    def test_inside(self):
        os.mkdir(self.path("sub"))
        os.rename(self.path("labels.txt"), self.path("sub/l.txt"))
        os.symlink("sub/l.txt", self.path("link"))
        os.mkdir(self.path("models"))
        self.put("models/net.onnx", tinynet.classifier())
        os.mkdir(self.path("labels"))
        os.link(self.path("sub/l.txt"), self.path("labels/l.txt"))
        for folder, labels in (".", "sub/l.txt"), (".", "./sub//l.txt"), (".", "link"), ("models", "../labels/l.txt"):
            self.put(folder + "/net.card.json", f'{{"labels": "{labels}"}}')
            self.assertIn("red fox", self.succeed("explain", folder + "/net.onnx", "pic.png", "-o", "o.png", "--force").out)


class Cut(Folder):
    """A network that is cut while it is in use ends the command with a line, or changes nothing with --copy."""

    def setUp(self):
        super().setUp()
        maps, side = 64, 64
        self.weights = b"\0\0\0\x3c" * (maps * 3 * 31 * 31)
        nodes = [tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[31, 31]), tinynet.node("Relu", ["conv"], ["relu"]),
                 tinynet.node("GlobalAveragePool", ["relu"], ["pool"]), tinynet.node("Flatten", ["pool"], ["flat"]),
                 tinynet.node("Gemm", ["flat", "w"], ["scores"], transB=1)]
        self.big = tinynet.model(nodes, [tinynet.in_file("k", [maps, 3, 31, 31], "k.bin"),
                                         tinynet.tensor("w", [4, maps], [0.1 * (i % 7) for i in range(4 * maps)])],
                                 [tinynet.value_info("image", [1, 3, side, side])], [tinynet.value_info("scores", [1, 4])])

    def ends(self, wait, *args):
        self.put("big.onnx", self.big)
        self.put("k.bin", self.weights)
        process = subprocess.Popen([KLDVE, "explain", "big.onnx", "pic.png", "-o", "o.png", "--force", *args], cwd=self.dir,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        time.sleep(wait)
        for name in "k.bin", "big.onnx":
            os.truncate(self.path(name), 0)
        err = process.communicate(timeout=120)[1].decode()
        return process.returncode, err

    def test_cut(self):
        rng = random.Random(1)
        for _ in range(KILLS):
            status, err = self.ends(rng.random() * 0.4)
            self.assertIn(status, (0, 1), err)
            if status:
                lines = [line for line in err.splitlines() if "assuming" not in line]
                self.assertEqual(len(lines), 1, err)
                self.assertRegex(lines[0], "^kldve: .*(big.onnx|k.bin)")
            self.assertFalse([name for name in os.listdir(self.dir) if name.endswith(".tmp")])

    def test_copy(self):
        self.put("big.onnx", self.big)
        self.put("k.bin", self.weights)
        run("explain", "big.onnx", "pic.png", "--map", "a.npy", "-o", "a.png", cwd=self.dir)
        self.succeed("explain", "big.onnx", "pic.png", "--map", "b.npy", "-o", "b.png", "--copy")
        for one, other in ("a.npy", "b.npy"), ("a.png", "b.png"):
            with open(self.path(one), "rb") as first, open(self.path(other), "rb") as second:
                self.assertEqual(first.read(), second.read())
        self.assertEqual(self.kldve("explain", "pic.png", "--copy").status, 1)


class Killed(Folder):
    """kill -9 at any moment: every output is whole or absent, or the one from before; nothing else is left, but for
    a database, which the next run goes on with."""

    COMMANDS = {
        "explain": (["explain", "net.onnx", "pic.png", "-o", "o.png", "--map", "m.npy", "--json", "o.json", "--force"], ("o.png", "m.npy", "o.json")),
        "dump": (["explain", "net.onnx", "pic.png", "-o", "o.png", "--dump", "d", "--force"], ("o.png",)),
        "many": (["explain", "net.onnx", "photos", "--out-dir", "out", "--jsonl", "o.jsonl", "--force"], ("o.jsonl",)),
        "compare": (["compare", "net.onnx", "pic.png", "-o", "s.png"], ("s.png",)),
        "report": (["report", "net.onnx", "photos", "-o", "r.html"], ("r.html",)),
        "evaluate": (["evaluate", "net.onnx", "photos", "--db", "e.sqlite", "--method", "kl-dve", "--metric", "entropy"], ()),
        "merge": (["merge", "n.sqlite", "old.sqlite"], ("n.sqlite",)),
    }
    ENDS = {".png": b"IEND\xaeB`\x82", ".json": b"}\n", ".html": b"</html>\n"}

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("photos/a"))
        for i in range(4):
            self.put(f"photos/a/{i}.png", png(16 + i, 16, blob))

    def killed(self, args, seconds):
        process = subprocess.Popen([KLDVE, *args], cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def files(self):
        return {os.path.relpath(os.path.join(base, name), self.dir) for base, _, names in os.walk(self.dir) for name in names}

    def check_whole(self, name):
        with open(self.path(name), "rb") as file:
            data = file.read()
        ending = self.ENDS.get(os.path.splitext(name)[1])
        if ending:
            self.assertTrue(data.endswith(ending), name)
        elif not name.endswith(".jsonl"):  # the last line of which --resume cuts off
            self.assertTrue(data, name)

    def test_killed(self):
        made = self.kldve("evaluate", "net.onnx", "photos", "--db", "old.sqlite", "--method", "kl-dve", "--metric", "entropy")
        rng = random.Random(2)
        for name, (args, outputs) in self.COMMANDS.items():
            if made.status and name in ("evaluate", "merge"):
                continue  # not part of this build
            if name == "compare" and os.environ.get("KLDVE_SHEETS") == "0":
                continue
            begun = time.monotonic()
            whole = self.kldve(*args)
            self.assertEqual(whole.status, 0, whole.err)
            taken = time.monotonic() - begun
            known = self.files()
            for _ in range(max(1, KILLS // len(self.COMMANDS))):
                if name == "merge":
                    os.unlink(self.path("n.sqlite"))
                self.killed(args, rng.random() * taken)
                left = {f for f in self.files() - known if not os.path.basename(f).startswith("e.sqlite")}
                if name == "merge":  # SQLite needs a name: the next merge removes what is left
                    left = {f for f in left if not f.startswith(".kldve-") and f != "n.sqlite"}
                self.assertEqual(left, set(), name)
                for output in outputs:
                    if os.path.exists(self.path(output)):
                        self.check_whole(output)
                if name == "merge" and os.path.exists(self.path("n.sqlite")):
                    os.unlink(self.path("n.sqlite"))
                result = self.kldve(*args)
                self.assertEqual(result.status, 0, (name, result.err))
            self.assertFalse([f for f in self.files() if ".kldve-" in f], name)


if __name__ == "__main__":
    main()
