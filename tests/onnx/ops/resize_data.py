#!/usr/bin/env python3
"""Cases of Resize with the results of ONNX Runtime, over all its attributes.

    resize_data.py FOLDER

writes FOLDER/node/test_NAME/ in the form of ONNX's conformance data, for test_conformance; see
contrib_data.py for the long form.  What ONNX Runtime cannot run is counted and left out.
"""
import itertools
import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

random = np.random.default_rng(2)
TRANSFORMS = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
              "tf_crop_and_resize")
SHAPES = ((7, 5, 12, 3), (6, 8, 4, 13), (4, 6, 8, 3), (5, 5, 5, 10), (9, 2, 3, 9), (16, 16, 7, 5), (3, 4, 1, 8))


def cases():
    """-> (name, input, attributes, sizes or None, scales or None, roi or None)"""
    for transform, (h, w, oh, ow) in itertools.product(TRANSFORMS, SHAPES):
        x = random.standard_normal((1, 2, h, w)).astype(np.float32)
        if transform.startswith("tf") and (h == oh or w == ow):
            continue  # ONNX Runtime takes no notice of the region along an axis that keeps its length
        roi = [0, 0, 0.1, 0.2, 1, 1, 0.8, 1.1] if transform.startswith("tf") else None
        base = {"coordinate_transformation_mode": transform}
        key = f"{transform} {h}x{w} to {oh}x{ow}"
        for rounding in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            yield f"{key} {rounding}", x, {**base, "mode": "nearest", "nearest_mode": rounding}, \
                [1, 2, oh, ow], None, roi
        for mode in ("linear", "cubic"):
            yield f"{key} {mode}", x, {**base, "mode": mode}, [1, 2, oh, ow], None, roi
            yield f"{key} {mode} excluded", x, {**base, "mode": mode, "exclude_outside": 1}, \
                [1, 2, oh, ow], None, roi
            for excluded in (0, 1):
                yield f"{key} {mode} antialias {excluded}", x, \
                    {**base, "mode": mode, "antialias": 1, "exclude_outside": excluded}, \
                    [1, 2, oh, ow], None, roi
            if roi is None:
                yield f"{key} {mode} scales", x, {**base, "mode": mode}, None, \
                    [1, 1, (oh + 0.4) / h, (ow + 0.3) / w], None
        yield f"{key} axes", x, {**base, "mode": "linear", "axes": [2, 3]}, [oh, ow], None, \
            [0.1, 0.2, 0.8, 1.1] if roi else None
        for policy in ("not_larger", "not_smaller"):
            yield f"{key} {policy}", x, \
                {**base, "mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": policy}, \
                [oh, ow], None, [0.1, 0.2, 0.8, 1.1] if roi else None
    for kind, mode, (h, w, oh, ow) in itertools.product((np.int32, np.uint8, np.int8),
                                                        ("nearest", "linear", "cubic"), SHAPES):
        low = 0 if kind == np.uint8 else -100
        x = random.integers(low, 100, (1, 2, h, w)).astype(kind)
        yield f"{np.dtype(kind).name} {mode} {h}x{w} to {oh}x{ow}", x, {"mode": mode}, [1, 2, oh, ow], None, None


def make(x, attributes, sizes, scales, roi):
    names = ["x", "roi" if roi else "", "scales" if scales else "", "sizes" if sizes else ""]
    initializers = []
    if roi:
        initializers.append(numpy_helper.from_array(np.array(roi, np.float32), "roi"))
    if scales:
        initializers.append(numpy_helper.from_array(np.array(scales, np.float32), "scales"))
    if sizes:
        initializers.append(numpy_helper.from_array(np.array(sizes, np.int64), "sizes"))
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph([helper.make_node("Resize", names, ["y"], **attributes)], "g",
                              [helper.make_tensor_value_info("x", kind, x.shape)],
                              [helper.make_tensor_value_info("y", kind, None)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


def main():
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    count = skipped = 0
    for name, x, *rest in cases():
        model = make(x, *rest)
        try:
            y = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, {"x": x})[0]
        except Exception:  # noqa: BLE001 - an attribute that it does not have in this combination
            skipped += 1
            continue
        folder = pathlib.Path(sys.argv[1]) / "node" / ("test_" + name.replace(" ", "_")) / "test_data_set_0"
        folder.mkdir(parents=True, exist_ok=True)
        model.graph.output[0].CopyFrom(
            helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(y.dtype), y.shape))
        (folder.parent / "model.onnx").write_bytes(model.SerializeToString())
        (folder / "input_0.pb").write_bytes(numpy_helper.from_array(x, "x").SerializeToString())
        (folder / "output_0.pb").write_bytes(numpy_helper.from_array(y, "y").SerializeToString())
        count += 1
    print(f"{count} cases, {skipped} that ONNX Runtime does not run")


if __name__ == "__main__":
    main()
