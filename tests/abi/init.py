#!/usr/bin/env python3
"""Each public struct has an initialiser, which sets its size and compiles without a warning.

    init.py HEADERS WITH_ONNX COMPILER... -- C++ COMPILER..."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "grown"))
import grow  # noqa: E402

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wmissing-field-initializers", "-Werror"]
C = ["c99", "c11", "c17", "c2x"]
CPP = ["c++11", "c++14", "c++17", "c++20"]


def program(structs, with_onnx):
    text = "#include <kldve/method.h>\n#include <kldve/metrics.h>\n"
    text += "#include <kldve/onnx.h>\n" if with_onnx else ""
    text += "int main(void)\n{\n    int wrong = 0;\n"
    for name in structs:
        text += "    { %s made = %s_INIT; wrong += made.struct_size != sizeof made; }\n" % (
            name, name.upper())
    text += "    wrong += kldve_version_number() != KLDVE_VERSION_NUMBER;\n    return wrong;\n}\n"
    return text


def compiles(compiler, standard, source, headers):
    known = subprocess.run(compiler + ["-std=" + standard, "-fsyntax-only", "-x",
                                       "c++" if "++" in standard else "c", os.devnull],
                           stderr=subprocess.DEVNULL)
    if known.returncode:
        return None
    done = subprocess.run(compiler + STRICT + ["-std=" + standard, "-I" + os.path.dirname(headers),
                                               "-fsyntax-only", source], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print("%s -std=%s:\n%s" % (compiler[-1], standard, done.stderr[:2000]))
    return done.returncode == 0


def main(headers, with_onnx, *compilers):
    split = compilers.index("--")
    of_engine = "" if with_onnx == "yes" else open(os.path.join(headers, "onnx.h")).read()
    structs = [s for s in grow.structs(headers) if "struct %s {" % s not in of_engine]
    ran, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for ending, compiler, standards in ((".c", list(compilers[:split]), C),
                                            (".cc", list(compilers[split + 1:]), CPP)):
            source = os.path.join(folder, "init" + ending)
            with open(source, "w") as file:
                file.write(program(structs, with_onnx == "yes"))
            for standard in standards if compiler else []:
                good = compiles(compiler, standard, source, headers)
                ran += good is not None
                failed += good is False
    print("%d structs, %d standards" % (len(structs), ran))
    return failed > 0 or ran < 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
