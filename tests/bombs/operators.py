"""Operators with attributes and inputs that are as wrong or as large as a file can say it.

Each line: a name, the nodes that end in "t", constants.  The operator reads the layer [1][6][8][8] or constants,
which are folded."""
from bomb import Bomb, png
from onnx import (INT64, STRING, attribute, external, floats, graph, graph_attribute, ints, network, node, raw_tensor,
                  tensor_attribute)
from tinynet import field, value_info

HUGE, LEAST, MOST = 1 << 31, -(1 << 63), (1 << 63) - 1
ODD = {"2^31": HUGE, "2^62": 1 << 62, "2^63-1": MOST, "-2^63": LEAST, "-1": -1, "0": 0}


def one(op, inputs=("layer",), constants=(), **attributes):
    return [node(op, inputs, ["t"], **attributes)], list(constants)


def windows():
    kernel = floats("k", [6, 6, 3, 3])
    for name, n in ODD.items():
        yield f"Conv, dilation {name}", one("Conv", ["layer", "k"], [kernel], dilations=[n, n], pads=[1, 1, 1, 1])
        yield f"Conv, stride {name}", one("Conv", ["layer", "k"], [kernel], strides=[n, n])
        yield f"Conv, pads {name}", one("Conv", ["layer", "k"], [kernel], pads=[n, n, n, n])
        yield f"Conv, group {name}", one("Conv", ["layer", "k"], [kernel], group=n)
        yield f"ConvTranspose, stride {name}", one("ConvTranspose", ["layer", "k"], [kernel], strides=[n, n])
        yield f"ConvTranspose, output_shape {name}", one("ConvTranspose", ["layer", "k"], [kernel], output_shape=[n, n])
        yield f"MaxPool, kernel {name}", one("MaxPool", kernel_shape=[n, n])
        yield f"MaxPool, dilation {name}", one("MaxPool", kernel_shape=[2, 2], dilations=[n, n])
        yield f"AveragePool, pads {name}", one("AveragePool", kernel_shape=[3, 3], pads=[n, n, n, n])
        yield f"LpPool, p {name}", one("LpPool", kernel_shape=[2, 2], p=n)
    yield "Conv, dilation 2^24", one("Conv", ["layer", "k"], [kernel], dilations=[1 << 24, 1 << 24],
                                     pads=[1 << 24] * 4)
    yield "Conv, pads and dilation that fit", one("Conv", ["layer", "k"], [kernel], dilations=[4000, 4000],
                                                  pads=[4000] * 4)
    yield "Conv, pads of 4000", one("Conv", ["layer", "k"], [kernel], pads=[4000] * 4)
    yield "ConvTranspose, 10^6 wide", one("ConvTranspose", ["layer", "k"], [kernel], strides=[1, 100000])
    yield "MaxPool of all, padded", one("MaxPool", kernel_shape=[4000, 4000], pads=[3999, 3999, 3999, 3999])
    yield "AveragePool, ceil", one("AveragePool", kernel_shape=[4000, 4000], pads=[3999] * 4, ceil_mode=1,
                                   count_include_pad=1)
    yield "MaxUnpool", one("MaxUnpool", ["layer", "i"], [ints("i", [MOST] * 384, [1, 6, 8, 8])], kernel_shape=[2, 2])
    yield "Col2Im", one("Col2Im", ["layer", "i", "b"], [ints("i", [MOST, MOST]), ints("b", [1, 1])])
    yield "DeformConv", one("DeformConv", ["layer", "k", "o"], [kernel, floats("o", [1, 18, 6, 6], 1e30)])


