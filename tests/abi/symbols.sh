#!/bin/sh
# symbols.sh NM LIBRARY LIST SCRATCH [NODE] - the names that a shared library exports are exactly those of the
# list, each with the version node NODE, or without one where the linker takes no version script.
set -eu
export LC_ALL=C
# Sanitizers also export names; theirs begin with two underscores.
"$1" -D --defined-only "$2" | awk '$2 != "A" {print $3}' | grep -v '^__' | sort > "$4.versions"
sed 's/@.*//' "$4.versions" > "$4"
if ! diff -u "$3" "$4"; then
    echo "$2: the exported names (+) are not those of $3 (-)."
    echo "A name that is gone or changed breaks programs; one that is new belongs into the list."
    exit 1
fi
if [ $# -gt 4 ] && grep -v "@@$5\$" "$4.versions"; then
    echo "$2: the names above have not the version $5 of lib/kldve.map, which the dynamic linker asks for."
    exit 1
fi
