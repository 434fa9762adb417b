"""Runs the bombs: the command on each of them, under limits of the operating system, and a C host on many.

    run.py [--long] [--only TEXT] [--table] [--keep FOLDER]

Without --long a part of each family runs.  Every run has to end by itself with an exit status that its bomb allows; a
failure with one clear line; within CPU_SECONDS and the bomb's memory; and nothing may lie on the disk after a failure
that was not there.  What is "expected to fail" is reported with the reason.  --keep writes the files instead of running
anything.  Linux, standard library."""
import argparse
import collections
import importlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ["KLDVE_SOURCE"]
sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(SOURCE, "tests", "cli")]
from bomb import CPU_SECONDS  # noqa: E402

KLDVE = os.path.abspath(os.environ["KLDVE"])
HOST = os.environ.get("KLDVE_BOMB_HOST")
SANITIZED = os.environ.get("KLDVE_SANITIZED") == "1"
MODULES = ["operators", "graphs", "cards", "labels", "pictures", "photographs", "arrays", "datasets", "arguments"]
SLOWER, WAIT, IDLE = (6 if SANITIZED else 1), 240, 10  # seconds: all in all; waiting for something that never comes
FILE_BYTES, LINE_BYTES, EVERY = 1 << 30, 8192, 9
# What a terminal would obey: C0 but the line end, DEL, C1, marks of direction.
EVIL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
SANITIZER = re.compile(rb"(ERROR: \w+Sanitizer|runtime error: )[^\n]*")


class Outcome:
    def __init__(self):
        self.status, self.out, self.err, self.cpu, self.peak, self.wrong = None, b"", b"", 0.0, 0, []


def limit():
    seconds = int(CPU_SECONDS * SLOWER * 1.5)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def listing(folder):
    return {os.path.relpath(os.path.join(base, name), folder) for base, folders, files in os.walk(folder)
            for name in folders + files}


def waits_idly(pid):
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return fields[0] in "SD", fields[11:13]


def wait_for(pid, outcome):
    """Its wait status and usage; a process that stands still, or goes on for too long, is ended."""
    begin = still = time.monotonic()
    used = None
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        now = time.monotonic()
        sleeps, ticks = waits_idly(pid)
        if not sleeps or ticks != used:
            still, used = now, ticks
        if now - still > IDLE or now - begin > WAIT * SLOWER:
            outcome.wrong.append("hangs" if now - still > IDLE else f"did not end within {WAIT * SLOWER} s")
            os.kill(pid, signal.SIGKILL)
            return os.wait4(pid, 0)[1:]
        time.sleep(0.005)


def execute(command, folder):
    """Run it; what a process without end would print is bounded by the limit of file sizes."""
    outcome = Outcome()
    # As the command has it by itself: threads that sleep at once take twice the time for 100 000 small layers.
    env = {**os.environ, "GOMP_SPINCOUNT": "2000", "OPENBLAS_NUM_THREADS": "1"}
    env.pop("OMP_WAIT_POLICY", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=limit,
                                   env=env)
        status, usage = wait_for(process.pid, outcome)
        process.returncode = outcome.status = os.waitstatus_to_exitcode(status)
        outcome.cpu, outcome.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        out.seek(0)
        err.seek(0)
        outcome.out, outcome.err = out.read(1 << 24), err.read(1 << 24)
    return outcome


def check_failure(bomb, o, left):
    text = o.err.decode("utf-8", "replace")
    lines = text.split("\n")
    if lines[-1] or not 2 <= len(lines) <= bomb.lines + 1 or not all(l.startswith("kldve: ") for l in lines[:-1]):
        o.wrong.append(f"not {bomb.lines} lines: {text[:300]!r}")
    elif len(lines[0]) < 15 or len(o.err) > LINE_BYTES * bomb.lines:
        o.wrong.append(f"a line of {len(o.err)} bytes: {text[:200]!r}")
    if bomb.says and not re.search(bomb.says, text):
        o.wrong.append(f"says {text[:200]!r}, not {bomb.says!r}")
    if left:
        o.wrong.append(f"left {sorted(left)[:5]}")


def refuse_constant(text):
    raise ValueError(text)


def check_success(folder, o):
    """A record is JSON without NaN, and its probabilities are probabilities."""
    path = os.path.join(folder, "r.json")
    if not os.path.isfile(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file, parse_constant=refuse_constant)
    except ValueError as error:
        o.wrong.append(f"its record is not JSON: {error}")
        return
    for line in record.get("top5", []):
        if line.get("probability") is not None and not 0 <= line["probability"] <= 1:
            o.wrong.append(f"a probability of {line['probability']}")


