#!/usr/bin/env python3
"""NULL is answered: every exported function is called in a child with NULL for all pointers and 0 for
all numbers, and returns.

    nulls.py LIBRARY SYMBOLS [LIBRARY SYMBOLS]..."""
import ctypes
import os
import sys


def dies(function):
    child = os.fork()
    if child == 0:
        function(*[ctypes.c_void_p(None)] * 8)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def main(*pairs):
    names, bad = 0, []
    for library, symbols in zip(pairs[::2], pairs[1::2]):
        loaded = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        with open(symbols) as file:
            for name in file.read().split():
                names += 1
                if dies(getattr(loaded, name)):
                    bad.append(name)
    print("%d functions; NULL ends the program in: %s" % (names, ", ".join(bad) or "none"))
    return bool(bad) or names < 100


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
