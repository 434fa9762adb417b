#!/bin/sh
# source-package.sh FOLDER - the release tarball and Debian's source package of the last commit, in FOLDER.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Nothing of it is built: the tarball holds what git knows.
meson setup "$scratch/build" "$source" -Donnx=disabled -Dtests=disabled -Dexamples=disabled > "$scratch/log" 2>&1 &&
    meson dist -C "$scratch/build" --no-tests > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
tarball=$(cd "$scratch/build/meson-dist" && echo kldve-*.tar.xz)
version=${tarball#kldve-} version=${version%.tar.xz}
cp "$scratch/build/meson-dist/$tarball" "$folder/"
cp "$folder/$tarball" "$folder/kldve_$version.orig.tar.xz"
tar -xJf "$folder/$tarball" -C "$scratch"
cd "$folder"
dpkg-source -b "$scratch/kldve-$version" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