def shapes():
    for name, n in ODD.items():
        yield f"Reshape to {name}", one("Reshape", ["layer", "s"], [ints("s", [n, 4])])
        yield f"Expand to {name}", one("Expand", ["layer", "s"], [ints("s", [n, 6, 8, 8])])
        yield f"Tile {name}", one("Tile", ["layer", "s"], [ints("s", [1, 1, n, n])])
        yield f"ConstantOfShape {name}", one("ConstantOfShape", ["s"], [ints("s", [n, n])])
        yield f"Pad {name}", one("Pad", ["layer", "s"], [ints("s", [0, 0, n, n, 0, 0, n, n])])
        yield f"OneHot, depth {name}", one("OneHot", ["i", "d", "v"], [ints("i", [1, 2]), ints("d", [n], []),
                                                                     ints("v", [0, 1])])
        yield f"Range to {name}", one("Range", ["a", "b", "c"], [ints("a", [0], []), ints("b", [n], []),
                                                                 ints("c", [1], [])])
        yield f"TopK, k {name}", [[node("TopK", ["layer", "k"], ["t", "at"])], [ints("k", [n])]]
        yield f"DepthToSpace {name}", one("DepthToSpace", blocksize=n)
        yield f"SpaceToDepth {name}", one("SpaceToDepth", blocksize=n)
        yield f"Transpose {name}", one("Transpose", perm=[n, 1, 2, 3])
        yield f"Flatten, axis {name}", one("Flatten", axis=n)
        yield f"Concat, axis {name}", one("Concat", ["layer", "layer"], axis=n)
        yield f"Split, num_outputs {name}", one("Split", num_outputs=n)
        yield f"Softmax, axis {name}", one("Softmax", axis=n)
        yield f"Gather, axis {name}", one("Gather", ["layer", "i"], [ints("i", [0])], axis=n)
        yield f"Gather {name}", one("Gather", ["layer", "i"], [ints("i", [n])], axis=1)
        yield f"Slice {name}", one("Slice", ["layer", "b", "e", "a", "s"],
                                   [ints("b", [n]), ints("e", [n]), ints("a", [1]), ints("s", [n])])
        yield f"Unsqueeze {name}", one("Unsqueeze", ["layer", "a"], [ints("a", [n])])
        yield f"Squeeze {name}", one("Squeeze", ["layer", "a"], [ints("a", [n])])
        yield f"ReduceSum, axes {name}", one("ReduceSum", ["layer", "a"], [ints("a", [n])])
        yield f"EyeLike, k {name}", one("EyeLike", ["m"], [floats("m", [3, 3])], k=n)
        yield f"CumSum {name}", one("CumSum", ["layer", "a"], [ints("a", [n], [])])
    yield "Expand of rank 64", one("Expand", ["layer", "s"], [ints("s", [1] * 60 + [1, 6, 8, 8])])
    yield "Expand to 2^40", one("Expand", ["layer", "s"], [ints("s", [1 << 20, 6, 8, 8])])
    yield "Tile beyond 2^64", one("Tile", ["layer", "s"], [ints("s", [1 << 32, 1 << 32, 1, 1])])
    yield "ConstantOfShape, dims that wrap", one("ConstantOfShape", ["s"], [ints("s", [1 << 32, 1 << 32])])
    yield "ConstantOfShape of 250 million", one("ConstantOfShape", ["s"], [ints("s", [250000000])])
    yield "ConstantOfShape of 10^9 axes", one("ConstantOfShape", ["s"], [ints("s", [1] * 5000)])
    yield "EyeLike of 10^10", [[node("ConstantOfShape", ["s"], ["m"]), node("EyeLike", ["m"], ["t"])],
                               [ints("s", [100000, 100000])]]
    yield "Range, step 0", one("Range", ["a", "b", "c"], [ints("a", [0], []), ints("b", [9], []), ints("c", [0], [])])
    yield "Range of floats, NaN", one("Range", ["a", "b", "c"], [floats("a", [], 0.0), floats("b", [], float("nan")),
                                                                 floats("c", [], 1e-30)])
    yield "Concat of 10 000", one("Concat", ["layer"] * 10000, axis=1)
    yield "Split into 100 000", [[node("Split", ["layer"], ["t"] + [f"u{i}" for i in range(99999)], axis=2)], []]
    yield "GatherND", one("GatherND", ["layer", "i"], [ints("i", [MOST] * 4, [1, 4])])
    yield "GatherElements", one("GatherElements", ["layer", "i"], [ints("i", [LEAST], [1, 1, 1, 1])], axis=3)
    yield "ScatterND", one("ScatterND", ["layer", "i", "u"], [ints("i", [0, 0, 0, MOST], [1, 4]), floats("u", [1])])
    yield "ScatterElements", one("ScatterElements", ["layer", "i", "u"],
                                 [ints("i", [LEAST], [1, 1, 1, 1]), floats("u", [1, 1, 1, 1])], axis=1)


