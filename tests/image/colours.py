#!/usr/bin/env python3
"""Whether the default colours keep their order for every reader: lightness along the map, and how far its steps are
apart (CIEDE2000), for normal colour vision and for the three kinds of dichromacy.

    colours.py LIBKLDVE.so [--all]      --all prints the figures of every colour map

Dichromacy: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A physiologically-based model for simulation of color
vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15, 2009, severity 1, on linear RGB.
CIEDE2000: G. Sharma, W. Wu and E. N. Dalal, Color Research and Application 30, 2005; three of its test pairs are checked."""
import ctypes
import math
import sys

VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
STEPS = 16  # of a map; a reader of a colour bar tells fewer apart


def linear(byte):
    v = byte / 255
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def lab(rgb, vision="normal"):
    """sRGB bytes as that reader sees them -> CIELAB, D65."""
    light = [linear(byte) for byte in rgb]
    seen = [min(max(sum(m * v for m, v in zip(row, light)), 0), 1) for row in VISION[vision]]
    xyz = [sum(m * v for m, v in zip(row, seen)) for row in (
        (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047), (0.2126729, 0.7151522, 0.0721750),
        (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883))]
    f = [v ** (1 / 3) if v > (6 / 29) ** 3 else v / (3 * (6 / 29) ** 2) + 4 / 29 for v in xyz]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def ciede2000(one, two):
    (l1, a1, b1), (l2, a2, b2) = one, two
    chroma = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - math.sqrt(chroma / (chroma + 25 ** 7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = math.degrees(math.atan2(b1, a1)) % 360, math.degrees(math.atan2(b2, a2)) % 360
    turn = 0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = h1 + h2 if c1 * c2 == 0 else (h1 + h2) / 2 + (180 if abs(h1 - h2) > 180 else 0)
    t = (1 - 0.17 * math.cos(math.radians(h - 30)) + 0.24 * math.cos(math.radians(2 * h))
         + 0.32 * math.cos(math.radians(3 * h + 6)) - 0.20 * math.cos(math.radians(4 * h - 63)))
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / math.sqrt(20 + (lightness - 50) ** 2)
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / (1 + 0.045 * c)
    d_h = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * c * t)
    rotation = -(2 * math.sqrt(c ** 7 / (c ** 7 + 25 ** 7))
                 * math.sin(math.radians(60 * math.exp(-((h % 360 - 275) / 25) ** 2))))
    return math.sqrt(max(d_l ** 2 + d_c ** 2 + d_h ** 2 + rotation * d_c * d_h, 0))


def check_formula():
    for one, two, distance in (((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
                               ((50, 2.5, 0), (56, -27, -3), 31.9030),
                               ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373)):
        assert abs(ciede2000(one, two) - distance) < 1e-4, (one, two)


class Colours:
    def __init__(self, path, name):
        self.core, number = ctypes.CDLL(path), ctypes.c_int32()
        assert self.core.kldve_colormap_from_name(name.encode(), ctypes.byref(number)) == 0, name
        self.core.kldve_colormap_rgb.argtypes = [ctypes.c_int32, ctypes.c_float, ctypes.c_void_p]
        self.number = number.value

    def at(self, value):
        rgb = (ctypes.c_uint8 * 3)()
        assert self.core.kldve_colormap_rgb(self.number, value, rgb) == 0
        return tuple(rgb)

    def over(self, value, grey, opacity=0.75):
        """The overlay of docs/drawing.md."""
        return [(1 - opacity * value) * grey + opacity * value * c for c in self.at(value)]


def figures(colours, vision):
    """-> the smallest step of lightness, the smallest and the largest of all, and the chroma at the top."""
    seen = [lab(colours.at(i / STEPS), vision) for i in range(STEPS + 1)]
    steps = [ciede2000(a, b) for a, b in zip(seen, seen[1:])]
    return (min(b[0] - a[0] for a, b in zip(seen, seen[1:])), min(steps), max(steps),
            math.hypot(*seen[-1][1:]))


def check(path):
    wrong = []
    plasma = Colours(path, "plasma")
    for vision in VISION:
        lightness, least, most, chroma = figures(plasma, vision)
        if not (lightness > 1 and least > 1.9 and most < 8 * least):
            wrong.append(f"plasma, {vision}: a step of lightness {lightness:.2f}, of colour {least:.2f} to {most:.2f}")
        if chroma < (10 if vision == "tritan" else 80):  # who lacks blue sees no yellow
            wrong.append(f"plasma, {vision}: the top has a chroma of {chroma:.0f}")
        # Over any grey zero changes nothing, and a quarter can be seen.
        for grey in (0, 64, 128, 192, 255):
            ground = lab([grey] * 3, vision)
            far = [ciede2000(ground, lab(plasma.over(i / STEPS, grey), vision)) for i in range(STEPS + 1)]
            if not (far[0] == 0 and far[-1] > 10 and far[STEPS // 4] > 3):
                wrong.append(f"plasma over grey {grey}, {vision}: a quarter is {far[STEPS // 4]:.1f}, all {far[-1]:.1f} away")
    return wrong


def main():
    path = sys.argv[1]
    check_formula()
    if "--all" in sys.argv:
        for name in ("plasma", "inferno", "viridis", "turbo", "jet"):
            for vision in VISION:
                print(f"{name:8} {vision:7} least step of lightness {figures(Colours(path, name), vision)[0]:6.2f}, "
                      "least step {1:5.2f}, largest {2:5.2f}, chroma of the top {3:4.0f}".format(
                          *figures(Colours(path, name), vision)))
    wrong = check(path)
    print("\n".join(wrong) or "the default colours keep their order")
    sys.exit(1 if wrong else 0)


main()
