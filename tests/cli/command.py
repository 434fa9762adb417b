"""Shared by the tests of the kldve command: run it, read what it wrote.  Standard library only."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

KLDVE = os.path.abspath(os.environ["KLDVE"])
SHARED = os.path.abspath(os.environ.get("KLDVE_SHARED", "../shared"))
SOURCE = os.path.abspath(os.environ["KLDVE_SOURCE"])
MEMORY_LIMIT = 1 << 30  # bytes of resident memory that no run may pass
SKIPPED = 77  # exit status that meson knows


class Result:
    def __init__(self, status, out, err, peak):
        self.status, self.out, self.err, self.peak = status, out, err, peak


def run(*args, cwd=None, timeout=120, stdout=None, stdin=None):
    """Run the command; standard output goes to `stdout` (a file), otherwise into the result."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([KLDVE, *map(os.fspath, args)], cwd=cwd, stdout=stdout or out,
                                   stderr=err, stdin=stdin or subprocess.DEVNULL)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        out.seek(0)
        err.seek(0)
        return Result(process.returncode, out.read().decode("utf-8"), err.read().decode("utf-8"),
                      None)


def run_measured(*args, cwd=None):
    """The same with the peak of the resident memory, in bytes.  AddressSanitizer keeps little of what is freed."""
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([KLDVE, *map(os.fspath, args)], cwd=cwd, stdout=out, stderr=err,
                                   stdin=subprocess.DEVNULL, env={**os.environ, "ASAN_OPTIONS": sanitizer})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Result(process.returncode, out.read().decode("utf-8"), err.read().decode("utf-8"),
                      usage.ru_maxrss * 1024)


class Npy:
    """A .npy file of one of the types that the command writes."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:8] == b"\x93NUMPY\x01\x00", path
        (length,) = struct.unpack_from("<H", data, 8)
        assert (10 + length) % 64 == 0 and data[9 + length:10 + length] == b"\n", path
        head = eval(data[10:10 + length].decode("latin-1"), {"__builtins__": {}})
        assert not head["fortran_order"], path
        self.type, self.shape = head["descr"], tuple(head["shape"])
        count = 1
        for n in self.shape:
            count *= n
        code = {"f4": "f", "f8": "d"}[self.type[1:]]
        assert len(data) == 10 + length + count * struct.calcsize(code), path
        self.value = struct.unpack_from(f"{self.type[0]}{count}{code}", data, 10 + length)


def png(width, height, pixel, depth=8, colour=2):
    """A PNG; pixel(x, y) -> bytes of one pixel."""

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))

    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read_png(path):
    """The pixels of a picture of 8-bit RGB without interlacing, as bytes at (x, y)."""
    with open(path, "rb") as file:
        data = file.read()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    assert (depth, colour) == (8, 2), (depth, colour)
    raw, line, rows = zlib.decompress(packed), 3 * width + 1, []
    before = bytes(3 * width)
    for y in range(height):
        how, now = raw[y * line], bytearray(raw[y * line + 1:(y + 1) * line])
        for i, up in enumerate(before):
            left, corner = (now[i - 3], before[i - 3]) if i >= 3 else (0, 0)
            far = {abs(left + up - corner - v): v for v in (corner, up, left)}
            now[i] = (now[i] + [0, left, up, (left + up) // 2, far[min(far)]][how]) & 255
        before = bytes(now)
        rows.append(before)
    return lambda x, y: rows[y][3 * x:3 * x + 3]


def read_json(path):
    """Strict: NaN and infinity are not JSON."""

    def refuse(text):
        raise ValueError(text)

    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_constant=refuse)


def snapshot(folder):
    """Every file below a folder with its size."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in files + folders:
            path = os.path.join(base, name)
            found[os.path.relpath(path, folder)] = os.lstat(path).st_size
    return found


def shared(*parts):
    return os.path.join(SHARED, *parts)


def have_shared():
    return os.path.isdir(shared("assets", "models"))


def main():
    """unittest's, with a closing line that says how many were skipped."""
    result = unittest.main(exit=False, verbosity=1).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