def samples():
    for name, n in (("10^6", 1e6), ("10^30", 1e30), ("NaN", float("nan")), ("-1", -1.0), ("0", 0.0), ("1e-30", 1e-30)):
        yield f"Resize by {name}", one("Resize", ["layer", "", "f"], [floats("f", [4], n)])
        yield f"Upsample by {name}", one("Upsample", ["layer", "f"], [floats("f", [4], n)])
    yield "Resize to 10^6", one("Resize", ["layer", "", "", "s"], [ints("s", [1, 6, 1000000, 1000000])])
    yield "Resize to 2^62", one("Resize", ["layer", "", "", "s"], [ints("s", [1, 6, 1 << 62, 4])])
    yield "Resize to -1", one("Resize", ["layer", "", "", "s"], [ints("s", [1, 6, -1, 8])])
    yield "Resize, cubic of 10 000", one("Resize", ["layer", "", "", "s"], [ints("s", [1, 6, 10000, 1000])],
                                         mode="cubic", antialias=1)
    yield "GridSample of 10^7", [[node("ConstantOfShape", ["s"], ["g"]), node("GridSample", ["layer", "g"], ["t"])],
                                 [ints("s", [1, 3000, 3000, 2])]]
    yield "GridSample at infinity", one("GridSample", ["layer", "g"], [floats("g", [1, 2, 2, 2], float("inf"))])
    yield "GridSample at NaN", one("GridSample", ["layer", "g"], [floats("g", [1, 2, 2, 2], float("nan"))])
    yield "RoiAlign of 2^31", one("RoiAlign", ["layer", "r", "b"], [floats("r", [1, 4], 1e30), ints("b", [MOST])],
                                  output_height=HUGE, output_width=HUGE, sampling_ratio=HUGE)
    yield "RoiAlign of a huge box", one("RoiAlign", ["layer", "r", "b"], [floats("r", [1, 4], 1e30), ints("b", [0])],
                                        output_height=2, output_width=2, sampling_ratio=0)
    yield "RoiAlign, box from 0 to 10^9", one(
        "RoiAlign", ["layer", "r", "b"], [raw_tensor("r", [1, 4], raw=b"\0" * 8 + b"\x28\x6b\x6e\x4e" * 2),
                                          ints("b", [0])], output_height=1, output_width=1, sampling_ratio=0)
    yield "NonMaxSuppression of 10^5", [[node("ConstantOfShape", ["s"], ["b"]), node("ConstantOfShape", ["z"], ["c"]),
                                         node("NonMaxSuppression", ["b", "c", "k"], ["t"])],
                                        [ints("s", [1, 100000, 4]), ints("z", [1, 1, 100000]), ints("k", [MOST])]]
    yield "DFT of 10^6", [[node("ConstantOfShape", ["s"], ["x"]), node("DFT", ["x", "n"], ["t"], axis=1)],
                          [ints("s", [1, 100000, 1]), ints("n", [1000003], [])]]
    yield "DFT, length -2^63", one("DFT", ["x", "n"], [floats("x", [1, 8, 1]), ints("n", [LEAST], [])], axis=1)
    yield "STFT, step 0", one("STFT", ["x", "n"], [floats("x", [1, 64, 1]), ints("n", [0], [])])
    yield "STFT of a frame of 2^62", one("STFT", ["x", "n", "", "f"], [floats("x", [1, 64, 1]), ints("n", [1], []),
                                                                      ints("f", [1 << 62], [])])
    yield "HannWindow of 2^40", one("HannWindow", ["n"], [ints("n", [1 << 40], [])])
    yield "MelWeightMatrix", one("MelWeightMatrix", ["n", "n", "n", "f", "f"],
                                 [ints("n", [HUGE], []), floats("f", [], 1.0)])
    yield "RandomNormal of 10^10", one("RandomNormal", [], shape=[100000, 100000])
    yield "RandomUniform of 2^63", one("RandomUniform", [], shape=[MOST, 2])
    yield "Multinomial", one("Multinomial", ["m"], [floats("m", [1, 4])], sample_size=HUGE)
    yield "Unique of 10^7", [[node("ConstantOfShape", ["s"], ["x"]), node("Unique", ["x"], ["t"])],
                             [ints("s", [10000000])]]
    yield "NonZero of 10^7", [[node("ConstantOfShape", ["s"], ["x"]), node("NonZero", ["x"], ["t"])],
                              [ints("s", [1, 10000000])]]
    yield "Compress", one("Compress", ["layer", "c"], [raw_tensor("c", [1 << 40], 9, b"\1")])
    yield "BitShift by 64", one("BitShift", ["a", "b"], [raw_tensor("a", [1], 13, b"\1" * 8),
                                                         raw_tensor("b", [1], 13, b"\xff" * 8)], direction="LEFT")
    yield "Div by 0 of integers", one("Div", ["a", "b"], [ints("a", [LEAST]), ints("b", [0])])
    yield "Div, -2^63 by -1", one("Div", ["a", "b"], [ints("a", [LEAST]), ints("b", [-1])])
    yield "Mod, -2^63 by -1", one("Mod", ["a", "b"], [ints("a", [LEAST]), ints("b", [-1])])
    yield "Mod by 0", one("Mod", ["a", "b"], [ints("a", [7]), ints("b", [0])])
    yield "Pow of integers", one("Pow", ["a", "b"], [ints("a", [3]), ints("b", [MOST])])
    yield "Abs of -2^63", one("Abs", ["a"], [ints("a", [LEAST])])
    yield "Neg of -2^63", one("Neg", ["a"], [ints("a", [LEAST])])
    yield "Cast of 1e30 to int32", [[node("Cast", ["f"], ["i"], to=6), node("Cast", ["i"], ["t"], to=1)],
                                    [floats("f", [4], 1e30)]]
    yield "Cast of NaN to uint8", [[node("Cast", ["f"], ["i"], to=2), node("Cast", ["i"], ["t"], to=1)],
                                   [floats("f", [4], float("nan"))]]


