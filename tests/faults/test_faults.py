#!/usr/bin/env python3
"""Every call on a file fails once, comes short once, is interrupted once: the command ends with 0, or with 1 and a
line that says what failed; each output is whole or absent, and nothing else is left.

    test_faults.py FAULTS.so [all]

Of each call of each command some are taken, evenly; with "all" every one."""
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import tinynet  # pylint: disable=wrong-import-position
from command import KLDVE, SKIPPED, png  # pylint: disable=wrong-import-position
from folder import blob  # pylint: disable=wrong-import-position

FAULTS, ALL = os.path.abspath(sys.argv[1]), sys.argv[2:] == ["all"]
EACH = 2  # calls of one name and command that are tried in the short form
SHORT = "short"
# What each call fails with.
ERRORS = {"read": [errno.EIO, errno.EINTR, SHORT], "pread": [errno.EIO, SHORT], "write": [errno.ENOSPC, errno.EINTR, SHORT],
          "pwrite": [errno.ENOSPC], "open": [errno.EMFILE], "close": [errno.EIO, errno.EINTR], "rename": [errno.EIO], "link": [errno.EDQUOT],
          "fsync": [errno.EIO], "fdatasync": [errno.EIO, errno.EINTR], "ftruncate": [errno.EIO], "mmap": [errno.ENOMEM],
          "fstat": [errno.EIO], "stat": [errno.EIO], "mkdir": [errno.ENOSPC], "unlink": [errno.EACCES], "opendir": [errno.EMFILE],
          "readdir": [errno.EIO]}
RETRIED = ("read", "write", "fdatasync")  # after EINTR, or when they come short; SQLite gives up where its disk does not flush
# Name -> what is run, and its outputs; those with a mark "!" are the same bytes each time.
COMMANDS = {
    "explain": (["explain", "net.onnx", "pic.png", "-o", "o.png", "--heat", "h.jpg", "--map", "m.npy", "--json", "o.json"],
                ["!o.png", "!h.jpg", "!m.npy", "o.json"]),
    "replace": (["explain", "net.onnx", "pic.png", "-o", "old.png", "--force"], ["!old.png"]),
    "dump": (["explain", "net.onnx", "pic.png", "-o", "o.png", "--dump", "d"], ["!o.png", "d"]),
    "many": (["explain", "net.onnx", "photos", "--out-dir", "out", "--jsonl", "o.jsonl", "--quiet"], ["out", "o.jsonl"]),
    "sheet": (["compare", "net.onnx", "pic.png", "-o", "s.png", "--json", "s.json"], ["!s.png", "s.json"]),
    "pdf": (["compare", "net.onnx", "pic.png", "-o", "s.pdf"], ["s.pdf"]),
    "report": (["report", "net.onnx", "pic.png", "photos", "-o", "r.html"], ["r.html"]),
    "evaluate": (["evaluate", "net.onnx", "photos", "--db", "e.sqlite", "--method", "kl-dve", "--metric", "entropy", "--quiet", "--csv", "e.csv"], ["e.sqlite", "e.csv"]),
    "results": (["results", "old.sqlite", "--json", "e.json"], ["e.json"]),
    "merge": (["merge", "n.sqlite", "old.sqlite"], ["n.sqlite"]),
}
LEFT = (".sqlite-journal", ".sqlite-lock", ".sqlite.lock")  # of a database that goes on


def environment(folder, **said):
    out = {**os.environ, "LD_PRELOAD": FAULTS, "KLDVE_FAULT_UNDER": folder, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
           "OMP_WAIT_POLICY": "passive"}
    out.update(said)
    return out


def run(folder, args, **said):
    return subprocess.run([KLDVE, *args], cwd=folder, env=environment(folder, **said), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=120, check=False)


def fill(folder):
    """The inputs of all commands."""
    os.makedirs(os.path.join(folder, "photos", "a"))
    for name, data in {"net.onnx": tinynet.classifier(external="w.bin"), "pic.png": png(48, 40, blob), "old.png": b"old", "labels.txt": b"a\nb\nc\nd\n",
                       "w.bin": tinynet.struct.pack("<12f", *[((7 * i) % 11 - 3) / 500 for i in range(12)]),
                       "net.card.json": b'{"input": {"channels": "RGB", "mean": [100, 100, 100]}, "labels": "labels.txt"}',
                       "photos/a/1.png": png(16, 16, blob), "photos/a/2.png": png(16, 20, blob)}.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def files_of(folder):
    return {os.path.relpath(os.path.join(base, name), folder) for base, _, names in os.walk(folder) for name in names}


def content(folder, name):
    with open(os.path.join(folder, name), "rb") as file:
        return file.read()


def is_whole(folder, name, reference):
    """Whether an output is one that the command writes, as far as its kind tells."""
    data = content(folder, name)
    if name in reference:
        return data == reference[name]
    if name.endswith(".json"):
        return bool(json.loads(data))
    if name.endswith(".jsonl"):
        return all(json.loads(line) for line in data.splitlines())
    if name.endswith(".html"):
        return data.rstrip().endswith(b"</html>")
    if name.endswith(".pdf"):
        return data.rstrip().endswith(b"%%EOF")
    if name.endswith(".png"):
        return data.endswith(b"IEND\xaeB`\x82")
    return len(data) > 0 or name.endswith(".sqlite")


