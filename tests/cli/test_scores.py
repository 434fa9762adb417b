"""Kinds of scores through the command: one score (yes against no, or a number), two classes, classes
by themselves.  Scores, probabilities and maps are computed here once more, from the weights of a
network that is small enough for that."""
import json
import math
import os
import re
import unittest

import tinynet
from command import Npy, main, png, read_json
from test_command import Folder

SIZE, MAPS = 8, 4
FEATURES = [((7 * i) % 11 - 3) / 500 for i in range(MAPS * 3)]
WEIGHTS = [0.9, -0.7, 0.4, -0.2, -0.3, 0.8, -0.5, 0.6, 0.1, 0.2, -0.9, 0.7]


def pixel(x, y):
    return bytes([(37 * x + 11 * y) % 256, (91 * y + 5 * x) % 256, (53 * x * y) % 256])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def features():
    """[maps][cells], behind the ReLU."""
    maps = []
    for m in range(MAPS):
        k = FEATURES[3 * m:3 * m + 3]
        maps.append([max(0, sum(w * v for w, v in zip(k, pixel(x, y)))) for y in range(SIZE)
                     for x in range(SIZE)])
    return maps


def logits(classes, bias):
    means = [sum(x) / len(x) for x in features()]
    return [sum(w * x for w, x in zip(WEIGHTS[MAPS * c:MAPS * c + MAPS], means)) + bias[c]
            for c in range(classes)]


def heat(weights):
    """Normalised ReLU of the weighted sum: Grad-CAM, and contrast, rivals and neighbours of two classes."""
    e = [max(0, sum(w * x for w, x in zip(weights, cell))) for cell in zip(*features())]
    low, high = min(e), max(e)
    return [(v - low) / (high - low) if high > low else 0 for v in e]


