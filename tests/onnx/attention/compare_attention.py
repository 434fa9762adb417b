#!/usr/bin/python3
"""Compare the engine's attentions, the gradients there, and rollout and grad-rollout with torch.

    compare_attention.py ATTENTION_RUN

Small vision transformers in many spellings are exported; the reference computes them in float64, takes the
gradients by autograd, and multiplies whole matrices from the input to the logits.  Exit codes: 0, 1 (a
difference), 77 (no torch).
"""
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import numpy
    import torch
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}; install python3-torch")
    sys.exit(77)

TOLERANCE = 1e-4
WIDTH, PATCH, CLASSES = 12, 8, 6


class Attention(nn.Module):
    """spelling: four: [1][heads][tokens][tokens]; three: [heads][tokens][tokens]; masked: behind the
    softmax a Where, as exporters write for rows without any key; one: a single head; named: Einsum."""

    def __init__(self, spelling):
        super().__init__()
        self.spelling, self.heads = spelling, 1 if spelling == "one" else 3
        self.project, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.project.weight.data *= 4

    def forward(self, x):
        tokens = x.shape[1]
        parts = self.project(x).reshape(1, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = parts[0], parts[1], parts[2]
        if self.spelling in ("three", "one"):
            q, k, v = q[0], k[0], v[0]
        weights = torch.softmax(q @ k.transpose(-1, -2) * (WIDTH // self.heads) ** -0.5, -1)
        self.weights = weights
        if self.spelling == "masked":
            weights = torch.where(weights > 2, torch.zeros_like(weights), weights)
        if self.spelling == "named":
            y = torch.einsum("bhij,bhjd->bhid", weights, v)
        else:
            y = nn.functional.dropout(weights, 0.1, self.training) @ v
        y = y.reshape(self.heads, tokens, -1)
        return self.out(y.transpose(0, 1).reshape(1, tokens, WIDTH))


class Block(nn.Module):
    def __init__(self, spelling):
        super().__init__()
        self.norm1, self.norm2, self.attention = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), Attention(spelling)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """reads: the numbers of the tokens that the scores read; None: all."""

    def __init__(self, height=4, width=4, lead=1, reads=(0,), spelling="four", depth=3, conv=True):
        super().__init__()
        self.height, self.width, self.lead_count, self.conv = height, width, lead, conv
        tokens = lead + height * width
        self.reads = list(range(tokens)) if reads is None else list(reads)
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.cut = nn.Linear(3 * PATCH * PATCH, WIDTH)
        self.lead = nn.Parameter(torch.randn(1, lead, WIDTH))
        self.places = nn.Parameter(0.5 * torch.randn(1, tokens, WIDTH))
        self.blocks = nn.Sequential(*[Block(spelling) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def embed(self, x):
        if self.conv:
            return self.patches(x).flatten(2).transpose(1, 2)
        x = x.reshape(1, 3, self.height, PATCH, self.width, PATCH)
        return self.cut(x.permute(0, 2, 4, 1, 3, 5).reshape(1, self.height * self.width, -1))

    def forward(self, x):
        x = torch.cat([self.lead, self.embed(x)], 1) + self.places
        x = self.norm(self.blocks(x))
        if len(self.reads) == 1:
            return self.head(x[:, self.reads[0]])
        first, last = self.reads[0], self.reads[-1] + 1
        return self.head(x[:, first:last].mean(1))

    def attentions(self):
        return [block.attention for block in self.blocks]


VITS = [
    ("class token", {}, 13), ("class token, opset 17", {}, 17),
    ("mean of all", {"lead": 0, "reads": None}, 13),
    ("mean of the grid beside a class token", {"reads": range(1, 17)}, 13),
    ("two tokens, both read", {"lead": 2, "reads": (0, 1)}, 13),
    ("class token and registers", {"lead": 5}, 17),
    ("another aspect", {"height": 3, "width": 5}, 13),
    ("heads without a batch", {"spelling": "three"}, 13), ("one head", {"spelling": "one"}, 17),
    ("named axes", {"spelling": "named"}, 13),
    ("mask behind the softmax", {"spelling": "masked"}, 17),
    ("no convolution", {"conv": False, "height": 3, "width": 6}, 13),
]


# ---- networks whose attentions cannot be multiplied


class Windows(Vit):
    """Each row of the grid attends within itself."""

    def forward(self, x):
        x = self.embed(x).reshape(self.height, self.width, WIDTH)
        w = torch.softmax((x @ x.transpose(1, 2)).reshape(self.height, 1, self.width, self.width), -1)
        return self.head((w[:, 0] @ x).reshape(1, -1, WIDTH).mean(1))


class PooledKeys(Vit):
    def forward(self, x):
        x = self.embed(x)
        keys = x[:, ::2]
        return self.head((torch.softmax(x @ keys.transpose(1, 2), -1) @ keys).mean(1))


class Channels(Vit):
    """Attention of channels to channels."""

    def forward(self, x):
        x = self.embed(x).transpose(1, 2)
        return self.head((torch.softmax(x @ x.transpose(1, 2), -1) @ x).mean(2))


class Beside(Vit):
    def forward(self, x):
        x = self.embed(x)
        return self.head((self.blocks[0](x) + self.blocks[1](x)).mean(1))


class Fewer(Vit):
    """Every second token goes on to the second block."""

    def forward(self, x):
        return self.head(self.blocks[1](self.blocks[0](self.embed(x))[:, ::2]).mean(1))


class NoAttention(Vit):
    def forward(self, x):
        return self.head(torch.relu(self.embed(x)).mean(1))


REFUSED = [
    (Windows, "within 4 windows of 4 tokens"), (PooledKeys, "16 queries over 8 keys"),
    (Channels, "its 12 tokens are no grid"), (Beside, "does not build on the attention"),
    (Fewer, "its 8 tokens are not the 16 of the attention"), (NoAttention, "has no attention"),
]


# ---- the reference


def reference(net, x, target, cotangent):
    """Attentions and gradients from the logits to the input, and the two maps, unnormalised."""
    net = net.double()
    logits = net(x.double())[0]
    attentions = [a.weights for a in net.attentions()]
    gradients = torch.autograd.grad(logits @ cotangent.double(), attentions, retain_graph=True)
    of_target = torch.autograd.grad(logits[target], attentions)
    tokens = attentions[0].shape[-1]
    rollout = weighted = torch.eye(tokens, dtype=torch.float64)
    for a, g in zip(attentions, of_target):
        mean = a.reshape(-1, tokens, tokens).mean(0)
        rollout = (0.5 * mean + 0.5 * torch.eye(tokens, dtype=torch.float64)) @ rollout
        weighted = weighted + (a * g).clamp(min=0).reshape(-1, tokens, tokens).mean(0) @ weighted
    maps = [r[net.reads].mean(0)[net.lead_count:].detach().numpy() for r in (rollout, weighted)]
    flat = [numpy.concatenate([t.detach().numpy().ravel() for t in reversed(ts)])
            for ts in (attentions, gradients)]
    return flat, maps


def relative(got, expected):
    if got.shape != expected.shape:
        return float("inf")
    error = numpy.abs(got - expected).max() / numpy.abs(expected).max()
    return float(error) if numpy.isfinite(error) else float("inf")


def read(folder, name):
    return numpy.fromfile(folder / name, dtype=numpy.float32).astype(numpy.float64)


def export(net, x, path, opset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, x, str(path), opset_version=opset, input_names=["picture"],
                          output_names=["logits"])


def run(program, folder, net, seed, opset):
    x = torch.randn(1, 3, PATCH * net.height, PATCH * net.width)
    cotangent = torch.randn(CLASSES)
    export(net, x, folder / "net.onnx", opset)
    x.numpy().tofile(folder / "input")
    cotangent.numpy().tofile(folder / "cotangent")
    done = subprocess.run([program, folder / "net.onnx", folder], stdout=subprocess.PIPE, text=True,
                          check=False)
    return x, cotangent, done.returncode, done.stdout


def shown(values):
    return (values - values.min()) / (values.max() - values.min())


def check_vit(program, folder, seed, name, options, opset):
    torch.manual_seed(seed)
    net = Vit(**options).eval()
    x, cotangent, status, text = run(program, folder, net, seed, opset)
    if status != 0:
        print(f"{name}: {text}")
        return 1
    (weights, gradients), maps = reference(net, x, int(cotangent.argmax()), cotangent)
    tokens = net.lead_count + net.height * net.width
    share = numpy.zeros(tokens)
    share[net.reads] = 1 / len(net.reads)
    errors = {"weights": relative(read(folder, "weights"), weights),
              "gradients": relative(read(folder, "gradients"), gradients),
              "read": relative(read(folder, "read"), share),
              "rollout": relative(read(folder, "rollout"), shown(maps[0])),
              "grad-rollout": relative(read(folder, "grad-rollout"), shown(maps[1]))}
    lines = [line.split(" ")[1:] for line in text.splitlines()[:len(net.blocks)]]
    heads = net.blocks[0].attention.heads
    sizes = [str(n) for n in (heads, tokens, net.lead_count, net.height, net.width)]
    bad = [what for what, error in errors.items() if not error <= TOLERANCE]
    if lines != [sizes] * len(net.blocks):
        bad.append(f"sizes {lines}")
    print(f"{name}: " + ", ".join(f"{what} {error:.1e}" for what, error in errors.items()) +
          (f"   WRONG: {', '.join(bad)}" if bad else ""))
    return int(bool(bad))


def check_refused(program, folder, seed, make, words):
    torch.manual_seed(seed)
    net = make(lead=0, depth=2).eval()
    status, text = run(program, folder, net, seed, 13)[2:]
    right = status == 1 and words in text and len(text.splitlines()) == 1
    print(f"{make.__name__}: {'refused' if right else 'NOT refused as expected'}: {text.strip()}")
    return int(not right)


def main():
    program = sys.argv[1]
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, (title, options, opset) in enumerate(VITS):
            bad += check_vit(program, folder, 10 + i, title, options, opset)
        for i, (make, words) in enumerate(REFUSED):
            bad += check_refused(program, folder, 50 + i, make, words)
    print(f"{bad} failed" if bad else "all as expected")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
