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
# The same bytes whoever makes it, and when: meson keeps the mask for new files and the time of a folder.
cd "$scratch/build/meson-dist"
name=$(echo kldve-*.tar.xz)
tar -xJf "$name"
LC_ALL=C tar --sort=name --format=gnu --mtime="@$(git -C "$source" log -1 --format=%ct)" --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX -cJf "$folder/$name" "${name%.tar.xz}"
echo "$name"
