#!/usr/bin/env python3
"""symbols.py [--write] SOURCE VERSION - debian/*.symbols name what the libraries export: tests/abi/symbols*.txt.

With --write they are brought up to date: a new name gets VERSION, a name that stays keeps the version that it came
with, and one that is gone is taken out."""
import pathlib
import re
import sys

NODE = "KLDVE_1"
LIBRARIES = {"libkldve": "symbols.txt", "libkldve-onnx": "symbols-onnx.txt"}


def read(path):
    """{name: the version that it came with} of a symbols file; a missing file has none."""
    text = path.read_text() if path.exists() else ""
    return dict(re.findall(r"^ (\w+)@%s (\S+)$" % NODE, text, re.M))


def package(soname):
    """Debian's name: libkldve.so.1 is in libkldve1."""
    return soname.replace(".so.", "")


def written(soname, names, version, old):
    lines = ["%s %s #MINVER#" % (soname, package(soname)), "* Build-Depends-Package: libkldve-dev"]
    lines += [" %s@%s %s" % (name, NODE, old.get(name, version)) for name in sorted(names | {NODE})]
    return "\n".join(lines) + "\n"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--write"]
    source, version = pathlib.Path(arguments[0]), arguments[1]
    number = re.search(r"^abi_version = '(\d+)\.", (source / "meson.build").read_text(), re.M).group(1)
    differing = []
    for library, listed in LIBRARIES.items():
        soname = "%s.so.%s" % (library, number)
        path = source / "debian" / (package(soname) + ".symbols")
        names = set((source / "tests" / "abi" / listed).read_text().split())
        wanted = written(soname, names, version, read(path))
        if path.exists() and path.read_text() == wanted:
            continue
        differing.append(path.name)
        if "--write" in sys.argv:
            path.write_text(wanted)
    if differing and "--write" not in sys.argv:
        sys.exit("debian/%s: not what tests/abi/symbols*.txt list; bring up to date with: "
                 "packaging/symbols.py --write . %s" % (" and ".join(differing), version))


main()
