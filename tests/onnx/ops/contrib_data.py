#!/usr/bin/env python3
"""Cases of ONNX Runtime's own operators (domain com.microsoft) with the results of ONNX Runtime.

    contrib_data.py FOLDER

writes FOLDER/node/test_NAME/ in the form of ONNX's conformance data, for test_conformance.  The long
form of the test, by hand:

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python tests/onnx/ops/contrib_data.py data
    build/tests/onnx/ops/test_conformance docs/operators.md data

A case that ONNX Runtime cannot run (some operators exist for GPUs only) is listed and left out.
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)


def f(*shape):
    return random.standard_normal(shape).astype(np.float32)


def u8(*shape):
    return random.integers(0, 256, shape).astype(np.uint8)


def s8(*shape):
    return random.integers(-60, 61, shape).astype(np.int8)  # AVX2 kernels saturate above


def i32(*values):
    return np.array(values, np.int32)


def angles(positions, half):
    at = np.arange(positions)[:, None] / 10.0 ** np.arange(half)
    return np.cos(at).astype(np.float32), np.sin(at).astype(np.float32)


class Constant:
    """An input that is an initializer."""

    def __init__(self, value):
        self.value = np.asarray(value)


def c(value, dtype=None):
    return Constant(np.asarray(value, dtype))


SCALE = c(np.float32(0.05))
ZERO = c(np.uint8(120))
OUT = c(np.float32(0.1))


def cases():
    """-> (name, operator, inputs, number of outputs, attributes[, domain])"""
    pads = [1, 1, 1, 1]
    for kind in ("Relu", "Sigmoid", "Tanh", "HardSwish"):
        yield f"FusedConv {kind}", "FusedConv", [f(1, 3, 5, 5), c(f(4, 3, 3, 3)), c(f(4))], 1, \
            dict(activation=kind, pads=pads)
    yield "FusedConv sum", "FusedConv", [f(1, 3, 5, 5), c(f(4, 3, 3, 3)), c(f(4)), f(1, 4, 5, 5)], 1, \
        dict(activation="Relu", pads=pads)
    yield "FusedConv Clip", "FusedConv", [f(1, 3, 5, 5), c(f(4, 3, 1, 1))], 1, \
        dict(activation="Clip", activation_params=[-0.5, 1.0])
    yield "FusedConv LeakyRelu", "FusedConv", [f(1, 3, 5, 5), c(f(4, 3, 1, 1))], 1, \
        dict(activation="LeakyRelu", activation_params=[0.3])
    yield "FusedConv HardSigmoid", "FusedConv", [f(1, 3, 5, 5), c(f(4, 3, 1, 1))], 1, \
        dict(activation="HardSigmoid", activation_params=[0.3, 0.4])
    yield "FusedMatMul", "FusedMatMul", [f(2, 4, 3), f(2, 5, 4)], 1, dict(transA=1, transB=1, alpha=0.5)
    yield "FusedMatMul batch", "FusedMatMul", [f(4, 2, 3), f(4, 2, 5)], 1, \
        dict(transBatchA=1, transBatchB=1, transA=1)
    yield "FusedGemm", "FusedGemm", [f(3, 4), f(5, 4), f(5)], 1, \
        dict(transB=1, alpha=0.5, beta=2.0, activation="LeakyRelu", activation_alpha=0.2)
    for op in ("BiasGelu", "FastGelu"):
        yield op, op, [f(2, 3, 4), f(4)], 1, {}
    yield "FastGelu alone", "FastGelu", [f(2, 3, 4)], 1, {}
    yield "Gelu", "Gelu", [f(2, 3)], 1, {}
    yield "QuickGelu", "QuickGelu", [f(2, 3)], 1, dict(alpha=1.3)
    yield "BiasAdd", "BiasAdd", [f(2, 3, 4), f(4), f(2, 3, 4)], 1, {}
    yield "BiasSplitGelu", "BiasSplitGelu", [f(1, 2, 2560), f(2560)], 1, {}
    for beta in (True, False):
        yield f"SkipLayerNormalization {beta}", "SkipLayerNormalization", \
            [f(2, 3, 8), f(2, 3, 8), f(8), f(8) if beta else None, f(8)], ["y", "", "", "sum"], \
            dict(epsilon=1e-5)
    yield "SkipLayerNormalization broadcast", "SkipLayerNormalization", \
        [f(2, 3, 8), f(3, 8), f(8), f(8)], 1, dict(epsilon=1e-5)
    yield "SkipSimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization", \
        [f(2, 3, 8), f(2, 3, 8), f(8), f(8)], ["y", "", "", "sum"], dict(epsilon=1e-5)
    yield "SimplifiedLayerNormalization", "SimplifiedLayerNormalization", [f(2, 3, 8), f(8)], 1, \
        dict(epsilon=1e-5, axis=-1), ""
    yield from attention_cases()
    yield from language_cases()
    yield from picture_cases()
    yield from small_cases()
    yield from quantised_cases()


def attention_cases():
    x, w, b = f(2, 5, 8), c(f(8, 24)), c(f(24))
    yield "Attention", "Attention", [x, w, b], 1, dict(num_heads=2)
    yield "Attention causal", "Attention", [x, w, b], 1, dict(num_heads=2, unidirectional=1)
    yield "Attention mask", "Attention", \
        [x, w, b, c([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)], 1, dict(num_heads=2)
    yield "Attention lengths", "Attention", [x, w, b, c([3, 5], np.int32)], 1, dict(num_heads=2)
    yield "Attention mask of queries", "Attention", \
        [x, w, b, c(random.integers(0, 2, (2, 5, 5)) | np.eye(5, dtype=int), np.int32)], 1, \
        dict(num_heads=2)
    yield "Attention bias", "Attention", [x, w, b, None, None, f(2, 2, 5, 5)], 1, dict(num_heads=2)
    yield "Attention sizes", "Attention", [x, c(f(8, 20)), c(f(20))], 1, \
        dict(num_heads=2, qkv_hidden_sizes=[8, 8, 4], scale=0.3)
    q, k, v = f(2, 3, 8), f(2, 5, 8), f(2, 5, 6)
    yield "MultiHeadAttention", "MultiHeadAttention", [q, k, v], 1, dict(num_heads=2)
    yield "MultiHeadAttention bias", "MultiHeadAttention", [q, k, v, c(f(22))], 1, dict(num_heads=2)
    yield "MultiHeadAttention mask", "MultiHeadAttention", \
        [q, k, v, None, c([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], np.int32)], 1, dict(num_heads=2)
    yield "MultiHeadAttention added", "MultiHeadAttention", \
        [q, k, v, None, None, f(2, 2, 3, 5)], 1, dict(num_heads=2, scale=0.4)
    yield "MultiHeadAttention heads first", "MultiHeadAttention", \
        [q, f(2, 2, 5, 4), f(2, 2, 5, 4)], 1, dict(num_heads=2)
    yield "MultiHeadAttention packed", "MultiHeadAttention", [f(2, 4, 2, 3, 4)], 1, dict(num_heads=2)
    yield "MultiHeadAttention packed keys", "MultiHeadAttention", [q, f(2, 5, 2, 2, 4)], 1, \
        dict(num_heads=2)
    yield "MultiHeadAttention causal", "MultiHeadAttention", [f(1, 4, 8), f(1, 4, 8), f(1, 4, 8)], 1, \
        dict(num_heads=2, unidirectional=1)
    yield "QAttention", "QAttention", \
        [u8(2, 5, 8), c(s8(8, 24)), c(f(24)), c(np.float32(0.02)), c(np.float32(0.02)), None,
         c(np.uint8(128)), c(np.int8(0))], 1, dict(num_heads=2)


def language_cases():
    ids = np.array([[3, 1, 4, 1], [5, 9, 2, 6]], np.int32)
    tables = [c(f(10, 8)), c(f(6, 8)), c(f(2, 8)), c(f(8)), c(f(8))]
    yield "EmbedLayerNormalization", "EmbedLayerNormalization", \
        [c(ids), c(ids % 2, np.int32)] + tables + [c(ids > 1, np.int32)], 3, dict(epsilon=1e-5)
    yield "EmbedLayerNormalization alone", "EmbedLayerNormalization", \
        [c(ids), None] + tables[:2] + [None] + tables[3:], 2, dict(epsilon=1e-5)
    cos, sin = map(c, angles(12, 4))
    yield "RotaryEmbedding", "RotaryEmbedding", [f(2, 3, 16), c([2], np.int64), cos, sin], 1, {}
    yield "RotaryEmbedding positions", "RotaryEmbedding", \
        [f(2, 3, 16), c([[0, 5, 2], [1, 1, 7]], np.int64), cos, sin], 1, dict(interleaved=1)
    yield "RotaryEmbedding heads first", "RotaryEmbedding", \
        [f(2, 2, 3, 8), c([0], np.int64), cos, sin], 1, {}
    yield "RotaryEmbedding part", "RotaryEmbedding", \
        [f(2, 3, 24), c([0], np.int64), cos, sin], 1, dict(rotary_embedding_dim=8, num_heads=2)
    cos, sin = map(c, angles(12, 8))
    for window in (-1, 2):
        for rotary in (0, 1):
            yield f"GroupQueryAttention {window} {rotary}", "GroupQueryAttention", \
                [f(1, 5, 64), f(1, 5, 32), f(1, 5, 32), None, None, c([4], np.int32), c(5, np.int32),
                 cos, sin], 1, dict(num_heads=4, kv_num_heads=2, do_rotary=rotary,
                                    local_window_size=window)
    yield "GroupQueryAttention batch", "GroupQueryAttention", \
        [f(2, 5, 32), f(2, 5, 16), f(2, 5, 16), None, None, c([4, 4], np.int32), c(5, np.int32)], 3, \
        dict(num_heads=4, kv_num_heads=2, softcap=2.0, scale=0.3)
    yield "GroupQueryAttention packed", "GroupQueryAttention", \
        [f(1, 5, 128), None, None, None, None, c([4], np.int32), c(5, np.int32), cos, sin], 1, \
        dict(num_heads=4, kv_num_heads=2, do_rotary=1, rotary_interleaved=1)
    for bits, zeros in ((4, None), (4, "packed"), (8, None), (4, "floats")):
        blocks, n = 3, 5
        packed = u8(n, blocks, 16 * bits // 8)
        zero = None if not zeros else c(f(n, blocks)) if zeros == "floats" else \
            c(u8(n * ((blocks * bits + 7) // 8)))
        yield f"MatMulNBits {bits} {zeros}", "MatMulNBits", \
            [f(2, 3, 40), c(packed), c(f(n * blocks)), zero], 1, \
            dict(K=40, N=n, bits=bits, block_size=16)


def picture_cases():
    yield "NhwcConv", "NhwcConv", [f(1, 5, 5, 3), c(f(4, 3, 3, 3)), c(f(4))], 1, dict(pads=[1] * 4)
    yield "NhwcMaxPool", "NhwcMaxPool", [u8(1, 6, 6, 3)], 1, \
        dict(kernel_shape=[2, 2], strides=[2, 2])
    for swish in (0, 1):
        yield f"GroupNorm {swish}", "GroupNorm", [f(1, 4, 4, 32), f(32), f(32)], 1, \
            dict(groups=4, activation=swish, channels_last=1)
    yield "SkipGroupNorm", "SkipGroupNorm", [f(1, 4, 4, 32), f(32), f(32), f(1, 32), f(32)], 2, \
        dict(groups=4, activation=1, channels_last=1)
    yield "GridSample", "GridSample", [f(1, 2, 4, 4), f(1, 3, 3, 2)], 1, {}
    yield "CropAndResize", "CropAndResize", \
        [f(2, 3, 6, 6), c([[0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1.2]], np.float32), c([0, 1], np.int32),
         c([4, 5], np.int32)], 1, dict(extrapolation_value=0.5)


def small_cases():
    yield "ImageScaler", "ImageScaler", [f(1, 3, 2, 2)], 1, dict(bias=[0.1, 0.2, 0.3], scale=2.0), ""
    yield "Affine", "Affine", [f(2, 3)], 1, dict(alpha=0.5, beta=0.25), ""
    yield "ParametricSoftplus", "ParametricSoftplus", [f(2, 3)], 1, dict(alpha=0.5, beta=2.0), ""
    yield "ScaledTanh", "ScaledTanh", [f(2, 3)], 1, dict(alpha=0.5, beta=2.0), ""
    yield "Crop", "Crop", [f(1, 2, 6, 7)], 1, dict(border=[1, 2, 3, 1]), ""
    yield "Crop scale", "Crop", [f(1, 2, 6, 7)], 1, dict(border=[1, 2, 0, 0], scale=[3, 4]), ""
    yield "Trilu", "Trilu", [f(2, 3, 4), c(1, np.int64)], 1, dict(upper=0)
    yield "Inverse", "Inverse", [f(2, 3, 3) + 3 * np.eye(3, dtype=np.float32)], 1, {}


def quantised_cases():
    one = [SCALE, ZERO, OUT, ZERO]
    x = u8(1, 4, 6, 6)
    for last in (0, 1):
        yield f"QLinearAveragePool {last}", "QLinearAveragePool", [x] + one, 1, \
            dict(kernel_shape=[2, 2], strides=[2, 2], channels_last=last)
        yield f"QLinearGlobalAveragePool {last}", "QLinearGlobalAveragePool", [x] + one, 1, \
            dict(channels_last=last)
    yield "QLinearConv last", "QLinearConv", \
        [u8(1, 6, 6, 4), SCALE, ZERO, c(s8(5, 4, 3, 3)), c(np.float32(0.02)), c(np.int8(0)),
         c(np.float32(1.0)), ZERO], 1, dict(channels_last=1, pads=[1] * 4)
    yield "QLinearAdd", "QLinearAdd", [x, SCALE, ZERO, u8(1, 4, 6, 6), OUT, ZERO, OUT, ZERO], 1, {}
    yield "QLinearMul", "QLinearMul", [x, SCALE, ZERO, u8(1, 4, 6, 6), OUT, ZERO, OUT, ZERO], 1, {}
    yield "QLinearSigmoid", "QLinearSigmoid", [x, SCALE, ZERO, c(np.float32(1 / 256)), c(np.uint8(0))], 1, {}
    yield "QLinearLeakyRelu", "QLinearLeakyRelu", [x] + one, 1, dict(alpha=0.1)
    yield "QLinearSoftmax", "QLinearSoftmax", \
        [u8(2, 9), SCALE, ZERO, c(np.float32(1 / 256)), c(np.uint8(0))], 1, dict(opset=13, axis=-1)
    yield "QLinearConcat", "QLinearConcat", [OUT, ZERO, x, SCALE, ZERO, u8(1, 2, 6, 6), OUT, ZERO], 1, \
        dict(axis=1)
    yield "QGemm", "QGemm", [u8(3, 4), SCALE, ZERO, c(s8(4, 5)), c(np.float32(0.02)), c(np.int8(0)),
                             c(i32(1, -2, 3, 4, 5)), OUT, ZERO], 1, {}
    yield "QLinearReduceMean", "QLinearReduceMean", [x] + one, 1, dict(axes=[2, 3], keepdims=1)
    yield "QLinearWhere", "QLinearWhere", \
        [c(random.integers(0, 2, (1, 4, 6, 6)), bool), x, SCALE, ZERO, u8(1, 4, 6, 6), OUT, ZERO, OUT,
         ZERO], 1, {}
    yield "DynamicQuantizeMatMul", "DynamicQuantizeMatMul", \
        [f(3, 8), c(s8(8, 5)), c(np.float32(0.02)), c(np.int8(0)), c(f(5))], 1, {}
    yield "MatMulIntegerToFloat", "MatMulIntegerToFloat", \
        [u8(3, 8), c(s8(8, 5)), SCALE, c(np.float32(0.02)), ZERO, c(np.int8(0)), c(f(5))], 1, {}


def make(op, inputs, outputs, attributes, domain):
    names, values, initializers, feeds = [], [], [], {}
    for k, value in enumerate(inputs):
        constant = isinstance(value, Constant)
        array = value.value if constant else value
        names.append("" if value is None else f"x{k}")
        if constant:
            initializers.append(numpy_helper.from_array(array, names[-1]))
        elif value is not None:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            values.append(helper.make_tensor_value_info(names[-1], kind, array.shape))
            feeds[names[-1]] = array
    ends = outputs if isinstance(outputs, list) else [f"y{k}" for k in range(outputs)]
    node = helper.make_node(op, names, ends, domain=domain, **attributes)
    made = [helper.make_empty_tensor_value_info(name) for name in ends if name]
    graph = helper.make_graph([node], "g", values, made, initializers)
    old = domain == "" and op != "SimplifiedLayerNormalization"
    opsets = [helper.make_opsetid("", 9 if old else 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8), feeds


def write(folder, model, feeds, results):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    for info, result in zip(model.graph.output, results):
        kind = helper.np_dtype_to_tensor_dtype(result.dtype)
        info.CopyFrom(helper.make_tensor_value_info(info.name, kind, result.shape))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for name, arrays in (("input", feeds), ("output", dict(zip((o.name for o in model.graph.output), results)))):
        for k, (tensor, array) in enumerate(arrays.items()):
            (data / f"{name}_{k}.pb").write_bytes(numpy_helper.from_array(array, tensor).SerializeToString())


def main():
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    count = 0
    for name, op, inputs, outputs, attributes, *domain in cases():
        model, feeds = make(op, inputs, outputs, attributes, domain[0] if domain else "com.microsoft")
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), options)
            wanted = [o.name for o in model.graph.output]
            results = session.run(wanted, feeds)
        except Exception as e:  # noqa: BLE001 - whatever it says is the reason
            print(f"ONNX Runtime does not run {name}: {str(e).strip().splitlines()[0]}")
            continue
        kept = [(o, r) for o, r in zip(model.graph.output, results) if r is not None]
        write(pathlib.Path(sys.argv[1]) / "node" / ("test_" + name.replace(" ", "_")), model, feeds,
              [r for _, r in kept])
        count += 1
    print(f"{count} cases")


if __name__ == "__main__":
    main()
