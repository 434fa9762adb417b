"""One grammar for all commands: what is a network, what is a picture, and that nothing counts them."""
import json
import os

import tinynet
from command import Npy, main, png, read_json
from folder import Folder


class Networks(Folder):
    """A network is a network wherever it stands and however it is given."""

    def record(self, *args):
        self.succeed("explain", "--quiet", "--json", "r.json", *args)
        return read_json(self.path("r.json"))

    def test_explain(self):
        for args in (["net.onnx", "pic.png"], ["pic.png", "net.onnx"], ["--model", "net.onnx", "pic.png"],
                     ["pic.png", "--model=net.onnx"], ["--target", "1", "net.onnx", "--", "pic.png"]):
            record = self.record(*args)
            self.assertEqual((record["model"], record["picture"]), ("net.onnx", "pic.png"), args)

    def test_a_network_of_another_name(self):
        os.rename(self.path("net.onnx"), self.path("net.bin"))
        self.assertEqual(self.record("--model", "net.bin", "--card", "net.card.json", "pic.png")["model"], "net.bin")

    def test_after_two_dashes_nothing_is_an_option(self):
        os.rename(self.path("pic.png"), self.path("-o.png"))
        result = self.succeed("explain", "net.onnx", "--json", "-", "--", "-o.png")
        self.assertEqual(json.loads(result.out)["picture"], "-o.png")

    def test_compare(self):
        seen = []
        for args in (["net.onnx", "plain.onnx", "pic.png"], ["pic.png", "net.onnx", "plain.onnx"],
                     ["--model", "net.onnx", "pic.png", "--model", "plain.onnx"],
                     ["--model", "net.onnx", "plain.onnx", "pic.png"]):
            self.succeed("compare", *args, "--quiet", "--json", "c.json")
            seen.append([n["model"] for n in read_json(self.path("c.json"))["networks"]])
        self.assertEqual(seen, [["net.onnx", "plain.onnx"]] * 4)

    def test_options_belong_to_the_network_before_them(self):
        self.succeed("compare", "net.onnx", "--layer", "pool", "plain.onnx", "pic.png", "--quiet", "--json", "c.json")
        self.assertEqual([n["layer"] for n in read_json(self.path("c.json"))["networks"]], ["pool", "relu"])
        self.succeed("compare", "--layer", "pool", "net.onnx", "plain.onnx", "pic.png", "--quiet", "--json", "c.json")
        self.assertEqual([n["layer"] for n in read_json(self.path("c.json"))["networks"]], ["pool", "pool"])

    def test_layers(self):
        self.assertEqual(self.succeed("layers", "net.onnx").out, self.succeed("layers", "--model", "net.onnx").out)

    def test_evaluate(self):
        os.mkdir(self.path("photos"))
        os.rename(self.path("pic.png"), self.path("photos/1.png"))
        for i, args in enumerate((["net.onnx", "photos"], ["photos", "net.onnx"], ["photos", "--model", "net.onnx"])):
            result = self.kldve("evaluate", *args, "--metric", "entropy", "--db", f"{i}.db", "--threads", "1")
            if "without" not in result.err:  # a build without SQLite says so
                self.assertEqual(result.status, 0, result.err)
                self.assertRegex(result.out, r"1 question x 1 network, ")


class Limits(Folder):
    """No argument and no option is one too many."""

    def test_targets(self):
        self.put("many.onnx", tinynet.classifier(classes=120))
        targets = [a for i in range(100) for a in ("--target", str(i))]
        self.succeed("explain", "many.onnx", "pic.png", *targets, "--quiet", "--map", "m.npy")
        self.assertEqual(Npy(self.path("m.npy")).shape, (8, 8))

    def test_pictures(self):
        for i in range(260):
            self.put(f"{i}.png", png(8, 8, lambda x, y: bytes([x * 30, y * 30, 90])))
        names = [f"{i}.png" for i in range(260)]
        self.succeed("compare", "net.onnx", *names, "--quiet", "--json", "c.json")
        self.assertEqual([p["picture"] for p in read_json(self.path("c.json"))["predictions"]], names)

    def test_networks(self):
        nets = ["net.onnx"] * 20
        self.succeed("compare", *nets, "pic.png", "--quiet", "--json", "c.json")
        self.assertEqual(len(read_json(self.path("c.json"))["networks"]), 20)

    def test_limits_and_inputs(self):
        limits = [a for i in range(70) for a in ("--limit", f"model={i + 1}G")]
        self.succeed("explain", "net.onnx", "pic.png", *limits, "--quiet", "-o", "a.png")
        result = self.kldve("explain", "net.onnx", "pic.png", *[f"--input=no{i}=1" for i in range(70)])
        self.assertEqual(result.status, 1)
        self.assertRegex(result.err, r"\Akldve: [^\n]*no0[^\n]*\n\Z")

    def test_more_maps_than_one_run_makes(self):
        targets = [a for i in range(5000) for a in ("--target", str(i))]
        result = self.kldve("compare", "net.onnx", *["pic.png"] * 5000, *targets)
        self.assertEqual((result.status, result.out), (1, ""))
        self.assertEqual(result.err, "kldve: 5000 pictures x 1 networks x 1 methods x 5000 targets are more maps than one run "
                         "makes, 16777216: give fewer at a time\n")


main()
