#!/usr/bin/env python3
"""many.py KLDVE NETWORK.onnx FOLDER [COUNT] - many pictures by one run of `kldve explain`, and by a run for each.

Prints pictures per second on the wall and processor milliseconds for a picture, which another load of the machine
disturbs less: of a shell loop, of one run that draws every picture, of one that writes records alone, of each further picture
of that (all without half of them, so without loading the network), and of the stages that the records add up (decode; forward, divergence, backward, reduce; render).  Only the standard library is used."""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

STAGES = ["decode", "forward", "divergence", "backward", "reduce", "render"]


def measure(commands):
    """-> seconds on the wall, seconds of processors"""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begin, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main():
    kldve, network, folder = os.path.abspath(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    pictures = sorted(str(p) for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    pictures = pictures[:int(sys.argv[4])] if len(sys.argv) > 4 else pictures
    explain = [kldve, "explain", network]
    with tempfile.TemporaryDirectory() as out:
        lines = os.path.join(out, "r.jsonl")
        runs = {
            "a run for each": [[*explain, p, "--out-dir", out, "--force", "--quiet"] for p in pictures],
            "one run": [[*explain, *pictures, "--out-dir", out, "--force", "--quiet"]],
            "one run, records alone": [[*explain, *pictures, "--jsonl", lines, "--force", "--quiet"]],
        }
        for name, commands in runs.items():
            wall, processor = measure(commands)
            print(f"{name:24} {len(pictures) / wall:8.1f} pictures/s {1e3 * processor / len(pictures):8.1f} ms of processors each")
        some = pictures[:len(pictures) // 2]
        first, now = (measure([[*explain, *these, "--jsonl", lines, "--force", "--quiet"]]) for these in (some, pictures))
        further = len(pictures) - len(some)
        print(f"{'each further, records':24} {further / (now[0] - first[0]):8.1f} pictures/s "
              f"{1e3 * (now[1] - first[1]) / further:8.1f} ms of processors each")
        with open(lines, encoding="utf-8") as file:
            records = [json.loads(line)["timings_ms"] for line in file]
        print("stages, median ms:", ", ".join(f"{s} {statistics.median(r[s] for r in records):.2f}" for s in STAGES))


if __name__ == "__main__":
    main()
