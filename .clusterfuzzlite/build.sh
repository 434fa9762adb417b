#!/bin/bash -eu
# Build every fuzz target into $OUT with its corpus, dictionary and options, as ClusterFuzzLite and OSS-Fuzz ask.
# By hand, with nothing but clang:
#
#     export CC=clang CXX=clang++ OUT=/tmp/out SRC=$PWD/.. WORK=/tmp/work LIB_FUZZING_ENGINE=-fsanitize=fuzzer
#     export CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address' CXXFLAGS="$CFLAGS"
#     .clusterfuzzlite/build.sh
#
# The sanitizer is that of $CFLAGS.  Libraries that the machine which runs them lacks go to $OUT/lib.
cd "$(dirname "$0")"
[ -f ../meson.build ] && cd .. || cd "$SRC/kldve"
build=${WORK:-/tmp}/kldve-fuzz
targets=tests/fuzz

engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
case $engine in
-fsanitize=*) ;;
*) engine="$engine,-lc++" ;;
esac
rm -rf "$build"
LDFLAGS="${CFLAGS-} -Wl,-rpath,\$ORIGIN/lib ${LDFLAGS-}" meson setup "$build" -Dfuzz=true -Dfuzz_engine="$engine" -Db_lundef=false \
    -Ddefault_library=static -Dblas=disabled -Dsheets=disabled -Dsqlite=disabled -Dmpi=disabled -Dexamples=disabled -Dhosts=disabled \
    -Dcompletions=false
ninja -C "$build" fuzzers

mkdir -p "$OUT/lib"
for program in "$build/$targets"/libfuzzer_*; do
    [ -f "$program" ] || continue
    name=${program##*/libfuzzer_}
    cp "$program" "$OUT/$name"
    zip -q -j "$OUT/${name}_seed_corpus.zip" "$targets/$name"/*
    [ ! -f "$targets/$name.dict" ] || cp "$targets/$name.dict" "$OUT/"
    printf '[libfuzzer]\nmax_len = 4096\ntimeout = 20\nrss_limit_mb = 2500\n' > "$OUT/$name.options"
    ldd "$program" | awk '$3 ~ /^\// { print $3 }' | grep -Ev '/(libc|libm|libpthread|libdl|librt)\.so' | xargs -r cp -n -t "$OUT/lib"
done
