#!/bin/sh
# symbols.sh NM LIBRARY LIST - the names that a shared library exports are exactly those of the list.
set -eu
export LC_ALL=C
# Sanitizers also export names; theirs begin with two underscores.
"$1" -D --defined-only "$2" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | grep -v '^__' | sort > "$4"
if ! diff -u "$3" "$4"; then
    echo "$2: the exported names (+) are not those of $3 (-)."
    echo "A name that is gone or changed breaks programs; one that is new belongs into the list."
    exit 1
fi
