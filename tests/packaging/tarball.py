#!/usr/bin/env python3
"""tarball.py SOURCE BUILD - a release tarball holds what git knows: every source, script and page that the build names is in
it, and nothing that .gitignore names.  packaging/test-dist.sh makes one and builds it."""
import json
import os
import subprocess
import sys

source, build = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
if not os.path.exists(os.path.join(source, ".git")):
    sys.exit(77)  # this is a tarball


def git(*arguments):
    done = subprocess.run(("git", "-C", source) + arguments, capture_output=True, text=True)
    if done.returncode:
        print("skipped: git", *arguments, "failed:", done.stderr)
        sys.exit(77)
    return set(done.stdout.splitlines())


def introspect(what):
    return json.loads(subprocess.run(["meson", "introspect", what, build], capture_output=True, text=True, check=True).stdout)


def named():
    """Paths that meson reads, compiles, installs, or hands to a test."""
    yield from introspect("--buildsystem-files")
    yield from introspect("--installed")
    for target in introspect("--targets"):
        for group in target["target_sources"]:
            yield from group.get("sources", [])
    for test in introspect("--tests"):
        yield from test["cmd"]


tracked, ignored = git("ls-files"), git("ls-files", "--cached", "--ignored", "--exclude-standard")
left_out = {line.split(": ")[0] for line in git("check-attr", "export-ignore", "--", *sorted(tracked)) if line.endswith(": set")}
wrong = ["%s: .gitignore names it" % path for path in sorted(ignored)]
for path in sorted({os.path.relpath(os.path.realpath(path), source) for path in named() if path.startswith("/")}):
    inside = not path.startswith("..") and not os.path.join(source, path).startswith(build + "/")
    if inside and os.path.isfile(os.path.join(source, path)) and path not in tracked - left_out:
        wrong.append("%s: the build names it, the tarball lacks it" % path)
sys.exit("\n".join(wrong) or 0)
