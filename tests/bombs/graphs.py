"""Models that are wrong as graphs, as tensors, as files beside them, or as bytes."""
import os

import tinynet
from bomb import Bomb, fifo, later, link_to, png, sparse
from onnx import (FLOAT, IMAGE, SCORES, WEIGHTS, external, floats, graph, graph_attribute, ints, model, network, node,
                  raw_tensor)
from tinynet import field, value_info, varint

ADD = [node("Add", ["layer", "w"], ["t"])]
ARGS = ["explain", "net.onnx", "pic.png", "--json", "r.json"]


def tensors():
    dims = {"2^63-1": [(1 << 63) - 1], "that wrap 2^64": [1 << 32, 1 << 32], "that wrap 2^63": [1 << 31, 1 << 32],
            "that wrap to 4": [1 << 62, 16, 1], "zero": [0], "zero and huge": [0, 1 << 62], "negative": [-1],
            "two negative": [-1, -4], "rank 64": [1] * 64, "rank 10 000": [1] * 10000, "none": []}
    for name, d in dims.items():
        yield f"dims {name}", raw_tensor("w", d, raw=b"\0" * 4)
        yield f"dims {name}, no data", raw_tensor("w", d)
    yield "raw data too short", raw_tensor("w", [4], raw=b"\0" * 15)
    yield "raw data too long", raw_tensor("w", [4], raw=b"\0" * 17)
    yield "no type", field(1, 1) + field(8, "w") + field(9, b"\0" * 4)
    for kind in (0, 8, 14, 15, 16, 17, 21, 23, 99, (1 << 31) - 1, -1):
        yield f"type {kind}", raw_tensor("w", [1], kind, b"\0" * 16)
    yield "both kinds of data", raw_tensor("w", [1], raw=b"\0" * 4, more=field(4, b"\0" * 4))
    yield "data of another type", raw_tensor("w", [1], more=field(7, b"\1"))
    yield "segments", raw_tensor("w", [1], raw=b"\0" * 4, more=field(3, field(1, 0) + field(2, 1 << 62)))
    yield "a name of a megabyte", raw_tensor("w" * 1000000, [1], raw=b"\0" * 4)
    yield "no name", raw_tensor("", [1], raw=b"\0" * 4)
    for name, value in {"NaN": float("nan"), "infinity": float("inf"), "a denormal": 1e-45, "the largest": 3.4e38,
                        "minus infinity": float("-inf")}.items():
        yield f"weights of {name}", floats("w", [1], value)


def files_beside():
    """External data, and what lies where it should be."""
    data = b"\0" * 64
    entries = {"absolute": {"location": "/etc/passwd"}, "parents": {"location": "../../../../etc/passwd"},
               "/dev/zero": {"location": "/dev/zero"}, "a folder": {"location": "."}, "no name": {"location": ""},
               "a name of a megabyte": {"location": "x" * 1000000}, "NUL": {"location": "w\0.bin"},
               "huge offset": {"location": "w.bin", "offset": (1 << 63) - 1}, "negative offset": {"location": "w.bin", "offset": -1},
               "huge length": {"location": "w.bin", "length": (1 << 64) - 1}, "wrong length": {"location": "w.bin", "length": 3},
               "offset that is text": {"location": "w.bin", "offset": "\x1b[2J"}, "beyond its end": {"location": "w.bin", "offset": 63},
               "offset that wraps": {"location": "w.bin", "offset": (1 << 64) - 4, "length": 4}, "missing": {"location": "none.bin"},
               "a FIFO": {"location": "pipe"}, "a link out": {"location": "out"}, "a link to itself": {"location": "round"},
               "a link within": {"location": "in"}, "a sparse file": {"location": "large.bin", "offset": 1 << 33},
               "the model itself": {"location": "net.onnx"}, "control characters": {"location": "\x1b]0;evil\x07"},
               "no location": {"offset": 0}}
    beside = {"w.bin": data, "pipe": fifo, "out": link_to("/etc/passwd"), "round": link_to("round"), "in": link_to("w.bin"),
              "large.bin": sparse(16 << 30)}
    for name, said in entries.items():
        yield name, {"net.onnx": network(ADD, [external("w", [1], **said)]), **beside}
    whole = external("w", [1 << 32], location="large.bin", length=1 << 34)
    yield "a weight of 16 GiB", {"net.onnx": network(ADD, [whole]), **beside}
    many = [external(f"w{i}", [1], location="w.bin") for i in range(100000)]
    yield "one file 100 000 times", {"net.onnx": network(
        [node("Sum", ["layer"] + [f"w{i}" for i in range(100000)], ["t"])], many), **beside}
    yield "a key a million times", {"net.onnx": network(ADD, [raw_tensor("w", [1], more=field(
        13, field(1, "location") + field(2, "w.bin")) * 1000000 + field(14, 1))]), **beside}