class Case:
    """One command: its inputs, its outputs when nothing fails, and how often it makes each call."""

    def __init__(self, name, template):
        self.name, self.template = name, template
        self.args, outputs = COMMANDS[name]
        self.outputs = [o.lstrip("!") for o in outputs]
        with tempfile.TemporaryDirectory(prefix="kldve-faults-") as folder:
            self.copy(folder)
            before = files_of(folder)
            count = os.path.join(tempfile.gettempdir(), f"kldve-count-{os.getpid()}")
            result = run(os.path.join(folder, "x"), self.args, KLDVE_FAULT_COUNT=count)
            assert result.returncode == 0, (name, result.stderr)
            with open(count, encoding="ascii") as file:
                self.calls = {call: int(n) for call, n in (line.split() for line in file)}
            os.unlink(count)
            self.before = {f[2:] for f in before}
            self.made = {f[2:] for f in files_of(folder)} - self.before
            self.reference = {o[1:]: content(os.path.join(folder, "x"), o[1:]) for o in outputs if o[0] == "!"}
            self.olds = {f: content(os.path.join(folder, "x"), f) for f in self.before if f != "old.png"}

    def copy(self, folder):
        shutil.copytree(self.template, os.path.join(folder, "x"))

    def faults(self):
        for call, n in self.calls.items():
            numbers = range(1, n + 1) if ALL else sorted({1 + n * i // EACH for i in range(EACH)} if n else ())
            for number in numbers:
                for error in ERRORS[call]:
                    yield call, number, error

    def problem(self, folder, call, error, result):
        """What is wrong with how it ended, or None."""
        err = result.stderr.decode()
        lines = [line for line in err.splitlines() if not line.startswith("kldve: note")]
        if result.returncode not in (0, 1):
            return f"ended with {result.returncode}"
        if result.returncode == 1 and (not lines or not all(line.startswith("kldve: ") for line in lines)):
            return "says nothing"
        if result.returncode == 1 and (error == SHORT or error == errno.EINTR) and call in RETRIED and (self.name, call) != ("evaluate", "fdatasync"):
            return "gave up"
        found = files_of(folder)
        extra = {f for f in found - self.before - self.made if not f.endswith(LEFT)}
        if extra and call != "unlink":
            return f"leaves {sorted(extra)}"
        if self.before - found:
            return f"removes {sorted(self.before - found)}"
        for name, data in self.olds.items():
            if not name.endswith(".sqlite") and content(folder, name) != data:
                return f"changes {name}"
        for name in found & self.made | ({"old.png"} if self.name == "replace" else set()):
            if not is_whole(folder, name, self.reference) and not (name == "old.png" and content(folder, name) == b"old"):
                return f"{name} is not whole"
        if result.returncode == 0 and self.made - found and not (self.name == "evaluate" and call == "unlink"):
            return f"is done without {sorted(self.made - found)}"
        return None

    def try_one(self, call, number, error):
        with tempfile.TemporaryDirectory(prefix="kldve-faults-") as outer:
            self.copy(outer)
            folder = os.path.join(outer, "x")
            result = run(folder, self.args, KLDVE_FAULT=f"{call}:{number}:{error}")
            found = self.problem(folder, call, error, result)
            if found:
                print(f"{self.name}: {call} number {number} of {self.calls[call]}, "
                      f"{error if error == SHORT else errno.errorcode[error]}: {found}: {result.stderr.decode().strip()}", flush=True)
            return found is None


def try_ticks(case):
    """A signal a thousand times a second changes nothing."""
    with tempfile.TemporaryDirectory(prefix="kldve-faults-") as outer:
        case.copy(outer)
        folder = os.path.join(outer, "x")
        result = run(folder, case.args, KLDVE_TICKS="1")
        good = result.returncode == 0 and not case.made - files_of(folder) and \
            all(content(folder, name) == data for name, data in case.reference.items())
        if not good:
            print(f"{case.name}: with a signal a thousand times a second: {result.returncode}: {result.stderr.decode().strip()}", flush=True)
        return good


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    tried = failed = 0
    with tempfile.TemporaryDirectory(prefix="kldve-faults-") as folder:
        template = os.path.join(folder, "template")
        fill(template)
        made = run(template, ["evaluate", "net.onnx", "photos", "--db", "old.sqlite", "--method", "kl-dve", "--metric", "entropy", "--quiet"])
        names = [n for n in COMMANDS if made.returncode == 0 or n not in ("evaluate", "results", "merge")]
        if os.environ.get("KLDVE_FAULTS_ONLY"):
            names = os.environ["KLDVE_FAULTS_ONLY"].split()
        for name in names:
            try:
                case = Case(name, template)
            except AssertionError as wrong:
                if b"without" in wrong.args[0][1]:
                    continue  # not part of this build
                raise
            failed += not try_ticks(case)
            for fault in case.faults():
                tried += 1
                failed += not case.try_one(*fault)
    print(f"{tried} faults, {failed} of them handled badly")
    return 1 if failed else 0 if tried else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