def products():
    square = [node("ConstantOfShape", ["s"], ["m"])]
    yield "MatMul of 4000", [square + [node("MatMul", ["m", "m"], ["t"])], [ints("s", [4000, 4000])]]
    yield "Gemm of 4000", [square + [node("Gemm", ["m", "m"], ["t"])], [ints("s", [4000, 4000])]]
    yield "200 products of 1000", [square + [node("MatMul", ["m" if i == 0 else f"p{i}", "m"], [f"p{i + 1}"])
                                             for i in range(200)] + [node("Identity", ["p200"], ["t"])],
                                   [ints("s", [1000, 1000])]]
    yield "Einsum of many letters", [[node("Einsum", ["x"] * 5, ["t"], equation="abcd,bcde,cdef,defg,efgh->ah")],
                                     [floats("x", [8, 8, 8, 8])]]
    yield "Einsum, 52 letters", one("Einsum", ["layer"], equation="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ->")
    yield "Einsum, outer product of 10^8", one("Einsum", ["x"] * 4, [floats("x", [100])], equation="a,b,c,d->abcd")
    yield "Einsum, an equation of a megabyte", one("Einsum", ["layer"], equation="a" * 1000000)
    yield "Det of 2000", [square + [node("Det", ["m"], ["t"])], [ints("s", [2000, 2000])]]
    yield "Inverse of 3000", [square + [node("Inverse", ["m"], ["t"], domain="com.microsoft")], [ints("s", [3000, 3000])]]
    for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        weights = [floats("w", [1, gates, 64], 0.1), floats("r", [1, gates, 1], 0.1)]
        sequence = [node("Reshape", ["layer", "s"], ["x"])]
        for name, n in {"2^31": HUGE, "2^62": 1 << 62, "0": 0, "-1": -1}.items():
            yield f"{op}, hidden {name}", [sequence + [node(op, ["x", "w", "r"], ["t"], hidden_size=n)],
                                           weights + [ints("s", [6, 1, 64])]]
        yield f"{op}, a million steps", [
            [node("ConstantOfShape", ["s"], ["x"]), node(op, ["x", "w", "r"], ["t"], hidden_size=1)],
            weights + [ints("s", [1000000, 1, 64])]]
    yield "CumSum of 10^8", [[node("ConstantOfShape", ["s"], ["x"]), node("CumSum", ["x", "a"], ["t"])],
                             [ints("s", [100000000]), ints("a", [0], [])]]
    yield "LRN of 2^31", one("LRN", size=HUGE)
    yield "BatchNormalization of wrong sizes", one("BatchNormalization", ["layer", "w", "w", "w", "w"],
                                                   [floats("w", [1 << 10])])
    yield "InstanceNormalization, epsilon NaN", one("InstanceNormalization", ["layer", "w", "w"], [floats("w", [6])],
                                                    epsilon=float("nan"))
    yield "LayerNormalization, axis -2^63", one("LayerNormalization", ["layer", "w"], [floats("w", [8])], axis=LEAST)
    yield "GroupNormalization of 2^62", one("GroupNormalization", ["layer", "w", "w"], [floats("w", [6])],
                                            num_groups=1 << 62)
    yield "Attention of no heads", one("Attention", ["layer", "layer", "layer"], q_num_heads=0, kv_num_heads=0)
    yield "Attention of 2^62 heads", one("Attention", ["layer", "layer", "layer"], q_num_heads=1 << 62, kv_num_heads=1)


