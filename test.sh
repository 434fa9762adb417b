#!/bin/sh
# Install what is missing, build every supported configuration, run all tests.
#
#     ./test.sh           everything
#     ./test.sh quick     one build with gcc, all its tests
#     ./test.sh threads   only the build with ThreadSanitizer: one network, several threads
#
# The last line says how many tests passed, failed and were skipped, over all builds.
set -eu
cd "$(dirname "$0")"
KLDVE_SHARED=${KLDVE_SHARED:-$(pwd)/../shared}
export KLDVE_SHARED
# Tests run in parallel: OpenMP's threads must not occupy a core while they wait.
export OMP_WAIT_POLICY=passive
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() {
    echo
    echo "== $*"
}

# count LABEL: its number in the summary that meson prints at the end.
count() {
    sed -n "s/^$1: *\\([0-9][0-9]*\\) *\$/\\1/p" "$log" | tail -1
}

# build NAME COMPILER "MESON OPTIONS": configure, build without a warning.
# Builds $targets, or everything if that is empty.
targets=
build() {
    say "$1"
    folder=build-test/$1
    if [ ! -e "$folder/build.ninja" ]; then
        case $2 in clang) cxx=clang++ ;; *) cxx=g++ ;; esac
        # shellcheck disable=SC2086 # a list of words
        CC=$2 CXX=$cxx meson setup --werror $3 "$folder" >"$log" || {
            cat "$log"
            failed=$((failed + 1))
            return 1
        }
    fi
    # shellcheck disable=SC2086 # a list of words
    if ! ninja -C "$folder" $targets >"$log" 2>&1; then
        grep -E 'error|FAILED' "$log" || tail -40 "$log"
        failed=$((failed + 1))
        return 1
    fi
}

# check NAME COMPILER "MESON OPTIONS" [TEST OPTIONS]: build, and test.
check() {
    build "$1" "$2" "$3" || return 0
    folder=build-test/$1
    shift 3
    # Those of the suite `long` run by hand: meson test -C build-test/gcc --suite long
    meson test -C "$folder" --no-rebuild --print-errorlogs --no-suite long "$@" >"$log" 2>&1 || true
    cat "$log"
    if [ -z "$(count Ok)" ]; then # there is no summary
        failed=$((failed + 1))
        return
    fi
    passed=$((passed + $(count Ok) + $(count 'Expected Fail')))
    failed=$((failed + $(count Fail) + $(count 'Unexpected Pass') + $(count Timeout)))
    skipped=$((skipped + $(count Skipped)))
}

# One network, several threads, and networks that come and go.  The sanitizer does not know GNU's OpenMP runtime: one thread each.
check_threads() {
    OMP_NUM_THREADS=1 targets='tests/onnx/api/test_backend tests/load/soak'
    TSAN_OPTIONS=suppressions=$(pwd)/tests/onnx/api/tsan.txt
    export OMP_NUM_THREADS TSAN_OPTIONS
    check threads gcc '-Db_sanitize=thread -Dtools=disabled -Dhosts=disabled' engine \
        'soak, reload' 'soak, cancel' 'soak, starve'
    unset OMP_NUM_THREADS TSAN_OPTIONS
    targets=
}

./setup.sh tests
case ${1:-} in
quick)
    check gcc gcc ''
    ;;
'')
    # What is shipped: optimised, without asserts, both kinds of libraries, from which the tests install.  It runs
    # what no other build sees: hosts, installed files, comparisons with torch, all that is slow.  Debug information
    # is for the recorded ABI.
    release='--buildtype=release -Ddebug=true -Ddefault_library=both --libdir=lib'
    check release gcc "$release" --suite slow --no-suite elsewhere
    check release gcc "$release" --no-suite slow --no-suite cli --no-suite evaluate
    # Everything that is not slow, with asserts and sanitizers, and another compiler's optimisation.  What the command
    # would set and start itself again for (tools/cli/kldve.c) is set.  A program in C has no C++ runtime of the
    # sanitizer's, which only function pointers of C++ would need.
    OPENBLAS_NUM_THREADS=1 LSAN_OPTIONS=print_suppressions=0:suppressions=$(pwd)/tests/leaks.txt
    export OPENBLAS_NUM_THREADS LSAN_OPTIONS
    check sanitizers clang '-Db_sanitize=address,undefined -Db_lundef=false -Dhosts=disabled
        -Dcpp_args=-fno-sanitize=function -Dc_args=-Wno-pass-failed' --no-suite slow
    unset OPENBLAS_NUM_THREADS LSAN_OPTIONS
    check core gcc '-Dhosts=disabled -Donnx=disabled -Dpng=disabled -Djpeg=disabled' --no-suite slow
    ;;
esac
if [ "${1:-}" != quick ]; then
    check_threads
fi

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
