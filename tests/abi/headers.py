#!/usr/bin/env python3
"""The public headers are the manual of the library.

    headers.py FOLDER            at least 60 % of the lines that are not empty hold a comment
    headers.py FOLDER EXAMPLE.c  write the program at the head of kldve.h to a file"""
import os
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
LEAST = 0.6


def read(folder, name):
    with open(os.path.join(folder, name)) as file:
        return file.read()


def share(text):
    held = set()
    for comment in COMMENT.finditer(text):
        first = text.count("\n", 0, comment.start())
        held.update(range(first, first + comment.group().count("\n") + 1))
    filled = [i for i, line in enumerate(text.split("\n")) if line.strip()]
    return sum(i in held for i in filled) / len(filled)


def example(folder):
    head = COMMENT.match(read(folder, "kldve.h")).group()
    lines = re.findall(r"^ \*(?:     (.*))?$", head, re.M)
    code = "\n".join(lines).strip("\n") + "\n"
    if "int main(" not in code:
        sys.exit("kldve.h does not open with a program")
    return code


def main(folder, out=None):
    if out:
        with open(out, "w") as file:
            file.write(example(folder))
        return 0
    few = 0
    for name in sorted(os.listdir(folder)):
        if name.endswith(".h"):
            found = share(read(folder, name))
            few += found < LEAST
            print("%-14s %.0f %% comments" % (name, 100 * found))
    return few != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
