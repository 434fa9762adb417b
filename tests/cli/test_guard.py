"""What the kldve command refuses before any work: to write over what it reads, and options that
would change nothing.  And with little memory it ends."""
import os
import re
import resource
import shutil
import struct
import subprocess
import time
import unittest

import tinynet
from command import KLDVE, SOURCE, main
from test_command import Folder, check


class Inputs(Folder):
    """An output is never a file that is read, by whatever name."""

    def refused(self, line, *args, status=2):
        before = {name: os.stat(self.path(name)).st_mtime_ns for name in os.listdir(self.dir)}
        check(self, list(args), status, line)
        self.assertEqual(before, {name: os.stat(self.path(name)).st_mtime_ns
                                  for name in os.listdir(self.dir)})

    def test_picture(self):
        os.symlink("pic.png", self.path("link.png"))
        os.link(self.path("pic.png"), self.path("hard.png"))
        os.symlink(self.dir, self.path("folder"))
        for name in ["pic.png", "./pic.png", self.path("pic.png"), "link.png", "hard.png",
                     "folder/pic.png", "./folder/../" + os.path.basename(self.dir) + "/pic.png"]:
            for option in ["-o", "--heat", "--json"]:
                self.refused(rf"{option} .* would overwrite pic\.png, which is read: give",
                             "explain", "net.onnx", "pic.png", option, name)
            self.refused(r"-o .* would overwrite pic\.png", "compare", "--model", "net.onnx",
                         "pic.png", "-o", name)
        self.refused(r"-o pic\.png would overwrite link\.png", "explain", "net.onnx", "link.png",
                     "-o", "pic.png")

    def test_pictures_in_folders(self):
        """What is found in a folder is read, too, and --force is no leave to write over it."""
        os.mkdir(self.path("photos"))
        shutil.copy(self.path("pic.png"), self.path("photos/1.png"))
        with open(self.path("photos/1.png"), "rb") as file:
            before = file.read()
        for command in [["explain", "net.onnx", "photos", "--force", "--jsonl"],
                        ["evaluate", "net.onnx", "photos", "--metric", "gini", "--db", "x.db", "--json"],
                        ["evaluate", "net.onnx", "photos", "--metric", "gini", "--db", "x.db", "--csv"]]:
            self.refused(rf"{command[-1]} photos/1\.png would overwrite \S*photos/1\.png, which is read", *command, "photos/1.png",
                         status=1 if command[0] == "evaluate" else 2)  # which has begun to read the data set
            with open(self.path("photos/1.png"), "rb") as file:
                self.assertEqual(file.read(), before)

    def test_other_files(self):
        for name in ["net.onnx", "net.card.json", "labels.txt"]:
            self.refused(rf"--json {name} would overwrite \S*{re.escape(name)}", "explain",
                         "net.onnx", "pic.png", "--json", name)
            self.refused(rf"--json {name} would overwrite \S*{re.escape(name)}", "compare",
                         "--model", "net.onnx", "pic.png", "--json", name)
        self.refused(r"--json net\.card\.json would", "explain", "plain.onnx", "pic.png", "--card",
                     "net.card.json", "--json", "net.card.json")
        self.refused(r"--json labels\.txt would", "explain", "plain.onnx", "pic.png", "--labels",
                     "labels.txt", "--json", "labels.txt")
        for name in ["net.onnx", "net.card.json", "labels.txt"]:
            self.refused(rf"--json {name} would", "explain", "plain.onnx", "pic.png", "--truth",
                         "model:net.onnx", "--json", name)

    def test_external_weights(self):
        """The files in which a network keeps its weights, by every name, of every command."""
        weights = [((7 * i) % 11 - 3) / 500 for i in range(12)]
        with open(self.path("net.onnx_data"), "wb") as file:
            file.write(struct.pack("<12f", *weights))
        self.put("big.onnx", tinynet.classifier(external="net.onnx_data"))
        self.succeed("explain", "big.onnx", "pic.png", "--map", "m.npy", "--quiet")
        os.symlink("net.onnx_data", self.path("w.npy"))
        os.link(self.path("net.onnx_data"), self.path("w.png"))
        os.symlink("net.onnx_data", self.path("w.html"))
        line = r".* would overwrite \S*net\.onnx_data, which is read"
        for option, name in [("--json", "net.onnx_data"), ("--json", "./w.png"), ("-o", "w.png"),
                             ("--heat", "w.png"), ("--map", "w.npy"), ("--map", "./w.npy")]:
            self.refused(line, "explain", "big.onnx", "pic.png", option, name)
        self.refused(line, "compare", "--model", "big.onnx", "pic.png", "--json", "net.onnx_data")
        self.refused(line, "report", "--model", "big.onnx", "pic.png", "-o", "w.html")
        self.refused(line, "explain", "net.onnx", "pic.png", "--truth", "model:big.onnx", "--json",
                     "net.onnx_data")

    def test_page(self):
        os.rename(self.path("pic.png"), self.path("pic.html"))
        self.refused(r"-o pic\.html would overwrite pic\.html", "report", "--model", "net.onnx",
                     "pic.html", "-o", "pic.html")

    def test_dump(self):
        """A file of the folder that --dump fills."""
        os.rename(self.path("labels.txt"), self.path("z.npy"))
        os.remove(self.path("net.card.json"))
        self.refused(r"--dump \./z\.npy would overwrite z\.npy", "explain", "net.onnx", "pic.png",
                     "--labels", "z.npy", "--dump", ".")
        self.succeed("explain", "net.onnx", "pic.png", "--labels", "z.npy", "--dump", "d")

    def test_two_outputs(self):
        for one, other in [("a.png", "a.png"), ("a.png", "./a.png"), ("pic.png", "pic.png")]:
            self.refused(r"-o \S+ and --heat \S+ are one file: give each its own name", "explain",
                         "net.onnx", "pic.png", "-o", one, "--heat", other)
        self.refused(r"--map \./z\.npy and --dump \./z\.npy are one file", "explain", "net.onnx",
                     "pic.png", "--map", "./z.npy", "--dump", ".")
        self.succeed("explain", "net.onnx", "pic.png", "-o", "a.png", "--heat", "b/../b.png"
                     if os.path.isdir(self.path("b")) else "b.png")

    def test_what_is_no_file_may_be_both(self):
        self.succeed("explain", "net.onnx", "pic.png", "--json", "/dev/null", "--quiet")


