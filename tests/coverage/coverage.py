"""Coverage of lib/ by the tests: at least 97 % of the lines and 92 % of the branches.

    python3 tests/coverage/coverage.py [BUILD]

Configures, builds and runs in BUILD (build-coverage) with gcov's counters, without optimisation: all tests but those of
hosts and the suite `long`; the better part of an hour.
gcovr writes BUILD/coverage.html with every line, and BUILD/uncovered.txt with the files that miss most branches.
Needs gcovr (apt-get install gcovr).

Left out, because no test may reach them: branches of assert() and of the compiler's own making (exceptions), and
lines that say `unreachable`.
"""

import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES, BRANCHES = 97.0, 92.0


def run(*command):
    return subprocess.run(command, cwd=TOP).returncode


def measure(build):
    summary = os.path.join(build, "coverage.json")
    if run("gcovr", "-r", TOP, "-f", "lib/", "--exclude-throw-branches", "--exclude-unreachable-branches",
           "--exclude-lines-by-pattern", r".*(\bunreachable\b).*",
           "--exclude-branches-by-pattern", r"\s*assert\(.*|.*\bassert\(.*", "--gcov-ignore-parse-errors",
           "--json-summary", summary, "--html-details", os.path.join(build, "coverage.html"), build):
        sys.exit("gcovr failed")
    return json.load(open(summary))


def main():
    build = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(TOP, "build-coverage")
    if not os.path.exists(os.path.join(build, "build.ninja")) and run(
            "meson", "setup", "-Db_coverage=true", "-Doptimization=0", "-Dhosts=disabled", build):
        return 1
    if run("ninja", "-C", build):
        return 1
    run("meson", "test", "-C", build, "--no-rebuild", "--no-suite", "hosts", "--no-suite", "long", "-t", "10")
    found = measure(build)
    worst = sorted(found["files"], key=lambda f: f["branch_covered"] - f["branch_total"])
    with open(os.path.join(build, "uncovered.txt"), "w") as out:
        for f in worst:
            out.write(f"{f['branch_total'] - f['branch_covered']:5d} branches, "
                      f"{f['line_total'] - f['line_covered']:4d} lines  {f['filename']}\n")
    print(f"lines {found['line_percent']} %, branches {found['branch_percent']} %")
    return found["line_percent"] < LINES or found["branch_percent"] < BRANCHES


if __name__ == "__main__":
    sys.exit(main())
