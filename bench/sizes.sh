#!/bin/sh
# sizes.sh [SCRATCH] - what the library adds to a product, as docs/embedding.md states it: bytes of stripped files, and the
# memory of a small program, kB.  Builds the release of each kind into SCRATCH (build/sizes) and prints a table.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
scratch=${1:-$source/build/sizes}
mkdir -p "$scratch"

# kilo FILE...: kB of the stripped files together
kilo() {
    sum=0
    for file in "$@"; do
        strip -o "$scratch/stripped" "$file"
        sum=$((sum + $(stat -c %s "$scratch/stripped")))
    done
    echo $((sum / 1000))
}

# host NAME PACKAGE CC-OPTIONS: compile the small program and run it
host() {
    name=$1 package=$2
    shift 2
    # shellcheck disable=SC2046,SC2086 # lists of words
    ${CC:-cc} -O2 "$source/bench/small_host.c" -o "$scratch/$name" "$@" \
        $(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config $static --cflags --libs "$package" kldve)
    LD_LIBRARY_PATH="$prefix/lib" "$scratch/$name"
}

# others PROGRAM: kB of the shared libraries that it loads besides ours and the C library
others() {
    sum=0
    for file in $(LD_LIBRARY_PATH="$prefix/lib" ldd "$1" 2> /dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' |
        grep -vE '/(libkldve[^/]*|lib(c|m|pthread|dl)\.so[^/]*)$'); do
        sum=$((sum + $(stat -L -c %s "$file")))
    done
    echo $((sum / 1000))
}

# row WHAT SIZE PROGRAM MEMORY
row() {
    # shellcheck disable=SC2086 # three numbers
    printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$(kilo "$3")" "$(others "$3")" $4
}

# build BLAS KIND ONNX: into $prefix
build() {
    prefix=$scratch/$1-$2-$3
    [ -e "$prefix/lib" ] && return
    log=$scratch/log
    { meson setup "$scratch/build-$1-$2-$3" "$source" --prefix "$prefix" --libdir lib --buildtype release \
        -Dblas="$1" -Ddefault_library="$2" -Donnx="$3" -Dtests=disabled -Dtools=disabled -Dexamples=disabled &&
        ninja -C "$scratch/build-$1-$2-$3" && meson install -C "$scratch/build-$1-$2-$3" --no-rebuild; } >"$log" 2>&1 ||
        { cat "$log"; exit 1; }
}

echo "| kB | our libraries, stripped | program, stripped | other libraries | resident: started | after \`kldve_ctx_new()\` | after an explanation |"
echo '|---|---|---|---|---|---|---|'
for blas in auto disabled; do
    case $blas in auto) word='a cblas' ;; *) word='`-Dblas=disabled`' ;; esac
    static=
    build $blas shared enabled
    memory=$(host core kldve)
    row "core, shared, $word" "$(kilo "$prefix/lib/libkldve.so")" "$scratch/core" "$memory"
    memory=$(host engine kldve-onnx -DENGINE)
    row "core and engine, shared, $word" "$(kilo "$prefix/lib/libkldve.so" "$prefix/lib/libkldve-onnx.so")" \
        "$scratch/engine" "$memory"
    static=--static
    build $blas static enabled
    memory=$(host core kldve)
    row "core, static, $word" - "$scratch/core" "$memory"
    memory=$(host engine kldve-onnx -DENGINE)
    row "core and engine, static, $word" - "$scratch/engine" "$memory"
done
memory=$(host core kldve -static)
row 'core, `-static`, `-Dblas=disabled`' - "$scratch/core" "$memory"
memory=$(host core kldve -static -Wl,--gc-sections)
row 'the same with `-Wl,--gc-sections`' - "$scratch/core" "$memory"
