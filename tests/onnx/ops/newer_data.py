#!/usr/bin/env python3
"""ONNX's conformance data as the installed onnx package defines them, for test_conformance.

    newer_data.py FOLDER

writes FOLDER/node/test_.../ with model.onnx and its inputs and outputs, in the form of Debian's
libonnx-testdata, whose version 1.12 ends at opset 17.  The long form of the test, by hand:

    python3 -m venv venv && venv/bin/pip install onnx
    venv/bin/python tests/onnx/ops/newer_data.py data
    build/tests/onnx/ops/test_conformance docs/operators.md data
"""
import pathlib
import sys

import numpy as np
import onnx.backend.test.case.node as node
from onnx import TensorProto, numpy_helper


def serialized(value, info):
    kind = info.type.WhichOneof("value")
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if isinstance(value, TensorProto):
        return value
    return numpy_helper.from_array(np.asarray(value), info.name)


def write_case(case, folder):
    graph = case.model.graph
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, sets in enumerate(case.data_sets):
        to = folder / f"test_data_set_{number}"
        to.mkdir(exist_ok=True)
        for name, values, infos in zip(("input", "output"), sets, (graph.input, graph.output)):
            for k, (value, info) in enumerate(zip(values, infos)):
                message = serialized(value, info)
                (to / f"{name}_{k}.pb").write_bytes(message.SerializeToString())


def main():
    np.random.seed(0)
    np.seterr(all="ignore")
    cases = node.collect_testcases(None)
    for case in cases:
        write_case(case, pathlib.Path(sys.argv[1]) / "node" / case.name)
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
