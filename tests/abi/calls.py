"""calls.py NM LIBRARY... - no circle of calls between the object files of static libraries.

An object file depends on another one where it uses a symbol that the other one defines."""
import subprocess
import sys

from circles import circles


def symbols(nm, library, option):
    """-> (object file, symbol) pairs"""
    lines = subprocess.run([nm, "-A", option, library], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    for line in lines:  # "LIBRARY:FOLDER/FILE.c.o:0000000000000000 T name"
        where, rest = line.rsplit(":", 1)
        yield where.split(":")[-1].split("/")[-1], rest.split()[-1]


def main(nm, *libraries):
    home = {name: where for library in libraries
            for where, name in symbols(nm, library, "--defined-only")}
    wanted = [pair for library in libraries
              for pair in symbols(nm, library, "--undefined-only") if pair[1] in home]
    uses = {}
    for where, name in wanted:
        uses.setdefault(where, set()).add(home[name])
    if not uses:
        sys.exit("no object file uses another one: is this a static library?")
    found = circles(uses)
    for circle in found:
        print("a circle of calls:", *circle)
        for where, name in wanted:
            if where in circle and home[name] in circle:
                print(f"  {where} uses {name} of {home[name]}")
    print(len(uses), "object files,", len(found), "circles")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
