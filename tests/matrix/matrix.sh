#!/bin/sh
# matrix.sh - build and test the library in the ways that ./test.sh has no time for: other optimisation, 32 bits,
# big-endian, another C library, another processor, without each optional dependency.
#
#     tests/matrix/matrix.sh            all
#     tests/matrix/matrix.sh NAME...    those named
#     tests/matrix/matrix.sh --list     their names
#
# Foreign processors run through QEMU, with Debian's libraries for them in a folder of their own (mmdebstrap).  On top
# of ./setup.sh tests it needs: apt-get install clang mmdebstrap qemu-user-static musl-tools gcc-multilib
# binutils-s390x-linux-gnu binutils-aarch64-linux-gnu.  clang is the cross compiler because Debian's gcc cross
# compilers and gcc-multilib exclude each other.
#
# Everything lies in build-matrix/; a second run builds only what has changed.
set -eu
cd "$(dirname "$0")/../.."
top=$(pwd)
work=$top/build-matrix
suite=${KLDVE_MATRIX_SUITE:-bookworm}
# Where this machine has its own packages of that release from; on another distribution it must be given.
mirror=${KLDVE_MATRIX_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" 'Component: main' | head -1)}
KLDVE_SHARED=${KLDVE_SHARED:-$top/../shared}
export KLDVE_SHARED OMP_WAIT_POLICY=passive

core='-Donnx=disabled -Dexamples=disabled -Dhosts=disabled'
engine='-Dtools=disabled -Dexamples=disabled -Dhosts=disabled'
command='-Dexamples=disabled -Dhosts=disabled'
core_suites='core divergence image'

# NAME COMPILER SUITES MESON-OPTIONS; cross builds name their function instead of a compiler.  Bare names of
# features are built without them.
builds() {
    cat <<END
gcc-O0 gcc core $core -Doptimization=0
gcc-O2 gcc core $core -Doptimization=2 -Db_ndebug=true
gcc-O3 gcc core $core -Doptimization=3
gcc-lto gcc engine $engine -Db_lto=true -Doptimization=2
clang-O0 clang core $core -Doptimization=0
clang-O2 clang core $core -Doptimization=2
clang-O3 clang core $core -Doptimization=3 -Db_ndebug=true
clang-lto clang core $core -Db_lto=true -Doptimization=2
clang-ubsan clang core $core -Db_sanitize=undefined -Db_lundef=false
i386 i386 core $core
s390x s390x core $core -Dblas=disabled
arm64 arm64 engine $engine
musl musl core $core -Dpng=disabled -Djpeg=disabled -Dblas=disabled -Dsuitesparse=disabled
openblas gcc core $core -Dblas=openblas
no-png gcc core $core -Dpng=disabled
no-jpeg gcc core $core -Djpeg=disabled
no-suitesparse gcc core $core -Dsuitesparse=disabled
nothing gcc core $core -Dblas=disabled -Dpng=disabled -Djpeg=disabled -Dsuitesparse=disabled
no-tools gcc engine $engine
no-sheets gcc cli $command -Dsheets=disabled
no-expat gcc cli $command -Dexpat=disabled
no-sqlite gcc cli $command -Dsqlite=disabled
no-mpi gcc cli $command -Dmpi=disabled
END
}

suites_of() {
    case $1 in
    core) echo "$core_suites" ;;
    engine) echo "$core_suites onnx" ;;
    cli) echo cli ;;
    esac
}

# sysroot ARCH TRIPLE PACKAGES: Debian's libraries for a processor, unpacked; no program of theirs runs.
sysroot() {
    root=$work/sysroot/$1
    [ ! -e "$root/complete" ] || return 0
    rm -rf "$root"
    mkdir -p "$work/sysroot"
    mmdebstrap --variant=extract --architectures="$1" \
        --include="libc6-dev,libgcc-12-dev,libcmocka-dev,libpng-dev,libjpeg62-turbo-dev,libsuitesparse-dev$3" \
        "$suite" "$root" "$mirror" >"$work/sysroot/$1.log" 2>&1 || {
        tail -5 "$work/sysroot/$1.log"
        return 1
    }
    # Links to absolute paths would leave the folder.
    find "$root" -type l -lname '/*' | while read -r link; do
        ln -sfn "$root$(readlink "$link")" "$link"
    done
    touch "$root/complete"
}

