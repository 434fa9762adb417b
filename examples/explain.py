#!/usr/bin/env python3
"""The heat map of `kldve explain`, from Python without any packages: loads the installed libraries
with ctypes.

    explain.py NETWORK.onnx PICTURE TARGET OUT.png      TARGET: the index of a class

Draws the heat over the picture and prints the map, one row per line."""
import ctypes
import os
import sys
from ctypes import (POINTER, byref, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint64,
                    c_void_p)


class Options(ctypes.Structure):
    """kldve_options; zeros are defaults."""
    _fields_ = [("struct_size", c_size_t), ("method", c_char_p), ("reading", c_int32),
                ("target_kind", c_int32), ("target", c_int32), ("temperature", c_float),
                ("perplexity", c_double), ("flags", c_uint64), ("rival", c_int32),
                ("target_count", c_int32), ("targets", c_void_p), ("truth", c_void_p),
                ("sign", c_int32), ("samples", c_int32), ("window", c_int32), ("stride", c_int32),
                ("noise", c_double), ("seed", c_uint64), ("smooth", c_int32), ("reserved", c_int32)]


class Record(ctypes.Structure):
    """The beginning of kldve_record: struct_size tells the library how much of it there is."""
    _fields_ = [("struct_size", c_size_t), ("method", c_char_p), ("target", c_int32),
                ("reading", c_int32), ("classes", c_int32), ("maps", c_int32),
                ("height", c_int32), ("width", c_int32)]


TARGET_INDEX = 1

core = ctypes.CDLL("libkldve.so.0")
engine = ctypes.CDLL("libkldve-onnx.so.0")
core.kldve_ctx_message.restype = c_char_p


class Kldve:
    """One context; close() frees what it made, last first."""

    def __init__(self):
        self.ctx = c_void_p()
        self.made = []
        if core.kldve_ctx_new(None, byref(self.ctx)):
            raise MemoryError

    def call(self, function, *args):
        if function(*args):
            raise RuntimeError(os.fsdecode(core.kldve_ctx_message(self.ctx)))

    def make(self, free, function, *args):
        out = c_void_p()
        self.call(function, *args, byref(out))
        self.made.append((free, out))
        return out

    def close(self):
        for free, thing in reversed(self.made):
            free(thing)
        core.kldve_ctx_free(self.ctx)


def main(model, picture, target, out):
    k = Kldve()
    why = Options(ctypes.sizeof(Options), None, 0, TARGET_INDEX, int(target))
    record = Record(ctypes.sizeof(Record))
    cell = POINTER(c_float)()
    try:
        net = k.make(core.kldve_explainer_free, engine.kldve_onnx_explainer, k.ctx,
                     os.fsencode(model), None)
        photo = k.make(core.kldve_image_free, core.kldve_image_load, k.ctx, os.fsencode(picture))
        heat = k.make(core.kldve_heatmap_free, core.kldve_explain, net, photo, byref(why))
        drawn = k.make(core.kldve_image_free, core.kldve_heatmap_render, k.ctx, heat,
                       photo, None)
        k.call(core.kldve_image_save, k.ctx, drawn, os.fsencode(out), c_int32(0))
        k.call(core.kldve_heatmap_record, heat, byref(record))
        k.call(core.kldve_heatmap_values, heat, byref(cell), None)
        for y in range(record.height):
            print(*("%.6f" % cell[y * record.width + x] for x in range(record.width)))
    except RuntimeError as why_not:
        sys.exit(str(why_not))
    finally:
        k.close()


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 5 else sys.exit(__doc__)
