#!/bin/sh
# source-package.sh FOLDER - the release tarball and Debian's source package of the last commit, in FOLDER.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tarball=$("$here/tarball.sh" "$folder")
version=${tarball#kldve-} version=${version%.tar.xz}
cp "$folder/$tarball" "$folder/kldve_$version.orig.tar.xz"
tar -xJf "$folder/$tarball" -C "$scratch"
cd "$folder"
dpkg-source -b "$scratch/kldve-$version" > "$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