def check(bomb, folder, before, o):
    found = SANITIZER.search(o.err)
    if found:
        o.wrong.append(found.group(0).decode("utf-8", "replace"))
    elif o.status < 0:
        o.wrong.append(f"ended by signal {-o.status}")
    elif o.status not in bomb.allowed:
        o.wrong.append(f"exit status {o.status}: {o.err[:200].decode('utf-8', 'replace')!r}")
    elif o.status == 0:
        check_success(folder, o)
    else:
        several = {"r.db", "r.db-wal", "r.db-shm", "r.db-journal", "x.db-wal", "x.db-shm", "r.jsonl", "out", "o.db"}
        check_failure(bomb, o, listing(folder) - before - several)
    for stream in (o.out, o.err):
        shown = stream.decode("utf-8", "replace")
        if EVIL.search(shown):
            o.wrong.append(f"prints {EVIL.search(shown).group(0)!r}")
            break
    if o.cpu > CPU_SECONDS * SLOWER:
        o.wrong.append(f"{o.cpu:.1f} s of CPU")
    if o.peak > bomb.memory and not SANITIZED:
        o.wrong.append(f"{o.peak >> 20} MiB, {bomb.memory >> 20} are allowed")


def explode(bomb, starter):
    """`starter`: a small process that starts others, because the peak of a process begins with that of its parent."""
    folder = tempfile.mkdtemp(prefix="kldve-bomb-")
    try:
        bomb.write(folder)
        before = listing(folder)
        o = starter.apply(execute, ([KLDVE, *bomb.args], folder))
        check(bomb, folder, before, o)
        if HOST and bomb.host and not o.wrong:
            visit(starter.apply(execute, ([HOST, *bomb.host], folder)), o)
    finally:
        shutil.rmtree(folder)
    return o


def visit(h, o):
    """The C host counts its memory, and says in words what is wrong."""
    found = SANITIZER.search(h.err)
    if h.status != 0 or found:
        said = found.group(0) if found else h.err[:200] or b"ended by signal %d" % -h.status
        o.wrong.append("host: " + said.decode("utf-8", "replace"))
    if h.cpu > CPU_SECONDS * SLOWER:
        o.wrong.append(f"host: {h.cpu:.1f} s of CPU")
    o.wrong += h.wrong


def wanted(bombs, long, only):
    """All, or the first of each family and every ninth."""
    seen = collections.Counter()
    for bomb in bombs:
        at = seen[bomb.family]
        seen[bomb.family] += 1
        if only in f"{bomb.kind}/{bomb.family}/{bomb.name}" and (long or only or at == 0 or at % EVERY == EVERY // 2):
            yield bomb


def every_bomb():
    for module in MODULES:
        yield from importlib.import_module(module).bombs()


def show_table(lines):
    print("| kind | family | bombs | refused | answered | most CPU, s | most memory, MiB |\n|---|---|---:|---:|---:|---:|---:|")
    for (kind, family), outcomes in lines.items():
        print(f"| {kind} | {family} | {len(outcomes)} | {sum(o.status != 0 for o in outcomes)} | "
              f"{sum(o.status == 0 for o in outcomes)} | {max(o.cpu for o in outcomes):.1f} | "
              f"{max(o.peak for o in outcomes) >> 20} |")


def keep(bombs, folder):
    for i, bomb in enumerate(bombs):
        place = os.path.join(folder, f"{i:03}")
        os.makedirs(place)
        bomb.write(place)
        print(place, bomb.kind, bomb.family, bomb.name, *map(str, bomb.args), sep="\t")


def report(bomb, o):
    """Whether that counts as a failure of this test."""
    name = f"{bomb.kind}/{bomb.family}/{bomb.name}"
    if o.wrong and bomb.waits:
        print(f"expected to fail: {bomb.waits}: {name}: {'; '.join(o.wrong)}", flush=True)
    elif o.wrong:
        print(f"FAIL {name}: {'; '.join(o.wrong)}", flush=True)
    elif bomb.waits:
        print(f"no longer fails, take its mark away: {name}", flush=True)
    return bool(o.wrong) and not bomb.waits


def main():
    starter = multiprocessing.Pool(1)  # before anything large is made
    parser = argparse.ArgumentParser()
    for flag in ("--long", "--table"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    args = parser.parse_args()
    bombs = wanted(every_bomb(), args.long, args.only)
    if args.keep:
        return keep(bombs, args.keep)
    lines, count, bad = collections.defaultdict(list), 0, 0
    for count, bomb in enumerate(bombs, 1):
        o = explode(bomb, starter)
        o.out = o.err = b""
        lines[bomb.kind, bomb.family].append(o)
        bad += report(bomb, o)
    if args.table:
        show_table(lines)
    print(f"{count} bombs, {bad} failed")
    return 1 if bad or not count else 0  # no bomb: --only names none


if __name__ == "__main__":
    sys.exit(main())
