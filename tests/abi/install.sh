#!/bin/sh
# install.sh MESON CC PKG_CONFIG VERSION SOURCE SCRATCH CMAKE BUILD PREFIX [onnx] - install both kinds of libraries
# below SCRATCH, then build and run programs through pkg-config only: against the shared libraries and, after these
# are removed, against the static ones.  The same through CMake, from a copy of the prefix.  CC is the whole command,
# such as "ccache cc"; CMAKE may be empty.  BUILD is a folder with both kinds that was set up for PREFIX; if it is
# empty, one is built.
set -eu
meson=$1 cc=$2 pkg_config=$3 version=$4 source=$5 scratch=$6 cmake=$7 build=$8 prefix=$9
shift 9
onnx=${1-}
here=$source/tests/abi
rm -rf "$scratch"
mkdir -p "$scratch"

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

if [ -n "$build" ]; then
    quietly $meson install -C "$build" --no-rebuild --destdir "$scratch/root"
    mv "$scratch/root$prefix" "$scratch/prefix"
    # The .pc files name the prefix that they were made for.
    pkg_config="$pkg_config --define-prefix"
else
    quietly $meson setup "$scratch/build" "$source" --prefix "$scratch/prefix" --libdir lib --buildtype plain \
        -Doptimization=1 -Ddefault_library=both -Dtests=disabled -Dexamples=disabled ${onnx:+-Donnx=enabled}
    quietly $meson compile -C "$scratch/build"
    quietly $meson install -C "$scratch/build" --no-rebuild
fi
prefix=$scratch/prefix

# What a program is built with: nothing is missing, and nothing is there by accident.
wanted=$(cat "$here/installed.txt")
test -n "$onnx" || wanted=$(grep -v onnx "$here/installed.txt")
found=$(cd "$prefix" && find include lib ! -type d ! -name '*.so.*' | LC_ALL=C sort)
if [ "$wanted" != "$found" ]; then
    printf 'installed:\n%s\nwanted (tests/abi/installed.txt):\n%s\n' "$found" "$wanted"
    exit 1
fi

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

# consume NAME PACKAGE [--static] - the flags are words, not one argument
consume() {
    name=$1 package=$2 static=${3-}
    test "$($pkg_config --modversion "$package")" = "$version"
    # shellcheck disable=SC2046,SC2086
    $cc -std=${standard-c99} -Wall -Wextra -pedantic -Werror -DVERSION="\"$version\"" "$here/$name.c" \
        -o "$scratch/$name" $($pkg_config $static --cflags --libs "$package")
}

for standard in c99 c11 c17; do
    consume consumer_core kldve
    LD_LIBRARY_PATH="$prefix/lib" "$scratch/consumer_core"
done
unset standard
if [ -n "$onnx" ]; then
    consume consumer_onnx kldve-onnx
    LD_LIBRARY_PATH="$prefix/lib" "$scratch/consumer_onnx" "$scratch/no-such.onnx"
fi

# The core's part of kldve.hpp, in whatever standard the compiler takes by itself.
if command -v c++ > /dev/null; then
    # shellcheck disable=SC2046
    c++ -Wall -Wextra -Werror -DKLDVE_HPP_EXCEPTIONS "$here/cpp.cc" -o "$scratch/cpp" $($pkg_config --cflags --libs kldve)
    LD_LIBRARY_PATH="$prefix/lib" "$scratch/cpp"
fi

if [ -n "$cmake" ]; then
    cp -R "$prefix" "$scratch/moved"
    "$here/cmake.sh" "$cmake" "$cc" "$version" "$source" "$scratch/cmake" "$scratch/moved" "kldve${onnx:+;onnx}" static
fi

rm -f "$prefix"/lib/libkldve*.so*
consume consumer_core kldve --static
"$scratch/consumer_core"
if [ -n "$onnx" ]; then
    consume consumer_onnx kldve-onnx --static
    "$scratch/consumer_onnx" "$scratch/no-such.onnx"
fi
rm -rf "$scratch"
