#!/usr/bin/env python3
"""reference.py MAKER DOXYGEN DOXYFILE SCRATCH SYMBOLS... - the API reference is made without a warning, has a manual page of
every exported function, links that lead somewhere, and no path of this machine."""
import pathlib
import re
import shutil
import subprocess
import sys

maker, doxygen, doxyfile, scratch = map(pathlib.Path, sys.argv[1:5])
exported = {name for path in sys.argv[5:] for name in pathlib.Path(path).read_text().split()}
shutil.rmtree(scratch, ignore_errors=True)
scratch.mkdir()
own = scratch / "Doxyfile"
pages = scratch / "pages"
text = doxyfile.read_text()
source = re.search(r"^LAYOUT_FILE = (.*)/docs/reference/", text, re.M).group(1)
own.write_text(re.sub(r"^OUTPUT_DIRECTORY = .*", "OUTPUT_DIRECTORY = %s" % pages, text, flags=re.M))
subprocess.run([sys.executable, maker, doxygen, own, pages, scratch / "stamp"], check=True)

manual = {page.stem for page in (pages / "man" / "man3").iterdir()}
assert exported <= manual, "no manual page: %s" % sorted(exported - manual)
for page in (pages / "man" / "man3").iterdir():
    text = page.read_text()
    assert text.startswith(".so ") or re.search(r"^\.SH NAME\n%s \\- \w" % re.escape(page.stem), text, re.M), "%s: no NAME" % page
    target = re.match(r"\.so man3/(.*)", page.read_text())
    assert not target or (page.parent / target.group(1)).exists(), "%s leads to %s" % (page.name, target.group(1))

html = {page.name: page.read_text() for page in (pages / "html").glob("*.html")}
for name, page in html.items():
    for link, anchor in re.findall(r'href="([\w]+\.html)(?:#(\w+))?"', page):
        assert link in html and (not anchor or 'id="%s"' % anchor in html[link]), "%s: %s#%s" % (name, link, anchor)
for page in list((pages / "html").rglob("*")) + list((pages / "man").rglob("*")):
    if page.is_file():
        for path in (source, str(scratch)):
            assert path.encode() not in page.read_bytes(), "%s names %s" % (page, path)
assert "kldve_heatmap_render" in html["index.html"], "the first page has no program"
