#!/usr/bin/python3
"""Check the networks that make-network writes: onnx.checker accepts them, they have the published
number of weights, and torch computes finite logits of a reasonable spread from them.  VGG-16 and
AlexNet are also explained by the command, and logits, feature maps, gradient and weights compared
with what torch computes from the same weights and pixels.

    check_networks.py [--explain KLDVE ZOO_RUN] PATH/TO/make-network [NAME...]

Exit status 77: onnx, torch or Pillow is missing.  Takes two minutes and 2 GB for all of them."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    import torch
    import torch.nn.functional as F
    from PIL import Image
    from onnx import numpy_helper
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

TOLERANCE = 1e-4  # of the largest value
EXPLAINED = ['vgg16', 'alexnet']
MEAN = [104, 117, 123]  # of Caffe's networks, B, G, R
PHOTOGRAPH = os.path.join(os.environ.get('KLDVE_SHARED', '../shared'),
                          'assets/images/demo/both.png')
STAGES = ['load', 'decode', 'forward', 'divergence', 'backward', 'reduce', 'render', 'total']
WEIGHTS = {'vgg16': 138357544, 'alexnet': 60965224, 'resnet50': 25557032, 'densenet121': 7978856}


def run(nodes, value):
    """Every tensor that the nodes make from those in `value`, and these, by name."""
    value = dict(value)
    for n in nodes:
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
        weights = {k: torch.from_numpy(a) for k, a in arrays.items()}
        value = run(graph.node, dict(weights, data=torch.randn(2, 3, size, size)))
    y = value[logits]
    feature = [v for k, v in value.items() if k not in arrays and v.dim() == 4 and v.shape[2] > 1]
    last_map = feature[-1]
    alive = (last_map > 0).float().mean().item()
    assert torch.isfinite(y).all()
    spread = y.std(1)
    assert (spread > 0.1).all() and (spread < 100).all(), spread
    print('%-12s %10d weights, logits deviate by %.2f and %.2f, last map %s: %.0f %% positive' %
          (name, count, spread[0], spread[1], list(last_map.shape[1:]), 100 * alive))
    return graph, weights, size


def contrast(logits, target):
    """The cotangent of the reading `contrast` (docs/method.md), float64."""
    d = logits.astype(float) - float(logits[target])
    t = -numpy.abs(d) / (1 + d * d)
    t[target] = -t.sum()
    return t / t.std()


def prepare(pixels):
    """[size][size][3], R, G, B -> the input of the network, [3][size][size]."""
    bgr = pixels[:, :, ::-1].astype('f4') - numpy.array(MEAN, 'f4')
    return numpy.ascontiguousarray(bgr.transpose(2, 0, 1))


def explain_with_torch(graph, weights, pixels, layer, target):
    """-> logits, features, cotangent, gradient at the layer."""
    at = next(i for i, n in enumerate(graph.node) if layer in n.output) + 1
    data = torch.from_numpy(prepare(pixels)[None])
    with torch.no_grad():
        value = run(graph.node[:at], dict(weights, data=data))
    features = value[layer].requires_grad_()
    logits = run(graph.node[at:], dict(weights, **{layer: features}))['fc8']
    cotangent = contrast(logits[0].detach().numpy(), target)
    logits.backward(torch.from_numpy(cotangent[None].astype('f4')))
    return (logits[0].detach().numpy(), features[0].detach().numpy(), cotangent,
            features.grad[0].numpy())


def compare(name, what, ours, theirs):
    assert ours.shape == theirs.shape, (name, what, ours.shape, theirs.shape)
    error = numpy.abs(ours - theirs).max() / numpy.abs(theirs).max()
    assert error <= TOLERANCE, (name, what, error)
    return '%s %.1e' % (what, error)


def explain(tools, folder, path, name, graph, weights, size):
    """Explain a photograph with the command, and what it does not write with zoo_run."""
    kldve, zoo_run = tools
    photo = Image.open(PHOTOGRAPH).convert('RGB').resize((size, size), Image.BILINEAR)
    photo.save(folder + '/photo.png')
    subprocess.run([kldve, 'explain', path, folder + '/photo.png', '--channels', 'BGR', '--mean',
                    ','.join(map(str, MEAN)), '--reading', 'contrast', '--target', 'top2', '--quiet',
                    '--json', folder + '/r.json', '--dump', folder, '-o', folder + '/o.png'],
                   check=True)
    with open(folder + '/r.json') as file:
        record = json.load(file)
    times = record['timings_ms']
    assert sorted(times) == sorted(STAGES) and all(times[s] > 0 for s in STAGES), times
    assert sum(times[s] for s in STAGES[:-1]) <= 1.05 * times['total'] + 1, times
    assert record['layer'] == 'pool5', record['layer']
    assert Image.open(folder + '/o.png').size == (size, size)
    target = record['target']['index']
    logits, features, cotangent, gradient = explain_with_torch(
        graph, weights, numpy.asarray(photo), record['layer'], target)
    assert target == numpy.argsort(-logits)[1]
    ours = {k: numpy.load('%s/%s.npy' % (folder, k))
            for k in ['logits', 'contrast_cotangent', 'alpha_contrast']}
    errors = [compare(name, 'logits', ours['logits'], logits),
              compare(name, 'cotangent', ours['contrast_cotangent'], cotangent),
              compare(name, 'weights', ours['alpha_contrast'], gradient.mean((1, 2)))]
    prepare(numpy.asarray(photo)).tofile(folder + '/input')
    cotangent.astype('f4').tofile(folder + '/cotangent')
    subprocess.run([zoo_run, path, 'pool5', folder], check=True, stdout=subprocess.DEVNULL)
    for what, theirs in [('logits', logits), ('features', features), ('gradient', gradient)]:
        raw = numpy.fromfile(folder + '/' + what, 'f4').reshape(theirs.shape)
        errors.append(compare(name, what, raw, theirs))
    print('%-12s off by %s; ms: %s' % (name, ', '.join(errors),
                                       ', '.join('%s %.1f' % (s, times[s]) for s in STAGES)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--explain', nargs=2, metavar=('KLDVE', 'ZOO_RUN'))
    parser.add_argument('make_network')
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    if args.explain and not os.path.exists(PHOTOGRAPH):
        print('nothing is explained: no', PHOTOGRAPH)
        args.explain = None
    for name in args.names or WEIGHTS:
        with tempfile.TemporaryDirectory(dir=os.curdir, prefix='networks-') as folder:
            path = os.path.join(folder, name + '.onnx')
            subprocess.run([args.make_network, name, path], check=True)
            read = check(path, name)
            if args.explain and name in EXPLAINED:
                explain(args.explain, folder, path, name, *read)


sys.exit(main())