class Scores(Folder):
    def setUp(self):
        super().setUp()
        self.put("p.png", png(SIZE, SIZE, pixel))

    def network(self, classes, bias, labels=None, scores=None):
        self.put("n.onnx", tinynet.classifier(classes, SIZE, WEIGHTS[:MAPS * classes], bias,
                                              FEATURES))
        card = {"scores": scores}
        if labels:
            self.put("l.txt", "".join(f"{label}\n" for label in labels))
            card["labels"] = "l.txt"
        self.put("n.card.json", json.dumps(card))
        return logits(classes, bias)

    def record(self, *args):
        self.result = self.succeed("explain", "n.onnx", "p.png", "--json", "r.json", "--map",
                                   "m.npy", *args)
        return read_json(self.path("r.json"))

    def assertMap(self, weights):
        for got, want in zip(Npy(self.path("m.npy")).value, heat(weights)):
            self.assertAlmostEqual(got, want, places=5)

    def assertClass(self, found, index, label, logit, probability):
        self.assertEqual((found["index"], found["label"]), (index, label))
        self.assertAlmostEqual(found["logit"], logit, places=5)
        self.assertAlmostEqual(found["probability"], probability, places=6)

    # ---- one score ----

    def test_yes_and_no(self):
        negated = [-w for w in WEIGHTS[:MAPS]]
        for labels, names in [(None, ["yes", "no"]), (["cat"], ["cat", "not cat"]),
                              (["cat", "dog"], ["cat", "dog"])]:
            (x,) = self.network(1, [0.3], labels, "sigmoid")
            for method in ["kl-dve", "grad-cam"]:
                for target, weights in enumerate([WEIGHTS[:MAPS], negated]):
                    for said in [str(target), names[target], names[target].upper()]:
                        record = self.record("--method", method, "--target", said)
                        self.assertEqual((record["scores"], record["kl"]), ("sigmoid", 0))
                        self.assertClass(record["target"], target, names[target],
                                         [x, 0][target], sigmoid([x, -x][target]))
                        self.assertMap(weights)
            self.assertEqual([c["label"] for c in record["top5"]], names if x > 0 else names[::-1])
            self.assertAlmostEqual(sum(c["probability"] for c in record["top5"]), 1, places=6)
            self.assertIsNone(record["probabilities"])

    def test_top_class_is_the_sign(self):
        for bias, label in [(5, "yes"), (-5, "no")]:
            self.network(1, [bias], None, "sigmoid")
            self.assertEqual(self.record()["target"]["label"], label)

    def test_number(self):
        (x,) = self.network(1, [-3])
        self.assertLess(x, 0)
        for target, question, weights in [("top1", "why so high", WEIGHTS[:MAPS]),
                                          ("0", "why so high", WEIGHTS[:MAPS]),
                                          ("1", "why not higher", [-w for w in WEIGHTS[:MAPS]])]:
            record = self.record("--target", target)
            self.assertEqual((record["scores"], record["target"], record["top5"]),
                             ("number", None, []))
            self.assertAlmostEqual(record["value"], x, places=5)
            self.assertAlmostEqual(record["sigmoid"], sigmoid(x), places=6)
            self.assertEqual(record["question"], question)
            self.assertTrue(any("explained as a number" in n for n in record["notes"]))
            self.assertIn(f"the number {x:.6g}", self.result.out)
            self.assertIn(question, self.result.out)
            self.assertNotIn("class 0", self.result.out)
            self.assertMap(weights)
        self.assertIn("explained as a number", self.result.err)

    def test_reading_of_one_score(self):
        """By default, with labels, and as the card or the option says."""
        for labels, card, option, scores, note in [
                (None, None, None, "number", "explained as a number"),
                (["cat"], None, None, "raw", "because there are labels"),
                (["cat", "dog"], None, None, "raw", "because there are labels"),
                (None, "sigmoid", None, "sigmoid", None), (None, "raw", None, "raw", None),
                (["age"], "number", None, "number", None),
                (None, "sigmoid", "number", "number", None),
                (["cat"], "number", "sigmoid", "sigmoid", None)]:
            self.network(1, [0.5], labels, card)
            record = self.record(*(["--scores", option] if option else []))
            self.assertEqual(record["scores"], scores)
            self.assertEqual(bool(note), any("scores" in n for n in record["notes"]))
            self.assertTrue(not note or note in " ".join(record["notes"]))
            if scores == "raw":
                self.assertIn("assumption", record["probabilities"])
        self.assertIn("cat", self.result.out)

    def test_name_of_a_number(self):
        self.network(1, [0.5], ["age"], "number")
        self.record()
        self.assertIn("age ", self.result.out)

    # ---- two and more ----

    def test_two_classes(self):
        k = self.network(2, [0.1, -0.4], ["cat", "dog"])
        p = sigmoid(k[0] - k[1])
        difference = [a - b for a, b in zip(WEIGHTS[:MAPS], WEIGHTS[MAPS:])]
        for reading in ["contrast", "rivals", "neighbours"]:
            for target, weights in enumerate([difference, [-w for w in difference]]):
                record = self.record("--reading", reading, "--target", str(target))
                self.assertClass(record["target"], target, ["cat", "dog"][target], k[target],
                                 [p, 1 - p][target])
                self.assertEqual((record["kl"], record["scores"]), (0, "raw"))
                self.assertMap(weights)
        self.record("--method", "grad-cam", "--target", "dog")
        self.assertMap(WEIGHTS[MAPS:2 * MAPS])

    def test_pair_of_probabilities(self):
        """1 - sigmoid(x) and sigmoid(x): each class has a map with every method."""
        (x,) = logits(1, [0.3])
        self.put("n.onnx", tinynet.model(
            [
                tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
                tinynet.node("Relu", ["conv"], ["relu"]),
                tinynet.node("GlobalAveragePool", ["relu"], ["pool"]),
                tinynet.node("Flatten", ["pool"], ["flat"]),
                tinynet.node("Gemm", ["flat", "w", "b"], ["x"], transB=1),
                tinynet.node("Sigmoid", ["x"], ["p"]),
                tinynet.node("Sub", ["one", "p"], ["q"]),
                tinynet.node("Concat", ["q", "p"], ["pair"], axis=1),
            ], [
                tinynet.tensor("k", [MAPS, 3, 1, 1], FEATURES),
                tinynet.tensor("w", [1, MAPS], WEIGHTS[:MAPS]),
                tinynet.tensor("b", [1], [0.3]),
                tinynet.tensor("one", [1], [1.0]),
            ], [tinynet.value_info("image", [1, 3, SIZE, SIZE])],
            [tinynet.value_info("pair", [1, 2])]))
        for method in ["kl-dve", "grad-cam"]:
            for target, sign in enumerate([-1, 1]):
                record = self.record("--method", method, "--target", str(target))
                self.assertEqual(record["scores"], "softmax")
                self.assertClass(record["target"], target, None, sign * x / 2, sigmoid(sign * x))
                self.assertMap([sign * w for w in WEIGHTS[:MAPS]])
        for target in ["0", "1"]:
            self.assertNotIn("flat", self.record("--method", "saliency", "--target", target)["flags"])

    def test_two_equal_scores(self):
        self.put("n.onnx", tinynet.classifier(2, SIZE, [0] * 8, [1, 1], FEATURES))
        record = self.record("--dump", "d")
        self.assertEqual(list(Npy(self.path("d/neighbours_cotangent.npy")).value), [1, -1])
        self.assertEqual(record["target"]["probability"], 0.5)

    def test_readings_whose_z_is_0(self):
        self.network(2, [0.1, -0.4])
        for args in [["--reading", "paper"], ["--reading", "channel"],
                     ["--method", "guided-kl-dve", "--reading", "channel"]]:
            record = self.record(*args)
            self.assertEqual(set(Npy(self.path("m.npy")).value), {0})
            self.assertIn("P = Q", record["notes"][-1])
            self.assertIn("the same everywhere: with two classes P = Q", self.result.out)

    def test_each_class_by_itself(self):
        k = self.network(3, [0.4, 0.2, 0.1], ["a", "b", "c"], "sigmoid")
        record = self.record()
        self.assertEqual(record["scores"], "sigmoid")
        self.assertIn("each class by itself", record["probabilities"])
        self.assertIn("each class by itself", self.result.out)
        order = sorted(range(3), key=lambda c: -k[c])
        self.assertEqual([c["index"] for c in record["top5"]], order)
        for c in record["top5"]:
            self.assertClass(c, c["index"], "abc"[c["index"]], k[c["index"]],
                             sigmoid(k[c["index"]]))

    def test_softmax_is_said_only_where_the_file_has_none(self):
        k = self.network(3, [0.4, 0.2, 0.1], None, "softmax")
        record = self.record()
        self.assertIsNone(record["probabilities"])
        total = sum(math.exp(v) for v in k)
        for c in record["top5"]:
            self.assertClass(c, c["index"], None, k[c["index"]], math.exp(k[c["index"]]) / total)
        self.network(3, [0.4, 0.2, 0.1])
        self.assertIn("assumption", self.record()["probabilities"])

    # ---- scores that are probabilities already ----

    def tail(self, classes, bias, *tail):
        """The scores behind a tail of nodes, from "gemm" to "scores", with a constant "half"."""
        head = [tinynet.node("Conv", ["image", "k"], ["conv"], kernel_shape=[1, 1]),
                tinynet.node("Relu", ["conv"], ["relu"]),
                tinynet.node("GlobalAveragePool", ["relu"], ["pool"]),
                tinynet.node("Flatten", ["pool"], ["flat"]),
                tinynet.node("Gemm", ["flat", "w", "b"], ["gemm"], transB=1),
                tinynet.node("Add", ["b", "b"], ["twice"]),
                tinynet.node("Div", ["b", "twice"], ["half"])]
        self.put("n.onnx", tinynet.classifier(classes, SIZE, WEIGHTS[:MAPS * classes], bias,
                                              FEATURES, head + list(tail)))
        return self.record()

    def test_scores_that_look_like_probabilities(self):
        """Here a root behind a softmax or a sigmoid hides it."""
        said = "they look like probabilities"
        softmax = [tinynet.node("Softmax", ["gemm"], ["p"]), tinynet.node("Sqrt", ["p"], ["q"])]
        halved = softmax + [tinynet.node("Mul", ["q", "half"], ["scores"])]
        restored = softmax + [tinynet.node("Mul", ["q", "q"], ["scores"])]
        shifted = [tinynet.node("Sigmoid", ["gemm"], ["p"]),
                   tinynet.node("Add", ["p", "half"], ["q"]),
                   tinynet.node("Mul", ["q", "half"], ["r"]),
                   tinynet.node("Sqrt", ["r"], ["scores"])]
        for classes, tail, looks in [(2, halved, False), (2, restored, True), (3, halved, True),
                                     (3, shifted, True)]:
            record = self.tail(classes, [0.4, -0.2, 0.1][:classes], *tail)
            self.assertEqual(record["scores"], "raw")
            self.assertTrue(all(0 <= c["logit"] <= 1 for c in record["top5"]))
            self.assertEqual(any(said in n for n in record["notes"]), looks, (classes, tail))
            self.assertEqual(said in self.result.err, looks)
        self.assertNotIn(said, self.result.out)
        result = self.succeed("explain", "n.onnx", "p.png", "--quiet", "--json", "r.json")
        self.assertEqual(result.err, "")
        for scores in ["softmax", "sigmoid"]:  # the user knows better
            record = self.record("--scores", scores)
            self.assertFalse(any(said in n for n in record["notes"]))
        result = self.succeed("compare", "--model", "n.onnx", "p.png", "--json", "g.json",
                              "--table")
        self.assertIn(said, result.err)
        self.assertIn(said, read_json(self.path("g.json"))["maps"][0]["remark"])

    def test_raw_scores_are_no_probabilities(self):
        self.network(3, [0.4, 0.2, -30])
        record = self.record()
        self.assertEqual(record["scores"], "raw")
        self.assertFalse(any("look like" in n for n in record["notes"]))

    # ---- every method ----

    def test_every_method(self):
        methods = [line.split()[0] for line in self.succeed("methods").out.splitlines()[1:]
                   if re.match(r"[a-z].* (layer|pixels) ", line) and "rollout" not in line]
        self.assertGreater(len(methods), 30)
        for classes, scores in [(1, "sigmoid"), (1, "number"), (2, None), (2, "sigmoid")]:
            self.network(classes, [2, -0.4][:classes], None, scores)
            for method in methods:
                for target in ["0", "1"] if scores == "sigmoid" and classes == 1 else ["1"]:
                    result = self.kldve("explain", "n.onnx", "p.png", "--method", method,
                                        "--target", target, "--check", "--json", "r.json",
                                        "--sign", "signed")
                    self.assertEqual(result.status, 0, (classes, scores, method, result.err))
                    record = read_json(self.path("r.json"))
                    self.assertEqual(record["method"], method)
                    self.assertTrue(0 <= record["class_sensitivity"] <= 2, (method, record))

    # ---- side by side ----

    def test_grid(self):
        (x,) = self.network(1, [-3], ["age"], "number")
        os.rename(self.path("n.onnx"), self.path("age.onnx"))
        os.rename(self.path("n.card.json"), self.path("age.card.json"))
        self.network(3, [0.4, 0.2, 0.1], None, "sigmoid")
        args = ["--model", "age.onnx", "--labels", "l.txt", "--model", "n.onnx", "p.png"]
        result = self.succeed("compare", *args, "--table", "--json", "g.json")
        figures = read_json(self.path("g.json"))
        self.assertEqual([n["scores"] for n in figures["networks"]], ["number", "sigmoid"])
        self.assertEqual(figures["networks"][0]["number"], "age")
        self.assertEqual(figures["predictions"][0]["top5"], [])
        self.assertAlmostEqual(figures["predictions"][0]["value"], x, places=5)
        self.assertIsNone(figures["maps"][0]["target"])
        self.assertEqual(figures["maps"][0]["question"], "why so high")
        self.assertAlmostEqual(figures["maps"][0]["value"], x, places=5)
        self.assertNotIn("value", figures["maps"][1])
        k = logits(3, [0.4, 0.2, 0.1])
        for c in figures["predictions"][1]["top5"]:
            self.assertAlmostEqual(c["probability"], sigmoid(k[c["index"]]), places=6)
        self.assertIn("each class by itself", result.out)
        self.assertIn(f"{x:.4g}", result.out)
        self.assertNotIn("class 0   ", result.out.split("n  ")[0])
        self.succeed("report", *args, "-o", "r.html")
        if os.environ.get("KLDVE_SHEETS") == "1":
            self.succeed("compare", *args, "-o", "s.png")

    # ---- what is refused ----

    def test_refused(self):
        for classes, labels, args, message in [
                (1, None, ["--scores", "softmax"], r"n\.onnx: scores: .* one score.*always 1"),
                (3, None, ["--scores", "number"], r"n\.onnx: scores: .*3 scores.*not one number"),
                (1, None, ["--scores", "sigmoid", "--target", "maybe"], r"no labels"),
                (1, None, ["--scores", "sigmoid", "--target", "2"], r"2 classes, give 0 to 1"),
                (1, ["a", "b", "c"], [], r"3 labels, but n\.onnx has 2 classes"),
                (1, ["a", "b"], ["--scores", "number"], r"2 labels, but n\.onnx gives one number"),
                (1, None, ["--scores", "number", "--truth", "model:n.onnx"], r"one number.*--truth"),
                (1, None, ["--scores", "sigmoid", "--target", "0", "--target", "1"],
                 r"2 of 2 classes are targets")]:
            self.network(classes, [0.1] * classes, labels)
            result = self.kldve("explain", "n.onnx", "p.png", "--map", "x.npy", *args)
            self.assertEqual(result.status, 1, (args, result.err))
            self.assertRegex(result.err.splitlines()[-1], "^kldve: .*" + message)
            self.assertFalse(os.path.exists(self.path("x.npy")))
        result = self.kldve("explain", "n.onnx", "p.png", "--scores", "logits")
        self.assertEqual(result.status, 2)
        self.assertIn("softmax, sigmoid, raw", result.err)
        self.put("n.card.json", '{"scores": "maybe"}')
        result = self.kldve("explain", "n.onnx", "p.png")
        self.assertEqual(result.status, 1)
        self.assertIn("scores: 'maybe' is not softmax, sigmoid, raw or number", result.err)


if __name__ == "__main__":
    main()
