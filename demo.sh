#!/bin/sh
# From a fresh checkout to a heat map: install what is missing, build, explain.
#
#     ./demo.sh [PICTURE]     default: a scene of the demonstration network
set -eu
cd "$(dirname "$0")"
picture=${1:-demo/pictures/scene1.png}

./setup.sh
[ -e build/build.ninja ] || meson setup build >&2
meson compile -C build >&2
./build/tools/kldve explain "$picture" -o explained.png
echo
echo "Look at $(pwd)/explained.png: the bright parts made the network decide."
