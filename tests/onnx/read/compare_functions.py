#!/usr/bin/python3
"""Functions local to a model, as torch's exporter writes them: networks of torchvision are exported
with each module as a function, and again without functions.  The reader must turn the first into the
same expression as the second.

    compare_functions.py PATH/TO/dump_proto

Exit status 77: torch or torchvision is missing."""
import contextlib
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    import torchvision
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

NETWORKS = ('resnet18', 'mobilenet_v2', 'squeezenet1_1')
QUOTED = re.compile("'([^']*)'")


def export(name, folder):
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None).eval()
    x = torch.randn(1, 3, 64, 64)
    for functions in (False, True):
        path = os.path.join(folder, '%s_%d.onnx' % (name, functions))
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(net, x, path, opset_version=15, do_constant_folding=False,
                              training=torch.onnx.TrainingMode.PRESERVE,
                              export_modules_as_functions=functions)
        with open(path, 'rb') as f:
            assert (b'torch.nn.modules' in f.read()) == functions
        yield path


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def expression(text):
    """A digest of the first output as an expression in the inputs and the tensors' contents.
    Identity is looked through; the order of attributes does not matter."""
    value, producer, output = {'': ''}, {}, None
    node = None
    for line in text.splitlines():
        if line.startswith('node '):
            head, outs = line.split(' -> ')
            outs = QUOTED.findall(outs)
            op = head.split("' ", 1)[1].split(' ')[0]
            node = (op, QUOTED.findall(head)[1:], [])
            for i, out in enumerate(outs):
                assert out not in producer, out
                producer[out] = (node, i)
        elif line.startswith('  '):
            node[2].append(line)
        elif line.startswith('tensor '):
            name = QUOTED.findall(line)[0]
            value[name] = line.split("' ", 1)[1]
        elif line.startswith('input '):
            name = QUOTED.findall(line)[0]
            value.setdefault(name, 'input')
        elif line.startswith('output ') and output is None:
            output = QUOTED.findall(line)[0]

    def evaluate(name):
        if name not in value:
            (op, ins, attrs), i = producer[name]
            ins = [evaluate(x) for x in ins]
            value[name] = ins[0] if op == '.Identity' else digest(op, i, ins, sorted(attrs))
        return value[name]

    return evaluate(output), len({id(n) for n, _ in producer.values()})


def main():
    warnings.simplefilter('ignore')
    sys.setrecursionlimit(10000)
    with tempfile.TemporaryDirectory() as folder:
        for name in NETWORKS:
            paths = list(export(name, folder))
            out = subprocess.run([sys.argv[1]], input='\n'.join(paths).encode(), check=True,
                                 stdout=subprocess.PIPE).stdout.decode()
            plain, inlined = [expression(part) for part in out.split('== ')[1:]]
            assert plain[0] == inlined[0], name
            assert inlined[1] >= plain[1] > 10
            print('%s: %d nodes inlined, the same expression as %d without functions' %
                  (name, inlined[1], plain[1]))


sys.exit(main())
