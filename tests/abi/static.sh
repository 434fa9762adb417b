#!/bin/sh
# static.sh MESON CC PKG_CONFIG SOURCE SCRATCH - a program without any shared library, from a core without BLAS:
# installed, then built through pkg-config with -static.
set -eu
meson=$1 cc=$2 pkg_config=$3 source=$4 scratch=$5
rm -rf "$scratch"
mkdir -p "$scratch"

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

# Not every system has the static libraries of the C library, libpng and libjpeg.
echo 'int main(void) { return 0; }' > "$scratch/probe.c"
# shellcheck disable=SC2046 # a list of words
if ! $cc -static "$scratch/probe.c" -o "$scratch/probe" $($pkg_config --static --libs libpng libjpeg) 2> "$scratch/log"; then
    cat "$scratch/log"
    exit 77
fi

quietly $meson setup "$scratch/build" "$source" --prefix "$scratch/prefix" --libdir lib --buildtype debug \
    -Dblas=disabled -Donnx=disabled -Dtests=disabled -Ddefault_library=static -Dexamples=disabled
quietly $meson compile -C "$scratch/build"
quietly $meson install -C "$scratch/build" --no-rebuild
export PKG_CONFIG_PATH="$scratch/prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
# shellcheck disable=SC2046 # a list of words
$cc -static -std=c99 -Wall -Wextra -Werror "$source/tests/abi/consumer_core.c" \
    -DVERSION="\"$($pkg_config --modversion kldve)\"" -o "$scratch/consumer" $($pkg_config --static --cflags --libs kldve)
"$scratch/consumer" "$scratch/map.png"
test -s "$scratch/map.png"
if readelf -d "$scratch/consumer" 2> /dev/null | grep NEEDED; then
    echo 'the program needs shared libraries'
    exit 1
fi
rm -rf "$scratch"