EXPLAIN = ["explain", "net.onnx", "pic.png"]
COMPARE = ["compare", "--model", "net.onnx", "pic.png"]

# name, arguments, the line
NOTHING = [
    ("samples", EXPLAIN + ["--samples", "9"], r"--samples changes nothing in a map of kl-dve; it is "
     r"for integrated-gradients, .*\brise\b"),
    ("noise", EXPLAIN + ["--noise", "0.1", "--method", "rise"],
     r"--noise changes nothing in a map of rise; it is for smooth-grad, var-grad; see"),
    ("window", EXPLAIN + ["--window", "3"], r"--window changes nothing in a map of kl-dve"),
    ("stride", EXPLAIN + ["--stride", "3", "--method", "lime"],
     r"--stride changes nothing in a map of lime; it is for occlusion, prediction-difference"),
    ("seed", EXPLAIN + ["--seed", "0", "--method", "occlusion"],
     r"--seed changes nothing in a map of occlusion"),
    ("temperature", EXPLAIN + ["--temperature", "2", "--method", "grad-cam"],
     r"--temperature changes nothing in a map of grad-cam"),
    ("perplexity", EXPLAIN + ["--perplexity", "2", "--method", "rise"],
     r"--perplexity changes nothing in a map of rise; it is for kl-dve, guided-kl-dve"),
    ("neighbour perplexity", EXPLAIN + ["--neighbour-perplexity", "2", "--method", "grad-cam"],
     r"--neighbour-perplexity changes nothing in a map of grad-cam; it is for kl-dve, guided-kl-dve"),
    ("neighbour perplexity of a reading", EXPLAIN + ["--neighbour-perplexity", "2", "--reading",
                                                     "rivals"],
     r"--neighbour-perplexity changes nothing: it is for the reading neighbours, not for rivals"),
    ("neighbour perplexity of two", EXPLAIN + ["--neighbour-perplexity", "2", "--reading",
                                               "neighbours", "--rival", "1"],
     r"--neighbour-perplexity changes nothing: with --rival only two classes count"),
    ("truth", EXPLAIN + ["--truth", "model:plain.onnx", "--method", "saliency"],
     r"--truth changes nothing in a map of saliency"),
    ("reading", EXPLAIN + ["--reading", "paper", "--method", "grad-cam"],
     r"--reading changes nothing: grad-cam has no readings; these have: kl-dve, guided-kl-dve"),
    ("fuse", EXPLAIN + ["--fuse", "conv", "--method", "saliency"],
     r"--fuse changes nothing: saliency explains pixels"),
    ("opacity of the heat", EXPLAIN + ["--opacity", "0.3", "--heat", "h.png"],
     r"--opacity changes nothing: no heat is drawn over the picture; add -o FILE or --terminal"),
    ("colours of data", EXPLAIN + ["--colormap", "jet", "--map", "m.npy"],
     r"--colormap changes nothing: no picture is written"),
    ("compare temperature", COMPARE + ["--temperature", "2", "--method", "cam", "--method",
                                       "grad-cam"],
     r"--temperature changes nothing in a map of cam, grad-cam; it is for kl-dve"),
    ("compare reading", COMPARE + ["--reading", "paper", "--method", "kl-dve:rivals", "--method",
                                   "cam"],
     r"--reading changes nothing: every --method names its reading or has none"),
    ("compare neighbour perplexity", COMPARE + ["--neighbour-perplexity", "2", "--method",
                                                "kl-dve:rivals", "--method", "cam"],
     r"--neighbour-perplexity changes nothing: it is for the reading neighbours, not for rivals"),
    ("view of the heat alone", EXPLAIN + ["--view", "masked", "--heat", "h.png"],
     r"--view changes nothing: no heat is drawn over the picture; add -o FILE or --terminal"),
    ("opacity of a mask", EXPLAIN + ["--view", "masked", "--opacity", "0.5"],
     r"--opacity changes nothing: it is not for --view masked"),
    ("opacity of contours", EXPLAIN + ["--view", "contours", "--opacity", "0.5"],
     r"--opacity changes nothing: it is not for --view contours"),
    ("colours of an outline", EXPLAIN + ["--view", "outline", "--colormap", "jet"],
     r"--colormap changes nothing: it is not for --view outline"),
    ("clipping of an outline", EXPLAIN + ["--view", "outline", "--clip", "1"],
     r"--clip changes nothing: it is not for --view outline"),
    ("blur of data", EXPLAIN + ["--blur", "1", "--map", "m.npy"],
     r"--blur changes nothing: no picture is written"),
    ("compare view", COMPARE + ["--view", "masked"],
     r"--view changes nothing: no heat is drawn over the picture; add -o FILE"),
    ("compare opacity", COMPARE + ["--opacity", "1"],
     r"--opacity changes nothing: no heat is drawn over the picture; add -o FILE"),
    ("compare title", COMPARE + ["--title", "T", "--json", "a.json"], r"--title changes nothing"),
    ("compare columns", COMPARE + ["--columns", "methods"], r"--columns changes nothing"),
    ("compare colours", COMPARE + ["--colormap", "diverging", "--method", "cam", "--method", "grad-cam", "-o", "s.png"],
     r"--colormap diverging is for maps with signs, and those of cam, grad-cam have none"),
    ("report colours", ["report", "--model", "net.onnx", "pic.png", "--colormap", "diverging"],
     r"--colormap diverging is for maps with signs, and those of kl-dve have none"),
    ("report perplexity", ["report", "--model", "net.onnx", "pic.png", "--perplexity", "3",
                           "--method", "cam"], r"--perplexity changes nothing in a map of cam"),
]


