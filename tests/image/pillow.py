#!/usr/bin/env python3
"""Make pictures of every kind, let test_pillow decode, resize and write them, and compare with Pillow.

Usage: pillow.py TEST_PILLOW FOLDER [without-png] [without-jpeg]
       pillow.py --seeds FOLDER     (make the files of tests/fuzz/image)

Exits with 77 (skipped) if Pillow or numpy is missing.  Compares with matplotlib (colour maps) and torch
(upsampling) if they are installed.  FOLDER/manifest.txt tells the C program what to do
with each file; references are .ppm or .npy files.
"""
import io
import os
import shutil
import struct
import subprocess
import sys
import warnings
import zlib

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

warnings.simplefilter("ignore")  # Pillow on palettes with transparency
rng = np.random.default_rng(7)
manifest = []


def reference(name, rgb):
    """An [h][w][3] array as NAME.ppm."""
    rgb = np.ascontiguousarray(rgb, np.uint8)
    with open(name + ".ppm", "wb") as f:
        f.write(b"P6 %d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes())
    return name + ".ppm"


def save(name, content):
    with open(name, "wb") as f:
        f.write(content)
    return name


def pillow_rgb(content):
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def expect(name, content, rgb=None, tolerance=0):
    """`content` decodes to `rgb`, by default to what Pillow makes of it."""
    rgb = pillow_rgb(content) if rgb is None else rgb
    manifest.append(f"decode {save(name, content)} {reference(name, rgb)} {tolerance}")


def scene(width, height):
    """Noise, edges and gradients, [h][w][3]."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1),
                    127 + 127 * np.sin(x * y / 9)], 2)
    rgb += rng.normal(0, 12, rgb.shape)
    rgb[height // 3: height // 2, width // 4: width // 2] = [250, 10, 40]
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)


# -- PNG, written here bit by bit: Pillow and libpng write only some kinds -------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """[h][w][c] samples as PNG rows, filter None and, from the second row of deep pictures, Up."""
    rows, before = [], None
    for line in samples:
        flat = line.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").view(np.uint8)
        elif depth == 8:
            data = flat.astype(np.uint8)
        else:
            bits = (flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            data = np.packbits(bits.reshape(-1).astype(np.uint8))
        up = before is not None and depth >= 8
        rows.append(bytes([2 if up else 0]) + (data - before if up else data).tobytes())
        before = data
    return b"".join(rows)


def png(samples, colour, depth, interlaced=False, between=b""):
    height, width = samples.shape[:2]
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        data = b"".join(packed_rows(p, depth) for p in parts if p.size)
    else:
        data = packed_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between
            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""))


def sixteen_to_rgb(samples):
    eight = np.floor(samples / 257 + 0.5).astype(np.uint8)
    return np.repeat(eight[..., :1], 3, 2) if samples.shape[2] < 3 else eight[..., :3]


def make_png():
    kinds = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)]
    kinds += [(c, d) for c in (2, 4, 6) for d in (8, 16)]
    for colour, depth in kinds:
        for interlaced in (False, True):
            for width, height in ((1, 1), (3, 5), (29, 23)):
                samples = rng.integers(0, 2 ** depth, (height, width, CHANNELS[colour]))
                between = b""
                if colour == 3:
                    palette = rng.integers(0, 256, (2 ** depth, 3), np.uint8)
                    between = chunk(b"PLTE", palette.tobytes())
                name = f"png-c{colour}-d{depth}-{width}x{height}{'-adam7' if interlaced else ''}.png"
                content = png(samples, colour, depth, interlaced, between)
                if depth == 16:
                    expect(name, content, sixteen_to_rgb(samples))
                else:
                    expect(name, content)
    deep = rng.integers(0, 65536, (23, 29, 3))
    expect("png-16-as-pillow.png", png(deep, 2, 16), tolerance=1)

    grey, rgb = rng.integers(0, 256, (8, 9, 1)), rng.integers(0, 256, (8, 9, 3))
    palette = chunk(b"PLTE", bytes(range(48)))
    index = rng.integers(0, 16, (8, 9, 1))
    extras = {
        "grey-trns": png(grey, 0, 8, between=chunk(b"tRNS", struct.pack(">H", int(grey[0, 0, 0])))),
        "grey1-trns": png(grey & 1, 0, 1, between=chunk(b"tRNS", b"\0\0")),
        "rgb-trns": png(rgb, 2, 8, between=chunk(b"tRNS", struct.pack(">HHH", *map(int, rgb[0, 0])))),
        "palette-trns": png(index, 3, 4, between=palette + chunk(b"tRNS", bytes(16))),
        "gamma": png(rgb, 2, 8, between=chunk(b"gAMA", struct.pack(">I", 100000))),
        "text": png(rgb, 2, 8, between=chunk(b"tEXt", b"Comment\0" + b"x" * 5000)),
        "time": png(rgb, 2, 8, between=chunk(b"tIME", b"\x07\xe7\x01\x01\0\0\0")),
        "unknown": png(rgb, 2, 8, between=chunk(b"prVt", b"what")),
        "sbit": png(rgb, 2, 8, between=chunk(b"sBIT", b"\5\5\5")),
    }
    expect("png-gamma-16.png", png(deep, 2, 16, between=chunk(b"gAMA", struct.pack(">I", 100000))),
           sixteen_to_rgb(deep))
    for name, content in extras.items():
        expect(f"png-{name}.png", content)
    many = png(rgb, 2, 8)
    at = many.index(b"IDAT") - 4
    size = struct.unpack(">I", many[at:at + 4])[0]
    data = many[at + 8:at + 8 + size]
    split = b"".join(chunk(b"IDAT", data[i:i + 7]) for i in range(0, size, 7))
    expect("png-many-idat.png", many[:at] + split + chunk(b"IEND", b""))
    expect("png-behind-the-end.png", many + b"something else")


# -- JPEG -------------------------------------------------------------------------------------------


def jpeg(rgb, mode="RGB", **options):
    out = io.BytesIO()
    Image.fromarray(rgb).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def without_segment(content, marker):
    at = content.index(b"\xff" + bytes([marker]))
    return content[:at] + content[at + 2 + struct.unpack(">H", content[at + 2:at + 4])[0]:]


def make_jpeg():
    for width, height in ((1, 1), (17, 9), (61, 47)):
        rgb = scene(width, height)
        size = f"{width}x{height}"
        expect(f"grey-{size}.jpg", jpeg(rgb, "L"))
        expect(f"grey-progressive-{size}.jpg", jpeg(rgb, "L", progressive=True))
        for subsampling in (0, 1, 2):
            for progressive in (False, True):
                expect(f"rgb-s{subsampling}-{'p' if progressive else 'b'}-{size}.jpg",
                       jpeg(rgb, quality=85, subsampling=subsampling, progressive=progressive))
        expect(f"quality-3-{size}.jpg", jpeg(rgb, quality=3))

        ink = Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8), "CMYK")
        for progressive in (False, True):
            out = io.BytesIO()
            ink.save(out, "JPEG", quality=95, progressive=progressive)
            cmyk = out.getvalue()
            kind = "p" if progressive else "b"
            expect(f"cmyk-adobe-{kind}-{size}.jpg", cmyk)
            expect(f"cmyk-plain-{kind}-{size}.jpg", without_segment(cmyk, 0xEE))
            # "Adobe", version 100, flags 0 0, transform: 2 says YCCK
            at = cmyk.index(b"Adobe") + 11
            expect(f"ycck-{kind}-{size}.jpg", cmyk[:at] + b"\2" + cmyk[at + 1:])
        adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0"
        plain = without_segment(jpeg(rgb, quality=95, subsampling=0), 0xE0)
        expect(f"stored-as-rgb-{size}.jpg", plain[:2] + adobe + plain[2:])
        expect(f"no-jfif-{size}.jpg", plain)
    rgb = scene(40, 30)
    expect("comment.jpg", jpeg(rgb)[:2] + b"\xff\xfe\0\x06abcd" + jpeg(rgb)[2:])
    expect("filling.jpg", jpeg(rgb)[:2] + b"\xff\xff\xff" + jpeg(rgb)[2:])
    expect("behind-the-end.jpg", jpeg(rgb) + b"something else")


# -- EXIF -------------------------------------------------------------------------------------------


def tiff(orientation, order, kind=3, before=0):
    """A TIFF header and a directory with some other entries around the orientation."""
    e = ">" if order == b"MM" else "<"
    value = struct.pack(e + "HxxI", orientation, 0)[:4] if kind == 3 else struct.pack(e + "I", orientation)
    entries = [struct.pack(e + "HHI", 0x0100 + i, 4, 1) + b"\0\0\0\7" for i in range(before)]
    entries.append(struct.pack(e + "HHI", 0x0112, kind, 1) + value)
    entries.append(struct.pack(e + "HHI", 0x0128, 3, 1) + struct.pack(e + "Hxx", 2))
    return (order + struct.pack(e + "HI", 42, 8) + struct.pack(e + "H", len(entries))
            + b"".join(entries) + b"\0\0\0\0")


def with_app1(content, payload):
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + content[2:]


def make_exif(with_png, with_jpeg):
    rgb = scene(71, 45)  # more than a tile of 32 in both directions
    sources = []
    if with_jpeg:
        still = jpeg(rgb)
        sources.append((".jpg", lambda block: with_app1(still, b"Exif\0\0" + block)))
    if with_png:
        sources.append(("-before.png", lambda block: png(rgb, 2, 8, between=chunk(b"eXIf", block))))
        sources.append(("-behind.png", lambda block: png(rgb, 2, 8)[:-12] + chunk(b"eXIf", block)
                        + chunk(b"IEND", b"")))
    for ending, make in sources:
        upright = np.asarray(Image.open(io.BytesIO(make(tiff(1, b"II")))).convert("RGB"))
        turned = [upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1],
                  upright.transpose(1, 0, 2), np.rot90(upright, -1),
                  np.rot90(upright.transpose(1, 0, 2), 2), np.rot90(upright)]
        for order in (b"II", b"MM"):
            for orientation in range(1, 9):
                content = make(tiff(orientation, order, before=orientation % 3))
                name = f"exif-{order.decode()}-{orientation}{ending}"
                expect(name, content, turned[orientation - 1])
                if not ending.startswith("-behind"):  # Pillow does not look there
                    assert np.array_equal(pillow_rgb(content), turned[orientation - 1]), name
        expect(f"exif-long{ending}", make(tiff(6, b"II", kind=4)), turned[5])
        for orientation in (0, 9, 65535):
            expect(f"exif-value-{orientation}{ending}", make(tiff(orientation, b"MM")), turned[0])


# -- sizes, colours, upsampling ---------------------------------------------------------------------

SIZES = [(1, 1), (2, 3), (7, 5), (16, 16), (61, 47), (224, 224), (227, 227), (256, 341), (100, 1),
         (1, 100), (333, 250)]
SOURCES = [(1, 1), (2, 1), (5, 7), (32, 32), (61, 47), (640, 427), (341, 256), (1, 200), (1000, 3)]


def make_resize():
    for width, height in SOURCES:
        rgb = scene(width, height) if width * height > 50 else rng.integers(
            0, 256, (height, width, 3), np.uint8)
        source = reference(f"source-{width}x{height}", rgb)
        for w, h in SIZES + [(width, height), (width, 2 * height), (3 * width, height)]:
            out = np.asarray(Image.fromarray(rgb).resize((w, h), Image.BILINEAR))
            ref = reference(f"resize-{width}x{height}-to-{w}x{h}", out)
            manifest.append(f"bilinear {source} {ref} 1")
    for name, kernel in dict(bicubic=Image.BICUBIC, lanczos=Image.LANCZOS, nearest=Image.NEAREST,
                             box=Image.BOX, hamming=Image.HAMMING).items():
        make_resize_by(name, lambda image, size: image.resize(size, kernel))
    make_resize_by("bilinear-plain", sample_linearly)


def make_resize_by(name, resize):
    for width, height, w, h in [(61, 47, 17, 23), (61, 47, 130, 99), (61, 47, 61, 11), (1, 9, 5, 3)]:
        rgb = scene(width, height)
        source = reference(f"{name}-{width}x{height}-to-{w}x{h}-from", rgb)
        ref = reference(f"{name}-{width}x{height}-to-{w}x{h}", np.asarray(resize(Image.fromarray(rgb), (w, h))))
        manifest.append(f"{name} {source} {ref} 1")


def sample_linearly(image, size):
    """Bilinear at the centres of the pixels of the result, of OpenCV's INTER_LINEAR the formula."""
    rgb = np.asarray(image, np.float64)
    for axis, n in ((0, size[1]), (1, size[0])):
        length = rgb.shape[axis]
        at = np.clip((np.arange(n) + .5) * length / n - .5, 0, length - 1)
        first = np.minimum(at.astype(int), max(length - 2, 0))
        part = (at - first).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        after = np.minimum(first + 1, length - 1)
        rgb = (1 - part) * rgb.take(first, axis) + part * rgb.take(after, axis)
    return np.uint8(np.clip(np.round(rgb), 0, 255))


def make_colours():
    try:
        import matplotlib
    except ImportError:
        print("no matplotlib: colour maps are not compared")
        return
    for ours, theirs in (("viridis", "viridis"), ("inferno", "inferno"), ("plasma", "plasma"), ("turbo", "turbo"),
                         ("jet", "jet"), ("grey", "gray")):
        if hasattr(matplotlib, "colormaps"):
            colours = matplotlib.colormaps[theirs](np.arange(256))
        else:
            import matplotlib.cm
            colours = matplotlib.cm.get_cmap(theirs)(np.arange(256))
        rgb = np.round(colours[None, :, :3] * 255)
        manifest.append(f"colormap {ours} {reference('colormap-' + ours, rgb)} 1")


def make_upsample():
    try:
        import torch
    except ImportError:
        print("no torch: upsampling is not compared with it")
        return
    for (h, w), (H, W) in (((7, 7), (224, 224)), ((14, 14), (224, 224)), ((13, 13), (227, 227)),
                           ((1, 1), (9, 5)), ((1, 6), (4, 31)), ((10, 8), (333, 500)),
                           ((8, 8), (8, 8)), ((20, 30), (7, 9))):
        values = rng.normal(0, 1, (h, w)).astype(np.float32)
        out = torch.nn.functional.interpolate(torch.from_numpy(values)[None, None], size=(H, W),
                                              mode="bilinear", align_corners=False)[0, 0].numpy()
        name = f"upsample-{h}x{w}-to-{H}x{W}"
        np.save(name + ".npy", values)
        np.save(name + ".ref.npy", out)
        manifest.append(f"upsample {name}.npy {name}.ref.npy 2e-5")


def make_stretch():
    """Floats through Pillow's resize(): what maps become as they are drawn."""
    for name, method in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC), ("lanczos", Image.LANCZOS)):
        for (h, w), (H, W) in (((7, 7), (224, 300)), ((1, 1), (9, 5)), ((1, 6), (4, 31)), ((2, 2), (50, 60)),
                               ((8, 8), (8, 8)), ((60, 50), (17, 19)), ((14, 3), (9, 400))):
            values = rng.normal(0, 1, (h, w)).astype(np.float32)
            out = np.asarray(Image.fromarray(values, "F").resize((W, H), method))
            path = f"{name}-{h}x{w}-to-{H}x{W}"
            np.save(path + ".npy", values)
            np.save(path + ".ref.npy", out)
            manifest.append(f"stretch {path}.npy {path}.ref.npy 1e-5")


