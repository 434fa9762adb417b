#!/usr/bin/python3
"""Compare the reader with the onnx package on every .onnx file and every serialised tensor of
ONNX's test data (Debian: libonnx-testdata), on the shared networks, and on tensors of every type in
every encoding, generated here.

    compare_proto.py PATH/TO/dump_proto

Exit status 77: the onnx package is missing."""
import glob
import os
import subprocess
import sys
import tempfile
import zlib

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError as e:
    print('skipped:', e)
    sys.exit(77)

TESTDATA = '/usr/share/libonnx-testdata/data'
NOT_READ = (0, 8, 14, 15)  # string and complex tensors
REASONS = ('sparse tensors are not supported', 'does not say which opset of ONNX it uses')


def text(b):
    return b if isinstance(b, str) else b.decode('utf-8', 'surrogateescape')


def tensor(what, t):
    head = "%s '%s' %d (%s )" % (what, t.name, t.data_type, ''.join(' %d' % d for d in t.dims))
    if t.data_type in NOT_READ or t.data_type > onnx.TensorProto.BFLOAT16:  # later: 8 and 4 bits
        return head + ' not read'
    a = numpy_helper.to_array(t)
    if t.data_type == onnx.TensorProto.BFLOAT16:
        if t.HasField('raw_data'):  # which some versions of the package do not look at
            a = np.frombuffer(t.raw_data, '<u2')
        # Its bits, or widened to float32 by older packages.
        a = a.astype('<u2') if a.itemsize == 2 else (a.view('<u4') >> 16).astype('<u2')
    return head + ' %08x' % zlib.crc32(a.astype(a.dtype.newbyteorder('<')).tobytes())


def bits(f):
    return '%08x' % np.float32(f).view(np.uint32)


def attribute(a):
    line = "  '%s' %d" % (a.name, a.type)
    if a.type == 4:
        return line + tensor('', a.t)
    return line + {
        1: lambda: ' ' + bits(a.f),
        2: lambda: ' %d' % a.i,
        3: lambda: " '%s'" % text(a.s),
        6: lambda: ''.join(' ' + bits(f) for f in a.floats),
        7: lambda: ''.join(' %d' % i for i in a.ints),
        8: lambda: ''.join(" '%s'" % text(s) for s in a.strings),
    }.get(a.type, lambda: '')()


def names(values):
    return ''.join(" '%s'" % v for v in values)


def value(what, v):
    kind = v.type.WhichOneof('value')
    t = v.type.tensor_type
    if kind != 'tensor_type':
        return "%s '%s' 0 -1 ( )" % (what, v.name)
    if not t.HasField('shape'):
        return "%s '%s' %d -1 ( )" % (what, v.name, t.elem_type)
    dims = [' %d' % d.dim_value if d.HasField('dim_value') else
            " '%s'" % d.dim_param if d.HasField('dim_param') else ' -1' for d in t.shape.dim]
    return "%s '%s' %d %d (%s )" % (what, v.name, t.elem_type, len(dims), ''.join(dims))


def model(m):
    opset = [o.version for o in m.opset_import if o.domain in ('', 'ai.onnx')]
    yield 'IR %d opset %d' % (m.ir_version, opset[0] if opset else 0)
    for n in m.graph.node:
        yield "node '%s' %s.%s%s ->%s" % (n.name, n.domain, n.op_type, names(n.input),
                                          names(n.output))
        for a in n.attribute:
            yield attribute(a)
    for t in m.graph.initializer:
        yield tensor('tensor', t)
    for v in m.graph.input:
        yield value('input', v)
    for v in m.graph.output:
        yield value('output', v)


def is_tensor(path):
    """input_0.pb belongs to input 0 of the model beside it, which may be a sequence."""
    beside = os.path.join(os.path.dirname(os.path.dirname(path)), 'model.onnx')
    if not os.path.exists(beside):  # data/light: results of models that are somewhere else
        return False
    m = onnx.load(beside)
    kind, number = os.path.basename(path)[:-3].split('_')
    values = m.graph.input if kind == 'input' else m.graph.output
    return values[int(number)].type.WhichOneof('value') == 'tensor_type'


