#!/usr/bin/python3
"""Check the networks that make-network writes: onnx.checker accepts them, they have the published
number of weights, and torch computes finite logits of a reasonable spread from them.

    check_networks.py PATH/TO/make-network [NAME...]

Exit status 77: onnx or torch is missing.  Takes a minute and 1.5 GB for all of them."""
import os
import subprocess
import sys
import tempfile

try:
    import onnx
    import torch
    import torch.nn.functional as F
    from onnx import numpy_helper
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

WEIGHTS = {'vgg16': 138357544, 'alexnet': 60965224, 'resnet50': 25557032, 'densenet121': 7978856}


def run(graph, weights, value):
    """Every tensor of the graph, by name."""
    value = dict(weights, data=value)
    for n in graph.node:
        a = {x.name: onnx.helper.get_attribute_value(x) for x in n.attribute}
        x = [value[i] for i in n.input]
        pads = a.get('pads', [0, 0, 0, 0])
        assert pads[:2] == pads[2:]
        pool = (a.get('kernel_shape'), a.get('strides'), pads[:2])
        value[n.output[0]] = {
            'Conv': lambda: F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None, a['strides'],
                                     pads[:2], 1, a.get('group', 1)),
            'BatchNormalization': lambda: F.batch_norm(x[0], x[3], x[4], x[1], x[2],
                                                       eps=a['epsilon']),
            'Relu': lambda: F.relu(x[0]),
            'Add': lambda: x[0] + x[1],
            'Concat': lambda: torch.cat(x, a['axis']),
            'MaxPool': lambda: F.max_pool2d(x[0], *pool),
            'AveragePool': lambda: F.avg_pool2d(x[0], *pool),
            'GlobalAveragePool': lambda: x[0].mean((2, 3), keepdim=True),
            'LRN': lambda: F.local_response_norm(x[0], a['size'], a['alpha'], a['beta'], a['bias']),
            'Flatten': lambda: x[0].flatten(a['axis']),
            'Gemm': lambda: F.linear(x[0], x[1], x[2]),
            'Softmax': lambda: F.softmax(x[0], -1),
        }[n.op_type]()
    return value


def check(path, name):
    onnx.checker.check_model(path)
    graph = onnx.load(path).graph
    arrays = {t.name: numpy_helper.to_array(t).copy() for t in graph.initializer}
    count = sum(a.size for k, a in arrays.items() if '.running_' not in k)
    assert count == WEIGHTS[name], (name, count)
    size = graph.input[0].type.tensor_type.shape.dim[2].dim_value
    last = graph.output[0].name
    logits = 'fc8' if last == 'prob' else last
    torch.manual_seed(1)
    with torch.no_grad():
        value = run(graph, {k: torch.from_numpy(a) for k, a in arrays.items()},
                    torch.randn(2, 3, size, size))
    y = value[logits]
    feature = [v for k, v in value.items() if k not in arrays and v.dim() == 4 and v.shape[2] > 1]
    last_map = feature[-1]
    alive = (last_map > 0).float().mean().item()
    assert torch.isfinite(y).all()
    spread = y.std(1)
    assert (spread > 0.1).all() and (spread < 100).all(), spread
    print('%-12s %10d weights, logits deviate by %.2f and %.2f, last map %s: %.0f %% positive' %
          (name, count, spread[0], spread[1], list(last_map.shape[1:]), 100 * alive))


def main():
    names = sys.argv[2:] or list(WEIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = os.path.join(folder, name + '.onnx')
            subprocess.run([sys.argv[1], name, path], check=True)
            check(path, name)
            os.unlink(path)


sys.exit(main())
