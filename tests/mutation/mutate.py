"""Mutation testing of the numeric stages: changes one thing in a source file, and asks whether a test notices.

    python3 tests/mutation/mutate.py                        every mutant of every file: some hours
    python3 tests/mutation/mutate.py --sample 300 --seed 1  a sample of them
    python3 tests/mutation/mutate.py lib/stages/blur.c      those of one file
    python3 tests/mutation/mutate.py --list FILE...         says what would be changed, and where

A mutant is compiled as the build does it.  If it gives the same object code as the source, no test can tell them
apart, and it does not count.  Otherwise it is linked in front of the library into one test program after the other
until one fails.  Mutants that no test notices are printed; known.txt says of each that stays why it does.  The exit
status is 1 if one is not in that list.

The build folder (build-mutation) is configured when it is missing: without the engine, optimised a little, with asserts.
"""

import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ["lib/divergence", "lib/stages", "lib/heatmap", "lib/metrics", "lib/metrics/parts"]
# Test programs that see a folder, the quickest first; those named after the file go before all others.
PROGRAMS = {
    "lib/divergence": ["divergence/test_divergence", "pipeline/test_pipeline_explain"],
    "lib/stages": ["pipeline/test_pipeline_explain", "pipeline/test_pipeline_features", "methods/test_methods",
                   "metrics/test_metrics_metrics"],
    "lib/heatmap": ["heatmap/test_heatmap_render", "heatmap/test_heatmap_mean", "pipeline/test_pipeline_explain",
                    "metrics/test_metrics_metrics"],
    "lib/metrics": ["metrics/test_metrics_" + name for name in
                    ("metrics", "metric_compute", "localisation", "agreement", "energy_area", "truth_pixels",
                     "class_correlation", "random_network", "batches")],
}
PROGRAMS["lib/metrics/parts"] = PROGRAMS["lib/metrics"]
SLOWEST = 60  # seconds; a mutant that does not end is noticed, too

SWAPS = [(r"(?<=[\w)\]] )\+(?= [\w(*&-])", "-"), (r"(?<=[\w)\]] )-(?= [\w(*&-])", "+"),
         (r"(?<=[\w)\]] )\*(?= [\w(-])", "/"), (r"(?<=[\w)\]] )/(?= [\w(-])", "*"),
         (r"(?<= )\+=(?= )", "-="), (r"(?<= )-=(?= )", "+="), (r"(?<= )\*=(?= )", "/="), (r"(?<= )/=(?= )", "*="),
         (r"(?<= )<(?= )", "<="), (r"(?<= )<=(?= )", "<"), (r"(?<= )>(?= )", ">="), (r"(?<= )>=(?= )", ">"),
         (r"(?<= )<(?= )", ">="), (r"(?<= )>(?= )", "<="), (r"(?<= )==(?= )", "!="), (r"(?<= )!=(?= )", "=="),
         (r"(?<= )&&(?= )", "||"), (r"(?<= )\|\|(?= )", "&&"), (r"(?<=[( ])!(?=[\w(])", ""),
         (r"\bfmax\b", "fmin"), (r"\bfmin\b", "fmax"), (r"\btrue\b", "false"), (r"\bfalse\b", "true")]
NUMBER = re.compile(r"(?<![\w.])(\d+\.\d+|\d+)(?=[^\w.]|f\b|u\b)")
STATEMENT = re.compile(r"^ +(?!return|break|continue|goto|case|default|else|typedef|struct|static|const|enum)"
                       r"(?:[\w.>\[\]*()-]+ (?:[-+*/|&]?=) [^;{}]*|\w+\([^;{}]*\));$", re.M)


class Mutant:
    def __init__(self, path, text, start, end, new):
        self.path, self.start, self.end, self.new = path, start, end, new
        self.line = text.count("\n", 0, start) + 1
        self.text = text[:start] + new + text[end:]
        last = text.index("\n", end)
        self.was = text[text.rindex("\n", 0, start) + 1:last].strip()
        self.now = (text[text.rindex("\n", 0, start) + 1:start] + new + text[end:last]).strip()

    def name(self):
        """What known.txt lists: no line number, because lines move."""
        return f"{self.path}: {' '.join(self.was.split())} => {' '.join(self.now.split())}"


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code_of(text):
    """The text with the same places, without what is no code: comments, strings, directives, asserts, enums."""
    for pattern in (r"/\*.*?\*/", r"//[^\n]*", r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\])'", r"^#(?:[^\n]*\\\n)*[^\n]*",
                    r"\bassert\(.*?\);", r"\b(?:static_)?assert\(.*?\);", r"^enum \{.*?\};"):
        text = re.sub(pattern, blank, text, flags=re.S | re.M)
    return text


