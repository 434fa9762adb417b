"""The kldve command as users see it: what it writes, what it prints and where, and one clear line
with the right exit status for every kind of failure."""
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import time
import tempfile
import unittest

import tinynet
from folder import Folder, blob
from command import (KLDVE, MEMORY_LIMIT, SOURCE, Npy, have_shared, main, png, read_json, read_png, run,
                     run_measured, shared, snapshot)

READINGS = ["paper", "channel", "contrast", "rivals", "neighbours"]
RECORD = ["model", "picture", "seen", "layer", "layer_chosen", "grid", "gradient", "flags", "all_paths", "scores",
          "probabilities",
          "method", "reading", "wanted", "target", "top5", "remark", "signed", "classes", "height", "width",
          "energy_area", "entropy", "gini", "ties", "complexity",
          "kl", "notes", "ms", "timings_ms", "kldve"]
CHECKED = ["class_sensitivity", "faithfulness", "faithfulness_control", "check_passes"]
TIMINGS = ["load", "decode", "forward", "divergence", "backward", "reduce", "render", "total"]


def png_header(width, height):
    """A PNG that claims a size and holds nothing."""
    return png(1, 1, lambda x, y: b"\0\0\0").replace(
        struct.pack(">II", 1, 1), struct.pack(">II", width, height), 1)


def jpeg_size(data, width, height):
    """A JPEG that claims another size: its frame header is rewritten."""
    at = re.search(b"\xff[\xc0-\xc2]", data).start()
    return data[:at + 5] + struct.pack(">HH", height, width) + data[at + 9:]


