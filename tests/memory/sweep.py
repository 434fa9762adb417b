#!/usr/bin/env python3
"""sweep.py KLDVE [STEPS] - the command with too little of everything that a system limits.

Address space (ulimit -v) from 20 MB to 2 GB, data (-d), stacks (-s), processes and threads (-u) and
open files (-n): each run ends within 10 s, with status 0 and the right picture, or with status 1
and one line that names what is short; 127 is the dynamic loader's.  No signal, no spin, nothing
written by halves.  STEPS limits of address space are tried, evenly spread in ratio; without it 12
where the commands begin to fit.  Needs no packages."""
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib

MB = 1000 * 1000
SECONDS = 10
# What the line says.
WORDS = {"AS": "memory", "DATA": "memory", "STACK": "", "NPROC": "thread", "NOFILE": ""}


def picture(path, side=96):
    """A PNG of some colours."""
    rows = b"".join(b"\0" + bytes((x * 5 + y * k) % 256 for x in range(side) for k in (1, 2, 3))
                    for y in range(side))
    chunk = lambda kind, data: (len(data).to_bytes(4, "big") + kind + data +
                                zlib.crc32(kind + data).to_bytes(4, "big"))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" +
                   chunk(b"IHDR", side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0") +
                   chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def numbers(path):
    """The values of a .npy file of float32."""
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + int.from_bytes(data[8:10], "little")
    return memoryview(data[start:]).cast("f").tolist()


# Fontconfig, pango and GLib end the process (docs/reliability.md): such an end is counted and no failure.
ENDED_BY_PANGO = {"compare": [-5, -6, -11]}
COMMANDS = {
    "explain": (["explain", "p.png", "--map", "out.npy"], "out.npy"),
    "eigen-cam": (["explain", "p.png", "--method", "eigen-cam", "--map", "out.npy"], "out.npy"),
    "lime": (["explain", "p.png", "--method", "lime", "--samples", "20", "--map", "out.npy"], "out.npy"),
    "rise": (["explain", "p.png", "--method", "rise", "--samples", "20", "--map", "out.npy"], "out.npy"),
    "compare": (["compare", "p.png", "-o", "out.png"], "out.png"),
    "report": (["report", "p.png", "-o", "out.html"], "out.html"),
    "evaluate": (["evaluate", "folder", "--metric", "gini", "--db", "out.db"], "out.db"),
}


def run(kldve, folder, name, limits, threads=None):
    """-> (status, standard error, seconds); the files of the run are in the folder."""
    args, made = COMMANDS[name]

    def limit():
        if "NPROC" in limits and os.getuid() == 0:  # which has no such limit
            os.setgid(65534)
            os.setuid(65534)
        for kind, value in limits.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + kind), (value, value))

    for file in [made, made + "-journal", made + "-wal", "out.files"]:
        if os.path.isfile(os.path.join(folder, file)):
            os.remove(os.path.join(folder, file))
    start = time.monotonic()
    try:
        done = subprocess.run([kldve] + args + (["--threads", str(threads)] if threads else []) +
                              ["--force"] * (args[0] == "explain") + ["--quiet"] * (args[0] != "evaluate"), cwd=folder, preexec_fn=limit,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=60)
    except subprocess.TimeoutExpired:
        return "does not end", "", 60
    return done.returncode, done.stderr.decode(errors="replace"), time.monotonic() - start


def right(folder, name, wanted):
    made = os.path.join(folder, COMMANDS[name][1])
    if not os.path.exists(made):
        return False
    if not made.endswith(".npy"):
        return os.path.getsize(made) > 0
    values = numbers(made)
    return len(values) == len(wanted) and all(abs(a - b) < 1e-3 for a, b in zip(values, wanted))


def wrong(folder, name, wanted, limits, outcome):
    """-> what is wrong with a run, or None"""
    status, error, seconds = outcome
    lines = error.splitlines()
    if seconds > SECONDS:
        return f"takes {seconds:.1f} s"
    if status == 0:
        return None if right(folder, name, wanted) else "status 0 and another result"
    if status == 127 and "error while loading shared libraries" in error:
        return None
    if status in ENDED_BY_PANGO.get(name, []):
        return None
    if status != 1:
        return f"status {status}: {error[:200]!r}"
    if len(lines) != 1 or not lines[0].startswith("kldve: "):
        return f"not one line of its own: {error[:200]!r}"
    if not any(WORDS[kind] in lines[0] for kind in limits):
        return f"does not say what is short: {error[:200]!r}"
    if os.path.exists(os.path.join(folder, COMMANDS[name][1])) and name != "evaluate":
        return "failed and left a result"
    return None


def cases(steps):
    """-> limits, one after the other"""
    first, last = (20 * MB, 2000 * MB) if steps else (60 * MB, 400 * MB)
    count = steps or 12
    for i in range(count):
        yield {"AS": int(first * (last / first) ** (i / (count - 1)))}
    for i in range(1, (steps or 6) + 1, 1 if not steps else 8):
        yield {"DATA": i * (8 * MB if not steps else MB)}
    for kilobytes in [64, 128, 256, 512]:
        yield {"STACK": kilobytes << 10}
    for count in [1, 2, 3]:
        yield {"NPROC": count}
    for count in [3, 4, 5, 6, 8]:
        yield {"NOFILE": count}


def main(kldve, steps=0):
    kldve = os.path.abspath(kldve)
    bad, runs, slowest = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "folder"))
        picture(os.path.join(folder, "p.png"))
        picture(os.path.join(folder, "folder", "p.png"), 64)
        os.chmod(folder, 0o777)
        for name in COMMANDS:
            status, error, _ = run(kldve, folder, name, {})
            wanted = numbers(os.path.join(folder, "out.npy")) if COMMANDS[name][1].endswith(".npy") else None
            if status != 0:
                sys.exit(f"{name} fails without a limit: {error}")
            ends = {}
            for limits in cases(int(steps)):
                outcome = run(kldve, folder, name, limits)
                what = wrong(folder, name, wanted, limits, outcome)
                runs += 1
                slowest = max(slowest, outcome[2])
                ends[outcome[0]] = ends.get(outcome[0], 0) + 1
                if what:
                    bad += 1
                    print(f"{name} {limits}: {what}", flush=True)
            print(f"{name}: status and how often: {ends}", flush=True)
    print(f"{runs} runs, {bad} wrong, the slowest {slowest:.1f} s")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
