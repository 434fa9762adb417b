"""Pictures in JPEG: taken apart, and written by hand."""
import os
import struct

from bomb import Bomb

SEEDS = os.path.join(os.environ["KLDVE_SOURCE"], "tests", "fuzz", "jpeg")


def seed(name):
    with open(os.path.join(SEEDS, name), "rb") as file:
        return file.read()


def photo(family, name, data, allowed=(0, 1), **more):
    return Bomb("picture", family, name, {"pic.jpg": data}, ["explain", "pic.jpg", "--json", "r.json"], allowed,
                host=("picture", "pic.jpg"), **more)


def segment(marker, data):
    return bytes((0xff, marker)) + struct.pack(">H", len(data) + 2) + data


def frame(marker, width, height, components=1, bits=8, sampling=0x11):
    return segment(marker, struct.pack(">BHHB", bits, height, width, components) + b"".join(
        bytes((i + 1, sampling if i == 0 else 0x11, 0)) for i in range(components)))


TABLES = (segment(0xdb, b"\0" + b"\1" * 64) +
          segment(0xc4, b"\0" + bytes((1,)) + bytes(15) + b"\0") +  # a bit 0: the difference 0
          segment(0xc4, b"\x10" + bytes((1,)) + bytes(15) + b"\xe0"))  # a bit 0, 14 bits: a run of blocks that end


def scan(first, last, components=(1,), high=0, low=0):
    return segment(0xda, bytes((len(components),)) + b"".join(bytes((c, 0)) for c in components) +
                   bytes((first, last, high << 4 | low)))