def body(nodes, inputs, outputs, more=()):
    infos = [value_info(n, s) for n, s in outputs]
    return graph_attribute(graph(nodes, more, inputs, infos))


def loops():
    iteration = field(1, "i") + field(2, field(1, field(1, INT64) + field(2, b"")))
    condition = field(1, "c") + field(2, field(1, field(1, 9) + field(2, b"")))
    state = value_info("x", [1, 6, 8, 8])

    def loop(trips, nodes, out=(1, 6, 8, 8), results=1):
        infos = [("c", []), ("y", list(out))] + [("y", list(out))] * (results - 1)
        made = body(nodes, [iteration, condition, state], infos)
        return [[node("Loop", ["n", "go", "layer"], ["t"] + [f"u{i}" for i in range(results - 1)], body=made)],
                [ints("n", [trips], []), raw_tensor("go", [], 9, b"\1")]]

    twice = [node("Add", ["x", "x"], ["y"])]
    for name, trips in {"no": 0, "-1": -1, "10^6": 1000000, "2^31": HUGE, "2^63-1": MOST}.items():
        yield f"Loop, {name} trips", loop(trips, twice)
        yield f"Loop that scans, {name} trips", loop(trips, twice, results=2)
    yield "Loop without a number", [[node("Loop", ["", "go", "layer"], ["t"],
                                          body=body(twice, [iteration, condition, state], [("c", []), ("y", [1, 6, 8, 8])]))],
                                    [raw_tensor("go", [], 9, b"\1")]]
    yield "Loop that doubles 1000 times", loop(1000, [node("Concat", ["x", "x"], ["y"], axis=1)])
    yield "Loop in 20 loops", [nested_loops(20, iteration, condition, state), [ints("n", [10], []), raw_tensor("go", [], 9, b"\1")]]
    scan = body([node("Identity", ["x"], ["y"])], [state], [("y", [1, 6, 8, 8])])
    for name, n in {"-1": -1, "2^31": HUGE, "2^62": 1 << 62}.items():
        yield f"Scan of {name} inputs", [[node("Scan", ["layer"], ["t"], body=scan, num_scan_inputs=n)], []]
    yield "Scan of 10^6 steps", [[node("ConstantOfShape", ["s"], ["z"]),
                                  node("Scan", ["z"], ["t"], body=scan, num_scan_inputs=1)], [ints("s", [1000000, 1])]]
    branch = body([node("Identity", ["layer"], ["y"])], [], [("y", [1, 6, 8, 8])])
    yield "If of a value", [[node("If", ["layer"], ["t"], then_branch=branch, else_branch=branch)], []]
    yield "If 40 deep", [nested_ifs(40), [raw_tensor("go", [], 9, b"\1")]]
    yield "If 1000 deep", [nested_ifs(1000), [raw_tensor("go", [], 9, b"\1")]]
    sequence = [node("SequenceEmpty", [], ["s0"])] + [node("SequenceInsert", [f"s{i}", "layer"], [f"s{i + 1}"])
                                                      for i in range(3000)]
    yield "SequenceInsert 3000 times", [sequence + [node("ConcatFromSequence", ["s3000"], ["t"], axis=1)], []]
    yield "SequenceAt 2^63-1", [[node("SequenceConstruct", ["layer"], ["s"]), node("SequenceAt", ["s", "i"], ["t"])],
                                [ints("i", [MOST], [])]]
    yield "SplitToSequence of 0", [[node("SplitToSequence", ["layer", "z"], ["s"]),
                                    node("ConcatFromSequence", ["s"], ["t"], axis=0)], [ints("z", [0], [])]]


def nested_loops(depth, iteration, condition, state):
    inner = [node("Add", ["x", "x"], ["y"])]
    for _ in range(depth):
        made = body(inner, [iteration, condition, state], [("c", []), ("y", [1, 6, 8, 8])])
        inner = [node("Loop", ["n", "go", "x"], ["y"], body=made)]
    return [node("Identity", ["layer"], ["x"])] + inner + [node("Identity", ["y"], ["t"])]


