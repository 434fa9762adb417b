"""A folder with a picture, a network, its card and its labels for each test of the kldve command."""
import os
import shutil
import tempfile
import unittest

import tinynet
from command import png, run


def blob(x, y):
    """A bright red disc on a dull gradient."""
    inside = (x - 12) ** 2 + (y - 20) ** 2 < 60
    return bytes([230, 40, 30]) if inside else bytes([2 * x + 40, 90, 3 * y + 20])


class Folder(unittest.TestCase):
    """Every test has its own folder with a picture, a network, its card and its labels."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="kldve-cli-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.put("pic.png", png(48, 40, blob))
        self.put("net.onnx", tinynet.classifier())
        self.put("net.card.json", '{"input": {"channels": "RGB", "mean": [100, 100, 100]},'
                 ' "labels": "labels.txt"}')
        self.put("labels.txt", "n00000001 red fox, vixen\nn00000002 grey wolf\ncrane\ncrane\n")
        self.put("plain.onnx", tinynet.classifier())

    def put(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return path

    def path(self, name):
        return os.path.join(self.dir, name)

    def kldve(self, *args, **keywords):
        return run(*args, cwd=self.dir, **keywords)

    def succeed(self, *args, **keywords):
        result = self.kldve(*args, **keywords)
        self.assertEqual(result.status, 0, result.err)
        return result
