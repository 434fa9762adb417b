#!/bin/sh
# handshake.sh MESON CC SOURCE BUILD SCRATCH KLDVE VERSION - engine and core of two releases that are really built: those
# of the folder BUILD, release VERSION, and the next release, made of SOURCE with another version.  Each pair is
# loaded by one program, and the command KLDVE (empty: none) runs with the next release's libraries.
set -eu
export LC_ALL=C
meson=$1 cc=$2 source=$3 build=$4 scratch=$5 kldve=$6 version=$7
export CC="$cc"
case $cc in *clang*) export CXX=clang++ ;; esac
major=${version%%.*} minor=${version#*.}
minor=${minor%%.*} patch=${version##*.}
next=$major.$((minor + 1)).0
number_now=$((major * 1000000 + minor * 1000 + patch)) number_next=$((major * 1000000 + (minor + 1) * 1000))
rm -rf "$scratch"
mkdir -p "$scratch/tree/include"

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

# The next release's source: copies of what is changed, links to all else.
for entry in "$source"/*; do
    case ${entry##*/} in
        include | lib | meson.build | build*) ;;
        *) ln -s "$entry" "$scratch/tree/" ;;
    esac
done
cp -R "$source/include/kldve" "$scratch/tree/include/"
cp -R "$source/lib" "$scratch/tree/"
sed "s/version: '$version'/version: '$next'/" "$source/meson.build" > "$scratch/tree/meson.build"
sed -e "s/\(define KLDVE_VERSION_MINOR\) .*/\1 $((minor + 1))/" -e "s/\(define KLDVE_VERSION_PATCH\) .*/\1 0/" \
    "$source/include/kldve/common.h" > "$scratch/tree/include/kldve/common.h"
quietly $meson setup "$scratch/next" "$scratch/tree" --buildtype debug -Doptimization=0 -Dtests=disabled \
    -Dtools=disabled -Dexamples=disabled -Donnx=enabled -Ddefault_library=shared

# collect NAME - the next release as it is now, into the folder NAME
collect() {
    quietly $meson compile -C "$scratch/next" kldve:shared_library kldve-onnx:shared_library
    mkdir "$scratch/$1"
    cp "$scratch/next/lib/libkldve.so.1" "$scratch/next/lib/onnx/libkldve-onnx.so.1" "$scratch/$1/"
}
collect next-plain

# The next release with a function that its engine calls, under a version node of its own (docs/abi.md).
cat >> "$scratch/tree/lib/base/status.c" << 'END'

KLDVE_API int32_t kldve_added(void);
int32_t kldve_added(void)
{
    return 1;
}
END
cat >> "$scratch/tree/lib/onnx/api/handshake.c" << 'END'

KLDVE_API int32_t kldve_added(void);
KLDVE_API int32_t kldve_onnx_added(void);
int32_t kldve_onnx_added(void)
{
    return kldve_added();
}
END
echo 'KLDVE_1.1 { global: kldve_added; } KLDVE_1;' >> "$scratch/tree/lib/kldve.map"
collect next-added
mkdir "$scratch/now"
cp "$build/lib/libkldve.so.1" "$build/lib/onnx/libkldve-onnx.so.1" "$scratch/now/"

$cc -std=c11 -Wall -Wextra -Werror -I"$source/include" "$source/tests/abi/handshake.c" -o "$scratch/program" \
    -L"$build/lib" -L"$build/lib/onnx" -lkldve-onnx -lkldve -Wl,-rpath-link,"$build/lib"

status=0
failed() {
    echo "FAILED: $1"
    cat "$scratch/out"
    status=1
}

# pair CORE ENGINE NUMBER NUMBER - one folder with a library of each, which the program loads with all functions bound
pair() {
    folder=$scratch/$1.$2
    mkdir -p "$folder"
    cp "$scratch/$1/libkldve.so.1" "$scratch/$2/libkldve-onnx.so.1" "$folder/"
    LD_BIND_NOW=1 LD_LIBRARY_PATH=$folder "$scratch/program" "$3" "$4" > "$scratch/out" 2>&1
}
# expected CORE ENGINE NUMBER NUMBER - the pair starts and does what handshake.c expects
expected() {
    if pair "$@"; then echo "ok: core $1, engine $2: $(cat "$scratch/out")"; else failed "core $1, engine $2"; fi
}
expected now now $number_now $number_now
expected next-plain next-plain $number_next $number_next
expected now next-plain $number_now $number_next
expected next-plain now $number_next $number_now
expected next-added now $number_next $number_now

# An engine that calls what the core lacks does not start; the message names library and version node.
if pair now next-added $number_now $number_next; then
    failed "an engine with a newer function started"
elif grep -q "libkldve.so.1: version .KLDVE_1.1. not found (required by .*libkldve-onnx.so.1)" "$scratch/out"; then
    echo "ok: core now, engine next-added: $(cat "$scratch/out")"
else
    failed "core now, engine next-added"
fi

# command_refuses CORE ENGINE LIBRARY - the command refuses the first library that is of the next release, in one line
command_refuses() {
    refusal="kldve: this is kldve $version, which does not fit $3 $next: install both of one release"
    for arguments in methods metrics --version layers "explain nothing.png"; do
        # shellcheck disable=SC2086
        if LD_PRELOAD="./$1/libkldve.so.1 ./$2/libkldve-onnx.so.1" timeout 60 "$kldve" $arguments \
            > "$scratch/out" 2>&1; then
            failed "kldve $arguments with core $1, engine $2"
        elif [ "$(cat "$scratch/out")" != "$refusal" ]; then
            failed "kldve $arguments with core $1, engine $2: the message"
        fi
    done
    [ $status -ne 0 ] || echo "ok: $refusal"
}
if [ -n "$kldve" ]; then
    cd "$scratch" # LD_PRELOAD takes no path with a space
    command_refuses next-plain next-plain libkldve
    command_refuses now next-plain libkldve-onnx
fi
[ $status -ne 0 ] || rm -rf "$scratch"
exit $status
