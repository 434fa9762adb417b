#!/usr/bin/env python3
"""docs/api-review.md has every public name, with one line of why, and none that does not exist.

    review.py HEADERS PAGE            check
    review.py --write HEADERS PAGE    add a line for each name that is missing, from its comment, and
                                      drop names that are gone; lines that are there stay"""
import os
import re
import sys

ORDER = ["common.h", "kldve.h", "onnx.h", "image.h", "labels.h", "divergence.h", "metrics.h", "method.h", "backend.h"]
NAME = re.compile(
    r"(?:/\*\*(?P<comment>(?:(?!\*/).)*)\*/\s*)?"
    r"(?:KLDVE_API[^;()]*?\b(?P<function>kldve_\w+)\([^;]*;"
    r"|(?:typedef )?struct (?P<struct>kldve_\w+) \{.*?^\}[^;]*;"
    r"|typedef enum (?P<enum>kldve_\w+) \{.*?^\}[^;]*;"
    r"|typedef struct (?P<opaque>kldve_\w+) kldve_\w+;"
    r"|typedef int32_t (?P<number>kldve_\w+);"
    r"|typedef [\w ]+ ?\(\*(?P<callback>kldve_\w+)\)[^;]*;)", re.M | re.S)
HEAD = """# The API as a host reads it

Every public name with one line of why it is there, header by header. The headers are the manual; this page is for reading the
whole at once. `tests/abi/review.py` checks that it is complete. The API is not frozen: docs/abi.md says when it will be.

"""


def first_sentence(comment):
    text = re.sub(r"\s*\n\s*\*+ ?", " ", comment or "").strip(" *<")
    text = re.split(r"(?<=[.;:]) |\s@", re.sub(r"\s+", " ", text))[0].rstrip(" .;:")
    return text or "as the one above"


def names(folder):
    """(header, name, sentence), in the order of the headers."""
    seen = set()
    for header in ORDER:
        with open(os.path.join(folder, header)) as file:
            text = file.read()
        for match in NAME.finditer(text):
            name = match.group(match.lastgroup) if match.lastgroup != "comment" else None
            if name and name not in seen:
                seen.add(name)
                yield header, name, first_sentence(match.group("comment"))


def lines_of(page):
    if not os.path.exists(page):
        return {}
    with open(page, encoding="utf-8") as file:
        return dict(re.findall(r"^\| `(kldve_\w+)` \| (.*) \|$", file.read(), re.M))


def write(folder, page):
    known, text, last = lines_of(page), HEAD, None
    for header, name, sentence in names(folder):
        if header != last:
            text += ("\n" if last else "") + "## kldve/%s\n\n| name | why |\n|---|---|\n" % header
            last = header
        text += "| `%s` | %s |\n" % (name, known.get(name, sentence.replace("|", "or")))
    with open(page, "w", encoding="utf-8") as file:
        file.write(text)


def check(folder, page):
    there, known = {name for _, name, _ in names(folder)}, lines_of(page)
    for name in sorted(there - set(known)):
        print("%s is not in %s" % (name, page))
    for name in sorted(set(known) - there):
        print("%s of %s does not exist" % (name, page))
    return len(there) < 100 or there != set(known)


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        sys.exit(write(*sys.argv[2:]))
    sys.exit(check(*sys.argv[1:]))
