#!/usr/bin/env python3
"""Every code block and command line of the pages does what it is there for.

    test_docs.py SOURCE BUILD CC CXX [PAGE...]      no PAGE: all of them

The blocks of one page run in order in a folder of its own.  What they do is said by the language of
the fence and by HTML comments directly above it:

    ```sh        runs and succeeds.  `kldve` is the built command, pkg-config finds the built libraries
    ```c, ```cpp with main(): compiles without a warning, and links; statements without one compile in a
                function that has ctx, net, photo and map
    ```python    runs, or is compiled where a module is missing
    ```json      parses
    ```text      output, formulas: nothing is checked
    <!-- file: NAME -->     the block is also saved under that name, for later blocks
    <!-- from: PATH -->     its lines stand in that file of the repository, in this order
    <!-- before: COMMAND --> set-up that the reader does not need to see
    <!-- fails -->          a command that does not succeed
    <!-- not run: why -->   needs the network, root, a package that is not there, hours

KLDVE_PYTHON names another Python than /usr/bin/python3, such as that of an environment with tensorflow and skl2onnx.

A network, picture or folder of pictures that a command names and nothing has written is made: each
network is the demonstration network, each picture one of its scenes.
"""
import ast
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w*)\n(.*?)^```[ \t]*$", re.S | re.M)
COMMENT = re.compile(r"<!-- *(file|from|before|fails|not run)(?:: *(.*?))? *-->")
LANGUAGES = {"sh", "c", "cpp", "python", "json", "cmake", "meson", "text", "xml", "csv"}
COMMANDS = re.compile(r"^    (\$ )?((kldve|cc|c\+\+|meson|cmake|mpirun|sbatch|python3|pip|apt|apt-get|ninja|ffmpeg) |"
                      r"\./\w|build\S*/|(bench|examples|tests)/\S+\.(py|sh) )")
WRITES = {"-o", "--heat", "--map", "--dump", "--json", "--jsonl", "--page", "--db", "--out-dir", "--export", "--csv",
          "--table", "--report", "--dim", "--input", "--limit", "--layer", "--name"}
PYTHON = os.environ.get("KLDVE_PYTHON", "/usr/bin/python3")
PICTURES = (".png", ".jpg", ".jpeg")


class Block:
    """One fenced block: its language, its text, where it begins, and what the comments say."""

    def __init__(self, page, match, text):
        self.language, self.text = match[1], match[2]
        self.where = f"{page}:{text.count(chr(10), 0, match.start()) + 1}"
        self.say = {}
        before = text[:match.start()].rstrip("\n")
        while True:
            last = before[before.rfind("\n") + 1:]
            said = COMMENT.fullmatch(last.strip())
            if not said:
                break
            self.say[said[1]] = said[2] or ""
            before = before[:-len(last)].rstrip("\n")


def blocks_of(page, text):
    return [Block(page, match, text) for match in FENCE.finditer(text)]


def unfenced(page, text):
    """Command lines in indented blocks, which nothing would run."""
    bare = FENCE.sub(lambda m: "\n" * m[0].count("\n"), text)
    lines = bare.split("\n")
    return [f"{page}:{i + 1}: a command outside ```sh: {line.strip()}" for i, line in enumerate(lines)
            if COMMANDS.match(line)]


