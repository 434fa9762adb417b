"""Static analysis of lib/ and tools/ with what a build folder knows of them.

    python3 tests/analysis/analyse.py BUILD cppcheck     1 CPU minute
    python3 tests/analysis/analyse.py BUILD clang-tidy   bugprone and cert: 1.5 CPU minutes
    python3 tests/analysis/analyse.py BUILD analyzer     clang's static analyser: long
    python3 tests/analysis/analyse.py BUILD gcc          gcc -fanalyzer: long

Nothing may be found.  What a tool is not asked, and why, is in .clang-tidy and in the lists below; a single place
carries a comment for its tool: `// cppcheck-suppress` or `NOLINT` and the reason.  Exit status 77: the tool is missing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MISSING = 77
AT_ONCE = 8  # files for one process: the start of clang-tidy costs as much as a small file

CPPCHECK_NOT = [
    "preprocessorErrorDirective:*pngconf.h",  # it does not know CHAR_BIT without the compiler's headers
    "internalAstError",      # version 2.10 cannot read some designated initialisers
    "legacyUninitvar",       # takes `= {0}` of a struct behind a union for nothing
    "invalidPointerCast",    # bytes of a tensor, aligned, as the type that it says
    "shiftTooManyBitsSigned",  # gcc and clang shift signed numbers arithmetically, and the tests say so
    "nullPointerRedundantCheck:*shuffle.c",  # the loop does not run where the array is missing
    "nullPointerArithmeticRedundantCheck:*reduction.c",  # likewise
    "unknownEvaluationOrder:*matrices.c",  # two compound literals that change nothing
    "incorrectLogicOperator:*gridsample.c",  # it reads 0x1p30 as 0
    "invalidFunctionArg:*softmax.c",  # log(0) is the answer for a class without weight
    "identicalInnerCondition:*picked.c",  # *at was assigned in between
    "zerodivcond:*constant.c", "zerodivcond:*slice.c",  # divides only where the condition holds
    "arrayIndexOutOfBoundsCond:*pixel_format.c",  # the loop ends before
    "uninitvar:*explain.c", "uninitvar:*where.c",  # written by the callee
]
GCC_NOT = [
    "-Wno-analyzer-fd-leak",  # descriptors that a struct keeps
    "-Wno-analyzer-malloc-leak",  # gcc 12 loses blocks that end in a member of a struct
    "-Wno-analyzer-possible-null-argument", "-Wno-analyzer-possible-null-dereference",  # only malloc of tools/
]


def sources(build):
    """The entries of lib/ and tools/ in the build's list of commands, each file once."""
    found = {}
    for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
        path = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        if path.startswith((TOP + "/lib/", TOP + "/tools/")):
            found.setdefault(path, dict(entry, file=path))
    return found


def run_all(commands, wrong):
    """Runs the commands on all processors and prints the lines that `wrong` picks; their number."""
    def one(command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
        found = [line for line in (done.stdout + done.stderr).splitlines() if wrong(line)]
        return found or ([f"{command[0]} ended with {done.returncode}: {done.stderr[-200:]}"] if done.returncode else [])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lines = sorted(set(sum(pool.map(one, commands), [])))
    for line in lines:
        print(line)
    return len(lines)


def cppcheck(found, folder):
    suppress = [f"--suppress={name}" for name in CPPCHECK_NOT]
    database = os.path.join(folder, "compile_commands.json")
    command = ["cppcheck", f"-j{os.cpu_count()}", f"--project={database}", "-q", "--std=c11", "-DNDEBUG",
               "--enable=warning,portability,performance", "--inline-suppr",
               "--template={file}:{line}: {id}: {message}"] + suppress
    del found
    return run_all([command], lambda line: line.startswith(TOP) or line.startswith("cppcheck: error"))


def clang_tidy(found, folder, checks):
    files = sorted(found)
    commands = [["clang-tidy", "-p", folder, "--quiet", f"--checks={checks}"] + files[i:i + AT_ONCE]
                for i in range(0, len(files), AT_ONCE)]
    return run_all(commands, lambda line: " warning: " in line or " error: " in line)


def gcc(found, folder):
    del folder
    commands = []
    for path, entry in sorted(found.items()):
        keep = []
        for word in entry["command"].split():
            if word.startswith("-I"):
                keep.append("-I" + os.path.join(entry["directory"], word[2:]))
            elif word.startswith(("-D", "-std", "-m", "-pthread", "-fopenmp")):
                keep.append(word)
        commands.append(["gcc", "-O1", "-fanalyzer", "-c", "-o", os.devnull] + keep + GCC_NOT + [path])
    return run_all(commands, lambda line: "[-Wanalyzer" in line or " error: " in line)


TOOLS = {
    "cppcheck": ("cppcheck", cppcheck),
    "clang-tidy": ("clang-tidy", lambda found, folder: clang_tidy(found, folder, "-clang-analyzer-*")),
    "analyzer": ("clang-tidy", lambda found, folder: clang_tidy(found, folder, "-bugprone-*,-cert-*,-misc-*")),
    "gcc": ("gcc", gcc),
}


def main():
    build, name = os.path.abspath(sys.argv[1]), sys.argv[2]
    program, analyse = TOOLS[name]
    if not shutil.which(program):
        print(f"{program} is missing")
        return MISSING
    found = {path: entry for path, entry in sources(build).items() if os.path.exists(path)}
    with tempfile.TemporaryDirectory() as folder:
        json.dump(list(found.values()), open(os.path.join(folder, "compile_commands.json"), "w"))
        wrong = analyse(found, folder)
    print(f"{name}: {len(found)} files, {wrong} findings")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