def number(word):
    if "." in word:
        return repr(float(word) * 1.25 + (0.25 if float(word) == 0 else 0))
    return str(int(word) + 1)


def mutants_of(path):
    text = open(os.path.join(TOP, path)).read()
    code = code_of(text)
    found = []
    for pattern, new in SWAPS:
        found += [Mutant(path, text, m.start(), m.end(), new) for m in re.finditer(pattern, code)]
    for m in NUMBER.finditer(code):
        found.append(Mutant(path, text, m.start(), m.end(), number(m.group())))
        if m.group() == "1":
            found.append(Mutant(path, text, m.start(), m.end(), "0"))
    for m in STATEMENT.finditer(code):
        found.append(Mutant(path, text, m.start(), m.end(), m.group()[:len(m.group()) - len(m.group().lstrip())] + ";"))
    return sorted(found, key=lambda m: m.start)


class Build:
    def __init__(self, folder):
        self.folder = folder
        if not os.path.exists(os.path.join(folder, "build.ninja")):
            subprocess.run(["meson", "setup", "-Donnx=disabled", "-Dexamples=disabled", "-Dhosts=disabled",
                            "-Doptimization=1", "-Ddebug=false", folder], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
        listed = subprocess.run(["ninja", "-C", folder, "-t", "targets", "all"], check=True, capture_output=True, text=True)
        self.targets = re.findall(r"^(\S+): c_LINKER", listed.stdout, re.M)
        self.programs = [name[len("tests/"):] for name in self.targets if name.startswith("tests/")]
        wanted = [f"tests/{p}" for p in self.programs if p.split("/")[0] in
                  ("divergence", "stages", "heatmap", "metrics") or p in sum(PROGRAMS.values(), [])]
        subprocess.run(["ninja", "-C", folder] + wanted, check=True, stdout=subprocess.DEVNULL)
        self.compile, self.links = {}, {}
        for entry in json.load(open(os.path.join(folder, "compile_commands.json"))):
            path = os.path.relpath(os.path.join(folder, entry["file"]), TOP)
            self.compile.setdefault(path, shlex.split(entry["command"]))

    def programs_for(self, path):
        stem = os.path.basename(path)[:-2]
        folder = os.path.dirname(path).split("/")[1]
        own = [p for p in self.programs if p == f"{folder}/test_{folder}_{stem}" or
               p.startswith(f"{folder}/test_{folder}_{stem.split('_')[0]}")]
        return own + [p for p in PROGRAMS[os.path.dirname(path)] if p not in own]

    def object_code(self, path, source, out):
        """Compiles `source` in place of `path`; None if that is no C."""
        command = [source if word.endswith(os.path.basename(path)) and os.path.normpath(
            os.path.join(self.folder, word)) == os.path.join(TOP, path) else word for word in self.compile[path]]
        command[command.index("-o") + 1] = out
        command = [word for word in command if word not in ("-MD", "-Werror")]
        while "-MF" in command or "-MQ" in command:
            at = command.index("-MF" if "-MF" in command else "-MQ")
            del command[at:at + 2]
        # Headers beside the source; a path in an assert must not make a difference.
        command += ["-I" + os.path.dirname(os.path.join(TOP, path)), "-w",
                    f"-ffile-prefix-map={os.path.dirname(source)}=."]
        if subprocess.run(command, cwd=self.folder, capture_output=True).returncode:
            return None
        return open(out, "rb").read()

    def link(self, program, first, out):
        """Links a test program with `first` in front of the library; False where it has the source itself."""
        if program not in self.links:
            done = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", "-s", f"tests/{program}"],
                                  check=True, capture_output=True, text=True)
            self.links[program] = shlex.split(done.stdout.strip().splitlines()[-1])
        command = list(self.links[program])
        at = command.index("-o")
        command[at + 1] = out
        command.insert(at + 2, first)
        return subprocess.run(command, cwd=self.folder, capture_output=True).returncode == 0


    def link_library(self, first, out):
        """Links the shared library with `first` instead of what it defines as well."""
        target = next(name for name in self.targets if re.fullmatch(r"lib/libkldve\.so\.[\d.]+", name))
        done = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", "-s", target],
                              check=True, capture_output=True, text=True)
        command = shlex.split(done.stdout.strip().splitlines()[-1])
        at = command.index("-o")
        command[at + 1:at + 2] = [out, first, "-Wl,-z,muldefs"]
        return subprocess.run(command, cwd=self.folder, capture_output=True).returncode == 0