def nested_ifs(depth):
    inner = [node("Identity", ["layer"], ["y"])]
    for _ in range(depth):
        made = body(inner, [], [("y", [1, 6, 8, 8])])
        inner = [node("If", ["go"], ["y"], then_branch=made)]
    return inner + [node("Identity", ["y"], ["t"])]


def texts():
    words = raw_tensor("w", [2], STRING, more=field(6, b"a" * 1000000) + field(6, b"\0\xff"))
    yield "strings into a Cast", [[node("Cast", ["w"], ["t"], to=1)], [words]]
    yield "StringNormalizer", [[node("StringNormalizer", ["w"], ["t"])], [words]]
    yield "TfIdfVectorizer", one("TfIdfVectorizer", ["i"], [ints("i", [1] * 9)], mode="TF", max_gram_length=HUGE,
                                 min_gram_length=1, max_skip_count=HUGE, ngram_counts=[0], ngram_indexes=[MOST],
                                 pool_int64s=[1])
    yield "LabelEncoder", [[node("LabelEncoder", ["i"], ["t"], domain="ai.onnx.ml", keys_int64s=[1], values_floats=[1.0])],
                           [ints("i", [1])]]
    yield "TreeEnsembleRegressor that goes round", [[node(
        "TreeEnsembleRegressor", ["layer"], ["t"], domain="ai.onnx.ml", nodes_treeids=[0], nodes_nodeids=[0],
        nodes_featureids=[MOST], nodes_truenodeids=[0], nodes_falsenodeids=[0], nodes_values=[0.5],
        nodes_modes=["BRANCH_LEQ"], n_targets=HUGE)], []]
    yield "Constant of 10^9", [[node("Constant", [], ["t"], value=tensor_attribute(raw_tensor("v", [1000000000])))], []]
    yield "Constant of strings", [[node("Constant", [], ["t"], value_strings=["a"] * 1000)], []]
    yield "Constant of everything", [[node("Constant", [], ["t"], value_int=1, value_float=1.0, value_ints=[1])], []]
    yield "an unknown operator", [[node("Bomb", ["layer"], ["t"])], []]
    yield "an unknown domain", [[node("Relu", ["layer"], ["t"], domain="evil")], []]
    yield "an operator named by control characters", [[node("\x1b[31mRelu\n", ["layer"], ["t"])], []]


def quantised():
    level = [raw_tensor("z", [], 2, b"\x80"), raw_tensor("v", [4], 2, b"\1\2\3\4")]
    for name, scale in {"0": 0.0, "infinity": float("inf"), "NaN": float("nan"), "a denormal": 1e-45,
                        "-1": -1.0}.items():
        yield f"DequantizeLinear, scale {name}", [[node("DequantizeLinear", ["v", "s", "z"], ["t"])],
                                                  level + [floats("s", [], scale)]]
        yield f"QuantizeLinear, scale {name}", [[node("QuantizeLinear", ["layer", "s", "z"], ["q"]),
                                                 node("DequantizeLinear", ["q", "s", "z"], ["t"])],
                                                level + [floats("s", [], scale)]]
    yield "DequantizeLinear, axis 2^62", [[node("DequantizeLinear", ["v", "s"], ["t"], axis=1 << 62)],
                                          level + [floats("s", [4])]]
    yield "DequantizeLinear, block 2^62", [[node("DequantizeLinear", ["v", "s"], ["t"], block_size=1 << 62, axis=0)],
                                           level + [floats("s", [4])]]
    yield "MatMulNBits of 2^31", [[node("MatMulNBits", ["layer", "v", "s"], ["t"], domain="com.microsoft", K=HUGE, N=HUGE,
                                        bits=4, block_size=16)], level + [floats("s", [4])]]
    yield "an attribute twice", [[node("Softmax", ["layer"], ["t"]) + field(5, attribute("axis", 1)) +
                                  field(5, attribute("axis", 2))], []]
    yield "a weight in a device", [[node("Add", ["layer", "e"], ["t"])], [external("e", [1], location="/dev/zero")]]


FAMILIES = {"windows": windows, "shapes of results": shapes, "sampling and lists": samples, "products": products,
            "loops and branches": loops, "texts and trees": texts, "quantised": quantised}


def bombs():
    for family, make in FAMILIES.items():
        for name, (nodes, constants) in make():
            yield Bomb("model", family, name, {"net.onnx": network(nodes, constants), "pic.png": png(16, 16)},
                       ["explain", "net.onnx", "pic.png", "--json", "r.json"], host=("model", "net.onnx"))
