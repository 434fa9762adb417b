#!/usr/bin/env python3
"""Every refusal for a limit names it and can be raised.

    limits.py SOURCE

KLDVE_E_LIMIT is made in one place, which names the limit; everything else asks for it.  Each limit of
the public header is used somewhere, and docs/memory.md has it in its table.
"""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
# jpeg.c translates libjpeg's own refusal, which then goes the same way.
maker = {"lib/base/message.c", "lib/base/status.c", "lib/image/jpeg.c"}
wrong = []
used = set()
for file in sorted((source / "lib").rglob("*.c")) + sorted((source / "tools").rglob("*.c")):
    name = str(file.relative_to(source))
    text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
    if "KLDVE_E_LIMIT" in text and name not in maker:
        wrong.append(f"{name}: KLDVE_E_LIMIT comes from kldve_ctx_fail_limit() alone")
    if name != "lib/base/limits.c":
        used |= set(re.findall(r"KLDVE_LIMIT_\w+", text))
common = (source / "include/kldve/common.h").read_text()
limits = dict(re.findall(r"^    (KLDVE_LIMIT_\w+) = (\d+)", common, flags=re.M))
manual = (source / "docs/memory.md").read_text()
for limit in limits:
    if limit not in used:
        wrong.append(f"{limit}: nothing asks for it")
    if not re.search(rf"^\| `{limit}`", manual, flags=re.M):
        wrong.append(f"{limit}: docs/memory.md lacks it")
if sorted(int(n) for n in limits.values()) != list(range(len(limits))) or len(limits) < 12:
    wrong.append("the limits are not numbered from 0 on without gaps")
print("\n".join(wrong))
sys.exit(bool(wrong))
