"""differential.py RUNNER [FIRST COUNT] - random networks of many operators, written in many ways: logits against torch in float64,
alone and in a batch; gradients at the picture against torch's autograd in float64 and, along one direction, against central
differences; oneDNN's plan against the reference kernels.  Where ONNX Runtime is installed it is asked for the logits, too.

A network that differs is made as small as it can be (shrink.py).  What is left is printed, and written to differs_SEED.onnx.

Without FIRST and COUNT: 300 networks, and every operator of docs/operators.md is generated or in LEFT_OUT.  With them, a file
`differential.done` says how far it came.  Exit status 77: no torch."""
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
from networks import CLASSES, Maker
from runtime import ask_all, onnxruntime
from shrink import shrink
from spellings import FLOATS, rounded

SOURCE = Path(__file__).resolve().parents[3]
FORWARD, BACKWARD = 3e-4, 2e-3  # of the largest number of the array
HALF = 3e-2  # from ONNX Runtime in float16, which rounds at every node
KINDS = ("plan", "plain", "batch")
torch.set_num_threads(1)

# Operators of docs/operators.md that are not generated, by the reason.
LEFT_OUT = {
    "their results have shapes that depend on numbers, so all their inputs are constants": "NonZero NonMaxSuppression",
    "a constant, compared by the conformance data": "MelWeightMatrix",
    "until opset 9 or 10; the networks begin at 13": "Scatter Upsample",
    "inputs of their own, compared with torch or by the specification in tests/onnx/ops": "DeformConv RoiAlign STFT RotaryEmbedding Crop",
}


# ---- comparisons ----------------------------------------------------------------------------------

# No derivative in float64 is theirs: rounding counts as the identity.
STRAIGHT = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul"}
# Which of equal numbers is the largest is a convention, and levels are often equal.
ORDER = {"MaxPool", "MaxPoolPlaces", "GlobalMaxPool", "ReduceMax", "ReduceMin", "Max", "Min", "TopK"}


class Case:
    def __init__(self, net, seed):
        self.net, numbers = net, np.random.default_rng(seed + 1)
        self.kind = FLOATS[net.spelling.get("type", 1)]
        self.input = rounded(numbers.normal(0, 1, net.shape).astype(np.float32), net.spelling)
        self.cotangent = numbers.normal(0, 1, CLASSES).astype(np.float32)
        self.direction = numbers.normal(0, 1, net.shape)

    def logits(self, x, dtype=torch.float64):
        return self.net.run(torch.as_tensor(x, dtype=dtype))["y"].detach().numpy().ravel()

    def others(self, dtype=torch.float64):
        """Of the rest of the batch."""
        return np.concatenate([self.logits(-self.input, dtype), self.logits(self.input * np.float32(0.5), dtype)])

    def want(self, dtype=torch.float64):
        """(logits, gradient)"""
        x = torch.tensor(self.input, dtype=dtype, requires_grad=True)
        y = self.net.run(x)["y"]
        g = None
        if y.requires_grad:
            (g,) = torch.autograd.grad(y, x, torch.tensor(self.cotangent, dtype=dtype).reshape(y.shape), allow_unused=True)
        return y.detach().numpy().ravel(), np.zeros(self.input.size) if g is None else g.numpy().ravel()

    def slope(self):
        """By central differences along the direction."""
        step = 1e-6
        ends = [self.logits(self.input + s * self.direction) @ self.cotangent.astype(np.float64) for s in (step, -step)]
        return (ends[0] - ends[1]) / (2 * step)

    def bytes(self):
        return np.array(self.net.shape[2:], np.int32).tobytes() + self.input.tobytes() + self.cotangent.tobytes()


def apart(got, want):
    return float(np.abs(got - want).max() / (np.abs(want).max() + 1e-3))