# cross_file NAME COMPILER BINUTILS PKGCONFIG WRAPPER FAMILY ENDIAN [LINK-ARGUMENTS]: lists are meson's, in quotes.
cross_file() {
    cat >"$work/$1.ini" <<END
[binaries]
c = [$2]
ar = '$3ar'
strip = '$3strip'
pkgconfig = 'pkg-config'
$5
[built-in options]
c_link_args = [${8:-}]
[properties]
needs_exe_wrapper = true
pkg_config_libdir = '$4'
sys_root = '$root'
[host_machine]
system = 'linux'
cpu_family = '$6'
cpu = '$6'
endian = '$7'
END
}

# Debian's i386 with SSE2: without, the x87 unit rounds to 80 bits, and results have other last digits.  The
# processor runs it by itself; the loader of the folder finds the libraries of the folder.
i386() {
    sysroot i386 i386-linux-gnu ,libopenblas-dev || return 1
    libraries=$root/lib/i386-linux-gnu
    cross_file i386 "'gcc', '-m32', '-msse2', '-mfpmath=sse', '--sysroot=$root'" '' \
        "$root/usr/lib/i386-linux-gnu/pkgconfig" \
        "exe_wrapper = ['$libraries/ld-linux.so.2', '--library-path', '$libraries:$root/usr/lib/i386-linux-gnu']" \
        x86 little
}

# emulator CPU: the newest QEMU; Debian's package is called qemu-user from version 9 on.
emulator() {
    command -v "qemu-$1" || command -v "qemu-$1-static"
}

# QEMU before 8.1 multiplies two floats to a double wrongly (MDEB): half of the tests would fail.
multiplies() {
    cat >"$work/multiply.c" <<'END'
__attribute__((noinline)) static double product(float a, const float *b)
{
    return (double)a * *b;
}
int main(void)
{
    volatile float a = 1.5f;
    float b = a;
    return product(a, &b) == 2.25 ? 0 : 1;
}
END
    clang --target=s390x-linux-gnu --sysroot="$root" -O2 "$work/multiply.c" -o "$work/multiply" &&
        "$1" -L "$root" "$work/multiply"
}

s390x() {
    sysroot s390x s390x-linux-gnu '' || return 1
    qemu=$(emulator s390x) || return 1
    multiplies "$qemu" || {
        echo "$qemu multiplies wrongly: install version 8.1 or newer, in Debian 12 qemu-user of bookworm-backports"
        return 1
    }
    cross_file s390x "'clang', '--target=s390x-linux-gnu', '--sysroot=$root'" s390x-linux-gnu- \
        "$root/usr/lib/s390x-linux-gnu/pkgconfig" "exe_wrapper = ['$qemu', '-L', '$root']" s390x big
}

arm64() {
    sysroot arm64 aarch64-linux-gnu ,libopenblas-dev,libdnnl-dev,libnanopb-dev,libjson-c-dev,libomp-14-dev || return 1
    qemu=$(emulator aarch64) || return 1
    cross_file arm64 "'clang', '--target=aarch64-linux-gnu', '--sysroot=$root'" aarch64-linux-gnu- \
        "$root/usr/lib/aarch64-linux-gnu/pkgconfig" "exe_wrapper = ['$qemu', '-L', '$root']" aarch64 little \
        "'-L$root/usr/lib/llvm-14/lib'"
}