class World:
    """The folder in which the blocks of one page run."""

    def __init__(self, source, build, cc, cxx, folder):
        self.source, self.build, self.folder = source, build, folder
        self.cc, self.cxx = shlex.split(cc), shlex.split(cxx)
        tools = folder / "build" / "tools"
        tools.mkdir(parents=True)
        (tools / "kldve").symlink_to(build / "tools" / "kldve")
        for name in ("demo", "examples"):
            (folder / name).symlink_to(source / name)
        self.env = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", HOME=str(folder), LC_ALL="C.UTF-8",
                        PKG_CONFIG_PATH=str(build / "meson-uninstalled"), CPATH=str(source / "include"),
                        CMAKE_PREFIX_PATH=str(build),
                        OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                        LD_LIBRARY_PATH=f"{build / 'lib'}:{build / 'lib' / 'onnx'}")

    def scene(self, name):
        number = sum(name.encode()) % 3 + 1
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.source / "demo" / "pictures" / f"scene{number}.png", path)

    def network(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.source / "demo" / "kldve-demo.card.json", path.with_name(path.stem + ".card.json"))
        # Another doc_string (field 6 of ModelProto): the same network in a file of its own.
        path.write_bytes((self.source / "demo" / "kldve-demo.onnx").read_bytes() + b"\x32" +
                         bytes([len(path.name)]) + path.name.encode())
        shutil.copy(self.source / "demo" / "kldve-demo.labels.txt", path.parent)

    def pictures(self, name):
        for i in range(4):
            self.scene(f"{name.rstrip('/')}/{'abcd'[i]}.png")

    def classes(self, name):
        for kind in ("boat", "cat"):
            self.pictures(f"{name.rstrip('/')}/{kind}")

    def make_what_is_named(self, text):
        """Networks and pictures that a command reads and that nothing has written."""
        for line in text.replace("\\\n", " ").split("\n"):
            try:
                words = shlex.split(line, comments=True)
            except ValueError:
                continue
            for before, word in zip([""] + words, words):
                if before in WRITES or word.startswith(("-", "/", "$", "<", ">")) or "*" in word:
                    continue
                if not (self.folder / word).exists():
                    self.make(word)

    def make(self, word):
        if word.endswith(".onnx"):
            self.network(word)
        elif word.lower().endswith(PICTURES):
            self.scene(word)
        elif re.fullmatch(r"(PHOTOS|photos|pictures|PICTURES)/?", word):
            self.pictures(word)
        elif re.fullmatch(r"(animals|CLASSES|classes)/?", word):
            self.classes(word)

    def run(self, command, text=None):
        done = subprocess.run(command, input=text, cwd=self.folder, env=self.env, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
        return done.returncode, done.stdout


def check_from(source, block):
    """The lines of the block stand in the file in this order; `...` skips some."""
    path = source / block.say["from"]
    if not path.is_file():
        return f"{block.say['from']}: no such file"
    rest = iter([" ".join(line.split()) for line in path.read_text().splitlines()])
    for line in block.text.splitlines():
        line = " ".join(line.split())
        if line not in ("", "...", "/* ... */") and line not in rest:
            return f"{block.say['from']} has no line '{line}' here"
    return None


def check_sh(world, block):
    text = block.say.get("before", "") + "\n" + block.text
    world.make_what_is_named(block.text)
    status, out = world.run(["sh", "-eu"], text)
    if (status != 0) != ("fails" in block.say):
        return f"exit status {status}\n{text}{out[-1500:]}"
    return None


STATEMENTS = """#include <kldve/labels.h>
#include <kldve/method.h>
#include <kldve/metrics.h>
#include <kldve/onnx.h>
#include <stdio.h>
static void block(kldve_ctx *ctx, kldve_explainer *net, kldve_image *photo, kldve_heatmap *map)
{
%s
}
"""


def check_compiled(world, block):
    compiler, ending, standard = ((world.cc, ".c", "-std=c11") if block.language == "c"
                                  else (world.cxx, ".cpp", "-std=c++17"))
    text, more = block.text, []
    if "main(" not in text:
        text, more = STATEMENTS % text, ["-fsyntax-only", "-Wno-unused", "-Wno-error=unused-result"]
    name = f"block-{block.where.rpartition(':')[2]}{ending}"
    (world.folder / name).write_text(text)
    status, flags = world.run(["pkg-config", "--cflags", "--libs", "kldve-onnx", "kldve"])
    if status == 0:
        status, flags = world.run([*compiler, standard, "-Wall", "-Wextra", "-Werror", name, "-o", f"{name}.out",
                                   *flags.split(), "-lm", *more])
    return None if status == 0 else f"does not compile\n{flags[-1500:]}"


def check_python(world, block):
    tree = ast.parse(block.text)
    modules = {name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
               for name in node.names}
    modules |= {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found = "import importlib.util as u; raise SystemExit(any(u.find_spec(m) is None for m in %r))"
    if world.run([PYTHON, "-c", found % sorted(modules)])[0] != 0:
        return None  # compiled above
    world.make_what_is_named(" ".join(re.findall(r'"([^"\n]+)"', block.text)))
    status, out = world.run([PYTHON, "-"], block.text)
    return None if status == 0 else f"exit status {status}\n{out[-1500:]}"


def check_json(_, block):
    try:
        json.loads(block.text)
    except ValueError as why:
        return str(why)
    return None


CHECKS = {"sh": check_sh, "c": check_compiled, "cpp": check_compiled, "python": check_python, "json": check_json}


def check_block(world, block):
    if block.language not in LANGUAGES:
        return f"```{block.language}: say the language: {', '.join(sorted(LANGUAGES))}"
    if "file" in block.say:
        path = world.folder / block.say["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    if "not run" in block.say:
        return None if len(block.say["not run"]) > 3 else "say why it is not run"
    if "from" in block.say:
        return check_from(world.source, block)
    if block.language in CHECKS:
        return CHECKS[block.language](world, block)
    return None


def check_page(source, build, cc, cxx, page):
    """(complaints, blocks that were checked)."""
    text = (source / page).read_text()
    wrong = unfenced(page, text)
    blocks = blocks_of(page, text)
    with tempfile.TemporaryDirectory() as folder:
        world = World(source, build, cc, cxx, pathlib.Path(folder))
        for block in blocks:
            try:
                complaint = check_block(world, block)
            except (SyntaxError, subprocess.TimeoutExpired) as why:
                complaint = str(why)
            if complaint:
                wrong.append(f"{block.where}: {complaint}")
    return wrong, len(blocks)


def self_test(source, build, cc, cxx):
    """A page with one fault of each kind: each has to be found, and nothing else."""
    page = """
```sh
kldve explain net.onnx a/b.jpg -o out.png; test -s out.png
```
<!-- fails -->
```sh
kldve explain net.onnx --no-such-option
```
```sh
kldve explain net.onnx --no-such-option
```
<!-- fails -->
```sh
true
```
<!-- not run: it would take hours -->
```sh
false
```
<!-- not run: -->
```sh
false
```
<!-- file: program.c -->
```c
#include <kldve/kldve.h>
int main(void) { return kldve_version() == 0; }
```
```sh
cc program.c -o program $(pkg-config --cflags --libs kldve) && ./program
```
```c
int main(void) { int unused; return 0; }
```
```c
no_main();
```
<!-- from: README.md -->
```text
# libkldve
...
| [CHANGES.md](CHANGES.md) | MIT licence
```
<!-- from: README.md -->
```text
no such line
```
```python
raise SystemExit(3)
```
```json
{1}
```
```
nothing said
```

    kldve methods
"""
    faults = [9, 13, 21, 32, 35, 45, 48, 51, 54, 58]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("demo", "examples", "include"):
            (root / name).symlink_to(source / name)
        (root / "README.md").write_text("# libkldve\n\n| [CHANGES.md](CHANGES.md) | MIT licence\n")
        (root / "page.md").write_text(page)
        wrong, _ = check_page(root, build, cc, cxx, "page.md")
    found = sorted(int(line.split(":")[1]) for line in wrong)
    if found != faults:
        print("the test itself: faults in lines", faults, "found", found, *wrong, sep="\n")
        return 1
    return 0


def all_pages(source):
    hidden = re.compile(r"^(\.|build|shared$|subprojects$)")
    names = [page.relative_to(source) for page in sorted(source.rglob("*.md"))]
    return [str(name) for name in names if not any(hidden.match(part) for part in name.parts)]


def main():
    source, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    cc, cxx = sys.argv[3:5]
    pages = sys.argv[5:] or all_pages(source)
    failed = self_test(source, build, cc, cxx)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda page: check_page(source, build, cc, cxx, page), pages))
    for wrong, _ in results:
        for line in wrong:
            print(line)
    print(f"{len(pages)} pages, {sum(blocks for _, blocks in results)} blocks")
    return 1 if failed or any(wrong for wrong, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