# -- small files to start fuzzing from --------------------------------------------------------------


def make_seeds(folder):
    os.chdir(folder)

    def noise(*shape, levels=256):
        return rng.integers(0, levels, shape)

    save("grey1.png", png(noise(5, 9, 1, levels=2), 0, 1))
    save("grey16-adam7.png", png(noise(5, 6, 1, levels=65536), 0, 16, True))
    save("palette4.png", png(noise(5, 7, 1, levels=16), 3, 4,
                             between=chunk(b"PLTE", bytes(range(48))) + chunk(b"tRNS", bytes(5))))
    save("rgba8-adam7.png", png(noise(4, 5, 4), 6, 8, True))
    save("grey-alpha8.png", png(noise(4, 5, 2), 4, 8))
    save("rgb8-exif.png", png(noise(3, 4, 3), 2, 8, between=chunk(b"gAMA", b"\0\0\xb1\x8f")
                              + chunk(b"eXIf", tiff(6, b"MM", before=1)) + chunk(b"tEXt", b"a\0b")))
    rgb = scene(11, 9)
    save("grey.jpg", jpeg(rgb, "L", quality=60, optimize=True))
    save("rgb-exif.jpg", with_app1(jpeg(rgb, quality=60, optimize=True),
                                   b"Exif\0\0" + tiff(8, b"II", before=2)))
    save("progressive.jpg", jpeg(rgb, quality=60, progressive=True))
    ink = Image.fromarray(noise(5, 6, 4).astype(np.uint8), "CMYK")
    for name, progressive in (("cmyk.jpg", False), ("ycck-progressive.jpg", True)):
        out = io.BytesIO()
        ink.save(out, "JPEG", quality=40, optimize=True, progressive=progressive)
        content = out.getvalue()
        at = content.index(b"Adobe") + 11
        save(name, content[:at] + bytes([2 * progressive]) + content[at + 1:])


