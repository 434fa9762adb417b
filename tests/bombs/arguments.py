"""Texts of the command line."""
from bomb import Bomb, png

PICTURE = {"pic.png": png(16, 16)}
BRACKETS = "scores" + "[" * 100000


def explain(name, *args, allowed=(1, 2), family="texts"):
    return Bomb("arguments", family, name, PICTURE, ["explain", "pic.png", "--json", "r.json", *args], allowed)


def selections():
    texts = {"deep brackets": BRACKETS, "a million commas": "scores[" + "," * 100000 + "]",
             "a huge index": "scores[0, 99999999999999999999]", "minus the least": "scores[-9223372036854775808]",
             "a slice beyond": "scores[0, 5:4]", "a step of 0": "scores[0, ::0]", "letters": "scores[a]",
             "nothing": "", "only a bracket": "[", "control characters": "\x1b[31m\x07[0]",
             "invalid UTF-8": b"\xff\xfe[0]", "a format": "%n%s%s%s[0]"}
    for name, text in texts.items():
        yield explain(f"--select {name}", "--select", text, family="selections")


def classes():
    texts = {"huge": "9" * 30, "negative": "-1", "2^31": "2147483648", "top0": "top0",
             "top beyond": "top99999999999", "a megabyte": "x" * 100000, "control characters": "\x1b]0;evil\x07",
             "invalid UTF-8": b"\xc3\x28", "bidirectional": "\u202edoor"}
    for name, text in texts.items():
        yield explain(f"--target {name}", "--target", text, family="classes")
        yield explain(f"--rival {name}", "--target", "boat", "--rival", text, family="classes")
    many = [part for i in range(3000) for part in ("--target", str(i % 9))]
    yield explain("3000 targets", *many, family="classes")


def limits():
    texts = ["memory=99999999999999999999", "memory=-1", "memory=0", "memory=", "=1", "memory=1e3", "memory=9999999999G",
             "nothing=1", "memory", "memory=1;rm", "nodes=2", "working-memory=1", "picture-pixels=1", "card=1",
             "memory=1M", "memory=" + "9" * 100000]
    for text in texts:
        yield explain(f"--limit {text[:40]}", "--limit", text, family="limits", allowed=(0, 1, 2))


def numbers():
    pairs = [("--samples", "2147483647"), ("--samples", "-1"), ("--samples", "99999999999"), ("--window", "2147483647"),
             ("--stride", "0"), ("--noise", "nan"), ("--noise", "inf"), ("--temperature", "0"), ("--temperature", "-inf"),
             ("--temperature", "1e-300"), ("--perplexity", "1e999"), ("--seed", "-1"), ("--seed", "18446744073709551616"),
             ("--threads", "100000"), ("--threads", "-5"), ("--blur", "1e30"), ("--clip", "101"), ("--opacity", "nan"),
             ("--line", "2147483647"), ("--enlarge", "2147483647"), ("--grid", "65535x65535"), ("--size", "1000000x1000000"),
             ("--size", "0x0"), ("--at", "2147483648,0"), ("--mean", "nan,0,0"), ("--std", "0"), ("--scale", "1e308"),
             ("--resize", "2147483647"), ("--crop", "2147483647"), ("--pad", "1,2,3,4,5,6,7"), ("--layout", "N" * 100000),
             ("--dim", "x=" + "9" * 40), ("--input", "=" * 1000), ("--layer", "a" * 100000), ("--logits", "\x1b[2J")]
    for option, text in pairs:
        name = f"{option} {text[:24]!r}"
        yield explain(name, option, text, "-o", "o.png", family="numbers", allowed=(0, 1, 2))
    for method in ("rise", "occlusion", "lime", "kernel-shap", "smooth-grad", "integrated-gradients"):
        yield explain(f"{method}, most samples", "--method", method, "--samples", "2147483647", family="numbers")


def bombs():
    yield from selections()
    yield from classes()
    yield from limits()
    yield from numbers()