def passes(build, *program):
    environment = dict(os.environ, KLDVE_SOURCE=TOP)
    environment.setdefault("KLDVE_SHARED", os.path.join(TOP, "..", "shared"))
    try:
        return subprocess.run(program, cwd=build.folder, env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=SLOWEST).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def judge(build, originals, mutant):
    """'same', 'no C', 'noticed' or 'missed'."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, os.path.basename(mutant.path))
        made, program = os.path.join(folder, "mutant.o"), os.path.join(folder, "program")
        open(source, "w").write(mutant.text)
        code = build.object_code(mutant.path, source, made)
        if code is None:
            return "no C"
        if code == originals[mutant.path]:
            return "same"
        for test in build.programs_for(mutant.path):
            if build.link(test, made, program) and not passes(build, program):
                return "noticed"
        # The figures of metrics are compared with numpy's.
        library = os.path.join(folder, "libkldve.so.1")
        if mutant.path.startswith("lib/metrics") and build.link_library(made, library) and not passes(
                build, sys.executable, os.path.join(TOP, "tests/metrics/compare_metrics.py"), library):
            return "noticed"
        return "missed"


def original(build, path):
    """The object code of the file itself, compiled under the name that its mutants have."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, os.path.basename(path))
        open(source, "w").write(open(os.path.join(TOP, path)).read())
        return build.object_code(path, source, os.path.join(folder, "mutant.o"))


def all_files():
    found = []
    for folder in FOLDERS:
        found += sorted(f"{folder}/{name}" for name in os.listdir(os.path.join(TOP, folder)) if name.endswith(".c"))
    return found


def known():
    """Mutants that stay, with the reason behind each in known.txt."""
    path = os.path.join(TOP, "tests/mutation/known.txt")
    return {line.rstrip("\n") for line in open(path) if line.startswith("lib/")} if os.path.exists(path) else set()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="*")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn from all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build", default=os.path.join(TOP, "build-mutation"))
    arguments = parser.parse_args()
    mutants = sum((mutants_of(os.path.relpath(os.path.abspath(f), TOP)) for f in arguments.file or
                   [os.path.join(TOP, f) for f in all_files()]), [])
    if arguments.sample is not None and arguments.sample < len(mutants):
        mutants = random.Random(arguments.seed).sample(mutants, arguments.sample)
    if arguments.list:
        for m in mutants:
            print(f"{m.path}:{m.line}: {m.was} => {m.now}")
        return 0
    build = Build(os.path.abspath(arguments.build))
    originals = {path: original(build, path) for path in {m.path for m in mutants}}
    counts, unknown, reasons = {}, 0, known()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for m, verdict in zip(mutants, pool.map(lambda m: judge(build, originals, m), mutants)):
            if verdict == "missed" and m.name() in reasons:
                verdict = "known"
            counts[verdict] = counts.get(verdict, 0) + 1
            if verdict == "missed":
                unknown += 1
                print(f"missed: {m.path}:{m.line}: {m.was} => {m.now}", flush=True)
    tried = sum(counts.get(v, 0) for v in ("noticed", "missed", "known"))
    print(f"{len(mutants)} mutants: {counts.get('no C', 0)} no C, {counts.get('same', 0)} with the same object code; "
          f"{counts.get('noticed', 0)} of {tried} noticed ({100 * counts.get('noticed', 0) / max(tried, 1):.1f} %), "
          f"{counts.get('known', 0)} explained, {unknown} missed")
    return unknown != 0


if __name__ == "__main__":
    sys.exit(main())