class Nothing(Folder):
    """Options that would change nothing."""

    def test_one_method_is_enough(self):
        self.succeed(*COMPARE, "--temperature", "2", "--method", "grad-cam", "--method", "kl-dve:contrast")
        self.succeed(*COMPARE, "--reading", "paper", "--method", "cam", "--method", "kl-dve")
        self.succeed(*EXPLAIN, "--opacity", "0.3", "--terminal")
        self.succeed(*EXPLAIN, "--colormap", "jet", "--heat", "h.png")
        self.succeed(*EXPLAIN, "--samples", "5", "--seed", "0", "--method", "rise")


def add(name, args, line):
    setattr(Nothing, "test_" + re.sub(r"\W+", "_", name), lambda self: check(self, args, 2, line))


for row in NOTHING:
    add(*row)


class Memory(Folder):
    """Under any limit of the address space a run ends, with success or with one clear line."""

    def test_limits(self):
        with open(KLDVE, "rb") as file:
            if b"__asan_init" in file.read():
                self.skipTest("the sanitizer needs terabytes of addresses")
        picture = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
        shutil.copy(picture, self.path("scene.png"))
        done = set()
        for kilobytes in [100000, 120000, 140000, 160000, 200000, 250000, 300000, 400000, 2000000]:

            def limit():
                resource.setrlimit(resource.RLIMIT_AS, (kilobytes << 10, kilobytes << 10))

            for args in [["explain", "net.onnx", "scene.png", "-o", "o.png"], ["methods"]]:
                begin = time.monotonic()
                run = subprocess.run([KLDVE, *args], cwd=self.dir, capture_output=True, text=True,
                                     preexec_fn=limit, timeout=60)
                self.assertLess(time.monotonic() - begin, 20)
                self.assertGreaterEqual(run.returncode, 0, (kilobytes, args))
                if run.returncode == 0:
                    done.add(args[0])
                    continue
                lines = [line for line in run.stderr.splitlines() if line]
                self.assertEqual(len(lines), 1, run.stderr)
        self.assertEqual(done, {"explain", "methods"})


if __name__ == "__main__":
    main()
