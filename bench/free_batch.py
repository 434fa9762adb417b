#!/usr/bin/python3
"""Copy a network whose file fixes the number of inputs, leaving that number open in the copy.

    free_batch.py IN.onnx OUT.onnx

ONNX Runtime runs a batch only if the first dimension of the input is open.  The operators stay
unchanged.  A Reshape or Expand to a fixed first dimension is reported, since it fails in a batch."""
import sys

import onnx
import onnx.numpy_helper

OPEN = "N"


def free(value):
    """Open the first dimension of a ValueInfoProto."""
    dimensions = value.type.tensor_type.shape.dim
    if dimensions:
        dimensions[0].dim_param = OPEN


def inputs(graph):
    weights = {i.name for i in graph.initializer}
    return [i for i in graph.input if i.name not in weights]


def fixed(graph):
    """Nodes whose result has a first dimension from a constant: [(name, operator, shape)]."""
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
    del model.graph.value_info[:]  # intermediate shapes are inferred again
    for name, operator, shape in fixed(model.graph):
        print(f"free_batch: {operator} {name} has the fixed shape {shape}", file=sys.stderr)
    onnx.save(model, sys.argv[2])


if __name__ == "__main__":
    main()
