#!/bin/sh
# cpp.sh CXX SOURCE BUILD SCRATCH [onnx] - kldve.hpp with one compiler, C++11 to C++20: without exceptions in the API, with
# them, and with exceptions and type information turned off; linked with the libraries of the build folder, and run.
# With KLDVE_LONG=1 in the environment each standard in all three ways, else in one.
set -eu
cxx=$1 source=$2 build=$3 scratch=$4 onnx=${5-}
rm -rf "$scratch"
mkdir -p "$scratch"
libraries="-L$build/lib -lkldve"
defines=
if [ -n "$onnx" ]; then
    libraries="-L$build/lib/onnx -lkldve-onnx $libraries -Wl,-rpath-link,$build/lib"
    defines="-DWITH_ONNX -DSCENE=\"$source/demo/pictures/scene1.png\""
fi
export LD_LIBRARY_PATH="$build/lib:$build/lib/onnx${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# one STANDARD OPTION... - compile, run
one() {
    standard=$1
    shift
    # shellcheck disable=SC2086 # lists of words
    $cxx -std="$standard" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wsign-conversion -Wold-style-cast -Werror "$@" $defines \
        -I"$source/include" "$source/tests/abi/cpp.cc" -o "$scratch/cpp" $libraries
    "$scratch/cpp" || { echo "$standard $*"; exit 1; }
}

without="-fno-exceptions -fno-rtti"
if [ -n "${KLDVE_LONG:-}" ]; then
    for standard in c++11 c++14 c++17 c++20; do
        one $standard
        one $standard -DKLDVE_HPP_EXCEPTIONS
        # shellcheck disable=SC2086
        one $standard $without
    done
else
    # shellcheck disable=SC2086
    one c++11 $without
    one c++14
    one c++17 -DKLDVE_HPP_EXCEPTIONS
    # shellcheck disable=SC2086
    one c++20 $without
fi
# A program whose files differ in the way of outcomes; and exceptions asked for where there are none.
echo '#define KLDVE_HPP_EXCEPTIONS
#include <kldve/kldve.hpp>
int thrown() { try { kldve::image::load(kldve::context::make(), "no-such.png"); } catch (kldve::error &) { return 0; } return 1; }' \
    > "$scratch/a.cc"
echo '#include <kldve/kldve.hpp>
int thrown();
int main() { auto c = kldve::context::make(); return kldve::image::load(*c, "no-such.png") ? 1 : thrown(); }' > "$scratch/b.cc"
# shellcheck disable=SC2086
$cxx -std=c++11 -I"$source/include" "$scratch/a.cc" "$scratch/b.cc" -o "$scratch/two" $libraries
"$scratch/two"
if $cxx -std=c++11 -fno-exceptions -I"$source/include" -fsyntax-only "$scratch/a.cc" 2> "$scratch/log"; then
    echo 'KLDVE_HPP_EXCEPTIONS without exceptions: not refused'
    exit 1
fi
grep -q 'needs a compiler that has exceptions' "$scratch/log"
rm -rf "$scratch"
