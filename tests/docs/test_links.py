#!/usr/bin/env python3
"""Every link of every page leads somewhere.

    test_links.py SOURCE

Checked in all .md files: links and pictures inside the repository exist, anchors are headings of the
page that they name (by GitHub's rule), paths in `backticks` exist (but in CHANGES.md, which tells of
the past, and my_... files, which the reader writes), every page of docs/ is in the table
of contents and every picture of docs/pictures is shown.  A page has at most 400 lines.
"""
import pathlib
import re
import sys
import tempfile

FOLDERS = "bench|cards|cmake|completions|debian|demo|docs|examples|include|lib|tests|tools"
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*\]\(([^)\s]+)\)")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./+-]+)`")
LINES = 400


def without_code(text):
    """The text with blocks of code emptied, so that line numbers stay."""
    return re.sub(r"^(```|~~~).*?^\1[ \t]*$", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.S | re.M)


def prose(text):
    """The text without any code, in which links count."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", without_code(text))


def anchors(page):
    """The anchors of a page: headings in lower case without punctuation, blanks as hyphens."""
    seen = {}
    made = set()
    for title in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", without_code(page.read_text()), flags=re.M):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        made.add(f"{slug}-{count}" if count else slug)
    return made


def pages(root):
    hidden = re.compile(r"^(\.|build|shared$|subprojects$)")
    return sorted(page for page in root.rglob("*.md")
                  if not any(hidden.match(part) for part in page.relative_to(root).parts))


def line_of(text, where):
    return text.count("\n", 0, where) + 1


def check_link(root, page, link):
    """What is wrong with a link of a page, or None."""
    if re.match(r"[a-z]+:", link):
        return None
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if root not in target.parents and target != root:
        return f"{link}: outside the repository"
    if not target.exists():
        return f"{link}: no such file"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return f"{link}: no such heading"
    return None


def check_page(root, page):
    """(complaints, files that the page links)."""
    text = page.read_text()
    name = page.relative_to(root)
    wrong = []
    linked = set()
    links = prose(text)
    for match in LINK.finditer(links):
        inner = [m[1] for m in LINK.finditer(match[0][2:-1])]
        for link in [match[1], *inner]:
            complaint = check_link(root, page, link)
            if complaint:
                wrong.append(f"{name}:{line_of(links, match.start())}: {complaint}")
            linked.add((page.parent / link.partition("#")[0]).resolve())
    for match in PATH.finditer(without_code(text)):
        if name.name != "CHANGES.md" and "/my_" not in match[1] and not (root / match[1]).exists():
            wrong.append(f"{name}:{line_of(without_code(text), match.start())}: `{match[1]}`: no such file")
    if text.count("\n") > LINES:
        wrong.append(f"{name}: {text.count(chr(10))} lines, more than {LINES}: make two pages of it")
    return wrong, linked


def check(root):
    wrong = []
    linked = {}
    for page in pages(root):
        complaints, linked[page] = check_page(root, page)
        wrong += complaints
    contents = root / "docs/README.md"
    for page in sorted((root / "docs").glob("*.md")):
        if page != contents and page not in linked.get(contents, ()):
            wrong.append(f"docs/README.md: the table of contents lacks {page.name}")
    shown = set().union(*linked.values())
    for picture in sorted((root / "docs/pictures").rglob("*")):
        if picture.suffix in (".png", ".jpg", ".svg") and picture not in shown:
            wrong.append(f"{picture.relative_to(root)}: no page shows it")
    return wrong


def self_test():
    """A page with one fault of each kind: each has to be found, and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        (root / "docs/pictures").mkdir(parents=True)
        (root / "docs/pictures/unused.png").touch()
        (root / "docs/README.md").write_text("# A, B & C\n[ok](#a-b--c) [file](../docs) `docs/README.md`\n")
        (root / "docs/page.md").write_text(
            "# One\n# One\n[ok](#one-1) `[no](link.md)` [up](../..)\n```sh\n# Two [no](x.md)\n```\n"
            "[gone](gone.md) [![p](gone.png)](README.md#a) [a](#two) `lib/gone.c`\n")
        faults = ["3: ../..: outside", "7: gone.md: no such file", "7: gone.png: no such file",
                  "7: README.md#a: no such heading", "7: #two: no such heading",
                  "7: `lib/gone.c`: no such file", "lacks page.md", "unused.png: no page shows it"]
        found = check(root)
        assert len(found) == len(faults), found
        for fault in faults:
            assert any(fault in complaint for complaint in found), (fault, found)


self_test()
failures = check(pathlib.Path(sys.argv[1]).resolve())
print("\n".join(failures))
sys.exit(bool(failures))
