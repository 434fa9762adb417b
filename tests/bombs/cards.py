"""Model cards."""
import json

import tinynet
from bomb import Bomb, fifo, link_to, png, sparse

BASE = {"net.onnx": tinynet.classifier(), "pic.png": png(16, 16)}
ARGS = ["explain", "net.onnx", "pic.png", "--json", "r.json"]
KEYS = ["name", "source", "input", "layout", "picture_input", "inputs", "dims", "logits", "select", "scores",
        "detector", "features", "grid", "labels"]
INPUT_KEYS = ["shape", "channels", "scale", "mean", "std", "resize_shorter_side", "center_crop", "resize",
              "interpolation", "pad"]
WRONG = ["true", "-1", "1e999", "\"\"", "\"\\u0000\"", "[]", "{}", "[[[[1]]]]", "9223372036854775808", "[1e999, 0, 0]"]


def card(family, name, text, allowed=(0, 1), waits=None, **files):
    data = {"net.card.json": text, **BASE, **files}
    return Bomb("card", family, name, data, ARGS, allowed, waits=waits, host=("card", "net.card.json"))


def texts():
    yield "100 000 arrays deep", "[" * 100000
    yield "10 000 arrays deep in a key", '{"x": ' + "[" * 10000 + "]" * 10000 + "}"
    yield "10 000 objects deep", '{"a":' * 10000 + "1" + "}" * 10000
    yield "deep in inputs", '{"inputs": {"x": ' + "[" * 30 + "1" + "]" * 30 + "}}"
    yield "a name of a megabyte", '{"name": "' + "x" * 1000000 + '"}'
    yield "a key of a megabyte", '{"' + "k" * 1000000 + '": 1}'
    yield "100 000 keys", "{" + ",".join(f'"k{i}":{i}' for i in range(70000)) + "}"
    yield "100 000 equal keys", "{" + ",".join('"name":"a"' for _ in range(80000)) + "}"
    yield "equal keys that differ", '{"labels": "a.txt", "labels": {}, "labels": 3}'
    yield "half a million numbers", '{"input": {"mean": [' + "1," * 500000 + "1]}}"
    yield "half a million empty arrays", '{"x": [' + "[]," * 340000 + "[]]}"
    yield "numbers in inputs", '{"inputs": {"x": [' + "1," * 500000 + "1]}}"
    yield "65 inputs", '{"inputs": {' + ",".join(f'"i{i}": 1' for i in range(65)) + "}}"
    yield "65 dims", '{"dims": {' + ",".join(f'"i{i}": 1' for i in range(65)) + "}}"
    yield "empty", ""
    yield "a blank", " "
    yield "null", "null"
    yield "a number", "1"
    yield "text behind it", "{} {}"
    yield "NUL inside", '{"name": "a\0b"}'
    yield "an escaped NUL", '{"name": "a\\u0000b", "logits": "scores\\u0000x"}'
    yield "invalid UTF-8", b'{"name": "\xff\xfe\x80"}'
    yield "half a surrogate", '{"name": "\\ud800"}'
    yield "a mark of byte order", b"\xef\xbb\xbf{}"
    yield "NaN", '{"input": {"scale": NaN}}'
    yield "infinity", '{"input": {"std": [Infinity, 1, 1]}}'
    yield "a number of a million digits", '{"input": {"scale": ' + "9" * 1000000 + "}}"
    yield "an exponent beyond", '{"input": {"scale": 1e-999999999999}}'
    yield "a comment that never ends", "/*" + "*" * 1000
    yield "above the limit", '{"x": "' + "x" * (1 << 20) + '"}'
    yield "cut off", '{"input": {"mean": [1, 2'
    yield "escape sequences", '{"name": "\\u001b[31m\\u009b2J", "logits": "\\u001b]0;evil\\u0007"}'


def wrong_types():
    """Each key once with each wrong value, several keys to a card that is read in any order."""
    for key in KEYS:
        yield f"{key}: wrong types", [f'{{"{key}": {value}}}' for value in WRONG]
    for key in INPUT_KEYS:
        yield f"input.{key}: wrong types", [f'{{"input": {{"{key}": {value}}}}}' for value in WRONG]


def label_files():
    places = {"the card itself": "net.card.json", "the network": "net.onnx", "/dev/zero": "/dev/zero",
              "/proc/self/mem": "/proc/self/mem", "parents": "../" * 40 + "etc/passwd", "absolute": "/etc/passwd",
              "a FIFO": "pipe", "a folder": ".", "a link out": "out", "a long name": "x" * 5000, "empty": "",
              "control characters": "\x1b[2J"}
    for name, place in places.items():
        yield card("label files", name, json.dumps({"labels": place}), pipe=fifo, out=link_to("/etc/passwd"))


def bombs():
    for name, text in texts():
        yield card("texts", name, text)
    for name, all_texts in wrong_types():
        for text in all_texts:
            yield card("wrong types", f"{name} {text}", text)
    yield from label_files()
    for name, make in {"a FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "a sparse file": sparse(4 << 30)}.items():
        yield Bomb("card", "files", name, {**BASE, "x.json": make}, [*ARGS, "--card", "x.json"], (1, 2))
    many = {"inputs": {"other": "a.npy"}}
    for name in ("a.npy", "/dev/zero", "../../../../etc/passwd", "pipe"):
        many["inputs"]["other"] = name
        yield card("value files", name, json.dumps(many), pipe=fifo)