def flip(data, at, bit):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def waits(folder, **said):
    """What the command tells OpenMP of waiting, read while it waits for its picture."""
    names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    environ = {k: v for k, v in os.environ.items() if k not in names}
    process = subprocess.Popen([KLDVE, "explain", "-o", "o.png", "/dev/stdin"], env={**environ, **said}, cwd=folder, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    descriptors = f"/proc/{process.pid}/fd"
    try:
        for _ in range(6000):  # until it has opened the picture
            if [os.readlink(f"{descriptors}/{n}") for n in os.listdir(descriptors)].count(os.readlink(f"{descriptors}/0")) > 1:
                break
            time.sleep(0.01)
        with open(f"/proc/{process.pid}/environ", "rb") as file:
            lines = file.read().decode().split("\0")
    finally:
        process.communicate(timeout=60)
    return dict(line.split("=", 1) for line in lines if line.startswith(names))


class Outputs(Folder):
    def test_default_output_is_said(self):
        result = self.succeed("explain", "net.onnx", "pic.png")
        self.assertIn("wrote pic.kldve.png\n", result.out)
        self.assertEqual(result.err, "")
        with open(self.path("pic.kldve.png"), "rb") as file:
            head = file.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", head[16:24]), (288, 240))  # six times as large

    def test_default_output_is_not_written_over(self):
        self.put("pic.kldve.png", "mine")
        before = snapshot(self.dir)
        result = run("explain", "net.onnx", "pic.png", cwd=self.dir)
        self.assertEqual(result.status, 1)
        self.assertEqual(result.err, "kldve: pic.kldve.png exists: --force replaces it, --out-dir DIR names another folder\n")
        self.assertEqual(snapshot(self.dir), before)
        self.succeed("explain", "net.onnx", "pic.png", "--force")
        self.assertNotEqual(snapshot(self.dir), before)

    def test_grid_of_tokens(self):
        vit = os.path.join(SOURCE, "demo", "kldve-vit.onnx")
        scene = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
        for grid, shape in [("12", (12, 12)), ("9x16", (9, 16)), ("16x9", (16, 9))]:
            self.succeed("explain", vit, scene, "--grid", grid, "--quiet", "--map", "m.npy")
            self.assertEqual(Npy(self.path("m.npy")).shape, shape)
        result = self.succeed("explain", vit, scene, "--grid", "9x16", "--map", "m.npy", "--json",
                              "r.json")
        record = read_json(self.path("r.json"))
        self.assertEqual((record["grid"], record["tokens_aside"]), ([9, 16], 1))
        self.assertIn("maps of 9 x 16, 1 token aside\n", result.out)
        for grid, layer in [("13", []), ("7x7", []), ("12x13", ["--layer", "block3"])]:
            result = run("explain", vit, scene, "--grid", grid, *layer, "-o", "a.png", cwd=self.dir)
            self.assertEqual(result.status, 1)
            self.assertRegex(result.err, r"\Akldve: [^\n]*grid of \d+ x \d+[^\n]*\n\Z")

    def test_everything_at_once(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "-o", "a.jpg", "--heat=b.PNG",
                              "--map", "c.npy", "--dump", "d", "--json", "e.json", "--check")
        self.assertEqual(set(snapshot(self.dir)) - {"pic.png", "net.onnx", "net.card.json",
                                                    "labels.txt", "plain.onnx"},
                         {"a.jpg", "b.PNG", "c.npy", "d", "e.json", "d/input.npy", "d/logits.npy", "d/kl.npy",
                          "d/z.npy", "d/alpha_logits.npy", "d/neighbours_cotangent.npy",
                          "d/alpha_neighbours.npy", "d/map_neighbours.npy"})
        for name in ["a.jpg", "b.PNG", "c.npy", "d", "e.json"]:
            self.assertIn(f"wrote {name}\n", result.out)
        with open(self.path("a.jpg"), "rb") as file:
            self.assertEqual(file.read(3), b"\xff\xd8\xff")
        cells = Npy(self.path("c.npy"))
        self.assertEqual((cells.type[1:], cells.shape), ("f4", (8, 8)))
        self.assertEqual(cells.value, Npy(self.path("d/map_neighbours.npy")).value)
        self.assertEqual((min(cells.value), max(cells.value)), (0, 1))
        self.assertEqual(Npy(self.path("d/logits.npy")).shape, (4,))
        # What the network was given, given again, is the same to the last bit.
        self.succeed("explain", "net.onnx", "d/input.npy", "--dump", "again")
        for name in ["input", "logits", "map_neighbours"]:
            self.assertEqual(Npy(self.path(f"again/{name}.npy")).value, Npy(self.path(f"d/{name}.npy")).value)
        self.assertEqual(Npy(self.path("d/alpha_neighbours.npy")).shape, (4,))
        self.assertAlmostEqual(sum(Npy(self.path("d/z.npy")).value), 0, places=12)

    def test_record(self):
        self.succeed("explain", "net.onnx", "pic.png", "--target", "vixen", "--reading", "rivals",
                     "--check", "--json", "r.json", "--dump", "d")
        record = read_json(self.path("r.json"))
        self.assertEqual(sorted(record), sorted(RECORD + CHECKED))
        self.assertEqual(record["model"], "net.onnx")
        self.assertEqual(record["picture"], "pic.png")
        self.assertEqual(record["layer"], "relu")
        self.assertEqual((record["method"], record["reading"]), ("kl-dve", "rivals"))
        self.assertEqual(sorted(record["timings_ms"]), sorted(TIMINGS))
        self.assertTrue(all(v >= 0 for v in record["timings_ms"].values()))
        parts = sum(v for k, v in record["timings_ms"].items() if k != "total")
        self.assertLessEqual(parts, record["timings_ms"]["total"] * 1.05 + 1)
        self.assertEqual(record["target"]["index"], 0)
        self.assertEqual(record["target"]["label"], "red fox, vixen")
        self.assertTrue(0 <= record["class_sensitivity"] <= 2)
        self.assertTrue(-1 <= record["faithfulness"] <= 1 and -1 <= record["faithfulness_control"] <= 1)
        self.assertEqual(record["check_passes"], 29)
        top = record["top5"]
        self.assertEqual(sorted(t["index"] for t in top), [0, 1, 2, 3])
        self.assertEqual([t["logit"] for t in top], sorted((t["logit"] for t in top), reverse=True))
        self.assertAlmostEqual(sum(t["probability"] for t in top), 1, places=6)
        logits = Npy(self.path("d/logits.npy")).value
        for t in top:
            self.assertAlmostEqual(t["logit"], logits[t["index"]], places=6)
        self.assertAlmostEqual(record["kl"], Npy(self.path("d/kl.npy")).value[0], places=14)
        version = run("--version").out.split()
        self.assertEqual(version, ["kldve", record["kldve"]])

    def test_record_without_labels_and_check(self):
        self.succeed("explain", "plain.onnx", "pic.png", "--quiet", "--json", "r.json")
        record = read_json(self.path("r.json"))
        self.assertEqual(sorted(record), sorted(RECORD + ["neighbour_perplexity"]))
        self.assertIsNone(record["target"]["label"])

    def test_record_of_a_drawing(self):
        """How the picture is drawn, and the summary says what was chosen: maps of pixels are clipped and blurred."""
        draw = ["explain", "net.onnx", "pic.png", "-o", "o.png", "--json", "r.json", "--force"]
        whole = self.succeed(*draw, "--clip", "0")
        heat = {"view": "overlay", "upsampling": "bicubic", "blur": 0, "colormap": "plasma", "clip": 0, "opacity": 0.75}
        self.assertEqual(read_json(self.path("r.json"))["drawing"], heat)
        pixels = self.succeed(*draw)  # the layer has as many cells as the input has pixels
        self.assertEqual(read_json(self.path("r.json"))["drawing"], {**heat, "clip": 2})
        self.assertIn("the strongest 2 % of the cells as the top of the scale", pixels.out)
        self.assertNotIn("strongest", whole.out)
        outline = self.succeed(*draw, "--method", "saliency", "--view", "outline")
        self.assertEqual(read_json(self.path("r.json"))["drawing"], {"view": "outline", "upsampling": "bicubic", "blur": 0.2})
        self.assertIn("drawn from a map blurred by 0.2 pixels", outline.out)
        self.assertNotIn("strongest", outline.out)

    def test_record_on_standard_output_stands_alone(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "--json", "-")
        self.put("out.json", result.out)
        self.assertEqual(read_json(self.path("out.json"))["layer"], "relu")
        self.assertNotIn("pic.kldve.png", os.listdir(self.dir))

    def test_names_that_are_no_utf8(self):
        name = os.fsencode(self.dir) + b"/p\xff\x01.png"
        shutil.copy(self.path("pic.png"), name)
        self.succeed("explain", "net.onnx", name, "--json", "r.json")
        self.assertIn("p\ufffd\x01.png", read_json(self.path("r.json"))["picture"])
        self.put("labels.txt", b"caf\xe9\nb\nc\nd\n")
        self.succeed("explain", "net.onnx", "pic.png", "--target=0", "--json", "r.json")
        self.assertEqual(read_json(self.path("r.json"))["target"]["label"], "caf\ufffd")

    def test_outputs_replace_and_follow(self):
        self.put("old.json", "old")
        os.chmod(self.path("old.json"), 0o640)
        os.symlink("old.json", self.path("link.json"))
        self.succeed("explain", "net.onnx", "pic.png", "--json", "link.json")
        self.assertTrue(os.path.islink(self.path("link.json")))
        self.assertEqual(read_json(self.path("old.json"))["picture"], "pic.png")

    def test_pipe(self):
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.succeed("explain", "net.onnx", "pic.png", "--json", "pipe")
        data = os.read(reader, 65536)
        os.close(reader)
        self.assertEqual(data[:1], b"{")

    def test_default_output_is_beside_the_picture(self):
        os.mkdir(self.path("photos"))
        os.rename(self.path("pic.png"), self.path("photos/pic.v2.png"))
        before = set(os.listdir(self.dir))
        self.succeed("explain", "net.onnx", "photos/pic.v2.png")
        self.assertEqual(sorted(os.listdir(self.path("photos"))), ["pic.v2.kldve.png", "pic.v2.png"])
        self.assertEqual(set(os.listdir(self.dir)), before)

    def test_output_folder(self):
        for folder in ["new", "new/", self.path("new")]:
            result = self.succeed("explain", "net.onnx", "pic.png", "--out-dir", folder, "--force")
            self.assertRegex(result.out, r"wrote \S*new/pic\.kldve\.png\n")
        self.assertEqual(os.listdir(self.path("new")), ["pic.kldve.png"])
        self.succeed("explain", "net.onnx", "pic.png", "--json", "r.json", "--out-dir", "more")
        self.assertEqual(os.listdir(self.path("more")), ["pic.kldve.png"])


class Streams(Folder):
    def test_quiet_is_silent(self):
        for model in ["net.onnx", "plain.onnx"]:
            result = self.succeed("explain", model, "pic.png", "--quiet", "-o", "a.png")
            self.assertEqual((result.out, result.err), ("", ""))

    def test_no_progress_off_a_terminal(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "-o", "a.png")
        self.assertEqual(result.err, "")
        self.assertNotRegex(result.out, "[\x00-\x09\x0b-\x1f]")

    def test_assumptions_are_said(self):
        result = self.succeed("explain", "plain.onnx", "pic.png", "-o", "a.png")
        self.assertRegex(result.err, r"\Akldve: plain\.onnx: no model card; assuming channels RGB, "
                         r"pixel values 0 to 255, the centre of the picture at 8x8, layer relu, "
                         r"logits scores [^\n]*\n\Z")
        result = self.succeed("explain", "plain.onnx", "pic.png", "-o", "a.png", "--channels=RGB",
                              "--scale=1", "--resize=8", "--layer=relu", "--logits=scores")
        self.assertEqual(result.err, "")

    def test_more_threads_than_processors_are_said(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "-o", "a.png", "--threads", "1000")
        if os.cpu_count() < 250:
            self.assertRegex(result.err, r"\Akldve: --threads 1000: this machine has \d+ processors?, and more threads than that "
                             r"gain nothing\n\Z")
        self.assertEqual(self.succeed("explain", "net.onnx", "pic.png", "-o", "a.png", "--threads", "1").err, "")

    def test_summary(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "--target", "n00000002", "--check")
        self.assertRegex(result.out,
                         r"(?m)^ +\d\. +[\d.]+ % +-?[\d.]+ +1  grey wolf   <- explained$")
        self.assertRegex(result.out, r"(?m)^method: kl-dve, reading neighbours, layer relu: 4 maps of 8 x 8$")
        self.assertRegex(result.out, r"(?m)^class sensitivity [\d.]+ ")
        self.assertRegex(result.out, r"(?m)^took [\d.]+ s: loading [\d.]+, ")

    def test_summary_of_a_map_of_pixels(self):
        self.put("net.card.json", '{"input": {"channels": "RGB"}, "features": "pool"}')
        result = self.succeed("explain", "net.onnx", "pic.png", "--method", "saliency", "--map",
                              "m.npy")
        height, width = Npy(self.path("m.npy")).shape
        self.assertRegex(result.out, r"(?m)^method: saliency, layer pool: 4 maps of 1 x 1, "
                         rf"the map {height} x {width}$")
        self.assertNotIn("KL", result.out)

    def test_target_far_down_is_listed(self):
        self.put("many.onnx", tinynet.classifier(classes=12))
        result = self.succeed("explain", "many.onnx", "pic.png", "--target", "top11")
        self.assertRegex(result.out, r"(?m)^ 11\. .*<- explained$")

    def test_summary_marks_all_that_the_map_is_about(self):
        self.put("many.onnx", tinynet.classifier(classes=12))
        marks = r"(?m)^ *(\d+)\. .*?(   <- .*)?$"
        for args, explained, rival in ((["--target", "top2", "--target", "top11"], {2, 11}, set()),
                                       (["--target", "top2", "--rival", "top12"], {2}, {12})):
            out = self.succeed("explain", "many.onnx", "pic.png", "-o", "a.png", *args).out
            marked = {int(rank): mark for rank, mark in re.findall(marks, out) if mark}
            self.assertEqual({r for r, m in marked.items() if m == "   <- explained"}, explained)
            self.assertEqual({r for r, m in marked.items() if m == "   <- the rival"}, rival)

    def test_paper_says_what_it_is(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "--reading", "paper")
        self.assertIn("this reading is the sum of all feature maps", result.out)

    def test_help_and_version(self):
        for args in [["--help"], ["-h"], ["help"]]:
            result = run(*args)
            self.assertEqual((result.status, result.err), (0, ""))
            self.assertTrue(result.out.startswith("usage: kldve COMMAND"))
        for command in ["explain", "compare", "report", "diff", "evaluate", "results", "merge",
                        "methods", "metrics", "layers"]:
            for line in run("help", command).out.splitlines():
                self.assertLessEqual(len(line), 80)
                self.assertEqual(line, line.rstrip())
            for args in [["help", command], [command, "--help"], [command, "-h"]]:
                result = run(*args)
                self.assertEqual((result.status, result.err), (0, ""))
                self.assertRegex(result.out, rf"\Ausage: kldve {command}\b")
        self.assertRegex(run("--version").out, r"\Akldve \d+\.\d+\.\d+\n\Z")

    def test_pages_list_every_command(self):
        commands = re.findall(r"^  ([a-z]+)  ", run("--help").out, re.M)
        self.assertEqual(commands, ["explain", "compare", "report", "evaluate", "results", "merge",
                                    "diff", "methods", "metrics", "layers", "cards", "help"])
        for page, pattern in [("docs/command.md", r"^    kldve ([a-z]+)"),
                              ("tools/kldve.1", r"^\.B kldve ([a-z]+)$")]:
            with open(os.path.join(SOURCE, page)) as file:
                found = re.findall(pattern, file.read(), re.M)
            self.assertEqual(found[:len(commands)], commands, page)

    def test_help_lists_every_option_of_the_manual(self):
        with open(os.path.join(os.environ["KLDVE_SOURCE"], "tools", "kldve.1")) as file:
            manual = file.read().replace("\\-", "-")
        options = {option for command in ["explain", "compare", "report", "diff", "evaluate", "results", "merge"]
                   for option in re.findall(r"^  (--?[a-z]+)", run("help", command).out, re.M)}
        self.assertGreater(len(options), 20)
        for option in options:
            self.assertRegex(manual, re.escape(option) + r"\b")


class Options(Folder):
    """Each option changes what it claims to, and nothing else."""

    def cells(self, *args):
        self.succeed("explain", *args, "--quiet", "--map", "m.npy", "--dump", "d")
        return (Npy(self.path("d/logits.npy")).value, Npy(self.path("m.npy")).value)

    def test_command_line_is_a_card(self):
        self.put("half.onnx", tinynet.classifier())
        self.put("half.card.json", '{"input": {"channels": "BGR", "scale": 0.5, "mean": [1, 2, 3],'
                 '"std": [2, 3, 4], "resize_shorter_side": 20, "center_crop": 16},'
                 '"features": "conv", "logits": "flat"}')
        said = ["--channels", "BGR", "--scale", "0.5", "--mean=1,2,3", "--std", "2,3,4",
                "--resize", "20", "--crop=16", "--layer=conv", "--logits", "flat"]
        self.assertEqual(self.cells("half.onnx", "pic.png"),
                         self.cells("plain.onnx", "pic.png", *said))

    def test_command_line_wins(self):
        given = self.cells("net.onnx", "pic.png")
        for option in [["--channels", "BGR"], ["--scale", "0.5"], ["--mean", "7"], ["--std", "3"],
                       ["--crop", "20", "--resize", "20"], ["--fit", "squash"], ["--fit", "pad-end"],
                       ["--fit", "pad", "--pad", "255,0,0"], ["--interpolation", "lanczos"]]:
            self.assertNotEqual(self.cells("net.onnx", "pic.png", *option)[0], given[0], option)
        self.assertEqual(self.cells("net.onnx", "pic.png", "--mean", "100"), given)

    def test_card_option(self):
        self.assertEqual(self.cells("plain.onnx", "pic.png", "--card", "net.card.json"),
                         self.cells("net.onnx", "pic.png"))

    def test_readings_differ(self):
        maps = [self.cells("net.onnx", "pic.png", "--reading", r)[1] for r in READINGS]
        self.assertEqual(len(set(maps)), len(READINGS))

    def test_neighbour_perplexity(self):
        said = ["explain", "net.onnx", "pic.png", "--reading", "neighbours", "--json", "r.json"]
        maps = []
        for more, perplexity in [([], 3), (["--neighbour-perplexity", "1.5"], 1.5)]:
            self.succeed(*said, "--map", "m.npy", *more)
            maps.append(Npy(self.path("m.npy")).value)
            self.assertEqual(read_json(self.path("r.json"))["neighbour_perplexity"], perplexity)
        self.assertNotEqual(*maps)
        self.succeed(*said, "--neighbour-perplexity", "1000", "--map", "m.npy")
        self.assertEqual(Npy(self.path("m.npy")).value, maps[0])  # all three others, as 3

    def test_paper_is_the_same_for_every_class(self):
        maps = {self.cells("net.onnx", "pic.png", "--reading=paper", f"--target={t}")[1]
                for t in range(4)}
        self.assertEqual(len(maps), 1)
        maps = {self.cells("net.onnx", "pic.png", f"--target={t}")[1] for t in range(4)}
        self.assertGreater(len(maps), 1)

    def test_comparison_between_layer_and_logits(self):
        """A Relu spelled out: what only compares has no derivative and needs none."""
        said = ["--layer", "conv", "--quiet"]
        self.put("spelled.onnx", tinynet.classifier(nodes=[
            tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
            tinynet.node("Sub", ["conv", "conv"], ["zero"]),
            tinynet.node("LessOrEqual", ["conv", "zero"], ["below"]),
            tinynet.node("Where", ["below", "zero", "conv"], ["relu"]),
            tinynet.node("GlobalAveragePool", ["relu"], ["pool"]),
            tinynet.node("Flatten", ["pool"], ["flat"]),
            tinynet.node("Gemm", ["flat", "w", "b"], ["scores"], transB=1),
        ]))
        spelled = self.cells("spelled.onnx", "pic.png", *said)
        plain = self.cells("plain.onnx", "pic.png", *said)
        for a, b in zip(spelled[0] + spelled[1], plain[0] + plain[1]):
            self.assertAlmostEqual(a, b, places=4)

    def test_targets(self):
        self.put("labels.txt", "n00000001 red fox, vixen\nn00000002 grey wolf\ncrane\n7\n")
        first = self.cells("net.onnx", "pic.png", "--target", "0")
        for target in ["red fox, vixen", "Vixen", "n00000001", "00"]:
            self.assertEqual(self.cells("net.onnx", "pic.png", "--target", target), first)
        self.succeed("explain", "net.onnx", "pic.png", "--json", "r.json")
        order = [t["index"] for t in read_json(self.path("r.json"))["top5"]]
        for rank, index in enumerate(order):
            self.assertEqual(self.cells("net.onnx", "pic.png", f"--target=top{rank + 1}"),
                             self.cells("net.onnx", "pic.png", f"--target={index}"))

    def test_set_and_rival(self):
        self.cells("net.onnx", "pic.png", "--target", "1", "--target", "3", "--json", "r.json")
        self.assertEqual([t["index"] for t in read_json(self.path("r.json"))["targets"]], [1, 3])
        cotangent = Npy(self.path("d/neighbours_cotangent.npy")).value
        single = []
        for target in ["1", "3"]:
            self.cells("net.onnx", "pic.png", "--target", target)
            single.append(Npy(self.path("d/neighbours_cotangent.npy")).value)
        for both, a, b in zip(cotangent, *single):
            self.assertAlmostEqual(both, a + b)

        self.cells("net.onnx", "pic.png", "--rival", "top2", "--json", "r.json")
        record = read_json(self.path("r.json"))
        first, second = (record["top5"][i]["index"] for i in (0, 1))
        self.assertEqual((record["target"]["index"], record["rival"]["index"]), (first, second))
        cotangent = Npy(self.path("d/neighbours_cotangent.npy")).value
        self.assertEqual([cotangent[first], cotangent[second]], [1, -1])
        self.assertEqual(sum(map(abs, cotangent)), 2)

    def test_signs(self):
        said = ["net.onnx", "pic.png", "--method", "hires-cam", "--target", "0", "--rival", "1"]
        maps = {sign: self.cells(*said, "--sign", sign)[1]
                for sign in ["positive", "signed", "absolute"]}
        self.assertEqual(maps["positive"], self.cells(*said)[1])
        self.assertAlmostEqual(max(abs(v - 0.5) for v in maps["signed"]), 0.5)
        turned = self.cells("net.onnx", "pic.png", "--method", "hires-cam", "--target", "1",
                            "--rival", "0", "--sign", "signed")[1]
        for a, b in zip(maps["signed"], turned):
            self.assertAlmostEqual(a + b, 1, places=5)

    def test_truth(self):
        """The truth takes the place of the class: the divergence itself is explained."""
        self.put("other.onnx", tinynet.classifier(weights=[float(i % 5) for i in range(16)]))
        self.cells("net.onnx", "pic.png")
        one_hot = Npy(self.path("d/z.npy")).value
        self.cells("net.onnx", "pic.png", "--truth", "model:other.onnx", "--json", "r.json")
        self.assertEqual(read_json(self.path("r.json"))["truth"], "other.onnx")
        self.assertNotEqual(Npy(self.path("d/z.npy")).value, one_hot)
        self.assertEqual(Npy(self.path("d/contrast_cotangent.npy")).value,
                         Npy(self.path("d/alpha_logits.npy")).value)

    def test_fused_layers(self):
        """The mean of two maps, brought back to 0..1."""
        relu, conv = (self.cells("net.onnx", "pic.png", "--target", "0", "--layer", layer)[1]
                      for layer in ["relu", "conv"])
        fused = self.cells("net.onnx", "pic.png", "--target", "0", "--layer", "relu", "--fuse",
                           "conv")[1]
        mean = [(a + b) / 2 for a, b in zip(relu, conv)]
        low, high = min(mean), max(mean)
        for a, b in zip(fused, mean):
            self.assertAlmostEqual(a, (b - low) / (high - low), places=5)

    def test_smooth(self):
        self.assertNotEqual(self.cells("net.onnx", "pic.png", "--smooth")[1],
                            self.cells("net.onnx", "pic.png")[1])

    def test_terminal(self):
        result = self.succeed("explain", "net.onnx", "pic.png", "--terminal", "--quiet")
        lines = result.out.splitlines()
        with open(self.path("pic.png"), "rb") as file:
            width, height = struct.unpack(">II", file.read()[16:24])
        columns = {len(re.findall("\u2580", line)) for line in lines}
        self.assertEqual(len(lines), 23)  # of 24, one for the prompt
        self.assertEqual(columns, {round(46 * width / height)})
        colour = r"\d{1,3};\d{1,3};\d{1,3}"
        for line in lines:
            self.assertRegex(line, rf"\A(\033\[38;2;{colour};48;2;{colour}m\u2580)+\033\[0m\Z")
        self.assertFalse(os.path.exists(self.path("pic.kldve.png")))

    def test_threads_give_the_same_answer(self):
        one = self.cells("net.onnx", "pic.png", "--threads", "1")
        two = self.cells("net.onnx", "pic.png", "--threads", "2")
        for a, b in zip(one[0] + one[1], two[0] + two[1]):
            self.assertAlmostEqual(a, b, places=5)

    def test_colours_and_opacity(self):
        made = set()
        for i, option in enumerate([[], ["--colormap", "viridis"], ["--colormap=grey"],
                                    ["--opacity", "0"], ["--opacity=1"], ["--view", "masked"],
                                    ["--view", "contours"], ["--view", "outline"],
                                    ["--clip", "30"], ["--blur", "1"], ["--line", "0"],
                                    ["--upsample", "bilinear"], ["--upsample", "lanczos"],
                                    ["--enlarge", "0"]]):
            self.succeed("explain", "net.onnx", "pic.png", "-o", f"{i}.png", *option)
            with open(self.path(f"{i}.png"), "rb") as file:
                made.add(file.read())
        self.assertEqual(len(made), 14)

    def test_open_size(self):
        self.put("open.onnx", tinynet.classifier(in_shape=["n", 3, "h", "w"]))
        self.succeed("explain", "open.onnx", "pic.png", "--quiet", "--size", "12x16", "--map",
                     "m.npy")
        self.assertEqual(Npy(self.path("m.npy")).shape, (16, 12))

    def test_options_end(self):
        os.rename(self.path("pic.png"), self.path("-pic.png"))
        self.succeed("explain", "-o", "a.png", "--", "net.onnx", "-pic.png")


class Layers(Folder):
    def test_table(self):
        result = self.succeed("layers", "net.onnx")
        self.assertEqual(result.err, "")
        rows = result.out.splitlines()
        self.assertRegex(rows[0], r"tensor +operator +shape")
        self.assertRegex(rows[1], r"^    image +\(input\) +1 x 3 x 8 x 8$")
        self.assertRegex(result.out, r"(?m)^  \* conv +Conv +1 x 4 x 8 x 8$")
        self.assertRegex(result.out, r"(?m)^  \* relu +Relu +1 x 4 x 8 x 8   <- layer$")
        self.assertRegex(result.out, r"(?m)^    scores +Gemm +1 x 4   <- logits$")

    def test_layer_of_card_and_option(self):
        self.put("net.card.json", '{"features": "conv"}')
        self.assertRegex(self.succeed("layers", "net.onnx").out, r"conv .*<- layer")
        self.assertRegex(self.succeed("layers", "net.onnx", "--layer=relu").out, r"relu .*<- layer")


class Methods(unittest.TestCase):
    def test_table(self):
        result = run("methods")
        self.assertEqual((result.status, result.err), (0, ""))
        rows = [line.split()[0] for line in result.out.splitlines() if line]
        self.assertEqual(rows[0], "method")
        for name in ["kl-dve", "cam", "grad-cam", "grad-cam++", "layer-cam", "lafam"]:
            self.assertIn(name, rows)
        table, controls, readings, _ = result.out.split("\n\n")
        names = [re.findall(r"(?m)^[a-z+-]+", block)[1:] for block in (table, controls, readings)]
        self.assertEqual(names[1:], [["random", "centre", "edges"],
                                     ["paper", "channel", "contrast", "rivals", "neighbours"]])
        for name in names[0] + names[1]:
            page = run("help", name).out
            self.assertRegex(page, rf"\A{re.escape(name)}: [a-z]")
            self.assertRegex(page, r"(?m)^needs +[a-z]")
            self.assertRegex(" ".join(page.split()), r"source \S.*((19|20)\d\d|github|this library)")
        self.assertRegex(run("help", "rise").out, r"(?m)^options +samples, seed, temperature$")
        self.assertRegex(run("help", "grad-cam").out, r"(?m)^options +none$")
        self.assertRegex(run("help", "guided-kl-dve").out, "(?m)^readings +paper, channel, contrast, rivals, neighbours$")


class Metrics(unittest.TestCase):
    def test_table(self):
        result = run("metrics")
        self.assertEqual((result.status, result.err), (0, ""))
        families = [block.split("\n")[0] for block in result.out.split("\n\n")]
        self.assertEqual(len(set(families)), len(families))
        self.assertRegex(result.out, r"(?m)^concentration\n  energy_area +lower +share ")
        self.assertRegex(result.out, r"(?m)^faithfulness\n  deletion +lower +area ")
        page = " ".join(run("help", "deletion").out.split())
        self.assertRegex(page, r"\Adeletion: area .* family faithfulness needs network range -inf to inf better lower source \S.*arXiv")


class BuiltIn(Folder):
    def setUp(self):
        super().setUp()
        if run("layers").status != 0:
            self.skipTest("no built-in network in this build")

    def test_explain(self):
        result = self.succeed("explain", "pic.png", "--json", "r.json", "--reading", "channel")
        self.assertEqual(result.err, "")
        record = read_json(self.path("r.json"))
        self.assertEqual(record["model"], "the built-in network")
        self.assertTrue(all(t["label"] for t in record["top5"]))

    def test_layers(self):
        self.assertRegex(self.succeed("layers").out, r"(?m)^  \* .*<- layer$")

    def test_target_by_label(self):
        self.succeed("explain", "pic.png", "--json", "r.json")
        label = read_json(self.path("r.json"))["top5"][2]["label"]
        self.succeed("explain", "pic.png", "--json", "s.json", "--target", label.upper())
        self.assertEqual(read_json(self.path("s.json"))["target"]["label"], label)


class Picks(Folder):
    """Scores for every pixel of a picture of the network's size, 8 x 8: pixels are the output's."""

    def setUp(self):
        super().setUp()
        self.put("small.png", png(8, 8, blob))
        scores = [((3 * i) % 13 - 5) / 7 for i in range(16)]
        self.put("seg.onnx", tinynet.model(
            [tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
             tinynet.node("Relu", ["conv"], ["relu"]),
             tinynet.node("Conv", ["relu", "w"], ["map"], kernel_shape=[1, 1])],
            [tinynet.tensor("k", [4, 3, 1, 1], [((7 * i) % 11 - 3) / 500 for i in range(12)]),
             tinynet.tensor("w", [4, 4, 1, 1], scores)],
            [tinynet.value_info("image", [1, 3, 8, 8])],
            [tinynet.value_info("map", [1, 4, 8, 8])]))

    def explained(self, *args):
        self.succeed("explain", "seg.onnx", "small.png", "--quiet", "--json", "r.json", "--map",
                     "m.npy", "--dump", "d", *args)
        logits = self.read("d/logits.npy")
        return read_json(self.path("r.json")), self.read("m.npy"), logits

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def logits(self, *args):
        return struct.unpack("<4f", self.explained(*args)[2][-16:])

    def test_layers(self):
        """A network that only explains what is picked is listed, with the way to pick."""
        result = self.succeed("layers", "seg.onnx")
        self.assertEqual(result.err, "")
        self.assertRegex(result.out, r"(?m)^  \* relu +Relu +1 x 4 x 8 x 8   <- layer$")
        self.assertRegex(result.out, r"(?m)^  . map +Conv +1 x 4 x 8 x 8   <- logits$")
        self.assertRegex(" ".join(result.out.split()), r" note: 'map' is \[1\]\[4\]\[8\]\[8\], not a vector of "
                         r"class scores: pick .*--select 'map\[0, :, 4, 4\]'.*--at X,Y")
        for args in [["--select", "map[0, :, 4, 4]"], ["--select", "[0, :, y, x]"]]:
            self.assertNotIn("pick the scores", self.succeed("layers", "seg.onnx", *args).out)
        result = self.succeed("layers", "seg.onnx", "--logits", "relu", "--layer", "conv")
        self.assertRegex(result.out, r"conv .*<- layer")
        self.assertRegex(result.out, r"relu .*<- logits")
        self.assertIn("note: 'relu' is", result.out)

    def test_layers_of_a_detector(self):
        """Rows of boxes, and of scores behind a sigmoid."""
        nodes = [tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
                 tinynet.node("Relu", ["conv"], ["relu"]),
                 tinynet.node("MaxPool", ["relu"], ["pool"], kernel_shape=[1, 8]),
                 tinynet.node("Squeeze", ["pool"], ["rows"], axes=[3]),
                 tinynet.node("Transpose", ["rows"], ["boxes"], perm=[0, 2, 1]),
                 tinynet.node("Sigmoid", ["boxes"], ["scores"])]
        for outputs in [["boxes", "scores"], ["scores"]]:
            self.put("det.onnx", tinynet.model(
                nodes,
                [tinynet.tensor("k", [4, 3, 1, 1], [((7 * i) % 11 - 3) / 500 for i in range(12)])],
                [tinynet.value_info("image", [1, 3, 8, 8])],
                [tinynet.value_info(name, [1, 8, 4]) for name in outputs], opset=11))
            self.assertEqual(self.kldve("explain", "det.onnx", "small.png").status, 1)
            out = self.succeed("layers", "det.onnx").out
            self.assertRegex(out, r"(?m)^  \* relu ")
            self.assertRegex(" ".join(out.split()), " note: .*not a vector of class scores: .*--box best")

    def test_at_is_the_place_selected(self):
        picked, selected = self.explained("--at", "5,2"), self.explained("--select", "[0, :, 2, 5]")
        self.assertEqual(picked[1:], selected[1:])
        self.assertEqual(picked[0]["top5"], selected[0]["top5"])
        self.assertNotIn("select", picked[0])
        self.assertEqual(selected[0]["select"], "[0, :, 2, 5]")

    def test_target_by_rank_is_of_the_place(self):
        record = self.explained("--at", "5,2", "--target", "top2", "--rival", "top1")[0]
        top = self.explained("--at", "5,2")[0]["top5"]
        self.assertEqual(record["target"]["index"], top[1]["index"])
        self.assertEqual(record["rival"]["index"], top[0]["index"])

    def test_over_is_the_mean(self):
        inside = {(1, 1), (6, 3)}
        self.put("mask.png", png(8, 8, lambda x, y: b"\0\0\x01" if (x, y) in inside else b"\0\0\0"))
        mean = self.logits("--over", "mask.png")
        places = [self.logits("--at", f"{x},{y}") for x, y in inside]
        for got, *values in zip(mean, *places):
            self.assertAlmostEqual(got, sum(values) / 2, places=5)

    def test_row_by_its_number(self):
        record, _, row = self.explained("--select", "map[0, :, n, 3]", "--box", "6")
        self.assertEqual(record["row"], 6)
        self.assertNotIn("box", record)
        self.assertEqual(record["grid"], [8, 8])
        self.assertNotIn("tokens_aside", record)
        result = self.succeed("explain", "seg.onnx", "small.png", "--select", "map[0, :, n, 3]",
                              "--box", "6", "--map", "m.npy")
        self.assertRegex(result.out, r"(?m)^row 6$")
        self.assertEqual(row, self.explained("--at", "3,6")[2])

    def test_compare_and_report_take_the_same(self):
        """Sheets and pages explain what `explain` does, and their data say which place it is."""
        self.put("mask.png", png(8, 8, lambda x, y: b"\1\1\1" if x < 3 else b"\0\0\0"))
        for args, key, value in [(["--at", "5,2"], "at", [5, 2]),
                                 (["--over", "mask.png"], "over", "mask.png")]:
            record = self.explained(*args)[0]
            result = self.succeed("compare", "--model", "seg.onnx", "small.png", "--quiet",
                                  "--json", "-", *args)
            figures = json.loads(result.out)
            self.assertEqual(figures[key], value)
            self.assertEqual(record[key], value)
            self.assertEqual(figures["predictions"][0]["top5"], record["top5"])
            self.assertEqual(figures["maps"][0]["target"], record["target"])
            self.succeed("report", "--model", "seg.onnx", "small.png", "-o", "p.html", *args)
            page = self.read("p.html").decode()
            data = json.loads(page.split('id="data">')[1].split("</script>")[0])
            self.assertEqual(data[key], value)
            self.assertEqual("mask" in data, key == "over")
        result = self.succeed("compare", "--model", "seg.onnx", "small.png", "--select",
                              "map[0, :, n, 3]", "--box", "6")
        self.assertRegex(result.out, r"(?m)^small, seg: row 6$")

    def test_the_place_is_marked(self):
        """A cross at the pixel, the outline of the mask: seen where the heat is left out."""
        self.put("big.png", png(64, 64, lambda x, y: b"\x80\x80\x80"))
        self.put("half.png", png(64, 64, lambda x, y: b"\1\1\1" if x < 32 else b"\0\0\0"))
        for args, white, black in [(["--at", "40,16"], {(42, 16), (40, 18)}, {(43, 17)}),
                                   (["--over", "half.png"], {(0, 9), (31, 9)}, {(32, 9)})]:
            self.succeed("explain", "seg.onnx", "big.png", "-o", "o.png", "--opacity", "0",
                         "--enlarge", "0", *args)
            pixels = read_png(self.path("o.png"))
            for place in white:
                self.assertEqual(pixels(*place), b"\xff\xff\xff", (args, place))
            for place in black:
                self.assertEqual(pixels(*place), b"\0\0\0", (args, place))

    def test_masks_that_do_not_fit(self):
        self.put("black.png", png(8, 8, lambda x, y: b"\0\0\0"))
        for mask, line in [("pic.png", r"kldve: pic\.png: the mask has 48 x 40 pixels, small\.png has "),
                           ("black.png", r"kldve: seg\.onnx: the region is empty")]:
            result = self.kldve("explain", "seg.onnx", "small.png", "--quiet", "--over", mask)
            self.assertEqual(result.status, 1)
            self.assertRegex(result.err, line)


# ---- failures ---------------------------------------------------------------------------------
# Whatever fails says one line on standard error and nothing on standard output, and leaves no file
# behind.

# name, arguments, the line: a regular expression after "kldve: "

USAGE = [
    ("no command", [], r"a command is missing"),
    ("unknown command", ["exlpain"], r"there is no command 'exlpain'; did you mean 'explain'\? See 'kldve --help'\n\Z"),
    ("command like no other", ["photograph"], r"there is no command 'photograph'; see 'kldve --help'\n\Z"),
    ("help on a misspelt command", ["help", "Layer"], r"help: there is no command, method, reading or metric 'Layer'; did you mean 'layers' or 'layer-cam'\?"),
    ("help on nothing", ["help", "nothing"], r"help: there is no command, method, reading or metric 'nothing'"),
    ("no picture", ["explain"], r"a picture is missing"),
    ("model without picture", ["explain", "net.onnx"], r"a picture is missing: "),
    ("two models", ["explain", "net.onnx", "--model", "plain.onnx", "pic.png"],
     r"explain takes one network, not net\.onnx and plain\.onnx; to see several side by side: kldve compare"),
    ("two models to list", ["layers", "net.onnx", "plain.onnx"], r"layers takes one network"),
    ("no network to list", ["layers", "pic.png"], r"one argument too many: 'pic\.png'"),
    ("folder of a named output", ["explain", "pic.png", "-o", "a.png", "--out-dir", "d"],
     r"--out-dir d changes nothing: -o a\.png names the picture itself"),
    ("option given twice", ["explain", "pic.png", "-o", "a.png", "-o", "b.png"],
     r"-o is given twice, as a\.png and as b\.png: the first would do nothing; see 'kldve help explain'"),
    ("option given twice for a network",
     ["compare", "--model", "a.onnx", "--layer", "x", "--layer=y", "pic.png", "-o", "a.png"],
     r"--layer is given twice"),
    ("input given twice", ["explain", "pic.png", "--input", "a=1", "--input", "a=b.npy"],
     r"--input: a is given twice"),
    ("dimension given twice", ["explain", "pic.png", "--dim", "n=1", "--dim", "n=2"],
     r"--dim: n is given twice"),
    ("option of another command", ["explain", "pic.png", "--sheet=slide"],
     r"kldve explain has no option --sheet, kldve compare has; see 'kldve help explain'\n\Z"),
    ("unknown option", ["explain", "pic.png", "--wxyz"],
     r"unknown option --wxyz; see 'kldve help ex"),
    ("misspelt option", ["explain", "pic.png", "--targt=1"],
     r"unknown option --targt; did you mean '--target'\? See 'kldve help explain'\n\Z"),
    ("option with one dash", ["explain", "pic.png", "-target", "1"],
     r"unknown option -target; did you mean '--target'\?"),
    ("option with other punctuation", ["explain", "pic.png", "--outDir=x"],
     r"unknown option --outDir; did you mean '--out-dir'\?"),
    ("method in another spelling", ["explain", "pic.png", "--method", "gradcam"],
     r"--method: there is no method 'gradcam'; did you mean 'grad-cam'\? See 'kldve help explain'\n\Z"),
    ("method like no other", ["explain", "pic.png", "--method", "xyzzy"],
     r"--method: 'xyzzy' is not one of kl-dve, cam, grad-cam, "),
    ("misspelt colour map", ["explain", "pic.png", "--colormap", "virdis"],
     r"--colormap: there is no colormap 'virdis'; did you mean 'viridis'\?"),
    ("misspelt limit", ["explain", "pic.png", "--limit", "modle=3"],
     r"--limit: there is no limit 'modle'; did you mean 'model'\?"),
    ("colours for signs that are not there", ["explain", "pic.png", "--colormap", "diverging"],
     r"--colormap diverging is for maps with signs, and those of kl-dve have none: add --sign signed, or leave it out"),
    ("temperature with a reading that ignores it", ["compare", "pic.png", "--temperature", "2"],
     r"--temperature changes nothing: it is for the readings channel, contrast, rivals, not for neighbours"),
    ("perplexity with a reading that ignores it", ["compare", "pic.png", "--reading", "contrast", "--perplexity", "2"],
     r"--perplexity changes nothing: it is for the reading channel, not for contrast"),
    ("rival with a reading that ignores it", ["explain", "pic.png", "--reading", "paper", "--rival", "1"],
     r"--rival changes nothing: it is for the readings contrast, rivals, neighbours, not for paper"),
    ("rival with a method that ignores it", ["explain", "pic.png", "--method", "eigen-cam", "--rival", "1"],
     r"--rival changes nothing: a map of eigen-cam is the same for every class"),
    ("layer with a method of pixels", ["explain", "pic.png", "--method", "rise", "--layer", "relu"],
     r"--layer changes nothing: rise explains pixels and looks at no layer"),
    ("grid with a method of pixels", ["explain", "pic.png", "--method", "saliency", "--grid", "3"],
     r"--grid changes nothing: saliency explains pixels and looks at no layer"),
    ("class twice", ["explain", "pic.png", "--target", "1", "--target", "1"], r"--target: 1 is given twice"),
    ("rival that is the target", ["explain", "pic.png", "--target", "1", "--rival", "1"],
     r"--rival 1 is the --target itself: give another class"),
    ("unknown letter", ["explain", "pic.png", "-x"], r"unknown option -x"),
    ("long name with one dash", ["explain", "pic.png", "-json"], r"unknown option -json"),
    ("letter with two dashes", ["explain", "pic.png", "--o=a.png"], r"unknown option --o"),
    ("option without value", ["explain", "pic.png", "--json"], r"--json needs a value, FILE"),
    ("empty value", ["explain", "pic.png", "--json="], r"--json: the value is empty"),
    ("flag with value", ["explain", "pic.png", "--quiet=1"], r"--quiet takes no value"),
    ("empty file name", ["explain", ""], r"a file name is empty"),
    ("unknown reading", ["explain", "pic.png", "--reading", "papr"],
     r"--reading: there is no reading 'papr'; did you mean 'paper'\? See "),
    ("reading like no other", ["explain", "pic.png", "--reading", "xyzzy"],
     r"--reading: 'xyzzy' is not one of paper, channel, contrast, rivals, neighbours"),
    ("unknown method", ["explain", "pic.png", "--method", "magic"],
     r"--method: 'magic' is not one of kl-dve"),
    ("unknown colours", ["explain", "pic.png", "--colormap=pink"],
     r"--colormap: 'pink' is not one of viridis, inferno"),
    ("unknown view", ["explain", "pic.png", "--view", "nope"],
     r"--view: .*nope"),
    ("clip of all", ["explain", "pic.png", "--clip", "100"],
     r"--clip: '100' is not a number from 0 to 99"),
    ("blur of a word", ["explain", "pic.png", "--blur", "much"],
     r"--blur: 'much' is not a number from 0 to 1000"),
    ("unknown upsampling", ["explain", "pic.png", "--upsample", "nearest"],
     r"--upsample: .*nearest"),
    ("thick line", ["explain", "pic.png", "--line", "2000"],
     r"--line: '2000' is not a whole number from 0 to 1000"),
    ("enlarge below nothing", ["explain", "pic.png", "--enlarge", "-3"],
     r"--enlarge: '-3' is not a whole number from 0 to 16384"),
    ("unknown channels", ["explain", "pic.png", "--channels=CMYK"],
     r"--channels: 'CMYK' is not one of RGB, BGR, GRAY"),
    ("unknown fit", ["explain", "pic.png", "--fit", "stretch"],
     r"--fit: 'stretch' is not one of crop, squash, pad, pad-end"),
    ("unknown interpolation", ["explain", "pic.png", "--interpolation", "cubic"],
     r"--interpolation: there is no interpolation 'cubic'; did you mean 'bicubic'"),
    ("crop of a padded picture", ["explain", "pic.png", "--fit", "pad", "--crop", "8"],
     r"--crop changes nothing: with --fit pad the whole picture is seen"),
    ("padding of a crop", ["explain", "pic.png", "--fit", "squash", "--pad", "0"],
     r"--pad changes nothing: --fit squash pads nothing"),
    ("a colour above 255", ["explain", "pic.png", "--fit", "pad", "--pad", "256"],
     r"--pad: '256' is not one number, or one for each channel"),
    ("passes without a check", ["explain", "pic.png", "--check-passes", "32"],
     "--check-passes changes nothing: add --check"),
    ("too few passes of a check", ["explain", "pic.png", "--check", "--check-passes", "4"],
     "--check-passes: 4 passes are too few: give 5 or more, or 0 for none"),
    ("opacity of 2", ["explain", "pic.png", "--opacity", "2"],
     r"--opacity: '2' is not a number from 0 to 1"),
    ("opacity of NaN", ["explain", "pic.png", "--opacity", "nan"],
     r"--opacity: 'nan' is not a number"),
    ("number with a tail", ["explain", "pic.png", "--scale=1x"], r"--scale: '1x' is not a number"),
    ("scale of 0", ["explain", "pic.png", "--scale=0"], r"--scale: '0' is not a number from"),
    ("no threads", ["explain", "pic.png", "--threads", "0"],
     r"--threads: '0' is not a whole number from 1 to 1024"),
    ("unknown limit", ["explain", "pic.png", "--limit", "paper=3"],
     r"--limit: there is no limit 'paper'; the limits are memory, working-memory, .*picture-pixels"),
    ("limit without a value", ["layers", "--limit", "labels"], r"--limit: 'labels': give labels=N, a whole number"),
    ("limit of 0", ["compare", "pic.png", "--limit", "labels=0"], r"--limit: 'labels=0': give labels=N"),
    ("limit with a tail", ["report", "pic.png", "--limit", "labels=3MB", "-o", "r.html"], r"--limit: 'labels=3MB'"),
    ("limit past 64 bit", ["explain", "pic.png", "--limit", "labels=9999999999G"], r"--limit: 'labels=9+G'"),
    ("half a thread", ["explain", "pic.png", "--threads=1.5"], r"--threads: '1.5' is not a whole"),
    ("crop past 64 bit", ["explain", "pic.png", "--crop=99999999999999999999"], r"--crop: '9+' is"),
    ("place that is no pixel", ["explain", "pic.png", "--at", "3"],
     r"--at: '3' is not a pixel of the picture, X,Y"),
    ("place left of the picture", ["explain", "pic.png", "--at=-1,2"],
     r"--at: '-1,2' is not a pixel of the picture"),
    ("box that is none", ["explain", "pic.png", "--box", "first"],
     r"--box: 'first' is not the number of a row, 'best', or a pixel X,Y"),
    ("comparison of a place and a box", ["compare", "pic.png", "--at", "1,2", "--box", "best"],
     r"--at, --over and --box exclude each other"),
    ("report of a place that is no pixel", ["report", "pic.png", "--at", "x"],
     r"--at: 'x' is not a pixel of the picture"),
    ("comparison of a region with a truth", ["compare", "pic.png", "--over", "m.png", "--truth",
                                             "model:net.onnx"],
     r"--truth and --over exclude each other"),
    ("comparison of no row", ["compare", "pic.png", "--box", "worst"],
     r"--box: 'worst' is not the number of a row"),
    ("place and box", ["explain", "pic.png", "--at", "1,2", "--box", "best"],
     r"--at, --over and --box exclude each other"),
    ("place and smoothing", ["explain", "pic.png", "--at", "1,2", "--smooth"],
     r"--smooth and --at exclude each other"),
    ("region and truth", ["explain", "pic.png", "--over", "m.png", "--truth", "model:net.onnx"],
     r"--truth and --over exclude each other"),
    ("selection and logits", ["explain", "pic.png", "--select", "[0]", "--logits", "a"],
     r"--select names its tensor itself: --select 'a\[\.\.\.\]'"),
    ("crop more than resize", ["explain", "pic.png", "--crop=9", "--resize=8"],
     r"--crop 9 is larger than --resize 8"),
    ("five means", ["explain", "pic.png", "--mean", "1,2,3,4,5"], r"--mean: '1,2,3,4,5' is not one"),
    ("mean with a gap", ["explain", "pic.png", "--mean", "1,,3"], r"--mean: '1,,3' is not one"),
    ("mean with a blank", ["explain", "pic.png", "--mean", "1, 2,3"], r"--mean: '1, 2,3' is not"),
    ("std of 0", ["explain", "pic.png", "--std", "1,0,1"], r"--std: '1,0,1' is not one number"),
    ("size of words", ["explain", "pic.png", "--size=axb"], r"--size: 'axb' is not a size: give N or"),
    ("size with an end missing", ["explain", "pic.png", "--size=8x"], r"--size: '8x' is not a size"),
    ("picture as .gif", ["explain", "pic.png", "-o", "a.gif"],
     r"a\.gif: give the picture a name that ends in \.png or \.jpg"),
    ("picture with no ending", ["explain", "pic.png", "-o", ".png"], r"\.png: give the picture a name that"),
    ("heat as .npy", ["explain", "pic.png", "--heat", "a.npy"], r"a\.npy: give the picture a name that"),
    ("map as .png", ["explain", "pic.png", "--map", "a.png"],
     r"a\.png: the map is a NumPy file, give it a name that ends in \.npy"),
]

def explain(model="net.onnx", picture="pic.png", *more):
    return ["explain", model, picture, "-o", "a.png", "--map", "a.npy", "--dump", "a", "--json",
            "a.json", *more]


PNG = png(48, 40, blob)
with open(os.path.join(SOURCE, "tests", "fuzz", "jpeg", "rgb-exif.jpg"), "rb") as jpeg:
    JPEG = jpeg.read()
NETWORK = tinynet.classifier()


def with_node(op, inputs, outputs, **attributes):
    """The usual network with a node in place of its Relu."""
    return tinynet.classifier(nodes=[
        tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
        tinynet.node(op, inputs, outputs, **attributes),
        tinynet.node("GlobalAveragePool", ["relu"], ["pool"]),
        tinynet.node("Flatten", ["pool"], ["flat"]),
        tinynet.node("Gemm", ["flat", "w", "b"], ["scores"], transB=1),
    ])


# name, files to create, arguments, the line
FAILURES = [
    # how pictures enter the network
    ("padding of the default fit", {}, explain("net.onnx", "pic.png", "--pad", "0"),
     r"net\.onnx: input: a colour of the padding changes nothing with the fit crop"),
    # pictures
    ("no such picture", {}, explain("net.onnx", "no.png"), r"no\.png: .*No such file"),
    ("picture is empty", {"p": b""}, explain("net.onnx", "p"), r"p: "),
    ("picture is text", {"p.png": b"hello"}, explain("net.onnx", "p.png"), r"p\.png: "),
    ("picture is a card", {}, explain("net.onnx", "net.card.json"), r"net\.card\.json: "),
    ("PNG signature only", {"p.png": PNG[:8]}, explain("net.onnx", "p.png"), r"p\.png: "),
    ("PNG cut in its header", {"p.png": PNG[:20]}, explain("net.onnx", "p.png"), r"p\.png: "),
    ("PNG cut in its pixels", {"p.png": PNG[:len(PNG) // 2]}, explain("net.onnx", "p.png"),
     r"p\.png: "),
    ("PNG of 0 x 0", {"p.png": png_header(0, 0)}, explain("net.onnx", "p.png"), r"p\.png: "),
    ("PNG of 2^31 x 2^31", {"p.png": png_header(1 << 31, 1 << 31)}, explain("net.onnx", "p.png"),
     r"p\.png: "),
    ("PNG of 65535 x 65535", {"p.png": png_header(65535, 65535)}, explain("net.onnx", "p.png"),
     r"p\.png: "),
    ("PNG with a flipped bit", {"p.png": flip(PNG, 60, 3)}, explain("net.onnx", "p.png"),
     r"p\.png: "),
    ("JPEG marker only", {"p.jpg": b"\xff\xd8\xff"}, explain("net.onnx", "p.jpg"), r"p\.jpg: "),
    ("JPEG cut in its header", {"p.jpg": JPEG[:30]}, explain("net.onnx", "p.jpg"), r"p\.jpg: "),
    ("JPEG cut in its pixels", {"p.jpg": JPEG[:-20]}, explain("net.onnx", "p.jpg"), r"p\.jpg: "),
    ("JPEG of 65500 x 65500", {"p.jpg": jpeg_size(JPEG, 65500, 65500)},
     explain("net.onnx", "p.jpg"), r"p\.jpg: "),
    ("JPEG of 0 x 0", {"p.jpg": jpeg_size(JPEG, 0, 0)}, explain("net.onnx", "p.jpg"), r"p\.jpg: "),
    ("JPEG with a flipped bit", {"p.jpg": flip(JPEG, 2, 4)}, explain("net.onnx", "p.jpg"),
     r"p\.jpg: "),
    ("GIF", {"p.gif": b"GIF89a" + bytes(40)}, explain("net.onnx", "p.gif"), r"p\.gif: "),
    # networks
    ("no such network", {}, explain("no.onnx"), r"no\.onnx: .*No such file"),
    ("network is a folder", {}, ["explain", "--model", ".", "pic.png"], r"\.: this is a folder, not an ONNX network"),
    ("network is empty", {"n.onnx": b""}, explain("n.onnx"), r"n\.onnx: "),
    ("network is a picture", {}, ["explain", "--model", "pic.png", "pic.png"], r"pic\.png: "),
    ("network is text", {"n.onnx": "hello, world"}, explain("n.onnx"), r"n\.onnx: "),
    ("network cut short", {"n.onnx": NETWORK[:len(NETWORK) // 2]}, explain("n.onnx"), r"n\.onnx: "),
    ("network with a flipped bit", {"n.onnx": flip(NETWORK, 2, 0)}, explain("n.onnx"),
     r"n\.onnx: "),
    ("network with absurd weights", {"n.onnx": tinynet.model(
        [tinynet.node("Relu", ["image"], ["scores"])],
        [tinynet.tensor("k", [1 << 40, 1 << 20], [1.0])], [tinynet.value_info("image", [1, 3, 8, 8])],
        [tinynet.value_info("scores", [1, 4])])}, explain("n.onnx"), r"n\.onnx: "),
    ("absurd input", {"n.onnx": tinynet.classifier(in_shape=[1, 3, 1 << 20, 1 << 20])},
     explain("n.onnx"), r"n\.onnx: "),
    ("network without nodes", {"n.onnx": tinynet.classifier(nodes=[])}, explain("n.onnx"),
     r"n\.onnx: "),
    ("unknown operator", {"n.onnx": with_node("Magic", ["conv"], ["relu"])}, explain("n.onnx"),
     r"n\.onnx: .*Magic"),
    ("unknown attribute", {"n.onnx": with_node("Relu", ["conv"], ["relu"], magic=1)},
     explain("n.onnx"), r"n\.onnx: .*magic"),
    ("missing tensor", {"n.onnx": with_node("Relu", ["nowhere"], ["relu"])}, explain("n.onnx"),
     r"n\.onnx: .*nowhere"),
    ("cyclic graph", {"n.onnx": with_node("Add", ["conv", "relu"], ["relu"])}, explain("n.onnx"),
     r"n\.onnx: "),
    ("negative dimension", {"n.onnx": tinynet.classifier(in_shape=[1, 3, -8, 8])},
     explain("n.onnx"), r"n\.onnx: "),
    ("overflowing dimensions", {"n.onnx": tinynet.classifier(in_shape=[1, 3, 1 << 62, 1 << 62])},
     explain("n.onnx"), r"n\.onnx: "),
    ("wrong weight length", {"n.onnx": tinynet.classifier(features=[1.0] * 5)}, explain("n.onnx"),
     r"n\.onnx: "),
    ("NaN logits", {"n.onnx": tinynet.classifier(bias=[float("nan")] * 4)}, explain("n.onnx"),
     r"n\.onnx: "),
    ("infinite logits", {"n.onnx": tinynet.classifier(bias=[float("inf"), 0, 0, 0])},
     explain("n.onnx"), r"n\.onnx: "),
    ("layers of no network", {}, ["layers", "no.onnx"], r"no\.onnx: .*No such file"),
    ("layers of text", {"n.onnx": "hello"}, ["layers", "n.onnx"], r"n\.onnx: "),
    # layer, logits, target
    ("unknown layer", {}, explain("net.onnx", "pic.png", "--layer", "conv9"),
     r"net\.onnx: .*conv9"),
    ("layer of rank 2", {}, explain("net.onnx", "pic.png", "--layer", "flat"),
     r"net\.onnx: .*flat"),
    ("unknown logits", {}, explain("net.onnx", "pic.png", "--logits", "nope"),
     r"net\.onnx: .*nope"),
    ("place of a classifier", {}, explain("net.onnx", "pic.png", "--at", "1,1"),
     r"net\.onnx: '[a-z]+', \[1\]\[4\], is not a map of scores with rows and columns"),
    ("comparison of a place of a classifier", {},
     ["compare", "--model", "net.onnx", "pic.png", "--at", "1,1"],
     r"net\.onnx: 'scores', \[1\]\[4\], is not a map of scores"),
    ("report with a mask of another size", {"m.png": png(3, 3, blob)},
     ["report", "--model", "net.onnx", "pic.png", "--over", "m.png", "--select",
      "relu[0, :, y, x]", "-o", "p.html"],
     r"m\.png: the mask has 3 x 3 pixels, pic\.png has 48 x 40: they must be of one size"),
    ("mask that is not there", {}, explain("net.onnx", "pic.png", "--over", "no.png"),
     r"no\.png: .*No such file"),
    ("place outside of the picture", {},
     explain("net.onnx", "pic.png", "--at", "999,1", "--select", "relu[0, :, y, x]"),
     r"net\.onnx: pixel 999,1 is outside of the picture, which has \d+ x \d+ pixels"),
    ("no place for a map of scores", {},
     explain("net.onnx", "pic.png", "--select", "relu[0, :, y, x]"),
     r"net\.onnx: there are scores for every place of the picture: say which with --at X,Y or --ov"),
    ("no row for a detector", {}, explain("net.onnx", "pic.png", "--select", "relu[0, :, n, 0]"),
     r"net\.onnx: there are scores for every row of the detector: say which with --box N, --box"),
    ("row past the last", {},
     explain("net.onnx", "pic.png", "--select", "relu[0, :, n, 0]", "--box", "99"),
     r"net\.onnx: onnx: pick: row 99: the detector has 8 rows, 0 to 7"),
    ("best row without boxes", {},
     explain("net.onnx", "pic.png", "--select", "relu[0, :, n, 0]", "--box", "best"),
     r"net\.onnx: onnx: pick: it is not known where the boxes of the rows are"),
    ("box of a classifier", {}, explain("net.onnx", "pic.png", "--box", "best"),
     r"net\.onnx: no output looks like rows of a detector: boxes \[1\]\[rows\]\[4\] with scores"),
    ("place with nothing to choose", {},
     explain("net.onnx", "pic.png", "--select", "[0]", "--at", "1,1"),
     r"net\.onnx: the selection \[0\] has nothing for --at, --over or --box to choose"),
    ("selection between empty brackets", {}, explain("net.onnx", "pic.png", "--select", "[]"),
     r"net\.onnx: select '\[\]': nothing stands between \[ and \]; \.\.\. stands for all axes"),
    ("selection out of range", {}, explain("net.onnx", "pic.png", "--select", "[0, 9]"),
     r"net\.onnx: select '\[0, 9\]': 9 is outside of axis 1, which has 4 elements"),
    ("selection of nothing", {}, explain("net.onnx", "pic.png", "--select", "[0, 3:1]"),
     r"net\.onnx: select '\[0, 3:1\]': selects nothing of axis 1, which has 4 elements"),
    ("selection of an unknown tensor", {}, explain("net.onnx", "pic.png", "--select", "nope[0]"),
     r"net\.onnx: no tensor or node is called 'nope' \(given as the selection\)"),
    ("selection without brackets", {}, explain("net.onnx", "pic.png", "--select", "flat"),
     r"net\.onnx: select 'flat': cannot be read at 'flat'; write it as numpy does"),
    ("selection beside logits in the card",
     {"net.card.json": '{"logits": "flat", "select": "flat[0]"}'}, explain(),
     r"net\.card\.json: select: names its tensor itself, logits must not be there as well"),
    ("unknown layer in the card", {"net.card.json": '{"features": "conv9"}'}, explain(),
     r"net\.onnx: .*conv9"),
    ("target past the last", {}, explain("net.onnx", "pic.png", "--target", "4"),
     r"net\.onnx: --target 4: there are 4 classes, give 0 to 3"),
    ("target past 64 bit", {}, explain("net.onnx", "pic.png", "--target", "9" * 30),
     r"net\.onnx: --target 9+: there are 4 classes"),
    ("misspelt layer", {}, explain("net.onnx", "pic.png", "--layer", "rellu"),
     r"net\.onnx: no tensor or node is called 'rellu' \(given as the layer\); did you mean 'relu'\? 'kldve layers' lists them\n\Z"),
    ("misspelt logits", {}, explain("net.onnx", "pic.png", "--logits", "Score"),
     r"net\.onnx: no tensor or node is called 'Score' \(given as the logits\); did you mean 'scores'\?"),
    ("class by two names", {}, explain("net.onnx", "pic.png", "--target", "0", "--target", "vixen"),
     r"net\.onnx: --target 0 and --target vixen are one class: give it once"),
    ("negative target", {}, explain("net.onnx", "pic.png", "--target=-1"),
     r"net\.onnx: --target -1: there are 4 classes, give 0 to 3\n\Z"),
    ("rank 0", {}, explain("net.onnx", "pic.png", "--target", "top0"),
     r"net\.onnx: --target top0: there are 4 classes, give top1 to top4"),
    ("rank past the last", {}, explain("net.onnx", "pic.png", "--target", "top5"),
     r"net\.onnx: --target top\d+: there are 4 classes, give top1 to top4"),
    ("rank past 64 bit", {}, explain("net.onnx", "pic.png", "--target", "top" + "9" * 30),
     r"net\.onnx: --target top\d+: there are 4 classes, give top1 to top4"),
    ("two means", {}, explain("net.onnx", "pic.png", "--mean", "1,2"),
     r"net\.onnx: --mean has 2 numbers for \d channels?: give one, or one for each"),
    ("label that none has", {}, explain("net.onnx", "pic.png", "--target", "gray wolf"),
     r"net\.onnx: --target gray wolf: no class is called 'gray wolf'; did you mean 1 'grey wolf'"),
    ("label that two have", {}, explain("net.onnx", "pic.png", "--target", "crane"),
     r"net\.onnx: --target crane: 'crane' names 2 classes: 2 'crane', 3 'crane'; give the index"),
    ("label without labels", {}, explain("plain.onnx", "pic.png", "--quiet", "--target", "fox"),
     r"plain\.onnx: --target fox: the network has no labels; give an index or --labels FILE"),
    ("rival without labels", {}, explain("plain.onnx", "pic.png", "--quiet", "--rival", "fox"),
     r"plain\.onnx: --rival fox: the network has no labels; give an index or --labels FILE"),
    # labels
    ("no such labels", {}, explain("net.onnx", "pic.png", "--labels", "no.txt"),
     r"no\.txt: .*No such file"),
    ("labels of the card missing", {"net.card.json": '{"labels": "no.txt"}'}, explain(),
     r"no\.txt: .*No such file"),
    ("empty labels", {"l.txt": "\n\n"}, explain("net.onnx", "pic.png", "--labels", "l.txt"),
     r"l\.txt: no labels"),
    ("binary labels", {"l.txt": b"a\0b"}, explain("net.onnx", "pic.png", "--labels", "l.txt"),
     r"l\.txt: not a text file"),
    ("labels of another network", {"l.txt": "a\nb\n"},
     explain("net.onnx", "pic.png", "--labels", "l.txt"),
     r"l\.txt: 2 labels, but net\.onnx has 4 classes: give its labels with --labels FILE"),
    # cards
    ("card is empty", {"net.card.json": ""}, explain(), r"net\.card\.json: not valid JSON"),
    ("card with a flipped bit", {"net.card.json": flip(b'{"input": {}}', 1, 0)}, explain(),
     r"net\.card\.json: not valid JSON"),
    ("card with a huge crop", {"net.card.json": '{"input": {"center_crop": 2000000000}}'},
     explain(), r"net\.[a-z.]+: "),
    ("no such card", {}, explain("net.onnx", "pic.png", "--card", "no.json"),
     r"no\.json: .*No such file"),
    ("card cut short", {"net.card.json": '{"input": {'}, explain(),
     r"net\.card\.json: not valid JSON"),
    ("card is a picture", {}, explain("net.onnx", "pic.png", "--card", "pic.png"),
     r"pic\.png: not valid JSON"),
    ("card of 2 MiB", {"net.card.json": b" " * (2 << 20)}, explain(),
     r"net\.card\.json: [0-9]+ bytes of a model card: the limit .card. is 1 MiB"),
    ("card nested a thousand deep", {"net.card.json": "[" * 1000}, explain(),
     r"net\.card\.json: not valid JSON"),
    ("wrong type in the card", {"net.card.json": '{"input": {"mean": "1"}}'}, explain(),
     r"net\.card\.json: input\.mean: must be a number, not a string"),
    ("grey card for a colour network", {"net.card.json": '{"input": {"channels": "GRAY"}}'},
     explain(), r"net\.onnx: "),
    ("grey for a colour network", {}, explain("plain.onnx", "pic.png", "--channels=GRAY"),
     r"plain\.onnx: "),
    # outputs
    ("overlay into no folder", {}, ["explain", "net.onnx", "pic.png", "-o", "no/a.png"],
     r"no/a\.png: .*No such file"),
    ("heat into no folder", {}, ["explain", "net.onnx", "pic.png", "--heat", "no/a.jpg"],
     r"no/a\.jpg: .*No such file"),
    ("map into no folder", {}, ["explain", "net.onnx", "pic.png", "--map", "no/a.npy"],
     r"no/a\.npy: cannot write: No such file"),
    ("dump into no folder", {}, ["explain", "net.onnx", "pic.png", "--dump", "no/a"],
     r"no/a: cannot make the folder: No such file"),
    ("dump onto a file", {}, ["explain", "net.onnx", "pic.png", "--dump", "pic.png"],
     r"pic\.png: cannot make the folder: Not a directory"),
    ("record into no folder", {}, ["explain", "net.onnx", "pic.png", "--json", "no/a.json"],
     r"no/a\.json: cannot write: No such file"),
    ("folder of pictures that cannot be made", {}, ["explain", "net.onnx", "pic.png", "--out-dir", "no/such"],
     r"no/such: cannot make the folder: No such file"),
    ("folder of pictures that is a file", {}, ["explain", "net.onnx", "pic.png", "--out-dir", "pic.png"],
     r"pic\.png: cannot make the folder: Not a directory"),
    ("sheet into no folder", {}, ["compare", "net.onnx", "pic.png", "-o", "no/a.png"],
     r"no/a\.png: cannot write: No such file"),
    ("page into no folder", {}, ["report", "net.onnx", "pic.png", "-o", "no/a.html"],
     r"no/a\.html: cannot write: No such file"),
    ("record onto a folder", {}, ["explain", "net.onnx", "pic.png", "--json", "/"],
     r"/: this is a folder"),
    ("record onto a full disk", {}, ["explain", "net.onnx", "pic.png", "--json", "/dev/full"],
     r"/dev/full: cannot write: No space left on device"),
    ("record under a file", {}, ["explain", "net.onnx", "pic.png", "--json", "pic.png/a"],
     r"pic\.png/a: cannot write: Not a directory"),
]


class Usage(Folder):
    pass


class Failures(Folder):
    pass


def check(test, args, status, line):
    before = snapshot(test.dir)
    result = run_measured(*args, cwd=test.dir)
    test.assertEqual(result.status, status, result.err)
    test.assertEqual(result.out, "")
    test.assertRegex(result.err, r"\Akldve: [^\n]+\n\Z")
    test.assertRegex(result.err, r"\Akldve: " + line)
    test.assertNotRegex(result.err, "[\x00-\x09\x0b-\x1f]")
    test.assertLess(result.peak, MEMORY_LIMIT)
    test.assertEqual(snapshot(test.dir), before)


def add_usage(name, args, line):
    setattr(Usage, "test_" + re.sub(r"\W+", "_", name), lambda self: check(self, args, 2, line))


def add_failure(name, files, args, line):

    def test(self):
        for file, data in files.items():
            self.put(file, data)
        check(self, args, 1, line)

    setattr(Failures, "test_" + re.sub(r"\W+", "_", name), test)


for row in USAGE:
    add_usage(*row)
for row in FAILURES:
    add_failure(*row)


class FullDisk(Folder):
    def test_standard_output(self):
        for args in [["--version"], ["--help"], ["help", "explain"], ["layers", "net.onnx"],
                     ["explain", "net.onnx", "pic.png", "--json", "-"]]:
            with open("/dev/full", "w") as full:
                result = self.kldve(*args, stdout=full)
            self.assertEqual(result.status, 1, args)
            self.assertEqual(result.err,
                             "kldve: standard output: cannot write: No space left on device\n")

    def test_every_output(self):
        for option, name in [("-o", "a.png"), ("-o", "a.jpg"), ("--heat", "b.png"),
                             ("--map", "c.npy"), ("--json", "d.json")]:
            os.symlink("/dev/full", self.path(name))
            check(self, ["explain", "net.onnx", "pic.png", option, name, "--quiet"], 1,
                  re.escape(name) + ": .*No space left on device")
            os.remove(self.path(name))

    def test_earlier_outputs_stay(self):
        result = self.kldve("explain", "net.onnx", "pic.png", "-o", "a.png", "--json", "/dev/full")
        self.assertEqual(result.status, 1)
        self.assertTrue(os.path.getsize(self.path("a.png")) > 100)

    def test_size_limit(self):
        """A file that cannot grow to its full size: nothing remains of it."""
        limit_bytes = 1024  # LLVM's OpenMP runtime needs a file of this size when it starts

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        self.put("net.onnx", tinynet.classifier(size=32))
        self.put("labels.txt", "".join(f"{c} {'long ' * 80}\n" for c in "abcd"))
        before = snapshot(self.dir)
        for option, name in [("-o", "a.png"), ("--heat", "a.jpg"), ("--map", "a.npy"),
                             ("--json", "a.json"), ("--dump", "a")]:
            done = subprocess.run([KLDVE, "explain", "net.onnx", "pic.png", option, name],
                                  cwd=self.dir, capture_output=True, text=True, preexec_fn=limit)
            self.assertEqual((done.returncode, done.stdout), (1, ""), option)
            self.assertRegex(done.stderr, rf"\Akldve: {name}.*File too large\n\Z")
            left = set(snapshot(self.dir)) - set(before)
            self.assertEqual({f for f in left if not f.startswith("a/")} - {"a"}, set())
            for f in left:  # files of the dump that came before are whole
                if f.startswith("a/"):
                    Npy(self.path(f))


class Forbidden(Folder):
    """Files that may not be read or written.  Root may, so root becomes nobody."""

    def setUp(self):
        super().setUp()
        self.root = os.geteuid() == 0
        os.chmod(self.dir, 0o755)
        if self.root and not self.as_user("--version").returncode == 0:
            self.skipTest("nobody cannot reach the command that was built")

    def as_user(self, *args):
        try:
            return subprocess.run([KLDVE, *args], cwd=self.dir, capture_output=True, text=True,
                                  user=65534 if self.root else None, timeout=120)
        except PermissionError as refused:
            return subprocess.CompletedProcess(args, 126, "", str(refused))

    def refused(self, line, *args):
        before = snapshot(self.dir)
        done = self.as_user("explain", *args, "--quiet")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Akldve: " + line + r"[^\n]*Permission denied\n\Z")
        self.assertEqual(snapshot(self.dir), before)

    def test_unreadable(self):
        for name in ["pic.png", "net.onnx", "net.card.json", "labels.txt"]:
            os.chmod(self.path(name), 0)
            self.refused(re.escape(name) + ": ", "net.onnx", "pic.png", "--json", "/dev/null")
            os.chmod(self.path(name), 0o644)

    def test_unwritable(self):
        os.mkdir(self.path("sub"))
        os.chmod(self.path("sub"), 0o555)
        for option, name in [("-o", "sub/a.png"), ("--heat", "sub/a.jpg"), ("--map", "sub/a.npy"),
                             ("--json", "sub/a.json"), ("--dump", "sub/a")]:
            self.refused(re.escape(name) + ": ", "net.onnx", "pic.png", option, name)
        shutil.copy(self.path("pic.png"), self.path("sub/b.png"))
        done = self.as_user("explain", "net.onnx", "sub/b.png")
        self.assertEqual((done.returncode, done.stderr), (1, "kldve: sub/b.kldve.png: cannot write beside the picture: "
                         "Permission denied; --out-dir DIR names another folder\n"))


class Damaged(Folder):
    """Files that are cut off anywhere or have a bit turned: done, or refused in one line."""

    def sweep(self, name, data):
        cuts = [data[:len(data) * i // 25] for i in range(25)]
        bits = [flip(data, len(data) * i // 50, i % 8) for i in range(50)]
        refused = 0
        for broken in cuts + bits:
            self.put(name, broken)
            before = snapshot(self.dir)
            done = run_measured("explain", "net.onnx", name if name == "p.jpg" else "pic.png",
                                "--map", "m.npy", "--quiet", cwd=self.dir)
            self.assertIn(done.status, (0, 1), done.err)
            self.assertLess(done.peak, MEMORY_LIMIT)
            if done.status == 0:
                os.remove(self.path("m.npy"))
                continue
            refused += 1
            self.assertRegex(done.err, r"\Akldve: [^\n]+\n\Z")
            self.assertEqual(snapshot(self.dir), before)
        self.assertGreaterEqual(refused, 20)

    def test_picture(self):
        self.sweep("pic.png", PNG)

    def test_jpeg(self):
        self.sweep("p.jpg", JPEG)

    def test_network(self):
        self.sweep("net.onnx", NETWORK)

    def test_card(self):
        self.sweep("net.card.json", b'{"input": {"channels": "RGB", "mean": [100, 100, 100]}}')


class Odd(Folder):
    """Degenerate, but not wrong: these succeed."""

    def test_all_equal_logits(self):
        self.put("n.onnx", tinynet.classifier(weights=[0.0] * 16, bias=[1.0] * 4))
        result = self.succeed("explain", "n.onnx", "pic.png", "--json", "r.json", "--map", "m.npy")
        self.assertIn("it is the same everywhere", result.out)
        self.assertEqual(set(Npy(self.path("m.npy")).value), {0})

    def test_all_zero_features(self):
        self.put("n.onnx", tinynet.classifier(features=[-1.0] * 12))
        for reading in READINGS:
            self.succeed("explain", "n.onnx", "pic.png", "--reading", reading, "--map", "m.npy")
            self.assertEqual(set(Npy(self.path("m.npy")).value), {0})

    def test_one_pixel(self):
        self.put("p.png", png(1, 1, lambda x, y: b"\1\2\3"))
        self.succeed("explain", "net.onnx", "p.png", "-o", "a.png")


class Real(unittest.TestCase):
    """A real network on a real photograph."""

    def setUp(self):
        if not have_shared():
            self.skipTest("no shared networks; set KLDVE_SHARED")
        self.dir = tempfile.mkdtemp(prefix="kldve-cli-")
        self.addCleanup(shutil.rmtree, self.dir)

    def test_faces(self):
        """A detector's best box is that at its own centre, and lies on the face in the picture."""
        network = shared("assets/models_more/ultraface_rfb_320.onnx")
        picture = shared("assets/images/coco_free/000000000086.jpg")
        records = []
        for box in ["best", "228,192"]:
            result = run("explain", network, picture, "--box", box, "--json", "r.json", "--mean", "127",
                         "--std", "128", "--quiet", cwd=self.dir)
            self.assertEqual((result.status, result.err), (0, ""))
            records.append(read_json(os.path.join(self.dir, "r.json")))
        self.assertEqual([r["row"] for r in records], [records[0]["row"]] * 2)
        for got, seen in zip(records[0]["box"], [209, 169, 246, 216]):
            self.assertLess(abs(got - seen), 8)
        self.assertGreater(records[0]["box_score"], 0.9)
        result = run("explain", network, picture, "--box", "best", "--mean", "127", "--std", "128",
                     "--map", "m.npy", cwd=self.dir)
        self.assertIn("row {}, box {:.1f}, {:.1f} to {:.1f}, {:.1f}\n".format(
            records[0]["row"], *records[0]["box"]), result.out)
        self.assertEqual((records[0]["scores"], records[0]["target"]["index"]), ("softmax", 1))
        result = run("explain", network, picture, "--box", "3,250", "--quiet", "-o", "a.png", cwd=self.dir)
        self.assertEqual(result.status, 0, result.err)  # some row has a box anywhere
        result = run("explain", network, picture, "--box", "3,3", "--quiet", "-o", "a.png", cwd=self.dir)
        self.assertRegex(result.err, r"\Akldve: .*the network does not see pixel 3,3: of the 512 x 640")

    def test_dog_and_cat(self):
        """Asked for the dog, the map lies in the upper half; for the cat, in the lower."""
        centre = {}
        for target in ["bull mastiff", "282"]:
            result = run("explain", shared("assets/models/googlenet.onnx"),
                         shared("assets/images/demo/both.png"), "--target", target, "-o", "o.png",
                         "--map", "m.npy", cwd=self.dir)
            self.assertEqual((result.status, result.err), (0, ""))
            cells = Npy(os.path.join(self.dir, "m.npy"))
            h, w = cells.shape
            weight = sum(cells.value)
            centre[target] = sum(v * (i // w) for i, v in enumerate(cells.value)) / weight / (h - 1)
        self.assertLess(centre["bull mastiff"] + 0.1, centre["282"])

    def test_ambiguous_label(self):
        result = run("explain", shared("assets/models/squeezenet_v1.1.onnx"),
                     shared("assets/images/demo/both.png"), "--target", "crane", cwd=self.dir)
        self.assertEqual(result.status, 1)
        self.assertRegex(result.err, r"'crane' names 2 classes: 134 'crane', 517 'crane'")


class Waiting(Folder):
    """OpenMP's threads wait awake for a short time only, unless the user said otherwise."""

    def test_short_by_default(self):
        self.assertEqual(waits(self.dir), {"GOMP_SPINCOUNT": "2000"})

    def test_run_by_the_loader(self):
        """The program cannot find its own file to restart from."""
        with open(KLDVE, "rb") as file:
            loader = re.search(rb"/lib[\w/]*/ld-[\w.-]+", file.read())
        if not loader:
            self.skipTest("linked statically")
        names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
        done = subprocess.run([loader.group(), KLDVE, "explain", "pic.png"], cwd=self.dir,
                              env={k: v for k, v in os.environ.items() if k not in names},
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_what_the_user_says(self):
        for said in [{"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "passive"}]:
            self.assertEqual(waits(self.dir, **said), said)


if __name__ == "__main__":
    main()