def varint(n):
    n &= (1 << 64) - 1
    out = b''
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def unpacked(t, field, numbers):
    """The typed field with a tag before every number, which a reader must also accept; the field's
    first half packed, as protobuf's merging may leave it."""
    wire = {4: 5, 10: 1}.get(field, 0)
    item = {5: lambda x: np.float32(x).tobytes(), 1: lambda x: np.float64(x).tobytes()}.get(
        wire, lambda x: varint(int(x)))
    rest = onnx.TensorProto(dims=t.dims, data_type=t.data_type, name=t.name)
    half = len(numbers) // 2
    packed = b''.join(item(x) for x in numbers[:half])
    return (rest.SerializeToString() + varint(field << 3 | 2) + varint(len(packed)) + packed +
            b''.join(varint(field << 3 | wire) + item(x) for x in numbers[half:]))


FIELDS = {'float_data': 4, 'int32_data': 5, 'int64_data': 7, 'double_data': 10, 'uint64_data': 11}


def made(folder):
    """Files of tensors of every type in raw_data, in the typed field, and half unpacked."""
    rng = np.random.default_rng(1)
    for dtype in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16):
        kind = np.dtype('f4') if dtype == 16 else onnx.mapping.TENSOR_TYPE_TO_NP_TYPE[dtype]
        if kind.kind in 'iu':
            low, high = np.iinfo(kind).min, np.iinfo(kind).max
            a = rng.integers(low, high, (3, 5), kind, True)
            a[0, :2] = low, high
        else:
            a = (rng.standard_normal((3, 5)) * 3).astype(kind)
        for raw in (True, False):
            if raw and dtype == 16:
                bits = (a.astype('<f4').view('<u4') >> 16).astype('<u2')
                t = onnx.helper.make_tensor('t', dtype, a.shape, bits.tobytes(), True)
            else:
                t = onnx.helper.make_tensor('t', dtype, a.shape,
                                            a.tobytes() if raw else a.ravel().tolist(), raw)
            variants = {'raw' if raw else 'typed': t.SerializeToString()}
            for name, field in FIELDS.items():
                if len(getattr(t, name)):
                    variants['unpacked'] = unpacked(t, field, list(getattr(t, name)))
            for name, b in variants.items():
                path = os.path.join(folder, '%d_%s.pb' % (dtype, name))
                with open(path, 'wb') as f:
                    f.write(b)
                yield path


def expected(path):
    if path.endswith('.pb'):
        t = onnx.TensorProto()
        with open(path, 'rb') as f:
            t.ParseFromString(f.read())
        return [tensor('tensor', t)]
    return list(model(onnx.load(path)))


def main():
    with tempfile.TemporaryDirectory() as folder:
        return compare(list(made(folder)))


def compare(paths):
    shared = os.environ.get('KLDVE_SHARED', '../shared')
    paths += sorted(glob.glob(shared + '/assets/models/*.onnx'))
    paths += sorted(glob.glob(TESTDATA + '/**/*.onnx', recursive=True))
    paths += sorted(p for p in glob.glob(TESTDATA + '/**/*.pb', recursive=True) if is_tensor(p))
    for folder in (TESTDATA, shared):
        if not os.path.isdir(folder):
            print('not there:', folder)
    out = subprocess.run([sys.argv[1]], input='\n'.join(paths).encode(), stdout=subprocess.PIPE,
                         check=True).stdout.decode('utf-8', 'surrogateescape')
    parts = out.split('== ')[1:]
    assert len(parts) == len(paths)
    failed = refused = 0
    for path, part in zip(paths, parts):
        got = part.splitlines()[1:]
        if got and got[0].startswith('refused: '):
            refused += 1
            if not any(r in got[0] for r in REASONS):
                print(path, got[0])
                failed += 1
            continue
        for g, e in zip(got + ['(end)'], expected(path) + ['(end)']):
            if g != e:
                print('%s\n  reader: %s\n  onnx:   %s' % (path, g, e))
                failed += 1
                break
    print('%d files equal, %d refused, %d different' % (len(paths) - refused - failed, refused,
                                                        failed))
    return 1 if failed else 0


sys.exit(main())
