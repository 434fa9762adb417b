"""The scene generator (scenes.h) for Python: builds it with the C compiler and calls it through ctypes."""
import ctypes
import os
import subprocess
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ["draw.c", "pen.c", "kinds.c", "objects.c", "backdrop.c", "scenes.c"]
ANY = -1
INSIDE = 128
OBJECTS_MAX = 4


class Request(ctypes.Structure):
    _fields_ = [("seed", ctypes.c_uint64), ("size", ctypes.c_int32), ("objects", ctypes.c_int32),
                ("kind", ctypes.c_int32 * OBJECTS_MAX), ("hidden", ctypes.c_uint32)]


class Object(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("pixels", ctypes.c_int32), ("x", ctypes.c_double),
                ("y", ctypes.c_double), ("radius", ctypes.c_double)]


def _build():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scenes.so")
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O3", "-ffp-contract=off", "-shared",
                        "-fPIC", "-o", path, *(os.path.join(HERE, s) for s in SOURCES), "-lm"],
                       check=True)
        library = ctypes.CDLL(path)
    library.scenes_draw.restype = ctypes.c_bool
    library.scenes_kind_name.restype = ctypes.c_char_p
    return library


_library = _build()


def labels():
    """The names of the kinds, in the order of the network's classes."""
    names = []
    while (name := _library.scenes_kind_name(len(names))) is not None:
        names.append(name.decode())
    return names


def draw(seed, size, kinds, masks=True):
    """A scene with these kinds (or ANY): picture [size, size, 3], masks [objects, size, size] (or
    None), both uint8, and the kinds drawn."""
    request = Request(seed, size, len(kinds), (ctypes.c_int32 * OBJECTS_MAX)(*kinds), 0)
    picture = np.empty((size, size, 3), np.uint8)
    mask = np.empty((len(kinds), size, size), np.uint8) if masks else None
    objects = (Object * OBJECTS_MAX)()
    drawn = _library.scenes_draw(ctypes.byref(request), picture.ctypes.data_as(ctypes.c_void_p),
                                 mask.ctypes.data_as(ctypes.c_void_p) if masks else None, objects)
    if not drawn:
        raise ValueError("not a valid request")
    return picture, mask, [objects[i].kind for i in range(len(kinds))]
