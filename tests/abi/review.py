"""review.py HEADERS PAGE ERRORS - docs/api-review.md has every public name of the headers, and no other;
docs/errors.md has every status.

Names are functions, types, callbacks and macros.  Constants without a type of their own appear by
their common prefix: KLDVE_LIMIT_.  Each name has one line, and each line says why."""
import pathlib
import re
import sys


def public_names(folder):
    """-> names of functions, types and macros; prefixes of constants"""
    names, prefixes = set(), set()
    for header in sorted(folder.glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S).replace("\\\n", "")
        names |= set(re.findall(r"^# *define (KLDVE_\w+)", text, re.M)) - {f"KLDVE_{header.stem.upper()}_H"}
        names |= set(re.findall(r"\b(kldve_\w+)\s*\(", text))
        names |= set(re.findall(r"typedef (?:struct|enum) (kldve_\w+)", text))
        names |= set(re.findall(r"typedef [^;{}]*?\(\*(kldve_\w+)\)", text))
        names |= set(re.findall(r"typedef \w+ (kldve_\w+);", text))
        for body in re.findall(r"^enum \{(.*?)\}", text, re.M | re.S):
            constants = re.findall(r"(KLDVE_\w+) *=", body)
            if len(constants) == 1 and "_FLAG_" not in constants[0]:
                names.add(constants[0])
            else:
                prefixes.add(common_prefix([c for c in constants if c != "KLDVE_OK"]))
    # KLDVE_OPTIONS_INIT and the like: one for each struct, as init.py checks.
    names = {n for n in names if not (n.endswith("_INIT") and n[:-5].lower() in names)}
    return names, prefixes


def common_prefix(constants):
    prefix = constants[0]
    while not all(c.startswith(prefix) for c in constants) or not prefix.endswith("_"):
        prefix = prefix[:-1]
    return prefix


def missing_statuses(folder, page):
    """Statuses that the page of errors does not explain in a line of their own."""
    lines = pathlib.Path(page).read_text().splitlines()
    for status in re.findall(r"(KLDVE_E_\w+) *=", (pathlib.Path(folder) / "common.h").read_text()):
        if sum(line.startswith(f"| `{status}`") for line in lines) != 1:
            print(f"{page}: {status} has no line, or several")
            yield status


def main(folder, page, errors):
    names, prefixes = public_names(pathlib.Path(folder))
    listed, bad = set(), 0
    for line in pathlib.Path(page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        here = re.findall(r"`([Kk]\w+?)`", cells[0]) if line.startswith("| `") else []
        for name in here:
            if name in listed or len(cells) != 2 or not cells[1]:
                print(f"{page}: {name} has two lines, or none that says why")
                bad += 1
            listed.add(name)
    for name in sorted(listed - names - prefixes):
        print(f"{page}: {name} is in no header")
    for name in sorted((names | prefixes) - listed):
        print(f"{page}: {name} is missing")
    bad += len(listed ^ (names | prefixes))
    bad += len(list(missing_statuses(folder, errors)))
    print(f"{len(listed)} names")
    return bad > 0 or len(listed) < 150


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
