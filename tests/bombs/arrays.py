"""Arrays: .npy files as pictures, as values of inputs, and for kldve diff."""
import os
import struct

import tinynet
from bomb import Bomb, fifo, link_to, sparse


def npy(descr="'<f4'", shape="(1, 3, 8, 8)", data=bytes(768), fortran="False", version=1, head=None):
    if head is None:
        head = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"
    text = head.encode("latin-1")
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def files():
    big = "9" * 30
    yield "good", npy()
    for name, shape in {"2^63": f"({1 << 63}, 1)", "a number of 30 digits": f"({big},)", "negative": "(-1, 3, 8, 8)",
                        "that wraps": "(4294967296, 4294967296, 3)", "2^28": f"({1 << 28},)", "above 2^28": f"({(1 << 28) + 1},)",
                        "0 x 2^27": f"(0, {1 << 27})", "of rank 1000": "(" + "1, " * 1000 + ")", "no end": "(1, 3", "words": "('a',)",
                        "nothing": "()", "float": "(1.5, 3)", "a list": "[1, 3, 8, 8]"}.items():
        yield f"shape {name}", npy(shape=shape)
    for descr in ("'|O'", "'>f4'", "'<f16'", "'<c8'", "'<U9'", "'|V100'", "[('a', '<f4')]", "'<f4", "None", "'<f4'" + " " * 9000):
        yield f"type {descr[:20]}", npy(descr=descr)
    yield "Fortran order", npy(fortran="True")
    yield "order 7", npy(fortran="7")
    yield "a header of a GiB", b"\x93NUMPY\2\0" + struct.pack("<I", 1 << 30) + b"{" * 99
    yield "a header of 4 GiB", b"\x93NUMPY\2\0" + b"\xff" * 4
    yield "a header of nothing", b"\x93NUMPY\1\0\0\0"
    yield "a header of NULs", npy(head="\0" * 60000)
    yield "code as header", npy(head="__import__('os').system('reboot')")
    yield "keys of keys", npy(head="{'descr': '<f4', 'shape': 'shape': (1,), 'fortran_order'")
    yield "version 0", npy(version=0)
    yield "version 255", npy(version=255)
    yield "cut off", npy(data=bytes(767))
    yield "too long", npy(data=bytes(769))
    yield "empty", b""
    yield "only a signature", b"\x93NUMPY"
    for name, number in {"NaN": float("nan"), "infinity": float("inf"), "the largest": 3.4e38, "denormals": 1e-45}.items():
        yield f"values of {name}", npy(data=struct.pack("<f", number) * 192)
    yield "float64 beyond float32", npy(descr="'<f8'", data=struct.pack("<d", 1e300) * 192)
    yield "the largest integers", npy(descr="'<u8'", data=b"\xff" * 1536)


def bombs():
    net = tinynet.classifier()
    for name, data in files():
        yield Bomb("array", "as a picture", name, {"net.onnx": net, "a.npy": data},
                   ["explain", "net.onnx", "a.npy", "--json", "r.json"])
        yield Bomb("array", "to compare", name, {"a.npy": data, "b.npy": npy()}, ["diff", "a.npy", "b.npy"])
    for name, make in {"a FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "a sparse file": sparse(8 << 30),
                       "8 GiB behind a good header": sparse(8 << 30, npy(shape="(16384, 16384)", data=b"")),
                       "a link to itself": link_to("a.npy"), "a folder": os.mkdir}.items():
        memory = (2 << 30) if "8 GiB behind" in name else None
        yield Bomb("array", "places", name, {"net.onnx": net, "a.npy": make}, ["explain", "net.onnx", "a.npy", "--json", "r.json"],
                   (1, 2), memory=memory)
    for text in ("a.npy", "../" * 30 + "etc/passwd", "1e999", "nan", "", "/dev/zero"):
        yield Bomb("array", "values of inputs", f"--input x={text[:20]}", {"net.onnx": net, "a.npy": npy(shape="(2,)")},
                   ["explain", "net.onnx", "a.npy", "--input", f"x={text}"], (1, 2))
