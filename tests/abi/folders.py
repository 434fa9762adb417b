"""folders.py SOURCE - every folder of lib/ and tools/ includes what the table in CONTRIBUTING.md allows.

The table has a row for each folder; its third column names the folders and single headers that the
folder may include besides its own.  Also: no circle of includes between files, none between folders,
and no two source files of the libraries share a name."""
import collections
import os
import pathlib
import re
import sys

from circles import circles

ROOTS = ["lib/onnx", "lib", "tools"]  # include paths for what lies below them


def read_table(text):
    """-> {folder: what it may include}"""
    table = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`(lib|tools)/[\w/]+`", cells[0]):
            folder = cells[0].strip("`")
            assert folder not in table, f"{folder} has two rows"
            table[folder] = re.findall(r"`([^`]+)`", cells[2])
    return table


def read_includes(source, files):
    """-> {file: files that it includes}, paths relative to source"""
    includes = {}
    for file in files:
        includes[file] = set()
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', (source / file).read_text(), re.M):
            folders = [str(pathlib.PurePath(file).parent)]
            folders += [root for root in ROOTS if file.startswith((root + "/", "tools/") if root == "lib" else root + "/")]
            paths = [os.path.normpath(f"{folder}/{name}") for folder in folders]
            includes[file].add(next((path for path in paths if path in files), name))
    return includes


def folder_of(file):
    return str(pathlib.PurePath(file).parent)


def problems(source):
    files = {str(path.relative_to(source)) for root in ("lib", "tools")
             for path in (source / root).rglob("*.[ch]")}
    folders = {folder_of(file) for file in files}
    table = read_table((source / "CONTRIBUTING.md").read_text())
    includes = read_includes(source, files)

    for folder in sorted(folders - set(table)):
        yield f"{folder} has no row in the table of CONTRIBUTING.md"
    for folder in sorted(set(table) - folders):
        yield f"CONTRIBUTING.md has a row for {folder}, which has no sources"
    for folder, allowed in table.items():
        for name in allowed:
            if name not in files | folders:
                yield f"CONTRIBUTING.md lets {folder} include {name}, which is not there"
            elif name in files and not any(name in includes[file] for file in files
                                           if folder_of(file) == folder):
                yield f"CONTRIBUTING.md lets {folder} include {name}, which it does not do"
    for file in sorted(files):
        for other in sorted(includes[file]):
            if folder_of(other) not in [folder_of(file), *table.get(folder_of(file), [])] and \
                    other not in table.get(folder_of(file), []):
                yield f"{file} must not include {other}: see the table of CONTRIBUTING.md"
    for circle in circles(includes):
        yield f"a circle of includes: {' '.join(circle)}"
    for circle in circles({folder: [name for name in allowed if name in folders]
                           for folder, allowed in table.items()}):
        yield f"the table of CONTRIBUTING.md allows a circle of folders: {' '.join(circle)}"
    names = collections.Counter(pathlib.PurePath(file).name for file in files
                                if file.startswith("lib/"))
    for name in sorted(name for name, count in names.items() if count > 1):
        yield f"two files of the libraries are called {name}"


if __name__ == "__main__":
    found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) or "every folder includes what it may")
    sys.exit(bool(found))
