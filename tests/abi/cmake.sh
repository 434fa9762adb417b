#!/bin/sh
# cmake.sh CMAKE CC VERSION SOURCE SCRATCH PLACE COMPONENTS [static] - programs that find the library with
# find_package(kldve CONFIG) in PLACE, an installation or a build folder.  COMPONENTS: "kldve" or "kldve;onnx".
# With `static`, also linked with the static libraries.  CC is the whole command, such as "ccache cc".
set -eu
cmake=$1 cc=$2 version=$3 source=$4 scratch=$5 place=$6 components=$7 static=${8-}
rm -rf "$scratch"
mkdir -p "$scratch"

# The compiler may stand behind a launcher.
compiler=${cc##* } launcher=
test "$cc" = "$compiler" || launcher=-DCMAKE_C_COMPILER_LAUNCHER=${cc% *}

# configure NAME OPTION... - into $scratch/NAME; the output is $scratch/log
configure() {
    name=$1
    shift
    "$cmake" -S "$source/tests/abi/cmake" -B "$scratch/$name" -DCMAKE_C_COMPILER="$compiler" $launcher \
        -DSOURCES="$source/tests/abi" -DCMAKE_PREFIX_PATH="$place" "$@" > "$scratch/log" 2>&1
}

# works NAME OPTION... - configure, build, run
works() {
    configure "$@" && "$cmake" --build "$scratch/$1" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
    "$scratch/$1/use-kldve"
    test ! -e "$scratch/$1/use-onnx" || "$scratch/$1/use-onnx" "$scratch/no-such.onnx"
}

# fails TEXT NAME OPTION... - the configuration says TEXT
fails() {
    text=$1
    shift
    if configure "$@"; then
        echo "$1: found, which is wrong"
        exit 1
    fi
    # CMake breaks lines where it likes.
    tr -s ' \n' '  ' < "$scratch/log" | grep -qF "$text" || { cat "$scratch/log"; echo "not said: $text"; exit 1; }
}

series=${version%.*}
works any -DWANT_COMPONENTS="$components"
works kldve -DWANT_COMPONENTS=kldve -DWANT_VERSION="$series"
works range -DWANT_COMPONENTS=kldve -DWANT_VERSION="$series...<${series%%.*}.99"
fails "there is no component 'torch'; there are: kldve, onnx" component "-DWANT_COMPONENTS=kldve;torch"
fails "version: $version" newer -DWANT_COMPONENTS=kldve -DWANT_VERSION="${series%%.*}.99"
fails "version: $version" other -DWANT_COMPONENTS=kldve -DWANT_VERSION=99.0
case $components in
kldve) fails 'built without the ONNX engine' engine "-DWANT_COMPONENTS=kldve;onnx" ;;
esac
if [ -n "$static" ]; then
    works static -DWANT_COMPONENTS="$components" -Dkldve_USE_STATIC_LIBS=ON
    if ldd "$scratch/static/use-kldve" | grep -q libkldve; then
        echo 'kldve_USE_STATIC_LIBS: the program needs a shared libkldve'
        exit 1
    fi
elif [ ! -e "$place/lib/libkldve.a" ]; then
    fails 'kldve_USE_STATIC_LIBS wants the static one' static -DWANT_COMPONENTS=kldve -Dkldve_USE_STATIC_LIBS=ON
fi
rm -rf "$scratch"
