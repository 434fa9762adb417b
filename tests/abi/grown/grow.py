#!/usr/bin/env python3
"""The public headers as a later release has them: every struct with one more member.

    grow.py HEADERS OUT [STAMP]  write the grown headers to the folder OUT
    grow.py --list HEADERS       print the names of the public structs, one a line

Each struct definition must begin with struct_size; a struct of functions gets a function, any other
a number. The member is called `grown`, and the grown headers define KLDVE_GROWN."""
import os
import re
import sys

STRUCT = re.compile(r"^(?:typedef )?struct (kldve_\w+) \{\n(.*?)^\}(?: kldve_\w+)?;\n", re.M | re.S)
FIRST = re.compile(r"\s*size_t struct_size;")
TABLES = {"kldve_allocator", "kldve_backend", "kldve_method", "kldve_metric"}


def headers(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith(".h"):
            with open(os.path.join(folder, name)) as file:
                yield name, file.read()


def structs(folder):
    found = []
    for name, text in headers(folder):
        for match in STRUCT.finditer(text):
            if not FIRST.match(match.group(2)):
                sys.exit("%s: %s does not begin with struct_size" % (name, match.group(1)))
            found.append(match.group(1))
        if len(re.findall(r"\bstruct kldve_\w+ \{", text)) != len(STRUCT.findall(text)):
            sys.exit("%s: a struct whose definition cannot be read" % name)
    return found


def grown(match):
    member = "void (*grown)(void)" if match.group(1) in TABLES else "uint64_t grown"
    whole = match.group(0)
    end = whole.rindex("}")
    return whole[:end] + "    " + member + ";\n" + whole[end:]


def main(source, out, stamp=None):
    os.makedirs(os.path.join(out, "kldve"), exist_ok=True)
    structs(source)
    for name, text in headers(source):
        text = STRUCT.sub(grown, text)
        if name == "common.h":
            text = text.replace("#include <stddef.h>", "#define KLDVE_GROWN 1\n#include <stddef.h>", 1)
        with open(os.path.join(out, "kldve", name), "w") as file:
            file.write(text)
    if stamp:
        open(stamp, "w").close()


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print("\n".join(structs(sys.argv[2])))
    else:
        main(*sys.argv[1:])
