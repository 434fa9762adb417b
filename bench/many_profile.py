#!/usr/bin/env python3
"""many_profile.py KLDVE NETWORK.onnx FOLDER [OPTION...] - where the processor time of a picture goes, in one run of
`kldve explain` over many pictures: milliseconds of the threads that work on them, by what they do.

It needs Linux's perf, and symbols in KLDVE and its libraries.  Loading, which the main thread does, is not counted."""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

RATE = 4000  # samples per second and thread
# The first that fits a sample, by its symbol and its library.
KINDS = [
    ("the network", r"\.map$|^\[JIT|dnnl|kldve-onnx|openblas|gomp", ""),
    ("decoding", r"jpeg", ""),
    ("writing PNG", r"libz|libpng", ""),
    ("the system (page faults, reading, waiting)", r"kernel|vdso", ""),
    ("digest of the file", r"", r"take_block|sha256"),
    ("resizing, the network's input", r"", r"^resi[zs]e|resample|filter_|to_input|preprocess|kldve_pixels_write|kldve_image_"),
    ("metrics", r"", r"rank|sort_by|upsample|row_of_frame|mix_row|level_of|find|sum_from|metric|compute|curve|complexity|log_fma|^__log|gini|ties"),
    ("drawing", r"", r"overlay|heat_row|taps|frame_row|outline|colormap|draw|fminf|fmaxf"),
]


def kind_of(symbol, library):
    for name, of_library, of_symbol in KINDS:
        if (of_library and re.search(of_library, library)) or (of_symbol and re.search(of_symbol, symbol)):
            return name
    return "the rest"


def samples(command, path):
    """-> (thread, symbol, library) of each sample"""
    subprocess.run(["perf", "record", "-q", "-F", str(RATE), "-o", path, *command], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    text = subprocess.run(["perf", "script", "-i", path, "-F", "tid,ip,sym,dso"], check=True, text=True,
                          capture_output=True).stdout
    lines = (re.match(r"\s*(\d+)\s+[0-9a-f]+\s+(.*) \((.*)\)", line) for line in text.splitlines())
    return [(int(line[1]), line[2], os.path.basename(line[3]) if line[3][0] == "/" else line[3]) for line in lines if line]


def main():
    kldve, network, folder, *options = sys.argv[1:]
    pictures = [str(p) for p in sorted(pathlib.Path(folder).iterdir()) if p.suffix.lower() in (".png", ".jpg", ".jpeg")]
    with tempfile.TemporaryDirectory() as out:
        options = options or ["--jsonl", os.path.join(out, "r.jsonl")]
        found = samples([kldve, "explain", network, *pictures, "--force", "--quiet", *options], os.path.join(out, "perf"))
    first = min(thread for thread, _, _ in found)
    kinds = collections.Counter(kind_of(symbol, library) for thread, symbol, library in found if thread != first)
    for name, count in kinds.most_common():
        print(f"{1e3 * count / RATE / len(pictures):6.2f} ms  {name}")
    print(f"{1e3 * sum(kinds.values()) / RATE / len(pictures):6.2f} ms  together")


if __name__ == "__main__":
    main()