# cmocka from Debian's source, because no package of it is for musl.
musl() {
    root=$work/sysroot/musl
    if [ ! -e "$root/lib/libcmocka.a" ]; then
        mkdir -p "$root/lib/pkgconfig" "$root/apt/partial"
        (
            cd "$root"
            echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >apt.list
            apt="apt-get -q -o Dir::Etc::sourcelist=$root/apt.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$root/apt"
            $apt update && $apt source --download-only cmocka && tar xf cmocka_*.orig.tar.xz --strip-components=1
        ) >"$work/sysroot/musl.log" 2>&1 || {
            tail -5 "$work/sysroot/musl.log"
            return 1
        }
        musl-gcc -O1 -fPIC -DHAVE_CLOCK_REALTIME -DHAVE_SIGLONGJMP -DHAVE_INTTYPES_H -DHAVE_SIGNAL_H \
            -DHAVE_GCC_THREAD_LOCAL_STORAGE -DHAVE_STRUCT_TIMESPEC -DHAVE_UINTPTR_T -DHAVE_SNPRINTF \
            -DHAVE_VSNPRINTF -I"$root/include" -c "$root/src/cmocka.c" -o "$root/cmocka.o"
        ar rcs "$root/lib/libcmocka.a" "$root/cmocka.o"
        printf 'Name: cmocka\nDescription: tests\nVersion: 1.1\nCflags: -isystem %s\nLibs: -L%s -lcmocka\n' \
            "$root/include" "$root/lib" >"$root/lib/pkgconfig/cmocka.pc"
    fi
    # Without sys_root, which would be put in front of the paths above.
    cross_file musl "'musl-gcc'" '' "$root/lib/pkgconfig" '' x86_64 little
    sed -i '/^sys_root/d; s/^needs_exe_wrapper = true/needs_exe_wrapper = false/' "$work/musl.ini"
}

# configure NAME COMPILER OPTIONS
configure() {
    [ ! -e "$work/$1/build.ninja" ] || return 0
    case $2 in
    gcc) CC=gcc CXX=g++ meson setup -Dwerror=true $3 "$work/$1" ;;
    clang) CC=clang CXX=clang++ meson setup -Dwerror=true $3 "$work/$1" ;;
    *) meson setup --cross-file "$work/$2.ini" -Dwerror=true $3 "$work/$1" ;;
    esac >"$work/$1.log" 2>&1
}

# count LABEL FILE: its number in the summary that meson prints at the end.
count() {
    sed -n "s/^$1: *\\([0-9][0-9]*\\) *\$/\\1/p" "$2" | tail -1
}

row() {
    printf '%-16s %-18s %6s %6s %7s %6s\n' "$@"
}

# build_and_test NAME COMPILER SUITES OPTIONS: a row of the table.
build_and_test() {
    log=$work/$1.log
    begun=$(date +%s)
    case $2 in
    gcc | clang) ;;
    *) "$2" >"$work/$2.prepared" || {
        row "$1" "not prepared" - - - -
        cat "$work/$2.prepared"
        return 1
    } ;;
    esac
    if ! configure "$1" "$2" "$4" || ! ninja -C "$work/$1" >"$log" 2>&1; then
        row "$1" "does not build" - - - -
        grep -E 'FAILED|error|ERROR' "$log" | head -5
        return 1
    fi
    built=$(date +%s)
    arguments=
    for one in $(suites_of "$3"); do
        arguments="$arguments --suite $one"
    done
    # A foreign processor is emulated, some twenty times slower.
    # shellcheck disable=SC2086 # lists of words
    meson test -C "$work/$1" --no-rebuild $arguments --no-suite slow --no-suite long -t 10 >"$log" 2>&1 || true
    if [ -z "$(count Ok "$log")" ]; then # there is no summary
        row "$1" "built in $((built - begun)) s" - "tests did not run" - "$(($(date +%s) - built)) s"
        return 1
    fi
    bad=$(($(count Fail "$log") + $(count Timeout "$log")))
    row "$1" "built in $((built - begun)) s" "$(count Ok "$log")" "$bad" "$(count Skipped "$log")" "$(($(date +%s) - built)) s"
    grep -E ' (FAIL|TIMEOUT|ERROR) ' "$log" | head -20 | sed 's/^/    /'
    [ "$bad" -eq 0 ]
}

if [ "${1:-}" = --list ]; then
    builds | cut -d' ' -f1
    exit
fi
mkdir -p "$work"
for name in "$@"; do
    builds | grep -q "^$name " || {
        echo "matrix.sh: there is no build $name; --list names them" >&2
        exit 2
    }
done
row build state ok failed skipped time
failed=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT
builds >"$list"
while read -r name compiler suites options; do
    case " $* " in
    "  " | *" $name "*) build_and_test "$name" "$compiler" "$suites" "$options" </dev/null || failed=$((failed + 1)) ;;
    esac
done <"$list"
[ "$failed" -eq 0 ]
