"""runtime.py MODEL X.npy Y.npy all|none: the last output that ONNX Runtime computes from X, with all of its optimisations
or none."""
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
if sys.argv[4] == "none":
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
first = session.get_inputs()[0]
x = numpy.load(sys.argv[2]).astype(numpy.float16 if "float16" in first.type else numpy.float32)
y = session.run(None, {first.name: x})[-1]
if isinstance(y, list):  # of ZipMap: class -> probability
    y = list(y[0].values())
numpy.save(sys.argv[3], numpy.asarray(y))
