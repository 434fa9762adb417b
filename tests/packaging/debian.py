#!/usr/bin/env python3
"""debian.py SOURCE VERSION ABI BUILD - debian/ says the same as the rest: the version (the manual page's, too), the
libraries' numbers, what the build needs; and every file that is installed is in exactly one package."""
import fnmatch
import json
import pathlib
import re
import subprocess
import sys

source, version, abi, build = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
debian = source / "debian"
control = (debian / "control").read_text()
paragraphs = [dict(re.findall(r"^([\w-]+):((?:.*\n)(?: .*\n)*)", part + "\n", re.M)) for part in control.split("\n\n")]
packages = {part["Package"].strip(): part for part in paragraphs if "Package" in part}
wrong = []


def check(right, what):
    if not right:
        wrong.append(what)


def words(field):
    """The names of the packages that a field lists."""
    return re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9.+-]+)", field, re.M)


def installed():
    """What meson installs, without the prefix, in the order of the build."""
    done = subprocess.run(["meson", "introspect", "--installed", build], capture_output=True, text=True, check=True)
    options = {option["name"]: option["value"] for option in json.loads(subprocess.run(
        ["meson", "introspect", "--buildoptions", build], capture_output=True, text=True, check=True).stdout)}
    prefix = options["prefix"]
    for path in json.loads(done.stdout).values():
        yield re.sub(r"^%s/" % re.escape(prefix), "usr/", path)


changelog = (debian / "changelog").read_text()
found = re.match(r"kldve \((.*)-[^-]+\) ", changelog)
check(found and found.group(1) == version, "debian/changelog: the version is not %s" % version)
check('"kldve %s"' % version in (source / "tools" / "kldve.1").read_text(), "tools/kldve.1: the version is not %s" % version)
for library in ("libkldve", "libkldve-onnx"):
    check(library + abi.split(".")[0] in packages, "debian/control: no package %s" % (library + abi.split(".")[0]))

# setup.sh knows what a build needs.
needed = re.search(r'^needed="(.*?)"', (source / "setup.sh").read_text(), re.M | re.S).group(1).split()
# Part of every build environment; found by debhelper; without MPI.
elsewhere = {"gcc", "g++", "libc6-dev", "ninja-build", "libopenmpi-dev"}
missing = set(needed) - elsewhere - set(words(paragraphs[0]["Build-Depends"]))
check(not missing, "debian/control: Build-Depends lacks %s of setup.sh" % sorted(missing))

# What pkg-config asks for, also without --static, is there with libkldve-dev.
lists = {path.stem: [line.split()[0] for line in path.read_text().splitlines()] for path in debian.glob("*.install")}
check(set(lists) == set(packages), "debian/*.install: %s, packages: %s" % (sorted(lists), sorted(packages)))
for path in installed():
    homes = [package for package, patterns in lists.items()
             if any(fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path, pattern + "/*") for pattern in patterns)]
    check(len(homes) == 1, "%s: in the packages %s" % (path, homes or "none"))
for script in [debian / "rules"] + [debian / "tests" / name for name in
                                    re.findall(r"^Tests: (\S+)", (debian / "tests" / "control").read_text(), re.M)]:
    check(script.exists() and script.stat().st_mode & 0o100, "%s cannot be run" % script)

sys.exit("\n".join(wrong) or 0)
