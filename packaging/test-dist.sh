#!/bin/sh
# Make the release tarball, and build and test it where there is neither git nor ../shared.
#
#     packaging/test-dist.sh [OPTION...]     options of meson test, by default: --no-suite slow --no-suite long
#
# The tarball, its checksum and its wrap file come to build/packages.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
out=$source/build/packages
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
test $# -gt 0 || set -- --no-suite slow --no-suite long

say() {
    echo "== $*" >&2
}

quietly() {
    "$@" > "$scratch/log" 2>&1 || { tail -50 "$scratch/log" >&2; exit 1; }
}

say "tarball"
tarball=$("$source/packaging/tarball.sh" "$out")
version=${tarball#kldve-} version=${version%.tar.xz}
(cd "$out" && sha256sum "$tarball" > "$tarball.sha256")
hash=$(cut -d' ' -f1 < "$out/$tarball.sha256")
sed "s/@VERSION@/$version/; s/@HASH@/$hash/" "$source/packaging/kldve.wrap.in" > "$out/kldve.wrap"

say "as a subproject, through its wrap file"
cp -r "$source/examples/subproject" "$scratch/parent"
mkdir "$scratch/parent/subprojects/packagecache"
cp "$out/kldve.wrap" "$scratch/parent/subprojects/"
cp "$out/$tarball" "$scratch/parent/subprojects/packagecache/"
quietly meson setup "$scratch/parent/build" "$scratch/parent" --force-fallback-for=kldve,kldve-onnx -Dkldve:onnx=disabled
quietly meson test -C "$scratch/parent/build" flat-map

say "building it"
tar -xJf "$out/$tarball" -C "$scratch"
cd "$scratch/kldve-$version"
test ! -e .git
quietly meson setup build --werror -Dhosts=disabled
quietly ninja -C build
say "testing it"
KLDVE_SHARED=$scratch/none OMP_WAIT_POLICY=passive meson test -C build --no-rebuild --print-errorlogs "$@"
say "$out/$tarball"
