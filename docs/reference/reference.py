#!/usr/bin/env python3
"""reference.py DOXYGEN DOXYFILE OUTPUT STAMP - make the API reference in OUTPUT/html and OUTPUT/man/man3, then STAMP.

Fails where Doxygen warns: something public is not documented, or a word links to nothing."""
import pathlib
import re
import shutil
import subprocess
import sys


def run(doxygen, doxyfile):
    """Everything that Doxygen says is a warning: QUIET leaves nothing else."""
    done = subprocess.run([doxygen, doxyfile], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode or said:
        sys.exit(said or "doxygen: exit status %d" % done.returncode)


def tidy_manual(folder):
    """Functions, structs and headers only: Doxygen also writes pages of members, free(3) among them, of constants and of
    folders.  A header's page is called kldve_image.h(3), for there may be another image.h."""
    for page in list(folder.iterdir()):
        if page.name.endswith(".h.3") and not page.name.startswith("kldve"):
            page.rename(folder / ("kldve_" + page.name))
        elif not page.name.startswith("kldve_") and page.name != "kldve.h.3":
            page.unlink()
    headers = {page: page.read_text() for page in folder.glob("kldve*.h.3")}
    for page in folder.iterdir():
        text = page.read_text()
        if text.startswith(".so ") and not (folder / text.strip().rpartition("/")[2]).exists():
            page.write_text(".so man3/%s\n" % home_of(page.stem, headers))
        finish(page)


def finish(page):
    """What Doxygen leaves out of a page: what it is in a few words, for whatis(1), and a name without a folder; what it
    puts in: the date, and words in quotes at the start of a line, which are commands there."""
    text = page.read_text()
    brief = re.search(r'^\.SH "Description"\n\.PP *\n(.*)', text, re.M)
    if brief:  # else a link to another page
        words = re.sub(r"\\f.", "", re.split(r"(?:\\&)?[.:;](?: |$)", brief.group(1))[0]).strip()
        text = re.sub(r"^\.SH NAME\n.*", lambda _: ".SH NAME\n%s \\- %s" % (page.stem, words), text, flags=re.M)
    text = re.sub(r'^\.TH "[^"]*" 3 "[^"]*"', '.TH "%s" 3 ""' % page.stem, text)
    page.write_text(re.sub(r"^'", r"\\&'", text, flags=re.M))


def home_of(name, headers):
    """The page of the header that declares a name: links still say image.h, and those of enums lead nowhere."""
    declared = re.compile(r'^\.(?:SS .*[ *(]|SS .*\\fB|RI "enum \\fB)%s\b' % name, re.M)
    return next(page.name for page, text in headers.items() if declared.search(text))


def main(doxygen, doxyfile, output, stamp):
    output = pathlib.Path(output)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    run(doxygen, doxyfile)
    tidy_manual(output / "man" / "man3")
    pathlib.Path(stamp).touch()


main(*sys.argv[1:])
