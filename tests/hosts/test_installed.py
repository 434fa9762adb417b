"""The lines of docs/hosts.md that build the hosts, against an installation, away from the sources."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests", "cli"))
from command import SOURCE, main  # noqa: E402

NETWORK = os.path.join(SOURCE, "demo", "kldve-demo.onnx")
PICTURE = os.path.join(SOURCE, "demo", "pictures", "scene1.png")
NO_TIME_FOR = {"libtorch/autograd"}  # the headers of libtorch take half a minute; the build compiles them once
TRIED = {"allocator/allocator": [NETWORK, PICTURE], "threads/threads": [NETWORK, "2", PICTURE],
         "cancel/cancel": [NETWORK, PICTURE, "cam"], "ring/record": [NETWORK, "r.ring", "2", PICTURE]}  # each says that the cat is what it sees


def lines_of_page():
    """{folder/host: the command that builds it}"""
    with open(os.path.join(SOURCE, "docs", "hosts.md")) as file:
        found = re.findall(r"^(c(?:c|\+\+) .*-o (\w+/\w+) .*)$", file.read(), re.M)
    return {name: line for line, name in found}


class Installed(unittest.TestCase):
    def setUp(self):
        if not os.environ.get("KLDVE_MESON"):
            self.skipTest("static libraries, or built with a sanitizer")
        self.dir = tempfile.mkdtemp(prefix="kldve-installed-")
        self.addCleanup(shutil.rmtree, self.dir)
        root = os.path.join(self.dir, "root")
        subprocess.run([os.environ["KLDVE_MESON"], "install", "-C", os.environ["KLDVE_BUILD"], "--no-rebuild",
                        "--destdir", root], check=True, capture_output=True)
        packages = list(pathlib.Path(root).rglob("kldve*.pc"))
        for package in packages:  # as if it had been installed there
            text = package.read_text()
            package.write_text(re.sub(r"^prefix=", "prefix=" + root, text, flags=re.M))
        libraries = {str(path.parent) for path in pathlib.Path(root).rglob("libkldve*.so.1")}
        self.assertEqual(len(libraries), 1)
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(packages[0].parent), LD_LIBRARY_PATH=libraries.pop())
        shutil.copytree(os.path.join(SOURCE, "examples", "hosts"), self.path("hosts"))

    def path(self, name):
        return os.path.join(self.dir, name)

    def shell(self, line):
        return subprocess.run(["sh", "-c", line], cwd=self.path("hosts"), env=self.env, capture_output=True,
                              text=True, timeout=120)

    def test_lines_of_the_page(self):
        built = set()
        for name, line in lines_of_page().items():
            others = re.search(r"pkg-config --cflags --libs ([^)]*)\)", line).group(1)
            if name in NO_TIME_FOR or self.shell("pkg-config --exists " + others).returncode:
                continue
            done = self.shell(line + " -Wall -Wextra -Werror")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), name)
            built.add(name)
        self.assertLessEqual(set(TRIED), built)
        for name, arguments in TRIED.items():
            done = subprocess.run([self.path("hosts/" + name), *arguments], cwd=self.dir, env=self.env,
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("class 2", done.stdout)


if __name__ == "__main__":
    main()