def run_engine(runner, cases):
    """For each case what the runner writes for each of KINDS, or what the engine says; then the same of ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        for i, case in enumerate(cases):
            Path(folder, f"{i}.onnx").write_bytes(case.net.onnx())
            Path(folder, f"{i}.in").write_bytes(case.bytes())
        done = subprocess.run([runner, folder, str(len(cases))], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the runner ended with {done.returncode}: {done.stderr[-500:]} {done.stdout[-300:]}")
        if onnxruntime:
            for i, case in enumerate(cases):
                np.save(Path(folder, f"{i}.npy"), case.input.astype(case.kind))
            ask_all(folder, len(cases))
        results = []
        for i in range(len(cases)):
            paths = [Path(folder, f"{i}.{kind}") for kind in KINDS + (("theirs",) if onnxruntime else ())]
            results.append([np.fromfile(p, np.float32) if p.exists() else Path(f"{p}.no").read_text() for p in paths])
        return results


def check_runtime(case, got, theirs, asked):
    """What differs from ONNX Runtime.  `asked`: counts its answers."""
    if isinstance(theirs, str):
        asked["ONNX Runtime: " + re.sub(r"/\S+|\d+", "N", theirs)[:110]] += 1
        return ""
    asked["answered"] += 1
    bound = HALF if case.kind == np.float16 else 2 * FORWARD
    if np.isfinite(theirs).all() and not agree(case, got, theirs, bound, lambda c, kind: c.want(kind)[0]):
        return f"ONNX Runtime: {apart(got, theirs):.2g} apart"
    return ""


def noise(case, compute, want):
    """How far torch comes from itself in float32, and from an input that is a millionth larger or smaller: some networks take
    nearly equal numbers from each other, round what lies between two levels, or ask which is larger."""
    far, kept = 0.0, case.input
    for factor, kind in ((1, torch.float32), (1 + 1e-6, torch.float64), (1 - 1e-6, torch.float64)):
        case.input = kept * factor
        try:
            far = max(far, apart(compute(case, kind).astype(np.float64), want))
        except (RuntimeError, TypeError):  # types that do not mix
            pass
    case.input = kept
    return 10 * far


def agree(case, got, want, bound, compute):
    return apart(got, want) <= bound or apart(got, want) <= noise(case, compute, want)


def compare(case, results, asked):
    """What differs, or "" or "refused: ..."."""
    logits, gradient = case.want()
    if not (np.isfinite(logits).all() and np.isfinite(gradient).all()):
        return ""
    used = {n[0] for n in case.net.nodes}
    straight = STRAIGHT & used
    for kind, got in zip(KINDS, results):
        if isinstance(got, str):
            return f"refused: {kind}: {got}"
        if not agree(case, got[:CLASSES], logits, FORWARD, lambda c, kind: c.want(kind)[0]):
            return f"{kind}, forward: {apart(got[:CLASSES], logits):.2g} apart"
        if kind == "batch":
            others = case.others()
            if np.isfinite(others).all() and not agree(case, got[CLASSES:], others, FORWARD, Case.others):
                return f"batch, forward: {apart(got[CLASSES:], others):.2g} apart"
        elif not (straight and ORDER & used) and not agree(case, got[CLASSES:], gradient, BACKWARD, lambda c, kind: c.want(kind)[1]):
            return f"{kind}, backward: {apart(got[CLASSES:], gradient):.2g} apart"
        elif not straight and case.kind != np.float16:  # whose numbers lie on steps
            along, slope = got[CLASSES:].astype(np.float64) @ case.direction.ravel(), case.slope()
            size = np.linalg.norm(gradient) * np.linalg.norm(case.direction) + 1e-3
            if not abs(along - slope) <= BACKWARD * size:
                return f"{kind}, central differences: {abs(along - slope) / size:.2g} apart"
    return check_runtime(case, results[0][:CLASSES], results[len(KINDS)], asked) if onnxruntime else ""


def differs(runner, net):
    """One picture may lie at a kink, where derivatives jump, or between two levels; three do not.  The words, or ""."""
    try:
        cases = [Case(net, seed) for seed in (11, 12, 13)]
        words = [compare(c, r, Counter()) for c, r in zip(cases, run_engine(runner, cases))]
    except (RuntimeError, IndexError, KeyError, TypeError, ValueError, AttributeError) as broken:
        return str(broken) if "the runner ended" in str(broken) else ""
    bad = [w for w in words if w and not w.startswith("refused")]
    return bad[0] if len(bad) >= 2 else ""


# ---- the test -------------------------------------------------------------------------------------

def claimed():
    page = (SOURCE / "docs" / "operators.md").read_text()
    table = page[page.index("| operator | opsets | VJP |"):]
    return set(re.findall(r"^\| (\w+) \| \d+\+", table, re.M))


def check_minimiser():
    """A made-up fault: a network with MaxPool and Tanh "differs"; it shrinks to these, the head, and nothing else."""
    for seed in range(400):
        net = Maker(seed).make()
        if {"MaxPool", "Tanh"} <= {n[0] for n in net.nodes} and not net.loops and not any("Sequence" in n[0] for n in net.nodes) and len(net.nodes) > 7:
            break

    def fails(n):
        try:
            n.run(torch.zeros(n.shape, dtype=torch.float64))
        except (RuntimeError, TypeError, IndexError, KeyError):
            return False
        return {"MaxPool", "Tanh"} <= {node[0] for node in n.nodes}

    small = shrink(net, fails, 2000)
    if len(small.nodes) > 4:
        return [f"the minimiser left {len(small.nodes)} of {len(net.nodes)} nodes:\n{small}"]
    return []


def main():
    runner, whole = sys.argv[1], len(sys.argv) < 4
    first, count = (0, 300) if whole else (int(sys.argv[2]), int(sys.argv[3]))
    wrong, used, refused, asked, ways = [], Counter(), Counter(), Counter(), Counter()
    for start in range(first, first + count, 100):
        nets = [Maker(seed).make() for seed in range(start, min(start + 100, first + count))]
        cases = [Case(net, start + i) for i, net in enumerate(nets)]
        for i, (case, results) in enumerate(zip(cases, run_engine(runner, cases))):
            used.update("MaxPool" if node[0] == "MaxPoolPlaces" else node[0] for node in case.net.nodes)
            ways.update(f"{k} {v}" if k in ("kind", "type") else k for k, v in case.net.spelling.items() if k not in ("begin", "length", "taken", "axis"))
            words = compare(case, results, asked)
            if words.startswith("refused"):
                refused[re.sub(r"/\S*: |'[^']*'|\d+", "N", words)[:150]] += 1
            elif words and (again := differs(runner, case.net)):
                small = shrink(case.net, lambda n: bool(differs(runner, n)))
                Path(f"differs_{start + i}.onnx").write_bytes(small.onnx())
                wrong.append(f"seed {start + i}: {again}; smallest, in differs_{start + i}.onnx:\n{small}")
                print(wrong[-1], flush=True)
        if not whole:
            Path("differential.done").write_text(f"{start + len(nets) - first} of {count} from {first}, {len(wrong)} differ\n")
    print(f"{count} networks, {sum(used.values())} nodes of {len(used)} operators; {sum(refused.values())} refused")
    print(", ".join(f"{n} x {w}" for w, n in sorted(ways.items())))
    print(f"ONNX Runtime answered {asked.pop('answered', 0)}" if onnxruntime else "without ONNX Runtime")
    for words, times in (*refused.most_common(40), *asked.most_common(12)):
        print(f"  {times} x {words}")
    if whole:
        out = set(" ".join(LEFT_OUT.values()).split())
        written = set(used) | {w.title() for kind in ways for w in kind.split() if w in ("if", "loop", "scan")} | {"Constant"}
        for name in sorted(claimed() - written - out):
            wrong.append(f"{name} is claimed, but no network has it and LEFT_OUT does not say why")
        wrong += [f"{name} is in LEFT_OUT, but is generated" for name in sorted(out & written)]
        wrong += check_minimiser()
        if sum(refused.values()) > count // 20:
            wrong.append("more than one network in twenty is refused")
        print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
