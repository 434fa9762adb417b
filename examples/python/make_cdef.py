#!/usr/bin/env python3
"""The public headers as one text of plain declarations, for cffi's cdef() and for pycparser.

    make_cdef.py [--typedefs] [FOLDER] > kldve.cdef

FOLDER holds the headers (default: ../../include/kldve beside this script).  onnx.h is left out where
it is not there.  --typedefs begins with the types of stddef.h and stdint.h, which cffi knows and
pycparser does not.  From Python: make_cdef.cdef(folder)."""
import os
import re
import sys

HEADERS = ["common.h", "divergence.h", "image.h", "labels.h", "backend.h", "kldve.h", "method.h",
           "metrics.h", "onnx.h"]
TYPEDEFS = """typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
"""


class Unknown(Exception):
    """Something in a header that this script does not understand."""


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"\\\n", " ", text)


def branches(text):
    """The lines for a C compiler; conditions may decide about macros only, apart from include
    guards and __cplusplus."""
    kept, stack, macros = [], [], set()
    for line in text.split("\n"):
        word = re.match(r"\s*#\s*(\w+)\s*(.*)", line)
        directive, rest = word.groups() if word else ("", line)
        if directive in ("if", "ifdef", "ifndef"):
            kind = "guard" if directive == "ifndef" and re.fullmatch(r"KLDVE_\w+_H", rest.strip()) else \
                "c++" if rest.strip() in ("__cplusplus", "defined(__cplusplus)") else "macros"
            stack.append([kind, directive == "ifndef"])
        elif directive == "else":
            stack[-1][1] = not stack[-1][1]
        elif directive == "endif":
            stack.pop()
        elif directive == "define":
            macros.add(re.match(r"\w+", rest).group())
        elif not directive and line.strip() and all(kind != "c++" or c for kind, c in stack):
            if any(kind == "macros" for kind, _ in stack):
                raise Unknown("a declaration under a condition: " + line.strip())
            kept.append(line)
    return "\n".join(kept), macros


def without_bodies(text):
    """Without inline functions: a caller of the library has to write its own."""
    kept, at = [], 0
    for start in re.finditer(r"\bstatic inline\b[^;{]*\{", text):
        kept.append(text[at:start.start()])
        at, depth = start.end(), 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
    return "".join(kept) + text[at:]


def cdef(folder=None, typedefs=False):
    folder = folder or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "include",
                                    "kldve")
    texts, macros = [], set()
    for name in HEADERS:
        path = os.path.join(folder, name)
        if not os.path.exists(path) and name == "onnx.h":
            continue
        with open(path, encoding="utf-8") as file:
            text, found = branches(without_comments(file.read()))
        texts.append(text)
        macros |= found
    text = without_bodies("\n".join(texts))
    for macro in macros:  # attributes, with or without arguments
        text = re.sub(r"\b%s\b(\s*\([^()]*\))?" % macro, " ", text)
    text = re.sub(r"[ \t]+", " ", text)
    return (TYPEDEFS if typedefs else "") + re.sub(r"\n\s*\n+", "\n", text).strip() + "\n"


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--typedefs"]
    if len(words) > 1 or words[:1] == ["--help"]:
        sys.exit(__doc__)
    sys.stdout.write(cdef(words[0] if words else None, "--typedefs" in sys.argv))