def runs(blocks):
    """AC of a progressive scan: 32767 blocks at a time have nothing."""
    bits = "".join("0" + "1" * 14 for _ in range(blocks // 32767)) + "".join(
        "0" + format(1 << 13, "014b") for _ in range(-(-(blocks % 32767) // (16384 + 8192))))
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")


def progressive(width, height, components, scans):
    """A valid file: a flat grey, of as many scans as asked for."""
    blocks = -(-width // 8) * -(-height // 8)
    flat = bytes(-(-blocks * components // 8))
    again = b"".join(scan(1, 63, (1 + i % components,)) + runs(blocks) for i in range(scans - 1))
    return (b"\xff\xd8" + frame(0xc2, width, height, components) + TABLES + scan(0, 0, range(1, components + 1)) + flat + again +
            b"\xff\xd9")


def sized(data, width, height):
    """Another size in the header of the frame."""
    at = next(i for i in range(len(data)) if data[i] == 0xff and data[i + 1] in (0xc0, 0xc1, 0xc2))
    return data[:at + 5] + struct.pack(">HH", height, width) + data[at + 9:]


def sizes():
    for name in ("grey.jpg", "progressive.jpg", "cmyk.jpg", "ycck-progressive.jpg"):
        for width, height in ((65500, 65500), (65535, 65535), (10000, 10000), (0, 0), (1, 65535)):
            yield photo("sizes of frames", f"{name} as {width} x {height}", sized(seed(name), width, height))
    yield photo("sizes of frames", "65500 x 1500, one scan", progressive(65500, 1500, 1, 1))
    yield photo("sizes of frames", "10000 x 10000, three components", progressive(10000, 10000, 3, 2))
    yield photo("sizes of frames", "6000 x 6000, three components", progressive(6000, 6000, 3, 4))


def scans():
    for count in (2, 100, 201, 5000):
        yield photo("scans", f"{count} scans of a small picture", progressive(64, 64, 1, count))
        yield photo("scans", f"{count} scans of 100 million pixels", progressive(10000, 10000, 1, count))
    whole = seed("progressive.jpg")
    last = whole.rindex(b"\xff\xda")
    yield photo("scans", "the last scan 10 000 times", whole[:-2] + whole[last:-2] * 10000 + b"\xff\xd9")
    base = seed("grey.jpg")
    begin = base.rindex(b"\xff\xda")
    yield photo("scans", "a baseline scan 10 000 times", base[:-2] + base[begin:-2] * 10000 + b"\xff\xd9")


def segments():
    whole = seed("grey.jpg")
    head, rest = whole[:2], whole[2:]
    yield photo("segments", "a million comments", head + segment(0xfe, b"x") * 1000000 + rest)
    yield photo("segments", "60 000 comments of 64 KiB less", head + segment(0xfe, b"x" * 600) * 60000 + rest)
    yield photo("segments", "100 000 profiles", head + segment(0xe2, b"ICC_PROFILE\0\1\xff" + bytes(9)) * 100000 + rest)
    yield photo("segments", "a million tables", head + segment(0xdb, b"\0" + b"\1" * 64) * 200000 + rest)
    yield photo("segments", "a comment of length 0", head + b"\xff\xfe\0\0" + rest)
    yield photo("segments", "a comment beyond the file", head + b"\xff\xfe\xff\xff" + rest[:9])
    yield photo("segments", "50 MB of padding", head + b"\xff" * 50000000 + rest)
    yield photo("segments", "restart interval 1", head + segment(0xdd, b"\0\1") + rest)
    yield photo("segments", "restart interval 65535", head + segment(0xdd, b"\xff\xff") + rest)
    yield photo("segments", "DNL", whole[:-2] + segment(0xdc, b"\xff\xff") + b"\xff\xd9")
    yield photo("segments", "two starts", head * 1000 + rest)
    yield photo("segments", "two frames", head + frame(0xc0, 8, 8) + rest)
    yield photo("segments", "50 MB behind the end", whole + bytes(50000000))
    for part in (2, 3, 4, 10, 50, 100, len(whole) // 2, len(whole) - 3, len(whole) - 1):
        yield photo("segments", f"cut after {part} bytes", whole[:part], allowed=(1,))
    tables = {"codes too many": b"\0" + b"\xff" * 16, "a table of number 9": b"\x09" + bytes(16), "no codes": b"\0" + bytes(16)}
    for name, data in tables.items():
        yield photo("segments", f"Huffman: {name}", head + segment(0xc4, data) + rest)


def kinds():
    for marker, name in ((0xc9, "arithmetic"), (0xca, "arithmetic, progressive"), (0xc3, "lossless"), (0xc5, "hierarchical"),
                         (0xc1, "extended"), (0xcb, "lossless arithmetic")):
        data = seed("grey.jpg")
        at = data.index(b"\xff\xc0")
        yield photo("kinds", name, data[:at + 1] + bytes((marker,)) + data[at + 2:])
    for bits in (0, 1, 12, 16, 255):
        data = seed("grey.jpg")
        at = data.index(b"\xff\xc0")
        yield photo("kinds", f"{bits} bits", data[:at + 4] + bytes((bits,)) + data[at + 5:], allowed=(1,))
    for count in (0, 2, 4, 5, 255):
        made = b"\xff\xd8" + frame(0xc0, 16, 16, count) + TABLES + scan(0, 63, range(1, count + 1)) + bytes(99) + b"\xff\xd9"
        yield photo("kinds", f"{count} components", made)
    for sampling in (0x00, 0x44, 0xff, 0x15):
        made = b"\xff\xd8" + frame(0xc0, 16, 16, 3, sampling=sampling) + TABLES + scan(0, 63, (1, 2, 3)) + bytes(99) + b"\xff\xd9"
        yield photo("kinds", f"sampling {sampling:02x}", made)


def exif():
    whole = seed("grey.jpg")
    blocks = {"a circle": b"II*\0\x08\0\0\0" + b"\xff\xff" + b"\x69\x87\4\0\1\0\0\0\x08\0\0\0" * 9, "offset 2^32-1": b"MM\0*\xff\xff\xff\xff",
              "empty": b"", "half a header": b"MM\0"}
    for name, data in blocks.items():
        yield photo("EXIF of JPEG", name, whole[:2] + segment(0xe1, b"Exif\0\0" + data) + whole[2:])
    yield photo("EXIF of JPEG", "2000 blocks", whole[:2] + segment(0xe1, b"Exif\0\0" + bytes(60)) * 2000 + whole[2:])
    yield photo("EXIF of JPEG", "a block of length 2", whole[:2] + b"\xff\xe1\0\2" + whole[2:])


def bombs():
    for make in (sizes, scans, segments, kinds, exif):
        yield from make()