# -- what the library wrote -------------------------------------------------------------------------


def ask_to_write(with_png, with_jpeg):
    checks = []
    for width, height in ((1, 1), (61, 47), (300, 200)):
        rgb = scene(width, height)
        source = reference(f"write-{width}x{height}", rgb)
        if with_png:
            name = f"written-{width}x{height}.png"
            manifest.append(f"save {source} {name} 0")
            checks.append((name, rgb, 0))
        for quality in (1, 50, 89, 90, 100) if with_jpeg else ():
            name = f"written-{width}x{height}-{quality}.{'jpeg' if quality == 50 else 'JPG'}"
            manifest.append(f"save {source} {name} {quality}")
            out = io.BytesIO()
            Image.fromarray(rgb).save(out, "JPEG", quality=quality,
                                      subsampling=0 if quality >= 90 else 2)
            checks.append((name, np.asarray(Image.open(out)), 2))  # versions of libjpeg differ
    return checks


def check_written(checks):
    failed = 0
    for name, rgb, tolerance in checks:
        ours = Image.open(name)
        difference = np.abs(np.asarray(ours).astype(int) - rgb).max()
        if ours.mode != "RGB" or difference > tolerance:
            print(f"{name}: Pillow reads mode {ours.mode}, {difference} of 255 away")
            failed += 1
    return failed


def main():
    if sys.argv[1] == "--seeds":
        make_seeds(sys.argv[2])
        return
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    with_png, with_jpeg = "without-png" not in sys.argv, "without-jpeg" not in sys.argv
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.chdir(folder)
    if with_png:
        make_png()
    if with_jpeg:
        make_jpeg()
    make_exif(with_png, with_jpeg)
    make_resize()
    make_colours()
    make_upsample()
    make_stretch()
    checks = ask_to_write(with_png, with_jpeg)
    with open("manifest.txt", "w") as f:
        f.write("\n".join(manifest) + "\n")
    status = subprocess.run([program, "."]).returncode
    if status == 0:
        status = min(check_written(checks), 1)
    if status == 0:
        shutil.rmtree(".", ignore_errors=True)
    print(f"{len(manifest)} comparisons, {len(checks)} pictures read back by Pillow {Image.__version__}")
    sys.exit(status)


main()
