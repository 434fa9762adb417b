"""What a bomb is: files that hurt, the command that reads them, and what may happen.  Standard library only."""
import os
import struct
import zlib

CPU_SECONDS = 10  # of user and system time, release build
MEMORY = {  # bytes of resident memory that a class may take at its peak, release build
    "model": (1 << 30) + (256 << 20),  # KLDVE_LIMIT_WORKING_MEMORY, and what the process has anyway
    "card": 128 << 20,
    "labels": 192 << 20,  # four times the largest file that is read, and what the process has anyway
    "picture": 480 << 20,  # four bytes for each of 100 million pixels, and the same
    "array": 192 << 20,
    "dataset": 512 << 20,  # of JSON: some forty times the file
    "database": 192 << 20,
    "arguments": 192 << 20,
}


class Bomb:
    """kind: a key of MEMORY.  family: the line of the table that counts it.

    files: {name: bytes, or a callable that is given the path and makes it}.
    args: of the command, run in the folder of the files, with {} for it.
    allowed: exit statuses.  says: a regular expression that the failure's line must match.
    waits: the branch or the reason for which this bomb is expected to fail.  memory: bytes, in place of MEMORY.
    host: (what, file) that the C host reads as well, see host.c.  lines: the most that a failure may say."""

    def __init__(self, kind, family, name, files, args, allowed=(0, 1), says=None, waits=None,
                 memory=None, host=None, lines=1):
        self.kind, self.family, self.name = kind, family, name
        self.files, self.args, self.allowed, self.says = files, args, allowed, says
        self.waits, self.memory, self.host, self.lines = waits, memory or MEMORY[kind], host, lines

    def write(self, folder):
        for name, data in self.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if callable(data):
                data(path)
                continue
            with open(path, "wb") as file:
                file.write(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)


def chunk(kind, data, crc=None):
    """A chunk of a PNG."""
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc))


def png_head(width, height, depth=8, colour=2, interlace=0):
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)))


def squeezed(piece, count):
    """zlib's stream of `count` pieces: after a full flush the same piece has the same bytes again."""
    z = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = z.compress(piece) + z.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(count):
        check = zlib.adler32(piece, check)
    return b"\x78\xda" + once * count + b"\3\0" + struct.pack(">I", check)


def png(width, height, rgb=b"\x50\x80\x20"):
    """A picture of one colour."""
    return (png_head(width, height) + chunk(b"IDAT", squeezed(b"\0" + rgb * width, height)) +
            chunk(b"IEND", b""))


def later(function, *args):
    """A file whose bytes are made when they are wanted."""

    def make(path):
        with open(path, "wb") as file:
            file.write(function(*args))

    return make


def fifo(path):
    os.mkfifo(path)


def link_to(target):
    return lambda path: os.symlink(target, path)


def sparse(nbytes, head=b""):
    """A file of zeros that takes no room on the disk."""

    def make(path):
        with open(path, "wb") as file:
            file.write(head)
            file.truncate(nbytes)

    return make
