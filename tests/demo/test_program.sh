#!/bin/sh
# kldve-scenes: sizes of its output, and refusal of bad arguments.  Argument: the program.
set -eu
scenes=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

bytes() {
    wc -c <"$1" | tr -d ' '
}

"$scenes" --seed 5 --size 64 cat,any >"$dir/two"
[ "$(bytes "$dir/two")" -eq $((64 * 64 * 5)) ] || fail "two objects: picture and two masks expected"
"$scenes" --size 40 none >"$dir/none"
[ "$(bytes "$dir/none")" -eq $((40 * 40 * 3)) ] || fail "no object: the picture alone expected"
"$scenes" --seed 5 --size 64 cat,any | cmp - "$dir/two" || fail "not repeatable"
"$scenes" --seed 6 --size 64 cat,any | cmp -s - "$dir/two" && fail "the seed changes nothing"

for wrong in "" "dragon" "cat," "cat,cat,cat,cat,cat" "--size 31 cat" "--size 1025 cat" \
    "--colour 1 cat" "cat a.png b.png c.png"; do
    status=0
    # shellcheck disable=SC2086 # the words are the arguments
    (cd "$dir" && "$scenes" $wrong >/dev/null 2>&1) || status=$?
    [ "$status" -eq 2 ] || fail "'$wrong': status $status, 2 expected"
done
if [ -e /dev/full ]; then
    "$scenes" cat >/dev/full 2>/dev/null && fail "a full disk goes unnoticed"
fi
exit 0
