""""-" in place of a file: standard input and standard output, and what a terminal is spared."""
import os
import pty
import subprocess

from command import KLDVE, main, read_json
from folder import Folder


class Streams(Folder):
    def piped(self, *args, data=None, status=0):
        """Bytes in, bytes out."""
        with open(self.path("pic.png"), "rb") as file:
            picture = file.read()
        done = subprocess.run([KLDVE, *args], cwd=self.dir, input=picture if data is None else data,
                              capture_output=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stderr)
        if status:
            self.assertRegex(done.stderr.decode(), r"\Akldve: [^\n]+\n\Z")
        return done

    def file(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_picture_from_standard_input(self):
        self.succeed("explain", "net.onnx", "pic.png", "--quiet", "--map", "a.npy", "-o", "a.png")
        self.piped("explain", "net.onnx", "-", "--quiet", "--map", "b.npy", "-o", "b.png", "--json", "r.json")
        self.assertEqual(self.file("a.npy"), self.file("b.npy"))
        self.assertEqual(self.file("a.png"), self.file("b.png"))
        self.assertEqual(read_json(self.path("r.json"))["picture"], "-")
        done = self.piped("explain", "-", "net.onnx")
        self.assertIn(b"wrote stdin.kldve.png\n", done.stdout)
        done = self.piped("compare", "net.onnx", "-", "pic.png", "--json", "-")
        self.assertIn(b'"picture"', done.stdout)

    def test_files_on_standard_output(self):
        self.succeed("explain", "net.onnx", "pic.png", "--quiet", "-o", "a.png", "--heat", "h.png", "--map", "m.npy")
        for option, name in ("-o", "a.png"), ("--heat", "h.png"), ("--map", "m.npy"):
            done = self.piped("explain", "net.onnx", "pic.png", option, "-")
            self.assertEqual(done.stdout, self.file(name), option)
            self.assertEqual(done.stderr, b"")
        self.assertEqual(self.piped("explain", "net.onnx", "-", "-o", "-").stdout, self.file("a.png"))
        self.assertNotIn("-", os.listdir(self.dir))

    def test_refused(self):
        for status, args, data, says in [
                (2, ["explain", "net.onnx", "-", "-"], None, b"- is standard input, which holds one picture: give it once"),
                (2, ["compare", "net.onnx", "-", "-"], None, b"- is standard input, which holds one picture: give it once"),
                (2, ["explain", "pic.png", "-o", "-", "--json", "-"], None, b"-o - and --json - cannot share standard output: give one of them a file"),
                (2, ["explain", "pic.png", "--heat", "-", "--map", "-"], None, b"--heat - and --map - cannot share standard output"),
                (2, ["explain", "pic.png", "--terminal", "-o", "-"], None, b"--terminal and -o - cannot share standard output"),
                (2, ["explain", "--model", "-", "pic.png"], None, b"--model -: a network is read from a file"),
                (1, ["explain", "-"], b"", b"standard input: it is empty"),
                (1, ["explain", "-"], b"GIF89a" + bytes(9), b"standard input: this is a GIF picture, and pictures are PNG or JPEG"),
                (1, ["explain", "-"], b"\x89PNG\r\n\x1a\n" + bytes(9), b"standard input: "),
                (1, ["explain", "-", "--limit", "picture-file=100"], None, b"standard input: ")]:
            with self.subTest(args=args, data=data):
                done = self.piped(*args, data=data, status=status)
                self.assertIn(b"kldve: " + says, done.stderr)
                self.assertEqual(done.stdout, b"")

    def on_terminal(self, *args):
        """What the command writes to a terminal that is all three of its streams; its exit status."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([KLDVE, *args], cwd=self.dir, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        said = b""
        try:
            while part := os.read(leader, 65536):
                said += part
        except OSError:  # how Linux says that nobody is left
            pass
        os.close(leader)
        return process.wait(60), said

    def test_terminal(self):
        for args, says in [(["explain", "net.onnx", "pic.png", "-o", "-"], b"-o - would write bytes that are no text to a terminal"),
                           (["explain", "net.onnx", "pic.png", "--map", "-"], b"--map - would write bytes that are no text"),
                           (["explain", "net.onnx", "-"], b"- is standard input, and that is a terminal")]:
            status, said = self.on_terminal(*args)
            self.assertEqual(status, 2)
            self.assertIn(says, said)
        status, said = self.on_terminal("explain", "net.onnx", "pic.png", "-o", "-", "--force", "--quiet")
        self.assertEqual((status, said[:4]), (0, b"\x89PNG"))

    def test_standard_output_that_is_an_input(self):
        before = self.file("pic.png")
        with open(self.path("pic.png"), "r+b") as out:
            done = subprocess.run([KLDVE, "explain", "net.onnx", "pic.png", "-o", "-"], cwd=self.dir, stdout=out,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"-o - would overwrite pic.png, which is read", done.stderr)
        self.assertEqual(self.file("pic.png"), before)


main()
