#!/bin/sh
# install.sh MESON CC PKG_CONFIG VERSION SOURCE SCRATCH [onnx] - build both kinds of libraries, install
# them into a prefix of their own, then build and run programs through pkg-config only: against the
# shared libraries and, after these are removed, against the static ones.
# CC is the whole command, such as "ccache cc".
set -eu
meson=$1 cc=$2 pkg_config=$3 version=$4 source=$5 scratch=$6 onnx=${7-}
here=$source/tests/abi
prefix=$scratch/prefix
rm -rf "$scratch"
mkdir -p "$scratch"

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

quietly $meson setup "$scratch/build" "$source" --prefix "$prefix" --libdir lib --buildtype release \
    -Ddefault_library=both -Dtests=disabled ${onnx:+-Donnx=enabled}
quietly $meson compile -C "$scratch/build"
quietly $meson install -C "$scratch/build" --no-rebuild

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

# consume NAME PACKAGE [--static] - the flags are words, not one argument
consume() {
    name=$1 package=$2 static=${3-}
    test "$($pkg_config --modversion "$package")" = "$version"
    # shellcheck disable=SC2046,SC2086
    $cc -std=c99 -Wall -Wextra -pedantic -Werror -DVERSION="\"$version\"" "$here/$name.c" \
        -o "$scratch/$name" $($pkg_config $static --cflags --libs "$package")
}

consume consumer kldve
LD_LIBRARY_PATH="$prefix/lib" "$scratch/consumer"
if [ -n "$onnx" ]; then
    consume consumer_onnx kldve-onnx
    LD_LIBRARY_PATH="$prefix/lib" "$scratch/consumer_onnx" "$scratch/no-such.onnx"
fi

rm -f "$prefix"/lib/libkldve*.so*
consume consumer kldve --static
"$scratch/consumer"
if [ -n "$onnx" ]; then
    consume consumer_onnx kldve-onnx --static
    "$scratch/consumer_onnx" "$scratch/no-such.onnx"
fi
rm -rf "$scratch"
