"""Ready cards: every one loads and is in docs/model-cards.md, as it is; --card finds them by name."""
import json
import os
import re
import unittest

from command import SOURCE, main, run
from folder import Folder
from test_command import check

CARDS = os.path.join(SOURCE, "cards")


class Cards(Folder):
    def listed(self):
        return dict(re.findall(r"^  (\S+) +(.*)$", run("cards").out, re.M))

    def test_every_card_is_listed_printed_and_in_the_manual(self):
        names = sorted(f[:-len(".card.json")] for f in os.listdir(CARDS) if f.endswith(".card.json"))
        listed = self.listed()
        self.assertEqual(sorted(listed), names)
        with open(os.path.join(SOURCE, "docs", "model-cards.md")) as file:
            manual = dict(re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]*) \| (?:any|\d+ x \d+) ", file.read(), re.M))
        self.assertEqual(manual, listed)
        for name in names:
            with open(os.path.join(CARDS, name + ".card.json")) as file:
                self.assertEqual(run("cards", name).out, file.read())
            card = json.loads(run("cards", name).out)
            self.assertTrue(card["for"] and card["source"], name)
            self.assertNotIn("labels", card)

    def test_every_card_loads(self):
        for name in self.listed():
            result = run("explain", "net.onnx", "pic.png", "--card", name, "--map", "m.npy", cwd=self.dir)
            with self.subTest(name):
                self.assertIn(f"net.onnx: the ready card {name}; 'kldve cards {name}' shows it\n", result.err)
                # The network has another size than most of the cards' networks.
                self.assertEqual(result.status, 0 if name in ("unit", "signed") else 1, result.err)
                if result.status:
                    self.assertRegex(result.err, "fixes the size of its input|whose input has 3 channels")

    def test_a_file_of_that_name_is_the_card(self):
        self.put("unit", b"{}")
        result = run("explain", "net.onnx", "pic.png", "--card", "unit", "--map", "m.npy", cwd=self.dir)
        self.assertEqual(result.status, 0, result.err)
        self.assertNotIn("ready card", result.err)

    def test_failures(self):
        check(self, ["cards", "torchvision-v9"], 2, r"there is no ready card 'torchvision-v9'; did you mean")
        check(self, ["cards", "unit", "signed"], 2, r"")
        check(self, ["explain", "net.onnx", "pic.png", "--quiet", "--card", "yolo-641"], 1,
              r"yolo-641: cannot read the model card: No such file or directory; did you mean 'yolo-640'")


main()
