"""Completion in bash, zsh and fish, as their users press Tab: in each shell that is installed."""
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest

import command
from command import KLDVE, SOURCE, run

SCRIPTS = os.path.join(SOURCE, "completions")
HAVE = {shell: shutil.which(shell) for shell in ("bash", "zsh", "fish")}
LABELS = ["red fox, vixen", "tiger cat", "it's", 'say "no"', "a=b:c", "$HOME", "\u00e9lan"] + [f"class {i}" for i in range(993)]


class Shell:
    """A shell on a terminal: type the start of a line, press Tab, look at what the line has become."""

    SHOW = {"bash": r"""bind -x '"\C-o": printf %s "$READLINE_LINE" >line'""",
            "zsh": "autoload -U compinit && compinit -u -d dump; show() { printf %s \"$BUFFER\" >line }; "
                   "zle -N show; bindkey '^O' show; unsetopt listbeep automenu; setopt listambiguous"}
    ARGS = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}

    def __init__(self, name, folder):
        self.folder, self.line = folder, os.path.join(folder, "line")
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [HAVE[name], *self.ARGS[name]], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**os.environ, "PATH": os.path.join(folder, "bin") + ":" + os.environ["PATH"], "TERM": "xterm",
                 "HOME": folder, "LC_ALL": "C.UTF-8", "PS1": "> "})
        os.close(theirs)
        self.ours = ours
        self.write(("source scripts/kldve.bash\n" if name == "bash" else "fpath=($PWD/scripts $fpath)\n") + self.SHOW[name] + "\n")
        self.write("touch ready\n")
        self.wait_for(os.path.join(folder, "ready"))

    def write(self, text):
        os.write(self.ours, text.encode())

    def wait_for(self, path):
        end = time.monotonic() + 60
        while not os.path.exists(path):
            if select.select([self.ours], [], [], 0.02)[0]:
                os.read(self.ours, 1 << 16)
            if time.monotonic() > end:
                raise AssertionError("the shell does not answer")

    def complete(self, start):
        """The line behind `start` and Tab."""
        if os.path.exists(self.line):
            os.remove(self.line)
        self.write("\x15" + start + "\t\x0f")
        self.wait_for(self.line)
        time.sleep(0.02)
        with open(self.line, encoding="utf-8") as file:
            return file.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="kldve-complete-")
        os.mkdir(os.path.join(cls.dir, "bin"))
        os.symlink(KLDVE, os.path.join(cls.dir, "bin", "kldve"))
        shutil.copytree(SCRIPTS, os.path.join(cls.dir, "scripts"))
        demo = os.path.join(SOURCE, "demo")
        shutil.copy(os.path.join(demo, "kldve-demo.onnx"), os.path.join(cls.dir, "net.onnx"))
        cls.put("net.card.json", '{"labels": "labels.txt"}')
        cls.put("labels.txt", "".join(label + "\n" for label in LABELS))
        cls.put("bad.onnx", "no network")
        for name in ("photo one.PNG", "notes.txt", "map.npy"):
            cls.put(name, "")
        os.mkdir(os.path.join(cls.dir, "shots"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    @classmethod
    def put(cls, name, text):
        with open(os.path.join(cls.dir, name), "w", encoding="utf-8") as file:
            file.write(text)

    def offered(self, *words):
        result = run("complete", "plain", *words, cwd=self.dir)
        self.assertEqual((result.status, result.err), (0, ""))
        kind, _, *lines = result.out.splitlines()
        return kind, [line.split("\t")[0] for line in lines]

    def test_what_the_command_offers(self):
        self.assertEqual(self.offered("ev"), ("words", ["evaluate"]))
        self.assertEqual(self.offered("explain", "--method", "ri"), ("words", ["rise"]))
        self.assertEqual(self.offered("explain", "--method=ri"), ("words", ["--method=rise"]))
        self.assertEqual(self.offered("compare", "--method", "kl-dve:riv"), ("words", ["kl-dve:rivals"]))
        self.assertEqual(self.offered("explain", "net.onnx", "--target", "class 99"),
                         ("words", ["class 99"] + [f"class {i}" for i in range(990, 993)]))
        self.assertIn("features", self.offered("explain", "net.onnx", "--layer", "")[1])
        self.assertEqual(self.offered("explain", "bad.onnx", "--layer", ""), ("words", []))
        self.assertEqual(self.offered("explain", "missing.onnx", "--target", ""), ("words", ["top1", "top2"]))
        self.assertEqual(self.offered("results", ""), ("files .db", []))
        self.assertEqual(self.offered("explain", "--card", "torchvision-v1"), ("files .json", ["torchvision-v1"]))
        cards = run("cards").out
        names = self.offered("cards", "")[1]
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertIn(f"\n  {name} ", cards)
        self.assertEqual(self.offered("explain", "--out-dir", ""), ("folders", []))
        for words in (["nothing", ""], ["nothing", "explain", ""]):
            result = run("complete", "plain", *words, cwd=self.dir)
            self.assertEqual((result.status, result.out, result.err), (0, "", ""))

    def test_every_option_and_choice_is_offered(self):
        for name in ("explain", "compare", "evaluate", "diff"):
            page = run("help", name).out
            listed = {word for line in page.splitlines() if line.startswith("  -") for word in line.split()[:1]}
            self.assertEqual(listed - set(self.offered(name, "-")[1]), set(), name)

    def test_a_thousand_labels_are_quick(self):
        begin = time.monotonic()
        self.assertGreater(len(self.offered("explain", "net.onnx", "--target", "")[1]), 1000)
        self.assertLess(time.monotonic() - begin, 5)

    def lines(self, shell, cases):
        if not HAVE[shell]:
            self.skipTest(f"{shell} is not installed")
        session = Shell(shell, self.dir)
        self.addCleanup(session.end)
        for start, line in cases:
            with self.subTest(shell=shell, start=start):
                self.assertEqual(session.complete("kldve " + start).rstrip(), "kldve " + line)

    COMMON = [("eva", "evaluate"), ("explain --term", "explain --terminal"), ("explain --method ris", "explain --method rise"),
              ("explain --method=ris", "explain --method=rise"), ("compare --method kl-dve:riv", "compare --method kl-dve:rivals"),
              ("explain net.onnx --target tig", r"explain net.onnx --target tiger\ cat"),
              ("explain net.onnx --layer featu", "explain net.onnx --layer features"),
              ("explain bad.onnx --layer ", "explain bad.onnx --layer"),
              ("explain pho", r"explain photo\ one.PNG"), ("explain sho", "explain shots/"),
              ("explain note", "explain note"),  # no picture
              ("explain --card net.c", "explain --card net.card.json"), ("explain --card yolo-6", "explain --card yolo-640")]

    def test_bash(self):
        self.lines("bash", self.COMMON + [
            ("explain net.onnx --target it", r"explain net.onnx --target it\'s"),
            ("explain net.onnx --target say", r"explain net.onnx --target say\ \"no\""),
            ("explain net.onnx --target \"tig", "explain net.onnx --target \"tiger cat\""),
            ("explain net.onnx --target 'tig", "explain net.onnx --target 'tiger cat'"),
            ("explain net.onnx --target a=", "explain net.onnx --target a=b:c"),
            ("explain net.onnx --target=tig", r"explain net.onnx --target=tiger\ cat")])

    def test_zsh(self):
        self.lines("zsh", self.COMMON + [
            ("explain net.onnx --target it", r"explain net.onnx --target it\'s"),
            ("explain net.onnx --target say", r"explain net.onnx --target say\ \"no\"")])

    def test_fish(self):
        """fish says what it would complete a line to."""
        if not HAVE["fish"]:
            self.skipTest("fish is not installed")
        for start, words in [("eva", ["evaluate"]), ("explain --term", ["--terminal"]), ("explain --method ris", ["rise"]),
                             ("explain --method=ris", ["--method=rise"]), ("compare --method kl-dve:riv", ["kl-dve:rivals"]),
                             ("explain net.onnx --target tig", ["tiger cat"]), ("explain net.onnx --target it", ["it's"]),
                             ("explain net.onnx --layer featu", ["features"]), ("explain bad.onnx --layer ", []),
                             ("explain pho", ["photo one.PNG"]), ("explain note", []), ("explain sho", ["shots/"]),
                             ("explain --card net.c", ["net.card.json"]), ("explain --card yolo-6", ["yolo-640"])]:
            done = subprocess.run([HAVE["fish"], "--no-config", "-c", 'source scripts/kldve.fish; complete -C "$argv[1]"', "kldve " + start],
                                  cwd=self.dir, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  env={**os.environ, "PATH": os.path.join(self.dir, "bin") + ":" + os.environ["PATH"],
                                       "HOME": self.dir, "LC_ALL": "C.UTF-8"})
            with self.subTest(start=start):
                self.assertEqual([row.split("\t")[0] for row in done.stdout.splitlines()], words, done.stderr)


if __name__ == "__main__":
    command.main()
