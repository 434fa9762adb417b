#!/bin/sh
# grown.sh PYTHON MESON CC SOURCE SCRATCH SANITIZERS TODAY [onnx] - the four cases of docs/abi.md under
# AddressSanitizer: today's library and one whose structs all have one more member, each with a program compiled
# against today's headers and one compiled against the grown ones.
# CC is the whole command, such as "ccache cc"; TODAY a build folder of today's library with these sanitizers: if it
# is empty, one is built.
set -eu
python=$1 meson=$2 cc=$3 source=$4 scratch=$5 sanitizers=$6 today=$7 onnx=${8-}
here=$source/tests/abi/grown
export CC="$cc" # one compiler, one AddressSanitizer
case $cc in *clang*) export CXX=clang++ ;; esac
rm -rf "$scratch"
mkdir -p "$scratch/tree"

quietly() {
    "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}

# A tree with the grown headers; all else is that of the source.
for entry in "$source"/*; do
    case ${entry##*/} in
        include | build*) ;;
        *) ln -s "$entry" "$scratch/tree/" ;;
    esac
done
mkdir -p "$scratch/tree/include/kldve"
cp "$source"/include/kldve/meson.build "$source"/include/kldve/*.hpp "$scratch/tree/include/kldve/"
"$python" "$here/grow.py" "$source/include/kldve" "$scratch/tree/include"

# build NAME SOURCE - both libraries, into $scratch/NAME
build() {
    quietly $meson setup "$scratch/$1" "$2" --buildtype debug -Db_sanitize="$sanitizers" \
        -Db_lundef=false -Dtests=disabled -Dtools=disabled ${onnx:+-Donnx=enabled}
    quietly $meson compile -C "$scratch/$1" kldve:shared_library ${onnx:+kldve-onnx:shared_library}
}
if [ -n "$today" ]; then
    mkdir "$scratch/today"
    ln -s "$today/lib" "$scratch/today/"
else
    build today "$source"
fi
build grown "$scratch/tree"

# program NAME HEADERS LIBRARY
program() {
    # shellcheck disable=SC2086
    $cc -std=c11 -Wall -Wextra -Werror -g -fsanitize="$sanitizers" ${onnx:+-DWITH_ONNX} -I"$2" "$here/program.c" \
        -o "$scratch/$1" -L"$scratch/$3/lib" ${onnx:+-L"$scratch/$3/lib/onnx" -lkldve-onnx} -lkldve \
        -Wl,-rpath-link,"$scratch/$3/lib" -lm
}
program program-today "$source/include" today
program program-grown "$scratch/tree/include" today

status=0
# run PROGRAM LIBRARY [set]
run() {
    if LD_LIBRARY_PATH="$scratch/$2/lib:$scratch/$2/lib/onnx" "$scratch/program-$1" "$2" ${3-} ; then
        echo "ok: program $1, library $2${3+, members set}"
    else
        echo "FAILED: program $1, library $2${3+, members set}"
        status=1
    fi
}
run today today
run today grown
run grown grown
run grown today
run grown today set
[ $status -ne 0 ] || rm -rf "$scratch"
exit $status
