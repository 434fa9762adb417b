#!/bin/sh
# subproject.sh MESON SOURCE SCRATCH [onnx] - examples/subproject with this source as its subproject, found through the
# wrap file: no warning is let through, nothing but libraries is built, and the program runs.
set -eu
meson=$1 source=$2 scratch=$3 onnx=${4-}
rm -rf "$scratch"
mkdir -p "$scratch"
cp -r "$source/examples/subproject" "$scratch/parent"
# As if the wrap file had been followed already.
ln -s "$source" "$scratch/parent/subprojects/kldve"
sed -i 's/^\[wrap-git\]$/&\ndirectory = kldve/' "$scratch/parent/subprojects/kldve.wrap"
if [ -n "$onnx" ]; then
    echo "executable('with-engine', 'engine.c', dependencies: dependency('kldve-onnx'))" >> "$scratch/parent/meson.build"
    cp "$source/tests/abi/consumer_onnx.c" "$scratch/parent/engine.c"
fi

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

# The wrap file counts only where no libkldve is installed.
quietly $meson setup --werror --force-fallback-for=kldve,kldve-onnx "$scratch/build" "$scratch/parent" --buildtype debug \
    ${onnx:+-Dkldve:onnx=enabled}
quietly $meson compile -C "$scratch/build"
"$scratch/build/flat-map" | grep -qx 'class 0, a map'
test -z "$onnx" || "$scratch/build/with-engine" "$scratch/no-such.onnx"

# What the parent did not ask for: tests, tools, examples.
found=$(cd "$scratch/build/subprojects/kldve" && find . -type f -perm -u+x ! -name '*.so*' ! -name embed)
if [ -n "$found" ]; then
    printf 'programs that a parent project does not want:\n%s\n' "$found"
    exit 1
fi
rm -rf "$scratch"