def many_nodes(count):
    return network([node("Relu", ["layer"], [f"r{i}"]) for i in range(count)] + [node("Relu", ["r9"], ["t"])])


def graphs():
    chain = [node("Relu", ["layer" if i == 0 else f"r{i}"], [f"r{i + 1}"]) for i in range(100000)]
    yield "100 000 nodes in a chain", network(chain, result="r100000")
    yield "1 000 001 nodes", later(many_nodes, 1000001)
    doubled = [node("Add", ["layer" if i == 0 else f"r{i}"] * 2, [f"r{i + 1}"]) for i in range(5000)]
    yield "doubled 5000 times", network(doubled, result="r5000")
    joined = [node("Concat", ["layer" if i == 0 else f"r{i}"] * 2, [f"r{i + 1}"], axis=1) for i in range(60)]
    yield "joined with itself 60 times", network(joined, result="r60")
    yield "every node reads every other", network([node("Sum", ["layer"] + [f"r{j}" for j in range(i)], [f"r{i}"])
                                                   for i in range(1000)], result="r999")
    yield "a circle", network([node("Add", ["layer", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["t"])])
    yield "reads itself", network([node("Add", ["layer", "t"], ["t"])])
    yield "no such tensor", network([node("Add", ["layer", "nothing"], ["t"])])
    yield "written twice", network([node("Relu", ["layer"], ["t"]), node("Neg", ["layer"], ["t"])])
    yield "an initialiser twice", network(ADD, [floats("w", [1])] * 2)
    yield "an initialiser that is an output", network(ADD, [floats("w", [1]), floats("t", [1])])
    yield "no nodes", model(graph([], [], [IMAGE], [SCORES]))
    yield "the output is the input", model(graph([], [], [IMAGE], [value_info("image", [1, 3, 8, 8])]))
    yield "no inputs", model(graph([node("Identity", ["row"], ["scores"])], WEIGHTS, [], [SCORES]))
    yield "no outputs", model(graph([node("Identity", ["row"], ["scores"])], WEIGHTS, [IMAGE], []))
    inputs = b"".join(field(11, value_info(f"i{i}", [1])) for i in range(100000))
    outputs = b"".join(field(12, value_info(f"o{i}", [1])) for i in range(100000))
    yield "100 000 inputs", network([node("Relu", ["layer"], ["t"])], more=inputs)
    yield "100 000 outputs", network([node("Relu", ["layer"], ["t"])], more=outputs)
    for name, shape in {"2^63-1": [1, 3, (1 << 63) - 1, 8], "negative": [1, 3, -8, 8], "zero": [1, 3, 0, 8], "rank 64": [1] * 64,
                        "100 000 channels": [1, 100000, 8, 8], "30 000 x 30 000": [1, 3, 30000, 30000],
                        "a symbol of a megabyte": [1, 3, "s" * 1000000, 8]}.items():
        head = node("Relu", ["image"], ["layer"])
        tail = [node("ReduceMean", ["layer"], ["mean"], keepdims=0), node("Mul", ["row", "mean"], ["scores"])]
        yield f"an input of {name}", model(graph([head, *tail], WEIGHTS[1:], [value_info("image", shape)], [SCORES]))
    yield "a million value_infos", network([node("Relu", ["layer"], ["t"])], more=field(13, field(1, "x")) * 1000000)
    yield "scores of ten million", model(graph([node("ReduceMean", ["image"], ["m"], keepdims=0), node("ConstantOfShape", ["s"], ["z"]),
                                                node("Add", ["z", "m"], ["scores"])], [ints("s", [1, 10000000])], [IMAGE],
                                               [value_info("scores", [1, 10000000])]))


def names():
    for name, text in {"empty": "", "a megabyte": "n" * 1000000, "invalid UTF-8": b"\xff\xfe\xc3", "NUL": "a\0b", "escape": "\x1b[31m\x07",
                       "C1": b"\xc2\x9b2J", "bidirectional": "\u202e\u2066", "line end": "a\nkldve: done\n"}.items():
        raw = text if isinstance(text, bytes) else text.encode()
        yield f"a tensor named {name}", network([field(1, "layer") + field(2, raw) + field(4, "Acosh"),
                                                 field(1, raw) + field(2, "t") + field(4, "Relu")])
        yield f"an operator named {name}", network([field(1, "layer") + field(2, "t") + field(4, raw) + field(3, raw)])
        yield f"a missing tensor named {name}", network([field(1, raw) + field(2, "t") + field(4, "Relu")])


def bytes_of_files():
    whole = network([node("Relu", ["layer"], ["t"])])
    yield "empty", b""
    yield "a zero byte", b"\0"
    yield "text", b"hello, world\n" * 9
    yield "a picture", png(8, 8)
    yield "cut in the middle", whole[:len(whole) // 2]
    yield "one byte short", whole[:-1]
    yield "a varint of 20 bytes", b"\x80" * 19 + b"\1" + whole
    yield "a varint that never ends", b"\x08" + b"\xff" * 100000
    yield "a length beyond the file", varint(7 << 3 | 2) + varint(1 << 62) + whole
    yield "a length of 2^64-1", varint(7 << 3 | 2) + b"\xff" * 9 + b"\1" + whole
    yield "groups", whole + b"\x0b" * 100000
    yield "groups that end", whole + b"\xfb\x01" * 1000 + b"\xfc\x01" * 1000
    yield "field 0", b"\0\0" + whole
    yield "wire type 7", b"\x0f" + whole
    yield "a million unknown fields", whole + (varint(1000 << 3) + b"\1") * 1000000
    yield "unknown field of 30 MB", whole + field(1000, b"\0" * 30000000)
    yield "a million empty metadata", whole + field(14, b"") * 1000000
    yield "metadata of 50 MB", whole + field(14, field(1, "k") + field(2, b"v" * 50000000))
    yield "a million empty functions", whole + field(25, b"") * 1000000
    yield "a million empty graphs", field(7, b"") * 1000000 + whole
    yield "two graphs", whole + field(7, graph([], [], [IMAGE], [SCORES]))
    yield "a million empty nodes", network([node("Relu", ["layer"], ["t"])], more=field(1, b"") * 1000000)
    yield "a million empty tensors", network([node("Relu", ["layer"], ["t"])], more=field(5, b"") * 1000000)
    yield "a million empty attributes", network([node("Relu", ["layer"], ["t"]) + field(5, b"") * 1000000])
    yield "a million empty inputs of a node", network([node("Sum", ["layer"] + [""] * 1000000, ["t"])])
    yield "a million dims", network(ADD, [raw_tensor("w", [1] * 1000000, raw=b"\0" * 4)])
    yield "packed and single dims", network(ADD, [field(1, varint(1) * 3) + field(1, 1) + field(2, FLOAT) + field(8, "w") + field(9, b"\0" * 4)])
    nest = graph([node("Relu", ["a"], ["b"])])
    for _ in range(500):
        nest = graph([node("If", ["c"], ["b"], then_branch=graph_attribute(nest))])
    yield "graphs 500 deep", network([node("If", ["c"], ["t"], then_branch=graph_attribute(nest))])
    deep = b""
    for _ in range(100):
        deep = field(5, field(6, field(1, field(4, "If") + deep)))
    yield "attributes 100 deep", network([node("Relu", ["layer"], ["t"]) + deep])


def functions():
    """Local functions: each calls the one before it twice; then recursion."""
    def function(name, nodes):
        return field(25, field(1, name) + field(4, "x") + field(5, "y") + b"".join(field(7, n) for n in nodes) +
                     field(9, field(1, "") + field(2, 17)) + field(9, field(1, "f") + field(2, 1)) + field(10, "f"))

    imports = [field(1, "") + field(2, 17), field(1, "f") + field(2, 1)]
    call = [node("f0", ["layer"], ["t"], domain="f")]

    def doubling(depth):
        made = function("f0", [node("Relu", ["x"], ["y"])])
        for i in range(1, depth):
            made += function(f"f{i}", [node(f"f{i - 1}", ["x"], ["a"], domain="f"), node(f"f{i - 1}", ["a"], ["y"], domain="f")])
        return made, [node(f"f{depth - 1}", ["layer"], ["t"], domain="f")]

    for depth in (10, 16, 30, 64, 1000):
        made, caller = doubling(depth)
        yield f"doubled {depth} times", network(caller, model_more=made, imports=imports)
    yield "calls itself", network(call, model_more=function("f0", [node("f0", ["x"], ["y"], domain="f")]), imports=imports)
    yield "call each other", network(call, model_more=function("f0", [node("f1", ["x"], ["y"], domain="f")]) +
                                     function("f1", [node("f0", ["x"], ["y"], domain="f")]), imports=imports)
    yield "one function twice", network(call, model_more=function("f0", [node("Relu", ["x"], ["y"])]) * 2, imports=imports)
    yield "100 000 functions", network(call, model_more=b"".join(function(f"f{i}", [node("Relu", ["x"], ["y"])])
                                                                 for i in range(100000)), imports=imports)
    yield "a function without outputs", network(call, model_more=field(25, field(1, "f0") + field(10, "f")), imports=imports)


def versions():
    body = graph([node("Relu", ["image"], ["scores"])], [], [IMAGE], [SCORES])
    for name, imports in {"none": [], "0": [field(1, "") + field(2, 0)], "2^62": [field(1, "") + field(2, 1 << 62)],
                          "-1": [field(1, "") + field(2, -1)], "twice": [field(1, "") + field(2, n) for n in (13, 17)],
                          "a million": [field(1, "") + field(2, 17)] * 1000000,
                          "unknown": [field(1, "") + field(2, 17), field(1, "\x1b[2Jevil") + field(2, 1)]}.items():
        yield f"opset {name}", model(body, imports=imports)
    yield "IR version -1", field(1, -1) + field(7, body) + field(8, field(1, "") + field(2, 17))
    yield "no IR version", field(7, body) + field(8, field(1, "") + field(2, 17))


def as_network(made):
    for name, tensor in made:
        yield name, network(ADD, [tensor])


def bombs():
    tables = {"tensors": as_network(tensors()), "graphs": graphs(), "names": names(), "bytes": bytes_of_files(),
              "functions": functions(), "versions": versions()}
    for family, table in tables.items():
        for name, data in table:
            yield Bomb("model", family, name, {"net.onnx": data, "pic.png": png(16, 16)}, ARGS, host=("model", "net.onnx"))
    for name, files in files_beside():
        yield Bomb("model", "external data", name, {**files, "pic.png": png(16, 16)}, ARGS)
    places = {"a FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "/proc/self/mem": link_to("/proc/self/mem"),
              "a folder": lambda path: os.mkdir(path), "a sparse file of 64 GiB": sparse(64 << 30),
              "a sparse file of 1 GiB": sparse(1 << 30), "a link to itself": link_to("net.onnx")}
    for name, make in places.items():
        yield Bomb("model", "places", name, {"net.onnx": make, "pic.png": png(16, 16)}, ARGS, allowed=(1, 2))
    for command in ("layers", "compare", "report"):
        more = [] if command == "layers" else ["pic.png", "-o", "o.html" if command == "report" else "o.png"]
        yield Bomb("model", "other commands", f"{command}, 100 000 nodes", {"net.onnx": network(
            [node("Relu", ["layer" if i == 0 else f"r{i}"], [f"r{i + 1}"]) for i in range(20000)], result="r20000"),
            "pic.png": png(16, 16)}, [command, "net.onnx", *more])
        yield Bomb("model", "other commands", f"{command}, a damaged network", {"net.onnx": tinynet.classifier()[:-9], "pic.png": png(16, 16)},
                   [command, "net.onnx", *more])
