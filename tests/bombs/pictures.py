"""Pictures in PNG."""
import os
import struct
import zlib

from bomb import Bomb, chunk, fifo, later, link_to, png, png_head, sparse, squeezed

END = chunk(b"IEND", b"")
MIB = 1 << 20


def picture(family, name, data, allowed=(0, 1), args=(), host=("picture", "pic.png"), **more):
    return Bomb("picture", family, name, {"pic.png": data}, ["explain", "pic.png", "--json", "r.json", *args], allowed,
                host=host, **more)


def with_chunk(kind, data, crc=None, behind=False, size=16):
    """A good picture with one more chunk."""
    made = png(size, size)
    at = len(made) - 12 if behind else 33
    return made[:at] + chunk(kind, data, crc) + made[at:]


def filled(width, height, depth, colour, interlace=0, palette=False):
    """All pixels zero."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if interlace:
        rows = adam7_rows(width, height, bits)
    else:
        rows = squeezed(bytes(1 + (width * bits + 7) // 8), height)
    plte = chunk(b"PLTE", bytes(6)) if palette else b""
    return png_head(width, height, depth, colour, interlace) + plte + chunk(b"IDAT", rows) + END


def adam7_rows(width, height, bits):
    z, out = zlib.compressobj(9), b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        wide, high = (width - x0 + dx - 1) // dx, (height - y0 + dy - 1) // dy
        for _ in range(high if wide > 0 else 0):
            out += z.compress(bytes(1 + (wide * bits + 7) // 8))
    return out + z.flush()


def sizes():
    """All of 100 million pixels, the limit; the first is also drawn."""
    yield picture("sizes", "10000 x 10000 of 1 bit, explained", later(filled, 10000, 10000, 1, 0), memory=200 * MIB)
    yield Bomb("picture", "sizes", "10000 x 10000 of 1 bit, drawn", {"pic.png": later(filled, 10000, 10000, 1, 0)},
               ["explain", "pic.png", "-o", "o.png"], memory=200 * MIB)
    for name, depth, colour, interlace in (("8 bits grey", 8, 0, 0), ("16 bits grey", 16, 0, 0), ("RGB", 8, 2, 0), ("RGBA", 8, 6, 0),
                                           ("grey and alpha", 8, 4, 0), ("1 bit, interlaced", 1, 0, 1), ("RGBA, interlaced", 8, 6, 1)):
        yield picture("sizes", f"10000 x 10000, {name}", later(filled, 10000, 10000, depth, colour, interlace))
    yield picture("sizes", "10000 x 10000, a palette", later(filled, 10000, 10000, 1, 3, 0, True))
    yield picture("sizes", "65535 x 1525", later(filled, 65535, 1525, 1, 0))
    yield picture("sizes", "1 x 65535", later(filled, 1, 65535, 8, 2))
    yield picture("sizes", "65535 x 1, drawn", later(filled, 65535, 1, 8, 2), args=["-o", "o.png"])


def claims():
    """Sizes without the pixels."""
    for width, height in ((10000, 10000), (65535, 65535), (65536, 1), (1, 65536), (0, 5), (5, 0), ((1 << 31) - 1,) * 2, (1 << 31, 1),
                          ((1 << 32) - 1,) * 2):
        yield picture("claims", f"{width} x {height} without pixels", png_head(width, height) + END, allowed=(1,))
        yield picture("claims", f"{width} x {height}, a row", png_head(width, height) + chunk(
            b"IDAT", zlib.compress(bytes(3000))) + END, allowed=(1,))
    for name, depth, colour in (("depth 0", 0, 0), ("depth 3", 3, 0), ("depth 255", 255, 0), ("colour 1", 8, 1), ("colour 255", 8, 255),
                                ("16 bit palette", 16, 3), ("2 bit RGB", 2, 2)):
        yield picture("claims", name, filled(16, 16, 8, 0)[:8] + png_head(16, 16, depth, colour)[8:] + END, allowed=(1,))


def chunks():
    def with_bomb(kind, head, behind=False):
        return later(lambda: with_chunk(kind, head + squeezed(bytes(MIB), 1000), behind=behind))  # a GiB of zeros

    yield picture("chunks", "iCCP of a GiB", with_bomb(b"iCCP", b"icc\0\0"))
    yield picture("chunks", "zTXt of a GiB", with_bomb(b"zTXt", b"Comment\0\0"))
    yield picture("chunks", "iTXt of a GiB", with_bomb(b"iTXt", b"Comment\0\1\0\0\0"))
    yield picture("chunks", "iTXt behind the pixels", with_bomb(b"iTXt", b"Comment\0\1\0\0\0", behind=True))
    yield picture("chunks", "a tEXt of 50 MB", with_chunk(b"tEXt", b"Comment\0" + b"x" * 50000000))
    made = png(16, 16)
    yield picture("chunks", "a million texts", made[:33] + chunk(b"tEXt", b"a\0b") * MIB + made[33:])
    yield picture("chunks", "a million unknown chunks", made[:33] + chunk(b"evIl", b"") * MIB + made[33:])
    yield picture("chunks", "a million empty IDAT", made[:33] + chunk(b"IDAT", b"") * MIB + made[33:])
    yield picture("chunks", "a million sPLT", made[:33] + chunk(b"sPLT", b"a\0\x08" + bytes(6)) * (MIB // 4) + made[33:])
    yield picture("chunks", "100 000 histograms", made[:33] + chunk(b"hIST", bytes(2)) * 100000 + made[33:])
    yield picture("chunks", "an unknown chunk that counts", with_chunk(b"EVIL", b"x"))
    yield picture("chunks", "a chunk of 2^31", made[:33] + struct.pack(">I4s", 1 << 31, b"tEXt") + made[33:], allowed=(1,))
    yield picture("chunks", "two headers", made[:33] + made[8:], allowed=(0, 1))
    yield picture("chunks", "no header", made[:8] + made[33:], allowed=(1,))
    yield picture("chunks", "no end", made[:-12], allowed=(1,))
    yield picture("chunks", "pixels before the palette", png_head(4, 4, 8, 3) + chunk(b"IDAT", squeezed(bytes(5), 4)) + END, allowed=(1,))
    yield picture("chunks", "a palette of 257", png_head(4, 4, 8, 3) + chunk(b"PLTE", bytes(771)) + chunk(
        b"IDAT", squeezed(bytes(5), 4)) + END)
    yield picture("chunks", "beyond the palette", png_head(4, 4, 8, 3) + chunk(b"PLTE", bytes(3)) + chunk(
        b"IDAT", squeezed(b"\0\xff\xff\xff\xff", 4)) + END)
    yield picture("chunks", "tRNS of 300", png_head(4, 4, 8, 3) + chunk(b"PLTE", bytes(9)) + chunk(b"tRNS", bytes(300)) + chunk(
        b"IDAT", squeezed(bytes(5), 4)) + END)
    yield picture("chunks", "gamma 0", with_chunk(b"gAMA", bytes(4)))
    yield picture("chunks", "a wrong checksum", with_chunk(b"tEXt", b"a\0b", crc=0), allowed=(1,))


def exif():
    heads = {"offset beyond": b"MM\0*\xff\xff\xff\xff", "offset 0": b"II*\0\0\0\0\0", "a circle": b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0" +
             b"\x08\0\0\0", "65535 entries": b"II*\0\x08\0\0\0\xff\xff" + bytes(12) * 99, "orientation 65535":
             b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\xff\xff\0\0\0\0\0\0", "orientation 6": b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
             "empty": b"", "a byte": b"M"}
    for name, data in heads.items():
        yield picture("EXIF", name, with_chunk(b"eXIf", data))
    yield picture("EXIF", "50 MB", with_chunk(b"eXIf", b"MM\0*" + bytes(50000000)))
    for name, depth, colour in (("RGB", 8, 2), ("1 bit", 1, 0), ("RGBA", 8, 6)):
        yield picture("EXIF", f"100 million pixels that are turned, {name}", later(turned, depth, colour, heads["orientation 6"]),
                      waits="turning copies the picture" if colour else None)


def turned(depth, colour, exif_block):
    made = filled(10000, 10000, depth, colour)
    return made[:33] + chunk(b"eXIf", exif_block) + made[33:]


def streams():
    good, head, pixels = png(64, 64), png_head(64, 64), squeezed(b"\0" + bytes(192), 64)
    for part in (1, 7, 8, 12, 20, 33, 40, 41, 60, len(good) - 13, len(good) - 4, len(good) - 1):
        yield picture("streams", f"cut after {part} bytes", good[:part], allowed=(1,))
    yield picture("streams", "rows that are missing", head + chunk(b"IDAT", squeezed(b"\0" + bytes(192), 63)) + END, allowed=(1,))
    yield picture("streams", "a GiB behind the rows", later(
        lambda: head + chunk(b"IDAT", squeezed(b"\0" + bytes(MIB), 1000)) + END))
    yield picture("streams", "filter 255", head + chunk(b"IDAT", squeezed(b"\xff" + bytes(192), 64)) + END, allowed=(1,))
    yield picture("streams", "a window of 2^15 that lies", head + chunk(b"IDAT", b"\x08\x1d" + pixels[2:]) + END)
    yield picture("streams", "a wrong Adler", head + chunk(b"IDAT", pixels[:-4] + b"evil") + END)
    yield picture("streams", "a dictionary", head + chunk(b"IDAT", b"\x78\xbb\0\0\0\1" + pixels[2:]) + END, allowed=(1,))
    yield picture("streams", "no zlib", head + chunk(b"IDAT", b"hello") + END, allowed=(1,))
    yield picture("streams", "a byte in each chunk", head + b"".join(chunk(b"IDAT", pixels[i:i + 1]) for i in range(len(pixels))) + END)
    yield picture("streams", "50 MB behind the end", good + bytes(50000000))
    yield picture("streams", "APNG", with_chunk(b"acTL", struct.pack(">II", 0xffffffff, 0)))


def places():
    zero = dict(allowed=(1, 2))
    for name, make in {"/dev/zero": link_to("/dev/zero"), "/dev/full": link_to("/dev/full"), "/dev/random": link_to("/dev/random"),
                       "/proc/self/mem": link_to("/proc/self/mem"), "a FIFO": fifo, "a link to itself": link_to("pic.png"),
                       "a folder": os.mkdir, "empty": b"", "a sparse file of 64 GiB": sparse(64 << 30),
                       "a sparse file of 250 MB": sparse(250 << 20), "250 MB behind a signature": sparse(250 << 20, b"\x89PNG\r\n\x1a\n"),
                       "text": b"hello, world\n" * 99, "a GIF": b"GIF89a" + bytes(99)}.items():
        yield picture("places", name, make, memory=600 * MIB,
                      host=None, **zero)
    yield Bomb("picture", "places", "no such file", {}, ["explain", "none.png"], (1, 2))
    yield Bomb("picture", "places", "a name of a megabyte", {}, ["explain", "x" * 100000], (1, 2))
    yield Bomb("picture", "places", "a name of control characters", {"\x1b[31m.png": b"x"}, ["explain", "\x1b[31m.png"], (1,))
    yield Bomb("picture", "places", "a folder of damaged pictures", {f"in/{i}.png": png(9, 9)[:40] for i in range(200)},
               ["explain", "in", "--out-dir", "out", "--jsonl", "r.jsonl"], (1,))
    for command, out in (("compare", "o.png"), ("report", "o.html")):
        yield Bomb("picture", "places", f"{command} of a huge picture", {"pic.png": later(filled, 10000, 10000, 1, 0)},
                   [command, "pic.png", "-o", out])


def bombs():
    for make in (sizes, claims, chunks, exif, streams, places):
        yield from make()
