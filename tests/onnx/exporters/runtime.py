"""runtime.py MODEL X.npy Y.npy: the last output that ONNX Runtime computes from X."""
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
first = session.get_inputs()[0]
x = numpy.load(sys.argv[2]).astype(numpy.float16 if "float16" in first.type else numpy.float32)
y = session.run(None, {first.name: x})[-1]
if isinstance(y, list):  # of ZipMap: class -> probability
    y = list(y[0].values())
numpy.save(sys.argv[3], numpy.asarray(y))
