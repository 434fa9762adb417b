#!/bin/sh
# Install with apt what libkldve needs to build (Debian 12, Ubuntu 24.04 or newer).
#
#     ./setup.sh          what the library and the command need
#     ./setup.sh tests    also what the tests compare with, and what the host programs use
#
# Does nothing, and asks nothing, if everything is already installed.
set -eu

needed="gcc g++ libc6-dev meson ninja-build pkg-config libpng-dev libjpeg-dev
libdnnl-dev libnanopb-dev libjson-c-dev libcairo2-dev libpango1.0-dev libsqlite3-dev libexpat1-dev
libopenmpi-dev libsuitesparse-dev"
# Programs that use the library together with others (examples/hosts, docs/hosts.md): 230 MB.
for_hosts="ffmpeg libtorch-dev libopencv-videoio-dev libopencv-highgui-dev libsdl2-dev libsdl2-ttf-dev
libfontconfig-dev xvfb"
# gfortran: the static OpenBLAS needs its library.
for_tests="clang libclang-rt-dev libomp-dev libopenblas-dev gfortran libcmocka-dev python3 python3-numpy
python3-pil python3-torch python3-torchvision python3-sklearn python3-matplotlib python3-onnx
libonnx-testdata chromium chromium-driver abigail-tools cmake openmpi-bin python3-cffi python3-pycparser doxygen
zsh fish mandoc $for_hosts"

say() {
    echo "setup: $*" >&2
}

is_installed() {
    case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true) in
    installed) return 0 ;;
    esac
    # A virtual package, such as libjpeg-dev, is installed if some package provides it.
    dpkg-query -W -f '${db:Status-Status} ${Provides}\n' 2>/dev/null |
        grep -Eq "^installed .*(^|[ ,])$1([ ,(]|\$)"
}

missing() {
    for package in "$@"; do
        is_installed "$package" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo DEBIAN_FRONTEND=noninteractive "$@"
    else
        say "sudo is missing; as root, run: $*"
        exit 1
    fi
}

# Those of the given packages that this release of the distribution has.
available() {
    for package in "$@"; do
        if apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]'; then
            printf '%s ' "$package"
        else
            say "package $package is not available: the tests that need it are skipped"
        fi
    done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "apt is missing; install by other means: $needed"
    [ "${1:-}" != tests ] || say "for the tests: $for_tests"
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # lists of words
build=$(missing $needed)
# shellcheck disable=SC2086
extra=$([ "${1:-}" != tests ] || missing $for_tests)
[ -n "$build$extra" ] || exit 0
say "installing $build$extra"
as_root apt-get update -q >&2
# shellcheck disable=SC2086
[ -z "$build" ] || as_root apt-get install -y -q --no-install-recommends $build >&2
# shellcheck disable=SC2086
extra=$([ -z "$extra" ] || available $extra)
# shellcheck disable=SC2086
[ -z "$extra" ] || as_root apt-get install -y -q --no-install-recommends $extra >&2
