"""No option that is accepted does nothing: with every method, each of its options changes the map, or the KL that is
recorded beside it, or is refused by name."""
import os

from command import SOURCE, main, read_json, run
from folder import Folder

SCENE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
OPTIONS = [("--samples", "5"), ("--window", "20"), ("--stride", "3"), ("--noise", "0.4"), ("--seed", "5"),
           ("--temperature", "2.5"), ("--perplexity", "3.5"), ("--neighbour-perplexity", "2.5"), ("--reading", "rivals"),
           ("--rival", "5")]
SLOW = {"rise": "40", "kernel-shap": "400", "lime": "40", "smooth-grad": "3", "var-grad": "3", "integrated-gradients": "3"}


class Effects(Folder):
    def answer(self, *args):
        """The bytes of the map and KL; what was said where there is none."""
        result = self.kldve("explain", SCENE, "--target", "2", "--quiet", "--threads", "1", "--map", "m.npy",
                            "--json", "r.json", *args)
        if result.status:
            return result.status, result.err
        with open(self.path("m.npy"), "rb") as file:
            return 0, (file.read(), read_json(self.path("r.json")).get("kl"))

    def test_every_method(self):
        listed = run("explain", SCENE, "--method", "xyzzy").err
        methods = listed[listed.index("one of ") + 7:listed.index(";")].split(", ")
        self.assertGreater(len(methods), 30)
        for method in methods:
            few = ["--samples", SLOW[method]] if method in SLOW else []
            status, plain = self.answer("--method", method, *few)
            if status:  # this network has no attention
                continue
            for option, value in OPTIONS:
                with self.subTest(method=method, option=option):
                    status, said = self.answer("--method", method, option, value, *([] if option == "--samples" else few))
                    if status:
                        self.assertEqual(status, 2, said)
                        self.assertRegex(said, rf"\Akldve: {option} changes nothing[^\n]*\n\Z")
                    else:
                        self.assertNotEqual(said, plain, "accepted, and changes nothing")


main()
