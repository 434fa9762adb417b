#!/usr/bin/python3
"""Copy a network whose file says how many inputs there are at once, with that number left open.

    free_batch.py IN.onnx OUT.onnx

ONNX Runtime runs a batch only if the first dimension of the input is open.  Operators stay as they
are: a Reshape or Expand to a fixed first dimension is named, since the copy then fails in a batch."""
import sys

import onnx
import onnx.numpy_helper

OPEN = "N"


def free(value):
    """value: a ValueInfoProto; whatever its first dimension was."""
    dimensions = value.type.tensor_type.shape.dim
    if dimensions:
        dimensions[0].dim_param = OPEN


def inputs(graph):
    weights = {i.name for i in graph.initializer}
    return [i for i in graph.input if i.name not in weights]


def fixed(graph):
    """Nodes that give their result a first dimension out of a constant: [(name, operator, shape)]."""
    weights = {i.name: i for i in graph.initializer}
    weights |= {n.output[0]: a.t for n in graph.node if n.op_type == "Constant"
                for a in n.attribute if a.name == "value"}
    found = []
    for n in graph.node:
        if (n.op_type in ("Reshape", "Expand") and n.input[1] in weights
                and n.input[0] not in weights):
            shape = onnx.numpy_helper.to_array(weights[n.input[1]]).tolist()
            if shape and shape[0] > 0:
                found.append((n.name or n.output[0], n.op_type, shape))
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = onnx.load(sys.argv[1])
    for value in inputs(model.graph) + list(model.graph.output):
        free(value)
    del model.graph.value_info[:]  # shapes in between, inferred again
    for name, operator, shape in fixed(model.graph):
        print(f"free_batch: {operator} {name} has the fixed shape {shape}", file=sys.stderr)
    onnx.save(model, sys.argv[2])


if __name__ == "__main__":
    main()
