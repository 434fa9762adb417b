"""Files that are not what they were taken for: said by their content, with what makes a network or a picture of them."""
import io
import json
import os
import shutil
import struct
import zipfile

from command import main
from folder import Folder


def packed(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "{}")
    return out.getvalue()


def safetensors():
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(4)


# name, content, what it is, how a network is made of it, how a picture is made of it; None: not said
FILES = [
    ("a.pt", packed("a/data.pkl", "a/version"), "a PyTorch file", r"torch\.onnx\.export", None),
    ("b.pth", b"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + bytes(9), "a PyTorch file", "torch.onnx.export", None),
    ("c.pkl", b"\x80\x04\x95" + bytes(40), "a Python pickle", "skl2onnx", None),
    ("d.keras", packed("metadata.json", "config.json"), "a Keras model", "--keras FILE", None),
    ("e.h5", b"\x89HDF\r\n\x1a\n" + bytes(40), r"a Keras model \(HDF5\)", "--keras FILE", None),
    ("f.tflite", b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite model", "--tflite FILE", None),
    ("g.safetensors", safetensors(), r"a file of weights alone \(safetensors\)", "load them into their model", None),
    ("saved_model.pb", b"\x08\x01\x12\x90\x01\x0a\x05hello" + bytes(40), "a TensorFlow SavedModel", "--saved-model FOLDER", None),
    ("frozen.pb", b"\x0a\x20\x0a\x05input\x12\x0bPlaceholder" + bytes(40), "a TensorFlow graph", "--graphdef FILE", None),
    ("h.mlmodel", b"\x08\x04\x12\x20\x0a\x0b\x0a\x05image" + bytes(40), "a Core ML model", "export the model", None),
    ("i.zip", packed("readme.txt"), "a ZIP archive", "unpack it", "unpack it"),
    ("j.gz", b"\x1f\x8b\x08\0" + bytes(40), "a compressed file", "unpack it", "unpack it"),
    ("k", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS", "git lfs pull", "git lfs pull"),
    ("l", b"\n <!DOCTYPE HTML><html></html>", "a web page", "fetch it again", "fetch it again"),
    ("m", b"", "an empty file", "export it again", "write it again"),
    ("n", b"hello\n", "a text file", "exported to ONNX", "PNG or JPEG"),
    ("o", b"GIF89a" + bytes(40), "a GIF picture", None, "magick FILE"),
    ("p", b"RIFF\0\0\0\0WEBPVP8 " + bytes(40), "a WebP picture", None, "dwebp FILE"),
    ("q", b"\0\0\0\x18ftypheic" + bytes(40), "a HEIC picture", None, "heif-convert FILE"),
    ("r", b"\0\0\0\x1cftypavif" + bytes(40), "an AVIF picture", None, "avifdec FILE"),
    ("s", b"\0\0\0\x1cftypisom" + bytes(40), r"a film \(MP4 or MOV\)", None, "ffmpeg -i FILE"),
    ("t", b"%PDF-1.7\n" + bytes(40), "a PDF document", None, "pdftoppm -png FILE"),
    ("u", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing", None, "rsvg-convert FILE"),
    ("v", b"II*\0" + bytes(40), "a TIFF picture", None, "magick FILE"),
    ("w", b"BM" + bytes(40), "a BMP picture", None, "magick FILE"),
    ("x", b"\x93NUMPY\x01\0" + bytes(40), "a NumPy array", None, r"ends in \.npy"),
]


class Content(Folder):
    def line(self, *args):
        result = self.kldve(*args)
        self.assertEqual((result.status, result.out), (1, ""), result.err)
        self.assertRegex(result.err, r"\A[^\n]+\n\Z")
        return result.err

    def test_networks(self):
        for name, data, what, cure, _ in FILES:
            self.put(name, data)
            with self.subTest(name=name):
                line = self.line("explain", "--model", name, "pic.png", "-o", "a.png")
                self.assertRegex(line, rf"kldve: {name}: this is {what}, not an ONNX network" +
                                 (rf"; [^\n]*{cure}" if cure else r"\n"))

    def test_pictures(self):
        for name, data, what, _, cure in FILES:
            self.put("it", data)
            with self.subTest(name=name):
                line = self.line("explain", "it", "--model", "net.onnx", "-o", "a.png")
                if not name[1:] or name[1:] == ".zip":  # what is told by its name alone is not told here
                    self.assertRegex(line, rf"kldve: it: this is {what}, and pictures are PNG or JPEG" +
                                     (rf"; [^\n]*{cure}" if cure else r"\n"))

    def test_networks_of_other_formats_by_their_names(self):
        self.put("a.pt", FILES[0][1])
        self.assertIn("a.pt: this is a PyTorch file", self.line("explain", "a.pt", "pic.png", "-o", "a.png"))
        self.assertIn("no.pth: cannot open", self.line("explain", "pic.png", "no.pth", "-o", "a.png"))
        self.assertIn("a.pt: this is a PyTorch file", self.line("compare", "a.pt", "pic.png"))

    def test_swapped(self):
        self.assertEqual(self.line("explain", "--model", "pic.png", "pic.png", "-o", "a.png"),
                         "kldve: pic.png: this is a PNG picture, not an ONNX network\n")
        shutil.copy(self.path("pic.png"), self.path("p.onnx"))
        self.assertIn("p.onnx: this is a PNG picture", self.line("explain", "p.onnx", "pic.png", "-o", "a.png"))

    def test_a_network_by_its_content(self):
        shutil.copy(self.path("net.onnx"), self.path("net.model"))
        result = self.succeed("explain", "net.model", "pic.png", "-o", "a.png")
        self.assertIn("kldve: net.model: taken as the network, because it is an ONNX file by its content\n", result.err)
        self.assertEqual(self.succeed("explain", "pic.png", "net.model", "-o", "a.png", "--quiet").err, "")

    def test_a_folder(self):
        os.mkdir(self.path("folder"))
        self.assertIn("folder: this is a folder, not an ONNX network; give the .onnx file in it",
                      self.line("explain", "--model", "folder", "pic.png", "-o", "a.png"))


main()
