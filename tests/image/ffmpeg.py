#!/usr/bin/env python3
"""ffmpeg.py LIBKLDVE - every arrangement of Y, U and V as ffmpeg makes it from a picture, back to R, G, B:
the library's against ffmpeg's own conversion without interpolation.  Skipped without ffmpeg."""
import ctypes
import shutil
import subprocess
import sys

WIDTH, HEIGHT = 64, 48
FORMATS = {"nv12": 14, "nv21": 15, "yuv420p": 16, "yuv422p": 17, "yuv444p": 18, "yuyv422": 19,
           "uyvy422": 20}
STANDARDS = {("bt601", "tv"): 0, ("bt601", "pc"): 1, ("bt709", "tv"): 2, ("bt709", "pc"): 3}
TOLERANCE = 3  # of 255; ffmpeg rounds its factors more coarsely


class Pixels(ctypes.Structure):
    """kldve_pixels"""
    _fields_ = [("struct_size", ctypes.c_size_t), ("format", ctypes.c_int32),
                ("width", ctypes.c_int32), ("height", ctypes.c_int32), ("yuv", ctypes.c_int32),
                ("plane", ctypes.c_void_p * 4), ("stride", ctypes.c_ssize_t * 4)]


def pixels(number, yuv, memory):
    p = Pixels(ctypes.sizeof(Pixels), number, WIDTH, HEIGHT, yuv)
    p.plane[0] = ctypes.addressof(memory)
    return p


def ffmpeg(data, from_format, to_format, scale):
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", from_format, "-s",
         "%dx%d" % (WIDTH, HEIGHT), "-i", "-", "-vf", "scale=" + scale + ":flags=neighbor+accurate_rnd",
         "-pix_fmt", to_format, "-f", "rawvideo", "-"],
        input=data, stdout=subprocess.PIPE, check=True).stdout


def read(core, ctx, number, yuv, data):
    source, out = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(
        3 * WIDTH * HEIGHT)
    image = ctypes.c_void_p()
    if core.kldve_image_borrow(ctx, ctypes.byref(pixels(number, yuv, source)), None, None,
                               ctypes.byref(image)):
        sys.exit("borrow: %s" % core.kldve_ctx_message(ctx))
    if core.kldve_image_read(ctx, image, 0, ctypes.byref(pixels(0, 0, out))):
        sys.exit("read: %s" % core.kldve_ctx_message(ctx))
    core.kldve_image_free(image)
    return out.raw


def main(library):
    if not shutil.which("ffmpeg"):
        print("skipped: no ffmpeg")
        sys.exit(77)
    core = ctypes.CDLL(library)
    core.kldve_ctx_message.restype = ctypes.c_char_p
    core.kldve_image_free.restype = None
    ctx = ctypes.c_void_p()
    if core.kldve_ctx_new(None, ctypes.byref(ctx)):
        sys.exit("no context")
    colours = bytes((3 * x + 2 * y) % 256 if c == 0 else (2 * x + 100 * c) % 256
                    for y in range(HEIGHT) for x in range(WIDTH) for c in range(3))
    failed = 0
    for name, number in FORMATS.items():
        for (matrix, reach), yuv in STANDARDS.items():
            data = ffmpeg(colours, "rgb24", name,
                          "out_color_matrix=%s:out_range=%s" % (matrix, reach))
            want = ffmpeg(data, name, "rgb24", "in_color_matrix=%s:in_range=%s" % (matrix, reach))
            got = read(core, ctx, number, yuv, data)
            most = max(abs(a - b) for a, b in zip(got, want))
            print("%s %s %s: %d of 255" % (name, matrix, reach, most))
            failed += most > TOLERANCE or len(got) != len(want)
    core.kldve_ctx_free(ctx)
    sys.exit(failed > 0)


main(sys.argv[1])
