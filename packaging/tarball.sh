#!/bin/sh
# tarball.sh FOLDER - the release tarball of the last commit, in FOLDER; prints its name.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Nothing is built: the tarball holds what git knows.
if ! { meson setup "$scratch/build" "$source" -Donnx=disabled -Dtests=disabled -Dexamples=disabled &&
    meson dist -C "$scratch/build" --no-tests; } > "$scratch/log" 2>&1; then
    cat "$scratch/log" >&2
    exit 1
fi
cd "$scratch/build/meson-dist"
cp kldve-*.tar.xz "$folder/"
echo kldve-*.tar.xz
