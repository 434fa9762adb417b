#!/usr/bin/env python3
"""What comes from files and their names cannot do anything to a terminal: every command is run with names that
hold what terminals obey, hide or turn round.  For programs, JSON has the exact text."""
import json
import os
import re
import unittest

import tinynet
from command import main, png
from folder import Folder, blob

# One or more of each kind, with a letter between them.
EVIL = {"control": "\x01a\x07b\x08c\x0bd\x0ce\x1b[31mf\x7f", "C1": "\x80a\x9b31mb\x9dc\x9f", "direction": "\u202ea\u202cb\u2066c\u2069d\u200ee\u200ff\u061c",
        "zero width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u180e", "lines": "a\u2028b\u2029c\x85d", "tags": "a\U000e0041b\U000e007f\xad"}
BAD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
ALL = "".join(EVIL.values())
SHELL = "$(touch PWNED)`touch PWNED`;touch PWNED|\"'"


def network():
    """tinynet.classifier() with evil names of its tensors."""
    relu = "relu" + ALL
    return tinynet.classifier(nodes=[
        tinynet.node("Conv", ["image", "k"], ["conv" + ALL], kernel_shape=[1, 1]), tinynet.node("Relu", ["conv" + ALL], [relu]),
        tinynet.node("GlobalAveragePool", [relu], ["pool" + ALL]), tinynet.node("Flatten", ["pool" + ALL], ["flat"]),
        tinynet.node("Gemm", ["flat", "w", "b"], ["scores"], transB=1)])


class Names(Folder):
    def setUp(self):
        super().setUp()
        self.put("net.onnx", network())
        self.put("labels.txt", "".join(f"l{i}{text}{SHELL}\n" for i, text in enumerate(list(EVIL.values())[:3])) + ALL + "\n")
        self.put("net.card.json", json.dumps({"name": "n" + ALL, "labels": "labels.txt",
                                              "input": {"channels": "RGB", "mean": [100, 100, 100]}}))
        self.evil = "p" + ALL.replace("\x00", "") + ".png"
        self.put(self.evil, png(48, 40, blob))
        os.mkdir(self.path("d" + ALL))

    def clean(self, *args, status=0):
        """Runs a command whose output must hold nothing of that kind."""
        result = self.kldve(*args)
        self.assertEqual(result.status, status, (args, result.err))
        for text in result.out, result.err:
            self.assertIsNone(BAD.search(text), (args, BAD.search(text), text))
        self.assertFalse(os.path.exists(self.path("PWNED")))
        return result

    def test_every_command(self):
        evil = self.evil
        self.clean("explain", "net.onnx", evil, "-o", "o" + evil)
        self.clean("explain", "net.onnx", evil, "pic.png", "--out-dir", "d" + ALL)
        self.clean("explain", "net.onnx", evil, "--map", "m" + ALL + ".npy", "--dump", "d" + ALL + "/x", "-o", "o.png")
        self.clean("compare", "net.onnx", evil, "--table")
        self.clean("compare", "net.onnx", evil, "-o", "s" + ALL + ".png")
        self.clean("report", "net.onnx", evil, "-o", "r" + ALL + ".html")
        self.clean("layers", "net.onnx")
        self.clean("diff", "m" + ALL + ".npy", "m" + ALL + ".npy")

    def test_failures(self):
        none = "none" + ALL
        self.put("bad.card.json", json.dumps({"scores": ALL}))
        self.put("far.card.json", json.dumps({"labels": "x" + ALL}))
        self.put("broken" + ALL + ".json", '{"a' + ALL + '": ')
        for args, status in ((("explain", "net.onnx", none + ".png"), 1), (("explain", none + ".onnx", self.evil), 1),
                             (("explain", "net.onnx", self.evil, "--layer", none), 1), (("explain", "net.onnx", self.evil, "--target", none), 1),
                             (("explain", "net.onnx", self.evil, "--labels", none), 1), (("explain", "net.onnx", self.evil, "--card", none), 1),
                             (("explain", "net.onnx", self.evil, "--card", "bad.card.json"), 1),
                             (("explain", "net.onnx", self.evil, "--card", "far.card.json"), 1),
                             (("explain", "net.onnx", self.evil, "--card", "broken" + ALL + ".json"), 1),
                             (("explain", "net.onnx", self.evil, "--" + none), 2), ((none,), 2), (("explain", "net.onnx", self.evil, "--method", none), 2),
                             (("results", none + ".sqlite"), 1), (("merge", none, "-o", "x.sqlite"), 1), (("diff", none, none), 1),
                             (("cards", none), 2), (("explain", "net.onnx", self.evil, "-o", none + "/x.png"), 1)):
            with self.subTest(args=args):
                result = self.kldve(*args)
                self.assertIn(result.status, (1, 2), (args, result.err))
                self.assertEqual(result.err.count("\n"), 1, result.err)
                self.assertIsNone(BAD.search(result.err), (args, result.err))

    def test_json_is_exact(self):
        result = self.clean("explain", "net.onnx", self.evil, "--json", "-", "-o", "o.png")
        found = json.loads(result.out)
        self.assertEqual(found["picture"], self.evil)
        with open(self.path("labels.txt"), encoding="utf-8", newline="\n") as file:
            labels = file.read().split("\n")
        self.assertEqual(found["target"]["label"], labels[found["target"]["index"]])
        lines = self.clean("explain", "net.onnx", self.evil, "pic.png", "--jsonl", "-", "--out-dir", "d" + ALL).out.splitlines()
        self.assertIn(self.evil, [json.loads(line).get("picture") for line in lines])

    def test_completion(self):
        for shell in "bash", "plain":
            out = self.kldve("complete", shell, "explain", "net.onnx", "pic.png", "--target", "l").out
            self.assertIn("l0", out)
            self.assertIsNone(BAD.search(out.replace("\t", " ")), out)


if __name__ == "__main__":
    main()
